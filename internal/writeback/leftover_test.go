package writeback

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"sluice/internal/ledger"
)

func TestWhatWasLeftOutComesBackAsItWas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 12, -1)
		want := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) left {
			return left{
				key: ledger.Key(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key")), time: rapid.Int64().Draw(t, "time"), is: disposition(rapid.IntRange(0, 4).Draw(t, "is")),
				value: rapid.Int64().Draw(t, "value"), code: text.Draw(t, "code"), outcome: text.Draw(t, "outcome"), currency: text.Draw(t, "currency"),
				labels: rapid.SliceOfN(text, 0, 3).Draw(t, "labels"),
			}
		}), 1, 20).Draw(t, "list")
		for i := range want {
			if len(want[i].labels) == 0 {
				want[i].labels = nil
			}
		}
		chunk := encodeLeft(want)
		var got []left
		if err := decodeLeft(&chunk, func(l *left) error { got = append(got, *l); return nil }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(left{})); diff != "" {
			t.Fatal(diff)
		}
		// A chunk that lost its end is damaged, and says so.
		chunk.Body = chunk.Body[:rapid.IntRange(0, len(chunk.Body)-1).Draw(t, "cut")]
		if err := decodeLeft(&chunk, func(*left) error { return nil }); err == nil {
			t.Fatal("a cut chunk was read as a whole one")
		}
	})
}
