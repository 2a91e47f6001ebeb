package policy_test

import (
	"testing"
	"time"

	"sluice/policy"
)

// The document that one of the tools is published with works as it stands, and is its
// own canonical form.
const published = `{"version":"1","default":"deny","tools":{"meta_send_offline_event":{"limits":[{"counter":"meta_send_offline_event_rate","window":"minute","max":30,"scope":"grant"}]}}}`

func TestPublishedPolicy(t *testing.T) {
	t.Parallel()
	d, faults := policy.Parse([]byte(published))
	if d == nil || len(faults) != 0 {
		t.Fatalf("faults: %+v", faults)
	}
	if string(d.Canonical()) != published || !d.Portable() {
		t.Errorf("portable %v, canonical %s", d.Portable(), d.Canonical())
	}
	got, denial, ok := charges(t, d.Compile(), "meta_send_offline_event", `{"value":5}`)
	if !ok || len(got) != 1 {
		t.Fatalf("denied: %+v", denial)
	}
	l := got[0].Limit
	if l.Rule != "/tools/meta_send_offline_event/limits/meta_send_offline_event_rate-per-minute" || l.Max != 30_000_000 || l.Window != time.Minute || l.Scope != policy.PerGrant || l.Sliding {
		t.Errorf("limit %+v", l)
	}
	if d := d.Compile().Decide(policy.Call{Tool: "meta_list_datasets"}); d.Code != policy.DefaultDeny {
		t.Errorf("another tool: %+v", d)
	}
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, document, want string
		portable             bool
	}{
		{"order, spaces, empty lists", ` { "tools" : { "b":{"limits":[],"require":[]}, "a":{} }, "hide":[], "all_tools":{}, "default":"allow", "version":"1" } `,
			`{"version":"1","default":"allow","tools":{"b":{},"a":{}}}`, true},
		{"escapes", `{"version":"\u0031","default":"deny","tools":{"\u0061\/é\u00e9":{"deny_if":[{"conditions":[],"on_deny":"\"\\\n\u0001<"}]}}}`,
			`{"version":"1","default":"deny","tools":{"a/éé":{"deny_if":[{"conditions":[],"on_deny":"\"\\\n\u0001<"}]}}}`, true},
		{"operands as written", cond(`"value":[1e2, 1.50, {"b":1,"a":[]}],"op":"in","path":"args.x.y"`),
			cond(`"path":"args.x.y","op":"in","value":[1e2,1.50,{"b":1,"a":[]}]`), true},
		{"scope and max", limitOf(`"max":3.0e1,"window":"day","counter":"c"`), limitOf(`"counter":"c","window":"day","max":30,"scope":"grant"`), true},
		{"action deny", tool(`{"action":"deny","reason":"No."}`), tool(`{"deny_if":[{"conditions":[],"on_deny":"No."}]}`), true},
		{"action deny before others", tool(`{"action":"deny","deny_if":[{"conditions":[{"path":"args.a","op":"eq","value":1}]}]}`),
			tool(`{"deny_if":[{"conditions":[]},{"conditions":[{"path":"args.a","op":"eq","value":1}]}]}`), true},
		{"action allow", tool(`{"action":"allow"}`), tool(`{}`), true},
		{"action require_approval", tool(`{"action":"require_approval"}`), tool(`{"approve_if":[{"conditions":[]}]}`), false},
		{"rate limit a minute", tool(`{"rate_limit":{"max":10,"window":60}}`), limitOf(`"counter":"t_rate","window":"minute","max":10,"scope":"grant"`), true},
		{"rate limit an hour", tool(`{"rate_limit":{"max":10,"window":3600}}`), limitOf(`"counter":"t_rate","window":"hour","max":10,"scope":"grant"`), true},
		{"rate limit a day", tool(`{"rate_limit":{"max":10,"window":86400}}`), limitOf(`"counter":"t_rate","window":"day","max":10,"scope":"grant"`), true},
		{"rate limit of another length", tool(`{"rate_limit":{"max":10,"window":90}}`), limitOf(`"counter":"t_rate","window_seconds":90,"max":10,"scope":"grant","algorithm":"sliding"`), false},
		{"bare condition", tool(`{"require":[{"op":"eq","path":"args.a","value":1,"on_deny":"No."}]}`), tool(`{"require":[{"conditions":[{"path":"args.a","op":"eq","value":1}],"on_deny":"No."}]}`), true},
		{"window in seconds", limitOf(`"counter":"c","window_seconds":60,"max":1`), limitOf(`"counter":"c","window":"minute","max":1,"scope":"grant"`), true},
		{"algorithm fixed", limitOf(`"counter":"c","window":"day","max":1,"algorithm":"fixed"`), limitOf(`"counter":"c","window":"day","max":1,"scope":"grant"`), true},
		{"after in full", limitOf(`"counter":"c","after":{"tool":"u","key":"args.id","within_seconds":1800},"key":"args.campaign_id"`),
			limitOf(`"counter":"c","window_seconds":1800,"scope":"grant","key":"args.campaign_id","after":{"tool":"u","key":"args.id"}`), false},
		{"after with the same key", limitOf(`"counter":"c","after":{"tool":"u","key":"args.id","within_seconds":3600},"key":"args.id","max":1`),
			limitOf(`"counter":"c","window":"hour","scope":"grant","key":"args.id","after":"u"`), false},
		{"id", tool(`{"deny_if":[{"conditions":[],"id":"stop"}]}`), tool(`{"deny_if":[{"id":"stop","conditions":[]}]}`), false},
		{"all elements", cond(`"path":"args.e[*].v","op":"eq","value":1`), cond(`"path":"args.e[*].v","op":"eq","value":1`), false},
		{"quoted name", cond(`"path":"args[\"a.b\"]","op":"eq","value":1`), cond(`"path":"args[\"a.b\"]","op":"eq","value":1`), false},
		{"length", cond(`"path":"args.e.$length","op":"eq","value":1`), cond(`"path":"args.e.$length","op":"eq","value":1`), false},
		{"session", limitOf(`"counter":"c","window":"day","max":1,"scope":"session"`), limitOf(`"counter":"c","window":"day","max":1,"scope":"session"`), false},
		{"approval", tool(`{"approve_if":[{"approvers":["ann"],"wait_seconds":0,"ttl_seconds":60,"message":"M","conditions":[]}]}`),
			tool(`{"approve_if":[{"conditions":[],"message":"M","ttl_seconds":60,"wait_seconds":0,"approvers":["ann"]}]}`), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := parse(t, c.document)
			if got := string(d.Canonical()); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
			if d.Portable() != c.portable {
				t.Errorf("portable: %v", d.Portable())
			}
			again := parse(t, string(d.Canonical()))
			if string(again.Canonical()) != string(d.Canonical()) || again.Portable() != d.Portable() {
				t.Errorf("not a fixed point: %s", again.Canonical())
			}
		})
	}
}

func TestApprovals(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"version":"1","default":"deny","tools":{"t":{"approve_if":[
		{"conditions":[{"path":"args.value","op":"gte","value":1000}],"message":"High value","ttl_seconds":60,"wait_seconds":0,"approvers":["ann","role:admin"]},
		{"conditions":[{"path":"args.first","op":"eq","value":true}]}]}}}`)
	d := p.Decide(policy.Call{Tool: "t", Arguments: []byte(`{"value":1000}`)})
	if d.Verdict != policy.Approve || d.Code != policy.ApprovalPending || d.Approval == nil {
		t.Fatalf("%+v", d)
	}
	if a := d.Approval; a.Rule != "/tools/t/approve_if/args.value-gte" || a.Message != "High value" || a.TTL != time.Minute || a.Wait != 0 || len(a.Approvers) != 2 {
		t.Errorf("%+v", a)
	}
	d = p.Decide(policy.Call{Tool: "t", Arguments: []byte(`{"value":5,"first":true}`)})
	if a := d.Approval; a == nil || a.TTL != 15*time.Minute || a.Wait != 20*time.Second || a.Message == "" {
		t.Errorf("%+v", a)
	}
	if d = p.Decide(policy.Call{Tool: "t"}); d.Verdict != policy.Approve {
		t.Errorf("a value that can't be judged does not ask: %+v", d)
	}
	if d = p.Decide(policy.Call{Tool: "t", Arguments: []byte(`{"value":5}`)}); d.Verdict != policy.Allow || d.Approval != nil {
		t.Errorf("%+v", d)
	}
}

func TestLabels(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"version":"1","default":"deny","tools":{"a/b~c":{
		"deny_if":[{"conditions":[{"path":"args.x/y","op":"eq","value":1}]},
		           {"conditions":[{"path":"args.x/y","op":"eq","value":2}]},
		           {"conditions":[{"path":"args.p","op":"eq","value":1},{"path":"args.q","op":"eq","value":1}]},
		           {"id":"stop","conditions":[{"path":"args.r","op":"eq","value":1}]}],
		"limits":[{"counter":"c/d","window":"hour","max":1},{"counter":"c/d","window":"hour","max":1,"scope":"org"},{"counter":"c/d","window_seconds":90,"max":1}]}}}`)
	for arguments, want := range map[string]string{
		`{"x/y":1}`:       "/tools/a~1b~0c/deny_if/args.x~1y-eq",
		`{"x/y":2}`:       "/tools/a~1b~0c/deny_if/args.x~1y-eq-1",
		`{"p":1,"q":1}`:   "/tools/a~1b~0c/deny_if/2",
		`{"r":1,"x/y":3}`: "/tools/a~1b~0c/deny_if/stop",
	} {
		if d := p.Decide(policy.Call{Tool: "a/b~c", Arguments: []byte(arguments)}); d.Rule != want {
			t.Errorf("%s: %q, wanted %q", arguments, d.Rule, want)
		}
	}
	got, d, _ := charges(t, p, "a/b~c", `{"x/y":5}`)
	if len(got) != 3 {
		t.Fatalf("%+v", d)
	}
	for i, want := range []string{"c~1d-per-hour", "c~1d-per-hour-org", "c~1d-per-90s"} {
		if got[i].Limit.Rule != "/tools/a~1b~0c/limits/"+want {
			t.Errorf("limit %d: %q", i, got[i].Limit.Rule)
		}
	}
}

func TestCallable(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"version":"1","default":"deny","hide":["h"],"tools":{"a":{},"no":{"deny_if":[{"conditions":[]}]},"some":{"deny_if":[{"path":"args.x","op":"eq","value":1}]},"h":{}}}`)
	for name, want := range map[string]bool{"a": true, "no": false, "some": true, "h": false, "unlisted": false} {
		if p.Callable(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
	if !p.Hides("h") || p.Hides("a") || !p.HidesAny() || p.DefaultAllow() {
		t.Error("what is hidden, or the default, is told wrongly")
	}
	open := compile(t, `{"version":"1","default":"allow","hide":["*"]}`)
	if open.Callable("x") || !open.Hides("x") || !open.HidesAny() || !open.DefaultAllow() {
		t.Error("hide * leaves a tool callable")
	}
	if p := compile(t, `{"version":"1","default":"allow"}`); !p.Callable("x") || p.HidesAny() {
		t.Error("an unlisted tool is not callable under default allow")
	}
}
