package mapping

import (
	"strings"

	"sluice/capi"
)

// valueRule says what a conversion is worth.
type valueRule struct {
	amount *expression
	locale *locale
	sum    bool // of the lines
}

func (v *valueRule) absent() bool { return v.amount == nil && !v.sum }

// noOrderID is what `order_id: none` says.
const noOrderID = "none"

// money decodes value, currency and order_id.
func (d *decoder) money(m *Mapping, keys map[string]cursor) {
	m.value.locale = plainLocale
	if c := keys["value"]; c.present() {
		d.value(&m.value, c)
	}
	if c := keys["currency"]; c.present() {
		m.currency = d.currency(c)
	}
	if c := keys["order_id"]; c.present() {
		if c.kind == scalarNode && c.text == noOrderID {
			m.noOrderID = true
		} else if m.orderID, _ = d.expression(c, "order_id", bareColumn); m.orderID != nil {
			m.orderID.idLike = true
		}
	}
}

func (d *decoder) value(v *valueRule, c cursor) {
	if c.kind == objectNode && len(c.members) == 1 && c.members[0].key == "sum" {
		d.choice(c.at(c.members[0]), "sum", "lines")
		v.sum = true
		return
	}
	e, keys := d.expression(c, "value", bareColumn, "locale")
	v.amount = e
	if l, ok := keys["locale"]; ok {
		if got, ok := d.locale(l); ok {
			v.locale = got
		}
	}
}

// currency reads a code, which stands for itself, or an expression.
func (d *decoder) currency(c cursor) *expression {
	if c.kind != scalarNode {
		e, _ := d.expression(c, "currency", bareConstant)
		if e != nil && e.isConstant() {
			d.currencyCode(c, e.constant)
		}
		return e
	}
	if !d.currencyCode(c, c.text) {
		return nil
	}
	return &expression{target: "currency", constant: strings.ToUpper(c.text)}
}

func (d *decoder) currencyCode(c cursor, code string) bool {
	if _, ok := capi.CurrencyDecimals(strings.ToUpper(code)); !ok {
		d.fault(c, "use a code such as GBP, or `{column: "+clip(code)+"}` if this is the name of a column", "%q is not an ISO 4217 currency in use", clip(code))
		return false
	}
	return true
}
