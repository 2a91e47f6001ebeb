package writeback_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sluice/capi"
	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/mapping"
	"sluice/internal/sandbox"
	"sluice/internal/secret"
	"sluice/internal/source"
	"sluice/internal/store/sqlite"
	"sluice/internal/tenant"
	"sluice/internal/writeback"
)

const orders = `version: 1
namespace: test/orders
id: [order]
outcome: payment_received
time: {column: sold_at}
value: total
currency: {column: currency}
order_id: order
action_source: physical_store
consent: granted
user: {em: email}
`

// meta is a service whose destination is Meta as far as it can tell: a sandbox
// behind a transport.
type meta struct {
	t      *testing.T
	s      *writeback.Service
	dir    string
	now    time.Time
	anchor func(writeback.Anchors) // exports checkpoints elsewhere from now on
}

func begin(t *testing.T) *meta {
	t.Helper()
	m := &meta{t: t, dir: t.TempDir(), now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return m.now }
	box := sandbox.New(sandbox.Options{Now: clock})
	to, err := graph.New(graph.Options{Base: graph.DefaultBase, Token: sandbox.Token, Transport: box.RoundTripper()})
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), filepath.Join(m.dir, "writeback.db"), clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	keys, err := secret.OpenKeyring(filepath.Join(m.dir, "master.key"), true)
	if err != nil {
		t.Fatal(err)
	}
	o := writeback.Options{
		Store: store, Keys: keys, StateDir: m.dir, Now: clock, Caller: tenant.Local("cli"),
		Sleep:   func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Connect: func(context.Context, writeback.Target) (writeback.Destination, error) { return to, nil },
		Double: func(string) (writeback.Destination, error) {
			return graph.New(graph.Options{Base: "http://127.0.0.1", Token: sandbox.Token, Transport: sandbox.New(sandbox.Options{Now: clock}).RoundTripper()})
		},
		Anchors: writeback.Anchors{File: filepath.Join(m.dir, "checkpoints.jsonl")},
	}
	m.s = writeback.New(o)
	m.anchor = func(a writeback.Anchors) {
		o.Anchors = a
		m.s = writeback.New(o)
	}
	return m
}

// input reads rows "order,age" as a preview request.
func (m *meta) input(rows map[string]time.Duration) writeback.PreviewRequest {
	m.t.Helper()
	text := "order,sold_at,total,currency,email\n"
	for id, age := range rows {
		text += id + "," + m.now.Add(-age).Format(time.RFC3339) + ",10.00,GBP,buyer" + id + "@example.com\n"
	}
	path := filepath.Join(m.dir, "in.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
	parsed, err := mapping.Parse("mapping.yaml", []byte(orders), os.DirFS(m.dir))
	if err != nil {
		m.t.Fatal(err)
	}
	r, err := source.Open(m.t.Context(), []string{path}, source.Options{Columns: parsed.Columns()})
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = r.Close() })
	opts := parsed.EncoderOptions()
	opts.OfflineWindow = capi.Offline62Days
	return writeback.PreviewRequest{Reader: r, Mapping: parsed, Dataset: sandbox.Dataset, Realm: graph.RealmMeta, Options: opts}
}

// confirm previews, rehearses and confirms.
func (m *meta) confirm(first bool, rows map[string]time.Duration) (*writeback.Receipt, error) {
	m.t.Helper()
	v, err := m.s.Preview(m.t.Context(), m.input(rows))
	if err != nil {
		m.t.Fatal(err)
	}
	if _, err := m.s.Rehearse(m.t.Context(), writeback.RehearseRequest{PlanID: v.ID, Level: writeback.Offline}); err != nil {
		m.t.Fatal(err)
	}
	return m.s.Confirm(m.t.Context(), writeback.ConfirmRequest{PlanID: v.ID, FirstUpload: first})
}

func TestTheFirstUploadOfOldEventsNeedsAWord(t *testing.T) {
	t.Parallel()
	old := map[string]time.Duration{"1": 2 * time.Hour, "2": 50 * time.Hour}
	m := begin(t)
	if _, err := m.confirm(false, old); fault.CodeOf(err) != fault.FirstUploadRequired {
		t.Fatalf("got %v, want %s", err, fault.FirstUploadRequired)
	}
	if r, err := m.confirm(true, old); err != nil || r.Counts["delivered"] != 2 {
		t.Fatalf("--first-upload: %+v, %v", r, err)
	}
	if r, err := m.confirm(false, map[string]time.Duration{"3": 60 * time.Hour}); err != nil || r.Counts["delivered"] != 1 {
		t.Errorf("the second upload: %+v, %v", r, err)
	}

	fresh := begin(t)
	if r, err := fresh.confirm(false, map[string]time.Duration{"1": 2 * time.Hour}); err != nil || r.Counts["delivered"] != 1 {
		t.Errorf("events of today: %+v, %v", r, err)
	}

	adopted := begin(t)
	a, err := adopted.s.Adopt(t.Context(), adopted.input(map[string]time.Duration{"2": 50 * time.Hour}), "sent by another tool")
	if err != nil || a.Counts["delivered"] != 1 {
		t.Fatalf("%+v, %v", a, err)
	}
	if r, err := adopted.confirm(false, map[string]time.Duration{"2": 50 * time.Hour, "4": 40 * time.Hour}); err != nil || r.Counts["delivered"] != 1 {
		t.Errorf("after an adoption: %+v, %v", r, err)
	}
}

func TestOnlyAnAdminResolvesAFork(t *testing.T) {
	t.Parallel()
	m := begin(t)
	operator := m.s.As(tenant.Caller{Type: "token", ID: "tok_1", Role: tenant.Operator, Scopes: []tenant.Scope{tenant.Read, tenant.Write}, Workspace: tenant.Default})
	if _, err := operator.ResetCheckpoints(t.Context(), "because"); fault.CodeOf(err) != fault.RoleRequired {
		t.Errorf("reset: %v", err)
	}
	if _, err := operator.AcceptStore(t.Context(), nil, writeback.Target{Profile: tenant.Default}, "st_1", "because"); fault.CodeOf(err) != fault.RoleRequired {
		t.Errorf("accept: %v", err)
	}
	if _, err := operator.Adopt(t.Context(), writeback.PreviewRequest{}, "because"); fault.CodeOf(err) != fault.RoleRequired {
		t.Errorf("adopt: %v", err)
	}
	if _, err := m.s.ResetCheckpoints(t.Context(), " "); fault.CodeOf(err) != fault.Usage {
		t.Errorf("a reset without a reason: %v", err)
	}
}

// A crash in the middle of an adoption leaves its events delivered, and whoever works
// next takes the keys that are missing.
func TestAnInterruptedAdoptionIsFinishedAndNeverSent(t *testing.T) {
	t.Parallel()
	m := begin(t)
	rows := map[string]time.Duration{"1": 2 * time.Hour, "2": 3 * time.Hour}
	req := m.input(rows)
	ctx, stop := context.WithCancel(t.Context())
	req.Progress = func(p writeback.Progress) {
		if p.Phase == "claiming" {
			stop()
		}
	}
	if _, err := m.s.Adopt(ctx, req, "sent by another tool"); err == nil {
		t.Fatal("the adoption was not interrupted")
	}
	if open, err := m.s.OpenRuns(t.Context(), graph.RealmMeta, sandbox.Dataset); err != nil || len(open) != 0 {
		t.Errorf("an adoption is offered for sending: %+v, %v", open, err)
	}
	if w, err := m.s.Work(t.Context(), writeback.WorkOptions{}); err != nil || len(w.Runs) != 0 {
		t.Errorf("work: %+v, %v", w, err)
	}
	runs, err := m.s.Runs(t.Context(), 10)
	if err != nil || len(runs) != 1 || runs[0].State != "finished" || runs[0].Counts["delivered"] != 2 {
		t.Errorf("%+v, %v", runs, err)
	}
	v, err := m.s.Preview(t.Context(), m.input(rows))
	if err != nil || v.Events != 0 || v.Summary.Counts.Skipped != 2 {
		t.Errorf("%+v, %v", v, err)
	}
}
