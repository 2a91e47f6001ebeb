package tools

import (
	"bytes"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/internal/app"
	"sluice/internal/config"
	"sluice/internal/graph"
	"sluice/internal/mapping"
	"sluice/internal/sandbox"
	"sluice/internal/source"
	"sluice/internal/writeback"
	"sluice/internal/writetool"
)

// TestNoTokenGetsOutOfWriteBack is TestNoTokenGetsOut for the tools that work on the
// ledger: what they write to the state directory holds no token either.
func TestNoTokenGetsOutOfWriteBack(t *testing.T) {
	t.Parallel()
	scopes := everyScope(t)
	for _, record := range writetool.Records() {
		t.Run(record.Name, func(t *testing.T) {
			t.Parallel()
			good := goodCase(record)
			for i := range record.Cases {
				c := &record.Cases[i]
				plans := []string{c.Faults}
				if c == good {
					plans = append(plans, eventPlans...)
				}
				if c == good && record.Name == "meta_send_offline_event" { // one goes through what is tried again
					plans = append(plans, lostPlans...)
				}
				for _, plan := range plans {
					l := newLedger(t, scopes, c.Token != "write-back off")
					if _, ok := l.prepare(c); !ok {
						t.Fatalf("%s: the calls before it fail", c.Name)
					}
					if plan != "" {
						l.fails(plan)
					}
					l.looks(c.Name+plan, l.call(record.Name, l.filled(c.Args)))
					l.ends()
				}
			}
		})
	}
}

// eventPlans are refusals of events, lostPlans answers that are none: deliveries wait on the
// machine's clock before they try again.
var (
	eventPlans = []string{
		`{"kind":"error","code":190,"subcode":463,"edge":"*","next":-1}`,
		`{"kind":"error","code":200,"edge":"*","next":-1}`,
		`{"kind":"error","code":100,"edge":"*","next":-1}`,
	}
	lostPlans = []string{
		`{"kind":"html_502","edge":"*","next":1}`,
		`{"kind":"truncate","edge":"*","next":1}`,
		`{"kind":"drop_after","edge":"*","next":1}`,
	}
)

// ledger is write-back over a state directory of its own, against a Meta that repeats
// what it is sent.
type ledger struct {
	*rig
	*watch
	writes *app.LocalWrites
	state  string
}

func newLedger(t *testing.T, scopes []string, on bool) *ledger {
	t.Helper()
	w := &watch{t: t}
	l := &ledger{watch: w, state: filepath.Join(t.TempDir(), "state")}
	l.rig = newRig(t, rigged{tokens: graph.Tokens{User: graph.StaticToken(canaryUser)}})
	w.rig, l.rig.at = l.rig, time.Now() // the ledger goes by the machine's clock
	l.box.AddToken(sandbox.Grant{Token: canaryUser, Scopes: scopes})
	meta := &tap{&echo{l.box.RoundTripper()}, w.saw}
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, req *http.Request) {
		res, err := meta.RoundTrip(req)
		if err != nil {
			panic(http.ErrAbortHandler) // as a connection that breaks
		}
		defer func() { _ = res.Body.Close() }()
		maps.Copy(out.Header(), res.Header)
		out.WriteHeader(res.StatusCode)
		_, _ = io.Copy(out, res.Body)
	}))
	t.Cleanup(server.Close)
	cfg, err := config.Load("", []string{
		"SLUICE_STATE_DIR=" + l.state, "SLUICE_GRAPH_URL=" + server.URL, "META_ACCESS_TOKEN=" + canaryUser, "META_APP_SECRET=" + sandbox.AppSecret,
		"SLUICE_CHECKPOINT_FILE=none",
	})
	if err != nil {
		t.Fatal(err)
	}
	outcomes(t, cfg)
	l.writes = app.NewLocalWrites(cfg, on, slog.New(slog.NewTextHandler(&locked{to: &l.logs}, &slog.HandlerOptions{Level: slog.LevelDebug})))
	for _, h := range l.writes.Handlers() {
		l.handlers[h.Name()] = h
	}
	return l
}

// ends looks at the log and at every file of the state directory.
func (l *ledger) ends() {
	l.t().Helper()
	if err := l.writes.Close(); err != nil {
		l.t().Error(err)
	}
	l.asked++ // most of these tools ask nobody
	l.watch.ends()
	err := filepath.WalkDir(l.state, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, p := range append([]string{canaryUser, sandbox.AppSecret}, proofs...) {
			if bytes.Contains(text, []byte(p)) {
				l.t().Errorf("a secret is in %s", filepath.Base(file))
			}
		}
		return nil
	})
	if err != nil {
		l.t().Error(err)
	}
}

func (l *ledger) t() *testing.T { return l.watch.t }

const outcomesMapping = `
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

// outcomes imports three payments, the last without anything that says who it was.
func outcomes(t *testing.T, cfg *config.Config) {
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
	m, err := mapping.ParseAlone([]byte(outcomesMapping))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.ReplaceAll(`{"order":"1","at":AT,"total":"10.00","email":"customer.one@example.com","country":"GB"}
{"order":"2","at":AT,"total":"5.50","email":"customer.two@example.com","country":"GB"}
{"order":"3","at":AT,"total":"7.00","email":"","country":""}
`, "AT", strconv.FormatInt(time.Now().Add(-3*time.Hour).Unix(), 10))
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
