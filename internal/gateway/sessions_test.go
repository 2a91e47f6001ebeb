package gateway_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/mcpwire/exchange"
)

const initialize = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`

// open opens a session of a legacy client and says that it is ready.
func open(t *testing.T, up exchange.Upstream) (exchange.Session, string) {
	t.Helper()
	out := &inbox{}
	s, err := up.Initialize(t.Context(), legacy(t, initialize), out)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.WithoutCancel(t.Context())) })
	tell(t, s, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return s, out.final(t)
}

func tell(t *testing.T, s exchange.Session, raw string) {
	t.Helper()
	if err := s.Notify(t.Context(), legacy(t, raw)); err != nil {
		t.Fatal(err)
	}
}

// call makes one request of a legacy client.
func call(t *testing.T, s exchange.Session, raw string) string {
	t.Helper()
	out := &inbox{}
	if err := s.Call(t.Context(), legacy(t, raw), out); err != nil {
		t.Fatal(err)
	}
	return out.final(t)
}

// after is what a member heard once it was ready.
func after(f *fake) []string {
	log := f.log()
	for i, line := range log {
		if strings.Contains(line, "notifications/initialized") {
			return log[i+1:]
		}
	}
	return nil
}

func TestTheHandshakeIsMadeWithEveryMember(t *testing.T) {
	t.Parallel()
	a := &fake{hello: `{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"A","version":"1"}}`, answer: says(`{"from":"a"}`)}
	b := &fake{hello: `{"protocolVersion":"2025-11-25","capabilities":{"logging":{}},"serverInfo":{"name":"B","version":"1"},"instructions":"Do b."}`}
	s, got := open(t, aggregate(t, a, b))
	want := `{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{},"logging":{}},` +
		`"serverInfo":{"name":"sluice","version":"0"},"instructions":"# b (names begin with b_)\u000a\u000aDo b."}}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !s.Stateful() {
		t.Error("the client got no session")
	}
	if got := call(t, s, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a_x"}}`); !strings.Contains(got, `"from":"a"`) {
		t.Error(got)
	}
	if diff := cmp.Diff([]string{`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}`}, after(a)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := s.Close(t.Context()); err != nil || a.closed != 1 || b.closed != 1 {
		t.Errorf("%v; closed %d and %d", err, a.closed, b.closed)
	}
	if err := s.Call(t.Context(), legacy(t, `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"a_x"}}`), &inbox{}); !errors.Is(err, &exchange.Error{Code: exchange.SessionLost}) {
		t.Errorf("after the end: %v", err)
	}
}

func TestAMemberThatIsLateJoinsLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		late := &fake{answer: says(`{"tools":[{"name":"y"}]}`), refuse: func() error {
			if time.Since(begun) < time.Minute {
				return errDown
			}
			return nil
		}}
		quick := &fake{answer: says(`{"tools":[{"name":"x"}]}`), listen: func(ctx context.Context, _ string, _ exchange.Sink) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		s, got := open(t, aggregate(t, quick, late))
		if !strings.Contains(got, `"sluice/unavailable":["b"]`) || !strings.Contains(got, `"tools":{"listChanged":true}`) {
			t.Error(got)
		}
		if got := call(t, s, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`); !strings.Contains(got, `[{"name":"a_x"}]`) {
			t.Error(got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		out, ended := &inbox{came: make(chan struct{})}, make(chan struct{})
		go func() { defer close(ended); _ = s.Listen(ctx, legacy(t, initialize), "", out) }()
		<-out.came // the stream tries it again by itself, and the client hears of it
		<-out.came
		<-out.came
		if first := string(out.all()[0].Data); first != `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}` {
			t.Error(first)
		}
		if got := call(t, s, `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`); !strings.Contains(got, `[{"name":"a_x"},{"name":"b_y"}]`) {
			t.Error(got)
		}
		cancel()
		<-ended
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestALostSessionIsOpenedAgainAlone(t *testing.T) {
	t.Parallel()
	lost := false
	b := &fake{}
	b.answer = func(_ context.Context, c *exchange.Call, _ exchange.Sink) (string, error) {
		if lost && c.Message.Method == "tools/call" {
			lost = false
			return "", &exchange.Error{Code: exchange.SessionLost}
		}
		return `{"jsonrpc":"2.0","id":$ID,"result":{}}`, nil
	}
	a := &fake{answer: fails("-32602")}
	s, _ := open(t, aggregate(t, a, b))
	call(t, s, `{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"info"}}`)
	call(t, s, `{"jsonrpc":"2.0","id":2,"method":"resources/subscribe","params":{"uri":"x:1"}}`)
	lost = true
	before := len(b.log())
	if got := call(t, s, `{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"b_x"}}`); !strings.Contains(got, "result") {
		t.Error(got)
	}
	want := []string{
		`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"x"}}`,
		initialize,
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`,
		`{"jsonrpc":"2.0","id":"sluice-again-a","method":"logging/setLevel","params":{"level":"info"}}`,
		`{"jsonrpc":"2.0","id":"sluice-again-b","method":"resources/subscribe","params":{"uri":"x:1"}}`,
		`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"x"}}`,
	}
	if diff := cmp.Diff(want, b.log()[before:]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if a.opened != 1 {
		t.Errorf("the other member was opened %d times", a.opened)
	}
	if err := s.Close(t.Context()); err != nil || b.opened != 2 || b.closed != 2 {
		t.Errorf("%v; %d sessions were opened and %d closed", err, b.opened, b.closed)
	}
}

func TestRequestsOfMembersFindTheirAnswers(t *testing.T) {
	t.Parallel()
	asks := func(id string) *fake {
		f := &fake{}
		f.answer = func(_ context.Context, _ *exchange.Call, out exchange.Sink) (string, error) {
			for _, data := range []string{
				`{"jsonrpc":"2.0","id":` + id + `,"method":"sampling/createMessage","params":{"_meta":{"progressToken":1},"x":9007199254740993}}`,
				`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":` + id + `}}`,
			} {
				if err := out.Send(exchange.Event{Data: []byte(data), HasID: true, ID: "e1"}); err != nil {
					return "", err
				}
			}
			return `{"jsonrpc":"2.0","id":$ID,"result":{}}`, nil
		}
		return f
	}
	a, b := asks("1"), asks(`"1"`)
	s, _ := open(t, aggregate(t, a, b))
	var ids []string
	for _, name := range []string{"a_x", "b_x"} {
		out := &inbox{}
		if err := s.Call(t.Context(), legacy(t, `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"`+name+`"}}`), out); err != nil {
			t.Fatal(err)
		}
		events := out.all()
		m := legacy(t, string(events[0].Data)).Message
		id := string(m.Bytes(m.ID))
		token := string(m.Bytes(m.ProgressToken))
		if want := `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":` + id + `}}`; string(events[1].Data) != want {
			t.Errorf("%s, want %s", events[1].Data, want)
		}
		tell(t, s, `{"jsonrpc":"2.0","id":`+id+`,"result":{"from":"`+name+`"}}`)
		tell(t, s, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":`+token+`,"progress":1}}`)
		ids = append(ids, id, events[0].ID)
	}
	if ids[0] == ids[2] || ids[1] == ids[3] {
		t.Errorf("two members' ids can't be told apart: %q", ids)
	}
	for i, f := range []*fake{a, b} {
		id := []string{"1", `"1"`}[i]
		want := []string{
			`{"jsonrpc":"2.0","id":` + id + `,"result":{"from":"` + []string{"a_x", "b_x"}[i] + `"}}`,
			`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}`,
		}
		if diff := cmp.Diff(want, after(f)[1:]); diff != "" {
			t.Errorf("member %d (-want +got):\n%s", i, diff)
		}
	}
	for _, forged := range []string{`"0.e30"`, `"7.MQ"`, `"0.MSwiYSI6MQ"`, `4`, `"x"`} {
		before := len(a.log()) + len(b.log())
		tell(t, s, `{"jsonrpc":"2.0","id":`+forged+`,"result":{}}`)
		if len(a.log())+len(b.log()) != before {
			t.Errorf("the answer to %s, which nobody asked, went on", forged)
		}
	}
}

func TestCancellationsGoWhereTheRequestIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := &fake{answer: hangs}, &fake{answer: hangs}
		s, _ := open(t, aggregate(t, a, b))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		c := legacy(t, `{"jsonrpc":"2.0","id":"5","method":"tools/call","params":{"name":"b_x"}}`)
		go func() { defer close(ended); _ = s.Call(ctx, c, &inbox{}) }()
		synctest.Wait()
		tell(t, s, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}`)
		tell(t, s, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"5"}}`)
		cancel()
		<-ended
		if got := after(b)[1:]; len(got) != 1 || !strings.Contains(got[0], `"requestId":"5"`) {
			t.Errorf("heard %q", got)
		}
		if len(after(a)) != 0 {
			t.Errorf("the other member heard %q", after(a))
		}
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestStreamsAreMergedAndResumed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		resumed := make(chan string, 8)
		streams := func(name string, feed <-chan string) *fake {
			return &fake{listen: func(ctx context.Context, last string, out exchange.Sink) error {
				resumed <- name + ":" + last
				for {
					select {
					case id := <-feed:
						if id == "end" {
							return nil
						}
						_ = out.Send(exchange.Event{Data: []byte(`{"jsonrpc":"2.0","method":"notifications/x","params":{"of":"` + name + id + `"}}`), HasID: true, ID: id, Retry: "20"})
					case <-ctx.Done():
						return ctx.Err()
					}
				}
			}}
		}
		feedA, feedB := make(chan string), make(chan string)
		s, _ := open(t, aggregate(t, streams("a", feedA), streams("b", feedB), &fake{}))
		listen := func(last string) (*inbox, func()) {
			ctx, cancel := context.WithCancel(t.Context())
			out, ended := &inbox{came: make(chan struct{})}, make(chan struct{})
			go func() { defer close(ended); _ = s.Listen(ctx, legacy(t, initialize), last, out) }()
			return out, func() { cancel(); <-ended }
		}
		out, leave := listen("")
		<-resumed
		<-resumed
		feedA <- "1"
		<-out.came
		feedB <- "1"
		<-out.came
		feedA <- "end" // the client does not notice
		if got := <-resumed; got != "a:1" {
			t.Errorf("opened again as %s", got)
		}
		feedA <- "2"
		<-out.came
		leave()
		last := out.all()[2].ID
		_, leave = listen(last)
		got := map[string]bool{<-resumed: true, <-resumed: true}
		if !got["a:2"] || !got["b:1"] {
			t.Errorf("the client's last id resumed %v", got)
		}
		leave()
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestTheStreamOfACallIsResumedWhereItCameFrom(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1)
	b := &fake{
		answer: func(_ context.Context, _ *exchange.Call, out exchange.Sink) (string, error) {
			return "", out.Send(exchange.Event{HasID: true, ID: "s.9"})
		},
		listen: func(_ context.Context, last string, _ exchange.Sink) error { got <- last; return nil },
	}
	s, _ := open(t, aggregate(t, &fake{}, b))
	out := &inbox{}
	if err := s.Call(t.Context(), legacy(t, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b_x"}}`), out); err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(t.Context(), legacy(t, initialize), out.all()[0].ID, &inbox{}); err != nil {
		t.Fatal(err)
	}
	if last := <-got; last != "s.9" {
		t.Errorf("resumed after %q", last)
	}
}

func TestAStreamThatNoMemberHasIsRefused(t *testing.T) {
	t.Parallel()
	s, _ := open(t, aggregate(t, &fake{}, &fake{}))
	if err := s.Listen(t.Context(), legacy(t, initialize), "", &inbox{}); !errors.Is(err, exchange.ErrNoStream) {
		t.Errorf("%v", err)
	}
}

func TestEventIDThatAClientMadeUp(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"null", "{}", "[]", `{"0":null}`, `{"7":"x"}`, "not JSON"} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			a := &fake{listen: func(ctx context.Context, _ string, out exchange.Sink) error {
				if err := out.Send(exchange.Event{ID: "1", HasID: true}); err != nil {
					return err
				}
				<-ctx.Done()
				return ctx.Err()
			}}
			s, _ := open(t, aggregate(t, a, &fake{}))
			ctx, cancel := context.WithCancel(t.Context())
			out, ended := &inbox{came: make(chan struct{}, 10)}, make(chan struct{})
			go func() {
				defer close(ended)
				_ = s.Listen(ctx, legacy(t, initialize), "l"+base64.RawURLEncoding.EncodeToString([]byte(text)), out)
			}()
			<-out.came
			cancel()
			<-ended
		})
	}
}
