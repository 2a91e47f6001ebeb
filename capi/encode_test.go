package capi_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"sluice/capi"
)

// testNow is the time of every test: seconds 1795262400.
func testNow() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

func newEncoder(t testing.TB, opts capi.Options) *capi.Encoder {
	t.Helper()
	if opts.Now == nil {
		opts.Now = testNow
	}
	enc, err := capi.NewEncoder(opts)
	if err != nil {
		t.Fatal(err)
	}
	return enc
}

// sale is a shop sale that has nothing wrong with it.
func sale() capi.Event {
	return capi.Event{
		EventName:    "Purchase",
		EventTime:    testNow().Unix() - 3600,
		EventID:      "order-1001",
		ActionSource: capi.PhysicalStore,
		UserData: capi.UserData{
			Email:     []string{"John_Smith@gmail.com"},
			Phone:     []string{"+1 (650) 555-1212"},
			FirstName: []string{"Mary"},
			Zip:       []string{"M1 1AE"},
			Country:   []string{"gb"},
		},
		CustomData: capi.CustomData{
			Currency: "gbp",
			Value:    capi.Some(capi.Decimal(125000)),
			OrderID:  "1001",
			Contents: []capi.Content{{ID: "85123A", Quantity: capi.Some(int64(5)), ItemPrice: capi.Some(capi.Decimal(25000))}},
		},
	}
}

// visit is a website sale that has nothing wrong with it.
func visit() capi.Event {
	ev := sale()
	ev.ActionSource = capi.Website
	ev.EventSourceURL = "https://shop.example.com/thanks?order=1001"
	ev.UserData.ClientUserAgent = "Mozilla/5.0 (X11; Linux x86_64)"
	ev.UserData.ClientIPAddress = "203.0.113.7"
	return ev
}

func TestEncodeBytes(t *testing.T) {
	t.Parallel()
	const (
		mary  = "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec"
		email = "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"
		phone = "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176"
		m11ae = "1dc694c2070e697769fb959b50671d76cafd430d8ca191fbdd0affcaea344ac5"
		gb    = "0b407281768f0e833afef47ed464b6571d01ca4d53c12ce5c51d1462f4ad6677"
	)
	tests := []struct {
		name string
		opts capi.Options
		edit func(*capi.Event)
		want string
	}{
		{
			name: "shop sale",
			edit: func(*capi.Event) {},
			want: `{"action_source":"physical_store","custom_data":{"contents":[{"id":"85123A","item_price":2.5,"quantity":5}],"currency":"GBP","order_id":"1001","value":12.5},"event_id":"order-1001","event_name":"Purchase","event_time":1795258800,"user_data":{"country":["` + gb + `"],"em":["` + email + `"],"fn":["` + mary + `"],"ph":["` + phone + `"],"zp":["` + m11ae + `"]}}`,
		},
		{
			name: "several values keep their order and lose repeats",
			edit: func(ev *capi.Event) {
				ev.UserData = capi.UserData{FirstName: []string{"Mary", " ", "mary ", strings.ToUpper(email), "MARY!"}}
				ev.UserData.ExternalID = []string{"12345"}
				ev.CustomData = capi.CustomData{Value: ev.CustomData.Value, Currency: "EUR", OrderID: "1"}
			},
			want: `{"action_source":"physical_store","custom_data":{"currency":"EUR","order_id":"1","value":12.5},"event_id":"order-1001","event_name":"Purchase","event_time":1795258800,"user_data":{"external_id":["5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5"],"fn":["` + mary + `","` + email + `"]}}`,
		},
		{
			name: "properties sort among the standard keys by UTF-16",
			edit: func(ev *capi.Event) {
				ev.UserData = capi.UserData{FirstName: []string{"Mary"}, ExternalID: []string{"12345"}}
				ev.CustomData = capi.CustomData{Value: capi.Some(capi.Decimal(1)), Currency: "EUR", OrderID: "1", Properties: []capi.Property{
					{Key: "\U0001F600", JSON: `1`}, {Key: "\uFB33", JSON: `2`}, {Key: "order_if", JSON: ` { "b" : 1.50, "a" : [ ] } `},
					{Key: "a", JSON: `"é\u0041"`}, {Key: "zz", JSON: `true`},
				}}
			},
			want: `{"action_source":"physical_store","custom_data":{"a":"éA","currency":"EUR","order_id":"1","order_if":{"a":[],"b":1.5},"value":0.0001,"zz":true,"😀":1,"` + "\uFB33" + `":2},"event_id":"order-1001","event_name":"Purchase","event_time":1795258800,"user_data":{"external_id":["5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5"],"fn":["` + mary + `"]}}`,
		},
		{
			name: "external id raw, ids as integers, flags, escapes",
			opts: capi.Options{ExternalID: capi.ExternalIDRaw},
			edit: func(ev *capi.Event) {
				ev.UserData = capi.UserData{ExternalID: []string{` a"b\c `}, LeadID: "12345678901234567", FBLoginID: "9223372036854775807"}
				ev.CustomData = capi.CustomData{Value: capi.Some(capi.Decimal(10000)), Currency: "EUR", OrderID: "tab\there\u0001\u00e9"}
				ev.OptOut = capi.Some(false)
				ev.DataProcessing = &capi.DataProcessing{}
			},
			want: `{"action_source":"physical_store","custom_data":{"currency":"EUR","order_id":"tab\there\u0001é","value":1},"data_processing_options":[],"event_id":"order-1001","event_name":"Purchase","event_time":1795258800,"opt_out":false,"user_data":{"external_id":["a\"b\\c"],"fb_login_id":9223372036854775807,"lead_id":12345678901234567}}`,
		},
		{
			name: "SDK keys are single texts",
			edit: func(ev *capi.Event) {
				ev.UserData = capi.UserData{Legacy: map[string]string{"fi": strings.ToUpper(email), "app_user_id": mary}}
				ev.CustomData = capi.CustomData{Value: capi.Some(capi.Decimal(10000)), Currency: "EUR", OrderID: "1"}
			},
			want: `{"action_source":"physical_store","custom_data":{"currency":"EUR","order_id":"1","value":1},"event_id":"order-1001","event_name":"Purchase","event_time":1795258800,"user_data":{"app_user_id":"` + mary + `","fi":"` + email + `"}}`,
		},
		{
			name: "blank texts are absent",
			edit: func(ev *capi.Event) {
				ev.UserData = capi.UserData{FirstName: []string{"Mary"}, ExternalID: []string{"12345"}}
				ev.EventID = "  "
				ev.CustomData = capi.CustomData{Value: capi.Some(capi.Decimal(10000)), Currency: "EUR", OrderID: "\u00a0", ItemNumber: " ", ContentName: " a "}
			},
			want: `{"action_source":"physical_store","custom_data":{"content_name":" a ","currency":"EUR","value":1},"event_name":"Purchase","event_time":1795258800,"user_data":{"external_id":["5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5"],"fn":["` + mary + `"]}}`,
		},
		{
			name: "app",
			edit: func(ev *capi.Event) {
				info := make([]string, 16)
				info[0], info[4] = "i2", "17.1"
				*ev = capi.Event{EventName: "AddToCart", EventTime: ev.EventTime, EventID: "e", ActionSource: capi.App,
					AppData:  &capi.AppData{AdvertiserTrackingEnabled: capi.Some(true), ApplicationTrackingEnabled: capi.Some(false), ExtInfo: info},
					UserData: capi.UserData{AnonID: "anon-1", MadID: "AECE52E7-03EE-455A-B3C4-E57283966239"}}
			},
			want: `{"action_source":"app","app_data":{"advertiser_tracking_enabled":1,"application_tracking_enabled":0,"extinfo":["i2","","","","17.1","","","","","","","","","","",""]},"event_id":"e","event_name":"AddToCart","event_time":1795258800,"user_data":{"anon_id":"anon-1","madid":"AECE52E7-03EE-455A-B3C4-E57283966239"}}`,
		},
		{
			name: "limited data use always names country and state",
			edit: func(ev *capi.Event) {
				ev.DataProcessing = &capi.DataProcessing{Options: []string{"LDU"}, Country: capi.Some(int64(1)), State: capi.Some(int64(1000))}
				ev.UserData = capi.UserData{FirstName: []string{"Mary"}, ClientIPAddress: "203.0.113.7"}
				ev.CustomData = capi.CustomData{Value: capi.Some(capi.Decimal(10000)), Currency: "USD", OrderID: "1"}
				ev.StoreData = &capi.StoreData{StoreCode: "A1", StorePageID: "123"}
				ev.CustomerSegmentation = "new_customer_to_business"
			},
			want: `{"action_source":"physical_store","custom_data":{"currency":"USD","customer_segmentation":"new_customer_to_business","order_id":"1","value":1},"data_processing_options":["LDU"],"data_processing_options_country":1,"data_processing_options_state":1000,"event_id":"order-1001","event_name":"Purchase","event_time":1795258800,"store_data":{"store_code":"A1","store_page_id":"123"},"user_data":{"client_ip_address":"203.0.113.7","fn":["` + mary + `"]}}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ev := sale()
			tt.edit(&ev)
			got, report := newEncoder(t, tt.opts).Append([]byte("before"), &ev)
			if report.Refused() {
				t.Fatalf("refused: %v", report.Faults)
			}
			if diff := cmp.Diff("before"+tt.want, string(got)); diff != "" {
				t.Errorf("bytes differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEncodeReport(t *testing.T) {
	t.Parallel()
	ev := visit()
	ev.UserData.LastName = []string{"62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"}
	enc := newEncoder(t, capi.Options{})
	_, report := enc.Append(nil, &ev)
	if got, want := report.Keys.String(), "client_ip_address,client_user_agent,country,em,fn,ln,ph,zp"; got != want {
		t.Errorf("keys %s, want %s", got, want)
	}
	if report.PreHashed != 1 {
		t.Errorf("%d values counted as hashed, want 1", report.PreHashed)
	}
	if len(report.Faults) != 0 {
		t.Errorf("faults %v", report.Faults)
	}
	again := sale()
	if _, report = enc.Append(nil, &again); report.PreHashed != 0 || report.Keys.Has(capi.FieldLastName) {
		t.Errorf("the report of one event leaks into the next: %+v", report)
	}
}

// TestEncodeCountryOrder proves where the country that completes a phone number
// comes from.
func TestEncodeCountryOrder(t *testing.T) {
	t.Parallel()
	const (
		gb = "442079460958"
		us = "12079460958"
	)
	tests := []struct {
		name    string
		opts    capi.Options
		user    capi.UserData
		want    string
		refused bool
	}{
		{"phone country wins", capi.Options{DefaultCountry: "fr"}, capi.UserData{PhoneCountry: "GB", Country: []string{"us"}, Phone: []string{"020 7946 0958"}}, gb, false},
		{"first country that normalises", capi.Options{DefaultCountry: "fr"}, capi.UserData{Country: []string{"Narnia", "United Kingdom"}, Phone: []string{"020 7946 0958"}}, gb, false},
		{"default country", capi.Options{DefaultCountry: "USA"}, capi.UserData{Phone: []string{"(207) 946-0958"}}, us, false},
		{"none", capi.Options{}, capi.UserData{Phone: []string{"020 7946 0958"}}, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ev := sale()
			ev.UserData = tt.user
			got, report := newEncoder(t, tt.opts).Append(nil, &ev)
			if report.Refused() != tt.refused {
				t.Fatalf("faults %v", report.Faults)
			}
			if tt.refused {
				return
			}
			want, err := capi.Normalize(capi.FieldPhone, "+"+tt.want, "", capi.NormalizeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(got, []byte(`"ph":["`+want.SHA256+`"]`)) {
				t.Errorf("the phone number is not %s: %s", tt.want, got)
			}
		})
	}
}

func TestEncodeHashModes(t *testing.T) {
	t.Parallel()
	const hash = "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"
	const empty = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"
	tests := []struct {
		name, value string
		mode        capi.HashMode
		code        string
	}{
		{"auto takes a hash", hash, capi.HashAuto, ""},
		{"auto takes text", "john@example.com", capi.HashAuto, ""},
		{"yes takes a hash", strings.ToUpper(hash), capi.HashYes, ""},
		{"yes takes an appendix", hash + ".ABcDEFGh", capi.HashYes, ""},
		{"yes refuses text", "john@example.com", capi.HashYes, capi.CodeNotHashed},
		{"no refuses a hash", hash, capi.HashNo, capi.CodeDoubleHashed},
		{"no refuses a hash with appendix", hash + ".AQ", capi.HashNo, capi.CodeDoubleHashed},
		{"no takes text", "john@example.com", capi.HashNo, ""},
		{"auto refuses the empty hash", empty, capi.HashAuto, capi.CodeHashOfEmpty},
		{"yes refuses the empty hash", empty, capi.HashYes, capi.CodeHashOfEmpty},
		{"no refuses the empty hash", empty, capi.HashNo, capi.CodeHashOfEmpty},
		{"empty hash with appendix", empty + ".AQ", capi.HashAuto, capi.CodeHashOfEmpty},
		{"yes refuses MD5", "d41d8cd98f00b204e9800998ecf8427e", capi.HashYes, capi.CodeMD5NotSupported},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			enc := newEncoder(t, capi.Options{Hashed: map[capi.Field]capi.HashMode{capi.FieldEmail: tt.mode}})
			ev := sale()
			ev.UserData = capi.UserData{Email: []string{tt.value}, ExternalID: []string{"1"}}
			got, report := enc.Append(nil, &ev)
			if tt.code == "" {
				if len(report.Faults) != 0 || !report.Keys.Has(capi.FieldEmail) {
					t.Fatalf("faults %v", report.Faults)
				}
				return
			}
			if report.Refused() || len(report.Faults) != 1 || report.Faults[0].Code != tt.code || report.Faults[0].Effect != capi.Drop {
				t.Fatalf("faults %v, want %s", report.Faults, tt.code)
			}
			if report.Keys != capi.Keys(capi.FieldExternalID) || bytes.Contains(got, []byte(`"em"`)) {
				t.Errorf("the value was not dropped: %s", got)
			}
		})
	}
}

func TestNewEncoderRefuses(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]capi.Options{
		"hash mode of a plain field": {Hashed: map[capi.Field]capi.HashMode{capi.FieldFBP: capi.HashYes}},
		"unknown hash mode":          {Hashed: map[capi.Field]capi.HashMode{capi.FieldEmail: 9}},
		"unknown country":            {DefaultCountry: "Narnia"},
		"unknown external id mode":   {ExternalID: 9},
		"unknown window":             {OfflineWindow: 9},
		"negative margin":            {Margin: -time.Second},
		"margin eats the window":     {Margin: 7 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := capi.NewEncoder(opts); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// TestEncodeWindows walks over the edges of every window.
func TestEncodeWindows(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	tests := []struct {
		name   string
		source capi.ActionSource
		opts   capi.Options
		age    time.Duration
		code   string
	}{
		{"fresh", capi.PhysicalStore, capi.Options{}, day, ""},
		{"a second over a day", capi.PhysicalStore, capi.Options{}, day + time.Second, capi.CodeLateEvent},
		{"a second over seven days", capi.PhysicalStore, capi.Options{}, 7*day + time.Second, capi.CodeOfflineOver7Days},
		{"62 days", capi.PhysicalStore, capi.Options{}, 62 * day, capi.CodeOfflineOver7Days},
		{"a second over 62 days", capi.PhysicalStore, capi.Options{}, 62*day + time.Second, capi.CodeTooOld},
		{"strict", capi.PhysicalStore, capi.Options{OfflineWindow: capi.OfflineStrict7}, 7*day + time.Second, capi.CodeTooOld},
		{"margin", capi.PhysicalStore, capi.Options{Margin: 30 * time.Minute}, 62*day - 30*time.Minute + time.Second, capi.CodeTooOld},
		{"inside the margin", capi.PhysicalStore, capi.Options{Margin: 30 * time.Minute}, 62*day - 30*time.Minute, capi.CodeOfflineOver7Days},
		{"website, seven days", capi.Website, capi.Options{}, 7 * day, capi.CodeLateEvent},
		{"website, a second more", capi.Website, capi.Options{}, 7*day + time.Second, capi.CodeTooOld},
		{"a minute ahead", capi.PhysicalStore, capi.Options{}, -time.Minute, ""},
		{"a second more", capi.PhysicalStore, capi.Options{}, -time.Minute - time.Second, capi.CodeFutureTime},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ev := visit()
			ev.ActionSource = tt.source
			ev.EventTime = testNow().Add(-tt.age).Unix()
			wire, report := newEncoder(t, tt.opts).Append(nil, &ev)
			var codes []string
			for _, f := range report.Faults {
				codes = append(codes, f.Code)
			}
			if got := strings.Join(codes, ","); got != tt.code {
				t.Fatalf("faults %s, want %s", got, tt.code)
			}
			if !report.Refused() {
				check := capi.CheckOptions{Now: testNow, OfflineWindow: tt.opts.OfflineWindow, Margin: tt.opts.Margin}
				if faults := capi.CheckWire(wire, check); faults != nil {
					t.Errorf("CheckWire disagrees: %v", faults)
				}
			}
		})
	}
}

// TestEncodeNoAllocations counts: what Sluice sends a million times must not feed
// the garbage collector. Names outside ASCII and completed phone numbers included.
func TestEncodeNoAllocations(t *testing.T) {
	events := benchEvents(100)
	for i := range events {
		u := &events[i].UserData
		switch i % 4 {
		case 1:
			u.FirstName, u.City = []string{"Zoë"}, []string{"Zürich"}
		case 2:
			u.Phone = []string{"07700 900" + u.Phone[0][10:]}
		case 3:
			u.BirthDate, u.Gender = []string{"1990-02-03"}, []string{"Female"}
		}
	}
	enc := newEncoder(t, capi.Options{})
	dst := make([]byte, 0, 1<<20)
	n := 0
	run := func() {
		_, report := enc.Append(dst, &events[n%len(events)])
		if len(report.Faults) != 0 {
			t.Fatal(report.Faults)
		}
		n++
	}
	for range events {
		run()
	}
	if got := testing.AllocsPerRun(1000, run); got > 0 {
		t.Errorf("%v allocations per event, want none", got)
	}
}

func TestEncodeCanonical(t *testing.T) {
	t.Parallel()
	ev := visit()
	ev.CustomData.Properties = []capi.Property{{Key: "nested", JSON: `{"z":[1e2,0.10,"\u00e9"],"a":false}`}}
	wire, report := newEncoder(t, capi.Options{}).Append(nil, &ev)
	if report.Refused() {
		t.Fatal(report.Faults)
	}
	if err := isCanonical(wire); err != "" {
		t.Error(err)
	}
}

// isCanonical compares bytes with their RFC 8785 form; "" means equal.
func isCanonical(wire []byte) string {
	v := jsontext.Value(bytes.Clone(wire))
	if err := v.Canonicalize(); err != nil {
		return err.Error()
	}
	return cmp.Diff(string(v), string(wire))
}
