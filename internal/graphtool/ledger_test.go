package graphtool_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sluice/internal/app"
	"sluice/internal/config"
	"sluice/internal/mapping"
	"sluice/internal/sandbox"
	"sluice/internal/source"
	"sluice/internal/writeback"
)

// ledger gives a scene the tools of write-back, over a ledger of its own that holds a
// few outcomes of the last days.
func (s *scene) ledger(on bool) {
	s.t.Helper()
	// The engine's client opens sockets; what it asks is noted like everything else.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.wire.note(r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.box.Handler().ServeHTTP(w, r)
	}))
	s.t.Cleanup(server.Close)
	cfg, err := config.Load("", []string{"SLUICE_STATE_DIR=" + s.t.TempDir(), "SLUICE_GRAPH_URL=" + server.URL, "META_ACCESS_TOKEN=" + sandbox.Token, "SLUICE_CHECKPOINT_FILE=none"})
	if err != nil {
		s.t.Fatal(err)
	}
	stored(s.t, cfg)
	writes := app.NewLocalWrites(cfg, on, slog.New(slog.DiscardHandler))
	s.t.Cleanup(func() {
		if err := writes.Close(); err != nil {
			s.t.Error(err)
		}
	})
	s.extra = writes.Handlers()
}

const storedMapping = `
version: 1
namespace: cases
id: order
outcome: payment_received
time: {column: at, format: epoch}
value: total
currency: GBP
action_source: physical_store
user: {em: email, country: country}
consent: granted
source: {format: jsonl}
`

// stored imports three payments, the last without anything that says who it was.
func stored(t *testing.T, cfg *config.Config) {
	t.Helper()
	a, err := app.Open(t.Context(), cfg, app.Options{Via: "cli"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	m, err := mapping.ParseAlone([]byte(storedMapping))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-3 * time.Hour).Unix()
	lines := strings.ReplaceAll(`{"order":"1","at":AT,"total":"10.00","email":"customer.one@example.com","country":"GB"}
{"order":"2","at":AT,"total":"5.50","email":"customer.two@example.com","country":"GB"}
{"order":"3","at":AT,"total":"7.00","email":"","country":""}
`, "AT", printed(float64(at)))
	r, err := source.Open(t.Context(), []string{"-"}, source.Options{
		Stdin: strings.NewReader(lines), Format: source.Format("jsonl"), Columns: m.Columns(), NeedDigest: m.NeedsDigest(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if _, err := a.Writeback.Import(t.Context(), writeback.ImportRequest{Reader: r, Mapping: m}); err != nil {
		t.Fatal(err)
	}
}
