package gateway

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

const (
	// A silent member is asked again as a dead one is: sooner, then ever later.
	firstAgain = 250 * time.Millisecond
	longAgain  = 30 * time.Second
	// askedAgain is how long it may then take; nobody waits for it.
	askedAgain = 30 * time.Second
	// mostAgain bounds how often it is asked before somebody wants it again.
	mostAgain = 10
	// mostSilent bounds what is remembered.
	mostSilent = 10_000
)

// party is one conversation with one member: a session, or all modern calls of a
// caller, whose child or credential may be theirs alone; or the opening of a caller's
// sessions.
type party struct {
	caller  string
	opening bool
	session *session
	member  int
}

// pause is what is known of a party that missed its time.
type pause struct {
	question func(context.Context) error // that it missed; nil: somebody else asks
	tries    int
	asking   bool
}

// silent remembers who missed their time where the answers of several become one.
// They are left out at once and asked in the background until they answer in time: one
// that hangs must not make everybody wait at every question.
type silent struct {
	wait  time.Duration
	names func(member int) string
	log   *slog.Logger
	some  atomic.Int32 // length of of; most of the time nobody is silent
	mu    sync.Mutex
	of    map[party]*pause
	told  map[int]bool  // members that the log calls silent
	heard []atomic.Bool // members that ever answered somebody
}

func newSilent(members []Member, o AggregateOptions) *silent {
	return &silent{
		wait: o.Wait, names: func(i int) string { return members[i].Name }, log: o.Log,
		of: map[party]*pause{}, told: map[int]bool{}, heard: make([]atomic.Bool, len(members)),
	}
}

// is reports whether a party is silent.
func (s *silent) is(p party) bool {
	if s.some.Load() == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of[p] != nil
}

// missed notes that a party did not answer in time.
func (s *silent) missed(p party, question func(context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[p] != nil || len(s.of) >= mostSilent {
		return
	}
	s.of[p] = &pause{question: question}
	s.some.Store(int32(len(s.of)))
	if !s.told[p.member] {
		s.told[p.member] = true
		s.log.Warn("a server does not answer; it is left out of merged answers until it does", "server", s.names(p.member), "waited", s.wait)
	}
}

// answered notes that a party answered in time.
func (s *silent) answered(p party) {
	s.heard[p.member].Store(true)
	if s.some.Load() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[p] == nil {
		return
	}
	s.drop(p)
	if s.told[p.member] {
		delete(s.told, p.member)
		s.log.Warn("a server that was silent answers again", "server", s.names(p.member))
	}
}

// forget drops what is known of a session that ended.
func (s *silent) forget(of *session) {
	if s.some.Load() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.of {
		if p.session == of {
			s.drop(p)
		}
	}
}

func (s *silent) drop(p party) {
	delete(s.of, p)
	s.some.Store(int32(len(s.of)))
}

// again sees to it that a silent party is being asked. start runs what it is given
// beside everything else; false when it can't any more.
func (s *silent) again(p party, start func(func(context.Context)) bool) {
	s.mu.Lock()
	k := s.of[p]
	if k == nil || k.asking || k.question == nil {
		s.mu.Unlock()
		return
	}
	k.asking = true
	s.mu.Unlock()
	if !start(func(ctx context.Context) { s.ask(ctx, p, k) }) {
		s.rest(k)
	}
}

func (s *silent) rest(k *pause) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k.asking = false
}

func (s *silent) ask(ctx context.Context, p party, k *pause) {
	defer s.rest(k)
	for range mostAgain {
		if !sleep(ctx, min(firstAgain<<min(k.tries, 10), longAgain)) || !s.is(p) {
			return
		}
		k.tries++
		begun := time.Now()
		limited, cancel := context.WithTimeout(ctx, max(askedAgain, s.wait))
		err := k.question(limited)
		cancel()
		if err == nil && time.Since(begun) <= s.wait {
			s.answered(p)
			return
		}
	}
}

// refusal is why a silent member is not asked now.
func (s *silent) refusal(member int) error {
	name := s.names(member)
	return &exchange.Error{Code: exchange.BackingOff, Message: named(name) + " does not answer, and is being asked again in the background",
		Fix: "see what holds it up: `sluice server check " + name + "`; calls work again once it answers"}
}

// hold refuses a call to a silent member where waiting leads nowhere: it never
// answered anybody, or it is only guessed that the call is for it. One that did answer
// before may be busy, and takes the call when it is not.
func (a *aggregate) hold(to reach, member int, guess bool) error {
	p := to.party(member)
	if !a.silent.is(p) || !guess && a.silent.heard[member].Load() {
		return nil
	}
	a.silent.again(p, to.beside)
	return a.silent.refusal(member)
}

// named is how messages speak of a server.
func named(name string) string { return "server " + string(mcpwire.Quote(name)) }

// repeat is a question once more, in the background. What it is about has no place in
// an answer, so that its id is ours.
func repeat(c *exchange.Call, to reach, member int) func(context.Context) error {
	c = keep(c)
	n := 0
	return func(ctx context.Context) error {
		n++ // a late answer to the one before is none to this one
		again, err := edited(c, mcpwire.Edit{Span: c.Message.ID, With: mcpwire.Quote("sluice-ask-again-" + strconv.Itoa(n))})
		if err != nil {
			return err
		}
		return to.call(ctx, member, again, &capture{})
	}
}
