package pipeline

import (
	"bytes"
	"crypto/sha256"
	"iter"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"sluice/internal/mcpwire"
)

// canonical is one text for all ways of writing the same arguments: their JCS form
// (RFC 8785). JCS reads numbers as doubles, to which many integers are one; numbers that
// a double can't tell from their neighbours follow as they were written, in the order in
// which they stand in the canonical form: so each belongs to one place in it.
func canonical(arguments []byte) ([]byte, error) {
	if arguments == nil {
		return []byte("{}"), nil
	}
	v := jsontext.Value(bytes.Clone(arguments))
	if err := v.Canonicalize(); err != nil {
		return nil, err
	}
	out := []byte(v)
	for range inexactNumbers(arguments) {
		ordered := jsontext.Value(bytes.Clone(arguments))
		if err := ordered.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false)); err != nil {
			return nil, err
		}
		for token := range inexactNumbers(ordered) {
			out = append(append(out, 0), token...) // JCS has no NUL
		}
		break
	}
	return out, nil
}

// inexactNumbers goes through the numbers that may share their double with another one.
func inexactNumbers(arguments []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := 0; i < len(arguments); i++ {
			switch c := arguments[i]; {
			case c == '"':
				for i++; arguments[i] != '"'; i++ {
					if arguments[i] == '\\' {
						i++
					}
				}
			case c == '-' || '0' <= c && c <= '9':
				start := i
				for i+1 < len(arguments) && numeric(arguments[i+1]) {
					i++
				}
				if token := arguments[start : i+1]; inexact(token) && !yield(token) {
					return
				}
			}
		}
	}
}

func numeric(c byte) bool {
	return '0' <= c && c <= '9' || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-'
}

// Up to so many significant digits, two different decimals are two different doubles.
const exactDigits = 15

// inexact reports whether a number may share its double with another one.
func inexact(token []byte) bool {
	mantissa, exponent := token, false
	if i := bytes.IndexAny(token, "eE"); i >= 0 {
		mantissa, exponent = token[:i], true
	}
	digits, zeros := 0, 0
	for _, c := range mantissa {
		switch {
		case c == '0' && digits > 0:
			zeros++
		case '1' <= c && c <= '9':
			digits += zeros + 1
			zeros = 0
		}
	}
	if digits > exactDigits {
		return true
	}
	if !exponent && len(token) < 300 {
		return false
	}
	f, err := strconv.ParseFloat(string(token), 64)
	return err != nil || digits > 0 && math.Abs(f) < 1e-290
}

// fingerprint names one exact call of a grant as it is judged by one version of a policy,
// and of the others that ask as well: an approval for it fits nothing else.
func (t *toolCall) fingerprint(by *Bound, others []*Bound) [32]byte {
	m, s := t.c.Message, t.s
	b := append(make([]byte, 0, len(t.canonical)+512), `{"arguments":`...)
	b = append(b, t.canonical...)
	for _, f := range [...]struct{ name, value string }{
		{"grant", s.Grant}, {"org", s.Workspace}, {"policy", by.ID}, {"policy_hash", by.Hash},
		{"policy_version", strconv.Itoa(by.Version)}, {"server", s.Server}, {"tool", t.call.Tool},
	} {
		b = append(append(append(b, `,"`...), f.name...), `":`...)
		b = mcpwire.AppendQuote(b, f.value)
	}
	for _, o := range others {
		b = mcpwire.AppendQuote(append(b, `,"also":`...), o.ID+" "+o.Hash)
	}
	// What answers a question of the upstream is part of the call.
	if m.InputResponses.Present() {
		b = append(append(b, `,"input_responses":`...), m.Bytes(m.InputResponses)...)
	}
	if m.RequestState.Present() {
		b = append(append(b, `,"request_state":`...), m.Bytes(m.RequestState)...)
	}
	return sha256.Sum256(append(b, '}'))
}
