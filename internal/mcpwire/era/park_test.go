package era_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/era"
	"sluice/internal/mcpwire/exchange"
)

// asking is a legacy server whose tool asks these requests and answers with what it
// was told.
func asking(requests ...string) *fake {
	return &fake{legacy: func(ctx context.Context, s *fakeSession, m *mcpwire.Message, out exchange.Sink) error {
		for _, r := range requests {
			if err := say(out, "%s", r); err != nil {
				return err
			}
		}
		var answers []string
		for range requests {
			select {
			case a := <-s.heard:
				answers = append(answers, string(a.Raw))
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		text, _ := json.Marshal(strings.Join(answers, " "))
		return finish(m, out, `{"content":[],"heard":`+string(text)+`}`)
	}}
}

const elicit = `{"jsonrpc":"2.0","id":"srv-1","method":"elicitation/create","params":{"message":"name?","requestedSchema":{"type":"object","properties":{}},"x":1.50}}`
const sample = `{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{"messages":[],"maxTokens":5}}`
const roots = `{"jsonrpc":"2.0","id":"8","method":"roots/list"}`

func TestQuestionInMidCallBecomesInputRequired(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := asking(elicit)
		c := client{t: t, up: facing(t, f, era.Options{}), caps: allCaps}
		first := c.call("1", "tools/call", `"name":"greet","arguments":{"a": 1,"b":[2]}`).last(t)
		same(t, "resultType", at(t, first, "result", "resultType"), `"input_required"`)
		same(t, "question", at(t, first, "result", "inputRequests", "request-1", "params", "x"), "1.50")
		state := at(t, first, "result", "requestState")

		second := c.call("2", "tools/call", `"name":"greet","arguments":{"b":[2],"a":1},"requestState":`+state+
			`,"inputResponses":{"request-1":{"action":"accept","content":{"n":1.10}}}`).last(t)
		same(t, "id", at(t, second, "id"), "2")
		same(t, "resultType", at(t, second, "result", "resultType"), `"complete"`)
		contains(t, "what the server heard", at(t, second, "result", "heard"), `\"id\":\"srv-1\"`, `{\"action\":\"accept\",\"content\":{\"n\":1.10}}`)
		if n := len(f.session(t, 0).methods()); n != 1 {
			t.Errorf("%d calls reached the server", n)
		}

		again := c.call("3", "tools/call", `"name":"greet","arguments":{"b":[2],"a":1},"requestState":`+state+`,"inputResponses":{}`).last(t)
		same(t, "used state", at(t, again, "error", "data", "code"), `"request_state_expired"`)
	})
}

func TestSeveralQuestionsAtOnceAndMissingAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := client{t: t, up: facing(t, asking(elicit, sample, roots), era.Options{}), caps: allCaps}
		first := c.call("1", "prompts/get", `"name":"p"`).last(t)
		same(t, "first", at(t, first, "result", "inputRequests", "request-1", "method"), `"elicitation/create"`)
		same(t, "second", at(t, first, "result", "inputRequests", "request-2", "method"), `"sampling/createMessage"`)
		same(t, "third", at(t, first, "result", "inputRequests", "request-3"), `{"method":"roots/list"}`)

		second := c.call("2", "prompts/get", `"name":"p","requestState":`+at(t, first, "result", "requestState")+
			`,"inputResponses":{"request-3":{"roots":[]},"request-1":{"action":"perhaps"},"other":3}`).last(t)
		same(t, "what is left", at(t, second, "result", "resultType"), `"input_required"`)
		contains(t, "what is left", at(t, second, "result", "inputRequests"), "request-1", "request-2")
		lacks(t, "what is left", at(t, second, "result", "inputRequests"), "request-3")

		stale := c.call("3", "prompts/get", `"name":"p","requestState":`+at(t, first, "result", "requestState")).last(t)
		same(t, "stale", at(t, stale, "error", "data", "code"), `"request_state_used"`)

		third := c.call("4", "prompts/get", `"name":"p","requestState":`+at(t, second, "result", "requestState")+
			`,"inputResponses":{"request-1":{"action":"decline"},"request-2":{"role":"assistant","model":"m","content":{"type":"text","text":"hi"}}}`).last(t)
		same(t, "end", at(t, third, "result", "resultType"), `"complete"`)
		contains(t, "answers", at(t, third, "result", "heard"), `\"id\":7`, `\"id\":\"8\"`, `\"id\":\"srv-1\"`)
	})
}

func TestStateIsForOneCallerAndOneCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		up := facing(t, asking(elicit), era.Options{})
		c := client{t: t, up: up, caps: allCaps}
		first := c.call("1", "tools/call", `"name":"greet","arguments":{"a":1}`).last(t)
		state := at(t, first, "result", "requestState")
		bad := `"` + strings.Repeat("A", len(state)-2) + `"`
		answers := `,"inputResponses":{"request-1":{"action":"decline"}}`
		mallory := client{t: t, up: up, caps: allCaps, who: "mallory"}
		for _, tc := range []struct {
			name   string
			c      client
			params string
		}{
			{"another caller", mallory, `"name":"greet","arguments":{"a":1},"requestState":` + state},
			{"another tool", c, `"name":"delete","arguments":{"a":1},"requestState":` + state},
			{"other arguments", c, `"name":"greet","arguments":{"a":2},"requestState":` + state},
			{"made up", c, `"name":"greet","arguments":{"a":1},"requestState":` + bad},
			{"not text", c, `"name":"greet","arguments":{"a":1},"requestState":{"a":1}`},
		} {
			got := tc.c.call("2", "tools/call", tc.params+answers).last(t)
			same(t, tc.name, at(t, got, "error", "data", "code"), `"request_state_invalid"`)
		}
		got := c.call("3", "tools/call", `"name":"greet","arguments":{"a":1},"requestState":`+state+answers).last(t)
		same(t, "the right one still works", at(t, got, "result", "resultType"), `"complete"`)
	})
}

func TestWhatTheClientDidNotDeclareIsRefusedToTheServer(t *testing.T) {
	ping := `{"jsonrpc":"2.0","id":"png","method":"ping"}`
	urlMode := `{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"mode":"url","url":"https://example.com","message":"m","elicitationId":"e"}}`
	for _, tc := range []struct{ name, caps, method, request, want string }{
		{"nothing declared", `{}`, "tools/call", elicit, `\"code\":-32601`},
		{"urls not declared", `{"elicitation":{}}`, "tools/call", urlMode, `elicitation.url`},
		{"only urls declared", `{"elicitation":{"url":{}}}`, "tools/call", elicit, `\"code\":-32601`},
		{"no call that may ask", allCaps, "completion/complete", sample, `\"code\":-32601`},
		{"ping", `{}`, "tools/call", ping, `\"id\":\"png\",\"result\":{}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := client{t: t, up: facing(t, asking(tc.request), era.Options{}), caps: tc.caps}
				got := c.call("1", tc.method, `"name":"x"`).last(t)
				same(t, "the call ends", at(t, got, "result", "resultType"), `"complete"`)
				contains(t, "what the server heard", at(t, got, "result", "heard"), tc.want)
			})
		})
	}
}

func TestCallThatWaitsTooLongIsCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gone := make(chan struct{})
		f := asking(elicit)
		script := f.legacy
		f.legacy = func(ctx context.Context, s *fakeSession, m *mcpwire.Message, out exchange.Sink) error {
			err := script(ctx, s, m, out)
			if errors.Is(err, context.Canceled) {
				close(gone)
			}
			return err
		}
		c := client{t: t, up: facing(t, f, era.Options{ParkTimeout: time.Minute}), caps: allCaps}
		first := c.call("1", "tools/call", `"name":"greet"`).last(t)
		time.Sleep(time.Minute + time.Second)
		<-gone
		late := c.call("2", "tools/call", `"name":"greet","requestState":`+at(t, first, "result", "requestState")+
			`,"inputResponses":{"request-1":{"action":"decline"}}`).last(t)
		same(t, "late retry", at(t, late, "error", "data", "code"), `"request_state_expired"`)
	})
}

func TestWaitingCallsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := client{t: t, up: facing(t, asking(elicit), era.Options{CallerParked: 1}), caps: allCaps}
		c.call("1", "tools/call", `"name":"greet"`)
		err := c.up.Call(t.Context(), c.modern("2", "tools/call", `"name":"greet"`), newRecord())
		if !errors.Is(err, &exchange.Error{Code: exchange.TooMany}) {
			t.Errorf("got %v", err)
		}
		other := client{t: t, up: c.up, caps: allCaps, who: "bob"}
		other.call("1", "tools/call", `"name":"greet"`)
	})
}
