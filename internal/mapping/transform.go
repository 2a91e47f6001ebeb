package mapping

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// transform is one declared change of a value. It returns the code of a warning,
// or "" when all is well. Transforms are not run on an empty value, except for
// default, which is there for it.
type transform struct {
	name  string
	apply func(string) (string, string)
	empty bool // also run on an empty value
}

// Transforms that take no setting.
var plainTransforms = []transform{
	{name: "trim", apply: quiet(trimSpace)}, // every value is trimmed; listed so that it may be written down
	{name: "lower", apply: quiet(strings.ToLower)},
	{name: "upper", apply: quiet(strings.ToUpper)},
	{name: "digits", apply: quiet(digitsOnly)},
	{name: "strip_dot_zero", apply: quiet(stripDotZero)},
	{name: "strip_currency", apply: quiet(stripCurrency)},
}

// Transforms that take one, by its key.
var settingTransforms = []string{"default", "lookup", "date", "number", "blank"}

func quiet(f func(string) string) func(string) (string, string) {
	return func(s string) (string, string) { return f(s), "" }
}

// TransformNames lists every transform, for documentation and its test.
func TransformNames() []string {
	var names []string
	for _, t := range plainTransforms {
		names = append(names, t.name)
	}
	return append(names, settingTransforms...)
}

func (d *decoder) transforms(c cursor) []transform {
	list := []cursor{c}
	if c.kind == listNode {
		list = list[:0]
		for i := range c.items {
			list = append(list, c.item(i))
		}
	}
	var out []transform
	for _, item := range list {
		if item.kind == objectNode {
			out = append(out, d.settingTransform(item)...)
			continue
		}
		if item.kind == scalarNode && slices.Contains(settingTransforms, item.text) {
			d.fault(item, "write `{"+item.text+": …}`", "transform %q needs a setting", item.text)
			continue
		}
		names := make([]string, len(plainTransforms))
		for i, t := range plainTransforms {
			names[i] = t.name
		}
		if name, ok := d.choice(item, "a transform", names...); ok {
			for _, t := range plainTransforms {
				if t.name == name {
					out = append(out, t)
				}
			}
		}
	}
	return out
}

// settingTransform reads `{name: setting}`.
func (d *decoder) settingTransform(c cursor) []transform {
	keys := d.object(c, settingTransforms...)
	var out []transform
	for _, name := range settingTransforms {
		v, ok := keys[name]
		if !ok {
			continue
		}
		if name == "blank" {
			if words := d.blankWords(v); len(words) > 0 {
				out = append(out, blank(words))
			}
			continue
		}
		s, ok := d.text(v, name)
		if !ok {
			continue
		}
		switch name {
		case "default":
			out = append(out, defaultTo(s))
		case "lookup":
			out = append(out, d.lookup(v, s))
		case "date":
			if f, ok := d.layout(v, s); ok {
				out = append(out, isoDate(f))
			}
		case "number":
			if l, ok := d.locale(v); ok {
				out = append(out, plainNumber(l))
			}
		}
	}
	if len(out) > 1 {
		d.fault(c, "write one transform per list item", "the order of two transforms in one set of keys is not defined")
	}
	return out
}

// blankWords are texts; a null stands for the word it is written with, because
// [NULL, N/A] is what people write.
func (d *decoder) blankWords(c cursor) (words []string) {
	if c.kind != listNode {
		return d.texts(c, "blank")
	}
	for i := range c.items {
		item := c.item(i)
		if item.kind == nullNode && item.text != "" {
			words = append(words, item.text)
		} else if s, ok := d.text(item, "blank"); ok {
			words = append(words, s)
		}
	}
	return words
}

func defaultTo(s string) transform {
	return transform{name: "default", empty: true, apply: func(v string) (string, string) {
		if v == "" {
			return s, ""
		}
		return v, ""
	}}
}

// blank empties the words that an export writes for "nothing".
func blank(words []string) transform {
	return transform{name: "blank", apply: func(v string) (string, string) {
		for _, w := range words {
			if strings.EqualFold(v, w) {
				return "", ""
			}
		}
		return v, ""
	}}
}

// isoDate rewrites a date as YYYY-MM-DD.
func isoDate(f *layout) transform {
	return transform{name: "date", apply: func(v string) (string, string) {
		p, ok := f.parse(v)
		if !ok || !p.hasDate {
			return "", WarnUnparseableDate
		}
		return p.date(), ""
	}}
}

// plainNumber rewrites a localised number with a point and without grouping.
func plainNumber(l *locale) transform {
	return transform{name: "number", apply: func(v string) (string, string) {
		n, err := l.parse(v)
		if err != "" {
			return "", WarnUnparseableNumber
		}
		return n.String(), ""
	}}
}

// trimSpace removes Unicode white space, byte order marks and zero-width spaces
// from both ends: all of them come with copied cells.
func trimSpace(s string) string {
	if len(s) == 0 || s[0] > ' ' && s[0] < utf8.RuneSelf && s[len(s)-1] > ' ' && s[len(s)-1] < utf8.RuneSelf {
		return s
	}
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' || r == '\u200b' })
}

func digitsOnly(s string) string {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return strings.Map(func(r rune) rune {
				if r < '0' || r > '9' {
					return -1
				}
				return r
			}, s)
		}
	}
	return s
}

// stripDotZero removes what a spreadsheet or a data frame adds to a whole number
// when it takes it for a float: "17850.0" becomes "17850".
func stripDotZero(s string) string {
	if isFloatID(s) {
		s, _, _ = strings.Cut(s, ".")
	}
	return s
}

// stripCurrency removes one currency sign, or one code of three letters, from
// either end of an amount: "£12.50", "12,50 €", "EUR 12.50". A minus before the sign
// stays: "-£12.50" becomes "-12.50".
func stripCurrency(s string) string {
	if amount, negative := strings.CutPrefix(s, "-"); negative {
		if r, n := utf8.DecodeRuneInString(amount); unicode.Is(unicode.Sc, r) {
			return "-" + trimSpace(amount[n:])
		}
	}
	if r, n := utf8.DecodeRuneInString(s); unicode.Is(unicode.Sc, r) {
		return trimSpace(s[n:])
	}
	if r, n := utf8.DecodeLastRuneInString(s); unicode.Is(unicode.Sc, r) {
		return trimSpace(s[:len(s)-n])
	}
	if len(s) > 3 && isCode(s[:3]) {
		return trimSpace(s[3:])
	}
	if n := len(s); n > 3 && isCode(s[n-3:]) {
		return trimSpace(s[:n-3])
	}
	return s
}

func isCode(s string) bool {
	for i := range len(s) {
		if s[i]|0x20 < 'a' || s[i]|0x20 > 'z' {
			return false
		}
	}
	return true
}

// isFloatID reports whether a value is a whole number with an empty fraction.
func isFloatID(s string) bool {
	whole, fraction, pointed := strings.Cut(s, ".")
	return pointed && whole != "" && fraction != "" && strings.Trim(fraction, "0") == "" && digitsOnly(whole) == whole
}

// isScientific reports whether a value is a number with an exponent, "4.477E+11":
// a spreadsheet wrote it, and the last digits are gone.
func isScientific(s string) bool {
	mantissa, exponent, found := strings.Cut(strings.ToUpper(s), "E")
	if !found || exponent == "" || mantissa == "" {
		return false
	}
	exponent = strings.TrimLeft(exponent, "+-")
	mantissa = strings.TrimPrefix(strings.Replace(strings.Replace(mantissa, ",", ".", 1), ".", "", 1), "+")
	return exponent != "" && mantissa != "" && len(exponent) <= 3 && digitsOnly(exponent) == exponent && digitsOnly(mantissa) == mantissa
}
