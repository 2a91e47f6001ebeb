package world

import "time"

// adSeed is one campaign of the documented world with what is below it.
type adSeed struct {
	id    string
	attrs Attrs
	sets  []adSetSeed
}

type adSetSeed struct {
	id    string
	attrs Attrs
	ads   []adItemSeed
}

type adItemSeed struct{ id, name, creative string }

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

func countries(codes ...any) map[string]any {
	return map[string]any{
		"geo_locations": map[string]any{"countries": codes, "location_types": []any{"home", "recent"}}, "age_min": 18, "age_max": 65,
		"targeting_automation": map[string]any{"advantage_audience": 0},
	}
}

func seedAdObjects(w *World, pounds, yen *Object) {
	now := w.Now()
	purchase := map[string]any{"pixel_id": DatasetID, "custom_event_type": "PURCHASE"}
	page := map[string]any{"page_id": PageID}
	old, recent := now.Add(-days(40)), now.Add(-days(3))
	for _, s := range []adSeed{
		{"3100000000000001", Attrs{"name": "Autumn sale", "objective": "OUTCOME_SALES", "status": "ACTIVE", "daily_budget": "5000", "bid_strategy": "LOWEST_COST_WITHOUT_CAP"}, []adSetSeed{
			{
				"3200000000000001", Attrs{"name": "Visitors 30 days", "status": "ACTIVE", "optimization_goal": "OFFSITE_CONVERSIONS", "promoted_object": purchase, "targeting": countries("GB"), "learning_since": old},
				[]adItemSeed{{"3300000000000001", "Scarf, still", "3400000000000001"}, {"3300000000000002", "Scarf, film", "3400000000000002"}},
			},
			{
				"3200000000000002", Attrs{"name": "Similar to customers", "status": "ACTIVE", "optimization_goal": "OFFSITE_CONVERSIONS", "promoted_object": purchase, "targeting": countries("GB", "IE"), "learning_since": recent, "dsa_beneficiary": "Sandbox shop", "dsa_payor": "Sandbox shop"},
				[]adItemSeed{{"3300000000000003", "Scarf, still", "3400000000000001"}},
			},
		}},
		{"3100000000000002", Attrs{"name": "Newsletter", "objective": "OUTCOME_LEADS", "status": "ACTIVE", "is_adset_budget_sharing_enabled": false}, []adSetSeed{{
			"3200000000000003", Attrs{"name": "Readers UK", "status": "ACTIVE", "daily_budget": "2000", "optimization_goal": "LEAD_GENERATION", "promoted_object": page, "destination_type": "ON_AD", "targeting": countries("GB"), "learning_since": old},
			[]adItemSeed{{"3300000000000004", "Newsletter form", "3400000000000003"}},
		}}},
		{"3100000000000003", Attrs{"name": "Brand film", "objective": "OUTCOME_AWARENESS", "status": "PAUSED", "lifetime_budget": "100000", "stop_time": now.Add(days(30)), "bid_strategy": "LOWEST_COST_WITHOUT_CAP"}, []adSetSeed{{
			"3200000000000004", Attrs{"name": "Film viewers", "status": "PAUSED", "optimization_goal": "THRUPLAY", "targeting": countries("GB"), "end_time": now.Add(days(30)), "learning_since": recent},
			[]adItemSeed{{"3300000000000005", "Film, cut 1", "3400000000000002"}},
		}}},
		{"3100000000000004", Attrs{"name": "Shopping 2025", "objective": "OUTCOME_SALES", "status": "PAUSED", "daily_budget": "3000", "smart_promotion_type": "AUTOMATED_SHOPPING_ADS", "bid_strategy": "LOWEST_COST_WITHOUT_CAP"}, nil},
	} {
		w.seedCampaign(pounds, s)
	}
	w.seedCampaign(yen, adSeed{"3100000000000005", Attrs{"name": "Tokyo opening", "objective": "OUTCOME_TRAFFIC", "status": "ACTIVE", "daily_budget": "5000", "bid_strategy": "LOWEST_COST_WITHOUT_CAP"}, []adSetSeed{{
		"3200000000000005", Attrs{"name": "Tokyo", "status": "ACTIVE", "optimization_goal": "LINK_CLICKS", "targeting": countries("JP"), "learning_since": old},
		[]adItemSeed{{"3300000000000006", "Opening", "3400000000000005"}},
	}}})
	refused := w.Get("3300000000000005")
	refused.Attrs["review"] = "DISAPPROVED"
	refused.Attrs["ad_review_feedback"] = map[string]any{"global": map[string]any{"MISLEADING_CLAIMS": "The ad promises a result that it can't keep."}}
	refused.Attrs["issues_info"] = []map[string]any{{
		"level": "AD", "error_code": 1815869, "error_summary": "Ad was rejected", "error_message": "The ad does not follow the advertising standards.", "error_type": "HARD_ERROR",
	}}
	w.seedLog(pounds)
}

func (w *World) seedCampaign(account *Object, s adSeed) {
	number, began := account.Str("account_id"), w.Now().Add(-days(45))
	campaign := w.AddAs(s.id, "Campaign", account, s.attrs)
	defaults(campaign, Attrs{
		"account_id": number, "buying_type": "AUCTION", "special_ad_categories": []any{}, "created_time": began, "updated_time": began, "start_time": began,
	})
	w.Link(account, "campaigns", campaign)
	for _, set := range s.sets {
		o := w.AddAs(set.id, "AdSet", campaign, set.attrs)
		defaults(o, Attrs{
			"account_id": number, "campaign_id": campaign.ID, "billing_event": "IMPRESSIONS", "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
			"created_time": began, "updated_time": began, "start_time": began, "is_dynamic_creative": false,
			"attribution_spec": []any{map[string]any{"event_type": "CLICK_THROUGH", "window_days": 7}, map[string]any{"event_type": "VIEW_THROUGH", "window_days": 1}},
		})
		w.Link(account, "adsets", o)
		w.Link(campaign, "adsets", o)
		for i, item := range set.ads {
			status := "ACTIVE"
			if o.Str("status") == "PAUSED" {
				status = "PAUSED"
			}
			ad := w.AddAs(item.id, "Ad", o, Attrs{
				"name": item.name, "status": status, "creative": Ref(item.creative), "created_time": began.Add(time.Duration(i) * time.Hour), "updated_time": began,
				"tracking_specs": []any{map[string]any{"action.type": []any{"offsite_conversion"}, "fb_pixel": []any{DatasetID}}},
			})
			w.Link(account, "ads", ad)
			w.placeAd(ad, o)
		}
	}
}

// seedLog is what the last days of the account look like.
func (w *World) seedLog(account *Object) {
	for i, e := range []struct {
		id, event string
		extra     map[string]any
	}{
		{"3100000000000001", "update_campaign_budget", map[string]any{"old_value": "4000", "new_value": "5000"}},
		{"3200000000000002", "update_ad_set_target_spec", map[string]any{"old_value": "GB", "new_value": "GB, IE"}},
		{"3300000000000005", "ad_review_declined", nil},
		{"3100000000000003", "update_campaign_run_status", map[string]any{"old_value": "ACTIVE", "new_value": "PAUSED"}},
	} {
		actor, name := SystemUserID, "Sandbox system user"
		if i%2 == 1 {
			actor, name = "9200000000000001", "Colleague One"
		}
		w.writeLog(account, w.Get(e.id), e.event, actor, name, w.Now().Add(-days(5-i)).Add(time.Duration(i)*time.Hour), e.extra)
	}
}
