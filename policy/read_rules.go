package policy

import (
	"fmt"
	"strconv"
	"strings"
)

// rules reads require, deny_if or approve_if.
func (r *reader) rules(n *node, at, list string) []ruleModel {
	v := n.member(list)
	at += "/" + list
	if v == nil || !r.is(v, kindArray, at) {
		return nil
	}
	if len(v.members) > maxRules {
		r.fault(codeSize, at, fmt.Sprintf("%d rules; at most %d are read", len(v.members), maxRules), "")
		return nil
	}
	var rules []ruleModel
	for i := range v.members {
		here := at + "/" + strconv.Itoa(i)
		if r.is(&v.members[i], kindObject, here) {
			rules = append(rules, r.rule(&v.members[i], here, list))
		}
	}
	return rules
}

func (r *reader) rule(n *node, at, list string) ruleModel {
	fields := ruleFields
	if list == "approve_if" {
		fields = approveFields
	}
	rule := ruleModel{at: at}
	conditions := n.member("conditions")
	bare := n.member("path") != nil || n.member("op") != nil || n.member("value") != nil
	switch {
	case conditions != nil && bare:
		r.fault(codeConditions, at, "the rule has conditions, and path, op or value besides", "move them into conditions")
		r.only(n, at, append(append([]string{}, fields...), conditionKeys...))
	case bare:
		r.only(n, at, append(append([]string{}, fields...), conditionKeys...))
		rule.conditions = []conditionModel{r.condition(n, at)}
		r.fault(noticeCondition, at, "a condition in place of a rule was written out as a rule with one condition", "")
	default:
		r.only(n, at, fields)
		rule.conditions = r.conditions(conditions, at, list)
	}
	if list != "approve_if" {
		rule.message = r.text(n, at, "on_deny")
	} else {
		r.approval(n, at, &rule)
	}
	if v := n.member("id"); v != nil && r.is(v, kindString, at+"/id") {
		rule.id = v.text
		if p := nameProblem(v.text); p != "" {
			r.fault(codeID, at+"/id", p, "")
		} else if strings.Trim(v.text, "0123456789") == "" {
			r.fault(codeID, at+"/id", "an id that is a number could be taken for the place of a rule", "give it a letter")
		}
	}
	return rule
}

func (r *reader) conditions(v *node, at, list string) []conditionModel {
	if v == nil {
		fix := `add "conditions": […]`
		if list != "require" {
			fix += `; an empty list means always`
		}
		r.fault(codeConditions, at, "the rule has no conditions", fix)
		return nil
	}
	at += "/conditions"
	if !r.is(v, kindArray, at) {
		return nil
	}
	switch {
	case len(v.members) == 0 && list == "require":
		r.fault(codeConditions, at, "a requirement without conditions requires nothing", "leave the rule out, or use deny_if to deny always")
	case len(v.members) > maxConditions:
		r.fault(codeSize, at, fmt.Sprintf("%d conditions; at most %d are read", len(v.members), maxConditions), "")
		return nil
	}
	var out []conditionModel
	for i := range v.members {
		here := at + "/" + strconv.Itoa(i)
		if c := &v.members[i]; r.is(c, kindObject, here) {
			r.only(c, here, conditionKeys)
			out = append(out, r.condition(c, here))
		}
	}
	return out
}

// condition reads path, op and value.
func (r *reader) condition(n *node, at string) conditionModel {
	var c conditionModel
	switch v := n.member("path"); {
	case v == nil:
		r.fault(codePath, at+"/path", "the path is missing", `add "path": "args.<name>"`)
	case r.is(v, kindString, at+"/path"):
		c.path = r.path(v.text, at+"/path", codePath)
	}
	value := n.member("value")
	if value == nil {
		r.fault(codeValue, at+"/value", "the value is missing", "")
	} else {
		c.value = *value
	}
	switch v := n.member("op"); {
	case v == nil:
		r.fault(codeOp, at+"/op", "the operator is missing", "operators are "+operatorList())
	case r.is(v, kindString, at+"/op"):
		if c.op = operatorOf(v.text); c.op == nil {
			fix := "operators are " + operatorList()
			if meant := operatorMeant(v.text); meant != "" {
				fix = fmt.Sprintf("did you mean `%s`?", meant)
			}
			r.fault(codeOp, at+"/op", fmt.Sprintf("there is no operator %s", strconv.Quote(v.text)), fix)
		}
	}
	if c.op != nil && value != nil {
		r.operand(&c, at)
	}
	return c
}

func (r *reader) operand(c *conditionModel, at string) {
	at += "/value"
	if p := c.op.check(&c.value); p != "" {
		r.fault(codeValue, at, fmt.Sprintf("`%s` takes %s: %s", c.op.name, c.op.operand, p), "write it as "+c.op.example)
		return
	}
	c.use = newOperand(&c.value)
	switch c.op {
	case &opRegex:
		re, problem := compileRegex(c.value.text)
		if problem != "" {
			r.fault(codeRegex, at, "the pattern can't be used: "+problem, "patterns are RE2, at most 1000 bytes")
			return
		}
		c.use.re, c.use.steps = re, stepsOf(c.value.text)
		if !strings.ContainsAny(c.value.text, "^$") && !strings.Contains(c.value.text, `\A`) && !strings.Contains(c.value.text, `\z`) {
			r.fault(warnRegex, at, "the pattern is found anywhere in the text", "write ^"+bracketed(c.value.text)+"$ if the whole text is meant")
		}
	case &opNeq:
		if c.value.kind == kindNull {
			r.fault(warnNeverTrue, at, "nothing is known to differ from null: the condition is never true", `use "op": "exists", "value": true`)
		}
	case &opIn, &opNotIn:
		if len(c.value.members) == 0 {
			r.fault(warnNeverTrue, at, "nothing can be compared with an empty list: the condition is never true", "list a value")
		}
	}
}

// bracketed keeps the alternatives of a pattern together.
func bracketed(pattern string) string {
	if strings.Contains(pattern, "|") {
		return "(" + pattern + ")"
	}
	return pattern
}

func (r *reader) path(text, at, code string) path {
	p, problem, fix := parsePath(text)
	if problem != "" {
		r.fault(code, at, problem, fix)
	}
	return p
}

// approval reads what only a rule of approve_if has.
func (r *reader) approval(n *node, at string, rule *ruleModel) {
	rule.message = r.text(n, at, "message")
	rule.ttl = r.whole(n, at, "ttl_seconds", codeApprove, 1, maxTTL)
	rule.wait = r.whole(n, at, "wait_seconds", codeApprove, 0, maxWait)
	v := n.member("approvers")
	if v == nil {
		return
	}
	at += "/approvers"
	if v.kind != kindArray || len(v.members) == 0 || len(v.members) > maxApprovers {
		r.fault(codeApprove, at, fmt.Sprintf("approvers are a list of 1 to %d names", maxApprovers), "leave it out: then the server says who may decide")
		return
	}
	seen := map[string]bool{}
	for i := range v.members {
		name := &v.members[i]
		here := at + "/" + strconv.Itoa(i)
		switch {
		case name.kind != kindString || strings.TrimSpace(name.text) == "" || len(name.text) > 256:
			r.fault(codeApprove, here, "an approver is a name of 1 to 256 characters", "")
		case seen[name.text]:
			r.fault(codeApprove, here, "the approver is listed twice", "leave one out")
		default:
			seen[name.text] = true
			rule.approvers = append(rule.approvers, name.text)
		}
	}
}

// ids refuses two rules of a list with one label.
func (r *reader) ids(rules []ruleModel) {
	for i := range rules {
		if rules[i].id == "" {
			continue
		}
		for j := range rules {
			if j != i && (rules[j].id == rules[i].id && j < i || rules[j].id == "" && ruleName(rules, j) == rules[i].id) {
				r.fault(codeID, rules[i].at+"/id", "another rule of the list is called so", "choose another id")
				break
			}
		}
	}
}

func operatorList() string {
	names := make([]string, len(operators))
	for i, o := range operators {
		names[i] = o.name
	}
	return strings.Join(names, ", ")
}

// operatorMeant knows how other languages write an operator.
func operatorMeant(text string) string {
	switch strings.ToLower(text) {
	case "=", "==", "===", "equals", "is":
		return "eq"
	case "!=", "<>", "!==", "ne", "not_eq", "not_equals":
		return "neq"
	case "<":
		return "lt"
	case "<=", "le", "max":
		return "lte"
	case ">":
		return "gt"
	case ">=", "ge", "min":
		return "gte"
	case "nin", "notin":
		return "not_in"
	case "matches", "match", "regexp", "=~":
		return "regex"
	case "includes", "has":
		return "contains"
	case "present", "required":
		return "exists"
	}
	names := make([]string, len(operators))
	for i, o := range operators {
		names[i] = o.name
	}
	return closest(text, names)
}
