//go:build !race

package e2e

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// retailHolds is the mapping of the retail example with a day of hold, and with the
// rule that finds the order of a cancellation.
func retailHolds(t *testing.T, w *world) string {
	t.Helper()
	text, err := os.ReadFile("../examples/online-retail/mapping.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for l := range strings.Lines(string(text)) {
		if strings.HasPrefix(l, "hold:") {
			l = "hold: {order_placed: 24h}\ncancels: {match: lines, customer: CustomerID}\n"
		}
		out = append(out, l)
	}
	return w.file("mapping.yaml", strings.Join(out, ""))
}

// prepared writes the retail table with its contacts, its dates as they are.
func prepared(t *testing.T, table, path string) {
	t.Helper()
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	// The last sale is of 2011-12-09 12:50; a day before this moment.
	cmd := exec.Command("go", "run", "../examples/online-retail/prepare", "-now", "2011-12-10T12:50:00Z", table)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	if err := errors.Join(cmd.Run(), out.Close()); err != nil {
		t.Fatal(err)
	}
}

// days cuts the prepared table into one file per day and returns them by date.
func days(t *testing.T, path, dir string) map[string]string {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	r := csv.NewReader(bufio.NewReaderSize(in, 1<<20))
	r.ReuseRecord = true
	head, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	head = append([]string(nil), head...)
	files := map[string]string{}
	var file *os.File
	var w *csv.Writer
	closeDay := func() {
		if w == nil {
			return
		}
		w.Flush()
		if err := errors.Join(w.Error(), file.Close()); err != nil {
			t.Fatal(err)
		}
	}
	current := ""
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		// The table is in the order of time.
		if day := row[4][:10]; day != current {
			closeDay()
			current = day
			name := filepath.Join(dir, day+".csv")
			if file, err = os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
				t.Fatal(err)
			}
			files[day], w = name, csv.NewWriter(file)
			if err := w.Write(head); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	closeDay()
	return files
}

// TestRetailReplay lives through the year of the retail table: every evening the
// day's rows arrive, and what has been held for a day is sent.
func TestRetailReplay(t *testing.T) {
	t.Parallel()
	table := retailFile(t)
	w := begin(t)
	m := retailHolds(t, w)
	all := filepath.Join(w.dir, "orders.csv")
	prepared(t, table, all)
	files := days(t, all, w.dir)

	day := time.Date(2010, 12, 1, 0, 0, 0, 0, time.UTC)
	last := time.Date(2011, 12, 12, 0, 0, 0, 0, time.UTC)
	delivered, imported, first := 0, intake{}, true
	for ; day.Before(last); day = day.AddDate(0, 0, 1) {
		w.mu.Lock()
		w.now = day.AddDate(0, 0, 1)
		w.mu.Unlock()
		if path, ok := files[day.Format(time.DateOnly)]; ok {
			var n intake
			w.ok(&n, "outcomes", "import", path, "-m", m)
			if n.add() != n.Rows {
				t.Fatalf("%s: %+v does not add up", day.Format(time.DateOnly), n)
			}
			imported.New += n.New
			imported.Rejected += n.Rejected
			imported.Skipped += n.Skipped
			imported.Cancellations += n.Cancellations
			imported.Cancelled += n.Cancelled
		}
		args := []string{"send", "--outcome", "order_placed", "--window", "last-4-days", "--dataset", dataset, "--yes", "--accept-rejects"}
		if first {
			args = append(args, "--first-upload")
		}
		o := w.run(append(args, "--json")...)
		if o.code != 0 {
			t.Fatalf("%s: exit %d\n%s%s", day.Format(time.DateOnly), o.code, o.stdout, o.stderr)
		}
		var r receipt
		decode(t, o.stdout, &r)
		if delivered += r.Counts["delivered"]; delivered > 0 {
			first = false
		}
	}

	var p struct {
		plan
		Summary struct {
			Skips    map[string]int `json:"skips"`
			Warnings map[string]struct{ Count int }
		} `json:"summary"`
	}
	w.ok(&p, "preview", "--outcome", "order_placed", "--window", "2010-12-01..2011-12-12", "--dataset", dataset)
	n, skips := p.Counts, p.Summary.Skips
	if n.add() != n.Rows || n.Planned != 0 || n.Held != 0 || n.Expired != 0 {
		t.Errorf("at the end of the year %+v", n)
	}
	if skips["duplicate"] != delivered || w.stored().Kept != delivered {
		t.Errorf("%d delivered, %d in the ledger, %d at the sandbox", delivered, skips["duplicate"], w.stored().Kept)
	}
	// 19 960 orders worth something, 2 102 that are free and two adjustments.
	if n.Rows != 19_960+2_102+2 || skips["zero_value"] != 2_102 || p.Rejects["negative_value"] != 2 {
		t.Errorf("%d records, skips %v, rejects %v", n.Rows, skips, p.Rejects)
	}
	var kept float64
	ends := map[string]string{}
	for l := range strings.Lines(w.run("outcomes", "list", "--state", "cancelled", "--json").stdout) {
		var o struct {
			Value       float64 `json:",string"`
			EventTime   int64   `json:"event_time"`
			CancelledAt int64   `json:"cancelled_at"`
		}
		decode(t, l, &o)
		if o.CancelledAt < o.EventTime+24*60*60 {
			kept += o.Value
			if o.Value == 168469.6 || o.Value == 77183.6 {
				ends[time.Unix(o.EventTime, 0).UTC().Format(time.DateOnly)] = "cancelled_in_hold"
			}
		}
	}
	// The two largest orders of the year, cancelled after 12 and 16 minutes.
	if ends["2011-01-18"] == "" || ends["2011-12-09"] == "" {
		t.Errorf("541431 and 581483 ended otherwise: %v", ends)
	}
	if delivered != 18_447 || skips["cancelled_in_hold"] != 84 || fmt.Sprintf("%.2f", kept) != "331583.73" || skips["cancelled"] != 1 || p.Rejects["no_identifiers"] != 1_428 {
		t.Errorf("delivered %d, cancelled in hold %d worth %.2f, cancelled %d, rejected %v", delivered, skips["cancelled_in_hold"], kept, skips["cancelled"], p.Rejects)
	}
	t.Logf("records %d, delivered %d, cancelled in hold %d worth GBP %.2f, cancelled later but before they were sent %d, after delivery %d, expired %d, without identifiers %d; import %+v",
		n.Rows, delivered, skips["cancelled_in_hold"], kept, skips["cancelled"], p.Summary.Warnings["cancelled_after_delivery"].Count, n.Expired, p.Rejects["no_identifiers"], imported)
	w.addsUp(n.Rows, delivered)
}

// addsUp reconciles every day of the year.
func (w *world) addsUp(receipts, delivered int) {
	w.t.Helper()
	type day struct {
		Day                                                                                         string
		Receipts, Delivered, Held, Rejected, Skipped, Expired, Unknown, Waiting, Planned, Cancelled int
	}
	var r struct {
		Balanced bool
		Agrees   bool
		Books    []string
		Days     []day
		Total    day
	}
	w.ok(&r, "reconcile", "--window", "2010-12-01..2011-12-12")
	for _, d := range r.Days {
		if d.Delivered+d.Held+d.Rejected+d.Skipped+d.Expired+d.Unknown+d.Waiting+d.Planned+d.Cancelled != d.Receipts {
			w.t.Errorf("%s does not add up: %+v", d.Day, d)
		}
	}
	if !r.Balanced || !r.Agrees || r.Total.Receipts != receipts || r.Total.Delivered != delivered || len(r.Days) < 305 {
		w.t.Errorf("reconciled: balanced %v, agrees %v, books %v, %d days, total %+v", r.Balanced, r.Agrees, r.Books, len(r.Days), r.Total)
	}
}
