package policy

import "bytes"

// equal compares an argument with an operand: Unknown where they are of different types
// or the argument can't be judged. Numbers are equal when they are the same number,
// strings when they are the same characters, objects when they have the same members in
// any order.
func (o *operand) equal(v value) Truth {
	if o.kind != v.kind {
		return Unknown
	}
	switch v.kind {
	case kindNull:
		return True
	case kindNumber:
		n, ok := parseDecimal(v.raw)
		if !ok {
			return Unknown
		}
		return truthOf(compareDecimals(n, o.num) == 0)
	case kindString:
		text, ok := v.text()
		if !ok {
			return Unknown
		}
		return truthOf(string(text) == o.text)
	case kindBool:
		return truthOf(string(v.raw) == o.text)
	case kindArray, kindObject:
		return o.node.same(v)
	}
	return Unknown
}

// same compares deeply. What is of another type further in is just another value; what
// can't be judged makes the whole Unknown.
func (n *node) same(v value) Truth {
	if v.kind == kindBad {
		return Unknown
	}
	if n.kind != v.kind {
		return False
	}
	switch n.kind {
	case kindArray:
		e := elements{b: v.raw}
		i := 0
		result := True
		for e.next() {
			if i < len(n.members) {
				result = result.and(n.members[i].same(e.value))
			}
			i++
		}
		if e.bad {
			return Unknown
		}
		return result.and(truthOf(i == len(n.members)))
	case kindObject:
		m := members{b: v.raw}
		count := 0
		for m.next() {
			count++
		}
		if m.bad {
			return Unknown
		}
		result := truthOf(count == len(n.keys))
		for i, key := range n.keys {
			// Another spelling of the name makes it Unknown.
			got := v.member(key)
			result = result.and(n.members[i].same(got))
		}
		return result
	}
	o := newOperand(n)
	return o.equal(v)
}

// containsText reports whether a string has the operand in it.
func (o *operand) containsText(v value) Truth {
	text, ok := v.text()
	if !ok || o.kind != kindString {
		return Unknown
	}
	return truthOf(bytes.Contains(text, o.bytes))
}
