package world

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// goalsOf are the optimization goals that an objective takes. Meta publishes no table;
// this one follows Ads Manager.
var goalsOf = map[string]string{
	"OUTCOME_AWARENESS": "REACH IMPRESSIONS AD_RECALL_LIFT THRUPLAY",
	"OUTCOME_TRAFFIC":   "LINK_CLICKS LANDING_PAGE_VIEWS IMPRESSIONS REACH CONVERSATIONS QUALITY_CALL VISIT_INSTAGRAM_PROFILE PROFILE_VISIT",
	"OUTCOME_ENGAGEMENT": "POST_ENGAGEMENT PAGE_LIKES THRUPLAY CONVERSATIONS EVENT_RESPONSES REMINDERS_SET LINK_CLICKS LANDING_PAGE_VIEWS IMPRESSIONS REACH " +
		"OFFSITE_CONVERSIONS QUALITY_CALL PROFILE_AND_PAGE_ENGAGEMENT PROFILE_VISIT SUBSCRIBERS ENGAGED_USERS ENGAGED_PAGE_VIEWS VISIT_INSTAGRAM_PROFILE",
	"OUTCOME_LEADS":         "LEAD_GENERATION QUALITY_LEAD OFFSITE_CONVERSIONS LINK_CLICKS LANDING_PAGE_VIEWS IMPRESSIONS REACH CONVERSATIONS QUALITY_CALL MEANINGFUL_CALL_ATTEMPT SUBSCRIBERS",
	"OUTCOME_APP_PROMOTION": "APP_INSTALLS LINK_CLICKS OFFSITE_CONVERSIONS VALUE APP_INSTALLS_AND_OFFSITE_CONVERSIONS IN_APP_VALUE",
	"OUTCOME_SALES": "OFFSITE_CONVERSIONS VALUE LINK_CLICKS LANDING_PAGE_VIEWS IMPRESSIONS REACH CONVERSATIONS POST_ENGAGEMENT QUALITY_CALL " +
		"MESSAGING_PURCHASE_CONVERSION MESSAGING_APPOINTMENT_CONVERSION DERIVED_EVENTS ADVERTISER_SILOED_VALUE AUTOMATIC_OBJECTIVE",
}

// neededFor is what promoted_object must hold for a goal: one of these members.
var neededFor = map[string][]string{
	"OFFSITE_CONVERSIONS": {"pixel_id", "custom_conversion_id", "product_set_id", "offline_conversion_data_set_id", "application_id"},
	"VALUE":               {"pixel_id", "custom_conversion_id", "product_set_id", "application_id"},
	"LEAD_GENERATION":     {"page_id"},
	"QUALITY_LEAD":        {"page_id"},
	"PAGE_LIKES":          {"page_id"},
	"CONVERSATIONS":       {"page_id"},
	"APP_INSTALLS":        {"application_id"},
	"IN_APP_VALUE":        {"application_id"},
}

// union are the countries of the European Union, where ads must name beneficiary and payer.
var union = strings.Fields("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK")

func createAdSet(c *Call) (any, *Error) {
	if err := c.newStatus(); err != nil {
		return nil, err
	}
	for _, name := range []string{"campaign_id", "billing_event", "optimization_goal", "targeting"} {
		if !c.Has(name) {
			return nil, Bad("The parameter " + name + " is required")
		}
	}
	campaign, err := c.child("campaign_id", "Campaign")
	if err != nil {
		return nil, err
	}
	if ended(campaign) {
		return nil, Fail("advantage_ended")
	}
	if !slices.Contains(strings.Fields(goalsOf[campaign.Str("objective")]), c.Param("optimization_goal")) {
		return nil, Fail("goal_unfit")
	}
	given := c.Has("daily_budget") || c.Has("lifetime_budget")
	switch own := budgetOf(campaign); {
	case own != "" && given:
		return nil, Fail("budget_twice")
	case own == "" && !given:
		return nil, Fail("budget_missing")
	}
	if !billed(c.Param("billing_event"), c.Param("optimization_goal")) {
		return nil, Fail("billing_unfit")
	}
	if err := c.adSetRules(nil, campaign); err != nil {
		return nil, err
	}
	o, answer, err := c.Create()
	if err != nil || o == nil {
		return answer, err
	}
	o.Owner = campaign.ID
	defaults(o, Attrs{
		"account_id": c.account(campaign).Str("account_id"), "status": "ACTIVE", "updated_time": c.Now, "start_time": c.Now,
		"learning_since": c.Now, "bid_strategy": orElse(campaign.Str("bid_strategy"), "LOWEST_COST_WITHOUT_CAP"),
		"attribution_spec": []any{map[string]any{"event_type": "CLICK_THROUGH", "window_days": 7}, map[string]any{"event_type": "VIEW_THROUGH", "window_days": 1}},
	})
	c.World.Link(campaign, "adsets", o)
	c.log(o, "create_ad_set", map[string]any{"new_value": o.Str("optimization_goal")})
	return answer, nil
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// adSetRules checks budget, bid, targeting and what is promoted, of a new ad set or of
// one that is changed.
func (c *Call) adSetRules(on, campaign *Object) *Error {
	if err := c.budgets(on, "end_time"); err != nil {
		return err
	}
	strategy := c.Param("bid_strategy")
	if strategy == "" && on == nil {
		strategy = campaign.Str("bid_strategy")
	}
	capped := strategy == "LOWEST_COST_WITH_BID_CAP" || strategy == "COST_CAP"
	if capped && !c.Has("bid_amount") && (on == nil || on.Attrs["bid_amount"] == nil) {
		return Fail("bid_missing")
	}
	if strategy == "LOWEST_COST_WITH_MIN_ROAS" && !c.Has("bid_constraints") && (on == nil || on.Attrs["bid_constraints"] == nil) {
		return Fail("roas_missing")
	}
	if err := c.whatRules(); err != nil {
		return err
	}
	if needed := neededFor[c.Param("optimization_goal")]; needed != nil {
		promoted, _ := decoded(c.Param("promoted_object"))
		if on != nil && !c.Has("promoted_object") {
			promoted = on.Attrs["promoted_object"]
		}
		m, _ := promoted.(map[string]any)
		if !slices.ContainsFunc(needed, func(name string) bool { return m[name] != nil }) {
			return Fail("promoted_object_missing", "what", strings.Join(needed, " or "))
		}
	}
	if c.Has("targeting") {
		return c.targetingRules(on, campaign)
	}
	return nil
}

func (c *Call) targetingRules(on, campaign *Object) *Error {
	v, _ := decoded(c.Param("targeting"))
	targeting, _ := v.(map[string]any)
	places, _ := targeting["geo_locations"].(map[string]any)
	if len(places) == 0 && targeting["custom_audiences"] == nil {
		return Fail("place_missing")
	}
	if flag := advantageAudience(targeting); flag != "0" && flag != "1" {
		return Fail("advantage_audience_unsaid")
	}
	if err := c.whomRules(targeting, campaign); err != nil {
		return err
	}
	countries, _ := places["countries"].([]any)
	inUnion := slices.ContainsFunc(countries, func(code any) bool {
		text, _ := code.(string)
		return slices.Contains(union, text)
	})
	if !inUnion {
		return nil
	}
	account := c.account(c.On)
	for name, fallback := range map[string]string{"dsa_beneficiary": "default_dsa_beneficiary", "dsa_payor": "default_dsa_payor"} {
		if c.Param(name) == "" && account.Str(fallback) == "" && (on == nil || on.Str(name) == "") {
			return Fail("dsa_missing")
		}
	}
	return nil
}

// advantageAudience is the flag as text, "" where it is not said.
func advantageAudience(targeting any) string {
	m, _ := targeting.(map[string]any)
	automation, _ := m["targeting_automation"].(map[string]any)
	switch v := automation["advantage_audience"].(type) {
	case json.Number:
		return v.String()
	case int:
		return strconv.Itoa(v)
	}
	return ""
}

func updateAdSet(c *Call) (any, *Error) {
	campaign := c.World.Above(c.World.Get(c.On.Owner), "Campaign")
	if campaign == nil {
		return nil, c.NoObject(c.On.ID)
	}
	if err := c.changeable(); err != nil {
		return nil, err
	}
	if (c.Has("daily_budget") || c.Has("lifetime_budget")) && budgetOf(campaign) != "" {
		return nil, Fail("budget_twice")
	}
	if goal := c.Param("optimization_goal"); goal != "" && !slices.Contains(strings.Fields(goalsOf[campaign.Str("objective")]), goal) {
		return nil, Fail("goal_unfit")
	}
	if err := c.adSetRules(c.On, campaign); err != nil {
		return nil, err
	}
	if !c.ValidateOnly() && (c.Has("targeting") || c.Has("bid_amount") || c.Has("optimization_goal")) {
		c.On.Attrs["learning_since"] = c.Now
	}
	return c.changeAdObject(map[string]string{
		"name": "update_ad_set_name", "status": "update_ad_set_run_status", "daily_budget": "update_ad_set_budget", "lifetime_budget": "update_ad_set_budget",
		"bid_amount": "update_ad_set_bidding", "end_time": "update_ad_set_duration", "targeting": "update_ad_set_target_spec",
		"optimization_goal": "update_ad_set_optimization_goal",
	})
}
