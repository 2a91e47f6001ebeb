package sandbox_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/sandbox"
)

func TestReadNode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, tc := range []struct {
		name, path string
		want       map[string]any
	}{
		{"dataset by default", sandbox.Dataset, map[string]any{"id": sandbox.Dataset}},
		{"preflight of a send", sandbox.Dataset + "?fields=id,name,is_consolidated_container,is_unavailable,is_crm,owner_business", map[string]any{
			"id": sandbox.Dataset, "name": "Sandbox dataset", "is_consolidated_container": true, "is_unavailable": false, "is_crm": false,
			"owner_business": map[string]any{"id": sandbox.Business, "name": "Sandbox business"},
		}},
		{"the other dataset", sandbox.DatasetUnmerged + "?fields=is_consolidated_container", map[string]any{
			"id": sandbox.DatasetUnmerged, "is_consolidated_container": false,
		}},
		{"nested", sandbox.Dataset + "?fields=owner_business{primary_page{name}}", map[string]any{
			"id":             sandbox.Dataset,
			"owner_business": map[string]any{"id": sandbox.Business, "primary_page": map[string]any{"id": sandbox.Page, "name": "Sandbox shop"}},
		}},
		{"offline totals before any event", sandbox.Dataset + "?fields=valid_entries,match_rate_approx,event_time_min,last_fired_time,event_stats", map[string]any{
			"id": sandbox.Dataset, "valid_entries": 0.0, "match_rate_approx": -1.0, "event_stats": "{}",
		}},
		{"times are Graph's", sandbox.Dataset + "?fields=creation_time", map[string]any{
			"id": sandbox.Dataset, "creation_time": "2026-11-21T12:00:00+0000",
		}},
		{"me", "me", map[string]any{"id": sandbox.SystemUser, "name": "Sandbox system user"}},
		{"business", sandbox.Business, map[string]any{"id": sandbox.Business, "name": "Sandbox business"}},
		{"ad account", sandbox.AdAccount + "?fields=account_id,currency", map[string]any{
			"id": sandbox.AdAccount, "account_id": "3000000000000001", "currency": "GBP",
		}},
		{"page", sandbox.Page, map[string]any{"id": sandbox.Page, "name": "Sandbox shop"}},
		{"instagram", sandbox.InstagramAccount, map[string]any{"id": sandbox.InstagramAccount}},
		{"threads", sandbox.ThreadsAccount + "?access_token=" + sandbox.ThreadsToken, map[string]any{"id": sandbox.ThreadsAccount}},
		{"catalog", sandbox.Catalog, map[string]any{"id": sandbox.Catalog, "name": "Sandbox catalog"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := b.get("/v26.0/" + tc.path)
			if diff := cmp.Diff(tc.want, a.body); diff != "" {
				t.Errorf("status %d: %s", a.status, diff)
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, tc := range []struct {
		name, method, path string
		want               failure
		message            string
	}{
		{"unknown object", "GET", "999", failure{400, 100, 33}, "Unsupported get request. Object with ID '999' does not exist, cannot be loaded due to missing permissions, or does not support this operation"},
		{"unknown field", "GET", sandbox.Dataset + "?fields=id,shoe_size", failure{400, 100, 0}, "(#100) Tried accessing nonexisting field (shoe_size) on node type (AdsPixel)"},
		{"unknown nested field", "GET", sandbox.Dataset + "?fields=owner_business{shoe_size}", failure{400, 100, 0}, "(#100) Tried accessing nonexisting field (shoe_size) on node type (Business)"},
		{"unknown edge", "GET", sandbox.Dataset + "/shoes", failure{400, 100, 0}, "(#100) Tried accessing nonexisting field (shoes) on node type (AdsPixel)"},
		{"events can't be read", "GET", sandbox.Dataset + "/events", failure{400, 100, 0}, "(#100) Tried accessing nonexisting field (events)"},
		{"unbalanced fields", "GET", sandbox.Dataset + "?fields=a{b", failure{400, 100, 0}, "(#100) Syntax error"},
		{"empty field", "GET", sandbox.Dataset + "?fields=id,,name", failure{400, 100, 0}, "(#100) Syntax error"},
		{"deletion", "DELETE", sandbox.Dataset, failure{400, 100, 33}, "Unsupported delete request."},
		{"no id", "GET", "", failure{400, 100, 33}, "Unsupported get request."},
		{"bad limit", "GET", sandbox.Business + "/owned_pixels?limit=0", failure{400, 100, 0}, "(#100) Param limit"},
		{"bad cursor", "GET", sandbox.Business + "/owned_pixels?after=x", failure{400, 100, 0}, "(#100) Invalid cursors values"},
		{"bad sort", "GET", sandbox.Business + "/owned_pixels?sort_by=SIZE", failure{400, 100, 0}, "(#100) Param sort_by"},
		{"bad aggregation", "GET", sandbox.Dataset + "/stats?aggregation=shoes", failure{400, 100, 0}, "(#100) Param aggregation must be one of {"},
		{"bad time", "GET", sandbox.Dataset + "/stats?start_time=soon", failure{400, 100, 0}, "(#100) Param start_time"},
		{"bad order", "GET", sandbox.Dataset + "/offline_event_uploads?order=UP", failure{400, 100, 0}, "(#100) Param order"},
		{"bad upload sort", "GET", sandbox.Dataset + "/offline_event_uploads?sort_by=SIZE", failure{400, 100, 0}, "(#100) Param sort_by"},
		{"quality without dataset", "GET", "dataset_quality", failure{400, 100, 0}, "(#100) The parameter dataset_id is required"},
		{"quality of another dataset", "GET", "dataset_quality?dataset_id=9", failure{400, 100, 2044055}, "Invalid parameter"},
		{"quality field", "GET", "dataset_quality?dataset_id=" + sandbox.Dataset + "&fields=shoes", failure{400, 100, 0}, "(#100) Tried accessing nonexisting field (shoes)"},
		{"no input token", "GET", "debug_token", failure{400, 100, 0}, "(#100) The parameter input_token is required"},
		{"second pixel", "POST", sandbox.AdAccount + "/adspixels?name=x", failure{400, 6200, 0}, "(#6200)"},
		{"dataset without name", "POST", sandbox.Business + "/ads_dataset", failure{400, 100, 0}, "(#100) The parameter name is required"},
		{"bad setting", "POST", sandbox.Dataset + "?data_use_setting=ALL", failure{400, 100, 0}, "(#100) Param data_use_setting"},
		{"bad matching field", "POST", sandbox.Dataset + "?automatic_matching_fields=" + url.QueryEscape(`["shoe"]`), failure{400, 100, 0}, "(#100) Param automatic_matching_fields"},
		{"empty name", "POST", sandbox.Dataset + "?name=", failure{400, 100, 0}, "(#100) Param name"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			req := request(t, tc.method, "/v26.0/"+tc.path, "", "")
			req.Header.Set("Authorization", "OAuth "+sandbox.Token)
			a := b.do(req)
			if a.failure() != tc.want || !strings.HasPrefix(a.errorText("message"), tc.message) {
				t.Errorf("got %+v: %s", a.failure(), a.text)
			}
		})
	}
}

func TestUpdateDataset(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.post("/"+sandbox.Dataset, `{"name":"Shop","enable_automatic_matching":true,"automatic_matching_fields":["em","ph"],"data_use_setting":"ANALYTICS_ONLY"}`)
	if a.status != http.StatusOK || a.body["success"] != true {
		t.Fatal(a.text)
	}
	got := b.get("/" + sandbox.Dataset + "?fields=name,enable_automatic_matching,automatic_matching_fields,data_use_setting").body
	want := map[string]any{
		"id": sandbox.Dataset, "name": "Shop", "enable_automatic_matching": true,
		"automatic_matching_fields": []any{"em", "ph"}, "data_use_setting": "ANALYTICS_ONLY",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// all or nothing
	b.post("/"+sandbox.Dataset, `{"name":"Other","data_use_setting":"ALL"}`)
	if got := b.get("/" + sandbox.Dataset + "?fields=name").body["name"]; got != "Shop" {
		t.Errorf("a refused update changed the name to %v", got)
	}
}

func TestCreatedDatasetsTakeEvents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, _ := b.post("/"+sandbox.Business+"/ads_dataset", `{"name":"New","is_crm":true}`).body["id"].(string)
	if id == "" {
		t.Fatal("no id")
	}
	if a := b.post("/"+id+"/events", batchOf(sale("x"))); a.status != http.StatusOK {
		t.Error(a.text)
	}
	if got := b.get("/" + id + "?fields=name,is_crm").body; got["name"] != "New" || got["is_crm"] != true {
		t.Errorf("got %v", got)
	}
	b.inspect(http.MethodPost, "/reset", "")
	if got := b.get("/" + id).failure(); got != (failure{400, 100, 33}) {
		t.Errorf("after a reset: %+v", got)
	}
}

func TestListingAndPaging(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 5 {
		b.post("/"+sandbox.Business+"/ads_dataset", fmt.Sprintf(`{"name":"Made %d"}`, i))
	}
	for _, edge := range []string{sandbox.Business + "/owned_pixels", sandbox.Business + "/ads_dataset", sandbox.AdAccount + "/adspixels"} {
		next := "http://localhost/v26.0/" + edge + "?limit=3&fields=name&access_token=" + sandbox.Token
		var names []string
		for pages := 0; next != ""; pages++ {
			if pages == 3 {
				t.Fatal("paging does not end")
			}
			u, err := url.Parse(next)
			if err != nil {
				t.Fatal(err)
			}
			a := b.do(request(t, http.MethodGet, u.RequestURI(), "", ""))
			for _, item := range a.body["data"].([]any) {
				names = append(names, item.(map[string]any)["name"].(string))
			}
			p := a.body["paging"].(map[string]any)
			if c := p["cursors"].(map[string]any); c["before"] == "" || c["after"] == "" {
				t.Errorf("cursors %v", c)
			}
			next, _ = p["next"].(string)
			if next != "" && !strings.Contains(next, "access_token="+sandbox.Token) {
				t.Errorf("a token in the query comes back in next, as at Meta: %s", next)
			}
			if (p["previous"] != nil) != (pages > 0) {
				t.Errorf("page %d: previous %v", pages, p["previous"])
			}
		}
		if len(names) != 7 || names[2] != "Made 0" || names[6] != "Made 4" {
			t.Errorf("%s lists %q", edge, names)
		}
	}
	a := b.get("/" + sandbox.Business + "/owned_pixels?sort_by=NAME&name_filter=made&limit=2&fields=name")
	if got := fmt.Sprint(a.body["data"]); !strings.Contains(got, "Made 0") || !strings.Contains(got, "Made 1") || strings.Contains(got, "Sandbox") {
		t.Errorf("filtered: %s", a.text)
	}
	after := a.body["paging"].(map[string]any)["cursors"].(map[string]any)["after"].(string)
	if got := b.get("/" + sandbox.Business + "/ads_dataset?after=" + after).failure(); got != (failure{400, 100, 0}) {
		t.Errorf("a cursor of another edge: %+v", got)
	}
	before := b.get("/" + sandbox.Business + "/owned_pixels?sort_by=NAME&name_filter=made&limit=1&before=" + after)
	if got := fmt.Sprint(before.body["data"]); got != "[map[id:1000000000000003]]" {
		t.Errorf("before the second: %s", before.text)
	}
	if got := b.get("/" + sandbox.Business + "/client_pixels").text; got != `{"data":[]}` {
		t.Errorf("empty edge: %s", got)
	}
}

func TestListingByLastFiredTime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.post("/"+sandbox.DatasetUnmerged+"/events", batchOf(visit("x")))
	a := b.get("/" + sandbox.Business + "/owned_pixels?sort_by=LAST_FIRED_TIME&limit=1")
	if got := fmt.Sprint(a.body["data"]); got != "[map[id:"+sandbox.DatasetUnmerged+"]]" {
		t.Error(a.text)
	}
}

func TestDebugToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.inspect(http.MethodPost, "/tokens", `{"token":"narrow","scopes":["ads_read"],"objects":["`+sandbox.Dataset+`"],"expires_at":1795435200}`)
	appToken := url.QueryEscape(sandbox.App + "|" + sandbox.AppSecret)
	for _, tc := range []struct {
		name, by, input string
		want            map[string]any // members of data that must be so
	}{
		{"itself", sandbox.Token, sandbox.Token, map[string]any{"is_valid": true, "type": "SYSTEM_USER", "app_id": sandbox.App, "expires_at": 0.0, "user_id": sandbox.SystemUser}},
		{"by the app", appToken, sandbox.Token, map[string]any{"is_valid": true}},
		{"expired", appToken, sandbox.TokenExpired, map[string]any{"is_valid": false, "expires_at": 1735689600.0}},
		{"unknown", appToken, "nobody", map[string]any{"is_valid": false, "scopes": []any{}}},
		{"narrow", appToken, "narrow", map[string]any{"is_valid": true, "expires_at": 1795435200.0,
			"granular_scopes": []any{map[string]any{"scope": "ads_read", "target_ids": []any{sandbox.Dataset}}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := b.do(request(t, http.MethodGet, "/v26.0/debug_token?access_token="+tc.by+"&input_token="+tc.input, "", ""))
			data, _ := a.body["data"].(map[string]any)
			for k, v := range tc.want {
				if diff := cmp.Diff(v, data[k]); diff != "" {
					t.Errorf("%s: %s", k, diff)
				}
			}
			if data["is_valid"] == false && data["error"].(map[string]any)["code"] != 190.0 {
				t.Errorf("error %v", data["error"])
			}
			if strings.Contains(a.text, tc.input) {
				t.Errorf("the token is in the answer: %s", a.text)
			}
		})
	}
}

func TestOfflineUploads(t *testing.T) {
	t.Parallel()
	b := setup(t)
	send := func(tag string, events ...event) {
		t.Helper()
		if a := b.post(eventsPath, jsonText(map[string]any{"data": events, "upload_tag": tag})); a.status != http.StatusOK {
			t.Fatal(a.text)
		}
		b.inspect(http.MethodPost, "/clock", `{"advance_s":60}`)
	}
	send("monday", sale("a"), sale("b", set("event_time", epoch.Unix()-day)))
	send("tuesday", sale("c", only(map[string]any{"fbp": "fb.1.1700000000000.1"})))
	send("monday", sale("a"), visit("online"))
	send("website only", visit("d"))

	a := b.get("/" + sandbox.Dataset + "/offline_event_uploads?order=ASCENDING")
	want := []any{
		map[string]any{
			"id": "9100000000000001", "upload_tag": "monday", "creation_time": float64(epoch.Unix()), "first_upload_time": float64(epoch.Unix()),
			"last_upload_time": float64(epoch.Unix() + 120), "event_time_min": float64(epoch.Unix() - day), "event_time_max": float64(epoch.Unix() - 3600),
			"valid_entries": 3.0, "matched_entries": 3.0, "duplicate_entries": 1.0, "match_rate_approx": 100.0,
			"event_stats": `{"Purchase":3}`, "api_calls": 2.0, "is_excluded_for_lift": false,
		},
		map[string]any{
			"id": "9100000000000002", "upload_tag": "tuesday", "creation_time": float64(epoch.Unix() + 60), "first_upload_time": float64(epoch.Unix() + 60),
			"last_upload_time": float64(epoch.Unix() + 60), "event_time_min": float64(epoch.Unix() - 3600), "event_time_max": float64(epoch.Unix() - 3600),
			"valid_entries": 1.0, "matched_entries": 0.0, "duplicate_entries": 0.0, "match_rate_approx": 0.0,
			"event_stats": `{"Purchase":1}`, "api_calls": 1.0, "is_excluded_for_lift": false,
		},
	}
	if diff := cmp.Diff(want, a.body["data"]); diff != "" {
		t.Error(diff)
	}
	for query, first := range map[string]string{
		"":                       "tuesday",
		"sort_by=API_CALLS":      "monday",
		"sort_by=EVENT_TIME_MIN": "tuesday",
		"upload_tag=monday":      "monday",
		"start_time=" + fmt.Sprint(epoch.Unix()+100): "monday",
		"end_time=" + fmt.Sprint(epoch.Unix()+30):    "monday",
	} {
		a := b.get("/" + sandbox.Dataset + "/offline_event_uploads?limit=1&fields=upload_tag&" + query)
		if got := fmt.Sprint(a.body["data"]); got != "[map[upload_tag:"+first+"]]" {
			t.Errorf("%s: %s", query, a.text)
		}
	}
	node := b.get("/" + sandbox.Dataset + "?fields=valid_entries,duplicate_entries,matched_entries,last_fired_time").body
	if number(node["valid_entries"]) != 4 || number(node["duplicate_entries"]) != 1 || node["last_fired_time"] != "2026-11-21T12:03:00+0000" {
		t.Errorf("node %v", node)
	}
}

func TestStats(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *sandbox.Options) { o.Keep = sandbox.KeepKeys })
	phone := with("client_user_agent", "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36")
	a := b.post(eventsPath, jsonText(map[string]any{"partner_agent": "acme_1_0", "data": []event{
		visit("a"), visit("a"), visit("b", phone, custom("colour", "red")),
		visit("c", set("event_name", "Lead"), set("event_time", epoch.Unix()-3*3600), set("event_source_url", "http://example.com/?email=x"), custom("value", nil)),
	}}))
	if a.status != http.StatusOK {
		t.Fatal(a.text)
	}
	hour := func(h int) string { return epoch.Add(time.Duration(h) * time.Hour).Format("2006-01-02T15:04:05-0700") }
	for _, tc := range []struct{ query, want string }{
		{"aggregation=event", hour(-3) + " Lead=1 | " + hour(-1) + " Purchase=3"},
		{"", hour(-3) + " Lead=1 | " + hour(-1) + " Purchase=3"},
		{"aggregation=event&event=Lead", hour(-3) + " Lead=1"},
		{"aggregation=event&agent=acme", hour(-3) + " Lead=1 | " + hour(-1) + " Purchase=3"},
		{"aggregation=event&agent=other", ""},
		{"aggregation=event&start_time=" + fmt.Sprint(epoch.Unix()-2*3600), hour(-1) + " Purchase=3"},
		{"aggregation=event&end_time=" + fmt.Sprint(epoch.Unix()-2*3600), hour(-3) + " Lead=1"},
		{"aggregation=event_source&event=Lead", hour(-3) + " SERVER=1"},
		{"aggregation=event_source&event_source=BROWSER", ""},
		{"aggregation=event_total_counts&event=Purchase", hour(-1) + " Purchase=3"},
		{"aggregation=pixel_fire&event=Purchase", hour(-1) + " pixel_fire=3"},
		{"aggregation=event_processing_results&event=Purchase", hour(-1) + " processed=2 deduplicated=1"},
		{"aggregation=match_keys&event=Lead", hour(-3) + " client_user_agent=1 em=1"},
		{"aggregation=had_pii&event=Lead", hour(-3) + " true=1"},
		{"aggregation=host", hour(-3) + " example.com=1 | " + hour(-1) + " www.example.com=3"},
		{"aggregation=url", hour(-3) + " http://example.com/=1 | " + hour(-1) + " https://www.example.com/thanks=3"},
		{"aggregation=device_type&event=Purchase", hour(-1) + " desktop=2 mobile=1"},
		{"aggregation=device_os&event=Purchase", hour(-1) + " windows=2 android=1"},
		{"aggregation=browser_type&event=Purchase", hour(-1) + " firefox=2 chrome=1"},
		{"aggregation=custom_data_field&event=Purchase", hour(-1) + " currency=3 order_id=3 value=3 colour=1"},
		{"aggregation=event_value_count", hour(-3) + " | " + hour(-1) + " Purchase=3"},
		{"aggregation=url_by_rule", ""},
		{"aggregation=event_detection_method", ""},
	} {
		a := b.get("/" + sandbox.Dataset + "/stats?" + tc.query)
		var buckets []string
		for _, v := range a.body["data"].([]any) {
			bucket := v.(map[string]any)
			line := bucket["start_time"].(string)
			for _, row := range bucket["data"].([]any) {
				r := row.(map[string]any)
				line += fmt.Sprintf(" %s=%v", r["value"], r["count"])
			}
			buckets = append(buckets, line)
		}
		if got := strings.Join(buckets, " | "); got != tc.want {
			t.Errorf("%s:\n got %s\nwant %s", tc.query, got, tc.want)
		}
	}
}

func TestDatasetQuality(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.post(eventsPath, jsonText(map[string]any{"partner_agent": "Acme-2.1", "data": []event{
		visit("a"), visit("b", with("em", nil), with("ph", hashed("1"))), sale("c"), sale("d", with("ph", hashed("2"))),
	}}))
	base := "/v26.0/dataset_quality?dataset_id=" + sandbox.Dataset
	web := b.get(base + "&agent_name=acme&fields=" + url.QueryEscape("web{event_name,event_match_quality{composite_score,match_key_feedback{identifier,coverage{percentage}}},data_freshness{upload_frequency}}"))
	want := map[string]any{"web": []any{map[string]any{
		"event_name": "Purchase",
		"event_match_quality": map[string]any{"composite_score": 3.0, "match_key_feedback": []any{
			map[string]any{"identifier": "email", "coverage": map[string]any{"percentage": 50.0}},
			map[string]any{"identifier": "phone", "coverage": map[string]any{"percentage": 50.0}},
			map[string]any{"identifier": "user_agent", "coverage": map[string]any{"percentage": 100.0}},
		}},
		"data_freshness": map[string]any{"upload_frequency": "hourly"},
	}}}
	if diff := cmp.Diff(want, web.body); diff != "" {
		t.Error(diff)
	}
	offline := b.get(base + "&fields=" + url.QueryEscape("offline{event_name,match_key{coverage{email,phone}}}"))
	want = map[string]any{"offline": []any{map[string]any{
		"event_name": "Purchase", "match_key": map[string]any{"coverage": map[string]any{"email": 100.0, "phone": 50.0}},
	}}}
	if diff := cmp.Diff(want, offline.body); diff != "" {
		t.Error(diff)
	}
	if got := b.get(base + "&agent_name=nobody").text; got != `{"offline":[],"web":[]}` {
		t.Errorf("another agent: %s", got)
	}
}

func TestMessagingDataset(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, owner := range []string{sandbox.Page, sandbox.InstagramAccount} {
		if got := b.post("/"+owner+"/dataset", `{}`).body["id"]; got != sandbox.Dataset {
			t.Errorf("POST /%s/dataset: %v", owner, got)
		}
		if got := b.get("/" + owner + "/dataset").body["id"]; got != sandbox.Dataset {
			t.Errorf("GET /%s/dataset: %v", owner, got)
		}
	}
}
