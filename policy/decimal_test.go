package policy

import (
	"math/big"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// numbers draws JSON numbers in every spelling.
func numbers(t *rapid.T, name string) string {
	sign := rapid.SampledFrom([]string{"", "-"}).Draw(t, name+" sign")
	whole := rapid.SampledFrom([]string{"0", "1", "9", "10", "100", "12345678901234567890123456789"}).Draw(t, name+" whole")
	if rapid.Bool().Draw(t, name+" random") {
		whole = strconv.FormatUint(rapid.Uint64().Draw(t, name+" digits"), 10)
	}
	fraction := ""
	if rapid.Bool().Draw(t, name+" point") {
		fraction = "." + rapid.StringMatching(`[0-9]{1,12}`).Draw(t, name+" fraction")
	}
	exponent := ""
	if rapid.Bool().Draw(t, name+" scaled") {
		exponent = rapid.SampledFrom([]string{"e", "E", "e+", "e-", "E-"}).Draw(t, name+" e") + strconv.Itoa(rapid.IntRange(0, 40).Draw(t, name+" exponent"))
	}
	return sign + whole + fraction + exponent
}

func rat(t interface{ Fatalf(string, ...any) }, s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatalf("%s is no number", s)
	}
	return r
}

func TestDecimalsAreExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x, y := numbers(t, "x"), numbers(t, "y")
		a, ok := parseDecimal(x)
		b, fine := parseDecimal([]byte(y))
		if !ok || !fine {
			t.Fatalf("%s or %s is not read", x, y)
		}
		rx, ry := rat(t, x), rat(t, y)
		if got, want := compareDecimals(a, b), rx.Cmp(ry); got != want {
			t.Fatalf("%s against %s: %d, wanted %d", x, y, got, want)
		}
		if same := string(a.appendCanonical(nil)) == string(b.appendCanonical(nil)); same != (rx.Cmp(ry) == 0) {
			t.Fatalf("%s and %s have canonical forms that are the same: %v", x, y, same)
		}
		micros, ok := a.millionths()
		exact := new(big.Rat).Mul(rx, big.NewRat(one, 1))
		possible := exact.IsInt() && rx.Sign() >= 0 && rx.Cmp(big.NewRat(1_000_000_000_000, 1)) < 0
		if ok != possible || ok && exact.Num().Int64() != micros {
			t.Fatalf("%s is %d millionths, %v; wanted %s, %v", x, micros, ok, exact, possible)
		}
		whole, ok := a.integer(maxMax)
		possible = rx.IsInt() && rx.Sign() >= 0 && rx.Cmp(big.NewRat(maxMax, 1)) <= 0
		if ok != possible || ok && rx.Num().Int64() != whole {
			t.Fatalf("%s is the integer %d, %v", x, whole, ok)
		}
	})
}

// An exponent costs nothing, however large.
func TestHugeExponents(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		x, y string
		want int
	}{
		{"1e400", "1e399", 1}, {"-1e400", "1e-400", -1}, {"1e1000000000000", "2e999999999999", 1}, {"10e999999999999", "1e1000000000000", 0},
		{"1e-1000000000000", "0", 1}, {"0e1000000000000000000000000", "0", 0}, {"-0e99999999999999999999", "0.000", 0},
	} {
		a, ok := parseDecimal(c.x)
		b, fine := parseDecimal(c.y)
		if !ok || !fine || compareDecimals(a, b) != c.want {
			t.Errorf("%s against %s: %d, wanted %d", c.x, c.y, compareDecimals(a, b), c.want)
		}
	}
	for _, x := range []string{"1e99999999999999999999", "1e-99999999999999999999", "1e" + strings.Repeat("9", 100_000)} {
		if _, ok := parseDecimal(x); ok {
			t.Errorf("%.30s is judged, though its neighbours look the same", x)
		}
	}
	long := strings.Repeat("9", 100_000)
	a, _ := parseDecimal(long + ".5")
	b, _ := parseDecimal(long)
	if compareDecimals(a, b) != 1 {
		t.Error("long numbers are not compared to the last digit")
	}
}
