package credential

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// grant is what an authorization server gave for one upstream and one caller.
type grant struct {
	Issuer        string    `json:"issuer"`
	Resource      string    `json:"resource"`
	TokenEndpoint string    `json:"token_endpoint"`
	Client        client    `json:"client"`
	Scopes        []string  `json:"scopes"` // as asked for
	Access        string    `json:"access"`
	Refresh       string    `json:"refresh,omitempty"`
	Obtained      time.Time `json:"obtained"`
	Expires       time.Time `json:"expires,omitzero"` // zero: not said
	Renewed       bool      `json:"renewed,omitempty"`

	header []string // "Bearer …", never written to
	stored bool     // and not only in memory
}

// ready completes a grant that was read or received. Only keepLocked may say that one
// is not stored.
func (g *grant) ready() *grant {
	g.stored = true
	g.header = []string{"Bearer " + g.Access}
	return g
}

func (g *grant) expired(now time.Time) bool { return !g.Expires.IsZero() && !now.Before(g.Expires) }

// due reports whether a token should be renewed before it is used: a tenth of its
// life before the end, at most five minutes.
func (g *grant) due(now time.Time) bool {
	if g.Expires.IsZero() {
		return false
	}
	early := min(g.Expires.Sub(g.Obtained)/10, 5*time.Minute)
	return !now.Before(g.Expires.Add(-early))
}

// refusal is an error answer of a token endpoint.
type refusal struct {
	host   string
	status int
	code   string
}

func (r *refusal) Error() string {
	if r.code == "" {
		return fmt.Sprintf("the authorization server %s refuses (HTTP %d)", r.host, r.status)
	}
	return fmt.Sprintf("the authorization server %s refuses (%s)", r.host, r.code)
}

// ask sends a form to the token endpoint as a client. The endpoint is never followed
// elsewhere: what is posted is a secret.
func (o *OAuth) ask(ctx context.Context, issuer, endpoint string, c *client, form url.Values) (*grant, error) {
	secret := c.Secret
	if c.Configured && c.Method != methodNone && c.Method != methodKey {
		var err error
		if secret, err = o.o.ClientSecret.read(ctx, o.o.Getenv); err != nil {
			return nil, fmt.Errorf("the client secret is missing: %w", err)
		}
	}
	authorization := ""
	switch c.Method {
	case methodBasic:
		pair := url.QueryEscape(c.ID) + ":" + url.QueryEscape(secret)
		authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
	case methodPost:
		form.Set("client_id", c.ID)
		form.Set("client_secret", secret)
	case methodKey:
		key, err := o.o.ClientKey.text(ctx, o.o.Getenv)
		if err != nil {
			return nil, fmt.Errorf("the client's key is missing: %w", err)
		}
		assertion, err := assert(key, c.ID, issuer, o.o.Now())
		if err != nil {
			return nil, err
		}
		form.Set("client_id", c.ID)
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", assertion)
	default:
		form.Set("client_id", c.ID)
	}
	status, body, err := o.fetch.do(ctx, http.MethodPost, endpoint, "application/x-www-form-urlencoded",
		strings.NewReader(form.Encode()), func(r *http.Request) {
			if authorization != "" {
				r.Header.Set("Authorization", authorization)
			}
		})
	if err != nil {
		return nil, err
	}
	host := hostOf(endpoint)
	if status != http.StatusOK {
		return nil, &refusal{host: host, status: status, code: errorCode(body)}
	}
	var got struct {
		Access  string         `json:"access_token"`
		Type    string         `json:"token_type"`
		Refresh string         `json:"refresh_token"`
		Expires jsontext.Value `json:"expires_in"`
	}
	switch err := json.Unmarshal(body, &got); {
	case err != nil || got.Access == "":
		return nil, fmt.Errorf("the token of the authorization server %s can't be read", host)
	case !strings.EqualFold(got.Type, "Bearer"):
		return nil, fmt.Errorf("the authorization server %s issued a token of a type that Sluice does not use", host)
	case !validHeaderValue(got.Access) || strings.ContainsAny(got.Access, " \t"):
		return nil, fmt.Errorf("the token of the authorization server %s holds characters that a token can't have", host)
	}
	g := &grant{TokenEndpoint: endpoint, Client: *c, Access: got.Access, Refresh: got.Refresh, Obtained: o.o.Now()}
	// Some servers write the number as a string; some write nothing.
	seconds, err := strconv.ParseFloat(strings.Trim(string(got.Expires), `"`), 64)
	if err == nil && seconds > 0 && seconds < 100*365*24*3600 {
		g.Expires = g.Obtained.Add(time.Duration(seconds * float64(time.Second)))
	}
	return g.ready(), nil
}

// redeem turns an authorization code into a grant.
func (o *OAuth) redeem(ctx context.Context, a *attempt, code string) (*grant, error) {
	g, err := o.ask(ctx, a.place.server.Issuer, a.place.server.TokenEndpoint, a.client, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {a.redirect},
		"code_verifier": {a.verifier}, "resource": {a.place.resource},
	})
	if err != nil {
		return nil, err
	}
	g.Issuer, g.Resource, g.Scopes = a.place.server.Issuer, a.place.resource, a.scopes
	return g, nil
}

// refresh renews a grant. A server that rotates refresh tokens sends a new one; where
// it sends none, the old one stays good.
func (o *OAuth) refresh(ctx context.Context, old *grant) (*grant, error) {
	g, err := o.ask(ctx, old.Issuer, old.TokenEndpoint, &old.Client, url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {old.Refresh}, "resource": {old.Resource},
	})
	if err != nil {
		return nil, err
	}
	g.Issuer, g.Resource, g.Scopes, g.Renewed = old.Issuer, old.Resource, old.Scopes, true
	if g.Refresh == "" {
		g.Refresh = old.Refresh
	}
	return g, nil
}

// asItself obtains a token by the client credentials grant.
func (o *OAuth) asItself(ctx context.Context, p *place, scopes []string) (*grant, error) {
	c, err := o.clientFor(ctx, p, "")
	if err != nil {
		return nil, err
	}
	form := url.Values{"grant_type": {"client_credentials"}, "resource": {p.resource}}
	if len(scopes) > 0 {
		form.Set("scope", strings.Join(scopes, " "))
	}
	g, err := o.ask(ctx, p.server.Issuer, p.server.TokenEndpoint, c, form)
	if err != nil {
		return nil, err
	}
	g.Issuer, g.Resource, g.Scopes, g.Refresh = p.server.Issuer, p.resource, scopes, ""
	return g, nil
}
