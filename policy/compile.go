package policy

import "time"

// tool is what is known of one name: whether it is hidden, its rules, and who asks
// whether it was called before.
type tool struct {
	name   string
	hidden bool
	listed bool

	conditions plan // what require, deny_if and approve_if look at
	require    []rule
	denyIf     []rule
	approveIf  []rule

	amounts plan // what limits count and are keyed by
	limits  []*Limit

	marks    plan // what marks are keyed by
	leaves   []mark
	uncalled bool // no call of it can be allowed
}

type rule struct {
	label      string
	message    string
	conditions []condition
	approval   *Approval
}

type condition struct {
	ref
	op   *operator
	use  operand
	path string
	// written is the operand as the document has it.
	written string
}

// mark is one limit of another tool that asks for calls of this one.
type mark struct {
	limit *Limit
	key   ref
	keyed bool
}

func compile(m *model) *Policy {
	p := &Policy{allow: m.allow, tools: map[string]*tool{}}
	at := func(name string) *tool {
		t := p.tools[name]
		if t == nil {
			t = &tool{name: name, conditions: newPlan(), amounts: newPlan(), marks: newPlan()}
			p.tools[name] = t
		}
		return t
	}
	for _, name := range m.hide {
		if p.hidesAny = true; name == "*" {
			p.hidesAll = true
		}
		at(name).hidden = true
	}
	for i := range m.allTools {
		p.allTools = append(p.allTools, compileLimit(m.allTools, i, "/all_tools", "all", nil))
	}
	for i := range m.tools {
		tm := &m.tools[i]
		t := at(tm.name)
		t.listed = true
		t.require = t.rules("require", tm.require)
		t.denyIf = t.rules("deny_if", tm.denyIf)
		t.approveIf = t.rules("approve_if", tm.approveIf)
		t.uncalled = !m.callable(tm.name)
		for j := range tm.limits {
			l := compileLimit(tm.limits, j, "/tools/"+escapePointer(tm.name), "tool:"+tm.name, &t.amounts)
			t.limits = append(t.limits, l)
			if l.After == "" {
				continue
			}
			before := at(l.After)
			mk := mark{limit: l}
			if to := tm.limits[j].afterKey; to != nil {
				mk.keyed, mk.key = true, before.marks.add(to)
			}
			before.leaves = append(before.leaves, mk)
		}
	}
	return p
}

func (t *tool) rules(list string, models []ruleModel) []rule {
	rules := make([]rule, len(models))
	for i := range models {
		rm := &models[i]
		r := rule{label: ruleLabel(t.name, list, models, i), message: rm.message}
		if r.message == "" {
			r.message = engineText(list, r.label)
		}
		for j := range rm.conditions {
			c := &rm.conditions[j]
			w := writer{}
			w.value(&c.value)
			r.conditions = append(r.conditions, condition{
				ref: t.conditions.add(&c.path), op: c.op, use: c.use, path: c.path.text, written: string(w.b),
			})
		}
		if list == "approve_if" {
			r.approval = &Approval{Rule: r.label, Message: r.message, TTL: defaultTTL, Wait: defaultWait, Approvers: rm.approvers}
			if rm.ttl != nil {
				r.approval.TTL = time.Duration(*rm.ttl) * time.Second
			}
			if rm.wait != nil {
				r.approval.Wait = time.Duration(*rm.wait) * time.Second
			}
		}
		rules[i] = r
	}
	return rules
}

func compileLimit(models []limitModel, i int, at, section string, amounts *plan) *Limit {
	m := &models[i]
	l := &Limit{
		Rule: limitLabel(at, models, i), Section: section, Counter: m.counter, Scope: m.scope,
		Window: time.Duration(m.seconds) * time.Second, Sliding: m.sliding, Max: m.max * one,
		After: m.after, Message: m.message, increment: m.increment, key: m.key, afterKey: m.afterKey,
	}
	if m.increment != nil {
		l.amountAt = amounts.add(m.increment)
	}
	if m.key != nil {
		l.keyAt = amounts.add(m.key)
	}
	if l.Message == "" {
		l.Message = l.engineText()
	}
	return l
}
