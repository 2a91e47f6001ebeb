//go:build !race

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// retailFile is the public Online Retail table, where a checkout has it beside it.
// It is not part of this repository.
func retailFile(t *testing.T) string {
	t.Helper()
	path := os.Getenv("SLUICE_RETAIL_FILE")
	if path == "" {
		path = filepath.Join("..", "..", "shared", "data", "online-retail", "online_retail.csv.gz")
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("SKIPPED, no data: set SLUICE_RETAIL_FILE to online_retail.csv.gz (see examples/online-retail/README.md)")
	}
	return path
}

// TestVector38_retail_year sends a real year of invoices: every number here was computed
// independently of Sluice.
func TestVector38_retail_year(t *testing.T) {
	t.Parallel()
	table := retailFile(t)
	w := begin(t)
	orders := filepath.Join(w.dir, "orders.csv")
	cmd := exec.Command("go", "run", "../examples/online-retail/prepare", "-now", w.now.Format(time.RFC3339), table)
	out, err := os.Create(orders)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	const m = "../examples/online-retail/mapping.yaml"
	var p struct {
		plan
		Summary struct {
			Lines  int               `json:"lines"`
			Skips  map[string]int    `json:"skips"`
			Mapped map[string]string `json:"value_mapped"`
		} `json:"summary"`
	}
	w.ok(&p, "preview", orders, "-m", m, "--dataset", dataset)
	n := p.Counts
	if p.Summary.Lines != 541_909 || n.Rows != 25_900 || n.add() != n.Rows {
		t.Errorf("%d lines, counts %+v", p.Summary.Lines, n)
	}
	if p.Summary.Skips["cancellation"] != 3_836 || p.Summary.Skips["zero_value"] != 2_102 || p.Rejects["negative_value"] != 2 {
		t.Errorf("skips %v rejects %v", p.Summary.Skips, p.Rejects)
	}
	positive := n.Planned + n.Held + n.Expired + p.Rejects["no_identifiers"]
	if positive != 19_960 || !strings.HasPrefix(p.Summary.Mapped["GBP"], "10666684.54") {
		t.Errorf("%d positive invoices worth %v", positive, p.Summary.Mapped)
	}
	// 5 114 positive invoices lie inside 62 days of real time (5 124 by the clock on
	// the wall, which gained an hour in October), 242 of them without a customer, and
	// 2 in the half hour that is kept free for sending.
	if p.Rejects["no_identifiers"] != 242 || n.Planned != 5_114-242-2 {
		t.Errorf("planned %d, rejects %v", n.Planned, p.Rejects)
	}
	var r receipt
	w.ok(&r, "confirm", p.ID)
	if s := w.stored(); r.Counts["delivered"] != n.Planned || s.Kept != n.Planned || s.Duplicates != 0 {
		t.Errorf("receipt %v, sandbox %+v, planned %d", r.Counts, s, n.Planned)
	}
	sent := w.requests()
	var again receipt
	w.ok(&again, "confirm", p.ID)
	if !again.Replayed || w.requests() != sent {
		t.Errorf("a second confirm sent %d requests", w.requests()-sent)
	}
	w.agree(p.ID, n.Planned)
	// Every invoice of the year is on one day, and every day adds up.
	b := w.reconcile("--days", "420")
	if b.Total.Receipts != n.Rows || b.Total.Delivered != n.Planned || b.Total.Expired != n.Expired || b.Total.Skipped != n.Skipped || b.Total.Rejected != n.Rejected || !b.Agrees {
		t.Errorf("reconciled %+v, previewed %+v", b.Total, n)
	}
}
