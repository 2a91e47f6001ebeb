package policy

import (
	"cmp"
	"math"
	"strconv"
)

// decimal is a JSON number as it was written: an arbitrarily long run of digits and a
// place for the point. Nothing is rounded and nothing grows with the exponent: 1e400 is
// one digit.
//
// Its value is ±0.d₁d₂…dₙ × 10^exp, d₁ and dₙ not zero; no digits is zero.
type decimal[T string | []byte] struct {
	neg    bool
	digits T // may have the point in it
	n      int
	exp    int64
}

// maxExponent is how far an exponent is followed. A number beyond it can't be told from
// its neighbours, so it is not judged at all.
const maxExponent = math.MaxInt64 / 1000

// parseDecimal reads a well-formed JSON number; false where its exponent is too large.
func parseDecimal[T string | []byte](text T) (decimal[T], bool) {
	var d decimal[T]
	i := 0
	if len(text) > 0 && text[0] == '-' {
		d.neg, i = true, 1
	}
	first, last := -1, -1 // of the digits that are not zero
	point, end := -1, len(text)
	for j := i; j < len(text); j++ {
		c := text[j]
		if c == '.' {
			point = j
		} else if c == 'e' || c == 'E' {
			end = j
			break
		} else if c != '0' {
			if first < 0 {
				first = j
			}
			last = j
		}
	}
	if first < 0 {
		return decimal[T]{}, true // zero, whatever its sign and exponent
	}
	if point < 0 {
		point = end
	}
	d.digits = text[first : last+1]
	d.n = last + 1 - first
	if first < point && point < last {
		d.n--
	}
	if first < point {
		d.exp = int64(point - first)
	} else {
		d.exp = int64(point + 1 - first)
	}
	if end == len(text) {
		return d, true
	}
	j := end + 1
	down := text[j] == '-'
	if down || text[j] == '+' {
		j++
	}
	var e int64
	for ; j < len(text); j++ {
		if e = e*10 + int64(text[j]-'0'); e > maxExponent {
			return d, false
		}
	}
	if down {
		e = -e
	}
	d.exp += e
	return d, true
}

// compareDecimals orders two numbers exactly.
func compareDecimals[A, B string | []byte](a decimal[A], b decimal[B]) int {
	sa, sb := a.sign(), b.sign()
	if sa != sb || sa == 0 {
		return cmp.Compare(sa, sb)
	}
	if a.exp != b.exp {
		return sa * cmp.Compare(a.exp, b.exp)
	}
	return sa * compareDigits(a.digits, b.digits)
}

// exactDigits is how many digits tell a number from every other one with as many, also to
// a reader that keeps numbers as doubles.
const exactDigits = 15

// crowded reports whether another number may be the same double.
func (d decimal[T]) crowded() bool { return d.n > exactDigits || d.exp < -290 || d.exp > 300 }

// double is the number as most readers of JSON keep it; out of their range it is infinite,
// or zero.
func double[T string | []byte](text T) float64 {
	f, _ := strconv.ParseFloat(string(text), 64)
	return f
}

func (d decimal[T]) sign() int {
	switch {
	case d.n == 0:
		return 0
	case d.neg:
		return -1
	}
	return 1
}

// compareDigits compares two runs of digits as fractions, stepping over the point.
func compareDigits[A, B string | []byte](a A, b B) int {
	i, j := 0, 0
	for {
		if i < len(a) && a[i] == '.' {
			i++
		}
		if j < len(b) && b[j] == '.' {
			j++
		}
		switch {
		case i == len(a) && j == len(b):
			return 0
		case i == len(a):
			return -1 // b goes on, and does not end with zeros
		case j == len(b):
			return 1
		case a[i] != b[j]:
			return cmp.Compare(a[i], b[j])
		}
		i++
		j++
	}
}

// one is 1 in millionths, in which amounts are counted.
const one = 1_000_000

// millionths is the number as an amount: from 0, at most 12 digits before the point and
// 6 after it.
func (d decimal[T]) millionths() (int64, bool) {
	if d.n == 0 {
		return 0, true
	}
	if d.neg || d.exp > 12 || int64(d.n)-d.exp > 6 {
		return 0, false
	}
	var v int64
	for i := range len(d.digits) {
		if c := d.digits[i]; c != '.' {
			v = v*10 + int64(c-'0')
		}
	}
	for i := int64(d.n); i < d.exp+6; i++ {
		v *= 10
	}
	return v, true
}

// integer is the number where it is a whole one from 0 to most.
func (d decimal[T]) integer(most int64) (int64, bool) {
	if d.n == 0 {
		return 0, true
	}
	if d.neg || d.exp > 18 || int64(d.n) > d.exp {
		return 0, false
	}
	var v int64
	for i := range len(d.digits) {
		if c := d.digits[i]; c != '.' {
			v = v*10 + int64(c-'0')
		}
	}
	for i := int64(d.n); i < d.exp; i++ {
		v *= 10
	}
	return v, v <= most
}

// appendCanonical appends one spelling for each number.
func (d decimal[T]) appendCanonical(dst []byte) []byte {
	if d.n == 0 {
		return append(dst, '0')
	}
	if d.neg {
		dst = append(dst, '-')
	}
	for i := range len(d.digits) {
		if c := d.digits[i]; c != '.' {
			dst = append(dst, c)
		}
	}
	dst = append(dst, 'e')
	return strconv.AppendInt(dst, d.exp, 10)
}
