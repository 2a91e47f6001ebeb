package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/sandbox"
)

// previewed makes a plan of n orders of a shop.
func (w *world) previewed(shop string, n int) plan {
	w.t.Helper()
	var p plan
	in := filepath.Join(w.dir, shop+".csv")
	if _, err := os.Stat(in); err != nil {
		in = w.file(shop+".csv", w.orders(shop, n))
	}
	w.ok(&p, "preview", in, "-m", w.file("mapping.yaml", mappingText), "--dataset", dataset)
	return p
}

// code is the error code of an outcome, empty when there is none.
func (o outcome) fault(t *testing.T) string {
	t.Helper()
	var doc struct{ Error struct{ Code string } }
	if err := json.Unmarshal([]byte(o.stdout), &doc); err != nil {
		t.Fatalf("not JSON: %v\n%s%s", err, o.stdout, o.stderr)
	}
	return doc.Error.Code
}

// refuse answers requests at the events edge as Meta answers a dead token.
func refuse(_ int, _ func(), rw http.ResponseWriter) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(http.StatusUnauthorized)
	_, _ = rw.Write([]byte(`{"error":{"message":"expired","type":"OAuthException","code":190,"error_subcode":463}}`))
}

func TestVector04_a_key_is_needed_and_has_a_grammar(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.previewed("north", 3)
		s := w.serving()
		path := "/api/v1/plans/" + p.ID + "/confirms"
		s.refused(s.call(s.token, "POST", path, map[string]any{"plan_hash": p.Hash}), 400, "idempotency_key_required")
		for _, key := range []string{strings.Repeat("k", 256), "tab\there", "two words", "naïve"} {
			w.fails("idempotency_key_invalid", 2, "confirm", p.ID, "--key", key)
		}
		if w.requests() != 0 {
			t.Errorf("%d requests", w.requests())
		}
		w.ok(nil, "confirm", p.ID, "--key", strings.Repeat("k", 255))
	})
}

func TestVector05_the_same_key_replays(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.previewed("north", 30)
		var first, again receipt
		w.ok(&first, "confirm", p.ID, "--key", "k1")
		sent := w.requests()
		w.ok(&again, "confirm", p.ID, "--key", "k1")
		if !again.Replayed || again.RunID != first.RunID || again.Counts["delivered"] != 30 || w.requests() != sent {
			t.Errorf("%+v after %+v, %d more requests", again, first, w.requests()-sent)
		}
	})
}

func TestVector06_the_same_key_for_another_plan(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		a, b := w.previewed("north", 3), w.previewed("south", 3)
		w.ok(nil, "confirm", a.ID, "--key", "k1")
		sent := w.requests()
		w.fails("idempotency_mismatch", 2, "confirm", b.ID, "--key", "k1")
		w.fails("idempotency_mismatch", 2, "confirm", a.ID, "--key", "k1", "--accept-rejects") // other options
		if w.requests() != sent {
			t.Errorf("%d requests for a mismatch", w.requests()-sent)
		}
		w.ok(nil, "confirm", b.ID, "--key", "k2")
	})
}

func TestVector07_fifty_confirms_with_one_key(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		w.timePasses()
		p := w.previewed("north", 40)
		runs := map[string]int{}
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				o := w.run("confirm", p.ID, "--key", "k1", "--wait", "1s", "--json")
				var doc struct {
					RunID string `json:"run_id"`
					Error struct {
						Code    string
						Details struct {
							RunID string `json:"run_id"`
						}
					}
				}
				if err := json.Unmarshal([]byte(o.stdout), &doc); err != nil {
					t.Errorf("exit %d: %s%s", o.code, o.stdout, o.stderr)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				switch {
				case o.code == 0:
					runs[doc.RunID]++
				case doc.Error.Code != "idempotency_in_progress" || doc.Error.Details.RunID == "" && len(runs) > 0:
					t.Errorf("exit %d: %s", o.code, o.stdout)
				}
			})
		}
		all.Wait()
		if len(runs) != 1 {
			t.Errorf("runs %v", runs)
		}
		if s := w.stored(); s.Received != 40 || s.Kept != 40 {
			t.Errorf("sandbox %+v", s)
		}
	})
}

func TestVector08_overlapping_plans_at_the_same_time(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		m := w.file("mapping.yaml", mappingText)
		lines := strings.SplitAfter(w.orders("north", 300), "\n")
		window := func(name string, from, to int) plan {
			var p plan
			w.ok(&p, "preview", w.file(name, lines[0]+strings.Join(lines[from:to], "")), "-m", m, "--dataset", dataset)
			return p
		}
		a, b := window("a.csv", 1, 201), window("b.csv", 101, 301)
		var got [2]receipt
		var both sync.WaitGroup
		for i, p := range []plan{a, b} {
			both.Go(func() {
				o := w.run("confirm", p.ID, "--key", fmt.Sprintf("k%d", i), "--json")
				if o.code != 0 {
					t.Errorf("exit %d: %s", o.code, o.stdout)
					return
				}
				if err := json.Unmarshal([]byte(o.stdout), &got[i]); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		if n := got[0].Counts["delivered"] + got[1].Counts["delivered"]; n != 300 || got[0].Counts["skipped"]+got[1].Counts["skipped"] != 100 {
			t.Errorf("%+v and %+v", got[0].Counts, got[1].Counts)
		}
		if s := w.stored(); s.Received != 300 || s.Kept != 300 {
			t.Errorf("sandbox %+v", s)
		}
	})
}

// failing confirms n plans that Meta refuses, with a pause after each.
func (w *world) failing(n int, pause time.Duration) {
	w.t.Helper()
	w.intercept(refuse, nil)
	for i := range n {
		p := w.previewed(fmt.Sprintf("failing-%d-%d", w.clock().Unix(), i), 2)
		w.fails("connector_expired", 3, "confirm", p.ID)
		w.advance(pause)
	}
	w.intercept(nil, nil)
}

func TestVector17_three_failures_within_thirty_minutes_open_the_circuit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pause time.Duration
		open  bool
	}{"29 minutes": {14*time.Minute + 30*time.Second, true}, "31 minutes": {15*time.Minute + 30*time.Second, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachStore(t, func(t *testing.T, w *world) {
				w.failing(3, c.pause)
				p := w.previewed("after", 2)
				sent := w.requests()
				if !c.open {
					w.ok(nil, "confirm", p.ID)
					return
				}
				text := w.fails("circuit_open", 4, "confirm", p.ID)
				if w.requests() != sent || !strings.Contains(text, "3 confirms") {
					t.Errorf("%d requests; %s", w.requests()-sent, text)
				}
				var list []struct {
					State    string
					Failures []struct{ Code string }
				}
				w.ok(&list, "circuit", "show")
				if len(list) != 1 || list[0].State != "open" || len(list[0].Failures) != 3 {
					t.Errorf("circuit %+v", list)
				}
			})
		})
	}
}

func TestOneRunFailsOnceHoweverOftenItIsResumed(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.intercept(refuse, nil)
	p := w.previewed("north", 2)
	for range 4 {
		w.fails("connector_expired", 3, "confirm", p.ID)
	}
	w.intercept(nil, nil)
	w.ok(nil, "confirm", p.ID)
}

func TestVector18_an_open_circuit_stops_confirms_only(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		done := w.previewed("done", 5)
		w.ok(nil, "confirm", done.ID, "--key", "done")
		w.failing(3, time.Minute)
		p := w.previewed("after", 2) // a preview
		w.ok(nil, "dry-run", p.ID)
		sent := w.requests()
		w.fails("circuit_open", 4, "confirm", p.ID)
		var again receipt
		w.ok(&again, "confirm", done.ID, "--key", "done")
		if !again.Replayed || w.requests() != sent {
			t.Errorf("%+v, %d requests", again, w.requests()-sent)
		}
		w.fails("usage", 2, "circuit", "reset")
		w.ok(nil, "circuit", "reset", "--reason", "the token was replaced")
		w.ok(nil, "confirm", p.ID)
	})
}

func TestVector19_a_half_open_circuit_lets_one_confirm_try(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		w.failing(3, time.Minute)
		w.advance(31 * time.Minute)
		a, b := w.previewed("a", 120), w.previewed("b", 3)
		var sizes []int
		var once sync.Once
		w.intercept(func(_ int, serve func(), _ http.ResponseWriter) {
			// While the first request of a is on the wire, b comes.
			once.Do(func() { w.fails("circuit_open", 4, "confirm", b.ID) })
			before := w.stored().Received
			serve()
			sizes = append(sizes, w.stored().Received-before)
		}, nil)
		var r receipt
		w.ok(&r, "confirm", a.ID, "--concurrency", "1")
		if r.Counts["delivered"] != 120 || len(sizes) < 2 || sizes[0] > 50 {
			t.Errorf("%+v in requests of %v", r.Counts, sizes)
		}
		w.intercept(nil, nil)
		w.ok(nil, "confirm", b.ID) // closed again
	})
}

func TestAFailedProbeOpensTheCircuitForLonger(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.failing(3, time.Minute)
	w.advance(31 * time.Minute)
	w.failing(1, time.Minute)
	p := w.previewed("after", 2)
	w.fails("circuit_open", 4, "confirm", p.ID)
	w.advance(40 * time.Minute) // more than the first cool-down, less than the second
	w.fails("circuit_open", 4, "confirm", p.ID)
	w.advance(20 * time.Minute)
	w.ok(nil, "confirm", p.ID)
}

// webMapping is the small mapping for events of a website.
var webMapping = strings.NewReplacer(
	"action_source: physical_store", "action_source: website",
	"user: {", "event_source_url: {const: \"https://shop.example.com/\"}\nuser: {client_user_agent: {const: \"Mozilla/5.0\"}, ",
).Replace(mappingText)

func TestVector23_a_live_test_is_not_sent_again(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		var p plan
		w.ok(&p, "preview", w.file("web.csv", w.orders("web", 30)), "-m", w.file("web.yaml", webMapping), "--dataset", dataset)
		live := []string{"dry-run", p.ID, "--level", "live_test", "--test-event-code", "TEST1"}
		w.fails("live_test_unsupported", 2, append(live, "--events", "2")...) // not acknowledged
		live = append(live, "--acknowledge-live-test")
		w.fails("live_test_unsupported", 2, live...) // 30 are too many
		if w.requests() != 0 {
			t.Fatalf("%d requests of refused tests", w.requests())
		}
		w.ok(nil, append(live, "--events", "2")...)
		if s := w.stored(); s.Received != 2 || w.requests() != 1 {
			t.Fatalf("sandbox %+v", s)
		}
		var r receipt
		w.ok(&r, "confirm", p.ID)
		if s := w.stored(); s.Received != 30 || s.Kept != 30 || r.Received != 28 || r.Counts["delivered"] != 30 {
			t.Errorf("sandbox %+v, receipt %+v", s, r)
		}
	})
}

func TestVector24_a_live_test_of_store_events_is_refused(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.previewed("north", 3)
		w.fails("live_test_unsupported", 2, "dry-run", p.ID, "--level", "live_test", "--test-event-code", "TEST1", "--acknowledge-live-test")
		if w.requests() != 0 {
			t.Errorf("%d requests", w.requests())
		}
	})
}

func TestATestDatasetGetsNobodyWhoExists(t *testing.T) {
	t.Parallel()
	w := begin(t)
	var p plan
	w.ok(&p, "preview", w.file("web.csv", w.orders("web", 20)), "-m", w.file("web.yaml", webMapping), "--dataset", dataset)
	w.fails("usage", 2, "dry-run", p.ID, "--level", "test_dataset")
	w.fails("usage", 2, "dry-run", p.ID, "--level", "test_dataset", "--test-dataset", dataset)
	other := sandbox.DatasetUnmerged
	w.ok(nil, "dry-run", p.ID, "--level", "test_dataset", "--test-dataset", other, "--test-event-code", "TEST1")
	w.ok(nil, "confirm", p.ID)
	people := func(dataset string) (n int, ids map[string]bool) {
		var got struct {
			Events []struct {
				Event struct {
					UserData map[string]any `json:"user_data"`
				}
			}
		}
		w.inspect("/_emulator/events?limit=100&dataset="+dataset, &got)
		ids = map[string]bool{}
		for _, e := range got.Events {
			for _, v := range e.Event.UserData {
				ids[fmt.Sprint(v)] = true
			}
		}
		return len(got.Events), ids
	}
	n, invented := people(other)
	m, real := people(dataset)
	if n != 20 || m != 20 || len(invented) == 0 || len(real) == 0 {
		t.Fatalf("%d events at the test dataset, %d at the real one, %d and %d identifiers", n, m, len(invented), len(real))
	}
	for id := range real {
		if invented[id] && len(id) > 10 {
			t.Errorf("%s was sent to the test dataset", id)
		}
	}
}

func TestACanaryWaitsForAYes(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.previewed("north", 120)
		var first receipt
		w.ok(&first, "confirm", p.ID, "--canary", "10")
		if first.Counts["delivered"] != 10 || len(first.Traces) != 1 || w.stored().Received != 10 {
			t.Fatalf("canary %+v", first)
		}
		sent := w.requests()
		text := w.fails("run_paused", 4, "confirm", p.ID)
		if !strings.Contains(text, "--continue") || w.requests() != sent {
			t.Errorf("%s", text)
		}
		var rest receipt
		w.ok(&rest, "confirm", p.ID, "--continue")
		if rest.RunID != first.RunID || rest.Counts["delivered"] != 120 || w.stored().Received != 120 {
			t.Errorf("rest %+v", rest)
		}
	})
}

func TestACanaryThatLooksWrongIsCancelled(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.previewed("north", 50)
		var first receipt
		w.ok(&first, "confirm", p.ID, "--canary", "5")
		var ended struct {
			Cancelled int
			Receipt   receipt
		}
		w.ok(&ended, "runs", "cancel", first.RunID, "--reason", "the values are in pence")
		if ended.Cancelled != 45 || ended.Receipt.Counts["delivered"] != 5 || ended.Receipt.Counts["cancelled"] != 45 {
			t.Errorf("%+v", ended)
		}
		// What was cancelled may be planned again; what was sent may not.
		again := w.previewed("north", 50)
		if again.ID == p.ID || again.Counts.Planned != 45 {
			t.Errorf("a new preview plans %+v", again.Counts)
		}
	})
}

func TestResolveEndsWhatTheGuardCannot(t *testing.T) {
	t.Parallel()
	for _, as := range []string{"delivered", "resend", "rejected"} {
		t.Run(as, func(t *testing.T) {
			t.Parallel()
			eachStore(t, func(t *testing.T, w *world) {
				w.ok(nil, "profile", "set", "default", "--policy", w.file("policy.json", `{"unknown_policy":"hold"}`))
				p := w.previewed("north", 8)
				w.intercept(func(_ int, serve func(), rw http.ResponseWriter) {
					serve() // it arrives, and the answer is lost
					panic(http.ErrAbortHandler)
				}, nil)
				if o := w.run("confirm", p.ID, "--json"); o.code != 5 || o.fault(t) != "outcome_unknown" {
					t.Fatalf("exit %d: %s", o.code, o.stdout)
				}
				w.intercept(nil, nil)
				sent := w.requests()
				w.fails("usage", 2, "resolve", p.ID, "--as", as)
				w.fails("nothing_to_resolve", 2, "resolve", p.ID, "--as", as, "--reason", "looked", "--event", "nobody")
				var done struct {
					Events  int
					Receipt *receipt
				}
				w.ok(&done, "resolve", p.ID, "--as", as, "--reason", "compared with Events Manager")
				if done.Events != 8 || w.requests() != sent {
					t.Fatalf("%+v, %d requests", done, w.requests()-sent)
				}
				if as == "resend" {
					var r receipt
					w.ok(&r, "confirm", p.ID)
					if r.Counts["delivered"] != 8 || w.stored().Kept != 8 {
						t.Errorf("%+v", r)
					}
					return
				}
				if done.Receipt == nil || done.Receipt.Counts[as] != 8 {
					t.Errorf("%+v", done)
				}
				again := w.previewed("north", 8)
				if want := map[string]int{"delivered": 0, "rejected": 8}[as]; again.Counts.Planned != want {
					t.Errorf("a new preview plans %+v, want %d", again.Counts, want)
				}
			})
		})
	}
}

func TestCapsAreKept(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		policy string
		cap    string
	}{
		"events of a run": {`{"max_events_per_run":9}`, "max_events_per_run"},
		"value of a run":  {`{"max_value_per_run":{"GBP":"50"}}`, "max_value_per_run"},
		"events of a day": {`{"max_events_per_day":15}`, "max_events_per_day"},
		"value of a day":  {`{"max_value_per_day":{"GBP":"150"}}`, "max_value_per_day"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachStore(t, func(t *testing.T, w *world) {
				w.ok(nil, "profile", "set", "default", "--policy", w.file("policy.json", c.policy))
				a, b := w.previewed("a", 10), w.previewed("b", 10)
				daily := strings.HasSuffix(c.cap, "day")
				if daily {
					w.ok(nil, "confirm", a.ID)
				}
				sent := w.requests()
				o := w.run("confirm", b.ID, "--json")
				if o.code != 4 || !strings.Contains(o.stdout, c.cap) || w.requests() != sent {
					t.Errorf("exit %d: %s", o.code, o.stdout)
				}
				if daily {
					w.advance(24 * time.Hour)
					w.ok(nil, "confirm", w.previewed("b2", 10).ID)
				}
			})
		})
	}
}

func TestAPolicyThatChangedMakesThePlanStale(t *testing.T) {
	t.Parallel()
	w := begin(t)
	p := w.previewed("north", 3)
	w.ok(nil, "profile", "set", "default", "--policy", w.file("policy.json", `{"max_events_per_run":100}`))
	w.fails("plan_stale", 2, "confirm", p.ID)
	w.ok(nil, "confirm", w.previewed("north", 3).ID)
}

func TestARequiredDryRunIsRequired(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		w.ok(nil, "profile", "set", "default", "--policy", w.file("policy.json", `{"require_dry_run":"sandbox"}`))
		p := w.previewed("north", 3)
		w.fails("dry_run_required", 4, "confirm", p.ID)
		w.ok(nil, "dry-run", p.ID)
		w.fails("dry_run_required", 4, "confirm", p.ID) // offline is not enough
		w.ok(nil, "dry-run", p.ID, "--level", "sandbox")
		w.ok(nil, "dry-run", p.ID) // a weaker one does not undo it
		w.ok(nil, "confirm", p.ID)
	})
}

func TestFourEyes(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		w.ok(nil, "profile", "set", "default", "--policy", w.file("policy.json", `{"four_eyes":true}`))
		p := w.previewed("north", 3)
		w.fails("approval_required", 4, "confirm", p.ID)
		w.fails("approval_required", 4, "confirm", p.ID) // the same one
		var list []struct {
			ID    string `json:"approval_id"`
			State string
		}
		w.ok(&list, "approvals", "list")
		if len(list) != 1 || list[0].State != "pending" {
			t.Fatalf("approvals %+v", list)
		}
		w.fails("role_required", 4, "approvals", "approve", list[0].ID, "--reason", "my own")
		s := w.serving()
		other := w.tokenOf("ada", "admin", "mcp:read,mcp:write")
		r := s.call(other, "POST", "/api/v1/approvals/"+list[0].ID+"/approve", map[string]any{"reason": "checked"})
		if r.status != 200 {
			t.Fatalf("HTTP %d %s", r.status, r.body)
		}
		if w.requests() != 0 {
			t.Fatalf("%d requests before the confirm", w.requests())
		}
		w.ok(nil, "confirm", p.ID)
		w.ok(&list, "approvals", "list")
		if list[0].State != "consumed" || w.stored().Kept != 3 {
			t.Errorf("approvals %+v", list)
		}
	})
}

func TestVector30_without_an_audit_log_nothing_is_sent(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.previewed("north", 5)
		w.ok(nil, "dry-run", p.ID)
		exec, _ := w.database()
		exec(`ALTER TABLE audit_record RENAME TO audit_gone`)
		o := w.run("confirm", p.ID, "--json")
		if code := o.fault(t); o.code != 3 || (code != "audit_unavailable" && code != "store_unavailable") || w.requests() != 0 {
			t.Errorf("exit %d, %d requests: %s", o.code, w.requests(), o.stdout)
		}
		exec(`ALTER TABLE audit_gone RENAME TO audit_record`)
		var r receipt
		w.ok(&r, "confirm", p.ID) // no row was left behind
		if r.Counts["delivered"] != 5 || r.Replayed {
			t.Errorf("%+v", r)
		}
	})
}

func TestMendedRejectsAreRedriven(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		m := w.file("mapping.yaml", mappingText)
		text := w.orders("north", 20)
		lines := strings.SplitAfter(text, "\n")
		for _, i := range []int{4, 9} {
			cells := strings.Split(lines[i], ",")
			cells[3] = "much"
			lines[i] = strings.Join(cells, ",")
		}
		var p, again plan
		w.ok(&p, "preview", w.file("orders.csv", strings.Join(lines, "")), "-m", m, "--dataset", dataset)
		w.ok(nil, "confirm", p.ID)
		out := filepath.Join(w.dir, "rejects.csv")
		w.ok(nil, "rejects", p.ID, "--export", out)
		csv, err := os.ReadFile(out)
		if err != nil || strings.Count(string(csv), "\n") != 3 || strings.Contains(string(csv), "much") {
			t.Errorf("%v\n%s", err, csv)
		}
		w.ok(&again, "preview", w.file("orders.csv", text), "-m", m, "--dataset", dataset, "--only-rejects-of", p.ID)
		if again.Counts.Rows != 2 || again.Counts.Planned != 2 {
			t.Fatalf("the new plan holds %+v", again.Counts)
		}
		w.ok(nil, "confirm", again.ID)
		if s := w.stored(); s.Received != 20 || s.Kept != 20 {
			t.Errorf("sandbox %+v", s)
		}
	})
}

func TestAnExpiredPlanIsCancelledByTheSweep(t *testing.T) {
	t.Parallel()
	w := begin(t)
	p := w.previewed("north", 4)
	w.advance(25 * time.Hour)
	w.fails("plan_expired", 2, "confirm", p.ID)
	w.ok(nil, "work", "--until-idle")
	var rows []struct {
		PlanID string `json:"plan_id"`
		State  string
		Counts map[string]int
	}
	w.ok(&rows, "runs")
	if len(rows) != 1 || rows[0].State != "cancelled" || rows[0].Counts["cancelled"] != 4 {
		t.Errorf("%+v", rows)
	}
}
