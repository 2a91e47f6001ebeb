// Package bearer judges JWT access tokens of authorization servers: Sluice as an OAuth
// 2.1 resource server, beside grants.
//
// Its guarantees: a token counts only if a configured issuer signed it with an
// asymmetric key, for this very endpoint (audience, RFC 8707), as an access token and
// not as proof of a sign-in (RFC 9068), within its time. Keys are fetched at most every
// few seconds, however many unknown ones are shown, and not trusted for longer than an
// hour. Its limits: it asks nobody whether a token was revoked, so one lives until it
// expires; the grant that it leads to can be revoked at once.
package bearer

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// Issuer is one authorization server.
type Issuer struct {
	URL string
	// JWKS is where its keys are; empty: where its metadata says (RFC 8414, or OpenID
	// Connect discovery).
	JWKS string
	// Audience are the values of `aud` that mean this gateway; empty: the resource asked
	// for with Verify.
	Audience []string
}

// Claims is what a valid token says.
type Claims struct {
	Issuer  string
	Subject string
	Client  string // client_id or azp
	Scopes  []string
	Expires time.Time
	All     map[string]any

	trusted time.Time // until when it is not verified again
}

// Options are those of New.
type Options struct {
	Issuers []Issuer
	HTTP    *http.Client // nil: one with bounds
	Now     func() time.Time
}

// Verifier is safe for concurrent use.
type Verifier struct {
	issuers map[string]*authority
	now     func() time.Time

	mu    sync.RWMutex
	known map[[32]byte]*Claims // by token and resource
}

// Errors of Verify. What a token said is in none of them.
var (
	ErrNotToken    = errors.New("it is no JWT of a known issuer")
	ErrInvalid     = errors.New("the token is not valid, or not any more")
	ErrAudience    = errors.New("the token is for another resource")
	ErrUnavailable = errors.New("the keys of the authorization server can't be fetched")
)

// accepted are the algorithms that need no shared secret (RFC 8725 §3.1).
var accepted = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}

// algorithms are the same, as the signature's parser names them.
var algorithms = func() (list []jose.SignatureAlgorithm) {
	for _, name := range accepted {
		list = append(list, jose.SignatureAlgorithm(name))
	}
	return list
}()

const (
	maxToken = 16 << 10
	maxKnown = 10_000
	// trusted is how long a verified token is not verified again.
	trusted = time.Minute
	leeway  = 30 * time.Second
)

// New returns a verifier; nil where no issuer is configured.
func New(o Options) *Verifier {
	if len(o.Issuers) == 0 {
		return nil
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.HTTP == nil {
		o.HTTP = boundedClient()
	}
	v := &Verifier{issuers: map[string]*authority{}, now: o.Now, known: map[[32]byte]*Claims{}}
	for _, i := range o.Issuers {
		v.issuers[i.URL] = &authority{Issuer: i, http: o.HTTP, now: o.Now}
	}
	return v
}

// Issuers are the URLs of the authorization servers, in order.
func (v *Verifier) Issuers() []string {
	if v == nil {
		return nil
	}
	var list []string
	for url := range v.issuers {
		list = append(list, url)
	}
	slices.Sort(list)
	return list
}

// Verify judges a token for a resource, the URL of the endpoint that was called.
func (v *Verifier) Verify(ctx context.Context, token, resource string) (*Claims, error) {
	if v == nil || len(token) > maxToken || strings.Count(token, ".") != 2 {
		return nil, ErrNotToken
	}
	key := sha256.Sum256([]byte(resource + "\x00" + token))
	now := v.now()
	v.mu.RLock()
	c := v.known[key]
	v.mu.RUnlock()
	if c != nil && now.Before(c.trusted) {
		return c, nil
	}
	c, err := v.verify(ctx, token, resource)
	if err != nil {
		return nil, err
	}
	if c.trusted = now.Add(trusted); c.Expires.Before(c.trusted) {
		c.trusted = c.Expires
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.known) >= maxKnown {
		clear(v.known)
	}
	v.known[key] = c
	return c, nil
}

func (v *Verifier) verify(ctx context.Context, token, resource string) (*Claims, error) {
	head, body, _ := strings.Cut(token, ".")
	body, _, _ = strings.Cut(body, ".")
	var header struct {
		Typ  string   `json:"typ"`
		Crit []string `json:"crit"`
	}
	var peek struct {
		Issuer string `json:"iss"`
	}
	if part(head, &header) != nil || part(body, &peek) != nil {
		return nil, ErrNotToken
	}
	a := v.issuers[peek.Issuer]
	if a == nil {
		return nil, ErrNotToken
	}
	if !isAccessToken(header.Typ) || len(header.Crit) > 0 {
		return nil, ErrInvalid
	}
	keys, err := a.keys(ctx)
	if err != nil {
		return nil, err
	}
	checked, err := oidc.NewVerifier(a.URL, keys, &oidc.Config{
		SkipClientIDCheck: true, SupportedSigningAlgs: accepted, Now: v.now,
	}).Verify(ctx, token)
	switch {
	case err != nil && keys.unreachable():
		return nil, ErrUnavailable
	case err != nil:
		return nil, ErrInvalid
	}
	all := map[string]any{}
	if err := checked.Claims(&all); err != nil {
		return nil, ErrInvalid
	}
	if checked.Expiry.IsZero() || checked.Subject == "" && text(all, "client_id") == "" || all["nonce"] != nil || all["at_hash"] != nil {
		return nil, ErrInvalid // an ID token, or one without end
	}
	if nbf, ok := all["nbf"].(float64); ok && float64(v.now().Add(leeway).Unix()) < nbf {
		return nil, ErrInvalid
	}
	want := a.Audience
	if len(want) == 0 {
		want = []string{resource}
	}
	if !slices.ContainsFunc(checked.Audience, func(aud string) bool {
		return slices.ContainsFunc(want, func(w string) bool { return strings.TrimSuffix(w, "/") == strings.TrimSuffix(aud, "/") })
	}) {
		return nil, ErrAudience
	}
	c := &Claims{Issuer: a.URL, Subject: checked.Subject, Client: text(all, "client_id"), Expires: checked.Expiry, All: all, Scopes: scopes(all)}
	if c.Client == "" {
		c.Client = text(all, "azp")
	}
	return c, nil
}

// isAccessToken accepts the type of RFC 9068, and none or plain JWT, which older
// servers write.
func isAccessToken(typ string) bool {
	typ = strings.TrimPrefix(strings.ToLower(typ), "application/")
	return typ == "at+jwt" || typ == "jwt" || typ == ""
}

func part(s string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

func text(claims map[string]any, name string) string {
	s, _ := claims[name].(string)
	return s
}

// scopes reads `scope` (one string, RFC 9068) or `scp` (a list, as some servers have
// it).
func scopes(claims map[string]any) []string {
	if s := text(claims, "scope"); s != "" {
		return strings.Fields(s)
	}
	if s := text(claims, "scp"); s != "" {
		return strings.Fields(s)
	}
	var list []string
	for _, name := range []string{"scope", "scp"} {
		items, _ := claims[name].([]any)
		for _, i := range items {
			if s, ok := i.(string); ok {
				list = append(list, s)
			}
		}
	}
	return list
}

// Has reports whether a claim has a value: the text itself, or one element of a list.
// A dotted path goes inwards where no claim has the whole as its name.
func (c *Claims) Has(claim, value string) bool { return has(c.All, claim, value) }

func has(claims map[string]any, claim, value string) bool {
	v, ok := claims[claim]
	if !ok {
		first, rest, dotted := strings.Cut(claim, ".")
		inner, isObject := claims[first].(map[string]any)
		return dotted && isObject && has(inner, rest, value)
	}
	switch v := v.(type) {
	case string:
		return v == value
	case bool:
		return value == map[bool]string{true: "true", false: "false"}[v]
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { s, ok := e.(string); return ok && s == value })
	default:
		return false
	}
}
