package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/cli"
)

// server is a running `sluice serve`.
type server struct {
	t     *testing.T
	url   string
	token string // the owner's
	stop  func() int
}

// serve starts a server in this process; it ends with the test.
func (w *world) serving(args ...string) *server {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	out, in := io.Pipe()
	var logs lockedBuffer
	code := make(chan int, 1)
	go func() {
		code <- cli.Main(ctx, cli.Process{
			Args: append([]string{"--state-dir", filepath.Join(w.dir, "state"), "--graph-url", w.url, "serve", "--addr", "127.0.0.1:0"}, args...),
			Env:  slices.Clone(w.env), Stdin: strings.NewReader(""), Stdout: in, Stderr: &logs, Now: w.clock,
			Sleep: func(ctx context.Context, d time.Duration) error { w.advance(d); return ctx.Err() },
		})
		_ = in.Close()
	}()
	s := &server{t: w.t}
	var left int
	s.stop = func() int {
		if cancel != nil {
			cancel()
			cancel = nil
			left = <-code
		}
		return left
	}
	w.t.Cleanup(func() { s.stop() })
	first := make([]byte, 256)
	n, err := out.Read(first)
	if err != nil {
		w.t.Fatalf("serve ended: exit %d, %v\n%s", s.stop(), err, logs.String())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	at, ok := strings.CutPrefix(strings.TrimSpace(string(first[:n])), "listening on ")
	if !ok {
		w.t.Fatalf("first line %q", first[:n])
	}
	s.url = at
	text, err := os.ReadFile(filepath.Join(w.dir, "state", "owner-token"))
	if err != nil {
		w.t.Fatal(err)
	}
	s.token = strings.TrimSpace(string(text))
	return s
}

// reply is an answer of the API.
type reply struct {
	status int
	header http.Header
	body   []byte
	Error  struct {
		Code      string         `json:"code"`
		Message   string         `json:"message"`
		RequestID string         `json:"request_id"`
		Fix       string         `json:"fix"`
		Details   map[string]any `json:"details"`
	} `json:"error"`
}

func (r *reply) into(t *testing.T, v any) {
	t.Helper()
	if r.status >= 300 {
		t.Fatalf("HTTP %d %s", r.status, r.body)
	}
	decode(t, string(r.body), v)
}

// call sends one request; header is pairs of name and value.
func (s *server) call(token, method, path string, body any, header ...string) *reply {
	s.t.Helper()
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			s.t.Fatal(err)
		}
		in = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, s.url+path, in)
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if req.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	r := &reply{status: res.StatusCode, header: res.Header}
	if r.body, err = io.ReadAll(res.Body); err != nil {
		s.t.Fatal(err)
	}
	_ = json.Unmarshal(r.body, r)
	return r
}

// refused demands a typed error.
func (s *server) refused(r *reply, status int, code string) {
	s.t.Helper()
	if r.status != status || r.Error.Code != code || r.Error.RequestID == "" || r.Error.RequestID != r.header.Get("X-Request-Id") {
		s.t.Errorf("HTTP %d %s, want %d %s with the id of the request", r.status, r.body, status, code)
	}
}

// tokenOf makes a member with a token.
func (w *world) tokenOf(user, role, scopes string) string {
	w.t.Helper()
	w.ok(nil, "member", "add", user, "--role", role)
	var made struct{ Token string }
	w.ok(&made, "token", "add", "--user", user, "--scopes", scopes)
	return made.Token
}

func TestServeAnswersWhatTheCommandLineAnswers(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		var p plan
		w.ok(&p, "preview", w.file("orders.csv", w.orders("north", 7)+"north,8,never,1,GBP,a@example.com,,C8\n"), "-m", w.file("mapping.yaml", mappingText), "--dataset", dataset)
		w.ok(nil, "connect", dataset)
		s := w.serving()
		var list struct {
			Items []struct {
				PlanID string `json:"plan_id"`
			}
		}
		s.call(s.token, "GET", "/api/v1/plans", nil).into(t, &list)
		if len(list.Items) != 1 || list.Items[0].PlanID != p.ID {
			t.Errorf("plans %+v", list.Items)
		}
		var rejects struct{ Items []struct{ Code string } }
		s.call(s.token, "GET", "/api/v1/plans/"+p.ID+"/rejects", nil).into(t, &rejects)
		if len(rejects.Items) != 1 || rejects.Items[0].Code == "" {
			t.Errorf("rejects %+v", rejects.Items)
		}
		var page struct {
			Items []struct {
				State string `json:"state"`
			}
			Next string
		}
		s.call(s.token, "GET", "/api/v1/plans/"+p.ID+"/events?limit=5", nil).into(t, &page)
		if len(page.Items) != 5 || page.Next != "5" {
			t.Errorf("%d events, next %q", len(page.Items), page.Next)
		}
		s.call(s.token, "GET", "/api/v1/plans/"+p.ID+"/events?from=5", nil).into(t, &page)
		if len(page.Items) != 2 {
			t.Errorf("%d events on the second page", len(page.Items))
		}
		var dry struct{ OK bool }
		s.call(s.token, "POST", "/api/v1/plans/"+p.ID+"/dry-runs", "{}").into(t, &dry)
		if !dry.OK {
			t.Error("the dry run failed")
		}
		path, body := "/api/v1/plans/"+p.ID+"/confirms", map[string]any{"plan_hash": p.Hash}
		s.refused(s.call(s.token, "POST", path, body), 400, "idempotency_key_required")
		s.refused(s.call(s.token, "POST", path, "{}", "Idempotency-Key", "k1"), 400, "plan_required")
		var first, again receipt
		s.call(s.token, "POST", path, body, "Idempotency-Key", "k1").into(t, &first)
		requests := w.requests()
		s.call(s.token, "POST", path, body, "Idempotency-Key", "k1").into(t, &again)
		if first.Replayed || first.Counts["delivered"] != 7 || !again.Replayed || again.RunID != first.RunID || w.requests() != requests {
			t.Errorf("first %+v, again %+v, %d requests more", first, again, w.requests()-requests)
		}
		if code := s.stop(); code != 0 {
			t.Errorf("serve ended with %d", code)
		}
	})
}

// Each precondition failing alone gives its own code; of all that fail, the first
// in the order scope, switch, role, connection is named.
func TestVector01_preconditions_in_order(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		var p plan
		w.ok(&p, "preview", w.file("orders.csv", w.orders("north", 3)), "-m", w.file("mapping.yaml", mappingText), "--dataset", dataset)
		w.ok(nil, "dry-run", p.ID)
		admin, reads := w.tokenOf("adele", "admin", "mcp:read,mcp:write"), w.tokenOf("alan", "admin", "mcp:read")
		viewer, viewerReads := w.tokenOf("vera", "viewer", "mcp:read,mcp:write"), w.tokenOf("vito", "viewer", "mcp:read")
		s := w.serving()
		confirm := func(token string) *reply {
			return s.call(token, "POST", "/api/v1/plans/"+p.ID+"/confirms", map[string]any{"plan_hash": p.Hash}, "Idempotency-Key", "vector-1")
		}
		rehearse := func(token string) *reply { return s.call(token, "POST", "/api/v1/plans/"+p.ID+"/dry-runs", "{}") }
		set := func(writeback string) { w.ok(nil, "workspace", "set", "--write-back", writeback) }
		connect := func(on bool) {
			if on {
				w.ok(nil, "connect", dataset)
			} else {
				w.ok(nil, "connect", "remove", dataset)
			}
		}
		for name, act := range map[string]func(string) *reply{"confirm": confirm, "dry run": rehearse} {
			t.Log(name)
			connect(true)
			// One fails alone.
			s.refused(act(reads), 403, "insufficient_scope")
			set("off")
			s.refused(act(admin), 403, "writeback_disabled")
			set("on")
			s.refused(act(viewer), 403, "role_required")
			connect(false)
			s.refused(act(admin), 424, "connection_inactive")
			// All fail, then one less each time.
			set("off")
			s.refused(act(viewerReads), 403, "insufficient_scope")
			s.refused(act(viewer), 403, "writeback_disabled")
			set("on")
			s.refused(act(viewer), 403, "role_required")
			s.refused(act(admin), 424, "connection_inactive")
		}
		if w.requests() != 0 {
			t.Errorf("%d requests were sent", w.requests())
		}
		connect(true)
		var r receipt
		confirm(admin).into(t, &r)
		if r.Counts["delivered"] != 3 {
			t.Errorf("receipt %+v", r)
		}
		// A finished key is answered whatever became of switch and connection.
		set("off")
		connect(false)
		var again receipt
		if confirm(admin).into(t, &again); !again.Replayed || again.RunID != r.RunID {
			t.Errorf("answer %+v", again)
		}
	})
}

func TestServeRefusesWhatIsNotAsked(t *testing.T) {
	t.Parallel()
	w := begin(t)
	s := w.serving()
	s.refused(s.call("", "GET", "/api/v1/plans", nil), 401, "auth_required")
	s.refused(s.call("slt_"+strings.Repeat("0", 26)+"_"+strings.Repeat("0", 64), "GET", "/api/v1/plans", nil), 401, "auth_required")
	s.refused(s.call(s.token, "GET", "/api/v1/plans?access_token=x", nil), 400, "usage")
	s.refused(s.call(s.token, "GET", "/api/v1/nowhere", nil), 404, "not_found")
	s.refused(s.call(s.token, "GET", "/api/v1/plans", nil, "Host", "evil.example.com"), 403, "origin_refused")
	s.refused(s.call(s.token, "GET", "/api/v1/plans", nil, "Origin", "https://evil.example.com"), 403, "origin_refused")
	s.refused(s.call(s.token, "POST", "/api/v1/tokens", `{"user":"owner"}`, "Content-Type", "text/plain"), 400, "usage")
	s.refused(s.call(s.token, "PATCH", "/api/v1/workspace", `{"name":"`+strings.Repeat("x", 1<<20)+`"}`), 413, "body_too_large")
	for body, member := range map[string]string{
		`{"writeback":true}`:                  "/writeback",
		`{"writeback_enabled":"yes"}`:         "/writeback_enabled",
		`{"name":"a","name":"b"}`:             "/name",
		`{"Writeback_Enabled":true}`:          "/Writeback_Enabled",
		`{"policy":{"max_events_per_run":1}}`: "/policy",
	} {
		r := s.call(s.token, "PATCH", "/api/v1/workspace", body)
		if s.refused(r, 400, "usage"); !strings.HasPrefix(r.Error.Message, member+":") {
			t.Errorf("%s: %q does not name %s", body, r.Error.Message, member)
		}
	}
	r := s.call(s.token, "PUT", "/api/v1/profiles/default", `{"policy":{"max_evnts":1}}`)
	if s.refused(r, 400, "usage"); !strings.HasPrefix(r.Error.Message, "/policy/max_evnts:") {
		t.Errorf("%q does not name the member", r.Error.Message)
	}
	if h := s.call(s.token, "GET", "/api/v1/me", nil).header; h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" || h.Get("Content-Security-Policy") == "" {
		t.Errorf("headers %v", h)
	}
}

func TestServeWatches(t *testing.T) {
	t.Parallel()
	w := begin(t)
	s := w.serving()
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/api/v1/openapi.json": 200, "/metrics": 200} {
		if r := s.call("", "GET", path, nil); r.status != want {
			t.Errorf("%s: HTTP %d", path, r.status)
		}
	}
	info, err := os.Stat(filepath.Join(w.dir, "state", "owner-token"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("owner-token: %v, %v", info, err)
	}
	s.stop()
	again := w.serving()
	if again.token != s.token {
		t.Error("a second start made another token")
	}
	if r := again.call(again.token, "GET", "/api/v1/me", nil); r.status != 200 {
		t.Errorf("the kept token: HTTP %d", r.status)
	}
}

func TestTokensEndAndFollowTheRole(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		s := w.serving()
		w.ok(nil, "member", "add", "amira", "--role", "admin")
		var short, kept struct {
			Token string `json:"token"`
			ID    string `json:"id"`
		}
		w.ok(&short, "token", "add", "--user", "amira", "--expires", "1h")
		w.ok(&kept, "token", "add", "--user", "amira", "--scopes", "mcp:read,mcp:write")
		s.call(short.Token, "GET", "/api/v1/me", nil).into(t, nil)
		s.refused(s.call(short.Token, "POST", "/api/v1/tokens", `{"user":"amira"}`), 403, "insufficient_scope")
		w.advance(2 * time.Hour)
		s.refused(s.call(short.Token, "GET", "/api/v1/me", nil), 401, "token_expired")

		s.call(kept.Token, "PUT", "/api/v1/members/bo", `{"role":"viewer"}`).into(t, nil)
		s.refused(s.call(kept.Token, "PUT", "/api/v1/members/bo", `{"role":"owner"}`), 403, "role_required")
		s.refused(s.call(kept.Token, "PUT", "/api/v1/profiles/default", `{"policy":{"four_eyes":true}}`), 403, "role_required")
		w.ok(nil, "member", "set", "amira", "--role", "viewer")
		s.refused(s.call(kept.Token, "PUT", "/api/v1/members/bo", `{"role":"viewer"}`), 403, "role_required")
		w.ok(nil, "token", "revoke", kept.ID)
		s.refused(s.call(kept.Token, "GET", "/api/v1/me", nil), 401, "token_expired")
		w.ok(nil, "member", "remove", "amira")
		r := s.call(s.token, "DELETE", "/api/v1/members/owner", nil)
		if s.refused(r, 400, "usage"); !strings.Contains(r.Error.Message, "only owner") {
			t.Errorf("%s", r.body)
		}
		// The token's text is nowhere but in the answer that made it.
		for _, secret := range []string{short.Token, kept.Token} {
			_ = filepath.WalkDir(filepath.Join(w.dir, "state"), func(path string, d os.DirEntry, err error) error {
				if err == nil && d.Type().IsRegular() {
					if text, err := os.ReadFile(path); err == nil && bytes.Contains(text, []byte(secret[31:])) {
						t.Errorf("%s holds a token's secret", filepath.Base(path))
					}
				}
				return nil
			})
		}
	})
}

func TestAnswersAreRepeatedByKey(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		s := w.serving()
		body := `{"user":"owner","name":"nightly"}`
		first := s.call(s.token, "POST", "/api/v1/tokens", body, "Idempotency-Key", "a")
		again := s.call(s.token, "POST", "/api/v1/tokens", body, "Idempotency-Key", "a")
		if first.status != 200 || !bytes.Equal(first.body, again.body) || again.header.Get("Idempotent-Replayed") != "true" || first.header.Get("Idempotent-Replayed") != "" {
			t.Errorf("first HTTP %d, again HTTP %d %v", first.status, again.status, again.header)
		}
		s.refused(s.call(s.token, "POST", "/api/v1/tokens", `{"user":"owner"}`, "Idempotency-Key", "a"), 422, "idempotency_mismatch")
		s.refused(s.call(s.token, "POST", "/api/v1/tokens", body, "Idempotency-Key", strings.Repeat("x", 256)), 400, "idempotency_key_invalid")
		// A call that failed leaves its key free.
		s.refused(s.call(s.token, "POST", "/api/v1/tokens", `{"user":"nobody"}`, "Idempotency-Key", "b"), 404, "not_found")
		s.call(s.token, "POST", "/api/v1/tokens", body, "Idempotency-Key", "b").into(t, nil)
		var list struct{ Items []struct{ Name string } }
		s.call(s.token, "GET", "/api/v1/tokens", nil).into(t, &list)
		n := 0
		for _, k := range list.Items {
			if k.Name == "nightly" {
				n++
			}
		}
		if n != 2 {
			t.Errorf("%d tokens were made, want 2", n)
		}
	})
}

func TestAnotherWorkspaceSeesNothing(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		var p plan
		w.ok(&p, "preview", w.file("orders.csv", w.orders("north", 3)), "-m", w.file("mapping.yaml", mappingText), "--dataset", dataset)
		w.ok(nil, "workspace", "add", "other")
		w.ok(nil, "profile", "add", "elsewhere", "--workspace", "other")
		w.ok(nil, "member", "add", "noor", "--role", "owner", "--workspace", "other")
		var made struct{ Token string }
		w.ok(&made, "token", "add", "--user", "noor", "--scopes", "mcp:read,mcp:write", "--workspace", "other")
		s := w.serving()
		var list struct{ Items []any }
		s.call(made.Token, "GET", "/api/v1/plans", nil).into(t, &list)
		if len(list.Items) != 0 {
			t.Errorf("plans of another workspace: %v", list.Items)
		}
		for _, path := range []string{"", "/events", "/rejects", "/run"} {
			s.refused(s.call(made.Token, "GET", "/api/v1/plans/"+p.ID+path, nil), 404, "plan_not_found")
		}
		s.refused(s.call(made.Token, "GET", "/api/v1/plans?profile=default", nil), 404, "not_found")
	})
}

// lockedBuffer is a buffer that a server and a test may touch at once.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A server that is told to end sends nothing new, books what is under way, and says
// how far it came; the next one goes on.
func TestServeDrains(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		const events, atOnce = 6000, 4
		w.ok(nil, "connect", dataset)
		var p plan
		w.ok(&p, "preview", w.file("orders.csv", w.orders("north", events)), "-m", w.file("mapping.yaml", mappingText), "--dataset", dataset)
		w.ok(nil, "dry-run", p.ID)
		s := w.serving()
		var arrived sync.WaitGroup
		arrived.Add(atOnce)
		release := make(chan struct{})
		w.intercept(func(n int, serve func(), _ http.ResponseWriter) {
			if n <= atOnce {
				arrived.Done()
			}
			<-release
			serve()
		}, nil)
		answer := make(chan *reply, 1)
		go func() {
			answer <- s.call(s.token, "POST", "/api/v1/plans/"+p.ID+"/confirms", map[string]any{"plan_hash": p.Hash, "wait": 100}, "Idempotency-Key", "drain")
		}()
		arrived.Wait()
		ended := make(chan int, 1)
		go func() { ended <- s.stop() }()
		until(t, 10*time.Second, "the server listens no more", func() bool {
			res, err := http.Get(s.url + "/readyz")
			if err == nil {
				_ = res.Body.Close()
			}
			return err != nil
		})
		close(release)
		r := <-answer
		var got struct {
			Status  string
			Running struct{ Counts map[string]int }
		}
		if decode(t, string(r.body), &got); r.status != 202 || got.Status != "stopped" {
			t.Errorf("HTTP %d %s", r.status, r.body)
		}
		if code := <-ended; code != 0 {
			t.Errorf("serve ended with %d", code)
		}
		if n := w.requests(); n != atOnce {
			t.Errorf("%d requests, want the %d that were under way", n, atOnce)
		}
		if n := got.Running.Counts["delivered"]; n != atOnce*1000 {
			t.Errorf("%d events are booked as delivered, want %d", n, atOnce*1000)
		}
		next := w.serving()
		var run struct {
			State  string
			Counts map[string]int
		}
		until(t, 20*time.Second, "the run is finished", func() bool {
			next.call(next.token, "GET", "/api/v1/plans/"+p.ID+"/run", nil).into(t, &run)
			return run.State == "finished"
		})
		if run.Counts["delivered"] != events {
			t.Errorf("state %s, counts %v", run.State, run.Counts)
		}
		if st := w.stored(); st.Kept != events || st.Duplicates != 0 {
			t.Errorf("the sandbox stored %+v", st)
		}
	})
}

// until asks a server or process, which keeps its own time, until it says yes.
func until(t *testing.T, limit time.Duration, what string, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(limit); !yes(); <-tick.C {
		if time.Now().After(end) {
			t.Errorf("%s: not within %v", what, limit)
			return
		}
	}
}
