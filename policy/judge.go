package policy

// quantifier says what a condition over many values asks for.
type quantifier uint8

const (
	every quantifier = iota // require: all of them
	some                    // deny_if, approve_if: one is enough
)

// judge says what holds of a rule: all of its conditions.
func (r *rule) judge(values []value, q quantifier) Truth {
	result := True
	for i := range r.conditions {
		c := &r.conditions[i]
		if result = result.and(c.judge(values[c.slot], q)); result == False {
			break
		}
	}
	return result
}

func (c *condition) judge(v value, q quantifier) Truth {
	if len(c.tail) == 0 {
		return c.op.judge(&c.use, v)
	}
	return c.follow(v, c.tail, q)
}

// follow walks what is behind the head of a path. An array that has no elements is as
// absent as one that is not there.
func (c *condition) follow(v value, tail []step, q quantifier) Truth {
	if len(tail) == 0 {
		return c.op.judge(&c.use, v)
	}
	switch tail[0].kind {
	case byName:
		return c.follow(v.member(tail[0].name), tail[1:], q)
	case toLength:
		return c.op.judge(&c.use, v.length())
	}
	switch v.kind {
	case kindArray:
	case kindAbsent, kindNull:
		return c.op.judge(&c.use, value{})
	default: // a single object where a list belongs is a list of one to some upstreams
		return c.op.judge(&c.use, value{kind: kindBad})
	}
	result, empty := truthOf(q == every), true
	e := elements{b: v.raw}
	for e.next() {
		empty = false
		if t := c.follow(e.value, tail[1:], q); q == every {
			result = result.and(t)
		} else {
			result = result.or(t)
		}
	}
	switch {
	case e.bad:
		return Unknown
	case empty:
		return c.op.judge(&c.use, value{})
	}
	return result
}
