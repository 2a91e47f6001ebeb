package capi_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/capi"
)

var legacyCases = []struct {
	name, json string
	faults     string
	events     []capi.Event
}{
	{
		name: "a body as the old uploader sent it",
		json: `{"upload_tag":"store_data","namespace_id":"1","data":[{"match_keys":{"email":["` + digest + `"],"phone":"` + emHash + `","gen":"` + digest + `","zip":"` + digest + `","extern_id":"c-7","madid":"AECE52E7-03EE-455A-B3C4-E57283966239","lead_id":"1234567890123456","fi":"` + digest + `"},` +
			`"event_name":"Purchase","event_time":1456870902,"currency":"USD","value":16,"content_type":"product","contents":[{"id":"A","quantity":1}],"order_id":"o","item_number":"2","custom_data":{"event_source":"in_store"}}]}`,
		faults: "legacy_payload@",
		events: []capi.Event{{EventName: "Purchase", EventTime: 1456870902, ActionSource: capi.PhysicalStore,
			UserData: capi.UserData{Email: []string{digest}, Phone: []string{emHash}, Gender: []string{digest}, Zip: []string{digest}, ExternalID: []string{"c-7"},
				MadID: "AECE52E7-03EE-455A-B3C4-E57283966239", LeadID: "1234567890123456", Legacy: map[string]string{"fi": digest}},
			CustomData: capi.CustomData{Currency: "USD", Value: capi.Some(capi.Decimal(160000)), ContentType: "product", OrderID: "o", ItemNumber: "2", EventSource: "in_store",
				Contents: []capi.Content{{ID: "A", Quantity: capi.Some(int64(1))}}}}},
	},
	{
		name: "a list, birth date in clear", json: `[{"match_keys":{"doby":"1990","dobm":"2","dobd":"3"}}]`, faults: "legacy_payload@",
		events: []capi.Event{{ActionSource: capi.PhysicalStore, UserData: capi.UserData{BirthDate: []string{"1990-02-03"}}}},
	},
	{
		name: "one event, birth date hashed", json: `{"match_keys":{"doby":"` + digest + `","dobm":["` + digest + `"]},"event_name":"Lead"}`, faults: "legacy_payload@",
		events: []capi.Event{{ActionSource: capi.PhysicalStore, EventName: "Lead", UserData: capi.UserData{Legacy: map[string]string{"doby": digest, "dobm": digest}}}},
	},
	{
		name: "half a birth date, unknown keys", json: `{"data":[{"match_keys":{"doby":"1990","shoe_size":"9"},"colour":"x"}],"sort":1}`,
		faults: "legacy_payload@ legacy_unknown_key@data[0].match_keys.shoe_size dob_invalid@data[0].match_keys.doby legacy_unknown_key@data[0].colour legacy_unknown_key@sort",
		events: []capi.Event{{ActionSource: capi.PhysicalStore}},
	},
	{name: "broken", json: `{"data":[{"match_keys":`, faults: "legacy_payload@ not_json@data[0].match_keys", events: []capi.Event{{ActionSource: capi.PhysicalStore}}},
}

func TestMigrateLegacy(t *testing.T) {
	t.Parallel()
	for _, tt := range legacyCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			events, faults := capi.MigrateLegacy([]byte(tt.json))
			if got := faultText(faults); got != tt.faults {
				t.Errorf("faults %s\nwant   %s", got, tt.faults)
			}
			if diff := cmp.Diff(tt.events, events); diff != "" {
				t.Errorf("events differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIsLegacy(t *testing.T) {
	t.Parallel()
	for json, want := range map[string]bool{
		`{"match_keys":{}}`:                                 true,
		`[{"event_name":"x","match_keys":{}}]`:              true,
		`{"upload_tag":"t","data":[{"match_keys":{}}]}`:     true,
		`{"data":[{"user_data":{},"custom_data":{}}]}`:      false,
		`{"data":[{"custom_data":{"match_keys":{}}}]}`:      false,
		`{"event_name":"x","user_data":{"match_keys":"x"}}`: false,
		`{"data":[[[{"match_keys":{}}]]]}`:                  false,
		`{"data":[]}`:                                       false,
		`"match_keys"`:                                      false,
		``:                                                  false,
		`{"data":{"data":{"match_keys":1}}}`:                false,
	} {
		if got := capi.IsLegacy([]byte(json)); got != want {
			t.Errorf("IsLegacy(%s) = %t, want %t", json, got, want)
		}
	}
}
