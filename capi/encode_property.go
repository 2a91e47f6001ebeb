package capi

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// standardCustomKeys are the custom_data keys that CustomData has fields for, and
// the alias of one. A custom property may not repeat them.
var standardCustomKeys = map[string]bool{
	"content_category": true, "content_ids": true, "content_name": true, "content_type": true,
	"contents": true, "currency": true, "customer_segmentation": true, "delivery_category": true,
	"event_source": true, "item_number": true, "lead_event_source": true, "net_revenue": true,
	"num_items": true, "order_id": true, "predicted_ltv": true, "search_string": true,
	"status": true, "value": true,
}

// propertyOrder walks properties in canonical order beside the standard members.
type propertyOrder struct {
	list  []Property
	order []int
	next  int
}

func (p *propertyOrder) reset(list []Property) {
	p.list, p.next = list, 0
	p.order = p.order[:0]
	if len(list) == 0 {
		return
	}
	for i := range list {
		p.order = append(p.order, i)
	}
	slices.SortStableFunc(p.order, func(a, b int) int { return compareUTF16(list[a].Key, list[b].Key) })
}

// propertiesBefore writes the properties that sort before a standard member; all
// that are left for "".
func (e *Encoder) propertiesBefore(dst []byte, name string) []byte {
	if e.props.next == len(e.props.order) {
		return dst
	}
	return e.appendProperties(dst, name)
}

func (e *Encoder) appendProperties(dst []byte, name string) []byte {
	p := &e.props
	for p.next < len(p.order) {
		prop := &p.list[p.order[p.next]]
		if name != "" && compareUTF16(prop.Key, name) >= 0 {
			return dst
		}
		p.next++
		if !utf8.ValidString(prop.Key) {
			continue
		}
		dst = appendQuoted(dst, prop.Key)
		dst = append(dst, ':')
		dst = appendCanonicalValue(dst, prop.JSON)
		dst = append(dst, ',')
	}
	return dst
}

// checkProperties reports what refuses custom properties.
func (e *Encoder) checkProperties(list []Property) {
	if len(list) == 0 {
		return
	}
	for i := range list {
		code := propertyFault(&list[i])
		if code == "" && standardCustomKeys[list[i].Key] {
			code = CodePropertyRepeatsKey
		}
		if code != "" {
			e.fault(code, itemPath("custom_data.properties", i, ""))
		}
	}
	for n, i := range e.props.order[1:] {
		if list[i].Key == list[e.props.order[n]].Key {
			e.fault(CodePropertyDuplicate, itemPath("custom_data.properties", i, ""))
		}
	}
}

// propertyFault returns the code that refuses a property by itself, "" for none.
func propertyFault(p *Property) string {
	switch {
	case trim(p.Key) == "":
		return CodePropertyEmptyKey
	case !utf8.ValidString(p.Key):
		return CodeBadText
	case len(p.Key) > maxTextBytes || len(p.JSON) > maxEventBytes:
		return CodeTextTooLong
	default:
		return jsonFault(p.JSON)
	}
}

// jsonFault reports text that is not one JSON value, or that holds null, or a number
// whose value readers with doubles would change.
func jsonFault(s string) string {
	if simpleJSON(s) {
		return ""
	}
	dec := jsontext.NewDecoder(bytes.NewBufferString(s))
	for depth := -1; depth != 0; depth = dec.StackDepth() {
		token, err := dec.ReadToken()
		if err != nil {
			return CodePropertyNotJSON
		}
		switch {
		case token.Kind() == 'n':
			return CodeNullValue
		case token.Kind() == '0' && !exactNumber(token.String()):
			return CodePropertyInexactNumber
		}
		if dec.StackDepth() > maxJSONDepth {
			return CodeTooDeep
		}
	}
	if rest := s[dec.InputOffset():]; strings.Trim(rest, " \t\r\n") != "" {
		return CodePropertyNotJSON
	}
	return ""
}

// maxJSONDepth bounds nesting. Meta's own objects are four deep.
const maxJSONDepth = 32

// appendCanonicalValue appends a value in RFC 8785 form. Text that is not JSON is
// left out; the event is refused for it.
func appendCanonicalValue(dst []byte, s string) []byte {
	if simpleJSON(s) {
		return append(dst, s...)
	}
	v := jsontext.Value(s)
	if v.Canonicalize() != nil {
		return dst
	}
	return append(dst, v...)
}

// simpleJSON reports values that are plainly canonical already: true and false,
// short integers, and strings of printable ASCII without escapes.
func simpleJSON(s string) bool {
	switch {
	case s == "true" || s == "false":
		return true
	case s == "":
		return false
	case s[0] == '"':
		if len(s) < 2 || s[len(s)-1] != '"' {
			return false
		}
		for i := 1; i < len(s)-1; i++ {
			if b := s[i]; b >= utf8.RuneSelf || needsEscape[b] {
				return false
			}
		}
		return true
	default:
		return len(s) <= 15 && isDigits(s) && (s[0] != '0' || s == "0")
	}
}

// exactNumber reports whether the shortest text of the nearest double has the same
// value as a JSON number.
func exactNumber(s string) bool {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return false
	}
	return significand(s) == significand(strconv.FormatFloat(f, 'e', -1, 64))
}

// significand brings a JSON number into one form per value: sign, digits without
// zeros at either end, and the exponent of the first digit.
func significand(s string) string {
	s, negative := strings.CutPrefix(s, "-")
	mantissa, exponent := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa = s[:i]
		n, err := strconv.Atoi(strings.TrimPrefix(s[i+1:], "+"))
		if err != nil {
			return s
		}
		exponent = n
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	trimmed := strings.TrimLeft(digits, "0")
	exponent += len(whole) - (len(digits) - len(trimmed))
	trimmed = strings.TrimRight(trimmed, "0")
	if trimmed == "" {
		return "0"
	}
	out := trimmed + "e" + strconv.Itoa(exponent)
	if negative {
		return "-" + out
	}
	return out
}
