package credential_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"sluice/internal/credential"
	"sluice/internal/mcpwire/exchange"
)

// Every document, address and answer that a server gives may be written by somebody
// who wants Sluice to take a token elsewhere, to fetch something for them, or to say
// what it should not.
func TestWhatAHostileServerSays(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		do   func(w *world)
		want string
		// redeems is set where the code reaches the token endpoint rightly.
		redeems bool
	}{
		{name: "metadata of another resource", want: "another resource",
			do: func(w *world) { w.resource["resource"] = "https://mcp.example.com/mcp" }},
		{name: "metadata of a neighbour on the host", want: "another resource",
			do: func(w *world) { w.resource["resource"] = w.upstream.URL + "/mc" }},
		{name: "metadata of a resource below", want: "another resource",
			do: func(w *world) { w.resource["resource"] = w.url() + "/below" }},
		{name: "no authorization server", want: "names no authorization server",
			do: func(w *world) { w.resource["authorization_servers"] = []string{} }},
		{name: "an issuer in a private network", want: "private network",
			do: func(w *world) { w.resource["authorization_servers"] = []string{"https://10.0.0.1"} }},
		{name: "an issuer at the cloud's metadata", want: "private network",
			do: func(w *world) { w.resource["authorization_servers"] = []string{"https://169.254.169.254"} }},
		{name: "an issuer in clear text", want: "not HTTPS",
			do: func(w *world) { w.resource["authorization_servers"] = []string{"http://auth.example.com"} }},
		{name: "an issuer that is no URL of the web", want: "not an absolute one",
			do: func(w *world) { w.resource["authorization_servers"] = []string{"file:///etc/passwd"} }},
		{name: "an issuer with a password", want: "user name",
			do: func(w *world) {
				w.resource["authorization_servers"] = []string{"https://u:" + canary + "@auth.example.com"}
			}},
		{name: "metadata of another issuer", want: "names another issuer",
			do: func(w *world) { w.meta["issuer"] = "https://honest.example.com" }},
		{name: "metadata of nearly the same issuer", want: "names another issuer",
			do: func(w *world) { w.meta["issuer"] = w.auth.URL + "/" }},
		{name: "no PKCE", want: "PKCE", do: func(w *world) { delete(w.meta, "code_challenge_methods_supported") }},
		{name: "only plain PKCE", want: "PKCE", do: func(w *world) { w.meta["code_challenge_methods_supported"] = []string{"plain"} }},
		{name: "a sign-in page that is a script", want: "endpoint",
			do: func(w *world) { w.meta["authorization_endpoint"] = "javascript:alert(1)" }},
		{name: "a sign-in page that is a file", want: "endpoint",
			do: func(w *world) { w.meta["authorization_endpoint"] = "file:///bin/sh" }},
		{name: "a token endpoint in a private network", want: "endpoint",
			do: func(w *world) { w.meta["token_endpoint"] = "https://192.168.0.1/token" }},
		{name: "a challenge of another kind", want: "of another kind", do: func(w *world) { w.challenge = `Basic realm="x"` }},
		{name: "metadata where the challenge says, elsewhere and in clear text", want: "not HTTPS",
			do: func(w *world) { w.challenge = `Bearer resource_metadata="http://evil.example.com/"` }},
		{name: "metadata that is not where the challenge says", want: "not where the server says",
			do: func(w *world) { w.challenge = `Bearer resource_metadata="` + w.upstream.URL + `/nothing"` }},
		{name: "a document with a member twice", want: "can't be read",
			do: func(w *world) { w.challenge = w.serve(200, `{"resource":"x","resource":"y"}`) }},
		{name: "an endless document", want: "too large",
			do: func(w *world) { w.challenge = w.serve(200, `{"resource":"`+strings.Repeat("x", 300<<10)+`"}`) }},
		{name: "the answer of another authorization server", want: "another authorization server",
			do: func(w *world) { w.redirect = func(v url.Values) { v.Set("iss", "https://evil.example.com") } }},
		{name: "an answer without the issuer that was promised", want: "another authorization server",
			do: func(w *world) { w.redirect = func(v url.Values) { v.Del("iss") } }},
		{name: "an issuer that was not promised, and is wrong", want: "another authorization server",
			do: func(w *world) {
				delete(w.meta, "authorization_response_iss_parameter_supported")
				w.redirect = func(v url.Values) { v.Set("iss", w.auth.URL+"/") }
			}},
		{name: "two issuers", want: "another authorization server",
			do: func(w *world) { w.redirect = func(v url.Values) { v.Add("iss", "https://evil.example.com") } }},
		{name: "an error of another authorization server", want: "another authorization server",
			do: func(w *world) {
				w.redirect = func(v url.Values) { v.Set("iss", "https://evil.example.com"); v.Set("error", "server_error") }
			}},
		{name: "a refusal", want: "the consent was refused",
			do: func(w *world) { w.redirect = func(v url.Values) { v.Del("code"); v.Set("error", "access_denied") } }},
		{name: "an error that is a secret", want: "the consent was refused",
			do: func(w *world) {
				w.redirect = func(v url.Values) { v.Set("error", canary); v.Set("error_description", canary) }
			}},
		{name: "no code", want: "holds no code", do: func(w *world) { w.redirect = func(v url.Values) { v.Del("code") } }},
		{name: "two codes", want: "holds no code", do: func(w *world) { w.redirect = func(v url.Values) { v.Add("code", canary) } }},
		{name: "a token endpoint that redirects", want: "refuses (HTTP 307)", redeems: true,
			do: func(w *world) {
				w.tokenHook = func(rw http.ResponseWriter, r *http.Request) bool {
					http.Redirect(rw, r, w.upstream.URL+"/steal", http.StatusTemporaryRedirect)
					return true
				}
			}},
		{name: "a token of another type", want: "of a type that Sluice does not use", redeems: true,
			do: func(w *world) { w.answer(`{"access_token":"` + canary + `","token_type":"DPoP"}`) }},
		{name: "a token that would end its header", want: "characters that a token can't have", redeems: true,
			do: func(w *world) { w.answer(`{"access_token":"` + canary + `\r\nX-Evil:1","token_type":"Bearer"}`) }},
		{name: "an error with a description", want: "refuses (invalid_request)", redeems: true,
			do: func(w *world) {
				w.tokenHook = func(rw http.ResponseWriter, _ *http.Request) bool {
					writeJSON(rw, http.StatusBadRequest, map[string]any{"error": "invalid_request", "error_description": canary})
					return true
				}
			}},
		{name: "no token", want: "can't be read", redeems: true, do: func(w *world) { w.answer(`{"token_type":"Bearer"}`) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.set(func() { tt.do(w) })
			b := newBrowser()
			_, err := w.call(t.Context(), w.oauth(func(o *credential.Options) { o.Open = b.start(t) }), "local")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if code := exchange.As(err).Code; code != exchange.CredentialLost && code != exchange.ConsentNeeded {
				t.Errorf("code %q", code)
			}
			if n := w.count("/token"); (n > 0) != tt.redeems {
				t.Errorf("the token endpoint was asked %d times", n)
			}
			if n := w.count("upstream /steal"); n != 0 {
				t.Error("a secret was posted to where the token endpoint redirects")
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			for _, page := range b.pages {
				if strings.Contains(page, canary) || strings.Contains(page, "is connected") {
					t.Errorf("the page says %s", page)
				}
			}
		})
	}
}

// answer is what the token endpoint says from now on.
func (w *world) answer(body string) {
	w.tokenHook = func(rw http.ResponseWriter, _ *http.Request) bool {
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(rw, body)
		return true
	}
}

// serve is a challenge that leads to a document of its own.
func (w *world) serve(status int, body string) string {
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, body)
	}))
	w.t.Cleanup(s.Close)
	return `Bearer resource_metadata="` + s.URL + `"`
}

// An upstream on the public internet may not make Sluice look at this machine.
func TestDiscoveryFromOutsideDoesNotReachThisMachine(t *testing.T) {
	t.Parallel()
	reached := make(chan string, 100)
	inside := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { reached <- r.URL.Path }))
	t.Cleanup(inside.Close)
	port := inside.URL[strings.LastIndexByte(inside.URL, ':'):]
	for _, host := range []string{
		"127.0.0.1", "localhost", "localhost.", "x.localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "127.1", "2130706433", "0x7f000001",
	} {
		c, err := credential.NewOAuth(credential.Options{Server: "crm", URL: "https://203.0.113.1/mcp"})
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{"Www-Authenticate": {`Bearer resource_metadata="https://` + host + port + `/metadata"`}}
		again, err := c.Refused(t.Context(), exchange.Caller{ID: "local"}, http.StatusUnauthorized, h)
		if again || err == nil {
			t.Errorf("%s: again %v, %v", host, again, err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	select {
	case path := <-reached:
		t.Errorf("%s was fetched from this machine", path)
	default:
	}
}

// Documents may move within their origin and not out of it.
func TestDiscoveryStaysWithinTheOrigin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	elsewhere := w.serve(http.StatusOK, `{}`)
	other := strings.TrimSuffix(strings.TrimPrefix(elsewhere, `Bearer resource_metadata="`), `"`)
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, other, http.StatusFound)
	}))
	t.Cleanup(s.Close)
	w.challenge = `Bearer resource_metadata="` + s.URL + `"`
	_, err := w.call(t.Context(), w.oauth(func(o *credential.Options) { o.Open = newBrowser().start(t) }), "local")
	if err == nil || !strings.Contains(err.Error(), "redirects to another origin") {
		t.Errorf("error %v", err)
	}
}

func TestAnAuthorizationServerThatIsDownIsNotALostCredential(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.oauth(func(o *credential.Options) { o.Open = newBrowser().start(t) })
	w.mustCall(c, "local", "user")
	w.auth.Close()
	w.clock.add(2 * time.Hour)
	_, err := w.call(t.Context(), c, "local")
	if e := exchange.As(err); e.Code != exchange.Unreachable || !e.Retryable() {
		t.Errorf("error %v with code %q, want one that says to try again", err, e.Code)
	}
}

// Before resource metadata there were servers that were their own authorization
// server, with or without a document about it.
func TestServersOlderThanResourceMetadata(t *testing.T) {
	t.Parallel()
	for _, documented := range []bool{true, false} {
		w := newWorld(t)
		w.resource = nil
		w.meta["issuer"] = ""
		own := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/mcp" || strings.Contains(r.URL.Path, "protected-resource") {
				w.serveUpstream(rw, r)
				return
			}
			w.serveAuth(rw, r)
		}))
		t.Cleanup(own.Close)
		w.upstream, w.auth = own, own
		if w.meta = nil; documented {
			w.meta = map[string]any{
				"issuer": own.URL, "authorization_endpoint": own.URL + "/authorize", "token_endpoint": own.URL + "/token",
				"registration_endpoint": own.URL + "/register", "code_challenge_methods_supported": []string{"S256"},
			}
		}
		w.mustCall(w.oauth(func(o *credential.Options) { o.Open = newBrowser().start(t) }), "local", "user")
		if got := w.asked[0].Get("resource"); got != own.URL+"/mcp" {
			t.Errorf("documented %v: the resource indicator is %q", documented, got)
		}
	}
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	const at = "https://mcp.example.com/mcp"
	secretOf := credential.Value{Env: "SECRET"}
	for name, o := range map[string]credential.Options{
		"no URL":                       {},
		"a token in clear text":        {URL: "http://mcp.example.com/mcp"},
		"an unknown grant":             {URL: at, Grant: "password"},
		"no client to be":              {URL: at, Grant: credential.ClientCredentials},
		"one per caller, without them": {URL: at, Grant: credential.ClientCredentials, ClientID: "x", PerCaller: true},
		"a secret of nobody":           {URL: at, ClientSecret: secretOf},
		"two places of a secret":       {URL: at, ClientID: "x", ClientSecret: credential.Value{Env: "A", File: "b"}},
		"a method that is not known":   {URL: at, ClientID: "x", TokenAuthMethod: "tls_client_auth"},
		"a document in clear text":     {URL: at, ClientMetadataURL: "http://example.com/client"},
		"a document without a path":    {URL: at, ClientMetadataURL: "https://example.com"},
		"an answer to elsewhere":       {URL: at, Redirect: "http://example.com:1/callback"},
		"an answer to no port":         {URL: at, Redirect: "http://127.0.0.1/callback"},
		"scopes in one word":           {URL: at, Scopes: []string{"a b"}},
	} {
		if _, err := credential.NewOAuth(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
