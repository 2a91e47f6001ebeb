package policy_test

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"sluice/policy"
)

func FuzzParse(f *testing.F) {
	for _, c := range faultCases {
		if len(c.document) < 4096 {
			f.Add([]byte(c.document))
		}
	}
	f.Add([]byte(published))
	f.Add([]byte(explained))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, faults := policy.Parse(raw)
		if d == nil {
			if len(faults) == 0 {
				t.Fatal("refused without a reason")
			}
			return
		}
		for _, f := range faults {
			if f.Fatal() {
				t.Fatalf("accepted with %+v", f)
			}
		}
		again, faults := policy.Parse(d.Canonical())
		if again == nil {
			t.Fatalf("the canonical form is refused: %+v\n%s", faults, d.Canonical())
		}
		if !bytes.Equal(again.Canonical(), d.Canonical()) || again.Portable() != d.Portable() {
			t.Fatalf("not a fixed point:\n%s\n%s", d.Canonical(), again.Canonical())
		}
		for _, f := range faults {
			if strings.HasPrefix(f.Code, "N_") {
				t.Fatalf("something is left to rewrite: %+v", f)
			}
		}
		if !json.Valid(d.Canonical()) {
			t.Fatalf("no JSON: %s", d.Canonical())
		}
		p := d.Compile()
		for _, tool := range []string{"t", "pay", "a", ""} {
			for _, arguments := range []string{``, `{}`, `{"a":1}`} {
				agree(t, p, policy.Call{Tool: tool, Arguments: []byte(arguments)})
			}
		}
	})
}

const fuzzedRules = `"require":[{"id":"r","conditions":[{"path":"args.a","op":"OP","value":VALUE}]}],
	"deny_if":[{"id":"d","conditions":[{"path":"args.b.c","op":"OP","value":VALUE}]},{"id":"e","conditions":[{"path":"args.e[*].c","op":"OP","value":VALUE},{"path":"args.a","op":"exists","value":true}]}],
	"approve_if":[{"id":"p","conditions":[{"path":"args.b[\"x.y\"]","op":"OP","value":VALUE},{"path":"args.e.$length","op":"gt","value":1}]}]`

// fuzzedPolicies has each operator with each operand.
var fuzzedPolicies = func() (documents []string) {
	for _, op := range []string{"eq", "neq", "in", "not_in", "lt", "lte", "gt", "gte", "regex", "contains", "exists"} {
		for _, operand := range operandsOf[op] {
			documents = append(documents, tool(`{`+strings.NewReplacer("OP", op, "VALUE", operand).Replace(fuzzedRules)+`}`))
		}
	}
	return documents
}()

// FuzzDecide compares with the naive evaluator on every call that the wire lets through.
func FuzzDecide(f *testing.F) {
	for _, arguments := range valuesOf {
		f.Add(uint8(3), []byte(arguments))
	}
	f.Add(uint8(9), []byte(`{"a":100,"b":{"c":5,"x.y":1},"e":[{"c":1},{"c":"EUR"}]}`))
	f.Add(uint8(20), []byte(`{"a":"EUR","b":{"c":"USD"},"e":[]}`))
	f.Add(uint8(30), []byte(`{"A":1,"b":{"C":2,"X.Y":3},"e":"text"}`))
	compiled := make([]*policy.Policy, len(fuzzedPolicies))
	for i, document := range fuzzedPolicies {
		compiled[i] = compile(f, document)
	}
	f.Fuzz(func(t *testing.T, which uint8, arguments []byte) {
		i := int(which) % len(compiled)
		c := policy.Call{Tool: "t", Arguments: arguments}
		d := compiled[i].Decide(c)
		compiled[i].Marks(nil, c)
		agree(t, compiled[i], c)
		if !forwardable(arguments) {
			return // not to panic, and to explain itself, is all that is asked then
		}
		verdict, code, id := naive([]byte(fuzzedPolicies[i]), arguments, "t")
		if verdictNames[d.Verdict] != verdict || string(d.Code) != code || ruleID(d) != id {
			t.Fatalf("%s\n%s\n%s %q by %q; the naive evaluator says %s %q by %q", fuzzedPolicies[i], arguments, verdictNames[d.Verdict], d.Code, d.Rule, verdict, code, id)
		}
	})
}

var hugeExponent = regexp.MustCompile(`[eE][+-]?0*[0-9]{4}`)

// forwardable reports whether the wire would let the arguments through, and the naive
// evaluator can compute with them: an object, no member twice, no half surrogate pairs,
// no exponent that fills the memory.
func forwardable(arguments []byte) bool {
	if !utf8.Valid(arguments) || !json.Valid(arguments) || bytes.TrimLeft(arguments, " \t\r\n")[0] != '{' || hugeExponent.Match(arguments) {
		return false
	}
	if lower := strings.ToLower(string(arguments)); strings.Contains(lower, `\ud`) {
		return false
	}
	d := json.NewDecoder(bytes.NewReader(arguments))
	d.UseNumber()
	return unique(d)
}

// unique reads one value and reports whether its objects have no member twice.
func unique(d *json.Decoder) bool {
	token, err := d.Token()
	if err == io.EOF {
		return true
	}
	if err != nil {
		return false
	}
	switch token {
	case json.Delim('{'):
		seen := map[any]bool{}
		for d.More() {
			key, err := d.Token()
			if err != nil || seen[key] {
				return false
			}
			seen[key] = true
			if !unique(d) {
				return false
			}
		}
	case json.Delim('['):
		for d.More() {
			if !unique(d) {
				return false
			}
		}
	default:
		return true
	}
	_, err = d.Token()
	return err == nil
}
