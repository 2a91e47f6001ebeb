package sandbox_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sluice/internal/sandbox"
)

const (
	eventsPath = "/v26.0/" + sandbox.Dataset + "/events"
	day        = 24 * 3600
)

func app(changes ...func(event)) event {
	ext := make([]string, 16)
	ext[0], ext[4] = "a2", "14"
	e := sale("app", set("action_source", "app"), set("app_data", map[string]any{"advertiser_tracking_enabled": 1, "extinfo": ext}))
	for _, c := range changes {
		c(e)
	}
	return e
}

func message(channel string, user map[string]any) event {
	return sale("m", set("action_source", "business_messaging"), set("messaging_channel", channel), only(user))
}

func renamed(e event, name string) event {
	e["event_name"] = name
	return e
}

func appended(changes ...func(event)) event {
	e := sale("aa", set("event_name", "AppendAttribution"),
		set("original_event_data", map[string]any{"event_name": "Purchase", "event_time": epoch.Unix() - 7200}),
		set("attribution_data", map[string]any{"ad_id": "1", "touchpoint_ts": epoch.Unix() - 9000, "attribution_share": 0.5, "attribution_value": 6.25}))
	for _, c := range changes {
		c(e)
	}
	return e
}

func ldu(options []string, country, state any) func(event) {
	return func(e event) {
		e["data_processing_options"] = options
		put(e, "data_processing_options_country", country)
		put(e, "data_processing_options_state", state)
	}
}

// checkCase is one event and the subcode it is refused with; 0 means accepted.
type checkCase struct {
	name    string
	event   event
	subcode int
	text    string // must occur in error_user_msg
}

var checkCases = []checkCase{
	// structure
	{"unexpected key", sale("x", set("advertiser_tracking_enabled", 1)), 2804019, `Unexpected key "advertiser_tracking_enabled" on param "$['data'][0]".`},
	{"unexpected user key", sale("x", with("email", hashed("a"))), 2804019, `Unexpected key "email" on param "$['data'][0]['user_data']".`},
	{"wrong case", sale("x", with("EM", hashed("a"))), 2804019, `Unexpected key "EM"`},
	{"event_name is a number", sale("x", set("event_name", 1)), 2804019, "must be a string"},
	{"event_time is a fraction", sale("x", set("event_time", 1.5)), 2804019, "must be an integer"},
	{"event_time is text", sale("x", set("event_time", "today")), 2804019, "must be an integer"},
	{"event_time as digits in text", sale("x", set("event_time", fmt.Sprint(epoch.Unix()-60))), 0, ""},
	{"event_time beyond int64", sale("x", set("event_time", "99999999999999999999")), 2804019, "must be an integer"},
	{"user_data is a list", sale("x", set("user_data", []string{})), 2804019, "must be an object"},
	{"scalar key as list", sale("x", with("fbp", []string{"fb.1.1700000000000.1"})), 2804019, "must be a string"},
	{"opt_out is text", sale("x", set("opt_out", "yes")), 2804019, "must be a boolean"},
	{"opt_out true", sale("x", set("opt_out", true)), 0, ""},
	{"contents is an object", sale("x", custom("contents", map[string]any{})), 2804019, "list of objects"},
	{"content quantity is a fraction", sale("x", custom("contents", []any{map[string]any{"id": "a", "quantity": 1.5}})), 2804019, "must be an integer"},
	{"contents with an unknown key", sale("x", custom("contents", []any{map[string]any{"id": "a", "colour": "red"}})), 0, ""},
	{"custom property of any shape", sale("x", custom("basket", map[string]any{"a": []any{1, nil, "b"}})), 0, ""},
	{"value is an object", sale("x", custom("value", map[string]any{})), 2804019, "must be a number"},
	{"unexpected app_data key", app(set("app_data", map[string]any{"brand": "x"})), 2804019, `Unexpected key "brand"`},
	{"unexpected store_data key", sale("x", set("store_data", map[string]any{"shop": "x"})), 2804019, `Unexpected key "shop"`},
	{"store_data", sale("x", set("store_data", map[string]any{"store_code": "A1", "store_page_id": "1"})), 0, ""},
	{"every documented key", everything(), 0, ""},
	{"content_ids is text", sale("x", custom("content_ids", "a")), 2804019, "must be a list of strings"},
	{"content_ids holds an object", sale("x", custom("content_ids", []any{map[string]any{}})), 2804019, "must be a string"},
	{"num_items is a fraction", sale("x", custom("num_items", 1.5)), 2804019, "must be an integer"},
	{"long key", sale("x", set(strings.Repeat("k", 500), 1)), 2804019, `…" on param "$['data'][0]".`},
	{"processing options as text", sale("x", set("data_processing_options", "LDU")), 2804019, "must be a list of strings"},
	{"processing option is a number", sale("x", set("data_processing_options", []any{1})), 2804019, "must be a string"},
	{"unexpected original_event_data key", sale("x", set("original_event_data", map[string]any{"id": 1})), 2804019, `Unexpected key "id"`},
	{"unexpected attribution_data key", sale("x", set("attribution_data", map[string]any{"id": 1})), 2804019, `Unexpected key "id"`},
	{"legacy key as list", sale("x", with("f5first", []string{hashed("a")})), 2804019, "must be a string"},
	{"content without id", sale("x", custom("contents", []any{map[string]any{"quantity": 1}})), 2804019, `['contents']['id']" is required`},
	{"content with an empty id", sale("x", custom("contents", []any{map[string]any{"id": ""}})), 2804019, "is required"},
	// documented limits
	{"content quantity 0", sale("x", custom("contents", []any{map[string]any{"id": "a", "quantity": 0}})), 9990018, "at least 1"},
	{"endless item price", sale("x", custom("contents", []any{map[string]any{"id": "a", "item_price": json.RawMessage("1e400")}})), 9990018, "finite"},
	{"item price in words", sale("x", custom("contents", []any{map[string]any{"id": "a", "price": "five"}})), 9990018, "finite"},
	{"unknown delivery of a content", sale("x", custom("contents", []any{map[string]any{"id": "a", "delivery_category": "drone"}})), 9990018, "home_delivery"},
	{"negative num_items", sale("x", custom("num_items", -1)), 9990018, "at least 0"},
	{"num_items 0", sale("x", custom("num_items", 0)), 0, ""},
	{"negative net revenue", sale("x", custom("net_revenue", -1.5)), 0, ""},
	{"endless predicted_ltv", sale("x", custom("predicted_ltv", "1e400")), 9990018, "finite"},
	{"unknown delivery_category", sale("x", custom("delivery_category", "drone")), 9990018, "curbside"},
	{"unknown customer_segmentation", sale("x", custom("customer_segmentation", "new")), 9990018, "['custom_data']['customer_segmentation']"},
	{"unknown customer_segmentation of the event", sale("x", set("customer_segmentation", "new")), 9990018, "customer_in_loyalty_program"},
	{"attribution_share in per cent", sale("x", set("attribution_data", map[string]any{"attribution_share": 50})), 9990018, "from 0 to 1"},
	{"negative attribution_share", sale("x", set("attribution_data", map[string]any{"attribution_share": "-0.1"})), 9990018, "from 0 to 1"},
	{"whole attribution_share", sale("x", set("attribution_data", map[string]any{"attribution_share": 1})), 0, ""},
	{"attribution_value in words", sale("x", set("attribution_data", map[string]any{"attribution_value": "all"})), 9990018, "finite"},
	{"store_code with a hyphen", sale("x", set("store_data", map[string]any{"store_code": "A-1"})), 9990018, "letters and digits"},
	{"empty store_code", sale("x", set("store_data", map[string]any{"store_code": ""})), 9990018, "letters and digits"},
	{"longest store_code", sale("x", set("store_data", map[string]any{"store_code": strings.Repeat("z", 64)})), 0, ""},
	{"store_code too long", sale("x", set("store_data", map[string]any{"store_code": strings.Repeat("z", 65)})), 9990018, "letters and digits"},
	{"longest event_name", sale("x", set("event_name", strings.Repeat("é", 50))), 0, ""},
	{"event_name too long", sale("x", set("event_name", strings.Repeat("e", 51))), 9990018, "at most 50 characters"},
	// required
	{"blank event_name", sale("x", set("event_name", " \t")), 2804019, "event_name"},
	{"no event_name", sale("x", set("event_name", nil)), 2804019, "event_name"},
	{"empty event_name", sale("x", set("event_name", "")), 2804019, "event_name"},
	{"no event_time", sale("x", set("event_time", nil)), 2804019, "event_time"},
	{"no user_data", sale("x", set("user_data", nil)), 2804019, "user_data"},
	{"no action_source", sale("x", set("action_source", nil)), 2804019, "action_source"},
	// time
	{"website 7 days old", visit("x", set("event_time", epoch.Unix()-7*day)), 0, ""},
	{"website older than 7 days", visit("x", set("event_time", epoch.Unix()-7*day-1)), 2804003, "too far in the past"},
	{"store 62 days old", sale("x", set("event_time", epoch.Unix()-62*day)), 0, ""},
	{"store older than 62 days", sale("x", set("event_time", epoch.Unix()-62*day-1)), 2804003, "too far in the past"},
	{"a minute ahead", sale("x", set("event_time", epoch.Unix()+60)), 0, ""},
	{"more than a minute ahead", sale("x", set("event_time", epoch.Unix()+61)), 9990003, "future"},
	{"milliseconds", sale("x", set("event_time", epoch.UnixMilli())), 9990003, "not milliseconds"},
	{"old and insufficient: age answers", visit("x", set("event_time", epoch.Unix()-8*day), only(map[string]any{"client_user_agent": "x"})), 2804003, ""},
	// action source
	{"unknown action_source", sale("x", set("action_source", "shop")), 9990004, "action_source"},
	{"website without user agent", visit("x", with("client_user_agent", nil)), 0, ""},
	{"app", app(), 0, ""},
	{"app without app_data", app(set("app_data", nil)), 2804019, "app_data"},
	{"app without tracking flag", app(set("app_data", map[string]any{"extinfo": make([]string, 16)})), 2804019, "advertiser_tracking_enabled"},
	{"app without extinfo", app(set("app_data", map[string]any{"advertiser_tracking_enabled": true})), 2804019, "extinfo"},
	{"short extinfo", app(set("app_data", map[string]any{"advertiser_tracking_enabled": 0, "extinfo": []string{"a2"}})), 9990008, "extinfo"},
	{"extinfo as numbered object", app(set("app_data", json.RawMessage(`{"advertiser_tracking_enabled":0,"extinfo":`+numbered(16)+`}`))), 0, ""},
	{"short numbered object", app(set("app_data", json.RawMessage(`{"advertiser_tracking_enabled":0,"extinfo":`+numbered(15)+`}`))), 9990008, "extinfo"},
	{"extinfo is text", app(set("app_data", map[string]any{"advertiser_tracking_enabled": 0, "extinfo": "a2"})), 9990008, "extinfo"},
	{"extinfo with a number", app(set("app_data", map[string]any{"advertiser_tracking_enabled": 0, "extinfo": []any{"a2", 1}})), 9990008, "extinfo"},
	{"messaging without channel", sale("x", set("action_source", "business_messaging")), 2804019, "messaging_channel"},
	{"LDU off", sale("x", ldu([]string{}, nil, nil)), 0, ""},
	{"LDU geolocated", sale("x", ldu([]string{"LDU"}, 0, 0)), 0, ""},
	{"LDU California", sale("x", ldu([]string{"LDU"}, 1, 1000)), 0, ""},
	{"LDU US state from the address", sale("x", ldu([]string{"LDU"}, 1, 0), with("client_ip_address", "192.0.2.1")), 0, ""},
	{"LDU US without address", sale("x", ldu([]string{"LDU"}, 1, 0)), 9990007, "data_processing_options"},
	{"LDU country without state", sale("x", ldu([]string{"LDU"}, 1, nil)), 9990007, ""},
	{"LDU unknown state", sale("x", ldu([]string{"LDU"}, 1, 1014)), 9990007, ""},
	{"LDU unknown country", sale("x", ldu([]string{"LDU"}, 44, 0)), 9990007, ""},
	{"unknown processing option", sale("x", ldu([]string{"GDPR"}, nil, nil)), 9990007, ""},
	{"LDU twice", sale("x", ldu([]string{"LDU", "LDU"}, 0, 0)), 9990007, ""},
	// user values
	{"plain e-mail", sale("x", with("em", []string{"a@example.com"})), 2804016, "The em parameter isn’t hashed."},
	{"second value plain", sale("x", with("ph", []string{hashed("1"), "447700900123"})), 2804016, "The ph parameter"},
	{"upper-case digest", sale("x", with("em", strings.ToUpper(hashed("a")))), 0, ""},
	{"digest with appendix", sale("x", with("em", hashed("a")+".AQYBAQAB")), 0, ""},
	{"digest with old appendix", sale("x", with("em", hashed("a")+".Ag")), 0, ""},
	{"digest with odd appendix", sale("x", with("em", hashed("a")+".zz")), 2804016, "em"},
	{"MD5", sale("x", with("em", hashed("a")[:32])), 2804016, "em"},
	{"plain external_id", sale("x", with("external_id", "customer 7")), 0, ""},
	{"null value", sale("x", with("ge", []any{nil})), 9990009, "The ge parameter"},
	{"empty value", sale("x", with("ct", "")), 9990009, "The ct parameter"},
	{"empty list", sale("x", with("zp", []string{})), 9990009, "The zp parameter"},
	{"IPv6", sale("x", with("client_ip_address", "2001:db8::1")), 0, ""},
	{"impossible IP", sale("x", with("client_ip_address", "256.256.256.256")), 9990010, "client_ip_address"},
	{"IP with zone", sale("x", with("client_ip_address", "fe80::1%eth0")), 9990010, ""},
	{"fbc", sale("x", with("fbc", "fb.1.1700000000000.IwAR2-abc_D")), 0, ""},
	{"fbc with appendix", sale("x", with("fbc", "fb.1.1700000000000.IwAR2.AQYBAQAB")), 0, ""},
	{"bare click id", sale("x", with("fbc", "IwAR2abc")), 9990011, "The fbc parameter"},
	{"fbc in seconds", sale("x", with("fbc", "fb.1.1700000000.IwAR2abcdefgh")), 9990011, ""},
	{"fbp", sale("x", with("fbp", "fb.1.1700000000000.1098115397")), 0, ""},
	{"fbp with letters", sale("x", with("fbp", "fb.1.1700000000000.abc")), 9990011, "The fbp parameter"},
	{"lead_id as number", sale("x", with("lead_id", 1234567890123456)), 0, ""},
	{"lead_id with prefix", sale("x", with("lead_id", "l:1234567890123456")), 9990012, "lead_id"},
	{"lead_id too short", sale("x", with("lead_id", "12345678901234")), 9990012, ""},
	// sufficiency
	{"no keys", sale("x", only(map[string]any{})), 2804050, "no customer information parameters"},
	{"city, state, country, gender", sale("x", only(map[string]any{"ct": hashed("a"), "st": hashed("b"), "country": hashed("gb"), "ge": hashed("f")})), 2804050, ""},
	{"birth date and user agent", sale("x", only(map[string]any{"db": hashed("a"), "client_user_agent": "x"})), 2804050, ""},
	{"first name and gender", sale("x", only(map[string]any{"fn": hashed("a"), "ge": hashed("f")})), 2804050, ""},
	{"last name", sale("x", only(map[string]any{"ln": hashed("a")})), 2804050, ""},
	{"both names", sale("x", only(map[string]any{"fn": hashed("a"), "ln": hashed("b")})), 0, ""},
	{"first name and user agent", sale("x", only(map[string]any{"fn": hashed("a"), "client_user_agent": "x"})), 0, ""},
	{"address of the client", sale("x", only(map[string]any{"client_ip_address": "192.0.2.1"})), 0, ""},
	{"external id", sale("x", only(map[string]any{"external_id": "7"})), 0, ""},
	{"browser id", sale("x", only(map[string]any{"fbp": "fb.1.1700000000000.1"})), 0, ""},
	// commerce
	{"Purchase without value", sale("x", custom("value", nil)), 2804009, "Enter a value. For example: 1.99"},
	{"Purchase without currency", sale("x", custom("currency", nil)), 2804010, "For example: USD"},
	{"Purchase without custom_data", sale("x", set("custom_data", nil)), 2804009, ""},
	{"purchase in lower case is another event", sale("x", set("event_name", "purchase"), set("custom_data", nil)), 0, ""},
	{"value zero", sale("x", custom("value", 0)), 0, ""},
	{"value as text", sale("x", custom("value", "142.52")), 0, ""},
	{"value with a comma", sale("x", custom("value", "12,50")), 9990006, ""},
	{"endless value", sale("x", custom("value", json.RawMessage("1e400"))), 9990006, ""},
	{"value Inf", sale("x", custom("value", "Inf")), 9990006, ""},
	{"negative value", sale("x", custom("value", -1)), 9990006, ""},
	{"lower-case currency", sale("x", custom("currency", "usd")), 0, ""},
	{"unknown currency", sale("x", custom("currency", "XXX")), 9990005, ""},
	{"currency sign", sale("x", custom("currency", "£")), 9990005, ""},
	// messaging
	{"messenger", message("messenger", map[string]any{"page_id": "1", "page_scoped_user_id": "2"}), 0, ""},
	{"messenger without user", message("messenger", map[string]any{"page_id": "1"}), 2804019, "page_scoped_user_id"},
	{"whatsapp as in Meta's sample", message("whatsapp", map[string]any{"whatsapp_business_account_id": "1", "ctwa_clid": "c"}), 0, ""},
	{"whatsapp without account", message("whatsapp", map[string]any{"page_id": "1", "ctwa_clid": "c"}), 2804019, "whatsapp_business_account_id"},
	{"whatsapp without click", message("whatsapp", map[string]any{"whatsapp_business_account_id": "1"}), 2804019, "ctwa_clid"},
	{"event name of the web in a message", renamed(message("messenger", map[string]any{"page_id": "1", "page_scoped_user_id": "2"}), "PageView"), 9990018, "business_messaging"},
	{"event name of messaging", renamed(message("messenger", map[string]any{"page_id": "1", "page_scoped_user_id": "2"}), "OrderShipped"), 0, ""},
	{"instagram", message("instagram", map[string]any{"ig_account_id": "1", "ig_sid": "2"}), 0, ""},
	{"instagram without user", message("instagram", map[string]any{"instagram_business_account_id": "1"}), 2804019, "ig_sid"},
	// attribution beta
	{"AppendAttribution", appended(), 0, ""},
	{"AppendAttribution without original", appended(set("original_event_data", nil)), 2804019, "original_event_data"},
	{"AppendAttribution without share", appended(set("attribution_data", map[string]any{"ad_id": "1", "touchpoint_ts": 1, "attribution_value": 1})), 2804019, "attribution_share"},
	{"AppendAttribution after 48 hours", appended(set("original_event_data", map[string]any{"event_name": "Purchase", "event_time": epoch.Unix() - 2*day})), 9990017, ""},
	{"AppendAttribution before its touch", appended(set("original_event_data", map[string]any{"event_name": "Purchase", "event_time": epoch.Unix() - 10000})), 9990017, ""},
	{"AppendAttribution after 7 days", appended(set("original_event_data", map[string]any{"event_name": "Purchase", "event_time": epoch.Unix() - 8*day})), 2804003, ""},
}

// numbered is extinfo as Meta's JavaScript SDK writes it: an object with the keys
// "0", "1" … in order.
func numbered(n int) string {
	var parts []string
	for i := range n {
		parts = append(parts, fmt.Sprintf(`"%d":"a2"`, i))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// everything is an event with every key the API documents.
func everything() event {
	user := map[string]any{}
	for _, k := range []string{"em", "ph", "fn", "ln", "db", "ge", "ct", "st", "zp", "country", "external_id"} {
		user[k] = []string{hashed(k)}
	}
	for _, k := range []string{"f5first", "f5last", "fi", "dobd", "dobm", "doby", "app_user_id"} {
		user[k] = hashed(k)
	}
	for _, k := range []string{"client_user_agent", "subscription_id", "madid", "anon_id", "page_id", "page_scoped_user_id", "ctwa_clid",
		"ig_account_id", "ig_sid", "whatsapp_business_account_id", "instagram_business_account_id", "partner_id", "partner_name", "fb_login_id"} {
		user[k] = "1"
	}
	user["client_ip_address"], user["lead_id"] = "192.0.2.1", 123456789012345
	user["fbc"], user["fbp"] = "fb.1.1700000000000.IwAR2", "fb.1.1700000000000.2"
	return event{
		"event_name": "Purchase", "event_time": epoch.Unix(), "event_id": "all", "action_source": "physical_store", "user_data": user,
		"event_source_url": "https://www.example.com/", "referrer_url": "https://www.example.com/a", "opt_out": false,
		"data_processing_options": []string{"LDU"}, "data_processing_options_country": 1, "data_processing_options_state": 1013,
		"messaging_channel": "messenger", "customer_segmentation": "new_customer_to_business", "advanced_measurement_table": "t",
		"app_data": map[string]any{
			"advertiser_tracking_enabled": true, "application_tracking_enabled": 1, "campaign_ids": "1", "install_referrer": "r", "installer_package": "p",
			"url_schemes": []string{"shop"}, "vendor_id": "v", "windows_attribution_id": "w", "consider_views": true, "include_dwell_data": true,
			"include_video_data": true, "receipt_data": "r",
		},
		"original_event_data": map[string]any{"event_name": "Lead", "event_time": epoch.Unix() - 1, "order_id": "1", "event_id": "2"},
		"attribution_data":    map[string]any{"ad_id": 1, "touchpoint_ts": 1, "attribution_share": "0.5", "attribution_value": 1, "scope": "x", "attr_window": 7},
		"store_data":          map[string]any{"store_page_id": "1", "brand_page_id": 2, "store_code": "A1"},
		"custom_data": map[string]any{
			"value": 10, "currency": "GBP", "net_revenue": 2.5, "predicted_ltv": "100", "content_ids": []any{"a", 2}, "content_type": "product",
			"contents":     []any{map[string]any{"id": 1, "quantity": 2, "item_price": 5, "price": 5, "title": "t", "delivery_category": "in_store"}},
			"content_name": "n", "content_category": "c", "num_items": 2, "order_id": 77, "item_number": "1", "search_string": "s", "status": true,
			"delivery_category": "curbside", "event_source": "crm", "lead_event_source": "x", "customer_segmentation": "customer_in_loyalty_program",
			"make": "x", "checkin_date": "2026-12-01",
		},
	}
}

func TestEventChecks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, tc := range checkCases {
		t.Run(tc.name, func(t *testing.T) {
			before := b.totals()[0]
			a := b.send(tc.event)
			if tc.subcode == 0 {
				if a.status != http.StatusOK {
					t.Fatalf("refused: %s", a.text)
				}
				return
			}
			if got, want := a.failure(), (failure{400, 100, tc.subcode}); got != want {
				t.Fatalf("got %+v, want %+v: %s", got, want, a.text)
			}
			if msg := a.errorText("error_user_msg"); !strings.Contains(msg, tc.text) {
				t.Errorf("error_user_msg %q lacks %q", msg, tc.text)
			}
			title := a.errorText("error_user_title")
			if ours := tc.subcode >= 9990001 || tc.subcode == 2804069; ours != strings.HasPrefix(title, "[emulator]") {
				t.Errorf("title %q of subcode %d", title, tc.subcode)
			}
			if a.errorText("message") != "Invalid parameter" || a.errorText("type") != "OAuthException" {
				t.Errorf("envelope %s", a.text)
			}
			if got := b.totals()[0]; got != before {
				t.Errorf("a refused event was stored")
			}
		})
	}
}

func TestOneBadEventRefusesTheRequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.send(sale("1"), sale("2", with("em", "plain")), sale("3", set("event_time", 1)))
	if got := a.failure(); got != (failure{400, 100, 2804016}) {
		t.Fatalf("the first failing event must answer, got %+v", got)
	}
	a = b.send(sale("1"), sale("2"), sale("3", set("colour", "red")))
	if msg := a.errorText("error_user_msg"); msg != `Unexpected key "colour" on param "$['data'][2]".` {
		t.Errorf("error_user_msg %q", msg)
	}
	if got := b.totals(); got != [3]int{} {
		t.Errorf("stored %v", got)
	}
}

func TestStrictUserAgent(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *sandbox.Options) { o.StrictUserAgent = true })
	for name, change := range map[string]func(event){
		"no user agent": with("client_user_agent", nil),
		"no url":        set("event_source_url", nil),
	} {
		if got := b.send(visit("x", change)).failure(); got != (failure{400, 100, 9990013}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if a := b.send(visit("x")); a.status != http.StatusOK {
		t.Errorf("complete event: %s", a.text)
	}
}

func TestStrictPageID(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *sandbox.Options) { o.StrictPageID = true })
	user := map[string]any{"whatsapp_business_account_id": "1", "ctwa_clid": "c"}
	if got := b.send(message("whatsapp", user)).failure(); got != (failure{400, 100, 2804069}) {
		t.Errorf("without page: %+v", got)
	}
	user["page_id"] = "2"
	if a := b.send(message("whatsapp", user)); a.status != http.StatusOK {
		t.Errorf("with page: %s", a.text)
	}
}

func TestUnconsolidatedDatasetTakesNoOfflineEvents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	path := "/v26.0/" + sandbox.DatasetUnmerged + "/events"
	if got := b.post(path, batchOf(sale("x"))).failure(); got != (failure{400, 100, 9990014}) {
		t.Errorf("physical_store: %+v", got)
	}
	if a := b.post(path, batchOf(visit("x"))); a.status != http.StatusOK {
		t.Errorf("website: %s", a.text)
	}
}

func TestRequestLevelErrors(t *testing.T) {
	t.Parallel()
	many := make([]event, 1001)
	for i := range many {
		many[i] = sale(fmt.Sprint(i))
	}
	for _, tc := range []struct {
		name    string
		path    string
		body    string
		want    failure
		message string
	}{
		{"unknown object", "/v26.0/999/events", batchOf(sale("x")), failure{400, 100, 33}, "Unsupported post request. Object with ID '999' does not exist"},
		{"object without that edge", "/v26.0/" + sandbox.Business + "/events", batchOf(sale("x")), failure{400, 100, 33}, "Unsupported post request"},
		{"unknown edge", "/v26.0/" + sandbox.Dataset + "/evnts", batchOf(sale("x")), failure{400, 100, 33}, "Unsupported post request"},
		{"unknown version", "/v99.0/" + sandbox.Dataset + "/events", batchOf(sale("x")), failure{400, 2500, 0}, "Unknown path components: /v99.0"},
		{"too long a path", "/v26.0/1/2/3", batchOf(sale("x")), failure{400, 2500, 0}, "Unknown path components"},
		{"no data", eventsPath, `{}`, failure{400, 100, 0}, "(#100) The parameter data is required"},
		{"data is an object", eventsPath, `{"data":{}}`, failure{400, 100, 0}, "(#100) Param data must be an array."},
		{"data is quoted nonsense", eventsPath, `{"data":"x"}`, failure{400, 100, 0}, "(#100) Param data must be an array."},
		{"data is empty", eventsPath, `{"data":[]}`, failure{400, 100, 9990002}, "Invalid parameter"},
		{"1001 events", eventsPath, batchOf(many...), failure{400, 100, 9990001}, "Invalid parameter"},
		{"element is a number", eventsPath, `{"data":[1]}`, failure{400, 100, 2804019}, "Invalid parameter"},
		{"element is no JSON text", eventsPath, `{"data":["{"]}`, failure{400, 100, 2804019}, "Invalid parameter"},
		{"cut off", eventsPath, `{"data":[`, failure{400, 100, 9990016}, "Invalid parameter"},
		{"duplicate name", eventsPath, `{"data":[],"data":[]}`, failure{400, 100, 9990016}, "Invalid parameter"},
		{"duplicate name in an event", eventsPath, `{"data":[{"event_id":"a","event_id":"b"}]}`, failure{400, 100, 9990016}, "Invalid parameter"},
		{"not UTF-8", eventsPath, "{\"data\":[{\"event_name\":\"\xff\"}]}", failure{400, 100, 9990016}, "Invalid parameter"},
		{"bad JSON after a bad event", eventsPath, `{"data":[{"x":1},{]}`, failure{400, 100, 9990016}, "Invalid parameter"},
		{"upload_tag too long", eventsPath, `{"data":[],"upload_tag":"` + strings.Repeat("t", 257) + `"}`, failure{400, 100, 0}, "upload_tag must have at most 256"},
		{"partner_agent too long", eventsPath, `{"data":[],"partner_agent":"` + strings.Repeat("t", 257) + `"}`, failure{400, 100, 0}, "partner_agent must have at most 256"},
		{"made-up test code", eventsPath, `{"data":[],"test_event_code":"mine"}`, failure{400, 100, 0}, "Invalid parameter"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			a := b.post(tc.path, tc.body)
			if got := a.failure(); got != tc.want {
				t.Fatalf("got %+v, want %+v: %s", got, tc.want, a.text)
			}
			if msg := a.errorText("message"); !strings.Contains(msg, tc.message) {
				t.Errorf("message %q lacks %q", msg, tc.message)
			}
			if got := a.header.Get("Content-Type"); got != "application/json; charset=UTF-8" {
				t.Errorf("Content-Type %q", got)
			}
			if got := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, `OAuth "Facebook Platform"`) {
				t.Errorf("WWW-Authenticate %q", got)
			}
			if got := b.totals(); got != [3]int{} {
				t.Errorf("stored %v", got)
			}
		})
	}
}

// A large object that is abandoned halfway must leave no names behind.
func TestAbandonedObjectsLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var props []string
	for i := range 50 {
		props = append(props, fmt.Sprintf(`"p%d":1`, i))
	}
	broken := `{"custom_data":{` + strings.Join(props, ",") + `,"contents":1}}`
	if got := b.post(eventsPath, `{"data":[`+broken+`,`+broken+`]}`).failure(); got != (failure{400, 100, 2804019}) {
		t.Errorf("got %+v", got)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.inspect(http.MethodPost, "/tokens", `{"token":"no-scopes"}`)
	b.inspect(http.MethodPost, "/tokens", `{"token":"other-objects","scopes":["ads_management"],"objects":["`+sandbox.Business+`"]}`)
	b.inspect(http.MethodPost, "/tokens", `{"token":"until-tomorrow","scopes":["ads_management"],"expires_at":"2026-11-22T12:00:00Z"}`)
	for _, tc := range []struct {
		name, token string
		want        failure
		message     string
	}{
		{"documented", sandbox.Token, failure{Status: 200}, ""},
		{"none", "", failure{401, 190, 0}, "Invalid OAuth access token - Cannot parse access token"},
		{"unknown", "sandbox-token2", failure{401, 190, 0}, "Invalid OAuth access token - Cannot parse access token"},
		{"expired", sandbox.TokenExpired, failure{401, 190, 463}, "Error validating access token: Session has expired on "},
		{"without scope", "no-scopes", failure{403, 10, 0}, "(#10)"},
		{"not assigned", "other-objects", failure{403, 200, 0}, "(#200)"},
		{"not yet expired", "until-tomorrow", failure{Status: 200}, ""},
	} {
		for _, place := range []string{"header", "query", "body"} {
			t.Run(tc.name+" in "+place, func(t *testing.T) {
				path, body := eventsPath, map[string]any{"data": []event{visit(tc.name + place)}}
				switch place {
				case "query":
					path += "?access_token=" + tc.token
				case "body":
					body["access_token"] = tc.token
				}
				req := request(t, http.MethodPost, path, "application/json", jsonText(body))
				if place == "header" {
					req.Header.Set("Authorization", "Bearer "+tc.token)
				}
				a := b.do(req)
				if got := a.failure(); got != tc.want {
					t.Fatalf("got %+v, want %+v: %s", got, tc.want, a.text)
				}
				if msg := a.errorText("message"); !strings.HasPrefix(msg, tc.message) {
					t.Errorf("message %q", msg)
				}
				e, _ := a.body["error"].(map[string]any)
				if _, transient := e["is_transient"]; transient == (tc.want.Code == 190) && e != nil {
					t.Errorf("token errors carry no is_transient: %s", a.text)
				}
			})
		}
	}
	b.inspect(http.MethodPost, "/clock", `{"advance_s":86400}`)
	req := request(t, http.MethodGet, "/me?access_token=until-tomorrow", "", "")
	if got := b.do(req).failure(); got != (failure{401, 190, 463}) {
		t.Errorf("a day later: %+v", got)
	}
}

func TestTokenAnswersBeforeEverythingElse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.do(request(t, http.MethodPost, "/v26.0/999/events", "application/json", `{"data":[`))
	if got := a.failure(); got != (failure{401, 190, 0}) {
		t.Errorf("no token, unknown object, broken body: %+v", got)
	}
	if got := b.post("/v26.0/999/events", `{"data":[`).failure(); got != (failure{400, 100, 33}) {
		t.Errorf("unknown object, broken body: %+v", got)
	}
}

func proof(message string) string {
	mac := hmac.New(sha256.New, []byte(sandbox.AppSecret))
	mac.Write([]byte(message))
	return hex.EncodeToString(mac.Sum(nil))
}

func TestAppSecretProof(t *testing.T) {
	t.Parallel()
	now := fmt.Sprint(epoch.Unix())
	old := fmt.Sprint(epoch.Unix() - 3600)
	for _, tc := range []struct {
		name    string
		require bool
		query   string
		message string // of the refusal; empty when accepted
	}{
		{"not required, none", false, "", ""},
		{"not required, right", false, "appsecret_proof=" + proof(sandbox.Token), ""},
		{"not required, wrong", false, "appsecret_proof=" + proof("x"), "Invalid appsecret_proof provided in the API argument"},
		{"required, none", true, "", "API calls from the server require an appsecret_proof argument"},
		{"required, right", true, "appsecret_proof=" + proof(sandbox.Token), ""},
		{"required, upper case", true, "appsecret_proof=" + strings.ToUpper(proof(sandbox.Token)), "Invalid appsecret_proof provided in the API argument"},
		{"with time", true, "appsecret_time=" + now + "&appsecret_proof=" + proof(sandbox.Token+"|"+now), ""},
		{"with old time", true, "appsecret_time=" + old + "&appsecret_proof=" + proof(sandbox.Token+"|"+old), "Invalid appsecret_proof provided in the API argument"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(o *sandbox.Options) { o.RequireProof = tc.require })
			a := b.post(eventsPath+"?"+tc.query, batchOf(sale("x")))
			if tc.message == "" {
				if a.status != http.StatusOK {
					t.Errorf("refused: %s", a.text)
				}
				return
			}
			if a.failure() != (failure{400, 100, 0}) || a.errorText("message") != tc.message || a.errorText("type") != "GraphMethodException" {
				t.Errorf("got %s", a.text)
			}
		})
	}
}

// TestCatalogueIsSound holds the catalogue to its own rules.
func TestCatalogueIsSound(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, row := range sandbox.Errors() {
		if row.Evidence == "" || strings.Trim(row.Evidence, "DSLCR") != "" {
			t.Errorf("%s: evidence %q", row.Name, row.Evidence)
		}
		if row.When == "" || row.Type == "" || row.Message == "" || row.HTTP < 400 {
			t.Errorf("%s is incomplete: %+v", row.Name, row)
		}
		if ours := row.Subcode >= 9990001; ours && (row.Evidence != "R" || !strings.HasPrefix(row.Title, "[emulator]")) {
			t.Errorf("%s: a subcode of ours must say so", row.Name)
		}
		if names[row.Name] && row.Name != "opaque" {
			t.Errorf("two rows are called %s", row.Name)
		}
		names[row.Name] = true
	}
}

// TestEveryRowIsProvoked sends what each natural row says provokes it, and reads
// from the request log which rows answered.
func TestEveryRowIsProvoked(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *sandbox.Options) { o.RequireProof, o.StrictUserAgent, o.StrictPageID = true, true, true })
	b.inspect(http.MethodPost, "/tokens", `{"token":"no-scopes"}`)
	b.inspect(http.MethodPost, "/tokens", `{"token":"other","scopes":["ads_management"],"objects":[]}`)
	call := func(method, path, token, body string) {
		t.Helper()
		req := request(t, method, path, "application/json", body)
		req.Header.Set("Authorization", "Bearer "+token)
		q := req.URL.Query()
		if !q.Has("appsecret_proof") {
			q.Set("appsecret_proof", proof(token))
		}
		req.URL.RawQuery = q.Encode()
		b.do(req)
	}
	post := func(path, body string) { call(http.MethodPost, path, sandbox.Token, body) }
	get := func(path string) { call(http.MethodGet, path, sandbox.Token, "") }
	for _, tc := range checkCases {
		post(eventsPath, batchOf(tc.event))
	}
	post(eventsPath, batchOf(visit("x", set("event_source_url", nil))))
	post("/"+sandbox.DatasetUnmerged+"/events", batchOf(sale("x")))
	post("/v99.0/1", "")
	call(http.MethodGet, "/me", "nobody", "")
	call(http.MethodGet, "/me", sandbox.TokenExpired, "")
	call(http.MethodPost, eventsPath, "no-scopes", batchOf(sale("x")))
	call(http.MethodPost, eventsPath, "other", batchOf(sale("x")))
	b.post(eventsPath, batchOf(sale("x")))
	post(eventsPath+"?appsecret_proof=00", batchOf(sale("x")))
	post("/999/events", batchOf(sale("x")))
	get("/me?fields=shoe_size")
	post(eventsPath, strings.Repeat(" ", 17<<20))
	post(eventsPath, "{")
	post(eventsPath, "{}")
	post(eventsPath, `{"data":[],"test_event_code":"x"}`)
	post(eventsPath, `{"data":[]}`)
	post(eventsPath, `{"data":[`+strings.Repeat("{},", 1000)+`{}]}`)
	get("/dataset_quality?dataset_id=9")
	post("/"+sandbox.AdAccount+"/adspixels", `{"name":"x"}`)

	answered := map[string]bool{}
	for _, entry := range b.inspect(http.MethodGet, "/requests", "")["requests"].([]any) {
		name, _ := entry.(map[string]any)["error"].(string)
		answered[name] = true
	}
	for _, row := range sandbox.Errors() {
		if !row.Injected && !answered[row.Name] {
			t.Errorf("nothing provoked %s (%s)", row.Name, row.When)
		}
	}
}
