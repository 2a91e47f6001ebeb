package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"sluice/internal/cli"
	"sluice/internal/testkit/mcptest"
)

// protected is an MCP server on the official SDK that wants tokens of an
// authorization server and tells everybody who they are there.
type protected struct {
	url string

	mu      sync.Mutex
	seen    map[string]bool // tokens
	revoked map[string]bool
}

func protectedServer(t *testing.T, issuer string) *protected {
	t.Helper()
	p := &protected{seen: map[string]bool{}, revoked: map[string]bool{}}
	server := mcp.NewServer(&mcp.Implementation{Name: "crm", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "whoami"}, func(_ context.Context, r *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: r.Extra.TokenInfo.UserID}}}, nil, nil
	})
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	p.url = srv.URL + "/mcp"
	const metadata = "/.well-known/oauth-protected-resource/mcp"
	mux.Handle(metadata, auth.ProtectedResourceMetadataHandler(&oauthex.ProtectedResourceMetadata{
		Resource: p.url, AuthorizationServers: []string{issuer},
	}))
	verify := func(_ context.Context, token string, _ *http.Request) (*auth.TokenInfo, error) {
		p.mu.Lock()
		p.seen[token] = true
		revoked := p.revoked[token]
		p.mu.Unlock()
		resp, err := http.PostForm(issuer+"/introspect", url.Values{"token": {token}})
		if err != nil {
			return nil, err
		}
		defer func() { _ = resp.Body.Close() }()
		var said struct {
			Active bool   `json:"active"`
			Sub    string `json:"sub"`
			Exp    int64  `json:"exp"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&said); err != nil {
			return nil, err
		}
		if !said.Active || revoked {
			return nil, auth.ErrInvalidToken
		}
		return &auth.TokenInfo{UserID: said.Sub, Expiration: time.Unix(said.Exp, 0)}, nil
	}
	mux.Handle("/mcp", auth.RequireBearerToken(verify, &auth.RequireBearerTokenOptions{ResourceMetadataURL: srv.URL + metadata})(
		mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)))
	return p
}

// revoke makes the server refuse every token it has seen.
func (p *protected) revoke() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for token := range p.seen {
		p.revoked[token] = true
	}
}

// leaks fails when a token that the server has seen is in a text.
func (p *protected) leaks(t *testing.T, where, text string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.seen) == 0 {
		t.Error("the server has seen no token")
	}
	for token := range p.seen {
		if token != "" && strings.Contains(text, token) {
			t.Errorf("%s holds an access token", where)
		}
	}
}

// show is the page at an address; with a form, what sending it shows.
func show(t *testing.T, browser *http.Client, at string, form url.Values) string {
	t.Helper()
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	req, err := http.NewRequestWithContext(t.Context(), method, at, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// bearer adds a token of Sluice's own.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if b != "" {
		r.Header.Set("Authorization", "Bearer "+string(b))
	}
	return http.DefaultTransport.RoundTrip(r)
}

// whoami asks the server who it takes the client at an endpoint for.
func whoami(ctx context.Context, endpoint, token string) (string, error) {
	client := mcp.NewClient(&mcp.Implementation{Name: "e2e", Version: "1"}, nil)
	s, err := client.Connect(ctx, &mcp.StreamableClientTransport{
		Endpoint: endpoint, DisableStandaloneSSE: true, MaxRetries: -1, HTTPClient: &http.Client{Transport: bearer(token)},
	}, nil)
	if err != nil {
		return "", err
	}
	defer func() { _ = s.Close() }()
	r, err := s.CallTool(ctx, &mcp.CallToolParams{Name: "whoami", Arguments: map[string]any{}})
	if err != nil {
		return "", err
	}
	text, ok := r.Content[0].(*mcp.TextContent)
	if !ok || r.IsError {
		return "", fmt.Errorf("the answer is %+v", r)
	}
	return text.Text, nil
}

var signIn = regexp.MustCompile(`sign in at (\S+)`)

// watched is stderr of a command; somebody at the machine sees the address there.
type watched struct {
	mu  sync.Mutex
	b   bytes.Buffer
	see func(address string)
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.b.Write(b)
	if m := signIn.FindSubmatch(b); m != nil && w.see != nil {
		go w.see(string(m[1]))
	}
	return len(b), nil
}

func (w *watched) String() string { w.mu.Lock(); defer w.mu.Unlock(); return w.b.String() }

// proxying starts `sluice proxy` in this process and returns where it listens, and
// how to stop it.
func (w *world) proxying(stderr io.Writer, args ...string) (at string, stop func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	out, in := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		cli.Main(ctx, cli.Process{
			Args: append([]string{"--state-dir", filepath.Join(w.dir, "state"), "--log-level", "debug", "proxy", "--listen", "127.0.0.1:0"}, args...),
			Env:  []string{"BROWSER=true"}, Stdin: strings.NewReader(""), Stdout: in, Stderr: stderr,
		})
		_ = in.Close()
	}()
	stop = sync.OnceFunc(func() { cancel(); <-ended })
	w.t.Cleanup(stop)
	first, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		w.t.Fatalf("proxy ended: %v", err)
	}
	return strings.TrimSpace(strings.TrimPrefix(first, "listening on ")), stop
}

// sealedOnly fails when a token can be read anywhere below the state directory.
func (w *world) sealedOnly(p *protected) {
	w.t.Helper()
	sealed := 0
	err := filepath.WalkDir(filepath.Join(w.dir, "state"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		p.leaks(w.t, filepath.Base(path), string(text))
		if filepath.Ext(path) == ".sealed" {
			sealed++
		}
		return err
	})
	if err != nil || sealed == 0 {
		w.t.Errorf("%d sealed files, %v", sealed, err)
	}
}

// A foreign authorization server and a foreign resource server: a person agrees once,
// in their browser, and the relay does the rest.
func TestARelaySignsInToAServerThatWantsOAuth(t *testing.T) {
	t.Parallel()
	issuer := mcptest.AuthServer(t)
	upstream := protectedServer(t, issuer)
	w := begin(t)
	alice := mcptest.Browser(t, issuer, "alice")
	signIns := make(chan string, 10)
	stderr := &watched{see: func(at string) {
		resp, err := alice.Get(at)
		if err == nil {
			_ = resp.Body.Close()
		}
		signIns <- at
	}}
	says := func(at string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if got, err := whoami(ctx, at, ""); err != nil || got != "alice" {
			t.Fatalf("the server takes the client for %q, %v\n%s", got, err, stderr)
		}
	}
	at, stop := w.proxying(stderr, "--upstream", upstream.url)
	says(at)
	upstream.revoke() // the refresh token still stands
	says(at)
	stop()
	at, _ = w.proxying(stderr, "--upstream", upstream.url) // another day
	says(at)
	if n := len(signIns); n != 1 {
		t.Errorf("alice signed in %d times, want once", n)
	}
	upstream.leaks(t, "stderr", stderr.String())
	w.sealedOnly(upstream)
}

// admit makes a grant that may call everything, and waits until the server knows it.
func (w *world) admit(s *server, name, grant string) string {
	w.t.Helper()
	run := mcptest.Run(func(args ...string) (int, string) {
		o := w.run(args...)
		return o.code, o.stdout
	})
	run.SetPolicy(w.t, name, "all-"+grant, mcptest.AllowAll)
	_, token := run.Grant(w.t, name, grant, "--policy", "all-"+grant)
	mcptest.AwaitToken(w.t, s.url+"/mcp/"+name, token)
	return token
}

// Two people use one server through one Sluice, each with their own account there.
func TestEveryUserOfAServerConsentsAlone(t *testing.T) {
	t.Parallel()
	issuer := mcptest.AuthServer(t)
	upstream := protectedServer(t, issuer)
	w := begin(t)
	config := w.file("sluice.yaml", "mcp:\n  servers:\n    crm:\n      url: "+upstream.url+"\n      oauth: {per_user: true}\n")
	s := w.serving("--config", config)
	tokens := map[string]string{}
	for _, who := range []string{"alice", "bob"} {
		tokens[who] = w.admit(s, "crm", who)
	}

	link := func(who string) string {
		t.Helper()
		body := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"e2e","version":"1"}}}`
		r := s.call(tokens[who], http.MethodPost, "/mcp/crm", body, "Content-Type", "application/json", "Accept", "application/json, text/event-stream")
		var said struct {
			Error struct {
				Data struct{ Code, URL string } `json:"data"`
			} `json:"error"`
		}
		_, text, _ := strings.Cut("\n"+string(r.body), "\ndata: ")
		if text == "" {
			text = string(r.body)
		}
		if err := json.Unmarshal([]byte(strings.TrimSpace(text)), &said); err != nil || said.Error.Data.Code != "upstream_consent_needed" {
			t.Fatalf("%s: HTTP %d %s", who, r.status, r.body)
		}
		return said.Error.Data.URL
	}
	field := regexp.MustCompile(`name="(ticket|proof)" value="([^"]*)"`)
	agree := func(browser *http.Client, at string) string {
		t.Helper()
		form := url.Values{}
		text := show(t, browser, at, nil)
		for _, m := range field.FindAllStringSubmatch(text, -1) {
			form.Set(m[1], m[2])
		}
		if len(form) == 0 {
			return text
		}
		return show(t, browser, at, form)
	}
	for _, who := range []string{"alice", "bob"} {
		at := link(who)
		if text := agree(mcptest.Browser(t, issuer, who+"@crm"), at); !strings.Contains(text, "is connected") {
			t.Fatalf("%s: %s", who, text)
		}
		if text := agree(mcptest.Browser(t, issuer, "mallory"), at); !strings.Contains(text, "used before") {
			t.Errorf("the link of %s worked twice: %s", who, text)
		}
	}
	for who, token := range tokens {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		got, err := whoami(ctx, s.url+"/mcp/crm", token)
		cancel()
		if err != nil || got != who+"@crm" {
			t.Errorf("the server takes %s for %q, %v", who, got, err)
		}
	}
	w.sealedOnly(upstream)
}

// One account for everybody: somebody at the machine signs in, while Sluice serves.
func TestAServerThatEverybodySharesIsSignedInToOnce(t *testing.T) {
	t.Parallel()
	issuer := mcptest.AuthServer(t)
	upstream := protectedServer(t, issuer)
	w := begin(t)
	config := w.file("sluice.yaml", "mcp:\n  servers:\n    crm:\n      url: "+upstream.url+"\n      oauth: {}\n")
	s := w.serving("--config", config)
	token := w.admit(s, "crm", "team")
	ask := func() (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		return whoami(ctx, s.url+"/mcp/crm", token)
	}
	if got, err := ask(); err == nil || !strings.Contains(err.Error(), "agree in a browser") {
		t.Errorf("before: %q, %v", got, err)
	}
	team := mcptest.Browser(t, issuer, "team")
	stderr := &watched{see: func(at string) {
		if resp, err := team.Get(at); err == nil {
			_ = resp.Body.Close()
		}
	}}
	run := func(args ...string) (int, string) {
		var out bytes.Buffer
		code := cli.Main(t.Context(), cli.Process{
			Args: append([]string{"--state-dir", filepath.Join(w.dir, "state"), "--config", config, "--json", "server"}, args...),
			Env:  []string{"BROWSER=true"}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: stderr,
		})
		return code, out.String()
	}
	code, out := run("login", "crm")
	if code != 0 || !strings.Contains(out, `"server":"crm"`) || !strings.Contains(out, issuer) {
		t.Fatalf("login: exit %d\n%s%s", code, out, stderr)
	}
	if got, err := ask(); err != nil || got != "team" {
		t.Errorf("after: %q, %v", got, err)
	}
	upstream.leaks(t, "output", out+stderr.String())
	w.sealedOnly(upstream)
	if code, out := run("logout", "crm"); code != 0 {
		t.Errorf("logout: exit %d %s", code, out)
	}
	if code, out := run("login", "erp"); code == 0 {
		t.Errorf("a server that is not there: %s", out)
	}
}
