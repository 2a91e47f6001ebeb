package gateway

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Pauses between attempts to open a member's stream again.
const (
	firstPause = time.Second
	longPause  = 30 * time.Second
)

// listen merges the members' streams of a modern client: acknowledged once with what
// they agreed to together, and kept open while a member drops and comes back.
func (a *aggregate) listen(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l := &listener{a: a, c: c, out: &serial{out: out, stop: cancel}, heard: make(chan struct{}, len(a.members))}
	var wg sync.WaitGroup
	for i := range a.members {
		part, asked, err := a.part(c, i)
		if err != nil {
			return err
		}
		if asked {
			l.waiting++
			wg.Go(func() { l.member(ctx, i, part) })
		}
	}
	l.acknowledge(ctx)
	wg.Wait()
	if l.refusals == 0 { // nothing was asked of anybody
		<-ctx.Done()
	}
	if l.out.err != nil || ctx.Err() != nil {
		return errors.Join(l.out.err, ctx.Err())
	}
	// Only refusals end all streams.
	return l.out.Send(exchange.Event{Data: l.refused, Final: true, Status: l.status})
}

// mostListened bounds how many resources, and how many tasks, one stream may name at
// one member.
const mostListened = 1000

// listener is one merged stream.
type listener struct {
	a       *aggregate
	c       *exchange.Call
	out     *serial
	waiting int
	heard   chan struct{} // a token for each member's first word

	mu       sync.Mutex
	agreed   object // the filters that members acknowledged
	said     bool   // we acknowledged
	held     []exchange.Event
	refusals int
	refused  []byte // the first
	status   int
}

// part is the question to one member: URIs and task ids of others are taken out.
// asked is false where nothing is left to ask for.
func (a *aggregate) part(c *exchange.Call, i int) (part *exchange.Call, asked bool, err error) {
	m := c.Message
	filter := mcpwire.Member(m.Raw, m.Params, "notifications")
	var edits []mcpwire.Edit
	for key, value := range mcpwire.Members(m.Raw, filter) {
		name, _ := m.Text(key)
		var mine []string
		switch name {
		case "resourceSubscriptions":
			for at := range mcpwire.Elements(m.Raw, value) {
				uri, _ := m.Text(at)
				if len(mine) == mostListened { // what is beyond is not acknowledged
					break
				}
				if owner, known := a.places.owner(uri); !known || owner == i {
					mine = append(mine, uri)
				}
			}
		case "taskIds":
			for at := range mcpwire.Elements(m.Raw, value) {
				id, _ := m.Text(at)
				if len(mine) == mostListened {
					break
				}
				if owner, bare := a.split(id); owner == i {
					mine = append(mine, bare)
				}
			}
		default:
			asked = asked || string(m.Bytes(value)) != "false"
			continue
		}
		asked = asked || len(mine) > 0
		edits = append(edits, mcpwire.Edit{Span: value, With: quoteAll(mine)})
	}
	part = c
	if len(edits) > 0 {
		part, err = edited(c, edits...)
	}
	return part, asked, err
}

// member keeps one member's stream open until the client leaves or the member refuses.
func (l *listener) member(ctx context.Context, i int, part *exchange.Call) {
	spoke := sync.OnceFunc(func() { l.heard <- struct{}{} })
	defer spoke()
	if l.a.silent.is(stateless{l.a, l.c.Caller.ID}.party(i)) { // it is not waited for
		spoke()
	}
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		s := &listened{l: l, i: i, spoke: spoke}
		err := l.a.members[i].Upstream.Call(ctx, l.a.to(i, part), s)
		if ctx.Err() != nil {
			return
		}
		if s.refused != nil { // an answer, and it is no
			l.mu.Lock()
			if l.refusals++; l.refused == nil {
				l.refused, l.status = s.refused, s.status
			}
			l.mu.Unlock()
			return
		}
		spoke()
		l.a.o.Log.Debug("a stream ended and is opened again", "server", l.a.members[i].Name, "error", err)
		if s.opened {
			pause = firstPause
		}
		if !sleep(ctx, pause) {
			return
		}
	}
}

// acknowledge waits for the first word of each member, but no longer than the
// aggregate waits, and acknowledges once.
func (l *listener) acknowledge(ctx context.Context) {
	late := time.NewTimer(l.a.o.Wait)
	defer late.Stop()
	for range l.waiting {
		select {
		case <-l.heard:
			continue
		case <-late.C:
		case <-ctx.Done():
			return
		}
		break
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting > 0 && l.refusals == l.waiting {
		return // the refusal is the answer
	}
	l.said = true
	m := l.c.Message
	meta := object{fields: []field{{mcpwire.MetaSubscription, m.Bytes(m.ID)}}}
	params := object{fields: []field{{"_meta", meta.bytes()}, {"notifications", l.agreed.bytes()}}}
	_ = l.out.Send(exchange.Event{Data: mcpwire.BuildNotification(mcpwire.MethodAcknowledged, params.bytes())})
	for _, e := range l.held {
		_ = l.out.Send(e)
	}
	l.held = nil
}

// pass sends a member's message, after the acknowledgement at the earliest.
func (l *listener) pass(e exchange.Event) error {
	l.mu.Lock()
	if !l.said {
		e.Data = slices.Clone(e.Data)
		l.held = append(l.held, e)
		l.mu.Unlock()
		return nil
	}
	l.mu.Unlock()
	return l.out.Send(e)
}

// listened takes what comes on one member's stream.
type listened struct {
	l       *listener
	i       int
	spoke   func()
	opened  bool
	refused []byte
	status  int
}

func (s *listened) Send(e exchange.Event) error {
	if len(e.Data) == 0 {
		return nil
	}
	m, err := mcpwire.ParseReply(e.Data, mcpwire.Limits{Size: len(e.Data) + 1, Depth: anyDepth})
	if err != nil {
		return &exchange.Error{Code: exchange.BrokeOff, Message: "the upstream sent what is no message", Cause: err}
	}
	switch {
	case m.Kind == mcpwire.Failure:
		s.refused, s.status = slices.Clone(e.Data), e.Status
		return nil
	case m.Kind == mcpwire.Result: // a graceful end: it is opened again
		return nil
	case m.Method == mcpwire.MethodAcknowledged:
		s.opened = true
		s.agree(&m)
		s.spoke()
		return nil
	}
	e.ID, e.HasID, e.Retry = "", false, ""
	if edits := taskEdits(&m, "", s.l.a.members[s.i].Prefix); len(edits) > 0 {
		if e.Data, err = mcpwire.Splice(e.Data, edits...); err != nil {
			return err
		}
	}
	return s.l.pass(e)
}

// agree adds what a member acknowledged.
func (s *listened) agree(m *mcpwire.Message) {
	raw := m.Raw
	if edits := taskEdits(m, "", s.l.a.members[s.i].Prefix); len(edits) > 0 {
		raw, _ = mcpwire.Splice(raw, edits...)
	}
	again, err := mcpwire.ParseReply(slices.Clone(raw), mcpwire.Limits{Size: len(raw) + 1, Depth: anyDepth})
	if err != nil {
		return
	}
	filter := mcpwire.Member(again.Raw, again.Params, "notifications")
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	for key, value := range mcpwire.Members(again.Raw, filter) {
		name, _ := again.Text(key)
		old := s.l.agreed.find(name)
		if old == nil || len(old.value) == 0 || old.value[0] != '[' {
			continue
		}
		s.l.agreed.set(name, union(old.value, again.Bytes(value)))
	}
	s.l.agreed.merge(again.Raw, filter, nil)
}

// union is a list of strings with those of another that it does not have.
func union(a, b []byte) []byte {
	var all []string
	seen := map[string]bool{}
	for _, list := range [][]byte{a, b} {
		for at := range mcpwire.Elements(list, mcpwire.Span{End: len(list)}) {
			if s, ok := mcpwire.Unquote(list[at.Start:at.End]); ok && !seen[s] {
				seen[s] = true
				all = append(all, s)
			}
		}
	}
	return quoteAll(all)
}

// sleep waits; false when the context ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
