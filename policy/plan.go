package policy

// plan finds the heads of many paths in one pass over the arguments: a tree of names, in
// whose leaves the values are put into numbered slots.
type plan struct {
	root branch
	n    int // slots
}

type branch struct {
	name     string
	plain    bool
	slot     int // -1: no path ends here
	children []*branch
}

// ref is where a plan puts the value of a path, and how to go on from there.
type ref struct {
	slot int
	tail []step
}

func newPlan() plan { return plan{root: branch{slot: -1}} }

// add makes room for a path. Paths with one head share a slot.
func (p *plan) add(to *path) ref {
	at := &p.root
next:
	for _, name := range to.head {
		for _, c := range at.children {
			if c.name == name {
				at = c
				continue next
			}
		}
		c := &branch{name: name, plain: isPlain(name), slot: -1}
		at.children = append(at.children, c)
		at = c
	}
	if at.slot < 0 {
		at.slot = p.n
		p.n++
	}
	return ref{slot: at.slot, tail: to.tail}
}

// slots is how many values fit without an allocation.
const slots = 12

// resolve fills the slots, which are all absent before. No arguments are an empty
// object; what is no object, or malformed, spoils every slot.
func (p *plan) resolve(args []byte, out []value) {
	i := skipSpace(args, 0)
	if i == len(args) {
		return
	}
	ok := args[i] == '{'
	if ok {
		i, ok = p.root.walk(args, i, out)
	}
	if !ok || skipSpace(args, i) != len(args) {
		p.root.spoil(out)
	}
}

// walk looks for the children in the object that begins at i, and returns where it ends.
func (b *branch) walk(args []byte, i int, out []value) (end int, ok bool) {
	m := members{b: args, i: i}
	for m.name() {
		var into *branch
		plain := isPlain(m.key)
		for _, c := range b.children {
			switch compareName(m.key, c.name, plain && c.plain) {
			case same:
				into = c
			case variant:
				c.spoil(out)
			}
		}
		if !into.take(&m, out) {
			return m.i, false
		}
	}
	return m.i, !m.bad
}

// take reads the value of a member and puts it, and what is in it, where it belongs. A
// slot that is filled already is one that a second member claims.
func (b *branch) take(m *members, out []value) bool {
	if b == nil {
		return m.read()
	}
	start := m.i
	if len(b.children) > 0 && start < len(m.b) && m.b[start] == '{' {
		end, ok := b.walk(m.b, start, out)
		if !ok {
			return false
		}
		m.i, m.value = end, value{kindObject, m.b[start:end]}
	} else if !m.read() {
		return false
	}
	if b.slot >= 0 {
		if out[b.slot].kind != kindAbsent {
			m.value = value{kind: kindBad}
		}
		out[b.slot] = m.value
	}
	return true
}

// spoil makes everything at and below a name impossible to judge.
func (b *branch) spoil(out []value) {
	if b.slot >= 0 {
		out[b.slot] = value{kind: kindBad}
	}
	for _, c := range b.children {
		c.spoil(out)
	}
}
