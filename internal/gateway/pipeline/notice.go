package pipeline

import (
	"context"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// methodListChanged tells clients that the list of tools is another one now.
const methodListChanged = "notifications/tools/list_changed"

// longestSleep is how long a stream goes without a look at its caller's expiry, at most
// and at least: clocks may be set.
const (
	longestSleep  = time.Hour
	shortestSleep = 100 * time.Millisecond
)

// follow calls changed with what the caller's subject was and is, whenever it is another
// one. It returns false when the caller may not call any more, true when ctx ended.
func (p *Pipeline) follow(ctx context.Context, s *Subject, c *exchange.Call, changed func(was, is *Subject)) (allowed bool) {
	timer := time.NewTimer(longestSleep)
	defer timer.Stop()
	for {
		// The channel first: what changes after it is known by it.
		news := p.o.Directory.Changed()
		is := p.o.Directory.Subject(c.Caller, p.o.Server)
		if is == nil || p.over(c.Caller) {
			return false
		}
		if is != s && changed != nil {
			changed(s, is)
		}
		s = is
		sleep := longestSleep
		for _, end := range [...]time.Time{s.Expires, c.Caller.Expires} {
			if !end.IsZero() {
				sleep = min(max(end.Sub(p.o.Now()), shortestSleep), sleep)
			}
		}
		timer.Reset(sleep)
		select {
		case <-news:
		case <-timer.C:
		case <-ctx.Done():
			return true
		}
	}
}

// over reports whether what a caller identified itself with is not good any more.
func (p *Pipeline) over(c exchange.Caller) bool {
	return !c.Expires.IsZero() && !p.o.Now().Before(c.Expires)
}

// seesOther reports whether a subject's list of tools is another one than it was. It goes
// by the tools that it has seen, as far as it has seen them.
func (p *Pipeline) seesOther(was, is *Subject) bool {
	if sameView(was, is) {
		return false
	}
	known := p.results.tools.list(is.Grant)
	if known == nil {
		return true
	}
	for name := range known.hashes {
		if shows(was, name) != shows(is, name) {
			return true
		}
	}
	return false
}

// sameView reports whether nothing changed that decides on what is seen.
func sameView(a, b *Subject) bool {
	if a.Settings.List != b.Settings.List || len(a.Policies) != len(b.Policies) || a.passes() != b.passes() {
		return false
	}
	for i := range a.Policies {
		x, y := &a.Policies[i], &b.Policies[i]
		if x.ID != y.ID || x.Hash != y.Hash || x.Mode != y.Mode || (x.Policy == nil) != (y.Policy == nil) {
			return false
		}
	}
	return true
}

// whileAllowed is a context that ends when the caller may not call any more.
func (p *Pipeline) whileAllowed(ctx context.Context, c *exchange.Call) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := p.o.Directory.Subject(c.Caller, p.o.Server)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if !p.follow(ctx, s, c, nil) {
			cancel(errNotAllowed)
		}
	}()
	return ctx, func() {
		cancel(nil)
		<-done
	}
}

// errNotAllowed ends what is open of a caller who may not call any more.
var errNotAllowed = &exchange.Error{Code: exchange.GrantEnded, Message: "the grant has ended", Fix: "ask whoever runs the gateway for a new grant"}

// greeting is the sink of initialize and server/discover: the client is told that the
// list of tools may change, which it does with the policy even where the server's own
// never does.
func (p *Pipeline) greeting(_ *exchange.Call, out exchange.Sink) exchange.Sink {
	return &greeting{out}
}

type greeting struct{ out exchange.Sink }

// Send adds the capability to the result, where there are tools at all.
func (g *greeting) Send(e exchange.Event) error {
	if e.Final {
		e.Data = mayChange(e.Data)
	}
	return g.out.Send(e)
}

func mayChange(data []byte) []byte {
	m, err := mcpwire.ParseReply(data, mcpwire.Limits{Size: len(data) + 1, Depth: anyDepth})
	if err != nil || m.Kind != mcpwire.Result {
		return data
	}
	tools := mcpwire.Lookup(m.Raw, m.Result, "capabilities", "tools")
	if !tools.Present() || m.Raw[tools.Start] != '{' || string(m.Bytes(mcpwire.Member(m.Raw, tools, "listChanged"))) == "true" {
		return data
	}
	out, err := mcpwire.Splice(m.Raw, mcpwire.SetMember(m.Raw, tools, "listChanged", []byte("true")))
	if err != nil {
		return data
	}
	return out
}
