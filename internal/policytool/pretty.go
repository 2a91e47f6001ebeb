package policytool

import (
	"bytes"
	"encoding/json"
	"strings"
)

// prettyWidth is how long a line may be that holds a whole value.
const prettyWidth = 100

// Pretty lays a document out for people: a value that fits on a line stays on it. It
// changes nothing but white space, so that the document stays the same one.
func Pretty(document []byte) []byte {
	var compact bytes.Buffer
	if json.Compact(&compact, document) != nil {
		return document
	}
	dec := json.NewDecoder(&compact)
	dec.UseNumber()
	v, err := readValue(dec, compact.Bytes())
	if err != nil {
		return document
	}
	var out bytes.Buffer
	v.write(&out, 0, 0)
	out.WriteByte('\n')
	return out.Bytes()
}

// value is a JSON value as it was written, in the order it was written.
type value struct {
	scalar string // as written; empty: an object or an array
	object bool
	names  []string // as written, with quotes
	items  []value
}

// readValue reads one value. Numbers and strings are cut from the text, so that no
// spelling changes.
func readValue(dec *json.Decoder, text []byte) (value, error) {
	before := dec.InputOffset()
	t, err := dec.Token()
	if err != nil {
		return value{}, err
	}
	d, ok := t.(json.Delim)
	if !ok {
		return value{scalar: cut(text, before, dec.InputOffset())}, nil
	}
	v := value{object: d == '{'}
	for dec.More() {
		if v.object {
			before := dec.InputOffset()
			if _, err := dec.Token(); err != nil {
				return v, err
			}
			v.names = append(v.names, cut(text, before, dec.InputOffset()))
		}
		item, err := readValue(dec, text)
		if err != nil {
			return v, err
		}
		v.items = append(v.items, item)
	}
	_, err = dec.Token()
	return v, err
}

func cut(text []byte, from, to int64) string {
	return strings.TrimLeft(string(text[from:to]), ",: ")
}

// line is the value on one line.
func (v *value) line() string {
	if v.scalar != "" {
		return v.scalar
	}
	left, right := "[", "]"
	if v.object {
		left, right = "{", "}"
	}
	parts := make([]string, len(v.items))
	for i := range v.items {
		parts[i] = v.items[i].line()
		if v.object {
			parts[i] = v.names[i] + ": " + parts[i]
		}
	}
	return left + strings.Join(parts, ", ") + right
}

// write writes the value at a depth, after used characters of its line.
func (v *value) write(out *bytes.Buffer, depth, used int) {
	if one := v.line(); v.scalar != "" || len(v.items) == 0 || depth > 0 && used+len(one) <= prettyWidth {
		out.WriteString(one)
		return
	}
	indent := strings.Repeat("  ", depth+1)
	left, right := byte('['), byte(']')
	if v.object {
		left, right = '{', '}'
	}
	out.WriteByte(left)
	for i := range v.items {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n" + indent)
		used := len(indent)
		if v.object {
			out.WriteString(v.names[i] + ": ")
			used += len(v.names[i]) + 2
		}
		v.items[i].write(out, depth+1, used)
	}
	out.WriteString("\n" + indent[2:])
	out.WriteByte(right)
}
