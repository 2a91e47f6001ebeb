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

// listed reports whether one of the list equals the value: Unknown if none is of its type,
// or if none equals it and one that is of its type may.
func (o *operand) listed(v value) Truth {
	if len(o.texts) > 0 && v.kind == kindString {
		text, ok := v.text()
		if !ok {
			return Unknown
		}
		_, found := o.texts[string(text)]
		return truthOf(found)
	}
	result, comparable := False, false
	for i := 0; i < len(o.list) && result != True; i++ {
		if e := &o.list[i]; e.kind == v.kind {
			result, comparable = result.or(e.equal(v)), true
		}
	}
	if !comparable {
		return Unknown
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
