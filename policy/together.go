package policy

import (
	"fmt"
	"strconv"
)

// together looks at what only the whole document tells.
func (r *reader) together(m *model) {
	r.hiddenRules(m)
	for i := range m.tools {
		t := &m.tools[i]
		for j := range t.denyIf {
			for k := range t.denyIf[j].conditions {
				c := &t.denyIf[j].conditions[k]
				if c.op != nil && c.op.ordered() && !t.requires(c.path.text) {
					r.fault(warnOrder, t.denyIf[j].at,
						fmt.Sprintf("a call without %s is denied too, with the same message", c.path.text),
						fmt.Sprintf(`to tell the two apart, require {"path": %s, "op": "exists", "value": true} with a message of its own`, strconv.Quote(c.path.text)))
				}
			}
		}
		for j := range t.limits {
			if l := &t.limits[j]; l.after != "" && !m.callable(l.after) {
				r.fault(warnAfterNever, l.at+"/after", fmt.Sprintf("%s can't be called under this document", strconv.Quote(l.after)), "list it under tools")
			}
		}
	}
}

func (r *reader) hiddenRules(m *model) {
	for _, h := range m.hide {
		if h == "*" && len(m.tools) > 0 {
			r.fault(warnHiddenRuled, "/hide", "everything is hidden: no rule under tools ever decides", "")
			return
		}
	}
	for i := range m.tools {
		if name := m.tools[i].name; m.hides(name) {
			r.fault(warnHiddenRuled, "/tools/"+escapePointer(name), "the tool is hidden: its rules never decide", "take it out of hide, or drop the rules")
		}
	}
}

// requires reports whether a requirement fails where the path leads nowhere.
func (t *toolModel) requires(path string) bool {
	for i := range t.require {
		for j := range t.require[i].conditions {
			c := &t.require[i].conditions[j]
			if c.path.text == path && (c.op != &opExists || c.value.text == "true") {
				return true
			}
		}
	}
	return false
}

// callable reports whether some call of the tool could be allowed.
func (m *model) callable(name string) bool {
	if m.hides(name) {
		return false
	}
	t := m.tool(name)
	if t == nil {
		return m.allow
	}
	for i := range t.denyIf {
		if len(t.denyIf[i].conditions) == 0 {
			return false
		}
	}
	return true
}
