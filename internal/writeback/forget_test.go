package writeback_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"sluice/internal/fault"
	"sluice/internal/writeback"
)

// An erasure does not see a payload that is still being written. The preview that
// writes it finds out, and leaves nothing behind.
func TestErasureDuringAPreviewLeavesNoPayload(t *testing.T) {
	t.Parallel()
	m := begin(t)
	rows := map[string]time.Duration{"1": time.Hour, "2": time.Hour}
	req := m.input(rows)
	req.Remarks = func() map[string]*writeback.Note {
		f, err := m.s.Forget(t.Context(), writeback.ForgetRequest{Subjects: []writeback.Subject{{Email: "buyer2@example.com"}}, Request: "DSR-1"})
		if err != nil || f.Suppressed != 1 {
			t.Errorf("erasure %+v, %v", f, err)
		}
		return nil
	}
	if v, err := m.s.Preview(t.Context(), req); fault.CodeOf(err) != fault.PlanStale {
		t.Errorf("preview %+v, %v", v, err)
	}
	left, err := filepath.Glob(filepath.Join(m.dir, "plans", "*"))
	if _, missing := os.Stat(filepath.Join(m.dir, "plans")); err != nil || missing != nil || len(left) > 0 {
		t.Errorf("payloads %v, %v, %v", left, err, missing)
	}
	v, err := m.s.Preview(t.Context(), m.input(rows))
	if err != nil || v.Events != 1 || v.Summary.Skips["suppressed"] != 1 {
		t.Errorf("again: %+v, %v", v, err)
	}
}
