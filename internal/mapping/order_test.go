package mapping_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"sluice/capi"
	"sluice/internal/mapping"
)

// lineDoc maps order lines to orders.
var lineDoc = swap("value: {sum: lines}", "lines: {id: sku, quantity: qty, item_price: price, title: name}", "labels: {store: shop}")

func line(sku, qty, price string, change ...string) map[string]string {
	cells := map[string]string{"order": "1001", "at": "2026-01-05 10:30:00", "email": "jane@example.com", "sku": sku, "qty": qty, "price": price, "name": "", "shop": "LDN"}
	for i := 0; i < len(change); i += 2 {
		cells[change[i]] = change[i+1]
	}
	return cells
}

func mapLines(t testing.TB, doc string, lines ...map[string]string) *mapping.Result {
	t.Helper()
	m := parse(t, doc)
	var rows []mapping.Row
	for i, l := range lines {
		rows = append(rows, rowOf(t, m, int64(i+2), l))
	}
	return mapping.NewMapper(m).Map(rows)
}

func TestLines(t *testing.T) {
	t.Parallel()
	r := mapLines(t, lineDoc,
		line("A", "6", "2.55", "at", "2026-01-05 10:31:00", "name", "Lantern"),
		line("B", "2", "3.39"),
		line("DISCOUNT", "-1", "1.08"),
		line("", "1", "4.95"),
		line("C", "1.250", "9.99"),
		line("FREE", "1", "-1"))
	if r.Kind != mapping.Mapped || r.Lines != 6 {
		t.Fatalf("result %+v", r)
	}
	// 6·2.55 + 2·3.39 − 1.08 + 4.95 + 1.25·9.99 − 1 = 37.4375
	if got := r.Event.CustomData.Value.Value; got != 374_375 {
		t.Errorf("value %s, want 37.4375", got)
	}
	want := []capi.Content{
		{ID: "A", Quantity: capi.Some(int64(6)), ItemPrice: capi.Some(capi.Decimal(25_500)), Title: "Lantern"},
		{ID: "B", Quantity: capi.Some(int64(2)), ItemPrice: capi.Some(capi.Decimal(33_900))},
	}
	if diff := cmp.Diff(want, r.Event.CustomData.Contents); diff != "" {
		t.Errorf("contents (-want +got):\n%s", diff)
	}
	if r.Event.EventTime != 1767609000 {
		t.Errorf("time %d is not the earliest", r.Event.EventTime)
	}
	if diff := cmp.Diff([]string{"line_left_out:qty", "line_left_out:sku", "fractional_quantity:qty", "line_left_out:price"}, warnings(r)); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestLineRejects(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		bad          map[string]string
		code, column string
	}{
		{"no price", line("B", "1", ""), mapping.RejectMissingValue, "price"},
		{"no quantity", line("B", "", "1"), mapping.RejectMissingValue, "qty"},
		{"bad price", line("B", "1", "1,50"), mapping.RejectUnparseableValue, "price"},
		{"bad time", line("B", "1", "1", "at", "soon"), mapping.RejectUnparseableTime, "at"},
		{"sum out of range", line("B", "9000000000000", "9000000000000"), mapping.RejectUnparseableValue, "price"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := mapLines(t, lineDoc, line("A", "1", "1"), tt.bad)
			if r.Kind != mapping.Rejected || r.Reject.Code != tt.code || r.Reject.Column != tt.column {
				t.Errorf("kind %d, reject %+v", r.Kind, r.Reject)
			}
		})
	}
}

func TestRowsThatDisagree(t *testing.T) {
	t.Parallel()
	r := mapLines(t, lineDoc, line("A", "1", "1", "email", ""), line("B", "1", "1", "shop", "BTH"), line("C", "1", "1", "email", "bob@example.com"))
	if got := r.Event.UserData.Email; len(got) != 1 || got[0] != "jane@example.com" {
		t.Errorf("e-mail %q is not the first that is given", got)
	}
	if r.Labels[0] != "LDN" {
		t.Errorf("label %q is not the first", r.Labels[0])
	}
	if diff := cmp.Diff([]string{"conflicting_columns:shop", "conflicting_columns:email"}, warnings(r)); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestStrictestConsentOfAnOrder(t *testing.T) {
	t.Parallel()
	doc := lineDoc[:strings.Index(lineDoc, "consent:")] + "consent: {column: ads, granted: [yes], denied: [no]}\n" + lineDoc[strings.Index(lineDoc, "consent: granted\n")+len("consent: granted\n"):]
	r := mapLines(t, doc, line("A", "1", "1", "ads", "yes"), line("B", "1", "1", "ads", "no"))
	if r.Code != mapping.SkipConsentDenied {
		t.Errorf("result %+v", r)
	}
}

// TestOrderOfRowsDoesNotMatter shuffles the rows of an order.
func TestOrderOfRowsDoesNotMatter(t *testing.T) {
	t.Parallel()
	m := parse(t, lineDoc)
	rapid.Check(t, func(rt *rapid.T) {
		var rows []mapping.Row
		for i := range rapid.IntRange(1, 6).Draw(rt, "lines") {
			pick := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(rt, name) }
			rows = append(rows, rowOf(t, m, int64(i+2), line(pick("sku", "A", "B", ""), pick("qty", "1", "-1", "2.5", "x"), pick("price", "1.10", "0", "3"),
				"at", pick("at", "2026-01-05 10:30", "2026-01-04 10:30", ""), "shop", pick("shop", "LDN", "BTH", ""), "email", pick("email", "", "a@example.com", "b@example.com"))))
		}
		want := *mapping.NewMapper(m).Map(rows)
		got := *mapping.NewMapper(m).Map(rapid.Permutation(rows).Draw(rt, "order"))
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("the result depends on the order of rows (-want +got):\n%s", diff)
		}
	})
}

// TestRecordIDsAreInjective: different parts never give one id.
func TestRecordIDsAreInjective(t *testing.T) {
	t.Parallel()
	m := parse(t, swap("id: [shop, till, order]"))
	p := mapping.NewMapper(m)
	rapid.Check(t, func(rt *rapid.T) {
		part := rapid.StringMatching(`[a/\\]{1,4}`)
		draw := func(name string) map[string]string {
			return order("shop", part.Draw(rt, name), "till", part.Draw(rt, name), "order", part.Draw(rt, name))
		}
		a, b := rowOf(t, m, 2, draw("a")), rowOf(t, m, 3, draw("b"))
		same := fmt.Sprint(a.Values) == fmt.Sprint(b.Values)
		ka, kb := p.Key(a.Values), p.Key(b.Values)
		if same != (ka == kb) {
			rt.Fatalf("%q and %q have the keys %q and %q", a.Values, b.Values, ka, kb)
		}
	})
	if k := p.Key(rowOf(t, m, 2, order("shop", "1", "till", " ", "order", "2")).Values); k != "" {
		t.Errorf("key %q though a part is missing", k)
	}
}

// BenchmarkMap maps plain orders, one row each, with nine columns.
func BenchmarkMap(b *testing.B) {
	m := parse(b, swap("user: {em: email, ph: tel, fn: first, ln: last, zp: zip, external_id: {column: cust, transforms: [strip_dot_zero]}}", "labels: {store: shop}"))
	row := rowOf(b, m, 2, order("tel", "+44 7700 900123", "first", "Jane", "last", "Doe", "zip", "SW1A 1AA", "cust", "17850.0", "shop", "LDN"))
	p := mapping.NewMapper(m)
	rows := []mapping.Row{row}
	b.ReportAllocs()
	for b.Loop() {
		if r := p.Map(rows); r.Kind != mapping.Mapped {
			b.Fatal(r.Reject)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkMapLines maps orders of twenty lines.
func BenchmarkMapLines(b *testing.B) {
	m := parse(b, lineDoc)
	var rows []mapping.Row
	for i := range 20 {
		rows = append(rows, rowOf(b, m, int64(i+2), line("85123A", "6", "2.55", "name", "WHITE HANGING HEART T-LIGHT HOLDER")))
	}
	p := mapping.NewMapper(m)
	b.ReportAllocs()
	for b.Loop() {
		if r := p.Map(rows); r.Kind != mapping.Mapped {
			b.Fatal(r.Reject)
		}
	}
	b.ReportMetric(20*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
