package mapping

import (
	"slices"
	"strings"

	"sluice/internal/suggest"
)

// consentParts are parts of folded column names that speak of consent.
var consentParts = []string{"consent", "optin", "optedin", "optout", "newsletter", "gdpr", "dsgvo", "werbung", "werbe", "marketing", "einwilligung", "permission",
	"consentement", "consentimiento", "consenso", "toestemming", "consentimento", "subscribed", "unsubscribed"}

// findConsent looks for columns that may say who agreed. One with answers that are
// understood is taken for the consent; of one that says the opposite (opt-out), or
// answers in words of its own, a person has to say what it means.
func (p *proposer) findConsent() {
	used := map[int]bool{}
	for _, c := range p.roles {
		used[c] = true
	}
	for c, h := range p.header {
		name := foldHeader(h)
		if !used[c] && slices.ContainsFunc(consentParts, func(part string) bool { return strings.Contains(name, part) }) {
			p.consentLike = append(p.consentLike, c)
		}
	}
	if c, ok := p.roles[roleConsent]; ok {
		if p.answers(c) {
			return
		}
		delete(p.roles, roleConsent)
		p.dropGuess(c)
		p.consentLike = slices.Insert(p.consentLike, 0, c)
		return
	}
	for i, c := range p.consentLike {
		name := foldHeader(p.header[c])
		if p.answers(c) && !strings.Contains(name, "optout") && !strings.Contains(name, "unsubscribed") {
			p.give(roleConsent, c, "by its name")
			p.consentLike = slices.Delete(p.consentLike, i, i+1)
			return
		}
	}
}

// answerOf tells what a value of a consent column says.
func answerOf(s string) (granted, ok bool) {
	if b, ok := truth(s); ok {
		return b, true
	}
	switch strings.ToLower(s) {
	case "granted", "given", "accepted", "agreed", "opt-in", "optin", "opted in", "opted_in", "subscribed", "erteilt":
		return true, true
	case "denied", "withdrawn", "declined", "refused", "revoked", "opt-out", "optout", "opted out", "opted_out", "unsubscribed", "widerrufen":
		return false, true
	}
	return false, false
}

// answers reports whether most values of a column are answers that are understood.
func (p *proposer) answers(column int) bool {
	return p.filled(column) > 0 && p.share(column, func(s string) bool { _, ok := answerOf(s); return ok }) >= 0.5
}

// quoted lists columns for a message.
func (p *proposer) quoted(columns []int) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = yamlText(p.header[c])
	}
	return strings.Join(names, ", ")
}

func (p *proposer) writeConsent(line func(string, ...any)) {
	if !p.has(roleConsent) {
		if len(p.consentLike) > 0 {
			line("# CHECK: say which answers of %s mean yes. `consent: granted` would claim that everybody agreed.", p.quoted(p.consentLike))
			line("consent: {column: %s, granted: [CHECK]}", yamlText(p.header[p.consentLike[0]]))
			return
		}
		line("# CHECK: claims that everybody in this data agreed to advertising. With a column that says so:")
		line("# consent: {column: consent, granted: [yes], denied: [no]}")
		line("consent: granted")
		return
	}
	var yes, no, open []string
	c := p.roles[roleConsent]
	for _, row := range p.sample {
		s := trimSpace(row[c])
		if s == "" || suggest.LooksLikeData(s) && !isFlagDigit(s) {
			continue
		}
		list := &open
		if granted, ok := answerOf(s); ok && granted {
			list = &yes
		} else if ok {
			list = &no
		}
		if w := yamlText(s); !slices.Contains(*list, w) && len(*list) < 10 {
			*list = append(*list, w)
		}
	}
	if len(p.consentLike) > 0 {
		line("# CHECK: does this column speak of advertising, or rather %s?", p.quoted(p.consentLike))
	}
	line("consent:")
	line("  column: %s", yamlText(p.header[c]))
	if len(yes) == 0 {
		line("  granted: [CHECK]  # CHECK: the sample has no yes")
	} else {
		line("  granted: [%s]  # CHECK", strings.Join(yes, ", "))
	}
	if len(no) > 0 {
		line("  denied: [%s]", strings.Join(no, ", "))
	}
	if len(open) > 0 {
		line("  # CHECK: also seen, and taken as no answer: %s", strings.Join(open, ", "))
	}
	if p.has("user.country") {
		line("  region: %s", yamlText(p.name("user.country")))
	}
}

// isFlagDigit: 1 and 0 are answers.
func isFlagDigit(s string) bool { return s == "0" || s == "1" }
