package bearer

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// authority is one issuer with its keys.
type authority struct {
	Issuer
	http *http.Client
	now  func() time.Time

	mu     sync.Mutex
	set    *keySet
	made   time.Time // when set was made
	failed time.Time // when finding the keys last failed
}

const (
	// keyAge is how long a set of keys is trusted; one that was withdrawn ends with it.
	keyAge = time.Hour
	// fetchPause is between two fetches: whoever shows unknown keys must not make Sluice
	// ask the authorization server each time.
	fetchPause = 5 * time.Second
	maxFetch   = 1 << 20
)

// keys is the current set of keys.
func (a *authority) keys(ctx context.Context) (*keySet, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if a.set != nil && now.Sub(a.made) < keyAge {
		return a.set, nil
	}
	if now.Sub(a.failed) < fetchPause {
		return nil, ErrUnavailable
	}
	where := a.JWKS
	if where == "" {
		var err error
		if where, err = a.discover(ctx); err != nil {
			a.failed = now
			return nil, ErrUnavailable
		}
	}
	a.set = &keySet{now: a.now, fetch: func(ctx context.Context) (set jose.JSONWebKeySet, err error) {
		err = a.get(ctx, where, &set)
		return set, err
	}}
	a.made = now
	return a.set, nil
}

// discover finds jwks_uri in the issuer's metadata.
func (a *authority) discover(ctx context.Context) (string, error) {
	u, err := url.Parse(a.URL)
	if err != nil {
		return "", err
	}
	path := strings.TrimSuffix(u.Path, "/")
	base := u.Scheme + "://" + u.Host
	for _, where := range []string{ // RFC 8414 §3.1, then OpenID Connect
		base + "/.well-known/oauth-authorization-server" + path,
		base + path + "/.well-known/openid-configuration",
		base + "/.well-known/openid-configuration" + path,
	} {
		var m struct {
			Issuer string `json:"issuer"`
			JWKS   string `json:"jwks_uri"`
		}
		if a.get(ctx, where, &m) != nil || m.Issuer != a.URL || m.JWKS == "" {
			continue
		}
		if k, err := url.Parse(m.JWKS); err == nil && (k.Scheme == "https" || k.Scheme == "http" && k.Host == u.Host && u.Scheme == "http") {
			return m.JWKS, nil
		}
	}
	return "", errors.New("the issuer's metadata names no keys")
}

func (a *authority) get(ctx context.Context, where string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return err
	}
	resp, err := a.http.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return errors.New("no metadata here")
	}
	return json.NewDecoder(io.LimitReader(resp.Body, maxFetch)).Decode(into)
}

func boundedClient() *http.Client {
	return &http.Client{
		Timeout: 10 * time.Second,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSHandshakeTimeout: 5 * time.Second, MaxIdleConns: 4, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
