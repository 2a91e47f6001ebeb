package policy

// Decide judges a call: hidden, default, require, deny_if, approve_if, in this order.
func (p *Policy) Decide(c Call) Decision {
	t := p.tools[c.Tool]
	if p.hidesAll || t != nil && t.hidden {
		return Decision{Code: Hidden, Rule: labelHidden, Message: notPermitted}
	}
	if t == nil || !t.listed {
		if !p.allow {
			return Decision{Code: DefaultDeny, Rule: labelDefault, Message: notPermitted}
		}
		return Decision{Verdict: Allow, tool: t}
	}
	if t.conditions.n > slots {
		return t.decide(make([]value, t.conditions.n), c)
	}
	var values [slots]value
	return t.decide(values[:t.conditions.n], c)
}

func (t *tool) decide(values []value, c Call) Decision {
	if len(values) > 0 {
		t.conditions.resolve(c.Arguments, values)
	}
	for i := range t.require {
		if r := &t.require[i]; r.judge(values, every) != True {
			return Decision{Code: RequireFailed, Rule: r.label, Message: r.message}
		}
	}
	for i := range t.denyIf {
		if r := &t.denyIf[i]; r.judge(values, some) != False {
			return Decision{Code: Denied, Rule: r.label, Message: r.message}
		}
	}
	for i := range t.approveIf {
		if r := &t.approveIf[i]; r.judge(values, some) != False {
			return Decision{Verdict: Approve, Code: ApprovalPending, Rule: r.label, Message: r.message, Approval: r.approval, tool: t}
		}
	}
	return Decision{Verdict: Allow, tool: t}
}
