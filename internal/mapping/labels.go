package mapping

import (
	"cmp"
	"slices"
)

// labelRule is a value of the business's own that reports are cut by.
type labelRule struct {
	name  string
	value *expression
}

const maxLabels = 8

func (d *decoder) labels(m *Mapping, c cursor) {
	if !c.present() {
		return
	}
	if c.kind != objectNode {
		d.fault(c, "write `labels: {store: column}`", "labels: expected names with columns, found %s", c.said())
		return
	}
	if len(c.members) > maxLabels {
		d.fault(c, "keep those that reports are cut by", "there are more than %d labels", maxLabels)
	}
	for _, l := range c.members {
		if !codePattern.MatchString(l.key) {
			d.keyFault(c, l, "use lower-case letters, digits and `_`", "label name %q has other characters", clip(l.key))
			continue
		}
		if e, _ := d.expression(c.at(l), "labels."+l.key, bareColumn); e != nil {
			m.labels = append(m.labels, labelRule{l.key, e})
		}
	}
	slices.SortFunc(m.labels, func(a, b labelRule) int { return cmp.Compare(a.name, b.name) })
}
