package policytool

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"sluice/policy"
)

// Finding is a fault with its place in the file.
type Finding struct {
	policy.Fault
	Line   int `json:"line"`
	Column int `json:"column"` // in characters, from 1
}

// Serious reports whether the fault keeps the document from being used.
func (f *Finding) Serious() bool { return Serious(f.Fault) }

// Serious reports whether a fault keeps its document from being used.
func Serious(f policy.Fault) bool { return len(f.Code) > 1 && f.Code[:2] == "E_" }

// Place finds faults in the text of their document, and puts them in its order.
func Place(text []byte, faults []policy.Fault) []Finding {
	at := offsets(text)
	found := make([]Finding, len(faults))
	for i, f := range faults {
		found[i] = Finding{Fault: f}
		if found[i].ownPlace() {
			continue
		}
		found[i].Line, found[i].Column = lineColumn(text, at.of(f))
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column)
	})
	return found
}

// ownPlace takes the place out of the message of a fault that knows it: where the text
// stops being JSON.
func (f *Finding) ownPlace() bool {
	if f.Code != "E_JSON" {
		return false
	}
	if n, err := fmt.Sscanf(f.Message, "line %d, column %d:", &f.Line, &f.Column); n != 2 || err != nil {
		return false
	}
	_, f.Message, _ = strings.Cut(f.Message, ": ")
	return true
}

// places are the offsets of the values of a document by pointer: of its name for a
// member, of itself for an element. A name that comes twice has two.
type places struct {
	first, last map[string]int
	broken      int // where the text stops being JSON; -1: nowhere
}

func (p *places) of(f policy.Fault) int {
	if f.Code == "E_JSON" && p.broken >= 0 {
		return p.broken
	}
	from := p.first
	if f.Code == "E_DUP_KEY" {
		from = p.last
	}
	for at := f.Pointer; ; {
		if o, ok := from[at]; ok {
			return o
		}
		if at == "" { // of nothing that is there: the start
			return from[""]
		}
		at = parent(at)
	}
}

// parent is the pointer of what holds a value.
func parent(pointer string) string {
	for i := len(pointer) - 1; i > 0; i-- {
		if pointer[i] == '/' {
			return pointer[:i]
		}
	}
	return ""
}

func offsets(text []byte) places {
	p := places{first: map[string]int{}, last: map[string]int{}, broken: -1}
	dec := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for {
		kind := dec.PeekKind()
		start := len(text) - len(bytes.TrimLeft(text[dec.InputOffset():], " \t\r\n,:"))
		named := false
		if depth := dec.StackDepth(); depth > 0 {
			of, n := dec.StackIndex(depth)
			named = of == '{' && n%2 == 0
		}
		_, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			return p
		}
		if err != nil {
			p.broken = start
			var syntax *jsontext.SyntacticError
			if errors.As(err, &syntax) {
				p.broken = int(syntax.ByteOffset)
			}
			return p
		}
		if kind == '}' || kind == ']' {
			continue
		}
		pointer := string(dec.StackPointer())
		if named || !has(p.last, pointer) {
			if !has(p.first, pointer) {
				p.first[pointer] = start
			}
			p.last[pointer] = start
		}
	}
}

func has(m map[string]int, key string) bool {
	_, ok := m[key]
	return ok
}

// lineColumn counts lines and characters from 1.
func lineColumn(text []byte, offset int) (line, column int) {
	offset = min(max(offset, 0), len(text))
	before := text[:offset]
	start := bytes.LastIndexByte(before, '\n') + 1
	return 1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[start:])
}
