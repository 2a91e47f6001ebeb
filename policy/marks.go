package policy

// Marks appends what later calls may refer to with `after`, should this one succeed. A
// call from which the key can't be taken leaves none.
func (p *Policy) Marks(dst []Mark, c Call) []Mark {
	t := p.tools[c.Tool]
	if t == nil || len(t.leaves) == 0 {
		return dst
	}
	var values [slots]value
	use := values[:]
	if t.marks.n > slots {
		use = make([]value, t.marks.n)
	}
	if t.marks.n > 0 {
		t.marks.resolve(c.Arguments, use)
	}
	for i := range t.leaves {
		m := &t.leaves[i]
		left := Mark{Limit: m.limit}
		if m.keyed {
			var ok bool
			if left.Key, ok = m.limit.digest(use[m.key.slot], m.key.tail); !ok {
				continue
			}
		}
		dst = append(dst, left)
	}
	return dst
}
