package sandbox_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEventsAreAcceptedAndStored(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.send(sale("a1"), visit("a2"))
	if a.status != http.StatusOK {
		t.Fatalf("status %d: %s", a.status, a.text)
	}
	trace, _ := a.body["fbtrace_id"].(string)
	if !regexp.MustCompile(`^A[A-Za-z0-9_-]{22}$`).MatchString(trace) {
		t.Errorf("fbtrace_id %q has not Meta's form", trace)
	}
	delete(a.body, "fbtrace_id")
	if diff := cmp.Diff(map[string]any{"events_received": 2.0, "messages": []any{}}, a.body); diff != "" {
		t.Error(diff)
	}
	if got := b.totals(); got != [3]int{2, 2, 0} {
		t.Errorf("received, kept, duplicates = %v", got)
	}
	if got := a.header.Get("facebook-api-version"); got != "v26.0" {
		t.Errorf("facebook-api-version %q", got)
	}
}
