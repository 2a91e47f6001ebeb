package policy

// Charges appends what an allowed call takes from the limits: those of the tool, then
// those of all tools, in document order. When an amount or a key can't be taken from the
// arguments it returns the denial instead, and false. d is what Decide said of the same
// call; where that is a denial there is nothing to charge, and it comes back.
func (p *Policy) Charges(dst []Charge, d *Decision, c Call) ([]Charge, Decision, bool) {
	if d.Verdict != Allow && d.Verdict != Approve {
		return dst, *d, false
	}
	if t := d.tool; t != nil && len(t.limits) > 0 {
		var values [slots]value
		use := values[:]
		if t.amounts.n > slots {
			use = make([]value, t.amounts.n)
		}
		if t.amounts.n > 0 {
			t.amounts.resolve(c.Arguments, use)
		}
		for _, l := range t.limits {
			charge, fault := l.charge(use)
			if fault != "" {
				return dst, Decision{Code: Denied, Rule: l.Rule, Message: fault}, false
			}
			dst = append(dst, charge)
		}
	}
	for _, l := range p.allTools {
		dst = append(dst, Charge{Limit: l, Amount: one})
	}
	return dst, Decision{}, true
}

// charge is what a call takes from one limit, or why that can't be said.
func (l *Limit) charge(values []value) (Charge, string) {
	c := Charge{Limit: l, Amount: one}
	if l.increment != nil {
		var ok bool
		if c.Amount, ok = sum(values[l.amountAt.slot], l.amountAt.tail); !ok {
			return c, l.increment.text + " has to be a number from 0 with at most 12 digits before the point and 6 after it."
		}
	}
	if l.key != nil {
		var ok bool
		if c.Key, ok = l.digest(values[l.keyAt.slot], l.keyAt.tail); !ok {
			return c, l.key.text + " has to be a text, a number, true or false."
		}
	}
	return c, ""
}

// most is the largest amount, in millionths.
const most = maxMax*one - 1

// sum adds up the amounts at a path. One that is missing or no amount spoils the sum:
// nothing is counted that is not understood.
func sum(v value, tail []step) (int64, bool) {
	if len(tail) == 0 {
		if v.kind != kindNumber {
			return 0, false
		}
		d, ok := parseDecimal(v.raw)
		if !ok {
			return 0, false
		}
		return d.millionths()
	}
	switch tail[0].kind {
	case byName:
		return sum(v.member(tail[0].name), tail[1:])
	case toLength:
		return sum(v.length(), nil)
	}
	if v.kind != kindArray {
		return 0, false
	}
	total, empty := int64(0), true
	e := elements{b: v.raw}
	for e.next() {
		empty = false
		amount, ok := sum(e.value, tail[1:])
		if total += amount; !ok || total > most {
			return 0, false
		}
	}
	return total, !e.bad && !empty
}
