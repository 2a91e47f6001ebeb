package capi_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/capi"
)

// parseCases are single events; event is compared when there are no faults that
// refuse.
var parseCases = []struct {
	name, json string
	want       string
	event      capi.Event
}{
	{name: "single values for lists", json: `{"user_data":{"em":"a@b.cc","ph":16505551212,"external_id":["x",7]}}`,
		event: capi.Event{UserData: capi.UserData{Email: []string{"a@b.cc"}, Phone: []string{"16505551212"}, ExternalID: []string{"x", "7"}}}},
	{name: "old names", json: `{"user_data":{"email":["a@b.cc"],"em":["c@d.ee"],"phone":"1","gen":"f","zip":"1","extern_id":"9"}}`,
		event: capi.Event{UserData: capi.UserData{Email: []string{"a@b.cc", "c@d.ee"}, Phone: []string{"1"}, Gender: []string{"f"}, Zip: []string{"1"}, ExternalID: []string{"9"}}}},
	{name: "big integers", json: `{"user_data":{"lead_id":12345678901234567,"fb_login_id":"98765432109876543210"}}`,
		event: capi.Event{UserData: capi.UserData{LeadID: "12345678901234567", FBLoginID: "98765432109876543210"}}},
	{name: "SDK keys", json: `{"user_data":{"fi":"` + digest + `","f5first":["` + digest + `"]}}`,
		event: capi.Event{UserData: capi.UserData{Legacy: map[string]string{"fi": digest, "f5first": digest}}}},
	{name: "numbers as text", json: `{"event_time":"1795258800","custom_data":{"value":"142.52","order_id":1001,"num_items":"3","status":true}}`,
		event: capi.Event{EventTime: 1795258800, CustomData: capi.CustomData{Value: capi.Some(capi.Decimal(1425200)), OrderID: "1001", NumItems: capi.Some(int64(3)), Status: "true"}}},
	{name: "price for item_price", json: `{"custom_data":{"contents":[{"id":"a","quantity":1,"price":2.5}]}}`,
		event: capi.Event{CustomData: capi.CustomData{Contents: []capi.Content{{ID: "a", Quantity: capi.Some(int64(1)), ItemPrice: capi.Some(capi.Decimal(25000))}}}}},
	{name: "segmentation inside", json: `{"custom_data":{"customer_segmentation":"x"}}`, event: capi.Event{CustomerSegmentation: "x"}},
	{name: "segmentation at both levels", json: `{"customer_segmentation":"x","custom_data":{"customer_segmentation":"x"}}`, event: capi.Event{CustomerSegmentation: "x"}},
	{name: "custom properties", json: `{"custom_data":{"a":{"b": 1},"product_catalog_id":"5"}}`,
		event: capi.Event{CustomData: capi.CustomData{Properties: []capi.Property{{Key: "a", JSON: `{"b": 1}`}, {Key: "product_catalog_id", JSON: `"5"`}}}}},
	{name: "escapes", json: `{"event\u005fid":"\u00e9\n"}`, event: capi.Event{EventID: "é\n"}},
	{name: "flags", json: `{"opt_out":false,"app_data":{"advertiser_tracking_enabled":"1","application_tracking_enabled":false,"extinfo":["a2",7]}}`,
		event: capi.Event{OptOut: capi.Some(false), AppData: &capi.AppData{AdvertiserTrackingEnabled: capi.Some(true), ApplicationTrackingEnabled: capi.Some(false), ExtInfo: []string{"a2", "7"}}}},
	{name: "limited data use off", json: `{"data_processing_options":[]}`, event: capi.Event{DataProcessing: &capi.DataProcessing{}}},
	{name: "limited data use", json: `{"data_processing_options":["LDU"],"data_processing_options_country":1,"data_processing_options_state":"1000"}`,
		event: capi.Event{DataProcessing: ldu(1, 1000)}},
	{name: "links", json: `{"original_event_data":{"event_name":"Purchase","event_time":1,"order_id":"o","event_id":"i"},"attribution_data":{"ad_id":"1","touchpoint_ts":2,"attribution_share":0.5,"attribution_value":1,"scope":"x"},"store_data":{"store_code":"A","store_page_id":1,"brand_page_id":"2"}}`,
		event: capi.Event{OriginalEventData: &capi.OriginalEventData{EventName: "Purchase", EventTime: 1, OrderID: "o", EventID: "i"},
			AttributionData: &capi.AttributionData{AdID: "1", TouchpointTS: 2, AttributionShare: capi.Some(capi.Decimal(5000)), AttributionValue: capi.Some(capi.Decimal(10000)),
				Properties: []capi.Property{{Key: "scope", JSON: `"x"`}}},
			StoreData: &capi.StoreData{StoreCode: "A", StorePageID: "1", BrandPageID: "2"}}},

	{name: "not JSON", json: `{"event_name":`, want: "not_json@event_name"},
	{name: "no event", json: `[]`, want: "wrong_type@"},
	{name: "nothing", json: ``, want: "not_json@"},
	{name: "two", json: `{}{}`, want: "not_json@"},
	{name: "key twice", json: `{"event_id":"a","event_id":"b"}`, want: "duplicate_key@"},
	{name: "key twice, spelt otherwise", json: `{"event_id":"a","event\u005fid":"b"}`, want: "duplicate_key@"},
	{name: "key twice inside", json: `{"custom_data":{"a":{"x":1,"x":2}}}`, want: "duplicate_key@custom_data.a"},
	{name: "other case", json: `{"Event_Id":"a"}`, want: "unknown_key@Event_Id"},
	{name: "unknown keys everywhere", json: `{"value":1,"user_data":{"x":1},"app_data":{"x":1},"original_event_data":{"x":1},"attribution_data":{"x":1},"store_data":{"x":1},"custom_data":{"contents":[{"x":1}]}}`,
		want: "unknown_key@value unknown_key@user_data.x unknown_key@app_data.x unknown_key@original_event_data.x unknown_key@attribution_data.x unknown_key@store_data.x unknown_key@custom_data.contents[0].x"},
	{name: "nulls", json: `{"event_id":null,"user_data":{"em":[null,"a@b.cc"],"fbp":null},"custom_data":{"value":null,"x":null,"contents":null}}`,
		want: "null_value@event_id null_value@user_data.em[0] null_value@user_data.fbp null_value@custom_data.value null_value@custom_data.x null_value@custom_data.contents"},
	{name: "null in a property", json: `{"custom_data":{"x":[{"a":null}]}}`, want: "null_value@custom_data.x"},
	{name: "keys that are no names", json: `{"447700900123":1,"user_data":{"x447700900123":1,"` + digest + `":1},"tel_07_70_09":1,"a1234":1}`,
		want: "unknown_key@? unknown_key@user_data.? unknown_key@user_data.? unknown_key@? unknown_key@a1234"},
	{name: "wrong types", json: `{"event_id":{},"event_time":"soon","opt_out":"yes","user_data":[],"custom_data":{"value":true,"num_items":1.5,"contents":{},"order_id":1.5},"app_data":{"advertiser_tracking_enabled":2,"consider_views":[]}}`,
		want: "wrong_type@event_id wrong_type@event_time wrong_type@opt_out wrong_type@user_data wrong_type@custom_data.value wrong_type@custom_data.num_items wrong_type@custom_data.contents wrong_type@custom_data.order_id wrong_type@app_data.advertiser_tracking_enabled wrong_type@app_data.consider_views"},
	{name: "numbers", json: `{"event_time":99999999999999999999,"custom_data":{"value":1e3,"net_revenue":"1,5","predicted_ltv":1.23456,"num_items":"+1"}}`,
		want: "number_too_large@event_time bad_number@custom_data.value bad_number@custom_data.net_revenue bad_number@custom_data.predicted_ltv wrong_type@custom_data.num_items"},
	{name: "amount out of range", json: `{"custom_data":{"value":9999999999999999,"net_revenue":""}}`, want: "number_too_large@custom_data.value wrong_type@custom_data.net_revenue"},
	{name: "two prices", json: `{"custom_data":{"contents":[{"price":1,"item_price":1}]}}`, want: "duplicate_key@custom_data.contents[0].item_price"},
	{name: "two segmentations", json: `{"customer_segmentation":"x","custom_data":{"customer_segmentation":"y"}}`, want: "duplicate_key@custom_data.customer_segmentation"},
	{name: "two initials", json: `{"user_data":{"fi":["a","b"]}}`, want: "wrong_type@user_data.fi"},
	{name: "invalid UTF-8", json: "{\"event_id\":\"\xff\"}", want: "not_json@event_id"},
	{name: "too large", json: `{"event_id":"` + strings.Repeat("x", 256<<10) + `"}`, want: "event_too_large@"},
}

func TestParseEvent(t *testing.T) {
	t.Parallel()
	for _, tt := range parseCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ev, faults := capi.ParseEvent([]byte(tt.json))
			if got := faultText(faults); got != tt.want {
				t.Fatalf("faults %s\nwant   %s", got, tt.want)
			}
			if tt.want == "" {
				if diff := cmp.Diff(tt.event, ev); diff != "" {
					t.Errorf("event differs (-want +got):\n%s", diff)
				}
			}
		})
	}
}

var requestCases = []struct {
	name, json string
	want       string
	request    capi.Request
}{
	{name: "everything", json: `{"data":[{"event_id":"a"}],"test_event_code":"TEST1","partner_agent":"p","namespace_id":5,"upload_id":"u","upload_tag":"t","upload_source":"s","progress":{"start_inclusive":0,"end_exclusive":9},"platforms":[{"name":"n","type":"t","version":"v"}],"trace":1,"access_token":"token","appsecret_proof":"proof"}`,
		request: capi.Request{Events: []capi.Event{{EventID: "a"}}, Raw: [][]byte{[]byte(`{"event_id":"a"}`)}, TestEventCode: "TEST1", PartnerAgent: "p", NamespaceID: "5",
			UploadID: "u", UploadTag: "t", UploadSource: "s", Progress: &capi.Progress{EndExclusive: 9}, Platforms: []capi.Platform{{Name: "n", Type: "t", Version: "v"}},
			Trace: capi.Some(int64(1)), AccessToken: "token", AppSecretProof: "proof"}},
	{name: "events as strings", json: `{"data":["{\"event_id\":\"a\"}",{"event_id":"b"}]}`,
		request: capi.Request{Events: []capi.Event{{EventID: "a"}, {EventID: "b"}}, Raw: [][]byte{[]byte(`{"event_id":"a"}`), []byte(`{"event_id":"b"}`)}}},
	{name: "data as a string", json: `{"data":"[{\"event_id\":\"a\"}]"}`,
		request: capi.Request{Events: []capi.Event{{EventID: "a"}}, Raw: [][]byte{[]byte(`{"event_id":"a"}`)}}},
	{name: "faults name their place", json: `{"data":[{},{"user_data":{"em":[1.5]}},7,"[]","{"]}`,
		want: "wrong_type@data[1].user_data.em[0] wrong_type@data[2] wrong_type@data[3] not_json@data[4]"},
	{name: "one bad event does not hide the next", json: `{"data":[{"x":1},{"x":2}]}`, want: "unknown_key@data[0].x unknown_key@data[1].x"},
	{name: "no data", json: `{}`, want: "missing_data@"},
	{name: "empty data", json: `{"data":[]}`, want: "empty_data@data"},
	{name: "data is an object", json: `{"data":{}}`, want: "wrong_type@data"},
	{name: "string in string", json: `{"data":"\"[]\""}`, want: "wrong_type@data"},
	{name: "null event", json: `{"data":[null]}`, want: "null_value@data[0]"},
	{name: "unknown parameter", json: `{"data":[{}],"debug":"all"}`, want: "unknown_key@debug"},
	{name: "data twice", json: `{"data":[{}],"data":[{}]}`, want: "duplicate_key@"},
	{name: "too many", json: `{"data":[{}` + strings.Repeat(`,{}`, 1000) + `]}`, want: "too_many_events@data[1000]"},
	{name: "too large", json: `{"data":"` + strings.Repeat("x", 2<<20) + `"}`, want: "body_too_large@"},
	{name: "too deep", json: `{"data":[{"user_data":{"em":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}}]}`, want: "wrong_type@data[0].user_data.em[0]"},
	{name: "unknown in progress", json: `{"data":[{}],"progress":{"x":1},"platforms":[{"x":1}]}`, want: "unknown_key@progress.x unknown_key@platforms[0].x"},
}

func TestParseRequest(t *testing.T) {
	t.Parallel()
	for _, tt := range requestCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			req, faults := capi.ParseRequest([]byte(tt.json))
			if got := faultText(faults); got != tt.want {
				t.Fatalf("faults %s\nwant   %s", got, tt.want)
			}
			if len(req.Events) != len(req.Raw) {
				t.Errorf("%d events, %d texts", len(req.Events), len(req.Raw))
			}
			if tt.want == "" {
				if diff := cmp.Diff(tt.request, req); diff != "" {
					t.Errorf("request differs (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestParseData(t *testing.T) {
	t.Parallel()
	req, faults := capi.ParseData([]byte(`[{"event_id":"a"},"{\"event_id\":\"b\",\"x\":1}"]`))
	if got, want := faultText(faults), "unknown_key@data[1].x"; got != want {
		t.Errorf("faults %s, want %s", got, want)
	}
	if len(req.Events) != 2 || req.Events[1].EventID != "b" {
		t.Errorf("events %+v", req.Events)
	}
	if _, faults := capi.ParseData([]byte(strings.Repeat(" ", 2<<20+1))); faultText(faults) != "body_too_large@data" {
		t.Errorf("faults %s", faultText(faults))
	}
}
