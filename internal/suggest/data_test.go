package suggest_test

import (
	"strings"
	"testing"

	"sluice/internal/suggest"
)

func TestLooksLikeData(t *testing.T) {
	t.Parallel()
	values := []string{
		"jane@example.com", "+44 7700 900123", "(555) 0100", "2026-01-05", "05.01.2026 10:30", "5 Jan 2026", "2026-01-05T10:30:00Z",
		"12.50", "12,50 €", "GBP 120.50", "1", "#1001", "46347.375", `{"id":1`, `[{"id":1`, strings.Repeat("x ", 30),
	}
	for _, v := range values {
		if !suggest.LooksLikeData(v) {
			t.Errorf("%q is taken for a name", v)
		}
	}
	names := []string{"", "email", "E-Mail", "Order No.", "customer.email", "address_1", "Q12", "f1", "f10", "größe", "電話", "Buyer Accepts Marketing", "sha256"}
	for _, n := range names {
		if suggest.LooksLikeData(n) {
			t.Errorf("%q is taken for a value", n)
		}
	}
}

func TestLooksLikeRow(t *testing.T) {
	t.Parallel()
	if !suggest.LooksLikeRow([]string{"Jane", "Smith", "jane@example.com"}) {
		t.Error("a customer is taken for a header")
	}
	// A question of a form is long, but a name.
	if suggest.LooksLikeRow([]string{"email", "May we send you our newsletter with offers?"}) {
		t.Error("a long name makes a header a row")
	}
}
