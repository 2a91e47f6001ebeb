package policy

var opNeq = operator{
	name: "neq", operand: "any value", example: `"EUR"`,
	means: "the argument is another value of the same type",
	check: anyOperand,
	judge: func(o *operand, v value) Truth {
		switch v.kind {
		case kindAbsent:
			return Unknown
		case kindNull:
			if o.kind == kindNull {
				return False
			}
			return Unknown
		}
		return o.equal(v).not()
	},
}
