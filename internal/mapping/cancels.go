package mapping

import "time"

// cancelRule says which order a cancellation takes back. Cancellations are the
// records that an outcome rule skips with the reason SkipCancellation.
type cancelRule struct {
	record   []*expression // the id of the order, where the cancellation names it
	byLines  bool          // else by customer, item and quantity
	customer *expression
}

// Item is one line of an order, or one that a cancellation takes back.
type Item struct {
	Customer, ID string
	Quantity     int64 // millionths, always positive
}

func (d *decoder) cancels(m *Mapping, c cursor) {
	if !c.present() {
		return
	}
	keys := d.object(c, "record", "match", "customer")
	if keys == nil {
		return
	}
	r := &cancelRule{}
	record, match := keys["record"], keys["match"]
	switch {
	case record.present() == match.present():
		d.fault(c, "write `cancels: {record: original_order}`, or `cancels: {match: lines, customer: customer_number}`", "`cancels` says neither or both of `record` and `match`")
	case record.present():
		r.record = d.expressions(record, "cancels.record", bareColumn)
		for _, e := range r.record {
			e.idLike = true
		}
	default:
		d.choice(match, "match", "lines")
		r.byLines = true
		if v, ok := keys["customer"]; ok {
			if r.customer, _ = d.expression(v, "cancels.customer", bareColumn); r.customer != nil {
				r.customer.personal = true
			}
		} else {
			d.fault(c, "add `customer: column`", "lines are matched for one customer, and no column names the customer")
		}
		if m.lines == nil || m.lines.id == nil || m.lines.quantity == nil {
			d.fault(c, "map `lines: {id: …, quantity: …}`", "cancellations are matched by item and quantity, which no lines give")
		}
	}
	m.cancels = r
}

// items lists the lines of the order that a cancellation can name: those with an
// item, a customer and a quantity. sign is 1 for orders, -1 for cancellations.
func (p *Mapper) items(sign int64) {
	r := p.m.cancels
	p.taken = p.taken[:0]
	if r == nil || !r.byLines {
		return
	}
	for i := range p.rows {
		row := p.rows[i].Values
		id, customer := p.eval(p.m.lines.id, row), p.eval(r.customer, row)
		n, problem := p.m.lines.locale.parse(p.eval(p.m.lines.quantity, row))
		if id != "" && customer != "" && problem == "" && int64(n)*sign > 0 {
			p.taken = append(p.taken, Item{Customer: customer, ID: id, Quantity: int64(n) * sign})
		}
	}
	p.result.Items = p.taken
}

// takesBack names what a cancellation takes back.
func (p *Mapper) takesBack() {
	r := p.m.cancels
	if r == nil {
		return
	}
	if len(r.record) > 0 {
		p.result.TakesBack = p.joinID(r.record, p.pick)
	}
	p.items(-1)
}

// Cancels reports whether the document says what a cancellation takes back.
func (m *Mapping) Cancels() bool { return m.cancels != nil }

// CancelsByRecord reports whether a cancellation names the record it takes back.
func (m *Mapping) CancelsByRecord() bool { return m.cancels != nil && len(m.cancels.record) > 0 }

// HoldSaid returns the hold that the document itself gives an outcome.
func (m *Mapping) HoldSaid(outcome string) (time.Duration, bool) {
	d, ok := m.holdSaid[outcome]
	return d, ok
}

// DefaultHold is the hold of an outcome about which nobody has said anything.
func DefaultHold(outcome string) time.Duration {
	if outcome == "order_placed" {
		return defaultHold
	}
	return 0
}

// EventSaid reports whether the document itself names the event of an outcome.
func (m *Mapping) EventSaid(outcome string) bool { return m.eventsSaid[outcome] }

// DefaultEvent returns the Meta event of a known outcome, "" for all others.
func DefaultEvent(outcome string) string {
	for _, e := range defaultEvents {
		if e.outcome == outcome {
			return e.event
		}
	}
	return ""
}
