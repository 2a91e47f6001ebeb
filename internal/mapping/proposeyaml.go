package mapping

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// document writes the proposal.
func (p *proposer) document() []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Proposed from the header and the first rows. Lines marked CHECK need a decision.")
	line("version: 1")
	namespace := p.options.Namespace
	if namespace == "" {
		namespace = "shop/orders"
	}
	line("# Part of every event id: never change it once events were sent.")
	line("namespace: %s", yamlText(namespace))
	p.writeSource(line)
	line("")
	p.writeID(line)
	line("")
	p.writeOutcome(line)
	currency := p.currency()
	p.writeTime(line, currency)
	p.writeValue(line, currency)
	line("")
	p.writeWhere(line)
	line("")
	p.writeUser(line)
	if p.grouped {
		p.writeLines(line)
	}
	if p.has(roleShop) {
		line("")
		line("# Reports can be cut by labels.")
		line("labels: {store: %s}", yamlText(p.name(roleShop)))
	}
	line("")
	p.writeConsent(line)
	if unknown := p.unknownCountries(); len(unknown) > 0 {
		line("")
		line("lookups:")
		line("  countries:")
		line("    otherwise: keep")
		line("    entries:  # CHECK: give the ISO code of each; what stays empty is not sent")
		for _, u := range unknown {
			line("      %s: \"\"", yamlText(u))
		}
	}
	return []byte(b.String())
}

func (p *proposer) writeSource(line func(string, ...any)) {
	s := p.options.Source
	var parts []string
	if s.Format != "" {
		parts = append(parts, "format: "+s.Format)
	}
	if s.Delimiter != 0 && s.Delimiter != ',' {
		d := fmt.Sprintf("%q", string(s.Delimiter))
		if s.Delimiter == '\t' {
			d = "tab"
		}
		parts = append(parts, "delimiter: "+d)
	}
	if s.Quote == '\'' {
		parts = append(parts, `quote: "'"`)
	}
	if s.Encoding != "" && s.Encoding != "utf-8" {
		parts = append(parts, "encoding: "+s.Encoding)
	}
	if len(parts) > 0 {
		line("source: {%s}", strings.Join(parts, ", "))
	}
}

func (p *proposer) writeID(line func(string, ...any)) {
	if len(p.out.ID) == 0 {
		line("# CHECK: no column looks like an order number. Without `id:`, rows are told apart by their content.")
		line("# id: order_number")
		return
	}
	if p.grouped {
		line("# Rows with the same id are one order.")
	}
	names := make([]string, len(p.out.ID))
	for i, n := range p.out.ID {
		names[i] = yamlText(n)
		// A till's numbers start again with the day, whatever the time of day.
		if p.has(roleTime) && n == p.name(roleTime) && p.layout.withClock {
			names[i] = fmt.Sprintf("{column: %s, transforms: [{date: %q}]}", names[i], p.layout.formats[0])
		}
	}
	if len(names) == 1 {
		line("id: %s", names[0])
		return
	}
	line("# %s alone repeats, so the id has several parts.", p.out.ID[0])
	line("id: [%s]", strings.Join(names, ", "))
}

func (p *proposer) writeOutcome(line func(string, ...any)) {
	line("outcome:")
	line("  default: %s", p.outcome())
	line("  when:")
	if prefix := p.cancellationPrefix(); prefix != "" {
		line("    - {column: %s, prefix: %s, skip: cancellation}", yamlText(p.name(roleID)), prefix)
	}
	if p.has(roleStatus) {
		if words := p.cancelWords(); len(words) > 0 {
			line("    - {column: %s, in: [%s], skip: cancellation}  # CHECK", yamlText(p.name(roleStatus)), strings.Join(words, ", "))
		}
	}
	line("    - {field: value, below: 0, skip: refund}")
	line("    - {field: value, at_most: 0, skip: zero_value}")
}

// outcome is payment_received for tills, where goods and money change hands at
// once, else order_placed.
func (p *proposer) outcome() string {
	if p.inStore() {
		return "payment_received"
	}
	return "order_placed"
}

func (p *proposer) inStore() bool { return p.has(roleTill) || p.has(roleShop) }

func (p *proposer) writeTime(line func(string, ...any), currency string) {
	if !p.has(roleTime) {
		line("# CHECK: name the column that says when the sale happened.")
		line("time: {column: CHECK, zone: UTC}")
		return
	}
	g := p.layout
	from := "column: " + yamlText(p.name(roleTime))
	if g.joined {
		from = fmt.Sprintf("columns: [%s, %s]", yamlText(p.name(roleTime)), yamlText(p.name(roleClock)))
	}
	note := ""
	if len(g.formats) > 0 && g.formats[0] != formatISO && g.formats[0] != formatEpoch {
		from += fmt.Sprintf(", format: %q", g.formats[0])
	}
	if !g.zoned {
		from += ", zone: " + p.zone(currency)
		note = "  # CHECK: the zone of the clocks that wrote these times"
	}
	if g.ambiguous {
		note += "; is the day first?"
	}
	line("time: {%s}%s", from, note)
}

func (p *proposer) writeValue(line func(string, ...any), currency string) {
	switch {
	case p.grouped:
		line("value: {sum: lines}")
	case p.has(roleValue):
		g := p.amounts[roleValue]
		if g.locale == "" && !g.strip {
			line("value: %s", yamlText(p.name(roleValue)))
			break
		}
		line("value: {column: %s%s}", yamlText(p.name(roleValue)), g.settings())
	default:
		line("value: {column: CHECK}  # CHECK: name the column with the amount")
	}
	switch {
	case p.has(roleCurrency):
		line("currency: {column: %s}", yamlText(p.name(roleCurrency)))
	case currency != "":
		line("currency: %s  # CHECK", currency)
	default:
		p.warn(ProposeUnknownCurrency, "nothing tells the currency; the proposal will not pass until it is set")
		line("currency: CHECK  # CHECK: a code such as EUR")
	}
}

// settings are the keys that read amounts written this way.
func (g amountGuess) settings() (s string) {
	if g.strip {
		s += ", transforms: [strip_currency]"
	}
	if g.locale != "" {
		s += ", locale: " + g.locale
	}
	return s
}

func (p *proposer) writeWhere(line func(string, ...any)) {
	switch {
	case p.inStore():
		line("# CHECK: sending it asserts that the sale happened there.")
		line("action_source: physical_store")
	case p.has(roleURL):
		line("# CHECK: sending it asserts that the sale happened there.")
		line("action_source: website")
		line("event_source_url: %s", yamlText(p.name(roleURL)))
	default:
		line("# CHECK: physical_store, website, phone_call, system_generated …: sending it asserts where the sale happened.")
		line("# Orders of a website need event_source_url and user.client_user_agent besides.")
		line("action_source: physical_store")
	}
}

func (p *proposer) writeUser(line func(string, ...any)) {
	roles := p.userRoles()
	if len(roles) == 0 {
		line("user: {em: CHECK}  # CHECK: name at least one column with customer data")
		return
	}
	line("user:")
	for _, r := range roles {
		key, column := strings.TrimPrefix(string(r), "user."), p.name(r)
		switch {
		case r == "user.country" && len(p.unknownCountries()) > 0:
			line("  %s: {column: %s, lookup: countries}", key, yamlText(column))
		case p.share(p.roles[r], isFloatID) > 0.5 && p.filled(p.roles[r]) > 0:
			line("  %s: {column: %s, transforms: [strip_dot_zero]}", key, yamlText(column))
		default:
			line("  %s: %s", key, yamlText(column))
		}
	}
	if cc := p.mainCountry(); cc != "" && (p.has("user.ph") || p.has("user.zp") || p.has("user.st")) {
		line("default_country: %s  # completes national phone numbers", strings.ToUpper(cc))
	}
}

func (p *proposer) writeLines(line func(string, ...any)) {
	line("")
	line("lines:")
	for _, r := range []role{roleLineID, roleLineQuantity, roleLinePrice, roleLineTitle} {
		if p.has(r) {
			line("  %s: %s", strings.TrimPrefix(string(r), "lines."), yamlText(p.name(r)))
		}
	}
	if g := p.amounts[roleLinePrice]; g.locale != "" {
		line("  locale: %s", g.locale)
	}
}

func (p *proposer) writeConsent(line func(string, ...any)) {
	if !p.has(roleConsent) {
		line("# CHECK: claims that everybody in this data agreed to advertising. With a column that says so:")
		line("# consent: {column: consent, granted: [yes], denied: [no]}")
		line("consent: granted")
		return
	}
	var yes, no, open []string
	c := p.roles[roleConsent]
	for _, row := range p.sample {
		s := trimSpace(row[c])
		if s == "" {
			continue
		}
		list := &open
		if b, ok := truth(s); ok && b || strings.EqualFold(s, "granted") {
			list = &yes
		} else if ok || strings.EqualFold(s, "denied") || strings.EqualFold(s, "withdrawn") {
			list = &no
		}
		if w := yamlText(s); !slices.Contains(*list, w) && len(*list) < 10 {
			*list = append(*list, w)
		}
	}
	if len(yes) == 0 {
		yes = []string{"granted"}
	}
	line("consent:")
	line("  column: %s", yamlText(p.header[c]))
	line("  granted: [%s]  # CHECK", strings.Join(yes, ", "))
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

var plainYAML = regexp.MustCompile(`^[\pL_][\pL\pN_./ -]*$`)

// yamlText writes a text so that YAML reads it back as that text.
func yamlText(s string) string {
	switch strings.ToLower(s) {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf":
		return fmt.Sprintf("%q", s)
	}
	if plainYAML.MatchString(s) && !strings.HasSuffix(s, " ") && !strings.Contains(s, "  ") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(s) + `"`
}
