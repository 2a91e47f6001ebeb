package writeback

import (
	"bytes"
	"cmp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func drawEntry(t *rapid.T) entry {
	e := entry{
		class:       rapid.ByteRange(0, 1).Draw(t, "class"),
		seq:         rapid.Int64Min(0).Draw(t, "seq"),
		time:        rapid.Int64().Draw(t, "time"),
		eventID:     rapid.StringMatching(`[a-z0-9é_]{1,12}`).Draw(t, "id"),
		fingerprint: rapid.Int64().Draw(t, "fingerprint"),
		value:       rapid.Int64().Draw(t, "value"),
		offset:      rapid.Int64Min(0).Draw(t, "offset"),
		length:      rapid.IntRange(0, 1<<20).Draw(t, "length"),
		kind:        rapid.IntRange(0, 1<<20).Draw(t, "kind"),
		file:        rapid.IntRange(0, 1<<20).Draw(t, "file"),
		line:        rapid.Int64Min(0).Draw(t, "line"),
	}
	copy(e.key[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key"))
	copy(e.leaf[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "leaf"))
	return e
}

func TestEntriesSurviveBothEncodings(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := drawEntry(t)
		var byKey, byTime entry
		if err := byKey.fromKey(e.byKey(nil)); err != nil || byKey != e {
			t.Fatalf("by key: %v\n%+v\n%+v", err, byKey, e)
		}
		if err := byTime.fromTime(e.byTime(nil)); err != nil {
			t.Fatal(err)
		}
		byTime.seq = e.seq // the plan's order does not carry it
		if byTime != e {
			t.Fatalf("by time:\n%+v\n%+v", byTime, e)
		}
	})
}

func TestBytesOrderAsThePlanDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawEntry(t), drawEntry(t)
		want := cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.time, b.time), strings.Compare(a.eventID, b.eventID))
		got := bytes.Compare(a.byTime(nil), b.byTime(nil))
		if want != 0 && want != got {
			t.Fatalf("bytes say %d, the plan says %d", got, want)
		}
	})
}
