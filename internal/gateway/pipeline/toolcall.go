package pipeline

import (
	"context"
	"errors"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/ids"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/policy"
)

// toolCall is one call of a tool on its way through the pipeline.
type toolCall struct {
	p    *Pipeline
	of   *session // nil where there is none
	s    *Subject
	c    *exchange.Call
	out  exchange.Sink
	next exchange.Next

	call      policy.Call
	canonical []byte
	rec       audit.Call // of the decision
	decided   time.Time

	// round counts how often it was judged; patience is until when it is held, however
	// often that is begun anew.
	round    int
	patience time.Time

	// What a call that succeeds leaves for later ones to refer to, and for how long.
	marks []enforce.Counter
	keep  []time.Duration
}

// mostRounds is how often a call is judged anew because something it needed changed
// while it was judged: the approval that it found, which an identical call used first, or
// the grant while a person was asked. From heldRounds on it is not held any more, so that
// it is answered.
const (
	mostRounds = 16
	heldRounds = 12
)

// toolsCall takes one tools/call through all steps.
func (p *Pipeline) toolsCall(ctx context.Context, of *session, s *Subject, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
	m := c.Message
	tool, ok := m.Text(m.Name)
	switch {
	case !ok || tool == "":
		return invalid(c, out, "params.name is not the name of a tool")
	case m.Arguments.Present() && m.Raw[m.Arguments.Start] != '{':
		return invalid(c, out, "params.arguments is not an object")
	}
	t := &toolCall{p: p, of: of, s: s, out: out, next: next}
	var err error
	if ctx, t.c, err = p.retried(ctx, s, c); err != nil {
		return invalid(c, out, err.Error())
	}
	if err = t.describe(tool); err != nil {
		return invalid(c, out, "params.arguments can't be read")
	}
	if s.onlyReads(c) {
		t.rec.Decision, t.rec.Code, t.rec.Rule = "deny", string(exchange.ReadOnlyScope), "(scope)"
		p.record(ctx, t.rec)
		return readOnly()
	}
	for t.round = range mostRounds {
		again, err := t.pass(ctx)
		if !again {
			return err
		}
		if t.s, err = p.subject(c); err != nil {
			return err
		}
		t.rec.Request = ids.New("req", p.o.Now())
	}
	return t.deny(ctx, t.unavailable(nil))
}

func invalid(c *exchange.Call, out exchange.Sink, text string) error {
	return out.Send(exchange.Event{Final: true, Data: mcpwire.BuildError(c.Message.Bytes(c.Message.ID), mcpwire.CodeInvalidParams, text, nil)})
}

// describe begins the record. It names the arguments' keys and not one value.
func (t *toolCall) describe(tool string) (err error) {
	m := t.c.Message
	t.call = policy.Call{Tool: tool}
	if m.Arguments.Present() {
		t.call.Arguments = m.Bytes(m.Arguments)
	}
	if t.canonical, err = canonical(t.call.Arguments); err != nil {
		return err
	}
	t.rec = t.p.decision(t.of, t.s, t.c)
	t.rec.Tool = shortened(tool, longestTool)
	t.rec.ToolHash = t.p.toolHash(t.s, tool)
	t.rec.ArgKeys, t.rec.ArgsHMAC = argumentKeys(m), t.mac()
	return nil
}

// pass takes the call through the steps once. It reports again when all of them have to
// be taken anew.
func (t *toolCall) pass(ctx context.Context) (again bool, err error) {
	p := t.p
	if hidesAny(t.s) {
		if handled, err := p.unlisted(ctx, t.s, t.c, &recordFirst{Sink: t.out, ctx: ctx, t: t}, t.next); handled || err != nil {
			return false, err
		}
	}
	v := t.judge()
	if v.denial != nil {
		return false, t.deny(ctx, v.denial)
	}
	r := enforce.Request{Charges: v.charges, Observe: v.observes}
	if v.asks != nil {
		var done bool
		if r.Approval, r.Fingerprint, again, done, err = t.approve(ctx, v); again || done || err != nil {
			return again, err
		}
	}
	t.rec.Decision, t.rec.Code, t.rec.Rule, t.rec.Approval = "allow", "", "", r.Approval
	decidedBy(&t.rec, v.by)
	if v.would != "" {
		t.rec.Decision, t.rec.Code, t.rec.Rule = "observe", string(v.would), v.wouldRule
	}
	r.Call = t.rec
	r.Arguments = t.sealed()
	began := time.Now()
	reply, err := p.o.Store.Reserve(ctx, &r)
	p.o.Metrics.reserved(p.o.Server, time.Since(began))
	switch {
	case err != nil:
		return false, t.deny(ctx, t.unavailable(err))
	case reply.ApprovalGone: // another call used it, or it expired just now
		return true, nil
	case !reply.Admitted:
		return false, t.full(ctx, v, reply)
	}
	if reply.Failed >= 0 && t.rec.Decision != "observe" {
		t.rec.Decision, t.rec.Code, t.rec.Rule = "observe", string(policy.LimitExceeded), r.Charges[reply.Failed].Rule
	}
	p.o.Metrics.decided(p.o.Server, t.rec.Decision, t.rec.Code)
	return false, t.forward(ctx)
}

// sealed are the arguments as they are kept for a replay; nil where they are not.
func (t *toolCall) sealed() []byte {
	if t.s.Settings.RecordArguments != "encrypted" {
		return nil
	}
	return t.p.o.Keys.Seal(t.arguments(), enforce.SealRecorded)
}

// arguments are the arguments as they came.
func (t *toolCall) arguments() []byte {
	if t.call.Arguments == nil {
		return []byte("{}")
	}
	return t.call.Arguments
}

// forward sends the very message on and settles what was reserved, whatever happens.
func (t *toolCall) forward(ctx context.Context) error {
	t.decided = time.Now()
	w := &watch{t: t, out: t.out}
	ctx = context.WithValue(ctx, stoppedKey{}, &w.stopped)
	w.ctx = ctx
	returned := false
	defer func() {
		if !returned { // a panic: nobody knows how far the call got
			if !w.seen {
				w.seen, w.ending = true, ending{outcome: enforce.Ambiguous, label: endedUnread}
			}
			w.settle()
		}
	}()
	err := t.next(ctx, t.c, w.sink())
	returned = true
	w.finish(err)
	return err
}

// outcome is the record of how the call came out.
func (t *toolCall) outcome(e ending) audit.Call {
	rec := t.rec
	rec.Phase = audit.PhaseOutcome
	rec.Settlement, rec.UpstreamStatus, rec.Outcome = settlements[e.outcome], e.status, e.label
	rec.LatencyUS = time.Since(t.decided).Microseconds()
	return rec
}

// deny records a denial and then gives it, whoever is still there to hear of it: who tries
// what is denied does not get out of the log by leaving early. One that can't be recorded is
// a denial all the same, and says that instead.
func (t *toolCall) deny(ctx context.Context, d *denial) error {
	rec := t.rec
	rec.Decision, rec.Code, rec.Rule, rec.Approval = "deny", string(d.code), d.rule, d.approval
	rec.Sealed = t.sealed()
	decidedBy(&rec, d.by)
	t.p.o.Metrics.decided(t.p.o.Server, rec.Decision, rec.Code)
	if err := t.p.o.Store.Record(context.WithoutCancel(ctx), rec); err != nil && d.code != policy.StoreUnavailable {
		d = t.unavailable(err)
	}
	return t.answer(ctx, d)
}

// answer gives a denial. A hidden name gets what any name gets that no policy lists.
func (t *toolCall) answer(ctx context.Context, d *denial) error {
	if d.code == policy.Hidden || d.code == policy.DefaultDeny {
		d = &denial{code: policy.DefaultDeny, rule: "(default deny)", text: deniedPrefix + notPermitted, by: meets(t.s)}
	}
	d.request = t.rec.Request
	return t.p.answerDenial(ctx, t.c, t.out, d)
}

// notPermitted is said of every name that a policy with default deny does not allow.
const notPermitted = "This tool is not permitted."

// unavailable is the denial of a call that could not be counted or recorded.
func (t *toolCall) unavailable(cause error) *denial {
	if cause != nil && !errors.Is(cause, context.Canceled) {
		t.p.o.Log.Warn("a call is denied: what enforcement has to remember can't be written or read", "server", t.p.o.Server,
			"request", t.rec.Request, "error", cause)
	}
	return &denial{code: policy.StoreUnavailable, text: deniedPrefix + "The gateway can't record calls now, so that none is let through. Try again later."}
}

// recordFirst records that a name is not in the list before that answer is given.
type recordFirst struct {
	exchange.Sink
	ctx    context.Context
	t      *toolCall
	once   bool
	unread bool // there is no list
}

// The codes and rules of a name that is in no list, beside policy.Hidden, and of one that
// nothing is known of, since the list can't be had.
const (
	codeNotListed = "not_listed"
	ruleNotListed = "(not listed)"
	codeNoList    = "list_unavailable"
	ruleNoList    = "(list unavailable)"
)

func (r *recordFirst) Send(e exchange.Event) error {
	if r.once {
		return r.Sink.Send(e)
	}
	r.once = true
	t := r.t
	rec := t.rec
	rec.Decision, rec.Code, rec.Rule = "deny", codeNotListed, ruleNotListed
	switch {
	case hides(t.s, t.call.Tool):
		rec.Code, rec.Rule = string(policy.Hidden), "(hidden)"
	case r.unread:
		rec.Code, rec.Rule = codeNoList, ruleNoList
	}
	for i := range t.s.Policies {
		decidedBy(&rec, &t.s.Policies[i])
	}
	t.p.o.Metrics.decided(t.p.o.Server, rec.Decision, rec.Code)
	if err := t.p.o.Store.Record(context.WithoutCancel(r.ctx), rec); err != nil {
		return t.answer(r.ctx, t.unavailable(err))
	}
	return r.Sink.Send(e)
}
