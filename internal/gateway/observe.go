package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"

	"sluice/internal/mcpwire/exchange"
)

// Observation is what is written down about the calls of one upstream. Neither tells
// arguments or results.
type Observation struct {
	Server  string
	Metrics *Metrics     // nil: none
	Tracer  trace.Tracer // nil: no spans; trace context passes as it came
	// Children counts the processes of an upstream that is a command; nil: it is none.
	Children func() int
}

// Observe counts and traces calls. Answers that are relayed whole stay whole: of
// those it sees the status and how the first message begins.
func Observe(up exchange.Upstream, o Observation) exchange.Upstream {
	if o.Metrics == nil && o.Tracer == nil {
		return up
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics()
	}
	return &observed{up: up, tracer: o.Tracer, stats: o.Metrics.server(o.Server, o.Children)}
}

type observed struct {
	up     exchange.Upstream
	tracer trace.Tracer
	stats  *serverStats
}

func (o *observed) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	return o.watch(ctx, c, out, o.up.Call)
}

func (o *observed) Notify(ctx context.Context, c *exchange.Call) error { return o.up.Notify(ctx, c) }

func (o *observed) Close(ctx context.Context) error { return o.up.Close(ctx) }

func (o *observed) Initialize(ctx context.Context, c *exchange.Call, out exchange.Sink) (s exchange.Session, err error) {
	err = o.watch(ctx, c, out, func(ctx context.Context, c *exchange.Call, out exchange.Sink) (err error) {
		s, err = o.up.Initialize(ctx, c, out)
		return err
	})
	if s == nil {
		return nil, err
	}
	if s.Stateful() {
		o.stats.sessions.Add(1)
	}
	return &observedSession{Session: s, o: o}, err
}

func (o *observed) Resume(ctx context.Context, c *exchange.Call) (exchange.Session, error) {
	s, err := o.up.Resume(ctx, c)
	if s == nil {
		return nil, err
	}
	return &observedSession{Session: s, o: o, resumed: true}, err
}

type observedSession struct {
	exchange.Session
	o       *observed
	resumed bool
	ended   onceFlag
}

func (s *observedSession) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	return s.o.watch(ctx, c, out, s.Session.Call)
}

func (s *observedSession) Close(ctx context.Context) error {
	if !s.resumed && s.Session.Stateful() && s.ended.first() {
		s.o.stats.sessions.Add(-1)
	}
	return s.Session.Close(ctx)
}

// watch runs one call and books it.
func (o *observed) watch(ctx context.Context, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
	begun := time.Now()
	o.stats.inFlight.Add(1)
	defer o.stats.inFlight.Add(-1)
	var span trace.Span
	if o.tracer != nil {
		ctx, c, span = o.begin(ctx, c)
	}
	seen := &watched{out: out}
	var sink exchange.Sink = seen
	if relay, ok := out.(exchange.Relayer); ok {
		sink = &watchedRelay{watched: seen, relay: relay}
	}
	err := next(ctx, c, sink)
	outcome := seen.outcome
	if err != nil {
		outcome = outcomeOf(ctx, err)
	}
	o.stats.asked.Store(true)
	o.stats.down.Store(err != nil && (errors.Is(err, unreachable) || errors.Is(err, backingOff)))
	o.stats.count(c.Message.Method, outcome, time.Since(begun))
	if span != nil {
		o.end(span, outcome, err)
	}
	return err
}

var (
	unreachable = &exchange.Error{Code: exchange.Unreachable}
	backingOff  = &exchange.Error{Code: exchange.BackingOff}
)

// outcomeOf is the place in outcomes of a call that failed.
func outcomeOf(ctx context.Context, err error) int {
	var e *exchange.Error
	if errors.As(err, &e) {
		if i := slices.Index(outcomes, string(e.Code)); i >= 0 {
			return i
		}
	} else if ctx.Err() != nil {
		return outcomeCancelled
	}
	return len(outcomes) - 1
}

// watched sees how a call ends.
type watched struct {
	out     exchange.Sink
	outcome int
}

func (w *watched) Send(e exchange.Event) error {
	if e.Final && (e.Status >= http.StatusBadRequest || begins(e.Data) == outcomeError) {
		w.outcome = outcomeError
	}
	return w.out.Send(e)
}

type watchedRelay struct {
	*watched
	relay exchange.Relayer
}

func (w *watchedRelay) Relay(r *http.Response) error {
	if r.StatusCode >= http.StatusBadRequest {
		w.outcome = outcomeError
	} else if r.Body != nil {
		r.Body = &peeking{ReadCloser: r.Body, of: w.watched}
	}
	return w.relay.Relay(r)
}

// peeking looks at the first bytes of a body that passes.
type peeking struct {
	io.ReadCloser
	of     *watched
	looked bool
}

func (p *peeking) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	if !p.looked && n > 0 {
		p.looked = true
		p.of.outcome = begins(b[:n])
	}
	return n, err
}

// peek is how far a message is looked into: its id stands before result or error.
const peek = 1 << 10

var (
	resultMember = []byte(`"result":`)
	errorMember  = []byte(`"error":`)
	methodMember = []byte(`"method":`)
)

// begins tells an error response by how it begins, without parsing it: servers write
// it in one of these ways. A mistake miscounts one call.
func begins(data []byte) int {
	data = data[:min(len(data), peek)]
	at := bytes.Index(data, errorMember)
	if at < 0 || bytes.Contains(data[:at], resultMember) || bytes.Contains(data[:at], methodMember) {
		return outcomeOK
	}
	return outcomeError
}
