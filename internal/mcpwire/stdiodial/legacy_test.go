package stdiodial

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"sluice/internal/mcpwire/exchange"
)

func TestLegacySession(t *testing.T) {
	t.Parallel()
	b := setup(t, "legacy")
	s := b.open(t, "a")
	if !s.Stateful() {
		t.Error("a child process keeps no session?")
	}
	out := newSink()
	if err := s.Call(within(t), sent(t, "a", legacyTool(`"n"`, "progress", "")), out); err != nil {
		t.Fatal(err)
	}
	if len(out.events) != 3 || text(t, out.final) != "done" || !strings.Contains(out.final, `"id":"n"`) {
		t.Errorf("events %v, answer %s", out.events, out.final)
	}
	other := b.open(t, "a")
	if n := b.Children(); n != 2 {
		t.Errorf("two sessions have %d children", n)
	}
	if err := s.Close(within(t)); err != nil {
		t.Error(err)
	}
	wantCode(t, s.Call(within(t), sent(t, "a", legacyTool("2", "pid", "")), newSink()), exchange.SessionLost)
	if err := other.Call(within(t), sent(t, "a", legacyTool("2", "pid", "")), newSink()); err != nil {
		t.Errorf("closing one session hurt another: %v", err)
	}
}

func TestRefusedInitialize(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern")
	out := newSink()
	s, err := b.Initialize(within(t), sent(t, "a", hello), out)
	if err != nil || s != nil {
		t.Fatalf("session %v, error %v", s, err)
	}
	if !strings.Contains(out.final, "-32022") {
		t.Errorf("the client was told %s", out.final)
	}
	eventually(t, "the child is ended", func() bool { return b.Children() == 0 })
}

func TestProbedChildBecomesTheSessions(t *testing.T) {
	t.Parallel()
	b := setup(t, "legacy")
	discover := strings.Replace(tool("1", "x", "", ""), "tools/call", "server/discover", 1)
	out := newSink()
	if err := b.Call(within(t), sent(t, "a", discover), out); err != nil || !strings.Contains(out.final, "-32601") {
		t.Fatalf("%v %s", err, out.final)
	}
	s := b.open(t, "a")
	if n := b.Children(); n != 1 {
		t.Errorf("%d children", n)
	}
	out = newSink()
	if err := s.Call(within(t), sent(t, "a", legacyTool("5", "seen", "")), out); err != nil {
		t.Fatal(err)
	}
	if seen := text(t, out.final); !strings.Contains(seen, "server/discover") || !strings.Contains(seen, "notifications/initialized") {
		t.Errorf("the child saw %s", seen)
	}
}

func TestServerRequestIsAnsweredByTheClient(t *testing.T) {
	t.Parallel()
	b := setup(t, "legacy")
	s := b.open(t, "a")
	out := newSink()
	done := make(chan error, 1)
	go func() { done <- s.Call(within(t), sent(t, "a", legacyTool("3", "ask", "")), out) }()
	asked := <-out.came
	if !strings.Contains(asked, `"id":"s-1","method":"elicitation/create"`) {
		t.Fatalf("asked with %s", asked)
	}
	answer := `{"jsonrpc":"2.0","id":"s-1","result":{"action":"accept","n":9007199254740993}}`
	if err := s.Notify(within(t), sent(t, "a", answer)); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.final, `"answer":{"action":"accept","n":9007199254740993}`) {
		t.Errorf("the server was answered %s", out.final)
	}
}

func TestPingOfTheServerWithoutAStream(t *testing.T) {
	t.Parallel()
	b := setup(t, "legacy")
	s := b.open(t, "a").(*session)
	s.incoming(s.kid, message(t, `{"jsonrpc":"2.0","id":"s-1","method":"ping"}`))
	out := newSink()
	if err := s.Call(within(t), sent(t, "a", legacyTool("4", "seen", "")), out); err != nil {
		t.Fatal(err)
	}
	if seen := text(t, out.final); !strings.Contains(seen, `"id":"s-1","result":{}`) {
		t.Errorf("the child saw %s", seen)
	}
}

func TestNewsGoToTheListener(t *testing.T) {
	t.Parallel()
	b := setup(t, "legacy")
	s := b.open(t, "a")
	ctx, cancel := context.WithCancel(within(t))
	stream, done := newSink(), make(chan error, 1)
	listen := func(ctx context.Context) { done <- s.Listen(ctx, nil, "", stream) }
	go listen(ctx)
	change := func() *sink {
		out := newSink()
		if err := s.Call(within(t), sent(t, "a", legacyTool("3", "changed", "")), out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	eventually(t, "news on the stream", func() bool {
		change()
		select {
		case got := <-stream.came:
			return strings.Contains(got, "list_changed")
		default:
			return false
		}
	})
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	// Without a listener, the call that runs carries them.
	if out := change(); len(out.events) != 1 {
		t.Errorf("the call carried %v", out.events)
	}
}

func TestWhatComesBetweenCallsWaitsForAListener(t *testing.T) {
	t.Parallel()
	b := setup(t, "legacy")
	s := b.open(t, "a").(*session)
	s.incoming(s.kid, message(t, `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`))
	s.incoming(s.kid, message(t, `{"jsonrpc":"2.0","id":"q","method":"roots/list"}`))
	stream := newSink()
	ctx, cancel := context.WithCancel(within(t))
	done := make(chan error, 1)
	go func() { done <- s.Listen(ctx, nil, "", stream) }()
	for _, want := range []string{"list_changed", "roots/list"} {
		if got := <-stream.came; !strings.Contains(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	// The newest listener takes over; the one before ends in order.
	ctx2, cancel2 := context.WithCancel(within(t))
	done2 := make(chan error, 1)
	go func() { done2 <- s.Listen(ctx2, nil, "", stream) }()
	if err := <-done; err != nil {
		t.Error(err)
	}
	cancel()
	cancel2()
	gone(t, <-done2)
}

func TestLegacyCancellation(t *testing.T) {
	t.Parallel()
	b := setup(t, "legacy")
	s := b.open(t, "a")
	slow := func(ctx context.Context, id, arguments string) (*sink, chan error) {
		out, done := newSink(), make(chan error, 1)
		go func() { done <- s.Call(ctx, sent(t, "a", legacyTool(id, "slow", arguments)), out) }()
		<-out.came
		return out, done
	}
	seen := func() string {
		out := newSink()
		if err := s.Call(within(t), sent(t, "a", legacyTool("99", "cancelled", "")), out); err != nil {
			t.Fatal(err)
		}
		return text(t, out.final)
	}
	// By the client: passed on, once; the server may answer all the same.
	out, done := slow(within(t), `"x"`, `{"text":"late"}`)
	if err := s.Notify(within(t), sent(t, "a", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"x"}}`)); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || text(t, out.final) != "too late" {
		t.Errorf("%v, %s", err, out.final)
	}
	if got := seen(); got != `"x"` {
		t.Errorf("the server was told %s", got)
	}
	// By the face, which ended the context.
	ctx, cancel := context.WithCancel(within(t))
	_, done = slow(ctx, `7`, "")
	cancel()
	gone(t, <-done)
	eventually(t, "the server is told", func() bool { return seen() == `"x" 7` })
	// A cancellation that overtakes its request finds it later.
	if err := s.Notify(within(t), sent(t, "a", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":8}}`)); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.Call(within(t), sent(t, "a", legacyTool("8", "slow", "")), newSink()), exchange.BrokeOff)
}

func TestSameIDTwiceInASession(t *testing.T) {
	t.Parallel()
	b := setup(t, "legacy")
	s := b.open(t, "a")
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	out, done := newSink(), make(chan error, 1)
	go func() { done <- s.Call(ctx, sent(t, "a", legacyTool("1", "slow", "")), out) }()
	<-out.came
	second := newSink()
	if err := s.Call(within(t), sent(t, "a", legacyTool("1", "id", "")), second); err != nil {
		t.Fatal(err)
	}
	if got := text(t, second.final); got == "1" || !strings.Contains(second.final, `"id":1,`) {
		t.Errorf("the child saw id %s, the client %s", got, second.final)
	}
	cancel()
	gone(t, <-done)
}

func TestSessionIsLostWithItsChild(t *testing.T) {
	t.Parallel()
	b := setup(t, "legacy", func(o *Options) { o.BackOff = time.Millisecond })
	s := b.open(t, "a")
	done := make(chan error, 1)
	go func() { done <- s.Listen(within(t), nil, "", newSink()) }()
	wantCode(t, s.Call(within(t), sent(t, "a", legacyTool("1", "crash", "")), newSink()), exchange.BrokeOff)
	wantCode(t, s.Call(within(t), sent(t, "a", legacyTool("2", "pid", "")), newSink()), exchange.SessionLost)
	wantCode(t, s.Notify(within(t), sent(t, "a", `{"jsonrpc":"2.0","method":"notifications/x"}`)), exchange.SessionLost)
	if err := <-done; err != nil {
		wantCode(t, err, exchange.SessionLost)
	}
	b.open(t, "a")
}

func TestUnusedSessionSurvivesItsChild(t *testing.T) {
	t.Parallel()
	b := setup(t, "legacy", func(o *Options) { o.BackOff = time.Millisecond })
	s := b.open(t, "a").(*session)
	before := s.kid.cmd.Process.Pid
	killGroup(s.kid.cmd.Process, true)
	<-s.kid.exited
	out := newSink()
	if err := s.Call(within(t), sent(t, "a", legacyTool("1", "seen", "")), out); err != nil {
		t.Fatal(err)
	}
	if seen := text(t, out.final); !strings.Contains(seen, "initialize") || !strings.Contains(seen, "notifications/initialized") {
		t.Errorf("the new child saw %s", seen)
	}
	if s.kid.cmd.Process.Pid == before {
		t.Error("the child is the old one")
	}
}

func TestSessionClosedWhileItsChildIsReplaced(t *testing.T) {
	t.Parallel()
	b := setup(t, "legacy", func(o *Options) { o.BackOff = waitOut })
	s := b.open(t, "a").(*session)
	killGroup(s.kid.cmd.Process, true)
	<-s.kid.exited
	done := make(chan error, 1)
	go func() { done <- s.Call(within(t), sent(t, "a", legacyTool("1", "pid", "")), newSink()) }()
	eventually(t, "the back-off is waited for", func() bool {
		if s.restart.TryLock() {
			s.restart.Unlock()
			return false
		}
		return true
	})
	if err := s.Close(within(t)); err != nil {
		t.Fatal(err)
	}
	wantCode(t, <-done, exchange.SessionLost)
	eventually(t, "no child is left for a session that is closed", func() bool { return b.Children() == 0 })
}

func TestProgressOfATaskGoesOnAfterItsAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t, "legacy")
	s := b.open(t, "a").(*session)
	begin := strings.Replace(legacyTool(`"tok"`, "task", ""), `"name"`, `"task":{"ttl":1000},"name"`, 1)
	if err := s.Call(within(t), sent(t, "a", begin), newSink()); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{`"other"`, `"tok"`} {
		s.kid.route(message(t, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":`+token+`,"progress":1}}`))
	}
	if len(s.waiting) != 1 || !strings.Contains(string(s.waiting[0].Data), `"progressToken":"tok"`) {
		t.Errorf("for the client there is %v", s.waiting)
	}
}

func TestWhatWaitsForAListenerIsBounded(t *testing.T) {
	t.Parallel()
	b := setup(t, "legacy")
	s := b.open(t, "a").(*session)
	for range 10 {
		s.later(exchange.Event{Data: make([]byte, 4<<20)})
	}
	if n := len(s.waiting); n != inboxBytes/(4<<20) {
		t.Errorf("%d messages of 4 MiB wait", n)
	}
}
