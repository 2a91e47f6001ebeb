package pipeline

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"sluice/internal/enforce"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// ending is how a forwarded call came out.
type ending struct {
	outcome enforce.Outcome
	label   string // ok, tool_error, rpc_error, or the code of the relay's own failure
	status  int    // HTTP status of the upstream; 0: there was none
	done    bool   // a plain result: what later calls may refer to was done
	// task is the mark of the task that the call became, where one is needed: made.
	task enforce.Counter
	made bool
}

// Labels of endings that are no code of the relay's.
const (
	endedOK       = "ok"
	endedTool     = "tool_error"
	endedRPC      = "rpc_error"
	endedInput    = "input_required"
	endedUnread   = "unknown"
	endedCanceled = "cancelled"
)

// endingOf reads the final message of a call.
func endingOf(message []byte, status int) (e ending, task string) {
	unread := ending{outcome: enforce.Ambiguous, label: endedUnread, status: status}
	m, err := mcpwire.ParseReply(message, mcpwire.Limits{Size: len(message) + 1, Depth: mcpwire.MaxDepth * 8})
	if err != nil {
		return unread, ""
	}
	return endingOfReply(&m, status)
}

func endingOfReply(m *mcpwire.Message, status int) (e ending, task string) {
	switch m.Kind {
	case mcpwire.Result:
		return endingOfResult(m, status)
	case mcpwire.Failure:
		e = ending{outcome: enforce.Ambiguous, label: endedRPC, status: status}
		code, err := strconv.Atoi(string(m.Bytes(mcpwire.Member(m.Raw, m.Error, "code"))))
		if err == nil && status < 500 && turnedDown(code) || refusedUnread(status) {
			e.outcome = enforce.Rollback
		}
		return e, ""
	}
	return ending{outcome: enforce.Ambiguous, label: endedUnread, status: status}, ""
}

// endingOfResult: whatever a result says, the tool may have had its effects (policy-gateway §5.3).
func endingOfResult(m *mcpwire.Message, status int) (e ending, task string) {
	e = ending{outcome: enforce.Commit, label: endedOK, status: status, done: true}
	var kind, isError, made mcpwire.Span
	for key, value := range mcpwire.Members(m.Raw, m.Result) {
		switch name, _ := mcpwire.Unquote(m.Raw[key.Start:key.End]); name {
		case "isError":
			isError = value
		case "resultType":
			kind = value
		case "task":
			made = mcpwire.Member(m.Raw, value, "taskId")
		case "taskId":
			if !made.Present() {
				made = value
			}
		}
	}
	if text := string(m.Bytes(isError)); text != "" && text != "false" && text != "null" {
		e.label, e.done = endedTool, false
	}
	switch text, _ := m.Text(kind); text {
	case "", "complete":
	case endedInput:
		e.label, e.done = endedInput, false
	default:
		e.done = false // it goes on elsewhere
	}
	if made.Present() {
		task, _ = m.Text(made)
		e.done = false
	}
	return e, task
}

// turnedDown reports whether an error says that the call was not even tried.
func turnedDown(code int) bool {
	switch code {
	case mcpwire.CodeParse, mcpwire.CodeInvalidRequest, mcpwire.CodeMethodNotFound, mcpwire.CodeInvalidParams:
		return true
	}
	return false
}

// refusedUnread reports whether a status is given before a request is looked into.
func refusedUnread(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
		http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusTooManyRequests:
		return true
	}
	return false
}

// endingOfError is how a call came out that ended without a final message.
func endingOfError(err error) ending {
	if err == nil { // nothing came: a legacy client is to fetch it later
		return ending{outcome: enforce.Ambiguous, label: endedUnread}
	}
	var e *exchange.Error
	if !errors.As(err, &e) {
		return ending{outcome: enforce.Ambiguous, label: endedCanceled}
	}
	status, _ := e.Data["status"].(int)
	out := ending{outcome: enforce.Ambiguous, label: string(e.Code), status: status}
	switch {
	case e.Sent || status >= 500:
		return out
	case refusedUnread(status):
		out.outcome = enforce.Rollback
		return out
	}
	switch e.Code {
	case exchange.Unreachable, exchange.BackingOff, exchange.SessionLost, exchange.CredentialLost, exchange.ConsentNeeded,
		exchange.WrongEra, exchange.TooMany, exchange.ReadOnlyScope, exchange.UnknownServer, exchange.GrantEnded:
		out.outcome = enforce.Rollback
	case exchange.TimedOut, exchange.BrokeOff, exchange.CannotCarry, exchange.ShuttingDown:
	}
	return out
}

// settleTime bounds how long it may take to write down an outcome.
const settleTime = 10 * time.Second

var settlements = map[enforce.Outcome]string{enforce.Commit: "commit", enforce.Rollback: "rollback", enforce.Ambiguous: "ambiguous"}

// settle writes down how a forwarded call came out. Whoever called may be gone.
func (t *toolCall) settle(ctx context.Context, e ending) {
	ctx = context.WithoutCancel(ctx)
	s := enforce.Settlement{Call: t.outcome(e), Outcome: e.outcome}
	if e.done {
		s.Marks, s.Keep = t.marks, t.keep
	}
	if e.made {
		s.Marks, s.Keep = append(slices.Clip(s.Marks), e.task), append(slices.Clip(s.Keep), keepTask)
	}
	if e.outcome == enforce.Rollback || len(s.Marks) > 0 { // those the store makes sure of before it returns
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, settleTime)
		defer cancel()
	}
	err := t.p.o.Store.Settle(ctx, &s)
	t.p.o.Metrics.settlement(t.p.o.Server, s.Call.Settlement, err)
	if err != nil {
		t.p.o.Log.Warn("the outcome of a call could not be recorded; what it reserved stays used", "server", t.p.o.Server,
			"request", t.rec.Request, "error", err)
	}
}
