package sandbox_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"sluice/internal/sandbox"
)

// Many senders at once, half of what they send the same: totals add up and every
// id is kept once. Run with -race.
func TestConcurrentSenders(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, b *bundle) {
		const senders, requests, size = 4, 8, 10
		var wg sync.WaitGroup
		for s := range senders {
			wg.Go(func() {
				for r := range requests {
					var events []event
					for i := range size {
						id := fmt.Sprintf("shared-%d-%d", r, i)
						if i%2 == 0 {
							id = fmt.Sprintf("own-%d-%d-%d", s, r, i)
						}
						events = append(events, sale(id))
					}
					if a := b.send(events...); a.status != http.StatusOK {
						t.Error(a.text)
					}
					b.get("/" + sandbox.Dataset + "?fields=valid_entries")
					b.get("/" + sandbox.Dataset + "/stats?aggregation=match_keys")
					b.inspect(http.MethodGet, "/events?limit=3", "")
					b.inspect(http.MethodGet, "/requests", "")
				}
			})
		}
		wg.Wait()
		total := senders * requests * size
		kept := total/2 + requests*size/2
		if got, want := b.totals(), [3]int{total, kept, total - kept}; got != want {
			t.Errorf("totals %v, want %v", got, want)
		}
	})
}

func TestTraceIDsRepeatWithTheSeed(t *testing.T) {
	t.Parallel()
	trace := func(seed int64) string {
		b := setup(t, func(o *sandbox.Options) { o.Seed = seed })
		return b.send(sale("a")).body["fbtrace_id"].(string)
	}
	if first, again := trace(7), trace(7); first != again || first == trace(8) {
		t.Error("trace ids must follow from the seed")
	}
}

func TestParseKeep(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]sandbox.Keep{"": sandbox.KeepAll, "all": sandbox.KeepAll, "keys": sandbox.KeepKeys} {
		if got, err := sandbox.ParseKeep(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if _, err := sandbox.ParseKeep("some"); err == nil {
		t.Error("unknown words must be refused")
	}
}

// A rehearsal sends requests for a real dataset id in process.
func TestFurtherDatasets(t *testing.T) {
	t.Parallel()
	const id = "1234500000000000"
	b := setup(t, func(o *sandbox.Options) { o.Datasets = []string{id} })
	for range 2 {
		if a := b.post("/v26.0/"+id+"/events", batchOf(sale("a"), visit("b"))); a.status != http.StatusOK {
			t.Fatal(a.text)
		}
	}
	want := sandbox.Counts{Received: 4, Kept: 2, Duplicates: 2}
	if got := b.server.Counts(id); got != want {
		t.Errorf("counts %+v", got)
	}
	if got := b.server.Counts(""); got != want {
		t.Errorf("counts of all %+v", got)
	}
	b.inspect(http.MethodPost, "/reset", "")
	if a := b.get("/" + id); a.status != http.StatusOK {
		t.Errorf("after a reset: %s", a.text)
	}
}

// Names nobody could read any more count together, and events keep their own.
func TestDistinctLabelsAreBounded(t *testing.T) {
	t.Parallel()
	const limit, more = 1000, 3
	b := setup(t)
	name := func(i int) string { return fmt.Sprintf("Custom%d", i) }
	var events []event
	for i := range limit + more {
		events = append(events, sale(fmt.Sprint(i), set("event_name", name(i))))
	}
	b.send(events[:limit]...)
	b.send(events[limit:]...)
	for i := range limit + more {
		one := sale(fmt.Sprint("tagged", i))
		if a := b.post(eventsPath, jsonText(map[string]any{"data": []event{one}, "upload_tag": fmt.Sprint("tag", i)})); a.status != http.StatusOK {
			t.Fatal(a.text)
		}
	}
	counts := map[string]int{}
	for _, bucket := range b.get("/" + sandbox.Dataset + "/stats?aggregation=event").body["data"].([]any) {
		for _, row := range bucket.(map[string]any)["data"].([]any) {
			m := row.(map[string]any)
			counts[m["value"].(string)] += number(m["count"])
		}
	}
	if len(counts) != limit+1 || counts[name(0)] != 1 || counts["(other)"] != more+limit+more { // Purchase is a name too many as well
		t.Errorf("%d names, %d others", len(counts), counts["(other)"])
	}
	uploads := b.get("/" + sandbox.Dataset + "/offline_event_uploads?upload_tag=(other)").body["data"].([]any)
	if len(uploads) != 1 || number(uploads[0].(map[string]any)["valid_entries"]) != more {
		t.Errorf("uploads of other tags: %v", uploads)
	}
	last := name(limit + more - 1)
	shown := b.inspect(http.MethodGet, "/events?event_name="+last, "")["events"].([]any)
	if len(shown) != 1 {
		t.Errorf("%s is shown %d times", last, len(shown))
	}
}
