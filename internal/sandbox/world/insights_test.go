package world

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/internal/graphspec"
)

// advertiser is a world with an account of its own: two campaigns, three ad sets, four
// ads that have run since before the world began.
func advertiser(t *testing.T) (*World, *time.Time, *Object) {
	t.Helper()
	now := time.Date(2026, 11, 20, 15, 30, 0, 0, time.UTC)
	w := New(func() time.Time { return now })
	account := w.AddAs("act_77", "AdAccount", nil, Attrs{"account_id": "77", "name": "Test account", "currency": "GBP", "timezone_name": "Europe/London"})
	for c := range 2 {
		campaign := w.AddAs(strconv.Itoa(3180000000000001+c), "Campaign", account, Attrs{"name": fmt.Sprintf("Campaign %d", c), "status": "ACTIVE", "objective": "OUTCOME_SALES"})
		for s := range 2 - c {
			set := w.AddAs(strconv.Itoa(3280000000000001+c*2+s), "AdSet", campaign, Attrs{"name": "Set", "status": "ACTIVE"})
			for a := range 2 - s {
				w.AddAs(strconv.Itoa(3380000000000001+c*10+s*2+a), "Ad", set, Attrs{"name": "Ad", "status": "ACTIVE"})
			}
		}
	}
	return w, &now, account
}

func ask(t *testing.T, w *World, verb string, on *Object, edge string, params ...string) (any, *Error) {
	t.Helper()
	q := url.Values{}
	for i := 0; i < len(params); i += 2 {
		q.Set(params[i], params[i+1])
	}
	return w.Serve(&Call{Verb: verb, On: on, Edge: edge, Params: q})
}

func rowsOf(t *testing.T, v any, err *Error) []map[string]any {
	t.Helper()
	if err != nil {
		t.Fatalf("refused: %s %v", err.Row.Name, err.Args)
	}
	var list []map[string]any
	for _, item := range v.(*Page).Data {
		list = append(list, item.(map[string]any))
	}
	return list
}

// total adds a column up; amounts in hundredths.
func total(t *testing.T, rows []map[string]any, column string) int64 {
	t.Helper()
	var n float64
	for _, r := range rows {
		text, ok := r[column].(string)
		if !ok {
			t.Fatalf("a row has no %s: %v", column, r)
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		n += v
	}
	return int64(n*100 + 0.5)
}

func TestInsightsAddUp(t *testing.T) {
	t.Parallel()
	w, _, account := advertiser(t)
	const columns = "impressions,clicks,spend"
	whole := func(params ...string) []map[string]any {
		v, err := ask(t, w, "GET", account, "insights", append([]string{"fields", columns, "limit", "1000", "date_preset", "last_14d"}, params...)...)
		return rowsOf(t, v, err)
	}
	want := whole()
	if len(want) != 1 || total(t, want, "spend") == 0 {
		t.Fatalf("the account's row is %v", want)
	}
	for name, params := range map[string][]string{
		"by campaign":         {"level", "campaign"},
		"by ad set":           {"level", "adset"},
		"by ad":               {"level", "ad"},
		"by day":              {"time_increment", "1"},
		"by weeks":            {"time_increment", "7"},
		"by month":            {"time_increment", "monthly"},
		"age":                 {"breakdowns", "age"},
		"age and gender":      {"breakdowns", "age,gender"},
		"place":               {"breakdowns", `["publisher_platform","platform_position"]`},
		"device":              {"breakdowns", "impression_device"},
		"region":              {"breakdowns", "region"},
		"hour":                {"breakdowns", "hourly_stats_aggregated_by_advertiser_time_zone"},
		"by ad, day and sex":  {"level", "ad", "time_increment", "1", "breakdowns", "gender"},
		"product":             {"breakdowns", "product_id"},
		"picture":             {"breakdowns", "image_asset"},
		"market area":         {"breakdowns", "dma"},
		"by set and position": {"level", "adset", "breakdowns", "platform_position,publisher_platform"},
	} {
		got := whole(params...)
		for _, column := range []string{"impressions", "clicks", "spend"} {
			if a, b := total(t, got, column), total(t, want, column); a != b {
				t.Errorf("%s: %s adds up to %d in %d rows, the account has %d", name, column, a, len(got), b)
			}
		}
	}
	// The same question again has the same answer.
	first := fmt.Sprint(whole("level", "ad"))
	if again := fmt.Sprint(whole("level", "ad")); again != first {
		t.Error("the numbers are not the same twice")
	}
}

func TestFiltersOnWhatIsBelowARowTakeFromItsSum(t *testing.T) {
	t.Parallel()
	w, _, account := advertiser(t)
	const ad = "3380000000000001"
	of := func(on *Object, level string, params ...string) int64 {
		v, err := ask(t, w, "GET", on, "insights", append([]string{"fields", "spend", "level", level}, params...)...)
		return total(t, rowsOf(t, v, err), "spend")
	}
	alone := of(w.Get(ad), "ad")
	filtered := of(account, "campaign", "filtering", `[{"field":"ad.id","operator":"EQUAL","value":"`+ad+`"}]`)
	if all := of(account, "campaign"); filtered != alone || filtered == 0 || filtered >= all {
		t.Errorf("the campaign's row with the filter has %d, the ad %d, all campaigns %d", filtered, alone, all)
	}
	paused := of(account, "ad", "filtering", `[{"field":"ad.effective_status","operator":"IN","value":["PAUSED"]}]`)
	if paused != 0 {
		t.Errorf("active ads pass as paused: %d", paused)
	}
}

func TestAPauseLeavesWhatWasDelivered(t *testing.T) {
	t.Parallel()
	w, now, account := advertiser(t)
	of := func(preset string) int64 {
		v, err := ask(t, w, "GET", account, "insights", "fields", "spend", "date_preset", preset)
		return total(t, rowsOf(t, v, err), "spend")
	}
	before := of("last_7d")
	for _, id := range []string{"3180000000000001", "3180000000000002"} {
		if _, err := ask(t, w, "POST", w.Get(id), "", "status", "PAUSED"); err != nil {
			t.Fatal(err.Row.Name, err.Args)
		}
	}
	if after := of("last_7d"); after != before || before == 0 {
		t.Errorf("the last week had %d, and has %d after the pause", before, after)
	}
	*now = now.AddDate(0, 0, 3)
	if got := of("yesterday"); got != 0 {
		t.Errorf("paused ads spent %d", got)
	}
	if _, err := ask(t, w, "DELETE", w.Get("3180000000000001"), ""); err != nil {
		t.Fatal(err.Row.Name, err.Args)
	}
	if got := of("last_7d"); got == 0 || got >= before {
		t.Errorf("four days before the pause and three after it have %d of %d", got, before)
	}
}

func TestTodayIsThatOfTheAccount(t *testing.T) {
	t.Parallel()
	w, now, account := advertiser(t)
	of := func() int64 {
		v, err := ask(t, w, "GET", account, "insights", "fields", "impressions", "date_preset", "today")
		rows := rowsOf(t, v, err)
		if len(rows) == 0 {
			return 0
		}
		return total(t, rows, "impressions")
	}
	account.Attrs["timezone_name"] = "Asia/Tokyo" // nine hours ahead
	*now = time.Date(2026, 11, 20, 14, 0, 0, 0, time.UTC)
	late := of()
	*now = time.Date(2026, 11, 20, 15, 30, 0, 0, time.UTC) // half past midnight in Tokyo
	if early := of(); early*10 > late {
		t.Errorf("half an hour of a day has %d impressions, 23 hours have %d", early, late)
	}
}

func TestHoursCountNoPeople(t *testing.T) {
	t.Parallel()
	w, _, account := advertiser(t)
	v, err := ask(t, w, "GET", account, "insights", "fields", "impressions,reach,frequency", "breakdowns", "hourly_stats_aggregated_by_advertiser_time_zone")
	for _, row := range rowsOf(t, v, err) {
		if row["reach"] != nil || row["frequency"] != nil || row["impressions"] == nil {
			t.Fatalf("a row by hour is %v", row)
		}
	}
}

func TestInsightsRefused(t *testing.T) {
	t.Parallel()
	w, _, account := advertiser(t)
	for want, params := range map[string][]string{
		"insights_field":          {"fields", "impressions,unique_impressions"},
		"parameter":               {"breakdowns", "placement"},
		"insights_breakdown":      {"breakdowns", "age,publisher_platform"},
		"insights_range_reversed": {"time_range", `{"since":"2026-11-10","until":"2026-11-01"}`},
		"insights_range_old":      {"time_range", `{"since":"2020-11-10","until":"2026-11-01"}`},
		"parameter ":              {"sort", `["spend"]`},
		"parameter  ":             {"sort", `["sales_descending"]`},
		"parameter   ":            {"filtering", `[{"field":"campaign.colour","operator":"EQUAL","value":"red"}]`},
		"parameter    ":           {"filtering", `[{"field":"sales","operator":"GREATER_THAN","value":1}]`},
		"insights_slow":           {"level", "ad", "breakdowns", "age,gender", "time_increment", "1", "date_preset", "last_90d"},
	} {
		_, err := ask(t, w, "GET", account, "insights", params...)
		if err == nil || err.Row.Name != strings.TrimSpace(want) {
			t.Errorf("%v: %v, want %s", params, err, want)
		}
	}
	_, err := ask(t, w, "GET", w.Get("3380000000000001"), "insights", "level", "campaign")
	if err == nil {
		t.Error("a level above the object is taken")
	}
}

func TestReportInTheBackground(t *testing.T) {
	t.Parallel()
	w, now, account := advertiser(t)
	question := []string{"level", "ad", "breakdowns", "age,gender", "time_increment", "1", "date_preset", "last_90d", "fields", "impressions,ad_id"}
	v, err := ask(t, w, "POST", account, "insights", question...)
	if err != nil {
		t.Fatal(err.Row.Name, err.Args)
	}
	run := w.Get(v.(map[string]any)["report_run_id"].(string))
	var seen []string
	for range 14 {
		v, err := ask(t, w, "GET", run, "", "fields", "async_status,async_percent_completion,is_running")
		if err != nil {
			t.Fatal(err.Row.Name)
		}
		status := v.(map[string]any)["async_status"].(string)
		if len(seen) == 0 || seen[len(seen)-1] != status {
			seen = append(seen, status)
		}
		if status != "Job Completed" {
			if _, err := ask(t, w, "GET", run, "insights"); err == nil {
				t.Error("the report can be read before it is done")
			}
		}
		*now = now.Add(time.Second)
	}
	if fmt.Sprint(seen) != "[Job Not Started Job Started Job Running Job Completed]" {
		t.Errorf("the states were %q", seen)
	}
	v, err = ask(t, w, "GET", run, "insights", "limit", "1000")
	if len(rowsOf(t, v, err)) != 1000 || v.(*Page).Paging.Next == "" {
		t.Error("the report has no full first page")
	}
	if rowsOf(t, v, err)[0]["ad_id"] == nil {
		t.Error("the report lacks the column that was asked for")
	}

	// One that is too large fails and says why.
	v, err = ask(t, w, "POST", account, "insights", "level", "ad", "breakdowns", "publisher_platform", "time_increment", "1", "date_preset", "maximum")
	if err != nil {
		t.Fatal(err.Row.Name)
	}
	run = w.Get(v.(map[string]any)["report_run_id"].(string))
	*now = now.Add(time.Minute)
	v, err = ask(t, w, "GET", run, "", "fields", "async_status,error_subcode,error_message")
	if err != nil || v.(map[string]any)["async_status"] != "Job Failed" || v.(map[string]any)["error_subcode"] != 2490547 {
		t.Errorf("the report is %v %v", v, err)
	}
}

func TestPresets(t *testing.T) {
	t.Parallel()
	friday := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for name, want := range map[string]string{
		"today": "2026-11-20 2026-11-20", "yesterday": "2026-11-19 2026-11-19", "last_7d": "2026-11-13 2026-11-19", "last_90d": "2026-08-22 2026-11-19",
		"this_week_mon_today": "2026-11-16 2026-11-20", "this_week_sun_today": "2026-11-15 2026-11-20", "last_week_mon_sun": "2026-11-09 2026-11-15",
		"last_week_sun_sat": "2026-11-08 2026-11-14", "this_month": "2026-11-01 2026-11-20", "last_month": "2026-10-01 2026-10-31",
		"this_quarter": "2026-10-01 2026-11-20", "last_quarter": "2026-07-01 2026-09-30", "last_year": "2025-01-01 2025-12-31", "maximum": "2023-10-20 2026-11-20",
	} {
		s, ok := preset(name, friday)
		if got := s.since.Format(time.DateOnly) + " " + s.until.Format(time.DateOnly); !ok || got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	values, _ := graphspec.IsEnum("InsightsDatePreset")
	for _, name := range values {
		if _, ok := preset(name, friday); !ok {
			t.Errorf("%s is no preset here", name)
		}
	}
	// An hour after midnight in London it is still yesterday in New York.
	now := time.Date(2026, 11, 20, 1, 0, 0, 0, time.UTC)
	if today(now, "America/New_York").Day() != 19 || today(now, "Europe/London").Day() != 20 {
		t.Error("today does not follow the account's time zone")
	}
}

func TestPageMetrics(t *testing.T) {
	t.Parallel()
	w, _, _ := advertiser(t)
	page := w.Get(PageID)
	var live []graphspec.PageMetric
	live = append(live, graphspec.PageMetrics...)
	for _, m := range live {
		v, err := ask(t, w, "GET", page, "insights", "metric", m.Name, "since", "2026-11-01", "until", "2026-11-11")
		rows := rowsOf(t, v, err)
		if len(rows) != 1 || len(rows[0]["values"].([]any)) != 10 {
			t.Errorf("%s: %v", m.Name, rows)
		}
	}
	for want, params := range map[string][]string{
		"page_metric": {"metric", "page_post_engagements,page_impressions"},
		"page_range":  {"metric", "page_post_engagements", "since", "2026-01-01", "until", "2026-11-01"},
		"page_period": {"metric", "page_follows", "period", "week"},
		"no_metric":   {"period", "day"},
	} {
		if _, err := ask(t, w, "GET", page, "insights", params...); err == nil || err.Row.Name != want {
			t.Errorf("%v: %v, want %s", params, err, want)
		}
	}
	number := func(period, metric string) int64 {
		v, err := ask(t, w, "GET", page, "insights", "metric", metric, "period", period, "since", "2026-11-08", "until", "2026-11-15")
		sum := int64(0)
		values := rowsOf(t, v, err)[0]["values"].([]any)
		for i, item := range values {
			if n := item.(map[string]any)["value"].(int64); period == "day" || i == len(values)-1 {
				sum += n
			}
		}
		return sum
	}
	if day, week := number("day", "page_media_view"), number("week", "page_media_view"); day != week {
		t.Errorf("seven days are %d, the week is %d", day, week)
	}
}

func TestAdLibrary(t *testing.T) {
	t.Parallel()
	w, _, _ := advertiser(t)
	v, err := ask(t, w, "GET", nil, "ads_archive", "ad_reached_countries", `["GB"]`, "search_terms", "tea", "fields", "id,page_name,ad_snapshot_url,spend")
	rows := rowsOf(t, v, err)
	if len(rows) == 0 || rows[0]["page_name"] != "Example Tea House" || rows[0]["spend"] != nil || rows[0]["ad_snapshot_url"] == nil {
		t.Errorf("tea finds %v", rows)
	}
	v, err = ask(t, w, "GET", nil, "ads_archive", "ad_reached_countries", `["GB"]`, "search_terms", "example", "ad_type", "POLITICAL_AND_ISSUE_ADS", "fields", "id,spend,bylines")
	if rows = rowsOf(t, v, err); len(rows) != 6 || rows[0]["spend"] == nil {
		t.Errorf("political ads: %v", rows)
	}
	v, err = ask(t, w, "GET", nil, "ads_archive", "ad_reached_countries", `["US"]`, "search_terms", "tea")
	if rows = rowsOf(t, v, err); len(rows) != 0 {
		t.Errorf("there are ads in a country without any: %v", rows)
	}
	if _, err := ask(t, w, "GET", nil, "ads_archive", "ad_reached_countries", `["GB"]`); err == nil {
		t.Error("a search for nothing is taken")
	}
}
