package mapping_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/capi"
	"sluice/internal/mapping"
)

// rowOf puts cells into the order that the mapping wants; cells it does not read
// are a mistake of the test.
func rowOf(t testing.TB, m *mapping.Mapping, line int64, cells map[string]string) mapping.Row {
	t.Helper()
	r := mapping.Row{File: "orders.csv", Line: line}
	used := 0
	for _, c := range m.Columns() {
		v, ok := cells[c]
		if ok {
			used++
		}
		r.Values = append(r.Values, v)
	}
	if used != len(cells) {
		t.Fatalf("the mapping reads %v, the row has %v", m.Columns(), cells)
	}
	return r
}

// order is a row that minimal maps.
func order(change ...string) map[string]string {
	cells := map[string]string{"order": "1001", "at": "2026-01-05 10:30:00", "total": "12.50", "email": "jane@example.com"}
	for i := 0; i < len(change); i += 2 {
		cells[change[i]] = change[i+1]
	}
	return cells
}

func mapOne(t testing.TB, doc string, cells map[string]string, files ...string) *mapping.Result {
	t.Helper()
	m := parse(t, doc, files...)
	return mapping.NewMapper(m).Map([]mapping.Row{rowOf(t, m, 2, cells)})
}

// swap replaces one line of minimal, the one that starts with the same key, and
// adds lines that have none.
func swap(lines ...string) string {
	doc := minimal
	for _, l := range lines {
		key, _, _ := strings.Cut(l, ":")
		start := strings.Index(doc, "\n"+key+":")
		if start < 0 {
			doc += l + "\n"
			continue
		}
		end := start + 1 + strings.IndexByte(doc[start+1:], '\n')
		doc = doc[:start+1] + l + doc[end:]
	}
	return doc
}

func TestMapMinimal(t *testing.T) {
	t.Parallel()
	r := mapOne(t, minimal, order())
	if r.Kind != mapping.Mapped {
		t.Fatalf("kind %d, reject %+v", r.Kind, r.Reject)
	}
	want := capi.Event{
		EventName: "Purchase", EventTime: 1767609000, EventID: mapping.EventID("shop/orders", "payment_received", "1001", ""),
		ActionSource: capi.PhysicalStore,
		UserData:     capi.UserData{Email: []string{"jane@example.com"}},
		CustomData:   capi.CustomData{Currency: "GBP", Value: capi.Some(capi.Decimal(125_000)), OrderID: "1001"},
	}
	if diff := cmp.Diff(want, r.Event); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	if r.Outcome != "payment_received" || r.RecordID != "1001" || r.Lines != 1 || len(r.Warnings) != 0 {
		t.Errorf("result %+v", r)
	}
}

func TestRejects(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		doc    string
		cells  map[string]string
		code   string
		column string
		masked string
	}{
		{"no record id", minimal, order("order", " "), mapping.RejectMissingRecordID, "order", ""},
		{"record id in scientific notation", minimal, order("order", "1.23457E+12"), mapping.RejectScientificID, "order", "1…(11)"},
		{"no time", minimal, order("at", ""), mapping.RejectMissingEventTime, "at", ""},
		{"time that is none", minimal, order("at", "yesterday"), mapping.RejectUnparseableTime, "at", "y…(9)"},
		{"day that does not exist", minimal, order("at", "2026-02-29 10:00"), mapping.RejectUnparseableTime, "at", "2…(16)"},
		{"milliseconds", minimal, order("at", "1767609000000"), mapping.RejectUnparseableTime, "at", "1…(13)"},
		{"local time and no zone", swap("time: at"), order(), mapping.RejectUnparseableTime, "at", "2…(19)"},
		{"no value", minimal, order("total", ""), mapping.RejectMissingValue, "total", ""},
		{"decimal comma without locale", minimal, order("total", "1.234,50"), mapping.RejectUnparseableValue, "total", "1…(8)"},
		{"grouping without locale", minimal, order("total", "1,234"), mapping.RejectUnparseableValue, "total", "1…(5)"},
		{"currency sign", minimal, order("total", "£12.50"), mapping.RejectUnparseableValue, "total", "£…(6)"},
		{"amount in scientific notation", minimal, order("total", "1.2E+3"), mapping.RejectUnparseableValue, "total", "1…(6)"},
		{"amount beyond range", minimal, order("total", "99999999999999999999"), mapping.RejectUnparseableValue, "total", "9…(20)"},
		{"negative", minimal, order("total", "-0.01"), mapping.RejectNegativeValue, "total", ""},
		{"no currency", swap("currency: {column: cur}"), order("cur", ""), mapping.RejectMissingCurrency, "cur", ""},
		{"no action source", swap("action_source: {column: channel, lookup: c}", "lookups: {c: {web: website}}"), order("channel", "tv"), mapping.RejectMissingActionSource, "channel", ""},
		{"outcome nobody knows", swap("outcome: {column: type}"), order("type", "contact_reply"), mapping.RejectUnmappedOutcome, "type", "c…(13)"},
		{"no rule holds", swap("outcome: {when: [{column: type, equals: paid, outcome: order_placed}]}"), order("type", "open"), mapping.RejectUnmappedOutcome, "", ""},
		{"own event id is missing", swap("event_id: web_id"), order("web_id", ""), mapping.RejectMissingEventID, "web_id", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := mapOne(t, tt.doc, tt.cells)
			if r.Kind != mapping.Rejected || r.Reject.Code != tt.code || r.Reject.Column != tt.column || r.Reject.Masked != tt.masked {
				t.Fatalf("kind %d, reject %+v; want %s at %q, %q", r.Kind, r.Reject, tt.code, tt.column, tt.masked)
			}
			if r.Reject.Hint == "" {
				t.Error("the reject does not say what to do")
			}
		})
	}
}

func TestHintsNameTheRemedy(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, doc string
		cells     map[string]string
		want      string
	}{
		{"milliseconds", minimal, order("at", "1767609000000"), "epoch_ms"},
		{"a date of Excel", minimal, order("at", "46347.375"), "`excel`"},
		{"no zone", swap("time: at"), order(), "time.zone"},
		{"other format", minimal, order("at", "5.1.2026"), "time.formats"},
		{"locale", minimal, order("total", "12,50"), "locale"},
		{"sign", minimal, order("total", "12.50 €"), "strip_currency"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if r := mapOne(t, tt.doc, tt.cells); !strings.Contains(r.Reject.Hint, tt.want) {
				t.Errorf("hint %q does not name %q", r.Reject.Hint, tt.want)
			}
		})
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	rules := swap(`outcome: {default: order_placed, when: [
  {column: order, prefix: [C, R], skip: cancellation},
  {column: state, in: [void, test], skip: voided},
  {column: state, equals: paid, outcome: payment_received},
  {column: state, empty: true, skip: no_state},
  {column: state, suffix: _draft, skip: draft},
  {column: state, contains: hold, skip: on_hold},
  {column: state, not_in: [open, done], skip: other_state},
  {column: weight, above: 100, locale: de, skip: freight},
  {field: value, below: 0, skip: refund}, {field: value, at_most: 0, skip: zero_value},
  {field: value, at_least: "10000", outcome: closed_won}]}`)
	cells := func(change ...string) map[string]string {
		return order(append([]string{"state", "open", "weight", ""}, change...)...)
	}
	tests := []struct {
		name  string
		doc   string
		cells map[string]string
		want  string // outcome, or skip:reason
	}{
		{"none holds", rules, cells(), "order_placed"},
		{"prefix", rules, cells("order", "C1001"), "skip:cancellation"},
		{"one of several prefixes", rules, cells("order", "R1001"), "skip:cancellation"},
		{"one of a list", rules, cells("state", "void"), "skip:voided"},
		{"equal", rules, cells("state", "paid"), "payment_received"},
		{"equality minds case", rules, cells("state", "Paid"), "skip:other_state"},
		{"empty", rules, cells("state", "  "), "skip:no_state"},
		{"suffix", rules, cells("state", "my_draft"), "skip:draft"},
		{"contains", rules, cells("state", "a hold b"), "skip:on_hold"},
		{"number in its locale", rules, cells("weight", "100,5"), "skip:freight"},
		{"number at the bound", rules, cells("weight", "100"), "order_placed"},
		{"no number", rules, cells("weight", "heavy"), "order_placed"},
		{"negative value", rules, cells("total", "-1"), "skip:refund"},
		{"zero value", rules, cells("total", "0.00"), "skip:zero_value"},
		{"large value", rules, cells("total", "10000"), "closed_won"},
		{"bad value fits no rule", rules, cells("total", "x"), "order_placed"},
		{"default is a skip", swap("outcome: {default: {skip: not_paid}, when: [{column: state, equals: paid, outcome: payment_received}]}"), order("state", "open"), "skip:not_paid"},
		{"from the data", swap("outcome: {column: type, transforms: [lower], lookup: types}", "lookups: {types: {bezahlt: payment_received}}"), order("type", "Bezahlt"), "payment_received"},
		{"own outcome with an event", swap("outcome: qualified", "events: {qualified: Qualified Lead}", "value: total"), order(), "qualified"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := mapOne(t, tt.doc, tt.cells)
			got := r.Outcome
			if r.Kind == mapping.Skipped {
				got = "skip:" + r.Code
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDefaultOutcomesHaveTheirEvents(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"payment_received": "Purchase", "order_placed": "Purchase", "closed_won": "Purchase", "appointment_booked": "Schedule",
		"lead_created": "Lead", "checkout_started": "InitiateCheckout", "add_to_cart": "AddToCart", "add_payment_info": "AddPaymentInfo",
		"view_content": "ViewContent", "search": "Search",
	}
	if n := len(mapping.DefaultOutcomes()); n != len(want) {
		t.Errorf("%d outcomes, want %d", n, len(want))
	}
	for _, o := range mapping.DefaultOutcomes() {
		r := mapOne(t, swap("outcome: "+o), order())
		if r.Event.EventName != want[o] {
			t.Errorf("%s sends %q, want %q", o, r.Event.EventName, want[o])
		}
	}
}

func TestCancellationIsReadAsFarAsItGoes(t *testing.T) {
	t.Parallel()
	doc := swap("outcome: {default: order_placed, when: [{column: order, prefix: C, skip: cancellation}]}")
	r := mapOne(t, doc, order("order", "C1002", "total", "-77183.60", "at", "never"))
	if r.Kind != mapping.Skipped || r.Code != mapping.SkipCancellation || r.RecordID != "C1002" {
		t.Fatalf("result %+v", r)
	}
	if r.Event.CustomData.Value.Value != -771_836_000 || r.Event.UserData.Email[0] != "jane@example.com" {
		t.Errorf("the event does not tell who and how much: %+v", r.Event)
	}
	if r.Reject != (mapping.Reject{}) {
		t.Errorf("a cancellation was rejected: %+v", r.Reject)
	}
}

func TestUser(t *testing.T) {
	t.Parallel()
	doc := swap(`user: {email: [email, email2], phone: {column: tel, hashed: no}, first_name: {columns: [f1, f2], join: " "}, ln: name, db: {column: born, transforms: [{date: DD.MM.YYYY}]},
  gender: g, city: c, st: s, postcode: z, country: {column: land, lookup: lands}, external_id: {column: cust, as: sha256_lower, transforms: [strip_dot_zero]},
  client_ip_address: ip, fbc: fbc, lead_id: lead, doby: y}`, "lookups: {lands: {otherwise: keep, entries: {EIRE: IE}}}")
	cells := order("email2", " JANE@example.com ", "tel", "07700 900123", "f1", "Mary", "f2", "Ann", "name", "O’Brien", "born", "26.05.1991",
		"g", "f", "c", "Cork", "s", "", "z", "T12 AB34", "land", "EIRE", "cust", "17850.0", "ip", "192.0.2.1", "fbc", "fb.1.1767609000000.abc", "lead", "123456789012345678", "y", strings.Repeat("a", 64))
	r := mapOne(t, doc, cells)
	want := capi.UserData{
		Email: []string{"jane@example.com", "JANE@example.com"}, Phone: []string{"07700 900123"}, FirstName: []string{"Mary Ann"}, LastName: []string{"O’Brien"},
		BirthDate: []string{"1991-05-26"}, Gender: []string{"f"}, City: []string{"Cork"}, Zip: []string{"T12 AB34"}, Country: []string{"IE"}, ExternalID: []string{"17850"},
		ClientIPAddress: "192.0.2.1", FBC: "fb.1.1767609000000.abc", LeadID: "123456789012345678", Legacy: map[string]string{"doby": strings.Repeat("a", 64)},
	}
	if diff := cmp.Diff(want, r.Event.UserData); diff != "" {
		t.Errorf("user data (-want +got):\n%s", diff)
	}
	o := parse(t, doc).EncoderOptions()
	if o.ExternalID != capi.ExternalIDSHA256Lower || o.Hashed[capi.FieldPhone] != capi.HashNo {
		t.Errorf("encoder options %+v", o)
	}
}

func TestSpreadsheetDamage(t *testing.T) {
	t.Parallel()
	doc := swap("user: {em: email, ph: tel, external_id: cust, zp: zip}")
	tests := []struct {
		name          string
		cells         map[string]string
		warnings      []string
		phone, extern string
	}{
		{"phone in scientific notation", order("tel", "4.477E+11", "cust", "", "zip", ""), []string{"scientific_phone:tel"}, "", ""},
		{"phone as a float", order("tel", "447700900123.0", "cust", "", "zip", ""), []string{"float_ids:tel"}, "", ""},
		{"id as a float", order("tel", "", "cust", "17850.0", "zip", ""), []string{"float_ids:cust"}, "", "17850.0"},
		{"id in scientific notation", order("tel", "", "cust", "1.7e+12", "zip", ""), []string{"scientific_id:cust"}, "", ""},
		{"zip as a float", order("tel", "", "cust", "", "zip", "94025.0"), []string{"float_ids:zip"}, "", ""},
		{"order id as a float", order("order", "536365.0", "tel", "", "cust", "", "zip", ""), []string{"float_ids:order"}, "", ""},
		{"dots in a phone are not a float", order("tel", "077.009.00123", "cust", "", "zip", ""), nil, "077.009.00123", ""},
		{"letters with an E are not a number", order("tel", "", "cust", "12E5", "zip", ""), nil, "", "12E5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := mapOne(t, doc, tt.cells)
			if diff := cmp.Diff(tt.warnings, warnings(r)); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
			if got := strings.Join(r.Event.UserData.Phone, ","); got != tt.phone {
				t.Errorf("phone %q, want %q", got, tt.phone)
			}
			if got := strings.Join(r.Event.UserData.ExternalID, ","); got != tt.extern {
				t.Errorf("external id %q, want %q", got, tt.extern)
			}
		})
	}
}

// warnings prints "code:column" of each warning.
func warnings(r *mapping.Result) (out []string) {
	for i, w := range r.Warnings {
		out = append(out, w+":"+r.WarningColumns[i])
	}
	return out
}

func TestTransforms(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, setting, in, want, warning string
	}{
		{"every value is trimmed", "{column: x}", "\u00a0\ufeff a b \t", "a b", ""},
		{"lower", "{column: x, transforms: [lower]}", "ÄB", "äb", ""},
		{"upper", "{column: x, transforms: upper}", "äb", "ÄB", ""},
		{"digits", "{column: x, transforms: [digits]}", "a1-b2", "12", ""},
		{"strip_dot_zero", "{column: x, transforms: [strip_dot_zero]}", "17850.00", "17850", ""},
		{"strip_dot_zero leaves other numbers", "{column: x, transforms: [strip_dot_zero]}", "17.50", "17.50", ""},
		{"default for an empty value", "{column: x, default: none}", " ", "none", ""},
		{"default leaves a value", "{column: x, transforms: [{default: none}]}", "a", "a", ""},
		{"blank words", "{column: x, transforms: [{blank: [null, N/A, '-']}]}", "n/a", "", ""},
		{"blank then default", "{column: x, transforms: [{blank: '-'}, {default: d}]}", "-", "d", ""},
		{"lookup hit", "{column: x, lookup: t}", "EIRE", "IE", ""},
		{"lookup miss", "{column: x, lookup: t}", "RSA", "", "lookup_missed:x"},
		{"lookup to nothing", "{column: x, lookup: t}", "Unspecified", "", ""},
		{"lookup miss with default", "{column: x, lookup: t, default: ZZ}", "RSA", "ZZ", ""},
		{"transforms before lookup", "{column: x, transforms: [upper], lookup: t}", "eire", "IE", ""},
		{"number", "{column: x, transforms: [{number: de}]}", "1.234,50", "1234.5", ""},
		{"bad number", "{column: x, transforms: [{number: de}]}", "1,234.50", "", "unparseable_number:x"},
		{"date", "{column: x, transforms: [{date: D/M/YYYY}]}", "5/1/2026", "2026-01-05", ""},
		{"bad date", "{column: x, transforms: [{date: D/M/YYYY}]}", "2026", "", "unparseable_date:x"},
		{"steps run in order", "{column: x, transforms: [{number: fr}, {lookup: t}]}", "1 000", "thousand", ""},
		{"constant", "{const: fixed}", "", "fixed", ""},
		{"join leaves out what is empty", "{columns: [x, total, y], join: '-'}", "a", "a-12.50", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := parse(t, swap("labels: {l: "+tt.setting+", unused: {const: EIRE, lookup: t}}", "lookups: {t: {EIRE: IE, '1000': thousand, Unspecified: }}"))
			cells := order("x", tt.in)
			if strings.Contains(tt.setting, "const") {
				delete(cells, "x")
			}
			if strings.Contains(tt.setting, "y]") {
				cells["y"] = ""
			}
			r := mapping.NewMapper(m).Map([]mapping.Row{rowOf(t, m, 2, cells)})
			if r.Labels[0] != tt.want {
				t.Errorf("%q became %q, want %q", tt.in, r.Labels[0], tt.want)
			}
			if got := strings.Join(warnings(r), " "); got != tt.warning {
				t.Errorf("warning %q, want %q", got, tt.warning)
			}
		})
	}
}

func TestStripCurrency(t *testing.T) {
	t.Parallel()
	doc := swap("value: {column: total, locale: de, transforms: [strip_currency]}")
	for _, in := range []string{"1.234,50 €", "€1.234,50", "EUR 1.234,50", "1.234,50EUR", "1.234,50"} {
		if r := mapOne(t, doc, order("total", in)); r.Event.CustomData.Value.Value != 12_345_000 {
			t.Errorf("%q is %s, reject %+v", in, r.Event.CustomData.Value.Value, r.Reject)
		}
	}
	// A refund is one, wherever its sign stands.
	for _, in := range []string{"-£12,50", "£-12,50", "-12,50 €"} {
		if r := mapOne(t, doc, order("total", in)); r.Reject.Code != mapping.RejectNegativeValue {
			t.Errorf("%q: reject %+v, want negative_value", in, r.Reject)
		}
	}
}

func TestLookupFile(t *testing.T) {
	t.Parallel()
	doc := minimal + "labels: {region: {column: shop, lookup: regions}}\nlookups: {regions: {file: data/shops.csv, key: shop, value: region, otherwise: keep}}\n"
	content := "\ufeffid, region ,shop\n1,North,\"Leeds, Arcade\"\n2,South,Hove\n"
	for in, want := range map[string]string{"Leeds, Arcade": "North", "Hove": "South", "Bath": "Bath"} {
		if r := mapOne(t, doc, order("shop", in), "data/shops.csv", content); r.Labels[0] != want {
			t.Errorf("%q is in %q, want %q", in, r.Labels[0], want)
		}
	}
}

func TestConsent(t *testing.T) {
	t.Parallel()
	doc := swap("consent: {column: ads, granted: [yes, J], denied: [no, withdrawn], measure_only: [stats], region: land, state: st}")
	tests := []struct {
		ads, land, state string
		skip             string
		optOut           bool
		ldu              int64
	}{
		{"yes", "DE", "", "", false, 0},
		{"j", "DE", "", "", false, 0},
		{"no", "DE", "", mapping.SkipConsentDenied, false, 0},
		{"Withdrawn", "GB", "", mapping.SkipConsentDenied, false, 0},
		{"", "Germany", "", mapping.SkipConsentUnknown, false, 0},
		{"maybe", "CH", "", mapping.SkipConsentUnknown, false, 0},
		{"", "", "", mapping.SkipConsentUnknown, false, 0},
		{"", "Atlantis", "", mapping.SkipConsentUnknown, false, 0},
		{"", "US", "CA", "", false, 0},
		{"no", "US", "California", "", false, 1000},
		{"no", "US", "NY", mapping.SkipConsentDenied, false, 0},
		{"no", "DE", "DE", mapping.SkipConsentDenied, false, 0},
		{"", "BR", "", "", false, 0},
		{"no", "BR", "", mapping.SkipConsentDenied, false, 0},
		{"stats", "FR", "", "", true, 0},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s in %s %s", tt.ads, tt.land, tt.state), func(t *testing.T) {
			t.Parallel()
			r := mapOne(t, doc, order("ads", tt.ads, "land", tt.land, "st", tt.state))
			if r.Code != tt.skip || (r.Kind == mapping.Skipped) != (tt.skip != "") {
				t.Fatalf("kind %d, code %q, want %q", r.Kind, r.Code, tt.skip)
			}
			if got := r.Event.OptOut.Value; got != tt.optOut {
				t.Errorf("opt_out %v, want %v", got, tt.optOut)
			}
			ldu := int64(0)
			if r.Event.DataProcessing != nil {
				ldu = r.Event.DataProcessing.State.Value
			}
			if ldu != tt.ldu {
				t.Errorf("limited data use state %d, want %d", ldu, tt.ldu)
			}
		})
	}
}

func TestOptOutOfSale(t *testing.T) {
	t.Parallel()
	doc := swap("consent: {column: ads, granted: [yes], withdrawn: [gone], measure_only: [stats], region: land, opt_out_of_sale: ccpa}", "user: {em: email, st: st}")
	const none = int64(-1)
	tests := []struct {
		name, ads, land, state, ccpa string
		force                        bool
		skip                         string
		ldu                          int64 // state; none: no limited data use
	}{
		{"withdrawn is a no", "gone", "DE", "", "", false, mapping.SkipConsentDenied, none},
		{"state of the address", "yes", "US", "TX", "yes", false, "", 1005},
		{"opted out beats granted", "yes", "US", "CA", "1", false, "", 1000},
		{"opted out, no such rule", "yes", "US", "NY", "1", false, mapping.SkipConsentDenied, none},
		{"opted out, region unknown", "yes", "", "CA", "1", false, mapping.SkipConsentDenied, none},
		{"opted out elsewhere", "yes", "BR", "", "1", false, mapping.SkipConsentDenied, none},
		{"measure only and opted out", "stats", "US", "CA", "1", false, "", 1000},
		{"not opted out", "", "US", "CA", "no", false, "", none},
		{"forced", "", "US", "CO", "", true, "", 1001},
		{"forced, no such rule", "", "US", "NY", "", true, "", 0},
		{"forced elsewhere", "yes", "DE", "", "", true, "", none},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := parse(t, doc)
			p := mapping.NewMapper(m)
			p.ForceLimitedDataUse(tt.force)
			content := order("ads", tt.ads, "land", tt.land, "st", tt.state, "ccpa", tt.ccpa)
			r := p.Map([]mapping.Row{rowOf(t, m, 2, content)})
			if r.Code != tt.skip {
				t.Fatalf("code %q, want %q", r.Code, tt.skip)
			}
			ldu := none
			if d := r.Event.DataProcessing; d != nil {
				ldu = d.State.Value
			}
			if ldu != tt.ldu {
				t.Errorf("limited data use state %d, want %d", ldu, tt.ldu)
			}
			if optOut := r.Event.OptOut.Value; optOut != (tt.ads == "stats") {
				t.Errorf("opt_out %v", optOut)
			}
		})
	}
}

func TestForcedLimitedDataUseOfAssumedConsent(t *testing.T) {
	t.Parallel()
	doc := swap("consent: granted", "user: {em: email, st: st, country: land}")
	m := parse(t, doc)
	p := mapping.NewMapper(m)
	p.ForceLimitedDataUse(true)
	for land, want := range map[string]bool{"US": true, "DE": false, "": false} {
		r := p.Map([]mapping.Row{rowOf(t, m, 2, order("land", land, "st", "CA"))})
		if r.Kind != mapping.Mapped || (r.Event.DataProcessing != nil) != want {
			t.Errorf("%q: kind %d, limited %v", land, r.Kind, r.Event.DataProcessing)
		}
	}
}

func TestConsentGoesBeforeFaults(t *testing.T) {
	t.Parallel()
	r := mapOne(t, swap("consent: {column: ads, granted: [yes], denied: [no]}"), order("ads", "no", "at", "never", "total", "x"))
	if r.Kind != mapping.Skipped || r.Code != mapping.SkipConsentDenied {
		t.Errorf("a row without consent became %+v", r)
	}
}

func TestCustomAndTexts(t *testing.T) {
	t.Parallel()
	doc := swap("action_source: website", "event_source_url: https://shop.example.com/", "store_code: shop", "store_page_id: {const: '42'}", "messaging_channel: whatsapp", "opt_out: oo",
		`custom: {content_type: {const: product}, content_ids: [sku, sku2], net_revenue: {column: margin, locale: de}, num_items: items, customer_segmentation: seg,
  tier: tier, points: {column: pts, type: number}, vip: {column: vip, type: boolean}, bad: {column: bad, type: number}}`)
	r := mapOne(t, doc, order("shop", "LDN1", "sku", "A", "sku2", "", "margin", "3,5", "items", "2", "seg", "new_customer_to_business", "tier", "go\"l\u2028d", "pts", "007.50", "vip", "Y", "bad", "x", "oo", "1"))
	want := capi.CustomData{
		Currency: "GBP", Value: capi.Some(capi.Decimal(125_000)), OrderID: "1001", ContentType: "product", ContentIDs: []string{"A"},
		NetRevenue: capi.Some(capi.Decimal(35_000)), NumItems: capi.Some(int64(2)),
		Properties: []capi.Property{{Key: "tier", JSON: "\"go\\\"l\u2028d\""}, {Key: "points", JSON: "7.5"}, {Key: "vip", JSON: "true"}},
	}
	if diff := cmp.Diff(want, r.Event.CustomData); diff != "" {
		t.Errorf("custom data (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"unparseable_number:bad"}, warnings(r)); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	e := r.Event
	if e.EventSourceURL != "https://shop.example.com/" || e.MessagingChannel != capi.WhatsApp || e.CustomerSegmentation != "new_customer_to_business" || !e.OptOut.Value {
		t.Errorf("texts %+v", e)
	}
	if diff := cmp.Diff(&capi.StoreData{StoreCode: "LDN1", StorePageID: "42"}, e.StoreData); diff != "" {
		t.Errorf("store data (-want +got):\n%s", diff)
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	t.Run("several parts", func(t *testing.T) {
		t.Parallel()
		r := mapOne(t, swap(`id: [shop, {column: at, transforms: [{date: iso}]}, order]`), order("shop", `a/b\c`))
		if want := `a\/b\\c/2026-01-05/1001`; r.RecordID != want || r.Event.CustomData.OrderID != want {
			t.Errorf("record id %q, want %q", r.RecordID, want)
		}
	})
	t.Run("occurrence", func(t *testing.T) {
		t.Parallel()
		r := mapOne(t, swap("occurrence: instalment"), order("instalment", "2"))
		if r.Occurrence != "2" || r.Event.EventID != mapping.EventID("shop/orders", "payment_received", "1001", "2") {
			t.Errorf("result %+v", r)
		}
	})
	t.Run("own event id and order id", func(t *testing.T) {
		t.Parallel()
		r := mapOne(t, swap("event_id: web_id", "order_id: ref"), order("web_id", "abc", "ref", "R1"))
		if r.Event.EventID != "abc" || r.Event.CustomData.OrderID != "R1" {
			t.Errorf("event %+v", r.Event)
		}
	})
	t.Run("no order id", func(t *testing.T) {
		t.Parallel()
		if r := mapOne(t, swap("order_id: none"), order()); r.Event.CustomData.OrderID != "" {
			t.Errorf("order id %q", r.Event.CustomData.OrderID)
		}
	})
	t.Run("by content", func(t *testing.T) {
		t.Parallel()
		m := parse(t, strings.Replace(minimal, "id: order\n", "", 1))
		cells := order()
		delete(cells, "order")
		row := rowOf(t, m, 2, cells)
		row.Digest = [16]byte{0xab, 1}
		p := mapping.NewMapper(m)
		if got := p.Map([]mapping.Row{row}).RecordID; !m.NeedsDigest() || got != "row:ab010000000000000000000000000000" {
			t.Errorf("record id %q", got)
		}
		row.Ordinal = 1
		if got := p.Map([]mapping.Row{row}).RecordID; got != "row:ab010000000000000000000000000000:1" {
			t.Errorf("record id of the second such row %q", got)
		}
		if got := p.Key(row.Values); got != "" {
			t.Errorf("key %q", got)
		}
	})
}

// TestMapperForgets maps a full order and then a bare one: nothing of the first
// may be left in the second.
func TestMapperForgets(t *testing.T) {
	t.Parallel()
	m := parse(t, swap("user: {em: email, ph: tel, doby: y}", "store_code: shop", "custom: {tier: tier, content_ids: sku, net_revenue: m}", "consent: {column: ads, granted: [yes], measure_only: [stats], region: {const: BR}}"))
	p := mapping.NewMapper(m)
	bare := order("tel", "", "y", "", "shop", "", "tier", "", "sku", "", "m", "", "ads", "")
	want := *mapping.NewMapper(m).Map([]mapping.Row{rowOf(t, m, 2, bare)})
	p.Map([]mapping.Row{rowOf(t, m, 2, order("tel", "4.477E+11", "y", "x", "shop", "S", "tier", "gold", "sku", "A", "m", "1", "ads", "stats"))})
	got := *p.Map([]mapping.Row{rowOf(t, m, 2, bare)})
	want.Warnings, got.Warnings = append([]string{}, want.Warnings...), append([]string{}, got.Warnings...)
	want.WarningColumns, got.WarningColumns = append([]string{}, want.WarningColumns...), append([]string{}, got.WarningColumns...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the second order differs after another one (-want +got):\n%s", diff)
	}
}

// TestNoValueInMessages puts a recognisable text into every column and looks for
// it in everything that is meant for people.
func TestNoValueInMessages(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-value"
	docs := []string{minimal, swap("value: {column: total, locale: de}"), swap("outcome: {column: type}"), swap("user: {em: email, ph: tel, db: {column: b, transforms: [{date: iso}]}}")}
	for _, doc := range docs {
		m := parse(t, doc)
		for i := range m.Columns() {
			row := rowOf(t, m, 2, nil)
			for j, c := range m.Columns() {
				row.Values[j] = order()[c]
			}
			row.Values[i] = secret
			p := mapping.NewMapper(m)
			r := p.Map([]mapping.Row{row})
			said := fmt.Sprint(r.Reject, r.Warnings, r.WarningColumns, r.Code)
			if strings.Contains(said, secret) {
				t.Errorf("column %s: a message holds the value: %s", m.Columns()[i], said)
			}
			_, steps := p.Explain([]mapping.Row{row})
			for _, s := range steps {
				if strings.HasPrefix(s.Target, "user.") && strings.Contains(fmt.Sprint(s), secret) {
					t.Errorf("the explanation of %s holds the value", s.Target)
				}
			}
		}
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	m := parse(t, swap("user: {em: {column: email, transforms: [lower]}}", "currency: {column: cur, transforms: [upper, {default: GBP}]}"))
	r, steps := mapping.NewMapper(m).Explain([]mapping.Row{rowOf(t, m, 2, order("email", "Jane@Example.com", "cur", "eur"))})
	if r.Kind != mapping.Mapped {
		t.Fatal(r.Reject)
	}
	want := []mapping.Step{
		{Target: "id", Columns: []string{"order"}, Raw: "1001", Value: "1001"},
		{Target: "outcome", Raw: "payment_received", Value: "payment_received"},
		{Target: "time", Columns: []string{"at"}, Raw: "2026-01-05 10:30:00", Value: "2026-01-05 10:30:00"},
		{Target: "value", Columns: []string{"total"}, Raw: "12.50", Value: "12.50"},
		{Target: "currency", Columns: []string{"cur"}, Raw: "eur", Transforms: []mapping.Transform{{Name: "upper", Value: "EUR"}, {Name: "default", Value: "EUR"}}, Value: "EUR"},
		{Target: "action_source", Raw: "physical_store", Value: "physical_store"},
		{Target: "user.em", Columns: []string{"email"}, Raw: "J…(16)", Transforms: []mapping.Transform{{Name: "lower", Value: "j…(16)"}}, Value: "j…(16)"},
	}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func TestEveryCodeIsExplained(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range mapping.Codes() {
		if c.Code == "" || c.When == "" || c.Fix == "" || seen[fmt.Sprint(c.Kind, c.Code)] {
			t.Errorf("code %+v is incomplete or listed twice", c)
		}
		seen[fmt.Sprint(c.Kind, c.Code)] = true
	}
}

// TestExplainTellsWhatWasDropped looks for the reason beside the value it is about.
func TestExplainTellsWhatWasDropped(t *testing.T) {
	t.Parallel()
	m := parse(t, swap("user: {em: email, ph: [tel, tel2]}"))
	_, steps := mapping.NewMapper(m).Explain([]mapping.Row{rowOf(t, m, 2, order("tel", "4.477E+11", "tel2", "447700900123.0"))})
	got := map[string]mapping.Step{}
	for _, s := range steps {
		if s.Target == "user.ph" {
			got[s.Columns[0]] = s
		} else if len(s.Warnings) > 0 {
			t.Errorf("step %+v has the warning of another", s)
		}
	}
	for column, code := range map[string]string{"tel": mapping.WarnScientificPhone, "tel2": mapping.WarnFloatIDs} {
		if s := got[column]; s.Value != "" || len(s.Warnings) != 1 || s.Warnings[0] != code {
			t.Errorf("%s: step %+v, want it dropped with %s", column, s, code)
		}
	}
}

// TestExplainKeepsLinesApart explains an order whose lines are alike.
func TestExplainKeepsLinesApart(t *testing.T) {
	t.Parallel()
	m := parse(t, lineDoc)
	rows := []mapping.Row{rowOf(t, m, 2, line("A", "1", "2.50")), rowOf(t, m, 3, line("A", "1", "2.50")), rowOf(t, m, 4, line("A", "1.5", "2.50"))}
	_, steps := mapping.NewMapper(m).Explain(rows)
	var told []string
	for _, s := range steps {
		if strings.HasPrefix(s.Target, "lines.") && s.Target != "lines.title" {
			told = append(told, fmt.Sprintf("%s %d %s %v", s.Target, s.Line, s.Value, s.Warnings))
		} else if s.Target == "id" && s.Columns[0] != "order" {
			t.Errorf("step %+v", s)
		}
	}
	want := []string{
		"lines.quantity 2 1 []", "lines.item_price 2 2.50 []", "lines.quantity 3 1 []", "lines.item_price 3 2.50 []", "lines.quantity 4 1.5 [fractional_quantity]", "lines.item_price 4 2.50 []",
		"lines.id 2 A []", "lines.id 3 A []", "lines.id 4 A []",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// TestJSONNames fixes what programs read of proposals and explanations.
func TestJSONNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		value any
		want  string
	}{
		{mapping.Guess{Column: "a", Target: "b", Why: "c"}, `{"column":"a","target":"b","why":"c"}`},
		{mapping.ProposalWarning{Code: "a", Message: "b"}, `{"code":"a","message":"b"}`},
		{mapping.UniquenessReport{Rows: 1}, `{"rows":1,"empty":0,"keys":0,"repeated":0,"crossed":0,"sampled":false}`},
		{mapping.Step{Target: "a", Columns: []string{"b"}, Line: 2, Raw: "c", Transforms: []mapping.Transform{{Name: "d", Value: "e"}}, Value: "f", Warnings: []string{"g"}},
			`{"target":"a","columns":["b"],"line":2,"raw":"c","transforms":[{"name":"d","value":"e"}],"value":"f","warnings":["g"]}`},
	} {
		if got, err := json.Marshal(tt.value); err != nil || string(got) != tt.want {
			t.Errorf("%T is %s (%v), want %s", tt.value, got, err, tt.want)
		}
	}
}
