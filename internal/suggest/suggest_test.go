package suggest_test

import (
	"strings"
	"testing"

	"sluice/internal/suggest"
)

func TestClosest(t *testing.T) {
	t.Parallel()
	columns := []string{"InvoiceNo", "StockCode", "UnitPrice", "CustomerID", "Country"}
	tests := []struct {
		name, word, want string
		candidates       []string
	}{
		{"other case and separators", "unit_price", "UnitPrice", columns},
		{"two letters swapped", "Invioce No", "InvoiceNo", columns},
		{"one letter missing", "Contry", "Country", columns},
		{"nothing is near", "latitude", "", columns},
		{"short words need to be near", "ab", "", []string{"xy"}},
		{"the nearer one wins", "event_time", "event_time", []string{"event_name", "event_time"}},
		{"empty word", "", "", columns},
		{"endless word", strings.Repeat("a", 1000), "", []string{strings.Repeat("a", 1000)}},
		{"empty candidate", "a", "", []string{""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := suggest.Closest(tt.word, tt.candidates); got != tt.want {
				t.Errorf("Closest(%.20q) = %q, want %q", tt.word, got, tt.want)
			}
		})
	}
}
