package mapping_test

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"sluice/internal/mapping"
)

func TestEventIDVectors(t *testing.T) {
	t.Parallel()
	tests := []struct{ outcome, record, occurrence, want string }{
		{"order_placed", "536365", "", "wb1_6u3wnuiphlyncmqpemde62gz5imsv7e2"},
		{"order_placed", "536366", "", "wb1_wpxm4umj6mzssw4lllysux62o43ewfo7"},
		{"payment_received", "536365", "1", "wb1_7lqfipeoim4ybycdb5tpxqohmen3ypvb"},
	}
	for _, tt := range tests {
		if got := mapping.EventID("shop-uk/orders", tt.outcome, tt.record, tt.occurrence); got != tt.want {
			t.Errorf("EventID(%s, %s, %q) = %s, want %s", tt.outcome, tt.record, tt.occurrence, got, tt.want)
		}
	}
}

// TestEventIDIsCanonicalJSON builds the id again with a library that implements
// RFC 8785.
func TestEventIDIsCanonicalJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.OneOf(rapid.String(), rapid.StringMatching(`[\x00-\x1f"\\/\x{2028}é]{0,8}`))
		in := []string{"wb1", part.Draw(t, "namespace"), part.Draw(t, "outcome"), part.Draw(t, "record"), part.Draw(t, "occurrence")}
		text, err := json.Marshal(in)
		if err != nil {
			t.Skip("not a text")
		}
		v := jsontext.Value(text)
		if err := v.Canonicalize(); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(v)
		want := "wb1_" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:20]))
		if got := mapping.EventID(in[1], in[2], in[3], in[4]); got != want {
			t.Fatalf("EventID(%q) = %s, want %s", in, got, want)
		}
	})
}

func TestEventIDAllocatesOnce(t *testing.T) {
	n := testing.AllocsPerRun(100, func() { mapping.EventID("shop-uk/orders", "order_placed", "536365", "") })
	if n > 1 {
		t.Errorf("%v allocations, want the id's own", n)
	}
}
