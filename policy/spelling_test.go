package policy_test

import (
	"strings"
	"testing"

	"sluice/policy"
)

// Ways to write a call so that a rule about args.amount might not see it. Some readers of
// JSON take Amount for amount: what they would do can't be known, so it is denied.
func TestSpellings(t *testing.T) {
	t.Parallel()
	for name, rule := range map[string]string{
		"deny_if gt":         `"deny_if":[{"conditions":[{"path":"args.pay.amount","op":"gt","value":100}]}]`,
		"deny_if eq":         `"deny_if":[{"conditions":[{"path":"args.pay.amount","op":"eq","value":500}]}]`,
		"deny_if exists":     `"deny_if":[{"conditions":[{"path":"args.pay.amount","op":"exists","value":true}]}]`,
		"require not exists": `"require":[{"conditions":[{"path":"args.pay.amount","op":"exists","value":false}]}]`,
		"require lte":        `"require":[{"conditions":[{"path":"args.pay.amount","op":"lte","value":100}]}]`,
		"limit":              `"limits":[{"counter":"c","window":"day","max":100,"increment_from":"args.pay.amount"}]`,
		"key":                `"limits":[{"counter":"c","window":"day","max":100,"key":"args.pay.amount"}]`,
	} {
		p := compile(t, tool(`{`+rule+`}`))
		for _, arguments := range []string{
			`{"pay":{"Amount":500}}`,
			`{"pay":{"AMOUNT":500}}`,
			`{"Pay":{"amount":500}}`,
			`{"pay":{"amount":500,"Amount":1}}`,
			`{"pay":{"Amount":1,"amount":500}}`,
			`{"pay":{"amount":500},"PAY":{"amount":1}}`,
			`{"PAY":1,"pay":{"amount":500}}`,
			`{"pay":{"\u0041mount":500}}`,
			`{"\u0050ay":{"\u0061mount":500}}`,
			`{"pay":{"amount":1,"amount":500}}`,
			`{"pay":{"amount":500}`,
			`{"pay":{"amount":500}} x`,
			`{"pay":{"amount":500,}}`,
			`{"pay":{"amount":5 00}}`,
			`{"pay":{amount:500}}`,
			`{"pay":{"amo\ud800unt":500}}`,
			`[{"pay":{"amount":500}}]`,
			`"pay"`,
			`nul`,
		} {
			c := policy.Call{Tool: "t", Arguments: []byte(arguments)}
			d := p.Decide(c)
			if _, _, ok := p.Charges(nil, &d, c); ok {
				t.Errorf("%s: %s is allowed", name, arguments)
			}
		}
	}
}

// Further in, where a path has gone through an array, it is the same.
func TestSpellingsInsideArrays(t *testing.T) {
	t.Parallel()
	p := compile(t, tool(`{"deny_if":[{"conditions":[{"path":"args.items[*].price","op":"eq","value":500}]}]}`))
	for _, item := range []string{`{"Price":1}`, `{"price":1,"price":500}`, `{"price":1,"PRICE":2}`, `{"price":1,"price":1}`, `{"price":1,}`, `{"price"}`} {
		if d := p.Decide(policy.Call{Tool: "t", Arguments: []byte(`{"items":[{"price":1},` + item + `]}`)}); d.Verdict != policy.Deny {
			t.Errorf("%s is allowed", item)
		}
	}
}

// Letters that fold to ASCII ones count as capitals.
func TestSpellingsBeyondASCII(t *testing.T) {
	t.Parallel()
	for path, names := range map[string][]string{
		"args.risk":   {"RISK", "ris\u212a", "ri\u017fk", "r\u0069s\u212a"},
		"args.straße": {"STRASSE", "Straße", "straẞe"},
		"args.é":      {"É"},
	} {
		p := compile(t, tool(`{"deny_if":[{"conditions":[{"path":"`+path+`","op":"exists","value":true}]}]}`))
		for _, n := range names {
			want := n != "STRASSE" // not the same letters one by one
			d := p.Decide(policy.Call{Tool: "t", Arguments: []byte(`{"` + n + `":1}`)})
			if (d.Verdict == policy.Deny) != want {
				t.Errorf("%s and %q: %v", path, n, d.Code)
			}
		}
	}
}

// Other spellings of one text or number are the same value, and what a server that keeps
// numbers as doubles takes for the same is not another one.
func TestSpellingsOfValues(t *testing.T) {
	t.Parallel()
	p := compile(t, tool(`{"deny_if":[{"conditions":[{"path":"args.a","op":"in","value":["rm -rf","é", 1000000]}]}]}`))
	for _, v := range []string{`"rm -rf"`, `"\u0072m -rf"`, `"rm\u0020-rf"`, `"\u00e9"`, `1000000`, `1e6`, `1000000.000`, `0.1e7`, `10000000000e-4`,
		`1000000.0000000000000000000000000000000001`, `999999.99999999999999999999999`} {
		if d := p.Decide(policy.Call{Tool: "t", Arguments: []byte(`{"a":` + v + `}`)}); d.Verdict != policy.Deny {
			t.Errorf("%s is allowed", v)
		}
	}
	for _, v := range []string{`"rm  -rf"`, `1000001`, `1e7`, `1000000.00000001`, `999999.99999999`} {
		if d := p.Decide(policy.Call{Tool: "t", Arguments: []byte(`{"a":` + v + `}`)}); d.Verdict != policy.Allow {
			t.Errorf("%s is denied", v)
		}
	}
}

// What a rule does not look at may be anything.
func TestOtherMembersDoNotMatter(t *testing.T) {
	t.Parallel()
	p := compile(t, tool(`{"require":[{"conditions":[{"path":"args.a.b","op":"eq","value":1}]}]}`))
	for _, arguments := range []string{
		`{"a":{"b":1,"c":{"B":2}},"x":{"A":1}}`,
		` { "z" : [ { "a" : [ "]" , "}" , "\"" ] } ] , "a" : { "c" : null , "b" : 1 } } `,
		`{"":0,"a":{"":0,"b":1}}`,
		`{"ab":1,"a.b":2,"a":{"b":1}}`,
		"{\n\"a\"\t:\r\n{\"b\":1}}",
	} {
		if d := p.Decide(policy.Call{Tool: "t", Arguments: []byte(arguments)}); d.Verdict != policy.Allow {
			t.Errorf("%s: %+v", arguments, d)
		}
	}
}

// More paths than fit on the stack are looked at as well.
func TestManyPaths(t *testing.T) {
	t.Parallel()
	p := compile(t, tool(`{"require":[{"conditions":[`+many(40, `{"path":"args.a%d","op":"exists","value":true}`)+`]}],
		"limits":[`+many(20, `{"counter":"c%[1]d","window":"day","max":1,"increment_from":"args.a%[1]d"}`)+`]}`))
	got, d, ok := charges(t, p, "t", `{`+many(40, `"a%d":1`)+`}`)
	if !ok || len(got) != 20 {
		t.Errorf("%+v", d)
	}
	if _, _, ok := charges(t, p, "t", `{`+many(39, `"a%d":1`)+`}`); ok {
		t.Error("a call without the last argument is allowed")
	}
}

// A text that would take minutes to look through is denied at once; a long one that takes
// none is judged.
func TestATextTooLongForItsPattern(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 2<<20)
	for pattern, want := range map[string]policy.Verdict{"[a-z]{300}!": policy.Deny, "^[a-z]+!$": policy.Allow, "drop table": policy.Allow} {
		p := compile(t, tool(`{"deny_if":[{"conditions":[{"path":"args.a","op":"regex","value":"`+pattern+`"}]}]}`))
		c := policy.Call{Tool: "t", Arguments: []byte(`{"a":"` + long + `"}`)}
		if d := p.Decide(c); d.Verdict != want {
			t.Errorf("%s: %+v", pattern, d)
		}
		for _, s := range p.Explain(c) {
			for _, j := range s.Conditions {
				if want == policy.Deny && j.Why != "a string that can't be judged" {
					t.Errorf("%s: %s", pattern, j.Why)
				}
			}
		}
	}
}
