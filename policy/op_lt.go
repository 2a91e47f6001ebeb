package policy

var opLt = operator{
	name: "lt", operand: "a number", example: `100`,
	means: "the argument is a number smaller than the operand, compared as exact decimals",
	check: numberOperand,
	judge: func(o *operand, v value) Truth {
		c, ok := o.order(v)
		if !ok {
			return Unknown
		}
		return truthOf(c < 0)
	},
}
