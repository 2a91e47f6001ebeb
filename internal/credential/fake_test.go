package credential_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/credential"
	"sluice/internal/mcpwire/exchange"
)

// canary is in every secret of these tests, and may never be read anywhere else.
const canary = "CANARY"

func secretText() string { return canary + rand.Text() }

// world is an upstream and its authorization server, both obedient until told
// otherwise, and a log of everything that Sluice says.
type world struct {
	t        *testing.T
	upstream *httptest.Server
	auth     *httptest.Server

	mu        sync.Mutex
	meta      map[string]any // the authorization server's metadata
	resource  map[string]any // the resource's; nil: none
	challenge string         // replaces WWW-Authenticate
	scope     string         // what the challenge asks for
	lifetime  int
	refuse    map[string]bool // access tokens that the upstream refuses
	codes     map[string]codeGrant
	refreshes map[string]string // refresh token -> user
	tokens    map[string]string // access token -> user
	user      string            // who is signed in at the authorization server
	redirect  func(url.Values)  // edits the answer on its way back
	tokenHook func(w http.ResponseWriter, r *http.Request) bool
	hits      map[string]int
	requests  []string // form bodies of the token endpoint
	asked     []url.Values

	clock *clock
	log   *lockedBuffer
}

type codeGrant struct{ challenge, client, redirect, resource, user string }

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }

func (c *clock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, refuse: map[string]bool{}, codes: map[string]codeGrant{}, refreshes: map[string]string{}, tokens: map[string]string{},
		hits: map[string]int{}, lifetime: 3600, user: "user", clock: &clock{t: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}, log: &lockedBuffer{},
	}
	w.upstream = httptest.NewServer(http.HandlerFunc(w.serveUpstream))
	t.Cleanup(w.upstream.Close)
	w.auth = httptest.NewServer(http.HandlerFunc(w.serveAuth))
	t.Cleanup(w.auth.Close)
	w.resource = map[string]any{"resource": w.url(), "authorization_servers": []string{w.auth.URL}}
	w.meta = map[string]any{
		"issuer": w.auth.URL, "authorization_endpoint": w.auth.URL + "/authorize", "token_endpoint": w.auth.URL + "/token",
		"registration_endpoint": w.auth.URL + "/register", "code_challenge_methods_supported": []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"none"}, "authorization_response_iss_parameter_supported": true,
	}
	t.Cleanup(func() {
		if strings.Contains(w.log.String(), canary) {
			t.Errorf("a secret is in the log:\n%s", w.log)
		}
	})
	return w
}

func (w *world) url() string { return w.upstream.URL + "/mcp" }

func (w *world) set(fn func()) { w.mu.Lock(); defer w.mu.Unlock(); fn() }

func (w *world) count(path string) int { w.mu.Lock(); defer w.mu.Unlock(); return w.hits[path] }

func (w *world) serveUpstream(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hits["upstream "+r.URL.Path]++
	if r.URL.Path == "/.well-known/oauth-protected-resource/mcp" && w.resource != nil {
		writeJSON(rw, http.StatusOK, w.resource)
		return
	}
	if r.URL.Path != "/mcp" {
		http.NotFound(rw, r)
		return
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	user, ok := w.tokens[token]
	if !ok || w.refuse[token] {
		text := `Bearer resource_metadata="` + w.upstream.URL + `/.well-known/oauth-protected-resource/mcp"`
		if w.resource == nil {
			text = "Bearer"
		}
		if w.scope != "" {
			text += `, scope="` + w.scope + `"`
		}
		if w.challenge != "" {
			text = w.challenge
		}
		rw.Header().Set("WWW-Authenticate", text)
		rw.WriteHeader(http.StatusUnauthorized)
		return
	}
	_, _ = io.WriteString(rw, user)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (w *world) serveAuth(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hits[r.URL.Path]++
	switch r.URL.Path {
	case "/.well-known/oauth-authorization-server":
		if w.meta == nil {
			http.NotFound(rw, r)
			return
		}
		writeJSON(rw, http.StatusOK, w.meta)
	case "/register":
		var ask map[string]any
		_ = json.NewDecoder(r.Body).Decode(&ask)
		ask["client_id"] = "client-" + rand.Text()
		writeJSON(rw, http.StatusCreated, ask)
	case "/authorize":
		q := r.URL.Query()
		w.asked = append(w.asked, q)
		code := secretText()
		w.codes[code] = codeGrant{q.Get("code_challenge"), q.Get("client_id"), q.Get("redirect_uri"), q.Get("resource"), w.user}
		back := url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {w.auth.URL}}
		if w.redirect != nil {
			w.redirect(back)
		}
		http.Redirect(rw, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
	case "/token":
		w.serveToken(rw, r)
	default:
		http.NotFound(rw, r)
	}
}

func (w *world) serveToken(rw http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	w.requests = append(w.requests, r.PostForm.Encode())
	if w.tokenHook != nil && w.tokenHook(rw, r) {
		return
	}
	fail := func(code string) { writeJSON(rw, http.StatusBadRequest, map[string]any{"error": code}) }
	user := ""
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		g, ok := w.codes[r.PostFormValue("code")]
		delete(w.codes, r.PostFormValue("code"))
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		id := r.PostFormValue("client_id")
		if basic, _, has := r.BasicAuth(); has {
			id = basic
		}
		if !ok || g.challenge != base64.RawURLEncoding.EncodeToString(sum[:]) || g.client != id ||
			g.redirect != r.PostFormValue("redirect_uri") || g.resource != r.PostFormValue("resource") || g.resource == "" {
			fail("invalid_grant")
			return
		}
		user = g.user
	case "refresh_token":
		var ok bool
		if user, ok = w.refreshes[r.PostFormValue("refresh_token")]; !ok {
			fail("invalid_grant")
			return
		}
		delete(w.refreshes, r.PostFormValue("refresh_token")) // rotated: the old one is spent
	case "client_credentials":
		id, secret, _ := r.BasicAuth()
		if id != "machine" || !strings.HasPrefix(secret, canary) {
			fail("invalid_client")
			return
		}
		user = "machine"
	default:
		fail("unsupported_grant_type")
		return
	}
	access, refresh := secretText(), secretText()
	w.tokens[access], w.refreshes[refresh] = user, user
	writeJSON(rw, http.StatusOK, map[string]any{"access_token": access, "token_type": "bearer", "expires_in": w.lifetime, "refresh_token": refresh})
}

func (w *world) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// browser is a person's: it follows what it is shown, keeps cookies, and remembers
// every page and address.
type browser struct {
	client *http.Client
	mu     sync.Mutex
	seen   []string // the URLs it was sent to
	pages  []string
	status int
}

func newBrowser() *browser {
	jar, _ := cookiejar.New(nil) // has no way to fail
	b := &browser{}
	b.client = &http.Client{Jar: jar, Timeout: 10 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.seen = append(b.seen, r.URL.String())
		return nil
	}}
	return b
}

func (b *browser) read(resp *http.Response) string {
	page, _ := io.ReadAll(resp.Body)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status = resp.StatusCode
	b.pages = append(b.pages, string(page))
	return string(page)
}

func (b *browser) open(at string) string {
	resp, err := b.client.Get(at)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	return b.read(resp)
}

func (b *browser) post(at string, v url.Values) string {
	resp, err := b.client.PostForm(at, v)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	return b.read(resp)
}

// sign in at once, in the background, as a browser would be started.
func (b *browser) start(t *testing.T) func(string) error {
	var wait sync.WaitGroup
	t.Cleanup(wait.Wait)
	return func(at string) error {
		wait.Go(func() { b.open(at) })
		return nil
	}
}

// oauth is a credential for the world's upstream.
func (w *world) oauth(edit func(*credential.Options)) *credential.OAuth {
	w.t.Helper()
	o := credential.Options{Server: "crm", URL: w.url(), Now: w.clock.now, Log: w.logger(), Wait: 10 * time.Second}
	if edit != nil {
		edit(&o)
	}
	c, err := credential.NewOAuth(o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = c.Close() })
	return c
}

// call does what httpdial does: one request, and one more when the credential says so.
func (w *world) call(ctx context.Context, c exchange.Credential, caller string) (string, error) {
	who := exchange.Caller{ID: caller, Name: caller}
	for try := 0; ; try++ {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url(), nil)
		if err != nil {
			return "", err
		}
		if err := c.Authorize(ctx, who, req.Header); err != nil {
			return "", w.safe(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return "", err
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return string(body), nil
		}
		if try == 1 {
			return "", fmt.Errorf("refused twice: HTTP %d", resp.StatusCode)
		}
		again, err := c.Refused(exchange.WithSent(ctx, req.Header), who, resp.StatusCode, resp.Header)
		if err != nil {
			return "", w.safe(err)
		}
		if !again {
			return "", fmt.Errorf("refused: HTTP %d", resp.StatusCode)
		}
	}
}

// safe fails the test when an error says a secret, to a person or to a client.
func (w *world) safe(err error) error {
	if text := err.Error() + string(exchange.As(err).Response(nil)); strings.Contains(text, canary) {
		w.t.Errorf("a secret is in the error: %s", text)
	}
	return err
}

func (w *world) mustCall(c exchange.Credential, caller, want string) {
	w.t.Helper()
	got, err := w.call(w.t.Context(), c, caller)
	if err != nil || got != want {
		w.t.Fatalf("the call of %q: %q, %v; want the upstream to see %q", caller, got, err, want)
	}
}
