package capi

import (
	"errors"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Decimal is a number with four decimal places, kept exactly: the amount times
// 10 000. Its range is ±922 337 203 685 477.5807.
type Decimal int64

const (
	decimalPlaces = 4
	decimalUnit   = 10_000
)

// The ways a text fails to be a Decimal. Each text is a stable code.
var (
	ErrDecimalSyntax    = errors.New("decimal_syntax")    // not plain decimal text
	ErrDecimalPrecision = errors.New("decimal_precision") // more than four decimals
	ErrDecimalRange     = errors.New("decimal_range")     // outside the range
)

// ParseDecimal reads plain decimal text: an optional minus, digits, and at most
// one point with digits on both sides. It takes no exponent, no grouping, no plus
// and no surrounding space, because each of those is a sign that a column means
// something else. More than four decimals are an error unless the rest are zeros.
func ParseDecimal(s string) (Decimal, error) {
	text, negative := strings.CutPrefix(s, "-")
	whole, fraction, pointed := strings.Cut(text, ".")
	if whole == "" || (pointed && fraction == "") || !isDigits(whole) || !isDigits(fraction) {
		return 0, ErrDecimalSyntax
	}
	if len(fraction) > decimalPlaces {
		if strings.Trim(fraction[decimalPlaces:], "0") != "" {
			return 0, ErrDecimalPrecision
		}
		fraction = fraction[:decimalPlaces]
	}
	// Digits are gathered as a negative number, whose range is one larger.
	var n int64
	for i := range len(whole) + decimalPlaces {
		digit := int64(0)
		switch {
		case i < len(whole):
			digit = int64(whole[i] - '0')
		case i-len(whole) < len(fraction):
			digit = int64(fraction[i-len(whole)] - '0')
		}
		if n < (math.MinInt64+digit)/10 {
			return 0, ErrDecimalRange
		}
		n = n*10 - digit
	}
	if negative {
		return Decimal(n), nil
	}
	if n == math.MinInt64 {
		return 0, ErrDecimalRange
	}
	return Decimal(-n), nil
}

// DecimalFromInt returns n as a Decimal, and whether it fits.
func DecimalFromInt(n int64) (Decimal, bool) {
	if n > math.MaxInt64/decimalUnit || n < math.MinInt64/decimalUnit {
		return 0, false
	}
	return Decimal(n * decimalUnit), true
}

// Append appends the shortest decimal text: no exponent, no trailing zeros.
func (d Decimal) Append(dst []byte) []byte {
	n := uint64(d)
	if d < 0 {
		dst = append(dst, '-')
		n = -n
	}
	dst = strconv.AppendUint(dst, n/decimalUnit, 10)
	fraction := n % decimalUnit
	if fraction == 0 {
		return dst
	}
	dst = append(dst, '.', byte('0'+fraction/1000), byte('0'+fraction/100%10), byte('0'+fraction/10%10), byte('0'+fraction%10))
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// String returns what Append writes.
func (d Decimal) String() string { return string(d.Append(nil)) }

// Add returns d+e, and whether the sum is in range.
func (d Decimal) Add(e Decimal) (Decimal, bool) {
	sum := d + e
	return sum, (sum > d) == (e > 0)
}

// MulInt returns d·n, and whether the product is in range.
func (d Decimal) MulInt(n int64) (Decimal, bool) {
	hi, lo := bits.Mul64(magnitude(int64(d)), magnitude(n))
	negative := (d < 0) != (n < 0)
	switch {
	case hi != 0, lo > math.MaxInt64 && !(negative && lo == 1<<63):
		return 0, false
	case negative:
		return Decimal(-lo), true
	default:
		return Decimal(lo), true
	}
}

// exactFloatLimit is 2^39 in units. Below it the doubles lie closer together than
// 0.0001, so no two Decimals share one and the shortest text of the double is the
// Decimal's own. RFC 8785 writes numbers that way.
const exactFloatLimit = Decimal(1<<39) * decimalUnit

// survivesFloat reports whether a reader that uses doubles, and RFC 8785, give
// this number's own text back.
func (d Decimal) survivesFloat() bool {
	if d < exactFloatLimit && d > -exactFloatLimit {
		return true
	}
	text := d.String()
	f, err := strconv.ParseFloat(text, 64)
	return err == nil && strconv.FormatFloat(f, 'f', -1, 64) == text
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// isDigits reports whether s holds nothing but ASCII digits; true for "".
func isDigits(s string) bool {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return true
}
