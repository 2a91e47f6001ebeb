package capi

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// wireReader walks JSON strictly: one value, valid UTF-8, no name twice, names
// compared exactly. It knows where it is and collects faults; it stops only where
// the text is no JSON any more.
type wireReader struct {
	dec    *jsontext.Decoder
	buf    bytes.Buffer
	src    []byte
	path   []byte
	faults []Fault
	broken bool // the text is not JSON; nothing more can be read
}

// start begins a document whose place is at, "" for the whole.
func (r *wireReader) start(src []byte, at string) {
	r.src, r.path, r.faults, r.broken = src, append(r.path[:0], at...), nil, false
	r.buf = *bytes.NewBuffer(src)
	if r.dec == nil {
		r.dec = jsontext.NewDecoder(&r.buf)
		return
	}
	r.dec.Reset(&r.buf)
}

// release lets go of the document.
func (r *wireReader) release() { r.start(nil, "") }

// end reports text after the document.
func (r *wireReader) end() {
	if r.broken {
		return
	}
	if _, err := r.dec.ReadToken(); !errors.Is(err, io.EOF) {
		r.stop(CodeNotJSON)
	}
}

// fault records a code at the current place.
func (r *wireReader) fault(code string) { r.faults = append(r.faults, faultOf(code, string(r.path))) }

// faultIn records a code at a member of the current object.
func (r *wireReader) faultIn(member, code string) {
	n := r.enter(member)
	r.fault(code)
	r.path = r.path[:n]
}

// stop records that the rest can't be read.
func (r *wireReader) stop(code string) {
	if !r.broken {
		r.broken = true
		r.fault(code)
	}
}

// failed records a decoder's error.
func (r *wireReader) failed(err error) {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		r.stop(CodeDuplicateKey)
		return
	}
	r.stop(CodeNotJSON)
}

// enter appends a member to the path and returns the length to cut it back to.
func (r *wireReader) enter(member string) int {
	n := len(r.path)
	if n > 0 {
		r.path = append(r.path, '.')
	}
	r.path = append(r.path, member...)
	return n
}

// enterNamed is enter for a name that a stranger chose. Only documented names and
// names that look like keys are repeated; a mistaken export can have anything
// there, telephone numbers and hashes among it.
func (r *wireReader) enterNamed(name []byte) int {
	if !looksLikeKey(name) {
		if _, known := documentedNames[string(name)]; !known {
			return r.enter("?")
		}
	}
	n := len(r.path)
	if n > 0 {
		r.path = append(r.path, '.')
	}
	r.path = append(r.path, name...)
	return n
}

// looksLikeKey reports letters, a few digits and underscores, of the length of a
// key, beginning with none of the digits, and not hexadecimal throughout.
func looksLikeKey(name []byte) bool {
	const longest, longestNumber, shortestHash = 32, 4, 16
	if len(name) == 0 || len(name) > longest || asciiKinds[name[0]] == asciiDigit {
		return false
	}
	run, hash := 0, len(name) >= shortestHash
	for _, b := range name {
		switch k := asciiKinds[b]; {
		case k == asciiDigit:
			run++
		case k == asciiOther && b != '_', k == notASCII:
			return false
		case b != '_': // which can stand in a number as well
			run = 0
		}
		if run > longestNumber {
			return false
		}
		hash = hash && hexClasses[b] != noHexDigit
	}
	return !hash
}

// enterIndex appends [i] to the path.
func (r *wireReader) enterIndex(i int) int {
	n := len(r.path)
	r.path = append(r.path, '[')
	r.path = strconv.AppendInt(r.path, int64(i), 10)
	r.path = append(r.path, ']')
	return n
}

// kind returns what the next value is: '{', '[', '"', '0', 't', 'f' or 'n'.
func (r *wireReader) kind() jsontext.Kind {
	if r.broken {
		return jsontext.KindInvalid
	}
	return r.dec.PeekKind()
}

// raw reads a whole value and returns its text as it stands in the document.
func (r *wireReader) raw() []byte {
	if r.broken {
		return nil
	}
	v, err := r.dec.ReadValue()
	if err != nil {
		r.failed(err)
		return nil
	}
	end := int(r.dec.InputOffset())
	return r.src[end-len(v) : end]
}

// skip passes over a value.
func (r *wireReader) skip() { r.raw() }

// mismatch passes over a value of the wrong type and says so.
func (r *wireReader) mismatch() {
	switch r.kind() {
	case 'n':
		r.fault(CodeNullValue)
	case jsontext.KindInvalid:
		// raw finds out what is wrong with it.
	default:
		r.fault(CodeWrongType)
	}
	r.skip()
}

// open reads { or [, or passes over something else.
func (r *wireReader) open(kind jsontext.Kind) bool {
	if r.kind() != kind {
		r.mismatch()
		return false
	}
	if _, err := r.dec.ReadToken(); err != nil {
		r.failed(err)
		return false
	}
	if r.dec.StackDepth() > maxJSONDepth {
		r.stop(CodeTooDeep)
		return false
	}
	return true
}

// more reports whether the open object or array goes on; if not, it reads the end.
func (r *wireReader) more() bool {
	if r.broken {
		return false
	}
	switch r.dec.PeekKind() {
	case '}', ']':
		if _, err := r.dec.ReadToken(); err != nil {
			r.failed(err)
		}
		return false
	case jsontext.KindInvalid:
		r.skip()
		return false
	default:
		return true
	}
}

// name reads a member's name. The bytes are valid until the next read.
func (r *wireReader) name() []byte {
	raw := r.raw()
	if r.broken {
		return nil
	}
	return unquote(raw)
}

// holdsNull reports null anywhere in a JSON value that a decoder has accepted:
// outside of strings only null has an n.
func holdsNull(value []byte) bool {
	quoted := false
	for i := 0; i < len(value); i++ {
		switch b := value[i]; {
		case b == '"':
			quoted = !quoted
		case quoted && b == '\\':
			i++
		case !quoted && b == 'n':
			return true
		}
	}
	return false
}

// unquote returns the text of a JSON string that a decoder has accepted.
func unquote(raw []byte) []byte {
	if len(raw) >= 2 && bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	// The decoder has checked it, so there is no error to handle.
	out, _ := jsontext.AppendUnquote(nil, raw)
	return out
}
