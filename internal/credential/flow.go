package credential

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"sluice/internal/mcpwire/exchange"
)

// flow is one consent in a browser on this machine, with the answer received on a
// loopback port.
type flow struct {
	done chan struct{}
	err  error // valid after done

	url    string
	opened time.Time // under the hold's busy
}

// reopenAfter is when a call that joins a consent shows the page again: its window
// may have been closed.
const reopenAfter = time.Minute

// join is for a call that finds a consent under way.
func (o *OAuth) join(f *flow) *flow {
	if now := o.o.Now(); now.Sub(f.opened) > reopenAfter {
		f.opened = now
		o.show(f.url)
	}
	return f
}

func (o *OAuth) show(at string) {
	if err := o.o.Open(at); err != nil {
		o.o.Log.Warn("the browser can't be opened", "server", o.o.Server)
	}
}

func (f *flow) ended() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// wait waits for a person, as long as a call may.
func (o *OAuth) wait(ctx context.Context, f *flow) error {
	timer := time.NewTimer(o.o.Wait)
	defer timer.Stop()
	select {
	case <-f.done:
		if f.err == nil {
			return nil
		}
		e := o.fail(exchange.ConsentNeeded, "nobody agreed to its use", f.err)
		e.Fix = "try again, and finish in the browser window that opens"
		return e
	case <-timer.C:
		e := o.fail(exchange.ConsentNeeded, "a browser window waits for somebody to agree", nil)
		e.Fix = "finish there, then try again; the link is in Sluice's own output too"
		return e
	case <-ctx.Done():
		return ctx.Err()
	}
}

func checkLoopbackRedirect(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || u.Port() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("not a URL of the form http://127.0.0.1:PORT/callback")
	}
	if !isLoopbackHost(u.Hostname()) {
		return errors.New("its host is not this machine")
	}
	return nil
}

// listen opens the port that answers come to: the configured one, that of an earlier
// registration while it is free, else any.
func (o *OAuth) listen(ctx context.Context, issuer string) (net.Listener, string, error) {
	config := &net.ListenConfig{}
	if o.o.Redirect != "" {
		u, err := url.Parse(o.o.Redirect)
		if err != nil {
			return nil, "", err
		}
		host := "127.0.0.1"
		if u.Hostname() == "::1" {
			host = "::1"
		}
		l, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, u.Port()))
		if err != nil {
			return nil, "", fmt.Errorf("port %s, which the configured redirect names, is taken", u.Port())
		}
		return l, o.o.Redirect, nil
	}
	port := "0"
	var known client
	if ok, err := load(o.o.Store, o.registrationKey(issuer, "http://127.0.0.1"), &known); err == nil && ok {
		if u, err := url.Parse(known.Redirect); err == nil && u.Port() != "" {
			port = u.Port()
		}
	}
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:"+port)
	if err != nil && port != "0" {
		l, err = config.Listen(ctx, "tcp", "127.0.0.1:0")
	}
	if err != nil {
		return nil, "", errors.New("no port of 127.0.0.1 can be opened for the answer")
	}
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return l, "http://127.0.0.1:" + port + "/callback", nil
}

// openFlow shows the person the page where they agree and waits for the answer in the
// background, however long the call that needed it waits.
func (o *OAuth) openFlow(ctx context.Context, h *hold, p *place, scopes []string) (*flow, error) {
	l, redirect, err := o.listen(ctx, p.server.Issuer)
	if err != nil {
		return nil, err
	}
	c, err := o.clientFor(ctx, p, redirect)
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	a := o.attempt(h.key, p, c, scopes, redirect)
	f := &flow{done: make(chan struct{}), url: a.url(), opened: o.o.Now()}
	o.work.Add(1) // the caller of openFlow counts already, so that Close is waiting at most
	go func() {
		defer o.work.Done()
		f.err = o.receive(l, a)
		close(f.done)
	}()
	o.show(f.url)
	return f, nil
}

// receive serves the redirect URI until the answer to one attempt is there.
func (o *OAuth) receive(l net.Listener, a *attempt) error {
	ctx, cancel := context.WithTimeout(o.life, attemptLife)
	defer cancel()
	redirect, err := url.Parse(a.redirect)
	if err != nil {
		return err
	}
	result := make(chan error, 1)
	taken := make(chan struct{}, 1)
	srv := &http.Server{
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: time.Second, MaxHeaderBytes: 64 << 10,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			_, port, _ := net.SplitHostPort(r.Host)
			switch {
			case r.URL.Path != redirect.Path || port != redirect.Port() || !isLoopbackHost(hostname(r.Host)):
				http.NotFound(w, r)
				return
			case r.Method != http.MethodGet:
				w.WriteHeader(http.StatusMethodNotAllowed)
				return
			case len(q["state"]) != 1 || subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(a.state)) != 1:
				// Not the answer: somebody else's, or nobody's. Go on waiting.
				writePage(w, http.StatusBadRequest, "Not connected", "This answer belongs to no request of Sluice.")
				return
			}
			select {
			case taken <- struct{}{}:
			default:
				writePage(w, http.StatusBadRequest, "Not connected", "This answer was used before.")
				return
			}
			work, stop := context.WithTimeout(ctx, time.Minute)
			defer stop()
			err := o.finish(work, a, q)
			showResult(w, o.o.Server, err)
			result <- err
		}),
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = srv.Serve(l) // ends with Shutdown
	}()
	select {
	case err = <-result:
	case <-ctx.Done():
		err = errors.New("nobody answered in time")
		if o.life.Err() != nil {
			err = errors.New("the process is shutting down")
		}
	}
	end, stop := context.WithTimeout(context.Background(), 2*time.Second)
	defer stop()
	if srv.Shutdown(end) != nil {
		_ = srv.Close()
	}
	<-served
	return err
}

func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return hostport
	}
	return host
}

// Login gets a token for the shared credential now, whatever is stored: the person at
// this machine agrees in their browser. It asks the upstream for its challenge first.
func (o *OAuth) Login(ctx context.Context) error {
	if o.o.Open == nil && o.o.Grant == AuthorizationCode {
		return errors.New("there is no browser to open")
	}
	ch, err := o.challenge(ctx)
	if err != nil {
		return err
	}
	h := o.holdOf("")
	if err := h.lock(ctx); err != nil {
		return err
	}
	var wait *flow
	err = o.do(ctx, h, func(ctx context.Context) error {
		d := &discovery{fetch: o.fetch, upstream: o.upstream, issuer: o.o.Issuer, pkce: o.o.Grant == AuthorizationCode}
		p, err := d.find(ctx, ch)
		if err != nil {
			return o.discoveryFailed(err)
		}
		_, wait, err = o.consent(ctx, h, exchange.Caller{}, p, o.scopes(p, ch))
		return err
	})
	if err != nil || wait == nil {
		return err
	}
	select {
	case <-wait.done:
		if wait.err != nil {
			return o.fail(exchange.ConsentNeeded, "nobody agreed to its use", wait.err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// challenge is what the upstream says to a request without a token. One that lets
// everybody in may still name where tokens come from at a well-known place.
func (o *OAuth) challenge(ctx context.Context) (challenge, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.upstream.String(), nil)
	if err != nil {
		return challenge{}, err
	}
	req.Header.Set("Accept", "text/event-stream, application/json")
	own := newFetcher(reach{loopback: true, private: true, linkLocal: true}) // the operator wrote this URL
	defer own.client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	resp, err := own.client.Do(req.WithContext(ctx))
	if err != nil {
		return challenge{}, o.fail(exchange.Unreachable, "it can't be asked", &fetchError{host: o.upstream.Hostname(), cause: err})
	}
	_ = resp.Body.Close()
	return parseChallenge(resp.Header), nil
}

// Describe says what is stored for the shared credential, for people: nothing secret.
func (o *OAuth) Describe() (issuer string, expires time.Time, ok bool) {
	h := o.holdOf("")
	if _, err := o.reload(h); err != nil {
		return "", time.Time{}, false
	}
	if g := h.grant.Load(); g != nil {
		return g.Issuer, g.Expires, true
	}
	return "", time.Time{}, false
}
