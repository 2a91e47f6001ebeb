package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// notices is a webhook that remembers what it was told.
type notices struct {
	mu   sync.Mutex
	got  []string
	down bool
}

func (n *notices) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var v struct{ Event, Code, Message string }
	_ = json.Unmarshal(body, &v)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.down {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	n.got = append(n.got, v.Event+" "+v.Code)
}

func (n *notices) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	got := n.got
	n.got = nil
	return got
}

// An alert is told once when it begins and once when it ends; a channel that was
// down is told later.
func TestAlertsAreToldOnceAndResolved(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		hook := &notices{down: true}
		srv := httptest.NewServer(hook)
		t.Cleanup(srv.Close)
		o := w.run("alerts", "channel", "add", "--webhook", srv.URL+"/secret-path")
		if o.code != 0 || strings.Contains(o.stdout, "secret-path") {
			t.Fatalf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
		}
		w.schedule()
		w.morning()
		w.run("work", "--until-idle") // no file: the window fails
		if hook.take() != nil {
			t.Fatal("a hook that is down heard something")
		}
		hook.mu.Lock()
		hook.down = false
		hook.mu.Unlock()
		for range 3 {
			w.advance(2 * time.Minute)
			w.run("work", "--until-idle")
		}
		if diff := cmp.Diff([]string{"opened window_empty"}, hook.take()); diff != "" {
			t.Error(diff)
		}
		w.advance(2 * time.Hour)
		w.shopFile("soho", w.day(1), 30)
		w.ok(nil, "work", "--until-idle")
		w.advance(2 * time.Minute)
		w.ok(nil, "work", "--until-idle")
		if diff := cmp.Diff([]string{"resolved window_empty"}, hook.take()); diff != "" {
			t.Error(diff)
		}
		var v struct{ OK bool }
		w.ok(&v, "audit", "verify")
		if !v.OK {
			t.Error("the audit log does not verify")
		}
	})
}

func TestCoverageNamesTheShopThatFellBehind(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("mapping.yaml", mappingText)
	// Two weeks: leeds loses half of its identifiers in the second.
	for back := 13; back >= 1; back-- {
		w.shopFile("soho", w.day(back), 10)
		leeds := w.shopFile("leeds", w.day(back), 10)
		if back <= 7 {
			w.strip(leeds, 5)
		}
	}
	var p plan
	w.ok(&p, "preview", filepath.Join(w.dir, "shops", "soho"), filepath.Join(w.dir, "shops", "leeds"), "-m", m, "--dataset", dataset)
	if p.Counts.Rejected == 0 {
		t.Fatalf("counts %+v", p.Counts)
	}
	w.ok(nil, "confirm", p.ID)
	var c struct {
		Lines []struct {
			Label    string
			Rows     int
			Coverage float64
		}
		Total struct {
			Rows, Delivered int
			Fresh           int `json:"freshness_median_seconds"`
		}
	}
	w.ok(&c, "coverage", "--days", "8", "--by", "store")
	if len(c.Lines) != 2 || c.Lines[0].Label != "leeds" || c.Lines[0].Coverage != 0.5 || c.Lines[1].Coverage != 1 || c.Total.Fresh < 3600 {
		t.Errorf("coverage %+v", c)
	}
	var alerts []struct{ Code, Label string }
	w.ok(&alerts, "alerts")
	var got []string
	for _, a := range alerts {
		got = append(got, a.Code+" "+a.Label)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"coverage_drop ", "coverage_drop store=leeds", "coverage_low ", "coverage_low store=leeds"}, got); diff != "" {
		t.Error(diff)
	}
}

// strip takes the identifiers out of the first n rows of a file.
func (w *world) strip(path string, n int) {
	w.t.Helper()
	var b strings.Builder
	text, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	for i, row := range strings.Split(string(text), "\n") {
		if cells := strings.Split(row, ","); i > 0 && i <= n && len(cells) == 8 {
			cells[5], cells[6], cells[7] = "", "", ""
			row = strings.Join(cells, ",")
		}
		b.WriteString(row + "\n")
	}
	w.file(strings.TrimPrefix(path, w.dir+"/"), strings.TrimSuffix(b.String(), "\n"))
}

func TestBackfillSendsTheOldestDayFirst(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.schedule()
	for back := 70; back >= 1; back -= 23 { // 70, 47, 24 and 1 days ago
		w.shopFile("soho", w.day(back), 10)
	}
	var b struct {
		Total struct{ Rows, Planned, Expired, Delivered int }
		Days  []struct {
			Day       string
			Delivered int
			Over7     int `json:"over_7_days"`
		}
	}
	window := w.day(62) + ".." + w.day(0)
	w.ok(&b, "backfill", "shops", "--window", window)
	if b.Total.Rows != 30 || b.Total.Planned != 30 || w.requests() != 0 || b.Days[62-47].Over7 != 10 {
		t.Fatalf("preview %+v", b.Total)
	}
	w.ok(&b, "backfill", "shops", "--window", window, "--yes")
	if b.Total.Delivered != 30 || w.requests() != 3 {
		t.Errorf("%+v in %d requests", b.Total, w.requests())
	}
	w.ok(&b, "backfill", "shops", "--window", window, "--yes")
	if b.Total.Planned != 0 || w.requests() != 3 {
		t.Errorf("again: %+v in %d requests", b.Total, w.requests())
	}
	w.ok(&b, "backfill", "shops", "--window", w.day(75)+".."+w.day(65))
	if b.Total.Expired != 10 || b.Total.Planned != 0 {
		t.Errorf("too old: %+v", b.Total)
	}
	w.fails("usage", 2, "backfill", "shops", "--window", w.day(200)+".."+w.day(0))
}
