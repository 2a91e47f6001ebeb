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
		c, ok := o.order(v)
		if !ok {
			return Unknown
		}
		return truthOf(c == 0)
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
// can't be judged, as a member that is there in other capitals, makes the whole Unknown.
func (n *node) same(v value) Truth {
	switch {
	case v.kind == kindBad:
		return Unknown
	case n.kind != v.kind:
		return False
	case n.kind == kindArray:
		return n.sameArray(v)
	case n.kind == kindObject:
		return n.sameObject(v)
	}
	o := newOperand(n)
	return o.equal(v)
}

func (n *node) sameArray(v value) Truth {
	equal, count := true, 0
	e := elements{b: v.raw}
	for e.next() {
		if count < len(n.members) {
			t := n.members[count].same(e.value)
			if t == Unknown {
				return Unknown
			}
			equal = equal && t == True
		}
		count++
	}
	if e.bad {
		return Unknown
	}
	return truthOf(equal && count == len(n.members))
}

func (n *node) sameObject(v value) Truth {
	equal, count := true, 0
	m := members{b: v.raw}
	for m.next() {
		count++
	}
	if m.bad {
		return Unknown
	}
	for i, key := range n.keys {
		t := n.members[i].same(v.member(key))
		if t == Unknown {
			return Unknown
		}
		equal = equal && t == True
	}
	return truthOf(equal && count == len(n.keys))
}

// containsText reports whether a string has the operand in it.
func (o *operand) containsText(v value) Truth {
	text, ok := v.text()
	if !ok || o.kind != kindString {
		return Unknown
	}
	return truthOf(bytes.Contains(text, o.bytes))
}
