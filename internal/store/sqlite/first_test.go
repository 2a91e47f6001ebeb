package sqlite_test

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"sluice/internal/store/sqlite"
)

// Several processes that open a new ledger at the same moment all get it.
func TestFirstOpensRace(t *testing.T) {
	t.Parallel()
	for range 10 {
		path := filepath.Join(t.TempDir(), "ledger.db")
		var all sync.WaitGroup
		ids := make([]string, 8)
		for i := range ids {
			all.Go(func() {
				s, err := sqlite.Open(t.Context(), path, time.Now)
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = s.ID()
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, id := range ids[1:] {
			if id != "" && id != ids[0] {
				t.Errorf("two ledgers: %v", ids)
			}
		}
	}
}
