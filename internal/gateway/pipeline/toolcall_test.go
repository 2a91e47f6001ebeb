package pipeline_test

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/gateway/pipeline"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/registry"
)

const readsOnly = `{"version":"1","default":"deny","tools":{"read":{}}}`

// Vectors 1 to 6 of the specification, as an agent and the record see them.
func TestDecisions(t *testing.T) {
	t.Parallel()
	blocked := `{"version":"1","default":"deny","tools":{"stop":{"deny_if":[{"conditions":[],"on_deny":"Not on a Friday."}]}}}`
	both := `{"version":"1","default":"deny","tools":{"pay":{"require":[{"conditions":[{"path":"args.currency","op":"eq","value":"EUR"}],"on_deny":"Only euros."}],` +
		`"deny_if":[{"conditions":[{"path":"args.amount","op":"gt","value":100}],"on_deny":"Too much."}]}}}`
	tests := []struct {
		name, policy, tool, arguments string
		code                          string // on the wire; empty: it is forwarded
		rule, text                    string // on the wire
		recorded                      string // code in the record, where it differs
	}{
		{name: "1 grant without policy", tool: "read", code: "no_policy", rule: "(no policy)", text: "[POLICY DENIED] No policy"},
		{name: "2 listed under default deny", policy: readsOnly, tool: "read"},
		{name: "2 unlisted under default deny", policy: readsOnly, tool: "write", code: "default_deny", rule: "(default deny)", text: "[POLICY DENIED] This tool is not permitted."},
		{name: "3 hidden by name", policy: `{"version":"1","default":"deny","hide":["read"],"tools":{"read":{}}}`, tool: "read",
			code: "default_deny", rule: "(default deny)", text: "[POLICY DENIED] This tool is not permitted.", recorded: "hidden"},
		{name: "3 everything hidden", policy: `{"version":"1","default":"deny","hide":["*"],"tools":{"read":{}}}`, tool: "read",
			code: "default_deny", rule: "(default deny)", recorded: "hidden"},
		{name: "4 hidden and unlisted", policy: `{"version":"1","default":"deny","hide":["gone"],"tools":{}}`, tool: "gone",
			code: "default_deny", rule: "(default deny)", recorded: "hidden"},
		{name: "5 names are exact", policy: `{"version":"1","default":"deny","tools":{"tool_a":{}}}`, tool: "Tool_A", code: "default_deny", rule: "(default deny)"},
		{name: "6 unconditional, with its message", policy: blocked, tool: "stop", code: "denied", text: "[POLICY DENIED] Not on a Friday."},
		{name: "7 a number under the bound", policy: both, tool: "pay", arguments: `{"currency":"EUR","amount":1e2}`},
		{name: "7 a number above it", policy: both, tool: "pay", arguments: `{"currency":"EUR","amount":100.01}`, code: "denied",
			rule: "/tools/pay/deny_if/args.amount-gt", text: "[POLICY DENIED] Too much."},
		{name: "7 a number as text", policy: both, tool: "pay", arguments: `{"currency":"EUR","amount":"500"}`, code: "denied"},
		{name: "12 require comes first", policy: both, tool: "pay", arguments: `{"currency":"USD","amount":500}`, code: "require_failed",
			rule: "/tools/pay/require/args.currency-eq", text: "[POLICY DENIED] Only euros."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var documents []string
			if tt.policy != "" {
				documents = []string{tt.policy}
			}
			d := newDesk(t, documents...)
			if tt.arguments == "" {
				tt.arguments = "{}"
			}
			a := d.call(tt.tool, tt.arguments)
			rec := d.books.last(t)
			if tt.code == "" {
				if a.code() != "" || a.isError || d.forwarded() != 1 || rec.Decision != "allow" || rec.Code != "" {
					t.Fatalf("not forwarded: %s, recorded %+v", a.raw, rec)
				}
				return
			}
			if d.forwarded() != 0 {
				t.Fatal("it was forwarded")
			}
			if !a.isError || a.code() != tt.code || a.says("decision") != "deny" || !strings.HasPrefix(a.text, tt.text) || a.kind != "complete" {
				t.Errorf("the answer is %s", a.raw)
			}
			if tt.rule != "" && a.says("rule") != tt.rule {
				t.Errorf("the rule is %q, want %q", a.says("rule"), tt.rule)
			}
			if tt.recorded == "" {
				tt.recorded = tt.code
			}
			if rec.Decision != "deny" || rec.Code != tt.recorded || rec.Tool != tt.tool || rec.Phase != audit.PhaseDecision {
				t.Errorf("recorded %+v", rec)
			}
			if rec.Request == "" || a.says("request_id") != rec.Request {
				t.Errorf("the answer names request %q, the record %q", a.says("request_id"), rec.Request)
			}
		})
	}
}

// A hidden name and an unlisted one are told the same, whichever policy hides it.
func TestAHiddenNameAnswersLikeAnUnlistedOne(t *testing.T) {
	t.Parallel()
	hides := `{"version":"1","default":"allow","hide":["secret"],"tools":{}}`
	for name, documents := range map[string][]string{
		"by the policy that denies": {`{"version":"1","default":"deny","hide":["secret"],"tools":{"secret":{},"read":{}}}`},
		"by the server's own":       {hides, readsOnly},
		"by the grant's":            {readsOnly, hides},
		"by one that lists it":      {`{"version":"1","default":"deny","tools":{"secret":{}}}`, hides},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, documents...)
			strip := func(a *answer) string {
				return strings.ReplaceAll(a.raw, a.says("request_id"), "")
			}
			if hidden, unknown := strip(d.call("secret", "{}")), strip(d.call("never", "{}")); hidden != unknown {
				t.Errorf("they differ:\n%s\n%s", hidden, unknown)
			}
		})
	}
}

// All policies have to allow; the denial names the one that did not.
func TestEveryPolicyHasToAllow(t *testing.T) {
	t.Parallel()
	d := newDesk(t, `{"version":"1","default":"allow","tools":{"write":{"deny_if":[{"conditions":[],"on_deny":"Never here."}]}}}`,
		`{"version":"1","default":"deny","tools":{"read":{},"write":{}}}`)
	if a := d.call("read", "{}"); a.code() != "" {
		t.Errorf("both allow: %s", a.raw)
	}
	if a := d.call("write", "{}"); a.code() != "denied" || a.says("policy") != "p0" || a.says("policy_version") != "1" {
		t.Errorf("the first denies: %s", a.raw)
	}
	if a := d.call("other", "{}"); a.code() != "default_deny" || a.says("policy") != "p1" {
		t.Errorf("the second denies: %s", a.raw)
	}
	if rec := d.books.last(t); rec.Policy != "pol_1" || rec.PolicyVersion != 1 || rec.PolicyHash == "" {
		t.Errorf("the record names %s %d", rec.Policy, rec.PolicyVersion)
	}
}

func TestAPolicyThatCantBeReadDenies(t *testing.T) {
	t.Parallel()
	d := newDesk(t, readsOnly)
	s := *d.dir.all["ann"]
	s.Policies = slices.Clone(s.Policies)
	s.Policies[0].Policy = nil
	d.dir.put("ann", &s)
	if a := d.call("read", "{}"); a.code() != "policy_invalid" || d.forwarded() != 0 {
		t.Errorf("the answer is %s", a.raw)
	}
}

// What is forwarded is what was judged, byte for byte.
func TestTheVeryMessageIsForwarded(t *testing.T) {
	t.Parallel()
	d := newDesk(t, readsOnly)
	c := modern(t, `"a/b"`, "tools/call", `"arguments" : { "b":1.50, "a" :"\u00e9"}, "name":"read","x":[ 1 ]`, `{}`)
	d.with(d.front, c)
	if heard := d.up.log(); len(heard) != 1 || heard[0] != string(c.Message.Raw) {
		t.Errorf("the upstream heard %q", heard)
	}
}

func TestMalformedCallsAreRefused(t *testing.T) {
	t.Parallel()
	for name, params := range map[string]string{
		"arguments are an array": `"name":"read","arguments":[]`,
		"arguments are null":     `"name":"read","arguments":null`,
		"arguments are text":     `"name":"read","arguments":"{}"`,
		"no name":                `"arguments":{}`,
		"an empty name":          `"name":"","arguments":{}`,
		"the name is a number":   `"name":7,"arguments":{}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, `{"version":"1","default":"allow","tools":{}}`)
			if a := readAnswer(t, d.say("7", "tools/call", params)); a.failed != mcpwire.CodeInvalidParams || len(d.up.log()) != 0 {
				t.Errorf("the answer is %s, the upstream heard %q", a.raw, d.up.log())
			}
		})
	}
	t.Run("no id", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, `{"version":"1","default":"allow","tools":{}}`)
		for _, method := range []string{"tools/call", "tools/list", "Tools/Call"} {
			err := d.front.Notify(t.Context(), message(t, `{"jsonrpc":"2.0","method":"`+method+`","params":{"name":"read"}}`))
			if err == nil || len(d.up.log()) != 0 {
				t.Errorf("%s: the upstream heard %q", method, d.up.log())
			}
		}
	})
}

// Under default deny only what the protocol needs passes, and what the server's settings
// name. Writing a method in another way gets it nowhere, under any policy.
func TestMethodGate(t *testing.T) {
	t.Parallel()
	allowAll := `{"version":"1","default":"allow","tools":{}}`
	tests := []struct {
		policy, method string
		allowed        []string
		passes         bool
	}{
		{readsOnly, "ping", nil, true},
		{readsOnly, "server/discover", nil, true},
		{readsOnly, "logging/setLevel", nil, true},
		{readsOnly, "tools/list", nil, true},
		{readsOnly, "resources/read", nil, false},
		{readsOnly, "prompts/get", nil, false},
		{readsOnly, "completion/complete", nil, false},
		{readsOnly, "sampling/createMessage", nil, false},
		{readsOnly, "x/extension", nil, false},
		{readsOnly, "tasks/list", nil, false},
		{readsOnly, "tools/describe", nil, false},
		{readsOnly, "resources/read", []string{"resources/*"}, true},
		{readsOnly, "resources/templates/list", []string{"resources/*"}, true},
		{readsOnly, "resources/read", []string{"resources/list"}, false},
		{readsOnly, "resources/", []string{"resources/*"}, false},
		{readsOnly, "resourcesx/read", []string{"resources/*"}, false},
		{readsOnly, "prompts/get", []string{"prompts/get"}, true},
		{readsOnly, "Prompts/Get", []string{"prompts/get"}, false},
		{allowAll, "resources/read", nil, true},
		{allowAll, "x/extension", nil, true},
		{allowAll, "Tools/Call", nil, false},
		{allowAll, "tools/CALL", nil, false},
		{allowAll, "tools//call", nil, false},
		{allowAll, " tools/call", nil, false},
		{allowAll, "tool\u017f/call", nil, false},
		{allowAll, "TOOLS/LIST", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+strings.Join(tt.allowed, " "), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, tt.policy)
			s := *d.dir.all["ann"]
			s.Settings.Methods = tt.allowed
			d.dir.put("ann", &s)
			a := readAnswer(t, d.say("7", tt.method, ""))
			switch heard := len(d.up.log()); {
			case tt.passes:
				if a.failed != 0 || heard != 1 {
					t.Errorf("it does not pass: %s", a.raw)
				}
			case a.failed != mcpwire.CodeMethodNotFound || heard != 0 || !strings.Contains(a.raw, `"code":"method_not_allowed"`):
				t.Errorf("it passes: %s", a.raw)
			case d.books.last(t).Code != "method_not_allowed" || d.books.last(t).Method != tt.method:
				t.Errorf("recorded %+v", d.books.last(t))
			}
		})
	}
}

func TestNotificationsPass(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	s := d.open(`{}`)
	for _, raw := range []string{
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`,
		`{"jsonrpc":"2.0","id":3,"result":{}}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`,
	} {
		if err := s.Notify(t.Context(), message(t, raw)); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
	d.dir.put("ann", nil)
	if err := s.Notify(t.Context(), message(t, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)); err != nil {
		t.Errorf("who may not call any more can't take back a call: %v", err)
	}
	if err := s.Notify(t.Context(), message(t, `{"jsonrpc":"2.0","id":3,"result":{}}`)); !errors.Is(err, &exchange.Error{Code: exchange.GrantEnded}) {
		t.Errorf("who may not call any more answers: %v", err)
	}
	if heard := d.up.log(); len(heard) != 4 {
		t.Errorf("the upstream heard %q", heard)
	}
	if len(d.books.calls) != 0 {
		t.Errorf("recorded %+v", d.books.calls)
	}
}

// Vector 21: a revoked grant ends in the middle of its session.
func TestARevokedGrantEnds(t *testing.T) {
	t.Parallel()
	d := newDesk(t, readsOnly)
	s := d.open(`{}`)
	if a := readAnswer(t, d.with(s, legacy(t, "1", "tools/call", `"name":"read"`))); a.code() != "" {
		t.Fatalf("the first call: %s", a.raw)
	}
	d.dir.put("ann", nil)
	for _, c := range []*exchange.Call{legacy(t, "2", "tools/call", `"name":"read"`), legacy(t, "3", "tools/list", ``), legacy(t, "4", "ping", ``)} {
		if err := s.Call(t.Context(), c, newTape()); !errors.Is(err, &exchange.Error{Code: exchange.GrantEnded}) {
			t.Errorf("%s: %v", c.Message.Method, err)
		}
	}
	if d.forwarded() != 1 {
		t.Error("a call was forwarded")
	}
}

// unsure is a directory that can't read who may call.
type unsure struct{ *directory }

func (unsure) Available() error { return errBroken }

// Clients throw away a token that is refused. One that nobody can look up is not.
func TestACallerThatCantBeLookedUpIsNotRefusedForGood(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	front := pipeline.New(pipeline.Options{Directory: unsure{newDirectory()}, Store: d.books, Keys: d.keys, Server: labServer}).Wrap(d.up)
	err := front.Call(t.Context(), modern(t, "1", "tools/list", "", `{}`), newTape())
	var e *exchange.Error
	if !errors.As(err, &e) || e.Code != exchange.Unavailable || !e.Retryable() || len(d.up.log()) != 0 {
		t.Errorf("it ended with %v", err)
	}
}

// Under default deny a server may not ask the client's model or its user, unless the
// settings name that: it is told that the client can't be asked.
func TestAServerIsNotToldWhatItMayNotAskFor(t *testing.T) {
	t.Parallel()
	const all = `{"elicitation":{"form":{},"url":{}},"roots":{},"sampling":{}}`
	tests := []struct {
		name, policy string
		methods      []string
		told         string
	}{
		{name: "default deny", policy: readsOnly, told: `{"roots":{}}`},
		{name: "default allow", policy: `{"version":"1","default":"allow","tools":{}}`, told: all},
		{name: "both are named", policy: readsOnly, methods: []string{"sampling/*", "elicitation/create"}, told: all},
		{name: "one is named", policy: readsOnly, methods: []string{"sampling/createMessage"}, told: `{"roots":{},"sampling":{}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, tt.policy)
			s := *d.dir.all["ann"]
			s.Settings.Methods = tt.methods
			d.dir.put("ann", &s)
			var told []string
			d.up.answer = func(_ context.Context, c *exchange.Call, _ exchange.Sink) (bool, error) {
				told = append(told, string(c.Message.Bytes(c.Message.Capabilities)))
				return false, nil
			}
			d.with(d.front, modern(t, "1", "tools/call", `"name":"read","arguments":{}`, all))
			d.with(d.front, modern(t, "2", "tools/list", "", all))
			if len(told) != 2 || told[0] != tt.told || told[1] != tt.told {
				t.Errorf("a modern call told %q", told)
			}
			up := &greeted{script: d.up}
			d.front = d.pipe.Wrap(up)
			d.open(all)
			if hello := up.hello; !strings.Contains(hello, `"capabilities":`+tt.told+`,`) {
				t.Errorf("initialize told %s", hello)
			}
		})
	}
}

// greeted keeps what it was told at the beginning.
type greeted struct {
	*script
	hello string
}

func (u *greeted) Initialize(ctx context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
	u.hello = string(c.Message.Raw)
	return u.script.Initialize(ctx, c, out)
}

func TestReadOnlyGrantsChangeNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, `{"version":"1","default":"allow","tools":{}}`)
	s := *d.dir.all["ann"]
	s.ReadOnly = true
	d.dir.put("ann", &s)
	for _, method := range []string{"tools/call", "tasks/cancel", "tasks/update", "tasks/Cancel", "x/delete"} {
		err := d.front.Call(t.Context(), modern(t, "1", method, `"name":"read","taskId":"t1"`, `{}`), newTape())
		if !errors.Is(err, &exchange.Error{Code: exchange.ReadOnlyScope}) {
			t.Errorf("%s: %v", method, err)
		}
	}
	session := d.open(`{}`)
	for _, method := range []string{"tools/call", "tasks/cancel", "x/delete"} { // without an id
		if err := session.Notify(t.Context(), message(t, `{"jsonrpc":"2.0","method":"`+method+`","params":{"taskId":"t1"}}`)); err == nil {
			t.Errorf("%s without an id passes", method)
		}
	}
	if heard := d.up.log(); len(heard) != 0 {
		t.Errorf("the upstream heard %q", heard)
	}
	for _, method := range []string{"tools/list", "resources/read", "prompts/get", "tasks/get"} {
		if a := readAnswer(t, d.say("2", method, `"taskId":"t1"`)); a.failed != 0 {
			t.Errorf("%s: %s", method, a.raw)
		}
	}
}

// Vector 27: what can't be recorded is denied, and nothing is forwarded.
func TestAStoreThatIsDownDenies(t *testing.T) {
	t.Parallel()
	d := newDesk(t, `{"version":"1","default":"deny","hide":["gone"],"tools":{"read":{},"ask":{"approve_if":[{"conditions":[],"wait_seconds":0}]}}}`)
	d.books.fail(errBroken)
	for _, tool := range []string{"read", "write", "gone", "ask"} {
		a := d.call(tool, `{}`)
		if !a.isError || a.code() != "store_unavailable" || strings.Contains(a.raw, errBroken.Error()) {
			t.Errorf("%s: %s", tool, a.raw)
		}
	}
	if d.forwarded() != 0 {
		t.Error("a call was forwarded")
	}
	d.books.fail(nil)
	if a := d.call("read", `{}`); a.code() != "" {
		t.Errorf("after it is back: %s", a.raw)
	}
}

// Vector 26: a record holds the names of the arguments, sorted, and nothing of their
// values; neither does a denial.
func TestNoValueOfAnArgumentIsRepeated(t *testing.T) {
	t.Parallel()
	const canary = "canary-4711"
	d := newDesk(t, `{"version":"1","default":"deny","hide":["gone"],"tools":{
		"read":{"require":[{"conditions":[{"path":"args.z","op":"exists","value":true}]}],"limits":[{"counter":"n","window":"minute","max":1,"scope":"grant","key":"args.z"}]},
		"sum":{"limits":[{"counter":"s","window":"minute","max":1,"scope":"grant","increment_from":"args.z"}]},
		"ask":{"approve_if":[{"conditions":[],"wait_seconds":0}]}}}`)
	arguments := `{"z":"` + canary + `","a":{"` + canary + `":"` + canary + `"},"m":["` + canary + `"]}`
	for _, tool := range []string{"read", "read", "sum", "ask", "gone", "none"} {
		if a := d.call(tool, arguments); strings.Contains(a.raw, canary) {
			t.Errorf("%s: the answer repeats a value: %s", tool, a.raw)
		}
	}
	rec := d.books.calls[0]
	if !slices.Equal(rec.ArgKeys, []string{"a", "m", "z"}) || len(rec.ArgsHMAC) != 64 {
		t.Errorf("recorded keys %q and digest %q", rec.ArgKeys, rec.ArgsHMAC)
	}
	for _, rec := range d.books.calls {
		if text := recordText(rec); strings.Contains(text, canary) {
			t.Errorf("a record repeats a value: %s", text)
		}
	}
	for _, s := range d.books.settled {
		if text := recordText(s.Call); strings.Contains(text, canary) {
			t.Errorf("an outcome repeats a value: %s", text)
		}
	}
	if a := d.books.pending(t); strings.Contains(string(a.Arguments), canary) {
		t.Error("what is kept for the approval is not sealed")
	}
}

func recordText(c audit.Call) string {
	r := c.Record()
	return strings.Join(append([]string{r.Tool, r.Rule, r.Code, r.Client, r.Outcome, r.Reason, r.Method, r.Session, r.ArgsHMAC}, r.ArgKeys...), "|")
}

// What a client chooses does not make a record large, or write over its lines.
func TestRecordsAreBounded(t *testing.T) {
	t.Parallel()
	d := newDesk(t, readsOnly)
	var arguments strings.Builder
	for i := range 200 {
		arguments.WriteString(`,"` + strings.Repeat("k", 200) + strconv.Itoa(i) + `":1`)
	}
	d.call("a\nb"+strings.Repeat("x", 1000), `{`+arguments.String()[1:]+`}`)
	rec := d.books.last(t)
	if len(rec.Tool) > 300 || strings.ContainsRune(rec.Tool, '\n') || len(rec.ArgKeys) > 64 || len(rec.ArgKeys[0]) > 100 {
		t.Errorf("recorded tool %q and %d keys such as %q", rec.Tool, len(rec.ArgKeys), rec.ArgKeys[0])
	}
}

// The same arguments have one digest, however they are written; others have another.
func TestTheDigestOfArguments(t *testing.T) {
	t.Parallel()
	d := newDesk(t, readsOnly)
	digest := func(arguments string) string {
		d.call("read", arguments)
		return d.books.last(t).ArgsHMAC
	}
	one := digest(`{"a":1.0,"b":"é"}`)
	if want := hex.EncodeToString(d.keys.MAC("call arguments", []byte(`{"a":1,"b":"é"}`))); one != want {
		t.Errorf("it is %s, and not what everybody else makes of the same, %s", one, want)
	}
	if other := digest(` { "b" : "\u00e9", "a" : 1 } `); one != other {
		t.Error("two spellings have two digests")
	}
	if other := digest(`{"a":1,"b":"e"}`); one == other {
		t.Error("two calls have one digest")
	}
	if digest(`{"a":9007199254740993}`) == digest(`{"a":9007199254740992}`) {
		t.Error("two numbers that are one double have one digest")
	}
}

func TestArgumentsAreKeptWhereTheServerSaysSo(t *testing.T) {
	t.Parallel()
	d := newDesk(t, readsOnly)
	d.call("read", `{"a":"canary-1"}`)
	if kept := d.books.kept[0]; kept != nil {
		t.Errorf("kept %q", kept)
	}
	s := *d.dir.all["ann"]
	s.Settings.RecordArguments = "encrypted"
	d.dir.put("ann", &s)
	d.call("read", `{"a":"canary-1"}`)
	if kept := d.books.kept[1]; len(kept) == 0 || strings.Contains(string(kept), "canary") {
		t.Errorf("kept %q", kept)
	}
}

// A policy that only watches lets pass and says what would have been.
func TestObserve(t *testing.T) {
	t.Parallel()
	watching := func(t *testing.T, documents ...string) *desk {
		t.Helper()
		d := newDesk(t, documents...)
		s := *d.dir.all["ann"]
		s.Policies = slices.Clone(s.Policies)
		s.Policies[0].Mode = registry.Observe
		d.dir.put("ann", &s)
		return d
	}
	document := `{"version":"1","default":"deny","hide":["gone"],"tools":{"read":{},
		"stop":{"deny_if":[{"conditions":[]}]},"ask":{"approve_if":[{"conditions":[],"wait_seconds":25}]},
		"rare":{"limits":[{"counter":"n","window":"minute","max":1,"scope":"grant"}]}}}`
	t.Run("alone", func(t *testing.T) {
		t.Parallel()
		d := watching(t, document)
		for _, tt := range []struct{ tool, decision, code string }{
			{"read", "allow", ""}, {"stop", "observe", "denied"}, {"ask", "observe", "approval_pending"}, {"gone", "observe", "hidden"},
			{"other", "observe", "default_deny"}, {"rare", "allow", ""}, {"rare", "observe", "limit_exceeded"},
		} {
			if a := d.call(tt.tool, `{}`); a.code() != "" {
				t.Errorf("%s: %s", tt.tool, a.raw)
			}
			if rec := d.books.last(t); rec.Decision != tt.decision || rec.Code != tt.code || rec.Tool != tt.tool {
				t.Errorf("%s: recorded %s %s", tt.tool, rec.Decision, rec.Code)
			}
		}
		if d.forwarded() != 7 {
			t.Errorf("%d calls were forwarded", d.forwarded())
		}
		if n := len(d.books.book.Approvals(&enforce.ApprovalFilter{})); n != 0 {
			t.Errorf("%d approvals were asked for", n)
		}
		if a := readAnswer(t, d.say("1", "resources/read", "")); a.failed != 0 {
			t.Errorf("a method is refused: %s", a.raw)
		}
	})
	t.Run("beside one that is in force", func(t *testing.T) {
		t.Parallel()
		d := watching(t, document, `{"version":"1","default":"deny","tools":{"rare":{"limits":[{"counter":"m","window":"minute","max":3,"scope":"grant"}]},"stop":{}}}`)
		for i, want := range []string{"", "", "", "limit_exceeded"} {
			if a := d.call("rare", `{}`); a.code() != want {
				t.Errorf("call %d: %s", i, a.raw)
			}
		}
		if a := d.call("stop", `{}`); a.code() != "" || d.books.last(t).Decision != "observe" || d.books.last(t).Code != "denied" {
			t.Errorf("the one that watches denies: %s", a.raw)
		}
		if a := d.call("read", `{}`); a.code() != "default_deny" {
			t.Errorf("the one in force: %s", a.raw)
		}
	})
}

// Tasks belong to the grant whose call made them.
func TestTasksOfAdmittedCalls(t *testing.T) {
	t.Parallel()
	d := newDesk(t, readsOnly)
	d.up.answer = func(_ context.Context, c *exchange.Call, out exchange.Sink) (bool, error) {
		if c.Message.Method != mcpwire.MethodToolsCall {
			return false, nil
		}
		return true, final(out, c, `{"resultType":"task","taskId":"t-1","status":"working"}`)
	}
	d.dir.put("bob", subject(t, "bob", readsOnly))
	get := func(caller, id string) *answer {
		c := modern(t, "3", "tasks/get", `"taskId":"`+id+`"`, `{}`)
		c.Caller.ID = caller
		return readAnswer(t, d.with(d.front, c))
	}
	if a := get("ann", "t-1"); a.failed != mcpwire.CodeInvalidParams {
		t.Errorf("before the call: %s", a.raw)
	}
	d.call("read", `{}`)
	if a := get("ann", "t-1"); a.failed != 0 {
		t.Errorf("after the call: %s", a.raw)
	}
	// Another process behind the same store knows it too.
	here := d.front
	d.front = pipeline.New(pipeline.Options{Directory: d.dir, Store: d.books, Keys: d.keys, Server: labServer}).Wrap(d.up)
	if a := get("ann", "t-1"); a.failed != 0 {
		t.Errorf("in another process: %s", a.raw)
	}
	if a := get("bob", "t-1"); a.failed != mcpwire.CodeInvalidParams {
		t.Errorf("in another process, of somebody else: %s", a.raw)
	}
	d.front = here
	if a, b := get("ann", "t-2"), get("bob", "t-1"); a.failed != mcpwire.CodeInvalidParams || a.raw != b.raw {
		t.Errorf("a task of nobody: %s; one of somebody else: %s", a.raw, b.raw)
	}
	listen := func(ids string) *answer {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		out := newTape()
		d.up.answer = func(_ context.Context, c *exchange.Call, out exchange.Sink) (bool, error) {
			return true, final(out, c, `{}`)
		}
		if err := d.front.Call(ctx, modern(t, "4", "subscriptions/listen", `"notifications":{"taskIds":[`+ids+`]}`, `{}`), out); err != nil {
			t.Fatal(err)
		}
		return readAnswer(t, out.last(t))
	}
	if a := listen(`"t-1","t-2"`); a.failed != mcpwire.CodeInvalidParams {
		t.Errorf("following a task of nobody: %s", a.raw)
	}
	if a := listen(`"t-1"`); a.failed != 0 {
		t.Errorf("following a task of its own: %s", a.raw)
	}
}

// Of very many tasks the newest are remembered.
func TestManyTasks(t *testing.T) {
	t.Parallel()
	d := newDesk(t, readsOnly)
	n := 0
	d.up.answer = func(_ context.Context, c *exchange.Call, out exchange.Sink) (bool, error) {
		if c.Message.Method != mcpwire.MethodToolsCall {
			return false, nil
		}
		n++
		return true, final(out, c, `{"task":{"taskId":"t-`+strconv.Itoa(n)+`","status":"working"}}`)
	}
	for range 600 {
		d.call("read", `{}`)
	}
	for id, known := range map[string]bool{"t-1": false, "t-600": true, "t-100": true} { // the rest is the store's to know
		before := len(d.books.calls)
		if a := readAnswer(t, d.say("3", "tasks/result", `"taskId":"`+id+`"`)); a.failed != 0 || (len(d.books.calls) == before) != known {
			t.Errorf("%s: %s", id, a.raw)
		}
	}
}

// The member of an aggregate judges for itself: what the aggregate's own pipeline
// reserved is given back where the member's did not forward.
func TestAnAggregateGivesBackWhatItsMemberDenied(t *testing.T) {
	t.Parallel()
	limited := `{"version":"1","default":"deny","tools":{"read":{"limits":[{"counter":"n","window":"hour","max":1,"scope":"grant"}]},"stop":{"limits":[{"counter":"n","window":"hour","max":1,"scope":"server"}]}}}`
	d := newDesk(t, limited)
	inner := newDesk(t, `{"version":"1","default":"deny","tools":{"read":{}}}`)
	d.front = d.pipe.Wrap(inner.front)
	if a := d.call("stop", `{}`); a.code() != "default_deny" {
		t.Fatalf("the member: %s", a.raw)
	}
	if s := d.books.outcome(t); s.Outcome != enforce.Rollback {
		t.Errorf("settled %d", s.Outcome)
	}
	if a := d.call("read", `{}`); a.code() != "" {
		t.Errorf("the member allows: %s", a.raw)
	}
	if s := d.books.outcome(t); s.Outcome != enforce.Commit {
		t.Errorf("settled %d", s.Outcome)
	}
	// Only a pipeline can say so: an upstream that writes the same changes nothing.
	d.front = d.pipe.Wrap(d.up)
	d.books.advance(time.Hour)
	d.up.answer = func(_ context.Context, c *exchange.Call, out exchange.Sink) (bool, error) {
		return true, final(out, c, `{"content":[],"isError":true,"_meta":{"sluice/policy":{"decision":"deny"}}}`)
	}
	d.call("read", `{}`)
	if s := d.books.outcome(t); s.Outcome != enforce.Commit {
		t.Errorf("an upstream's own words: settled %d", s.Outcome)
	}
}

// A client that leaves before it is answered is in the log all the same.
func TestADenialIsRecordedThoughNobodyWaitsForIt(t *testing.T) {
	t.Parallel()
	for _, document := range []string{readsOnly, `{"version":"1","default":"allow","hide":["stop"]}`} {
		d := newDesk(t, document)
		d.up.list = func(*exchange.Call) string { return `{"tools":[{"name":"read"}]}` }
		d.say("1", "tools/list", "")
		ctx, leave := context.WithCancel(t.Context())
		leave()
		_ = d.front.Call(ctx, modern(t, "1", "tools/call", `"name":"stop","arguments":{}`, `{}`), newTape())
		if rec := d.books.last(t); rec.Decision != "deny" || rec.Tool != "stop" {
			t.Errorf("recorded %+v", rec)
		}
	}
}

// A grant of an aggregate calls several members; what one of them limits is no concern of
// another, though their tools and counters have the same names.
func TestMembersOfAnAggregateCountApart(t *testing.T) {
	t.Parallel()
	const limit = `[{"counter":"calls","window":"day","max":1,"scope":"SCOPE"}]`
	for _, scope := range []string{"grant", "session", "server"} {
		d := newDesk(t)
		for _, server := range []string{"all", "one", "other"} {
			s := subject(t, "ann", `{"version":"1","default":"allow","all_tools":{"limits":`+strings.ReplaceAll(limit, "SCOPE", scope)+`}}`)
			s.Server, s.Through = server, server != "all"
			d.dir.put("ann", s)
			if a := d.call("read", `{}`); a.code() != "" {
				t.Errorf("scope %s, %s: %s", scope, server, a.raw)
			}
			if a := d.call("read", `{}`); a.code() != "limit_exceeded" {
				t.Errorf("scope %s, %s, once more: %s", scope, server, a.raw)
			}
		}
	}
}

// A member of an aggregate without a policy of its own leaves it at the aggregate's.
func TestAMemberWithoutPolicyPassesWhatTheAggregateLetPass(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.dir.put("ann", &pipeline.Subject{Workspace: "default", Server: labServer, Grant: "ann", Through: true})
	if a := d.call("read", `{}`); a.code() != "" || d.forwarded() != 1 || len(d.books.calls) != 0 {
		t.Errorf("the answer is %s, recorded %+v", a.raw, d.books.calls)
	}
}
