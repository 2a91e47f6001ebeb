package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// intake is the part of `outcomes import --json` that tests look at.
type intake struct {
	Rows, New, Repeated, Changed, Rejected, Skipped, Cancellations, Cancelled, Withdrawn, Unmatched int

	Rejects map[string]int
	Skips   map[string]int
}

func (n intake) add() int {
	return n.New + n.Repeated + n.Changed + n.Rejected + n.Skipped + n.Cancellations
}

// storedPlan is a plan with what only plans over outcomes show.
type storedPlan struct {
	plan
	Summary struct {
		Skips       map[string]int             `json:"skips"`
		Warnings    map[string]json.RawMessage `json:"warnings"`
		HeldUntil   string                     `json:"held_until"`
		DoubleCount bool                       `json:"double_count"`
		Window      string                     `json:"window"`
	} `json:"summary"`
}

const ordersMapping = `version: 1
namespace: e2e/web
id: order
outcome:
  default: order_placed
  when:
    - {column: kind, equals: cancel, skip: cancellation}
    - {column: kind, equals: paid, outcome: payment_received}
cancels: {record: cancels}
time: {column: at}
value: total
currency: GBP
action_source: physical_store
consent: granted
user: {em: email}
`

const ordersHead = "order,kind,at,total,email,cancels,sale\n"

// orderRow is one line of a file for ordersMapping.
func orderRow(order, kind string, at time.Time, cancels, sale string) string {
	return fmt.Sprintf("%s,%s,%s,20.00,%s@example.com,%s,%s\n", order, kind, at.Format(time.RFC3339), strings.ToLower(order), cancels, sale)
}

func (w *world) previewOutcomes(args ...string) storedPlan {
	w.t.Helper()
	var p storedPlan
	w.ok(&p, append([]string{"preview", "--window", "last-7-days", "--dataset", dataset}, args...)...)
	if p.Counts.add() != p.Counts.Rows {
		w.t.Errorf("counts %+v do not add up", p.Counts)
	}
	return p
}

// send rehearses and confirms a plan.
func (w *world) sendPlan(id string, args ...string) receipt {
	w.t.Helper()
	if o := w.run("dry-run", id); o.code != 0 {
		w.t.Fatalf("dry run: exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	var r receipt
	w.ok(&r, append([]string{"confirm", id, "--first-upload"}, args...)...)
	return r
}

// A cancellation that comes while its order is held keeps it from Meta; one that
// comes after delivery is a note, for Meta takes nothing back.
func TestVector16_cancellation_and_hold(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		m := w.file("m.yaml", ordersMapping)
		start := w.now
		first := w.file("day1.csv", ordersHead+orderRow("A1", "order", start.Add(-time.Hour), "", "")+orderRow("A2", "order", start.Add(-time.Hour), "", ""))
		var n intake
		w.ok(&n, "outcomes", "import", first, "-m", m)
		if n.New != 2 || n.add() != n.Rows {
			t.Fatalf("intake %+v", n)
		}
		p := w.previewOutcomes("--outcome", "order_placed")
		if p.Counts.Held != 2 || p.Counts.Planned != 0 || p.Summary.HeldUntil == "" {
			t.Fatalf("before the hold is over: %+v", p)
		}
		w.advance(12 * time.Hour)
		w.ok(&n, "outcomes", "import", w.file("day2.csv", ordersHead+orderRow("R1", "cancel", w.clock(), "A1", "")), "-m", m)
		if n.Cancelled != 1 || n.Unmatched != 0 {
			t.Fatalf("cancellation: %+v", n)
		}
		w.advance(12 * time.Hour)
		p = w.previewOutcomes("--outcome", "order_placed")
		if p.Counts.Planned != 1 || p.Summary.Skips["cancelled_in_hold"] != 1 {
			t.Fatalf("after the hold: %+v", p)
		}
		if r := w.sendPlan(p.ID); r.Counts["delivered"] != 1 {
			t.Fatalf("receipt %+v", r)
		}
		w.advance(time.Hour)
		late := w.file("day3.csv", ordersHead+orderRow("R2", "cancel", w.clock(), "A2", ""))
		w.ok(&n, "outcomes", "import", late, "-m", m)
		p = w.previewOutcomes("--outcome", "order_placed")
		if _, noted := p.Summary.Warnings["cancelled_after_delivery"]; !noted || p.Counts.Planned != 0 || p.Summary.Skips["duplicate"] != 1 {
			t.Fatalf("after delivery: %+v", p)
		}
		if s := w.stored(); s.Kept != 1 {
			t.Errorf("the sandbox holds %d events", s.Kept)
		}
	})
}

// What is cancelled between preview and confirm leaves the plan.
func TestCancelledBetweenPreviewAndConfirm(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("m.yaml", ordersMapping)
	var text strings.Builder
	text.WriteString(ordersHead)
	for i := range 20 {
		text.WriteString(orderRow(fmt.Sprintf("A%d", i), "order", w.now.Add(-30*time.Hour), "", ""))
	}
	w.ok(nil, "outcomes", "import", w.file("a.csv", text.String()), "-m", m)
	p := w.previewOutcomes("--outcome", "order_placed")
	w.advance(time.Minute)
	w.ok(nil, "outcomes", "import", w.file("b.csv", ordersHead+orderRow("R1", "cancel", w.clock(), "A7", "")), "-m", m)
	r := w.sendPlan(p.ID)
	if r.Counts["delivered"] != 19 || r.Counts["skipped"] != 1 {
		t.Fatalf("receipt %+v", r)
	}
}

// An order and its payment name one sale: one Purchase, whichever came first.
func TestVector25_one_purchase_per_sale(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		m := w.file("m.yaml", ordersMapping+"sale_key: sale\nhold: {order_placed: 0}\n")
		at := w.now.Add(-2 * time.Hour)
		both := w.file("both.csv", ordersHead+orderRow("A1", "order", at, "", "S1")+orderRow("P1", "paid", at.Add(time.Hour), "", "S1"))

		// In one file.
		p := w.previewFile(both, m)
		if p.Counts.Planned != 1 || p.Summary.Skips["superseded"] != 1 || p.Summary.DoubleCount {
			t.Fatalf("one file: %+v", p)
		}
		// Across time: the order goes first, its payment comes the day after.
		orders := w.file("orders.csv", ordersHead+orderRow("A2", "order", at, "", "S2"))
		var n intake
		w.ok(&n, "outcomes", "import", orders, "-m", m)
		p = w.previewOutcomes("--outcome", "order_placed", "--outcome", "payment_received")
		if r := w.sendPlan(p.ID); r.Counts["delivered"] != 1 {
			t.Fatalf("receipt %+v", r)
		}
		w.advance(24 * time.Hour)
		payments := w.file("payments.csv", ordersHead+orderRow("P2", "paid", w.clock().Add(-time.Hour), "", "S2"))
		w.ok(&n, "outcomes", "import", payments, "-m", m)
		p = w.previewOutcomes("--outcome", "order_placed", "--outcome", "payment_received")
		if p.Counts.Planned != 0 || p.Summary.Skips["superseded"] != 1 || p.Summary.Skips["duplicate"] != 1 {
			t.Fatalf("across time: %+v", p)
		}
		if s := w.stored(); s.Kept != 1 {
			t.Errorf("the sandbox holds %d purchases of one sale", s.Kept)
		}
	})
}

func (w *world) previewFile(path, m string, args ...string) storedPlan {
	w.t.Helper()
	var p storedPlan
	w.ok(&p, append([]string{"preview", path, "-m", m, "--dataset", dataset}, args...)...)
	if p.Counts.add() != p.Counts.Rows {
		w.t.Errorf("counts %+v do not add up", p.Counts)
	}
	return p
}

// Two plans that were made side by side, each with another outcome of one sale, send
// one Purchase between them: the sale's claim decides, not the previews.
func TestOneSaleInTwoPlans(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		m := w.file("m.yaml", ordersMapping+"sale_key: sale\nhold: {order_placed: 0}\n")
		at := w.now.Add(-2 * time.Hour)
		order := w.previewFile(w.file("o.csv", ordersHead+orderRow("A1", "order", at, "", "S1")), m)
		payment := w.previewFile(w.file("p.csv", ordersHead+orderRow("P1", "paid", at, "", "S1")), m)
		if order.Counts.Planned != 1 || payment.Counts.Planned != 1 {
			t.Fatalf("plans %+v %+v", order.Counts, payment.Counts)
		}
		if r := w.sendPlan(order.ID); r.Counts["delivered"] != 1 {
			t.Fatalf("receipt %+v", r)
		}
		if r := w.sendPlan(payment.ID); r.Counts["skipped"] != 1 {
			t.Fatalf("receipt %+v", r)
		}
		if s := w.stored(); s.Kept != 1 {
			t.Errorf("the sandbox holds %d purchases of one sale", s.Kept)
		}
	})
}

// Purchases of several outcomes without a sale are sent only by a decision.
func TestDoubleCountNeedsAYes(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("m.yaml", ordersMapping+"hold: {order_placed: 0}\n")
	at := w.now.Add(-2 * time.Hour)
	p := w.previewFile(w.file("both.csv", ordersHead+orderRow("A1", "order", at, "", "")+orderRow("P1", "paid", at, "", "")), m)
	if !p.Summary.DoubleCount || p.Counts.Planned != 2 {
		t.Fatalf("preview %+v", p)
	}
	if o := w.run("dry-run", p.ID); o.code != 0 {
		t.Fatal(o.stderr)
	}
	if o := w.run("confirm", p.ID, "--first-upload"); o.code != 4 || w.requests() != 0 {
		t.Fatalf("exit %d after %d requests\n%s", o.code, w.requests(), o.stderr)
	}
	var r receipt
	w.ok(&r, "confirm", p.ID, "--first-upload", "--accept-double-count")
	if r.Counts["delivered"] != 2 {
		t.Errorf("receipt %+v", r)
	}
}

// An import may be repeated: the same rows change nothing, a changed row is drift.
func TestOutcomesImportTwice(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		m := w.file("m.yaml", mappingText)
		path := w.file("a.csv", w.orders("LDN", 300))
		var n intake
		w.ok(&n, "outcomes", "import", path, "-m", m)
		if n.New != 300 || n.add() != n.Rows {
			t.Fatalf("first %+v", n)
		}
		w.ok(&n, "outcomes", "import", path, "-m", m)
		if n.Repeated != 300 || n.New != 0 {
			t.Fatalf("second %+v", n)
		}
		first := w.previewOutcomes("--outcome", "payment_received")
		again := w.previewOutcomes("--outcome", "payment_received")
		if first.Hash != again.Hash || first.Counts.Planned != 300 {
			t.Errorf("hash %s then %s, counts %+v", first.Hash, again.Hash, first.Counts)
		}
		changed := strings.Replace(w.orders("LDN", 300), ",6.50,", ",7.50,", 1)
		n = intake{}
		w.ok(&n, "outcomes", "import", w.file("b.csv", changed), "-m", m)
		if n.Changed != 1 || n.Repeated != 299 {
			t.Fatalf("changed %+v", n)
		}
		if p := w.previewOutcomes("--outcome", "payment_received"); p.Hash == first.Hash {
			t.Error("a changed outcome gives the same plan")
		}
		if r := w.sendPlan(first.ID); r.Counts["delivered"] != 300 {
			t.Fatalf("receipt %+v", r)
		}
		p := w.previewOutcomes("--outcome", "payment_received")
		if _, noted := p.Summary.Warnings["drift"]; !noted || p.Summary.Skips["duplicate"] != 300 {
			t.Errorf("after delivery %+v", p)
		}
	})
}

// A row that can't be sent is counted by every preview whose window it lies in.
func TestRejectedOutcomesStayVisible(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("m.yaml", mappingText)
	at := w.now.Add(-time.Hour).Format(time.RFC3339)
	path := w.file("a.csv", "shop,order,sold_at,total,currency,email,phone,customer\nLDN,1,"+at+",5.00,GBP,a@example.com,,\nLDN,2,"+at+",5.00,GBP,,,\nLDN,3,soon,5.00,GBP,a@example.com,,\n")
	var n intake
	w.ok(&n, "outcomes", "import", path, "-m", m)
	if n.New != 1 || n.Rejected != 2 || n.Rejects["no_identifiers"] != 1 || n.Rejects["unparseable_time"] != 1 {
		t.Fatalf("intake %+v", n)
	}
	p := w.previewOutcomes("--outcome", "payment_received")
	if p.Counts.Rows != 2 || p.Rejects["no_identifiers"] != 1 {
		t.Errorf("preview %+v", p)
	}
	if o := w.run("rejects", p.ID); !strings.Contains(o.stdout, "a.csv:3") {
		t.Errorf("the reject is not listed with its place:\n%s", o.stdout)
	}
}

// Pushed outcomes are judged one by one, and a repeat is told apart from a change.
func TestOutcomesPush(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		at := w.now.Add(-time.Hour).Unix()
		item := func(record, more string) string {
			return fmt.Sprintf(`{"outcome":"payment_received","record_id":%q,"event_time":%d,"value":12.5,"currency":"GBP","consent":"granted","action_source":"physical_store","user_data":{"em":"a@example.com"}%s}`, record, at, more)
		}
		push := func(lines ...string) (status []string, o outcome) {
			o = w.runWith(strings.Join(lines, "\n"), nil, "outcomes", "push", "-")
			for l := range strings.Lines(o.stdout) {
				var r struct {
					Status string `json:"status"`
					Error  *struct{ Code, Field string }
				}
				decode(t, l, &r)
				if r.Error != nil {
					r.Status += " " + r.Error.Code + "@" + r.Error.Field
				}
				status = append(status, r.Status)
			}
			return status, o
		}
		got, o := push(item("1", ""), item("2", `,"colour":"red"`), item("1", ""), item("3", `,"outcome":"again"`), `{"outcome":"payment_received"}`,
			item("4", `,"touches":[{"source":"facebook","ts":1}]`), `{"outcome":"contact_reply","record_id":"9","event_time":`+fmt.Sprint(at)+`,"consent":"granted","user_data":{"em":"a@example.com"}}`)
		want := []string{"new", "rejected unknown_key@colour", "repeated", "rejected bad_item@", "rejected missing_record_id@record_id", "new", "rejected unmapped_outcome@outcome"}
		if strings.Join(got, "|") != strings.Join(want, "|") || o.code != 5 {
			t.Fatalf("exit %d\n got %q\nwant %q\n%s", o.code, got, want, o.stderr)
		}
		if got, _ := push(item("1", `,"custom_data":{"order_id":"X"}`), `{"record_id":"c4","cancels":"4"}`, `{"record_id":"c4","cancels":"4"}`, `{"record_id":"c5","cancels":"5"}`, item("5", "")); strings.Join(got, "|") != "changed|cancelled|repeated|pending|new" {
			t.Fatalf("second push %q", got)
		}
		p := w.previewOutcomes("--outcome", "payment_received")
		if p.Counts.Rows != 3 || p.Counts.Planned != 1 || p.Summary.Skips["cancelled"] != 2 {
			t.Errorf("preview %+v", p)
		}
		if p := w.previewOutcomes("--outcome", "payment_received", "--filter", "has_meta_touch"); p.Counts.Planned != 0 || p.Summary.Skips["no_meta_touch"] != 2 {
			t.Errorf("filtered %+v", p)
		}
	})
}

// A hold that leaves less than a day to send in refuses the plan.
func TestHoldTooLong(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("m.yaml", strings.Replace(mappingText, "action_source: physical_store", "action_source: {column: channel, default: website}", 1)+
		"hold: {payment_received: 150h}\nevent_source_url: https://example.com\n")
	text := "shop,order,sold_at,total,currency,email,phone,customer,channel\nLDN,1," + w.now.Add(-time.Hour).Format(time.RFC3339) + ",5.00,GBP,a@example.com,,,\n"
	o := w.run("preview", w.file("a.csv", text), "-m", m, "--dataset", dataset, "--allow-missing-ua")
	if o.code != 2 || !strings.Contains(o.stderr, "hold") {
		t.Errorf("exit %d\n%s", o.code, o.stderr)
	}
}

// The simulator says what a hold would have kept and cost.
func TestHoldsSimulate(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("m.yaml", ordersMapping)
	at := w.now.Add(-10 * 24 * time.Hour)
	text := ordersHead
	for i, after := range []time.Duration{30 * time.Minute, 6 * time.Hour, 40 * time.Hour, 0} {
		id := fmt.Sprintf("A%d", i)
		text += orderRow(id, "order", at, "", "")
		if after > 0 {
			text += orderRow("R"+id, "cancel", at.Add(after), id, "")
		}
	}
	var s struct {
		Orders, Cancelled int
		Holds             []struct {
			Hold    string
			Kept    int
			Expired int
			Value   map[string]string `json:"kept_value"`
		}
	}
	path := w.file("a.csv", text)
	w.ok(&s, "holds", "simulate", path, "-m", m)
	kept := map[string]int{}
	for _, h := range s.Holds {
		kept[h.Hold] = h.Kept
	}
	if s.Orders != 4 || s.Cancelled != 3 || kept["0h"] != 0 || kept["1h"] != 1 || kept["12h"] != 2 || kept["24h"] != 2 || kept["72h"] != 3 {
		t.Errorf("simulation %+v", s)
	}
	w.ok(nil, "outcomes", "import", path, "-m", m)
	w.ok(&s, "holds", "simulate", "--outcome", "order_placed", "--window", "last-30-days")
	if s.Orders != 4 || s.Cancelled != 3 || s.Holds[3].Kept != 2 || s.Holds[3].Value["GBP"] != "40" {
		t.Errorf("simulation over the store %+v", s)
	}
}

// The policy of a profile decides events and holds of what comes without a mapping;
// pipeline events carry what Meta wants of a CRM.
func TestPolicyDecidesEvents(t *testing.T) {
	t.Parallel()
	w := begin(t)
	policy := w.file("policy.json", `{"events":{"contact_reply":{"event_name":"Contact","action_source":"email"}},"hold_for":{"payment_received":"24h"}}`)
	w.ok(nil, "profile", "add", "north", "--timezone", "Europe/London", "--policy", policy)
	at := w.now.Add(-time.Hour).Unix()
	item := func(outcome, more string) string {
		return fmt.Sprintf(`{"outcome":%q,"record_id":"1","event_time":%d,"consent":"granted","user_data":{"em":"a@example.com"}%s}`, outcome, at, more)
	}
	o := w.runWith(strings.Join([]string{
		item("contact_reply", ""),
		item("payment_received", `,"value":5,"currency":"GBP","action_source":"physical_store"`),
		item("closed_won", `,"value":5,"currency":"GBP"`),
		item("lead_created", `,"action_source":"system_generated","custom_data":{"lead_event_source":"Example CRM"}`),
	}, "\n"), nil, "outcomes", "push", "--profile", "north")
	if !strings.Contains(o.stdout, "missing_lead_event_source") || strings.Count(o.stdout, `"status":"new"`) != 3 {
		t.Fatalf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	var p struct {
		plan
		Summary struct {
			Events  map[string]int    `json:"events"`
			Sources map[string]int    `json:"action_sources"`
			Samples []json.RawMessage `json:"samples"`
		} `json:"summary"`
	}
	w.ok(&p, "preview", "--profile", "north", "--window", "last-7-days", "--dataset", dataset,
		"--outcome", "contact_reply", "--outcome", "payment_received", "--outcome", "lead_created", "--outcome", "closed_won")
	if p.Counts.Held != 1 || p.Counts.Planned != 2 || p.Counts.Rejected != 1 || p.Summary.Events["Contact"] != 1 || p.Summary.Sources["email"] != 1 {
		t.Errorf("preview %+v", p)
	}
	if text := fmt.Sprintf("%s", p.Summary.Samples); !strings.Contains(text, `"event_source":"crm"`) {
		t.Errorf("the lead is not marked as one of a CRM: %s", text)
	}
	// The other profile knows nothing of it.
	if o := w.run("preview", "--window", "last-7-days", "--outcome", "lead_created", "--dataset", dataset); o.code != 0 || !strings.Contains(o.stdout+o.stderr, "no stored outcome") {
		t.Errorf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
}

// A record that comes again with consent taken back leaves every later plan.
func TestConsentWithdrawnByImport(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("m.yaml", strings.Replace(mappingText, "consent: granted", "consent: {column: ads, granted: [yes], denied: [no]}", 1))
	row := func(n int, ads string) string {
		return fmt.Sprintf("LDN,%d,%s,5.00,GBP,a%d@example.com,,,%s\n", n, w.now.Add(-time.Hour).Format(time.RFC3339), n, ads)
	}
	head := "shop,order,sold_at,total,currency,email,phone,customer,ads\n"
	w.ok(nil, "outcomes", "import", w.file("a.csv", head+row(1, "yes")+row(2, "yes")+row(3, "no")), "-m", m)
	var n intake
	w.ok(&n, "outcomes", "import", w.file("b.csv", head+row(2, "no")), "-m", m)
	if n.Withdrawn != 1 || n.Skips["consent_denied"] != 1 {
		t.Fatalf("intake %+v", n)
	}
	if p := w.previewOutcomes("--outcome", "payment_received"); p.Counts.Planned != 1 || p.Summary.Skips["consent_denied"] != 2 {
		t.Errorf("preview %+v", p)
	}
}
