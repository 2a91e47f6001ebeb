package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/internal/cli"
	"sluice/internal/sandbox"
)

// now is when every command of these tests runs.
var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

// shop is one state directory, one mapping and one sandbox.
type shop struct {
	t   *testing.T
	dir string
	url string
	// meanwhile runs while a request that sends events is under way.
	meanwhile func()
}

func open(t *testing.T) *shop {
	t.Helper()
	s := &shop{t: t, dir: t.TempDir()}
	box := sandbox.New(sandbox.Options{Now: clock}).Handler()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.meanwhile != nil && r.Method == http.MethodPost {
			s.meanwhile()
		}
		box.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

// outcome is what a command left behind.
type outcome struct {
	code           int
	stdout, stderr string
}

func (s *shop) run(args ...string) outcome {
	s.t.Helper()
	return s.runWith("", args...)
}

func (s *shop) runWith(stdin string, args ...string) outcome {
	s.t.Helper()
	var out, errs bytes.Buffer
	code := cli.Main(s.t.Context(), cli.Process{
		Args:  append([]string{"--state-dir", filepath.Join(s.dir, "state"), "--graph-url", s.url, "--progress", "off"}, args...),
		Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs, Now: clock,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	return outcome{code, out.String(), errs.String()}
}

func (s *shop) file(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

const mappingText = `version: 1
namespace: cli/orders
id: [order]
outcome: payment_received
time: {column: sold_at}
value: total
currency: {column: currency}
order_id: order
action_source: physical_store
consent: granted
user: {em: email}
`

const header = "order,sold_at,total,currency,email\n"

// preview plans rows and returns the plan's id.
func (s *shop) preview(file, rows string) string {
	s.t.Helper()
	o := s.run("preview", s.file(file, header+rows), "-m", s.file("mapping.yaml", mappingText), "--dataset", sandbox.Dataset, "--json")
	var doc struct {
		ID string `json:"plan_id"`
	}
	if err := json.Unmarshal([]byte(o.stdout), &doc); err != nil || doc.ID == "" {
		s.t.Fatalf("preview: exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	return doc.ID
}

// has fails the test for every text that got lacks.
func has(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%q is missing in\n%s", w, got)
		}
	}
}

func lacks(t *testing.T, got string, unwanted ...string) {
	t.Helper()
	for _, w := range unwanted {
		if strings.Contains(got, w) {
			t.Errorf("%q is in\n%s", w, got)
		}
	}
}
