package policy

import "strconv"

// writer writes a document in its canonical form: no spaces, members in the order of the
// specification, tools and rules in the order of their author, defaults left out, scope
// written out.
type writer struct {
	b []byte
	// extended is set once something is written that version 1 as published has not.
	extended bool
}

// key begins a member of the object being written.
func (w *writer) key(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = appendQuoted(w.b, name)
	w.b = append(w.b, ':')
}

func (w *writer) text(name, value string) {
	w.key(name)
	w.b = appendQuoted(w.b, value)
}

func (w *writer) number(name string, n int64) {
	w.key(name)
	w.b = strconv.AppendInt(w.b, n, 10)
}

func (w *writer) texts(name string, values []string) {
	w.key(name)
	list(w, len(values), func(i int) { w.b = appendQuoted(w.b, values[i]) })
}

func list(w *writer, n int, element func(int)) {
	w.b = append(w.b, '[')
	for i := range n {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		element(i)
	}
	w.b = append(w.b, ']')
}

func (w *writer) document(m *model) {
	w.b = append(w.b, '{')
	w.text("version", "1")
	w.text("default", map[bool]string{true: "allow", false: "deny"}[m.allow])
	if len(m.hide) > 0 {
		w.texts("hide", m.hide)
	}
	if len(m.allTools) > 0 {
		w.key("all_tools")
		w.b = append(w.b, '{')
		w.limits(m.allTools)
		w.b = append(w.b, '}')
	}
	if len(m.tools) > 0 {
		w.key("tools")
		w.b = append(w.b, '{')
		for i := range m.tools {
			w.tool(&m.tools[i])
		}
		w.b = append(w.b, '}')
	}
	w.b = append(w.b, '}')
}

func (w *writer) tool(t *toolModel) {
	w.key(t.name)
	w.b = append(w.b, '{')
	w.rules("require", t.require, w.plainRule)
	w.rules("deny_if", t.denyIf, w.plainRule)
	if len(t.approveIf) > 0 {
		w.extended = true
	}
	w.rules("approve_if", t.approveIf, w.approveRule)
	w.limits(t.limits)
	w.b = append(w.b, '}')
}

func (w *writer) rules(name string, rules []ruleModel, write func(*ruleModel)) {
	if len(rules) == 0 {
		return
	}
	w.key(name)
	list(w, len(rules), func(i int) {
		w.b = append(w.b, '{')
		if rules[i].id != "" {
			w.extended = true
			w.text("id", rules[i].id)
		}
		w.key("conditions")
		list(w, len(rules[i].conditions), func(j int) { w.condition(&rules[i].conditions[j]) })
		write(&rules[i])
		w.b = append(w.b, '}')
	})
}

func (w *writer) plainRule(r *ruleModel) {
	if r.message != "" {
		w.text("on_deny", r.message)
	}
}

func (w *writer) approveRule(r *ruleModel) {
	if r.message != "" {
		w.text("message", r.message)
	}
	if r.ttl != nil {
		w.number("ttl_seconds", *r.ttl)
	}
	if r.wait != nil {
		w.number("wait_seconds", *r.wait)
	}
	if len(r.approvers) > 0 {
		w.texts("approvers", r.approvers)
	}
}

func (w *writer) path(name string, p *path) {
	w.extended = w.extended || !p.portable()
	w.text(name, p.text)
}

func (w *writer) condition(c *conditionModel) {
	w.b = append(w.b, '{')
	w.path("path", &c.path)
	w.text("op", c.op.name)
	w.key("value")
	w.value(&c.value)
	w.b = append(w.b, '}')
}

func (w *writer) limits(limits []limitModel) {
	if len(limits) == 0 {
		return
	}
	w.key("limits")
	list(w, len(limits), func(i int) { w.limit(&limits[i]) })
}

func (w *writer) limit(l *limitModel) {
	w.b = append(w.b, '{')
	w.text("counter", l.counter)
	if name, ok := windowName(l.seconds); ok {
		w.text("window", name)
	} else {
		w.extended = true
		w.number("window_seconds", l.seconds)
	}
	if l.after == "" {
		w.number("max", l.max)
	}
	w.text("scope", string(l.scope))
	if l.sliding {
		w.text("algorithm", "sliding")
	}
	if l.increment != nil {
		w.path("increment_from", l.increment)
	}
	if l.key != nil {
		w.path("key", l.key)
	}
	switch {
	case l.after == "":
	case l.afterKey == nil || l.afterKey.text == l.key.text:
		w.text("after", l.after)
	default:
		w.key("after")
		w.b = append(w.b, '{')
		w.text("tool", l.after)
		w.path("key", l.afterKey)
		w.b = append(w.b, '}')
	}
	if l.scope == PerSession || l.sliding || l.increment != nil || l.key != nil || l.after != "" {
		w.extended = true
	}
	if l.message != "" {
		w.text("on_deny", l.message)
	}
	w.b = append(w.b, '}')
}

// value writes an operand, numbers as they were written.
func (w *writer) value(n *node) {
	switch n.kind {
	case kindString:
		w.b = appendQuoted(w.b, n.text)
	case kindArray:
		list(w, len(n.members), func(i int) { w.value(&n.members[i]) })
	case kindObject:
		w.b = append(w.b, '{')
		for i, key := range n.keys {
			w.key(key)
			w.value(&n.members[i])
		}
		w.b = append(w.b, '}')
	default:
		w.b = append(w.b, n.text...)
	}
}
