package era

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// subscribe takes a resource into, or out of, what the session's stream listens for.
func (s *session) subscribe(m *mcpwire.Message, out exchange.Sink) error {
	uri, ok := m.Text(m.URI)
	switch {
	case !ok:
		return refuse(m, out, mcpwire.CodeInvalidParams, 0, "params.uri is missing", "")
	case s.server != nil && !flag(s.server, "resources", "subscribe"):
		return refuse(m, out, mcpwire.CodeMethodNotFound, 0, named(s.name)+" does not offer subscriptions to resources", "")
	}
	s.mu.Lock()
	if m.Method == mcpwire.MethodSubscribe {
		if len(s.uris) >= uriLimit {
			s.mu.Unlock()
			return &exchange.Error{Code: exchange.TooMany, Message: "this session is subscribed to too many resources",
				Fix: "unsubscribe from some of them"}
		}
		s.uris[uri] = struct{}{}
	} else {
		delete(s.uris, uri)
	}
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
	return answer(m, out, "{}")
}

// filter is what the session listens for now; nil where there is nothing to hear.
func (s *session) filter() []byte {
	var fields []mcpwire.Field
	for _, kind := range []string{"tools", "prompts", "resources"} {
		if flag(s.server, kind, "listChanged") {
			fields = append(fields, mcpwire.Field{Name: kind + "ListChanged", Value: []byte("true")})
		}
	}
	s.mu.Lock()
	uris := slices.Sorted(maps.Keys(s.uris))
	s.mu.Unlock()
	if len(uris) > 0 {
		list := []byte{'['}
		for i, uri := range uris {
			if i > 0 {
				list = append(list, ',')
			}
			list = mcpwire.AppendQuote(list, uri)
		}
		fields = append(fields, mcpwire.Field{Name: "resourceSubscriptions", Value: append(list, ']')})
	}
	if len(fields) == 0 {
		return nil
	}
	return object(fields...)
}

// hears reports whether the upstream has anything to say outside of calls.
func (s *session) hears() bool {
	return flag(s.server, "tools", "listChanged") || flag(s.server, "prompts", "listChanged") ||
		flag(s.server, "resources", "listChanged") || flag(s.server, "resources", "subscribe")
}

// Listen is the session's own stream. One subscription upstream feeds it; when the
// client subscribes to something else a new one takes over, the old one staying until
// the new one is in place.
func (s *session) Listen(ctx context.Context, c *exchange.Call, _ string, out exchange.Sink) error {
	if s.ctx.Err() != nil {
		return s.lost()
	}
	if !s.hears() {
		return exchange.ErrNoStream
	}
	if err := s.t.enter(); err != nil {
		return err
	}
	defer s.t.work.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	s.mu.Lock()
	if s.stop != nil {
		s.stop() // a client that reconnects has left its old stream
	}
	s.stop = cancel
	s.mu.Unlock()

	if err := out.Send(exchange.Event{}); err != nil { // the stream is open, though silent
		return err
	}
	w := &watch{s: s, c: c, out: out}
	defer w.running.Wait()
	defer cancel()
	var current []byte
	var end context.CancelFunc = func() {}
	defer func() { end() }()
	for {
		if want := s.filter(); !bytes.Equal(want, current) {
			old := end
			current = want
			if want == nil {
				old()
				end = func() {}
			} else {
				end = w.open(ctx, want, old)
			}
		}
		select {
		case <-s.changed:
		case <-ctx.Done():
			if s.ctx.Err() != nil {
				return nil
			}
			return ctx.Err()
		}
	}
}

// watch is the stream of a session while a client is on it.
type watch struct {
	s       *session
	c       *exchange.Call
	running sync.WaitGroup

	mu  sync.Mutex
	out exchange.Sink
}

// open subscribes in the background. takeOver is called once, when that is in place or
// can't be.
func (w *watch) open(ctx context.Context, filter []byte, takeOver func()) context.CancelFunc {
	ctx, cancel := context.WithCancel(ctx)
	once := sync.OnceFunc(takeOver)
	w.running.Add(1)
	go func() {
		defer w.running.Done()
		defer once()
		for wait := restart; ctx.Err() == nil; wait = min(2*wait, 30*time.Second) {
			began := time.Now()
			if again := w.listen(ctx, filter, once); !again {
				return
			}
			once()
			if time.Since(began) > time.Minute {
				wait = restart
			}
			select {
			case <-time.After(wait):
			case <-ctx.Done():
			}
		}
	}()
	return cancel
}

// listen is one subscription, until it ends. It is not worth another try where the
// upstream knows no subscriptions.
func (w *watch) listen(ctx context.Context, filter []byte, acknowledged func()) (again bool) {
	m, err := ours(mcpwire.BuildRequest(string(w.s.newID()), mcpwire.MethodListen, object(
		mcpwire.Field{Name: "_meta", Value: object(w.s.meta()...)}, mcpwire.Field{Name: "notifications", Value: filter})))
	if err != nil {
		return false
	}
	again = true
	// How it ends makes no difference: the client's stream stays, and it is opened again.
	_ = w.s.t.up.Call(ctx, asModern(w.c, m), sinkFunc(func(e exchange.Event) error {
		if len(e.Data) == 0 {
			return nil
		}
		m, err := reply(e.Data)
		if err != nil {
			return err
		}
		if e.Final {
			again = m.Kind == mcpwire.Result || errorCode(m) != mcpwire.CodeMethodNotFound
			return nil
		}
		if m.Method == mcpwire.MethodAcknowledged {
			acknowledged()
			return nil
		}
		raw, err := untagged(m)
		if err != nil {
			return err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.out.Send(exchange.Event{Data: raw})
	}))
	return again
}

// untagged is a notification without the subscription id that only modern clients know.
func untagged(m *mcpwire.Message) ([]byte, error) {
	return mcpwire.Splice(m.Raw, mcpwire.RemoveMembers(m.Raw, m.Meta, one(mcpwire.MetaSubscription))...)
}
