package policy_test

import (
	"testing"

	"sluice/policy"
)

// The conformance vectors of the specification that a document and one call decide,
// under their numbers.
func TestVectors(t *testing.T) {
	t.Parallel()
	const deny = `{"version":"1","default":"deny",`
	limit := func(operator, operand string) string {
		return deny + `"tools":{"pay":{"deny_if":[{"conditions":[{"path":"args.amount","op":"` + operator + `","value":` + operand + `}]}]}}}`
	}
	cases := []struct {
		name, document, tool, arguments string
		code                            policy.Code // empty: allowed
		rule, message                   string
	}{
		{name: "2 listed", document: deny + `"tools":{"a":{}}}`, tool: "a"},
		{name: "2 unlisted", document: deny + `"tools":{"a":{}}}`, tool: "b", code: policy.DefaultDeny, rule: "(default deny)"},
		{name: "2 default allow", document: `{"version":"1","default":"allow"}`, tool: "b"},
		{name: "3 hidden by name", document: `{"version":"1","default":"allow","hide":["a"]}`, tool: "a", code: policy.Hidden, rule: "(hidden)"},
		{name: "3 not hidden", document: `{"version":"1","default":"allow","hide":["a"]}`, tool: "b"},
		{name: "3 all hidden", document: `{"version":"1","default":"allow","hide":["*"]}`, tool: "b", code: policy.Hidden, rule: "(hidden)"},
		{name: "4 hidden and unlisted", document: deny + `"hide":["a"]}`, tool: "a", code: policy.Hidden, rule: "(hidden)"},
		{name: "5 other capitals", document: deny + `"tools":{"tool_a":{}}}`, tool: "Tool_A", code: policy.DefaultDeny, rule: "(default deny)"},
		{name: "5 hidden in other capitals", document: `{"version":"1","default":"allow","hide":["tool_a"]}`, tool: "Tool_A"},
		{name: "6 empty conditions", document: deny + `"tools":{"a":{"deny_if":[{"conditions":[],"on_deny":"Ask Ann."}]}}}`, tool: "a",
			code: policy.Denied, rule: "/tools/a/deny_if/0", message: "Ask Ann."},
		{name: "7 at the bound", document: limit("gt", "100"), tool: "pay", arguments: `{"amount":100}`},
		{name: "7 above", document: limit("gt", "100"), tool: "pay", arguments: `{"amount":100.01}`, code: policy.Denied, rule: "/tools/pay/deny_if/args.amount-gt"},
		{name: "7 exponent", document: limit("gt", "100"), tool: "pay", arguments: `{"amount":1e2}`},
		{name: "7 text", document: limit("gt", "100"), tool: "pay", arguments: `{"amount":"500"}`, code: policy.Denied},
		{name: "7 null", document: limit("gt", "100"), tool: "pay", arguments: `{"amount":null}`, code: policy.Denied},
		{name: "7 absent", document: limit("gt", "100"), tool: "pay", arguments: `{}`, code: policy.Denied},
		{name: "8 text true", document: limit("eq", "true"), tool: "pay", arguments: `{"amount":"true"}`, code: policy.Denied},
		{name: "8 absent", document: limit("eq", "true"), tool: "pay", arguments: `{}`},
		{name: "8 null", document: limit("eq", "true"), tool: "pay", arguments: `{"amount":null}`},
		{name: "9 not_in, absent, deny_if", document: limit("not_in", `["a"]`), tool: "pay", arguments: `{}`, code: policy.Denied},
		{name: "9 not_in, absent, require", document: deny + `"tools":{"pay":{"require":[{"conditions":[{"path":"args.to","op":"not_in","value":["a"]}]}]}}}`,
			tool: "pay", arguments: `{}`, code: policy.RequireFailed, rule: "/tools/pay/require/args.to-not_in"},
		{name: "10 through a text", document: deny + `"tools":{"a":{"require":[{"conditions":[{"path":"args.x.y","op":"exists","value":false}]}]}}}`, tool: "a", arguments: `{"x":"y"}`},
		{name: "10 key with a dot", document: deny + `"tools":{"a":{"require":[{"conditions":[{"path":"args.x.y","op":"exists","value":false}]}]}}}`, tool: "a", arguments: `{"x.y":1}`},
		{name: "11 unanchored", document: deny + `"tools":{"a":{"deny_if":[{"conditions":[{"path":"args.b","op":"regex","value":"main"}]}]}}}`,
			tool: "a", arguments: `{"b":"domain"}`, code: policy.Denied},
		{name: "11 anchored", document: deny + `"tools":{"a":{"deny_if":[{"conditions":[{"path":"args.b","op":"regex","value":"^main$"}]}]}}}`, tool: "a", arguments: `{"b":"domain"}`},
		{name: "12 require before deny_if", document: deny + `"tools":{"a":{"deny_if":[{"conditions":[]}],"require":[{"conditions":[{"path":"args.b","op":"exists","value":true}]}]}}}`,
			tool: "a", arguments: `{}`, code: policy.RequireFailed, rule: "/tools/a/require/args.b-exists"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := compile(t, c.document).Decide(policy.Call{Tool: c.tool, Arguments: []byte(c.arguments)})
			if d.Code != c.code || (d.Verdict == policy.Allow) != (c.code == "") {
				t.Fatalf("%s %q, wanted %q", verdictNames[d.Verdict], d.Code, c.code)
			}
			if c.rule != "" && d.Rule != c.rule {
				t.Errorf("by rule %q, wanted %q", d.Rule, c.rule)
			}
			if c.message != "" && d.Message != c.message || d.Verdict == policy.Deny && d.Message == "" {
				t.Errorf("message %q, wanted %q", d.Message, c.message)
			}
			if d.Verdict == policy.Allow && d.Rule != "" {
				t.Errorf("an allowed call has the rule %q", d.Rule)
			}
		})
	}
}

// A decision never tells a hidden tool from one that is not there.
func TestHiddenLooksUnlisted(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"version":"1","default":"deny","hide":["a"]}`)
	if a, b := p.Decide(policy.Call{Tool: "a"}), p.Decide(policy.Call{Tool: "b"}); a.Message != b.Message {
		t.Errorf("hidden: %q, unlisted: %q", a.Message, b.Message)
	}
}

func charges(t *testing.T, p *policy.Policy, tool, arguments string) ([]policy.Charge, policy.Decision, bool) {
	t.Helper()
	c := policy.Call{Tool: tool, Arguments: []byte(arguments)}
	d := p.Decide(c)
	return p.Charges(nil, &d, c)
}

// Vectors 15, 18 and 19: what a call takes from its limits.
func TestVectorsOfAmounts(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"version":"1","default":"deny",
		"all_tools":{"limits":[{"counter":"everything","window":"minute","max":120,"scope":"grant"}]},
		"tools":{"pay":{"limits":[{"counter":"calls","window":"hour","max":10,"scope":"org"},
		                          {"counter":"money","window":"day","max":100,"scope":"grant","increment_from":"args.amount"}]}}}`)
	const million = 1_000_000
	for _, c := range []struct {
		name, amount string
		micros       int64 // -1: denied
	}{
		{"18 whole", `60`, 60 * million},
		{"18 millionths", `39.999999`, 39_999_999},
		{"18 one millionth", `0.000001`, 1},
		{"trailing zeros", `1.50000000000`, 1_500_000},
		{"exponent", `1.5E+1`, 15 * million},
		{"negative exponent", `15e-7`, -1},
		{"zero", `0`, 0},
		{"minus zero", `-0.0e5`, 0},
		{"zero with a huge exponent", `0e99999999999999999999999`, 0},
		{"largest", `999999999999.999999`, 999_999_999_999_999_999},
		{"19 negative", `-5`, -1},
		{"19 huge", `1e400`, -1},
		{"19 exponent without end", `1e99999999999999999999999`, -1},
		{"19 tiny exponent", `1e-99999999999999999999999`, -1},
		{"19 below a millionth", `0.0000001`, -1},
		{"19 text", `"5"`, -1},
		{"19 null", `null`, -1},
		{"19 array", `[5]`, -1},
		{"13 digits", `1000000000000`, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, denial, ok := charges(t, p, "pay", `{"amount":`+c.amount+`}`)
			if c.micros < 0 {
				if ok || denial.Verdict != policy.Deny || denial.Code != policy.Denied || denial.Rule != "/tools/pay/limits/money-per-day" || denial.Message == "" {
					t.Fatalf("charged %v, denial %+v", got, denial)
				}
				return
			}
			if !ok || len(got) != 3 {
				t.Fatalf("denied: %+v, %v", denial, got)
			}
			if got[0].Amount != million || got[1].Amount != c.micros || got[2].Amount != million {
				t.Errorf("amounts %d, %d, %d", got[0].Amount, got[1].Amount, got[2].Amount)
			}
			for i, want := range []string{"/tools/pay/limits/calls-per-hour", "/tools/pay/limits/money-per-day", "/all_tools/limits/everything-per-minute"} {
				if got[i].Limit.Rule != want {
					t.Errorf("limit %d is %q, wanted %q", i, got[i].Limit.Rule, want)
				}
			}
			if l := got[1].Limit; l.Section != "tool:pay" || l.Max != 100*million || l.Window.Hours() != 24 || l.Scope != policy.PerGrant {
				t.Errorf("limit %+v", l)
			}
			if got[2].Limit.Section != "all" {
				t.Errorf("section %q", got[2].Limit.Section)
			}
		})
	}
	t.Run("19 absent", func(t *testing.T) {
		t.Parallel()
		if _, d, ok := charges(t, p, "pay", `{}`); ok || d.Code != policy.Denied {
			t.Errorf("charged: %+v", d)
		}
	})
}

// Sums go over all elements, and one that is no amount spoils them.
func TestSums(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"version":"1","default":"deny","tools":{"send":{"limits":[
		{"counter":"value","window":"day","max":100,"increment_from":"args.events[*].value"},
		{"counter":"events","window":"day","max":100,"increment_from":"args.events.$length"}]}}}`)
	for arguments, want := range map[string]int64{
		`{"events":[{"value":1.5},{"value":2}]}`:                       3_500_000,
		`{"events":[{"value":0}]}`:                                     0,
		`{"events":[]}`:                                                -1,
		`{}`:                                                           -1,
		`{"events":{"value":1}}`:                                       -1,
		`{"events":[{"value":1},{}]}`:                                  -1,
		`{"events":[{"value":1},{"value":"2"}]}`:                       -1,
		`{"events":[{"value":1},{"Value":2}]}`:                         -1,
		`{"events":[{"value":999999999999},{"value":1}]}`:              -1,
		`{"events":[{"value":999999999999},{"value":0.9}]}`:            999_999_999_999_900_000,
		`{"events":[{"value":1}],"Events":[]}`:                         -1,
		`{"events":[{"value":-1},{"value":2}]}`:                        -1,
		`{"\u0065vents" : [ { "\u0076alue" : 1 } , { "value" : 2 } ]}`: 3_000_000,
	} {
		got, d, ok := charges(t, p, "send", arguments)
		if want < 0 {
			if ok {
				t.Errorf("%s: charged %d", arguments, got[0].Amount)
			}
			continue
		}
		if !ok || got[0].Amount != want {
			t.Errorf("%s: %v, %+v; wanted %d", arguments, got, d, want)
		}
	}
}

// What Decide denied is charged nothing, and an approval is charged like a call.
func TestChargesFollowTheDecision(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"version":"1","default":"deny","all_tools":{"limits":[{"counter":"c","window":"minute","max":1}]},"tools":{
		"no":{"deny_if":[{"conditions":[]}]},"ask":{"approve_if":[{"conditions":[]}]}}}`)
	if _, d, ok := charges(t, p, "no", ``); ok || d.Code != policy.Denied {
		t.Errorf("a denied call: %+v, %v", d, ok)
	}
	if got, _, ok := charges(t, p, "ask", ``); !ok || len(got) != 1 {
		t.Errorf("a call to approve: %v, %v", got, ok)
	}
	var zero policy.Decision
	if _, _, ok := p.Charges(nil, &zero, policy.Call{Tool: "ask"}); ok {
		t.Error("the zero decision is charged as if it allowed")
	}
}
