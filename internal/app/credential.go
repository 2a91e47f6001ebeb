package app

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"sluice/internal/config"
	"sluice/internal/credential"
	"sluice/internal/fault"
	"sluice/internal/mcpwire/exchange"
)

// UpstreamCredential is how Sluice identifies itself to one upstream over HTTP.
type UpstreamCredential struct {
	Server string
	URL    string
	// Configured headers, those of the command line beside them, and OAuth.
	Headers map[string]config.MCPValue
	Flags   []credential.Header
	OAuth   *config.MCPOAuth
	// AnswerOAuth meets a challenge for OAuth although there is no such section.
	AnswerOAuth  bool
	AllowPrivate bool // as in httpdial

	Store credential.Store // of tokens; memory when nil. CredentialStore is the usual one
	// Open shows a person at this machine where to agree; Consents is for all others.
	Open     func(url string) error
	Consents *credential.Consents
	Getenv   func(string) string
	Log      *slog.Logger
}

// NewCredential builds the credential of an upstream. One that is also an io.Closer
// has to be closed. Headers and OAuth can stand side by side: an API key for a proxy
// in front of a server that wants tokens, say.
func NewCredential(u UpstreamCredential) (exchange.Credential, error) {
	headers := slices.Clone(u.Flags)
	for _, name := range slices.Sorted(maps.Keys(u.Headers)) {
		headers = append(headers, credential.Header{Name: name, Value: valueOf(u.Headers[name])})
	}
	static, err := credential.NewStatic(credential.StaticOptions{Server: u.Server, Headers: headers, Getenv: u.Getenv})
	if err != nil {
		return nil, err
	}
	section := u.OAuth
	if section == nil && (!u.AnswerOAuth || slices.ContainsFunc(headers, credential.Header.Authorizes)) {
		return static, nil
	}
	if section == nil {
		section = &config.MCPOAuth{}
	}
	o := credential.Options{
		Server: u.Server, URL: u.URL, Store: u.Store, PerCaller: section.PerUser, Grant: section.Grant,
		ClientID: section.ClientID, ClientSecret: valueOf(section.ClientSecret), ClientKey: valueOf(section.ClientKey), TokenAuthMethod: section.TokenAuthMethod,
		Issuer: section.Issuer, ClientMetadataURL: section.ClientMetadataURL, Scopes: section.Scopes, Redirect: section.Redirect,
		AllowPrivate: u.AllowPrivate, Open: u.Open, Consents: u.Consents, Getenv: u.Getenv, Log: u.Log,
	}
	if o.ClientMetadataURL == "self" && u.Consents != nil {
		o.ClientMetadataURL = u.Consents.ClientMetadataURL()
	}
	tokens, err := credential.NewOAuth(o)
	if err != nil && u.OAuth == nil {
		return static, nil // nobody asked for OAuth, and this URL can't have it
	}
	if err != nil {
		return nil, err
	}
	if len(headers) == 0 {
		return tokens, nil
	}
	return credential.Both(static, tokens), nil
}

func valueOf(v config.MCPValue) credential.Value {
	return credential.Value{Prefix: v.Prefix, Env: v.Env, File: v.File, Command: v.Command}
}

// CredentialStore is where tokens of upstreams are kept: sealed, in the state
// directory. Nothing is made there until there is a token.
func CredentialStore(c *config.Config) credential.Store { return credentialStore(c) }

// ServerLogin is what a sign-in to a server came to.
type ServerLogin struct {
	Server  string    `json:"server"`
	Issuer  string    `json:"issuer"`
	Expires time.Time `json:"expires,omitzero"` // of the access token, which renews itself where it can
}

// configuredOAuth is the OAuth credential that everybody who uses a server shares.
func configuredOAuth(c *config.Config, name string, open func(string) error, log *slog.Logger) (*credential.OAuth, error) {
	s, ok := c.MCP.Servers[name]
	switch {
	case !ok:
		return nil, fault.New(fault.NotFound, "no server %q is configured", name).WithFix("see `sluice server list`, or add it under mcp.servers")
	case s.OAuth == nil:
		return nil, fault.New(fault.Usage, "server %q does not use OAuth", name).WithFix("add `oauth: {}` to mcp.servers.%s", name)
	case s.OAuth.PerUser:
		return nil, fault.New(fault.Usage, "server %q asks each user for their own consent", name).
			WithFix("users get a link with the first call that needs it; nothing is signed in here")
	}
	made, err := NewCredential(UpstreamCredential{
		Server: name, URL: s.URL, OAuth: s.OAuth, AllowPrivate: s.AllowPrivate, Store: credentialStore(c), Open: open, Getenv: c.Env, Log: log,
	})
	if err != nil {
		return nil, err
	}
	tokens, ok := made.(*credential.OAuth)
	if !ok {
		return nil, fault.New(fault.Internal, "server %q: no OAuth credential was made", name)
	}
	return tokens, nil
}

// LogIn gets a token for a server that everybody shares: the person at this machine
// agrees in their browser. A running `sluice serve` uses it at its next call.
func LogIn(ctx context.Context, c *config.Config, name string, open func(string) error, log *slog.Logger) (*ServerLogin, error) {
	if err := c.MayServe(); err != nil {
		return nil, err
	}
	tokens, err := configuredOAuth(c, name, open, log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tokens.Close() }()
	if err := tokens.Login(ctx); err != nil {
		return nil, asFault(err)
	}
	r := &ServerLogin{Server: name}
	r.Issuer, r.Expires, _ = tokens.Describe()
	return r, nil
}

// LogOut forgets the token of a server that everybody shares.
func LogOut(c *config.Config, name string, log *slog.Logger) error {
	tokens, err := configuredOAuth(c, name, nil, log)
	if err != nil {
		return err
	}
	defer func() { _ = tokens.Close() }()
	if err := tokens.Forget(""); err != nil {
		return fault.New(fault.StoreUnavailable, "the token of server %q can't be removed", name).Wrap(err)
	}
	return nil
}

// asFault is an error of the relay as a command shows it.
func asFault(err error) error {
	e := exchange.As(err)
	f := fault.New(fault.UpstreamAuth, "%s", e.Message)
	if e.Fix != "" {
		f.Fix = e.Fix
	}
	return f
}
