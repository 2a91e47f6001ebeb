package credential

import (
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"time"

	"sluice/internal/fault"
)

// Grants that Sluice can use.
const (
	AuthorizationCode = "authorization_code"
	ClientCredentials = "client_credentials"
)

// Options describe how Sluice gets OAuth tokens for one upstream.
type Options struct {
	Server string // the configured name
	URL    string // of the upstream
	Store  Store  // memory when nil

	// PerCaller gives every caller a consent and a token of their own. Without it, one
	// token serves everybody.
	PerCaller bool
	Grant     string // AuthorizationCode when empty

	// ClientID and ClientSecret are a client registered by hand; Issuer is where.
	ClientID        string
	ClientSecret    Value
	ClientKey       Value  // private key in PEM, for a client that signs instead (private_key_jwt)
	TokenAuthMethod string // client_secret_basic, client_secret_post or none; chosen when empty
	Issuer          string // the only authorization server to use
	// ClientMetadataURL is the client id where a server reads such documents.
	ClientMetadataURL string
	ClientName        string // at registration; "Sluice" when empty
	Scopes            []string

	// AllowPrivate lets discovery reach private networks although the upstream's URL
	// names none. A URL that names one allows it by itself.
	AllowPrivate bool

	// Open shows a person the page where they agree; it must not wait. With it, a call
	// that needs a consent waits, and the answer is received on loopback.
	Open func(url string) error
	// Redirect is the loopback URL that answers come to, for clients whose registration
	// fixes it ("http://localhost:8976/callback"). Any port of 127.0.0.1 when empty.
	Redirect string
	// Wait bounds how long a call waits for a person; two minutes when 0.
	Wait time.Duration
	// Consents hands out links to a page instead, where callers are several people.
	Consents *Consents

	Getenv func(string) string
	Now    func() time.Time
	Log    *slog.Logger
}

// check refuses what makes no sense and returns the upstream's URL.
func (o *Options) check() (*url.URL, error) {
	bad := func(format string, args ...any) (*url.URL, error) {
		return nil, fault.New(fault.Usage, "server %q, oauth: %s", o.Server, fmt.Sprintf(format, args...))
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Opaque != "" || u.Host == "" {
		return bad("the server's URL is not an absolute one")
	}
	if u.Scheme != "https" && !isLoopbackHost(u.Hostname()) {
		return bad("a token would travel unencrypted: use an https URL")
	}
	switch {
	case o.Grant != "" && o.Grant != AuthorizationCode && o.Grant != ClientCredentials:
		return bad("grant is %s or %s", AuthorizationCode, ClientCredentials)
	case o.Grant == ClientCredentials && (o.ClientID == "" || o.PerCaller):
		return bad("%s needs a client_id and serves everybody alike", ClientCredentials)
	case o.ClientID == "" && !(o.ClientSecret.IsZero() && o.ClientKey.IsZero()):
		return bad("a client secret or key without client_id")
	case !o.ClientSecret.IsZero() && !o.ClientKey.IsZero():
		return bad("a client has a secret or a key, not both")
	case !slices.Contains([]string{"", methodNone, methodBasic, methodPost}, o.TokenAuthMethod):
		return bad("the token endpoint's method is %s, %s or %s", methodBasic, methodPost, methodNone)
	case len(cleanScopes(o.Scopes)) != len(o.Scopes):
		return bad("scopes holds a word twice, or one that is no scope")
	}
	for name, v := range map[string]Value{"client_secret": o.ClientSecret, "client_key": o.ClientKey} {
		if err := v.Check(); err != nil && !v.IsZero() {
			return bad("%s: %v", name, err)
		}
	}
	if o.ClientMetadataURL != "" {
		if d, err := url.Parse(o.ClientMetadataURL); err != nil || d.Scheme != "https" || d.Host == "" || len(d.Path) < 2 || d.Fragment != "" || d.User != nil {
			return bad("the client metadata URL is not an https URL with a path")
		}
	}
	if o.Redirect != "" {
		if err := checkLoopbackRedirect(o.Redirect); err != nil {
			return bad("redirect: %v", err)
		}
	}
	return u, nil
}
