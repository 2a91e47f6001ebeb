// Package httpdial reaches one upstream server over HTTP, in both eras.
//
// Its guarantees: the bytes of a message go upstream as they are, once; where nobody
// in between looks at the answer, it goes back as the upstream's HTTP answer, unread.
// Ending the context of a call closes its connection at once, and a legacy upstream
// is told as well. The client's credentials, cookies and hop-by-hop headers are not
// known here, and the upstream's session ids and challenges are not passed on. Every
// wait is bounded. A message is sent a second time only where the upstream can't have
// acted on the first: it was refused before it was read (credential, session, header),
// or its method only reads.
//
// Its limits: it knows one URL and follows redirects within its origin only; it keeps
// no events, and a modern stream that breaks off is lost, as the protocol has it. A
// session that the upstream forgot is opened anew with what the client had sent to set
// it up; what else the upstream kept in it is gone.
package httpdial

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Options are those of New. Zero values are the defaults named.
type Options struct {
	// URL is the MCP endpoint: http or https, without user information or fragment.
	URL string
	// Server is the configured name of the upstream, for errors and logs.
	Server string
	// Credential identifies Sluice to the upstream; nil for none.
	Credential exchange.Credential

	// AllowPrivate lets the name in URL resolve to a private, loopback or link-local
	// address. One that is written as such an address, or as localhost, may anyway.
	AllowPrivate bool
	// Proxy is the proxy for a request; default http.ProxyFromEnvironment, which takes
	// none for loopback addresses.
	Proxy func(*http.Request) (*url.URL, error)
	// Transport replaces what connects; for tests.
	Transport http.RoundTripper
	// UserAgent is sent as such; default "sluice".
	UserAgent string

	CallTimeout  time.Duration // silence of a call; default 5 min
	HardTimeout  time.Duration // a call however much it says; default 1 h
	DialTimeout  time.Duration // connecting, and TLS again; default 10 s
	ShortTimeout time.Duration // notifications, ending a session, fetching schemas; default 30 s

	MaxMessage int   // bytes of one message of the upstream where it is read; default 16 MiB
	MaxHeader  int64 // bytes of the head of an answer; default 64 KiB

	Now func() time.Time // default time.Now
	Log *slog.Logger     // default none
}

func (o Options) withDefaults() Options {
	def := func(d *time.Duration, initial time.Duration) {
		if *d == 0 {
			*d = initial
		}
	}
	def(&o.CallTimeout, 5*time.Minute)
	def(&o.HardTimeout, time.Hour)
	def(&o.DialTimeout, 10*time.Second)
	def(&o.ShortTimeout, 30*time.Second)
	if o.MaxMessage == 0 {
		o.MaxMessage = mcpwire.MaxSize
	}
	if o.MaxHeader == 0 {
		o.MaxHeader = 64 << 10
	}
	if o.UserAgent == "" {
		o.UserAgent = "sluice"
	}
	if o.Proxy == nil {
		o.Proxy = http.ProxyFromEnvironment
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Upstream is a server at one URL.
type Upstream struct {
	o       Options
	url     *url.URL
	moved   sync.Once // it was said that the URL is an old one
	carrier carrier
	breaker breaker
	tools   catalogue

	mu       sync.Mutex
	closed   bool
	idle     chan struct{} // closed when a closed upstream has no flight left
	flights  map[*flight]struct{}
	sessions map[*session]struct{} // that the upstream keeps
}

var _ exchange.Upstream = (*Upstream)(nil)

// New is the upstream at o.URL; it connects when it is first asked. What it returns is
// an *Upstream.
func New(o Options) (exchange.Upstream, error) {
	o = o.withDefaults()
	u, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	up := &Upstream{
		o:        o,
		url:      u,
		idle:     make(chan struct{}),
		flights:  map[*flight]struct{}{},
		sessions: map[*session]struct{}{},
	}
	up.breaker.now = o.Now
	up.tools.now = o.Now
	if up.carrier, err = newCarrier(o, u); err != nil {
		return nil, err
	}
	return up, nil
}

// parseURL refuses what can't be an endpoint. Its errors don't repeat the URL, which
// may hold a secret.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("the URL of the upstream is malformed")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("the URL of the upstream has the scheme %q; it must be http or https", u.Scheme)
	case u.Hostname() == "":
		return nil, errors.New("the URL of the upstream names no host")
	case u.User != nil:
		return nil, errors.New("the URL of the upstream holds a user name or password; configure a credential instead")
	case u.Fragment != "":
		return nil, errors.New("the URL of the upstream has a fragment")
	}
	u.Host = strings.ToLower(u.Host)
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// Close ends the sessions that the upstream keeps for us, waits for calls under way
// until ctx ends, and cuts what is left.
func (u *Upstream) Close(ctx context.Context) error {
	u.mu.Lock()
	if !u.closed {
		u.closed = true
		if len(u.flights) == 0 {
			close(u.idle)
		}
	}
	u.mu.Unlock()
	select {
	case <-u.idle:
	case <-ctx.Done():
		u.mu.Lock()
		for f := range u.flights {
			f.cancel(errClosed)
		}
		u.mu.Unlock()
		<-u.idle
	}
	u.endSessions(ctx)
	u.carrier.close()
	return nil
}

// endSessions ends what is left, several at a time. What is shared stays open upstream.
func (u *Upstream) endSessions(ctx context.Context) {
	u.mu.Lock()
	left := make(chan *session, len(u.sessions))
	for s := range u.sessions {
		left <- s
	}
	u.mu.Unlock()
	close(left)
	var wait sync.WaitGroup
	for range min(8, len(left)) {
		wait.Go(func() {
			for s := range left {
				_ = s.Close(exchange.WithLeaving(ctx)) // the upstream will forget it by itself
			}
		})
	}
	wait.Wait()
}
