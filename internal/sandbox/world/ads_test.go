package world_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/internal/sandbox/world"
)

const (
	saleCampaign  = "3100000000000001" // active, with a daily budget of its own
	leadsCampaign = "3100000000000002" // active, budgets on its ad sets
	filmCampaign  = "3100000000000003" // paused
	oldCampaign   = "3100000000000004" // Advantage+ shopping
	saleSet       = "3200000000000001"
	leadsSet      = "3200000000000003"
	placed        = `{"geo_locations":{"countries":["GB"]},"targeting_automation":{"advantage_audience":0}}`
)

func (s *shop) field(id, name string) string {
	s.Helper()
	return fmt.Sprint(s.must("GET", id, "", "fields", name)[name])
}

func (s *shop) create(edge string, pairs ...string) string {
	s.Helper()
	return s.must("POST", world.AdAccountID, edge, pairs...)["id"].(string)
}

// newSet are the parameters of an ad set that nothing is wrong with, with others.
func newSet(pairs ...string) []string {
	return append([]string{
		"name", "Set", "campaign_id", leadsCampaign, "daily_budget", "1500", "billing_event", "IMPRESSIONS",
		"optimization_goal", "LINK_CLICKS", "targeting", placed,
	}, pairs...)
}

func TestCampaignFromBirthToDeath(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.create("campaigns", "name", "Winter", "objective", "OUTCOME_SALES", "status", "PAUSED", "daily_budget", "2000", "special_ad_categories", "[]")
	m := s.must("GET", id, "", "fields", "name,daily_budget,status,effective_status,account_id,bid_strategy")
	if m["name"] != "Winter" || m["daily_budget"] != "2000" || m["effective_status"] != "PAUSED" || m["account_id"] != "3000000000000001" || m["bid_strategy"] != "LOWEST_COST_WITHOUT_CAP" {
		t.Errorf("read back: %v", m)
	}
	if list := s.ids(world.AdAccountID, "campaigns"); !strings.HasPrefix(list, id) {
		t.Errorf("the newest is not first: %s", list)
	}
	s.must("POST", id, "", "status", "ACTIVE", "daily_budget", "2500")
	if got := s.field(id, "daily_budget") + s.field(id, "effective_status"); got != "2500ACTIVE" {
		t.Error(got)
	}
	s.refused("budget_kind", "POST", id, "", "lifetime_budget", "90000", "stop_time", s.in(48*time.Hour))
	s.must("DELETE", id, "")
	if strings.Contains(s.ids(world.AdAccountID, "campaigns"), id) {
		t.Error("the deleted campaign is still listed")
	}
	if !strings.Contains(s.ids(world.AdAccountID, "campaigns", "effective_status", `["DELETED"]`), id) {
		t.Error("a list of deleted campaigns does not find it")
	}
	if got := s.field(id, "effective_status"); got != "DELETED" {
		t.Error(got)
	}
	s.refused("ad_object_deleted", "POST", id, "", "status", "ACTIVE")
}

func TestEffectiveStatusFollowsTheParents(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change []string // id, parameter, value
		id     string
		want   string
	}{
		"all active":            {nil, "3300000000000001", "ACTIVE"},
		"ad set paused":         {[]string{saleSet, "status", "PAUSED"}, "3300000000000001", "ADSET_PAUSED"},
		"campaign paused":       {[]string{saleCampaign, "status", "PAUSED"}, "3300000000000001", "CAMPAIGN_PAUSED"},
		"its ad set":            {[]string{saleCampaign, "status", "PAUSED"}, saleSet, "CAMPAIGN_PAUSED"},
		"campaign archived":     {[]string{saleCampaign, "status", "ARCHIVED"}, "3300000000000001", "ARCHIVED"},
		"paused itself":         {[]string{"3300000000000001", "status", "PAUSED"}, "3300000000000001", "PAUSED"},
		"refused in review":     {nil, "3300000000000005", "DISAPPROVED"},
		"another creative":      {[]string{"3300000000000001", "creative", `{"creative_id":"3400000000000002"}`}, "3300000000000001", "PENDING_REVIEW"},
		"creative of a refused": {[]string{"3300000000000005", "creative", `{"creative_id":"3400000000000001"}`}, "3300000000000005", "PAUSED"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			if c.change != nil {
				s.must("POST", c.change[0], "", c.change[1:]...)
			}
			if got := s.field(c.id, "effective_status"); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestReviewTakesTime(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.create("ads", "name", "New", "adset_id", saleSet, "creative", `{"creative_id":"3400000000000001"}`, "status", "ACTIVE")
	if got := s.field(id, "effective_status"); got != "PENDING_REVIEW" {
		t.Error(got)
	}
	s.at = s.at.Add(time.Hour)
	if got := s.field(id, "effective_status"); got != "ACTIVE" {
		t.Error(got)
	}
	if !strings.Contains(s.ids(saleSet, "ads"), id) || !strings.Contains(s.ids(saleCampaign, "ads"), id) {
		t.Error("it is not on the lists of its parents")
	}
}

func TestAdObjectsAreRefusedAsMetaDoes(t *testing.T) {
	t.Parallel()
	campaign := func(pairs ...string) []string {
		return append([]string{"name", "C", "objective", "OUTCOME_SALES", "special_ad_categories", "[]"}, pairs...)
	}
	for name, c := range map[string]struct {
		row, verb, id, edge string
		pairs               []string
	}{
		"no word about budget sharing":   {"budget_sharing_unsaid", "POST", world.AdAccountID, "campaigns", campaign()},
		"sharing with a campaign budget": {"budget_sharing_twice", "POST", world.AdAccountID, "campaigns", campaign("daily_budget", "900", "is_adset_budget_sharing_enabled", "true")},
		"sharing without bid strategy":   {"budget_sharing_bid", "POST", world.AdAccountID, "campaigns", campaign("is_adset_budget_sharing_enabled", "true")},
		"less than the least":            {"budget_too_low", "POST", world.AdAccountID, "campaigns", campaign("daily_budget", "79")},
		"less than the least in yen":     {"budget_too_low", "POST", world.YenAccountID, "campaigns", campaign("daily_budget", "149")},
		"two budgets":                    {"parameter", "POST", world.AdAccountID, "campaigns", campaign("daily_budget", "900", "lifetime_budget", "9000")},
		"no special categories":          {"parameter", "POST", world.AdAccountID, "campaigns", []string{"name", "C", "objective", "OUTCOME_SALES", "daily_budget", "900"}},
		"an objective of old":            {"parameter", "POST", world.AdAccountID, "campaigns", []string{"name", "C", "objective", "CONVERSIONS", "daily_budget", "900", "special_ad_categories", "[]"}},
		"Advantage+ of old":              {"advantage_ended", "POST", oldCampaign, "", []string{"name", "New"}},
		"sharing switched on later":      {"budget_sharing_late", "POST", leadsCampaign, "", []string{"is_adset_budget_sharing_enabled", "true"}},
		"budget above ad sets with one":  {"budget_twice", "POST", leadsCampaign, "", []string{"daily_budget", "900"}},
		"budget below a campaign's":      {"budget_twice", "POST", world.AdAccountID, "adsets", newSet("campaign_id", saleCampaign)},
		"budget nowhere":                 {"budget_missing", "POST", world.AdAccountID, "adsets", []string{"name", "S", "campaign_id", leadsCampaign, "billing_event", "IMPRESSIONS", "optimization_goal", "LINK_CLICKS", "targeting", placed}},
		"goal of another objective":      {"goal_unfit", "POST", world.AdAccountID, "adsets", newSet("optimization_goal", "APP_INSTALLS")},
		"goal that is gone":              {"parameter", "POST", world.AdAccountID, "adsets", newSet("optimization_goal", "CONVERSIONS")},
		"goal without promoted object":   {"promoted_object_missing", "POST", world.AdAccountID, "adsets", newSet("optimization_goal", "LEAD_GENERATION")},
		"no place":                       {"place_missing", "POST", world.AdAccountID, "adsets", newSet("targeting", `{"targeting_automation":{"advantage_audience":0}}`)},
		"no word about the audience":     {"advantage_audience_unsaid", "POST", world.AdAccountID, "adsets", newSet("targeting", `{"geo_locations":{"countries":["GB"]}}`)},
		"the EU without payer":           {"dsa_missing", "POST", world.AdAccountID, "adsets", newSet("targeting", `{"geo_locations":{"countries":["FR"]},"targeting_automation":{"advantage_audience":1}}`)},
		"cost cap without cap":           {"bid_missing", "POST", world.AdAccountID, "adsets", newSet("bid_strategy", "COST_CAP")},
		"paid for what is no goal":       {"billing_unfit", "POST", world.AdAccountID, "adsets", newSet("billing_event", "THRUPLAY")},
		"ROAS goal without a floor":      {"roas_missing", "POST", world.AdAccountID, "adsets", newSet("bid_strategy", "LOWEST_COST_WITH_MIN_ROAS")},
		"ROAS goal later without floor":  {"roas_missing", "POST", leadsSet, "", []string{"bid_strategy", "LOWEST_COST_WITH_MIN_ROAS"}},
		"targeting that there isn't":     {"parameter", "POST", world.AdAccountID, "adsets", newSet("targeting", strings.Replace(placed, "{", `{"shoe_size":42,`, 1))},
		"younger than Meta has":          {"parameter", "POST", world.AdAccountID, "adsets", newSet("targeting", strings.Replace(placed, "{", `{"age_min":12,`, 1))},
		"a country that there isn't":     {"parameter", "POST", leadsSet, "", []string{"targeting", strings.Replace(placed, "GB", "Britain", 1)}},
		"an audience of nobody":          {"parameter", "POST", world.AdAccountID, "adsets", newSet("targeting", strings.Replace(placed, "{", `{"custom_audiences":[{"id":"3999999999999999"}],`, 1))},
		"a platform of others":           {"parameter", "POST", world.AdAccountID, "adsets", newSet("targeting", strings.Replace(placed, "{", `{"publisher_platforms":["elsewhere"],`, 1))},
		"a dataset of nobody":            {"parameter", "POST", world.AdAccountID, "adsets", newSet("promoted_object", `{"pixel_id":"1999999999999999","custom_event_type":"LEAD"}`)},
		"a category and none":            {"parameter", "POST", world.AdAccountID, "campaigns", append(campaign("daily_budget", "900")[:4], "special_ad_categories", `["NONE","HOUSING"]`, "daily_budget", "900")},
		"a cap that ends at once":        {"budget_too_low", "POST", world.AdAccountID, "campaigns", campaign("daily_budget", "900", "spend_cap", "500")},
		"a creative for no Page":         {"creative_unusable", "POST", world.AdAccountID, "adcreatives", []string{"object_story_spec", `{"page_id":"4999999999999999","link_data":{"link":"https://shop.example.com/"}}`}},
		"a carousel of one card":         {"creative_unusable", "POST", world.AdAccountID, "adcreatives", []string{"object_story_spec", `{"page_id":"4000000000000001","link_data":{"link":"https://shop.example.com/","child_attachments":[{"link":"https://shop.example.com/"}]}}`}},
		"a rule without a condition":     {"parameter", "POST", "3600000000000001", "", []string{"evaluation_spec", `{"evaluation_type":"SCHEDULE","filters":[]}`}},
		"a study of one against itself":  {"parameter", "POST", world.BusinessID, "ad_studies", []string{"name", "S", "start_time", "1800000000", "end_time", "1800900000", "type", "SPLIT_TEST", "cells", `[{"name":"A","treatment_percentage":50,"adsets":["3200000000000001"]},{"name":"B","treatment_percentage":50,"adsets":["3200000000000001"]}]`}},
		"a rule that does what isn't":    {"parameter", "POST", "3600000000000001", "", []string{"execution_spec", `{"execution_type":"EXPLODE"}`}},
		"an end that has passed":         {"parameter", "POST", world.AdAccountID, "adsets", newSet("end_time", "1600000000")},
		"campaign of another account":    {"no_object", "POST", world.AdAccountID, "adsets", newSet("campaign_id", "3100000000000005")},
		"creative of another account":    {"creative_unusable", "POST", world.AdAccountID, "ads", []string{"name", "A", "adset_id", saleSet, "creative", `{"creative_id":"3400000000000005"}`}},
		"creative of nothing":            {"creative_unusable", "POST", world.AdAccountID, "adcreatives", []string{"name", "N"}},
		"all enhancements at once":       {"creative_unusable", "POST", world.AdAccountID, "adcreatives", []string{"object_story_spec", `{"page_id":"4000000000000001","link_data":{"link":"https://shop.example.com/"}}`, "degrees_of_freedom_spec", `{"creative_features_spec":{"standard_enhancements":{"enroll_status":"OPT_IN"}}}`}},
		"creative in use":                {"creative_unusable", "DELETE", "3400000000000001", "", nil},
		"picture by address":             {"parameter", "POST", world.AdAccountID, "adimages", []string{"url", "https://cdn.example.com/a.jpg"}},
		"picture that is none":           {"image_invalid", "POST", world.AdAccountID, "adimages", []string{"bytes", "bm9uZQ=="}},
		"copy of too much":               {"copy_too_large", "POST", saleCampaign, "copies", []string{"deep_copy", "true"}},
		"copy of Advantage+ of old":      {"advantage_ended", "POST", oldCampaign, "copies", nil},
		"raise without daily budget":     {"parameter", "POST", filmCampaign, "budget_schedules", []string{"budget_value", "2", "budget_value_type", "MULTIPLIER", "time_start", "1800000000", "time_end", "1800090000"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newShop(t).refused(c.row, c.verb, c.id, c.edge, c.pairs...)
		})
	}
}

func TestRestrictedCategoriesChooseNobodyByAgeOrGender(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.create("campaigns", "name", "Flats", "objective", "OUTCOME_TRAFFIC", "status", "PAUSED", "daily_budget", "2000", "special_ad_categories", `["HOUSING"]`, "special_ad_category_country", `["GB"]`)
	set := func(more string) []string {
		return []string{"name", "Set", "campaign_id", id, "billing_event", "IMPRESSIONS", "optimization_goal", "LINK_CLICKS", "targeting", strings.Replace(placed, "{", "{"+more, 1)}
	}
	s.create("adsets", set(`"age_min":18,"age_max":65,`)...)
	s.refused("category_targeting", "POST", world.AdAccountID, "adsets", set(`"age_min":25,`)...)
	s.refused("category_targeting", "POST", world.AdAccountID, "adsets", set(`"genders":[1],`)...)
}

func TestValidateOnlyStoresNothing(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	before := len(s.world.Objects())
	check := []string{"execution_options", `["validate_only","include_recommendations"]`}
	m := s.must("POST", world.AdAccountID, "campaigns", append(check, "name", "C", "objective", "OUTCOME_SALES", "special_ad_categories", "[]", "daily_budget", "900")...)
	if m["success"] != true || m["id"] != nil {
		t.Errorf("%v", m)
	}
	s.must("POST", world.AdAccountID, "adsets", newSet(check...)...)
	s.must("POST", world.AdAccountID, "ads", append(check, "name", "A", "adset_id", saleSet, "creative", `{"object_story_spec":{"page_id":"4000000000000001","link_data":{"link":"https://shop.example.com/"}}}`)...)
	s.must("POST", saleCampaign, "", append(check, "status", "PAUSED", "daily_budget", "9900")...)
	if got := s.field(saleCampaign, "daily_budget"); got != "5000" {
		t.Errorf("the budget became %s", got)
	}
	if after := len(s.world.Objects()); after != before {
		t.Errorf("%d objects became %d", before, after)
	}
	s.refused("budget_twice", "POST", world.AdAccountID, "adsets", newSet(append(check, "campaign_id", saleCampaign)...)...)
}

func TestCopiesAreTheirOwnObjects(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	m := s.must("POST", leadsCampaign, "copies", "deep_copy", "true", "rename_options", `{"rename_suffix":" B"}`)
	id := m["copied_campaign_id"].(string)
	if got := s.field(id, "name") + "/" + s.field(id, "status"); got != "Newsletter B/PAUSED" {
		t.Error(got)
	}
	sets, ads := s.ids(id, "adsets"), s.ids(id, "ads")
	if sets == "" || ads == "" || strings.Contains(sets, leadsSet) || len(m["ad_object_ids"].([]any)) != 3 {
		t.Errorf("sets %q, ads %q of the copy, %v", sets, ads, m)
	}
	s.must("POST", sets, "", "daily_budget", "4000")
	if got := s.field(leadsSet, "daily_budget"); got != "2000" {
		t.Errorf("the original's budget became %s", got)
	}
	if got := s.field(sets, "campaign_id") + s.field(ads, "adset_id"); got != id+sets {
		t.Errorf("the copies hang on %s", got)
	}
}

func TestTheLogHoldsChanges(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.at = s.at.Add(30 * 24 * time.Hour)
	s.must("POST", leadsSet, "", "daily_budget", "2600", "name", "Readers")
	log := func(pairs ...string) string {
		var list []string
		for _, e := range s.must("GET", world.AdAccountID, "activities", append(pairs, "fields", "event_type,object_id,extra_data")...)["data"].([]any) {
			m := e.(map[string]any)
			list = append(list, fmt.Sprint(m["event_type"], " ", m["object_id"], " ", m["extra_data"]))
		}
		return strings.Join(list, "; ")
	}
	budget := "update_ad_set_budget " + leadsSet + ` {"new_value":"2600","old_value":"2000"}`
	for name, c := range map[string]struct {
		pairs []string
		want  string
	}{
		"the last week":        {nil, budget + `; update_ad_set_name ` + leadsSet + ` {"new_value":"Readers","old_value":"Readers UK"}`},
		"budgets":              {[]string{"category", "BUDGET"}, budget},
		"of another object":    {[]string{"oid", saleCampaign}, ""},
		"of its campaign":      {[]string{"oid", leadsCampaign, "category", "BUDGET"}, ""},
		"and what is below":    {[]string{"oid", leadsCampaign, "category", "BUDGET", "add_children", "true"}, budget},
		"before the change":    {[]string{"until", s.in(-time.Hour)}, ""},
		"the campaign, of old": {[]string{"since", s.in(-60 * 24 * time.Hour), "oid", saleCampaign}, `update_campaign_budget ` + saleCampaign + ` {"new_value":"5000","old_value":"4000"}`},
	} {
		if got := log(c.pairs...); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestVideoInPieces(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	size := 1<<20 + 5
	m := s.must("POST", world.AdAccountID, "advideos", "upload_phase", "start", "file_size", fmt.Sprint(size))
	id, session := m["video_id"].(string), m["upload_session_id"].(string)
	transfer := func(offset string, n int) (map[string]any, *world.Error) {
		c := &world.Call{Verb: "POST", On: s.world.Get(world.AdAccountID), Edge: "advideos", Files: map[string][]byte{"video_file_chunk": make([]byte, n)}}
		c.Params = map[string][]string{"upload_phase": {"transfer"}, "upload_session_id": {session}, "start_offset": {offset}}
		v, bad := s.world.Serve(c)
		answer, _ := v.(map[string]any)
		return answer, bad
	}
	if _, bad := transfer("7", 10); bad == nil || bad.Row.Name != "video_offset" {
		t.Errorf("a gap is not refused: %v", bad)
	}
	s.refused("video_offset", "POST", world.AdAccountID, "advideos", "upload_phase", "finish", "upload_session_id", session)
	for _, piece := range []int{1 << 20, 5} {
		var bad *world.Error
		offset := fmt.Sprint(m["start_offset"])
		if m, bad = transfer(offset, piece); bad != nil {
			t.Fatal(bad.Row.Name)
		}
	}
	if m["start_offset"] != m["end_offset"] {
		t.Errorf("Meta wants more: %v", m)
	}
	s.must("POST", world.AdAccountID, "advideos", "upload_phase", "finish", "upload_session_id", session, "title", "Film")
	state := func() string {
		return fmt.Sprint(s.must("GET", id, "", "fields", "status")["status"].(map[string]any)["video_status"])
	}
	if got := state(); got != "processing" {
		t.Error(got)
	}
	s.at = s.at.Add(time.Minute)
	if got := state() + s.field(id, "title"); got != "readyFilm" {
		t.Error(got)
	}
}

func TestPicturesKeepTheirHash(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	upload := func(name string) string {
		images := s.must("POST", world.AdAccountID, "adimages", "bytes", dot, "name", name)["images"].(map[string]any)
		picture := images["bytes"].(map[string]any)
		if size := fmt.Sprint(picture["width"], "×", picture["height"]); size != "1×1" {
			t.Errorf("a dot is %s", size)
		}
		return picture["hash"].(string)
	}
	hash := upload("dot")
	if again := upload("point"); again != hash {
		t.Errorf("%s became %s", hash, again)
	}
	spec := `{"page_id":"4000000000000001","link_data":{"link":"https://shop.example.com/","message":"Look.","image_hash":"` + hash + `"}}`
	creative := s.create("adcreatives", "name", "Dot", "object_story_spec", spec)
	if got := s.field(creative, "image_hash") + s.field(creative, "body"); got != hash+"Look." {
		t.Error(got)
	}
	s.refused("parameter", "DELETE", world.AdAccountID, "adimages", "hash", hash)
	s.must("DELETE", creative, "")
	s.must("DELETE", world.AdAccountID, "adimages", "hash", hash)
	s.refused("creative_unusable", "POST", world.AdAccountID, "adcreatives", "name", "Dot", "object_story_spec", spec)
}
