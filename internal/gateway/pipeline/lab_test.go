package pipeline_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/gateway/pipeline"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/registry"
	"sluice/internal/secret"
	"sluice/policy"
)

// lab is a pipeline with everything around it in memory: subjects that a test changes, a
// store, and an upstream that answers from a script.
type lab struct {
	t     testing.TB
	dir   *directory
	store *memory
	up    *script
	pipe  *pipeline.Pipeline
	keys  *secret.Keyring
	front exchange.Upstream // the pipeline around up
	// expires is when what the caller of a stream shows is over.
	expires time.Time
}

const labServer = "lab"

// newLab lets the caller "ann" use the server under some policies.
func newLab(t testing.TB, documents ...string) *lab {
	t.Helper()
	l := &lab{t: t, dir: newDirectory(), store: newMemory(), up: &script{}}
	l.dir.put("ann", subject(t, "ann", documents...))
	l.pipe = l.newPipeline(nil)
	l.front = l.pipe.Wrap(l.up)
	return l
}

func (l *lab) newPipeline(link func(string) string) *pipeline.Pipeline {
	l.t.Helper()
	if l.keys == nil {
		keys, err := secret.OpenKeyring(filepath.Join(l.t.TempDir(), "key"), true)
		if err != nil {
			l.t.Fatal(err)
		}
		l.keys = keys
	}
	return pipeline.New(pipeline.Options{Directory: l.dir, Store: l.store, Keys: l.keys, Server: labServer, Link: link})
}

// subject is a caller under policies, the server's own first.
func subject(t testing.TB, grant string, documents ...string) *pipeline.Subject {
	t.Helper()
	s := &pipeline.Subject{Workspace: "default", Server: labServer, Grant: grant, GrantName: grant}
	for i, text := range documents {
		d, faults := policy.Parse([]byte(text))
		if d == nil {
			t.Fatalf("the policy is not valid: %v", faults)
		}
		sum := sha256.Sum256(d.Canonical())
		s.Policies = append(s.Policies, pipeline.Bound{
			ID: "pol_" + strconv.Itoa(i), Name: "p" + strconv.Itoa(i), Version: 1, Hash: string(sum[:]), Mode: registry.Enforce, Policy: d.Compile(),
		})
	}
	return s
}

// directory knows the subjects of a test.
type directory struct {
	mu   sync.Mutex
	all  map[string]*pipeline.Subject
	news chan struct{}
}

func newDirectory() *directory {
	return &directory{all: map[string]*pipeline.Subject{}, news: make(chan struct{})}
}

func (d *directory) Subject(c exchange.Caller, _ string) *pipeline.Subject {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.all[c.ID]
}

func (d *directory) Changed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.news
}

// put gives a caller a subject; nil takes it away.
func (d *directory) put(caller string, s *pipeline.Subject) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all[caller] = s
	close(d.news)
	d.news = make(chan struct{})
}

// memory is a store of one process.
type memory struct {
	enforce.Store // what a test does not need is not there

	mu      sync.Mutex
	book    *enforce.Book
	records []audit.Call
	moved   chan struct{} // closed when an approval was
	n       int
}

func newMemory() *memory { return &memory{book: enforce.NewBook(), moved: make(chan struct{})} }

func (m *memory) Reserve(_ context.Context, r *enforce.Request) (enforce.Reply, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	reply := m.book.Admit(time.Now(), r)
	m.records = append(m.records, r.Call)
	return reply, nil
}

func (m *memory) Settle(_ context.Context, s *enforce.Settlement) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.book.Settle(time.Now(), s)
	return nil
}

func (m *memory) Record(_ context.Context, calls ...audit.Call) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records = append(m.records, calls...)
	return nil
}

func (m *memory) Park(_ context.Context, p *enforce.Parking) (*enforce.Approval, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, stored, err := m.book.Park(time.Now(), "apr_"+strconv.Itoa(m.n+1), p)
	if stored {
		m.n++
		m.records = append(m.records, p.Call)
	}
	return a, err
}

func (m *memory) Decide(_ context.Context, d enforce.Decision) (*enforce.Approval, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, err := m.book.Decide(time.Now(), &d)
	close(m.moved)
	m.moved = make(chan struct{})
	return a, err
}

func (m *memory) Cancel(_ context.Context, c enforce.Cancellation) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.book.Cancel(time.Now(), &c)), nil
}

func (m *memory) Approval(_ context.Context, id string) (*enforce.Approval, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a := m.book.Approval(id); a != nil {
		return a, nil
	}
	return nil, enforce.ErrNotFound
}

func (m *memory) Approvals(_ context.Context, f enforce.ApprovalFilter) ([]enforce.Approval, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.book.Approvals(&f), nil
}

func (m *memory) Await(ctx context.Context, id string) (*enforce.Approval, error) {
	for {
		m.mu.Lock()
		a, moved := m.book.Approval(id), m.moved
		m.mu.Unlock()
		switch {
		case a == nil:
			return nil, enforce.ErrNotFound
		case a.State != enforce.Pending:
			return a, nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// decided is what was recorded of decisions, as "decision code tool".
func (m *memory) decided() (lines []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.records {
		lines = append(lines, strings.TrimSpace(r.Decision+" "+r.Code+" "+r.Tool))
	}
	return lines
}

// pending waits for the one approval that is.
func (m *memory) pending(t *testing.T) *enforce.Approval {
	t.Helper()
	all, err := m.Approvals(t.Context(), enforce.ApprovalFilter{State: enforce.Pending})
	if err != nil || len(all) != 1 {
		t.Fatalf("%d approvals are pending (%v)", len(all), err)
	}
	return &all[0]
}

// script is an upstream that answers by functions, and notes what reached it.
type script struct {
	told   chan string                   // what has no answer, as it comes; nil: nobody waits for it
	list   func(c *exchange.Call) string // the result of tools/list
	answer func(ctx context.Context, c *exchange.Call, out exchange.Sink) (handled bool, err error)
	listen func(ctx context.Context, last string, out exchange.Sink) error
	hello  string

	quiet bool // it notes nothing

	mu    sync.Mutex
	heard []string // bodies
}

func (u *script) log() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.heard)
}

// methods counts what reached the upstream.
func (u *script) methods() map[string]int {
	n := map[string]int{}
	for _, raw := range u.log() {
		if m, err := mcpwire.ParseReply([]byte(raw), mcpwire.Limits{}); err == nil {
			n[m.Method]++
		}
	}
	return n
}

func (u *script) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	if !u.quiet {
		u.mu.Lock()
		u.heard = append(u.heard, string(c.Message.Raw))
		u.mu.Unlock()
	}
	if u.answer != nil {
		if handled, err := u.answer(ctx, c, out); handled || err != nil {
			return err
		}
	}
	result := `{"content":[]}`
	if c.Message.Method == mcpwire.MethodToolsList && u.list != nil {
		result = u.list(c)
	}
	return final(out, c, result)
}

func (u *script) Notify(_ context.Context, c *exchange.Call) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.heard = append(u.heard, string(c.Message.Raw))
	if u.told != nil {
		u.told <- string(c.Message.Raw)
	}
	return nil
}

func (u *script) Initialize(_ context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
	hello := u.hello
	if hello == "" {
		hello = `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}`
	}
	return &scriptSession{u}, final(out, c, hello)
}

func (u *script) Resume(context.Context, *exchange.Call) (exchange.Session, error) {
	return &scriptSession{u}, nil
}
func (u *script) Close(context.Context) error { return nil }

type scriptSession struct{ *script }

func (s *scriptSession) Listen(ctx context.Context, _ *exchange.Call, last string, out exchange.Sink) error {
	if s.listen == nil {
		return exchange.ErrNoStream
	}
	return s.listen(ctx, last, out)
}
func (s *scriptSession) Stateful() bool              { return true }
func (s *scriptSession) Close(context.Context) error { return nil }

func final(out exchange.Sink, c *exchange.Call, result string) error {
	return out.Send(exchange.Event{Data: mcpwire.BuildResult(c.Message.Bytes(c.Message.ID), []byte(result)), Final: true})
}

func failure(out exchange.Sink, c *exchange.Call, code int, text string) error {
	return out.Send(exchange.Event{Data: mcpwire.BuildError(c.Message.Bytes(c.Message.ID), code, text, nil), Final: true})
}

// tape records what a client hears.
type tape struct {
	mu     sync.Mutex
	events []string
	said   chan struct{}
}

func newTape() *tape { return &tape{said: make(chan struct{}, 1000)} }

func (r *tape) Send(e exchange.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, string(e.Data))
	r.said <- struct{}{}
	return nil
}

// next waits for one more event.
func (r *tape) next(t *testing.T) string {
	t.Helper()
	select {
	case <-r.said:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was said")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.events[len(r.events)-1-len(r.said)]
}

func (r *tape) last(t testing.TB) string {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) == 0 {
		t.Fatal("there is no answer")
	}
	return r.events[len(r.events)-1]
}

const modernMeta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":`

// modern is a call of a modern client. caps are its capabilities.
func modern(t testing.TB, id, method, params, caps string) *exchange.Call {
	t.Helper()
	if params != "" {
		params += ","
	}
	c := message(t, `{"jsonrpc":"2.0","id":`+id+`,"method":"`+method+`","params":{`+params+modernMeta+caps+`}}}`)
	c.Era, c.Version = mcpwire.Modern, mcpwire.Version20260728
	return c
}

func message(t testing.TB, raw string) *exchange.Call {
	t.Helper()
	m, err := mcpwire.Parse([]byte(raw), mcpwire.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return &exchange.Call{Message: &m, Caller: exchange.Caller{ID: "ann"}, Server: labServer, Era: mcpwire.Legacy, Version: mcpwire.Version20251125}
}

func legacy(t testing.TB, id, method, params string) *exchange.Call {
	t.Helper()
	return message(t, `{"jsonrpc":"2.0","id":`+id+`,"method":"`+method+`","params":{`+params+`}}`)
}

// say makes a modern call and returns the final message.
func (l *lab) say(id, method, params string) string {
	l.t.Helper()
	return l.with(l.front, modern(l.t, id, method, params, `{}`))
}

func (l *lab) with(up interface {
	Call(context.Context, *exchange.Call, exchange.Sink) error
}, c *exchange.Call) string {
	l.t.Helper()
	out := newTape()
	if err := up.Call(l.t.Context(), c, out); err != nil {
		var e *exchange.Error
		if errors.As(err, &e) {
			return string(e.Response(c.Message.Bytes(c.Message.ID)))
		}
		l.t.Fatal(err)
	}
	return out.last(l.t)
}

// open begins a legacy session.
func (l *lab) open(caps string) exchange.Session {
	l.t.Helper()
	s, err := l.front.Initialize(l.t.Context(), legacy(l.t, "0", "initialize", `"protocolVersion":"2025-11-25","capabilities":`+caps+`,"clientInfo":{"name":"c","version":"1"}`), newTape())
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}
