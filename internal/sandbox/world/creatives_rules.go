package world

import "slices"

var ruleBehaviours = map[string]Behaviour{
	"POST AdAccount.adrules_library": createRule,
	"POST AdRule.":                   updateRule,
	"GET AdAccount.adrules_library":  listRules,
	"POST Business.ad_studies":       createStudy,
	"GET AdAccount.ad_studies":       listStudies,
	"POST AdAccount.adlabels":        createLabel,
	"GET AdRule.history":             listRuns,
}

var ruleActions = []string{
	"PAUSE", "UNPAUSE", "NOTIFICATION", "ROTATE", "CHANGE_BUDGET", "CHANGE_BID", "CHANGE_CAMPAIGN_BUDGET", "REBALANCE_BUDGET", "PING_ENDPOINT", "INCREASE_RADIUS", "UPDATE_CREATIVE",
}

// ruleSpecs checks the specifications that a call gives.
func (c *Call) ruleSpecs() *Error {
	var when, what map[string]any
	if c.Has("evaluation_spec") {
		if err := c.JSON("evaluation_spec", &when); err != nil {
			return err
		}
		kind, _ := when["evaluation_type"].(string)
		filters, _ := when["filters"].([]any)
		switch {
		case kind != "SCHEDULE" && kind != "TRIGGER":
			return Bad("evaluation_spec[evaluation_type] must be one of {SCHEDULE, TRIGGER}")
		case len(filters) == 0:
			return Bad("evaluation_spec[filters] is required")
		}
	}
	if c.Has("execution_spec") {
		if err := c.JSON("execution_spec", &what); err != nil {
			return err
		}
		if action, _ := what["execution_type"].(string); !slices.Contains(ruleActions, action) {
			return Bad("execution_spec[execution_type] is not valid")
		}
	}
	return nil
}

func updateRule(c *Call) (any, *Error) {
	if err := c.ruleSpecs(); err != nil {
		return nil, err
	}
	return c.Update()
}

func createRule(c *Call) (any, *Error) {
	if err := c.ruleSpecs(); err != nil {
		return nil, err
	}
	o, answer, err := c.Create()
	if err != nil || o == nil {
		return answer, err
	}
	defaults(o, Attrs{"status": "ENABLED", "account_id": c.On.Str("account_id"), "updated_time": c.Now, "created_by": Ref(SystemUserID), "schedule_spec": map[string]any{"schedule_type": "SEMI_HOURLY"}})
	return answer, nil
}

func listRules(c *Call) (any, *Error) {
	return c.List(slices.DeleteFunc(c.World.Linked(c.On, c.Edge), func(o *Object) bool { return o.Str("status") == "DELETED" }))
}

func listRuns(c *Call) (any, *Error) {
	list := c.World.Linked(c.On, c.Edge)
	return c.List(slices.DeleteFunc(list, func(o *Object) bool {
		return c.Has("object_id") && o.Str("object_id") != c.Param("object_id") || c.Bool("hide_no_changes") && o.Attrs["results"] == nil
	}))
}

func createLabel(c *Call) (any, *Error) {
	o, answer, err := c.Create()
	if o != nil {
		o.Attrs["account"] = Ref(c.On.ID)
	}
	return answer, err
}

// createStudy makes a study with its cells and objectives on the business.
func createStudy(c *Call) (any, *Error) {
	start, err := c.When("start_time")
	if err != nil {
		return nil, err
	}
	end, err := c.When("end_time")
	if err != nil {
		return nil, err
	}
	var cells []struct {
		Name      string   `json:"name"`
		Share     float64  `json:"treatment_percentage"`
		Campaigns []string `json:"campaigns"`
		AdSets    []string `json:"adsets"`
	}
	if err := c.JSON("cells", &cells); err != nil {
		return nil, err
	}
	total := 0.0
	seen := map[string]bool{}
	for _, cell := range cells {
		total += cell.Share
		for _, id := range slices.Concat(cell.Campaigns, cell.AdSets) {
			if seen[id] {
				return nil, Bad("A study can't have the same campaign or ad set in two cells")
			}
			seen[id] = true
			if c.World.Get(id) == nil {
				return nil, c.NoObject(id)
			}
		}
	}
	switch {
	case !start.Before(end):
		return nil, Bad("Param end_time must be after start_time")
	case len(cells) < 2 || total > 100:
		return nil, Bad("A study needs at least two cells whose treatment_percentage is at most 100 in all")
	}
	study := c.World.Add("AdStudy", c.On, Attrs{
		"name": c.Param("name"), "description": c.Param("description"), "type": orElse(c.Param("type"), "SPLIT_TEST"), "start_time": start, "end_time": end,
		"business": Ref(c.On.ID), "updated_time": c.Now,
	})
	c.World.Link(c.On, "ad_studies", study)
	for _, given := range cells {
		cell := c.World.Add("AdStudyCell", study, Attrs{
			"name": given.Name, "treatment_percentage": given.Share, "control_percentage": 0.0, "ad_entities_count": len(given.Campaigns) + len(given.AdSets),
		})
		c.World.Link(study, "cells", cell)
		c.World.fillCell(cell, given.Campaigns, given.AdSets)
	}
	if c.Has("objectives") {
		var objectives []Attrs
		if err := c.JSON("objectives", &objectives); err != nil {
			return nil, err
		}
		for _, attrs := range objectives {
			c.World.Link(study, "objectives", c.World.Add("AdStudyObjective", study, attrs))
		}
	}
	return ID(study), nil
}

func (w *World) fillCell(cell *Object, campaigns, sets []string) {
	for edge, ids := range map[string][]string{"campaigns": campaigns, "adsets": sets} {
		for _, id := range ids {
			w.Link(cell, edge, w.Get(id))
		}
	}
}

// listStudies are the studies in which something of the account takes part.
func listStudies(c *Call) (any, *Error) {
	var list []*Object
	for _, study := range slices.Backward(c.World.All("AdStudy")) {
		for _, cell := range c.World.Linked(study, "cells") {
			inside := slices.Concat(c.World.Linked(cell, "campaigns"), c.World.Linked(cell, "adsets"))
			if slices.ContainsFunc(inside, func(o *Object) bool { return c.account(o) == c.On }) {
				list = append(list, study)
				break
			}
		}
	}
	return c.List(list)
}

func seedRules(w *World, account *Object) {
	rule := w.AddAs("3600000000000001", "AdRule", account, Attrs{
		"name": "Pause what costs too much", "status": "ENABLED", "account_id": account.Str("account_id"), "created_by": Ref(SystemUserID),
		"evaluation_spec": map[string]any{"evaluation_type": "SCHEDULE", "filters": []any{
			map[string]any{"field": "entity_type", "operator": "EQUAL", "value": "AD"}, map[string]any{"field": "time_preset", "operator": "EQUAL", "value": "LAST_7D"},
			map[string]any{"field": "spent", "operator": "GREATER_THAN", "value": 20000},
		}},
		"execution_spec": map[string]any{"execution_type": "PAUSE"}, "schedule_spec": map[string]any{"schedule_type": "DAILY"},
		"created_time": w.Now().Add(-days(60)), "updated_time": w.Now().Add(-days(60)),
	})
	w.Link(account, "adrules_library", rule)
	run := w.Add("AdRuleHistory", rule, Attrs{
		"timestamp": w.Now().Add(-days(2)), "is_manual": false, "object_id": "3300000000000002",
		"results": []any{map[string]any{"object_id": "3300000000000002", "object_type": "AD", "actions": []any{map[string]any{"action": "PAUSE"}}}},
	})
	w.Link(rule, "history", run)
	for i, name := range []string{"Autumn", "Wool"} {
		label := w.AddAs("370000000000000"+string(rune('1'+i)), "AdLabel", account, Attrs{"name": name, "account": Ref(account.ID), "created_time": w.Now().Add(-days(60))})
		w.Link(account, "adlabels", label)
	}
	study := w.AddAs("3800000000000001", "AdStudy", w.Get(BusinessID), Attrs{
		"name": "Visitors or similar people", "description": "Which audience buys more", "type": "SPLIT_TEST", "business": Ref(BusinessID),
		"start_time": w.Now().Add(-days(20)), "end_time": w.Now().Add(days(10)), "created_time": w.Now().Add(-days(21)), "updated_time": w.Now().Add(-days(21)),
	})
	if business := w.Get(BusinessID); business != nil {
		w.Link(business, "ad_studies", study)
	}
	for i, set := range []string{"3200000000000002", "3200000000000001"} {
		cell := w.AddAs("381000000000000"+string(rune('1'+i)), "AdStudyCell", study, Attrs{
			"name": w.Get(set).Str("name"), "treatment_percentage": 50.0, "control_percentage": 0.0, "ad_entities_count": 1,
		})
		w.Link(study, "cells", cell)
		w.Link(cell, "adsets", w.Get(set))
	}
}
