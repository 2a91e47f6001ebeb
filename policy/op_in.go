package policy

var opIn = operator{
	name: "in", operand: "an array", example: `["EUR", "USD"]`,
	means: "the argument equals one of the listed values; unknown if none of them is of its type",
	check: listOperand,
	judge: func(o *operand, v value) Truth {
		switch v.kind {
		case kindAbsent:
			return False
		case kindNull:
			return truthOf(o.listsNull())
		}
		return o.listed(v)
	},
}

// listed reports whether one of the list equals the value: Unknown if none can be
// compared with it.
func (o *operand) listed(v value) Truth {
	if len(o.texts) > 0 && v.kind == kindString {
		text, ok := v.text()
		if !ok {
			return Unknown
		}
		_, found := o.texts[string(text)]
		return truthOf(found)
	}
	result := Unknown
	for i := range o.list {
		switch o.list[i].equal(v) {
		case True:
			return True
		case False:
			result = False
		}
	}
	return result
}

func (o *operand) listsNull() bool {
	for i := range o.list {
		if o.list[i].kind == kindNull {
			return true
		}
	}
	return false
}
