package stdiodial

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// keptForListener bounds what waits for a client to listen, beside inboxBytes.
const keptForListener = 64

// Listen passes on what belongs to no call. The newest listener is the one.
func (s *session) Listen(ctx context.Context, _ *exchange.Call, _ string, out exchange.Sink) error {
	box := newInbox()
	s.mu.Lock()
	if s.lost || s.closed {
		s.mu.Unlock()
		return s.lostError()
	}
	before := s.listener
	s.listener = box
	waiting := s.waiting
	s.waiting = nil
	s.mu.Unlock()
	if before != nil {
		before.fail(errReplaced)
	}
	defer s.stopListening(box)
	if err := out.Send(exchange.Event{}); err != nil { // the stream is open, though silent
		return err
	}
	for _, ev := range waiting {
		if err := out.Send(ev); err != nil {
			return err
		}
	}
	for {
		ev, ok, end := box.take()
		switch {
		case ok:
			if err := out.Send(ev); err != nil {
				return err
			}
			continue
		case errors.Is(end, errReplaced):
			return nil
		case end != nil:
			return end
		}
		select {
		case <-box.ready:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

var errReplaced = errors.New("another stream of the same session took over")

// stopListening keeps what nobody took for the next listener.
func (s *session) stopListening(box *inbox) {
	s.mu.Lock()
	if s.listener == box {
		s.listener = nil
	}
	s.mu.Unlock()
	for _, ev := range box.close() {
		s.later(ev)
	}
}

// later keeps a message for a listener to come, the newest ones if there are many.
func (s *session) later(ev exchange.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.lost {
		return
	}
	size := len(ev.Data)
	for _, kept := range s.waiting {
		size += len(kept.Data)
	}
	for len(s.waiting) > 0 && (len(s.waiting) == keptForListener || size > inboxBytes) {
		size -= len(s.waiting[0].Data)
		s.waiting = s.waiting[1:]
		s.d.o.Log.Warn("a message for a client that does not listen was dropped")
	}
	s.waiting = append(s.waiting, ev)
}

// incoming routes what the child says of its own accord: what a call may have caused
// to the most recently started call, news about lists and resources to the listener
// first.
func (s *session) incoming(kid *child, m *mcpwire.Message) {
	s.mu.Lock()
	listener := s.listener
	if m.Kind == mcpwire.Request {
		s.uses++ // a client that was asked something has to be there for the answer
	}
	s.mu.Unlock()
	ev := exchange.Event{Data: bytes.Clone(m.Raw)}
	k, _ := kid.calls.latest(func(k *call) bool { return k.method != mcpwire.MethodInitialize })

	places := make([]*inbox, 0, 2)
	if k != nil {
		places = append(places, k.box)
	}
	if listener != nil {
		places = append(places, listener)
	}
	if news(m.Method) && len(places) == 2 {
		places[0], places[1] = places[1], places[0]
	}
	if m.Method == mcpwire.MethodCancelled { // of a request of its own: to where that went
		id := mcpwire.Member(m.Raw, m.Params, "requestId")
		if box := kid.calls.wasAsked(m.Bytes(id)); box != nil {
			places = append([]*inbox{box}, places...)
		}
	}
	for _, box := range places {
		if box.put(ev, s.d.o.SlowClient, s.d.tooSlow) {
			if m.Kind == mcpwire.Request {
				kid.calls.asks(m.Bytes(m.ID), box)
			}
			return
		}
	}
	if m.Kind == mcpwire.Request && m.Method == mcpwire.MethodPing {
		// It asks whether anybody is there, and we are.
		kid.out.force(append(mcpwire.BuildResult(m.Bytes(m.ID), []byte("{}")), '\n'))
		return
	}
	s.later(ev)
}

// news reports whether a notification tells what changed, not what a call does.
func news(method string) bool {
	return strings.HasSuffix(method, "/list_changed") || method == "notifications/resources/updated"
}
