package mcpwire

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"slices"
)

// Edit replaces a part of a message. An empty Span at a position inserts there.
type Edit struct {
	Span
	With []byte

	members bool // With is members at the front of an object; Splice sees to the comma
}

// Splice is raw with the edits made, in a new slice; raw stays as it is. Edits may
// come in any order and must not overlap.
func Splice(raw []byte, edits ...Edit) ([]byte, error) {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int { return cmp.Or(a.Start-b.Start, a.End-b.End) })
	size, at := len(raw), 0
	for _, e := range edits {
		if e.Start < at || e.End < e.Start || e.End > len(raw) {
			return nil, fmt.Errorf("edits overlap or leave the message (at byte %d)", e.Start)
		}
		size += len(e.With) - (e.End - e.Start) + 1
		at = e.End
	}
	out := make([]byte, 0, size)
	comma := -1 // of members just inserted: nobody knows yet whether others follow
	add := func(b []byte) {
		rest := bytes.TrimLeft(b, " \t\r\n")
		if comma >= 0 && len(rest) > 0 {
			if rest[0] == '}' {
				out = slices.Delete(out, comma, comma+1)
			}
			comma = -1
		}
		out = append(out, b...)
	}
	at = 0
	for _, e := range edits {
		add(raw[at:e.Start])
		add(e.With)
		if e.members && len(e.With) > 0 {
			comma = len(out)
			out = append(out, ',')
		}
		at = e.End
	}
	add(raw[at:])
	return out, nil
}

// Members ranges over the members of the object at span of a checked message: the
// quoted name and the value. Over anything else it ranges not at all.
func Members(raw []byte, object Span) iter.Seq2[Span, Span] {
	return func(yield func(name, value Span) bool) {
		if !object.Present() || raw[object.Start] != '{' {
			return
		}
		s := scannerPool.Get().(*scanner)
		defer s.release()
		s.reset(raw[:object.End], 1<<30, nowhere)
		s.i = object.Start
		for o := s.object(); s.next(&o); {
			name := s.key
			if value := s.value(); s.err != nil || !yield(name, value) {
				return
			}
		}
	}
}

// Elements ranges over the elements of the array at span of a checked message.
func Elements(raw []byte, array Span) iter.Seq[Span] {
	return func(yield func(Span) bool) {
		if !array.Present() || raw[array.Start] != '[' {
			return
		}
		s := scannerPool.Get().(*scanner)
		defer s.release()
		s.reset(raw[:array.End], 1<<30, nowhere)
		s.i = array.Start + 1
		for s.space(); s.err == nil && s.peek() != ']'; s.space() {
			if element := s.value(); s.err != nil || !yield(element) {
				return
			}
			if s.space(); s.peek() == ',' {
				s.i++
			}
		}
	}
}

// Member finds a member of the object at span; an absent Span when it is not there.
func Member(raw []byte, object Span, name string) Span {
	for key, value := range Members(raw, object) {
		if named(raw[key.Start:key.End], name) {
			return value
		}
	}
	return Span{}
}

// named reports whether a quoted key stands for the name.
func named(quoted []byte, name string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1:len(quoted)-1]) == name
	}
	text, _ := Unquote(quoted)
	return text == name
}

// Lookup follows names inwards from the object at span.
func Lookup(raw []byte, object Span, path ...string) Span {
	for _, name := range path {
		if object = Member(raw, object, name); !object.Present() {
			return Span{}
		}
	}
	return object
}

// SetMember is the edit that gives the object at span a member: in its place where it
// is there, at the front where it is not.
func SetMember(raw []byte, object Span, name string, value []byte) Edit {
	if old := Member(raw, object, name); old.Present() {
		return Edit{Span: old, With: value}
	}
	return AddMembers(raw, object, Field{name, value})
}

// Field is a member to be added.
type Field struct {
	Name  string
	Value []byte // JSON
}

// AddMembers is the edit that inserts members at the front of the object at span. It
// goes together with other insertions and with RemoveMembers.
func AddMembers(_ []byte, object Span, fields ...Field) Edit {
	var with []byte
	for i, f := range fields {
		if i > 0 {
			with = append(with, ',')
		}
		with = append(append(AppendQuote(with, f.Name), ':'), f.Value...)
	}
	at := object.Start + 1
	return Edit{Span: Span{at, at}, With: with, members: true}
}

// RemoveMembers are the edits that take members out of the object at span, each with
// one comma.
func RemoveMembers(raw []byte, object Span, remove func(name string) bool) []Edit {
	type member struct {
		start, end int
		gone       bool
	}
	var all []member
	for key, value := range Members(raw, object) {
		name, _ := Unquote(raw[key.Start:key.End])
		all = append(all, member{key.Start, value.End, remove(name)})
	}
	var edits []Edit
	kept := false
	for i, m := range all {
		switch {
		case !m.gone:
			kept = true
		case kept: // from the end of the member before it, comma included
			edits = append(edits, Edit{Span: Span{all[i-1].end, m.end}})
		case i+1 < len(all): // up to the start of the next
			edits = append(edits, Edit{Span: Span{m.start, all[i+1].start}})
		default:
			edits = append(edits, Edit{Span: Span{m.start, m.end}})
		}
	}
	return edits
}
