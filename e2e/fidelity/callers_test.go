package fidelity

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/app"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpserve"
)

// separate starts the relay in this process, where it can have several callers: the
// header X-Caller says who sends. The upstream is legacy and gives every session an id
// of its own.
func separate(t *testing.T) (u *upstream, url string) {
	t.Helper()
	u = newUpstream(t)
	var mu sync.Mutex
	n := 0
	u.answers(func(w http.ResponseWriter, r *http.Request, body string) {
		m, err := mcpwire.Parse([]byte(body), mcpwire.Limits{})
		switch {
		case r.Method == http.MethodGet:
			w.WriteHeader(http.StatusMethodNotAllowed)
		case err != nil || m.Modern() || r.Method == http.MethodDelete:
			w.WriteHeader(http.StatusBadRequest)
		case m.Method == mcpwire.MethodInitialize:
			mu.Lock()
			n++
			w.Header().Set("Mcp-Session-Id", "upstream-"+strconv.Itoa(n))
			mu.Unlock()
			answerJSON(w, 200, strings.Replace(greeting, `"id":0`, `"id":`+string(m.Bytes(m.ID)), 1))
		case m.Kind != mcpwire.Request:
			w.WriteHeader(http.StatusAccepted)
		default:
			answerJSON(w, 200, `{"jsonrpc":"2.0","id":`+string(m.Bytes(m.ID))+`,"result":{"content":[]}}`)
		}
	})
	up, err := app.Upstream(app.UpstreamSpec{Name: "shared", URL: u.server.URL, AllowPrivate: true})
	if err != nil {
		t.Fatal(err)
	}
	face := httpserve.New(httpserve.Options{Upstream: up, Server: "shared", Authenticate: func(r *http.Request) (exchange.Caller, error) {
		return exchange.Caller{ID: r.Header.Get("X-Caller")}, nil
	}})
	server := httptest.NewServer(face)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := face.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		server.Close()
		if err := up.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return u, server.URL
}

// sessionsOf are the upstream's sessions that calls of tools were made in.
func sessionsOf(u *upstream) (list []string) {
	for _, r := range u.taken() {
		if id := r.header.Get("Mcp-Session-Id"); strings.Contains(r.body, "tools/call") && !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list
}

func TestNobodyReachesAnothersSession(t *testing.T) {
	t.Parallel()
	u, url := separate(t)
	in := map[string]pairs{}
	for _, who := range []string{"ada", "bob"} {
		r, body := post(t, url, initialize, pairs{"X-Caller", who})
		if r.status != 200 {
			t.Fatalf("%s: %d %s", who, r.status, body)
		}
		in[who] = pairs{"Mcp-Session-Id", r.header.Get("Mcp-Session-Id"), "MCP-Protocol-Version", "2025-11-25", "X-Caller", who}
	}
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}`
	stolen := slices.Clone(in["ada"])
	stolen[len(stolen)-1] = "bob"
	u.taken()
	for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
		if r := send(t.Context(), t, method, url, call, stolen); r.status != 404 {
			t.Errorf("%s with another's session: %d", method, r.status)
		}
	}
	cancelled := `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`
	if r, _ := post(t, url, cancelled, stolen); r.status != 404 {
		t.Errorf("cancelling another's call: %d", r.status)
	}
	if got := u.taken(); len(got) != 0 {
		t.Errorf("the upstream got %v", got)
	}
	var sessions []string
	for _, who := range []string{"ada", "bob"} {
		if r, body := post(t, url, call, in[who]); r.status != 200 {
			t.Errorf("%s in the own session: %d %s", who, r.status, body)
		}
		sessions = append(sessions, sessionsOf(u)...)
	}
	if len(sessions) != 2 || sessions[0] == sessions[1] {
		t.Errorf("the upstream's sessions were %v", sessions)
	}
}

// A modern client has no session; the one that Sluice keeps for it at a legacy upstream
// is still its caller's alone.
func TestModernCallersDoNotShareALegacySession(t *testing.T) {
	t.Parallel()
	u, url := separate(t)
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","_meta":{` + modernMeta + `}}}`
	seen := map[string][]string{}
	for range 3 {
		for _, who := range []string{"ada", "bob"} {
			if r, body := post(t, url, call, append(modernHeaders("tools/call", "x"), "X-Caller", who)); r.status != 200 {
				t.Fatalf("%s: %d %s", who, r.status, body)
			}
			seen[who] = append(seen[who], sessionsOf(u)...)
		}
	}
	ada, bob := slices.Compact(seen["ada"]), slices.Compact(seen["bob"])
	if len(ada) != 1 || len(bob) != 1 || ada[0] == "" || ada[0] == bob[0] {
		t.Errorf("ada's calls went through %v, bob's through %v", ada, bob)
	}
}
