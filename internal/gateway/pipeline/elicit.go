package pipeline

import (
	"cmp"
	"context"
	"strings"
	"time"

	"sluice/internal/enforce"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/policy"
)

// askAgainIn is what an agent is told to wait before it repeats a call that is parked.
const askAgainIn = 15 * time.Second

// pending answers a call that waits for a person. A client that can show a page to its
// user is given the approval's; every other one is told where a person decides.
func (p *Pipeline) pending(ctx context.Context, s *Subject, c *exchange.Call, out exchange.Sink, a *enforce.Approval) error {
	link := ""
	if p.o.Link != nil {
		link = p.o.Link(a.ID)
	}
	if isPage(link) {
		switch v := conversationOf(ctx); {
		case c.Era == mcpwire.Modern && wasAsked(ctx) != a.ID && opensPages(c.Message.Raw, c.Message.Capabilities):
			return p.askModern(s, c, out, a, link)
		case c.Era == mcpwire.Legacy && v != nil && v.opensPages && c.Version >= mcpwire.Version20251125:
			v.await(p.o.Store, a.ID)
			return askLegacy(c, out, a, link)
		}
	}
	return p.answerDenial(ctx, c, out, &denial{
		code: policy.ApprovalPending, rule: a.Rule, text: pendingText(a, link), policy: s.policyName(a.Policy), version: a.Version,
		approval: a.ID, expires: a.ExpiresAt, link: link, retry: askAgainIn,
	})
}

// policyName is how a policy of the subject is called, as denials call it; of one that is
// no longer its own only the id is known.
func (s *Subject) policyName(id string) string {
	for i := range s.Policies {
		if b := &s.Policies[i]; b.ID == id {
			return cmp.Or(b.Name, id)
		}
	}
	return id
}

// pendingText is what an agent reads, and tells its user.
func pendingText(a *enforce.Approval, link string) string {
	text := "[APPROVAL PENDING] " + a.ID + ": " + reason(a) + " Ask a person to decide it"
	switch {
	case isPage(link):
		text += " at " + link
	case link != "":
		text += " with `" + link + "`"
	}
	if !a.ExpiresAt.IsZero() {
		text += ", until " + a.ExpiresAt.UTC().Format("2006-01-02 15:04 UTC")
	}
	return text + ". Nothing was done yet: repeat the identical call after approval."
}

// reason is the rule's message as a sentence.
func reason(a *enforce.Approval) string {
	switch text := strings.TrimSpace(a.Message); {
	case text == "":
		return "this call needs approval."
	case strings.ContainsAny(text[len(text)-1:], ".!?"):
		return text
	default:
		return text + "."
	}
}

// isPage reports whether a link can be opened by a client for its user.
func isPage(link string) bool {
	return strings.HasPrefix(link, "https://") || strings.HasPrefix(link, "http://")
}

// opensPages reports whether a client's capabilities say that it opens URLs for its
// user. An empty elicitation object declares forms only.
func opensPages(raw []byte, capabilities mcpwire.Span) bool {
	url := mcpwire.Lookup(raw, capabilities, "elicitation", "url")
	return url.Present() && raw[url.Start] == '{'
}

// elicitation is what the user is asked.
func elicitation(a *enforce.Approval, link string, more ...mcpwire.Field) []byte {
	text := "The tool " + a.Tool + " needs approval (" + a.ID + "): " + reason(a) + " Open the page to see the call and decide it."
	return object(append([]mcpwire.Field{
		{Name: "mode", Value: []byte(`"url"`)}, {Name: "message", Value: mcpwire.Quote(text)}, {Name: "url", Value: mcpwire.Quote(link)},
	}, more...)...)
}

// object builds a small object.
func object(fields ...mcpwire.Field) []byte {
	out := []byte{'{'}
	for i, f := range fields {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(mcpwire.AppendQuote(out, f.Name), ':'), f.Value...)
	}
	return append(out, '}')
}

// askLegacy answers with the error of 2025-11-25 that asks for a page to be opened
// before the call is repeated.
func askLegacy(c *exchange.Call, out exchange.Sink, a *enforce.Approval, link string) error {
	m := c.Message
	data := append([]byte(`{"elicitations":[`), elicitation(a, link, mcpwire.Field{Name: "elicitationId", Value: mcpwire.Quote(a.ID)})...)
	return out.Send(exchange.Event{Final: true, Data: mcpwire.BuildError(m.Bytes(m.ID), mcpwire.CodeURLElicitation, pendingText(a, link), append(data, "]}"...))})
}

// askModern answers that input is required, in the way of 2026-07-28.
func (p *Pipeline) askModern(s *Subject, c *exchange.Call, out exchange.Sink, a *enforce.Approval, link string) error {
	m := c.Message
	request := object(mcpwire.Field{Name: "method", Value: mcpwire.Quote(mcpwire.MethodElicit)}, mcpwire.Field{Name: "params", Value: elicitation(a, link)})
	d := denial{code: policy.ApprovalPending, rule: a.Rule, policy: s.policyName(a.Policy), version: a.Version, approval: a.ID, expires: a.ExpiresAt, link: link, retry: askAgainIn}
	result := object(
		mcpwire.Field{Name: "resultType", Value: []byte(`"input_required"`)},
		mcpwire.Field{Name: "inputRequests", Value: object(mcpwire.Field{Name: approvalInput, Value: request})},
		mcpwire.Field{Name: "requestState", Value: mcpwire.Quote(p.state(s, c, a))},
		mcpwire.Field{Name: "_meta", Value: object(mcpwire.Field{Name: metaPolicy, Value: d.appendMeta(nil)})},
	)
	return out.Send(exchange.Event{Final: true, Data: mcpwire.BuildResult(m.Bytes(m.ID), result)})
}
