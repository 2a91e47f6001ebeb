package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPreviewDryRunConfirmAndAgain(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m, in := w.file("mapping.yaml", mappingText), w.file("orders.csv", w.orders("soho", 250))
	var p plan
	w.ok(&p, "preview", in, "-m", m, "--dataset", dataset)
	if p.Counts.Planned != 250 || p.Counts.add() != p.Counts.Rows {
		t.Fatalf("counts %+v", p.Counts)
	}
	var again plan
	w.ok(&again, "preview", in, "-m", m, "--dataset", dataset)
	if again.ID != p.ID || again.Hash != p.Hash {
		t.Errorf("the same input gave another plan: %s, %s", p.ID, again.ID)
	}
	if w.requests() != 0 {
		t.Fatal("a preview sent something")
	}
	var dry struct {
		OK             bool `json:"ok"`
		EventsReceived int  `json:"events_received"`
	}
	w.ok(&dry, "dry-run", p.ID)
	if !dry.OK || dry.EventsReceived != 250 || w.requests() != 0 {
		t.Fatalf("dry run %+v after %d requests", dry, w.requests())
	}
	var r, replay receipt
	w.ok(&r, "confirm", p.ID, "--hash", p.Hash, "--key", "daily-1")
	if r.Counts["delivered"] != 250 || r.Received != 250 || len(r.Traces) != 1 || r.AuditSeq == 0 {
		t.Errorf("receipt %+v", r)
	}
	sent := w.requests()
	w.ok(&replay, "confirm", p.ID, "--key", "daily-1")
	if !replay.Replayed || replay.RunID != r.RunID || w.requests() != sent {
		t.Errorf("replay %+v, %d requests more", replay, w.requests()-sent)
	}
	w.agree(p.ID, 250)
	if s := w.stored(); s.Kept != 250 || s.Duplicates != 0 {
		t.Errorf("sandbox %+v", s)
	}
}

func TestTheSameKeyForAnotherPlanIsRefused(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("mapping.yaml", mappingText)
	var a, b plan
	w.ok(&a, "preview", w.file("a.csv", w.orders("a", 3)), "-m", m, "--dataset", dataset)
	w.ok(&b, "preview", w.file("b.csv", w.orders("b", 3)), "-m", m, "--dataset", dataset)
	w.ok(nil, "confirm", a.ID, "--key", "k")
	sent := w.requests()
	w.fails("idempotency_mismatch", 2, "confirm", b.ID, "--key", "k")
	w.fails("idempotency_mismatch", 2, "confirm", a.ID, "--key", "other")
	w.fails("idempotency_key_invalid", 2, "confirm", b.ID, "--key", "two words")
	w.fails("plan_hash_mismatch", 2, "confirm", b.ID, "--hash", a.Hash)
	w.fails("plan_not_found", 2, "confirm", "pl_00000000000000000000")
	if w.requests() != sent {
		t.Error("a refused confirm sent something")
	}
}

func TestAnOverlappingExportSendsOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("mapping.yaml", mappingText)
	day1 := w.orders("soho", 100)
	w.send(m, w.file("day1.csv", day1))
	changed := strings.Replace(w.orders("soho", 130), ",7.50,", ",8.50,", 1)
	var p plan
	w.ok(&p, "preview", w.file("day2.csv", changed), "-m", m, "--dataset", dataset)
	if p.Counts.Planned != 30 || p.Summary.Skips["duplicate"] != 99 || p.Rejects["id_conflict"] != 1 || p.Counts.add() != 130 {
		t.Fatalf("counts %+v skips %v rejects %v", p.Counts, p.Summary.Skips, p.Rejects)
	}
	rejects := w.run("rejects", p.ID).stdout
	if !strings.Contains(rejects, "day2.csv:3") || !strings.Contains(rejects, "id_conflict") {
		t.Errorf("rejects:\n%s", rejects)
	}
	w.ok(nil, "confirm", p.ID)
	if s := w.stored(); s.Kept != 130 || s.Duplicates != 0 {
		t.Errorf("sandbox %+v", s)
	}
}

// send previews and confirms.
func (w *world) send(m string, inputs ...string) (plan, receipt) {
	w.t.Helper()
	var p plan
	var r receipt
	w.ok(&p, append(append([]string{"preview"}, inputs...), "-m", m, "--dataset", dataset)...)
	w.ok(&r, "confirm", p.ID)
	return p, r
}

func TestFortyShopsThatAllStartAtReceiptOne(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("mapping.yaml", mappingText)
	for i := range 40 {
		w.file(fmt.Sprintf("shops/shop-%02d.csv", i), w.orders(fmt.Sprintf("shop-%02d", i), 25))
	}
	p, r := w.send(m, filepath.Join(w.dir, "shops"))
	if p.Counts.Rows != 1000 || r.Counts["delivered"] != 1000 {
		t.Fatalf("counts %+v, delivered %d", p.Counts, r.Counts["delivered"])
	}
	w.agree(p.ID, 1000)
	// Named one by one, in another order: the same sales.
	again, _ := filepath.Glob(filepath.Join(w.dir, "shops", "*.csv"))
	var q plan
	w.ok(&q, append(append([]string{"preview"}, again...), "-m", m, "--dataset", dataset)...)
	if q.Counts.Planned != 0 || q.Summary.Skips["duplicate"] != 1000 {
		t.Errorf("a second look plans %+v", q.Counts)
	}
}

func TestAnIDThatForgetsTheShopIsAConflictNotALoss(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("mapping.yaml", strings.Replace(mappingText, "id: [shop, order]", "id: order", 1))
	north := w.orders("north", 10)
	south := strings.ReplaceAll(w.orders("south", 10), ".50,", ".75,")
	var p plan
	w.ok(&p, "preview", w.file("n.csv", north), w.file("s.csv", south), "-m", m, "--dataset", dataset)
	if p.Counts.Planned != 10 || p.Rejects["id_conflict"] != 10 {
		t.Fatalf("counts %+v rejects %v", p.Counts, p.Rejects)
	}
	// Two shops whose sales even have the same times and prices.
	var q plan
	w.ok(&q, "preview", w.file("n2.csv", north), w.file("s2.csv", w.orders("south", 10)), "-m", m, "--dataset", dataset)
	if q.Counts.Planned != 10 || q.Rejects["id_conflict"] != 10 {
		t.Errorf("counts %+v rejects %v", q.Counts, q.Rejects)
	}
	w.fails("reject_threshold", 4, "confirm", p.ID)
	if w.requests() != 0 {
		t.Error("a plan over the reject threshold was sent")
	}
	w.ok(nil, "confirm", p.ID, "--accept-rejects")
}

func TestThreeEventsThatOnlyMetaRefuses(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m, in := w.file("mapping.yaml", mappingText), w.file("orders.csv", w.orders("soho", 1000))
	var p plan
	w.ok(&p, "preview", in, "-m", m, "--dataset", dataset)
	var ids []string
	for line := range strings.Lines(w.run("events", p.ID, "--json").stdout) {
		var e struct {
			EventID string `json:"event_id"`
		}
		decode(t, line, &e)
		ids = append(ids, e.EventID)
	}
	w.fault(map[string]any{"kind": "refuse_event", "event_ids": []string{ids[5], ids[500], ids[999]}, "code": 100, "subcode": 2804019})
	o := w.run("confirm", p.ID, "--json")
	var r receipt
	decode(t, o.stdout, &r)
	if o.code != 5 || r.Counts["delivered"] != 997 || r.Counts["rejected"] != 3 {
		t.Fatalf("exit %d, %+v", o.code, r)
	}
	if most := 2 * 3 * 11; r.Requests > most {
		t.Errorf("%d requests, want at most %d", r.Requests, most)
	}
	n := 0
	for line := range strings.Lines(w.run("rejects", p.ID, "--json").stdout) {
		var rej struct {
			Stage string `json:"stage"`
			Line  int    `json:"line"`
			Graph struct {
				Code    int `json:"code"`
				Subcode int `json:"subcode"`
			} `json:"graph"`
		}
		decode(t, line, &rej)
		if n++; rej.Stage != "send" || rej.Graph.Subcode != 2804019 || rej.Line == 0 {
			t.Errorf("reject %s", line)
		}
	}
	if n != 3 {
		t.Errorf("%d rejects", n)
	}
	w.agree(p.ID, 997)
}

// fault sets up a fault in the sandbox.
func (w *world) fault(f map[string]any) {
	w.t.Helper()
	body, err := json.Marshal(f)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := http.Post(w.url+"/_emulator/faults", "application/json", strings.NewReader(string(body)))
	if err != nil {
		w.t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		w.t.Fatalf("fault %v: status %d", f, res.StatusCode)
	}
}

func TestEveryLostAnswerEndsWithOneCopy(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]map[string]any{
		"dropped before commit": {"kind": "drop_before", "next": 1},
		"dropped after commit":  {"kind": "drop_after", "next": 1},
		"cut off":               {"kind": "truncate", "next": 1},
		"html 502":              {"kind": "html_502", "next": 1},
		"short count":           {"kind": "short_received", "next": 1},
		"throttled":             {"kind": "throttle", "next": 1},
		"transient error":       {"kind": "error", "next": 1, "code": 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := begin(t)
			m, in := w.file("mapping.yaml", mappingText), w.file("orders.csv", w.orders("soho", 50))
			var p plan
			w.ok(&p, "preview", in, "-m", m, "--dataset", dataset)
			w.fault(f)
			var r receipt
			w.ok(&r, "confirm", p.ID)
			if r.Counts["delivered"] != 50 || r.Requests != 2 {
				t.Errorf("receipt %+v", r)
			}
			if s := w.stored(); s.Kept != 50 {
				t.Errorf("sandbox %+v", s)
			}
		})
	}
}

func TestADeadTokenStopsAndALiveOneResumes(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m, in := w.file("mapping.yaml", mappingText), w.file("orders.csv", w.orders("soho", 2500))
	var p plan
	w.ok(&p, "preview", in, "-m", m, "--dataset", dataset)
	w.intercept(func(n int, serve func(), rw http.ResponseWriter) {
		if n == 2 {
			rw.Header().Set("Content-Type", "application/json")
			rw.WriteHeader(http.StatusUnauthorized)
			_, _ = rw.Write([]byte(`{"error":{"message":"expired","type":"OAuthException","code":190,"error_subcode":463}}`))
			return
		}
		serve()
	}, nil)
	w.fails("connector_expired", 3, "confirm", p.ID, "--concurrency", "1")
	if w.requests() != 2 {
		t.Errorf("%d requests, want 2: a dead token must not be hammered", w.requests())
	}
	w.intercept(nil, nil)
	var r receipt
	w.ok(&r, "confirm", p.ID)
	if r.Counts["delivered"] != 2500 {
		t.Errorf("receipt %+v", r)
	}
	w.agree(p.ID, 2500)
}

func TestWindowsAreJudgedWhenSending(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("mapping.yaml", mappingText)
	row := func(order int, age time.Duration) string {
		return fmt.Sprintf("s,%d,%s,10.00,GBP,b%d@example.com,,C%d\n", order, w.now.Add(-age).Format(time.RFC3339), order, order)
	}
	in := w.file("orders.csv", "shop,order,sold_at,total,currency,email,phone,customer\n"+
		row(1, 63*24*time.Hour)+row(2, 61*24*time.Hour)+row(3, 62*24*time.Hour-45*time.Minute)+row(4, time.Hour)+row(5, -time.Hour))
	var p plan
	w.ok(&p, "preview", in, "-m", m, "--dataset", dataset)
	if p.Counts.Expired != 1 || p.Counts.Planned != 3 || p.Rejects["future_time"] != 1 {
		t.Fatalf("counts %+v rejects %v", p.Counts, p.Rejects)
	}
	w.advance(20 * time.Minute) // row 3 is now inside the margin
	o := w.run("confirm", p.ID, "--json", "--accept-rejects")
	if !strings.Contains(o.stdout, "plan_stale") || o.code != 2 {
		t.Fatalf("a third of the plan left its window: exit %d %s", o.code, o.stdout)
	}
	var q plan
	w.ok(&q, "preview", in, "-m", m, "--dataset", dataset)
	var r receipt
	w.ok(&r, "confirm", q.ID, "--accept-rejects")
	if q.Counts.Expired != 2 || r.Counts["delivered"] != 2 {
		t.Errorf("after a new preview: %+v, %+v", q.Counts, r.Counts)
	}
}

func TestLineItemsBecomeOneOrder(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("mapping.yaml", strings.Replace(mappingText, "value: total\n", "value: {sum: lines}\nlines: {id: sku, quantity: qty, item_price: price}\n", 1))
	at := w.now.Add(-time.Hour).Format(time.RFC3339)
	in := w.file("lines.csv", "shop,order,sold_at,currency,email,phone,customer,sku,qty,price\n"+
		"s,1,"+at+",GBP,a@example.com,,C1,mug,2,1.50\n"+
		"s,2,"+at+",GBP,b@example.com,,C2,hat,1,9.99\n"+
		"s,1,"+at+",GBP,a@example.com,,C1,cup,1,0.25\n")
	var p plan
	w.ok(&p, "preview", in, "-m", m, "--dataset", dataset)
	want := map[string]string{"GBP": "13.24"}
	if p.Counts.Rows != 2 || p.Summary.Lines != 3 || !maps.Equal(p.Value, want) {
		t.Errorf("rows %d lines %d value %v", p.Counts.Rows, p.Summary.Lines, p.Value)
	}
}

func TestSendAsksAndYesAnswers(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m, in := w.file("mapping.yaml", mappingText), w.file("orders.csv", w.orders("soho", 20))
	w.fails("confirmation_needed", 4, "send", in, "-m", m, "--dataset", dataset)
	if w.requests() != 0 {
		t.Fatal("send sent without a yes")
	}
	o := w.run("send", in, "-m", m, "--dataset", dataset, "--yes")
	if o.code != 0 || !strings.Contains(o.stdout, "Dry run") || !strings.Contains(o.stdout, "delivered") {
		t.Fatalf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	o = w.run("send", in, "-m", m, "--dataset", dataset, "--yes")
	if o.code != 0 || !strings.Contains(o.stdout, "Nothing is left to send") {
		t.Errorf("a second send: exit %d\n%s", o.code, o.stdout)
	}
	if s := w.stored(); s.Kept != 20 || s.Received != 20 {
		t.Errorf("sandbox %+v", s)
	}
}

func TestNothingPersonalIsWrittenDown(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("mapping.yaml", mappingText)
	in := w.file("orders.csv", w.orders("soho", 40)+"soho,x,not a time,1.00,GBP,secret.person@example.com,07700 900123,C-secret\n")
	p, _ := w.send(m, in)
	outputs := w.run("rejects", p.ID).stdout + w.run("rejects", p.ID, "--json").stdout + w.run("preview", in, "-m", m, "--dataset", dataset).stdout +
		w.run("audit", "tail").stdout + w.run("events", p.ID, "--json").stdout
	files := map[string]string{"output": outputs}
	err := filepath.WalkDir(filepath.Join(w.dir, "state"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	hashed := w.run("normalize", "--field", "em", "buyer1@example.com").stdout
	var n struct{ SHA256 string }
	decode(t, hashed, &n)
	for name, text := range files {
		for _, secret := range []string{"secret.person", "buyer1@example.com", "900123", "C-secret", n.SHA256} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
	}
}

func TestRealMetaIsNeverCalledWithoutAToken(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m, in := w.file("mapping.yaml", mappingText), w.file("orders.csv", w.orders("soho", 2))
	var p plan
	w.ok(&p, "preview", in, "-m", m, "--dataset", dataset)
	o := w.run("confirm", p.ID, "--json", "--graph-url", "https://graph.example.com")
	if o.code != 3 || !strings.Contains(o.stdout, "auth_required") {
		t.Errorf("exit %d %s", o.code, o.stdout)
	}
}

// fails runs a command that must fail with a code, as a document and as a line.
func (w *world) fails(code string, exit int, args ...string) string {
	w.t.Helper()
	o := w.run(append(args, "--json")...)
	var doc struct {
		Error struct{ Code, Message, Fix string }
	}
	decode(w.t, o.stdout, &doc)
	if doc.Error.Code != code || o.code != exit {
		w.t.Errorf("sluice %s: exit %d, code %q (%s), want %d, %q", strings.Join(args, " "), o.code, doc.Error.Code, doc.Error.Message, exit, code)
	}
	if doc.Error.Fix == "" || doc.Error.Message == "" {
		w.t.Errorf("%s says neither what failed nor what to do: %+v", code, doc.Error)
	}
	return doc.Error.Message + " " + doc.Error.Fix
}

func TestSendFinishesWhatAnEarlierSendLeft(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m, in := w.file("mapping.yaml", mappingText), w.file("orders.csv", w.orders("soho", 1500))
	w.intercept(func(n int, serve func(), rw http.ResponseWriter) {
		if n == 2 {
			rw.Header().Set("Content-Type", "application/json")
			rw.WriteHeader(http.StatusUnauthorized)
			_, _ = rw.Write([]byte(`{"error":{"message":"expired","type":"OAuthException","code":190,"error_subcode":463}}`))
			return
		}
		serve()
	}, nil)
	if o := w.run("send", in, "-m", m, "--dataset", dataset, "--yes", "--concurrency", "1"); o.code != 3 {
		t.Fatalf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	w.intercept(nil, nil)
	var p struct {
		Summary struct {
			Warnings map[string]struct{ Count int } `json:"warnings"`
		} `json:"summary"`
	}
	w.ok(&p, "preview", in, "-m", m, "--dataset", dataset)
	if p.Summary.Warnings["open_run"].Count != 500 {
		t.Errorf("the preview does not say that 500 events wait: %+v", p.Summary.Warnings)
	}
	if o := w.run("send", in, "-m", m, "--dataset", dataset, "--yes"); o.code != 0 {
		t.Fatalf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	if s := w.stored(); s.Kept != 1500 || s.Duplicates != 0 {
		t.Errorf("sandbox %+v", s)
	}
}

func TestASandboxSendDoesNotCountAsSentToMeta(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m, in := w.file("mapping.yaml", mappingText), w.file("orders.csv", w.orders("soho", 30))
	w.send(m, in)
	other := begin(t) // another destination, the same state directory
	other.dir, other.now = w.dir, w.clock()
	var p, first plan
	other.ok(&p, "preview", in, "-m", m, "--dataset", dataset)
	if p.Counts.Planned != 30 {
		t.Fatalf("what one destination got counts as sent to another: %+v", p.Counts)
	}
	w.ok(&first, "preview", in, "-m", m, "--dataset", dataset)
	other.fails("destination_mismatch", 2, "confirm", p.ID, "--graph-url", w.url)
	var r receipt
	other.ok(&r, "confirm", p.ID)
	if r.Counts["delivered"] != 30 || other.stored().Kept != 30 || w.stored().Received != 30 || first.Counts.Planned != 0 {
		t.Errorf("receipt %v, other %+v, first %+v", r.Counts, other.stored(), w.stored())
	}
}

func TestARefusedPlanCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m, in := w.file("mapping.yaml", mappingText), w.file("orders.csv", w.orders("soho", 2))
	var p, again plan
	w.ok(&p, "preview", in, "-m", m, "--dataset", dataset)
	w.fault(map[string]any{"kind": "error", "next": 10, "code": 100, "subcode": 2804050})
	if o := w.run("confirm", p.ID); o.code != 5 {
		t.Fatalf("exit %d\n%s", o.code, o.stdout+o.stderr)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, w.url+"/_emulator/faults", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	w.ok(&again, "preview", in, "-m", m, "--dataset", dataset)
	if again.ID == p.ID || again.Counts.Planned != 2 {
		t.Fatalf("the refused plan came back: %s %+v", again.ID, again.Counts)
	}
	var r receipt
	w.ok(&r, "confirm", again.ID)
	if r.Counts["delivered"] != 2 {
		t.Errorf("receipt %+v", r)
	}
}

func TestALostAnswerOfYesterdayDoesNotKeepTodayBack(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m := w.file("mapping.yaml", strings.Replace(mappingText, "action_source: physical_store", "action_source: phone_call", 1))
	w.fault(map[string]any{"kind": "drop_after", "next": 6})
	if o := w.run("send", w.file("a.csv", w.orders("a", 20)), "-m", m, "--dataset", dataset, "--yes"); o.code != 5 {
		t.Fatalf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	w.advance(25 * time.Hour) // beyond half of Meta's 48 hours
	sent := w.requests()
	o := w.run("send", w.file("b.csv", w.orders("b", 20)), "-m", m, "--dataset", dataset, "--yes")
	if o.code != 0 || w.requests() != sent+1 {
		t.Errorf("exit %d after %d requests\n%s%s", o.code, w.requests()-sent, o.stdout, o.stderr)
	}
	w.fails("usage", 2, "send", w.file("c.csv", w.orders("c", 1)), "-m", m, "--dataset", dataset, "--yes", "--concurrency", "-1")
}

func TestADryRunReportsWhatTheSandboxRefuses(t *testing.T) {
	t.Parallel()
	w := begin(t)
	m, in := w.file("mapping.yaml", mappingText), w.file("orders.csv", w.orders("soho", 5))
	var p plan
	// This dataset takes no store events, which only the other side knows.
	w.ok(&p, "preview", in, "-m", m, "--dataset", "1000000000000002")
	o := w.run("dry-run", p.ID, "--json")
	var r struct {
		OK    bool           `json:"ok"`
		Rules map[string]int `json:"rules"`
	}
	decode(t, o.stdout, &r)
	if o.code != 2 || r.OK || r.Rules["sandbox_refused"] != 1 {
		t.Errorf("exit %d, %+v", o.code, r)
	}
}
