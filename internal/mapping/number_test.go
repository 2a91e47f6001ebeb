package mapping

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sluice/capi"
)

func TestNumberParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		locale, in, want string // want "" for no number
	}{
		{"", "0", "0"}, {"", "-0", "0"}, {"", "12.5", "12.5"}, {"", "+7", "7"}, {"", "007", "7"}, {"", "\u221212", "-12"},
		{"", "19.990000000000002", "19.99"}, {"", "0.1234565", "0.123456"}, {"", "0.1234575", "0.123458"}, {"", "0.12345650001", "0.123457"},
		{"", "9223372036854", "9223372036854"}, {"", "9223372036855", ""}, {"", "123456789012345678901234567890", ""},
		{"", "", ""}, {"", "-", ""}, {"", ".5", ""}, {"", "5.", ""}, {"", "1,5", ""}, {"", "1 5", ""}, {"", "1e3", ""}, {"", "0x10", ""}, {"", "1.2.3", ""},
		{"", "--1", ""}, {"", "1-", ""}, {"", "٣", ""}, {"", "NaN", ""}, {"", "1\xff", ""},
		{"en", "1,234.5", "1234.5"}, {"en", "1,234,567", "1234567"}, {"en", "1234.5", "1234.5"}, {"en", "12,34.5", ""}, {"en", "1,2345", ""}, {"en", ",123", ""}, {"en", "1.234,5", ""}, {"en", "1,,234", ""},
		{"en", "1234,567", ""}, {"en", "1.5,000", ""},
		{"de", "1.234,5", "1234.5"}, {"de", "1234,5", "1234.5"}, {"de", "1.234", "1234"}, {"de", "12.5", ""}, {"de", "-1.234,50", "-1234.5"},
		{"de-AT", "1 234,5", "1234.5"}, {"de_CH", "1'234.50", "1234.5"}, {"de-CH", "1’234.50", "1234.5"},
		{"fr", "1 234,5", "1234.5"}, {"fr", "1\u202f234\u202f567,5", "1234567.5"}, {"fr", "1\u00a0234,5", "1234.5"}, {"fr", "1 234\u00a0567", ""},
		{"en-IN", "12,34,567.5", "1234567.5"}, {"en-IN", "1,23,45", ""}, {"pl", "1 234,56", "1234.56"},
	}
	for _, tt := range tests {
		t.Run(tt.locale+" "+tt.in, func(t *testing.T) {
			t.Parallel()
			l := plainLocale
			if tt.locale != "" {
				l = localeOf(tt.locale)
			}
			n, problem := l.parse(tt.in)
			got := n.String()
			if problem != "" {
				got = ""
			}
			if got != tt.want {
				t.Errorf("parse(%q) = %q (%s), want %q", tt.in, got, problem, tt.want)
			}
		})
	}
}

// FuzzNumber holds the parser against big.Rat: what it takes for a plain number
// is one, and differs from it by at most half of the last place.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "-12.345678912", "9223372036854.775807", "1,234.5", "1.234,5", "00.5", "1e5", "+0.0000005", "1 234"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name := range locales {
			_, _ = localeOf(name).parse(s)
		}
		n, problem := plainLocale.parse(s)
		if problem != "" {
			return
		}
		exact, ok := new(big.Rat).SetString(strings.Replace(s, "\u2212", "-", 1))
		if !ok {
			t.Fatalf("%q was taken for a number", s)
		}
		diff := exact.Sub(exact, big.NewRat(int64(n), numberUnit))
		if diff.Abs(diff).Cmp(big.NewRat(1, 2*numberUnit)) > 0 {
			t.Fatalf("%q was read as %s", s, n)
		}
		if again, problem := plainLocale.parse(n.String()); problem != "" || again != n {
			t.Fatalf("%q was written as %q, which reads as %s", s, n, again)
		}
	})
}

// TestTotalIsExact holds sums of products against big.Int.
func TestTotalIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pairs := rapid.SliceOfN(rapid.SliceOfN(rapid.Int64Range(-4e18, 4e18), 2, 2), 0, 20).Draw(t, "pairs")
		var sum total
		want := new(big.Int)
		for _, p := range pairs {
			a, b := p[0]>>rapid.IntRange(0, 62).Draw(t, "shift"), p[1]>>rapid.IntRange(0, 62).Draw(t, "shift")
			sum.addProduct(number(a), number(b))
			want.Add(want, new(big.Int).Mul(big.NewInt(a), big.NewInt(b)))
		}
		got, ok := sum.decimal()
		// Rounded half to even at the fourth place of twelve.
		step := big.NewInt(100_000_000)
		q, r := new(big.Int).QuoRem(new(big.Int).Abs(want), step, new(big.Int))
		switch r.Cmp(big.NewInt(50_000_000)) {
		case 1:
			q.Add(q, big.NewInt(1))
		case 0:
			q.Add(q, new(big.Int).And(q, big.NewInt(1)))
		}
		if want.Sign() < 0 {
			q.Neg(q)
		}
		if fits := q.IsInt64() && q.Int64() != -1<<63; fits != ok {
			t.Fatalf("in range: %v, want %v (%s)", ok, fits, q)
		}
		if ok && int64(got) != q.Int64() {
			t.Fatalf("sum %d, want %s", got, q)
		}
	})
}

func TestRounding(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]capi.Decimal{
		"0.00005": 0, "0.00015": 2, "0.000151": 2, "0.00025": 2, "-0.00005": 0, "-0.00015": -2, "-0.000051": -1, "1.2345": 12345, "-1.23456": -12346,
	} {
		n, _ := plainLocale.parse(in)
		if got := n.decimal(); got != want {
			t.Errorf("%s rounds to %d, want %d", in, got, want)
		}
	}
}
