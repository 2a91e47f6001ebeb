package capi_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/capi"
)

// faultCase is one way to make an event wrong. want lists code@path of every
// fault, separated by spaces; a refused event is one with a refusing code.
type faultCase struct {
	name string
	opts capi.Options
	base func() capi.Event // sale by default
	edit func(*capi.Event)
	want string
}

const hour = 3600

// appEvent, lead, message and attribution are events of their kinds with nothing
// wrong.
func appEvent() capi.Event {
	info := make([]string, 16)
	info[0], info[4] = "a2", "13"
	return capi.Event{EventName: "AddToCart", EventTime: testNow().Unix() - hour, EventID: "e", ActionSource: capi.App,
		AppData:  &capi.AppData{AdvertiserTrackingEnabled: capi.Some(false), ExtInfo: info},
		UserData: capi.UserData{AnonID: "anon-1"}}
}

func lead() capi.Event {
	return capi.Event{EventName: "lead", EventTime: testNow().Unix() - hour, EventID: "e", ActionSource: capi.SystemGenerated,
		UserData:   capi.UserData{LeadID: "1234567890123456"},
		CustomData: capi.CustomData{EventSource: "crm", LeadEventSource: "Our CRM"}}
}

func message() capi.Event {
	return capi.Event{EventName: "LeadSubmitted", EventTime: testNow().Unix() - hour, EventID: "e", ActionSource: capi.BusinessMessaging,
		MessagingChannel: capi.Messenger, UserData: capi.UserData{PageID: "1", PageScopedUserID: "2"}}
}

func attribution() capi.Event {
	now := testNow().Unix()
	return capi.Event{EventName: "AppendAttribution", EventTime: now - hour, EventID: "e", ActionSource: capi.Other,
		UserData:          capi.UserData{Email: []string{"anna@example.com"}},
		CustomData:        capi.CustomData{Currency: "EUR", Value: capi.Some(capi.Decimal(1000000))},
		OriginalEventData: &capi.OriginalEventData{EventName: "Purchase", EventTime: now - 2*hour},
		AttributionData: &capi.AttributionData{AdID: "1", TouchpointTS: now - 3*hour, AttributionShare: capi.Some(capi.Decimal(5000)),
			AttributionValue: capi.Some(capi.Decimal(500000))}}
}

const digest = "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"

// original moves the original event and its touchpoint into the past.
func original(age int64) func(*capi.Event) {
	return func(ev *capi.Event) {
		ev.OriginalEventData.EventTime = testNow().Unix() - age
		ev.AttributionData.TouchpointTS = ev.OriginalEventData.EventTime - hour
	}
}

func property(key, json string) func(*capi.Event) {
	return func(ev *capi.Event) { ev.CustomData.Properties = []capi.Property{{Key: key, JSON: json}} }
}

var faultCases = []faultCase{
	// Customer information.
	{name: "nothing left of a name", edit: func(ev *capi.Event) { ev.UserData.LastName = []string{"!!!"} }, want: "empty@user_data.ln[0]"},
	{name: "latin-1 name", edit: func(ev *capi.Event) { ev.UserData.LastName = []string{"Mu\xfcller"} }, want: "invalid_utf8@user_data.ln[0]"},
	{name: "latin-1 external id", edit: func(ev *capi.Event) { ev.UserData.ExternalID = []string{"\xfc"} }, want: "invalid_utf8@user_data.external_id[0]"},
	{name: "endless user agent", base: visit, opts: capi.Options{AllowMissingUserAgent: true},
		edit: func(ev *capi.Event) { ev.UserData.ClientUserAgent = strings.Repeat("a", 4097) }, want: "too_long@user_data.client_user_agent"},
	{name: "bad e-mail addresses", edit: func(ev *capi.Event) { ev.UserData.Email = []string{"a@b.cc", "nobody", "x@y"} },
		want: "invalid_email@user_data.em[1] invalid_email@user_data.em[2]"},
	{name: "sixth value", edit: func(ev *capi.Event) {
		ev.UserData.Email = []string{"a@b.cc", "b@b.cc", "c@b.cc", "d@b.cc", "e@b.cc", "nobody"}
	}, want: "invalid_email@user_data.em[5]"},
	{name: "more values than anybody has", edit: func(ev *capi.Event) {
		ev.UserData.ExternalID = make([]string, 5000)
		for i := range ev.UserData.ExternalID {
			ev.UserData.ExternalID[i] = strings.Repeat("a", i%100+1)
		}
	}, want: "too_many_values@user_data.external_id[100]"},
	{name: "phone without digits", edit: func(ev *capi.Event) { ev.UserData.Phone = []string{"n/a"} }, want: "phone_no_digits@user_data.ph[0]"},
	{name: "phone without country", edit: func(ev *capi.Event) { ev.UserData.Country, ev.UserData.Phone = nil, []string{"020 7946 0958"} },
		want: "phone_missing_country_code@user_data.ph[0]"},
	{name: "short phone", edit: func(ev *capi.Event) { ev.UserData.Phone = []string{"+12345"} }, want: "phone_length@user_data.ph[0]"},
	{name: "unknown phone country", edit: func(ev *capi.Event) {
		ev.UserData.PhoneCountry, ev.UserData.Phone = "Narnia", []string{"020 7946 0958"}
	},
		want: "phone_country_unknown@user_data.ph"},
	{name: "phone taken as it is", edit: func(ev *capi.Event) { ev.UserData.Country, ev.UserData.Phone = nil, []string{"16505551212"} },
		want: "phone_assumed_international@user_data.ph[0]"},
	{name: "phone in two readings", edit: func(ev *capi.Event) { ev.UserData.Country, ev.UserData.Phone = []string{"de"}, []string{"4930901820"} },
		want: "phone_ambiguous@user_data.ph[0]"},
	{name: "trunk zero", edit: func(ev *capi.Event) { ev.UserData.Phone = []string{"+4407700900123"} }, want: "phone_trunk_zero@user_data.ph[0]"},
	{name: "birth dates", edit: func(ev *capi.Event) {
		ev.UserData.BirthDate = []string{"2/16/97", "16 Feb 1997", "1899-01-01", "03/04/1990"}
	}, want: "dob_two_digit_year@user_data.db[0] dob_invalid@user_data.db[1] dob_out_of_range@user_data.db[2] dob_ambiguous@user_data.db[3]"},
	{name: "gender", edit: func(ev *capi.Event) { ev.UserData.Gender = []string{"divers"} }, want: "gender_unsupported@user_data.ge[0]"},
	{name: "american state and zip", edit: func(ev *capi.Event) {
		u := &ev.UserData
		u.Country, u.State, u.Zip, u.Phone = []string{"us"}, []string{"Calif."}, []string{"2139"}, nil
	}, want: "us_state_unknown@user_data.st[0] us_zip_invalid@user_data.zp[0]"},
	{name: "zip", edit: func(ev *capi.Event) { ev.UserData.Zip = []string{"#"} }, want: "zip_invalid@user_data.zp[0]"},
	{name: "country", edit: func(ev *capi.Event) { ev.UserData.Country = []string{"gb", "Narnia"} }, want: "country_unknown@user_data.country[1]"},
	{name: "MD5", edit: func(ev *capi.Event) { ev.UserData.Email = []string{"d41d8cd98f00b204e9800998ecf8427e"} }, want: "md5_not_supported@user_data.em[0]"},
	{name: "address list", base: visit, edit: func(ev *capi.Event) { ev.UserData.ClientIPAddress = "203.0.113.7, 10.0.0.1" },
		want: "ip_invalid@user_data.client_ip_address"},
	{name: "private address", base: visit, edit: func(ev *capi.Event) { ev.UserData.ClientIPAddress = "10.0.0.1" }, want: "ip_private@user_data.client_ip_address"},
	{name: "bare fbclid", edit: func(ev *capi.Event) { ev.UserData.FBC = "IwAR2F4-dbP0l7Mn1IawQQGCINEz7" }, want: "fbc_invalid@user_data.fbc"},
	{name: "fbp in seconds", edit: func(ev *capi.Event) { ev.UserData.FBP = "fb.1.1596403881.1116446470" }, want: "fbp_invalid@user_data.fbp"},
	{name: "cookie from tomorrow", edit: func(ev *capi.Event) { ev.UserData.FBP = "fb.1.1795348800000.1116446470" }, want: "cookie_after_event@user_data.fbp"},
	{name: "advertising ids", edit: func(ev *capi.Event) { ev.UserData.MadID = "00000000-0000-0000-0000-000000000000" }, want: "madid_zero@user_data.madid"},
	{name: "no advertising id", edit: func(ev *capi.Event) { ev.UserData.MadID = "AECE52E7" }, want: "madid_invalid@user_data.madid"},
	{name: "lead id from a CSV", edit: func(ev *capi.Event) { ev.UserData.LeadID = "l:1234567890123456" }, want: "lead_id_invalid@user_data.lead_id"},
	{name: "page name", edit: func(ev *capi.Event) { ev.UserData.PageID = "our-page" }, want: "not_numeric@user_data.page_id"},
	{name: "login id beyond 64 bits", edit: func(ev *capi.Event) { ev.UserData.FBLoginID = "9223372036854775808" }, want: "not_numeric@user_data.fb_login_id"},
	{name: "login id with a leading zero", edit: func(ev *capi.Event) { ev.UserData.FBLoginID = "0123" }, want: "not_numeric@user_data.fb_login_id"},
	{name: "hashed subscription id", edit: func(ev *capi.Event) { ev.UserData.SubscriptionID = digest }, want: "hashed_not_allowed@user_data.subscription_id"},
	{name: "legacy key in clear", edit: func(ev *capi.Event) { ev.UserData.Legacy = map[string]string{"fi": "m"} }, want: "not_hashed@user_data.fi"},
	{name: "no legacy key", edit: func(ev *capi.Event) { ev.UserData.Legacy = map[string]string{"em": digest} }, want: "unknown_user_key@user_data"},
	{name: "double hash", opts: capi.Options{Hashed: map[capi.Field]capi.HashMode{capi.FieldEmail: capi.HashNo}},
		edit: func(ev *capi.Event) { ev.UserData.Email = []string{digest} }, want: "double_hashed@user_data.em[0]"},
	{name: "hash of nothing", edit: func(ev *capi.Event) {
		ev.UserData.Email = []string{"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
	}, want: "hash_of_empty@user_data.em[0]"},

	// Sufficiency.
	{name: "nobody", edit: func(ev *capi.Event) { ev.UserData = capi.UserData{} }, want: "no_identifiers@user_data"},
	{name: "everything dropped", edit: func(ev *capi.Event) { ev.UserData = capi.UserData{Email: []string{"x"}} }, want: "invalid_email@user_data.em[0] no_identifiers@user_data"},
	{name: "only a place", edit: func(ev *capi.Event) { ev.UserData = capi.UserData{Country: []string{"gb"}} }, want: "insufficient_identifiers@user_data"},

	// Name, time, source.
	{name: "no name", edit: func(ev *capi.Event) { ev.EventName = "" }, want: "missing_event_name@event_name"},
	{name: "blank name", edit: func(ev *capi.Event) { ev.EventName = " \t" }, want: "missing_event_name@event_name"},
	{name: "long name", edit: func(ev *capi.Event) { ev.EventName = strings.Repeat("é", 51) }, want: "event_name_too_long@event_name"},
	{name: "control in name", edit: func(ev *capi.Event) { ev.EventName = "Pur\u0000chase" }, want: "event_name_characters@event_name"},
	{name: "no-break space after the name", edit: func(ev *capi.Event) { ev.EventName = "Purchase\u00a0" }, want: "event_name_characters@event_name"},
	{name: "zero-width space before the name", edit: func(ev *capi.Event) { ev.EventName = "\u200bPurchase" }, want: "event_name_characters@event_name"},
	{name: "soft hyphen after the name", edit: func(ev *capi.Event) { ev.EventName = "Purchase\u00ad" }, want: "event_name_characters@event_name"},
	{name: "space after the name", edit: func(ev *capi.Event) { ev.EventName = "Purchase " }, want: "event_name_characters@event_name"},
	{name: "invisible characters in the name", edit: func(ev *capi.Event) { ev.EventName = "Add\u200bTo\u00a0Cart" }, want: "event_name_near_miss@event_name"},
	{name: "near miss", edit: func(ev *capi.Event) { ev.EventName = "add to cart" }, want: "event_name_near_miss@event_name"},
	{name: "no time", edit: func(ev *capi.Event) { ev.EventTime = 0 }, want: "missing_event_time@event_time"},
	{name: "milliseconds", edit: func(ev *capi.Event) { ev.EventTime *= 1000 }, want: "event_time_milliseconds@event_time"},
	{name: "before the epoch", edit: func(ev *capi.Event) { ev.EventTime = -1 << 63 }, want: "too_old@event_time"},
	{name: "no event id", edit: func(ev *capi.Event) { ev.EventID = "" }, want: "missing_event_id@event_id"},
	{name: "blank event id", edit: func(ev *capi.Event) { ev.EventID = " \u00a0" }, want: "missing_event_id@event_id"},
	{name: "blank order id", edit: func(ev *capi.Event) { ev.CustomData.OrderID, ev.CustomData.ItemNumber = "  ", "  " }, want: "missing_order_id@custom_data.order_id"},
	{name: "no order id", edit: func(ev *capi.Event) { ev.CustomData.OrderID = "" }, want: "missing_order_id@custom_data.order_id"},
	{name: "no source", edit: func(ev *capi.Event) { ev.ActionSource = "" }, want: "missing_action_source@action_source"},
	{name: "unknown source", edit: func(ev *capi.Event) { ev.ActionSource = "Website" }, want: "bad_action_source@action_source"},
	{name: "website without page", base: visit, edit: func(ev *capi.Event) { ev.EventSourceURL = "" }, want: "missing_event_source_url@event_source_url"},
	{name: "website without scheme", base: visit, edit: func(ev *capi.Event) { ev.EventSourceURL = "shop.example.com/x" }, want: "bad_event_source_url@event_source_url"},
	{name: "page without host", base: visit, edit: func(ev *capi.Event) { ev.EventSourceURL = "https:///x" }, want: "bad_event_source_url@event_source_url"},
	{name: "page with a space", base: visit, edit: func(ev *capi.Event) { ev.EventSourceURL = "https://a.example/ x" }, want: "bad_event_source_url@event_source_url"},
	{name: "referrer", base: visit, edit: func(ev *capi.Event) { ev.ReferrerURL = "android-app://x" }, want: "bad_referrer_url@referrer_url"},
	{name: "website without user agent", base: visit, edit: func(ev *capi.Event) { ev.UserData.ClientUserAgent = " " }, want: "missing_user_agent@user_data.client_user_agent"},
	{name: "allowed without user agent", base: visit, opts: capi.Options{AllowMissingUserAgent: true}, edit: func(ev *capi.Event) { ev.UserData.ClientUserAgent = "" }},
	{name: "latin-1 order id", edit: func(ev *capi.Event) { ev.CustomData.OrderID = "\xfc" }, want: "bad_text@custom_data.order_id"},
	{name: "endless name of a content", edit: func(ev *capi.Event) { ev.CustomData.Contents[0].Title = strings.Repeat("a", 8193) }, want: "text_too_long@custom_data.contents[0].title"},
	{name: "too large", edit: func(ev *capi.Event) {
		c := ev.CustomData.Contents[0]
		c.Title = strings.Repeat("a", 8000)
		c.ItemPrice = capi.Some(capi.Decimal(0))
		for range 33 {
			ev.CustomData.Contents = append(ev.CustomData.Contents, c)
		}
	}, want: "event_too_large@"},

	// Business data.
	{name: "purchase without money", edit: func(ev *capi.Event) { ev.CustomData.Value, ev.CustomData.Currency = capi.Optional[capi.Decimal]{}, "" },
		want: "missing_value@custom_data.value missing_currency@custom_data.currency"},
	{name: "value without currency", edit: func(ev *capi.Event) { ev.EventName, ev.CustomData.Currency = "Lead", "" }, want: "missing_currency@custom_data.currency"},
	{name: "currency sign", edit: func(ev *capi.Event) { ev.CustomData.Currency = "€" }, want: "bad_currency@custom_data.currency"},
	{name: "unknown currency", edit: func(ev *capi.Event) { ev.CustomData.Currency = "GBX" }, want: "bad_currency@custom_data.currency"},
	{name: "refund", edit: func(ev *capi.Event) { ev.CustomData.Value, ev.CustomData.Contents = capi.Some(capi.Decimal(-1)), nil }, want: "negative_value@custom_data.value"},
	{name: "negative lifetime value", edit: func(ev *capi.Event) { ev.CustomData.PredictedLTV = capi.Some(capi.Decimal(-1)) }, want: "negative_value@custom_data.predicted_ltv"},
	{name: "nothing paid", edit: func(ev *capi.Event) { ev.CustomData.Value, ev.CustomData.Contents = capi.Some(capi.Decimal(0)), nil }, want: "zero_value@custom_data.value"},
	{name: "unrepresentable value", edit: func(ev *capi.Event) {
		ev.CustomData.Value, ev.CustomData.Contents = capi.Some(capi.Decimal(9223372036854775807)), nil
	}, want: "number_too_large@custom_data.value"},
	{name: "negative count", edit: func(ev *capi.Event) { ev.CustomData.NumItems = capi.Some(int64(-1)) }, want: "bad_num_items@custom_data.num_items"},
	{name: "huge count", edit: func(ev *capi.Event) { ev.CustomData.NumItems = capi.Some(int64(1 << 53)) }, want: "number_too_large@custom_data.num_items"},
	{name: "content without id", edit: func(ev *capi.Event) { ev.CustomData.Contents[0].ID = " " }, want: "missing_content_id@custom_data.contents[0].id"},
	{name: "content without quantity", edit: func(ev *capi.Event) { ev.CustomData.Contents[0].Quantity = capi.Optional[int64]{} }, want: "missing_quantity@custom_data.contents[0].quantity"},
	{name: "returned line", edit: func(ev *capi.Event) { ev.CustomData.Contents[0].Quantity = capi.Some(int64(-5)) },
		want: "contents_value_mismatch@custom_data.contents bad_quantity@custom_data.contents[0].quantity"},
	{name: "huge quantity", edit: func(ev *capi.Event) { ev.CustomData.Contents[0].Quantity = capi.Some(int64(1<<63 - 1)) }, want: "number_too_large@custom_data.contents[0].quantity"},
	{name: "negative price", edit: func(ev *capi.Event) { ev.CustomData.Contents[0].ItemPrice = capi.Some(capi.Decimal(-1)) },
		want: "contents_value_mismatch@custom_data.contents negative_item_price@custom_data.contents[0].item_price"},
	{name: "huge price", edit: func(ev *capi.Event) {
		ev.CustomData.Contents[0].ItemPrice = capi.Some(capi.Decimal(9223372036854775807))
	},
		want: "number_too_large@custom_data.contents[0].item_price"},
	{name: "one per cent is tolerated", edit: func(ev *capi.Event) { ev.CustomData.Value = capi.Some(capi.Decimal(123763)) }},
	{name: "more is not", edit: func(ev *capi.Event) { ev.CustomData.Value = capi.Some(capi.Decimal(123762)) }, want: "contents_value_mismatch@custom_data.contents"},
	{name: "content type", edit: func(ev *capi.Event) { ev.CustomData.ContentType = "products" }, want: "unknown_content_type@custom_data.content_type"},
	{name: "delivery", edit: func(ev *capi.Event) { ev.CustomData.DeliveryCategory = "drone" }, want: "bad_delivery_category@custom_data.delivery_category"},
	{name: "delivery of a content", edit: func(ev *capi.Event) { ev.CustomData.Contents[0].DeliveryCategory = "drone" },
		want: "bad_delivery_category@custom_data.contents[0].delivery_category"},
	{name: "segmentation", edit: func(ev *capi.Event) { ev.CustomerSegmentation = "vip" }, want: "bad_customer_segmentation@customer_segmentation"},
	{name: "empty content ids", edit: func(ev *capi.Event) { ev.CustomData.ContentIDs = []string{"", "a"} }, want: "empty_list_item@custom_data.content_ids[0]"},
	{name: "latin-1 content id", edit: func(ev *capi.Event) { ev.CustomData.ContentIDs = []string{"\xfc"} }, want: "bad_text@custom_data.content_ids[0]"},
	{name: "nameless property", edit: property(" ", "1"), want: "property_empty_key@custom_data.properties[0]"},
	{name: "latin-1 property", edit: property("\xfc", "1"), want: "bad_text@custom_data.properties[0]"},
	{name: "endless property", edit: property(strings.Repeat("a", 8193), "1"), want: "text_too_long@custom_data.properties[0]"},
	{name: "standard key as property", edit: property("value", "1"), want: "property_repeats_key@custom_data.properties[0]"},
	{name: "property twice", edit: func(ev *capi.Event) {
		ev.CustomData.Properties = []capi.Property{{Key: "a", JSON: "1"}, {Key: "b", JSON: "1"}, {Key: "a", JSON: "2"}}
	}, want: "property_duplicate@custom_data.properties[2]"},
	{name: "property is text", edit: property("a", "hello"), want: "property_not_json@custom_data.properties[0]"},
	{name: "property is null", edit: property("a", ` null `), want: "null_value@custom_data.properties[0]"},
	{name: "property holds null", edit: property("a", `{"x":["n",null]}`), want: "null_value@custom_data.properties[0]"},
	{name: "attribution property is null", base: attribution, edit: func(ev *capi.Event) {
		ev.AttributionData.Properties = []capi.Property{{Key: "scope", JSON: `null`}, {Key: "visit_time", JSON: `[null]`}}
	}, want: "null_value@attribution_data.properties[0] null_value@attribution_data.properties[1]"},
	{name: "property is nothing", edit: property("a", ""), want: "property_not_json@custom_data.properties[0]"},
	{name: "property is two values", edit: property("a", "1 2"), want: "property_not_json@custom_data.properties[0]"},
	{name: "property with a key twice", edit: property("a", `{"x":1,"x":2}`), want: "property_not_json@custom_data.properties[0]"},
	{name: "property breaks out", edit: property("a", `1},"user_data":{"em":["x"]`), want: "property_not_json@custom_data.properties[0]"},
	{name: "rounded property", edit: property("a", `[12345678901234567890]`), want: "property_inexact_number@custom_data.properties[0]"},
	{name: "infinite property", edit: property("a", `1e999`), want: "property_inexact_number@custom_data.properties[0]"},
	{name: "deep property", edit: property("a", strings.Repeat("[", 40)+strings.Repeat("]", 40)), want: "too_deep@custom_data.properties[0]"},

	// Limited Data Use.
	{name: "other option", edit: func(ev *capi.Event) { ev.DataProcessing = &capi.DataProcessing{Options: []string{"GDPR"}} },
		want: "bad_ldu_option@data_processing_options ldu_no_location@data_processing_options_state"},
	{name: "other country", edit: func(ev *capi.Event) { ev.DataProcessing = ldu(2, 1000) }, want: "bad_ldu_country@data_processing_options_country"},
	{name: "other state", edit: func(ev *capi.Event) { ev.DataProcessing = ldu(1, 1014) }, want: "bad_ldu_state@data_processing_options_state"},
	{name: "country without state", edit: func(ev *capi.Event) {
		ev.DataProcessing = &capi.DataProcessing{Options: []string{"LDU"}, Country: capi.Some(int64(1))}
	}, want: "ldu_state_missing@data_processing_options_state ldu_needs_ip@data_processing_options_state"},
	{name: "state without country", edit: func(ev *capi.Event) { ev.DataProcessing = ldu(0, 1000) }, want: "ldu_state_without_country@data_processing_options_state"},
	{name: "nothing to locate", edit: func(ev *capi.Event) { ev.DataProcessing = ldu(1, 0) }, want: "ldu_needs_ip@data_processing_options_state"},
	{name: "nothing to locate at all", edit: func(ev *capi.Event) { ev.DataProcessing = ldu(0, 0) }, want: "ldu_no_location@data_processing_options_state"},
	{name: "located by address", base: visit, edit: func(ev *capi.Event) { ev.DataProcessing = ldu(1, 0) }},
	{name: "state while off", edit: func(ev *capi.Event) { ev.DataProcessing = &capi.DataProcessing{State: capi.Some(int64(1000))} },
		want: "ldu_without_option@data_processing_options"},

	// App, messaging, CRM.
	{name: "app without data", base: appEvent, edit: func(ev *capi.Event) { ev.AppData = nil }, want: "missing_app_data@app_data"},
	{name: "empty app data", base: appEvent, edit: func(ev *capi.Event) { ev.AppData = &capi.AppData{} },
		want: "missing_advertiser_tracking@app_data.advertiser_tracking_enabled missing_extinfo@app_data.extinfo"},
	{name: "short extinfo", base: appEvent, edit: func(ev *capi.Event) { ev.AppData.ExtInfo = ev.AppData.ExtInfo[:15] }, want: "bad_extinfo@app_data.extinfo"},
	{name: "extinfo without version", base: appEvent, edit: func(ev *capi.Event) { ev.AppData.ExtInfo[4] = "" }, want: "bad_extinfo@app_data.extinfo"},
	{name: "latin-1 extinfo", base: appEvent, edit: func(ev *capi.Event) { ev.AppData.ExtInfo[5] = "\xfc" }, want: "bad_text@app_data.extinfo[5]"},
	{name: "no channel", base: message, edit: func(ev *capi.Event) { ev.MessagingChannel = "" }, want: "missing_messaging_channel@messaging_channel"},
	{name: "other channel", base: message, edit: func(ev *capi.Event) { ev.MessagingChannel = "sms" }, want: "bad_messaging_channel@messaging_channel"},
	{name: "channel elsewhere", edit: func(ev *capi.Event) { ev.MessagingChannel = capi.WhatsApp }, want: "messaging_channel_unused@messaging_channel"},
	{name: "messenger without user", base: message, edit: func(ev *capi.Event) { ev.UserData.PageScopedUserID = "" }, want: "missing_messaging_keys@user_data"},
	{name: "whatsapp without page", base: message, edit: func(ev *capi.Event) {
		ev.MessagingChannel, ev.UserData = capi.WhatsApp, capi.UserData{WhatsAppBusinessAccountID: "1", CTWAClid: "x"}
	}, want: "missing_page_id@user_data.page_id"},
	{name: "instagram, parameter page's name", base: message, edit: func(ev *capi.Event) {
		ev.MessagingChannel, ev.UserData = capi.Instagram, capi.UserData{IGAccountID: "1", IGSID: "2"}
	}},
	{name: "instagram, sample's name", base: message, edit: func(ev *capi.Event) {
		ev.MessagingChannel, ev.UserData = capi.Instagram, capi.UserData{InstagramBusinessAccountID: "1", IGSID: "2"}
	}},
	{name: "event messaging does not know", base: message, edit: func(ev *capi.Event) { ev.EventName = "Lead" }, want: "bad_messaging_event_name@event_name"},
	{name: "stages may be called anything", base: lead, edit: func(*capi.Event) {}},
	{name: "lead without system", base: lead, edit: func(ev *capi.Event) { ev.CustomData.LeadEventSource = "" }, want: "missing_lead_event_source@custom_data.lead_event_source"},
	{name: "lead on the phone", base: lead, edit: func(ev *capi.Event) { ev.ActionSource = capi.PhoneCall }, want: "crm_action_source@action_source"},
	{name: "lead by id only", base: lead, edit: func(ev *capi.Event) { ev.UserData = capi.UserData{ExternalID: []string{"1"}} }, want: "crm_identifiers@user_data"},
	{name: "other event source", edit: func(ev *capi.Event) { ev.CustomData.EventSource = "shop" }, want: "unknown_event_source@custom_data.event_source"},

	// Links.
	{name: "attribution", base: attribution, edit: func(*capi.Event) {}},
	{name: "attribution without original", base: attribution, edit: func(ev *capi.Event) { ev.OriginalEventData = nil }, want: "original_event_required@original_event_data"},
	{name: "original in milliseconds", edit: func(ev *capi.Event) { ev.OriginalEventData = &capi.OriginalEventData{EventTime: ev.EventTime * 1000} },
		want: "original_event_time@original_event_data.event_time"},
	{name: "original too old", base: attribution, edit: func(ev *capi.Event) {
		ev.OriginalEventData.EventTime -= 7 * 24 * hour
		ev.AttributionData.TouchpointTS -= 7 * 24 * hour
	}, want: "original_event_too_old@original_event_data.event_time"},
	{name: "attribution late", base: attribution, edit: func(ev *capi.Event) {
		ev.OriginalEventData.EventTime -= 47 * hour
		ev.AttributionData.TouchpointTS -= 47 * hour
	}, want: "original_event_late@original_event_data.event_time"},
	{name: "attribution without data", base: attribution, edit: func(ev *capi.Event) { ev.AttributionData = nil }, want: "missing_attribution_data@attribution_data"},
	{name: "attribution of another event", base: attribution, edit: func(ev *capi.Event) { ev.EventName = "Lead" }, want: "attribution_event_name@event_name"},
	{name: "attribution without ad", base: attribution, edit: func(ev *capi.Event) { ev.AttributionData.AdID = "" }, want: "attribution_required@attribution_data"},
	{name: "touch after the sale", base: attribution, edit: func(ev *capi.Event) { ev.AttributionData.TouchpointTS += 2 * hour }, want: "bad_touchpoint@attribution_data.touchpoint_ts"},
	{name: "share in per cent", base: attribution, edit: func(ev *capi.Event) { ev.AttributionData.AttributionShare.Value = 500000 }, want: "bad_attribution_share@attribution_data.attribution_share"},
	{name: "original just within 48 hours", base: attribution, edit: original(48*hour - 1)},
	{name: "original 48 hours old", base: attribution, edit: original(48 * hour), want: "original_event_late@original_event_data.event_time"},
	{name: "original within the margin of 48 hours", base: attribution, opts: capi.Options{Margin: time.Hour}, edit: original(47 * hour),
		want: "original_event_late@original_event_data.event_time"},
	{name: "original within the margin of 7 days", base: attribution, opts: capi.Options{Margin: time.Hour}, edit: original(7*24*hour - 60),
		want: "original_event_too_old@original_event_data.event_time"},
	{name: "share of something else", base: attribution, edit: func(ev *capi.Event) { ev.AttributionData.AttributionValue.Value = 1000000 },
		want: "attribution_value_mismatch@attribution_data.attribution_value"},
	{name: "attribution properties", base: attribution, edit: func(ev *capi.Event) {
		ev.AttributionData.Properties = []capi.Property{{Key: "attribution_model", JSON: `"linear"`}, {Key: "attribution_method", JSON: `"guess"`},
			{Key: "color", JSON: `1`}, {Key: "scope", JSON: `x`}, {Key: "adset_id", JSON: `"1"`}, {Key: "adset_id", JSON: `"2"`}}
	}, want: "bad_attribution_property@attribution_data.properties[1] bad_attribution_property@attribution_data.properties[2] " +
		"property_not_json@attribution_data.properties[3] property_duplicate@attribution_data.properties[5]"},
	{name: "store ids", edit: func(ev *capi.Event) {
		ev.StoreData = &capi.StoreData{StorePageID: "x", BrandPageID: "y", StoreCode: "A-1"}
	},
		want: "bad_store_id@store_data.store_page_id bad_store_id@store_data.brand_page_id bad_store_code@store_data.store_code"},
	{name: "several at once", edit: func(ev *capi.Event) { ev.EventName, ev.EventTime, ev.CustomData.Currency = "", 0, "x" },
		want: "missing_event_name@event_name missing_event_time@event_time bad_currency@custom_data.currency"},
}

func ldu(country, state int64) *capi.DataProcessing {
	return &capi.DataProcessing{Options: []string{"LDU"}, Country: capi.Some(country), State: capi.Some(state)}
}

// TestEncodeFaults checks code and path of every fault, that refusing leaves the
// bytes before alone, and that no fault repeats a value.
func TestEncodeFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range faultCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ev := sale()
			if tt.base != nil {
				ev = tt.base()
			}
			tt.edit(&ev)
			before := []byte("before")
			got, report := newEncoder(t, tt.opts).Append(before, &ev)
			if text := faultText(report.Faults); text != tt.want {
				t.Fatalf("faults %s\nwant   %s", text, tt.want)
			}
			refused := false
			for _, f := range report.Faults {
				refused = refused || f.Effect == capi.Refuse
				if f.Message == "" || f.Fix == "" {
					t.Errorf("%s says nothing", f.Code)
				}
			}
			if refused != report.Refused() || refused != (len(got) == len(before)) {
				t.Errorf("refused %t, report says %t, %d bytes written", refused, report.Refused(), len(got)-len(before))
			}
			if !refused {
				check := capi.CheckOptions{Now: testNow, AllowMissingUserAgent: tt.opts.AllowMissingUserAgent}
				if faults := capi.CheckWire(got[len(before):], check); faults != nil {
					t.Errorf("CheckWire finds %s", faultText(faults))
				}
				if err := isCanonical(got[len(before):]); err != "" {
					t.Errorf("not canonical: %s", err)
				}
			}
		})
	}
}

// faultText writes faults as code@path, the way the tables name them.
func faultText(faults []capi.Fault) string {
	var b strings.Builder
	for i, f := range faults {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(f.Code + "@" + f.Path)
	}
	return b.String()
}

// TestEveryCodeIsProvoked keeps the catalogue honest: a code that no test reaches
// is either dead or untested.
func TestEveryCodeIsProvoked(t *testing.T) {
	t.Parallel()
	provoked := map[string]bool{}
	note := func(text string) {
		for _, fault := range strings.Fields(text) {
			code, _, _ := strings.Cut(fault, "@")
			provoked[code] = true
		}
	}
	for _, tt := range faultCases {
		note(tt.want)
	}
	for _, tt := range wireCases {
		note(tt.want)
	}
	for _, tt := range parseCases {
		note(tt.want)
	}
	for _, tt := range requestCases {
		note(tt.want)
	}
	for _, tt := range legacyCases {
		note(tt.faults)
	}
	for _, code := range []string{capi.CodeTooOld, capi.CodeFutureTime, capi.CodeLateEvent, capi.CodeOfflineOver7Days} {
		provoked[code] = true // TestEncodeWindows
	}
	seen := map[string]bool{}
	for _, info := range capi.Codes() {
		if seen[info.Code] {
			t.Errorf("%s is in the catalogue twice", info.Code)
		}
		seen[info.Code] = true
		if !provoked[info.Code] {
			t.Errorf("no test provokes %s", info.Code)
		}
		if strings.HasSuffix(info.Message, ".") || strings.HasSuffix(info.Fix, ".") {
			t.Errorf("%s ends with a full stop", info.Code)
		}
	}
	for code := range provoked {
		if !slices.ContainsFunc(capi.Codes(), func(i capi.CodeInfo) bool { return i.Code == code }) {
			t.Errorf("a test wants %s, which is not in the catalogue", code)
		}
	}
}
