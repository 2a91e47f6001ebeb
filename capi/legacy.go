package capi

import "strings"

// maxLegacyEvents was the limit of the retired offline API.
const maxLegacyEvents = 2000

// IsLegacy reports whether JSON is an upload of the Offline Conversions API that
// Meta discontinued on 2025-05-14: events that hold match_keys. It looks at a
// request body, a list of events, or one event, and only as far as it must.
func IsLegacy(json []byte) bool {
	p := newParser(json, "")
	defer p.free()
	return p.legacyShape(0)
}

// legacyShape looks for match_keys in an event, or in the first event of a list.
func (p *parser) legacyShape(depth int) bool {
	const deepest = 2 // body, list, event
	switch {
	case depth > deepest:
		return false
	case p.kind() == '[':
		return p.open('[') && p.more() && p.legacyShape(depth+1)
	case p.kind() != '{':
		return false
	case !p.open('{'):
		return false
	}
	for p.more() {
		switch name := string(p.name()); {
		case p.broken:
			return false
		case name == "match_keys":
			return true
		case name == "data" && depth == 0:
			return p.legacyShape(depth + 1)
		}
		p.skip()
	}
	return false
}

// MigrateLegacy turns an upload of the retired Offline Conversions API into
// events: a request body, a list of events, or one event. match_keys become
// customer information, value and currency move into custom_data, doby, dobm and
// dobd in clear become one birth date, and action_source is physical_store, which
// the old API implied. Dataset and batches are the caller's: an offline event set
// has to be consolidated into a dataset, and 2 000 events become two requests.
func MigrateLegacy(json []byte) ([]Event, []Fault) {
	p := newParser(json, "")
	defer p.free()
	// 2 000 events of the old size.
	if len(json) > 2*MaxBodyBytes {
		p.stop(CodeBodyTooLarge)
		return nil, p.faults
	}
	p.fault(CodeLegacyPayload)
	var events []Event
	if p.kind() == '[' {
		events = p.legacyEvents()
	} else {
		events = p.legacyBody()
	}
	p.end()
	return events, p.faults
}

// legacyBody reads a request body or a single event.
func (p *parser) legacyBody() []Event {
	var single Event
	var events []Event
	isEvent := false
	p.membersOr(func(name string) bool {
		switch name {
		case "data":
			events = p.legacyEvents()
		case "upload_tag", "upload_id", "upload_source", "namespace_id", "progress", "access_token", "appsecret_proof":
			p.skip()
		default:
			known := p.legacyMember(&single, name)
			isEvent = isEvent || known
			return known
		}
		return true
	}, CodeLegacyUnknownKey, Warn)
	if isEvent {
		events = append(events, finishLegacy(single))
	}
	return events
}

func (p *parser) legacyEvents() []Event {
	var events []Event
	p.elements(func(i int) {
		if i == maxLegacyEvents {
			p.fault(CodeTooManyEvents)
		}
		if i >= maxLegacyEvents {
			p.skip()
			return
		}
		var ev Event
		p.membersOr(func(name string) bool { return p.legacyMember(&ev, name) }, CodeLegacyUnknownKey, Warn)
		events = append(events, finishLegacy(ev))
	})
	return events
}

// legacyMember reads a member of an old event and reports whether it is one.
func (p *parser) legacyMember(ev *Event, name string) bool {
	c := &ev.CustomData
	switch name {
	case "match_keys":
		p.matchKeys(&ev.UserData)
	case "event_name":
		ev.EventName = p.text()
	case "event_time":
		ev.EventTime = p.integer().Value
	case "event_id":
		ev.EventID = p.text()
	case "currency":
		c.Currency = p.text()
	case "value":
		c.Value = p.decimal()
	case "content_type":
		c.ContentType = p.text()
	case "contents":
		p.contents(c)
	case "order_id":
		c.OrderID = p.text()
	case "item_number":
		c.ItemNumber = p.text()
	case "custom_data":
		p.customData(ev)
	default:
		return false
	}
	return true
}

// matchKeys reads the old customer information.
func (p *parser) matchKeys(u *UserData) {
	var day, month, year string
	p.membersOr(func(name string) bool {
		switch name {
		case "dobd":
			day = p.single()
			return true
		case "dobm":
			month = p.single()
			return true
		case "doby":
			year = p.single()
			return true
		}
		f, ok := ParseField(name)
		if !ok {
			return false
		}
		if list := u.list(f); list != nil {
			*list = append(*list, p.texts()...)
		} else {
			u.Add(f, p.single())
		}
		return true
	}, CodeLegacyUnknownKey, Warn)
	p.legacyBirthDate(u, year, month, day)
}

// legacyBirthDate joins the parts of a birth date. Hashed parts can't be joined;
// they are passed on as what they are.
func (p *parser) legacyBirthDate(u *UserData, year, month, day string) {
	parts := []struct {
		field Field
		value string
	}{{FieldBirthYear, year}, {FieldBirthMonth, month}, {FieldBirthDay, day}}
	clear := 0
	for _, part := range parts {
		switch {
		case part.value == "":
		case shapeOf(part.value) == shapeText:
			clear++
		default:
			u.Add(part.field, part.value)
		}
	}
	switch clear {
	case 0:
	case len(parts):
		u.BirthDate = append(u.BirthDate, year+"-"+pad2(month)+"-"+pad2(day))
	default:
		p.faultIn("doby", CodeDOBInvalid)
	}
}

func pad2(s string) string { return strings.Repeat("0", max(0, 2-len(s))) + s }

// finishLegacy adds what the old API implied.
func finishLegacy(ev Event) Event {
	ev.ActionSource = PhysicalStore
	return ev
}
