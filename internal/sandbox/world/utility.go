package world

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// seedInsights fills the ad library and adds the places that can be found. The numbers
// of ads and Pages need no seed: they hang on the ids alone.
func seedInsights(w *World) {
	shops := []string{"Example Tea House", "Example Bikes", "Example Books", "Vote Example"}
	for i := range 26 {
		shop := i % len(shops)
		political := shop == 3
		start := w.Now().AddDate(0, 0, -150+5*i)
		attrs := Attrs{
			"ad_creation_time": start.AddDate(0, 0, -1), "ad_delivery_start_time": start,
			"page_id": "490000000000010" + strconv.Itoa(shop), "page_name": shops[shop],
			"ad_creative_bodies":      []any{fmt.Sprintf("Offer %d of %s: come and see what is new.", i+1, shops[shop])},
			"ad_creative_link_titles": []any{fmt.Sprintf("%s, offer %d", shops[shop], i+1)}, "ad_creative_link_captions": []any{"example.com"},
			"ad_creative_link_descriptions": []any{"Delivery in two days"},
			"languages":                     []any{"en"}, "publisher_platforms": []any{"facebook", "instagram"}, "target_ages": []any{"18", "65+"}, "target_gender": "All",
			"target_locations": []any{map[string]any{"name": "United Kingdom", "excluded": false, "num_obfuscated": 0, "type": "countries"}},
			"countries":        []any{"GB", "IE"},
			"category":         "COMMERCIAL",
		}
		if i%3 == 0 {
			attrs["ad_delivery_stop_time"] = start.AddDate(0, 0, 21)
		}
		if i%4 == 1 {
			attrs["publisher_platforms"] = []any{"instagram"}
		}
		if political {
			attrs["category"] = "POLITICAL_AND_ISSUE_ADS"
			attrs["bylines"], attrs["currency"] = "Friends of Example", "GBP"
			attrs["spend"] = map[string]any{"lower_bound": "100", "upper_bound": "199"}
			attrs["impressions"] = map[string]any{"lower_bound": "5000", "upper_bound": "5999"}
			attrs["estimated_audience_size"] = map[string]any{"lower_bound": "100001", "upper_bound": "500000"}
			attrs["demographic_distribution"] = []any{map[string]any{"percentage": "0.6", "age": "25-34", "gender": "female"}, map[string]any{"percentage": "0.4", "age": "35-44", "gender": "male"}}
			attrs["delivery_by_region"] = []any{map[string]any{"percentage": "1", "region": "England"}}
		} else {
			attrs["eu_total_reach"] = 1200 + 90*i
			attrs["beneficiary_payers"] = []any{map[string]any{"payer": shops[shop], "beneficiary": shops[shop], "current": true}}
		}
		w.AddAs(strconv.Itoa(8800000000000001+i), "ArchivedAd", nil, attrs)
	}
	for i, p := range []struct {
		name, street, city string
		lat, lon           float64
	}{
		{"Example Coffee Soho", "1 Example Street", "London", 51.5136, -0.1365},
		{"Example Coffee Camden", "2 Example Street", "London", 51.5390, -0.1426},
		{"Example Museum", "3 Example Street", "Bristol", 51.4545, -2.5879},
	} {
		w.AddAs(strconv.Itoa(4900000000000001+i), "Page", nil, Attrs{
			"name": p.name, "category": "Local business", "link": "https://www.facebook.com/" + strconv.Itoa(4900000000000001+i),
			"checkins": 120 + 30*i, "overall_star_rating": 4.2, "is_published": true,
			"location":      map[string]any{"street": p.street, "city": p.city, "country": "United Kingdom", "latitude": p.lat, "longitude": p.lon},
			"category_list": []any{map[string]any{"id": "2500", "name": "Local Business"}},
		})
	}
}

// adsArchive searches the ad library. Ads that are not political are found only where
// they reached the EU or the UK, and show no amounts.
func adsArchive(c *Call) (any, *Error) {
	terms, pages := strings.Fields(strings.ToLower(c.Param("search_terms"))), c.Strings("search_page_ids")
	if len(terms) == 0 && len(pages) == 0 {
		return nil, Bad("Either search_terms or search_page_ids must be given")
	}
	countries := c.Strings("ad_reached_countries")
	kind, status := c.Param("ad_type"), c.Param("ad_active_status")
	found := slices.DeleteFunc(c.World.All("ArchivedAd"), func(o *Object) bool {
		words := strings.ToLower(text(o.Attrs["ad_creative_bodies"]) + o.Str("page_name"))
		if c.Param("search_type") == "KEYWORD_EXACT_PHRASE" {
			if !strings.Contains(words, strings.ToLower(c.Param("search_terms"))) {
				return true
			}
		} else if slices.ContainsFunc(terms, func(t string) bool { return !strings.Contains(words, t) }) {
			return true
		}
		_, over := o.Attrs["ad_delivery_stop_time"]
		start, _ := o.Attrs["ad_delivery_start_time"].(time.Time)
		switch {
		case len(pages) > 0 && !slices.Contains(pages, o.Str("page_id")),
			kind != "" && kind != "ALL" && o.Str("category") != kind,
			status == "ACTIVE" && over, status == "INACTIVE" && !over,
			!slices.Contains(countries, "ALL") && !slices.ContainsFunc(countries, func(code string) bool { return slices.Contains(o.Attrs["countries"].([]any), any(code)) }),
			c.Has("ad_delivery_date_min") && start.Format(time.DateOnly) < c.Param("ad_delivery_date_min"),
			c.Has("ad_delivery_date_max") && start.Format(time.DateOnly) > c.Param("ad_delivery_date_max"),
			c.Has("publisher_platforms") && !slices.ContainsFunc(c.Strings("publisher_platforms"), func(p string) bool {
				return slices.Contains(o.Attrs["publisher_platforms"].([]any), any(strings.ToLower(p)))
			}):
			return true
		}
		return false
	})
	slices.Reverse(found)
	return c.List(found)
}

// pagesSearch finds Pages by name.
func pagesSearch(c *Call) (any, *Error) {
	word := strings.ToLower(c.Param("q"))
	return c.List(slices.DeleteFunc(c.World.All("Page"), func(o *Object) bool {
		return !strings.Contains(strings.ToLower(o.Str("name")), word)
	}))
}

// snapshotToken is the token of the call where it is known, and otherwise the documented
// one, so that whoever prints the address has a leak to see.
func snapshotToken(c *Call) string {
	if c.Secret != "" {
		return c.Secret
	}
	return "sandbox-token"
}
