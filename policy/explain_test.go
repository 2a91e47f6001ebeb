package policy_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"sluice/policy"
)

// agree checks that the steps lead to what Decide and Charges say.
func agree(t testing.TB, p *policy.Policy, c policy.Call) {
	t.Helper()
	d := p.Decide(c)
	_, denial, charged := p.Charges(nil, &d, c)
	steps := p.Explain(c)
	var decided []policy.Step
	for i, s := range steps {
		if s.Text == "" {
			t.Fatalf("a step says nothing: %+v", s)
		}
		if s.Decides {
			decided = append(decided, s)
			if s.Stage != "approve_if" && i != len(steps)-1 {
				t.Fatalf("steps follow the one that decides: %+v", steps)
			}
		}
	}
	want := map[policy.Code]string{policy.Hidden: "hidden", policy.DefaultDeny: "default", policy.RequireFailed: "require", policy.Denied: "deny_if", policy.ApprovalPending: "approve_if"}
	if d.Verdict != policy.Allow {
		if len(decided) == 0 || decided[0].Stage != want[d.Code] || decided[0].Rule != d.Rule {
			t.Fatalf("decided %q by %s, explained as %+v", d.Code, d.Rule, decided)
		}
		decided = decided[1:]
	}
	if d.Verdict != policy.Deny && !charged {
		if len(decided) == 0 || decided[0].Stage != "limits" || decided[0].Rule != denial.Rule {
			t.Fatalf("can't be charged by %s, explained as %+v", denial.Rule, decided)
		}
		decided = decided[1:]
	}
	if len(decided) > 0 {
		t.Fatalf("explained by %+v, though %+v", decided, d)
	}
}

const explained = `{"version":"1","default":"deny","hide":["hidden"],"all_tools":{"limits":[{"counter":"all","window":"minute","max":120}]},"tools":{
	"free":{},
	"pay":{"require":[{"conditions":[{"path":"args.currency","op":"in","value":["EUR","USD"]},{"path":"args.to","op":"regex","value":"^[a-z]+$"}]}],
	       "deny_if":[{"conditions":[{"path":"args.items[*].price","op":"gt","value":100}]}],
	       "approve_if":[{"conditions":[{"path":"args.amount","op":"gte","value":50}]}],
	       "limits":[{"counter":"money","window":"day","max":1000,"increment_from":"args.amount","key":"args.to"},{"counter":"seen","window":"hour","after":"free"}]}}}`

func TestExplainAgreesWithDecide(t *testing.T) {
	t.Parallel()
	p := compile(t, explained)
	for _, tool := range []string{"hidden", "unlisted", "free", "pay"} {
		for _, currency := range []string{``, `"currency":"EUR",`, `"currency":"GBP",`, `"currency":5,`, `"Currency":"EUR",`} {
			for _, items := range []string{``, `"items":[],`, `"items":[{"price":5}],`, `"items":[{"price":5},{"price":500}],`, `"items":[{"price":"5"}],`} {
				for _, amount := range []string{`"x":1`, `"amount":5`, `"amount":50`, `"amount":-5`, `"amount":"50"`} {
					for _, to := range []string{``, `,"to":"ann"`, `,"to":["ann"]`} {
						agree(t, p, policy.Call{Tool: tool, Arguments: []byte(`{` + currency + items + amount + to + `}`)})
					}
				}
			}
		}
	}
}

// An explanation says why, and never with what.
func TestExplainGivesReasons(t *testing.T) {
	t.Parallel()
	p := compile(t, explained)
	for _, c := range []struct{ arguments, why string }{
		{`{}`, "absent"},
		{`{"currency":null}`, "null"},
		{`{"currency":"EUR","to":5}`, "a number, not a string"},
		{`{"currency":7771}`, "a number, and nothing listed is one"},
		{`{"currency":"EUR","to":"ann","items":[{"price":1},{"price":"secret"}]}`, "an element: a string, not a number"},
		{`{"Currency":"EUR"}`, "another spelling"},
		{`{"currency":"EUR","to":"ann","items":[{"price":1}],"amount":1e99999999999999999999}`, "exponent"},
		{`{"currency":"EUR","to":"ann","items":[{"price":1}],"amount":-7}`, "has to be a number from 0"},
		{`{"currency":"EUR","to":"ann","items":[{"price":1}],"amount":7}`, "needs a call of free within the last hour"},
	} {
		text, err := json.Marshal(p.Explain(policy.Call{Tool: "pay", Arguments: []byte(c.arguments)}))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), c.why) {
			t.Errorf("%s: nothing of %q in %s", c.arguments, c.why, text)
		}
		for _, secret := range []string{"ann", "secret", "7771", "-7"} {
			if strings.Contains(c.arguments, secret) && strings.Contains(string(text), secret) {
				t.Errorf("the value %s is in the explanation %s", secret, text)
			}
		}
	}
	steps := p.Explain(policy.Call{Tool: "pay", Arguments: []byte(`{"currency":"EUR"}`)})
	if got := fmt.Sprint(steps[2].Conditions[0].Path, steps[2].Conditions[0].Op, steps[2].Conditions[0].Value, steps[2].Conditions[0].Result); got != `args.currencyin["EUR","USD"]true` {
		t.Errorf("the condition is told as %s", got)
	}
}
