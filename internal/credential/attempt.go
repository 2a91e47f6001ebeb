package credential

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
)

// attempt is one authorization request, from the redirect to its answer. It records
// what the answer must match before anything of it is used.
type attempt struct {
	caller   string // the key of the one it is for
	place    *place
	client   *client
	scopes   []string
	redirect string
	state    string
	verifier string
	began    time.Time
}

// attemptLife bounds how long a person may take at the authorization server.
const attemptLife = 10 * time.Minute

func randomText() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the process instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (o *OAuth) attempt(caller string, p *place, c *client, scopes []string, redirect string) *attempt {
	return &attempt{
		caller: caller, place: p, client: c, scopes: scopes, redirect: redirect,
		state: randomText(), verifier: randomText(), began: o.o.Now(),
	}
}

// url is where the person goes to agree.
func (a *attempt) url() string {
	u, err := url.Parse(a.place.server.AuthorizationEndpoint)
	if err != nil {
		return "" // it was judged before
	}
	sum := sha256.Sum256([]byte(a.verifier))
	q := u.Query()
	for k, v := range map[string]string{
		"response_type": "code", "client_id": a.client.ID, "redirect_uri": a.redirect, "state": a.state,
		"code_challenge": base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method": "S256",
		"resource": a.place.resource, "scope": strings.Join(a.scopes, " "),
	} {
		q.Del(k)
		if v != "" {
			q.Set(k, v)
		}
	}
	if slices.Contains(a.scopes, offlineAccess) {
		q.Set("prompt", "consent") // OpenID Connect ignores the scope without it
	}
	u.RawQuery = q.Encode()
	return u.String()
}

const offlineAccess = "offline_access"

// Errors of an authorization response.
var (
	errIssuer  = errors.New("the answer comes from another authorization server than the one that was asked")
	errAnswer  = errors.New("the answer of the authorization server holds no code")
	errRefused = errors.New("the consent was refused")
	errLate    = errors.New("the answer came too late")
)

// finish takes the parameters of the redirect back. The state has found the attempt;
// the issuer is compared before anything else is believed (RFC 9207), errors included.
func (o *OAuth) finish(ctx context.Context, a *attempt, answer url.Values) error {
	iss := answer["iss"]
	switch {
	case len(iss) > 1,
		len(iss) == 1 && iss[0] != a.place.server.Issuer,
		len(iss) == 0 && a.place.server.IssuerInResponse:
		return errIssuer
	case o.o.Now().Sub(a.began) > attemptLife:
		return errLate
	}
	if answer.Has("error") {
		code := cleanCode(answer.Get("error"))
		if code == "" || code == "access_denied" {
			return errRefused
		}
		return errors.New("the authorization server refuses: " + code)
	}
	code := answer["code"]
	if len(code) != 1 || code[0] == "" {
		return errAnswer
	}
	g, err := o.redeem(ctx, a, code[0])
	if err != nil {
		var no *refusal
		if errors.As(err, &no) && no.code == "invalid_client" {
			o.forgetClient(a.place.server.Issuer, a.client, a.redirect)
		}
		return err
	}
	o.keep(ctx, a.caller, g)
	return nil
}

// forgetClient drops a registration that the server no longer knows, so that the next
// attempt registers again.
func (o *OAuth) forgetClient(issuer string, c *client, redirect string) {
	if !c.Configured && c.Redirect != "" {
		if err := o.o.Store.Delete(o.registrationKey(issuer, redirect)); err != nil {
			o.o.Log.Warn("a client registration can't be removed", "server", o.o.Server, "err", err)
		}
	}
}
