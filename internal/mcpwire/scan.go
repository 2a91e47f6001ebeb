package mcpwire

import (
	"bytes"
	"hash/maphash"
	"strings"
	"sync"
)

// check says how closely the names of members are looked at.
type check uint8

const (
	nowhere    check = iota // in what was checked before
	inEnvelope              // in the outermost object
	everywhere
)

// scanner walks over JSON once, checks it and finds where values stand.
type scanner struct {
	b     []byte
	i     int
	depth int
	max   int
	check check
	err   *SyntaxError

	key     Span   // of the member being read, with its quotes
	name    []byte // what the key stands for
	escaped bool   // the string read last is written with escapes

	// Hashes of the names in all objects being read, outer ones first. A seeded hash of
	// 64 bits stands for the name: that two names share one is less likely than that the
	// machine errs, and all that would follow is a refused message.
	hashes []uint64
}

var (
	scannerPool = sync.Pool{New: func() any { return &scanner{hashes: make([]uint64, 0, manyMembers)} }}
	hashSeed    = maphash.MakeSeed()
)

func (s *scanner) reset(b []byte, depth int, c check) {
	*s = scanner{b: b, max: depth, check: c, hashes: s.hashes[:0]}
}

// release gives the scanner back, without the message and without what an unusually
// large one made it grow to.
func (s *scanner) release() {
	s.b, s.name, s.err = nil, nil, nil
	if cap(s.hashes) > 4096 {
		s.hashes = nil
	}
	scannerPool.Put(s)
}

func (s *scanner) fail(code int, problem string) {
	if s.err == nil {
		s.err = &SyntaxError{Code: code, Problem: problem, Offset: s.i}
	}
}

// strict reports whether the object being read is looked at closely.
func (s *scanner) strict() bool {
	return s.check == everywhere || s.check == inEnvelope && s.depth == 1
}

// object is the state of a loop over the members of one object:
//
//	for o := s.object(); s.next(&o); { … s.key … s.value() … }
type object struct {
	first   int // of its names in scanner.hashes
	members int
	large   hashSet // the names of a large object
}

func (s *scanner) object() object {
	if s.err == nil && s.peek() != '{' {
		s.fail(CodeParse, "an object was expected")
	}
	s.down()
	return object{first: len(s.hashes)}
}

// down enters an array or object.
func (s *scanner) down() {
	if s.depth++; s.depth > s.max {
		s.fail(CodeInvalidRequest, "the message is nested too deeply")
	}
	s.i++
}

// next reads the next key and stands before its value; false after the last member.
func (s *scanner) next(o *object) bool {
	if s.err != nil {
		return false
	}
	s.space()
	switch c := s.peek(); {
	case c == '}':
		s.i++
		s.depth--
		s.hashes = s.hashes[:o.first]
		return false
	case o.members == 0:
	case c == ',':
		s.i++
		s.space()
	default:
		s.fail(CodeParse, "a comma or the end of the object was expected")
		return false
	}
	if s.peek() != '"' {
		s.fail(CodeParse, "the name of a member was expected")
		return false
	}
	s.escaped = false
	if s.key = s.text(); s.err != nil {
		return false
	}
	o.members++
	s.name = s.b[s.key.Start+1 : s.key.End-1]
	if s.escaped {
		text, _ := Unquote(s.b[s.key.Start:s.key.End])
		s.name = []byte(text)
	}
	if s.strict() {
		s.examine(o)
	}
	s.space()
	if s.err == nil && s.peek() != ':' {
		s.fail(CodeParse, "a colon was expected")
	}
	s.i++
	s.space()
	return s.err == nil
}

// manyMembers is where comparing each name with each gives way to a set.
const manyMembers = 64

// examine refuses names that parsers disagree about: one that the object has already,
// of which some take the first and some the last; __proto__, which is a member to most
// and in JavaScript, once the object is copied, members that nobody sees; and one with
// a NUL, where the name ends for some.
func (s *scanner) examine(o *object) {
	if string(s.name) == "__proto__" {
		s.fail(CodeInvalidRequest, "a member is named __proto__")
		return
	}
	if s.escaped && bytes.IndexByte(s.name, 0) >= 0 {
		s.fail(CodeInvalidRequest, "the name of a member has a NUL")
		return
	}
	hash := maphash.Bytes(hashSeed, s.name)
	if o.members > manyMembers {
		if o.large.slots == nil {
			for _, h := range s.hashes[o.first:] {
				o.large.add(h)
			}
		}
		if !o.large.add(hash) {
			s.fail(CodeInvalidRequest, "a member comes twice")
		}
		return
	}
	for _, h := range s.hashes[o.first:] {
		if h == hash {
			s.fail(CodeInvalidRequest, "a member comes twice")
			return
		}
	}
	s.hashes = append(s.hashes, hash)
}

// hashSet is a set of hashes, half as large as a map of them.
type hashSet struct {
	slots []uint64 // a power of two of them; 0 is free
	used  int
}

// add reports whether the hash was not there.
func (h *hashSet) add(hash uint64) bool {
	hash |= 1 // 0 is free
	if 4*h.used >= 3*len(h.slots) {
		old := h.slots
		h.slots = make([]uint64, max(4*manyMembers, 2*len(old)))
		for _, o := range old {
			if o != 0 {
				h.slots[h.find(o)] = o
			}
		}
	}
	at := h.find(hash)
	if h.slots[at] == hash {
		return false
	}
	h.slots[at] = hash
	h.used++
	return true
}

// find is the slot where the hash is or belongs.
func (h *hashSet) find(hash uint64) int {
	last := len(h.slots) - 1
	at := int(hash>>1) & last
	for h.slots[at] != 0 && h.slots[at] != hash {
		at = (at + 1) & last
	}
	return at
}

// names is a set of member names that something is decided on.
type names []string

// known is the name of the member being read when it is one of the set, else empty. A
// name that is one of them in another spelling is refused where names are looked at:
// with other capitals, as some parsers accept; with the signs for long s and Kelvin,
// which fold to s and k; or with escapes, which nobody needs there.
func (s *scanner) known(set names) string {
	for _, name := range set {
		if len(name) == len(s.name) && name == string(s.name) {
			if s.escaped && s.strict() {
				s.fail(CodeInvalidRequest, "a member has the name of another in a different spelling")
			}
			return name
		}
	}
	if s.strict() {
		for _, name := range set {
			if len(s.name) >= len(name) && len(s.name) <= 3*len(name) && strings.EqualFold(string(s.name), name) {
				s.fail(CodeInvalidRequest, "a member has the name of another in a different spelling")
			}
		}
	}
	return ""
}

// value reads one value of any kind and returns where it stands.
func (s *scanner) value() Span {
	start := s.i
	if s.err != nil {
		return Span{}
	}
	switch c := s.peek(); c {
	case '"':
		return s.text()
	case '{':
		for o := s.object(); s.next(&o); {
			s.value()
		}
	case '[':
		s.array()
	case 't':
		s.literal("true")
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	default:
		s.number()
	}
	if s.err != nil {
		return Span{}
	}
	return Span{start, s.i}
}

func (s *scanner) array() {
	s.down()
	s.space()
	if s.err == nil && s.peek() == ']' {
		s.i++
		s.depth--
		return
	}
	for s.err == nil {
		s.space()
		s.value()
		s.space()
		switch {
		case s.err != nil:
		case s.peek() == ',':
			s.i++
		case s.peek() == ']':
			s.i++
			s.depth--
			return
		default:
			s.fail(CodeParse, "a comma or the end of the array was expected")
		}
	}
}
