package world

import (
	"slices"
	"strconv"
	"time"
)

var leadBehaviours = map[string]Behaviour{
	"GET LeadgenForm.leads": listLeads,
	"GET Ad.leads":          listLeads,
}

var leadFields = map[string]fieldOf{
	"LeadgenForm.leads_count": func(c *Call, o *Object) any { return len(c.World.Linked(o, "leads")) },
	"LeadgenForm.organic_leads_count": func(c *Call, o *Object) any {
		n := 0
		for _, lead := range c.World.Linked(o, "leads") {
			if lead.Attrs["is_organic"] == true {
				n++
			}
		}
		return n
	},
}

// seedLeads makes a form with three leads, all invented, two of them from the first ad.
func seedLeads(w *World) {
	page := w.Get(PageID)
	form := w.AddAs("4700000000000001", "LeadgenForm", page, Attrs{
		"name": "Newsletter sign-up", "status": "ACTIVE", "locale": "en_GB", "page_id": PageID, "page": Ref(PageID), "expired_leads_count": 0,
		"privacy_policy_url": "https://example.com/privacy", "follow_up_action_url": "https://example.com/thanks",
		"questions": []any{
			map[string]any{"id": "4710000000000001", "key": "email", "label": "Email", "type": "EMAIL"},
			map[string]any{"id": "4710000000000002", "key": "full_name", "label": "Full name", "type": "FULL_NAME"},
			map[string]any{"id": "4710000000000003", "key": "favourite", "label": "What do you like best?", "type": "CUSTOM"},
		},
	})
	w.Link(page, "leadgen_forms", form)
	ad := &Object{ID: "3300000000000001"} // made by another part, later
	for i, l := range []struct {
		word, name, answer string
		ago                time.Duration
		organic            bool
	}{
		{"one", "Customer One", "Tea", 10 * 24 * time.Hour, false},
		{"two", "Customer Two", "Mugs", 26 * time.Hour, true},
		{"three", "Customer Three", "Teapots", 90 * time.Minute, false},
	} {
		attrs := Attrs{
			"created_time": w.Now().Add(-l.ago), "form_id": form.ID, "is_organic": l.organic, "platform": "fb",
			"field_data": []any{
				map[string]any{"name": "email", "values": []any{"customer-" + l.word + "@example.com"}},
				map[string]any{"name": "full_name", "values": []any{l.name}},
				map[string]any{"name": "favourite", "values": []any{l.answer}},
			},
		}
		if !l.organic {
			attrs["ad_id"], attrs["ad_name"] = ad.ID, "Spring mugs, picture"
			attrs["adset_id"], attrs["adset_name"] = "3200000000000001", "London, 25 and older"
			attrs["campaign_id"], attrs["campaign_name"] = "3100000000000001", "Spring mugs"
		}
		lead := w.AddAs(strconv.Itoa(4800000000000001+i), "Lead", form, attrs)
		w.Link(form, "leads", lead)
		if !l.organic {
			w.Link(ad, "leads", lead)
		}
	}
}

// listLeads filters by time_created, as filtering asks for it.
func listLeads(c *Call) (any, *Error) {
	list := c.World.Linked(c.On, "leads")
	if !c.Has("filtering") {
		return c.List(list)
	}
	var filters []struct {
		Field    string `json:"field"`
		Operator string `json:"operator"`
		Value    int64  `json:"value"`
	}
	if err := c.JSON("filtering", &filters); err != nil {
		return nil, err
	}
	holds := map[string]func(at, bound int64) bool{
		"GREATER_THAN":          func(at, bound int64) bool { return at > bound },
		"GREATER_THAN_OR_EQUAL": func(at, bound int64) bool { return at >= bound },
		"LESS_THAN":             func(at, bound int64) bool { return at < bound },
		"LESS_THAN_OR_EQUAL":    func(at, bound int64) bool { return at <= bound },
	}
	for _, f := range filters {
		hold := holds[f.Operator]
		if f.Field != "time_created" || hold == nil {
			return nil, Bad("Param filtering must be on time_created")
		}
		list = slices.DeleteFunc(list, func(o *Object) bool {
			at, _ := o.Attrs["created_time"].(time.Time)
			return !hold(at.Unix(), f.Value)
		})
	}
	return c.List(list)
}
