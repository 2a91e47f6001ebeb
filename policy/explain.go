package policy

import (
	"fmt"
	"slices"
	"strconv"
)

// Step is one step of a decision, in the order they are taken.
type Step struct {
	Stage string `json:"stage"` // hidden, default, require, deny_if, approve_if or limits
	Rule  string `json:"rule,omitempty"`
	// Result is what holds of the rule: of require that the call satisfies it, of deny_if
	// and approve_if that it fires, of a limit that the call can be counted.
	Result     Truth    `json:"result"`
	Conditions []Judged `json:"conditions,omitempty"`
	Decides    bool     `json:"decides"` // nothing after it could change the decision
	Text       string   `json:"text"`
}

// Judged is one condition and what was said of it. It never has a value of the call.
type Judged struct {
	Path   string `json:"path"`
	Op     string `json:"op"`
	Value  string `json:"value"` // the operand, as JSON
	Result Truth  `json:"result"`
	Why    string `json:"why,omitempty"` // where the argument decides it by what it is, not by its value
}

// Explain says step by step how Decide and Charges come to what they say of a call.
func (p *Policy) Explain(c Call) []Step {
	t := p.tools[c.Tool]
	hidden := Step{Stage: "hidden", Rule: labelHidden, Result: truthOf(p.Hides(c.Tool)), Text: "the tool is not hidden"}
	if hidden.Result == True {
		hidden.Decides, hidden.Text = true, "the tool is hidden: denied"
		return []Step{hidden}
	}
	listed := Step{Stage: "default", Rule: labelDefault, Result: False, Text: "the tool is listed"}
	steps := []Step{hidden, listed}
	if t == nil || !t.listed {
		last := &steps[1]
		if !p.allow {
			last.Result, last.Decides, last.Text = True, true, "the tool is not listed, and the default is deny"+p.near(c.Tool)
			return steps
		}
		last.Text = "the tool is not listed, and the default is allow" + p.near(c.Tool)
		return p.explainLimits(steps, nil, c)
	}
	values := make([]value, t.conditions.n)
	t.conditions.resolve(c.Arguments, values)
	for i := range t.require {
		s := t.require[i].explain("require", values)
		steps = append(steps, s)
		if s.Decides {
			return steps
		}
	}
	for i := range t.denyIf {
		s := t.denyIf[i].explain("deny_if", values)
		steps = append(steps, s)
		if s.Decides {
			return steps
		}
	}
	for i := range t.approveIf {
		s := t.approveIf[i].explain("approve_if", values)
		steps = append(steps, s)
		if s.Decides {
			break // limits are counted once a person has agreed
		}
	}
	return p.explainLimits(steps, t, c)
}

// near names the listed tool that was probably meant by one that is not.
func (p *Policy) near(tool string) string {
	var listed []string
	for name, t := range p.tools {
		if t.listed {
			listed = append(listed, name)
		}
	}
	slices.Sort(listed)
	if name := closest(tool, listed); name != "" {
		return "; names are exact: " + strconv.Quote(name) + " is listed"
	}
	return ""
}

func (r *rule) explain(stage string, values []value) Step {
	s := Step{Stage: stage, Rule: r.label, Result: True}
	q := some
	if stage == "require" {
		q = every
	}
	for i := range r.conditions {
		c := &r.conditions[i]
		j := Judged{Path: c.path, Op: c.op.name, Value: c.written, Result: c.judge(values[c.slot], q)}
		j.Why = c.why(values[c.slot], j.Result)
		s.Conditions = append(s.Conditions, j)
		s.Result = s.Result.and(j.Result)
	}
	switch {
	case stage == "require" && s.Result == True:
		s.Text = "the call has what is required"
	case stage == "require":
		s.Decides, s.Text = true, "a requirement is not met: denied"
	case s.Result == False:
		s.Text = "the rule does not fire"
	case stage == "deny_if":
		s.Decides, s.Text = true, "the rule fires: denied"
	default:
		s.Decides, s.Text = true, "the rule fires: a person has to agree"
	}
	if s.Decides && s.Result == Unknown {
		s.Text = "it can't be judged; " + s.Text
	}
	return s
}

// why says what about the argument, other than its value, led to a result: for several
// values what about the first that led there.
func (c *condition) why(v value, result Truth) string {
	found := ""
	c.leaves(v, c.tail, func(leaf value) bool {
		if c.op.judge(&c.use, leaf) != result {
			return true
		}
		found = c.reason(leaf, result)
		return false
	})
	if found != "" && len(c.tail) > 0 {
		for _, s := range c.tail {
			if s.kind == each {
				return "an element: " + found
			}
		}
	}
	return found
}

func (c *condition) reason(v value, result Truth) string {
	switch v.kind {
	case kindAbsent, kindNull:
		return v.kind.String()
	case kindBad:
		return "malformed, or another spelling of its name stands in the call"
	}
	if result != Unknown {
		return ""
	}
	switch {
	case v.kind == kindNumber && (c.op.ordered() || c.use.kind == kindNumber):
		return "a number whose digits or exponent are too many to tell it from the operand"
	case c.op.ordered():
		return v.kind.String() + ", not a number"
	case c.op == &opRegex && v.kind != kindString:
		return v.kind.String() + ", not a string"
	case c.op == &opIn || c.op == &opNotIn:
		return v.kind.String() + ", and nothing listed is one"
	case c.op == &opContains && v.kind != kindString && v.kind != kindArray:
		return v.kind.String() + ", not a string or an array"
	case c.use.kind != v.kind:
		return v.kind.String() + ", not " + c.use.kind.String()
	}
	return v.kind.String() + " that can't be judged"
}

// leaves visits the values at the end of a path until the visitor has had enough.
func (c *condition) leaves(v value, tail []step, visit func(value) bool) bool {
	if len(tail) == 0 {
		return visit(v)
	}
	switch tail[0].kind {
	case byName:
		return c.leaves(v.member(tail[0].name), tail[1:], visit)
	case toLength:
		return visit(v.length())
	}
	switch v.kind {
	case kindArray:
	case kindAbsent, kindNull:
		return visit(value{})
	default:
		return visit(value{kind: kindBad})
	}
	empty := true
	e := elements{b: v.raw}
	for e.next() {
		empty = false
		if !c.leaves(e.value, tail[1:], visit) {
			return false
		}
	}
	if e.bad {
		return visit(value{kind: kindBad})
	}
	return !empty || visit(value{})
}

// explainLimits adds a step for each limit that the call has to pass.
func (p *Policy) explainLimits(steps []Step, t *tool, c Call) []Step {
	if t != nil {
		values := make([]value, t.amounts.n)
		t.amounts.resolve(c.Arguments, values)
		for _, l := range t.limits {
			s := Step{Stage: "limits", Rule: l.Rule, Result: True, Text: l.explain()}
			if _, fault := l.charge(values); fault != "" {
				s.Result, s.Decides, s.Text = False, true, "can't be counted: "+fault
			}
			if steps = append(steps, s); s.Decides {
				return steps
			}
		}
	}
	for _, l := range p.allTools {
		steps = append(steps, Step{Stage: "limits", Rule: l.Rule, Result: True, Text: l.explain()})
	}
	return steps
}

// explain says in words what a limit asks.
func (l *Limit) explain() string {
	per := string(l.Scope)
	if l.key != nil {
		per += " and " + l.key.text
	}
	if l.After != "" {
		return fmt.Sprintf("needs a call of %s within the last %s, per %s", l.After, span(l.Window), per)
	}
	what, window := "calls", "in each"
	if l.increment != nil {
		what = "of " + l.increment.text
	}
	if l.Sliding {
		window = "in any"
	}
	return fmt.Sprintf("at most %d %s %s %s, per %s", l.Max/one, what, window, span(l.Window), per)
}
