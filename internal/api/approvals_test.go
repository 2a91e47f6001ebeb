package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/api"
	"sluice/internal/approve"
	"sluice/internal/audit"
	"sluice/internal/auth"
	"sluice/internal/enforce"
	"sluice/internal/secret"
	"sluice/internal/store/sqlite"
	"sluice/internal/tenant"
	"sluice/internal/writeback"
)

// kept is what the gateway keeps, in memory.
type kept struct {
	enforce.Store
	mu   sync.Mutex
	book *enforce.Book
}

func (k *kept) Approval(_ context.Context, id string) (*enforce.Approval, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if a := k.book.Approval(id); a != nil {
		return a, nil
	}
	return nil, enforce.ErrNotFound
}

func (k *kept) Approvals(_ context.Context, f enforce.ApprovalFilter) ([]enforce.Approval, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.book.Approvals(&f), nil
}

func (k *kept) Decide(_ context.Context, d enforce.Decision) (*enforce.Approval, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.book.Decide(time.Now(), &d)
}

func (k *kept) Calls(_ context.Context, f enforce.CallFilter) ([]enforce.RecordedCall, error) {
	all := []enforce.RecordedCall{
		{At: time.Now(), Call: audit.Call{Request: "req_2", Workspace: "default", Tool: f.Tool, Decision: "deny", Code: "default_deny"}},
		{At: time.Now(), Call: audit.Call{Request: "req_1", Workspace: "default", Tool: f.Tool, Decision: "deny"}},
	}
	if f.Workspace != "default" || f.Grant != "" && f.Grant != "grt_nightly" {
		return nil, nil
	}
	if f.Before == "req_2" {
		all = all[1:]
	}
	return all[:min(len(all), f.Limit)], nil
}

func (k *kept) Ambiguous(context.Context, int) ([]enforce.Reservation, error) {
	return []enforce.Reservation{{Request: "req_1", Rules: []string{"/all_tools/limits/x"}}}, nil
}

func (k *kept) Release(_ context.Context, request, _, _ string) error {
	if request != "req_1" {
		return enforce.ErrNotFound
	}
	return nil
}

// park lets one call wait.
func (k *kept) park(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, _, _ = k.book.Park(time.Now(), id, &enforce.Parking{TTL: time.Hour, Approval: enforce.Approval{
		Workspace: "default", Server: "srv_1", Grant: "grt_1", GrantName: "nightly", Tool: "send_offer",
		Fingerprint: [32]byte([]byte(strings.Repeat(id, 32))), Arguments: []byte(`{"to":"canary"}`), ArgKeys: []string{"to"},
	}}) // it fits
}

// desk is an API over it, with tokens of several people.
type desk struct {
	t      *testing.T
	server *api.Server
	kept   *kept
	tokens map[string]string
}

func open(t *testing.T) *desk {
	t.Helper()
	dir := t.TempDir()
	store, err := sqlite.Open(t.Context(), filepath.Join(dir, "writeback.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	keys, err := secret.OpenKeyring(filepath.Join(dir, "master.key"), true)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, kept: &kept{book: enforce.NewBook()}, tokens: map[string]string{}}
	people := auth.New(store, keys, tenant.Local("cli"), "test")
	service := approve.New(approve.Options{
		Store: d.kept, Ledger: store, Keys: keys, Caller: tenant.Local("cli"), Open: func(b []byte) ([]byte, error) { return b, nil },
	})
	d.server = api.New(api.Options{
		Writeback: writeback.New(writeback.Options{Store: store, Keys: keys, StateDir: dir, Caller: tenant.Local("cli")}),
		Auth:      people, Store: store, Keys: keys,
		Approve: func(context.Context) (*approve.Service, error) { return service, nil },
		Named: func(_ context.Context, _, server, grant string) (string, string, error) {
			if grant == "nightly" {
				grant = "grt_nightly"
			}
			return server, grant, nil
		},
	})
	t.Cleanup(func() { d.server.Stop(); d.server.Wait() })
	for user, role := range map[string]tenant.Role{"bob": tenant.Admin, "eve": tenant.Viewer} {
		if _, err := people.PutMember(t.Context(), user, auth.MemberChange{Role: &role}); err != nil {
			t.Fatal(err)
		}
		text, _, err := people.IssueToken(t.Context(), auth.Issue{User: user, Scopes: []tenant.Scope{tenant.Read, tenant.Write}})
		if err != nil {
			t.Fatal(err)
		}
		d.tokens[user] = text
	}
	return d
}

// call calls as a user and returns the status, and the document in into.
func (d *desk) call(user, method, path, body string, into any) int {
	d.t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1"+api.Root+path, bytes.NewBufferString(body))
	r.Header.Set("Authorization", "Bearer "+d.tokens[user])
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	d.server.ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		d.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return w.Code
}

type listed struct {
	Items []approve.Item
	Next  string
	Error struct{ Code string }
}

func TestApprovalsOverTheAPI(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.kept.park("apr_1")
	d.kept.park("apr_2")
	d.kept.park("apr_3")
	var list listed
	if status := d.call("eve", "GET", "/approvals?state=pending&kind=call", "", &list); status != 200 || len(list.Items) != 3 || list.Items[0].Kind != "call" {
		t.Fatalf("%d %+v", status, list)
	}
	var one approve.Item
	if status := d.call("eve", "GET", "/approvals/apr_1", "", &one); status != 200 || one.Arguments != nil || one.Withheld != "role" || one.CanDecide {
		t.Errorf("a viewer sees %d %+v", status, one)
	}
	if status := d.call("bob", "GET", "/approvals/apr_1", "", &one); status != 200 || string(one.Arguments) != `{"to":"canary"}` || !one.CanDecide {
		t.Errorf("an admin sees %d %+v", status, one)
	}
	tests := []struct {
		name, user, path, body, code, state string
		status                              int
	}{
		{"a viewer", "eve", "/approvals/apr_1/decision", `{"decision":"approve"}`, "role_required", "", 403},
		{"neither", "bob", "/approvals/apr_1/decision", `{"decision":"maybe"}`, "usage", "", 400},
		{"a denial without reason", "bob", "/approvals/apr_1/decision", `{"decision":"deny"}`, "usage", "", 400},
		{"a denial", "bob", "/approvals/apr_1/decision", `{"decision":"deny","reason":"wrong month"}`, "", "denied", 200},
		{"once more", "bob", "/approvals/apr_1/decision", `{"decision":"approve"}`, "approval_decided", "", 409},
		{"an approval by its verb", "bob", "/approvals/apr_2/approve", `{}`, "", "approved", 200},
		{"a denial by its verb", "bob", "/approvals/apr_3/reject", `{"reason":"no"}`, "", "denied", 200},
		{"one that is not there", "bob", "/approvals/apr_9/approve", `{}`, "not_found", "", 404},
		{"a confirm that is not there", "bob", "/approvals/ap_9/approve", `{"reason":"x"}`, "not_found", "", 404},
	}
	for _, tt := range tests { // in order: each finds what the one before left
		var got struct {
			approve.Item
			Error struct{ Code string }
		}
		if status := d.call(tt.user, "POST", tt.path, tt.body, &got); status != tt.status || got.Error.Code != tt.code || got.State != tt.state {
			t.Errorf("%s: %d %q %q", tt.name, status, got.Error.Code, got.State)
		}
	}
	if status := d.call("eve", "GET", "/approvals?state=rejected", "", &list); status != 200 || len(list.Items) != 2 {
		t.Errorf("denied ones by the other word: %d %+v", status, list)
	}
	if status := d.call("eve", "GET", "/approvals?kind=x", "", &list); status != 400 {
		t.Errorf("a kind that there is not: %d", status)
	}
}

func TestAWatchIsAnsweredByANewCallAndByTheEndOfTheServer(t *testing.T) {
	t.Parallel()
	d := open(t)
	var first approve.Waiting
	d.call("eve", "GET", "/approvals/watch", "", &first)
	type result struct {
		status  int
		waiting approve.Waiting
	}
	watch := func(version string) chan result {
		done := make(chan result, 1)
		go func() {
			var r result
			r.status = d.call("eve", "GET", "/approvals/watch?wait=50&version="+version, "", &r.waiting)
			done <- r
		}()
		return done
	}
	waiting := watch(first.Version)
	d.kept.park("apr_1")
	got := <-waiting
	if got.status != 200 || len(got.waiting.Items) != 1 || got.waiting.Version == first.Version {
		t.Errorf("got %+v", got)
	}
	waiting = watch(got.waiting.Version)
	d.server.Stop()
	if got := <-waiting; got.status == 200 {
		t.Errorf("got %+v", got)
	}
}

func TestCallsAndLimitsOverTheAPI(t *testing.T) {
	t.Parallel()
	d := open(t)
	var rows struct {
		Items []approve.CallRow
		Next  string
		Error struct{ Code string }
	}
	if status := d.call("eve", "GET", "/calls?grant=nightly&tool=x&decision=deny&since=2026-11-01T00:00:00Z&limit=1", "", &rows); status != 200 || len(rows.Items) != 1 || rows.Next != "req_2" || rows.Items[0].Tool != "x" {
		t.Errorf("%d %+v", status, rows)
	}
	if d.call("eve", "GET", "/calls?limit=1&after=req_2", "", &rows); len(rows.Items) != 1 || rows.Items[0].Request != "req_1" {
		t.Errorf("the next page: %+v", rows)
	}
	for _, wrong := range []string{"decision=maybe", "since=yesterday", "until=1", "limit=1001", "tools=x"} {
		if status := d.call("eve", "GET", "/calls?"+wrong, "", &rows); status != http.StatusBadRequest || rows.Error.Code != "usage" {
			t.Errorf("%s: %d %+v", wrong, status, rows.Error)
		}
	}
	var ambiguous struct{ Items []enforce.Reservation }
	if status := d.call("eve", "GET", "/limits/ambiguous", "", &ambiguous); status != 200 || len(ambiguous.Items) != 1 {
		t.Errorf("%d %+v", status, ambiguous)
	}
	var done struct {
		Released string
		Error    struct{ Code string }
	}
	if status := d.call("eve", "POST", "/limits/release", `{"request_id":"req_1","reason":"x"}`, &done); status != 403 {
		t.Errorf("a viewer: %d", status)
	}
	if status := d.call("bob", "POST", "/limits/release", `{"request_id":"req_1","reason":"the provider has no such charge"}`, &done); status != 200 || done.Released != "req_1" {
		t.Errorf("%d %+v", status, done)
	}
}
