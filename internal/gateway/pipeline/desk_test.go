package pipeline_test

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/gateway/pipeline"
	"sluice/internal/mcpwire"
	"sluice/internal/secret"
)

// desk is a pipeline whose store keeps what it was told and whose clock a test moves.
type desk struct {
	*lab
	books   *books
	keys    *secret.Keyring
	metrics *pipeline.Metrics
	pipe    *pipeline.Pipeline
}

func newDesk(t *testing.T, documents ...string) *desk {
	t.Helper()
	l := newLab(t, documents...)
	d := &desk{lab: l, books: newBooks()}
	keys, err := secret.OpenKeyring(filepath.Join(t.TempDir(), "key"), true)
	if err != nil {
		t.Fatal(err)
	}
	d.keys, d.metrics = keys, pipeline.NewMetrics()
	d.pipe = pipeline.New(pipeline.Options{
		Directory: l.dir, Store: d.books, Keys: keys, Server: labServer, Now: d.books.clock, Metrics: d.metrics,
		Notify: func(string, *enforce.Approval) { d.books.notified++ },
	})
	d.front = d.pipe.Wrap(l.up)
	return d
}

// call calls a tool as a modern client and returns the answer.
func (d *desk) call(tool, arguments string) *answer {
	d.t.Helper()
	return readAnswer(d.t, d.say("7", "tools/call", `"name":`+string(mcpwire.Quote(tool))+`,"arguments":`+arguments))
}

// answer is the final message of a call as a client reads it.
type answer struct {
	raw     string
	failed  int    // error.code; 0: a result
	isError bool   // of a result
	text    string // of its content, or of the error
	kind    string // resultType
	policy  mcpwire.Span
	m       mcpwire.Message
}

func readAnswer(t testing.TB, raw string) *answer {
	t.Helper()
	m, err := mcpwire.ParseReply([]byte(raw), mcpwire.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	a := &answer{raw: raw, m: m}
	if m.Kind == mcpwire.Failure {
		a.failed, _ = strconv.Atoi(string(m.Bytes(mcpwire.Member(m.Raw, m.Error, "code"))))
		a.text, _ = m.Text(mcpwire.Member(m.Raw, m.Error, "message"))
		return a
	}
	a.isError = string(m.Bytes(mcpwire.Member(m.Raw, m.Result, "isError"))) == "true"
	a.kind, _ = m.Text(mcpwire.Member(m.Raw, m.Result, "resultType"))
	for e := range mcpwire.Elements(m.Raw, mcpwire.Member(m.Raw, m.Result, "content")) {
		a.text, _ = m.Text(mcpwire.Member(m.Raw, e, "text"))
	}
	a.policy = mcpwire.Lookup(m.Raw, m.Result, "_meta", "sluice/policy")
	return a
}

// says is a member of _meta["sluice/policy"], as text or as it is written.
func (a *answer) says(name string) string {
	at := mcpwire.Member(a.m.Raw, a.policy, name)
	if text, ok := a.m.Text(at); ok {
		return text
	}
	return string(a.m.Bytes(at))
}

// code is why the gateway did not forward the call; empty when it did.
func (a *answer) code() string { return a.says("code") }

// books is a store of one process with a clock, which can break.
type books struct {
	*memory
	mu       sync.Mutex
	now      time.Time
	broken   error // of everything
	calls    []audit.Call
	settled  []enforce.Settlement
	kept     [][]byte // arguments for replay
	notified int
	onSettle func(*enforce.Settlement)
	onPark   func()
	onAwait  func() error
}

func newBooks() *books {
	return &books{memory: newMemory(), now: time.Date(2026, 7, 28, 10, 4, 18, 0, time.UTC)}
}

func (b *books) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *books) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

var errBroken = errors.New("the disk is full")

func (b *books) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = err
}

func (b *books) Reserve(_ context.Context, r *enforce.Request) (enforce.Reply, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken != nil {
		return enforce.Reply{}, b.broken
	}
	reply := b.book.Admit(b.now, r)
	b.calls = append(b.calls, r.Recorded(&reply))
	b.kept = append(b.kept, r.Arguments)
	return reply, nil
}

func (b *books) Settle(_ context.Context, s *enforce.Settlement) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken != nil {
		return b.broken
	}
	if b.book.Settle(b.now, s) {
		b.settled = append(b.settled, *s)
		if b.onSettle != nil {
			b.onSettle(s)
		}
	}
	return nil
}

func (b *books) Record(ctx context.Context, calls ...audit.Call) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.broken == nil {
		b.calls = append(b.calls, calls...)
	}
	return b.broken
}

func (b *books) Park(_ context.Context, p *enforce.Parking) (*enforce.Approval, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken != nil {
		return nil, b.broken
	}
	b.n++
	a, stored, err := b.book.Park(b.now, "apr_"+strconv.Itoa(b.n), p)
	if stored {
		b.calls = append(b.calls, p.Call)
	}
	if b.onPark != nil {
		b.onPark()
	}
	return a, err
}

func (b *books) Await(ctx context.Context, id string) (*enforce.Approval, error) {
	if b.onAwait != nil {
		return nil, b.onAwait()
	}
	return b.memory.Await(ctx, id)
}

func (b *books) Approvals(ctx context.Context, f enforce.ApprovalFilter) ([]enforce.Approval, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken != nil {
		return nil, b.broken
	}
	return b.memory.Approvals(ctx, f)
}

// decide is a person's decision about the one approval that is pending.
func (b *books) decide(t *testing.T, approve bool, reason string) string {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	id := b.memory.pending(t).ID
	b.memory.mu.Lock()
	defer b.memory.mu.Unlock()
	if _, err := b.book.Decide(b.now, &enforce.Decision{ID: id, Approve: approve, By: "mem_1", Via: "cli", Reason: reason}); err != nil {
		t.Fatal(err)
	}
	close(b.moved)
	b.moved = make(chan struct{})
	return id
}

// expire does what every process does now and then.
func (b *books) expire() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.memory.mu.Lock()
	defer b.memory.mu.Unlock()
	b.book.Expire(b.now)
	close(b.moved)
	b.moved = make(chan struct{})
}

// last is the newest record.
func (b *books) last(t *testing.T) audit.Call {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.calls) == 0 {
		t.Fatal("nothing was recorded")
	}
	return b.calls[len(b.calls)-1]
}

// outcome is the newest settlement.
func (b *books) outcome(t *testing.T) enforce.Settlement {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.settled) == 0 {
		t.Fatal("nothing was settled")
	}
	return b.settled[len(b.settled)-1]
}

// forwarded counts the calls that reached the upstream.
func (d *desk) forwarded() int { return d.up.methods()[mcpwire.MethodToolsCall] }
