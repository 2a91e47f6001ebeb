package world

import (
	"slices"
	"strconv"
	"strings"
)

// Ad accounts of the documented world besides AdAccountID.
const YenAccountID = "act_3000000000000002" // JPY has no minor unit

var adBehaviours = merged(
	listBehaviours,
	map[string]Behaviour{
		"POST AdAccount.campaigns":       createCampaign,
		"POST Campaign.":                 updateCampaign,
		"DELETE Campaign.":               deleteAdObject,
		"POST Campaign.copies":           copyCampaign,
		"POST Campaign.budget_schedules": planRaise,
		"POST AdAccount.adsets":          createAdSet,
		"POST AdSet.":                    updateAdSet,
		"DELETE AdSet.":                  deleteAdObject,
		"POST AdSet.copies":              copyAdSet,
		"POST AdSet.budget_schedules":    planRaise,
		"POST AdAccount.ads":             createAd,
		"POST Ad.":                       updateAd,
		"DELETE Ad.":                     deleteAdObject,
		"POST Ad.copies":                 copyAd,
		"GET AdAccount.activities":       listActivities,
		"GET AdSet.activities":           listActivities,
		"GET AdAccount.minimum_budgets":  listMinimums,
		"GET AdAccount.generatepreviews": showPreview,
		"GET Campaign.budget_schedules":  listRaises,
		"GET AdSet.budget_schedules":     listRaises,
	},
)

var adFields = map[string]fieldOf{
	"AdAccount.min_daily_budget":             func(c *Call, o *Object) any { return minimum(o.Str("currency")).impressions },
	"AdAccount.min_campaign_group_spend_cap": func(_ *Call, o *Object) any { return strconv.FormatInt(leastCap(o.Str("currency")), 10) },
	"Campaign.configured_status":             func(_ *Call, o *Object) any { return o.Str("status") },
	"AdSet.configured_status":                func(_ *Call, o *Object) any { return o.Str("status") },
	"Ad.configured_status":                   func(_ *Call, o *Object) any { return o.Str("status") },
	"Campaign.effective_status":              func(c *Call, o *Object) any { return effective(c.World, o) },
	"AdSet.effective_status":                 func(c *Call, o *Object) any { return effective(c.World, o) },
	"Ad.effective_status":                    func(c *Call, o *Object) any { return effective(c.World, o) },
	"Campaign.budget_remaining":              budgetRemaining,
	"AdSet.budget_remaining":                 budgetRemaining,
	"Campaign.advantage_state_info":          advantageState,
	"AdSet.campaign":                         func(_ *Call, o *Object) any { return refOf(o, "campaign_id") },
	"AdSet.learning_stage_info":              learningStage,
	"Ad.campaign":                            func(_ *Call, o *Object) any { return refOf(o, "campaign_id") },
	"Ad.adset":                               func(_ *Call, o *Object) any { return refOf(o, "adset_id") },
	"Campaign.source_campaign":               func(_ *Call, o *Object) any { return refOf(o, "source_campaign_id") },
	"AdSet.source_adset":                     func(_ *Call, o *Object) any { return refOf(o, "source_adset_id") },
	"Ad.source_ad":                           func(_ *Call, o *Object) any { return refOf(o, "source_ad_id") },
	"Ad.preview_shareable_link":              func(_ *Call, o *Object) any { return "https://fb.me/sandbox" + o.ID },
}

func refOf(o *Object, field string) any {
	if id := o.Str(field); id != "" {
		return Ref(id)
	}
	return nil
}

// listBehaviours are the lists of campaigns, ad sets and ads: archived and deleted ones
// only come where effective_status asks for them.
var listBehaviours = map[string]Behaviour{
	"GET AdAccount.campaigns":   listAdObjects,
	"GET AdAccount.adsets":      listAdObjects,
	"GET AdAccount.ads":         listAdObjects,
	"GET AdAccount.adcreatives": listAdObjects,
	"GET Campaign.adsets":       listAdObjects,
	"GET Campaign.ads":          listAdObjects,
	"GET AdSet.ads":             listAdObjects,
}

func listAdObjects(c *Call) (any, *Error) {
	wanted := c.Strings("effective_status")
	list := slices.DeleteFunc(c.World.Linked(c.On, c.Edge), func(o *Object) bool {
		status := effective(c.World, o)
		if len(wanted) > 0 {
			return !slices.Contains(wanted, status)
		}
		return status == "DELETED" || status == "ARCHIVED"
	})
	return c.List(list)
}

// account is the ad account that an object belongs to, nil for none.
func (c *Call) account(o *Object) *Object { return c.World.Above(o, "AdAccount") }

// child finds an object that a parameter names, of a kind and of the same account.
func (c *Call) child(param, kind string) (*Object, *Error) {
	o := c.World.Get(c.Param(param))
	account := c.account(c.On)
	if o == nil || o.Kind != kind || c.account(o) != account {
		return nil, c.NoObject(c.Param(param))
	}
	if effective(c.World, o) == "DELETED" {
		return nil, Fail("ad_object_deleted")
	}
	return o, nil
}

// leastBudgets are the least daily budgets of a currency, in its minor unit: billed by
// impressions, by frequent actions, by rare ones, by video views.
type leastBudgets struct {
	currency                          string
	impressions, frequent, rare, view int64
}

var minimums = []leastBudgets{
	{"GBP", 80, 400, 3200, 80}, {"EUR", 90, 450, 3600, 90}, {"USD", 100, 500, 4000, 100}, {"JPY", 150, 750, 6000, 150},
	{"AUD", 150, 750, 6000, 150}, {"CAD", 135, 675, 5400, 135}, {"CHF", 95, 475, 3800, 95}, {"PLN", 400, 2000, 16000, 400},
	{"SEK", 1000, 5000, 40000, 1000}, {"KRW", 1300, 6500, 52000, 1300},
}

func minimum(currency string) leastBudgets {
	for _, m := range minimums {
		if m.currency == currency {
			return m
		}
	}
	return leastBudgets{currency: currency, impressions: 100, frequent: 500, rare: 4000, view: 100}
}

func listMinimums(c *Call) (any, *Error) {
	rows := make([]map[string]any, 0, len(minimums))
	for _, m := range minimums {
		rows = append(rows, map[string]any{
			"currency": m.currency, "min_daily_budget_imp": m.impressions, "min_daily_budget_high_freq": m.frequent,
			"min_daily_budget_low_freq": m.rare, "min_daily_budget_video_views": m.view,
		})
	}
	return c.Rows("MinimumBudget", rows)
}

func seedAds(w *World) {
	account := w.AddAs(AdAccountID, "AdAccount", w.Get(BusinessID), Attrs{
		"disable_reason": 0, "timezone_id": 58, "timezone_offset_hours_utc": 0.0, "amount_spent": "184250", "balance": "1250",
		"user_tasks": []any{"DRAFT", "ANALYZE", "ADVERTISE", "MANAGE"}, "is_prepay_account": false,
	})
	yen := w.AddAs(YenAccountID, "AdAccount", w.Get(BusinessID), Attrs{
		"account_id": strings.TrimPrefix(YenAccountID, "act_"), "name": "Sandbox ad account Tokyo", "account_status": 1, "disable_reason": 0,
		"currency": "JPY", "timezone_name": "Asia/Tokyo", "timezone_offset_hours_utc": 9.0, "business": Ref(BusinessID), "balance": "0",
		"amount_spent": "52000", "spend_cap": "0", "user_tasks": []any{"DRAFT", "ANALYZE", "ADVERTISE", "MANAGE"}, "is_prepay_account": false,
	})
	for from, edge := range map[string]string{SystemUserID: "adaccounts", BusinessID: "owned_ad_accounts"} {
		if o := w.Get(from); o != nil {
			w.Link(o, edge, yen)
		}
	}
	for _, a := range []*Object{account, yen} {
		number := strings.TrimPrefix(a.ID, "act_300000000000000")
		system := w.AddAs("910000000000000"+number, "AdAccountUser", a, Attrs{"name": "Sandbox system user", "tasks": []any{"ANALYZE", "ADVERTISE", "MANAGE"}})
		person := w.AddAs("920000000000000"+number, "AdAccountUser", a, Attrs{"name": "Colleague One", "tasks": []any{"ANALYZE"}})
		w.Link(a, "users", system)
		w.Link(a, "users", person)
	}
	seedAdObjects(w, account, yen)
}
