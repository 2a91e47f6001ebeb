package mapping

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf8"

	"sluice/capi"
)

const (
	// numberPlaces are the decimals kept of a number in the input. What lies beyond
	// them is the noise of binary fractions ("19.990000000000002").
	numberPlaces = 6
	numberUnit   = 1_000_000
	valuePlaces  = 4 // of capi.Decimal
)

// number is a decimal number with six places, kept exactly: the amount times a
// million. Its range is ±9.2 billion billionths, enough for a price in any currency.
type number int64

// Why a text is not a number of its locale.
const (
	numberSyntax = "syntax"
	numberRange  = "range"
)

// locale is how numbers are written.
type locale struct {
	decimal byte
	// groups are the characters that may stand between groups of digits; none when
	// the mapping names no locale, because "1,234" then has two readings.
	groups string
	// indian groups are of two digits, but for the last.
	indian bool
}

// plainLocale is what is read without a declared locale.
var plainLocale = &locale{decimal: '.'}

const (
	spaces = " \u00a0\u202f\u2009"
)

// locales by language, or language and region where a region differs. Source:
// Unicode CLDR number symbols.
var locales = map[string]*locale{
	"en": {decimal: '.', groups: ","}, "en-in": {decimal: '.', groups: ",", indian: true},
	"hi": {decimal: '.', groups: ",", indian: true},
	"ja": {decimal: '.', groups: ","}, "zh": {decimal: '.', groups: ","}, "ko": {decimal: '.', groups: ","},
	"th": {decimal: '.', groups: ","}, "he": {decimal: '.', groups: ","},
	"es-mx": {decimal: '.', groups: ","},
	"de":    {decimal: ',', groups: "."}, "de-at": {decimal: ',', groups: "." + spaces},
	"de-ch": {decimal: '.', groups: "'’"}, "fr-ch": {decimal: ',', groups: spaces}, "it-ch": {decimal: '.', groups: "'’"},
	"nl": {decimal: ',', groups: "."}, "it": {decimal: ',', groups: "."}, "es": {decimal: ',', groups: "." + spaces},
	"pt": {decimal: ',', groups: "." + spaces}, "da": {decimal: ',', groups: "."}, "tr": {decimal: ',', groups: "."},
	"id": {decimal: ',', groups: "."}, "el": {decimal: ',', groups: "."}, "ro": {decimal: ',', groups: "."},
	"hr": {decimal: ',', groups: "."}, "sl": {decimal: ',', groups: "."}, "sr": {decimal: ',', groups: "."},
	"vi": {decimal: ',', groups: "."},
	"fr": {decimal: ',', groups: spaces}, "sv": {decimal: ',', groups: spaces}, "nb": {decimal: ',', groups: spaces},
	"no": {decimal: ',', groups: spaces}, "fi": {decimal: ',', groups: spaces}, "pl": {decimal: ',', groups: spaces},
	"cs": {decimal: ',', groups: spaces}, "sk": {decimal: ',', groups: spaces}, "hu": {decimal: ',', groups: spaces},
	"ru": {decimal: ',', groups: spaces}, "uk": {decimal: ',', groups: spaces}, "bg": {decimal: ',', groups: spaces},
	"et": {decimal: ',', groups: spaces}, "lv": {decimal: ',', groups: spaces}, "lt": {decimal: ',', groups: spaces},
}

// localeOf finds "de-DE" as well as "de_DE" and "de".
func localeOf(name string) *locale {
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	if l := locales[name]; l != nil {
		return l
	}
	language, _, _ := strings.Cut(name, "-")
	return locales[language]
}

// parse reads a number: an optional sign, digits, optional groups, an optional
// fraction. The second result says what is wrong, "" when nothing is.
func (l *locale) parse(s string) (number, string) {
	negative := false
	switch {
	case strings.HasPrefix(s, "-"):
		negative, s = true, s[1:]
	case strings.HasPrefix(s, "\u2212"): // the typographic minus of some exports
		negative, s = true, s[len("\u2212"):]
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	}
	var n uint64
	places, whole := -1, 0 // decimals read, digits before the point
	group, run := "", 0    // the grouping character, digits since it
	var drop byte          // first digit beyond the places kept
	rest := false          // any digit behind that
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c-'0' <= 9:
			i++
			if places >= numberPlaces {
				if places == numberPlaces {
					drop = c - '0'
				} else if c != '0' {
					rest = true
				}
				places++
				continue
			}
			if n > (math.MaxInt64-9)/10 {
				return 0, numberRange
			}
			n = n*10 + uint64(c-'0')
			if places >= 0 {
				places++
			} else {
				whole, run = whole+1, run+1
			}
		case c == l.decimal && places < 0:
			if whole == 0 || i+1 == len(s) || group != "" && run != 3 {
				return 0, numberSyntax
			}
			places = 0
			i++
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			sep := s[i : i+size]
			if places >= 0 || r == utf8.RuneError || !strings.Contains(l.groups, sep) || group != "" && group != sep || !l.groupFits(run, group == "") {
				return 0, numberSyntax
			}
			group, run = sep, 0
			i += size
		}
	}
	if whole == 0 || group != "" && places < 0 && run != 3 {
		return 0, numberSyntax
	}
	for p := min(max(places, 0), numberPlaces); p < numberPlaces; p++ {
		if n > math.MaxInt64/10 {
			return 0, numberRange
		}
		n *= 10
	}
	if drop > 5 || drop == 5 && (rest || n%2 == 1) {
		n++
	}
	if n > math.MaxInt64 {
		return 0, numberRange
	}
	if negative {
		return -number(n), ""
	}
	return number(n), ""
}

// groupFits tells whether a group of run digits may end here.
func (l *locale) groupFits(run int, first bool) bool {
	if first {
		return run >= 1 && run <= 3
	}
	return run == 3 || l.indian && run == 2
}

// String returns plain decimal text without trailing zeros.
func (n number) String() string {
	var b []byte
	u := uint64(n)
	if n < 0 {
		b = append(b, '-')
		u = -u
	}
	b = strconv.AppendUint(b, u/numberUnit, 10)
	if f := u % numberUnit; f != 0 {
		b = append(b, '.')
		for unit := uint64(numberUnit / 10); f != 0; unit /= 10 {
			b = append(b, byte('0'+f/unit))
			f %= unit
		}
	}
	return string(b)
}

// decimal rounds to the places of an event, half to even.
func (n number) decimal() capi.Decimal {
	const step = numberUnit / 10_000
	q, r := n/step, n%step
	if r < 0 {
		q, r = q-1, r+step
	}
	if r > step/2 || r == step/2 && q%2 != 0 {
		q++
	}
	return capi.Decimal(q)
}

// integer returns n if it is whole.
func (n number) integer() (int64, bool) {
	return int64(n / numberUnit), n%numberUnit == 0
}

// total adds products exactly: a signed 128-bit sum with twelve decimal places.
type total struct {
	hi int64
	lo uint64
}

// addProduct adds a·b.
func (t *total) addProduct(a, b number) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	if (a < 0) != (b < 0) {
		var borrow uint64
		t.lo, borrow = bits.Sub64(t.lo, lo, 0)
		t.hi -= int64(hi) + int64(borrow)
		return
	}
	var carry uint64
	t.lo, carry = bits.Add64(t.lo, lo, 0)
	t.hi += int64(hi) + int64(carry)
}

func magnitude(n number) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// decimal rounds the sum to the places of an event, half to even. ok is false
// when it is out of range.
func (t total) decimal() (d capi.Decimal, ok bool) {
	hi, lo, negative := uint64(t.hi), t.lo, t.hi < 0
	if negative {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	const step = 100_000_000 // 10^(12-4)
	if hi >= step {
		return 0, false // the quotient would not fit 64 bits
	}
	q, r := bits.Div64(hi, lo, step)
	if r > step/2 || r == step/2 && q%2 == 1 {
		q++
	}
	if q > math.MaxInt64 {
		return 0, false
	}
	if negative {
		return -capi.Decimal(q), true
	}
	return capi.Decimal(q), true
}

// locale reads a setting like "de" or "en-IN".
func (d *decoder) locale(c cursor) (*locale, bool) {
	s, ok := d.text(c, "a locale")
	if !ok {
		return nil, false
	}
	l := localeOf(s)
	if l == nil {
		d.fault(c, "use a language code such as en, de, fr, or with a region: de-CH, en-IN", "locale %q is not known", clip(s))
		return nil, false
	}
	return l, true
}
