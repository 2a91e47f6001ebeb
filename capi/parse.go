package capi

import (
	"errors"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// ParseEvent reads one event in the form Meta documents, and the variants its own
// samples use: single values for lists, numbers and truth values as strings, the
// old names email, phone, gen and zip, price for item_price, and
// customer_segmentation at either level. It is strict about everything else:
// duplicate and unknown keys, null, and wrong types are faults.
//
// It judges form only. Encoder judges the event.
func ParseEvent(json []byte) (Event, []Fault) { return parseEventAt(json, "") }

// parseEventAt reads an event whose faults are placed below a path.
func parseEventAt(json []byte, at string) (Event, []Fault) {
	p := newParser(json, at)
	defer p.free()
	var ev Event
	if len(json) > maxEventBytes {
		p.stop(CodeEventTooLarge)
		return ev, p.faults
	}
	p.event(&ev)
	p.end()
	return ev, p.faults
}

// parser reads JSON into the model. Every method reads exactly one value.
type parser struct{ wireReader }

// parsers are used again because a decoder's tables cost more than an event.
var parsers = sync.Pool{New: func() any { return new(parser) }}

func newParser(json []byte, at string) *parser {
	p := parsers.Get().(*parser)
	p.start(json, at)
	return p
}

// free lets go of the document and gives the parser back.
func (p *parser) free() {
	p.release()
	parsers.Put(p)
}

func (p *parser) event(ev *Event) {
	p.members(func(name string) bool {
		switch name {
		case "action_source":
			ev.ActionSource = ActionSource(p.text())
		case "advanced_measurement_table":
			ev.AdvancedMeasurementTable = p.text()
		case "app_data":
			ev.AppData = new(AppData)
			p.appData(ev.AppData)
		case "attribution_data":
			ev.AttributionData = new(AttributionData)
			p.attributionData(ev.AttributionData)
		case "custom_data":
			p.customData(ev)
		case "customer_segmentation":
			p.segmentation(ev)
		case "data_processing_options":
			p.dataProcessing(ev).Options = p.texts()
		case "data_processing_options_country":
			p.dataProcessing(ev).Country = p.integer()
		case "data_processing_options_state":
			p.dataProcessing(ev).State = p.integer()
		case "event_id":
			ev.EventID = p.text()
		case "event_name":
			ev.EventName = p.text()
		case "event_source_url":
			ev.EventSourceURL = p.text()
		case "event_time":
			ev.EventTime = p.integer().Value
		case "messaging_channel":
			ev.MessagingChannel = MessagingChannel(p.text())
		case "opt_out":
			ev.OptOut = p.boolean()
		case "original_event_data":
			ev.OriginalEventData = new(OriginalEventData)
			p.originalEventData(ev.OriginalEventData)
		case "referrer_url":
			ev.ReferrerURL = p.text()
		case "store_data":
			ev.StoreData = new(StoreData)
			p.storeData(ev.StoreData)
		case "user_data":
			p.userData(&ev.UserData)
		default:
			return false
		}
		return true
	})
}

func (p *parser) dataProcessing(ev *Event) *DataProcessing {
	if ev.DataProcessing == nil {
		ev.DataProcessing = new(DataProcessing)
	}
	return ev.DataProcessing
}

// segmentation takes the value from either level; two different ones are a fault.
func (p *parser) segmentation(ev *Event) {
	text := p.text()
	if ev.CustomerSegmentation != "" && ev.CustomerSegmentation != text {
		p.fault(CodeDuplicateKey)
	}
	ev.CustomerSegmentation = text
}

// members reads an object; known reads the member's value and reports whether the
// name is one.
func (p *parser) members(known func(name string) bool) {
	p.membersOr(known, CodeUnknownKey, Refuse)
}

// membersOr is members with another judgement of unknown names.
func (p *parser) membersOr(known func(name string) bool, code string, effect Effect) {
	if !p.open('{') {
		return
	}
	for p.more() {
		name := p.name()
		if p.broken {
			return
		}
		n := p.enterNamed(name)
		if !known(internedName(name)) {
			p.fault(code)
			p.faults[len(p.faults)-1].Effect = effect
			p.skip()
		}
		p.path = p.path[:n]
	}
}

// internedName returns the text of a name without copying those Meta documents.
func internedName(name []byte) string {
	if known, ok := documentedNames[string(name)]; ok {
		return known
	}
	return string(name)
}

var documentedNames = func() map[string]string {
	names := map[string]string{}
	for _, schema := range []*wireObject{&eventSchema, &userDataSchema, &customDataSchema, &contentSchema,
		&appDataSchema, &attributionSchema, &originalEventSchema, &storeSchema} {
		for name := range schema.members {
			names[name] = name
		}
	}
	for name := range fieldsByName {
		names[name] = name
	}
	return names
}()

// elements reads a list.
func (p *parser) elements(each func(i int)) {
	if !p.open('[') {
		return
	}
	for i := 0; p.more(); i++ {
		n := p.enterIndex(i)
		each(i)
		p.path = p.path[:n]
	}
}

// text reads a text; whole numbers count as their digits, because ids arrive as
// numbers from many tools.
func (p *parser) text() string {
	kind := p.kind()
	if kind != '"' && kind != '0' {
		p.mismatch()
		return ""
	}
	raw := p.raw()
	switch {
	case p.broken:
		return ""
	case kind == '"':
		return string(unquote(raw))
	case !isDigits(string(raw)):
		p.fault(CodeWrongType)
		return ""
	}
	return string(raw)
}

// texts reads a list of texts, or one text as a list of it.
func (p *parser) texts() []string {
	if kind := p.kind(); kind == '"' || kind == '0' {
		return []string{p.text()}
	}
	var list []string
	p.elements(func(int) { list = append(list, p.text()) })
	return list
}

// integer reads a whole number, as a number or as digits in a string.
func (p *parser) integer() Optional[int64] {
	text := p.number()
	if text == "" {
		return Optional[int64]{}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		p.fault(CodeNumberTooLarge)
		return Optional[int64]{}
	case err != nil || text[0] == '+':
		p.fault(CodeWrongType)
		return Optional[int64]{}
	}
	return Some(n)
}

// decimal reads an amount, as a number or as plain decimal text in a string.
func (p *parser) decimal() Optional[Decimal] {
	text := p.number()
	if text == "" {
		return Optional[Decimal]{}
	}
	d, err := ParseDecimal(text)
	switch {
	case errors.Is(err, ErrDecimalRange):
		p.fault(CodeNumberTooLarge)
		return Optional[Decimal]{}
	case err != nil:
		p.fault(CodeBadNumber)
		return Optional[Decimal]{}
	}
	return Some(d)
}

// number reads the text of a number or of a string; "" for neither.
func (p *parser) number() string {
	kind := p.kind()
	if kind != '"' && kind != '0' {
		p.mismatch()
		return ""
	}
	raw := p.raw()
	if p.broken {
		return ""
	}
	if kind == '0' {
		return string(raw)
	}
	text := string(unquote(raw))
	if text == "" {
		p.fault(CodeWrongType)
	}
	return text
}

// boolean reads true or false.
func (p *parser) boolean() Optional[bool] {
	if kind := p.kind(); kind != 't' && kind != 'f' {
		p.mismatch()
		return Optional[bool]{}
	}
	return Some(string(p.raw()) == "true")
}

// flag reads true, false, 1, 0, "1" or "0".
func (p *parser) flag() Optional[bool] {
	switch p.kind() {
	case 't', 'f':
		return p.boolean()
	case '"', '0':
		switch p.number() {
		case "1":
			return Some(true)
		case "0":
			return Some(false)
		}
		p.fault(CodeWrongType)
		return Optional[bool]{}
	}
	p.mismatch()
	return Optional[bool]{}
}

// property reads any value but null as a property.
func (p *parser) property(list []Property, key string) []Property {
	if p.kind() == 'n' {
		p.mismatch()
		return list
	}
	raw := p.raw()
	if p.broken {
		return list
	}
	if holdsNull(raw) {
		p.fault(CodeNullValue)
		return list
	}
	return append(list, Property{Key: key, JSON: string(raw)})
}

// single reads a text that older SDKs wrap into a list of one.
func (p *parser) single() string {
	if p.kind() != jsontext.KindBeginArray {
		return p.text()
	}
	list := p.texts()
	if len(list) != 1 {
		p.fault(CodeWrongType)
		return ""
	}
	return list[0]
}
