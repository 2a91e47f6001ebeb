package capi_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"

	"sluice/capi"
)

// alphabet calls f with every text of n upper-case letters.
func alphabet(n int, f func(string)) {
	text := make([]byte, n)
	var fill func(i int)
	fill = func(i int) {
		if i == n {
			f(string(text))
			return
		}
		for b := byte('A'); b <= 'Z'; b++ {
			text[i] = b
			fill(i + 1)
		}
	}
	fill(0)
}

func countryOf(t *testing.T, s string) string {
	t.Helper()
	n, err := capi.Normalize(capi.FieldCountry, s, "", capi.NormalizeOptions{})
	if err != nil {
		return ""
	}
	return n.Value
}

// TestCountryTable compares codes with the regions of the Unicode locale data,
// which knows alpha-3 codes independently of us.
func TestCountryTable(t *testing.T) {
	t.Parallel()
	count := 0
	alphabet(2, func(alpha2 string) {
		got := countryOf(t, alpha2)
		if got == "" || alpha2 == "UK" {
			return
		}
		count++
		region, err := language.ParseRegion(alpha2)
		if err != nil || !region.IsCountry() {
			t.Errorf("%s is not a country", alpha2)
			return
		}
		if got != strings.ToLower(alpha2) || countryOf(t, region.ISO3()) != got {
			t.Errorf("%s and %s are %s and %s", alpha2, region.ISO3(), got, countryOf(t, region.ISO3()))
		}
	})
	if count != 249 {
		t.Errorf("%d countries; ISO 3166-1 has 249", count)
	}
}

func TestCountryNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Great Britain": "gb", "England": "gb", "UNITED KINGDOM": "gb", "uk": "gb", "u.k.": "gb", "U.S.A.": "us", "United States of America": "us",
		"UAE": "ae", "South Korea": "kr", "Korea, Republic of": "kr", "Türkiye": "tr", "Turkey": "tr", "Côte d'Ivoire": "ci", "Ivory Coast": "ci",
		"Czech Republic": "cz", "Holland": "nl", "The Netherlands": "nl", "Viet Nam": "vn", "Hong Kong": "hk", "Russia": "ru", "Deutschland": "de",
		"Bosnia & Herzegovina": "ba", "Trinidad and Tobago": "tt", "Swaziland": "sz", "Bolivia, Plurinational State of": "bo", "Curaçao": "cw",
		"Guinea": "gn", "Guinea-Bissau": "gw", "Niger": "ne", "Nigeria": "ng", "Dominica": "dm", "Dominican Republic": "do",
		"Unit": "", "Germ": "", "zz": "", "eu": "", "xx": "", "usaa": "",
	} {
		if got := countryOf(t, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// TestCurrencyTable compares decimals with the Unicode currency data; codes newer
// than that data are named.
func TestCurrencyTable(t *testing.T) {
	t.Parallel()
	newer := []string{"XCG", "ZWG", "SLE", "VED", "UYW", "MRU", "VES"}
	// CLDR rounds these for display, against ISO 4217.
	displayed := []string{"AFN", "ALL", "AMD", "COP", "GYD", "IDR", "IQD", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "MNT", "MUR", "PKR", "RSD", "SOS", "SYP", "TZS", "UZS", "YER"}
	count := 0
	alphabet(3, func(code string) {
		decimals, ok := capi.CurrencyDecimals(code)
		if !ok {
			return
		}
		count++
		if slices.Contains(newer, code) {
			return
		}
		unit, err := currency.ParseISO(code)
		if err != nil {
			t.Errorf("%s is no currency", code)
			return
		}
		if scale, _ := currency.Standard.Rounding(unit); scale != decimals && !slices.Contains(displayed, code) {
			t.Errorf("%s has %d decimals, CLDR says %d", code, decimals, scale)
		}
	})
	if count < 165 || count > 180 {
		t.Errorf("%d currencies", count)
	}
	for _, code := range []string{"EUR", "USD", "GBP", "JPY", "KWD"} {
		if _, ok := capi.CurrencyDecimals(code); !ok {
			t.Errorf("%s is missing", code)
		}
	}
	for _, code := range []string{"XXX", "XTS", "XAU", "DEM", "eur", ""} {
		if _, ok := capi.CurrencyDecimals(code); ok {
			t.Errorf("%s is there", code)
		}
	}
}

func TestUSStates(t *testing.T) {
	t.Parallel()
	// The fifty states, the district and five territories.
	const codes = "al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa ri sc sd tn tx ut vt va wa wv wi wy dc pr gu as vi mp"
	want := strings.Fields(codes)
	alphabet(2, func(code string) {
		code = strings.ToLower(code)
		n, err := capi.Normalize(capi.FieldState, code, "us", capi.NormalizeOptions{})
		if known := slices.Contains(want, code); known != (err == nil) || known && n.Value != code {
			t.Errorf("%s: %q, %v", code, n.Value, err)
		}
	})
	for name, want := range map[string]string{"North Dakota": "nd", "washington d.c.": "dc", "District of Columbia": "dc", "Puerto Rico": "pr", "U.S. Virgin Islands": "vi"} {
		if n, err := capi.Normalize(capi.FieldState, name, "us", capi.NormalizeOptions{}); err != nil || n.Value != want {
			t.Errorf("%s is %q, %v; want %s", name, n.Value, err, want)
		}
	}
}

func TestEventNames(t *testing.T) {
	t.Parallel()
	events := capi.StandardEvents()
	if !slices.IsSortedFunc(events, func(a, b capi.EventInfo) int { return strings.Compare(a.Name, b.Name) }) || len(events) != 18 {
		t.Error("the eighteen standard events are not in order")
	}
	for _, e := range events {
		if got, ok := capi.StandardEvent(e.Name); !ok || got.Name != e.Name {
			t.Errorf("%s is not found", e.Name)
		}
		if capi.NearMiss(e.Name) != "" {
			t.Errorf("%s misses itself", e.Name)
		}
		if got := capi.NearMiss(strings.ToLower(e.Name)); got != e.Name {
			t.Errorf("%s in lower case is near %q", e.Name, got)
		}
		for _, key := range e.Required {
			if !slices.Contains(e.Properties, key) {
				t.Errorf("%s requires %s and does not document it", e.Name, key)
			}
		}
	}
	for name, want := range map[string]string{
		"add_to_cart": "AddToCart", "Add-To-Cart": "AddToCart", " Purchase ": "Purchase", "Pur\u200bchase\u00a0": "Purchase", "\ufeffAdd\u2003to\u00adcart": "AddToCart", "Käufe": "", "PURCHASE": "Purchase", "order shipped": "OrderShipped",
		"OrderShipped": "", "Purchased": "", "": "", strings.Repeat("x", 500): "",
	} {
		if got := capi.NearMiss(name); got != want {
			t.Errorf("%s is near %q, want %q", name, got, want)
		}
	}
	if _, ok := capi.StandardEvent("purchase"); ok {
		t.Error("names are case-sensitive")
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	for _, source := range []capi.ActionSource{capi.Website, capi.App, capi.PhoneCall, capi.SystemGenerated, "", "x"} {
		if got := capi.Window(source, capi.Offline62Days).Hours(); got != 7*24 {
			t.Errorf("%s: %v hours", source, got)
		}
	}
	if got := capi.Window(capi.PhysicalStore, capi.Offline62Days).Hours(); got != 62*24 {
		t.Errorf("shop: %v hours", got)
	}
	if got := capi.Window(capi.PhysicalStore, capi.OfflineStrict7).Hours(); got != 7*24 {
		t.Errorf("strict: %v hours", got)
	}
}
