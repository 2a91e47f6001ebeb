package identity

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"sluice/internal/testkit/mcptest"
)

var metadataURL = regexp.MustCompile(`resource_metadata="([^"]+)"`)

// get reads a document.
func get(t *testing.T, at string) (status int, body []byte) {
	t.Helper()
	resp, err := http.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, body
}

// From a 401 a client finds the authorization server; with a token of it for this very
// endpoint it is the grant that the token's claims are mapped to.
func TestTokensOfAnAuthorizationServer(t *testing.T) {
	t.Parallel()
	mcptest.Program(t)
	issuer, late, stranger := mcptest.AuthServer(t, "-jwt"), mcptest.AuthServer(t, "-jwt", "-lifetime", "-1h"), mcptest.AuthServer(t, "-jwt")
	nightly, reader, nobody := mcptest.NewApplication(t, issuer), mcptest.NewApplication(t, issuer), mcptest.NewApplication(t, issuer)
	overdue := mcptest.NewApplication(t, late)
	foreign := mcptest.NewApplication(t, stranger)
	g := open(t, fmt.Sprintf(`  bearer:
    - issuer: %s
      map:
        - {claim: client_id, value: %s, grant: nightly}
        - {claim: client_id, value: %s, grant: reader}
    - issuer: %s
      map: [{claim: client_id, value: %s, grant: nightly}]
`, issuer, nightly.ID, reader.ID, late, overdue.ID))
	g.Run.SetPolicy(t, "crm", "three", three)
	g.Run.Grant(t, "crm", "reader", "--policy", "three", "--scopes", "mcp:read")
	_, own := g.Run.Grant(t, "crm", "nightly", "--policy", "three")
	mcptest.AwaitToken(t, g.mcp("crm"), own)

	// What a client is told that has no token.
	c := mcptest.Client{URL: g.mcp("crm"), Version: modern}
	a := c.Call(t.Context(), t, "send", "{}")
	challenge := a.Header.Get("WWW-Authenticate")
	found := metadataURL.FindStringSubmatch(challenge)
	if a.Status != http.StatusUnauthorized || strings.Contains(challenge, "error=") || found == nil {
		t.Fatalf("without a token: %s, %q", a, challenge)
	}
	var metadata struct {
		Resource string   `json:"resource"`
		Servers  []string `json:"authorization_servers"`
		Scopes   []string `json:"scopes_supported"`
	}
	status, body := get(t, found[1])
	if err := json.Unmarshal(body, &metadata); err != nil || status != http.StatusOK || metadata.Resource != g.mcp("crm") ||
		!slices.Contains(metadata.Servers, issuer) || !slices.Equal(metadata.Scopes, []string{"mcp:read", "mcp:write"}) {
		t.Fatalf("metadata: %d %s, %v", status, body, err)
	}
	if status, _ := get(t, strings.Replace(found[1], "/mcp/crm", "/mcp/none", 1)); status != http.StatusNotFound {
		t.Errorf("metadata of a server that is not there: %d", status)
	}

	good := nightly.Token(t, metadata.Resource, "mcp:read mcp:write")
	head, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	_, keys := get(t, issuer+"/keys")
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	mac := hmac.New(sha256.New, keys)
	symmetric := encode(`{"alg":"HS256","typ":"at+jwt","kid":"k1"}`) + "." + payload
	mac.Write([]byte(symmetric))
	changed := func(from, to string) string {
		claims, err := base64.RawURLEncoding.DecodeString(payload)
		if err != nil || !bytes.Contains(claims, []byte(from)) {
			t.Fatalf("no %s in %s", from, claims)
		}
		return head + "." + encode(strings.Replace(string(claims), from, to, 1)) + "." + signature
	}

	// What gets in is counted for the grant, whichever token it shows.
	for name, token := range map[string]string{"a token of the authorization server": good, "the grant's own": own} {
		if a, _ := g.status("crm", token); !a.Allowed() {
			t.Errorf("%s: %s", name, a)
		}
	}
	var list []struct{ Grant, Decision string }
	g.Run.JSON(t, &list, "audit", "search", "--grant", "nightly", "--server", "crm")
	if len(list) != 2 || list[0].Grant != list[1].Grant {
		t.Errorf("recorded: %+v", list)
	}
	g.crm.Calls()

	for _, tt := range []struct{ name, token string }{
		{"for another server", nightly.Token(t, g.mcp("erp"), "mcp:write")},
		{"for another resource", nightly.Token(t, "https://elsewhere.example.com/mcp", "mcp:write")},
		{"that is over", overdue.Token(t, metadata.Resource, "mcp:write")},
		{"of a stranger", foreign.Token(t, metadata.Resource, "mcp:write")},
		{"of an application without a grant", nobody.Token(t, metadata.Resource, "mcp:write")},
		{"that is opaque", "c29tZXRoaW5nLW9wYXF1ZQ"},
		{"that only looks like one", "a.b.c"},
		{"with two dots and nothing else", ".."},
		{"with alg none", encode(`{"alg":"none","typ":"at+jwt"}`) + "." + payload + "."},
		{"with alg none and a signature", encode(`{"alg":"none","typ":"at+jwt"}`) + "." + payload + "." + signature},
		{"signed with the public keys as a secret", symmetric + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))},
		{"with other claims", changed(nightly.ID, reader.ID)},
		{"with more scope", changed("mcp:read mcp:write", "mcp:read mcp:write admin")},
		{"without its signature", head + "." + payload + "."},
	} {
		a, challenge := g.status("crm", tt.token)
		if !isRefusal(a.Status) || !strings.Contains(challenge, `error="invalid_token"`) || !strings.Contains(challenge, found[0]) {
			t.Errorf("a token %s: %s, %q", tt.name, a, challenge)
		}
	}

	// A token that only reads lists, and is told what a call needs.
	reading := nightly.Token(t, metadata.Resource, "mcp:read")
	s := connect(t, g.mcp("crm"), modern, reading, nil)
	if tools, err := s.ListTools(t.Context(), nil); err != nil || len(tools.Tools) != 2 {
		t.Errorf("a token that reads lists %v, %v", tools, err)
	}
	for _, tt := range []struct {
		name, token string
		steps       bool
	}{
		{"that only reads", reading, true},
		{"without a scope", nightly.Token(t, metadata.Resource, ""), true},
		{"with other scopes", nightly.Token(t, metadata.Resource, "openid profile"), true},
		{"that writes, of a grant that only reads", reader.Token(t, metadata.Resource, "mcp:read mcp:write"), false},
	} {
		a, challenge := g.status("crm", tt.token)
		told := strings.Contains(challenge, `error="insufficient_scope"`) && strings.Contains(challenge, "mcp:write") && strings.Contains(challenge, found[0])
		if a.Status != http.StatusForbidden || told != tt.steps {
			t.Errorf("a token %s: %s, %q", tt.name, a, challenge)
		}
	}
	if calls := g.crm.Calls(); len(calls) > 0 {
		t.Errorf("forwarded: %v", calls)
	}
	for _, secret := range []string{signature, strings.Split(reading, ".")[2]} {
		g.absent(secret)
	}

	// A token lives until its end, the grant not a second longer than it should.
	g.do("grant", "revoke", "crm/nightly", "--reason", "test")
	within(t, "its grant is revoked", func() bool { a, _ := g.status("crm", good); return a.Status != http.StatusOK })
}

// signing is the OAuth client of the SDK, for a person with a browser.
func signing(t *testing.T, browser *http.Client, scopes func([]string) []string) auth.OAuthHandler {
	t.Helper()
	const back = "http://127.0.0.1:1/back"
	browser.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), back) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	h, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		RedirectURL: back, ScopeFilter: scopes,
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{Metadata: &oauthex.ClientRegistrationMetadata{
			ClientName: "agent", RedirectURIs: []string{back}, GrantTypes: []string{"authorization_code"}, TokenEndpointAuthMethod: "client_secret_post",
		}},
		AuthorizationCodeFetcher: func(ctx context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, args.URL, nil)
			if err != nil {
				return nil, err
			}
			resp, err := browser.Do(r)
			if err != nil {
				return nil, err
			}
			_ = resp.Body.Close()
			to, err := url.Parse(resp.Header.Get("Location"))
			if err != nil || to.Query().Get("code") == "" {
				return nil, errors.New("the browser came back without a code")
			}
			return &auth.AuthorizationResult{Code: to.Query().Get("code"), State: to.Query().Get("state"), Iss: to.Query().Get("iss")}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// The SDK's own OAuth client walks the whole way: 401, metadata, registration, sign-in,
// token, call; and once more when a call needs more than it asked for at first.
func TestClientSignsInByItself(t *testing.T) {
	t.Parallel()
	mcptest.Program(t)
	issuer := mcptest.AuthServer(t, "-jwt")
	g := open(t, "  bearer: [{issuer: "+issuer+"}]\n")
	g.Run.SetPolicy(t, "crm", "three", three)
	g.do("grant", "add", "crm", "alice", "--policy", "three", "--issuer", issuer, "--subject", "alice")
	_, known := g.Run.Grant(t, "crm", "after", "--policy", "three")
	mcptest.AwaitToken(t, g.mcp("crm"), known)

	for i, version := range eras {
		t.Run(version, func(t *testing.T) {
			var asked [][]string
			transport := &mcp.StreamableClientTransport{
				Endpoint: g.mcp("crm"), MaxRetries: -1, DisableStandaloneSSE: true,
				OAuthHandler: signing(t, mcptest.Browser(t, issuer, "alice"), func(found []string) []string {
					asked = append(asked, found)
					if len(asked) == 1 {
						return []string{"mcp:read"}
					}
					return found
				}),
			}
			s, err := mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "1"}, nil).Connect(t.Context(), transport, &mcp.ClientSessionOptions{ProtocolVersion: version})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			if tools, err := s.ListTools(t.Context(), nil); err != nil || len(tools.Tools) != 2 {
				t.Errorf("the tools: %v, %v", tools, err)
			}
			if len(asked) != 1 {
				t.Errorf("signed in %d times", len(asked))
			}
			if code, err := call(t.Context(), s, "send"); err != nil || code != "ok" {
				t.Errorf("a call that needs more: %s, %v", code, err)
			}
			if len(asked) != 2 || !slices.Contains(asked[1], "mcp:write") {
				t.Errorf("it was asked for the scopes %v", asked)
			}
			if calls := g.crm.Calls(); len(calls) != 1 || calls[0].Header.Get("Authorization") != "" {
				t.Errorf("the server got %v", calls)
			}
			if i == 0 {
				return
			}
			g.do("grant", "revoke", "crm/alice", "--reason", "left")
			within(t, "the grant is revoked", func() bool { _, err := call(t.Context(), s, "send"); return err != nil })
		})
	}

	// Nobody made a grant for bob.
	_, err := mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "1"}, nil).Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: g.mcp("crm"), MaxRetries: -1, OAuthHandler: signing(t, mcptest.Browser(t, issuer, "bob"), nil),
	}, nil)
	if err == nil {
		t.Error("bob got in")
	}
}
