package policytool_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sluice/internal/policytool"
	"sluice/policy"
)

// imported imports what has no fault.
func imported(t *testing.T, text string, o policytool.ImportOptions) *policytool.Imported {
	t.Helper()
	done, troubles := policytool.Import([]byte(text), o)
	if done == nil {
		t.Fatalf("not imported: %v", troubles)
	}
	if doc, faults := policy.Parse(done.Document); doc == nil || !bytes.Equal(doc.Canonical(), done.Document) {
		t.Fatalf("%s: %v", done.Document, faults)
	}
	return done
}

func TestAnInterceptPolicyKeepsItsMeaning(t *testing.T) {
	t.Parallel()
	done := imported(t, `
version: "1"
description: "events"
default: deny
hide: [delete_dataset]
tools:
  upload_events:
    rules:
      - name: "hourly"
        rate_limit: 50/hour
      - name: "daily value"
        conditions:
          - {path: state.upload_events.value, op: lte, value: 20000}
          - {path: args.currency, op: in, value: [EUR, "USD", 3, true, null]}
        state: {counter: value, window: day, increment_from: args.total}
        on_deny: "Daily value reached"
  drop_all:
    rules: [{name: no, action: deny, on_deny: "Never."}]
  read_it: {rules: []}
  bare:
  "*":
    rules:
      - {name: all, rate_limit: 100/minute}
      - name: region
        conditions: [{path: args.region, op: neq, value: "us"}]
`, policytool.ImportOptions{})
	want := `{"version":"1","default":"deny","hide":["delete_dataset"],
	"all_tools":{"limits":[{"counter":"all_rate","window":"minute","max":100,"scope":"server"}]},
	"tools":{
	"bare":{"require":[{"conditions":[{"path":"args.region","op":"neq","value":"us"}]}]},
	"drop_all":{"require":[{"conditions":[{"path":"args.region","op":"neq","value":"us"}]}],"deny_if":[{"conditions":[],"on_deny":"Never."}]},
	"read_it":{"require":[{"conditions":[{"path":"args.region","op":"neq","value":"us"}]}]},
	"upload_events":{
	  "require":[{"conditions":[{"path":"args.currency","op":"in","value":["EUR","USD",3,true,null]}],"on_deny":"Daily value reached"},
	             {"conditions":[{"path":"args.region","op":"neq","value":"us"}]}],
	  "limits":[{"counter":"upload_events_rate","window":"hour","max":50,"scope":"server"},
	            {"counter":"value","window":"day","max":20000,"scope":"server","increment_from":"args.total","on_deny":"Daily value reached"}]}}}`
	same(t, done.Document, want)
	for _, r := range done.Reach {
		if r.Changed {
			t.Errorf("%s was %s and is %s", r.Tool, r.Before, r.After)
		}
	}
	if len(done.Reach) != 6 || done.Reach[5].Tool != "(every other tool)" || done.Reach[5].After != "denied" {
		t.Errorf("%v", done.Reach)
	}
}

// same compares two documents as values.
func same(t *testing.T, got json.RawMessage, want string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("got\n%s\nwant\n%s", policytool.Pretty(got), want)
	}
}

func TestLimitsOfInterceptAreCarriedOver(t *testing.T) {
	t.Parallel()
	const head = "version: \"1\"\ntools:\n  a:\n    rules:\n"
	for name, c := range map[string]struct {
		rule  string
		limit string // of tool a; empty: it is denied
		note  string
	}{
		"rate":               {`{name: x, rate_limit: 5/day}`, `{"counter":"a_rate","window":"day","max":5,"scope":"server"}`, ""},
		"lt is one less":     {`{name: x, conditions: [{path: state.a.n, op: lt, value: 5}], state: {counter: n, window: hour}}`, `{"counter":"n","window":"hour","max":4,"scope":"server"}`, ""},
		"fractions are cut":  {`{name: x, conditions: [{path: state.a.n, op: lte, value: 5.9}], state: {counter: n, window: hour}}`, `{"counter":"n","window":"hour","max":5,"scope":"server"}`, ""},
		"steps":              {`{name: x, conditions: [{path: state.a.n, op: lte, value: 10}], state: {counter: n, window: hour, increment: 3}}`, `{"counter":"n","window":"hour","max":3,"scope":"server"}`, "counted 3"},
		"nothing left":       {`{name: x, conditions: [{path: state.a.n, op: lt, value: 0}], state: {counter: n, window: hour}}`, `{"counter":"n","window":"hour","max":0,"scope":"server"}`, ""},
		"zero counts as one": {`{name: x, conditions: [{path: state.a.n, op: lte, value: 10}], state: {counter: n, window: hour, increment: 0}}`, `{"counter":"n","window":"hour","max":10,"scope":"server"}`, ""},
		"the lower of two":   {`{name: x, conditions: [{path: state.a.n, op: lte, value: 10}, {path: state.a.n, op: lt, value: 3}], state: {counter: n, window: hour}}`, `{"counter":"n","window":"hour","max":2,"scope":"server"}`, "lowest"},
		"another's counter":  {`{name: x, conditions: [{path: state.b.n, op: lte, value: 10}]}`, "", "the tool is denied"},
		"a counter of all":   {`{name: x, conditions: [{path: state._global.n, op: lte, value: 10}], state: {counter: n, window: hour}}`, "", "the tool is denied"},
		"another operator":   {`{name: x, conditions: [{path: state.a.n, op: gte, value: 10}], state: {counter: n, window: hour}}`, "", "the tool is denied"},
		"an exponent":        {`{name: x, conditions: [{path: state.a.n, op: lte, value: 1e99999999}], state: {counter: n, window: hour}}`, "", "the tool is denied"},
	} {
		done := imported(t, head+"      - "+c.rule+"\n", policytool.ImportOptions{})
		rule := `{"deny_if":[{"conditions":[],"on_deny":"Denied: a rule of this tool could not be imported."}]}`
		if c.limit != "" {
			rule = `{"limits":[` + c.limit + `]}`
		}
		t.Run(name, func(t *testing.T) {
			same(t, done.Document, `{"version":"1","default":"allow","tools":{"a":`+rule+`}}`)
			if got := fmt.Sprint(done.Notes); !strings.Contains(got, c.note) {
				t.Errorf("notes %s, want %q", got, c.note)
			}
			if changed := done.Reach[0].Changed; changed != (c.limit == "") {
				t.Errorf("%v", done.Reach[0])
			}
		})
	}
	done := imported(t, head+"      - {name: x, rate_limit: 5/day}\n", policytool.ImportOptions{Scope: policy.PerGrant})
	same(t, done.Document, `{"version":"1","default":"allow","tools":{"a":{"limits":[{"counter":"a_rate","window":"day","max":5,"scope":"grant"}]}}}`)
}

func TestACounterOfEveryToolStaysOne(t *testing.T) {
	t.Parallel()
	done := imported(t, "version: \"1\"\ntools:\n  \"*\":\n    rules:\n      - {name: x, conditions: [{path: state._global.n, op: lte, value: 7}], state: {counter: n, window: day}}\n", policytool.ImportOptions{})
	same(t, done.Document, `{"version":"1","default":"allow","all_tools":{"limits":[{"counter":"n","window":"day","max":7,"scope":"server"}]}}`)
}

func TestADenialOfEveryToolDeniesEveryTool(t *testing.T) {
	t.Parallel()
	done := imported(t, "version: \"1\"\ndefault: allow\ntools:\n  a: {rules: []}\n  \"*\": {rules: [{name: stop, action: deny}]}\n", policytool.ImportOptions{})
	doc, _ := policy.Parse(done.Document)
	for _, tool := range []string{"a", "b"} {
		if doc.Compile().Decide(policy.Call{Tool: tool}).Verdict != policy.Deny {
			t.Errorf("%s is not denied", tool)
		}
	}
	for _, r := range done.Reach {
		if r.Before != "denied" || r.Changed {
			t.Errorf("%v", r)
		}
	}
}

func TestWhatInterceptIgnoresIsRefusedWithItsLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text, want string
		line       int
	}{
		"misspelt default":      {"version: \"1\"\ndefualt: deny\n", "default", 2},
		"no version":            {"default: deny\n", "version", 1},
		"another version":       {"version: \"2\"\n", "version", 1},
		"default":               {"version: \"1\"\ndefault: maybe\n", "allow nor deny", 2},
		"key of a tool":         {"version: \"1\"\ntools:\n  a:\n    rule: []\n", "rules", 4},
		"key of a rule":         {"version: \"1\"\ntools:\n  a:\n    rules:\n      - name: x\n        actoin: deny\n", "action", 6},
		"action":                {"version: \"1\"\ntools:\n  a:\n    rules:\n      - name: x\n        action: require_approval\n", "approve_if", 6},
		"operator":              {"version: \"1\"\ntools:\n  a:\n    rules:\n      - name: x\n        conditions: [{path: args.x, op: startsWith, value: 1}]\n", "no operator", 6},
		"path":                  {"version: \"1\"\ntools:\n  a:\n    rules:\n      - name: x\n        conditions: [{path: x, op: eq, value: 1}]\n", "args.", 6},
		"no value":              {"version: \"1\"\ntools:\n  a:\n    rules:\n      - name: x\n        conditions: [{path: args.x, op: eq}]\n", "no value", 6},
		"rate":                  {"version: \"1\"\ntools:\n  a:\n    rules:\n      - name: x\n        rate_limit: 5/second\n", "minute", 6},
		"rate and deny":         {"version: \"1\"\ntools:\n  a:\n    rules:\n      - name: x\n        action: deny\n        rate_limit: 5/minute\n", "two rules", 7},
		"deny with conditions":  {"version: \"1\"\ntools:\n  a:\n    rules:\n      - name: x\n        action: deny\n        conditions: [{path: args.x, op: eq, value: 1}]\n", "can't have", 5},
		"a rule of nothing":     {"version: \"1\"\ntools:\n  a:\n    rules:\n      - name: x\n", "says nothing", 5},
		"gives quota back":      {"version: \"1\"\ntools:\n  a:\n    rules:\n      - name: x\n        conditions: [{path: state.a.n, op: lte, value: 1}]\n        state: {counter: n, window: day, increment: -1}\n", "whole number", 7},
		"octal":                 {"version: \"1\"\ntools:\n  a:\n    rules:\n      - name: x\n        conditions: [{path: args.x, op: lt, value: 0o17}]\n", "decimal", 6},
		"regex":                 {"version: \"1\"\ntools:\n  a:\n    rules:\n      - name: x\n        conditions: [{path: args.x, op: regex, value: '('}]\n", "E_REGEX", 5},
		"arguments of all":      {"version: \"1\"\ntools:\n  \"*\":\n    rules:\n      - name: x\n        conditions: [{path: args.x, op: eq, value: 1}]\n", "default: allow", 5},
		"a sum over all":        {"version: \"1\"\ntools:\n  \"*\":\n    rules:\n      - name: x\n        conditions: [{path: state._global.n, op: lte, value: 1}]\n        state: {counter: n, window: day, increment_from: args.x}\n", "sum", 5},
		"state of one, for all": {"version: \"1\"\ntools:\n  \"*\":\n    rules:\n      - name: x\n        conditions: [{path: state.a.n, op: lte, value: 1}]\n", "counters", 5},
		"twice":                 {"version: \"1\"\ndefault: deny\ndefault: allow\n", "twice", 3},
		"hidden twice":          {"version: \"1\"\nhide: [a, a]\n", "twice", 2},
		"anchor":                {"version: \"1\"\nhide: &x [a]\n", "anchors", 2},
		"two documents":         {"version: \"1\"\n---\nversion: \"1\"\n", "more than one", 3},
		"no YAML":               {"version: [\n", "YAML", 1},
		"empty":                 {"", "empty", 1},
		"bytes":                 {"version: \xff", "UTF-8", 1},
		"a list":                {"- a\n", "object", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			done, troubles := policytool.Import([]byte(c.text), policytool.ImportOptions{})
			if done != nil {
				t.Fatalf("taken: %s", done.Document)
			}
			if !slices.ContainsFunc(troubles, func(x policytool.Trouble) bool {
				return x.Line == c.line && strings.Contains(x.Message+" "+x.Fix, c.want)
			}) {
				t.Errorf("%+v, want line %d, %q", troubles, c.line, c.want)
			}
		})
	}
}

func FuzzImport(f *testing.F) {
	f.Add("version: \"1\"\ndefault: deny\ntools:\n  a:\n    rules:\n      - {name: x, rate_limit: 5/day}\n")
	f.Add("version: \"1\"\ntools:\n  \"*\": {rules: [{name: s, action: deny}]}\n")
	f.Add("version: \"1\"\ntools: {a: {rules: [{conditions: [{path: state.a.n, op: lt, value: -3}], state: {counter: n, window: day}}]}}\n")
	f.Fuzz(func(t *testing.T, text string) {
		done, troubles := policytool.Import([]byte(text), policytool.ImportOptions{})
		if (done == nil) == (len(troubles) == 0) {
			t.Fatalf("neither imported nor refused: %v", troubles)
		}
		if done == nil {
			return
		}
		doc, faults := policy.Parse(done.Document)
		if doc == nil || !bytes.Equal(doc.Canonical(), done.Document) {
			t.Fatalf("%s: %v", done.Document, faults)
		}
		for _, r := range done.Reach {
			if (r.Before == "denied" || r.Before == "hidden") && r.After != r.Before {
				t.Errorf("%s was %s and is %s", r.Tool, r.Before, r.After)
			}
		}
	})
}
