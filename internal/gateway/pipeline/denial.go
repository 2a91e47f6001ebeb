package pipeline

import (
	"context"
	"strconv"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/policy"
)

// denial is why a call was not forwarded.
type denial struct {
	code    policy.Code
	rule    string
	text    string // whole, with its prefix
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

// answerDenial sends a denial as the tool result that an agent can read: ruling 7.
func (p *Pipeline) answerDenial(_ context.Context, c *exchange.Call, out exchange.Sink, d *denial) error {
	m := c.Message
	return out.Send(exchange.Event{Final: true, Data: mcpwire.BuildResult(m.Bytes(m.ID), d.result(c.Era))})
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
	text("policy", d.policy)
	if d.policy != "" {
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
