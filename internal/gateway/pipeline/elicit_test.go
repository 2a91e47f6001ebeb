package pipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/enforce"
	"sluice/internal/gateway/pipeline"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// asksPerson parks every call of a, and holds none.
const asksPerson = `{"version":"1","default":"deny","tools":{"a":{"approve_if":[{"conditions":[],"message":"Is that meant","wait_seconds":0}]}}}`

const opensURLs = `{"elicitation":{"url":{}}}`

// paged is a lab whose approvals have a page.
func paged(t *testing.T, link func(string) string) *lab {
	t.Helper()
	l := newLab(t, asksPerson)
	l.pipe = l.newPipeline(link)
	l.front = l.pipe.Wrap(l.up)
	return l
}

func page(id string) string    { return "https://gateway.example.com/approvals/" + id }
func command(id string) string { return "sluice approvals approve " + id }

// pending is an answer to a call that waits.
type pending struct {
	Result struct {
		ResultType    string
		IsError       bool
		Content       []struct{ Text string }
		RequestState  string
		InputRequests map[string]struct {
			Method string
			Params struct{ Mode, URL, Message, ElicitationID string }
		}
		Meta struct {
			Policy struct {
				Decision, Code, Approval, Link, Rule, Policy string
				ExpiresAt                                    time.Time `json:"expires_at"`
				RetryAfter                                   int       `json:"retry_after_s"`
			} `json:"sluice/policy"`
		} `json:"_meta"`
	}
	Error *struct {
		Code    int
		Message string
		Data    struct {
			Elicitations []struct{ Mode, URL, Message, ElicitationID string }
		}
	}
}

func readPending(t *testing.T, answer string) (p pending) {
	t.Helper()
	if err := json.Unmarshal([]byte(answer), &p); err != nil {
		t.Fatalf("%s: %v", answer, err)
	}
	return p
}

func TestParkedCallTellsWhereAPersonDecides(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, caps string
		link       func(string) string
		text       string
	}{
		{"a command, to a client that opens pages", opensURLs, command, "`sluice approvals approve apr_1`"},
		{"a page, to a client that does not open it", `{"elicitation":{}}`, page, "at https://gateway.example.com/approvals/apr_1"},
		{"a page, to a client with forms only", `{"elicitation":{"form":{}}}`, page, "at https://gateway.example.com/approvals/apr_1"},
		{"nowhere", opensURLs, nil, "Ask a person to decide it, until"},
	} {
		for _, era := range []mcpwire.Era{mcpwire.Modern, mcpwire.Legacy} {
			t.Run(tc.name+" "+era.String(), func(t *testing.T) {
				t.Parallel()
				l := paged(t, tc.link)
				answer := ""
				if era == mcpwire.Modern {
					answer = l.with(l.front, modern(t, "1", "tools/call", `"name":"a","arguments":{"x":1}`, tc.caps))
				} else {
					answer = l.with(l.open(tc.caps), legacy(t, "1", "tools/call", `"name":"a","arguments":{"x":1}`))
				}
				got := readPending(t, answer)
				if !got.Result.IsError || len(got.Result.Content) != 1 || (got.Result.ResultType == "complete") != (era == mcpwire.Modern) {
					t.Fatalf("answered %s", answer)
				}
				text := got.Result.Content[0].Text
				for _, part := range []string{"[APPROVAL PENDING] apr_1: Is that meant. ", tc.text, "repeat the identical call after approval"} {
					if !strings.Contains(text, part) {
						t.Errorf("the text %q lacks %q", text, part)
					}
				}
				meta := got.Result.Meta.Policy
				if meta.Decision != "approval" || meta.Code != "approval_pending" || meta.Approval != "apr_1" || meta.RetryAfter <= 0 ||
					time.Until(meta.ExpiresAt) < 10*time.Minute || meta.Rule == "" || meta.Policy == "" {
					t.Errorf("_meta says %+v", meta)
				}
				if tc.link != nil && meta.Link != tc.link("apr_1") {
					t.Errorf("_meta links to %q", meta.Link)
				}
			})
		}
	}
}

// TestModernClientIsAskedToOpenThePage follows a call through its page: asked once, then
// repeated with what it was given, and forwarded without it.
func TestModernClientIsAskedToOpenThePage(t *testing.T) {
	t.Parallel()
	l := paged(t, page)
	call := func(id, more string) (string, pending) {
		answer := l.with(l.front, modern(t, id, "tools/call", `"name":"a","arguments":{"x": 1, "y":"z"}`+more, opensURLs))
		return answer, readPending(t, answer)
	}
	answer, got := call("1", "")
	ask := got.Result.InputRequests["sluice-approval"]
	if got.Result.ResultType != "input_required" || ask.Method != "elicitation/create" || ask.Params.Mode != "url" || ask.Params.URL != page("apr_1") || ask.Params.Message == "" {
		t.Fatalf("answered %s", answer)
	}
	if got.Result.Meta.Policy.Code != "approval_pending" || len(got.Result.InputRequests) != 1 {
		t.Errorf("answered %s", answer)
	}
	for _, secret := range []string{"apr_1", "ann"} {
		if strings.Contains(got.Result.RequestState, secret) {
			t.Errorf("the state can be read: %s", got.Result.RequestState)
		}
	}
	back := `,"requestState":"` + got.Result.RequestState + `","inputResponses":{"sluice-approval":{"action":"accept"}}`

	// A client that comes back at once is not sent to the page again and again.
	if answer, got := call("2", back); got.Result.IsError != true || !strings.HasPrefix(got.Result.Content[0].Text, "[APPROVAL PENDING] apr_1") {
		t.Errorf("not decided yet: %s", answer)
	}
	if _, err := l.store.Decide(t.Context(), enforce.Decision{ID: "apr_1", Approve: true, By: "usr_1"}); err != nil {
		t.Fatal(err)
	}
	if answer, _ := call("3", back); !strings.Contains(answer, `"id":3,"result":{"content":[]}`) {
		t.Errorf("approved: %s", answer)
	}
	heard := l.up.log()
	if len(heard) != 1 || strings.Contains(heard[0], "requestState") || strings.Contains(heard[0], "inputResponses") || !strings.Contains(heard[0], `"arguments":{"x": 1, "y":"z"}`) {
		t.Errorf("the upstream heard %q", heard)
	}
	// The approval is used up, and the state is no second one.
	if answer, got := call("4", back); got.Result.Meta.Policy.Approval != "apr_2" {
		t.Errorf("the second time: %s", answer)
	}
	if n := len(l.up.log()); n != 1 {
		t.Errorf("%d calls reached the upstream", n)
	}
}

// TestStateIsGoodForItsCallAlone: for no other grant, tool or arguments, and not for ever.
func TestStateIsGoodForItsCallAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := paged(t, page)
		l.dir.put("bob", subject(t, "bob", asksPerson))
		got := readPending(t, l.with(l.front, modern(t, "1", "tools/call", `"name":"a","arguments":{"x":1}`, opensURLs)))
		state := got.Result.RequestState
		flipped := []byte(state)
		flipped[len(flipped)-2] ^= 1
		for _, tc := range []struct {
			name, caller, tool, arguments, state string
			late, good                           bool
		}{
			{name: "the same call, written otherwise", arguments: `{ "x" : 1 }`, good: true},
			{name: "another grant", caller: "bob"},
			{name: "another tool", tool: "b"},
			{name: "other arguments", arguments: `{"x":2}`},
			{name: "changed on the way", state: string(flipped)},
			{name: "made up", state: "sluice-approval.AAAA"},
			{name: "too late", late: true},
		} {
			or := func(text, otherwise string) string {
				if text == "" {
					return otherwise
				}
				return text
			}
			if tc.late {
				time.Sleep(time.Hour)
			}
			c := modern(t, "2", "tools/call", `"name":"`+or(tc.tool, "a")+`","arguments":`+or(tc.arguments, `{"x":1}`)+`,"requestState":"`+or(tc.state, state)+`"`, opensURLs)
			c.Caller.ID = or(tc.caller, "ann")
			if answer := l.with(l.front, c); strings.Contains(answer, "-32602") == tc.good {
				t.Errorf("%s: %s", tc.name, answer)
			}
		}
		if n := len(l.up.log()); n > 0 {
			t.Errorf("%d calls reached the upstream", n)
		}
	})
}

// TestMemberAsksThroughAnAggregate: its state is read by its own pipeline, behind the
// aggregate's, for which the tool has another name.
func TestMemberAsksThroughAnAggregate(t *testing.T) {
	t.Parallel()
	l := paged(t, page)
	member := l.front
	whole := subject(t, "ann", allowAll)
	whole.Server = "all"
	all := newDirectory()
	all.put("ann", whole)
	renaming := &script{answer: func(ctx context.Context, c *exchange.Call, out exchange.Sink) (bool, error) {
		raw := strings.Replace(string(c.Message.Raw), `"m_a"`, `"a"`, 1)
		return true, member.Call(ctx, c.With(message(t, raw).Message), out)
	}}
	front := pipeline.New(pipeline.Options{Directory: all, Store: l.store, Keys: l.keys, Server: "all"}).Wrap(renaming)
	call := func(more string) string {
		return l.with(front, modern(t, "1", "tools/call", `"name":"m_a","arguments":{}`+more, opensURLs))
	}
	got := readPending(t, call(""))
	if _, err := l.store.Decide(t.Context(), enforce.Decision{ID: "apr_1", Approve: true, By: "usr_1"}); err != nil {
		t.Fatal(err)
	}
	if answer := call(`,"requestState":"` + got.Result.RequestState + `"`); !strings.Contains(answer, `"content":[]`) {
		t.Errorf("answered %s", answer)
	}
	if heard := l.up.log(); len(heard) != 1 || strings.Contains(heard[0], "requestState") {
		t.Errorf("the member's server heard %q", heard)
	}
}

// TestUpstreamsOwnStatePasses: questions of the upstream are none of ours, and keep their
// answers where both are asked.
func TestUpstreamsOwnStatePasses(t *testing.T) {
	t.Parallel()
	l := newLab(t, allowAll)
	const more = `,"requestState":"theirs","inputResponses":{"q":{"action":"accept"}}`
	l.say("1", "tools/call", `"name":"a","arguments":{}`+more)
	if heard := l.up.log(); len(heard) != 1 || !strings.Contains(heard[0], more) {
		t.Errorf("the upstream heard %q", heard)
	}
	l = paged(t, page)
	got := readPending(t, l.with(l.front, modern(t, "1", "tools/call", `"name":"a","arguments":{}`, opensURLs)))
	call := modern(t, "2", "tools/call", `"name":"a","arguments":{},"inputResponses":{"q":{"n":1.0},"sluice-approval":{"action":"accept"}},"requestState":"`+got.Result.RequestState+`"`, opensURLs)
	parked := readPending(t, l.with(l.front, call)) // with the answer to another question it is another call
	if _, err := l.store.Decide(t.Context(), enforce.Decision{ID: parked.Result.Meta.Policy.Approval, Approve: true, By: "usr_1"}); err != nil {
		t.Fatal(err)
	}
	l.with(l.front, call)
	if heard := l.up.log(); len(heard) != 1 || !strings.Contains(heard[0], `"inputResponses":{"q":{"n":1.0}}`) || strings.Contains(heard[0], "sluice-approval") {
		t.Errorf("the upstream heard %q", heard)
	}
}

func TestLegacyClientIsAskedToOpenThePage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := paged(t, page)
		s := l.open(opensURLs)
		e := hearing(t, func(ctx context.Context, out exchange.Sink) error { return s.Listen(ctx, stream(), "", out) })
		e.next(t)
		call := func() string { return l.with(s, legacy(t, "1", "tools/call", `"name":"a","arguments":{}`)) }
		answer := call()
		got := readPending(t, answer)
		if got.Error == nil || got.Error.Code != -32042 || len(got.Error.Data.Elicitations) != 1 {
			t.Fatalf("answered %s", answer)
		}
		if ask := got.Error.Data.Elicitations[0]; ask.Mode != "url" || ask.URL != page("apr_1") || ask.ElicitationID != "apr_1" || ask.Message == "" {
			t.Errorf("it asks %+v", ask)
		}
		call() // once more, which is told once
		e.silent(t, "nobody decided yet")
		if _, err := l.store.Decide(t.Context(), enforce.Decision{ID: "apr_1", Approve: true, By: "usr_1"}); err != nil {
			t.Fatal(err)
		}
		if got := e.next(t); !strings.Contains(got, `"method":"notifications/elicitation/complete"`) || !strings.Contains(got, `"elicitationId":"apr_1"`) {
			t.Errorf("said %s", got)
		}
		e.silent(t, "it was told")
		if answer := call(); !strings.Contains(answer, `"result":{"content":[]}`) {
			t.Errorf("approved: %s", answer)
		}
		e.stop()
		if err := <-e.done; !errors.Is(err, context.Canceled) {
			t.Errorf("the stream ended with %v", err)
		}
	})
}

// TestOlderLegacyClientsAreNotAsked: only 2025-11-25 has the question.
func TestOlderLegacyClientsAreNotAsked(t *testing.T) {
	t.Parallel()
	l := paged(t, page)
	c := legacy(t, "1", "tools/call", `"name":"a","arguments":{}`)
	c.Version = mcpwire.Version20250618
	if got := readPending(t, l.with(l.open(opensURLs), c)); !got.Result.IsError {
		t.Errorf("answered %+v", got)
	}
}

// TestHeldCallEndsWithTheGrant: nobody waits for a decision that can't help any more.
func TestHeldCallEndsWithTheGrant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := paged(t, page)
		l.dir.put("ann", subject(t, "ann", strings.Replace(asksPerson, `"wait_seconds":0`, `"wait_seconds":25`, 1)))
		ended := make(chan error, 1)
		go func() {
			ended <- l.front.Call(t.Context(), modern(t, "1", "tools/call", `"name":"a","arguments":{}`, `{}`), newTape())
		}()
		synctest.Wait()
		begun := time.Now()
		l.dir.put("ann", nil)
		err := <-ended
		var e *exchange.Error
		if took := time.Since(begun); took > time.Second || !errors.As(err, &e) || e.Code != exchange.GrantEnded {
			t.Errorf("after %v: %v", took, err)
		}
	})
}
