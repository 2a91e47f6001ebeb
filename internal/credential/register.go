package credential

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

// client is Sluice as one authorization server knows it.
type client struct {
	ID     string `json:"id"`
	Method string `json:"method"` // of the token endpoint
	// Secret is set for dynamically registered clients only. That of a configured one
	// is read where the configuration says, when it is needed.
	Secret     string    `json:"secret,omitempty"`
	Expires    time.Time `json:"expires,omitzero"`
	Redirect   string    `json:"redirect,omitempty"`
	Configured bool      `json:"configured,omitempty"`
}

// Authentication methods of the token endpoint.
const (
	methodNone  = "none"
	methodBasic = "client_secret_basic"
	methodPost  = "client_secret_post"
)

// methodFor picks how a client identifies itself. Without metadata, RFC 8414 says basic.
func methodFor(supported []string, secret bool) string {
	switch {
	case !secret:
		return methodNone
	case len(supported) == 0 || slices.Contains(supported, methodBasic):
		return methodBasic
	case slices.Contains(supported, methodPost):
		return methodPost
	case slices.Contains(supported, methodNone):
		return methodNone
	}
	return methodBasic
}

// clientFor finds out as whom to speak to an authorization server: the configured
// client, else our metadata document, else one registered now or earlier.
func (o *OAuth) clientFor(ctx context.Context, p *place, redirect string) (*client, error) {
	if o.o.ClientID != "" {
		return o.configuredClient(ctx, p)
	}
	if o.o.ClientMetadataURL != "" && p.server.ClientIDDocuments {
		return &client{ID: o.o.ClientMetadataURL, Method: methodNone}, nil
	}
	if o.o.Grant == ClientCredentials {
		return nil, errors.New("the client credentials grant needs a configured client")
	}
	if p.server.RegistrationEndpoint == "" {
		return nil, fmt.Errorf("the authorization server %s registers no clients by itself", hostOf(p.server.Issuer))
	}
	key := o.registrationKey(p.server.Issuer, redirect)
	var known client
	if ok, err := load(o.o.Store, key, &known); err != nil {
		return nil, err
	} else if ok && known.Redirect == redirect && (known.Expires.IsZero() || o.o.Now().Before(known.Expires)) {
		return &known, nil
	}
	fresh, err := o.register(ctx, p, redirect)
	if err != nil {
		return nil, err
	}
	if err := save(o.o.Store, key, fresh); err != nil {
		o.o.Log.Warn("a client registration can't be stored", "server", o.o.Server, "err", err)
	}
	return fresh, nil
}

// registrationKey is where a registration is kept. Redirect URIs on loopback differ
// by their port alone and share one place: a port that is taken means registering
// again, since not every server ignores the port.
func (o *OAuth) registrationKey(issuer, redirect string) Key {
	if u, err := url.Parse(redirect); err == nil && u.Scheme == "http" && isLoopbackHost(u.Hostname()) {
		redirect = "loopback"
	}
	return Key{Kind: registrationRecord, Server: o.o.Server, Issuer: issuer, Redirect: redirect}
}

// configuredClient is the client that the operator registered by hand. Where the
// configuration does not say at which issuer, the first one that issued a token
// counts: a server that names another one later does not get the secret.
func (o *OAuth) configuredClient(ctx context.Context, p *place) (*client, error) {
	if o.o.Issuer == "" {
		var first string
		ok, err := load(o.o.Store, o.issuerKey(), &first)
		if err != nil {
			return nil, err
		}
		if ok && first != p.server.Issuer {
			return nil, fmt.Errorf("the server now names the authorization server %s, and the configured client belongs to %s",
				hostOf(p.server.Issuer), hostOf(first))
		}
	}
	c := &client{ID: o.o.ClientID, Configured: true, Method: o.o.TokenAuthMethod}
	switch {
	case !o.o.ClientKey.IsZero():
		c.Method = methodKey
	case c.Method == "":
		c.Method = methodFor(p.server.AuthMethods, !o.o.ClientSecret.IsZero())
	}
	if c.Method == methodBasic || c.Method == methodPost {
		if _, err := o.o.ClientSecret.read(ctx, o.o.Getenv); err != nil {
			return nil, fmt.Errorf("the client secret is missing: %w", err)
		}
	}
	return c, nil
}

func (o *OAuth) issuerKey() Key {
	return Key{Kind: issuerRecord, Server: o.o.Server, Resource: o.resource}
}

// register makes a client by RFC 7591.
func (o *OAuth) register(ctx context.Context, p *place, redirect string) (*client, error) {
	host := hostOf(p.server.Issuer)
	method := methodBasic
	switch {
	case slices.Contains(p.server.AuthMethods, methodNone):
		method = methodNone
	case len(p.server.AuthMethods) > 0 && !slices.Contains(p.server.AuthMethods, methodBasic):
		method = methodPost
	}
	application := "native"
	if u, err := url.Parse(redirect); err == nil && u.Scheme == "https" && !isLoopbackHost(u.Hostname()) {
		application = "web"
	}
	ask := map[string]any{
		"client_name": o.o.ClientName, "redirect_uris": []string{redirect}, "application_type": application,
		"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
		"token_endpoint_auth_method": method,
	}
	body, err := json.Marshal(ask, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	status, answer, err := o.fetch.do(ctx, http.MethodPost, p.server.RegistrationEndpoint, "application/json", bytes.NewReader(body), nil)
	if err != nil {
		return nil, fmt.Errorf("registering at the authorization server failed: %w", err)
	}
	if status != http.StatusCreated && status != http.StatusOK {
		return nil, fmt.Errorf("the authorization server %s refuses to register Sluice (HTTP %d%s)", host, status, oauthError(answer))
	}
	var got struct {
		ID      string `json:"client_id"`
		Secret  string `json:"client_secret"`
		Expires int64  `json:"client_secret_expires_at"`
		Method  string `json:"token_endpoint_auth_method"`
	}
	if err := json.Unmarshal(answer, &got); err != nil || got.ID == "" {
		return nil, fmt.Errorf("the registration at the authorization server %s can't be read", host)
	}
	c := &client{ID: got.ID, Secret: got.Secret, Redirect: redirect, Method: got.Method}
	switch c.Method {
	case methodNone, methodBasic, methodPost:
	case "":
		c.Method = methodFor(p.server.AuthMethods, c.Secret != "")
	default:
		return nil, fmt.Errorf("the authorization server %s asks for a way to identify that Sluice does not have", host)
	}
	if c.Secret == "" {
		c.Method = methodNone
	}
	if got.Expires > 0 {
		c.Expires = time.Unix(got.Expires, 0)
	}
	return c, nil
}

// oauthError is ", CODE" of an error answer of RFC 6749, or nothing. The description
// is free text of a stranger and stays out.
func oauthError(body []byte) string {
	if code := errorCode(body); code != "" {
		return ", " + code
	}
	return ""
}

func errorCode(body []byte) string {
	var e struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &e) != nil {
		return ""
	}
	return cleanCode(e.Error)
}

// cleanCode keeps what looks like an error code and drops what may be anything else.
func cleanCode(code string) string {
	for i := range len(code) {
		if c := code[i]; (c < 'a' || c > 'z') && c != '_' {
			return ""
		}
	}
	if len(code) > 64 {
		return ""
	}
	return code
}
