package journal

import (
	"fmt"
	"testing"

	"sluice/internal/enforce"
)

// Files follow each other while several processes write; limits hold over all of them,
// calls are found in all of them, and the log has everything once.
func TestFilesFollowEachOther(t *testing.T) {
	t.Parallel()
	dir, log := t.TempDir(), &sink{}
	const stores, rounds, most = 3, 40, 100
	var open3 []*Store
	for range stores {
		s := open(t, Options{Dir: dir, Now: at(noon), Fold: log.fold})
		s.turnBytes = 500
		open3 = append(open3, s)
	}
	c := charge("c", most)
	admitted := 0
	var ids []string
	for round := range rounds {
		for i, s := range open3 {
			id := fmt.Sprintf("call-%d-%d", round, i)
			ids = append(ids, id)
			if admit(t, s, id, c) {
				admitted++
			}
			if round%4 == i { // the others fall behind by whole files
				if err := s.Settle(t.Context(), outcome(id, enforce.Commit)); err != nil {
					t.Fatal(err)
				}
				if err := s.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if admitted != most {
		t.Errorf("%d calls were admitted, want exactly %d", admitted, most)
	}
	gens, err := generations(dir, journalStart)
	if err != nil || len(gens) < 3 {
		t.Errorf("files %v, %v: none follows another", gens, err)
	}
	if err := open3[0].Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	once(t, log, ids...)
	f := enforce.CallFilter{Grant: "g", Limit: 7}
	for i := len(ids) - 1; i >= 0; {
		page, err := open3[1].Calls(t.Context(), f)
		if err != nil || len(page) == 0 {
			t.Fatalf("%d calls, %v", len(page), err)
		}
		for _, got := range page {
			if got.Call.Request != ids[i] {
				t.Fatalf("found %s, want %s", got.Call.Request, ids[i])
			}
			f.Before = ids[i]
			i--
		}
	}
	first, err := open3[2].Calls(t.Context(), enforce.CallFilter{Request: ids[0]})
	if err != nil || len(first) != 1 || !first[0].Ended || first[0].Call.Settlement != "commit" {
		t.Errorf("%+v, %v", first, err)
	}
}
