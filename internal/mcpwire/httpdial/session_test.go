package httpdial_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpdial"
)

const (
	initialize  = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`
	initialized = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
	welcome     = `{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{"name":"s","version":"1"}}}`
	oldCall     = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"a":1}}}`
	oldDone     = `{"jsonrpc":"2.0","id":1,"result":{"content":[]}}`
)

// sessions is a legacy upstream that keeps sessions.
type sessions struct {
	mu   sync.Mutex
	live map[string]bool
	n    int
	gone func(http.ResponseWriter) // how it says that a session is gone; default 404
}

// enter handles initialize, DELETE and unknown sessions; true when h was answered.
func (s *sessions) enter(w http.ResponseWriter, r *recorded) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.Header.Get("Mcp-Session-Id")
	switch {
	case strings.Contains(r.body, `"initialize"`):
		s.n++
		id = fmt.Sprintf("upstream-%d", s.n)
		if s.live == nil {
			s.live = map[string]bool{}
		}
		s.live[id] = true
		w.Header().Set("Mcp-Session-Id", id)
		answer(w, 200, welcome)
	case !s.live[id] && s.gone != nil:
		s.gone(w)
	case !s.live[id]:
		http.Error(w, "no such session", 404)
	case r.Method == http.MethodDelete:
		delete(s.live, id)
		w.WriteHeader(204)
	case strings.HasPrefix(r.body, `{"jsonrpc":"2.0","method"`):
		w.WriteHeader(202)
	default:
		return false
	}
	return true
}

func (s *sessions) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live = map[string]bool{}
}

func (s *sessions) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.live)
}

func open(t *testing.T, u exchange.Upstream) exchange.Session {
	t.Helper()
	var out sink
	s, err := u.Initialize(t.Context(), legacy(t, initialize), &out)
	if err != nil {
		t.Fatal(err)
	}
	if out.text() != "final "+welcome {
		t.Fatalf("initialize was answered with %s", out.text())
	}
	if err := s.Notify(t.Context(), legacy(t, initialized)); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSession(t *testing.T) {
	t.Parallel()
	var up sessions
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		if !up.enter(w, r) {
			answer(w, 200, oldDone)
		}
	})
	session := open(t, to(t, s))
	if !session.Stateful() {
		t.Error("the session is not stateful, though the upstream named it")
	}
	var out sink
	if err := session.Call(t.Context(), legacy(t, oldCall), &out); err != nil {
		t.Fatal(err)
	}
	if out.text() != "final "+oldDone {
		t.Errorf("answer is %s", out.text())
	}
	if err := session.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if up.count() != 0 {
		t.Error("the session was not ended upstream")
	}
	wantCode(t, session.Call(t.Context(), legacy(t, oldCall), &sink{}), exchange.SessionLost)
	got := s.got()
	if h := got[0].Header; h.Get("Mcp-Session-Id") != "" || h.Get("Mcp-Protocol-Version") != "" || got[0].body != initialize {
		t.Errorf("initialize was sent with %v", h)
	}
	if h := got[2].Header; h.Get("Mcp-Session-Id") != "upstream-1" || h.Get("Mcp-Protocol-Version") != "2025-06-18" || h.Get("Mcp-Method") != "" {
		t.Errorf("the call was sent with %v", h)
	}
}

func TestCloseEndsSessions(t *testing.T) {
	t.Parallel()
	var up sessions
	s := serve(t, func(w http.ResponseWriter, r *recorded) { up.enter(w, r) })
	u := to(t, s)
	for range 20 {
		open(t, u)
	}
	if err := u.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := up.count(); n != 0 {
		t.Errorf("%d sessions are left upstream", n)
	}
	_, err := u.Initialize(t.Context(), legacy(t, initialize), &sink{})
	wantCode(t, err, exchange.ShuttingDown)
}

func TestForgottenSessionIsOpenedAnew(t *testing.T) {
	t.Parallel()
	var up sessions
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		if !up.enter(w, r) {
			answer(w, 200, oldDone)
		}
	})
	session := open(t, to(t, s))
	for _, raw := range []string{
		`{"jsonrpc":"2.0","id":5,"method":"logging/setLevel","params":{"level":"info"}}`,
		`{"jsonrpc":"2.0","id":6,"method":"resources/subscribe","params":{"uri":"a:1"}}`,
		`{"jsonrpc":"2.0","id":7,"method":"resources/subscribe","params":{"uri":"a:2"}}`,
		`{"jsonrpc":"2.0","id":8,"method":"resources/unsubscribe","params":{"uri":"a:1"}}`,
	} {
		if err := session.Call(t.Context(), legacy(t, raw), &sink{}); err == nil || !strings.Contains(err.Error(), "not MCP") {
			t.Fatal(err) // the double answers everything alike; that the message was taken is what counts
		}
	}
	before := len(s.got())
	up.restart()

	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := session.Call(t.Context(), legacy(t, oldCall), &sink{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	handshakes := 0
	var again []string
	for _, r := range s.got()[before:] {
		if r.body == initialize {
			handshakes++
		}
		if strings.Contains(r.body, "sluice-again") {
			again = append(again, r.body)
		}
	}
	if handshakes != 1 {
		t.Errorf("it was initialized %d times; want once", handshakes)
	}
	if all := strings.Join(again, "\n"); len(again) != 2 || !strings.Contains(all, "setLevel") || !strings.Contains(all, "a:2") {
		t.Errorf("of the session's state was sent again:\n%s", all)
	}
}

// A call that fails for a session of another kind was done, and is not done again.
func TestSessionOfAnotherKind(t *testing.T) {
	t.Parallel()
	var up sessions
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		switch {
		case up.enter(w, r):
		case strings.Contains(r.body, `"ping"`):
			answer(w, 200, `{"jsonrpc":"2.0","id":"sluice-ping","result":{}}`)
		default:
			http.Error(w, "the checkout session has expired", 400)
		}
	})
	wantCode(t, open(t, to(t, s)).Call(t.Context(), legacy(t, oldCall), &sink{}), exchange.BrokeOff)
	calls := 0
	for _, r := range s.got() {
		if r.body == oldCall {
			calls++
		}
	}
	if calls != 1 || up.count() != 1 {
		t.Errorf("the call was sent %d times, in %d sessions", calls, up.count())
	}
}

func TestSessionForgottenInOtherWords(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}`, "Invalid session id"} {
		up := sessions{gone: func(w http.ResponseWriter) { answer(w, 400, body) }}
		s := serve(t, func(w http.ResponseWriter, r *recorded) {
			if !up.enter(w, r) {
				answer(w, 200, oldDone)
			}
		})
		session := open(t, to(t, s))
		up.restart()
		if err := session.Call(t.Context(), legacy(t, oldCall), &sink{}); err != nil {
			t.Error(err)
		}
	}
}

// Some servers give every error of theirs the same id. It answers the call all the same.
func TestLegacyErrorOfAnotherID(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 406, 413, 500} {
		var up sessions
		s := serve(t, func(w http.ResponseWriter, r *recorded) {
			if !up.enter(w, r) {
				answer(w, status, `{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"no"}}`)
			}
		})
		var out sink
		if err := open(t, to(t, s)).Call(t.Context(), legacy(t, oldCall), &out); err != nil {
			t.Error(err)
		}
		if want := `final {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"no"}}`; out.text() != want {
			t.Errorf("HTTP %d came as %q", status, out.text())
		}
	}
}

// A session that was opened anew, but not to the end, is not left behind.
func TestHalfOpenedSessionIsEnded(t *testing.T) {
	t.Parallel()
	var up sessions
	var mu sync.Mutex
	breaks := false
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		mu.Lock()
		defer mu.Unlock()
		if breaks && r.body == initialized {
			panic(http.ErrAbortHandler)
		}
		if !up.enter(w, r) {
			answer(w, 200, oldDone)
		}
	})
	session := open(t, to(t, s))
	up.restart()
	mu.Lock()
	breaks = true
	mu.Unlock()
	wantCode(t, session.Call(t.Context(), legacy(t, oldCall), &sink{}), exchange.BrokeOff)
	if n := up.count(); n != 0 {
		t.Errorf("%d sessions are left at the upstream", n)
	}
}

// A stream may last for ever; opening its session anew may not, since calls wait for it.
func TestStreamDoesNotOpenASessionForEver(t *testing.T) {
	t.Parallel()
	var up sessions
	var mu sync.Mutex
	hangs := false
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		mu.Lock()
		hang := hangs && r.body == initialize
		mu.Unlock()
		if hang {
			<-r.Context().Done()
			return
		}
		up.enter(w, r)
	})
	session := open(t, dial(t, httpdial.Options{URL: s.URL, CallTimeout: time.Second}))
	up.restart()
	mu.Lock()
	hangs = true
	mu.Unlock()
	result := background(t.Context(), func(ctx context.Context) error { return session.Listen(ctx, legacy(t, initialized), "", &sink{}) })
	select {
	case err := <-result:
		wantCode(t, err, exchange.TimedOut)
	case <-time.After(10 * time.Second):
		t.Fatal("the stream still waits for its session")
	}
}

func TestResponseToALostSessionIsNotSentAgain(t *testing.T) {
	t.Parallel()
	var up sessions
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		if !up.enter(w, r) {
			w.WriteHeader(202)
		}
	})
	session := open(t, to(t, s))
	up.restart()
	reply := legacy(t, `{"jsonrpc":"2.0","id":"q","result":{}}`)
	wantCode(t, session.Notify(t.Context(), reply), exchange.SessionLost)
	if err := session.Notify(t.Context(), legacy(t, `{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`)); err != nil {
		t.Errorf("a notification did not open the session anew: %v", err)
	}
}

func TestUnknownMethodIsNoLostSession(t *testing.T) {
	t.Parallel()
	var up sessions
	unknown := `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}`
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		if !up.enter(w, r) {
			answer(w, 404, unknown)
		}
	})
	session := open(t, to(t, s))
	var out sink
	if err := session.Call(t.Context(), legacy(t, oldCall), &out); err != nil {
		t.Fatal(err)
	}
	if out.text() != "final "+unknown {
		t.Errorf("answer is %s", out.text())
	}
}

func TestInitializeRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		body   string
		code   exchange.Code
	}{
		{"by a modern server", 400, `{"jsonrpc":"2.0","id":0,"error":{"code":-32022,"message":"no","data":{"supported":["2026-07-28"]}}}`, ""},
		{"with an ordinary error", 200, `{"jsonrpc":"2.0","id":0,"error":{"code":-32603,"message":"no"}}`, ""},
		{"by something else", 404, "not found", exchange.WrongEra},
		{"by the old transport", 405, "", exchange.WrongEra},
		{"by a failing server", 503, "", exchange.Unreachable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *recorded) { answer(w, tt.status, tt.body) })
			var out sink
			session, err := to(t, s).Initialize(t.Context(), legacy(t, initialize), &out)
			if session != nil {
				t.Error("there is a session")
			}
			if tt.code != "" {
				wantCode(t, err, tt.code)
			} else if err != nil || out.text() != "final "+tt.body {
				t.Errorf("got %s, %v", out.text(), err)
			}
		})
	}
}

func TestStatelessLegacy(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		switch {
		case r.Method == http.MethodGet:
			w.WriteHeader(405)
		case strings.Contains(r.body, `"initialize"`):
			events(w, "data: "+welcome)
		default:
			answer(w, 200, oldDone)
		}
	})
	u := to(t, s)
	first, err := u.Initialize(t.Context(), legacy(t, initialize), &sink{})
	if err != nil || first.Stateful() {
		t.Fatalf("stateful %v, %v", first, err)
	}
	session, err := u.Resume(t.Context(), legacy(t, oldCall))
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Call(t.Context(), legacy(t, oldCall), &relay{}); err != nil {
		t.Fatal(err)
	}
	if err := session.Listen(t.Context(), &exchange.Call{}, "", &sink{}); !errors.Is(err, exchange.ErrNoStream) {
		t.Errorf("listening returned %v", err)
	}
	if h := s.got()[1].Header; h.Get("Mcp-Protocol-Version") != "2025-11-25" || h.Get("Mcp-Session-Id") != "" {
		t.Errorf("the call was sent with %v", h)
	}
}

func TestServerRequestInACall(t *testing.T) {
	t.Parallel()
	var up sessions
	answered := make(chan string, 1)
	ask := `{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{}}` // an id of the server's own
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		if up.enter(w, r) {
			return
		}
		if strings.Contains(r.body, `"result"`) {
			answered <- r.body
			w.WriteHeader(202)
			return
		}
		events(w, "data: "+ask)
		select {
		case <-answered:
			events(w, "data: "+oldDone)
		case <-r.Context().Done():
		}
	})
	session := open(t, to(t, s))
	out := &sink{seen: make(chan struct{}, 9)}
	result := background(t.Context(), func(ctx context.Context) error { return session.Call(ctx, legacy(t, oldCall), out) })
	wait(t, out.seen, "the question")
	if err := session.Notify(t.Context(), legacy(t, `{"jsonrpc":"2.0","id":1,"result":{"action":"accept"}}`)); err != nil {
		t.Fatal(err)
	}
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	if want := ask + "\nfinal " + oldDone; out.text() != want {
		t.Errorf("events are\n%s\nwant\n%s", out.text(), want)
	}
}

func TestLegacyCancellationIsTold(t *testing.T) {
	t.Parallel()
	var up sessions
	began, told := make(chan struct{}), make(chan string, 1)
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		if strings.Contains(r.body, "notifications/cancelled") {
			told <- r.body
		}
		if up.enter(w, r) {
			return
		}
		close(began)
		<-r.Context().Done()
	})
	session := open(t, to(t, s))
	ctx, cancel := context.WithCancel(t.Context())
	result := background(ctx, func(ctx context.Context) error { return session.Call(ctx, legacy(t, oldCall), &sink{}) })
	wait(t, began, "the call")
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("the call returned %v", err)
	}
	select {
	case body := <-told:
		if body != `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}` {
			t.Errorf("told %s", body)
		}
	case <-time.After(10 * time.Second):
		t.Error("the upstream was not told")
	}
}

func TestBrokenStreamIsResumed(t *testing.T) {
	t.Parallel()
	var up sessions
	note := func(n int) string { return fmt.Sprintf(`{"jsonrpc":"2.0","method":"n","params":{"n":%d}}`, n) }
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		switch last := r.Header.Get("Last-Event-Id"); {
		case up.enter(w, r):
		case r.Method == http.MethodPost:
			events(w, "event: prime\nid: s/0\nretry: 20\ndata:", "id: s/1\ndata: "+note(1))
		case last == "s/1":
			events(w, "id: s/2\ndata: "+note(2)) // and closes again
		case last == "s/2":
			events(w, "data: "+oldDone)
		default:
			t.Errorf("resumed after %q", last)
		}
	})
	session := open(t, to(t, s))
	var out sink
	if err := session.Call(t.Context(), legacy(t, oldCall), &out); err != nil {
		t.Fatal(err)
	}
	if want := "\n" + note(1) + "\n" + note(2) + "\nfinal " + oldDone; out.text() != want {
		t.Errorf("events are\n%s\nwant\n%s", out.text(), want)
	}
	if e := out.events[0]; !e.HasID || e.ID != "s/0" || e.Retry != "20" {
		t.Errorf("the priming event is %+v", e)
	}
	var whole relay // whose client resumes by itself
	if err := session.Call(t.Context(), legacy(t, oldCall), &whole); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(whole.body, note(1)+"\n\n") {
		t.Errorf("relayed %q", whole.body)
	}
}

func TestListen(t *testing.T) {
	t.Parallel()
	note := `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`
	rest := `{"jsonrpc":"2.0","id":1,"result":{}}`
	var up sessions
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		switch {
		case up.enter(w, r):
		case r.Header.Get("Last-Event-Id") == "lost/1":
			events(w, "data: "+rest)
		default:
			events(w, ": open", "data: "+note)
		}
	})
	session := open(t, to(t, s))
	for _, tt := range []struct{ last, want string }{{"", note}, {"lost/1", rest}} {
		var out sink
		err := session.Listen(t.Context(), &exchange.Call{}, tt.last, &out)
		if tt.last == "" && err != nil {
			t.Error(err)
		}
		if out.opened == 0 || !strings.HasPrefix(out.text(), tt.want) {
			t.Errorf("after %q: opened %d times, events are %s; want %s", tt.last, out.opened, out.text(), tt.want)
		}
		if tt.last != "" {
			continue
		}
		up.restart()
		if err := session.Listen(t.Context(), &exchange.Call{}, "", &relay{}); err != nil {
			t.Errorf("listening after the upstream forgot the session: %v", err)
		}
	}
	up.restart()
	err := session.Listen(t.Context(), &exchange.Call{}, "lost/1", &relay{})
	wantCode(t, err, exchange.SessionLost)
}

func TestListenEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		events(w, ": open")
		<-r.Context().Done()
	})
	u := dial(t, httpdial.Options{URL: s.URL, CallTimeout: 50 * time.Millisecond})
	session, _ := u.Resume(t.Context(), legacy(t, oldCall))
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := session.Listen(ctx, &exchange.Call{}, "", &sink{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it ended with %v", err)
	}
	if time.Since(start) < 140*time.Millisecond {
		t.Error("the stream ended before its context")
	}
}

func TestSessionIDNeverLeaves(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *recorded) {
		w.Header().Set("Mcp-Session-Id", "secret\x80id")
		answer(w, 200, welcome)
	})
	_, err := to(t, s).Initialize(t.Context(), legacy(t, initialize), &sink{})
	e := errorOf(t, err, exchange.Unreachable)
	if b := string(e.Response(nil)); strings.Contains(b, "secret") {
		t.Errorf("the error tells the session id: %s", b)
	}
}

func TestClientGoneDuringInitialize(t *testing.T) {
	t.Parallel()
	var up sessions
	s := serve(t, func(w http.ResponseWriter, r *recorded) { up.enter(w, r) })
	_, err := to(t, s).Initialize(t.Context(), legacy(t, initialize), &sink{err: io.ErrClosedPipe})
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error is %v", err)
	}
	if up.count() != 0 {
		t.Error("a session that nobody can use is left upstream")
	}
}
