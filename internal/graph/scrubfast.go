package graph

import (
	"bytes"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// quickScrub is scrub for the usual answer, in which only the paging changes: it looks at
// each byte once and copies what may stay in long pieces. ok is false for everything else,
// which scrub then takes apart token by token: members that hold secrets, an error, a name
// with an escape, JSON that is none.
func quickScrub(body []byte) (a answer, ok bool) {
	if !utf8.Valid(body) || !jsontext.Value(body).IsValid(lax...) {
		return answer{}, false
	}
	// The body is valid from here on: every text ends, and one that a colon follows is a
	// name.
	out := make([]byte, 0, len(body))
	var spare []byte
	kept, depth := 0, 0
	for i := 0; i < len(body); {
		switch body[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			end, marks := scanText(body, i)
			raw := body[i:end]
			colon := skipBlanks(body, end)
			switch {
			case colon < len(body) && body[colon] == ':':
				name := string(raw[1 : len(raw)-1])
				value := skipBlanks(body, colon+1)
				switch {
				case marks&escaped != 0, marks&suspect != 0 && secretMember(name), name == "ad_snapshot_url", depth == 1 && (name == "error" || name == "success"):
					return answer{}, false
				case name == "paging" && body[value] == '{':
					end = closing(body, value)
					paging, err := pagingWithoutAddress(body[value:end])
					if err != nil {
						return answer{}, false
					}
					out = append(append(append(out, body[kept:i]...), `"paging":`...), paging...)
					kept = end
				default:
					end = value
				}
			case marks != 0:
				var err error
				if out, err = appendClean(append(out, body[kept:i]...), raw, &spare); err != nil {
					return answer{}, false
				}
				kept = end
			}
			i = end
			continue
		}
		i++
	}
	if kept == 0 {
		return answer{body: bytes.TrimSpace(body)}, true
	}
	return answer{body: bytes.TrimSpace(append(out, body[kept:]...))}, true
}

// What scanText has found in a text.
type textMarks uint8

const (
	escaped textMarks = 1 << iota // a backslash
	suspect                       // a part of a word that secrets are called by, or begin with
)

// closer marks the bytes at which scanText looks closer: the ends of a text, and one byte
// of each word that makes it suspect.
var closer = func() (t [256]bool) {
	for _, c := range []byte(`"\kKfFcCAV`) {
		t[c] = true
	}
	return t
}()

// scanText finds the end of the text that begins at a quotation mark.
func scanText(body []byte, at int) (end int, marks textMarks) {
	begin := at + 1
	for i := begin; i < len(body); i++ {
		c := body[i]
		if !closer[c] {
			continue
		}
		switch c {
		case '"':
			return i + 1, marks
		case '\\':
			marks |= escaped
			i++
			continue
		}
		if marks&suspect == 0 && telling(body, begin, i) {
			marks |= suspect
		}
	}
	return len(body), marks
}

// telling reports whether the byte at i belongs to a word such as token, proof, secret, or
// to the first letters of one of Meta's tokens. The text around it ends with a quotation
// mark at the latest, which none of them has.
func telling(body []byte, begin, i int) bool {
	before := func(n int) byte {
		if i-n < begin {
			return 0
		}
		return body[i-n]
	}
	lower := func(n int) byte { return before(n) | 0x20 }
	next := byte(0)
	if i+1 < len(body) {
		next = body[i+1]
	}
	switch body[i] {
	case 'k', 'K':
		return lower(1) == 'o' && next|0x20 == 'e'
	case 'f', 'F':
		return lower(1) == 'o' && lower(2) == 'o'
	case 'c', 'C':
		return lower(1) == 'e' && next|0x20 == 'r'
	case 'A':
		return before(1) == 'A' && (before(2) == 'E' || before(2) == 'H' || before(2) == 'G')
	case 'V':
		return before(1) == 'Q' && before(2) == 'G'
	}
	return false
}

// appendClean appends a text without tokens and without needless escapes, which could hide
// one from the search for secrets. spare is room for it in plain form.
func appendClean(out, raw []byte, spare *[]byte) ([]byte, error) {
	plain, err := jsontext.AppendUnquote((*spare)[:0], raw)
	if err != nil {
		return nil, err
	}
	*spare = plain
	if suspectText(plain) {
		return jsontext.AppendQuote(out, cleanText(string(plain)))
	}
	return jsontext.AppendQuote(out, plain)
}

func suspectText(text []byte) bool {
	for i, c := range text {
		if closer[c] && telling(text, 0, i) {
			return true
		}
	}
	return false
}

func skipBlanks(body []byte, i int) int {
	for i < len(body) && (body[i] == ' ' || body[i] == '\n' || body[i] == '\t' || body[i] == '\r') {
		i++
	}
	return i
}

// closing finds the end of the object that begins at a brace.
func closing(body []byte, at int) int {
	depth := 0
	for i := at; i < len(body); {
		switch body[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			i, _ = scanText(body, i)
			continue
		}
		i++
	}
	return len(body)
}
