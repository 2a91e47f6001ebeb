package policy

var opGte = operator{
	name: "gte", operand: "a number", example: `100`,
	means: "the argument is a number larger than the operand or the same, compared as exact decimals",
	check: numberOperand,
	judge: func(o *operand, v value) Truth {
		c, ok := o.order(v)
		if !ok {
			return Unknown
		}
		return truthOf(c >= 0)
	},
}
