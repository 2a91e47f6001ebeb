package policy

// order compares an argument with a number; false where the argument is none.
func (o *operand) order(v value) (int, bool) {
	if v.kind != kindNumber {
		return 0, false
	}
	n, ok := parseDecimal(v.raw)
	if !ok {
		return 0, false
	}
	return compareDecimals(n, o.num), true
}
