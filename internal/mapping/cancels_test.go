package mapping_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/mapping"
)

// rowsFor builds rows in the order of the mapping's columns.
func rowsFor(m *mapping.Mapping, records ...map[string]string) []mapping.Row {
	var rows []mapping.Row
	for i, r := range records {
		values := make([]string, len(m.Columns()))
		for j, c := range m.Columns() {
			values[j] = r[c]
		}
		rows = append(rows, mapping.Row{File: "a.csv", Line: int64(i + 2), Values: values})
	}
	return rows
}

const invoices = `version: 1
namespace: t/invoices
id: no
outcome:
  default: order_placed
  when: [{column: no, prefix: C, skip: cancellation}]
time: {column: at, zone: UTC}
value: {sum: lines}
currency: GBP
action_source: physical_store
lines: {id: sku, quantity: qty, item_price: price}
user: {em: email}
consent: granted
`

func TestCancellationByLines(t *testing.T) {
	t.Parallel()
	m, err := mapping.Parse("m", []byte(invoices+"cancels: {match: lines, customer: customer}\n"), nil)
	if err != nil {
		t.Fatal(mapping.FaultsOf(err))
	}
	line := func(no, sku, qty string) map[string]string {
		return map[string]string{"no": no, "at": "2026-11-20 10:00", "sku": sku, "qty": qty, "price": "2", "customer": "17850", "email": "a@example.com"}
	}
	mapper := mapping.NewMapper(m)
	order := mapper.Map(rowsFor(m, line("1", "A", "6"), line("1", "B", "2"), line("1", "", "1"), line("1", "D", "-1")))
	want := []mapping.Item{{Customer: "17850", ID: "A", Quantity: 6_000_000}, {Customer: "17850", ID: "B", Quantity: 2_000_000}}
	if diff := cmp.Diff(want, order.Items); order.Kind != mapping.Mapped || diff != "" {
		t.Errorf("order %v %s", order.Kind, diff)
	}
	back := mapper.Map(rowsFor(m, line("C2", "A", "-6")))
	if diff := cmp.Diff(want[:1], back.Items); back.Code != mapping.SkipCancellation || diff != "" {
		t.Errorf("cancellation %s %s", back.Code, diff)
	}
	// A result keeps nothing of the one before.
	if other := mapper.Map(rowsFor(m, map[string]string{"no": "3", "at": "2026-11-20 10:00", "sku": "A", "qty": "1", "price": "2"})); len(other.Items) != 0 {
		t.Errorf("an order without a customer has lines to cancel: %v", other.Items)
	}
}

func TestCancellationByRecord(t *testing.T) {
	t.Parallel()
	m, err := mapping.Parse("m", []byte(invoices+"cancels: {record: original}\nsale_key: sale\ntouches: [{source: utm, ts: {column: clicked, zone: UTC}}]\n"), nil)
	if err != nil {
		t.Fatal(mapping.FaultsOf(err))
	}
	mapper := mapping.NewMapper(m)
	back := mapper.Map(rowsFor(m, map[string]string{"no": "C2", "original": "17", "at": "2026-11-20 10:00"}))
	if back.TakesBack != "17" || back.Event.EventTime != 1795168800 {
		t.Errorf("takes back %q at %d", back.TakesBack, back.Event.EventTime)
	}
	order := mapper.Map(rowsFor(m, map[string]string{"no": "17", "at": "2026-11-20 10:00", "sku": "A", "qty": "1", "price": "2", "sale": "S9", "utm": "facebook", "clicked": "2026-11-19 10:00"}))
	if diff := cmp.Diff([]mapping.Touch{{Time: 1795082400, Source: "facebook"}}, order.Touches); order.SaleKey != "S9" || diff != "" {
		t.Errorf("sale %q %s", order.SaleKey, diff)
	}
}

func TestCancelsFaults(t *testing.T) {
	t.Parallel()
	noLines := strings.Replace(strings.Replace(invoices, "lines: {id: sku, quantity: qty, item_price: price}\n", "", 1), "{sum: lines}", "total", 1)
	for text, want := range map[string]string{
		invoices + "cancels: {}\n":                             "neither or both",
		invoices + "cancels: {record: a, match: lines}\n":      "neither or both",
		invoices + "cancels: {match: lines}\n":                 "no column names the customer",
		invoices + "cancels: {match: rows, customer: c}\n":     "match",
		noLines + "cancels: {match: lines, customer: c}\n":     "which no lines give",
		invoices + "touches: {source: a}\n":                    "expected a list",
		invoices + "touches: [{ts: {column: a, zone: UTC}}]\n": "has no column",
		invoices + "touches: [{source: a, medium: b}]\n":       "medium",
	} {
		_, err := mapping.Parse("m", []byte(text), nil)
		said := ""
		for _, f := range mapping.FaultsOf(err) {
			said += f.String() + "\n"
		}
		if !strings.Contains(said, want) {
			t.Errorf("%s\nwants %q, says %q", text[len(invoices)-20:], want, said)
		}
	}
}

func TestFurtherObjects(t *testing.T) {
	t.Parallel()
	m, err := mapping.Parse("m", []byte(invoices+"app_data: {advertiser_tracking_enabled: att, vendor_id: idfv}\n"+
		"original_event_data: {event_name: {const: Purchase}, event_time: {column: first, zone: UTC}}\nattribution_data: {ad_id: ad, attribution_share: share, touchpoint_ts: clicked}\n"), nil)
	if err != nil {
		t.Fatal(mapping.FaultsOf(err))
	}
	r := mapping.NewMapper(m).Map(rowsFor(m, map[string]string{
		"no": "17", "at": "2026-11-20 10:00", "sku": "A", "qty": "1", "price": "2", "att": "no", "idfv": "V1", "first": "2026-11-19 10:00", "ad": "77", "share": "0.25", "clicked": "1795000000",
	}))
	e := r.Event
	if e.AppData == nil || !e.AppData.AdvertiserTrackingEnabled.Set || e.AppData.AdvertiserTrackingEnabled.Value || e.AppData.VendorID != "V1" {
		t.Errorf("app data %+v", e.AppData)
	}
	if e.OriginalEventData == nil || e.OriginalEventData.EventName != "Purchase" || e.OriginalEventData.EventTime != 1795082400 {
		t.Errorf("original event %+v", e.OriginalEventData)
	}
	if e.AttributionData == nil || e.AttributionData.AdID != "77" || e.AttributionData.TouchpointTS != 1795000000 || e.AttributionData.AttributionShare.Value.String() != "0.25" {
		t.Errorf("attribution %+v", e.AttributionData)
	}
}
