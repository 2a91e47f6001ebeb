package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// The conformance vectors that are about preview alone. Each of the others stands
// beside what it is about, under the same kind of name.

func TestVector02_same_data_same_plan_hash(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		m := w.file("mapping.yaml", mappingText)
		text := w.orders("north", 50)
		var first, again, changed plan
		w.ok(&first, "preview", w.file("orders.csv", text), "-m", m, "--dataset", dataset)
		w.ok(&again, "preview", w.file("orders.csv", text), "-m", m, "--dataset", dataset)
		if first.Hash != again.Hash || first.ID != again.ID {
			t.Errorf("the same data gave plans %s and %s", first.ID, again.ID)
		}
		w.ok(&changed, "preview", w.file("orders.csv", strings.Replace(text, "buyer7@", "buyer8@", 1)), "-m", m, "--dataset", dataset)
		if changed.Hash == first.Hash {
			t.Error("one changed byte of the source gave the same plan hash")
		}
	})
}

func TestVector03_preview_without_network(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		var touched atomic.Int32
		dark := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { touched.Add(1) }))
		w.url = dark.URL
		defer dark.Close()
		var p plan
		w.ok(&p, "preview", w.file("orders.csv", w.orders("north", 5)), "-m", w.file("mapping.yaml", mappingText), "--dataset", dataset)
		if p.Counts.Planned != 5 || touched.Load() != 0 {
			t.Errorf("planned %d, %d requests", p.Counts.Planned, touched.Load())
		}
	})
}

func TestVector26_one_row_without_a_usable_identifier(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		lines := strings.SplitAfter(w.orders("north", 1000), "\n")
		at := w.now.Add(-3 * 3600e9).Format("2006-01-02T15:04:05Z07:00")
		lines[500] = "north,500," + at + ",9.50,GBP,not-an-address,12,\n"
		var p plan
		w.ok(&p, "preview", w.file("orders.csv", strings.Join(lines, "")), "-m", w.file("mapping.yaml", mappingText), "--dataset", dataset)
		if p.Counts.Planned != 999 || p.Counts.Rejected != 1 || p.Rejects["no_identifiers"] != 1 {
			t.Errorf("counts %+v, rejects %v", p.Counts, p.Rejects)
		}
	})
}

func TestVector27_hashed_input(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		sum := func(s string) string { d := sha256.Sum256([]byte(s)); return hex.EncodeToString(d[:]) }
		mapping := strings.NewReplacer(
			"user: {em: email, ph: phone, external_id: customer}", "user: {em: {column: email, hashed: auto}, ph: {column: phone, hashed: no}}",
		).Replace(mappingText)
		at := w.now.Add(-3 * 3600e9).Format("2006-01-02T15:04:05Z07:00")
		var b strings.Builder
		b.WriteString("shop,order,sold_at,total,currency,email,phone,customer\n")
		for i, v := range [][2]string{
			{strings.ToUpper(sum("buyer@example.com")), ""}, // lowered and sent as it is
			{"", sum(sum("447700900123"))},                  // hashed again: a plain field holds a digest
			{sum(""), ""},                                   // the hash of nothing
		} {
			fmt.Fprintf(&b, "north,%d,%s,9.50,GBP,%s,%s,\n", i+1, at, v[0], v[1])
		}
		var p struct {
			plan
			Summary struct {
				Dropped map[string]struct{ Count int } `json:"dropped_identifiers"`
			} `json:"summary"`
		}
		o := w.ok(&p, "preview", w.file("orders.csv", b.String()), "-m", w.file("mapping.yaml", mapping), "--dataset", dataset, "--samples", "3")
		if p.Counts.Planned != 1 || p.Counts.Rejected != 2 {
			t.Errorf("counts %+v, rejects %v", p.Counts, p.Rejects)
		}
		for _, code := range []string{"double_hashed", "hash_of_empty"} {
			if p.Summary.Dropped[code].Count != 1 {
				t.Errorf("dropped identifiers %v, want one %s", p.Summary.Dropped, code)
			}
		}
		if strings.Contains(o.stdout, strings.ToUpper(sum("buyer@example.com"))[:16]) {
			t.Error("the digest was not lowered")
		}
	})
}
