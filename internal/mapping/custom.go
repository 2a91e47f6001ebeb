package mapping

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"sluice/capi"
)

// numberRule fills one number of the event.
type numberRule struct {
	value  *expression
	locale *locale
	set    func(*eventParts, number)
}

var numberTargets = map[string]func(*eventParts, number){
	"net_revenue":   func(e *eventParts, n number) { e.CustomData.NetRevenue = capi.Some(n.decimal()) },
	"predicted_ltv": func(e *eventParts, n number) { e.CustomData.PredictedLTV = capi.Some(n.decimal()) },
	"num_items": func(e *eventParts, n number) {
		if i, whole := n.integer(); whole {
			e.CustomData.NumItems = capi.Some(i)
		}
	},
}

// propertyRule fills a property of the business's own.
type propertyRule struct {
	key    string
	value  *expression
	kind   string // text, number, boolean
	locale *locale
}

// reserved are keys of custom_data that have a place of their own in the document.
var reserved = map[string]string{
	"value": "value", "currency": "currency", "order_id": "order_id", "contents": "lines",
}

const maxProperties = 50

// custom decodes `custom:`. Standard keys fill the event's own fields, others
// become properties.
func (d *decoder) custom(m *Mapping, c cursor) {
	if !c.present() {
		return
	}
	if c.kind != objectNode {
		d.fault(c, "write `custom: {key: column}`", "custom: expected keys with columns, found %s", c.said())
		return
	}
	for _, k := range c.members {
		v, target := c.at(k), "custom."+k.key
		if own, ok := reserved[k.key]; ok {
			d.keyFault(c, k, "move it to `"+own+"`", "%q has a key of its own in the document", k.key)
			continue
		}
		if k.key == "content_ids" {
			m.contentIDs = d.expressions(v, target, bareColumn)
			continue
		}
		if set, ok := textTargets[target]; ok {
			if e, _ := d.expression(v, target, bareColumn); e != nil {
				m.texts = append(m.texts, textRule{e, set})
			}
			continue
		}
		if set, ok := numberTargets[k.key]; ok {
			if e, keys := d.expression(v, target, bareColumn, "locale"); e != nil {
				m.numbers = append(m.numbers, numberRule{e, d.localeIn(keys), set})
			}
			continue
		}
		d.property(m, c, k)
	}
	if len(m.properties) > maxProperties {
		d.fault(c, "send what reports or audiences use", "there are more than %d properties", maxProperties)
	}
}

func (d *decoder) property(m *Mapping, c cursor, k member) {
	if strings.TrimSpace(k.key) == "" || len(k.key) > 100 {
		d.keyFault(c, k, "use a name of 1 to 100 characters", "the name of a property is empty or too long")
		return
	}
	e, keys := d.expression(c.at(k), "custom."+k.key, bareColumn, "type", "locale")
	if e == nil {
		return
	}
	p := propertyRule{key: k.key, value: e, kind: "text", locale: d.localeIn(keys)}
	if t, ok := keys["type"]; ok {
		p.kind, _ = d.choice(t, "type", "text", "number", "boolean")
	}
	m.properties = append(m.properties, p)
}

func (d *decoder) localeIn(keys map[string]cursor) *locale {
	if c, ok := keys["locale"]; ok {
		if l, ok := d.locale(c); ok {
			return l
		}
	}
	return plainLocale
}

// json returns the JSON text of a property's value, or the code of a warning.
func (p *propertyRule) json(s string) (text, warning string) {
	switch p.kind {
	case "number":
		n, problem := p.locale.parse(s)
		if problem != "" {
			return "", WarnUnparseableNumber
		}
		return n.String(), ""
	case "boolean":
		b, ok := truth(s)
		if !ok {
			return "", WarnUnparseableNumber
		}
		if b {
			return "true", ""
		}
		return "false", ""
	}
	q, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		return "", WarnUnparseableNumber
	}
	return string(q), ""
}

// truth reads a yes or no as exports write it.
func truth(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "1", "true", "yes", "y", "t", "ja", "oui", "sí", "si", "sì", "sim":
		return true, true
	case "0", "false", "no", "n", "f", "nein", "non", "nee", "não", "nao":
		return false, true
	}
	return false, false
}
