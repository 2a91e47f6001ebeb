package sandbox

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// decoder reads one event at a time from a scanner into the reused event. Its
// methods return false when the text is not JSON (scanner.err) or the event breaks
// the schema (bad); the caller tells the two apart.
type decoder struct {
	scanner
	ev    event
	index int       // of the event in data, for messages
	bad   *apiError // first schema violation of this event
}

// param is the way Meta names a place inside data.
func (d *decoder) param(keys ...string) string {
	p := "$['data'][" + strconv.Itoa(d.index) + "]"
	for _, k := range keys {
		p += "['" + k + "']"
	}
	return p
}

// violate records a schema violation. It always returns false.
func (d *decoder) violate(what string) bool {
	if d.bad == nil {
		d.bad = errSchema.with("what", what)
	}
	return false
}

// unexpected refuses a key in Meta's words.
func (d *decoder) unexpected(key []byte, path ...string) bool {
	return d.violate(`Unexpected key "` + clipTo(string(key), 80) + `" on param "` + d.param(path...) + `".`)
}

// mistyped refuses a value of the wrong type.
func (d *decoder) mistyped(want string, path ...string) bool {
	return d.violate(`Param "` + d.param(path...) + `" must be ` + want + `.`)
}

// outside refuses a value of the right type that Meta's documentation rules out.
func (d *decoder) outside(want string, path ...string) bool {
	if d.bad == nil {
		d.bad = d.beyond(want, path...)
	}
	return false
}

func (d *decoder) beyond(want string, path ...string) *apiError {
	return errRange.with("what", `Param "`+d.param(path...)+`" must be `+want+`.`)
}

// missing refuses an object without a key it needs.
func (d *decoder) missing(path ...string) *apiError {
	return errSchema.with("what", `Param "`+d.param(path...)+`" is required.`)
}

// event reads one element of data. On a schema violation the scanner has moved on
// to the end of the element all the same, so that the rest of the body is judged.
func (d *decoder) event() bool {
	d.ev.reset()
	d.bad = nil
	start, depth, mark := d.i, d.depth, len(d.names)
	if d.eventObject() {
		d.ev.raw = d.b[start:d.i]
		return true
	}
	if d.err != nil {
		return false
	}
	d.i, d.depth = start, depth
	d.forget(mark)
	return d.skip()
}

func (d *decoder) eventObject() bool {
	if d.peek() != '{' {
		return d.violate(`Param "` + d.param() + `" must be an object.`)
	}
	if !d.open() {
		return false
	}
	for first := true; ; first = false {
		name, more, ok := d.member(first)
		if !ok || !more {
			return ok
		}
		key, known := eventKeyOf(name)
		if !known {
			return d.unexpected(name)
		}
		if d.ev.present(key) {
			return d.fail("duplicate name")
		}
		d.ev.set(key)
		if !d.eventValue(key) {
			return false
		}
	}
}

func (d *decoder) eventValue(key eventKey) (ok bool) {
	ev := &d.ev
	switch key {
	case evName:
		ev.name, ok = d.stringAt(key.String())
	case evTime:
		ev.time, ok = d.integerAt(key.String())
	case evActionSource:
		var v []byte
		if v, ok = d.stringAt(key.String()); ok {
			ev.source = actionSourceOf(v)
		}
	case evUserData:
		d.peek()
		start := d.i
		ok = d.userData()
		ev.userRaw = d.b[start:d.i]
	case evCustomData:
		ok = d.customData()
	case evSourceURL:
		ev.url, ok = d.stringAt(key.String())
	case evID:
		ev.id, ok = d.scalarAt(key.String())
	case evOptOut:
		ok = d.flagAt(key.String())
	case evDPO:
		ok = d.processingOptions()
	case evDPOCountry:
		ev.dpoCountry, ok = d.integerAt(key.String())
	case evDPOState:
		ev.dpoState, ok = d.integerAt(key.String())
	case evAppData:
		ok = d.appData()
	case evChannel:
		ev.channel, ok = d.stringAt(key.String())
	case evOriginal:
		ok = d.originalEvent()
	case evAttribution:
		ok = d.attributionData()
	case evStoreData:
		ok = d.storeData()
	case evSegmentation:
		ok = d.wordAt(segmentations, key.String())
	default:
		_, ok = d.stringAt(key.String())
	}
	return ok
}

// stringAt reads a string.
func (d *decoder) stringAt(path ...string) ([]byte, bool) {
	if d.peek() != '"' {
		return nil, d.mistyped("a string", path...)
	}
	return d.text()
}

// scalarAt reads a string, or a number as its text: Graph takes either for an id.
func (d *decoder) scalarAt(path ...string) ([]byte, bool) { return d.scalar("a string", path...) }

// scalar reads a string or a number; want is what a refusal asks for.
func (d *decoder) scalar(want string, path ...string) ([]byte, bool) {
	switch c := d.peek(); {
	case c == '"':
		return d.text()
	case c == '-' || c >= '0' && c <= '9':
		return d.number()
	}
	return nil, d.mistyped(want, path...)
}

// integerAt reads a whole number, or text that holds one: Meta's samples show
// both. Fractions and exponents are refused, as int64 must hold ids exactly.
func (d *decoder) integerAt(path ...string) (int64, bool) {
	v, ok := d.scalar("an integer", path...)
	if !ok {
		return 0, false
	}
	n, ok := parseInt(v)
	if !ok {
		return 0, d.mistyped("an integer", path...)
	}
	return n, true
}

// parseInt reads decimal digits with an optional minus sign.
func parseInt(v []byte) (int64, bool) {
	neg := len(v) > 0 && v[0] == '-'
	if neg {
		v = v[1:]
	}
	if !digits(v) {
		return 0, false
	}
	var n int64
	for _, c := range v {
		if n > (math.MaxInt64-9)/10 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if neg {
		n = -n
	}
	return n, true
}

// flagAt reads a boolean; 0 and 1 count, SDKs send them.
func (d *decoder) flagAt(path ...string) bool {
	switch d.peek() {
	case 't':
		return d.literal("true")
	case 'f':
		return d.literal("false")
	case '0', '1':
		v, ok := d.number()
		if ok && len(v) == 1 {
			return true
		}
		if d.err != nil {
			return false
		}
	}
	return d.mistyped("a boolean", path...)
}

// numberAt reads a number, or text that claims to be one. NaN stands for text that
// is not a plain decimal number and for a number no float64 holds, such as 1e400.
func (d *decoder) numberAt(path ...string) (float64, bool) {
	v, ok := d.scalar("a number", path...)
	if !ok {
		return 0, false
	}
	s := scanner{b: v}
	if _, whole := s.number(); !whole || s.i != len(v) {
		return math.NaN(), true
	}
	n, err := strconv.ParseFloat(string(v), 64)
	if err != nil {
		return math.NaN(), true
	}
	return n, true
}

// finiteAt reads a number of any sign.
func (d *decoder) finiteAt(path ...string) bool {
	n, ok := d.numberAt(path...)
	if ok && math.IsNaN(n) {
		return d.outside("a finite decimal number", path...)
	}
	return ok
}

// atLeast reads a whole number that must not be below a limit.
func (d *decoder) atLeast(limit int64, path ...string) bool {
	n, ok := d.integerAt(path...)
	if ok && n < limit {
		return d.outside("an integer of at least "+strconv.FormatInt(limit, 10), path...)
	}
	return ok
}

// wordAt reads one of the words Meta documents.
func (d *decoder) wordAt(words []string, path ...string) bool {
	v, ok := d.scalarAt(path...)
	if ok && !slices.Contains(words, string(v)) {
		return d.outside("one of {"+strings.Join(words, ", ")+"}", path...)
	}
	return ok
}

// textList reads a list of strings or ids.
func (d *decoder) textList(path ...string) bool {
	if d.peek() != '[' {
		return d.mistyped("a list of strings", path...)
	}
	if !d.open() {
		return false
	}
	for first := true; ; first = false {
		more, ok := d.element(first)
		if !ok || !more {
			return ok
		}
		if _, ok := d.scalarAt(path...); !ok {
			return false
		}
	}
}

// object reads an object whose members field handles. Names are checked for
// duplicates here.
func (d *decoder) object(field func(name []byte) bool, path ...string) bool {
	if d.peek() != '{' {
		return d.mistyped("an object", path...)
	}
	if !d.open() {
		return false
	}
	mark := len(d.names)
	for first := true; ; first = false {
		name, more, ok := d.member(first)
		if !ok {
			return false
		}
		if !more {
			d.forget(mark)
			return true
		}
		if !d.unique(mark, name) || !field(name) {
			return false
		}
	}
}
