package bearer_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"sluice/internal/bearer"
)

const resource = "https://gate.example.com/mcp/crm"

// issuer is an authorization server as far as keys go.
type issuer struct {
	url     string
	fetches atomic.Int32
	down    atomic.Bool

	mu   sync.Mutex
	keys map[string]*ecdsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{keys: map[string]*ecdsa.PrivateKey{}}
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	i.url = srv.URL
	mux.HandleFunc("/.well-known/oauth-authorization-server", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": i.url, "jwks_uri": i.url + "/keys"})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		i.fetches.Add(1)
		if i.down.Load() {
			http.Error(w, "no", http.StatusServiceUnavailable)
			return
		}
		i.mu.Lock()
		defer i.mu.Unlock()
		var set jose.JSONWebKeySet
		for id, k := range i.keys {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.Public(), KeyID: id, Algorithm: "ES256", Use: "sig"})
		}
		_ = json.NewEncoder(w).Encode(set)
	})
	i.add(t, "one")
	return i
}

func (i *issuer) add(t *testing.T, id string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys[id] = k
}

func (i *issuer) key(id string) *ecdsa.PrivateKey {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.keys[id]
}

// claims are those of a good token, changed.
func (i *issuer) claims(at time.Time, change map[string]any) map[string]any {
	c := map[string]any{"iss": i.url, "aud": resource, "sub": "agent-7", "client_id": "cli", "scope": "mcp:read mcp:write", "iat": at.Unix(), "exp": at.Add(time.Hour).Unix()}
	for k, v := range change {
		if c[k] = v; v == nil {
			delete(c, k)
		}
	}
	return c
}

func sign(t *testing.T, alg jose.SignatureAlgorithm, key any, typ string, claims map[string]any) string {
	t.Helper()
	o := (&jose.SignerOptions{}).WithHeader("typ", typ)
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, o)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := s.Sign(raw)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (i *issuer) token(t *testing.T, id string, claims map[string]any) string {
	t.Helper()
	return sign(t, jose.ES256, jose.JSONWebKey{Key: i.key(id), KeyID: id}, "at+jwt", claims)
}

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func verifier(i *issuer, at func() time.Time) *bearer.Verifier {
	return bearer.New(bearer.Options{Issuers: []bearer.Issuer{{URL: i.url}}, Now: at})
}

func TestWhatATokenHasToBe(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	stranger := newIssuer(t)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := i.claims(now, nil)
	goodToken := i.token(t, "one", good)
	tests := []struct {
		name  string
		token string
		err   error
	}{
		{"good", goodToken, nil},
		{"one of several audiences", i.token(t, "one", i.claims(now, map[string]any{"aud": []string{"x", resource + "/"}})), nil},
		{"another audience", i.token(t, "one", i.claims(now, map[string]any{"aud": "https://gate.example.com/mcp/other"})), bearer.ErrAudience},
		{"no audience", i.token(t, "one", i.claims(now, map[string]any{"aud": nil})), bearer.ErrAudience},
		{"over", i.token(t, "one", i.claims(now, map[string]any{"exp": now.Add(-time.Second).Unix()})), bearer.ErrInvalid},
		{"without end", i.token(t, "one", i.claims(now, map[string]any{"exp": nil})), bearer.ErrInvalid},
		{"not yet", i.token(t, "one", i.claims(now, map[string]any{"nbf": now.Add(time.Hour).Unix()})), bearer.ErrInvalid},
		{"an ID token", i.token(t, "one", i.claims(now, map[string]any{"nonce": "n"})), bearer.ErrInvalid},
		{"of another type", sign(t, jose.ES256, jose.JSONWebKey{Key: i.key("one"), KeyID: "one"}, "dpop+jwt", good), bearer.ErrInvalid},
		{"signed by somebody else", sign(t, jose.ES256, jose.JSONWebKey{Key: other, KeyID: "one"}, "at+jwt", good), bearer.ErrInvalid},
		{"signed with a shared secret", sign(t, jose.HS256, []byte(strings.Repeat("k", 32)), "at+jwt", good), bearer.ErrInvalid},
		{"of an unknown issuer", stranger.token(t, "one", stranger.claims(now, nil)), bearer.ErrNotToken},
		{"claims changed after signing", changed(t, goodToken, i.claims(now, map[string]any{"sub": "admin"})), bearer.ErrInvalid},
		{"no signature", unsigned(t, good), bearer.ErrInvalid},
		{"no JWT", "slg_abc", bearer.ErrNotToken},
		{"too long", "a." + strings.Repeat("b", 1<<20) + ".c", bearer.ErrNotToken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := verifier(i, func() time.Time { return now })
			c, err := v.Verify(t.Context(), tt.token, resource)
			if !errors.Is(err, tt.err) {
				t.Fatalf("%v, want %v", err, tt.err)
			}
			if err == nil && (c.Subject != "agent-7" || c.Client != "cli" || len(c.Scopes) != 2 || c.Issuer != i.url) {
				t.Errorf("claims %+v", c)
			}
		})
	}
}

func changed(t *testing.T, token string, claims map[string]any) string {
	t.Helper()
	parts := strings.Split(token, ".")
	parts[1] = strings.Split(unsigned(t, claims), ".")[1]
	return strings.Join(parts, ".")
}

// unsigned is a token with algorithm none.
func unsigned(t *testing.T, claims map[string]any) string {
	t.Helper()
	return encode(t, map[string]any{"alg": "none", "typ": "at+jwt"}) + "." + encode(t, claims) + "."
}

func TestKeysThatChange(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	at := now
	v := verifier(i, func() time.Time { return at })
	if _, err := v.Verify(t.Context(), i.token(t, "one", i.claims(now, nil)), resource); err != nil {
		t.Fatal(err)
	}
	i.add(t, "two")
	token := i.token(t, "two", i.claims(now, nil))
	// Within the pause an unknown key is not worth another fetch.
	for range 50 {
		if _, err := v.Verify(t.Context(), token, resource); !errors.Is(err, bearer.ErrInvalid) {
			t.Fatal(err)
		}
	}
	if n := i.fetches.Load(); n != 1 {
		t.Errorf("%d fetches for 50 tokens with an unknown key", n)
	}
	at = at.Add(6 * time.Second)
	if _, err := v.Verify(t.Context(), token, resource); err != nil {
		t.Errorf("a new key is not taken up: %v", err)
	}
	// A key that was withdrawn is not trusted for ever.
	i.mu.Lock()
	delete(i.keys, "one")
	i.mu.Unlock()
	at = at.Add(2 * time.Hour)
	fresh := sign(t, jose.ES256, jose.JSONWebKey{Key: i.key("two"), KeyID: "one"}, "at+jwt", i.claims(at, nil))
	if _, err := v.Verify(t.Context(), fresh, resource); !errors.Is(err, bearer.ErrInvalid) {
		t.Errorf("a withdrawn key: %v", err)
	}
}

func TestAnIssuerThatIsDown(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	at := now
	v := verifier(i, func() time.Time { return at })
	i.down.Store(true)
	token := i.token(t, "one", i.claims(now, nil))
	if _, err := v.Verify(t.Context(), token, resource); !errors.Is(err, bearer.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	i.down.Store(false)
	at = at.Add(6 * time.Second)
	if _, err := v.Verify(t.Context(), token, resource); err != nil {
		t.Errorf("after it came back: %v", err)
	}
}

func TestAVerifiedTokenEndsInTime(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	at := now
	v := verifier(i, func() time.Time { return at })
	token := i.token(t, "one", i.claims(now, map[string]any{"exp": now.Add(10 * time.Second).Unix()}))
	if c, err := v.Verify(t.Context(), token, resource); err != nil || !c.Expires.Equal(now.Add(10*time.Second)) {
		t.Fatalf("%+v, %v", c, err)
	}
	hours := i.token(t, "one", i.claims(now, map[string]any{"exp": now.Add(5 * time.Hour).Unix()}))
	if c, err := v.Verify(t.Context(), hours, resource); err != nil || !c.Expires.Equal(now.Add(5*time.Hour)) {
		t.Errorf("one for hours: %+v, %v", c, err)
	}
	at = at.Add(11 * time.Second)
	if _, err := v.Verify(t.Context(), token, resource); !errors.Is(err, bearer.ErrInvalid) {
		t.Errorf("after its end: %v", err)
	}
}

func TestClaimsThatLeadToAGrant(t *testing.T) {
	t.Parallel()
	c := bearer.Claims{All: map[string]any{
		"client_id": "cli", "groups": []any{"ops", "ads"}, "realm": map[string]any{"roles": []any{"buyer"}}, "a.b": "whole", "n": 7.0,
	}}
	tests := []struct {
		claim, value string
		want         bool
	}{
		{"client_id", "cli", true}, {"client_id", "CLI", false}, {"groups", "ads", true}, {"groups", "ad", false},
		{"realm.roles", "buyer", true}, {"a.b", "whole", true}, {"absent", "", false}, {"n", "7", false},
	}
	for _, tt := range tests {
		if got := c.Has(tt.claim, tt.value); got != tt.want {
			t.Errorf("%s = %q: %v", tt.claim, tt.value, got)
		}
	}
}
