package mapping

import (
	"strings"

	"sluice/capi"
)

// maxCountries bounds what is remembered of a column that holds no countries.
const maxCountries = 1024

// country returns the lower-case ISO code of a country's name or code, or "".
func (p *Mapper) country(s string) string {
	if cc, ok := p.countries[s]; ok {
		return cc
	}
	cc := ""
	if n, err := capi.Normalize(capi.FieldCountry, s, "", capi.NormalizeOptions{}); err == nil && !n.AlreadyHashed {
		cc = n.Value
	}
	if len(p.countries) < maxCountries {
		p.countries[strings.Clone(s)] = cc
	}
	return cc
}

// identify settles record id, occurrence, event name and event id.
func (p *Mapper) identify() bool {
	r := &p.result
	if r.RecordID == "" {
		for _, e := range p.m.id {
			if p.pick(e) == "" {
				return p.refuse(RejectMissingRecordID, e, "", "fill the column, or leave such rows out with an `outcome` rule")
			}
		}
	}
	for _, e := range p.m.id {
		if raw := e.raw(p.rows[0].Values); isScientific(raw) {
			return p.refuse(RejectScientificID, e, raw, "export the column as text: the last digits of the id are lost")
		}
	}
	r.Occurrence = p.pick(p.m.occurrence)
	p.event.EventName = p.m.events[r.Outcome]
	if p.m.eventID == nil {
		p.event.EventID = EventID(p.m.namespace, r.Outcome, r.RecordID, r.Occurrence)
		return true
	}
	if p.event.EventID = p.pick(p.m.eventID); p.event.EventID == "" {
		return p.refuse(RejectMissingEventID, p.m.eventID, "", "fill the column, or remove `event_id` to have ids derived from the record id")
	}
	return true
}

// when sets the event time: the earliest of the rows.
func (p *Mapper) when() bool {
	t := &p.m.time
	found := false
	for i := range p.rows {
		row := p.rows[i].Values
		if i > 0 && t.value.same(p.rows[i-1].Values, row) {
			continue
		}
		s := p.eval(t.value, row)
		if s == "" {
			continue
		}
		unix, reject, warning := t.moment(&p.zone, s)
		if reject != "" {
			return p.refuse(reject, t.value, s, t.hint(s))
		}
		if warning != "" {
			p.warn(warning, t.value.label())
		}
		if !found || unix < p.event.EventTime {
			p.event.EventTime, found = unix, true
		}
	}
	if !found {
		return p.refuse(RejectMissingEventTime, t.value, "", "fill the column of `time`")
	}
	return true
}

// worth sets value and currency.
func (p *Mapper) worth() bool {
	a := p.money()
	switch {
	case a.reject.Code != "":
		p.result.Reject = a.reject
		return false
	case !a.set && p.event.EventName == eventPurchase:
		return p.refuse(RejectMissingValue, p.m.value.amount, "", "fill the column of `value`: Meta refuses a Purchase without one")
	case !a.set:
		return true
	case a.value < 0:
		return p.refuse(RejectNegativeValue, p.m.value.amount, "", "skip refunds with an `outcome` rule: Meta takes no negative conversion")
	case a.value == 0:
		p.warn(WarnNonPositiveValue, p.m.value.label())
	}
	p.event.CustomData.Value = capi.Some(a.value)
	if p.event.CustomData.Currency = p.pick(p.m.currency); p.event.CustomData.Currency == "" {
		return p.refuse(RejectMissingCurrency, p.m.currency, "", "fill the column of `currency`, or set a `default`")
	}
	return true
}

func (v *valueRule) label() string {
	if v.amount == nil {
		return ""
	}
	return v.amount.label()
}

// money works out the value of the order, once.
func (p *Mapper) money() *money {
	a := &p.amount
	if a.done {
		return a
	}
	a.done = true
	switch v := &p.m.value; {
	case v.sum:
		p.sum(a)
	case v.amount != nil:
		s := p.pick(v.amount)
		if s == "" {
			break
		}
		n, problem := v.locale.parse(s)
		if problem != "" {
			a.reject = p.badNumber(v.amount, s, problem, v.locale)
			break
		}
		a.value, a.set = n.decimal(), true
	}
	return a
}

// badNumber says why an amount can't be read.
func (p *Mapper) badNumber(e *expression, s, problem string, l *locale) Reject {
	hint := "the amount is not a number of the declared `locale`"
	switch {
	case problem == numberRange:
		hint = "the amount is out of range"
	case isScientific(s):
		hint = "the amount is in scientific notation: export the column as text"
	case stripCurrency(s) != s:
		hint = "remove the currency sign with `transforms: [strip_currency]`"
	case l == plainLocale && strings.ContainsAny(s, ",' "):
		hint = "say how amounts are written, for example `locale: de` for 1.234,50 or `locale: en` for 1,234.50"
	}
	return Reject{Code: RejectUnparseableValue, Column: e.label(), Masked: Mask(s), Hint: hint}
}

// where sets the action source and the texts around the event.
func (p *Mapper) where() bool {
	s := p.pick(p.m.actionSource)
	if s == "" {
		return p.refuse(RejectMissingActionSource, p.m.actionSource, "", "extend the lookup, or set a `default`")
	}
	p.event.ActionSource = capi.ActionSource(s)
	return true
}

// describe fills everything that can't refuse the order.
func (p *Mapper) describe() {
	e := &p.event
	for i := range p.m.texts {
		if s := p.pick(p.m.texts[i].value); s != "" {
			p.m.texts[i].set(e, s)
		}
	}
	if p.m.optOut != nil {
		if b, ok := truth(p.pick(p.m.optOut)); ok {
			e.OptOut = capi.Some(b || e.OptOut.Value)
		}
	}
	p.orderID()
	p.fillUser()
	p.fillCustom()
	if p.m.lines != nil {
		p.fillContents()
	}
	if p.m.saleKey != nil {
		p.result.SaleKey = p.pick(p.m.saleKey)
	}
	p.items(1)
	p.fillTouches()
	p.fillFurther()
}

// orderID sets the order id: what offline deduplication at Meta goes by. The
// record id serves where the mapping names no other column.
func (p *Mapper) orderID() {
	switch {
	case p.m.orderID != nil:
		p.event.CustomData.OrderID = p.pick(p.m.orderID)
	case !p.m.noOrderID && !p.m.NeedsDigest():
		p.event.CustomData.OrderID = p.result.RecordID
	}
}

func (p *Mapper) fillUser() {
	u := &p.event.UserData
	for i := range p.m.user {
		r := &p.m.user[i]
		list, one := userSlot(u, r.field)
		values := p.users[i][:0]
		for _, e := range r.values {
			if v := p.pick(e); v != "" {
				values = append(values, v)
			}
		}
		p.users[i] = values
		switch {
		case len(values) == 0:
		case list != nil:
			*list = values
		case one != nil:
			*one = values[0]
		default:
			if u.Legacy == nil {
				u.Legacy = map[string]string{}
			}
			u.Legacy[r.field.String()] = values[0]
		}
	}
}

func (p *Mapper) fillCustom() {
	e := &p.event
	for i := range p.m.numbers {
		r := &p.m.numbers[i]
		s := p.pick(r.value)
		if s == "" {
			continue
		}
		if n, problem := r.locale.parse(s); problem == "" {
			r.set(e, n)
		} else {
			p.warn(WarnUnparseableNumber, r.value.label())
		}
	}
	p.ids = p.ids[:0]
	for _, x := range p.m.contentIDs {
		if s := p.pick(x); s != "" {
			p.ids = append(p.ids, s)
		}
	}
	if len(p.ids) > 0 {
		e.CustomData.ContentIDs = p.ids
	}
	p.props = p.props[:0]
	for i := range p.m.properties {
		r := &p.m.properties[i]
		s := p.pick(r.value)
		if s == "" {
			continue
		}
		text, warning := r.json(s)
		if warning != "" {
			p.warn(warning, r.value.label())
			continue
		}
		p.props = append(p.props, capi.Property{Key: r.key, JSON: text})
	}
	if len(p.props) > 0 {
		e.CustomData.Properties = p.props
	}
}

// cancellation reads what it can of a record that takes an order back: who, when
// and how much.
func (p *Mapper) cancellation() {
	r := &p.result
	p.fillUser()
	if a := p.money(); a.set {
		p.event.CustomData.Value = capi.Some(a.value)
	}
	if p.m.currency != nil {
		p.event.CustomData.Currency = p.pick(p.m.currency)
	}
	// A cancellation without a readable time is still a cancellation.
	if !p.when() {
		r.Reject = Reject{}
	}
	p.takesBack()
	r.Kind = Skipped
}
