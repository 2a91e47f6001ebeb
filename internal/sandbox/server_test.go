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
