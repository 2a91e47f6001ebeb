package app

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sluice/internal/config"
	"sluice/internal/credential"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/secret"
)

// LocalCredential is how a relay for the person at this machine identifies itself to
// a server: by headers, and by OAuth when the server asks for it and no header
// already says who it is. Consents are kept in the state directory, sealed, under the
// server's URL; nothing is made there before there is one to keep. A client that was
// registered by hand is named in SLUICE_OAUTH_*, so that no secret is an argument.
func LocalCredential(c *config.Config, server, rawURL string, headers []credential.Header, open func(string) error, log *slog.Logger) (exchange.Credential, error) {
	static, err := credential.NewStatic(credential.StaticOptions{Server: server, Headers: headers, Getenv: c.Env})
	if err != nil {
		return nil, err
	}
	for _, h := range headers {
		if h.Authorizes() {
			return static, nil
		}
	}
	if u, err := url.Parse(rawURL); err != nil || (u.Scheme != "https" && !loopback(u.Hostname())) {
		return static, nil // a token would travel unencrypted
	}
	look, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	o := credential.Options{
		Server: server, URL: rawURL, Store: credentialStore(c), AllowPrivate: credential.LeadsInside(look, rawURL), Open: open, Getenv: c.Env, Log: log,
		ClientID: c.Env("SLUICE_OAUTH_CLIENT_ID"), ClientMetadataURL: c.Env("SLUICE_OAUTH_CLIENT_METADATA_URL"),
		Issuer: c.Env("SLUICE_OAUTH_ISSUER"), Redirect: c.Env("SLUICE_OAUTH_REDIRECT"), Grant: c.Env("SLUICE_OAUTH_GRANT"),
		Scopes: strings.Fields(c.Env("SLUICE_OAUTH_SCOPES")),
	}
	if c.Env("SLUICE_OAUTH_CLIENT_SECRET") != "" {
		o.ClientSecret = credential.Value{Env: "SLUICE_OAUTH_CLIENT_SECRET"}
	}
	if c.Env("SLUICE_OAUTH_CLIENT_KEY") != "" {
		o.ClientKey = credential.Value{Env: "SLUICE_OAUTH_CLIENT_KEY"}
	}
	oauth, err := credential.NewOAuth(o)
	if err != nil || len(headers) == 0 {
		return oauth, err
	}
	return credential.Both(static, oauth), nil
}

// credentialStore keeps what servers granted, in sealed files.
func credentialStore(c *config.Config) credential.Store {
	return credential.NewFiles(filepath.Join(c.StateDir, "gateway", "credentials"), func() (*secret.Keyring, error) {
		if err := os.MkdirAll(c.StateDir, 0o700); err != nil {
			return nil, err
		}
		// Beside a ledger, a missing key is a lost one, and not for us to replace.
		_, err := os.Stat(filepath.Join(c.StateDir, "writeback.db"))
		return secret.OpenKeyring(keyFile(c), c.DatabaseURL == "" && errors.Is(err, fs.ErrNotExist))
	})
}
