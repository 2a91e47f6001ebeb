package era

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// hub spreads what a session hears outside of calls: to everybody who listens with
// that session, of what each asked for. The server's stream is open while anybody
// listens, and as long as the session where the client can be asked something, since
// servers may ask there; resources are subscribed to while anybody wants them.
type hub struct {
	s *conversation

	mu        sync.Mutex
	listeners map[*listener]struct{}
	uris      map[string]int
	stop      func()        // ends the stream and waits for it
	ready     chan struct{} // closed when it is known whether there is a stream
	absent    bool          // there is none
}

// streamGrace is how long a stream that was asked for may take to be refused.
const streamGrace = 150 * time.Millisecond

// restart is the pause before a stream that ended is opened again.
const restart = time.Second

// Bounds of one listener: resources it may name, and notifications that wait for it.
// What is beyond the first is not acknowledged, of the second the latest stay.
const (
	uriLimit     = 1000
	pendingLimit = 256
)

// listener is one subscriptions/listen request.
type listener struct {
	id    []byte
	kinds []string // tools, prompts, resources
	uris  []string
	ear   bool // wants no notification: it holds the stream open for the server's questions

	mu      sync.Mutex
	pending [][]byte // not yet sent; each says "look again", so that equal ones are one
	wake    chan struct{}
	lost    chan struct{} // closed when the session ended
	once    sync.Once
}

// filter reads what a listen request asks for. Kinds that no legacy server can tell
// of are left out, as the acknowledgement will show.
func filter(m *mcpwire.Message) *listener {
	ln := &listener{id: bytes.Clone(m.Bytes(m.ID)), wake: make(chan struct{}, 1), lost: make(chan struct{})}
	for key, value := range mcpwire.Members(m.Raw, mcpwire.Member(m.Raw, m.Params, "notifications")) {
		name, _ := mcpwire.Unquote(m.Raw[key.Start:key.End])
		on := string(m.Bytes(value)) == "true"
		switch {
		case name == "toolsListChanged" && on:
			ln.kinds = append(ln.kinds, "tools")
		case name == "promptsListChanged" && on:
			ln.kinds = append(ln.kinds, "prompts")
		case name == "resourcesListChanged" && on:
			ln.kinds = append(ln.kinds, "resources")
		case name == "resourceSubscriptions":
			for e := range mcpwire.Elements(m.Raw, value) {
				if uri, ok := mcpwire.Unquote(m.Bytes(e)); ok && len(ln.uris) < uriLimit && !slices.Contains(ln.uris, uri) {
					ln.uris = append(ln.uris, uri)
				}
			}
		}
	}
	return ln
}

// listen serves subscriptions/listen until the client goes, or the adapter does.
func (l *toLegacy) listen(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.ctx, cancel)()
	acknowledged := false
	for pause := time.Duration(0); ; pause = restart {
		if pause > 0 { // the session was lost; a new one takes its place
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return l.listened(ctx, c, out, acknowledged)
		}
		err := l.withSession(ctx, c, out, func(s *conversation) error {
			ln := filter(c.Message)
			s.listeners.join(ctx, ln)
			defer s.listeners.leave(ln)
			if !acknowledged {
				acknowledged = true
				if err := out.Send(exchange.Event{Data: ln.acknowledgement()}); err != nil {
					return err
				}
			}
			return ln.serve(ctx, out)
		})
		switch {
		case ctx.Err() != nil:
			return l.listened(ctx, c, out, acknowledged)
		case errors.Is(err, errLost):
		case err != nil && acknowledged && (exchange.As(err).Retryable()):
		default:
			return err
		}
	}
}

// errLost ends a listener whose session is gone.
var errLost = &exchange.Error{Code: exchange.SessionLost, Message: "the upstream session ended"}

// listened ends a listen request: gracefully where it is Sluice that ends it.
func (l *toLegacy) listened(ctx context.Context, c *exchange.Call, out exchange.Sink, acknowledged bool) error {
	if l.ctx.Err() == nil || !acknowledged {
		if l.ctx.Err() != nil {
			return closed(l.opt.Server)
		}
		return ctx.Err()
	}
	id := c.Message.Bytes(c.Message.ID)
	return out.Send(final(mcpwire.BuildResult(id, object(
		mcpwire.Field{Name: "resultType", Value: []byte(`"complete"`)},
		mcpwire.Field{Name: "_meta", Value: object(mcpwire.Field{Name: mcpwire.MetaSubscription, Value: id})})), 0))
}

// acknowledgement says what of the filter is honoured.
func (ln *listener) acknowledgement() []byte {
	var fields []mcpwire.Field
	for _, kind := range ln.kinds {
		fields = append(fields, mcpwire.Field{Name: kind + "ListChanged", Value: []byte("true")})
	}
	if len(ln.uris) > 0 {
		list := []byte{'['}
		for i, uri := range ln.uris {
			if i > 0 {
				list = append(list, ',')
			}
			list = mcpwire.AppendQuote(list, uri)
		}
		fields = append(fields, mcpwire.Field{Name: "resourceSubscriptions", Value: append(list, ']')})
	}
	return mcpwire.BuildNotification(mcpwire.MethodAcknowledged, object(
		mcpwire.Field{Name: "_meta", Value: object(mcpwire.Field{Name: mcpwire.MetaSubscription, Value: ln.id})},
		mcpwire.Field{Name: "notifications", Value: object(fields...)}))
}

// serve sends what is offered.
func (ln *listener) serve(ctx context.Context, out exchange.Sink) error {
	for {
		ln.mu.Lock()
		batch := ln.pending
		ln.pending = nil
		ln.mu.Unlock()
		for _, raw := range batch {
			if err := out.Send(exchange.Event{Data: raw}); err != nil {
				return err
			}
		}
		if len(batch) > 0 {
			continue
		}
		select {
		case <-ln.wake:
		case <-ln.lost:
			return errLost
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// wants reports whether the listener asked for this notification.
func (ln *listener) wants(kind, uri string) bool {
	if kind != "" {
		return slices.Contains(ln.kinds, kind)
	}
	return slices.Contains(ln.uris, uri)
}

// give queues a notification under the listener's own subscription id.
func (ln *listener) give(m *mcpwire.Message) {
	raw, err := tagged(m, ln.id)
	if err != nil {
		return // it was parsed, so that it can be edited
	}
	ln.mu.Lock()
	if !slices.ContainsFunc(ln.pending, func(p []byte) bool { return bytes.Equal(p, raw) }) {
		if len(ln.pending) >= pendingLimit {
			ln.pending = ln.pending[1:]
		}
		ln.pending = append(ln.pending, raw)
	}
	ln.mu.Unlock()
	select {
	case ln.wake <- struct{}{}:
	default:
	}
}

// tagged is a notification with a subscription id in its _meta.
func tagged(m *mcpwire.Message, id []byte) ([]byte, error) {
	tag := mcpwire.Field{Name: mcpwire.MetaSubscription, Value: id}
	switch {
	case isObject(m.Raw, m.Meta):
		return mcpwire.Splice(m.Raw, mcpwire.SetMember(m.Raw, m.Meta, tag.Name, tag.Value))
	case isObject(m.Raw, m.Params):
		return mcpwire.Splice(m.Raw, mcpwire.AddMembers(m.Raw, m.Params, mcpwire.Field{Name: "_meta", Value: object(tag)}))
	}
	return mcpwire.Splice(m.Raw, withParams(m.Raw, mcpwire.Field{Name: "_meta", Value: object(tag)}))
}
