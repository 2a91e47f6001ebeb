package mapping

import "sluice/capi"

// lineRule says what a row holds as a line of an order.
type lineRule struct {
	id, quantity, price *expression
	locale              *locale
	texts               []lineText
}

type lineText struct {
	value *expression
	set   func(*capi.Content, string)
}

var lineTexts = []struct {
	key string
	set func(*capi.Content, string)
}{
	{"title", func(c *capi.Content, s string) { c.Title = s }},
	{"description", func(c *capi.Content, s string) { c.Description = s }},
	{"brand", func(c *capi.Content, s string) { c.Brand = s }},
	{"category", func(c *capi.Content, s string) { c.Category = s }},
	{"delivery_category", func(c *capi.Content, s string) { c.DeliveryCategory = s }},
}

func (d *decoder) lineRules(c cursor) *lineRule {
	known := []string{"id", "quantity", "item_price", "price", "locale"}
	for _, t := range lineTexts {
		known = append(known, t.key)
	}
	keys := d.object(c, known...)
	l := &lineRule{locale: plainLocale}
	read := func(key string) *expression {
		v, ok := keys[key]
		if !ok {
			return nil
		}
		target := "lines." + key
		if key == "price" {
			target = "lines.item_price"
		}
		e, _ := d.expression(v, target, bareColumn)
		return e
	}
	l.id, l.quantity, l.price = read("id"), read("quantity"), read("item_price")
	if p, ok := keys["price"]; ok {
		if l.price != nil {
			d.fault(p, "keep `item_price`", "both `item_price` and `price` are given")
		}
		l.price = read("price")
	}
	for _, t := range lineTexts {
		if e := read(t.key); e != nil {
			l.texts = append(l.texts, lineText{e, t.set})
		}
	}
	if v, ok := keys["locale"]; ok {
		if got, ok := d.locale(v); ok {
			l.locale = got
		}
	}
	return l
}
