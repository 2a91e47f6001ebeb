package policy

import "strconv"

// Labels name what decided, as a JSON pointer that stays the same while the document is
// edited elsewhere:
//
//	/tools/<tool>/deny_if/<path>-<op>           a rule with one condition
//	/tools/<tool>/deny_if/<index>               a rule with several, or none
//	/tools/<tool>/deny_if/<id>                  a rule to which its author gave an id
//	/tools/<tool>/limits/<counter>-per-<window>
//	/all_tools/limits/<counter>-per-<window>
//
// Where two of a list would have one label, the later ones get their index, or their
// scope, behind it.

// Labels of what no rule says.
const (
	labelHidden  = "(hidden)"
	labelDefault = "(default deny)"
)

func ruleLabel(tool, list string, rules []ruleModel, i int) string {
	return "/tools/" + escapePointer(tool) + "/" + list + "/" + escapePointer(ruleName(rules, i))
}

// ruleName is the last segment of a rule's label, before escaping.
func ruleName(rules []ruleModel, i int) string {
	r := &rules[i]
	if r.id != "" {
		return r.id
	}
	name := plainName(r)
	if name == "" {
		return strconv.Itoa(i)
	}
	for j := range i {
		if rules[j].id == "" && plainName(&rules[j]) == name {
			return name + "-" + strconv.Itoa(i)
		}
	}
	return name
}

func plainName(r *ruleModel) string {
	if len(r.conditions) != 1 || r.conditions[0].op == nil {
		return ""
	}
	return r.conditions[0].path.text + "-" + r.conditions[0].op.name
}

func limitLabel(section string, limits []limitModel, i int) string {
	l := &limits[i]
	name := l.counter + "-per-" + l.windowLabel()
	for j := range i {
		if limits[j].counter == l.counter && limits[j].seconds == l.seconds {
			name += "-" + string(l.scope)
			break
		}
	}
	return section + "/limits/" + escapePointer(name)
}

func (l *limitModel) windowLabel() string {
	if name, ok := windowName(l.seconds); ok {
		return name
	}
	return strconv.FormatInt(l.seconds, 10) + "s"
}
