package mapping

import "sluice/capi"

// sum adds quantity times price over the rows of the order, exactly.
func (p *Mapper) sum(a *money) {
	l := p.m.lines
	var t total
	for i := range p.rows {
		q, ok := p.lineQuantity(a, p.rows[i].Values)
		if !ok {
			return
		}
		price, ok := p.lineNumber(a, l.price, p.rows[i].Values)
		if !ok {
			return
		}
		t.addProduct(q, price)
	}
	value, ok := t.decimal()
	if !ok {
		a.reject = Reject{Code: RejectUnparseableValue, Column: l.price.label(), Hint: "the sum of the lines is out of range"}
		return
	}
	a.value, a.set = value, true
}

// lineQuantity is the quantity of a row, one where none is mapped.
func (p *Mapper) lineQuantity(a *money, row []string) (number, bool) {
	if p.m.lines.quantity == nil {
		return numberUnit, true
	}
	return p.lineNumber(a, p.m.lines.quantity, row)
}

// lineNumber reads a number that the value depends on.
func (p *Mapper) lineNumber(a *money, e *expression, row []string) (number, bool) {
	s := p.eval(e, row)
	if s == "" {
		a.reject = Reject{Code: RejectMissingValue, Column: e.label(), Hint: "fill the column: the value of the order is the sum of its lines"}
		return 0, false
	}
	n, problem := p.m.lines.locale.parse(s)
	if problem != "" {
		a.reject = p.badNumber(e, s, problem, p.m.lines.locale)
		return 0, false
	}
	return n, true
}

// fillContents lists the lines that can be listed: with an id, and a whole
// quantity of at least one. The others count in the value only.
func (p *Mapper) fillContents() {
	l := p.m.lines
	p.contents = p.contents[:0]
	if l.id == nil {
		return
	}
	for i := range p.rows {
		row := p.rows[i].Values
		id := p.eval(l.id, row)
		if id == "" {
			p.warn(WarnLineLeftOut, l.id.label())
			continue
		}
		n := len(p.contents)
		p.contents = append(p.contents, capi.Content{ID: id})
		c := &p.contents[n]
		if !p.contentNumbers(c, row) {
			p.contents = p.contents[:n]
			continue
		}
		for _, t := range l.texts {
			if s := p.eval(t.value, row); s != "" {
				t.set(c, s)
			}
		}
	}
	if len(p.contents) > 0 {
		p.event.CustomData.Contents = p.contents
	}
}

// contentNumbers reads quantity and price of a line; false leaves the line out.
func (p *Mapper) contentNumbers(c *capi.Content, row []string) bool {
	l := p.m.lines
	if l.quantity != nil {
		if s := p.eval(l.quantity, row); s != "" {
			n, problem := l.locale.parse(s)
			q, whole := n.integer()
			switch {
			case problem != "":
				p.warn(WarnUnparseableNumber, l.quantity.label())
				return false
			case !whole:
				p.warn(WarnFractionalQuantity, l.quantity.label())
				return false
			case q < 1:
				p.warn(WarnLineLeftOut, l.quantity.label())
				return false
			}
			c.Quantity = capi.Some(q)
		}
	} else {
		c.Quantity = capi.Some(int64(1))
	}
	if l.price != nil {
		if s := p.eval(l.price, row); s != "" {
			n, problem := l.locale.parse(s)
			switch {
			case problem != "":
				p.warn(WarnUnparseableNumber, l.price.label())
			case n < 0:
				p.warn(WarnLineLeftOut, l.price.label())
				return false
			default:
				c.ItemPrice = capi.Some(n.decimal())
			}
		}
	}
	return true
}
