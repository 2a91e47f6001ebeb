package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// window is one window of `schedule show --json`.
type window struct {
	Schedule  string   `json:"schedule"`
	Window    string   `json:"window"`
	State     string   `json:"state"`
	Plan      string   `json:"plan_id"`
	Run       string   `json:"run_id"`
	Approval  string   `json:"approval_id"`
	Reasons   []string `json:"reasons"`
	Planned   int      `json:"planned"`
	Delivered int      `json:"delivered"`
	Findings  []struct{ Code, Member, Day string }
}

func (r window) key() string { return "sched:" + r.Schedule + ":" + r.Window }

// day is a day before the world's today, in UTC.
func (w *world) day(back int) string { return w.clock().AddDate(0, 0, -back).Format(time.DateOnly) }

// shopFile writes one shop's file of a day, with n orders of that day that no other
// day has.
func (w *world) shopFile(shop, day string, n int) string {
	w.t.Helper()
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		w.t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("shop,order,sold_at,total,currency,email,phone,customer\n")
	for i := range n {
		fmt.Fprintf(&b, "%s,%s-%d,%s,%d.50,GBP,buyer%d@example.com,07700 900%03d,C%d\n", shop, day, i, at.Add(time.Duration(i)*time.Second).Format(time.RFC3339), 5+i%90, i, i%1000, i)
	}
	return w.file(filepath.Join("shops", shop, "orders-"+day+".csv"), b.String())
}

// schedule adds a daily schedule over the shops' files and signs for it.
func (w *world) schedule(more ...string) {
	w.t.Helper()
	w.file("mapping.yaml", mappingText)
	w.ok(nil, append([]string{
		"schedule", "add", "shops", "--cron", "30 6 * * *", "--files", filepath.Join(w.dir, "shops", "{shop}", "orders-{date}.csv"),
		"-m", filepath.Join(w.dir, "mapping.yaml"), "--dataset", dataset,
	}, more...)...)
	w.authorize()
}

func (w *world) authorize() {
	w.t.Helper()
	w.ok(nil, "schedule", "authorize", "shops", "--max-events", "1000", "--max-value", "GBP=100000")
}

// windows lists the schedule's windows, newest first.
func (w *world) windows() []window {
	w.t.Helper()
	var v struct{ Runs []window }
	w.ok(&v, "schedule", "show", "shops")
	return v.Runs
}

// morning moves the clock to the schedule's next tick.
func (w *world) morning() {
	w.t.Helper()
	var v struct {
		Next time.Time `json:"next_at"`
	}
	w.ok(&v, "schedule", "show", "shops")
	w.advance(v.Next.Sub(w.clock()) + time.Second)
}

func TestAScheduleSendsEveryDayOnceAndCatchesUp(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		w.schedule()
		w.morning()
		w.shopFile("soho", w.day(1), 30)
		w.shopFile("leeds", w.day(1), 20)
		w.ok(nil, "work", "--until-idle")
		if got := w.windows()[0]; got.State != "completed" || got.Delivered != 50 || got.Window != w.day(1)+".."+w.day(1) {
			t.Fatalf("window %+v", got)
		}
		w.ok(nil, "work", "--until-idle")
		if n := len(w.windows()); n != 1 {
			t.Errorf("%d windows after a second pass", n)
		}
		// Three days nobody was at home: one window covers them.
		w.advance(3 * 24 * time.Hour)
		for back := 1; back <= 3; back++ {
			w.shopFile("soho", w.day(back), 10)
		}
		w.ok(nil, "work", "--until-idle")
		runs := w.windows()
		if len(runs) != 2 || runs[0].Window != w.day(3)+".."+w.day(1) || runs[0].Delivered != 30 {
			t.Errorf("windows %+v", runs)
		}
		if s := w.stored(); s.Kept != 80 || s.Duplicates != 0 {
			t.Errorf("sandbox %+v", s)
		}
	})
}

func TestTheFilesOfAWindowAreComparedWithWhatIsExpected(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.schedule("--expect", "leeds,soho,york", "--park-on-gap")
	for range 3 {
		w.morning()
		for _, shop := range []string{"leeds", "soho", "york"} {
			w.shopFile(shop, w.day(1), 40)
		}
		w.ok(nil, "work", "--until-idle")
	}
	w.morning()
	w.shopFile("leeds", w.day(1), 40)
	w.shopFile("soho", w.day(1), 12)
	text, err := os.ReadFile(filepath.Join(w.dir, "shops", "leeds", "orders-"+w.day(2)+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	w.file(filepath.Join("shops", "bath", "orders-"+w.day(1)+".csv"), string(text))
	sent := w.requests()
	w.ok(nil, "work", "--until-idle")
	got := w.windows()[0]
	var found []string
	for _, f := range got.Findings {
		found = append(found, f.Code+" "+f.Member)
	}
	if want := "missing_file york, repeated_file bath, short_file soho"; strings.Join(found, ", ") != want || got.State != "parked" {
		t.Fatalf("%s: found %v, want %s", got.State, found, want)
	}
	if w.requests() != sent {
		t.Error("a window with gaps was sent")
	}
}

// A window that is run again after a crash is the same confirm: the same key, and
// nothing is sent twice.
func TestVector33_schedule_window_again_after_crash(t *testing.T) {
	t.Parallel()
	tests := map[string]func(w *world, kill func()){
		"before the run exists": func(w *world, kill func()) { w.intercept(nil, kill) },
		"before the request is stored": func(w *world, kill func()) {
			w.intercept(func(int, func(), http.ResponseWriter) { kill(); panic(http.ErrAbortHandler) }, nil)
		},
		"after the request was stored": func(w *world, kill func()) {
			w.intercept(func(_ int, serve func(), _ http.ResponseWriter) { serve(); kill(); panic(http.ErrAbortHandler) }, nil)
		},
	}
	for name, arrange := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachStore(t, func(t *testing.T, w *world) {
				w.schedule()
				w.shopFile("soho", w.day(1), 100)
				w.killed(func(kill func()) { arrange(w, kill) }, "schedule", "run", "shops")
				w.intercept(nil, nil)
				w.advance(20 * time.Minute) // what a process that is gone had to itself
				w.ok(nil, "schedule", "run", "shops")
				got := w.windows()[0]
				if got.State != "completed" || got.Delivered != 100 || len(w.windows()) != 1 {
					t.Fatalf("window %+v", got)
				}
				var r receipt
				w.ok(&r, "confirm", got.Plan, "--key", got.key())
				if !r.Replayed || r.RunID != got.Run {
					t.Errorf("the key %s replays %+v", got.key(), r)
				}
				if s := w.stored(); s.Kept != 100 {
					t.Errorf("sandbox %+v", s)
				}
				w.agree(got.Plan, 100)
			})
		})
	}
}

// An edit of the mapping voids the authorisation: the window waits for a person.
func TestVector34_mapping_edited_under_standing_authorisation(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		w.schedule()
		w.morning()
		w.shopFile("soho", w.day(1), 10)
		w.ok(nil, "work", "--until-idle")
		sent := w.requests()
		w.file("mapping.yaml", strings.Replace(mappingText, "labels: {store: shop}", "labels: {shop: shop}", 1))
		w.morning()
		w.shopFile("soho", w.day(1), 10)
		w.ok(nil, "work", "--until-idle")
		got := w.windows()[0]
		if got.State != "parked" || len(got.Reasons) != 1 || !strings.Contains(got.Reasons[0], "mapping was edited") || got.Plan == "" || got.Approval == "" {
			t.Fatalf("window %+v", got)
		}
		w.ok(nil, "work", "--until-idle")
		if w.requests() != sent {
			t.Fatal("a parked window was sent")
		}
		// Approved once, it goes; the next window waits again until somebody signs.
		w.ok(nil, "approvals", "approve", got.Approval, "--reason", "label renamed")
		w.ok(nil, "work", "--until-idle")
		if got = w.windows()[0]; got.State != "completed" || got.Delivered != 10 {
			t.Fatalf("approved window %+v", got)
		}
		w.morning()
		w.shopFile("soho", w.day(1), 10)
		w.ok(nil, "work", "--until-idle")
		if got = w.windows()[0]; got.State != "parked" {
			t.Errorf("the approval of one window covers the next: %+v", got)
		}
		w.authorize()
		w.ok(nil, "work", "--until-idle")
		if got = w.windows()[0]; got.State != "completed" {
			t.Errorf("signed for again: %+v", got)
		}
		if s := w.stored(); s.Kept != 30 || s.Duplicates != 0 {
			t.Errorf("sandbox %+v", s)
		}
	})
}

func TestWorkOutsideTheTermsWaits(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.schedule()
	w.ok(nil, "schedule", "authorize", "shops", "--max-events", "5", "--max-value", "GBP=10")
	w.morning()
	w.shopFile("soho", w.day(1), 10)
	w.ok(nil, "work", "--until-idle")
	got := w.windows()[0]
	if got.State != "parked" || len(got.Reasons) != 2 || w.requests() != 0 {
		t.Fatalf("window %+v", got)
	}
	o := w.run("schedule", "run", "shops")
	if o.code != 4 || !strings.Contains(o.stdout, "sluice approvals approve") {
		t.Errorf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
}

func TestAMissingFileFailsVisiblyAndIsCaughtUp(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.schedule()
	w.morning()
	if o := w.run("work", "--until-idle"); o.code != 3 || !strings.Contains(o.stdout, "schedules") {
		t.Errorf("exit %d\n%s", o.code, o.stdout)
	}
	if got := w.windows()[0]; got.State != "failed" {
		t.Fatalf("window %+v", got)
	}
	w.advance(2 * time.Hour)
	w.shopFile("soho", w.day(1), 10)
	w.ok(nil, "work", "--until-idle")
	if got := w.windows()[0]; got.State != "completed" || got.Delivered != 10 {
		t.Errorf("window %+v", got)
	}
}
