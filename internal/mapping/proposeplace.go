package mapping

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// namespace is that of the options, else one made from the name of the first
// input: without its endings, and without the date of the export, which the next
// one will not have. made tells that a person has to look at it.
func (p *proposer) namespace() (name string, made bool) {
	if p.options.Namespace != "" {
		return p.options.Namespace, false
	}
	for _, in := range p.options.Inputs {
		base := strings.ToLower(filepath.Base(filepath.ToSlash(in)))
		for _, ending := range []string{".gz", ".zst", ".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".parquet"} {
			base = strings.TrimSuffix(base, ending)
		}
		parts := strings.FieldsFunc(base, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
		parts = slices.DeleteFunc(parts, func(s string) bool { return digitsOnly(s) == s || monthOrQuarter.MatchString(s) })
		if name := strings.Join(parts, "-"); name != "" && len(name) <= 60 {
			return name + "/orders", true
		}
	}
	return "shop/orders", true
}

var monthOrQuarter = regexp.MustCompile(`^(q[1-4]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[0-9]*$`)

// countryByCurrency are the countries of currencies that one country has.
var countryByCurrency = map[string]string{
	"GBP": "gb", "CHF": "ch", "SEK": "se", "NOK": "no", "DKK": "dk", "PLN": "pl", "CZK": "cz", "HUF": "hu", "RON": "ro", "TRY": "tr",
	"JPY": "jp", "INR": "in", "NZD": "nz", "CAD": "ca", "MXN": "mx", "BRL": "br", "ILS": "il", "KRW": "kr",
}

var britishPostcode = regexp.MustCompile(`^(?i)[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}$`)

// defaultCountry is where numbers without a country code are probably from, and
// what says so: the countries of the rows, their postcodes, their one currency.
func (p *proposer) defaultCountry(currency string) (country, why string) {
	if cc := p.mainCountry(); cc != "" {
		return cc, "that of most rows"
	}
	if p.has("user.country") {
		return "", "" // many countries
	}
	if p.has("user.zp") {
		c := p.roles["user.zp"]
		if p.filled(c) > 0 && p.share(c, britishPostcode.MatchString) >= 0.9 {
			return "gb", "by the postcodes"
		}
	}
	if p.has(roleCurrency) && p.share(p.roles[roleCurrency], func(s string) bool { return strings.EqualFold(s, currency) }) < 1 {
		return "", ""
	}
	if cc := countryByCurrency[currency]; cc != "" {
		return cc, "by the currency"
	}
	return "", ""
}

// onWebsite reports whether the rows carry what only a browser sends.
func (p *proposer) onWebsite() bool {
	for _, r := range []role{roleURL, roleEventID, "user.client_user_agent", "user.client_ip_address", "user.fbc", "user.fbp"} {
		if p.has(r) {
			return true
		}
	}
	return false
}

// inStore reports whether the rows carry what only a shop has. A web shop may well
// name a store, but no till.
func (p *proposer) inStore() bool {
	return p.has(roleTill) || p.has(roleShop) && !p.onWebsite()
}

func (p *proposer) writeWhere(line func(string, ...any)) {
	switch {
	case p.inStore():
		line("# CHECK: sending it asserts that the sale happened there.")
		line("action_source: physical_store")
	case p.onWebsite():
		line("# CHECK: sending it asserts that the sale happened there.")
		line("action_source: website")
		if p.has(roleURL) {
			line("event_source_url: %s", yamlText(p.name(roleURL)))
		} else {
			line("event_source_url: CHECK  # CHECK: the address of the shop, https://…, or a column with the page")
		}
		if !p.has("user.client_user_agent") {
			line("# CHECK: Meta wants user.client_user_agent for orders of a website; no column looks like it.")
		}
	default:
		line("# CHECK: physical_store, website, phone_call, system_generated …: sending it asserts where the sale happened.")
		line("# Orders of a website need event_source_url and user.client_user_agent besides.")
		line("action_source: physical_store")
	}
}

// writeUnused lists the columns that the proposal makes nothing of.
func (p *proposer) writeUnused(line func(string, ...any)) {
	const most = 60
	used := map[int]bool{}
	for _, c := range p.roles {
		used[c] = true
	}
	if !p.has(roleConsent) && len(p.consentLike) > 0 {
		used[p.consentLike[0]] = true
	}
	for _, name := range p.out.ID {
		used[slices.Index(p.header, name)] = true
	}
	var rest []int
	for c, h := range p.header {
		if h != "" && !used[c] {
			rest = append(rest, c)
		}
	}
	if len(rest) == 0 {
		return
	}
	line("")
	line("# Columns that are not used: %s", p.quoted(rest[:min(len(rest), most)]))
	if len(rest) > most {
		line("# and %d more", len(rest)-most)
	}
}
