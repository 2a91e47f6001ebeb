package ids_test

import (
	"strings"
	"testing"
	"time"

	"sluice/internal/ids"
)

func TestNewSortsByTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	earlier, later := ids.New("run", at), ids.New("run", at.Add(time.Millisecond))
	if earlier >= later {
		t.Errorf("%s is not before %s", earlier, later)
	}
	if !strings.HasPrefix(earlier, "run_") || len(earlier) != len("run_")+26 {
		t.Errorf("unexpected shape %q", earlier)
	}
}

func TestFromDigestFollowsFromContent(t *testing.T) {
	t.Parallel()
	a, b := ids.FromDigest("pl", [32]byte{1}), ids.FromDigest("pl", [32]byte{2})
	if a == b || a != ids.FromDigest("pl", [32]byte{1}) {
		t.Errorf("ids do not follow from content: %s, %s", a, b)
	}
}
