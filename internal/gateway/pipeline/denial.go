package pipeline

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"sluice/internal/enforce"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/policy"
)

// denial is why a call was not forwarded.
type denial struct {
	code    policy.Code
	rule    string
	text    string // whole, with its prefix
	by      *Bound // the policy that denies; nil: it is named below, or none does
	policy  string
	version int
	request string
	// retry is after what time the call may be admitted; 0: waiting does not help.
	retry time.Duration
	// Of a call that waits for a person.
	approval string
	expires  time.Time
	link     string
}

// metaPolicy is the key of `_meta` that says what the gateway decided.
const metaPolicy = "sluice/policy"

// deniedPrefix begins the text of every denial, as agents know it.
const deniedPrefix = "[POLICY DENIED] "

// deniedBy is the denial that a policy decided.
func deniedBy(b *Bound, d *policy.Decision) *denial {
	return &denial{code: cmp.Or(d.Code, policy.Denied), rule: d.Rule, by: b, text: deniedPrefix + cmp.Or(d.Message, "The policy denies this call.")}
}

// full answers a call that a limit has no room for. The store has recorded it.
func (t *toolCall) full(ctx context.Context, v *verdict, reply enforce.Reply) error {
	d := &denial{code: policy.LimitExceeded, text: deniedPrefix + "A limit of the policy is used up."}
	if i := reply.Failed; i >= 0 && i < len(v.limits) {
		of := v.limits[i]
		d.rule, d.by, d.retry = v.charges[i].Rule, of.by, reply.RetryAfter
		if of.limit.Message != "" {
			d.text = deniedPrefix + of.limit.Message
		}
		if d.retry > 0 {
			d.text += " " + retryText(t.p.o.Now(), d.retry)
		}
	}
	t.p.o.Metrics.decided(t.p.o.Server, "deny", string(d.code))
	return t.answer(ctx, d)
}

// retryText says when trying again can help.
func retryText(now time.Time, after time.Duration) string {
	at := now.Add(after).UTC().Round(time.Second) // the moment of the decision has passed
	layout := "15:04:05"
	if after >= 12*time.Hour {
		layout = "2006-01-02 15:04:05"
	}
	return "Try again in " + strconv.FormatInt(seconds(after), 10) + " s, at " + at.Format(layout) + " UTC."
}

// answerDenial sends a denial as the tool result that an agent can read: ruling 7.
func (p *Pipeline) answerDenial(ctx context.Context, c *exchange.Call, out exchange.Sink, d *denial) error {
	tellStopped(ctx)
	m := c.Message
	return out.Send(exchange.Event{Final: true, Data: mcpwire.BuildResult(m.Bytes(m.ID), d.result(c.Era))})
}

// stoppedKey is where a pipeline inside of another one, that of an aggregate's member,
// says that it did not forward the call: what the outer one reserved is given back. An
// upstream can't say so.
type stoppedKey struct{}

func tellStopped(ctx context.Context) {
	if outer, ok := ctx.Value(stoppedKey{}).(*bool); ok {
		*outer = true
	}
}

// result is the denial as the result of a tool call.
func (d *denial) result(era mcpwire.Era) []byte {
	b := append(make([]byte, 0, 512), '{')
	if era == mcpwire.Modern {
		b = append(b, `"resultType":"complete",`...)
	}
	b = append(b, `"content":[{"type":"text","text":`...)
	b = mcpwire.AppendQuote(b, d.text)
	b = append(b, `}],"isError":true,"_meta":{"`+metaPolicy+`":`...)
	b = d.appendMeta(b)
	return append(b, "}}"...)
}

// appendMeta appends the denial as programs read it.
func (d *denial) appendMeta(b []byte) []byte {
	decision := "deny"
	if d.code == policy.ApprovalPending {
		decision = "approval"
	}
	b = append(append(append(b, `{"decision":"`...), decision...), `","code":`...)
	b = mcpwire.AppendQuote(b, string(d.code))
	text := func(name, value string) {
		if value != "" {
			b = append(append(append(b, `,"`...), name...), `":`...)
			b = mcpwire.AppendQuote(b, value)
		}
	}
	text("rule", d.rule)
	if d.by != nil {
		d.policy, d.version = cmp.Or(d.by.Name, d.by.ID), d.by.Version
	}
	if d.policy != "" {
		text("policy", d.policy)
		b = strconv.AppendInt(append(b, `,"policy_version":`...), int64(d.version), 10)
	}
	text("request_id", d.request)
	text("approval", d.approval)
	if !d.expires.IsZero() {
		text("expires_at", d.expires.UTC().Format(time.RFC3339))
	}
	text("link", d.link)
	if d.retry > 0 {
		b = strconv.AppendInt(append(b, `,"retry_after_s":`...), seconds(d.retry), 10)
	}
	return append(b, '}')
}

// seconds rounds up: after so many, the time is over.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
