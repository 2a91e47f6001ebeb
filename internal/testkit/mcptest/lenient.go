package mcptest

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"

	"golang.org/x/text/unicode/norm"

	"sluice/internal/mcpwire"
)

// Reading is a call of a tool that some lenient server could read in what it was sent.
type Reading struct {
	Tool string // without capitals, blanks, and what is not seen
	// Arguments are all values that could be its arguments; none: it has no arguments.
	Arguments []*Lenient
}

// Readings are the calls that a server could read in these bytes that takes all a JSON
// parser was ever known to take: any encoding of text, compressed bodies, what surrounds a
// value, several values, batches, comments, missing and spare commas, either quotes, names
// in any capitals, the first and the last of two members, and a method or a tool that is
// named in a header.
func Readings(raw []byte, h http.Header) (all []Reading) {
	for _, text := range texts(raw) {
		for _, v := range values(text) {
			all = append(all, v.calls(h)...)
		}
	}
	return all
}

// Lenient is a JSON value as lenient parsers see it: an object has all its members.
type Lenient struct {
	Kind    byte   // '{', '[', '"', or 0 for numbers and words
	Text    string // decoded, of a string; as it stands, of a number or word
	Names   []string
	Members []*Lenient // of an object, and elements of an array
}

// Get are the values of all members with a name that could be taken for this one.
func (v *Lenient) Get(name string) (all []*Lenient) {
	if v.Kind != '{' {
		return nil
	}
	for i, n := range v.Names {
		if plain(n) == name {
			all = append(all, v.Members[i])
		}
	}
	return all
}

// plain is a name as one reads it who overlooks what can be overlooked.
func plain(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cf, unicode.Cc, unicode.Z, unicode.Mn) || r == unicode.ReplacementChar {
			return -1
		}
		for f := unicode.SimpleFold(r); ; f = unicode.SimpleFold(f) {
			if 'a' <= f && f <= 'z' {
				return f
			}
			if f == r {
				return confusable(unicode.ToLower(r))
			}
		}
	}, norm.NFKD.String(s))
}

// confusable is the letter that one of another alphabet looks like.
func confusable(r rune) rune {
	const cyrillic, latin = "аеорсухіԁ", "aeopcyxid"
	if i := strings.IndexRune(cyrillic, r); i >= 0 {
		return rune(latin[len([]rune(cyrillic[:i]))])
	}
	return r
}

// calls are the calls of tools in a message or batch.
func (v *Lenient) calls(h http.Header) (all []Reading) {
	if v.Kind == '[' {
		for _, e := range v.Members {
			all = append(all, e.calls(h)...)
		}
		return all
	}
	called := false
	for _, m := range append(v.Get("method"), fields(h, mcpwire.HeaderMethod)...) {
		for m.Kind == '[' && len(m.Members) > 0 {
			m = m.Members[0]
		}
		called = called || strings.Trim(plain(strings.ReplaceAll(m.Text, `\`, "/")), "/ ") == "tools/call"
	}
	if !called {
		return nil
	}
	for _, params := range v.Get("params") {
		names, arguments := params.Get("name"), params.Get("arguments")
		if params.Kind == '[' && len(params.Members) > 0 { // by position
			names, arguments = params.Members[:1], params.Members[1:]
		}
		for _, n := range append(names, fields(h, mcpwire.HeaderName)...) {
			for n.Kind == '[' && len(n.Members) > 0 {
				n = n.Members[0]
			}
			all = append(all, Reading{plain(n.Text), arguments})
		}
	}
	return all
}

func fields(h http.Header, name string) (all []*Lenient) {
	for _, f := range h.Values(name) {
		if decoded, ok := mcpwire.DecodeHeader(f); ok {
			f = decoded
		}
		all = append(all, &Lenient{Kind: '"', Text: f})
	}
	return all
}

// texts is what the bytes can stand for.
func texts(raw []byte) []string {
	all := []string{string(raw)}
	if bytes.IndexByte(raw, 0) >= 0 {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			for odd := range 2 {
				all = append(all, wide16(raw[min(odd, len(raw)):], order))
			}
			all = append(all, wide32(raw, order))
		}
	}
	if text, err := strconv.Unquote(string(raw)); err == nil { // encoded twice
		all = append(all, text)
	}
	for _, open := range []func(io.Reader) (io.Reader, error){
		func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) },
		func(r io.Reader) (io.Reader, error) { return flate.NewReader(r), nil },
	} {
		if r, err := open(bytes.NewReader(raw)); err == nil {
			if text, _ := io.ReadAll(io.LimitReader(r, 1<<20)); len(text) > 0 {
				all = append(all, string(text))
			}
		}
	}
	return all
}

func wide16(raw []byte, order binary.ByteOrder) string {
	var units []uint16
	for ; len(raw) >= 2; raw = raw[2:] {
		units = append(units, order.Uint16(raw))
	}
	return string(utf16.Decode(units))
}

func wide32(raw []byte, order binary.ByteOrder) string {
	var out []rune
	for ; len(raw) >= 4; raw = raw[4:] {
		out = append(out, rune(order.Uint32(raw)))
	}
	return string(out)
}

// values are the objects and arrays that a text holds, whatever stands around them.
func values(text string) (all []*Lenient) {
	p := &lenientParser{text: text}
	for p.at < len(p.text) {
		if c := p.text[p.at]; c != '{' && c != '[' {
			p.at++
			continue
		}
		all = append(all, p.value(0))
	}
	return all
}

// lenientParser never fails: what it does not understand it takes for a word.
type lenientParser struct {
	text string
	at   int
}

func (p *lenientParser) skip(more string) {
	for p.at < len(p.text) {
		for _, blank := range []string{"\ufeff", "\u00a0", "\u2028"} {
			p.at += len(p.text[p.at:]) - len(strings.TrimPrefix(p.text[p.at:], blank))
		}
		rest := p.text[p.at:]
		switch {
		case rest == "":
			return
		case strings.IndexByte(" \t\r\n\v\f\x00"+more, rest[0]) >= 0:
			p.at++
		case strings.HasPrefix(rest, "//"), rest[0] == '#':
			p.past("\n")
		case strings.HasPrefix(rest, "/*"):
			p.past("*/")
		default:
			return
		}
	}
}

func (p *lenientParser) past(end string) {
	if i := strings.Index(p.text[p.at:], end); i >= 0 {
		p.at += i + len(end)
		return
	}
	p.at = len(p.text)
}

func (p *lenientParser) value(depth int) *Lenient {
	p.skip("")
	if p.at >= len(p.text) || depth > 10_000 {
		p.at = len(p.text)
		return &Lenient{}
	}
	switch c := p.text[p.at]; c {
	case '{':
		v := &Lenient{Kind: '{'}
		p.at++
		for p.skip(",;"); p.at < len(p.text); p.skip(",;") {
			if c := p.text[p.at]; c == '}' {
				p.at++
				return v
			} else if c == ']' { // somebody else's
				return v
			}
			before := p.at
			name := p.value(depth + 1).Text
			p.skip(":=")
			v.Names, v.Members = append(v.Names, name), append(v.Members, p.value(depth+1))
			if p.at == before {
				p.at++
			}
		}
		return v
	case '[':
		v := &Lenient{Kind: '['}
		p.at++
		for p.skip(",;"); p.at < len(p.text); p.skip(",;") {
			if c := p.text[p.at]; c == ']' {
				p.at++
				return v
			} else if c == '}' {
				return v
			}
			before := p.at
			if v.Members = append(v.Members, p.value(depth+1)); p.at == before {
				p.at++
			}
		}
		return v
	case '"', '\'', '`':
		return &Lenient{Kind: '"', Text: p.quoted(c)}
	}
	start := p.at
	for p.at < len(p.text) && strings.IndexByte(",;:=[]{}\"' \t\r\n\x00", p.text[p.at]) < 0 {
		p.at++
	}
	return &Lenient{Text: p.text[start:p.at]}
}

func (p *lenientParser) quoted(quote byte) string {
	var out strings.Builder
	start := p.at
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == quote:
			p.at++
			return out.String()
		case c == '\\' && p.at+1 < len(p.text):
			p.at++
			out.WriteRune(p.escape())
		default:
			out.WriteByte(c)
		}
	}
	p.at = start + 1 // it does not end, and is none
	return ""
}

// escape stands on what follows the backslash, and leaves the last byte of it to be
// passed. Half a pair of surrogates is nothing.
func (p *lenientParser) escape() rune {
	digits := 0
	switch c := p.text[p.at]; c {
	case 'n', 'r', 't', 'b', 'f', 'v', '\n':
		return ' '
	case 'u', 'U':
		digits = 4
	case 'x', 'X':
		digits = 2
	default:
		return rune(c)
	}
	var r rune
	for n := 0; n < digits && p.at+1 < len(p.text); n++ {
		d := strings.IndexByte("0123456789abcdef", lower(p.text[p.at+1]))
		if d < 0 {
			break
		}
		r = r<<4 | rune(d)
		p.at++
	}
	return r
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
