package e2e

import (
	"strings"
	"testing"
	"time"
)

// Every imported record with a time and an id is counted by the windows and by the
// reconciliation, whatever became of it.
func TestImportedRecordsThatAreNoEventsAreCounted(t *testing.T) {
	t.Parallel()
	w := begin(t)
	text := strings.Replace(ordersMapping, "cancels: {record: cancels}\n", "", 1)
	m := w.file("m.yaml", strings.Replace(text, "consent: granted", "consent: {column: sale, granted: [yes], denied: [no]}", 1))
	at := w.clock().Add(-2 * time.Hour)
	path := w.file("a.csv", ordersHead+orderRow("A1", "paid", at, "", "yes")+
		strings.Replace(orderRow("A2", "paid", at, "", "yes"), "20.00", "", 1)+ // missing_value
		strings.Replace(orderRow("A3", "paid", at, "", "yes"), "a3@example.com", "", 1)+ // no_identifiers
		orderRow("A4", "paid", at, "", "no")+orderRow("A5", "cancel", at, "", "yes"))
	for range 2 {
		w.ok(nil, "outcomes", "import", path, "-m", m)
	}
	for range 2 { // before and after a preview
		r := w.reconcile("--days", "7", "--dataset", dataset)
		if r.Total.Receipts != 5 || r.Total.Planned != 1 || r.Total.Rejected != 2 || r.Total.Skipped != 2 || r.Total.Codes["skipped(cancellation)"] != 1 {
			t.Errorf("total %+v", r.Total)
		}
		p := w.previewOutcomes("--outcome", "payment_received")
		if p.Counts.Rows != 5 || p.Rejects["missing_value"] != 1 || p.Rejects["no_identifiers"] != 1 || p.Summary.Skips["consent_denied"] != 1 {
			t.Errorf("preview %+v", p)
		}
	}
	// What is mended is a reject no more.
	w.ok(nil, "outcomes", "import", w.file("b.csv", ordersHead+orderRow("A2", "paid", at, "", "yes")+orderRow("A4", "paid", at, "", "yes")), "-m", m)
	if p := w.previewOutcomes("--outcome", "payment_received"); p.Counts.Rows != 5 || p.Counts.Planned != 3 {
		t.Errorf("mended: %+v", p)
	}
}

// A run of store and other events agrees with its upload, which lists the store's
// alone, also when an answer was lost and the events were sent again.
func TestUploadsListStoreEventsAndRepeats(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.push(w.pushed("payment_received", "1", ""), strings.Replace(w.pushed("payment_received", "2", ""), "physical_store", "system_generated", 1))
	w.sendPlan(w.previewOutcomes("--outcome", "payment_received").ID)
	if r := w.reconcile("--days", "7"); len(r.Uploads) != 1 || r.Uploads[0].Delivered != 1 || r.Uploads[0].Reported != 1 {
		t.Errorf("uploads %+v", r.Uploads)
	}
	if o := w.run("reconcile", "--days", "7"); strings.Contains(o.stdout, "the upload lists") {
		t.Errorf("a false mark:\n%s", o.stdout)
	}
}

// The files of a backfill are history: a cut one right after it does not go unseen.
func TestBackfilledFilesAreHistory(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.schedule("--park-on-gap")
	w.morning()
	for back := 2; back < 6; back++ {
		w.shopFile("soho", w.day(back), 40)
	}
	w.ok(nil, "backfill", "shops", "--window", w.day(5)+".."+w.day(2), "--yes")
	w.shopFile("soho", w.day(1), 12)
	w.ok(nil, "work", "--until-idle")
	if got := w.windows()[0]; got.State != "parked" || len(got.Findings) != 1 || got.Findings[0].Code != "short_file" {
		t.Errorf("window %+v", got)
	}
}
