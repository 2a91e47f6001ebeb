package policy

// order compares an argument with a number; false where the argument is none, or another
// one that many servers read as the same: to them 100.00000000000000000001 is 100, and what
// is denied for the one must not be had by writing the other.
func (o *operand) order(v value) (int, bool) {
	if v.kind != kindNumber {
		return 0, false
	}
	n, ok := parseDecimal(v.raw)
	if !ok {
		return 0, false
	}
	c := compareDecimals(n, o.num)
	if c != 0 && (n.crowded() || o.num.crowded()) && double(v.raw) == o.double {
		return 0, false
	}
	return c, true
}
