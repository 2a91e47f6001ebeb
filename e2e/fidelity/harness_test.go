// Package fidelity compares what goes into `sluice proxy` with what comes out, byte by
// byte, in both directions and both eras. Client and upstream are plain HTTP: an SDK
// would rewrite what has to be looked at.
package fidelity

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/testkit/mcptest"
	"sluice/internal/testkit/proc"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == childArgument {
		child(os.Stdin, os.Stdout)
		return
	}
	mcptest.Main(m)
}

// environment keeps a relay off this user's own state.
func environment(t *testing.T) []string {
	dir := t.TempDir()
	return []string{"SLUICE_STATE_DIR=" + filepath.Join(dir, "state"), "HOME=" + dir}
}

// relay starts the relay in front of an upstream, and returns where it listens.
func relay(t *testing.T, upstream ...string) string {
	t.Helper()
	args := append([]string{"proxy", "--listen", "127.0.0.1:0"}, upstream...)
	p, err := proc.Start(context.Background(), environment(t), mcptest.Program(t), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Errorf("the relay ended with: %v", err)
		}
	})
	return p.URL
}

// received is a request as the upstream got it.
type received struct {
	method string
	header http.Header
	body   string
}

// upstream answers what a test tells it to, and keeps what it was sent.
type upstream struct {
	t      *testing.T
	server *httptest.Server

	mu    sync.Mutex
	got   []received
	serve func(w http.ResponseWriter, r *http.Request, body string)
}

// newUpstream is a server of the era whose handshakes it knows: a relay that asks which
// one it is gets an answer, and the rest is the test's.
func newUpstream(t *testing.T) *upstream {
	t.Helper()
	u := &upstream{t: t}
	u.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		u.mu.Lock()
		u.got = append(u.got, received{r.Method, r.Header.Clone(), string(body)})
		serve := u.serve
		u.mu.Unlock()
		serve(w, r, string(body))
	}))
	t.Cleanup(func() {
		u.server.CloseClientConnections()
		u.server.Close()
	})
	return u
}

// answers sets what is answered from now on.
func (u *upstream) answers(serve func(w http.ResponseWriter, r *http.Request, body string)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.serve = serve
}

// taken returns what was received since the last time.
func (u *upstream) taken() []received {
	u.mu.Lock()
	defer u.mu.Unlock()
	got := u.got
	u.got = nil
	return got
}

// sent is the one request that was received with this body.
func (u *upstream) sent(body string) (received, bool) {
	for _, r := range u.taken() {
		if r.body == body {
			return r, true
		}
	}
	return received{}, false
}

func answerJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func answerStream(w http.ResponseWriter, events string) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, events)
	_ = http.NewResponseController(w).Flush()
}

const (
	modernMeta = `"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}`
	discovered = `{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"private",` +
		`"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"raw","version":"1"}}}`
	initialize  = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{}},"clientInfo":{"name":"raw","version":"1"}}}`
	initialized = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
	greeting    = `{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"raw","version":"1"}}}`
)

// pairs of header names and values.
type pairs []string

func modernHeaders(method, name string) pairs {
	h := pairs{"MCP-Protocol-Version", "2026-07-28", "Mcp-Method", method}
	if name != "" {
		h = append(h, "Mcp-Name", name)
	}
	return h
}

// reply is an answer as the client got it.
type reply struct {
	status int
	header http.Header
	body   io.ReadCloser
}

// send sends a message; its answer is closed with the test.
func send(ctx context.Context, t *testing.T, method, url, body string, headers pairs) *reply {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return &reply{resp.StatusCode, resp.Header, resp.Body}
}

func post(t *testing.T, url, body string, headers pairs) (*reply, string) {
	t.Helper()
	r := send(t.Context(), t, http.MethodPost, url, body, headers)
	b, err := io.ReadAll(r.body)
	if err != nil {
		t.Fatal(err)
	}
	return r, string(b)
}

// modern starts a modern upstream and a relay in front of it, which knows its era when
// it returns.
func modern(t *testing.T) (*upstream, string) {
	t.Helper()
	u := newUpstream(t)
	u.answers(func(w http.ResponseWriter, _ *http.Request, body string) {
		id := "1"
		if at := strings.Index(body, `"id":`); at >= 0 {
			id = strings.TrimRight(body[at+5:at+5+strings.IndexAny(body[at+5:], ",}")], " ")
		}
		answerJSON(w, 200, `{"jsonrpc":"2.0","id":`+id+`,"result":`+discovered+`}`)
	})
	url := relay(t, "--upstream", u.server.URL)
	if r, body := post(t, url, `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{`+modernMeta+`}}}`, modernHeaders("server/discover", "")); r.status != 200 {
		t.Fatalf("discover: %d %s", r.status, body)
	}
	u.taken()
	return u, url
}

// legacy starts a legacy upstream and a relay in front of it, and opens a session. The
// headers are those of what follows in it.
func legacy(t *testing.T) (u *upstream, url string, in pairs) {
	t.Helper()
	u = newUpstream(t)
	u.answers(handshake)
	url = relay(t, "--upstream", u.server.URL)
	r, body := post(t, url, initialize, nil)
	id := r.header.Get("Mcp-Session-Id")
	if r.status != 200 || id == "" || id == upstreamSession || body != greeting {
		t.Fatalf("initialize: %d, session %q, %s", r.status, id, body)
	}
	in = pairs{"Mcp-Session-Id", id, "MCP-Protocol-Version", "2025-11-25"}
	if r, body := post(t, url, initialized, in); r.status != 202 || body != "" {
		t.Fatalf("initialized: %d %s", r.status, body)
	}
	if got := u.taken(); len(got) == 0 || got[len(got)-1].body != initialized {
		t.Fatalf("the upstream got %v", got)
	}
	return u, url, in
}

const upstreamSession = "canary-upstream-session"

// handshake is how a legacy server opens a session, and refuses what is modern.
func handshake(w http.ResponseWriter, r *http.Request, body string) {
	switch {
	case body == initialize:
		w.Header().Set("Mcp-Session-Id", upstreamSession)
		answerJSON(w, 200, greeting)
	case r.Method == http.MethodDelete, body == initialized:
		w.WriteHeader(http.StatusAccepted)
	case r.Method == http.MethodGet:
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		w.WriteHeader(http.StatusBadRequest)
	}
}

// until reads lines up to the one wanted.
func until(t *testing.T, r *bufio.Reader, want string) {
	t.Helper()
	var seen bytes.Buffer
	for {
		line, err := r.ReadString('\n')
		seen.WriteString(line)
		if strings.TrimRight(line, "\r\n") == want {
			return
		}
		if err != nil {
			t.Fatalf("%v before %q; got %q", err, want, seen.String())
		}
	}
}

func wait[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("in vain waited for: " + what)
		panic("unreachable")
	}
}
