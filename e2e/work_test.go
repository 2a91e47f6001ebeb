package e2e

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/app"
	"sluice/internal/config"
)

// Stored outcomes can be scheduled like files.
func TestAScheduleOverStoredOutcomes(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		m := w.file("mapping.yaml", mappingText)
		w.ok(nil, "schedule", "add", "shops", "--cron", "0 7 * * *", "--outcome", "payment_received", "--dataset", dataset, "--overlap-days", "3")
		w.authorize()
		total := 0
		for range 3 {
			w.morning()
			w.ok(nil, "outcomes", "import", w.shopFile("soho", w.day(1), 15), "-m", m)
			total += 15
			w.ok(nil, "work", "--until-idle")
			if got := w.windows()[0]; got.State != "completed" || w.stored().Kept != total {
				t.Fatalf("%d stored, window %+v", w.stored().Kept, got)
			}
		}
		if s := w.stored(); s.Duplicates != 0 {
			t.Errorf("sandbox %+v", s)
		}
	})
}

// Two processes that work on one state directory share it: what is due is done once.
func TestASecondWorkerWaitsOrJoins(t *testing.T) {
	t.Parallel()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	eachStore(t, func(t *testing.T, w *world) {
		m := w.file("mapping.yaml", mappingText)
		var p plan
		w.ok(&p, "preview", w.file("a.csv", w.orders("soho", 4000)), "-m", m, "--dataset", dataset)
		w.ok(nil, "dry-run", p.ID)
		// The confirm is cut off before anything is sent; workers finish it.
		w.killed(func(kill func()) {
			w.intercept(func(int, func(), http.ResponseWriter) { kill(); panic(http.ErrAbortHandler) }, nil)
		}, "confirm", p.ID)
		w.intercept(func(_ int, serve func(), _ http.ResponseWriter) { serve() }, nil)
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				// Leases of the process that is gone run out in real time.
				cmd := exec.Command(bin, "--state-dir", filepath.Join(w.dir, "state"), "--graph-url", w.url, "--progress", "off", "work", "--until-idle", "--json")
				cmd.Env = append(w.environ(), "SLUICE_LEASE=1s")
				if out, err := cmd.Output(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
		all.Wait()
		w.advance(2 * time.Hour)
		w.run("work", "--until-idle")
		var r receipt
		w.ok(&r, "confirm", p.ID)
		if r.Counts["delivered"] != 4000 {
			t.Errorf("receipt %+v", r.Counts)
		}
		w.agree(p.ID, 4000)
	})
}

func TestMetricsHoldNoIdentifiers(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("mapping.yaml", strings.Replace(mappingText, "labels: {store: shop}", "labels: {store: shop, buyer: email}", 1))
	w.send(m, w.file("a.csv", w.orders("soho", 30)))
	a, err := app.Open(t.Context(), &config.Config{StateDir: filepath.Join(w.dir, "state"), GraphURL: w.url}, app.Options{Now: w.clock, Via: "cli"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	text, err := a.Metrics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	for _, want := range []string{
		`wb_events_state{profile="default",dataset="` + dataset + `",outcome="payment_received",state="delivered"} 30`,
		`wb_coverage_ratio{profile="default",dataset="` + dataset + `",outcome="payment_received"} 1`,
		`wb_batch_size_sum{profile="default",dataset="` + dataset + `"} 30`,
		"wb_audit_lag 0", `quantile="0.5"`, `tier="`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	for _, name := range []string{"wb_rows_total", "wb_events_state", "wb_send_seconds", "wb_batch_size", "wb_retries_total", "wb_unknown_age_seconds", "wb_expiring_24h",
		"wb_circuit_state", "wb_queue_depth", "wb_freshness_seconds", "wb_coverage_ratio", "wb_tier_share", "wb_audit_lag", "wb_token_days_left"} {
		if !strings.Contains(got, "# TYPE "+name+" ") {
			t.Errorf("no metric %s", name)
		}
	}
	for _, part := range []string{"@", "buyer", "soho", "example"} {
		if strings.Contains(got, part) {
			t.Errorf("the metrics hold %q", part)
		}
	}
}
