package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Member is one server of an aggregate.
type Member struct {
	Name string
	// Prefix stands before the names of its tools and prompts and before its task ids.
	// It is taken as it is: no separator is added.
	Prefix   string
	Upstream exchange.Upstream
}

// AggregateOptions builds an aggregate.
type AggregateOptions struct {
	// Name and Version are what it calls itself; "sluice" when empty.
	Name, Version string
	// Wait is how long a member may take where the answers of several become one, 5 s
	// when 0. Who is late is named in the answer and left out of it.
	Wait time.Duration
	Log  *slog.Logger
}

// Keys of `_meta` in merged answers.
const (
	MetaUnavailable = "sluice/unavailable" // names of members that are not in the answer
	MetaDropped     = "sluice/dropped"     // names that could not be carried
)

const (
	defaultWait = 5 * time.Second
	longestName = 128 // of a tool, in the protocol
	longestMark = 64  // of a prefix: names need room too
)

// Aggregate makes one server of several: names carry their member's prefix, lists are
// merged in the order of the members, and everything else goes to the one member it
// names. Answers of one member are not looked at where nothing in them has to change.
func Aggregate(members []Member, o AggregateOptions) (exchange.Upstream, error) {
	if err := CheckPrefixes(members); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Wait, o.Name, o.Version = cmp.Or(o.Wait, defaultWait), cmp.Or(o.Name, "sluice"), cmp.Or(o.Version, "0")
	a := &aggregate{o: o, members: slices.Clone(members), places: newPlaces()}
	a.silent = newSilent(a.members, o)
	a.live, a.end = context.WithCancel(context.Background())
	return a, nil
}

// CheckPrefixes refuses prefixes that leave open whose a name is.
func CheckPrefixes(members []Member) error {
	var errs []error
	for i, m := range members {
		if m.Prefix == "" || len(m.Prefix) > longestMark || !nameLike(m.Prefix) {
			errs = append(errs, fmt.Errorf("server %q: a prefix is 1 to %d of A-Z, a-z, 0-9, `_`, `.` and `-`", m.Name, longestMark))
		}
		for _, other := range members[:i] {
			if strings.HasPrefix(m.Prefix, other.Prefix) || strings.HasPrefix(other.Prefix, m.Prefix) {
				errs = append(errs, fmt.Errorf("servers %q and %q: the prefixes %s and %s overlap, so that a name could be of either", other.Name, m.Name, other.Prefix, m.Prefix))
			}
		}
	}
	if len(members) == 0 {
		errs = append(errs, errors.New("an aggregate needs a member"))
	}
	return errors.Join(errs...)
}

// nameLike reports whether text has the letters of a tool's name only.
func nameLike(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && r != '_' && r != '.' && r != '-'
	}) < 0
}

// aggregate is the upstream that Aggregate makes.
type aggregate struct {
	o       AggregateOptions
	members []Member
	places  *places
	told    sync.Map // warnings that were given already
	warned  atomic.Int32
	silent  *silent

	live   context.Context // of what goes on between calls
	end    context.CancelFunc
	mu     sync.Mutex
	closed bool
	work   sync.WaitGroup
}

// reach is how one conversation comes to a member: a call of its own in the modern
// era, a session in the legacy one.
type reach interface {
	call(ctx context.Context, member int, c *exchange.Call, out exchange.Sink) error
	// party is the conversation with a member, as it is remembered where it is silent.
	party(member int) party
	// beside runs something for as long as the conversation lasts; false when it is over.
	beside(do func(context.Context)) bool
}

// Call answers a modern client.
func (a *aggregate) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	if c.Message.Method == mcpwire.MethodListen {
		return a.listen(ctx, c, out)
	}
	return a.route(ctx, c, out, stateless{a, c.Caller.ID})
}

// Notify tells every member: a notification of a modern client names none.
func (a *aggregate) Notify(ctx context.Context, c *exchange.Call) error {
	a.each(ctx, a.all(), func(ctx context.Context, i int) {
		if err := a.members[i].Upstream.Notify(ctx, a.to(i, c)); err != nil {
			a.o.Log.Debug("a notification was not taken", "server", a.members[i].Name, "error", err)
		}
	})
	return nil
}

// each does something with several members at once, each no longer than the aggregate
// waits: a member that hangs delays no other.
func (a *aggregate) each(ctx context.Context, of []int, do func(ctx context.Context, member int)) {
	if len(of) == 1 { // nobody else waits
		do(ctx, of[0])
		return
	}
	ctx, cancel := context.WithTimeout(ctx, a.o.Wait)
	defer cancel()
	var wg sync.WaitGroup
	for _, i := range of {
		wg.Go(func() { do(ctx, i) })
	}
	wg.Wait()
}

// Close closes every member.
func (a *aggregate) Close(ctx context.Context) error {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.end()
	a.work.Wait()
	errs := make([]error, len(a.members))
	var wg sync.WaitGroup
	for i := range a.members {
		wg.Go(func() { errs[i] = a.members[i].Upstream.Close(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// stateless reaches members for a modern client.
type stateless struct {
	a      *aggregate
	caller string
}

func (s stateless) party(member int) party { return party{caller: s.caller, member: member} }

func (s stateless) beside(do func(context.Context)) bool {
	s.a.mu.Lock()
	defer s.a.mu.Unlock()
	if !s.a.closed {
		s.a.work.Go(func() { do(s.a.live) })
	}
	return !s.a.closed
}

func (s stateless) call(ctx context.Context, i int, c *exchange.Call, out exchange.Sink) error {
	if s.a.mayMakeTask(c) {
		out = &rewriting{out: out, edit: func(m *mcpwire.Message) []mcpwire.Edit { return taskEdits(m, c.Message.Method, s.a.members[i].Prefix) }}
	}
	return s.a.members[i].Upstream.Call(ctx, s.a.to(i, c), out)
}

// to is a call as it goes to a member.
func (a *aggregate) to(i int, c *exchange.Call) *exchange.Call {
	to := *c
	to.Server = a.members[i].Name
	return &to
}

// split finds the member that a prefixed name belongs to; -1 when it is nobody's.
func (a *aggregate) split(name string) (member int, rest string) {
	for i := range a.members {
		if rest, ok := strings.CutPrefix(name, a.members[i].Prefix); ok && rest != "" {
			return i, rest
		}
	}
	return -1, ""
}

// mostWarnings bounds what is remembered of warnings, and so their number.
const mostWarnings = 1000

// warn says something once.
func (a *aggregate) warn(member int, what, name string) {
	if a.warned.Load() >= mostWarnings {
		return
	}
	if _, old := a.told.LoadOrStore(what+"\x00"+a.members[member].Name+"\x00"+name, true); !old {
		a.warned.Add(1)
		a.o.Log.Warn(what, "server", a.members[member].Name, "name", name)
	}
}

// edited is a call with its message spliced. The message was checked when it came in;
// it is read again to find where its parts stand now.
func edited(c *exchange.Call, edits ...mcpwire.Edit) (*exchange.Call, error) {
	raw, err := mcpwire.Splice(c.Message.Raw, edits...)
	if err != nil {
		return nil, err
	}
	m, err := mcpwire.Parse(raw, mcpwire.Limits{Size: len(raw), Depth: anyDepth})
	if err != nil {
		return nil, err
	}
	return c.With(&m), nil
}

// anyDepth: the face has bounded the depth of what came in.
const anyDepth = 1 << 20

// answer ends a call with a result of our own.
func answer(out exchange.Sink, c *exchange.Call, result []byte) error {
	return out.Send(exchange.Event{Data: mcpwire.BuildResult(c.Message.Bytes(c.Message.ID), result), Final: true})
}

// refuse ends a call with an error of the protocol.
func refuse(out exchange.Sink, c *exchange.Call, code int, text string) error {
	return out.Send(exchange.Event{Data: mcpwire.BuildError(c.Message.Bytes(c.Message.ID), code, text, nil), Final: true})
}
