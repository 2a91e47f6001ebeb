package stdioserve

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// request starts a call.
func (f *face) request(m *mcpwire.Message) {
	id := m.Bytes(m.ID)
	if m.Modern() && !f.fitsModern(m) {
		return
	}
	ctx, cancel := context.WithCancel(f.ctx)
	r := &request{cancel: cancel, modern: m.Modern(), stream: m.Method == mcpwire.MethodListen}
	opens := !r.modern && m.Method == mcpwire.MethodInitialize

	f.mu.Lock()
	_, twice := f.calls[string(id)]
	full := len(f.calls) >= f.o.MaxCalls
	known := r.modern || opens || f.session != nil || f.opening != nil || f.reopen
	if !twice && !full && known {
		f.calls[string(id)] = r
	}
	var wait chan struct{}
	switch {
	case twice || full || !known:
	case opens:
		wait, f.opening = f.opening, make(chan struct{})
	case !r.modern:
		wait = f.opening
	}
	opened := f.opening
	begun := f.begun
	if r.modern || opens {
		begun = nil
	}
	f.mu.Unlock()

	switch {
	case twice:
		cancel()
		f.refuse(id, mcpwire.CodeInvalidRequest, "a request with this id is in flight")
		return
	case full:
		cancel()
		e := &exchange.Error{Code: exchange.TooMany, Message: "too many requests are in flight", Fix: "wait for answers before asking more"}
		_ = f.out.write(e.Response(id))
		return
	case !known && m.Method == mcpwire.MethodPing:
		cancel()
		_ = f.out.write(mcpwire.BuildResult(id, []byte("{}")))
		return
	case !known:
		cancel()
		f.noSession(id)
		return
	}
	c := f.call(m)
	if !opens && !r.stream {
		r.before, r.turn = f.last, newTurn()
		f.last = r.turn
	}
	f.tasks.Go(func() {
		defer cancel()
		if r.turn != nil {
			defer r.turn.pass()
		}
		out := &sink{f: f, r: r, id: id, keep: opens}
		if begun != nil {
			select {
			case <-begun:
			case <-ctx.Done(): // run says so
			}
		}
		err := f.run(ctx, c, out, wait, opened, opens)
		f.free(id, r)
		f.mu.Lock()
		silent := r.cancelled || (r.given && err != nil)
		f.mu.Unlock()
		switch {
		case out.final || silent:
		case err == nil:
			_ = f.out.write((&exchange.Error{Code: exchange.BrokeOff, Message: "the call ended without an answer"}).Response(id))
		default:
			_ = f.out.write(f.failure(err).Response(id))
		}
	})
}

func (f *face) noSession(id []byte) {
	f.refuse(id, mcpwire.CodeInvalidParams, "no session is open and the request carries no protocol version: "+
		"initialize first, or send params._meta with "+mcpwire.MetaProtocolVersion)
}

// run is one call from its start to its end.
func (f *face) run(ctx context.Context, c *exchange.Call, out *sink, wait, opened chan struct{}, opens bool) error {
	if wait != nil {
		select {
		case <-wait:
		case <-ctx.Done():
			if opens {
				f.opened(opened)
			}
			return ctx.Err()
		}
	}
	if turn := out.r.turn; turn != nil {
		out.r.before.follow(ctx)
		turn.begin()
		ctx = exchange.WithTaken(ctx, turn.take)
	}
	switch {
	case opens:
		return f.open(ctx, c, out, opened)
	case c.Era == mcpwire.Modern:
		return f.o.Upstream.Call(ctx, c, out)
	}
	s, err := f.current(ctx)
	switch {
	case err != nil:
		return err
	case s == nil:
		out.final = true
		f.noSession(c.Message.Bytes(c.Message.ID))
		return nil
	}
	if c.Version == "" { // it came while the session was being opened
		f.mu.Lock()
		c.Version = f.version
		f.mu.Unlock()
	}
	err = s.Call(ctx, c, out)
	f.noticeLoss(err, s)
	if err == nil {
		f.remember(c)
	}
	return err
}

// failure is the error that an answer carries.
func (f *face) failure(err error) *exchange.Error {
	var known *exchange.Error
	if !errors.As(err, &known) && f.ctx.Err() != nil {
		return &exchange.Error{Code: exchange.ShuttingDown, Message: "Sluice is shutting down", Cause: err}
	}
	e := exchange.As(err)
	if e != known || e.Code == exchange.Unreachable {
		f.o.Log.Warn("a call failed", "code", string(e.Code), "error", e.Error())
	}
	return e
}

// fitsModern answers a modern request that its era refuses.
func (f *face) fitsModern(m *mcpwire.Message) bool {
	version, ok := m.Text(m.Version)
	switch {
	case !ok:
		f.refuse(m.Bytes(m.ID), mcpwire.CodeInvalidParams, mcpwire.MetaProtocolVersion+" is not a string")
	case !slices.Contains(mcpwire.ModernVersions, version):
		data, err := json.Marshal(map[string]any{"requested": version,
			"supported": slices.Concat(mcpwire.ModernVersions, mcpwire.LegacyVersions)})
		if err != nil {
			data = nil
		}
		_ = f.out.write(mcpwire.BuildError(m.Bytes(m.ID), mcpwire.CodeUnsupportedVersion, "this protocol version is not supported", data))
		return false
	case !m.Capabilities.Present() || m.Raw[m.Capabilities.Start] != '{':
		f.refuse(m.Bytes(m.ID), mcpwire.CodeInvalidParams, mcpwire.MetaCapabilities+" is missing or no object")
	default:
		return true
	}
	return false
}

// cancel ends the call that a client's cancellation names. In the modern era that is
// all; in the legacy era the notification itself goes on.
func (f *face) cancel(m *mcpwire.Message) (done bool) {
	id := mcpwire.Member(m.Raw, m.Params, "requestId")
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.calls[string(m.Bytes(id))]
	if r == nil {
		return f.session == nil && f.opening == nil && !f.reopen
	}
	if r.modern {
		r.cancelled = true
		r.cancel()
		delete(f.calls, string(m.Bytes(id))) // the id is the client's again
	} else {
		r.given = true
	}
	return r.modern
}
