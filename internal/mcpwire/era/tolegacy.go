package era

import (
	"context"
	"errors"
	"sync"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// toLegacy serves modern clients with an upstream that holds sessions.
type toLegacy struct {
	up  exchange.Sessions
	opt Options
	ctx context.Context // ends with the adapter

	seal    sealer
	pool    pool
	parking parking

	mu      sync.Mutex
	closing bool
	flights sync.WaitGroup
}

// enter counts one more call that close waits for.
func (l *toLegacy) enter() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return closed(l.opt.Server)
	}
	l.flights.Add(1)
	return nil
}

func newToLegacy(ctx context.Context, up exchange.Sessions, opt Options) *toLegacy {
	l := &toLegacy{up: up, opt: opt, ctx: ctx, seal: newSealer()}
	l.pool.l, l.pool.all = l, map[string]*conversation{}
	l.parking.calls = map[[12]byte]*flight{}
	return l
}

// close ends calls, waiting or not, and then sessions. The context has ended.
func (l *toLegacy) close() {
	l.mu.Lock()
	l.closing = true
	l.mu.Unlock()
	l.parking.close()
	l.flights.Wait()
	l.pool.close()
}

// Call serves one request of a modern client.
func (l *toLegacy) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	m := c.Message
	switch m.Method {
	case mcpwire.MethodDiscover:
		return l.discover(ctx, c, out)
	case mcpwire.MethodListen:
		return l.listen(ctx, c, out)
	case mcpwire.MethodInitialize, mcpwire.MethodPing, mcpwire.MethodSetLevel, mcpwire.MethodSubscribe, mcpwire.MethodUnsubscribe:
		return refuse(m, out, mcpwire.CodeMethodNotFound, 404, "the protocol has no method "+m.Method+" since "+mcpwire.Version20260728, "")
	case mcpwire.MethodTaskGet, mcpwire.MethodTaskUpdate, mcpwire.MethodTaskCancel, "tasks/list", "tasks/result":
		// A legacy server's tasks have the same method names and other rules.
		return refuse(m, out, mcpwire.CodeMethodNotFound, 404, named(c.Server)+" does not offer the tasks extension", "")
	}
	level := -1
	if m.LogLevel.Present() {
		name, _ := m.Text(m.LogLevel)
		var ok bool
		if level, ok = levelOf(name); !ok {
			return refuse(m, out, mcpwire.CodeInvalidParams, 400, "the log level is none of the protocol's", "")
		}
	}
	declined := false
	if m.RequestState.Present() {
		resumed, again, err := l.retry(ctx, c, out)
		if resumed || err != nil {
			return err
		}
		declined = !again
	}
	return l.withSession(ctx, c, out, func(s *conversation) error {
		return l.fly(ctx, s, c, out, level, declined)
	})
}

// withSession runs f with a session, and once more with a new one when the upstream
// turns out to have forgotten the first before it answered anything.
func (l *toLegacy) withSession(ctx context.Context, c *exchange.Call, out exchange.Sink, f func(*conversation) error) error {
	for try := 0; ; try++ {
		s, err := l.pool.acquire(ctx, c)
		if err != nil {
			if s != nil && s.refusal != nil {
				return &refused{s.refusal, err}
			}
			return err
		}
		err = f(s)
		lost := errors.Is(err, &exchange.Error{Code: exchange.SessionLost})
		if lost {
			l.pool.discard(s)
		}
		l.pool.release(s)
		if !lost || try > 0 || ctx.Err() != nil {
			return err
		}
	}
}

// refused is a handshake that the upstream answered with an error: a sign that it
// speaks another era, or else what the client is told.
type refused struct {
	answer *mcpwire.Message
	err    error
}

func (r *refused) Error() string { return r.err.Error() }
func (r *refused) Unwrap() error { return r.err }

// tell hands the client the upstream's own words.
func (r *refused) tell(m *mcpwire.Message, out exchange.Sink) error {
	raw, status, err := modernError(r.answer, m.Bytes(m.ID), nil)
	if err != nil {
		return err
	}
	return out.Send(final(raw, status))
}

// Notify passes on a notification where a session for its sender is open. Without one
// there is nobody who could know what it is about.
func (l *toLegacy) Notify(ctx context.Context, c *exchange.Call) error {
	if c.Message.Method == mcpwire.MethodCancelled {
		return nil // the context of the call it names has ended
	}
	s := l.pool.any(c)
	if s == nil {
		return nil
	}
	defer l.pool.release(s)
	m := c.Message
	raw, err := mcpwire.Splice(m.Raw, mcpwire.RemoveMembers(m.Raw, m.Meta, modernOnly)...)
	if err != nil {
		return err
	}
	return s.notify(ctx, raw)
}

// modernOnly are the members of _meta that belong to the modern era itself; the ones
// of anybody else stay.
func modernOnly(name string) bool {
	switch name {
	case mcpwire.MetaProtocolVersion, mcpwire.MetaCapabilities, mcpwire.MetaClientInfo, mcpwire.MetaLogLevel:
		return true
	}
	return false
}

// discover answers from what the server said in its handshake.
func (l *toLegacy) discover(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	return l.withSession(ctx, c, out, func(s *conversation) error {
		result := s.hello.Bytes(s.hello.Result)
		result = without(result, func(name string) bool { return name == "protocolVersion" || name == "serverInfo" })
		result = without(result, one(legacyTasks), "capabilities")
		versions := append(append([]byte(`["`+mcpwire.Version20260728+`",`), mcpwire.Quote(s.version)...), ']')
		edit := mcpwire.AddMembers(result, whole(result), mcpwire.Field{Name: "supportedVersions", Value: versions})
		result, err := mcpwire.Splice(result, edit)
		if err != nil {
			return err
		}
		m, err := reply(mcpwire.BuildResult([]byte("0"), result))
		if err != nil {
			return err
		}
		raw, err := modernResult(m, c.Message.Bytes(c.Message.ID), mcpwire.MethodDiscover, s.serverInfo)
		if err != nil {
			return err
		}
		return out.Send(final(raw, 0))
	})
}
