package policy

var opEq = operator{
	name: "eq", operand: "any value", example: `"EUR"`,
	means: "the argument is the same value: numbers as exact decimals, strings character by character, arrays and objects deeply",
	check: anyOperand,
	judge: func(o *operand, v value) Truth {
		switch v.kind {
		case kindAbsent:
			return False
		case kindNull:
			return truthOf(o.kind == kindNull)
		}
		return o.equal(v)
	},
}
