package credential

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/mcpwire/exchange"
)

// OAuth is the credential of an upstream that wants OAuth 2.1 tokens.
type OAuth struct {
	o        Options
	upstream *url.URL
	resource string // canonical URL of the upstream, part of every key
	fetch    *fetcher

	mu     sync.Mutex
	holds  map[string]*hold
	closed bool
	end    context.CancelFunc
	life   context.Context
	work   sync.WaitGroup
}

// hold is what one caller has.
type hold struct {
	key    string
	grant  atomic.Pointer[grant]
	looked atomic.Int64  // when the store had nothing, in Unix nanoseconds
	asked  atomic.Int64  // when the store was last asked, in Unix nanoseconds
	busy   chan struct{} // full while somebody changes the grant

	// Under busy:
	flow       *flow       // a consent under way in a browser
	begun      []time.Time // of consents, to bound how often a person is asked
	renewAfter time.Time   // no early renewal before
}

// NewOAuth returns an OAuth credential. It talks to nobody yet.
func NewOAuth(o Options) (*OAuth, error) {
	u, err := o.check()
	if err != nil {
		return nil, err
	}
	o.Grant = cmp.Or(o.Grant, AuthorizationCode)
	o.ClientName = cmp.Or(o.ClientName, "Sluice")
	o.Wait = cmp.Or(o.Wait, 2*time.Minute)
	if o.Store == nil {
		o.Store = NewMemory()
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &OAuth{o: o, upstream: u, resource: canonicalResource(u), fetch: newFetcher(reachOf(u, o.AllowPrivate)), holds: map[string]*hold{}}
	c.life, c.end = context.WithCancel(context.Background())
	if o.Consents != nil {
		o.Consents.add(c)
	}
	return c, nil
}

// Close ends what is under way: consents in a browser and requests to authorization
// servers.
func (o *OAuth) Close() error {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.end()
	o.work.Wait()
	o.fetch.client.CloseIdleConnections()
	return nil
}

// hold returns what a caller has.
func (o *OAuth) hold(caller exchange.Caller) (*hold, error) {
	key := ""
	if o.o.PerCaller {
		if key = caller.ID; key == "" {
			return nil, &exchange.Error{Code: exchange.CredentialLost, Message: fmt.Sprintf("server %q needs to know who calls", o.o.Server)}
		}
	}
	return o.holdOf(key), nil
}

func (o *OAuth) holdOf(key string) *hold {
	o.mu.Lock()
	defer o.mu.Unlock()
	h := o.holds[key]
	if h == nil {
		h = &hold{key: key, busy: make(chan struct{}, 1)}
		o.holds[key] = h
	}
	return h
}

func (o *OAuth) tokenKey(caller string) Key {
	return Key{Kind: tokenRecord, Server: o.o.Server, Resource: o.resource, Caller: caller}
}

// fits reports whether a stored grant belongs to the configured issuer and client. One
// of before they were changed is left alone: to renew it, the secret of the new client
// would go to the old issuer.
func (o *OAuth) fits(g *grant) bool {
	return (o.o.Issuer == "" || g.Issuer == o.o.Issuer) && (!g.Client.Configured || g.Client.ID == o.o.ClientID)
}

// supersedes reports whether a stored grant replaces the one in use. What could not be
// stored is newer than what is.
func (g *grant) supersedes(inUse *grant) bool {
	return inUse == nil || g.Access != inUse.Access && (inUse.stored || g.Obtained.After(inUse.Obtained))
}

// reload takes over what is stored, which another process may have changed. It
// reports whether that differs from what was in use.
func (o *OAuth) reload(h *hold) (bool, error) {
	var stored grant
	ok, err := load(o.o.Store, o.tokenKey(h.key), &stored)
	if err != nil {
		if h.grant.Load() != nil {
			return false, nil // what is in memory is good all the same
		}
		return false, o.fail(exchange.CredentialLost, "a token may be stored, but can't be read", err)
	}
	if !ok || stored.Access == "" || !o.fits(&stored) || !stored.supersedes(h.grant.Load()) {
		return false, nil
	}
	h.asked.Store(o.o.Now().UnixNano())
	h.grant.Store(stored.ready())
	return true, nil
}

// lookAgain is how long a server that no token is stored for is asked without one, before
// the store is looked into again: most need none, and to look for every call would cost
// them all. A server that refuses has it looked into at once.
const lookAgain = 250 * time.Millisecond

// look is the token that another process may have stored.
func (o *OAuth) look(h *hold) *grant {
	now, last := o.o.Now().UnixNano(), h.looked.Load()
	if now >= last && now-last < int64(lookAgain) {
		return h.grant.Load()
	}
	if _, err := o.reload(h); err != nil {
		o.o.Log.Warn("a request goes without a token", "server", o.o.Server, "err", err) // it may need none
	} else {
		h.looked.Store(now)
	}
	return h.grant.Load()
}

// askAgain is how long a token is used without looking whether another process has
// removed or replaced it (`sluice server logout`).
const askAgain = 30 * time.Second

// follow does what another process did to the stored token.
func (o *OAuth) follow(h *hold, g *grant) *grant {
	now, last := o.o.Now().UnixNano(), h.asked.Load()
	if now-last < int64(askAgain) || !h.asked.CompareAndSwap(last, now) {
		return g
	}
	var stored grant
	ok, err := load(o.o.Store, o.tokenKey(h.key), &stored)
	switch {
	case err != nil:
	case !ok && g.stored:
		h.grant.CompareAndSwap(g, nil)
	case ok && o.fits(&stored) && stored.supersedes(g):
		h.grant.CompareAndSwap(g, stored.ready())
	}
	return h.grant.Load()
}

// keep uses a grant from now on, and stores it. Where it can't be stored, it is good
// for as long as the process runs.
func (o *OAuth) keep(ctx context.Context, caller string, g *grant) {
	unlock, err := o.o.Store.Lock(ctx, o.tokenKey(caller))
	if err != nil {
		o.unstored(err)
		unlock = func() {}
	}
	defer unlock()
	o.keepLocked(caller, g)
}

func (o *OAuth) keepLocked(caller string, g *grant) {
	err := save(o.o.Store, o.tokenKey(caller), g)
	g.stored = err == nil
	o.holdOf(caller).grant.Store(g)
	if err == nil && g.Client.Configured && o.o.Issuer == "" {
		err = save(o.o.Store, o.issuerKey(), g.Issuer)
	}
	if err != nil {
		o.unstored(err)
	}
}

func (o *OAuth) unstored(err error) {
	o.o.Log.Warn("a token can't be stored and is lost at the next start", "server", o.o.Server, "err", err)
}

// Forget removes the tokens of a caller ("" for the shared one).
func (o *OAuth) Forget(caller string) error {
	o.holdOf(caller).grant.Store(nil)
	return o.o.Store.Delete(o.tokenKey(caller))
}

// fail is an error about this server.
func (o *OAuth) fail(code exchange.Code, what string, cause error) *exchange.Error {
	e := &exchange.Error{Code: code, Message: fmt.Sprintf("server %q: %s", o.o.Server, what), Cause: cause}
	if cause != nil {
		e.Message += ": " + cause.Error()
		e.Cause = nil // its text is in the message, and holds nothing secret
	}
	return e
}

// do runs fn apart from the call that needs it: a client that gives up in the middle
// must not lose a refresh token that was just rotated. It lets go of h at the end.
func (o *OAuth) do(ctx context.Context, h *hold, fn func(context.Context) error) error {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		<-h.busy
		return &exchange.Error{Code: exchange.ShuttingDown, Message: "Sluice is shutting down"}
	}
	o.work.Add(1)
	o.mu.Unlock()
	done := make(chan error, 1)
	go func() {
		defer o.work.Done()
		apart, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		defer context.AfterFunc(o.life, cancel)()
		err := fn(apart)
		<-h.busy
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Authorize adds the caller's token, renewed when it is about to end. Without a token
// the request goes out bare: whether it needs one, the upstream says.
func (o *OAuth) Authorize(ctx context.Context, caller exchange.Caller, h http.Header) error {
	mine, err := o.hold(caller)
	if err != nil {
		return err
	}
	g := mine.grant.Load()
	if g == nil {
		if g = o.look(mine); g == nil {
			return nil
		}
	} else if g = o.follow(mine, g); g == nil {
		return nil
	}
	if now := o.o.Now(); g.due(now) && g.Refresh != "" {
		if err := o.renewEarly(ctx, mine, g); err != nil {
			return err
		}
		g = mine.grant.Load()
	}
	if g != nil && !g.expired(o.o.Now()) {
		h["Authorization"] = g.header
	}
	return nil
}

func (h *hold) lock(ctx context.Context) error {
	select {
	case h.busy <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
