package httpdial_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"sluice/internal/mcpwire/exchange"
)

// TestSharedSession has two processes go on with one session of the upstream.
func TestSharedSession(t *testing.T) {
	t.Parallel()
	var up sessions
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		if !up.enter(w, r) {
			answer(w, 200, oldDone)
		}
	})
	shared := exchange.NewShared(nil)
	first, second := to(t, s), to(t, s)
	a, err := first.Initialize(exchange.WithShared(t.Context(), shared), legacy(t, initialize), &sink{})
	if err != nil {
		t.Fatal(err)
	}
	noted := exchange.NewShared(shared.All())
	hello := legacy(t, initialize)
	hello.Version = "2025-06-18" // as it was settled
	var out sink
	b, err := second.Initialize(exchange.WithShared(t.Context(), noted), hello, &out)
	if err != nil || !strings.Contains(out.text(), `"protocolVersion":"2025-06-18"`) {
		t.Fatalf("joined: %v %s", err, out.text())
	}
	for _, session := range []exchange.Session{a, b} {
		if err := session.Notify(exchange.WithStandIn(t.Context()), legacy(t, initialized)); err != nil {
			t.Fatal(err)
		}
		if err := session.Call(t.Context(), legacy(t, oldCall), &sink{}); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for _, r := range s.got() {
		ids = append(ids, r.Header.Get("Mcp-Session-Id"))
	}
	if !slices.Equal(ids, []string{"", "upstream-1", "upstream-1"}) {
		t.Errorf("the server was sent sessions %q", ids)
	}

	// One process ends; the other goes on, also after the upstream forgot the session.
	if err := a.Close(exchange.WithLeaving(t.Context())); err != nil || up.count() != 1 {
		t.Errorf("a process that ends left %d sessions: %v", up.count(), err)
	}
	if err := first.Close(t.Context()); err != nil || up.count() != 1 {
		t.Errorf("a process that ended left %d sessions: %v", up.count(), err)
	}
	up.restart()
	if err := b.Call(t.Context(), legacy(t, oldCall), &sink{}); err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, r := range s.got() {
		bodies = append(bodies, r.body)
	}
	if n := len(bodies); n < 3 || bodies[n-3] != initialize || bodies[n-2] != initialized || bodies[n-1] != oldCall {
		t.Errorf("opened anew with %q", bodies)
	}
	if err := b.Close(t.Context()); err != nil || up.count() != 0 {
		t.Errorf("the client's end left %d sessions: %v", up.count(), err)
	}
}

// TestSharedSessionOfAnotherServer has an upstream that moved: it must not be shown the
// session ids of the one before.
func TestSharedSessionOfAnotherServer(t *testing.T) {
	t.Parallel()
	var one, two sessions
	at := func(up *sessions) *server {
		return serve(t, func(w http.ResponseWriter, r *recorded) {
			if !up.enter(w, r) {
				answer(w, 200, oldDone)
			}
		})
	}
	before, after := at(&one), at(&two)
	shared := exchange.NewShared(nil)
	if _, err := to(t, before).Initialize(exchange.WithShared(t.Context(), shared), legacy(t, initialize), &sink{}); err != nil {
		t.Fatal(err)
	}
	if _, err := to(t, after).Initialize(exchange.WithShared(t.Context(), shared), legacy(t, initialize), &sink{}); err != nil {
		t.Fatal(err)
	}
	if got := after.got(); len(got) != 1 || got[0].body != initialize || got[0].Header.Get("Mcp-Session-Id") != "" {
		t.Errorf("the other server was sent %v", got)
	}
}
