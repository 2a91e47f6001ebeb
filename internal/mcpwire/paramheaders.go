package mcpwire

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// ParamHeader is one argument of a tool that travels in a header too, because its
// schema says so with x-mcp-header.
type ParamHeader struct {
	Name string   // of the header, behind HeaderParamPrefix
	Path []string // from the arguments inwards
	Type string   // string, integer or boolean
}

// ParamHeaders lists what the inputSchema of a tool wants mirrored, in the order of
// the schema. An error says which rule the schema breaks: a client on HTTP has to drop
// such a tool from tools/list.
func ParamHeaders(schema []byte) ([]ParamHeader, error) {
	// Most schemas have nothing of it. A key written with escapes is looked at.
	if !bytes.Contains(schema, []byte("x-mcp-header")) && bytes.IndexByte(schema, '\\') < 0 {
		return nil, nil
	}
	w := schemaWalk{raw: schema, names: map[string]struct{}{}}
	w.schema(Span{0, len(schema)}, nil, true, 0)
	if w.err != nil {
		return nil, w.err
	}
	return w.found, nil
}

type schemaWalk struct {
	raw   []byte
	found []ParamHeader
	names map[string]struct{} // of those found, in small letters
	err   error
}

func (w *schemaWalk) fail(path []string, problem string) {
	if w.err == nil {
		w.err = fmt.Errorf("x-mcp-header at %q: %s", strings.Join(path, "."), problem)
	}
}

// schema looks at one schema. path is where the value that it describes stands in the
// arguments; fixed says that it always stands there, reached through properties alone.
func (w *schemaWalk) schema(at Span, path []string, fixed bool, depth int) {
	at = trim(w.raw, at)
	if w.err != nil || !at.Present() || w.raw[at.Start] != '{' || depth > MaxDepth {
		return
	}
	var name, kind Span
	for key, value := range Members(w.raw, at) {
		keyword, _ := Unquote(w.raw[key.Start:key.End])
		switch keyword {
		case "x-mcp-header":
			if name.Present() {
				w.fail(path, "given twice")
			}
			name = value
		case "type":
			kind = value
		case "properties":
			for key, value := range Members(w.raw, value) {
				property, _ := Unquote(w.raw[key.Start:key.End])
				w.schema(value, append(path[:len(path):len(path)], property), fixed, depth+1)
			}
		case "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies":
			for _, value := range Members(w.raw, value) {
				w.schema(value, append(path[:len(path):len(path)], keyword), false, depth+1)
			}
		case "allOf", "anyOf", "oneOf", "prefixItems", "items", "additionalItems", "contains", "not", "if", "then", "else",
			"additionalProperties", "propertyNames", "unevaluatedItems", "unevaluatedProperties", "contentSchema":
			inner := append(path[:len(path):len(path)], keyword)
			w.schema(value, inner, false, depth+1)
			for element := range Elements(w.raw, value) {
				w.schema(element, inner, false, depth+1)
			}
		}
	}
	if name.Present() {
		w.annotation(name, kind, path, fixed)
	}
}

// annotation takes an x-mcp-header after the schema around it was read.
func (w *schemaWalk) annotation(name, kind Span, path []string, fixed bool) {
	header, ok := Unquote(w.raw[name.Start:name.End])
	h := ParamHeader{Name: header, Path: path, Type: w.primitive(kind)}
	switch {
	case !fixed || len(path) == 0:
		w.fail(path, "the value is not reached through properties alone")
	case !ok || header == "" || strings.ContainsFunc(header, notToken):
		w.fail(path, "not the name of an HTTP header")
	case h.Type == "":
		w.fail(path, "the type is not string, integer or boolean")
	}
	small := strings.ToLower(header)
	if _, known := w.names[small]; known {
		w.fail(path, "another argument has the same header")
	}
	w.names[small] = struct{}{}
	w.found = append(w.found, h)
}

// primitive is the type, where it is one that fits a header; "or null" does not hurt,
// since null is not mirrored.
func (w *schemaWalk) primitive(kind Span) string {
	text, ok := Unquote(w.raw[kind.Start:kind.End])
	if !ok {
		for element := range Elements(w.raw, kind) {
			switch one, _ := Unquote(w.raw[element.Start:element.End]); {
			case one == "null":
			case text != "":
				return ""
			default:
				text = one
			}
		}
	}
	switch text {
	case "string", "integer", "boolean":
		return text
	}
	return ""
}

func notToken(r rune) bool {
	switch {
	case '0' <= r && r <= '9', 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z':
		return false
	}
	return r > '~' || !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

func trim(raw []byte, s Span) Span {
	for s.Start < s.End && (raw[s.Start] == ' ' || raw[s.Start] == '\t' || raw[s.Start] == '\n' || raw[s.Start] == '\r') {
		s.Start++
	}
	return s
}

// Field is what the header has to hold for a call with these arguments (at span of
// raw); false where it must not be sent: the argument is absent, null, or of a kind
// that has no header.
func (h ParamHeader) Field(raw []byte, arguments Span) (string, bool) {
	value, ok := headerText(raw, h.argument(raw, arguments))
	if !ok {
		return "", false
	}
	return EncodeHeader(value), true
}

// Check compares a header as it came with the arguments; sent says that it was there.
// It returns what is wrong with it, empty when nothing is.
func (h ParamHeader) Check(raw []byte, arguments Span, field string, sent bool) string {
	at := h.argument(raw, arguments)
	want, ok := headerText(raw, at)
	switch {
	case at.Present() && !ok: // an object, say: the schema forbids it, the server will tell
		return ""
	case !ok && sent:
		return HeaderParamPrefix + h.Name + " is sent without the argument"
	case !ok:
		return ""
	case !sent:
		return HeaderParamPrefix + h.Name + " is missing"
	}
	got, decoded := DecodeHeader(field)
	if !decoded {
		return HeaderParamPrefix + h.Name + " is malformed"
	}
	if c := raw[at.Start]; c == '-' || '0' <= c && c <= '9' {
		number, whole := wholeNumber([]byte(got))
		if whole {
			got = strconv.FormatInt(number, 10)
		}
	}
	if got != want {
		return HeaderParamPrefix + h.Name + " differs from the argument"
	}
	return ""
}

// argument is where the argument stands; absent for null too.
func (h ParamHeader) argument(raw []byte, arguments Span) Span {
	at := Lookup(raw, arguments, h.Path...)
	if at.Present() && string(raw[at.Start:at.End]) == "null" {
		return Span{}
	}
	return at
}

// headerText is a value as text, before it is encoded.
func headerText(raw []byte, at Span) (string, bool) {
	if !at.Present() {
		return "", false
	}
	switch value := raw[at.Start:at.End]; value[0] {
	case '"':
		return Unquote(value)
	case 't', 'f':
		return string(value), true
	case '{', '[', 'n':
		return "", false
	default:
		number, ok := wholeNumber(value)
		return strconv.FormatInt(number, 10), ok
	}
}

// wholeNumber is the integer that a JSON number stands for, however it is written
// (42, 42.0, 4.2e1), when it is one that every peer can hold: up to 2^53-1. It is
// found in the digits: a float would round before it could be compared.
func wholeNumber(text []byte) (int64, bool) {
	const largest = 1<<53 - 1
	s := scanner{b: text}
	if s.number(); s.err != nil || s.i != len(text) {
		return 0, false
	}
	digits, exponent, _ := bytes.Cut(bytes.ToLower(text), []byte("e"))
	digits, negative := bytes.CutPrefix(digits, []byte("-"))
	whole, fraction, _ := bytes.Cut(digits, []byte("."))
	all := append(bytes.Clone(whole), fraction...)
	point := len(whole)
	all, zeros := trimZeros(all)
	point -= zeros
	if len(all) == 0 {
		return 0, true
	}
	if len(exponent) > 0 {
		e, err := strconv.Atoi(string(exponent))
		if err != nil || e < -len(text)-400 || e > 400 {
			return 0, false
		}
		point += e
	}
	all = bytes.TrimRight(all, "0")
	if point < len(all) || point > 16 {
		return 0, false
	}
	for len(all) < point {
		all = append(all, '0')
	}
	number, err := strconv.ParseInt(string(all), 10, 64)
	if err != nil || number > largest {
		return 0, false
	}
	if negative {
		number = -number
	}
	return number, true
}

func trimZeros(b []byte) (rest []byte, zeros int) {
	for zeros < len(b) && b[zeros] == '0' {
		zeros++
	}
	return b[zeros:], zeros
}
