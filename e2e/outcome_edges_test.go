package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// push sends outcomes as JSON lines and returns what became of each.
func (w *world) push(lines ...string) (status []string) {
	w.t.Helper()
	o := w.runWith(strings.Join(lines, "\n"), nil, "outcomes", "push", "-")
	for l := range strings.Lines(o.stdout) {
		var r struct {
			Status string `json:"status"`
		}
		decode(w.t, l, &r)
		status = append(status, r.Status)
	}
	if len(status) != len(lines) {
		w.t.Fatalf("%d answers to %d items\n%s%s", len(status), len(lines), o.stdout, o.stderr)
	}
	return status
}

// pushed is an outcome of two hours ago with a yes.
func (w *world) pushed(outcome, record, more string) string {
	return fmt.Sprintf(`{"outcome":%q,"record_id":%q,"event_time":%d,"value":12.5,"currency":"GBP","consent":"granted","action_source":"physical_store","user_data":{"em":"a@example.com"}%s}`,
		outcome, record, w.clock().Add(-2*time.Hour).Unix(), more)
}

// Consent that is taken back in the same push or file as its outcome counts: the
// last word does, not the order of the statements.
func TestConsentWithdrawnBesideItsOutcome(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		item := w.pushed("payment_received", "1", "")
		got := w.push(item, strings.Replace(item, `"granted"`, `"withdrawn"`, 1), w.pushed("payment_received", "2", ""))
		if strings.Join(got, " ") != "new withdrawn new" {
			t.Errorf("answers %q", got)
		}
		p := w.previewOutcomes("--outcome", "payment_received")
		if p.Counts.Planned != 1 || p.Summary.Skips["consent_denied"] != 1 {
			t.Errorf("preview %+v", p)
		}
		m := w.file("m.yaml", strings.Replace(ordersMapping, "consent: granted", "consent: {column: sale, granted: [yes], denied: [no]}", 1))
		at := w.clock().Add(-2 * time.Hour)
		path := w.file("a.csv", ordersHead+orderRow("A1", "paid", at, "", "yes")+orderRow("A2", "paid", at, "", "yes")+orderRow("A1", "paid", at, "", "no"))
		var n intake
		w.ok(&n, "outcomes", "import", path, "-m", m)
		if n.Withdrawn != 1 || n.add() != n.Rows {
			t.Errorf("intake %+v", n)
		}
		p = w.previewOutcomes("--outcome", "payment_received")
		if p.Counts.Planned != 2 || p.Summary.Skips["consent_denied"] != 2 {
			t.Errorf("preview %+v", p)
		}
	})
}

// A cancellation by record takes back everything the record stands for: every
// occurrence and every outcome of it, in the store and inside one file.
func TestCancelledRecordWithOccurrences(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		got := w.push(w.pushed("payment_received", "1", `,"occurrence":"1"`), w.pushed("payment_received", "1", `,"occurrence":"2"`),
			`{"record_id":"R1","cancels":"1"}`)
		if strings.Join(got, " ") != "new new cancelled" {
			t.Errorf("answers %q", got)
		}
		p := w.previewOutcomes("--outcome", "payment_received")
		if p.Counts.Planned != 0 || p.Summary.Skips["cancelled"] != 2 {
			t.Errorf("preview %+v", p)
		}
		m := w.file("m.yaml", strings.Replace(ordersMapping, "consent:", "occurrence: sale\nconsent:", 1))
		at := w.clock().Add(-2 * time.Hour)
		text := ordersHead + orderRow("A1", "paid", at, "", "1") + orderRow("A2", "paid", at, "", "1") + orderRow("A1", "paid", at, "", "2") + orderRow("R1", "cancel", at.Add(time.Hour), "A1", "")
		if p := w.previewFile(w.file("a.csv", text), m); p.Counts.Planned != 1 || p.Summary.Skips["cancelled"] != 2 {
			t.Errorf("one file: %+v", p)
		}
	})
}

// A cancellation that names an outcome leaves the record's other outcomes alone,
// also those that come later.
func TestCancellationOfOneOutcome(t *testing.T) {
	t.Parallel()
	w := begin(t)
	got := w.push(w.pushed("lead_created", "1", ""), `{"record_id":"R1","cancels":"1","outcome":"lead_created"}`, w.pushed("payment_received", "1", ""),
		`{"record_id":"R2","cancels":"2","outcome":"lead_created"}`, w.pushed("payment_received", "2", ""), w.pushed("lead_created", "2", ""))
	if strings.Join(got, " ") != "new cancelled new pending new new" {
		t.Errorf("answers %q", got)
	}
	p := w.previewOutcomes("--outcome", "payment_received", "--outcome", "lead_created")
	if p.Counts.Planned != 2 || p.Summary.Skips["cancelled"] != 2 {
		t.Errorf("preview %+v", p)
	}
}

// An outcome that gave way to a stronger one of its sale is sendable again once that
// one is gone; not so when it went because the person said no.
func TestSupersededComesBack(t *testing.T) {
	t.Parallel()
	sale := func(n int) string { return fmt.Sprintf(`,"sale_key":"S%d"`, n) }
	eachStore(t, func(t *testing.T, w *world) {
		w.advance(48 * time.Hour)
		var orders, payments []string
		for n := range 4 {
			order := w.pushed("order_placed", fmt.Sprint("O", n), sale(n))
			orders = append(orders, strings.Replace(order, fmt.Sprint(w.clock().Add(-2*time.Hour).Unix()), fmt.Sprint(w.clock().Add(-30*time.Hour).Unix()), 1))
			payments = append(payments, w.pushed("payment_received", fmt.Sprint("P", n), sale(n)))
		}
		w.push(append(orders, payments...)...)
		p := w.previewOutcomes("--outcome", "payment_received", "--outcome", "order_placed")
		if p.Counts.Planned != 4 || p.Summary.Skips["superseded"] != 4 {
			t.Fatalf("preview %+v", p)
		}
		got := w.push(
			`{"record_id":"R0","cancels":"P0"}`,                                   // cancelled
			strings.Replace(payments[1], `"granted"`, `"denied"`, 1),              // consent taken back
			strings.Replace(payments[2], `"GBP"`, `"XX"`, 1),                      // no longer an event
			strings.Replace(payments[3], `"sale_key":"S3"`, `"sale_key":"S9"`, 1), // of another sale
		)
		if strings.Join(got, " ") != "cancelled withdrawn rejected changed" {
			t.Fatalf("answers %q", got)
		}
		p = w.previewOutcomes("--outcome", "payment_received", "--outcome", "order_placed")
		if p.Counts.Planned != 4 || p.Summary.Skips["superseded"] != 1 {
			t.Errorf("afterwards %+v", p)
		}
	})
}

const linesMapping = `version: 1
namespace: e2e/lines
id: order
outcome:
  default: payment_received
  when:
    - {column: kind, equals: cancel, skip: cancellation}
cancels: {match: lines, customer: customer}
lines: {id: item, quantity: qty, price: price}
time: {column: at}
value: {sum: lines}
currency: GBP
action_source: physical_store
consent: granted
user: {external_id: customer, em: {const: a@example.com}}
`

const linesHead = "order,kind,at,item,qty,price,customer\n"

// An order that came again with another quantity is cancelled by that quantity.
func TestLineCancellationOfAChangedOrder(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("m.yaml", linesMapping)
	at := w.now.Add(-5 * time.Hour).Format(time.RFC3339)
	var n intake
	w.ok(nil, "outcomes", "import", w.file("a.csv", linesHead+"A1,order,"+at+",X,2,5.00,77\nA1,order,"+at+",Y,1,5.00,77\n"), "-m", m)
	w.ok(&n, "outcomes", "import", w.file("b.csv", linesHead+"A1,order,"+at+",X,3,5.00,77\n"), "-m", m)
	if n.Changed != 1 {
		t.Fatalf("intake %+v", n)
	}
	n = intake{}
	w.ok(&n, "outcomes", "import", w.file("back.csv", linesHead+"C1,cancel,"+w.now.Add(-time.Hour).Format(time.RFC3339)+",X,-3,5.00,77\n"), "-m", m)
	if n.Cancelled != 1 || n.Unmatched != 0 {
		t.Errorf("cancellation %+v", n)
	}
}

// A cancellation that matches lines and came before its order counts when it is
// imported again.
func TestLineCancellationBeforeItsOrder(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("m.yaml", linesMapping)
	at := w.now.Add(-5 * time.Hour).Format(time.RFC3339)
	back := w.file("back.csv", linesHead+"C1,cancel,"+w.now.Add(-time.Hour).Format(time.RFC3339)+",X,-2,5.00,77\n")
	var n intake
	w.ok(&n, "outcomes", "import", back, "-m", m)
	if n.Unmatched != 1 {
		t.Fatalf("intake %+v", n)
	}
	w.ok(nil, "outcomes", "import", w.file("orders.csv", linesHead+"A1,order,"+at+",X,2,5.00,77\n"), "-m", m)
	n = intake{}
	w.ok(&n, "outcomes", "import", back, "-m", m)
	if n.Cancelled != 1 || n.Unmatched != 0 {
		t.Errorf("again %+v", n)
	}
	n = intake{}
	w.ok(&n, "outcomes", "import", back, "-m", m)
	if n.Cancelled != 0 || n.Unmatched != 0 {
		t.Errorf("a third time %+v", n)
	}
}
