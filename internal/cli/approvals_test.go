package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/internal/app"
	"sluice/internal/approve"
	"sluice/internal/audit"
	"sluice/internal/cli"
	"sluice/internal/config"
	"sluice/internal/enforce"
	"sluice/internal/secret"
)

// gateway does in the shop's state directory what a gateway does for calls of agents.
// Its moments are the machine's: the store keeps its own time.
func (s *shop) gateway(fn func(ctx context.Context, store enforce.Store, keys *secret.Keyring)) {
	s.t.Helper()
	if o := s.run("runs"); o.code != 0 { // makes the state directory
		s.t.Fatalf("exit %d\n%s", o.code, o.stderr)
	}
	cfg, err := config.Load(s.file("sluice.yaml", "state_dir: "+filepath.Join(s.dir, "state")+"\n"), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	g, err := app.OpenGuard(s.t.Context(), cfg, app.GuardOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	fn(s.t.Context(), g.Store, g.Keys)
	if err := g.Close(); err != nil {
		s.t.Fatal(err)
	}
}

// called is the record of a call.
func called(request, tool, decision, code, rule string) audit.Call {
	return audit.Call{
		Request: request, Phase: audit.PhaseDecision, Workspace: "default", Grant: "grt_1", Server: "crm", Method: "tools/call", Tool: tool,
		Policy: "sales", PolicyVersion: 3, Decision: decision, Code: code, Rule: rule, ArgKeys: []string{"amount", "to"}, ArgsHMAC: "00ff",
	}
}

// parks lets one call wait and returns its id.
func (s *shop) parks(arguments string) (id string) {
	s.t.Helper()
	s.gateway(func(ctx context.Context, store enforce.Store, keys *secret.Keyring) {
		a, err := store.Park(ctx, &enforce.Parking{TTL: time.Hour, Call: called("req_p"+arguments[:4], "send_offer", "park", "approval_pending", "/tools/send_offer/approve_if/0"), Approval: enforce.Approval{
			Workspace: "default", Server: "crm", Grant: "grt_1", GrantName: "nightly", Tool: "send_offer", ArgKeys: []string{"amount", "to"},
			Fingerprint: [32]byte([]byte(strings.Repeat(arguments, 32))[:32]), Arguments: keys.Seal([]byte(arguments), enforce.SealParked),
			Rule: "/tools/send_offer/approve_if/0", Message: "Large offer", Policy: "sales", Version: 3,
		}})
		if err != nil {
			s.t.Fatal(err)
		}
		id = a.ID
	})
	return id
}

func TestApprovalsOfCalls(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := s.parks(`{"amount":4200,"to":"canary"}`)
	o := s.run("approvals", "list")
	has(t, o.stdout, id, "call", "pending", "crm send_offer", "nightly", "Large offer")
	lacks(t, o.stdout, "canary")
	o = s.run("approvals", "show", id)
	has(t, o.stdout, `"amount": 4200`, `"to": "canary"`, "Large offer", "sluice approvals approve "+id)
	if o = s.run("approvals", "reject", id); o.code != 2 {
		t.Errorf("a denial without reason: exit %d", o.code)
	}
	has(t, o.stderr, "reason")
	var item approve.Item
	o = s.run("approvals", "approve", id, "--json")
	if err := json.Unmarshal([]byte(o.stdout), &item); err != nil || o.code != 0 || item.State != "approved" || item.Kind != "call" || item.Decider != "owner" {
		t.Errorf("exit %d %s%s (%v)", o.code, o.stdout, o.stderr, err)
	}
	if o = s.run("approvals", "reject", id, "--reason", "no"); o.code != 4 {
		t.Errorf("a second decision: exit %d", o.code)
	}
	other := s.parks(`{"other":1}`)
	o = s.run("approvals", "reject", other, "--reason", "wrong month")
	has(t, o.stdout, "denied")
	o = s.run("approvals", "list", "--state", "rejected", "--kind", "call", "--json")
	var list []approve.Item
	if err := json.Unmarshal([]byte(o.stdout), &list); err != nil || len(list) != 1 || list[0].ID != other || list[0].Reason != "wrong month" {
		t.Errorf("%s%s (%v)", o.stdout, o.stderr, err)
	}
	o = s.run("approvals", "show", other)
	has(t, o.stdout, "wrong month", "amount, to", "values are gone")
	o = s.run("audit", "tail")
	has(t, o.stdout, `"op":"approval.decide"`, `"result":"approved"`, `"reason":"wrong month"`)
	lacks(t, o.stdout, "canary")
	for _, wrong := range [][]string{
		{"approvals", "show", "apr_none"}, {"approvals", "show", "ap_none"}, {"approvals", "approve", "apr_none"}, {"approvals", "show"},
		{"approvals", "list", "--state", "open"}, {"approvals", "list", "--kind", "tool"}, {"approvals", "list", "--kind", "call", "--profile", "default"},
		{"approvals", "watch", "--for", "-1s"}, {"limits", "release", "req_none", "--reason", "x"}, {"limits", "ambiguous", "--limit", "0"},
		{"audit", "search", "--decision", "maybe"}, {"audit", "search", "--since", "yesterday"}, {"audit", "search", "--grant", "nobody"},
		{"audit", "search", "--limit", "1001"}, {"audit", "export", "--format", "xml"},
	} {
		if o := s.run(wrong...); o.code != 2 || o.stdout != "" {
			t.Errorf("%q: exit %d %s%s", wrong, o.code, o.stdout, o.stderr)
		}
	}
}

func TestTheSigningKeyIsStable(t *testing.T) {
	t.Parallel()
	s := open(t)
	first, second := s.run("approvals", "key"), s.run("approvals", "key")
	if len(strings.TrimSpace(first.stdout)) != 64 || first.stdout != second.stdout {
		t.Errorf("%s%s and %s", first.stdout, first.stderr, second.stdout)
	}
}

func TestWatchPrintsWhatWaitsAndWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := s.parks(`{"amount":1}`)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	lines := make(chan string, 10)
	done := make(chan int, 1)
	go func() {
		var errs bytes.Buffer
		done <- cli.Main(ctx, cli.Process{
			Args:  []string{"--state-dir", filepath.Join(s.dir, "state"), "approvals", "watch", "--json"},
			Stdin: strings.NewReader(""), Stdout: sink(func(p []byte) { lines <- string(p) }), Stderr: &errs,
		})
	}()
	if first := <-lines; !strings.Contains(first, id) || !strings.Contains(first, `"state":"pending"`) || strings.Contains(first, "4200") {
		t.Errorf("first line %s", first)
	}
	if o := s.run("approvals", "approve", id); o.code != 0 {
		t.Fatalf("exit %d %s", o.code, o.stderr)
	}
	if second := <-lines; !strings.Contains(second, id) || !strings.Contains(second, `"state":"approved"`) {
		t.Errorf("second line %s", second)
	}
	cancel()
	if code := <-done; code != 0 {
		t.Errorf("exit %d", code)
	}
}

// sink hands on what is written.
type sink func([]byte)

func (s sink) Write(p []byte) (int, error) { s(p); return len(p), nil }

func TestSearchExportAndProveCalls(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.gateway(func(ctx context.Context, store enforce.Store, _ *secret.Keyring) {
		if err := store.Record(ctx, called("req_1", "delete_all", "deny", "denied", "/tools/delete_all/deny_if/0"), called("req_2", "=cmd()", "deny", "default_deny", "(default deny)")); err != nil {
			t.Fatal(err)
		}
		reply, err := store.Reserve(ctx, &enforce.Request{Call: called("req_3", "send_offer", "allow", "", "")})
		if err != nil || !reply.Admitted {
			t.Fatal(reply, err)
		}
		end := called("req_3", "send_offer", "allow", "", "")
		end.Phase, end.Settlement, end.Outcome, end.UpstreamStatus, end.LatencyUS = audit.PhaseOutcome, "ambiguous", "timeout", 0, 5000
		if err := store.Settle(ctx, &enforce.Settlement{Call: end, Outcome: enforce.Ambiguous}); err != nil {
			t.Fatal(err)
		}
	})
	o := s.run("audit", "search", "--decision", "deny")
	has(t, o.stdout, "req_1", "req_2", "delete_all", "/tools/delete_all/deny_if/0", "default_deny")
	lacks(t, o.stdout, "req_3")
	var rows []approve.CallRow
	o = s.run("audit", "search", "--server", "crm", "--tool", "send_offer", "--since", "1h", "--json")
	if err := json.Unmarshal([]byte(o.stdout), &rows); err != nil || len(rows) != 1 || rows[0].Request != "req_3" || rows[0].Settlement != "ambiguous" || !rows[0].Ended {
		t.Errorf("%s%s (%v)", o.stdout, o.stderr, err)
	}
	o = s.run("audit", "export", "--format", "csv")
	has(t, o.stdout, "at,request_id,", "req_1", ",'=cmd(),", "amount to")
	if n := strings.Count(o.stdout, "\n"); n != 4 {
		t.Errorf("%d lines of CSV:\n%s", n, o.stdout)
	}
	o = s.run("limits", "ambiguous")
	has(t, o.stdout, "req_3", "send_offer")
	o = s.run("limits", "release", "req_3", "--reason", "the provider has no such offer")
	has(t, o.stdout, "Released")
	o = s.run("limits", "ambiguous", "--json")
	has(t, o.stdout, "[]")
	o = s.run("audit", "tail", "-n", "1")
	has(t, o.stdout, `"phase":"review"`, "the provider has no such offer")

	export := s.file("log.jsonl", "")
	if o = s.run("audit", "export", "-o", export); o.code != 0 {
		t.Fatalf("exit %d %s", o.code, o.stderr)
	}
	o = s.run("audit", "verify", "--file", export)
	has(t, o.stdout, "intact")
	proof := s.file("proof.json", "")
	if o = s.run("audit", "prove", "req_3", "-o", proof); o.code != 0 {
		t.Fatalf("exit %d %s", o.code, o.stderr)
	}
	o = s.run("audit", "check-proof", proof)
	has(t, o.stdout, "holds: 3 records about req_3") // decision, outcome, release
	o = s.run("audit", "verify")
	has(t, o.stdout, "intact: 5 records in 1 chain")
}

func TestApproversSeeWhatLimitsHaveLeftAndSearchByName(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.fine("server", "add", "crm", "--url", "https://crm.example.com/mcp")
	s.setPolicy("crm", "agents", `{"version":"1","default":"deny","tools":{"send_offer":{
		"approve_if":[{"conditions":[{"path":"args.amount","op":"gte","value":1000}]}],
		"limits":[{"counter":"money","window":"day","max":5000,"scope":"grant","increment_from":"args.amount"}]}}}`)
	s.fine("grant", "add", "crm", "nightly", "--policy", "agents")
	grant := decode[[]struct {
		ID, Server string
	}](t, s.run("grant", "list", "--json"))[0]
	server := grant.Server
	var waiting string
	s.gateway(func(ctx context.Context, store enforce.Store, keys *secret.Keyring) {
		call := called("req_1", "send_offer", "allow", "", "")
		call.Grant, call.Server = grant.ID, server
		reply, err := store.Reserve(ctx, &enforce.Request{Call: call, Charges: []enforce.Charge{{
			Counter: enforce.CounterOf(enforce.Identity{
				Org: "default", Scope: "grant", ScopeID: grant.ID, Section: "tool:send_offer", Counter: "money", Window: 24 * time.Hour,
			}),
			Window: 24 * time.Hour, Amount: 1_500_500_000, Max: 5_000_000_000,
		}}})
		if err != nil || !reply.Admitted {
			t.Fatal(reply, err)
		}
		call.Request = "req_2"
		a, err := store.Park(ctx, &enforce.Parking{TTL: time.Hour, Call: call, Approval: enforce.Approval{
			Workspace: "default", Server: server, Grant: grant.ID, GrantName: "nightly", MintedBy: "owner", FourEyes: true, Tool: "send_offer",
			Arguments: keys.Seal([]byte(`{"amount":4000}`), enforce.SealParked),
		}})
		if err != nil {
			t.Fatal(err)
		}
		waiting = a.ID
	})
	o := s.fine("approvals", "show", waiting)
	has(t, o.stdout, "money-per-day has no room now: 1500.5 of 5000 used, the call takes 4000")
	has(t, s.fine("approvals", "list", "--server", "crm", "--grant", "nightly").stdout, waiting, "crm send_offer")
	has(t, s.fine("audit", "search", "--server", "crm", "--grant", "nightly").stdout, "req_1", "nightly", "crm")
	// Who is alone decides what their own grant asks for; with a second approver they do not.
	s.fine("member", "add", "ben", "--role", "viewer", "--approver")
	if o := s.run("approvals", "approve", waiting); o.code != 4 {
		t.Errorf("with somebody else there: exit %d", o.code)
	}
	s.fine("member", "remove", "ben")
	s.fine("approvals", "approve", waiting)
}

func TestTailFollows(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.fine("member", "add", "ann", "--role", "viewer")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	lines := make(chan string, 20)
	done := make(chan int, 1)
	go func() {
		done <- cli.Main(ctx, cli.Process{
			Args:  []string{"--state-dir", filepath.Join(s.dir, "state"), "audit", "tail", "-f", "-n", "1"},
			Stdin: strings.NewReader(""), Stdout: sink(func(p []byte) { lines <- string(p) }), Stderr: &bytes.Buffer{},
		})
	}()
	if first := <-lines; !strings.Contains(first, `"object":"ann"`) {
		t.Errorf("the newest record: %s", first)
	}
	s.fine("member", "add", "ben", "--role", "viewer")
	if second := <-lines; !strings.Contains(second, `"object":"ben"`) {
		t.Errorf("the next record: %s", second)
	}
	s.gateway(func(ctx context.Context, store enforce.Store, _ *secret.Keyring) {
		if err := store.Record(ctx, called("req_1", "send_offer", "deny", "denied", "/x")); err != nil {
			t.Error(err)
		}
	})
	if third := <-lines; !strings.Contains(third, `"request_id":"req_1"`) {
		t.Errorf("a call, in another chain: %s", third)
	}
	cancel()
	if code := <-done; code != 0 || len(lines) != 0 {
		t.Errorf("exit %d, %d more lines", code, len(lines))
	}
}
