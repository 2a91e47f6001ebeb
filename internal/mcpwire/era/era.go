package era

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// adapter chooses, for each client, whether its upstream is met in the client's era.
type adapter struct {
	up  exchange.Upstream
	opt Options
	end context.CancelFunc

	probe    prober
	toLegacy *toLegacy
	toModern *toModern
	// noLegacy is set once the upstream refused a handshake and was found modern.
	noLegacy atomic.Bool
}

// New is an upstream that serves clients of both eras, whichever up speaks. Where up
// speaks the client's own, calls and their sinks pass untouched.
func New(up exchange.Upstream, opt Options) exchange.Upstream {
	opt = opt.orDefault()
	ctx, cancel := context.WithCancel(context.Background())
	a := &adapter{up: up, opt: opt, end: cancel,
		probe:    prober{up: up, opt: opt, ctx: ctx},
		toLegacy: newToLegacy(ctx, up, opt),
		toModern: newToModern(ctx, up, opt),
	}
	a.noLegacy.Store(opt.Force == mcpwire.Modern)
	return a
}

// Call serves a modern client.
func (a *adapter) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	for try, was := 0, false; ; try++ {
		modern, err := a.probe.modern(ctx, c)
		if err != nil {
			return err
		}
		if try > 0 && modern && was { // it was turned down for another reason, perhaps after it was done
			return &exchange.Error{Code: exchange.BrokeOff, Message: named(a.opt.Server) + " turned the call down with something that is not MCP",
				Fix: "find out whether the call took effect before sending it again"}
		}
		if was = modern; modern {
			err = a.up.Call(ctx, c, out)
		} else {
			err = a.toLegacy.Call(ctx, c, out)
		}
		if !errors.Is(err, &exchange.Error{Code: exchange.WrongEra}) {
			return err
		}
		// The verdict does not fit any more, or never did. It is asked for once more,
		// and what the upstream says then is what the client gets.
		a.forget()
		var no *refused
		if try > 0 || a.opt.Force != 0 {
			if errors.As(err, &no) {
				return no.tell(c.Message, out)
			}
			return err
		}
	}
}

func (a *adapter) forget() {
	a.probe.forget()
	a.noLegacy.Store(a.opt.Force == mcpwire.Modern)
}

// Notify passes on a notification of a modern client.
func (a *adapter) Notify(ctx context.Context, c *exchange.Call) error {
	modern, err := a.probe.modern(ctx, c)
	switch {
	case err != nil:
		return err
	case modern:
		return a.up.Notify(ctx, c)
	}
	return a.toLegacy.Notify(ctx, c)
}

// Initialize serves a legacy client: with a session of the upstream's where it keeps
// such, with one of ours otherwise.
func (a *adapter) Initialize(ctx context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
	if !a.noLegacy.Load() {
		var answer *exchange.Event
		session, err := a.up.Initialize(ctx, c, sinkFunc(func(e exchange.Event) error {
			if e.Final {
				if m, err := reply(e.Data); err == nil && m.Kind == mcpwire.Failure {
					e.Data = bytes.Clone(e.Data)
					answer = &e
					return nil
				}
			}
			return out.Send(e)
		}))
		wrong := errors.Is(err, &exchange.Error{Code: exchange.WrongEra})
		if answer == nil && !wrong || a.opt.Force == mcpwire.Legacy {
			if answer != nil {
				return nil, out.Send(*answer)
			}
			return session, err
		}
		// A server without handshakes says no in many ways; what it is, it says itself.
		a.probe.forget()
		if modern, probeErr := a.probe.modern(ctx, c); probeErr != nil || !modern {
			if answer != nil {
				return nil, out.Send(*answer)
			}
			return nil, err
		}
		a.noLegacy.Store(true)
	}
	session, err := a.toModern.Initialize(ctx, c, out)
	if errors.Is(err, &exchange.Error{Code: exchange.WrongEra}) {
		a.forget()
	}
	return session, err
}

// Resume serves a legacy client that shows no session.
func (a *adapter) Resume(ctx context.Context, c *exchange.Call) (exchange.Session, error) {
	if a.noLegacy.Load() {
		return a.toModern.Resume(ctx, c)
	}
	return a.up.Resume(ctx, c)
}

// Close ends what the adapters keep, then the upstream.
func (a *adapter) Close(ctx context.Context) error {
	a.end()
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.toModern.close()
		a.toLegacy.close()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	return a.up.Close(ctx)
}
