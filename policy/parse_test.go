package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"sluice/policy"
)

// tool is a document with one tool and this rule.
func tool(rule string) string {
	return `{"version":"1","default":"deny","tools":{"t":` + rule + `}}`
}

func limitOf(members string) string { return tool(`{"limits":[{` + members + `}]}`) }

// faultCases has a document for every code, with the fault that it shows.
var faultCases = []struct {
	name, document, code, pointer string
	fix                           string // part of it
}{
	{"empty", ``, "E_JSON", "", ""},
	{"array", `[]`, "E_JSON", "", ""},
	{"two documents", `{"version":"1","default":"deny"}{}`, "E_JSON", "", ""},
	{"comment", "{\n// x\n}", "E_JSON", "", ""},
	{"comma too many", `{"version":"1","default":"deny",}`, "E_JSON", "", ""},
	{"not UTF-8", "{\"version\":\"\xff\"}", "E_JSON", "", "UTF-8"},
	{"byte order mark", "\ufeff{}", "E_JSON", "", "without"},
	{"half a surrogate pair", `{"version":"\ud800"}`, "E_JSON", "", ""},
	{"30 twice at the top", `{"version":"1","version":"1","default":"deny"}`, "E_DUP_KEY", "/version", "keep one"},
	{"30 twice in an operand", tool(`{"deny_if":[{"conditions":[{"path":"args.a","op":"eq","value":{"x":1,"\u0078":2}}]}]}`), "E_DUP_KEY", "/tools/t/deny_if/0/conditions/0/value/x", ""},
	{"tool twice", `{"version":"1","default":"deny","tools":{"a/b":{},"a/b":{}}}`, "E_DUP_KEY", "/tools/a~1b", ""},
	{"too large", `{"version":"1","default":"deny","hide":["` + strings.Repeat("x", policy.MaxSize) + `"]}`, "E_SIZE", "", ""},
	{"too deep", tool(`{"deny_if":[{"conditions":[{"path":"args.a","op":"eq","value":` + strings.Repeat("[", 30) + strings.Repeat("]", 30) + `}]}]}`), "E_SIZE", "/tools/t/deny_if/0/conditions/0/value" + strings.Repeat("/0", 25), ""},
	{"too many tools", `{"version":"1","default":"deny","tools":{` + many(2001, `"t%d":{}`) + `}}`, "E_SIZE", "/tools", ""},
	{"too many rules", tool(`{"deny_if":[` + many(101, `{"conditions":[],"id":"r%d"}`) + `]}`), "E_SIZE", "/tools/t/deny_if", ""},
	{"too many limits", tool(`{"limits":[` + many(101, `{"counter":"c%d","window":"day","max":1}`) + `]}`), "E_SIZE", "/tools/t/limits", ""},
	{"too many with shorthands", tool(`{"action":"deny","deny_if":[` + many(100, `{"conditions":[],"id":"r%d"}`) + `]}`), "E_SIZE", "/tools/t", ""},
	{"too many conditions", tool(`{"deny_if":[{"conditions":[` + many(101, `{"path":"args.a%d","op":"eq","value":1}`) + `]}]}`), "E_SIZE", "/tools/t/deny_if/0/conditions", ""},
	{"30 version as a number", `{"version":1,"default":"deny"}`, "E_VERSION", "/version", `"version": "1"`},
	{"version missing", `{"default":"deny"}`, "E_VERSION", "/version", `"version": "1"`},
	{"version 2", `{"version":"2","default":"deny"}`, "E_VERSION", "/version", ""},
	{"default missing", `{"version":"1"}`, "E_DEFAULT", "/default", "deny"},
	{"default unknown", `{"version":"1","default":"block"}`, "E_DEFAULT", "/default", ""},
	{"default in capitals", `{"version":"1","default":"Deny"}`, "E_DEFAULT", "/default", ""},
	{"30 unknown key", `{"version":"1","default":"deny","x":1}`, "E_UNKNOWN_FIELD", "/x", "allowed here are"},
	{"misspelt default", `{"version":"1","defualt":"deny","default":"allow"}`, "E_UNKNOWN_FIELD", "/defualt", "`default`"},
	{"misspelt deny_if", tool(`{"denyIf":[]}`), "E_UNKNOWN_FIELD", "/tools/t/denyIf", "`deny_if`"},
	{"other capitals", tool(`{"Deny_If":[]}`), "E_UNKNOWN_FIELD", "/tools/t/Deny_If", "`deny_if`"},
	{"in the wrong place", `{"version":"1","default":"deny","limits":[]}`, "E_UNKNOWN_FIELD", "/limits", "belongs to"},
	{"misspelt on_deny", tool(`{"deny_if":[{"conditions":[],"onDeny":"x"}]}`), "E_UNKNOWN_FIELD", "/tools/t/deny_if/0/onDeny", "`on_deny`"},
	{"on_deny in approve_if", tool(`{"approve_if":[{"conditions":[],"on_deny":"x"}]}`), "E_UNKNOWN_FIELD", "/tools/t/approve_if/0/on_deny", ""},
	{"unknown in a condition", tool(`{"deny_if":[{"conditions":[{"path":"args.a","op":"eq","value":1,"negate":true}]}]}`), "E_UNKNOWN_FIELD", "/tools/t/deny_if/0/conditions/0/negate", ""},
	{"unknown in a limit", limitOf(`"counter":"c","window":"day","max":1,"per":"day"`), "E_UNKNOWN_FIELD", "/tools/t/limits/0/per", ""},
	{"unknown in all_tools", `{"version":"1","default":"deny","all_tools":{"deny_if":[]}}`, "E_UNKNOWN_FIELD", "/all_tools/deny_if", ""},
	{"unknown in rate_limit", tool(`{"rate_limit":{"max":1,"window":60,"burst":2}}`), "E_UNKNOWN_FIELD", "/tools/t/rate_limit/burst", ""},
	{"unknown in after", limitOf(`"counter":"c","after":{"tool":"x","within":5,"within_seconds":5}`), "E_UNKNOWN_FIELD", "/tools/t/limits/0/after/within", ""},
	{"tools an array", `{"version":"1","default":"deny","tools":[]}`, "E_TYPE", "/tools", ""},
	{"tool true", tool(`true`), "E_TYPE", "/tools/t", ""},
	{"deny_if an object", tool(`{"deny_if":{}}`), "E_TYPE", "/tools/t/deny_if", ""},
	{"rule a text", tool(`{"deny_if":["x"]}`), "E_TYPE", "/tools/t/deny_if/0", ""},
	{"on_deny a number", tool(`{"deny_if":[{"conditions":[],"on_deny":5}]}`), "E_TYPE", "/tools/t/deny_if/0/on_deny", ""},
	{"conditions an object", tool(`{"deny_if":[{"conditions":{}}]}`), "E_TYPE", "/tools/t/deny_if/0/conditions", ""},
	{"hide a text", `{"version":"1","default":"deny","hide":"a"}`, "E_TYPE", "/hide", ""},
	{"hide a number", `{"version":"1","default":"deny","hide":["a",5]}`, "E_TYPE", "/hide/1", ""},
	{"hide blank", `{"version":"1","default":"deny","hide":["a"," "]}`, "E_HIDE_EMPTY", "/hide/1", ""},
	{"hide twice", `{"version":"1","default":"deny","hide":["a","a"]}`, "E_HIDE_DUP", "/hide/1", ""},
	{"tool star", `{"version":"1","default":"deny","tools":{"*":{}}}`, "E_TOOL_NAME", "/tools/*", "all_tools"},
	{"tool blank", `{"version":"1","default":"deny","tools":{"":{}}}`, "E_TOOL_NAME", "/tools/", ""},
	{"tool with a newline", `{"version":"1","default":"deny","tools":{"a\nb":{}}}`, "E_TOOL_NAME", "/tools/a\nb", ""},
	{"no conditions", tool(`{"deny_if":[{}]}`), "E_CONDITIONS", "/tools/t/deny_if/0", "always"},
	{"empty require", tool(`{"require":[{"conditions":[]}]}`), "E_CONDITIONS", "/tools/t/require/0/conditions", "deny_if"},
	{"both forms", tool(`{"deny_if":[{"conditions":[],"path":"args.a"}]}`), "E_CONDITIONS", "/tools/t/deny_if/0", ""},
	{"path without args", cond(`"path":"amount","op":"eq","value":1`), "E_PATH", "/tools/t/deny_if/0/conditions/0/path", "args."},
	{"path alone", cond(`"path":"args","op":"eq","value":1`), "E_PATH", "/tools/t/deny_if/0/conditions/0/path", ""},
	{"path with a gap", cond(`"path":"args..a","op":"eq","value":1`), "E_PATH", "/tools/t/deny_if/0/conditions/0/path", ""},
	{"path with a space", cond(`"path":"args.a b","op":"eq","value":1`), "E_PATH", "/tools/t/deny_if/0/conditions/0/path", "quote"},
	{"path with an index", cond(`"path":"args.a[0]","op":"eq","value":1`), "E_PATH", "/tools/t/deny_if/0/conditions/0/path", "[*]"},
	{"path with an open quote", cond(`"path":"args[\"a","op":"eq","value":1`), "E_PATH", "/tools/t/deny_if/0/conditions/0/path", ""},
	{"path of all arguments", cond(`"path":"args[*]","op":"eq","value":1`), "E_PATH", "/tools/t/deny_if/0/conditions/0/path", ""},
	{"path behind $length", cond(`"path":"args.a.$length.b","op":"eq","value":1`), "E_PATH", "/tools/t/deny_if/0/conditions/0/path", ""},
	{"path missing", cond(`"op":"eq","value":1`), "E_PATH", "/tools/t/deny_if/0/conditions/0/path", ""},
	{"operator sign", cond(`"path":"args.a","op":">","value":1`), "E_OP", "/tools/t/deny_if/0/conditions/0/op", "`gt`"},
	{"operator misspelt", cond(`"path":"args.a","op":"contain","value":"x"`), "E_OP", "/tools/t/deny_if/0/conditions/0/op", "`contains`"},
	{"operator missing", cond(`"path":"args.a","value":"x"`), "E_OP", "/tools/t/deny_if/0/conditions/0/op", "exists"},
	{"value missing", cond(`"path":"args.a","op":"eq"`), "E_VALUE", "/tools/t/deny_if/0/conditions/0/value", ""},
	{"text for gt", cond(`"path":"args.a","op":"gt","value":"5"`), "E_VALUE", "/tools/t/deny_if/0/conditions/0/value", ""},
	{"text for in", cond(`"path":"args.a","op":"in","value":"EUR"`), "E_VALUE", "/tools/t/deny_if/0/conditions/0/value", ""},
	{"text for exists", cond(`"path":"args.a","op":"exists","value":"true"`), "E_VALUE", "/tools/t/deny_if/0/conditions/0/value", ""},
	{"number for regex", cond(`"path":"args.a","op":"regex","value":5`), "E_VALUE", "/tools/t/deny_if/0/conditions/0/value", ""},
	{"endless exponent", cond(`"path":"args.a","op":"lt","value":1e99999999999999999999`), "E_VALUE", "/tools/t/deny_if/0/conditions/0/value", ""},
	{"look-ahead", cond(`"path":"args.a","op":"regex","value":"^(?!x)"`), "E_REGEX", "/tools/t/deny_if/0/conditions/0/value", "RE2"},
	{"long pattern", cond(`"path":"args.a","op":"regex","value":"^` + strings.Repeat("a", 1000) + `$"`), "E_REGEX", "/tools/t/deny_if/0/conditions/0/value", ""},
	{"id twice", tool(`{"deny_if":[{"id":"a","conditions":[]},{"id":"a","conditions":[]}]}`), "E_ID", "/tools/t/deny_if/1/id", ""},
	{"id like a label", tool(`{"deny_if":[{"id":"args.a-eq","conditions":[]},{"conditions":[{"path":"args.a","op":"eq","value":1}]}]}`), "E_ID", "/tools/t/deny_if/0/id", ""},
	{"id a number", tool(`{"deny_if":[{"id":"1","conditions":[]}]}`), "E_ID", "/tools/t/deny_if/0/id", ""},
	{"wait too long", tool(`{"approve_if":[{"conditions":[],"wait_seconds":26}]}`), "E_APPROVE", "/tools/t/approve_if/0/wait_seconds", ""},
	{"no time to decide", tool(`{"approve_if":[{"conditions":[],"ttl_seconds":0}]}`), "E_APPROVE", "/tools/t/approve_if/0/ttl_seconds", ""},
	{"no approvers", tool(`{"approve_if":[{"conditions":[],"approvers":[]}]}`), "E_APPROVE", "/tools/t/approve_if/0/approvers", ""},
	{"approver twice", tool(`{"approve_if":[{"conditions":[],"approvers":["ann","ann"]}]}`), "E_APPROVE", "/tools/t/approve_if/0/approvers/1", ""},
	{"counter missing", limitOf(`"window":"day","max":1`), "E_COUNTER", "/tools/t/limits/0/counter", ""},
	{"counter blank", limitOf(`"counter":"","window":"day","max":1`), "E_COUNTER", "/tools/t/limits/0/counter", ""},
	{"counter long", limitOf(`"counter":"` + strings.Repeat("c", 65) + `","window":"day","max":1`), "E_COUNTER", "/tools/t/limits/0/counter", ""},
	{"window missing", limitOf(`"counter":"c","max":1`), "E_WINDOW", "/tools/t/limits/0/window", ""},
	{"window week", limitOf(`"counter":"c","window":"week","max":1`), "E_WINDOW", "/tools/t/limits/0/window", "window_seconds"},
	{"window a number", limitOf(`"counter":"c","window":60,"max":1`), "E_WINDOW", "/tools/t/limits/0/window", `"window_seconds": 60`},
	{"window twice", limitOf(`"counter":"c","window":"day","window_seconds":90,"max":1`), "E_WINDOW", "/tools/t/limits/0", ""},
	{"window of nothing", limitOf(`"counter":"c","window_seconds":0,"max":1`), "E_WINDOW", "/tools/t/limits/0/window_seconds", ""},
	{"max missing", limitOf(`"counter":"c","window":"day"`), "E_MAX", "/tools/t/limits/0/max", ""},
	{"max with a fraction", limitOf(`"counter":"c","window":"day","max":1.5`), "E_MAX", "/tools/t/limits/0/max", ""},
	{"max negative", limitOf(`"counter":"c","window":"day","max":-1`), "E_MAX", "/tools/t/limits/0/max", ""},
	{"max too large", limitOf(`"counter":"c","window":"day","max":1000000000001`), "E_MAX", "/tools/t/limits/0/max", ""},
	{"max a text", limitOf(`"counter":"c","window":"day","max":"30"`), "E_MAX", "/tools/t/limits/0/max", ""},
	{"scope unknown", limitOf(`"counter":"c","window":"day","max":1,"scope":"user"`), "E_SCOPE", "/tools/t/limits/0/scope", "session"},
	{"algorithm unknown", limitOf(`"counter":"c","window":"day","max":1,"algorithm":"leaky"`), "E_ALGORITHM", "/tools/t/limits/0/algorithm", ""},
	{"increment no path", limitOf(`"counter":"c","window":"day","max":1,"increment_from":"amount"`), "E_INCREMENT", "/tools/t/limits/0/increment_from", ""},
	{"increment for all tools", all(`"counter":"c","window":"day","max":1,"increment_from":"args.a"`), "E_INCREMENT", "/all_tools/limits/0/increment_from", ""},
	{"key no path", limitOf(`"counter":"c","window":"day","max":1,"key":"a"`), "E_KEY", "/tools/t/limits/0/key", ""},
	{"key of many", limitOf(`"counter":"c","window":"day","max":1,"key":"args.a[*].b"`), "E_KEY", "/tools/t/limits/0/key", ""},
	{"key for all tools", all(`"counter":"c","window":"day","max":1,"key":"args.a"`), "E_KEY", "/all_tools/limits/0/key", ""},
	{"after nothing", limitOf(`"counter":"c","window":"day","after":""`), "E_AFTER", "/tools/t/limits/0/after", ""},
	{"after itself", limitOf(`"counter":"c","window":"day","after":"t"`), "E_AFTER", "/tools/t/limits/0/after", "another"},
	{"after with a sum", limitOf(`"counter":"c","window":"day","after":"u","increment_from":"args.a"`), "E_AFTER", "/tools/t/limits/0/increment_from", ""},
	{"after for all tools", all(`"counter":"c","window":"day","after":"u"`), "E_AFTER", "/all_tools/limits/0/after", ""},
	{"after with one key", limitOf(`"counter":"c","window":"day","after":{"tool":"u","key":"args.a"}`), "E_AFTER", "/tools/t/limits/0/after/key", ""},
	{"counter twice", tool(`{"limits":[{"counter":"c","window":"day","max":1},{"counter":"c","window":"day","max":2,"scope":"grant"}]}`), "E_DUP_COUNTER", "/tools/t/limits/1", ""},
	{"counter twice by shorthand", tool(`{"limits":[{"counter":"t_rate","window":"minute","max":1}],"rate_limit":{"max":2,"window":60}}`), "E_DUP_COUNTER", "/tools/t/rate_limit", ""},
	{"action unknown", tool(`{"action":"block"}`), "E_ACTION", "/tools/t/action", "require_approval"},
	{"action misspelt", tool(`{"action":"require-aproval"}`), "E_ACTION", "/tools/t/action", "require_approval"},
	{"reason alone", tool(`{"reason":"x"}`), "E_ACTION", "/tools/t/reason", ""},
	{"reason to allow", tool(`{"action":"allow","reason":"x"}`), "E_ACTION", "/tools/t/reason", ""},
	{"rate limit as text", tool(`{"rate_limit":"10/minute"}`), "E_RATE_LIMIT", "/tools/t/rate_limit", "max"},
	{"rate limit without window", tool(`{"rate_limit":{"max":10}}`), "E_RATE_LIMIT", "/tools/t/rate_limit/window", ""},
	{"rate limit of a named window", tool(`{"rate_limit":{"max":10,"window":"minute"}}`), "E_RATE_LIMIT", "/tools/t/rate_limit/window", ""},

	{"hidden and ruled", `{"version":"1","default":"deny","hide":["a"],"tools":{"a":{}}}`, "W_HIDDEN_RULED", "/tools/a", ""},
	{"all hidden and ruled", `{"version":"1","default":"deny","hide":["*"],"tools":{"a":{}}}`, "W_HIDDEN_RULED", "/hide", ""},
	{"size without require", cond(`"path":"args.a","op":"gt","value":1`), "W_ORDER_NO_REQUIRE", "/tools/t/deny_if/0", ""},
	{"size with another requirement", tool(`{"require":[{"path":"args.b","op":"exists","value":true}],"deny_if":[{"conditions":[{"path":"args.a","op":"gt","value":1}]}]}`), "W_ORDER_NO_REQUIRE", "/tools/t/deny_if/0", "args.a"},
	{"no call", limitOf(`"counter":"c","window":"day","max":0`), "W_MAX_ZERO", "/tools/t/limits/0/max", ""},
	{"11 unanchored", cond(`"path":"args.a","op":"regex","value":"main"`), "W_REGEX_UNANCHORED", "/tools/t/deny_if/0/conditions/0/value", "^main$"},
	{"session only", limitOf(`"counter":"c","window":"day","max":5,"scope":"session"`), "W_SESSION_ONLY", "/tools/t/limits", ""},
	{"neq null", cond(`"path":"args.a","op":"neq","value":null`), "W_NEVER_TRUE", "/tools/t/deny_if/0/conditions/0/value", "exists"},
	{"in nothing", cond(`"path":"args.a","op":"in","value":[]`), "W_NEVER_TRUE", "/tools/t/deny_if/0/conditions/0/value", ""},
	{"after an unlisted tool", limitOf(`"counter":"c","window":"day","after":"u"`), "W_AFTER_NEVER", "/tools/t/limits/0/after", ""},
	{"action deny", tool(`{"action":"deny"}`), "N_ACTION", "/tools/t/action", ""},
	{"rate limit", tool(`{"rate_limit":{"max":10,"window":60}}`), "N_RATE_LIMIT", "/tools/t/rate_limit", ""},
	{"bare condition", tool(`{"deny_if":[{"path":"args.a","op":"eq","value":1}]}`), "N_CONDITION", "/tools/t/deny_if/0", ""},
	{"named window in seconds", limitOf(`"counter":"c","window_seconds":3600,"max":1`), "N_WINDOW", "/tools/t/limits/0/window_seconds", ""},
	{"after with its time", limitOf(`"counter":"c","after":{"tool":"u","within_seconds":1800}`), "N_AFTER", "/tools/t/limits/0/after", ""},
	{"after with max", limitOf(`"counter":"c","window":"day","max":1,"after":"u"`), "N_AFTER", "/tools/t/limits/0/max", ""},
}

func cond(members string) string { return tool(`{"deny_if":[{"conditions":[{` + members + `}]}]}`) }

func all(members string) string {
	return `{"version":"1","default":"deny","all_tools":{"limits":[{` + members + `}]}}`
}

func many(n int, format string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf(format, i)
	}
	return strings.Join(parts, ",")
}

func TestFaults(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{"W_UNKNOWN_TOOL": true} // by TestUnknownTools
	for _, c := range faultCases {
		shown[c.code] = true
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, faults := policy.Parse([]byte(c.document))
			if (d == nil) != strings.HasPrefix(c.code, "E_") {
				t.Errorf("document %v with %v", d, faults)
			}
			for _, f := range faults {
				if f.Message == "" {
					t.Errorf("a fault says nothing: %+v", f)
				}
				if f.Code == c.code && f.Pointer == c.pointer && strings.Contains(f.Fix, c.fix) {
					return
				}
			}
			t.Errorf("no %s at %q with %q; got %+v", c.code, c.pointer, c.fix, faults)
		})
	}
	for _, c := range policy.Codes() {
		if !shown[c.Code] {
			t.Errorf("no document shows %s", c.Code)
		}
		delete(shown, c.Code)
	}
	delete(shown, "W_UNKNOWN_TOOL")
	for code := range shown {
		t.Errorf("the table of codes lacks %s", code)
	}
}

// All faults are reported at once, in one reading.
func TestAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	_, faults := policy.Parse([]byte(`{"version":1,"defualt":"deny","hide":[""],"tools":{"a":{"denyif":[],"require":[{"conditions":[]}],
		"limits":[{"counter":"","window":"week","max":-1,"scope":"x"}]},"*":{}}}`))
	want := []string{"E_VERSION", "E_DEFAULT", "E_UNKNOWN_FIELD", "E_HIDE_EMPTY", "E_CONDITIONS", "E_COUNTER", "E_WINDOW", "E_MAX", "E_SCOPE", "E_TOOL_NAME"}
	have := map[string]bool{}
	for _, f := range faults {
		have[f.Code] = true
	}
	for _, code := range want {
		if !have[code] {
			t.Errorf("%s is not reported", code)
		}
	}
}

func TestUnknownTools(t *testing.T) {
	t.Parallel()
	d := parse(t, `{"version":"1","default":"deny","hide":["gone","*"],"tools":{"read_campain":{},"update/x":{"limits":[{"counter":"c","window":"day","after":"other"}]},"known":{}}}`)
	faults := d.Unknown([]string{"known", "read_campaign"})
	want := []string{"/hide/0", "/tools/read_campain", "/tools/update~1x", "/tools/update~1x/limits/0/after"}
	if len(faults) != len(want) {
		t.Fatalf("%+v", faults)
	}
	for i, f := range faults {
		if f.Code != "W_UNKNOWN_TOOL" || f.Pointer != want[i] {
			t.Errorf("%+v, wanted %s", f, want[i])
		}
	}
	if !strings.Contains(faults[1].Fix, "read_campaign") {
		t.Errorf("no hint: %+v", faults[1])
	}
}

// What is fine is not warned of.
func TestNoFaults(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"size with its requirement":  tool(`{"require":[{"conditions":[{"path":"args.a","op":"exists","value":true}]}],"deny_if":[{"conditions":[{"path":"args.a","op":"gt","value":1}]}]}`),
		"anchored pattern":           cond(`"path":"args.a","op":"regex","value":"^main$"`),
		"session beside grant":       tool(`{"limits":[{"counter":"c","window":"day","max":1},{"counter":"c","window":"day","max":1,"scope":"session"}]}`),
		"after a listed tool":        `{"version":"1","default":"deny","tools":{"u":{},"t":{"limits":[{"counter":"c","window":"day","after":"u"}]}}}`,
		"after under default allow":  `{"version":"1","default":"allow","tools":{"t":{"limits":[{"counter":"c","window":"day","after":"u"}]}}}`,
		"one counter in two windows": tool(`{"limits":[{"counter":"c","window":"day","max":9},{"counter":"c","window":"hour","max":3},{"counter":"c","window":"hour","max":3,"scope":"org"}]}`),
		"largest max":                limitOf(`"counter":"c","window":"day","max":1000000000000`),
		"name with a dot":            `{"version":"1","default":"deny","tools":{"a.b/c":{}}}`,
		"id in two lists":            tool(`{"require":[{"id":"a","conditions":[{"path":"args.a","op":"exists","value":true}]}],"deny_if":[{"id":"a","conditions":[]}]}`),
	} {
		if d, faults := policy.Parse([]byte(document)); d == nil || len(faults) > 0 {
			t.Errorf("%s: %+v", name, faults)
		}
	}
}
