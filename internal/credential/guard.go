package credential

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

// reach is where discovery may go. Public addresses always; loopback and private
// ones only when the upstream itself is configured there, because every URL that an
// upstream names is an attempt to make Sluice fetch something on its behalf.
type reach struct {
	loopback  bool
	private   bool
	linkLocal bool
}

// reachOf judges by the configured URL alone: what its name resolves to is up to the
// owner of the name.
func reachOf(upstream *url.URL, allowPrivate bool) reach {
	r := reach{private: allowPrivate}
	host := upstream.Hostname()
	if isLocalhost(host) {
		r.loopback = true
		return r
	}
	if a, err := netip.ParseAddr(host); err == nil {
		switch a = a.Unmap(); {
		case a.IsLoopback():
			r.loopback = true
		case isPrivate(a):
			r.private = true
		case a.IsLinkLocalUnicast():
			r.linkLocal = true
		}
	}
	return r
}

func isLocalhost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

func isLoopbackHost(host string) bool {
	if isLocalhost(host) {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

var (
	sharedSpace  = netip.MustParsePrefix("100.64.0.0/10")
	benchmarking = netip.MustParsePrefix("198.18.0.0/15")
	siteLocal    = netip.MustParsePrefix("fec0::/10")
	// neverThere are addresses that no service has, or that lead to another one.
	neverThere = []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
		netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
		netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("2002::/16"),
	}
)

func isPrivate(a netip.Addr) bool {
	return a.IsPrivate() || sharedSpace.Contains(a) || benchmarking.Contains(a) || siteLocal.Contains(a)
}

// LeadsInside reports whether the name in a URL leads to this machine or into a private
// network: what such a server names may lie there too. A name that can't be resolved
// does not.
func LeadsInside(ctx context.Context, rawURL string) bool {
	u, err := url.Parse(rawURL)
	if err != nil {
		return false
	}
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	for _, a := range addresses {
		if a = a.Unmap(); !isPrivate(a) && !a.IsLoopback() {
			return false
		}
	}
	return err == nil && len(addresses) > 0
}

// allows reports whether an address may be connected to.
func (r reach) allows(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	switch {
	case !a.IsValid():
		return false
	case a.IsLoopback():
		return r.loopback
	case isPrivate(a):
		return r.private
	case a.IsLinkLocalUnicast():
		return r.linkLocal
	}
	for _, p := range neverThere {
		if p.Contains(a) {
			return false
		}
	}
	return a.IsGlobalUnicast()
}

// check judges a URL that somebody else wrote before anything is done with it.
// Its errors quote no part of the URL but the host.
func (r reach) check(text string) (*url.URL, error) {
	if len(text) > 2048 {
		return nil, errors.New("a URL is too long")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "":
		return nil, errors.New("a URL is not an absolute one")
	case u.User != nil:
		return nil, errors.New("a URL holds a user name")
	case u.Fragment != "" || strings.Contains(text, "#"):
		return nil, errors.New("a URL holds a fragment")
	case u.Scheme == "http" && r.loopback && isLoopbackHost(u.Hostname()):
	case u.Scheme != "https":
		return nil, fmt.Errorf("a URL at %s is not HTTPS", u.Hostname())
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && !r.allows(a) {
		return nil, fmt.Errorf("%s is an address inside a private network", u.Hostname())
	}
	if isLocalhost(u.Hostname()) && !r.loopback {
		return nil, fmt.Errorf("%s is this machine", u.Hostname())
	}
	return u, nil
}

const (
	fetchTimeout = 15 * time.Second
	maxDocument  = 256 << 10
	maxRedirects = 3
)

// fetcher gets what discovery names and posts to what it found, within its reach.
type fetcher struct {
	reach  reach
	client *http.Client

	mu      sync.Mutex
	proxies map[string]bool // host:port of proxies that the environment names
}

func newFetcher(r reach) *fetcher {
	f := &fetcher{reach: r, proxies: map[string]bool{}}
	guarded := &net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !r.allows(at.Addr()) {
			return errBlocked
		}
		return nil
	}}
	open := &net.Dialer{Timeout: 10 * time.Second}
	f.client = &http.Client{
		Timeout: fetchTimeout,
		Transport: &http.Transport{
			Proxy: f.proxy,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				f.mu.Lock()
				viaProxy := f.proxies[address]
				f.mu.Unlock()
				if viaProxy {
					return open.DialContext(ctx, network, address)
				}
				return guarded.DialContext(ctx, network, address)
			},
			TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: fetchTimeout,
			MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second,
			ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			first := via[0]
			switch {
			case first.Method != http.MethodGet:
				return http.ErrUseLastResponse
			case len(via) > maxRedirects:
				return errors.New("too many redirects")
			case req.URL.Scheme != first.URL.Scheme || req.URL.Host != first.URL.Host:
				return errors.New("it redirects to another origin")
			}
			return nil
		},
	}
	return f
}

var errBlocked = errors.New("its address lies inside a private network")

// proxy follows the environment. The proxy is the operator's own, so its address is
// exempt from the guard; what it is asked for was judged by name.
func (f *fetcher) proxy(r *http.Request) (*url.URL, error) {
	u, err := http.ProxyFromEnvironment(r)
	if u == nil || err != nil {
		return nil, err
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	f.mu.Lock()
	f.proxies[net.JoinHostPort(u.Hostname(), port)] = true
	f.mu.Unlock()
	return u, nil
}

// get fetches a document. Its errors name the host only.
func (f *fetcher) get(ctx context.Context, text string) (status int, body []byte, err error) {
	return f.do(ctx, http.MethodGet, text, "", nil, nil)
}

// do sends one request with a body of the given type, and reads the bounded answer.
func (f *fetcher) do(ctx context.Context, method, text, contentType string, content io.Reader, edit func(*http.Request)) (int, []byte, error) {
	u, err := f.reach.check(text)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), content)
	if err != nil {
		return 0, nil, fmt.Errorf("%s can't be asked", u.Hostname())
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "sluice")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if edit != nil {
		edit(req)
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return 0, nil, &fetchError{host: u.Hostname(), cause: err}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	switch {
	case err != nil:
		return 0, nil, &fetchError{host: u.Hostname(), cause: err}
	case len(body) > maxDocument:
		return 0, nil, fmt.Errorf("the answer of %s is too large", u.Hostname())
	}
	return resp.StatusCode, body, nil
}

// fetchError is a request that brought no answer. The URL stays out of it: a *url.Error
// would print it, with whatever its author put there.
type fetchError struct {
	host  string
	cause error
}

func (e *fetchError) Error() string {
	cause := e.cause
	var inner *url.Error
	if errors.As(cause, &inner) {
		cause = inner.Err
	}
	if errors.Is(cause, errBlocked) {
		cause = errBlocked
	}
	var op *net.OpError
	if errors.As(cause, &op) && !errors.Is(cause, errBlocked) {
		cause = op.Err
	}
	var name *net.DNSError
	if errors.As(cause, &name) { // it says who was asked, which is nobody's business outside
		cause = errors.New("its name can't be resolved")
	}
	return fmt.Sprintf("%s does not answer: %v", e.host, cause)
}

func (e *fetchError) Unwrap() error { return e.cause }
