package pipeline_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"sluice/internal/enforce"
	"sluice/internal/mcpwire/exchange"
)

const onceAnHour = `{"version":"1","default":"deny","tools":{"send":{"limits":[{"counter":"n","window":"hour","max":1,"scope":"grant"}]}}}`

// Vector 20 and the table of policy-gateway §5.3: what consumes quota.
func TestSettlement(t *testing.T) {
	t.Parallel()
	answers := func(raw string, status int) func(exchange.Sink) error {
		return func(out exchange.Sink) error {
			return out.Send(exchange.Event{Data: []byte(raw), Final: true, Status: status})
		}
	}
	result := func(result string) func(exchange.Sink) error {
		return answers(`{"jsonrpc":"2.0","id":7,"result":`+result+`}`, 200)
	}
	failure := func(code string, status int) func(exchange.Sink) error {
		return answers(`{"jsonrpc":"2.0","id":7,"error":{"code":`+code+`,"message":"m"}}`, status)
	}
	fails := func(e exchange.Error) func(exchange.Sink) error { return func(exchange.Sink) error { return &e } }
	status := func(n int) map[string]any { return map[string]any{"status": n} }
	tests := []struct {
		name  string
		ends  func(exchange.Sink) error
		want  enforce.Outcome
		label string
	}{
		{"a result", result(`{"content":[],"isError":false}`), enforce.Commit, "ok"},
		{"a result that says nothing of errors", result(`{"content":[]}`), enforce.Commit, "ok"},
		{"an error of the tool", result(`{"content":[],"isError":true}`), enforce.Commit, "tool_error"},
		{"isError of another type", result(`{"content":[],"isError":"no"}`), enforce.Commit, "tool_error"},
		{"a question", result(`{"resultType":"input_required","inputRequests":{}}`), enforce.Commit, "input_required"},
		{"parse error", failure("-32700", 200), enforce.Rollback, "rpc_error"},
		{"invalid request", failure("-32600", 400), enforce.Rollback, "rpc_error"},
		{"method not found", failure("-32601", 0), enforce.Rollback, "rpc_error"},
		{"invalid params", failure("-32602", 200), enforce.Rollback, "rpc_error"},
		{"internal error", failure("-32603", 200), enforce.Ambiguous, "rpc_error"},
		{"a server's own error", failure("1001", 200), enforce.Ambiguous, "rpc_error"},
		{"a code that is no number", failure(`"-32602"`, 200), enforce.Ambiguous, "rpc_error"},
		{"invalid params with HTTP 500", failure("-32602", 500), enforce.Ambiguous, "rpc_error"},
		{"HTTP 404 with an error", failure("-32603", 404), enforce.Rollback, "rpc_error"},
		{"HTTP 400 with an error of its own", failure("-32020", 400), enforce.Ambiguous, "rpc_error"},
		{"no message", answers(`not JSON`, 200), enforce.Ambiguous, "unknown"},
		{"refused connection", fails(exchange.Error{Code: exchange.Unreachable}), enforce.Rollback, "upstream_unreachable"},
		{"timeout", fails(exchange.Error{Code: exchange.TimedOut}), enforce.Ambiguous, "upstream_timeout"},
		{"reset after write", fails(exchange.Error{Code: exchange.BrokeOff}), enforce.Ambiguous, "upstream_broke_off"},
		{"HTTP 500", fails(exchange.Error{Code: exchange.BrokeOff, Data: status(500)}), enforce.Ambiguous, "upstream_broke_off"},
		{"HTTP 503", fails(exchange.Error{Code: exchange.Unreachable, Data: status(503)}), enforce.Ambiguous, "upstream_unreachable"},
		{"HTTP 503 with Retry-After", fails(exchange.Error{Code: exchange.BackingOff, Data: status(503)}), enforce.Ambiguous, "upstream_backing_off"},
		{"HTTP 429", fails(exchange.Error{Code: exchange.BackingOff, Data: status(429)}), enforce.Rollback, "upstream_backing_off"},
		{"HTTP 413", fails(exchange.Error{Code: exchange.CannotCarry, Data: status(413)}), enforce.Rollback, "cannot_carry"},
		{"HTTP 409", fails(exchange.Error{Code: exchange.BrokeOff, Data: status(409)}), enforce.Ambiguous, "upstream_broke_off"},
		{"backing off", fails(exchange.Error{Code: exchange.BackingOff}), enforce.Rollback, "upstream_backing_off"},
		{"a lost session", fails(exchange.Error{Code: exchange.SessionLost}), enforce.Rollback, "upstream_session_lost"},
		{"a refused credential", fails(exchange.Error{Code: exchange.CredentialLost}), enforce.Rollback, "upstream_auth_failed"},
		{"no consent yet", fails(exchange.Error{Code: exchange.ConsentNeeded}), enforce.Rollback, "upstream_consent_needed"},
		{"the wrong era", fails(exchange.Error{Code: exchange.WrongEra}), enforce.Rollback, "upstream_wrong_era"},
		{"a result of no form in this era", fails(exchange.Error{Code: exchange.CannotCarry}), enforce.Ambiguous, "cannot_carry"},
		{"too many calls", fails(exchange.Error{Code: exchange.TooMany}), enforce.Rollback, "too_many_streams"},
		{"too many that wait", fails(exchange.Error{Code: exchange.TooMany, Sent: true}), enforce.Ambiguous, "too_many_streams"},
		{"a shutdown", fails(exchange.Error{Code: exchange.ShuttingDown}), enforce.Ambiguous, "shutting_down"},
		{"an error of no kind", func(exchange.Sink) error { return errors.New("e") }, enforce.Ambiguous, "cancelled"},
		{"nothing at all", func(exchange.Sink) error { return nil }, enforce.Ambiguous, "unknown"},
		{"an answer, and then an error", func(out exchange.Sink) error {
			_ = result(`{"content":[]}`)(out)
			return &exchange.Error{Code: exchange.BrokeOff}
		}, enforce.Commit, "ok"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, onceAnHour)
			d.up.answer = func(_ context.Context, _ *exchange.Call, out exchange.Sink) (bool, error) { return true, tt.ends(out) }
			_ = d.front.Call(t.Context(), modern(t, "7", "tools/call", `"name":"send"`, `{}`), newTape())
			s := d.books.outcome(t)
			if s.Outcome != tt.want || s.Call.Outcome != tt.label || s.Call.Phase != "outcome" || s.Call.Request != d.books.calls[0].Request {
				t.Errorf("settled %d as %+v", s.Outcome, s.Call)
			}
			if want := map[enforce.Outcome]string{enforce.Commit: "commit", enforce.Rollback: "rollback", enforce.Ambiguous: "ambiguous"}[tt.want]; s.Call.Settlement != want {
				t.Errorf("recorded as %q", s.Call.Settlement)
			}
			d.up.answer = nil
			if a := d.call("send", `{}`); (a.code() == "") != (tt.want == enforce.Rollback) {
				t.Errorf("the next call: %s", a.raw)
			}
		})
	}
}

// A client that gives up, and a mistake of ours, leave what may have been done.
func TestAnUnknownEndIsSettled(t *testing.T) {
	t.Parallel()
	t.Run("the client gives up", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, onceAnHour)
		ctx, cancel := context.WithCancel(t.Context())
		d.up.answer = func(ctx context.Context, _ *exchange.Call, _ exchange.Sink) (bool, error) {
			cancel()
			<-ctx.Done()
			return true, ctx.Err()
		}
		_ = d.front.Call(ctx, modern(t, "7", "tools/call", `"name":"send"`, `{}`), newTape())
		if s := d.books.outcome(t); s.Outcome != enforce.Ambiguous || s.Call.Outcome != "cancelled" {
			t.Errorf("settled %d as %s", s.Outcome, s.Call.Outcome)
		}
	})
	t.Run("a panic", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, onceAnHour)
		d.up.answer = func(context.Context, *exchange.Call, exchange.Sink) (bool, error) { panic("a mistake") }
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic is gone")
				}
			}()
			_ = d.front.Call(t.Context(), modern(t, "7", "tools/call", `"name":"send"`, `{}`), newTape())
		}()
		if s := d.books.outcome(t); s.Outcome != enforce.Ambiguous {
			t.Errorf("settled %d", s.Outcome)
		}
	})
	t.Run("an outcome that can't be recorded", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, onceAnHour)
		d.up.answer = func(_ context.Context, c *exchange.Call, out exchange.Sink) (bool, error) {
			d.books.fail(errBroken)
			return true, final(out, c, `{"content":[]}`)
		}
		if a := d.call("send", `{}`); a.code() != "" || a.isError {
			t.Errorf("the answer is withheld: %s", a.raw)
		}
		d.books.fail(nil)
		if a := d.call("send", `{}`); a.code() != "limit_exceeded" {
			t.Errorf("what was reserved is free: %s", a.raw)
		}
	})
}

// A limit says when trying again can help, in words and in numbers.
func TestAFullLimitSaysWhen(t *testing.T) {
	t.Parallel()
	d := newDesk(t, `{"version":"1","default":"deny","tools":{"send":{"limits":[
		{"counter":"n","window":"minute","max":1,"scope":"grant","on_deny":"One message a minute."},{"counter":"m","window":"minute","max":9,"scope":"grant"}]}}}`)
	d.call("send", `{}`)
	a := d.call("send", `{}`)
	if a.code() != "limit_exceeded" || a.says("rule") != "/tools/send/limits/n-per-minute" || a.says("retry_after_s") != "42" ||
		a.text != "[POLICY DENIED] One message a minute. Try again in 42 s, at 10:05:00 UTC." {
		t.Errorf("the answer is %s", a.raw)
	}
	if rec := d.books.last(t); rec.Decision != "deny" || rec.Code != "limit_exceeded" || rec.Rule != a.says("rule") {
		t.Errorf("recorded %+v", rec)
	}
	d.books.advance(42 * time.Second)
	if a := d.call("send", `{}`); a.code() != "" {
		t.Errorf("then: %s", a.raw)
	}
}

// Vectors 14 and 15, and counters that two limits share.
func TestLimitsTogether(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		documents []string
		calls     []string // tool, and the code that it ends with
	}{
		{"a full limit leaves the others alone", []string{`{"version":"1","default":"deny","tools":{
			"a":{"limits":[{"counter":"x","window":"hour","max":2,"scope":"server"},{"counter":"y","window":"hour","max":1,"scope":"grant"}]}},
			"all_tools":{"limits":[{"counter":"all","window":"hour","max":3,"scope":"grant"}]}}`},
			[]string{"a ", "a limit_exceeded", "a limit_exceeded", "a limit_exceeded"}},
		{"all tools and one tool count a call once each", []string{`{"version":"1","default":"deny","all_tools":{"limits":[{"counter":"n","window":"hour","max":3,"scope":"grant"}]},
			"tools":{"a":{"limits":[{"counter":"n","window":"hour","max":2,"scope":"grant"}]},"b":{}}}`},
			[]string{"a ", "a ", "a limit_exceeded", "b ", "b limit_exceeded"}},
		{"a counter of the organisation is one, wherever it is named", []string{`{"version":"1","default":"deny","all_tools":{"limits":[{"counter":"n","window":"hour","max":3,"scope":"org"}]},
			"tools":{"a":{"limits":[{"counter":"n","window":"hour","max":2,"scope":"org"}]},"b":{}}}`},
			[]string{"a ", "a ", "a limit_exceeded", "b ", "b limit_exceeded"}},
		{"a counter of the organisation is one for all tools", []string{`{"version":"1","default":"deny","tools":{
			"a":{"limits":[{"counter":"n","window":"hour","max":2,"scope":"org"}]},"b":{"limits":[{"counter":"n","window":"hour","max":2,"scope":"org"}]}}}`},
			[]string{"a ", "b ", "a limit_exceeded", "b limit_exceeded"}},
		{"counters of two tools are two", []string{`{"version":"1","default":"deny","tools":{
			"a":{"limits":[{"counter":"n","window":"hour","max":1,"scope":"grant"}]},"b":{"limits":[{"counter":"n","window":"hour","max":1,"scope":"grant"}]}}}`},
			[]string{"a ", "b ", "a limit_exceeded", "b limit_exceeded"}},
		{"two policies name one counter", []string{
			`{"version":"1","default":"deny","tools":{"a":{"limits":[{"counter":"n","window":"hour","max":3,"scope":"grant"}]}}}`,
			`{"version":"1","default":"deny","tools":{"a":{"limits":[{"counter":"n","window":"hour","max":2,"scope":"grant"}]}}}`},
			[]string{"a ", "a ", "a limit_exceeded"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, tt.documents...)
			for i, call := range tt.calls {
				tool, want, _ := strings.Cut(call, " ")
				if a := d.call(tool, `{}`); a.code() != want {
					t.Fatalf("call %d of %s: %s", i, tool, a.raw)
				}
			}
		})
	}
}

// Sessions have quotas of their own; a client without one has its grant's.
func TestLimitsOfASession(t *testing.T) {
	t.Parallel()
	d := newDesk(t, `{"version":"1","default":"deny","tools":{"a":{"limits":[{"counter":"n","window":"hour","max":1,"scope":"session"}]}}}`)
	s := d.open(`{}`)
	for _, tt := range []struct{ session, want string }{{"one", ""}, {"one", "limit_exceeded"}, {"two", ""}, {"", ""}, {"", "limit_exceeded"}} {
		c := legacy(t, "1", "tools/call", `"name":"a"`)
		c.Session = tt.session
		if a := readAnswer(t, d.with(s, c)); a.code() != tt.want || a.kind != "" {
			t.Errorf("session %q: %s", tt.session, a.raw)
		}
	}
	for _, rec := range d.books.calls[:4] {
		if rec.Client != "c" || rec.Session == "one" || rec.Session == "two" {
			t.Errorf("recorded client %q, session %q", rec.Client, rec.Session)
		}
	}
}

// A condition on what was done before: an update needs a read of the same campaign by
// this grant, and one that succeeded.
func TestAfter(t *testing.T) {
	t.Parallel()
	document := `{"version":"1","default":"deny","tools":{"read":{},"update":{"limits":[
		{"counter":"fresh","after":"read","key":"args.campaign_id","window_seconds":1800,"scope":"grant"}]}}}`
	d := newDesk(t, document)
	step := func(what, tool, arguments, want string) {
		t.Helper()
		if a := d.call(tool, arguments); a.code() != want {
			t.Errorf("%s: %s", what, a.raw)
		}
	}
	step("before any read", "update", `{"campaign_id":1}`, "limit_exceeded")
	d.up.answer = func(_ context.Context, c *exchange.Call, out exchange.Sink) (bool, error) {
		return true, final(out, c, `{"content":[],"isError":true}`)
	}
	step("a read that fails", "read", `{"campaign_id":1}`, "")
	d.up.answer = nil
	step("after a read that failed", "update", `{"campaign_id":1}`, "limit_exceeded")

	// The update may come with the very answer of the read: the mark is there by then.
	marked := false
	d.books.onSettle = func(s *enforce.Settlement) { marked = len(s.Marks) == 1 }
	out := sinkFunc(func(exchange.Event) error {
		if !marked {
			t.Error("the client hears of the read before it counts")
		}
		return nil
	})
	if err := d.front.Call(t.Context(), modern(t, "7", "tools/call", `"name":"read","arguments":{"campaign_id":1}`, `{}`), out); err != nil {
		t.Fatal(err)
	}
	step("after the read", "update", `{"campaign_id":1}`, "")
	step("another campaign", "update", `{"campaign_id":2}`, "limit_exceeded")
	d.books.advance(30*time.Minute + time.Second)
	step("too late", "update", `{"campaign_id":1}`, "limit_exceeded")
	step("another read", "read", `{"campaign_id":1}`, "")
	d.dir.put("ann", subject(t, "ann", strings.Replace(document, "1800", "3600", 1)))
	d.books.advance(10 * time.Minute)
	step("after a read under another window", "update", `{"campaign_id":1}`, "")
}

type sinkFunc func(exchange.Event) error

func (f sinkFunc) Send(e exchange.Event) error { return f(e) }
