package source

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// maxPath bounds the depth of member names that are followed.
const maxPath = 16

// objects projects JSON lines. A column is the path of a value, its member names
// joined by dots; numbers keep their text, so that 2^53 and trailing zeros
// survive; null is an absent value.
type objects struct {
	index   map[string]int // column -> place in Values
	parents map[string]bool
	all     bool // collect every path, for Inspect
	decode  *[256]rune
	seen    []bool // columns that any record had
	records int64  // records that could be read

	dec     *jsontext.Decoder
	in      bytes.Reader
	path    []byte
	scratch []byte
	spans   []span
	order   []string // paths in order of appearance, when all
	decoded []byte
}

// span is where a column's text stands in scratch.
type span struct {
	start, end int
	set        bool
}

func newObjects(o Options) *objects {
	j := &objects{index: make(map[string]int, len(o.Columns)), parents: map[string]bool{}, decode: decodeTable(o.Encoding)}
	for i, c := range o.Columns {
		j.index[c] = i
		for k := range c {
			if c[k] == '.' {
				j.parents[c[:k]] = true
			}
		}
	}
	j.seen = make([]bool, len(o.Columns))
	j.spans = make([]span, len(o.Columns))
	j.dec = jsontext.NewDecoder(&j.in)
	return j
}

// errShape: a mapped path holds an object or array, or is met twice.
var (
	errShape = errors.New("a mapped path does not hold a single value")
	errTwice = errors.New("two members have the path of one column")
)

// project fills values from one line. Its text must already be UTF-8.
func (j *objects) project(values []string, line []byte) ([]string, *RecordFault) {
	clear(j.spans)
	j.scratch, j.path = j.scratch[:0], j.path[:0]
	j.in.Reset(line)
	j.dec.Reset(&j.in)
	if j.dec.PeekKind() != '{' {
		return values, malformed("the line is not a JSON object", "write one object per line")
	}
	if err := j.object(0); err != nil {
		return values, jsonFault(err)
	}
	if len(bytes.TrimSpace(line[j.dec.InputOffset():])) > 0 {
		return values, malformed("text follows the JSON object", "write one object per line")
	}
	j.records++
	s := string(j.scratch)
	for i, sp := range j.spans {
		values = append(values, s[sp.start:sp.end])
		j.seen[i] = j.seen[i] || sp.set
	}
	return values, nil
}

// object reads the members of the object that comes next.
func (j *objects) object(depth int) error {
	if _, err := j.dec.ReadToken(); err != nil {
		return err
	}
	base := len(j.path)
	for j.dec.PeekKind() != '}' {
		name, err := j.dec.ReadValue()
		if err != nil {
			return err
		}
		j.path = j.path[:base]
		if depth > 0 {
			j.path = append(j.path, '.')
		}
		if j.path, err = jsontext.AppendUnquote(j.path, name); err != nil {
			return err
		}
		if err := j.member(depth); err != nil {
			return err
		}
	}
	j.path = j.path[:base]
	_, err := j.dec.ReadToken()
	return err
}

// member reads the value at the current path.
func (j *objects) member(depth int) error {
	kind := j.dec.PeekKind()
	if kind == '{' && depth < maxPath && (j.all || j.parents[string(j.path)]) {
		if _, wanted := j.index[string(j.path)]; wanted {
			return errShape
		}
		return j.object(depth + 1)
	}
	i, wanted := j.index[string(j.path)]
	if j.all && !wanted && kind != '[' && kind != '{' {
		p := string(j.path)
		i, wanted = len(j.spans), true
		j.index[p] = i
		j.order, j.spans, j.seen = append(j.order, p), append(j.spans, span{}), append(j.seen, false)
	}
	if !wanted {
		return j.dec.SkipValue()
	}
	value, err := j.dec.ReadValue()
	if err != nil {
		return err
	}
	if j.spans[i].set {
		return errTwice
	}
	start := len(j.scratch)
	switch kind {
	case '"':
		if j.scratch, err = jsontext.AppendUnquote(j.scratch, value); err != nil {
			return err
		}
	case '0', 't', 'f':
		j.scratch = append(j.scratch, value...)
	case 'n':
	default:
		return errShape
	}
	j.spans[i] = span{start: start, end: len(j.scratch), set: true}
	return nil
}

// utf8Line returns the line as UTF-8; ok is false when it can't be.
func (j *objects) utf8Line(line []byte) (text []byte, ok bool) {
	if j.decode == nil {
		return line, utf8.Valid(line)
	}
	j.decoded, ok = appendText(j.decoded[:0], line, j.decode)
	return j.decoded, ok
}

func jsonFault(err error) *RecordFault {
	switch {
	case errors.Is(err, errShape):
		return malformed("a mapped path holds an object or a list", "address one value inside an object with a dotted path; lists can't be mapped")
	case errors.Is(err, errTwice), errors.Is(err, jsontext.ErrDuplicateName):
		return malformed("a member name appears twice", "write each name once: readers differ in which of two values they take")
	}
	return malformed("the line is not valid JSON", "write one complete object per line")
}
