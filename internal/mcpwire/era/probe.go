package era

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// verdict is whether an upstream speaks the modern era.
type verdict struct {
	modern bool
	// until is when a verdict that rests on silence is asked for again.
	until time.Time
}

// holds reports whether the verdict is one, and still good.
func (v *verdict) holds() bool { return v != nil && (v.until.IsZero() || time.Now().Before(v.until)) }

// prober finds out once, for everybody, which era an upstream speaks. A failure to
// reach it is no verdict.
type prober struct {
	up  exchange.Stateless
	opt Options
	ctx context.Context // of the adapter

	known atomic.Pointer[verdict]

	mu    sync.Mutex
	going *probing // the probe under way
}

// probing is a probe that callers wait for. What it found counts for all of them, even
// where somebody has forgotten it since; what is about the caller it asked for does not.
type probing struct {
	caller string
	done   chan struct{}
	found  *verdict
	err    error
}

// personal reports whether an error is about who calls: the link where somebody agrees
// to the use of the upstream is theirs alone.
func personal(err error) bool {
	return errors.Is(err, &exchange.Error{Code: exchange.ConsentNeeded}) || errors.Is(err, &exchange.Error{Code: exchange.CredentialLost})
}

// modern reports whether the upstream speaks the modern era, asking on behalf of c
// where nobody knows yet.
func (p *prober) modern(ctx context.Context, c *exchange.Call) (bool, error) {
	if p.opt.Force != 0 {
		return p.opt.Force == mcpwire.Modern, nil
	}
	if v := p.known.Load(); v.holds() {
		return v.modern, nil
	}
	p.mu.Lock()
	if v := p.known.Load(); v.holds() {
		p.mu.Unlock()
		return v.modern, nil
	}
	going := p.going
	if going == nil {
		going = &probing{caller: c.Caller.ID, done: make(chan struct{})}
		p.going = going
		// The probe outlives the caller that happened to come first: others wait for it.
		go p.probe(context.WithoutCancel(ctx), c, going)
	}
	p.mu.Unlock()
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-going.done:
	}
	switch {
	case going.err == nil:
		return going.found.modern, nil
	case personal(going.err) && going.caller != c.Caller.ID:
		return p.modern(ctx, c)
	}
	return false, going.err
}

// forget drops the verdict: it stopped fitting.
func (p *prober) forget() {
	p.known.Store(nil)
}

func (p *prober) probe(ctx context.Context, c *exchange.Call, going *probing) {
	ctx, cancel := context.WithTimeout(ctx, p.opt.ProbeTimeout)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	v, err := p.ask(ctx, c)
	if p.ctx.Err() != nil {
		v, err = nil, closed(p.opt.Server)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known.Store(v)
	going.found, going.err, p.going = v, err, nil
	close(going.done)
}

func (p *prober) ask(ctx context.Context, c *exchange.Call) (*verdict, error) {
	m, err := ours(mcpwire.BuildRequest(string(mcpwire.Quote("sluice-"+random())), mcpwire.MethodDiscover,
		object(mcpwire.Field{Name: "_meta", Value: object(modernMeta([]byte("{}"), p.opt.Client, "")...)})))
	if err != nil {
		return nil, err
	}
	got, status, err := ask(asModern(c, m), func(c *exchange.Call, out exchange.Sink) error { return p.up.Call(ctx, c, out) })
	if err != nil {
		return p.fromError(ctx, err)
	}
	return &verdict{modern: speaksModern(got, status)}, nil
}

// fromError is the verdict that lies in having no answer: only silence, another era,
// or giving up at the first strange message are one. Where every server answers
// something, silence is a busy one and tells nothing.
func (p *prober) fromError(ctx context.Context, err error) (*verdict, error) {
	var e *exchange.Error
	switch {
	case errors.Is(err, &exchange.Error{Code: exchange.WrongEra}):
		return &verdict{}, nil
	case p.opt.AnswersAlways && ctx.Err() != nil:
		return nil, &exchange.Error{Code: exchange.TimedOut, Message: named(p.opt.Server) + " does not say which era it speaks",
			Fix: "try again, or name its era in the configuration", Cause: err}
	case p.opt.AnswersAlways && errors.As(err, &e):
		return nil, e
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.Is(err, &exchange.Error{Code: exchange.TimedOut}),
		errors.Is(err, &exchange.Error{Code: exchange.BrokeOff}):
		return &verdict{until: time.Now().Add(p.opt.Recheck)}, nil
	case errors.As(err, &e):
		return nil, e
	}
	return nil, exchange.As(err)
}

// speaksModern reads the answer to server/discover.
func speaksModern(m *mcpwire.Message, status int) bool {
	list := mcpwire.Span{}
	switch {
	case m.Kind == mcpwire.Result:
		list = mcpwire.Member(m.Raw, m.Result, "supportedVersions")
		if !list.Present() {
			return false // something answers every method
		}
	default:
		switch errorCode(m) {
		case mcpwire.CodeUnsupportedVersion:
			// A server that offers only legacy versions here wants a handshake.
			list = mcpwire.Lookup(m.Raw, m.Error, "data", "supported")
			if !list.Present() {
				return true
			}
		case mcpwire.CodeHeaderMismatch, mcpwire.CodeMissingCapability:
			return true
		case mcpwire.CodeMethodNotFound:
			return status == 404
		default:
			return false
		}
	}
	for v := range mcpwire.Elements(m.Raw, list) {
		if version, ok := mcpwire.Unquote(m.Bytes(v)); ok && mcpwire.EraOf(version) == mcpwire.Modern {
			return true
		}
	}
	return false
}

// modernMeta are the members of _meta that make a request modern. Empty ones stay out.
func modernMeta(capabilities, clientInfo []byte, level string) []mcpwire.Field {
	fields := []mcpwire.Field{
		{Name: mcpwire.MetaProtocolVersion, Value: mcpwire.Quote(mcpwire.Version20260728)},
		{Name: mcpwire.MetaCapabilities, Value: capabilities},
	}
	if len(clientInfo) > 0 {
		fields = append(fields, mcpwire.Field{Name: mcpwire.MetaClientInfo, Value: clientInfo})
	}
	if level != "" {
		fields = append(fields, mcpwire.Field{Name: mcpwire.MetaLogLevel, Value: mcpwire.Quote(level)})
	}
	return fields
}

func closed(server string) *exchange.Error {
	return &exchange.Error{Code: exchange.ShuttingDown, Message: "Sluice is closing its connection to " + named(server)}
}

// named is how messages speak of an upstream.
func named(server string) string {
	if server == "" {
		return "the upstream"
	}
	return "server " + strconv.Quote(server)
}
