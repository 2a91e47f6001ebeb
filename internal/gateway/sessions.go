package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Initialize opens a session with every member and merges what they say. A member that
// is late or down is named in the answer and joins later.
func (a *aggregate) Initialize(ctx context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
	s := newSession(a, c)
	got := s.openAll(ctx)
	if ctx.Err() != nil {
		_ = s.Close(context.WithoutCancel(ctx))
		return nil, ctx.Err()
	}
	from := got.results()
	if len(from) == 0 {
		err := got.nobody(out, c)
		_ = s.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	missing := a.missing(got)
	result := a.described(got, from)
	result.set("protocolVersion", mcpwire.Quote(oldest(got, from)))
	result.set("serverInfo", a.serverInfo())
	a.stayOpen(&result, missing)
	if meta := a.meta(got, mcpwire.Legacy, missing, nil); meta != nil {
		result.set("_meta", meta)
	}
	if err := answer(out, c, result.bytes()); err != nil {
		_ = s.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return s, nil
}

// Resume: a client of an aggregate always has a session to show.
func (a *aggregate) Resume(context.Context, *exchange.Call) (exchange.Session, error) {
	return nil, &exchange.Error{Code: exchange.SessionLost, Message: "the call shows no session", Fix: "send initialize first"}
}

// oldest is the oldest revision that a member agreed to: what the client says then is
// understood by all.
func oldest(got answered, from []int) string {
	version := ""
	for _, i := range from {
		m := &got[i].message
		if v, _ := m.Text(mcpwire.Member(m.Raw, m.Result, "protocolVersion")); version == "" || v < version {
			version = v
		}
	}
	return version
}

// session is the conversation of one legacy client with all members.
type session struct {
	a       *aggregate
	opening *exchange.Call // the client's initialize request
	links   []*link
	live    context.Context // of what goes on between calls
	end     context.CancelFunc
	work    sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	ready    *exchange.Call             // notifications/initialized, once the client sent it
	level    *exchange.Call             // the last logging/setLevel
	watched  map[string]watch           // resources/subscribe, by URI
	flights  map[string][]int           // members that have a request of this raw id
	stream   func(exchange.Event) error // of the client that listens; nil: nobody
	listened int
}

// watch is one subscription to a resource.
type watch struct {
	member int
	call   *exchange.Call
}

func newSession(a *aggregate, c *exchange.Call) *session {
	s := &session{a: a, opening: keep(c), watched: map[string]watch{}, flights: map[string][]int{}}
	s.live, s.end = context.WithCancel(context.Background())
	for range a.members {
		s.links = append(s.links, &link{})
	}
	return s
}

// openAll opens every link and waits for each as long as the aggregate waits.
func (s *session) openAll(ctx context.Context) answered {
	got := make(answered, len(s.links))
	var wg sync.WaitGroup
	for i, k := range s.links {
		if s.a.silent.is(s.opens(i)) {
			k.mu.Lock()
			k.late = true
			k.mu.Unlock()
			s.silence(i)
			got[i] = reply{err: s.a.silent.refusal(i)}
			continue
		}
		wg.Go(func() {
			wait, cancel := context.WithTimeout(ctx, s.a.o.Wait)
			defer cancel()
			_, err := s.reach(wait, i)
			k.mu.Lock()
			defer k.mu.Unlock()
			switch {
			case err == nil:
				got[i] = k.opened
			case k.opened.message.Kind == mcpwire.Failure: // it answered, and said no
				got[i] = k.opened
			default:
				got[i] = reply{err: err}
				k.late = true
				if wait.Err() != nil && ctx.Err() == nil {
					s.a.silent.missed(s.opens(i), nil)
					s.silence(i)
				}
			}
		})
	}
	wg.Wait()
	return got
}

// silence leaves a member that opens no session out of what follows, until it does.
func (s *session) silence(i int) {
	s.a.silent.missed(s.party(i), func(ctx context.Context) error {
		_, err := s.reach(ctx, i)
		return err
	})
	s.a.silent.again(s.party(i), s.beside)
}

func (s *session) party(member int) party { return party{session: s, member: member} }

// opens is the opening of this caller's sessions with a member.
func (s *session) opens(member int) party {
	return party{caller: s.opening.Caller.ID, opening: true, member: member}
}

func (s *session) beside(do func(context.Context)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.work.Go(func() { do(s.live) })
	}
	return !s.closed
}

// Stateful: the client's session is the aggregate's, whatever the members keep.
func (s *session) Stateful() bool { return true }

// Call takes a request to the member or members that answer it.
func (s *session) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	m := c.Message
	switch m.Method {
	case mcpwire.MethodSetLevel:
		return s.setLevel(ctx, c, out)
	case mcpwire.MethodSubscribe:
		return s.a.byURI(ctx, c, out, s, m.URI, func(member int) { s.watch(c, member) })
	case mcpwire.MethodUnsubscribe:
		s.unwatch(c)
	}
	return s.a.route(ctx, c, out, s)
}

// call reaches one member. A session that turns out to be lost is opened again and
// the request repeated: a lost session did not take it.
func (s *session) call(ctx context.Context, i int, c *exchange.Call, out exchange.Sink) error {
	id := string(c.Message.Bytes(c.Message.ID))
	s.depart(id, i)
	defer s.arrive(id, i)
	for again := false; ; again = true {
		to, err := s.reach(ctx, i)
		if err != nil {
			return err
		}
		back := &rewriting{out: tagging{out, i}, edit: func(m *mcpwire.Message) []mcpwire.Edit { return s.back(m, c.Message.Method, i) }}
		err = to.Call(ctx, s.a.to(i, c), back)
		if !again && !back.sent && errors.Is(err, &exchange.Error{Code: exchange.SessionLost}) && s.lose(i, to) {
			continue
		}
		return err
	}
}

// back are the edits to a member's message: ids of its own requests are marked so
// that the answer finds the way, task ids get the member's prefix.
func (s *session) back(m *mcpwire.Message, method string, i int) []mcpwire.Edit {
	edits := taskEdits(m, method, s.a.members[i].Prefix)
	switch {
	case m.Kind == mcpwire.Request:
		edits = append(edits, mark(m, m.ID, i))
		if m.ProgressToken.Present() {
			edits = append(edits, mark(m, m.ProgressToken, i))
		}
	case m.Method == mcpwire.MethodCancelled: // of such a request
		if id := mcpwire.Member(m.Raw, m.Params, "requestId"); id.Present() {
			edits = append(edits, mark(m, id, i))
		}
	}
	return edits
}

// depart and arrive keep the book of requests under way, for cancellations.
func (s *session) depart(id string, member int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flights[id] = append(s.flights[id], member)
}

func (s *session) arrive(id string, member int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.flights[id]
	for n := range list {
		if list[n] == member {
			list = append(list[:n:n], list[n+1:]...)
			break
		}
	}
	if s.flights[id] = list; len(list) == 0 {
		delete(s.flights, id)
	}
}

// Close ends the session with every member.
func (s *session) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end()
	s.work.Wait()
	s.a.silent.forget(s)
	errs := make([]error, len(s.links))
	var wg sync.WaitGroup
	for i, k := range s.links {
		k.mu.Lock()
		to := k.session
		k.session = nil
		k.mu.Unlock()
		if to != nil {
			wg.Go(func() { errs[i] = to.Close(ctx) })
		}
	}
	wg.Wait()
	return errors.Join(errs...)
}

// retryLink is how long a member that could not be reached is not tried again.
const retryLink = 2 * time.Second

// openLink bounds the opening of a session, which goes on after its caller gave up: a
// child process may take its time to start.
const openLink = time.Minute
