package mapping

import (
	"fmt"
	"regexp"
	"strings"
)

// document writes the proposal.
func (p *proposer) document() []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Proposed from the header and the first rows. Lines marked CHECK need a decision.")
	line("version: 1")
	namespace, made := p.namespace()
	line("# Part of every event id: never change it once events were sent.")
	if made {
		line("# CHECK: every source of orders needs one of its own, or their order numbers get mixed up.")
	}
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
	p.writeUser(line, currency)
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
	p.writeUnused(line)
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
		p.writeEventID(line)
		return
	}
	line("# %s alone repeats, so the id has several parts.", yamlText(p.out.ID[0]))
	line("id: [%s]", strings.Join(names, ", "))
	p.writeEventID(line)
}

// writeEventID takes the id that the browser sent: Meta then counts both as one.
func (p *proposer) writeEventID(line func(string, ...any)) {
	if p.has(roleEventID) {
		line("# CHECK: right if the browser's pixel sends the same id for the same order.")
		line("event_id: %s", yamlText(p.name(roleEventID)))
	}
}

func (p *proposer) writeOutcome(line func(string, ...any)) {
	line("outcome:")
	line("  default: %s", p.outcome())
	line("  when:")
	if prefix := p.cancellationPrefix(); prefix != "" {
		line("    - {column: %s, prefix: %s, skip: cancellation}", yamlText(p.name(roleID)), prefix)
	}
	p.writeStatus(line)
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

func (p *proposer) writeUser(line func(string, ...any), currency string) {
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
	if !p.has("user.ph") && !p.has("user.zp") && !p.has("user.st") {
		return
	}
	if cc, why := p.defaultCountry(currency); cc != "" {
		line("default_country: %s  # completes national phone numbers; %s", strings.ToUpper(cc), why)
	} else {
		line("# CHECK: national phone numbers need a country, for example:")
		line("# default_country: GB")
	}
}

func (p *proposer) writeLines(line func(string, ...any)) {
	line("")
	line("lines:")
	for _, r := range []role{roleLineID, roleLineQuantity, roleLinePrice, roleLineTitle} {
		if !p.has(r) {
			continue
		}
		if p.amounts[r].strip {
			line("  %s: {column: %s, transforms: [strip_currency]}", strings.TrimPrefix(string(r), "lines."), yamlText(p.name(r)))
			continue
		}
		line("  %s: %s", strings.TrimPrefix(string(r), "lines."), yamlText(p.name(r)))
	}
	if g := p.amounts[roleLinePrice]; g.locale != "" {
		line("  locale: %s", g.locale)
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
