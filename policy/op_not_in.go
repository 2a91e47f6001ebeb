package policy

var opNotIn = operator{
	name: "not_in", operand: "an array", example: `["RUB"]`,
	means: "the argument equals none of the listed values, and one of them is of its type",
	check: listOperand,
	judge: func(o *operand, v value) Truth {
		switch v.kind {
		case kindAbsent:
			return Unknown
		case kindNull:
			if o.listsNull() {
				return False
			}
			return Unknown
		}
		return o.listed(v).not()
	},
}
