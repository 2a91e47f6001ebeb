package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// preview plans a file of n orders.
func (w *world) preview(name, text string) (p plan) {
	w.t.Helper()
	w.ok(&p, "preview", w.file(name, text), "-m", w.file("mapping.yaml", mappingText), "--dataset", dataset)
	return p
}

func TestVector15_consent_withdrawn_between_preview_and_confirm(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.preview("orders.csv", w.orders("north", 50))
		w.ok(nil, "dry-run", p.ID)
		// As another system knows the person: by the digest of the address.
		sum := sha256.Sum256([]byte("buyer7@example.com"))
		w.ok(nil, "suppress", "add", "--email", strings.ToUpper(hex.EncodeToString(sum[:])), "--reason", "withdrawn", "--request", "CMP-7")
		var r receipt
		w.ok(&r, "confirm", p.ID)
		if r.Counts["delivered"] != 49 || r.Counts["skipped"] != 1 {
			t.Fatalf("counts %v, want 49 delivered and 1 skipped", r.Counts)
		}
		w.agree(p.ID, 49)
		if events := w.run("events", p.ID, "--json").stdout; strings.Count(events, `"code":"suppressed"`) != 1 {
			t.Error("the event that was left out does not say why")
		}
		again := w.preview("orders.csv", w.orders("north", 51))
		if again.Summary.Skips["suppressed"] != 1 || again.Counts.Planned != 1 || again.Counts.add() != again.Counts.Rows {
			t.Errorf("a later preview counts %+v, skips %v", again.Counts, again.Summary.Skips)
		}
	})
}

func TestSuppressionEndsWhatWaits(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.preview("orders.csv", w.orders("north", 2500))
		w.ok(nil, "dry-run", p.ID)
		w.refuseFrom(2)
		w.fails("connector_expired", 3, "confirm", p.ID, "--concurrency", "1")
		w.intercept(nil, nil)
		// Of the last hour, so in a later batch than the one that was sent.
		w.ok(nil, "suppress", "add", "--email", "buyer100@example.com")
		var r receipt
		w.ok(&r, "confirm", p.ID)
		if r.Counts["delivered"] != 2499 || r.Counts["skipped"] != 1 {
			t.Errorf("counts %v, want 2499 delivered and 1 skipped", r.Counts)
		}
		w.agree(p.ID, 2499)
	})
}

func TestSuppressionList(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		var added struct{ Entries, Added, Invalid int }
		o := w.run("suppress", "import", w.file("list.csv", "\ufeffEmail,Phone,Country\nbuyer1@example.com,,\nBuyer1@Example.com,07700 900002,GB\nnonsense,,\n"), "--reason", "objected", "--json")
		decode(w.t, o.stdout, &added)
		if added.Entries != 3 || added.Added != 2 || added.Invalid != 1 {
			t.Errorf("imported %+v, want 3 entries, 2 identifiers, 1 invalid", added)
		}
		var counts []struct {
			Field, Reason string
			Count         int
		}
		w.ok(&counts, "suppress", "list", "--count")
		if len(counts) != 2 || counts[0].Field != "em" || counts[0].Count != 1 || counts[0].Reason != "objected" || counts[1].Field != "ph" {
			t.Errorf("counts %+v", counts)
		}
		if p := w.preview("orders.csv", w.orders("north", 5)); p.Counts.Planned != 3 || p.Summary.Skips["suppressed"] != 2 {
			t.Errorf("planned %d, skips %v", p.Counts.Planned, p.Summary.Skips)
		}
		w.ok(nil, "suppress", "remove", "--phone", "+44 7700 900002")
		if p := w.preview("orders.csv", w.orders("north", 5)); p.Counts.Planned != 4 {
			t.Errorf("after a removal %d are planned, want 4", p.Counts.Planned)
		}
		w.fails("usage", 2, "suppress", "add")
		w.fails("usage", 2, "suppress", "add", "--email", "nonsense")
		w.fails("usage", 2, "suppress", "add", "--email", "buyer1@example.com", "--request", "buyer1@example.com")
		w.fails("usage", 2, "suppress", "add", "--email", "buyer1@example.com", "--reason", "whim")
	})
}

// refuseFrom answers every request from the n-th on as Meta does to a dead token.
func (w *world) refuseFrom(n int) {
	w.intercept(func(i int, serve func(), rw http.ResponseWriter) {
		if i < n {
			serve()
			return
		}
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(http.StatusUnauthorized)
		_, _ = rw.Write([]byte(`{"error":{"message":"expired","type":"OAuthException","code":190,"error_subcode":463}}`))
	}, nil)
}

func TestVector31_erase_a_subject(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.preview("orders.csv", w.orders("north", 2500))
		w.ok(nil, "dry-run", p.ID)
		w.refuseFrom(2)
		w.fails("connector_expired", 3, "confirm", p.ID, "--concurrency", "1")
		w.intercept(nil, nil)
		// The oldest thousand are delivered, buyer 99 among them; the phone number is
		// that of orders 100, 1100 and 2100 of the last hour, which wait.
		people := "{\"email\":\"Buyer99@example.com\"}\n{\"phone\":\"07700 900100\",\"country\":\"GB\"}\n"
		var f struct {
			Persons, Events, Cancelled, Unknown, Suppressed int
			Delivered                                       []struct {
				EventID string `json:"event_id"`
				State   string
			}
		}
		o := w.runWith(people, nil, "forget", "-", "--request", "DSR-31", "--json")
		decode(t, o.stdout, &f)
		if o.code != 0 || f.Persons != 2 || f.Events != 4 || f.Cancelled != 3 || f.Unknown != 0 || f.Suppressed != 2 || len(f.Delivered) != 1 || f.Delivered[0].State != "delivered" {
			t.Fatalf("exit %d, %+v\n%s", o.code, f, o.stderr)
		}
		if !strings.Contains(w.run("events", p.ID, "--json").stdout, f.Delivered[0].EventID) {
			t.Error("the delivered id that is named is not one of the plan")
		}
		w.ok(nil, "audit", "verify")
		if tail := w.run("audit", "export").stdout; strings.Contains(tail, "example.com") || !strings.Contains(tail, "DSR-31") {
			t.Error("the audit log holds the address, or not the request")
		}
		var r receipt
		w.ok(&r, "confirm", p.ID)
		if r.Counts["delivered"] != 2497 || r.Counts["cancelled"] != 3 {
			t.Errorf("counts %v, want 2497 delivered and 3 cancelled", r.Counts)
		}
		w.agree(p.ID, 2497)
		// A repeat finds nothing more, and a new export plans nothing of them.
		o = w.runWith(people, nil, "forget", "-", "--request", "DSR-31", "--json")
		decode(t, o.stdout, &f)
		if o.code != 0 || f.Events != 0 || f.Suppressed != 0 {
			t.Errorf("the repeat: exit %d, %+v", o.code, f)
		}
		if p := w.preview("again.csv", w.orders("south", 101)); p.Counts.Planned != 99 || p.Summary.Skips["suppressed"] != 2 {
			t.Errorf("a later preview plans %d, skips %v", p.Counts.Planned, p.Summary.Skips)
		}
		w.fails("usage", 2, "forget", "--email", "buyer1@example.com")
		w.fails("usage", 2, "forget", "--request", "DSR-1")
	})
}

func TestForgetBeforeConfirm(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.preview("orders.csv", w.orders("north", 30))
		w.ok(nil, "dry-run", p.ID)
		w.ok(nil, "forget", "--external-id", "C7", "--request", "DSR-7")
		var r receipt
		w.ok(&r, "confirm", p.ID)
		if r.Counts["delivered"] != 29 || r.Counts["cancelled"] != 1 {
			t.Errorf("counts %v, want 29 delivered and 1 cancelled", r.Counts)
		}
		w.agree(p.ID, 29)
	})
}

func TestForgetAndSuppressStoredOutcomes(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		m, in := w.file("mapping.yaml", mappingText), w.file("orders.csv", w.orders("north", 40))
		var n struct {
			New, Skipped, Withdrawn int
			Skips                   map[string]int
		}
		w.ok(&n, "outcomes", "import", in, "-m", m)
		if n.New != 40 {
			t.Fatalf("imported %+v", n)
		}
		var f struct{ Outcomes, Events int }
		w.ok(&f, "forget", "--email", "buyer3@example.com", "--request", "DSR-3")
		if f.Outcomes != 1 || f.Events != 0 {
			t.Errorf("forgot %+v, want 1 stored outcome", f)
		}
		// What was withdrawn after it was stored, and what is pushed again.
		w.ok(nil, "suppress", "add", "--phone", "+44 7700 900004", "--reason", "withdrawn")
		w.ok(&n, "outcomes", "import", in, "-m", m)
		if n.Skips["suppressed"] != 2 || n.Withdrawn != 1 {
			t.Errorf("the second import %+v, want 2 suppressed, 1 of them withdrawn", n)
		}
		var p plan
		w.ok(&p, "preview", "--outcome", "payment_received", "--window", "last-7-days", "--dataset", dataset)
		if p.Counts.Planned != 38 || p.Counts.add() != p.Counts.Rows {
			t.Errorf("counts %+v, want 38 planned", p.Counts)
		}
		w.ok(nil, "dry-run", p.ID)
		w.ok(nil, "forget", "--external-id", "C5", "--request", "DSR-5")
		var r receipt
		w.ok(&r, "confirm", p.ID)
		if r.Counts["delivered"] != 37 || r.Counts["cancelled"] != 1 {
			t.Errorf("receipt %+v, want 37 delivered and 1 cancelled", r.Counts)
		}
	})
}

// trace is a person in every form that could betray them.
func trace(values ...string) map[string][]byte {
	forms := map[string][]byte{}
	for _, v := range values {
		for _, text := range []string{v, strings.ToLower(v), strings.ToUpper(v)} {
			sum := sha256.Sum256([]byte(text))
			for form, b := range map[string]string{
				"plain": text, "hex": hex.EncodeToString([]byte(text)), "base64": base64.StdEncoding.EncodeToString([]byte(text)),
				"digest": string(sum[:]), "hex digest": hex.EncodeToString(sum[:]), "upper hex digest": strings.ToUpper(hex.EncodeToString(sum[:])),
				"base64 digest": base64.StdEncoding.EncodeToString(sum[:]), "url digest": base64.RawURLEncoding.EncodeToString(sum[:]),
			} {
				forms[form+" of "+text] = []byte(b)
			}
		}
	}
	return forms
}

// find lists the forms that occur in some bytes.
func find(where string, b []byte, forms map[string][]byte) (found []string) {
	for form, pattern := range forms {
		if bytes.Contains(b, pattern) {
			found = append(found, where+" holds the "+form)
		}
	}
	return found
}

// remains reads everything the product has kept: every file of its directory, and
// every table where the ledger is a database.
func (w *world) remains() map[string][]byte {
	w.t.Helper()
	all := map[string][]byte{}
	root := filepath.Join(w.dir, "state")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		all[strings.TrimPrefix(path, root)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, kv := range w.env {
		dsn, ok := strings.CutPrefix(kv, "SLUICE_DATABASE_URL=")
		if !ok {
			continue
		}
		conn, err := pgx.Connect(w.t.Context(), dsn)
		if err != nil {
			w.t.Fatal(err)
		}
		defer func() { _ = conn.Close(context.WithoutCancel(w.t.Context())) }()
		rows, err := conn.Query(w.t.Context(), `SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`)
		if err != nil {
			w.t.Fatal(err)
		}
		tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			w.t.Fatal(err)
		}
		for _, table := range tables {
			var b bytes.Buffer
			if _, err := conn.PgConn().CopyTo(w.t.Context(), &b, "COPY (SELECT * FROM "+table+") TO STDOUT"); err != nil {
				w.t.Fatal(err)
			}
			all["table "+table] = b.Bytes()
		}
	}
	return all
}

// metrics reads what a server says about itself.
func (w *world) metrics() []byte {
	w.t.Helper()
	s := w.serving("--no-work")
	defer s.stop()
	res, err := http.Get(s.url + "/metrics")
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !bytes.Contains(text, []byte("wb_")) {
		w.t.Fatalf("metrics: %d %v %.200s", res.StatusCode, err, text)
	}
	return text
}

const personalMapping = `version: 1
namespace: e2e/orders
id: order
outcome: {column: kind}
time: {column: sold_at}
value: total
currency: {column: currency}
action_source: physical_store
consent: {column: ads, granted: [yes], denied: [no], region: country}
default_country: GB
user: {em: email, ph: phone, external_id: customer, fn: first, ln: last, ct: city, country: country}
`

func TestVector32_nothing_personal_after_retention(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		forms := trace("rosalind.quux@example.com", "447700900951", "07700 900951", "+44 7700 900951", "CUST-77301", "Rosalind", "Quuxington", "Zedborough")
		if got := find("a file", []byte("…"+base64.StdEncoding.EncodeToString([]byte("rosalind.quux@example.com"))), forms); len(got) == 0 {
			t.Fatal("the search finds nothing where there is something")
		}
		var logs strings.Builder
		do := func(wantExit int, args ...string) outcome {
			t.Helper()
			o := w.run(append(args, "--log-level", "debug")...)
			if o.code != wantExit {
				t.Fatalf("sluice %v: exit %d\n%s%s", args, o.code, o.stdout, o.stderr)
			}
			logs.WriteString(o.stderr)
			return o
		}
		at := func(h int) string { return w.now.Add(-time.Duration(h) * time.Hour).Format(time.RFC3339) }
		header := "order,kind,sold_at,total,currency,ads,email,phone,customer,first,last,city,country\n"
		row := func(order, kind, sold, total, ads string) string {
			return fmt.Sprintf("%s,%s,%s,%s,GBP,%s,Rosalind.Quux@example.com,07700 900951,CUST-77301,Rosalind,Quuxington,Zedborough,GB\n", order, kind, sold, total, ads)
		}
		var text strings.Builder
		text.WriteString(header)
		for i := range 20 {
			text.WriteString(row(fmt.Sprint(i), "payment_received", at(30+i), "9.50", "yes"))
		}
		text.WriteString(row("90", "payment_received", "yesterday", "9.50", "yes") + row("91", "payment_received", at(9), "nine", "yes") + row("92", "payment_received", at(9), "9.50", "no"))
		m, in := w.file("personal.yaml", personalMapping), w.file("orders.csv", text.String())
		var p plan
		decode(t, do(0, "preview", in, "-m", m, "--dataset", dataset, "--samples", "5", "--json").stdout, &p)
		do(0, "dry-run", p.ID)
		do(0, "confirm", p.ID)
		// One that is never confirmed, and one that is interrupted.
		do(0, "preview", w.file("more.csv", header+row("50", "payment_received", at(5), "7.50", "yes")), "-m", m, "--dataset", dataset)
		var q plan
		decode(t, do(0, "preview", w.file("stopped.csv", header+row("60", "payment_received", at(5), "7.50", "yes")), "-m", m, "--dataset", dataset, "--json").stdout, &q)
		do(0, "dry-run", q.ID)
		w.refuseFrom(0)
		do(3, "confirm", q.ID)
		w.intercept(nil, nil)
		do(0, "outcomes", "import", w.file("stored.csv", header+row("70", "payment_received", at(5), "7.50", "yes")+row("71", "order_placed", at(5), "7.50", "yes")), "-m", m)
		do(0, "suppress", "add", "--email", "somebody.else@example.com")

		w.advance(75 * 24 * time.Hour)
		var kept struct{ Payloads, Due int }
		w.ok(&kept, "retention", "show")
		if kept.Payloads != 3 || kept.Due != 3 {
			t.Errorf("before: %+v, want 3 payloads, all due", kept)
		}
		do(0, "retention", "run")
		w.ok(&kept, "retention", "show")
		if kept.Payloads != 0 {
			t.Errorf("after: %+v", kept)
		}
		w.fails("plan_shredded", 2, "dry-run", q.ID)
		w.fails("plan_shredded", 2, "dry-run", p.ID)

		all := w.remains()
		all["the logs"] = []byte(logs.String())
		all["the audit log"] = []byte(do(0, "audit", "export").stdout)
		for _, list := range [][]string{{"runs", "--json"}, {"rejects", "--json"}, {"events", p.ID, "--json"}, {"events", q.ID, "--json"}, {"outcomes", "list", "--json"}} {
			all["sluice "+list[0]] = []byte(do(0, list...).stdout)
		}
		all["the metrics"] = w.metrics()
		for where, b := range all {
			for _, found := range find(where, b, forms) {
				t.Error(found)
			}
			if strings.Contains(where, ".frozen") {
				t.Errorf("the payload %s is still there", where)
			}
		}
		if len(all) < 8 {
			t.Errorf("only %d places were searched", len(all))
		}
		do(0, "audit", "verify")
		// The receipt of a finished run outlives its payload.
		var r receipt
		w.ok(&r, "confirm", p.ID)
		if !r.Replayed || r.Counts["delivered"] != 20 {
			t.Errorf("replay %+v", r)
		}
		// The run that was interrupted ended with its payload.
		r = receipt{}
		w.ok(&r, "confirm", q.ID)
		if !r.Replayed || r.Counts["cancelled"] != 1 {
			t.Errorf("replay %+v", r)
		}
	})
}

func TestRetentionKeepsWhatIsNeeded(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.preview("orders.csv", w.orders("north", 20))
		w.ok(nil, "dry-run", p.ID)
		w.ok(nil, "confirm", p.ID)
		var r struct{ Payloads, Rejects, Plans, Events int }
		for _, step := range []struct {
			after   time.Duration
			shreds  int
			deletes int
		}{
			{6 * 24 * time.Hour, 0, 0}, // inside Meta's deduplication window of store events
			{26 * time.Hour, 1, 0},
			{380 * 24 * time.Hour, 0, 0},
			{20 * 24 * time.Hour, 0, 20}, // older than 400 days
		} {
			w.advance(step.after)
			r.Payloads, r.Events = 0, 0
			w.ok(&r, "retention", "run")
			if r.Payloads != step.shreds || r.Events != step.deletes {
				t.Errorf("after %v more: %+v, want %d payloads and %d events", step.after, r, step.shreds, step.deletes)
			}
		}
		w.fails("plan_not_found", 2, "confirm", p.ID)
		w.ok(nil, "audit", "verify")
	})
}

// A run that ended early is given up with its payload. What of it was never sent can
// be planned again: a store event may be sent for 62 days.
func TestRetentionGivesBackWhatWasNotSent(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.preview("orders.csv", w.orders("north", 1500))
		w.ok(nil, "dry-run", p.ID)
		w.refuseFrom(2)
		w.fails("connector_expired", 3, "confirm", p.ID, "--concurrency", "1")
		w.intercept(nil, nil)
		w.advance(15 * 24 * time.Hour)
		var r struct{ Payloads int }
		w.ok(&r, "retention", "run")
		if r.Payloads != 1 {
			t.Fatalf("retention %+v", r)
		}
		again := w.previewFile(filepath.Join(w.dir, "orders.csv"), filepath.Join(w.dir, "mapping.yaml"))
		if again.Counts.Planned != 500 || again.Summary.Skips["duplicate"] != 1000 {
			t.Fatalf("preview %+v", again)
		}
		if r := w.sendPlan(again.ID); r.Counts["delivered"] != 500 {
			t.Errorf("receipt %+v", r)
		}
		if s := w.stored(); s.Kept != 1500 || s.Duplicates != 0 {
			t.Errorf("sandbox %+v", s)
		}
		w.ok(nil, "audit", "verify")
	})
}
