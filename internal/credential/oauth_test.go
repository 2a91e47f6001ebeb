package credential_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/credential"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/secret"
)

func TestAConsentInTheBrowserLastsUntilItIsTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := newBrowser()
	store := credential.NewMemory()
	c := w.oauth(func(o *credential.Options) { o.Open, o.Store = b.start(t), store })
	w.mustCall(c, "local", "user")
	w.mustCall(c, "local", "user")
	if n := w.count("/authorize"); n != 1 {
		t.Errorf("the browser was opened %d times, want once", n)
	}
	// Another process with the same state directory needs no consent.
	w.mustCall(w.oauth(func(o *credential.Options) { o.Store = store }), "local", "user")

	// When tokens are revoked, a person is asked again.
	w.set(func() { w.tokens, w.refreshes = map[string]string{}, map[string]string{} })
	w.mustCall(c, "local", "user")
	if n := w.count("/authorize"); n != 2 {
		t.Errorf("the browser was opened %d times, want twice", n)
	}
	if n := w.count("/register"); n != 1 {
		t.Errorf("registered %d times, want once: the port was free again", n)
	}
	for _, q := range w.asked {
		if q.Get("resource") != w.url() || q.Get("code_challenge_method") != "S256" || len(q.Get("state")) < 32 || q.Get("response_type") != "code" {
			t.Errorf("the authorization request lacks something: %v", q)
		}
	}
}

func TestManyCallsShareOneConsentAndOneRenewal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.oauth(func(o *credential.Options) { o.Open = newBrowser().start(t) })
	together := func(n int) {
		t.Helper()
		var wait sync.WaitGroup
		for range n {
			wait.Go(func() {
				if got, err := w.call(t.Context(), c, "local"); err != nil || got != "user" {
					t.Errorf("%q, %v", got, err)
				}
			})
		}
		wait.Wait()
	}
	together(16)
	if n := w.count("/authorize"); n != 1 {
		t.Errorf("%d consents for 16 calls", n)
	}
	w.clock.add(2 * time.Hour) // the token has expired; every refresh token is good once
	together(16)
	if n := w.count("/token"); n != 2 {
		t.Errorf("%d token requests, want 2: a consent and one renewal", n)
	}
	// The upstream refuses the token that it took a moment ago.
	w.set(func() {
		for token := range w.tokens {
			w.refuse[token] = true
		}
	})
	w.clock.add(5 * time.Minute)
	together(16)
	if n := w.count("/token"); n != 3 {
		t.Errorf("%d token requests, want 3: one more renewal", n)
	}
}

func TestATokenIsRenewedEarlyAndUsedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.oauth(func(o *credential.Options) { o.Open = newBrowser().start(t) })
	w.mustCall(c, "local", "user")
	w.clock.add(56 * time.Minute) // of 60: due, and still good
	w.set(func() {
		w.tokenHook = func(rw http.ResponseWriter, _ *http.Request) bool {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
	})
	w.mustCall(c, "local", "user")
	w.mustCall(c, "local", "user")
	if n := w.count("/token"); n != 2 {
		t.Errorf("%d token requests, want 2: a failed renewal is not repeated at every call", n)
	}
	w.set(func() { w.tokenHook = nil })
	w.clock.add(time.Minute)
	w.mustCall(c, "local", "user")
	w.clock.add(30 * time.Minute) // the first token would be dead
	before := w.count("upstream /mcp")
	w.mustCall(c, "local", "user")
	if n := w.count("upstream /mcp") - before; n != 1 {
		t.Errorf("the upstream was asked %d times: the renewed token is not in use", n)
	}
}

func TestACallThatGivesUpDoesNotLoseARotatedToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := credential.NewMemory()
	c := w.oauth(func(o *credential.Options) { o.Open, o.Store = newBrowser().start(t), store })
	w.mustCall(c, "local", "user")
	w.clock.add(2 * time.Hour)
	arrived, goOn := make(chan struct{}), make(chan struct{})
	w.set(func() {
		w.tokenHook = func(http.ResponseWriter, *http.Request) bool {
			w.tokenHook = nil
			close(arrived)
			<-goOn
			return false
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := w.call(ctx, c, "local")
		ended <- err
	}()
	<-arrived
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the call ended with %v", err)
	}
	close(goOn)
	w.mustCall(c, "local", "user")
	if n := w.count("/authorize"); n != 1 {
		t.Errorf("%d consents: the renewed token was lost", n)
	}
}

func TestTwoProcessesWithOneStateDirectory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := t.TempDir()
	open := func() credential.Store {
		return credential.NewFiles(filepath.Join(dir, "gateway"), func() (*secret.Keyring, error) {
			return secret.OpenKeyring(filepath.Join(dir, "master.key"), true)
		})
	}
	first := w.oauth(func(o *credential.Options) { o.Open, o.Store = newBrowser().start(t), open() })
	w.mustCall(first, "local", "user")
	second := w.oauth(func(o *credential.Options) { o.Store = open() })
	w.mustCall(second, "local", "user")

	w.clock.add(2 * time.Hour)
	var wait sync.WaitGroup
	for _, c := range []*credential.OAuth{first, second, first, second} {
		wait.Go(func() {
			if got, err := w.call(t.Context(), c, "local"); err != nil || got != "user" {
				t.Errorf("%q, %v: one process spent the other's refresh token", got, err)
			}
		})
	}
	wait.Wait()
	if n := w.count("/token"); n != 2 {
		t.Errorf("%d token requests, want 2", n)
	}
	checkFiles(t, dir)
}

func TestMoreScopesAreAskedForOnceAndKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.scope = "read"
	c := w.oauth(func(o *credential.Options) { o.Open = newBrowser().start(t) })
	w.mustCall(c, "local", "user")
	who := exchange.Caller{ID: "local"}
	insufficient := func(scope string) http.Header {
		return http.Header{"Www-Authenticate": {`Bearer error="insufficient_scope", scope="` + scope + `"`}}
	}
	refused := func(scope string) (bool, error) {
		h := http.Header{}
		if err := c.Authorize(t.Context(), who, h); err != nil {
			t.Fatal(err)
		}
		return c.Refused(exchange.WithSent(t.Context(), h), who, http.StatusForbidden, insufficient(scope))
	}
	if again, err := refused("write"); !again || err != nil {
		t.Fatalf("a step up: again %v, %v", again, err)
	}
	if got := w.asked[len(w.asked)-1].Get("scope"); got != "read write" {
		t.Errorf("asked for %q, want what there was and what is new", got)
	}
	if again, err := refused("write"); again || exchange.As(err).Code != exchange.CredentialLost {
		t.Errorf("a scope that was asked for in vain: again %v, %v", again, err)
	}
	// One request was under way while the token was replaced.
	again, err := c.Refused(exchange.WithSent(t.Context(), http.Header{"Authorization": {"Bearer " + canary}}), who, http.StatusForbidden, insufficient("write"))
	if !again || err != nil {
		t.Errorf("a request with an older token: again %v, %v", again, err)
	}
	// A server that always wants something else opens a bounded number of pages.
	for _, scope := range []string{"a", "b", "c", "d", "e"} {
		again, err = refused(scope)
	}
	if again || exchange.As(err).Code != exchange.CredentialLost {
		t.Errorf("after five step ups: again %v, %v", again, err)
	}
	if n := w.count("/authorize"); n != 3 {
		t.Errorf("%d pages were opened, want 3", n)
	}
	if again, err := c.Refused(t.Context(), who, http.StatusForbidden, http.Header{}); again || exchange.As(err).Code != exchange.CredentialLost {
		t.Errorf("a 403 that is no challenge: again %v, %v", again, err)
	}
}

func TestAConfiguredClientKeepsItsIssuer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secretOf := secretText()
	store := credential.NewMemory()
	edit := func(o *credential.Options) {
		o.Open, o.Store, o.ClientID, o.ClientSecret = newBrowser().start(t), store, "registered", credential.Value{Env: "SECRET"}
		o.Getenv = func(string) string { return secretOf }
	}
	w.meta["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"}
	w.mustCall(w.oauth(edit), "local", "user")
	if !strings.Contains(w.requests[0], "client_secret="+secretOf) || w.count("/register") != 0 {
		t.Errorf("the configured client was not used: %d registrations", w.count("/register"))
	}
	// Now the upstream names somebody else's authorization server.
	evil := newWorld(t)
	w.set(func() {
		w.resource["authorization_servers"] = []string{evil.auth.URL}
		w.tokens, w.refreshes = map[string]string{}, map[string]string{}
	})
	_, err := w.call(t.Context(), w.oauth(edit), "local")
	if e := exchange.As(err); e.Code != exchange.CredentialLost || !strings.Contains(e.Message, "belongs to") {
		t.Errorf("another issuer: %v", err)
	}
	if n := evil.count("/token") + evil.count("/authorize"); n != 0 {
		t.Errorf("the other authorization server was asked %d times", n)
	}
}

// The operator moves to another authorization server, and with it to another client.
func TestTheSecretOfANewClientStaysFromTheOldIssuer(t *testing.T) {
	t.Parallel()
	w, next := newWorld(t), newWorld(t)
	store := credential.NewMemory()
	configured := func(id, issuer, secretOf string) *credential.OAuth {
		return w.oauth(func(o *credential.Options) {
			o.Open, o.Store, o.Issuer, o.ClientID, o.ClientSecret = newBrowser().start(t), store, issuer, id, credential.Value{Env: "SECRET"}
			o.Getenv = func(string) string { return secretOf }
		})
	}
	w.meta["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"}
	next.meta["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"}
	w.mustCall(configured("before", w.auth.URL, secretText()), "local", "user")
	for _, tt := range []struct{ name, id, issuer string }{
		{"another issuer", "before", next.auth.URL},
		{"another client of the issuer", "after", w.auth.URL},
	} {
		w.set(func() {
			w.resource["authorization_servers"] = []string{tt.issuer}
			w.requests, w.tokens = nil, map[string]string{}
		})
		w.clock.add(2 * time.Hour)
		secretOf := secretText()
		_, _ = w.call(t.Context(), configured(tt.id, tt.issuer, secretOf), "local") // what comes of it is the issuers' affair
		w.set(func() {
			for _, body := range w.requests {
				if form, _ := url.ParseQuery(body); form.Get("client_secret") == secretOf && form.Get("grant_type") == "refresh_token" {
					t.Errorf("%s: the new secret renewed the old token", tt.name)
				}
			}
		})
	}
}

func TestAServerThatMovesToAnotherIssuerGetsNothingOfTheOld(t *testing.T) {
	t.Parallel()
	w, next := newWorld(t), newWorld(t)
	c := w.oauth(func(o *credential.Options) { o.Open = newBrowser().start(t) })
	w.mustCall(c, "local", "user")
	w.set(func() {
		w.resource["authorization_servers"] = []string{next.auth.URL}
		w.tokens = map[string]string{}
	})
	_, err := w.call(t.Context(), c, "local") // the upstream does not know the new server's tokens
	if err == nil {
		t.Error("a token of the new issuer was taken by the old upstream")
	}
	if next.count("/register") != 1 || w.count("/token") != 1 {
		t.Errorf("%d registrations at the new issuer, %d token requests at the old one; want 1 and 1", next.count("/register"), w.count("/token"))
	}
	next.mu.Lock()
	defer next.mu.Unlock()
	for _, body := range next.requests {
		form, _ := url.ParseQuery(body)
		if form.Get("refresh_token") != "" {
			t.Error("the old refresh token went to the new issuer")
		}
	}
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secretOf := secretText()
	w.meta["token_endpoint_auth_methods_supported"] = []string{"client_secret_basic"}
	c := w.oauth(func(o *credential.Options) {
		o.Grant, o.ClientID, o.ClientSecret = credential.ClientCredentials, "machine", credential.Value{Env: "SECRET"}
		o.Getenv = func(string) string { return secretOf }
	})
	w.mustCall(c, "anybody", "machine")
	w.clock.add(2 * time.Hour)
	w.set(func() { w.tokens = map[string]string{} })
	w.mustCall(c, "anybody", "machine")
	w.mustCall(c, "somebody else", "machine")
	if n := w.count("/token"); n != 2 {
		t.Errorf("%d token requests, want 2", n)
	}
}

func TestASharedTokenIsConnectedByTheOperatorOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := credential.NewMemory()
	pages, err := credential.NewConsents(credential.ConsentOptions{PublicURL: "https://sluice.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	serve := w.oauth(func(o *credential.Options) { o.Store, o.Consents = store, pages })
	_, err = w.call(t.Context(), serve, "alice")
	if e := exchange.As(err); e.Code != exchange.ConsentNeeded || e.Data != nil || !strings.Contains(e.Fix, "sluice server login crm") {
		t.Errorf("without a token: %v, data %v, fix %q", err, e.Data, e.Fix)
	}
	login := w.oauth(func(o *credential.Options) { o.Store, o.Open = store, newBrowser().start(t) })
	if err := login.Login(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.mustCall(serve, "alice", "user") // the running server has noticed
	w.mustCall(serve, "bob", "user")
	if issuer, expires, ok := login.Describe(); !ok || issuer != w.auth.URL || expires.IsZero() {
		t.Errorf("described as %q, %v, %v", issuer, expires, ok)
	}
	if err := login.Forget(""); err != nil {
		t.Fatal(err)
	}
	w.clock.add(time.Minute)
	if _, err := w.call(t.Context(), serve, "alice"); exchange.As(err).Code != exchange.ConsentNeeded {
		t.Errorf("the running server still has what was forgotten: %v", err)
	}
	if _, err := w.call(t.Context(), w.oauth(func(o *credential.Options) { o.Store = store }), "alice"); exchange.As(err).Code != exchange.ConsentNeeded {
		t.Errorf("after it was forgotten: %v", err)
	}
}

func TestNobodyComesToTheBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var opened string
	windows := 0
	c := w.oauth(func(o *credential.Options) {
		o.Wait = time.Millisecond
		o.Open = func(at string) error { opened = at; windows++; return nil }
	})
	for range 3 {
		if _, err := w.call(t.Context(), c, "local"); exchange.As(err).Code != exchange.ConsentNeeded {
			t.Errorf("the call: %v", err)
		}
	}
	if windows != 1 {
		t.Errorf("%d windows for three calls at once", windows)
	}
	w.clock.add(2 * time.Minute) // the window may have been closed
	first := opened
	if _, err := w.call(t.Context(), c, "local"); exchange.As(err).Code != exchange.ConsentNeeded || windows != 2 || opened != first {
		t.Errorf("a call minutes later: %v, %d windows; want the same page once more", err, windows)
	}
	at, err := url.Parse(opened)
	if err != nil {
		t.Fatal(err)
	}
	redirect := at.Query().Get("redirect_uri")
	for name, answer := range map[string]string{
		"no state": "?code=x", "another state": "?code=x&state=y", "two states": "?code=x&state=" + at.Query().Get("state") + "&state=y",
	} {
		if page := newBrowser().open(redirect + answer); !strings.Contains(page, "belongs to no request") {
			t.Errorf("%s: %s", name, page)
		}
	}
	foreign, err := http.NewRequestWithContext(t.Context(), http.MethodGet, redirect+"?code=x&state="+at.Query().Get("state"), nil)
	if err != nil {
		t.Fatal(err)
	}
	foreign.Host = "attacker.example.com:" + foreign.URL.Port()
	resp, err := http.DefaultClient.Do(foreign)
	if err != nil {
		t.Fatal(err)
	}
	if _ = resp.Body.Close(); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a rebound name: HTTP %d", resp.StatusCode)
	}
	// The person comes late: the page still works, and the next call has its token.
	if page := newBrowser().open(opened); !strings.Contains(page, "is connected") {
		t.Errorf("the late answer: %s", page)
	}
	w.mustCall(c, "local", "user")
}

func BenchmarkAuthorize(b *testing.B) {
	store := credential.NewMemory()
	key := credential.Key{Kind: "tokens", Server: "crm", Resource: "https://mcp.example.com/mcp"}
	if err := store.Save(key, []byte(`{"access":"x","refresh":"y","obtained":"2026-11-21T12:00:00Z","expires":"2099-11-21T12:00:00Z"}`)); err != nil {
		b.Fatal(err)
	}
	c, err := credential.NewOAuth(credential.Options{Server: "crm", URL: "https://mcp.example.com/mcp", Store: store})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	h := http.Header{}
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Authorize(b.Context(), exchange.Caller{ID: "local"}, h); err != nil || len(h) != 1 {
			b.Fatal(err, h)
		}
	}
}
