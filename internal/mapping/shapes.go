package mapping

import (
	"strings"

	"sluice/capi"
)

// guessedFormats are tried on dates that are not ISO, in this order; those with the
// day first come before those with the month first.
var guessedFormats = []string{
	formatISO, formatEpoch, formatEpochMS,
	"DD/MM/YYYY HH:mm:ss", "DD/MM/YYYY HH:mm", "DD/MM/YYYY",
	"DD.MM.YYYY HH:mm:ss", "DD.MM.YYYY HH:mm", "DD.MM.YYYY",
	"DD-MM-YYYY HH:mm:ss", "DD-MM-YYYY HH:mm", "DD-MM-YYYY",
	"MM/DD/YYYY HH:mm:ss", "MM/DD/YYYY HH:mm", "MM/DD/YYYY",
	"MM/DD/YYYY hh:mm:ss A", "MM/DD/YYYY hh:mm A", "DD/MM/YYYY hh:mm A",
	"D/M/YYYY H:mm:ss", "D/M/YYYY H:mm", "D/M/YYYY", "M/D/YYYY H:mm:ss", "M/D/YYYY H:mm", "M/D/YYYY", "M/D/YYYY h:mm A",
	"D.M.YYYY H:mm", "D.M.YYYY", "DD/MM/YY HH:mm", "DD/MM/YY", "DD.MM.YY HH:mm", "DD.MM.YY", "M/D/YY H:mm", "MM/DD/YY",
	"YYYY/MM/DD HH:mm:ss", "YYYY/MM/DD HH:mm", "YYYY/MM/DD", "YYYYMMDD", "YYYYMMDDHHmmss", "YYYYMMDD HHmmss", "YYYYMMDD HHmm",
	"DD MMM YYYY HH:mm:ss", "DD MMM YYYY HH:mm", "DD MMM YYYY", "D MMM YYYY", "DD-MMM-YYYY HH:mm:ss", "DD-MMM-YYYY",
	"YYYY-MM-DD HH:mm:ss ZZ", "YYYY-MM-DD HHmmss", "YYYY-MM-DD HHmm",
	formatExcel,
}

var guessedLayouts = func() []*layout {
	out := make([]*layout, len(guessedFormats))
	for i, f := range guessedFormats {
		out[i], _ = compileLayout(f)
	}
	return out
}()

// looksLikeTime reads every format there is, counts of days and seconds among them;
// see isBareNumber.
func looksLikeTime(s string) bool {
	for _, l := range guessedLayouts {
		if _, ok := l.parse(s); ok {
			return true
		}
	}
	return false
}

// isBareNumber reports whether a text is digits with at most one point or comma.
// Such a text is a time only where a name says so: it is as likely an id or an amount.
func isBareNumber(s string) bool {
	whole, fraction, _ := strings.Cut(strings.Replace(s, ",", ".", 1), ".")
	return digitsOnly(whole+fraction) == whole+fraction
}

// looksLikeClock recognises a time of day.
func looksLikeClock(s string) bool {
	_, ok := parseISO("2000-01-01 " + s)
	if ok {
		return true
	}
	return (len(s) == 4 || len(s) == 6) && digitsOnly(s) == s
}

func looksLikeEmail(s string) bool {
	_, err := capi.Normalize(capi.FieldEmail, s, "", capi.NormalizeOptions{Hashed: capi.HashAuto})
	return err == nil
}

func looksLikeCurrency(s string) bool {
	_, ok := capi.CurrencyDecimals(strings.ToUpper(s))
	return ok
}

// amountGuess is how the amounts of a column seem to be written.
type amountGuess struct {
	locale string // "" for plain
	symbol string // the currency sign they carry
	strip  bool
}

// signOf is the currency sign of an amount whose bare form is known.
func signOf(s, bare string) string {
	return trimSpace(strings.Replace(strings.TrimPrefix(s, "-"), strings.TrimPrefix(bare, "-"), "", 1))
}

// guessedLocales are tried on amounts that are not plain.
var guessedLocales = []string{"en", "de", "fr", "de-CH", "en-IN"}

// amountOf reads an amount in any notation that is tried.
func amountOf(s string) (amountGuess, bool) {
	bare := stripCurrency(s)
	g := amountGuess{strip: bare != s}
	if g.strip {
		g.symbol = signOf(s, bare)
	}
	if _, problem := plainLocale.parse(bare); problem == "" {
		return g, true
	}
	for _, name := range guessedLocales {
		if _, problem := localeOf(name).parse(bare); problem == "" {
			g.locale = name
			return g, true
		}
	}
	return g, false
}

// settleAmounts finds one notation per column of amounts.
func (p *proposer) settleAmounts() {
	for _, r := range []role{roleValue, roleLinePrice, roleLineQuantity} {
		if !p.has(r) {
			continue
		}
		var g amountGuess
		best := -1
		for _, name := range append([]string{""}, guessedLocales...) {
			l := plainLocale
			if name != "" {
				l = localeOf(name)
			}
			read := 0
			for _, row := range p.sample {
				s := trimSpace(row[p.roles[r]])
				bare := stripCurrency(s)
				if _, problem := l.parse(bare); s != "" && problem == "" {
					read++
				}
				if bare != s && !g.strip {
					g.strip, g.symbol = true, signOf(s, bare)
				}
			}
			if read > best {
				best, g.locale = read, name
			}
		}
		p.amounts[r] = g
	}
}

// timeGuess is how times seem to be written.
type timeGuess struct {
	formats   []string
	zoned     bool
	ambiguous bool // day and month could be swapped on every row
	joined    bool // a date column and a clock column
	withClock bool // one column holds date and time of day
	epoch     bool
}

// settleTime finds the formats that read all times of the sample.
func (p *proposer) settleTime() {
	if !p.has(roleTime) {
		return
	}
	g := &timeGuess{joined: p.has(roleClock)}
	var times []string
	dateOnly := true
	for _, row := range p.sample {
		s := trimSpace(row[p.roles[roleTime]])
		if s == "" {
			continue
		}
		if c, ok := parseISO(s); ok && c.hasTime || strings.Contains(s, ":") || isBareNumber(s) && strings.ContainsAny(s, ".,") {
			dateOnly = false
		}
		times = append(times, s)
	}
	if g.joined = g.joined && dateOnly; g.joined {
		times = times[:0]
		for _, row := range p.sample {
			if d := trimSpace(row[p.roles[roleTime]]); d != "" {
				times = append(times, trimSpace(d+" "+trimSpace(row[p.roles[roleClock]])))
			}
		}
	} else if p.has(roleClock) {
		p.dropGuess(p.roles[roleClock])
		delete(p.roles, roleClock)
	}
	for i, l := range guessedLayouts {
		c, all := civil{}, len(times) > 0
		for _, s := range times {
			var ok bool
			if c, ok = l.parse(s); !ok {
				all = false
				break
			}
		}
		if !all {
			continue
		}
		if len(g.formats) == 0 {
			g.formats, g.zoned, g.epoch = []string{guessedFormats[i]}, c.zoned, c.isEpoch
			g.withClock = c.hasTime && !g.joined
			continue
		}
		g.ambiguous = g.ambiguous || swapped(g.formats[0], guessedFormats[i])
	}
	p.layout = g
	if g.ambiguous {
		p.warn(ProposeAmbiguousDates, "every date of the sample can be read with the day or the month first; the day is taken to be first")
	}
	if !g.zoned {
		p.warn(ProposeZone, "times have no offset from UTC; the proposal takes them for UTC or the zone of the currency")
	}
}

// swapped reports whether two formats differ by the order of day and month.
func swapped(a, b string) bool {
	return a != b && strings.NewReplacer("D", "M", "M", "D").Replace(a) == b
}
