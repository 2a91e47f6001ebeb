package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"sluice/policy"
)

func compile(tb testing.TB, document string) *policy.Policy {
	tb.Helper()
	return parse(tb, document).Compile()
}

func parse(tb testing.TB, document string) *policy.Document {
	tb.Helper()
	d, faults := policy.Parse([]byte(document))
	if d == nil {
		tb.Fatalf("the document does not parse: %+v\n%s", faults, document)
	}
	return d
}

var verdictNames = map[policy.Verdict]string{policy.Deny: "deny", policy.Allow: "allow", policy.Approve: "approve"}

// ruleID is the last segment of a label.
func ruleID(d policy.Decision) string {
	if !strings.HasPrefix(d.Rule, "/") {
		return ""
	}
	return d.Rule[strings.LastIndex(d.Rule, "/")+1:]
}

// operandsOf lists operands that an operator takes.
var operandsOf = map[string][]string{
	"eq":       {`100`, `1.50`, `"100"`, `"EUR"`, `true`, `null`, `[1,2]`, `{"a":1}`, `""`},
	"neq":      {`100`, `"EUR"`, `false`, `null`, `[1,2]`, `{"a":1}`},
	"in":       {`[100, 5]`, `[5, 100, "EUR"]`, `[{"a":1},{"z":1}]`, `["EUR","USD"]`, `[1, "EUR", null]`, `[true]`, `[[1,2]]`, `[]`, `["a","b","c","d","e","f","g","h","EUR"]`, `[1,2,3,4,5,6,7,8,100]`, `["a",2,3,4,5,6,7,8,null]`},
	"not_in":   {`["a","b","c","d","e","f","g","h","EUR"]`, `[100, 5]`, `["EUR","USD"]`, `[1, "EUR", null]`, `[true]`, `[]`},
	"lt":       {`100`, `-0.5`, `1e2`},
	"lte":      {`100`, `99.999999999999999999999`},
	"gt":       {`100`, `0`, `1e400`},
	"gte":      {`100`, `100.0`, `9007199254740993`},
	"regex":    {`"EU"`, `"^EUR$"`, `"^$"`},
	"contains": {`"U"`, `"EUR"`, `1`, `null`, `""`, `[1]`},
	"exists":   {`true`, `false`},
}

// valuesOf are the ways in which the argument at args.a.b can be there, or not.
var valuesOf = map[string]string{
	"no arguments":      ``,
	"empty":             `{}`,
	"absent":            `{"a":{"c":1}}`,
	"null":              `{"a":{"b":null}}`,
	"parent null":       `{"a":null}`,
	"parent text":       `{"a":"b"}`,
	"parent array":      `{"a":[{"b":100}]}`,
	"100":               `{"a":{"b":100}}`,
	"100.0":             `{"a":{"b":100.0}}`,
	"1e2":               `{"a":{"b":1e2}}`,
	"100.01":            `{"a":{"b":100.01}}`,
	"-1":                `{"a":{"b":-1}}`,
	"-0":                `{"a":{"b":-0}}`,
	"1.5":               `{"a":{"b":1.5}}`,
	"1e400":             `{"a":{"b":1e400}}`,
	"1E-400":            `{"a":{"b":1E-400}}`,
	"long":              `{"a":{"b":99.9999999999999999999990}}`,
	"longer":            `{"a":{"b":100.00000000000000000001}}`,
	"16 digits":         `{"a":{"b":100.0000000000001}}`,
	"large":             `{"a":{"b":9007199254740992}}`,
	"larger":            `{"a":{"b":9007199254740993}}`,
	"text 100":          `{"a":{"b":"100"}}`,
	"EUR":               `{"a":{"b":"EUR"}}`,
	"EUR, escaped":      `{"\u0061":{"\u0062":"\u0045UR"}}`,
	"eur":               `{"a":{"b":"eur"}}`,
	"empty text":        `{"a":{"b":""}}`,
	"true":              `{"a":{"b":true}}`,
	"text true":         `{"a":{"b":"true"}}`,
	"false":             `{"a":{"b":false}}`,
	"[1,2]":             `{"a":{"b":[1,2]}}`,
	"[1.0, 2e0]":        `{"a":{"b":[1.0, 2e0]}}`,
	"[null]":            `{"a":{"b":[null]}}`,
	"mixed":             `{"a":{"b":["1",1.00000000000000000001,null,"EUR"]}}`,
	"texts":             `{"a":{"b":["1","2"]}}`,
	"[]":                `{"a":{"b":[]}}`,
	"{a:1}":             `{"a":{"b":{"a":1.0}}}`,
	"{a:1, z:1}":        `{"a":{"b":{"a":1,"z":1}}}`,
	"{A:1}":             `{"a":{"b":{"A":1}}}`,
	"{}":                `{"a":{"b":{}}}`,
	"other capitals":    `{"a":{"B":100}}`,
	"both spellings":    `{"a":{"b":100,"B":1}}`,
	"parent's capitals": `{"A":{"b":100}}`,
}

// Every operator, over every kind of operand and every way an argument can be there, in
// each of the three lists, against the evaluator of naive_test.go.
func TestDecisionsAgreeWithNaiveEvaluator(t *testing.T) {
	t.Parallel()
	count := map[string]int{}
	for op, operands := range operandsOf {
		for _, operand := range operands {
			for _, list := range []string{"require", "deny_if", "approve_if"} {
				document := fmt.Sprintf(`{"version":"1","default":"deny","tools":{"t":{%q:[{"id":"r","conditions":[{"path":"args.a.b","op":%q,"value":%s}]}]}}}`, list, op, operand)
				p := compile(t, document)
				for name, arguments := range valuesOf {
					d := p.Decide(policy.Call{Tool: "t", Arguments: []byte(arguments)})
					verdict, code, id := naive([]byte(document), []byte(arguments), "t")
					if verdictNames[d.Verdict] != verdict || string(d.Code) != code || ruleID(d) != id {
						t.Errorf("%s, %s %s, argument %s: %s %q by %q; the naive evaluator says %s %q by %q",
							list, op, operand, name, verdictNames[d.Verdict], d.Code, d.Rule, verdict, code, id)
					}
					count[verdict+" "+code]++
				}
			}
		}
	}
	total := 0
	for _, n := range count {
		total += n
	}
	t.Logf("%d decisions: %v", total, count)
	if total < 400 || len(count) != 4 {
		t.Errorf("%d decisions of %d kinds were compared; at least 400 of 4 are wanted", total, len(count))
	}
}

// The same over arrays, quoted names and lengths.
func TestExtendedPathsAgreeWithNaiveEvaluator(t *testing.T) {
	t.Parallel()
	paths := []string{"args.e[*].v", "args.e[*]", "args.e[*].v[*]", "args.e.$length", `args["e"][*]["v"]`, `args["a.b"].c`, "args.e[*].v.$length"}
	conditions := []string{
		`"op":"eq","value":1`, `"op":"neq","value":1`, `"op":"in","value":[1,2]`, `"op":"not_in","value":[3]`, `"op":"gt","value":1`,
		`"op":"lte","value":2`, `"op":"exists","value":true`, `"op":"exists","value":false`, `"op":"contains","value":1`, `"op":"regex","value":"x"`,
	}
	calls := []string{
		`{}`, `{"e":null}`, `{"e":[]}`, `{"e":{}}`, `{"e":"xyz"}`, `{"e":5}`, `{"e":[1]}`, `{"e":[1,2]}`, `{"e":[1,"x"]}`, `{"e":[3,3]}`,
		`{"e":[{"v":1}]}`, `{"e":[{"v":1},{"v":2}]}`, `{"e":[{"v":1},{}]}`, `{"e":[{"v":1},{"V":2}]}`, `{"e":[{"v":null}]}`, `{"e":[null]}`,
		`{"e":[{"v":[1,2]},{"v":[]}]}`, `{"e":[{"v":[1]},{"v":[1,1]}]}`, `{"e":[{"v":"x"},{"v":"yx"}]}`, `{"e":{"v":1}}`, `{"e":[{"V":1}]}`, `{"e":[{"\u0056":1}]}`, `{"E":[1]}`, `{"e":[1],"E":[1]}`,
		`{"a.b":{"c":1}}`, `{"a":{"b":{"c":1}}}`, `{"A.b":{"c":1}}`, `{"e":[[1],[2]]}`, `{"e":"é😀"}`,
	}
	for _, path := range paths {
		for _, condition := range conditions {
			for _, list := range []string{"require", "deny_if"} {
				document := fmt.Sprintf(`{"version":"1","default":"deny","tools":{"t":{%q:[{"id":"r","conditions":[{"path":%q,%s}]}]}}}`, list, path, condition)
				p := compile(t, document)
				for _, arguments := range calls {
					d := p.Decide(policy.Call{Tool: "t", Arguments: []byte(arguments)})
					if verdict, code, _ := naive([]byte(document), []byte(arguments), "t"); verdictNames[d.Verdict] != verdict || string(d.Code) != code {
						t.Errorf("%s %s %s of %s: %s %q; the naive evaluator says %s %q", list, path, condition, arguments, verdictNames[d.Verdict], d.Code, verdict, code)
					}
				}
			}
		}
	}
}
