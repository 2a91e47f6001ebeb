package tool

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func given(t *testing.T, text string) Args {
	t.Helper()
	m, err := DecodeObject([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRules(t *testing.T) {
	t.Parallel()
	cap := WhenIs("bid_strategy", "COST_CAP|BID_CAP", "bid_amount")
	object := WhenIs("goal", "SALES", "promoted.pixel_id|promoted.app_id")
	for name, c := range map[string]struct {
		rule Rule
		args string
		says string // "": allowed
	}{
		"one budget":                  {AtMostOne("daily", "lifetime"), `{"daily":5}`, ""},
		"no budget":                   {AtMostOne("daily", "lifetime"), `{}`, ""},
		"two budgets":                 {AtMostOne("daily", "lifetime"), `{"daily":5,"lifetime":9}`, "lifetime: it excludes daily"},
		"an empty text is none":       {AtMostOne("post", "text"), `{"post":"1","text":""}`, ""},
		"a false flag is none":        {Needs("advice", "check"), `{"advice":false}`, ""},
		"a flag needs another":        {Needs("advice", "check"), `{"advice":true,"check":false}`, "check: it is missing, and advice needs it"},
		"an end is there":             {Needs("lifetime", "end"), `{"lifetime":5,"end":9}`, ""},
		"an end is missing":           {Needs("lifetime", "end"), `{"lifetime":5}`, "end: it is missing, and lifetime needs it"},
		"another value":               {cap, `{"bid_strategy":"LOWEST"}`, ""},
		"the second value":            {cap, `{"bid_strategy":"BID_CAP"}`, "bid_amount: it is missing, and bid_strategy COST_CAP or BID_CAP needs it"},
		"with the cap":                {cap, `{"bid_strategy":"BID_CAP","bid_amount":0}`, ""},
		"one of two members":          {object, `{"goal":"SALES","promoted":{"app_id":"1"}}`, ""},
		"none of two members":         {object, `{"goal":"SALES","promoted":{"page_id":"1"}}`, "promoted.pixel_id or promoted.app_id: it is missing"},
		"no object at all":            {object, `{"goal":"SALES"}`, "promoted.pixel_id or promoted.app_id: it is missing"},
		"in order":                    {InOrder("start", "end"), `{"start":1,"end":2}`, ""},
		"at the same time":            {InOrder("start", "end"), `{"start":2,"end":2}`, "end: it is not after start"},
		"an open end":                 {InOrder("start", "end"), `{"start":2}`, ""},
		"a text on the way to inside": {object, `{"goal":"SALES","promoted":"text"}`, "is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.rule.check(given(t, c.args))
			switch {
			case c.says == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
}

func TestDefaultUnless(t *testing.T) {
	t.Parallel()
	sharing := DefaultUnless("sharing", false, "daily", "lifetime")
	audience := DefaultUnless("targeting.automation.audience", 0, "audience")
	for name, c := range map[string]struct {
		rule       Rule
		args, want string
	}{
		"nothing given":       {sharing, `{}`, `{"sharing":false}`},
		"a budget given":      {sharing, `{"daily":5}`, `{"daily":5}`},
		"said already":        {sharing, `{"sharing":true}`, `{"sharing":true}`},
		"inside of an object": {audience, `{"targeting":{"places":["GB"]}}`, `{"targeting":{"places":["GB"],"automation":{"audience":0}}}`},
		"said inside":         {audience, `{"targeting":{"automation":{"audience":1}}}`, `{"targeting":{"automation":{"audience":1}}}`},
		"beside other words":  {audience, `{"targeting":{"automation":{"other":1}}}`, `{"targeting":{"automation":{"other":1,"audience":0}}}`},
		"said outside":        {audience, `{"targeting":{},"audience":1}`, `{"targeting":{},"audience":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := given(t, c.args)
			if err := c.rule.check(args); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(given(t, c.want), args); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A parameter inside of an object that another argument gave must not change that one.
func TestNestedParametersLeaveArgumentsAlone(t *testing.T) {
	t.Parallel()
	targeting := map[string]any{"automation": map[string]any{"other": json.Number("1")}}
	params := map[string]any{"targeting": targeting}
	setIn(params, "targeting.automation.audience", json.Number("1"))
	if diff := cmp.Diff(given(t, `{"targeting":{"automation":{"other":1,"audience":1}}}`), Args(params)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(given(t, `{"automation":{"other":1}}`), Args(targeting)); diff != "" {
		t.Errorf("the argument was changed: %s", diff)
	}
	flag := Bool("check", "").Flag("options", "validate_only")
	for _, v := range []any{true, false, true} {
		if err := put(params, &flag, v); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]any{"validate_only", "validate_only"}, params["options"]); diff != "" {
		t.Error(diff)
	}
}
