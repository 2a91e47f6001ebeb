package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/sandbox"
)

// reconciliation is the part of `reconcile --json` that tests look at.
type reconciliation struct {
	Days     []reconcileLine
	Total    reconcileLine
	Balanced bool
	Agrees   bool
	Books    []string
	Datasets []struct {
		Day                             string
		Delivered, Reported, Difference int
		Why                             []string
		Explained                       bool
	}
	Uploads []struct{ Delivered, Reported int }
}

type reconcileLine struct {
	Day, Label                                                              string
	Receipts, Delivered, Held, Rejected, Skipped, Expired, Unknown, Waiting int
	Planned, Cancelled                                                      int
	Codes                                                                   map[string]int
}

func (l reconcileLine) sum() int {
	return l.Delivered + l.Held + l.Rejected + l.Skipped + l.Expired + l.Unknown + l.Waiting + l.Planned + l.Cancelled
}

// reconcile runs the command and checks that every line adds up.
func (w *world) reconcile(args ...string) (r reconciliation) {
	w.t.Helper()
	w.ok(&r, append([]string{"reconcile"}, args...)...)
	total := 0
	for _, l := range r.Days {
		if total += l.Receipts; l.sum() != l.Receipts {
			w.t.Errorf("%s %s: %d receipts, %d accounted for", l.Day, l.Label, l.Receipts, l.sum())
		}
	}
	if total != r.Total.Receipts || !r.Balanced || len(r.Books) > 0 {
		w.t.Errorf("%d receipts by day, %d in all, balanced %v %v", total, r.Total.Receipts, r.Balanced, r.Books)
	}
	return r
}

const reconcileMapping = `version: 1
namespace: e2e/orders
id: [shop, order]
outcome:
  default: payment_received
  when:
    - {column: status, in: [void], skip: filtered}
time: {column: sold_at}
value: total
currency: {column: currency}
order_id: {columns: [shop, order], join: "-"}
action_source: physical_store
consent: granted
labels: {store: shop}
user: {em: email}
`

func TestReconcileCountsEveryReceiptOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		noon := w.clock().Truncate(24 * time.Hour).Add(-12 * time.Hour) // of yesterday
		row := func(shop string, order, back int, email, status string) string {
			return fmt.Sprintf("%s,%d,%s,10.00,GBP,%s,%s\n", shop, order, noon.AddDate(0, 0, -back).Format(time.RFC3339), email, status)
		}
		head := "shop,order,sold_at,total,currency,email,status\n"
		m := w.file("mapping.yaml", reconcileMapping)
		monday := head
		for i := range 10 {
			monday += row("soho", i, 1, fmt.Sprintf("b%d@example.com", i), "paid")
		}
		monday += row("soho", 90, 1, "", "paid")                 // nobody to match: rejected
		monday += row("leeds", 91, 1, "c@example.com", "void")   // left out on purpose
		monday += row("leeds", 92, 100, "d@example.com", "paid") // too old, and outside the days
		monday += row("soho", 0, 1, "b0@example.com", "paid")    // the same again: no receipt
		p, _ := w.send(m, w.file("monday.csv", monday))
		if p.Counts.Planned != 10 {
			t.Fatalf("counts %+v", p.Counts)
		}
		// The next export overlaps, mends the reject and brings another day; it is
		// previewed twice and not confirmed.
		tuesday := strings.Replace(monday, row("soho", 90, 1, "", "paid"), row("soho", 90, 1, "mended@example.com", "paid"), 1)
		for i := range 5 {
			tuesday += row("leeds", 200+i, 0, fmt.Sprintf("e%d@example.com", i), "paid")
		}
		w.ok(nil, "preview", w.file("tuesday.csv", tuesday), "-m", m, "--dataset", dataset)
		var q plan
		w.ok(&q, "preview", w.file("again.csv", tuesday), "-m", m, "--dataset", dataset)

		r := w.reconcile("--days", "7")
		byDay := map[string]reconcileLine{}
		for _, l := range r.Days {
			byDay[l.Day] = l
		}
		if len(r.Days) != 7 {
			t.Errorf("%d days", len(r.Days))
		}
		first, second := noon.AddDate(0, 0, -1).Format(time.DateOnly), noon.Format(time.DateOnly)
		if l := byDay[first]; l.Receipts != 12 || l.Delivered != 10 || l.Planned != 1 || l.Skipped != 1 || l.Codes["skipped(filtered)"] != 1 {
			t.Errorf("first day %+v", l)
		}
		if l := byDay[second]; l.Receipts != 5 || l.Planned != 5 {
			t.Errorf("second day %+v", l)
		}
		if !r.Agrees || len(r.Datasets) != 1 || r.Datasets[0].Reported != 10 || len(r.Uploads) != 1 || r.Uploads[0].Reported != 10 {
			t.Errorf("datasets %+v uploads %+v", r.Datasets, r.Uploads)
		}

		w.ok(nil, "confirm", q.ID)
		r = w.reconcile("--days", "7", "--by", "store")
		var lines []string
		for _, l := range r.Days {
			lines = append(lines, fmt.Sprintf("%s %s %d/%d", l.Day, l.Label, l.Delivered, l.Receipts))
		}
		want := []string{first + " leeds 0/1", first + " soho 11/11", second + " leeds 5/5"}
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Error(diff)
		}
		// What is older is there when it is asked for.
		old := noon.AddDate(0, 0, -100).Format(time.DateOnly)
		if r = w.reconcile("--window", old+".."+second); r.Total.Expired != 1 || r.Total.Receipts != 18 {
			t.Errorf("total %+v", r.Total)
		}
	})
}

func TestReconcileExplainsWhatTheDatasetReports(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("mapping.yaml", mappingText)
	// An answer is lost for good: the ledger does not know, the dataset does.
	w.ok(nil, "profile", "set", "default", "--policy", w.file("policy.json", `{"unknown_policy":"hold"}`))
	w.intercept(func(_ int, serve func(), _ http.ResponseWriter) { serve(); panic(http.ErrAbortHandler) }, nil)
	var p plan
	w.ok(&p, "preview", w.file("a.csv", w.orders("soho", 40)), "-m", m, "--dataset", dataset)
	w.run("dry-run", p.ID)
	w.run("confirm", p.ID)
	w.intercept(nil, nil)
	r := w.reconcile("--days", "7")
	if r.Total.Unknown != 40 || !r.Agrees {
		t.Fatalf("total %+v agrees %v", r.Total, r.Agrees)
	}
	why := ""
	for _, d := range r.Datasets {
		why += strings.Join(d.Why, "; ")
	}
	if !strings.Contains(why, "unknown events seem to have arrived") {
		t.Errorf("why: %s", why)
	}
	w.stranger(5)
	if r = w.reconcile("--days", "7"); r.Agrees {
		t.Error("events of another sender went unnoticed")
	}
	if o := w.run("reconcile", "--days", "7", "--strict"); o.code != 5 || !strings.Contains(o.stdout, "another sender") {
		t.Errorf("exit %d\n%s", o.code, o.stdout)
	}
	if o := w.run("reconcile", "--days", "2", "--offline", "--format", "csv"); o.code != 0 || !strings.HasPrefix(o.stdout, "day,label,receipts,") || len(strings.Split(strings.TrimSpace(o.stdout), "\n")) != 3 {
		t.Errorf("exit %d\n%s", o.code, o.stdout)
	}
}

// stranger sends events to the dataset that no ledger of ours knows.
func (w *world) stranger(n int) {
	w.t.Helper()
	var data []map[string]any
	for i := range n {
		data = append(data, map[string]any{
			"event_name": "Purchase", "event_time": w.clock().Unix() - 3600, "action_source": "system_generated", "event_id": fmt.Sprintf("other-%d", i),
			"user_data": map[string]any{"external_id": []string{fmt.Sprintf("c%d", i)}}, "custom_data": map[string]any{"value": 5, "currency": "GBP"},
		})
	}
	body, err := json.Marshal(map[string]any{"data": data, "access_token": sandbox.Token})
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := http.Post(w.url+"/v26.0/"+dataset+"/events", "application/json", bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	text, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		w.t.Fatalf("%d %s", res.StatusCode, text)
	}
}

func TestReconcileKnowsOutcomesThatNobodyPreviewed(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		m := w.file("mapping.yaml", mappingText)
		w.ok(nil, "outcomes", "import", w.file("a.csv", w.orders("soho", 60)), "-m", m)
		if r := w.reconcile("--days", "7"); r.Total.Receipts != 60 || r.Total.Planned != 60 || r.Total.Codes["planned(not_previewed)"] != 60 {
			t.Fatalf("total %+v", r.Total)
		}
		var p plan
		w.ok(&p, "preview", "--outcome", "payment_received", "--window", "last-7-days", "--dataset", dataset)
		w.ok(nil, "dry-run", p.ID)
		w.ok(nil, "confirm", p.ID)
		w.ok(nil, "outcomes", "import", w.file("b.csv", w.orders("leeds", 5)), "-m", m)
		if r := w.reconcile("--days", "7"); r.Total.Receipts != 65 || r.Total.Delivered != 60 || r.Total.Planned != 5 || !r.Agrees {
			t.Errorf("total %+v %+v", r.Total, r.Datasets)
		}
	})
}
