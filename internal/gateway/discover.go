package gateway

import (
	"context"
	"slices"
	"strings"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// discover merges what the members say of themselves.
func (a *aggregate) discover(ctx context.Context, c *exchange.Call, out exchange.Sink, to reach) error {
	got := a.ask(ctx, a.all(), asIs(c), to)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	from := got.results()
	if len(from) == 0 {
		return got.nobody(out, c)
	}
	missing := a.missing(got)
	result := a.described(got, from)
	result.set("supportedVersions", quoteAll(versions(got, from)))
	hints(&result, got, from, mcpwire.Modern, len(missing) > 0)
	a.stayOpen(&result, missing)
	result.set("_meta", a.meta(got, mcpwire.Modern, missing, nil))
	return answer(out, c, result.bytes())
}

// described merges the results of discover or initialize: capabilities become their
// union, instructions stand one after the other under their server's name.
func (a *aggregate) described(got answered, from []int) (result object) {
	var instructions []string
	for _, i := range from {
		m := &got[i].message
		result.merge(m.Raw, m.Result, func(name string) bool { return name == "_meta" })
		if text, _ := m.Text(mcpwire.Member(m.Raw, m.Result, "instructions")); text != "" {
			instructions = append(instructions, "# "+a.members[i].Name+" (names begin with "+a.members[i].Prefix+")\n\n"+text)
		}
	}
	if len(instructions) > 0 {
		result.set("instructions", mcpwire.Quote(strings.Join(instructions, "\n\n")))
	}
	return result
}

// stayOpen keeps a client interested in what a member that is missing now may have to
// offer later.
func (a *aggregate) stayOpen(result *object, missing []string) {
	if len(missing) == 0 {
		return
	}
	open := []byte(`{"capabilities":{"tools":{"listChanged":true}}}`)
	result.merge(open, mcpwire.Span{End: len(open)}, nil)
}

// versions are those that every member supports and Sluice speaks, newest first.
func versions(got answered, from []int) []string {
	ours := slices.Concat(mcpwire.ModernVersions, mcpwire.LegacyVersions)
	for _, i := range from {
		m := &got[i].message
		var theirs []string
		for at := range mcpwire.Elements(m.Raw, mcpwire.Member(m.Raw, m.Result, "supportedVersions")) {
			v, _ := m.Text(at)
			theirs = append(theirs, v)
		}
		ours = slices.DeleteFunc(ours, func(v string) bool { return !slices.Contains(theirs, v) })
	}
	if len(ours) == 0 {
		return mcpwire.ModernVersions
	}
	return ours
}
