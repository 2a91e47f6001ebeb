package httpdial

import (
	"bytes"
	"context"
	"strconv"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// setup is what a client sent to make its session what it is: enough to open the same
// one again when the upstream forgot it.
type setup struct {
	initialize  []byte
	initialized []byte
	level       []byte            // the last logging/setLevel
	subscribed  map[string][]byte // resources/subscribe by raw URI
}

// maxSubscribed is how many subscriptions are remembered.
const maxSubscribed = 1024

// remember notes a message that the upstream took.
func (s *session) remember(m *mcpwire.Message) {
	switch m.Method {
	case mcpwire.MethodInitialized, mcpwire.MethodSetLevel, mcpwire.MethodSubscribe, mcpwire.MethodUnsubscribe:
	default:
		return
	}
	if !s.kept {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m.Method {
	case mcpwire.MethodInitialized:
		s.setup.initialized = bytes.Clone(m.Raw)
	case mcpwire.MethodSetLevel:
		s.setup.level = bytes.Clone(m.Raw)
	case mcpwire.MethodSubscribe:
		if s.setup.subscribed == nil {
			s.setup.subscribed = map[string][]byte{}
		}
		if uri := string(m.Bytes(m.URI)); len(s.setup.subscribed) < maxSubscribed {
			s.setup.subscribed[uri] = bytes.Clone(m.Raw)
		}
	case mcpwire.MethodUnsubscribe:
		delete(s.setup.subscribed, string(m.Bytes(m.URI)))
	}
}

// revive opens the session anew, unless that was done since the caller saw it in the
// given life. One does it, the others wait.
func (s *session) revive(f *flight, life int) error {
	for {
		s.mu.Lock()
		switch wait := s.reviving; {
		case s.closed:
			s.mu.Unlock()
			return s.u.sessionLost()
		case s.life != life:
			s.mu.Unlock()
			return nil
		case wait != nil:
			s.mu.Unlock()
			select {
			case <-wait:
				continue
			case <-f.ctx.Done():
				return f.stopped()
			}
		}
		done := make(chan struct{})
		s.reviving = done
		setup := s.setup
		setup.subscribed = nil
		var again [][]byte
		for _, raw := range s.setup.subscribed {
			again = append(again, raw)
		}
		if setup.level != nil {
			again = append(again, setup.level)
		}
		s.mu.Unlock()

		id, err := s.reopen(f, setup, again)

		s.mu.Lock()
		if s.reviving = nil; err == nil {
			s.id = id
			s.life++
		}
		closed := s.closed
		s.mu.Unlock()
		close(done)
		if closed && err == nil {
			s.leave(f.ctx, id)
			return s.u.sessionLost()
		}
		return err
	}
}

// reopen goes through the handshake again, and what made the session what it was.
func (s *session) reopen(f *flight, setup setup, again [][]byte) (id string, err error) {
	u := s.u
	if f.silent == 0 { // a stream may last; opening its session may not
		f = u.apart(f.ctx, u.o.CallTimeout)
		defer f.end()
	}
	m, err := mcpwire.Parse(setup.initialize, mcpwire.Limits{Size: len(setup.initialize)})
	if err != nil {
		return "", s.u.sessionLost()
	}
	id, opened, err := u.open(f, &exchange.Call{Message: &m, Caller: s.caller, Server: u.o.Server, Era: mcpwire.Legacy}, &keeper{})
	switch {
	case err != nil:
		return "", err
	case opened == nil || id == "":
		return "", s.u.sessionLost()
	}
	defer func(half string) {
		if err != nil {
			s.leave(f.ctx, half)
		}
	}(id)
	if opened.version != s.version { // it is not what the client settled with
		return "", s.u.sessionLost()
	}
	tell := func(raw []byte) error {
		o := u.post(f.ctx, raw, nil)
		o.identify(id, s.version)
		resp, err := f.send(s.caller, o)
		if err == nil {
			discard(resp)
		}
		return err
	}
	if setup.initialized != nil {
		if err := tell(setup.initialized); err != nil {
			return "", err
		}
	}
	for i, raw := range again {
		if raw = renumbered(raw, `"sluice-again-`+strconv.Itoa(i)+`"`); raw == nil {
			continue
		}
		if err := tell(raw); err != nil {
			return "", err
		}
	}
	u.o.Log.Info("the upstream forgot a session; it was opened anew", "server", u.o.Server)
	return id, nil
}

// renumbered is a request with an id of ours, since the client's may be in use.
func renumbered(raw []byte, id string) []byte {
	m, err := mcpwire.Parse(raw, mcpwire.Limits{Size: len(raw)})
	if err != nil {
		return nil
	}
	out, err := mcpwire.Splice(raw, mcpwire.Edit{Span: m.ID, With: []byte(id)})
	if err != nil {
		return nil
	}
	return out
}

// leave ends a session that came too late, or only half.
func (s *session) leave(ctx context.Context, id string) {
	late := &session{u: s.u, caller: s.caller, kept: true, id: id, version: s.version}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTimeout)
	defer cancel()
	_ = late.Close(ctx) // the upstream will forget it by itself
}
