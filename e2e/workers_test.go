package e2e

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// works runs `sluice work --until-idle`.
func (w *world) works() outcome { return w.run("work", "--until-idle", "--json") }

func TestWorkFinishesWhatAConfirmLeft(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.planned(mappingText, 2500)
		w.intercept(func(n int, serve func(), rw http.ResponseWriter) {
			if n == 2 {
				graphError(rw, http.StatusUnauthorized, 190, 463)
				return
			}
			serve()
		}, nil)
		if _, why, _ := w.tries(p.ID, "--concurrency", "1"); why != "connector_expired" {
			t.Fatalf("got %s", why)
		}
		if o := w.works(); o.code != 0 {
			t.Fatalf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
		}
		w.agree(p.ID, 2500)
		sent := w.requests()
		if o := w.works(); o.code != 0 || w.requests() != sent {
			t.Errorf("exit %d, %d requests more\n%s", o.code, w.requests()-sent, o.stdout)
		}
		var r receipt
		w.ok(&r, "confirm", p.ID)
		if !r.Replayed || r.Counts["delivered"] != 2500 {
			t.Errorf("receipt %+v", r)
		}
	})
}

func TestWorkLeavesAloneWhatWaitsForAPerson(t *testing.T) {
	t.Parallel()
	for name, arrange := range map[string]func(w *world, p plan){
		"events that may have arrived, under hold": func(w *world, p plan) {
			w.fault(map[string]any{"kind": "drop_after", "next": 1})
			w.run("confirm", p.ID)
		},
		"a canary": func(w *world, p plan) { w.run("confirm", p.ID, "--canary", "5") },
		"a policy block": func(w *world, p plan) {
			w.intercept(func(n int, serve func(), rw http.ResponseWriter) { graphError(rw, http.StatusBadRequest, 368, 0) }, nil)
			w.run("confirm", p.ID)
			w.intercept(nil, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachStore(t, func(t *testing.T, w *world) {
				w.holding()
				p := w.planned(mappingText, 40)
				arrange(w, p)
				sent := w.requests()
				if sent == 0 {
					t.Fatal("nothing was sent at all")
				}
				if o := w.works(); o.code != 0 || w.requests() != sent {
					t.Errorf("exit %d, %d requests more\n%s%s", o.code, w.requests()-sent, o.stdout, o.stderr)
				}
			})
		})
	}
}

func TestADeadTokenIsAskedAboutOncePerPass(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.planned(mappingText, 40)
		w.intercept(func(_ int, _ func(), rw http.ResponseWriter) { graphError(rw, http.StatusUnauthorized, 190, 463) }, nil)
		if _, why, _ := w.tries(p.ID); why != "connector_expired" {
			t.Fatalf("got %s", why)
		}
		for range 2 {
			sent := w.requests()
			if o := w.works(); o.code != 3 || w.requests() != sent+1 {
				t.Errorf("exit %d, %d requests more\n%s%s", o.code, w.requests()-sent, o.stdout, o.stderr)
			}
		}
	})
}

// On a store that is shared, several confirms of one plan work side by side, and all
// of them answer with the run's receipt.
func TestConfirmsOfOnePlanShareTheWork(t *testing.T) {
	t.Parallel()
	w := beginPostgres(t)
	w.timePasses()
	p := w.planned(mappingText, 9000)
	var wg sync.WaitGroup
	outcomes := make([]outcome, 4)
	for i := range outcomes {
		wg.Go(func() { outcomes[i] = w.run("confirm", p.ID, "--json") })
	}
	wg.Wait()
	runs := map[string]bool{}
	for _, o := range outcomes {
		var r receipt
		decode(t, o.stdout, &r)
		if o.code != 0 || r.Counts["delivered"] != 9000 {
			t.Errorf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
		}
		runs[r.RunID] = true
	}
	if len(runs) != 1 {
		t.Errorf("%d runs", len(runs))
	}
	w.agree(p.ID, 9000)
	if s := w.stored(); s.Received != 9000 {
		t.Errorf("sandbox %+v", s)
	}
	finished := strings.Count(w.run("audit", "tail", "--json").stdout, `"confirm.finished"`)
	if finished != 1 {
		t.Errorf("the run was finished %d times", finished)
	}
}

// Whoever leaves for a reason of his own leaves the others at work.
func TestACancelledConfirmDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	w := beginPostgres(t)
	w.timePasses()
	p := w.planned(mappingText, 4000)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var first, second outcome
	joined, left, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	w.intercept(func(n int, serve func(), _ http.ResponseWriter) {
		switch n {
		case 1:
			go func() {
				defer close(done)
				second = w.run("confirm", p.ID, "--concurrency", "1", "--json")
			}()
			<-joined
		case 2:
			close(joined)
			cancel()
			<-left
		}
		serve()
	}, nil)
	first = w.runAs(ctx, "", nil, "confirm", p.ID, "--concurrency", "1", "--json")
	close(left)
	<-done
	if first.code == 0 || !strings.Contains(first.stdout, `"cancelled"`) {
		t.Errorf("the cancelled one: exit %d\n%s%s", first.code, first.stdout, first.stderr)
	}
	var r receipt
	decode(t, second.stdout, &r)
	if second.code != 0 || r.Counts["delivered"] != 4000 {
		t.Errorf("the other: exit %d\n%s%s", second.code, second.stdout, second.stderr)
	}
	w.agree(p.ID, 4000)
}
