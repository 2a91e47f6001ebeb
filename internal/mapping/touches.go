package mapping

// Touch is one contact with advertising before the conversion, as the row has it.
type Touch struct {
	Time                                       int64 // Unix seconds; 0: not given
	Channel, Source, CampaignID, AdID, ClickID string
}

// touchRule reads one touch of a row.
type touchRule struct {
	when  *timeRule
	texts []touchText
}

type touchText struct {
	value *expression
	set   func(*Touch, string)
}

var touchTexts = []struct {
	key string
	set func(*Touch, string)
}{
	{"channel", func(t *Touch, s string) { t.Channel = s }},
	{"source", func(t *Touch, s string) { t.Source = s }},
	{"campaign_id", func(t *Touch, s string) { t.CampaignID = s }},
	{"ad_id", func(t *Touch, s string) { t.AdID = s }},
	{"click_id", func(t *Touch, s string) { t.ClickID = s }},
}

const maxTouches = 10

func (d *decoder) touches(m *Mapping, c cursor) {
	if !c.present() {
		return
	}
	if c.kind != listNode {
		d.fault(c, "write `touches: [{source: utm_source, click_id: fbclid}]`", "touches: expected a list, found %s", c.said())
		return
	}
	if len(c.items) > maxTouches {
		d.fault(c, "keep the last ones", "there are more than %d touches", maxTouches)
	}
	known := []string{"ts"}
	for _, t := range touchTexts {
		known = append(known, t.key)
	}
	for i := range c.items {
		keys := d.object(c.item(i), known...)
		var r touchRule
		if v, ok := keys["ts"]; ok {
			when := d.time(v)
			r.when = &when
		}
		for _, t := range touchTexts {
			if v, ok := keys[t.key]; ok {
				if e, _ := d.expression(v, "touches."+t.key, bareColumn); e != nil {
					e.personal = t.key == "click_id"
					r.texts = append(r.texts, touchText{e, t.set})
				}
			}
		}
		if len(r.texts) == 0 && keys != nil {
			d.fault(c.item(i), "name at least one of channel, source, campaign_id, ad_id, click_id", "the touch has no column")
		}
		m.touches = append(m.touches, r)
	}
}

// fillTouches lists the touches of the order that say anything. A time that can't
// be read leaves the touch without one.
func (p *Mapper) fillTouches() {
	p.touched = p.touched[:0]
	for i := range p.m.touches {
		r := &p.m.touches[i]
		var t Touch
		for j := range r.texts {
			if s := p.pick(r.texts[j].value); s != "" {
				r.texts[j].set(&t, s)
			}
		}
		if t == (Touch{}) {
			continue
		}
		if r.when != nil {
			z := zone{location: r.when.location}
			if s := p.pick(r.when.value); s != "" {
				if unix, reject, _ := r.when.moment(&z, s); reject == "" {
					t.Time = unix
				}
			}
		}
		p.touched = append(p.touched, t)
	}
	p.result.Touches = p.touched
}
