package app

import (
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"sluice/internal/config"
	"sluice/internal/credential"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/secret"
)

// CredentialStore is where tokens of upstreams are kept: sealed, in the state
// directory. Nothing is made there until there is a token.
func CredentialStore(c *config.Config) credential.Store {
	return credential.NewFiles(filepath.Join(c.StateDir, "gateway", "credentials"), func() (*secret.Keyring, error) {
		create := false
		if c.DatabaseURL == "" {
			_, err := os.Stat(filepath.Join(c.StateDir, "writeback.db"))
			create = errors.Is(err, fs.ErrNotExist)
		}
		return secret.OpenKeyring(keyFile(c), create)
	})
}

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

	Store credential.Store // of tokens; memory when nil
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
		ClientID: section.ClientID, ClientSecret: valueOf(section.ClientSecret), TokenAuthMethod: section.TokenAuthMethod,
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
