package policy

var opExists = operator{
	name: "exists", operand: "true or false", example: `true`,
	means: "true: the argument is there and not null; false: it is absent or null",
	check: func(n *node) string {
		if n.kind != kindBool {
			return "true or false is needed, not " + n.kind.String()
		}
		return ""
	},
	judge: func(o *operand, v value) Truth {
		if v.kind == kindBad {
			return Unknown
		}
		return truthOf((v.kind != kindAbsent && v.kind != kindNull) == (o.text == "true"))
	},
}
