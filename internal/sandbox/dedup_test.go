package sandbox_test

import (
	"fmt"
	"net/http"
	"testing"

	"pgregory.net/rapid"

	"sluice/internal/sandbox"
)

// verdicts lists "kept" or "rule>of" of all stored events, oldest first.
func (b *bundle) verdicts() []string {
	b.t.Helper()
	var out []string
	for _, v := range b.inspect(http.MethodGet, "/events", "")["events"].([]any) {
		e := v.(map[string]any)
		if e["kept"] == true {
			out = append(out, "kept")
			continue
		}
		out = append(out, fmt.Sprintf("%s>%s", e["rule"], e["duplicate_of"]))
	}
	return out
}

func TestDedupVerdicts(t *testing.T) {
	t.Parallel()
	noOrder := func(id string, changes ...func(event)) event {
		return sale(id, append([]func(event){custom("order_id", nil), with("em", hashed("same"))}, changes...)...)
	}
	order := func(id string, changes ...func(event)) event {
		return sale(id, append([]func(event){custom("order_id", "o1")}, changes...)...)
	}
	// at 7 days the default window is about to close, so the events that are sent
	// again carry a time of their own
	later := func(after int64) func(event) { return set("event_time", epoch.Unix()+after) }
	const hour = 3600
	for _, tc := range []struct {
		name     string
		first    event
		after    int64 // seconds until the second
		second   event
		want     string // verdict of the second
		dataset2 bool   // the second goes to the other dataset
	}{
		{"same id at once", visit("a"), 0, visit("a"), "event_id_48h>e1", false},
		{"same id, everything else differs", visit("a"), 0, visit("a", custom("value", 99), later(-9)), "event_id_48h>e1", false},
		{"same id just inside 48 hours", visit("a"), 48*hour - 1, visit("a"), "event_id_48h>e1", false},
		{"same id at 48 hours", visit("a"), 48 * hour, visit("a"), "kept", false},
		{"same id, other name", visit("a"), 0, visit("a", set("event_name", "Lead")), "kept", false},
		{"same id, other dataset", visit("a"), 0, visit("a"), "kept", true},
		{"other id", visit("a"), 0, visit("b"), "kept", false},
		{"id in other case", visit("a"), 0, visit("A"), "kept", false},
		{"no id", visit("a", set("event_id", nil)), 0, visit("a", set("event_id", nil)), "kept", false},
		{"website and phone call share ids", visit("a"), 0, visit("a", set("action_source", "phone_call")), "event_id_48h>e1", false},
		{"website and store never meet", visit("a"), 0, sale("a"), "kept", false},
		{"messaging is left alone", message("messenger", map[string]any{"page_id": "1", "page_scoped_user_id": "2"}), 0,
			message("messenger", map[string]any{"page_id": "1", "page_scoped_user_id": "2"}), "kept", false},

		{"store, same order", order("a"), 0, order("b"), "offline_order>e1", false},
		{"store, same order, other person", order("a"), 0, order("b", with("em", hashed("x"))), "offline_order>e1", false},
		{"store, same order just inside 7 days", order("a"), 7*day - 1, order("b"), "offline_order>e1", false},
		{"store, same order at 7 days", order("a"), 7 * day, order("b"), "kept", false},
		{"store, same id, other order", order("a"), 0, order("a", custom("order_id", "o2")), "kept", false},
		{"store, other line of the order", order("a", custom("item_number", "1")), 0, order("a", custom("item_number", "2")), "kept", false},
		{"store, corrected time counts twice", order("a"), 0, order("a", later(-1800)), "kept", false},
		{"store, other name", order("a"), 0, order("a", set("event_name", "Lead")), "kept", false},
		{"store, other dataset", order("a"), 0, visit("b"), "kept", true},

		{"store, same person", noOrder("a"), 0, noOrder("b"), "offline_user>e1", false},
		{"store, same person at 7 days", noOrder("a"), 7 * day, noOrder("b"), "kept", false},
		{"store, digest in upper case", noOrder("a", with("em", hashed("q"))), 0, noOrder("b", with("em", upper(hashed("q")))), "offline_user>e1", false},
		{"store, one value as list", noOrder("a", with("em", hashed("q"))), 0, noOrder("b", with("em", []string{hashed("q")})), "offline_user>e1", false},
		{"store, values in another order", noOrder("a", with("ph", []string{hashed("1"), hashed("2")})), 0,
			noOrder("b", with("ph", []string{hashed("2"), hashed("1")})), "offline_user>e1", false},
		{"store, one more key", noOrder("a"), 0, noOrder("b", with("ph", hashed("1"))), "kept", false},
		{"store, one value differs", noOrder("a"), 0, noOrder("b", with("em", hashed("other"))), "kept", false},
		{"store, order against no order", order("a", with("em", hashed("same"))), 0, noOrder("b"), "kept", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			if a := b.send(tc.first); a.status != http.StatusOK {
				t.Fatalf("first: %s", a.text)
			}
			b.inspect(http.MethodPost, "/clock", fmt.Sprintf(`{"advance_s":%d}`, tc.after))
			if tc.after >= 7*day {
				// keep the website rule of 7 days out of this: store events have 62
				if tc.first["action_source"] != "physical_store" {
					t.Fatal("case needs a store event")
				}
			}
			path := eventsPath
			if tc.dataset2 {
				path = "/" + sandbox.DatasetUnmerged + "/events"
			}
			a := b.post(path, batchOf(tc.second))
			if a.status != http.StatusOK || number(a.body["events_received"]) != 1 {
				t.Fatalf("second: %s", a.text)
			}
			if got := b.verdicts()[1]; got != tc.want {
				t.Errorf("verdict %q, want %q", got, tc.want)
			}
		})
	}
}

func upper(s string) string {
	out := []byte(s)
	for i, c := range out {
		if c >= 'a' && c <= 'f' {
			out[i] = c - 32
		}
	}
	return string(out)
}

func TestDedupInsideOneRequestAndAcrossThree(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.send(visit("a"), visit("b"), visit("a"))
	if number(a.body["events_received"]) != 3 {
		t.Errorf("events_received must count duplicates: %s", a.text)
	}
	b.send(visit("a"))
	want := []string{"kept", "kept", "event_id_48h>e1", "event_id_48h>e1"}
	if got := b.verdicts(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := b.totals(); got != [3]int{4, 2, 2} {
		t.Errorf("totals %v", got)
	}
}

// The window runs from the first receipt: repeats inside it do not prolong it.
func TestDedupWindowIsNotProlonged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 3 {
		b.send(visit("a"))
		b.inspect(http.MethodPost, "/clock", `{"advance_s":86400}`)
	}
	if got, want := fmt.Sprint(b.verdicts()), "[kept event_id_48h>e1 kept]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestBrowserEvents(t *testing.T) {
	t.Parallel()
	const fbp = "fb.1.1700000000000.42"
	for _, tc := range []struct {
		name    string
		browser string // further members of the injected event
		after   int
		server  event
		want    string
	}{
		{"same id", `"event_id":"a"`, 0, visit("a"), "event_id_48h>browser"},
		{"fallback by fbp", `"fbp":"` + fbp + `"`, 0, visit("a", with("fbp", fbp)), "browser_fallback>browser"},
		{"fallback by external_id", `"external_id":"7"`, 0, visit("a", with("external_id", []string{"6", "7"})), "browser_fallback>browser"},
		{"server without id", `"event_id":"a","fbp":"` + fbp + `"`, 0, visit("", set("event_id", nil), with("fbp", fbp)), "browser_fallback>browser"},
		{"both have ids, and they differ", `"event_id":"b","fbp":"` + fbp + `"`, 0, visit("a", with("fbp", fbp)), "kept"},
		{"other person", `"fbp":"` + fbp + `"`, 0, visit("a", with("fbp", fbp+"1")), "kept"},
		{"after 48 hours", `"fbp":"` + fbp + `"`, 2 * day, visit("a", with("fbp", fbp)), "kept"},
		{"store events do not fall back", `"fbp":"` + fbp + `"`, 0, sale("a", with("fbp", fbp)), "kept"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.inspect(http.MethodPost, "/events/browser", `{"dataset":"`+sandbox.Dataset+`","event_name":"Purchase",`+tc.browser+`}`)
			b.inspect(http.MethodPost, "/clock", fmt.Sprintf(`{"advance_s":%d}`, tc.after))
			if a := b.send(tc.server); a.status != http.StatusOK {
				t.Fatal(a.text)
			}
			if got := b.verdicts()[0]; got != tc.want {
				t.Errorf("verdict %q, want %q", got, tc.want)
			}
		})
	}
}

// Windows are judged when the request arrives, by the clock as moved.
func TestAgeIsJudgedByTheMovedClock(t *testing.T) {
	t.Parallel()
	b := setup(t)
	old := visit("a", set("event_time", epoch.Unix()-6*day))
	if a := b.send(old); a.status != http.StatusOK {
		t.Fatal(a.text)
	}
	b.inspect(http.MethodPost, "/clock", `{"advance_s":172800}`)
	if got := b.send(old).failure(); got != (failure{400, 100, 2804003}) {
		t.Errorf("two days later: %+v", got)
	}
	b.inspect(http.MethodPost, "/clock", `{"now":"2026-11-21T12:00:00Z","frozen":true}`)
	if a := b.send(old); a.status != http.StatusOK {
		t.Errorf("clock set back: %s", a.text)
	}
}

// Whatever is sent in whatever batches, every event id is kept exactly once
// inside the window, and the totals add up, with and without stored events.
func TestEveryIDIsKeptOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		keep := rapid.SampledFrom([]sandbox.Keep{sandbox.KeepAll, sandbox.KeepKeys}).Draw(rt, "keep")
		b := setup(t, func(o *sandbox.Options) { o.Keep = keep })
		batches := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, 9), 1, 8), 1, 6).Draw(rt, "batches")
		sent := map[int]int{}
		total := 0
		for _, ids := range batches {
			var events []event
			for _, id := range ids {
				make := visit
				if id%2 == 0 {
					make = sale
				}
				events = append(events, make(fmt.Sprint(id)))
				sent[id]++
				total++
			}
			if a := b.send(events...); a.status != http.StatusOK {
				rt.Fatal(a.text)
			}
		}
		if got, want := b.totals(), [3]int{total, len(sent), total - len(sent)}; got != want {
			rt.Fatalf("totals %v, want %v", got, want)
		}
		for id, n := range sent {
			m := b.inspect(http.MethodPost, "/events/lookup", fmt.Sprintf(`{"dataset":"%s","event_name":"Purchase","event_ids":["%d"]}`, sandbox.Dataset, id))
			one := m["ids"].([]any)[0].(map[string]any)
			if number(one["received"]) != n || number(one["kept"]) != 1 {
				rt.Fatalf("id %d sent %d times: %v", id, n, one)
			}
		}
	})
}
