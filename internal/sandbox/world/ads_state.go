package world

import (
	"strconv"
	"time"
)

// reviewTime is how long Meta looks at a new ad here; the real one varies.
const reviewTime = 10 * time.Minute

// effective is what really happens to an ad object: its own status, what its parents
// allow, and Meta's review.
func effective(w *World, o *Object) string {
	own := o.Str("status")
	if own == "DELETED" || own == "ARCHIVED" || o.Kind == "AdCreative" {
		return own
	}
	above := func(kind, paused string) (string, bool) {
		parent := w.Above(w.Get(o.Owner), kind)
		if parent == nil {
			return "", false
		}
		switch status := parent.Str("status"); status {
		case "DELETED", "ARCHIVED":
			return status, true
		case "PAUSED":
			return paused, own == "ACTIVE"
		}
		return "", false
	}
	if o.Kind == "Ad" && o.Str("review") == "DISAPPROVED" {
		return "DISAPPROVED"
	}
	if o.Kind == "Ad" {
		if status, ok := above("AdSet", "ADSET_PAUSED"); ok {
			return status
		}
	}
	if o.Kind != "Campaign" {
		if status, ok := above("Campaign", "CAMPAIGN_PAUSED"); ok {
			return status
		}
	}
	if own != "ACTIVE" {
		return own
	}
	if until, ok := o.Attrs["review_until"].(time.Time); ok && w.Now().Before(until) {
		return "PENDING_REVIEW"
	}
	if o.Attrs["issues_info"] != nil {
		return "WITH_ISSUES"
	}
	return own
}

// budgetRemaining is what is left of a budget: of today's where it is daily.
func budgetRemaining(c *Call, o *Object) any {
	for _, name := range []string{"daily_budget", "lifetime_budget"} {
		budget, err := strconv.ParseInt(o.Str(name), 10, 64)
		if err != nil || budget == 0 {
			continue
		}
		if effective(c.World, o) == "ACTIVE" {
			budget = budget * 6 / 10
		}
		return strconv.FormatInt(budget, 10)
	}
	return "0"
}

// learningStage says whether results of an ad set have settled: fifty in the week after
// the last important change.
func learningStage(c *Call, o *Object) any {
	if o.Attrs["learning_since"] == nil {
		return nil
	}
	since, _ := o.Attrs["learning_since"].(time.Time)
	stage := map[string]any{"status": "LEARNING", "conversions": 12, "last_sig_edit_ts": since.Unix(), "attribution_windows": []any{"1d_view", "7d_click"}}
	if c.Now.Sub(since) > 7*24*time.Hour {
		stage["status"], stage["conversions"] = "SUCCESS", 50
	}
	return stage
}

// advantageState follows from the settings since campaigns of that type ended.
func advantageState(c *Call, o *Object) any {
	state := map[string]any{
		"advantage_state": "DISABLED", "advantage_budget_state": "DISABLED", "advantage_audience_state": "DISABLED", "advantage_placement_state": "ENABLED",
	}
	if budgetOf(o) != "" {
		state["advantage_budget_state"] = "ENABLED"
	}
	sets := c.World.Linked(o, "adsets")
	open := len(sets) > 0
	for _, set := range sets {
		open = open && advantageAudience(set.Attrs["targeting"]) == "1"
	}
	if open {
		state["advantage_audience_state"] = "ENABLED"
		if budgetOf(o) != "" {
			state["advantage_state"] = "ENABLED"
		}
	}
	return state
}

// budgetOf names the budget that an object has of its own, "" for none.
func budgetOf(o *Object) string {
	for _, name := range []string{"daily_budget", "lifetime_budget"} {
		if v := o.Str(name); v != "" && v != "0" {
			return name
		}
	}
	return ""
}

// ended reports a campaign of the Advantage+ types that Meta has closed.
func ended(o *Object) bool {
	kind := o.Str("smart_promotion_type")
	return kind == "AUTOMATED_SHOPPING_ADS" || kind == "SMART_APP_PROMOTION"
}

// deleteAdObject marks an object as deleted: it leaves the lists, but its id can be read
// (and reported on) as before. What is below follows by its effective status.
func deleteAdObject(c *Call) (any, *Error) {
	was := c.On.Str("status")
	c.On.Attrs["status"] = "DELETED"
	c.On.turned(was, c.Now)
	c.On.Attrs["updated_time"] = c.Now
	c.log(c.On, runStatusEvents[c.On.Kind], map[string]any{"old_value": was, "new_value": "DELETED"})
	return OK(), nil
}

var runStatusEvents = map[string]string{
	"Campaign": "update_campaign_run_status", "AdSet": "update_ad_set_run_status", "Ad": "update_ad_run_status",
}
