package world

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"sluice/internal/graphspec"
)

func createCampaign(c *Call) (any, *Error) {
	switch {
	case c.Param("name") == "":
		return nil, Bad("The parameter name is required")
	case !c.Has("objective"):
		return nil, Bad("The parameter objective is required")
	}
	if err := c.newStatus(); err != nil {
		return nil, err
	}
	if err := c.budgets(nil, "stop_time"); err != nil {
		return nil, err
	}
	budget := c.Has("daily_budget") || c.Has("lifetime_budget")
	switch {
	case !budget && !c.Has("is_adset_budget_sharing_enabled"):
		return nil, Fail("budget_sharing_unsaid")
	case budget && c.Bool("is_adset_budget_sharing_enabled"):
		return nil, Fail("budget_sharing_twice")
	case c.Bool("is_adset_budget_sharing_enabled") && !c.Has("bid_strategy"):
		return nil, Fail("budget_sharing_bid")
	}
	if categories := c.Strings("special_ad_categories"); len(categories) > 1 && slices.Contains(categories, "NONE") {
		return nil, Bad("special_ad_categories: NONE can't be given with another category")
	}
	if err := c.capped(); err != nil {
		return nil, err
	}
	o, answer, err := c.Create()
	if err != nil || o == nil {
		return answer, err
	}
	account := c.account(c.On)
	defaults(o, Attrs{"account_id": account.Str("account_id"), "status": "ACTIVE", "buying_type": "AUCTION", "updated_time": c.Now, "start_time": c.Now})
	if budget {
		defaults(o, Attrs{"bid_strategy": "LOWEST_COST_WITHOUT_CAP"})
	}
	c.log(o, "create_campaign_group", map[string]any{"new_value": o.Str("objective")})
	return answer, nil
}

func updateCampaign(c *Call) (any, *Error) {
	if ended(c.On) {
		return nil, Fail("advantage_ended")
	}
	if err := c.changeable(); err != nil {
		return nil, err
	}
	if err := c.budgets(c.On, "stop_time"); err != nil {
		return nil, err
	}
	if err := c.capped(); err != nil {
		return nil, err
	}
	if c.Bool("is_adset_budget_sharing_enabled") && c.On.Attrs["is_adset_budget_sharing_enabled"] != true {
		return nil, Fail("budget_sharing_late")
	}
	if c.Has("daily_budget") || c.Has("lifetime_budget") {
		for _, set := range c.World.Linked(c.On, "adsets") {
			if budgetOf(set) != "" && effective(c.World, set) != "DELETED" {
				return nil, Fail("budget_twice")
			}
		}
	}
	return c.changeAdObject(map[string]string{
		"name": "update_campaign_name", "status": "update_campaign_run_status", "daily_budget": "update_campaign_budget",
		"lifetime_budget": "update_campaign_budget", "spend_cap": "update_campaign_group_spend_cap", "stop_time": "update_campaign_schedule",
	})
}

// changeAdObject does an update and writes it into the log.
func (c *Call) changeAdObject(events map[string]string) (any, *Error) {
	before := maps.Clone(c.On.Attrs)
	answer, err := c.Update()
	if err == nil && !c.ValidateOnly() {
		c.On.turned(text(before["status"]), c.Now)
		c.logChanges(before, events)
	}
	return answer, err
}

// changeable refuses changes of what was deleted, other than its name, and of what was
// archived, other than name and deletion.
func (c *Call) changeable() *Error {
	switch c.On.Str("status") {
	case "DELETED":
		if len(c.Params) == 1 && c.Has("name") {
			return nil
		}
		return Fail("ad_object_deleted")
	case "ARCHIVED":
		if c.Has("status") && c.Param("status") != "DELETED" && c.Param("status") != "ARCHIVED" {
			return Bad("An archived object can't be made active or paused again")
		}
	}
	return nil
}

// newStatus refuses what a new object can't begin with.
func (c *Call) newStatus() *Error {
	if s := c.Param("status"); s == "DELETED" || s == "ARCHIVED" {
		return Bad("Param status must be one of {ACTIVE, PAUSED} when creating")
	}
	return nil
}

// budgets checks the budget that a call gives: one kind, at least Meta's least, an end
// in the future for a lifetime budget. on is the object that is changed, nil for a new one.
func (c *Call) budgets(on *Object, end string) *Error {
	if c.Has("daily_budget") && c.Has("lifetime_budget") && c.Param("daily_budget") != "0" && c.Param("lifetime_budget") != "0" {
		return Bad("Only one of daily_budget and lifetime_budget can be set")
	}
	var until time.Time
	if c.Has(end) {
		t, err := c.When(end)
		if err != nil {
			return err
		}
		if !t.After(c.Now) {
			return Bad("Param " + end + " must be in the future")
		}
		until = t
	}
	for _, kind := range []string{"daily_budget", "lifetime_budget"} {
		if !c.Has(kind) {
			continue
		}
		amount, err := c.Int(kind, 0)
		if err != nil {
			return err
		}
		if on != nil && budgetOf(on) != "" && budgetOf(on) != kind {
			return Fail("budget_kind")
		}
		if on != nil && until.IsZero() {
			until, _ = on.Attrs[end].(time.Time)
		}
		if kind == "lifetime_budget" && until.IsZero() {
			return Bad("The parameter " + end + " is required with lifetime_budget")
		}
		if err := c.enough(kind, amount, until); err != nil {
			return err
		}
	}
	if c.Has("start_time") && !until.IsZero() {
		start, err := c.When("start_time")
		if err != nil {
			return err
		}
		if !start.Before(until) {
			return Bad("Param " + end + " must be after start_time")
		}
	}
	return nil
}

// capped holds a spend cap to the least that an account may set: about a hundred times
// the least daily budget.
func (c *Call) capped() *Error {
	amount, err := c.Int("spend_cap", 0)
	if err != nil {
		return err
	}
	currency := c.account(c.On).Str("currency")
	if least := leastCap(currency); c.Has("spend_cap") && amount < least {
		return Fail("budget_too_low", "least", graphspec.FormatMinor(least, currency))
	}
	return nil
}

func leastCap(currency string) int64 { return 100 * minimum(currency).impressions }

// enough holds a budget to the least of the account's currency, for each day that it
// lasts.
func (c *Call) enough(kind string, amount int64, until time.Time) *Error {
	currency := c.account(c.On).Str("currency")
	least := minimum(currency).impressions
	if kind == "lifetime_budget" {
		least *= max(1, int64(until.Sub(c.Now).Hours()+23)/24)
	}
	if amount < least {
		return Fail("budget_too_low", "least", graphspec.FormatMinor(least, currency))
	}
	return nil
}

func defaults(o *Object, attrs Attrs) {
	for name, v := range attrs {
		if _, given := o.Attrs[name]; !given {
			o.Attrs[name] = v
		}
	}
}

// planRaise plans a temporary raise of a daily budget.
func planRaise(c *Call) (any, *Error) {
	if budgetOf(c.On) != "daily_budget" {
		return nil, Bad("Budget schedules need a daily budget on the same level")
	}
	from, err := c.When("time_start")
	if err != nil {
		return nil, err
	}
	to, err := c.When("time_end")
	if err != nil {
		return nil, err
	}
	value, err := c.Int("budget_value", 0)
	if err != nil {
		return nil, err
	}
	switch {
	case from.Before(c.Now):
		return nil, Bad("Param time_start must be in the future")
	case to.Sub(from) < 3*time.Hour:
		return nil, Bad("Param time_end must be at least three hours after time_start")
	case c.Param("budget_value_type") == "MULTIPLIER" && (value < 1 || value > 8):
		return nil, Bad("Param budget_value must be between 1 and 8 as a MULTIPLIER")
	case value < 1:
		return nil, Bad("Param budget_value must be positive")
	}
	o, answer, err := c.Create()
	if err != nil || o == nil {
		return answer, err
	}
	o.Attrs["ad_object_id"], o.Attrs["recurrence_type"] = c.On.ID, "ONE_TIME"
	c.log(c.On, "update_campaign_high_demand_periods", map[string]any{"new_value": strconv.FormatInt(value, 10)})
	return answer, nil
}

func listRaises(c *Call) (any, *Error) { return c.List(c.World.Linked(c.On, c.Edge)) }
