package policy

var opContains = operator{
	name: "contains", operand: "any value", example: `"refund"`,
	means: "the argument is a string with the operand in it, capitals counting, or an array with an element that equals it; unknown if none does and one is of another type",
	check: anyOperand,
	judge: func(o *operand, v value) Truth {
		switch v.kind {
		case kindAbsent:
			return False
		case kindNull:
			return truthOf(o.kind == kindNull)
		case kindString:
			return o.containsText(v)
		case kindArray:
			return o.element(v)
		}
		return Unknown
	},
}

// element reports whether an array has an element that equals the operand: Unknown where
// none does and one can't be compared with it, as 5 with "5".
func (o *operand) element(v value) Truth {
	result := False
	e := elements{b: v.raw}
	for e.next() {
		result = result.or(opEq.judge(o, e.value))
	}
	if e.bad {
		return Unknown
	}
	return result
}
