package e2e

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBadInputIsNamedAndNothingIsSent covers what people really drop on a server.
func TestBadInputIsNamedAndNothingIsSent(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		input func(w *world) string
		code  string
		exit  int
		says  string
	}{
		"missing column": {func(w *world) string { return w.file("in.csv", strings.Replace(w.orders("s", 3), "email", "mail", 1)) }, "mapping_invalid", 2, "email"},
		"cut gzip": {func(w *world) string {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write([]byte(w.orders("s", 5000)))
			_ = z.Close()
			return w.file("in.csv.gz", b.String()[:b.Len()/2])
		}, "source_invalid", 2, "in.csv.gz"},
		"parquet as csv":  {func(w *world) string { return w.file("in.csv", "PAR1\x15\x04\x15\x10\x00\x00\x00PAR1") }, "source_invalid", 2, "Parquet"},
		"empty directory": {func(w *world) string { d := filepath.Join(w.dir, "none"); _ = os.MkdirAll(d, 0o700); return d }, "source_empty", 2, "none"},
		"empty file":      {func(w *world) string { return w.file("in.csv", "") }, "source_empty", 2, "in.csv"},
		"header only": {func(w *world) string {
			return w.file("in.csv", "shop,order,sold_at,total,currency,email,phone,customer\n")
		}, "source_empty", 2, ""},
		"huge line in quotes": {func(w *world) string {
			return w.file("in.csv", "shop,order,sold_at,total,currency,email,phone,customer\ns,1,\""+strings.Repeat("x", 100<<20))
		}, "source_invalid", 2, "in.csv"},
		"latin-1": {func(w *world) string {
			return w.file("in.csv", strings.ReplaceAll(w.orders("s", 3), "buyer2", "b\xfcyer"))
		}, "source_invalid", 2, "windows-1252"},
		"no such file": {func(w *world) string { return filepath.Join(w.dir, "missing.csv") }, "source_unavailable", 3, "missing.csv"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := begin(t)
			m := w.file("mapping.yaml", mappingText)
			said := w.fails(tt.code, tt.exit, "preview", tt.input(w), "-m", m, "--dataset", dataset)
			if !strings.Contains(said, tt.says) {
				t.Errorf("the error does not name %q: %s", tt.says, said)
			}
			if w.requests() != 0 {
				t.Error("something was sent")
			}
			// Nothing is left behind: no plan, no payload.
			if left, _ := filepath.Glob(filepath.Join(w.dir, "state", "plans", "*")); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestAHugeUnquotedLineCostsOneRow(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("mapping.yaml", mappingText)
	in := w.file("in.csv", w.orders("s", 10)+"s,big,"+strings.Repeat("x", 100<<20)+"\n"+strings.TrimPrefix(w.orders("t", 10), "shop,order,sold_at,total,currency,email,phone,customer\n"))
	var p plan
	w.ok(&p, "preview", in, "-m", m, "--dataset", dataset)
	if p.Counts.Planned != 20 || p.Rejects["row_too_large"] != 1 {
		t.Errorf("counts %+v rejects %v", p.Counts, p.Rejects)
	}
}

func TestAWrongMappingListsEveryFaultWithItsLine(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("mapping.yaml", strings.NewReplacer("currency: {column: currency}", "curency: GBP", "payment_received", "payment_recieved").Replace(mappingText))
	o := w.run("preview", w.file("in.csv", w.orders("s", 1)), "-m", m, "--dataset", dataset)
	if o.code != 2 || !strings.Contains(o.stderr, "payment_recieved") || !strings.Contains(o.stderr, "curency") || !strings.Contains(o.stderr, "payment_received") {
		t.Errorf("exit %d\n%s", o.code, o.stderr)
	}
}

func TestABadConnectionIsFoundBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m, in := w.file("mapping.yaml", mappingText), w.file("orders.csv", w.orders("soho", 5))
	var unknown, unmerged, p plan
	w.ok(&unknown, "preview", in, "-m", m, "--dataset", "999")
	w.ok(&unmerged, "preview", in, "-m", m, "--dataset", "1000000000000002")
	w.ok(&p, "preview", in, "-m", m, "--dataset", dataset)
	w.fails("connection_inactive", 3, "confirm", unknown.ID)
	w.fails("connection_inactive", 3, "confirm", unmerged.ID)
	for token, code := range map[string]string{"sandbox-token-expired": "connector_expired", "made-up": "connector_expired"} {
		o := w.runWith("", []string{"META_ACCESS_TOKEN=" + token}, "confirm", p.ID, "--json")
		if o.code != 3 || !strings.Contains(o.stdout, code) || strings.Contains(o.stdout, token) {
			t.Errorf("token %s: exit %d %s", token, o.code, o.stdout)
		}
	}
	if w.requests() != 0 {
		t.Error("events were sent")
	}
	// A refused confirm leaves the plan as it was.
	w.ok(nil, "confirm", p.ID)
}
