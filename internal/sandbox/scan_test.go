package sandbox

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

// tooDeep reports whether a text nests deeper than the scanner goes, which is the
// one point where it is stricter than the reference reader.
func tooDeep(text []byte) bool {
	depth, most, inside := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inside && c == '\\':
			i++
		case c == '"':
			inside = !inside
		case inside:
		case c == '{' || c == '[':
			depth++
			most = max(most, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return most > maxDepth
}

func scans(text []byte) bool {
	var s scanner
	s.reset(text)
	return s.skip() && s.end()
}

// FuzzScanner compares the scanner with an independent strict reader.
func FuzzScanner(f *testing.F) {
	for _, seed := range scannerSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if tooDeep(text) {
			t.Skip("deeper than the scanner goes")
		}
		if got, want := scans(text), jsontext.Value(text).IsValid(); got != want {
			t.Errorf("scanner accepts %v, reference accepts %v: %q", got, want, text)
		}
	})
}

// FuzzEventSyntax feeds the typed event reader: whatever it thinks of the schema,
// it must find the same texts to be JSON as the reference does.
func FuzzEventSyntax(f *testing.F) {
	for _, seed := range eventSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if tooDeep(text) {
			t.Skip("deeper than the scanner goes")
		}
		var d decoder
		d.reset(text)
		d.peek()
		got := d.event() && d.end()
		if want := jsontext.Value(text).IsValid(); got != want {
			t.Errorf("event reader accepts %v, reference accepts %v: %q (%v)", got, want, text, d.err)
		}
		if got && d.bad == nil {
			d.check(&judgement{}) // must not panic
			var k keymaker
			k.keys("1", &d.ev, new(record))
		}
	})
}

var scannerSeeds = []string{
	`{}`, `[]`, `null`, `true`, `false`, `0`, `-0.5e+10`, `""`, ` { "a" : [ 1 , 2 ] } `,
	`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"a":{"b":1,"b":1}}`, `[{"a":1},{"a":1}]`,
	`"\ud83d\ude00"`, `"\ud83d"`, `"\ude00\ud83d"`, `"\ud83d\u0041"`, "\"\xff\"", "\"\xed\xa0\x80\"", "\"a\x00b\"", `"\x"`, `"`, `"\u12g4"`,
	`01`, `1.`, `.5`, `+1`, `1e`, `--1`, `truE`, `nul`, `[1,]`, `{"a":1,}`, `{"a"}`, `{a:1}`, `[1 2]`, `{} {}`, "\ufeff{}", ``, ` `,
	`"12345678901234567890 á 漢字 😀 \" \\ \/ \b\f\n\r\t"`,
}

var eventSeeds = []string{
	`{"event_name":"Purchase","event_time":1,"action_source":"physical_store","user_data":{"em":["x"],"ph":"y"},"custom_data":{"value":1.5,"currency":"GBP","order_id":"1","contents":[{"id":"a","quantity":1,"item_price":2}],"x":{"y":[1,{"z":null}]}}}`,
	`{"event_name":1,"event_name":"a"}`, `{"user_data":{"em":null,"em":null}}`, `{"user_data":{"zz":1},"user_data":{}}`,
	`{"custom_data":{"value":"1","value":"2"}}`, `{"custom_data":{"a":1,"a":2}}`, `{"custom_data":{"contents":[{"id":1,"id":2}]}}`,
	`{"app_data":{"extinfo":["a2",1],"extinfo":[]}}`, `{"app_data":{"extinfo":{"0":"a2","0":"i2"}}}`, `{"opt_out":2}`, `{"opt_out":1.5}`,
	`{"data_processing_options":["LDU","LDU"]}`, `{"original_event_data":{"event_name":"a","event_time":"b"}}`,
	`{"attribution_data":{"ad_id":1,"ad_id":2}}`, `{"event_id":tru}`, `{"event_time":1`, `[]`, `"x"`, `{"store_data":{"store_code":"a"}}`,
	`{"event\u005fname":"a","event_name":"b"}`,
}

func TestManyNamesAreStillUnique(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(manyNames-2, 4*manyNames).Draw(t, "members")
		repeat := rapid.IntRange(-1, n-1).Draw(t, "repeated")
		var b strings.Builder
		b.WriteString("{")
		for i := range n {
			b.WriteString(`"k` + strings.Repeat("x", i) + `":{"k":1},`)
		}
		if repeat >= 0 {
			b.WriteString(`"k` + strings.Repeat("x", repeat) + `":1}`)
		} else {
			b.WriteString(`"last":1}`)
		}
		if got, want := scans([]byte(b.String())), repeat < 0; got != want {
			t.Fatalf("%d members, member %d repeated: accepted %v", n, repeat, got)
		}
	})
}

func TestDepthIsBounded(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		text string
		want bool
	}{
		{"at the limit", strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth), true},
		{"one deeper", strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1), false},
		{"objects one deeper", strings.Repeat(`{"a":`, maxDepth+1) + "1" + strings.Repeat("}", maxDepth+1), false},
	} {
		if got := scans([]byte(tc.text)); got != tc.want {
			t.Errorf("%s: accepted %v", tc.name, got)
		}
	}
}

func TestUnescapeIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.String().Draw(t, "text")
		quoted, err := jsontext.AppendQuote(nil, want)
		if err != nil {
			t.Skip("not UTF-8")
		}
		var s scanner
		s.reset(quoted)
		got, ok := s.text()
		if !ok || string(got) != want || s.i != len(quoted) {
			t.Fatalf("%q read as %q (%v)", quoted, got, s.err)
		}
	})
}
