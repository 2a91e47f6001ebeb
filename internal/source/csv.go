package source

import (
	"bytes"
	"fmt"
)

// field is where one field of a record stands in its bytes. escaped means that
// doubled quotes must still become single ones.
type field struct {
	start, end int
	escaped    bool
}

// split cuts a record into its fields, appending to fields. Bytes between quotes
// are data, "" among them a quote. A quote inside a field that did not start with
// one is an ordinary character, as spreadsheets have it; bytes after a closing
// quote leave no single reading and make the record malformed.
func split(fields []field, rec []byte, delim, quote byte, quoted bool) ([]field, bool) {
	if !quoted {
		start := 0
		for {
			i := bytes.IndexByte(rec[start:], delim)
			if i < 0 {
				return append(fields, field{start: start, end: len(rec)}), true
			}
			fields = append(fields, field{start: start, end: start + i})
			start += i + 1
		}
	}
	for at := 0; ; {
		f, next, ok := oneField(rec, at, delim, quote)
		if !ok {
			return fields, false
		}
		fields = append(fields, f)
		if next > len(rec) {
			return fields, true
		}
		at = next
	}
}

// oneField reads the field that starts at at; next is where the following one
// starts, beyond the record when there is none.
func oneField(rec []byte, at int, delim, quote byte) (f field, next int, ok bool) {
	if at >= len(rec) || rec[at] != quote {
		i := bytes.IndexByte(rec[at:], delim)
		if i < 0 {
			i = len(rec) - at
		}
		return field{start: at, end: at + i}, at + i + 1, true
	}
	f.start = at + 1
	for i := f.start; ; {
		j := bytes.IndexByte(rec[i:], quote)
		if j < 0 {
			return f, 0, false
		}
		i += j + 1
		switch {
		case i == len(rec) || rec[i] == delim:
			f.end = i - 1
			return f, i + 1, true
		case rec[i] == quote:
			f.escaped = true
			i++
		default:
			return f, 0, false
		}
	}
}

// appendField appends the text of a field to dst.
func appendField(dst, rec []byte, f field, quote byte) []byte {
	b := rec[f.start:f.end]
	if !f.escaped {
		return append(dst, b...)
	}
	for {
		i := bytes.IndexByte(b, quote)
		if i < 0 {
			return append(dst, b...)
		}
		dst = append(dst, b[:i+1]...)
		b = b[i+2:]
	}
}

// table reads the records of one delimited file after its header.
type table struct {
	dialect Dialect
	header  []string
	// wanted holds, per asked column, the index of its field.
	wanted []int
	decode *[256]rune // nil for UTF-8

	fields  []field
	scratch []byte
	ends    []int
}

// project fills values with the wanted fields of rec. It allocates once: all
// values share one string.
func (t *table) project(values []string, rec []byte, quoted bool) ([]string, *RecordFault) {
	if i := bytes.IndexByte(rec, 0); i >= 0 {
		return values, malformed("it holds a NUL byte, as after a torn write", "export the file again")
	}
	var ok bool
	t.fields, ok = split(t.fields[:0], rec, t.dialect.Delimiter, t.dialect.Quote, quoted)
	if !ok {
		return values, malformed(fmt.Sprintf("field %d has text after its closing quote", len(t.fields)+1),
			"double the quotes inside quoted fields, or set `quote` to what the file uses")
	}
	if n := len(t.header); len(t.fields) != n && !t.padded(rec) {
		return values, malformed(fmt.Sprintf("it has %d fields, the header has %d", len(t.fields), n),
			"quote fields that contain the delimiter or a line end")
	}
	t.scratch, t.ends = t.scratch[:0], t.ends[:0]
	for _, i := range t.wanted {
		if t.decode != nil {
			var ok bool
			if t.scratch, ok = appendDecoded(t.scratch, rec, t.fields[i], t.dialect.Quote, t.decode); !ok {
				return values, malformed(fmt.Sprintf("field %d has a byte that its encoding does not define", i+1), "check `encoding`")
			}
		} else {
			t.scratch = appendField(t.scratch, rec, t.fields[i], t.dialect.Quote)
		}
		t.ends = append(t.ends, len(t.scratch))
	}
	return cut(values, t.scratch, t.ends), nil
}

// padded reports whether a record differs from the header only by empty fields
// at its end, which some exports write.
func (t *table) padded(rec []byte) bool {
	if len(t.fields) < len(t.header) {
		return false
	}
	for _, f := range t.fields[len(t.header):] {
		if f.start != f.end {
			return false
		}
	}
	return true
}

// cut makes one string of all and appends its pieces to values.
func cut(values []string, all []byte, ends []int) []string {
	s, start := string(all), 0
	for _, end := range ends {
		values = append(values, s[start:end])
		start = end
	}
	return values
}

func malformed(why, hint string) *RecordFault {
	return &RecordFault{Code: RowMalformed, Message: "the record can't be read: " + why, Hint: hint}
}
