package world

import (
	"encoding/json"
	"strconv"
	"time"
)

var audienceBehaviours = map[string]Behaviour{
	"POST AdAccount.customaudiences":   createAudience,
	"POST CustomAudience.":             updateAudience,
	"POST CustomAudience.users":        changeMembers,
	"DELETE CustomAudience.users":      changeMembers,
	"POST CustomAudience.usersreplace": replaceMembers,
	"GET CustomAudience.sessions":      listSessions,
}

var audienceFields = map[string]fieldOf{
	"CustomAudience.approximate_count_lower_bound": func(c *Call, o *Object) any { lower, _ := c.audienceSize(o); return lower },
	"CustomAudience.approximate_count_upper_bound": func(c *Call, o *Object) any { _, upper := c.audienceSize(o); return upper },
	"CustomAudience.operation_status":              audienceState,
	"CustomAudience.delivery_status": func(_ *Call, o *Object) any {
		if people(o) < 100 {
			return map[string]any{"code": 300, "description": "The audience is too small to be used."}
		}
		return map[string]any{"code": 200, "description": "This audience is ready for use."}
	},
}

const (
	// filledAfter is how long Meta is busy with new members, here.
	filledAfter = 15 * time.Minute
	// likeAfter is how long a lookalike takes.
	likeAfter = 6 * time.Hour
)

// seedAudiences makes a list, its lookalike, a list that is too small, one that is
// blocked, and visitors of a website.
func seedAudiences(w *World) {
	account := w.Get(AdAccountID)
	for _, a := range []struct {
		id, name, subtype string
		people            int64
		more              Attrs
	}{
		{"3900000000000005", "Visitors of the shop", "WEBSITE", 18_500, Attrs{
			"retention_days": 30, "pixel_id": DatasetID,
			"rule": `{"inclusions":{"operator":"or","rules":[{"event_sources":[{"type":"pixel","id":"` + DatasetID + `"}],"retention_seconds":2592000}]}}`,
		}},
		{"3900000000000004", "Blocked list", "CUSTOM", 900, Attrs{"customer_file_source": "PARTNER_PROVIDED_ONLY", "blocked": true}},
		{"3900000000000003", "Tiny list", "CUSTOM", 12, Attrs{"customer_file_source": "USER_PROVIDED_ONLY"}},
		{"3900000000000002", "Like newsletter", "LOOKALIKE", 500_000, Attrs{
			"lookalike_spec": map[string]any{"country": "GB", "ratio": 0.01, "type": "similarity", "origin": []any{map[string]any{"id": "3900000000000001", "name": "Newsletter"}}},
		}},
		{"3900000000000001", "Newsletter", "CUSTOM", 4_200, Attrs{
			"customer_file_source": "USER_PROVIDED_ONLY", "description": "People who get the newsletter", "lookalike_audience_ids": []any{"3900000000000002"},
		}},
	} {
		o := w.AddAs(a.id, "CustomAudience", account, Attrs{
			"name": a.name, "subtype": a.subtype, "people": a.people, "account_id": AdAccountID[len("act_"):], "time_content_updated": w.Now(),
		})
		for name, v := range a.more {
			o.Attrs[name] = v
		}
		w.Link(account, "customaudiences", o)
	}
	w.Link(account, "saved_audiences", w.AddAs("3910000000000001", "SavedAudience", account, Attrs{
		"name": "Tea and pottery, London", "run_status": "ACTIVE", "approximate_count_lower_bound": 98_000, "approximate_count_upper_bound": 115_300,
		"targeting": map[string]any{
			"age_min": 25, "geo_locations": map[string]any{"cities": []any{map[string]any{"key": "2600001", "name": "London", "country": "GB"}}},
			"flexible_spec": []any{map[string]any{"interests": []any{map[string]any{"id": "6000000000103", "name": "Tea"}, map[string]any{"id": "6000000000104", "name": "Pottery"}}}},
		},
	}))
}

// people is how many people an audience has: those it began with, and the members that
// were sent since.
func people(o *Object) int64 {
	n, _ := o.Attrs["people"].(int64)
	return n + int64(len(memberSet(o)))
}

// filling reports whether Meta is still busy with an audience.
func (c *Call) filling(o *Object) bool {
	ready, ok := o.Attrs["ready"].(time.Time)
	return ok && c.Now.Before(ready)
}

// audienceSize is rounded; below 1000 it is 1000, and -1 while the audience is filled.
func (c *Call) audienceSize(o *Object) (lower, upper int64) {
	n := people(o)
	switch {
	case c.filling(o):
		return -1, -1
	case n == 0:
		return 0, 0
	}
	return bounds(n)
}

func audienceState(c *Call, o *Object) any {
	switch {
	case o.Attrs["blocked"] == true:
		return map[string]any{"code": 471, "description": "This audience has been flagged for a possible violation of the rules for customer lists."}
	case c.filling(o):
		return map[string]any{"code": 441, "description": "The audience is being populated."}
	}
	return map[string]any{"code": 200, "description": "Normal"}
}

func createAudience(c *Call) (any, *Error) {
	switch c.Param("subtype") {
	case "CUSTOM":
		if !c.Has("customer_file_source") {
			return nil, Bad("The parameter customer_file_source is required")
		}
	case "LOOKALIKE":
		return createLookalike(c)
	case "WEBSITE", "APP", "ENGAGEMENT", "VIDEO":
		if err := c.ruleGiven(); err != nil {
			return nil, err
		}
	}
	o, answer, err := c.Create()
	if o != nil {
		o.Attrs["account_id"] = c.On.ID[len("act_"):]
		if o.Str("rule") != "" {
			o.Attrs["people"], o.Attrs["ready"] = int64(1500), c.Now.Add(filledAfter)
		}
	}
	return answer, err
}

func (c *Call) ruleGiven() *Error {
	if !c.Has("rule") {
		return Bad("The parameter rule is required")
	}
	var rule map[string]any
	return c.JSON("rule", &rule)
}

// createLookalike needs a source with at least 100 people.
func createLookalike(c *Call) (any, *Error) {
	var spec struct {
		Country string      `json:"country"`
		Ratio   json.Number `json:"ratio"`
		Type    string      `json:"type"`
	}
	if err := c.JSON("lookalike_spec", &spec); err != nil {
		return nil, err
	}
	source := c.World.Get(c.Param("origin_audience_id"))
	ratio, bad := spec.Ratio.Float64()
	switch {
	case source == nil || source.Kind != "CustomAudience":
		return nil, Bad("Param origin_audience_id must be a valid custom audience")
	case people(source) < 100:
		return nil, Bad("The source audience has fewer than 100 people of the country")
	case len(spec.Country) != 2:
		return nil, Bad("Param lookalike_spec must name a country")
	case bad != nil && spec.Type == "", bad == nil && (ratio < 0.01 || ratio > 0.2):
		return nil, Bad("Param lookalike_spec[ratio] must be between 0.01 and 0.20")
	}
	o, answer, err := c.Create()
	if o == nil {
		return answer, err
	}
	o.Attrs["account_id"] = c.On.ID[len("act_"):]
	o.Attrs["people"], o.Attrs["ready"] = int64(ratio*float64(peopleOf(spec.Country))), c.Now.Add(likeAfter)
	o.Attrs["lookalike_spec"] = map[string]any{
		"country": spec.Country, "ratio": ratio, "type": spec.Type, "origin": []any{map[string]any{"id": source.ID, "name": source.Str("name")}},
	}
	likes, _ := source.Attrs["lookalike_audience_ids"].([]any)
	source.Attrs["lookalike_audience_ids"] = append(likes, o.ID)
	return answer, nil
}

func updateAudience(c *Call) (any, *Error) {
	if c.Has("rule") {
		if err := c.ruleGiven(); err != nil {
			return nil, err
		}
	}
	return c.Update()
}

func listSessions(c *Call) (any, *Error) {
	var rows []map[string]any
	sessions, _ := c.On.Attrs["sessions"].([]*memberSession)
	for _, s := range sessions {
		if id := strconv.FormatInt(s.id, 10); !c.Has("session_id") || c.Param("session_id") == id {
			rows = append(rows, s.row(c.Now))
		}
	}
	return c.Rows("CustomAudienceSession", rows)
}
