package mapping

import (
	"strings"
)

// zonesByCountry are the zones of countries that have one, for a first proposal.
var zonesByCountry = map[string]string{
	"gb": "Europe/London", "ie": "Europe/Dublin", "de": "Europe/Berlin", "at": "Europe/Vienna", "ch": "Europe/Zurich", "fr": "Europe/Paris",
	"it": "Europe/Rome", "nl": "Europe/Amsterdam", "be": "Europe/Brussels", "se": "Europe/Stockholm", "no": "Europe/Oslo", "dk": "Europe/Copenhagen",
	"fi": "Europe/Helsinki", "pl": "Europe/Warsaw", "cz": "Europe/Prague", "hu": "Europe/Budapest", "ro": "Europe/Bucharest", "tr": "Europe/Istanbul",
	"jp": "Asia/Tokyo", "in": "Asia/Kolkata", "nz": "Pacific/Auckland", "za": "Africa/Johannesburg", "sg": "Asia/Singapore",
}

// zone is that of most customers, else that of the currency: its first two
// letters are a country, except for those of the euro.
func (p *proposer) zone(currency string) string {
	if z := zonesByCountry[p.mainCountry()]; z != "" {
		return z
	}
	if len(currency) == 3 {
		if z := zonesByCountry[strings.ToLower(currency[:2])]; z != "" {
			return z
		}
	}
	return "UTC"
}

// currencySigns are the signs that stand for one currency.
var currencySigns = map[string]string{"£": "GBP", "€": "EUR", "₹": "INR", "₺": "TRY", "₪": "ILS", "₩": "KRW", "₫": "VND", "₴": "UAH"}

// countryCurrency is for data of one country whose amounts carry no sign.
var countryCurrency = map[string]string{
	"gb": "GBP", "us": "USD", "de": "EUR", "at": "EUR", "fr": "EUR", "es": "EUR", "it": "EUR", "nl": "EUR", "be": "EUR", "pt": "EUR", "ie": "EUR",
	"ch": "CHF", "se": "SEK", "no": "NOK", "dk": "DKK", "pl": "PLN", "ca": "CAD", "au": "AUD", "nz": "NZD", "jp": "JPY", "in": "INR",
}

// currency is the one that signs or countries of the sample give away.
func (p *proposer) currency() string {
	if p.has(roleCurrency) {
		for _, row := range p.sample {
			if s := strings.ToUpper(trimSpace(row[p.roles[roleCurrency]])); s != "" {
				return s
			}
		}
	}
	for _, r := range []role{roleValue, roleLinePrice} {
		if code := currencySigns[p.amounts[r].symbol]; code != "" {
			return code
		}
		if looksLikeCurrency(p.amounts[r].symbol) {
			return strings.ToUpper(p.amounts[r].symbol)
		}
	}
	return countryCurrency[p.mainCountry()]
}

// mainCountry is the country of most rows, "" when none has more than half.
func (p *proposer) mainCountry() string {
	if !p.has("user.country") {
		return ""
	}
	m := Mapper{countries: map[string]string{}}
	count := map[string]int{}
	for _, row := range p.sample {
		if cc := m.country(trimSpace(row[p.roles["user.country"]])); cc != "" {
			count[cc]++
		}
	}
	for cc, n := range count {
		if 2*n > len(p.sample) {
			return cc
		}
	}
	return ""
}
