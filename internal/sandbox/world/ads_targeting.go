package world

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// targetingKeys are the members of a targeting specification (Meta's published
// specification, Targeting, and the placements of its documentation).
var targetingKeys = strings.Fields("geo_locations excluded_geo_locations age_min age_max age_range user_age_unknown genders locales custom_audiences " +
	"excluded_custom_audiences dynamic_audience_ids excluded_dynamic_audience_ids custom_audience_spec flexible_spec exclusions interests behaviors " +
	"life_events industries income family_statuses politics moms home_type home_value household_composition generation ethnic_affinity net_worth " +
	"office_type home_ownership user_adclusters interested_in relationship_statuses education_statuses education_schools education_majors college_years " +
	"work_employers work_positions user_event connections excluded_connections friends_of_connections publisher_platforms facebook_positions " +
	"instagram_positions messenger_positions audience_network_positions threads_positions whatsapp_positions oculus_positions device_platforms " +
	"user_device excluded_user_device user_os excluded_user_os wireless_carrier site_category app_install_state targeting_automation targeting_optimization " +
	"targeting_relaxation_types brand_safety_content_filter_levels brand_safety_content_severity_levels excluded_brand_safety_content_types " +
	"excluded_publisher_categories excluded_publisher_list_ids effective_device_platforms effective_publisher_platforms product_audience_specs " +
	"excluded_product_audience_specs prospecting_audience keywords contextual_targeting_categories place_page_set_ids countries country regions cities " +
	"zips radius country_groups fb_deal_id instream_video_skippable_excluded instream_video_sponsorship_placements targeting_country " +
	"subscriber_universe is_whatsapp_destination_ad is_instagram_destination_ad tafe_urls engagement_specs excluded_engagement_specs " +
	"marketplace_product_categories catalog_based_targeting page_types individual_setting audience_network_viewer_position")

var targetingPlatforms = strings.Fields("facebook instagram audience_network messenger threads whatsapp oculus")

// restricted are the special ad categories whose ads must not choose people by age or
// gender.
var restricted = strings.Fields("HOUSING EMPLOYMENT CREDIT FINANCIAL_PRODUCTS_SERVICES")

// whomRules checks who a targeting names: known members, ages that Meta has, audiences
// that are there, and nobody left out where the campaign's category forbids it.
func (c *Call) whomRules(targeting map[string]any, campaign *Object) *Error {
	for name := range targeting {
		if !slices.Contains(targetingKeys, name) {
			return Bad("Invalid keys " + strconv.Quote(clip(name)) + ` were found in param "targeting"`)
		}
	}
	from, to := numberIn(targeting, "age_min", 18), numberIn(targeting, "age_max", 65)
	if from < 13 || to > 65 || from > to {
		return Bad("targeting: age_min and age_max must be between 13 and 65, and age_min not above age_max")
	}
	places, _ := targeting["geo_locations"].(map[string]any)
	for _, code := range textsIn(places["countries"]) {
		if len(code) != 2 || strings.ToUpper(code) != code || code == "XX" {
			return Bad("targeting: " + clip(code) + " is no country code")
		}
	}
	for _, platform := range textsIn(targeting["publisher_platforms"]) {
		if !slices.Contains(targetingPlatforms, platform) {
			return Bad("targeting: publisher_platforms has no " + clip(platform))
		}
	}
	for _, name := range []string{"custom_audiences", "excluded_custom_audiences"} {
		list, _ := targeting[name].([]any)
		for _, item := range list {
			m, _ := item.(map[string]any)
			if o := c.World.Get(text(m["id"])); o == nil || o.Kind != "CustomAudience" {
				return Bad("targeting: the custom audience " + clip(text(m["id"])) + " does not exist, or this account can't use it")
			}
		}
	}
	if campaign == nil || !slices.ContainsFunc(textsIn(campaign.Attrs["special_ad_categories"]), func(s string) bool { return slices.Contains(restricted, s) }) {
		return nil
	}
	if genders, _ := targeting["genders"].([]any); from > 18 || to < 65 || len(genders) == 1 {
		return Fail("category_targeting")
	}
	return nil
}

// whatRules checks what an ad set promotes: a dataset that is there. on is nil for a new
// one.
func (c *Call) whatRules() *Error {
	v, _ := decoded(c.Param("promoted_object"))
	m, _ := v.(map[string]any)
	for name, kind := range map[string]string{"pixel_id": "AdsPixel", "page_id": "Page", "product_set_id": "ProductSet", "custom_conversion_id": "CustomConversion"} {
		id := text(m[name])
		if id == "" {
			continue
		}
		if o := c.World.Get(id); o == nil || o.Kind != kind {
			return Bad("promoted_object: " + name + " does not exist, or this account can't use it")
		}
	}
	return nil
}

// billed reports whether an event can be paid for with a goal: impressions always, the
// rest only for what the goal looks for.
func billed(event, goal string) bool {
	return event == "" || event == "IMPRESSIONS" || event == goal
}

func numberIn(m map[string]any, name string, otherwise int64) int64 {
	switch v := m[name].(type) {
	case json.Number:
		n, err := v.Int64()
		if err == nil {
			return n
		}
	case int:
		return int64(v)
	}
	return otherwise
}

func textsIn(v any) []string {
	list, _ := v.([]any)
	out := make([]string, 0, len(list))
	for _, item := range list {
		out = append(out, text(item))
	}
	return out
}
