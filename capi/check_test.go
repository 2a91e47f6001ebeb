package capi_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/capi"
)

// wireCase spoils finished bytes: old is replaced with new in the wire form of the
// base event.
type wireCase struct {
	name     string
	base     func() capi.Event
	old, new string
	want     string
}

const (
	emHash = "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"
	noHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// wireCases names only what CheckWire finds; the values are what a defect of the
// encoder could leave behind.
var wireCases = []wireCase{
	{name: "cut off", old: `"]}}`, new: `"]`, want: "not_json@user_data"},
	{name: "more than one", old: `]}}`, new: `]}}{}`, want: "not_json@"},
	{name: "key twice", old: `"event_id":`, new: `"event_name":"Lead","event_id":`, want: "duplicate_key@"},
	{name: "key of nobody", old: `"event_id":`, new: `"advertiser_tracking_enabled":1,"event_id":`, want: "unknown_key@advertiser_tracking_enabled"},
	{name: "odd key", old: `"event_id":`, new: `"anna@example.com":1,"event_id":`, want: "unknown_key@?"},
	{name: "key of nobody inside", old: `"em":`, new: `"email":`, want: "unknown_key@user_data.email"},
	{name: "null", old: `"order-1001"`, new: `null`, want: "null_value@event_id"},
	{name: "null in a property", old: `"value":12.5`, new: `"value":12.5,"x":{"a":["n\"n",null]}`, want: "null_value@custom_data.x"},
	{name: "no null in a property", old: `"value":12.5`, new: `"value":12.5,"x":["null",true,false,"\\\\n"]`},
	{name: "key that is a telephone number", old: `"event_id":`, new: `"447700900123":1,"event_id":`, want: "unknown_key@?"},
	{name: "key that holds one", old: `"event_id":`, new: `"tel447700900123":1,"event_id":`, want: "unknown_key@?"},
	{name: "key that is a hash", old: `"event_id":`, new: `"` + emHash + `":1,"event_id":`, want: "unknown_key@?"},
	{name: "key that is half a hash", old: `"event_id":`, new: `"` + strings.Repeat("ab", 16) + `":1,"event_id":`, want: "unknown_key@?"},
	{name: "key as long as a token", old: `"event_id":`, new: `"` + strings.Repeat("xy", 17) + `":1,"event_id":`, want: "unknown_key@?"},
	{name: "list with null", old: `"em":["` + emHash + `"]`, new: `"em":[null]`, want: "null_value@user_data.em[0]"},
	{name: "empty list", old: `"em":["` + emHash + `"]`, new: `"em":[]`, want: "empty@user_data.em"},
	{name: "number for text", old: `"order-1001"`, new: `1001`, want: "wrong_type@event_id"},
	{name: "text for number", old: `"value":12.5`, new: `"value":"12.5"`, want: "wrong_type@custom_data.value missing_value@custom_data.value"},
	{name: "object for list", old: `"contents":[`, new: `"contents":{},"x":[`, want: "wrong_type@custom_data.contents"},
	{name: "clear text", old: emHash, new: "john@example.com", want: "not_hashed@user_data.em[0]"},
	{name: "upper-case hash", old: emHash, new: strings.ToUpper(emHash), want: "not_hashed@user_data.em[0]"},
	{name: "MD5", old: emHash, new: emHash[:32], want: "not_hashed@user_data.em[0]"},
	{name: "hash and more", old: emHash, new: emHash + ".x", want: "not_hashed@user_data.em[0]"},
	{name: "hash with appendix", old: emHash, new: emHash + ".ABcDEFGh"},
	{name: "a hash alone", old: `"em":["` + emHash + `"]`, new: `"em":"` + emHash + `"`},
	{name: "hash of nothing", old: emHash, new: noHash, want: "hash_of_empty@user_data.em[0]"},
	{name: "empty value", old: `"` + emHash + `"`, new: `""`, want: "empty@user_data.em[0]"},
	{name: "too old", old: "1795258800", new: "1788000000", want: "too_old@event_time"},
	{name: "future", old: "1795258800", new: "1795262461", want: "future_time@event_time"},
	{name: "milliseconds", old: "1795258800", new: "1795258800000", want: "event_time_milliseconds@event_time"},
	{name: "zero time", old: "1795258800", new: "0", want: "missing_event_time@event_time"},
	{name: "fraction of a second", old: "1795258800", new: "1795258800.5", want: "wrong_type@event_time"},
	{name: "time beyond integers", old: "1795258800", new: "99999999999999999999", want: "number_too_large@event_time"},
	{name: "exponent", old: "12.5}", new: "1.25e1}", want: "bad_number@custom_data.value"},
	{name: "five decimals", old: "12.5}", new: "12.50001}", want: "bad_number@custom_data.value"},
	{name: "endless value", old: "12.5}", new: strings.Repeat("9", 20) + "}", want: "number_too_large@custom_data.value"},
	{name: "negative", old: "12.5}", new: "-12.5}", want: "negative_value@custom_data.value"},
	{name: "lower-case currency", old: "GBP", new: "gbp", want: "bad_currency@custom_data.currency"},
	{name: "other source", old: "physical_store", new: "store", want: "bad_action_source@action_source"},
	{name: "no source", old: `"action_source":"physical_store",`, new: ``, want: "missing_action_source@action_source"},
	{name: "no name", old: `"event_name":"Purchase",`, new: ``, want: "missing_event_name@event_name"},
	{name: "empty name", old: `"Purchase"`, new: `""`, want: "missing_event_name@event_name"},
	{name: "no time", old: `"event_time":1795258800,`, new: ``, want: "missing_event_time@event_time"},
	{name: "no customer", old: `,"user_data":`, new: `,"custom_data2":`, want: "unknown_key@custom_data2 missing_user_data@user_data"},
	{name: "empty text", old: `"order-1001"`, new: `""`, want: "empty@event_id"},
	{name: "no value", old: `,"value":12.5`, new: ``, want: "missing_value@custom_data.value"},
	{name: "no currency", old: `"currency":"GBP",`, new: ``, want: "missing_currency@custom_data.currency"},
	{name: "no content id", old: `"id":"85123A",`, new: ``, want: "missing_content_id@custom_data.contents[0].id"},
	{name: "no quantity at all", old: `"quantity":5`, new: `"quantity":0`, want: "bad_quantity@custom_data.contents[0].quantity"},
	{name: "negative price", old: `"item_price":2.5`, new: `"item_price":-2.5`, want: "negative_item_price@custom_data.contents[0].item_price"},
	{name: "long name", old: "Purchase", new: strings.Repeat("x", 51), want: "event_name_too_long@event_name"},
	{name: "control in name", old: "Purchase", new: `Pur\u0007chase`, want: "event_name_characters@event_name"},
	{name: "long text", old: "order-1001", new: strings.Repeat("x", 8193), want: "text_too_long@event_id"},
	{name: "deep", old: `"order_id":"1001"`, new: `"event_source":` + strings.Repeat("[", 40) + strings.Repeat("]", 40), want: "wrong_type@custom_data.event_source"},
	{name: "large", old: `"order_id":"1001"`, new: `"x":"` + strings.Repeat("x", 256<<10) + `"`, want: "event_too_large@"},

	{name: "website without page", base: visit, old: `"event_source_url":"https://shop.example.com/thanks?order=1001",`, new: ``,
		want: "missing_event_source_url@event_source_url"},
	{name: "website without user agent", base: visit, old: `"client_user_agent":"Mozilla/5.0 (X11; Linux x86_64)",`, new: ``,
		want: "missing_user_agent@user_data.client_user_agent"},
	{name: "other scheme", base: visit, old: "https://shop", new: "ftp://shop", want: "bad_event_source_url@event_source_url"},
	{name: "referrer", base: visit, old: `"user_data"`, new: `"referrer_url":"x","user_data"`, want: "bad_referrer_url@referrer_url"},
	{name: "two addresses", base: visit, old: "203.0.113.7", new: "203.0.113.7,10.0.0.1", want: "ip_invalid@user_data.client_ip_address"},
	{name: "zone", base: visit, old: "203.0.113.7", new: "fe80::1%eth0", want: "ip_invalid@user_data.client_ip_address"},
	{name: "hashed address", base: visit, old: "203.0.113.7", new: emHash, want: "hashed_not_allowed@user_data.client_ip_address"},
	{name: "endless user agent", base: visit, old: "Mozilla/5.0", new: strings.Repeat("x", 4097), want: "too_long@user_data.client_user_agent"},
	{name: "bad cookies", base: visit, old: `"fn"`, new: `"fbc":"fb.1.1.x","fbp":"fb.1.1596403881668.x","fn"`, want: "fbc_invalid@user_data.fbc fbp_invalid@user_data.fbp"},
	{name: "good cookies", base: visit, old: `"fn"`, new: `"fbc":"fb.1.1596403881668.IwAR0.AQ","fbp":"fb.1.1596403881668.1","fn"`},
	{name: "advertising id", base: visit, old: `"ph"`, new: `"madid":"x","ph"`, want: "madid_invalid@user_data.madid"},
	{name: "no advertising id", base: visit, old: `"ph"`, new: `"madid":"00000000-0000-0000-0000-000000000000","ph"`, want: "madid_zero@user_data.madid"},
	{name: "page name", base: visit, old: `"ph"`, new: `"page_id":"x","ph"`, want: "not_numeric@user_data.page_id"},
	{name: "lead id as text", base: visit, old: `"ph"`, new: `"lead_id":"1234567890123456","ph"`, want: "wrong_type@user_data.lead_id"},
	{name: "short lead id", base: visit, old: `"ph"`, new: `"lead_id":1234,"ph"`, want: "lead_id_invalid@user_data.lead_id"},
	{name: "negative login id", base: visit, old: `"fn"`, new: `"fb_login_id":-1,"fn"`, want: "not_numeric@user_data.fb_login_id"},
	{name: "limited data use", base: visit, old: `"event_id"`, new: `"data_processing_options":["LDU"],"data_processing_options_country":1,"data_processing_options_state":0,"event_id"`},
	{name: "other option", base: visit, old: `"event_id"`, new: `"data_processing_options":["CCPA"],"event_id"`, want: "bad_ldu_option@data_processing_options"},
	{name: "combinations", old: `"event_id"`, new: `"data_processing_options":["LDU"],"data_processing_options_country":3,"data_processing_options_state":7,"event_id"`,
		want: "bad_ldu_country@data_processing_options_country bad_ldu_state@data_processing_options_state"},
	{name: "country alone", old: `"event_id"`, new: `"data_processing_options":["LDU"],"data_processing_options_country":1,"event_id"`,
		want: "ldu_state_missing@data_processing_options_state"},
	{name: "state alone", old: `"event_id"`, new: `"data_processing_options":["LDU"],"data_processing_options_state":1000,"event_id"`,
		want: "ldu_state_without_country@data_processing_options_state"},
	{name: "nothing to locate", old: `"event_id"`, new: `"data_processing_options":["LDU"],"data_processing_options_country":1,"data_processing_options_state":0,"event_id"`,
		want: "ldu_needs_ip@data_processing_options_state"},
	{name: "state while off", old: `"event_id"`, new: `"data_processing_options":[],"data_processing_options_state":1000,"event_id"`,
		want: "ldu_without_option@data_processing_options"},
	{name: "store", old: `"user_data"`, new: `"store_data":{"store_code":"A-1","store_page_id":"x"},"user_data"`,
		want: "bad_store_code@store_data.store_code bad_store_id@store_data.store_page_id"},
	{name: "delivery", old: `"order_id"`, new: `"delivery_category":"drone","num_items":-1,"order_id"`,
		want: "bad_delivery_category@custom_data.delivery_category bad_num_items@custom_data.num_items"},
	{name: "segmentation", old: `"order_id"`, new: `"customer_segmentation":"vip","order_id"`, want: "bad_customer_segmentation@custom_data.customer_segmentation"},
	{name: "null property", old: `"order_id":"1001"`, new: `"contents2":null`, want: "null_value@custom_data.contents2"},

	{name: "app without data", base: appEvent, old: `"app_data"`, new: `"app_data2"`, want: "unknown_key@app_data2 missing_app_data@app_data"},
	{name: "app without tracking", base: appEvent, old: `"advertiser_tracking_enabled":0,`, new: ``, want: "missing_advertiser_tracking@app_data.advertiser_tracking_enabled"},
	{name: "tracking two", base: appEvent, old: `"advertiser_tracking_enabled":0,`, new: `"advertiser_tracking_enabled":2,`, want: "wrong_type@app_data.advertiser_tracking_enabled"},
	{name: "app without extinfo", base: appEvent, old: `"extinfo":`, new: `"url_schemes":`, want: manySchemes + "missing_extinfo@app_data.extinfo"},
	{name: "extinfo too long", base: appEvent, old: `"a2",`, new: `"a2","",`, want: "bad_extinfo@app_data.extinfo"},
	{name: "no channel", base: message, old: `"messaging_channel":"messenger",`, new: ``, want: "missing_messaging_channel@messaging_channel"},
	{name: "other channel", base: message, old: `"messenger"`, new: `"sms"`, want: "bad_messaging_channel@messaging_channel"},
	{name: "other channel's keys", base: message, old: `"messenger"`, new: `"whatsapp"`, want: "missing_messaging_keys@user_data"},
	{name: "instagram's keys", base: message, old: `"messenger"`, new: `"instagram"`, want: "missing_messaging_keys@user_data"},
	{name: "other event", base: message, old: `LeadSubmitted`, new: `Lead`, want: "bad_messaging_event_name@event_name"},
	{name: "nameless CRM", base: lead, old: `,"lead_event_source":"Our CRM"`, new: ``, want: "missing_lead_event_source@custom_data.lead_event_source"},
	{name: "CRM in a shop", base: lead, old: `system_generated`, new: `physical_store`, want: "crm_action_source@action_source"},
	{name: "attribution of another event", base: attribution, old: `AppendAttribution`, new: `Lead`, want: "attribution_event_name@event_name"},
	{name: "attribution without data", base: attribution, old: `"attribution_data":{`, new: `"custom_data2":{`, want: "unknown_key@custom_data2 missing_attribution_data@attribution_data"},
	{name: "attribution without ad", base: attribution, old: `"ad_id":"1",`, new: ``, want: "attribution_required@attribution_data"},
	{name: "attribution in per cent", base: attribution, old: `"attribution_share":0.5`, new: `"attribution_share":50`, want: "bad_attribution_share@attribution_data.attribution_share"},
	{name: "attribution by guess", base: attribution, old: `"ad_id":"1"`, new: `"ad_id":"1","attribution_model":"guess"`, want: "bad_attribution_property@attribution_data.attribution_model"},
	{name: "original in milliseconds", base: attribution, old: `"event_time":1795255200`, new: `"event_time":1795255200000`, want: "original_event_time@original_event_data.event_time"},
	{name: "original after the event", base: attribution, old: `"event_time":1795255200`, new: `"event_time":1795258801`, want: "original_event_time@original_event_data.event_time"},
	{name: "original before the epoch", base: attribution, old: `"event_time":1795255200`, new: `"event_time":-1`,
		want: "original_event_time@original_event_data.event_time original_event_too_old@original_event_data.event_time bad_touchpoint@attribution_data.touchpoint_ts"},
	{name: "original without time", base: attribution, old: `"event_time":1795255200`, new: `"event_time":0`, want: "original_event_required@original_event_data"},
	{name: "original 48 hours old", base: attribution, old: `"event_time":1795255200`, new: `"event_time":1795089600`,
		want: "original_event_late@original_event_data.event_time bad_touchpoint@attribution_data.touchpoint_ts"},
	{name: "touchpoint after the original", base: attribution, old: `"touchpoint_ts":1795251600`, new: `"touchpoint_ts":1795255201`, want: "bad_touchpoint@attribution_data.touchpoint_ts"},
	{name: "touchpoint in milliseconds", base: attribution, old: `"touchpoint_ts":1795251600`, new: `"touchpoint_ts":1795251600000`, want: "bad_touchpoint@attribution_data.touchpoint_ts"},
	{name: "touchpoint without time", base: attribution, old: `"touchpoint_ts":1795251600`, new: `"touchpoint_ts":0`, want: "attribution_required@attribution_data"},
	{name: "name ends in a no-break space", old: `"Purchase"`, new: `"Purchase "`, want: "event_name_characters@event_name"},
	{name: "name begins with a zero-width space", old: `"Purchase"`, new: "\"\u200bPurchase\"", want: "event_name_characters@event_name"},
	{name: "blank id", old: `"order-1001"`, new: `"  "`, want: "empty@event_id"},
	{name: "login id beyond 64 bits", old: `"em":`, new: `"fb_login_id":9223372036854775808,"em":`, want: "not_numeric@user_data.fb_login_id"},
	{name: "largest login id", old: `"em":`, new: `"fb_login_id":9223372036854775807,"em":`},
	{name: "101 values", old: `"em":["` + emHash + `"]`, new: `"em":["` + emHash + `"` + strings.Repeat(`,"`+emHash+`"`, 100) + `]`, want: "too_many_values@user_data.em"},
	{name: "100 values", old: `"em":["` + emHash + `"]`, new: `"em":["` + emHash + `"` + strings.Repeat(`,"`+emHash+`"`, 99) + `]`},
	{name: "SDK key", old: `"em":`, new: `"fi":"` + emHash + `","em":`},
	{name: "SDK key in a list", old: `"em":`, new: `"fi":["` + emHash + `"],"em":`},
	{name: "original without name", base: attribution, old: `"event_name":"Purchase",`, new: ``, want: "original_event_required@original_event_data"},
}

// manySchemes are the empty items of an extinfo that became url_schemes.
var manySchemes = func() string {
	var b strings.Builder
	for _, i := range []string{"1", "2", "3", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"} {
		b.WriteString("empty_list_item@app_data.url_schemes[" + i + "] ")
	}
	return b.String()
}()

func TestCheckWire(t *testing.T) {
	t.Parallel()
	for _, tt := range wireCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ev := sale()
			if tt.base != nil {
				ev = tt.base()
			}
			wire, report := newEncoder(t, capi.Options{}).Append(nil, &ev)
			if report.Refused() {
				t.Fatal(report.Faults)
			}
			if !strings.Contains(string(wire), tt.old) {
				t.Fatalf("%s is not in %s", tt.old, wire)
			}
			spoilt := strings.Replace(string(wire), tt.old, tt.new, 1)
			faults := capi.CheckWire([]byte(spoilt), capi.CheckOptions{Now: testNow})
			if got := faultText(faults); got != tt.want {
				t.Fatalf("faults %s\nwant   %s\nbytes  %.300s", got, tt.want, spoilt)
			}
			for _, f := range faults {
				if f.Effect == capi.Drop {
					t.Errorf("%s would drop a value of finished bytes", f.Code)
				}
			}
		})
	}
}

// TestCheckWireMargin checks that the margin is taken off the windows of an
// attribution too, as the encoder does.
func TestCheckWireMargin(t *testing.T) {
	t.Parallel()
	for age, want := range map[int64]string{
		47*hour - 1:       "",
		47 * hour:         "original_event_late@original_event_data.event_time",
		(7*24 - 1) * hour: "original_event_late@original_event_data.event_time",
		7*24*hour - 60:    "original_event_too_old@original_event_data.event_time",
	} {
		ev := attribution()
		wire, report := newEncoder(t, capi.Options{}).Append(nil, &ev)
		if report.Refused() {
			t.Fatal(report.Faults)
		}
		original := testNow().Unix() - age
		spoilt := strings.Replace(string(wire), `"event_time":1795255200`, `"event_time":`+strconv.FormatInt(original, 10), 1)
		spoilt = strings.Replace(spoilt, `"touchpoint_ts":1795251600`, `"touchpoint_ts":`+strconv.FormatInt(original-1, 10), 1)
		faults := capi.CheckWire([]byte(spoilt), capi.CheckOptions{Now: testNow, Margin: time.Hour})
		if got := faultText(faults); got != want {
			t.Errorf("%d s old: faults %s, want %s", age, got, want)
		}
	}
}

// TestSufficiencyAgrees compares the encoder's sufficiency rule with CheckWire's,
// which is written in another form, over every set of the keys it is about.
func TestSufficiencyAgrees(t *testing.T) {
	t.Parallel()
	fields := []capi.Field{capi.FieldCity, capi.FieldCountry, capi.FieldState, capi.FieldZip, capi.FieldGender,
		capi.FieldClientUserAgent, capi.FieldBirthDate, capi.FieldFirstName, capi.FieldLastName, capi.FieldEmail, capi.FieldFBP}
	for set := range 1 << len(fields) {
		var keys capi.KeySet
		var members []string
		for i, f := range fields {
			if set>>i&1 == 0 {
				continue
			}
			keys = keys.With(f)
			value := `["` + emHash + `"]`
			switch f {
			case capi.FieldClientUserAgent:
				value = `"curl/8"`
			case capi.FieldFBP:
				value = `"fb.1.1596403881668.1"`
			}
			members = append(members, `"`+f.String()+`":`+value)
		}
		wire := `{"action_source":"other","event_name":"Lead","event_time":1795258800,"user_data":{` + strings.Join(members, ",") + `}}`
		faults := capi.CheckWire([]byte(wire), capi.CheckOptions{Now: testNow})
		if (len(faults) == 0) != keys.Sufficient() {
			t.Fatalf("%s: Sufficient %t, CheckWire %s", keys, keys.Sufficient(), faultText(faults))
		}
	}
}
