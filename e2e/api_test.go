package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// What a shop system and an agent do, over the API alone.
func TestAPIFromOutcomeToMeta(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		w.ok(nil, "connect", dataset)
		operator, admin := w.tokenOf("olga", "operator", "mcp:read,mcp:write"), w.tokenOf("adele", "admin", "mcp:read,mcp:write")
		s := w.serving()
		var items []json.RawMessage
		for i := range 5 {
			items = append(items, json.RawMessage(w.payment(i)))
		}
		items = append(items, json.RawMessage(`{"outcome":"payment_received","record_id":"bad"}`))
		var pushed struct {
			Items  []struct{ Status string }
			Counts struct{ New, Rejected, Repeated int }
		}
		s.call(operator, "POST", "/api/v1/outcomes", map[string]any{"items": items}).into(t, &pushed)
		if pushed.Counts.New != 5 || pushed.Counts.Rejected != 1 || pushed.Items[5].Status != "rejected" {
			t.Errorf("push %+v", pushed)
		}
		s.call(operator, "POST", "/api/v1/outcomes", map[string]any{"items": items[:5]}).into(t, &pushed)
		if pushed.Counts.Repeated != 5 {
			t.Errorf("the same push again %+v", pushed)
		}
		var p struct {
			ID      string `json:"plan_id"`
			Hash    string `json:"plan_hash"`
			Summary struct {
				Counts  counts
				Samples []json.RawMessage
			}
		}
		s.call(operator, "POST", "/api/v1/plans", map[string]any{"outcomes": []string{"payment_received"}, "window": "last-7-days", "dataset": dataset}).into(t, &p)
		if p.Summary.Counts.Planned != 5 || len(p.Summary.Samples) == 0 || strings.Contains(string(p.Summary.Samples[0]), "buyer") {
			t.Errorf("plan %+v", p)
		}
		var dry struct{ OK bool }
		if s.call(operator, "POST", "/api/v1/plans/"+p.ID+"/dry-runs", `{"level":"offline"}`).into(t, &dry); !dry.OK {
			t.Error("the dry run failed")
		}
		path := "/api/v1/plans/" + p.ID + "/confirms"
		body := map[string]any{"plan_hash": p.Hash}
		// An operator proposes; nobody but somebody else may approve.
		parked := s.call(operator, "POST", path, body, "Idempotency-Key", "k")
		s.refused(parked, 202, "approval_required")
		var waiting struct {
			Items []struct {
				ID       string `json:"approval_id"`
				Proposer string
			}
		}
		s.call(operator, "GET", "/api/v1/approvals?state=pending", nil).into(t, &waiting)
		if len(waiting.Items) != 1 || waiting.Items[0].Proposer != "olga" {
			t.Fatalf("approvals %+v", waiting)
		}
		approve := "/api/v1/approvals/" + waiting.Items[0].ID + "/approve"
		s.refused(s.call(operator, "POST", approve, `{"reason":"fine"}`), 403, "role_required")
		s.call(admin, "POST", approve, `{"reason":"figures agree with the till"}`).into(t, nil)
		var r receipt
		s.call(operator, "POST", path, body, "Idempotency-Key", "k").into(t, &r)
		if r.Counts["delivered"] != 5 || w.stored().Kept != 5 {
			t.Errorf("receipt %+v, stored %+v", r, w.stored())
		}
		var v struct{ OK bool }
		if s.call(operator, "GET", "/api/v1/audit/verification", nil).into(t, &v); !v.OK {
			t.Error("the audit log does not verify")
		}
		s.refused(s.call(operator, "GET", "/api/v1/audit/records", nil), 403, "role_required")
		var records struct {
			Items []struct{ Op, Via, Object string }
		}
		s.call(admin, "GET", "/api/v1/audit/records?limit=1000", nil).into(t, &records)
		seen := map[string]bool{}
		for _, rec := range records.Items {
			seen[rec.Op+" "+rec.Via] = true
		}
		for _, want := range []string{"outcomes.push api", "preview api", "approval.requested api", "approval.approved api", "confirm.accepted api", "token.add cli"} {
			if !seen[want] {
				t.Errorf("no audit record of %q", want)
			}
		}
		var books struct{ Balanced bool }
		if s.call(operator, "GET", "/api/v1/reconciliation?days=7", nil).into(t, &books); !books.Balanced {
			t.Error("the books do not balance")
		}
	})
}

// Every operation is answered: by what it is for, or by a typed error, never by a
// defect.
func TestAPIEveryOperationAnswers(t *testing.T) {
	t.Parallel()
	w := begin(t)
	s := w.serving()
	var doc struct {
		Paths map[string]map[string]any
	}
	s.call("", "GET", "/api/v1/openapi.json", nil).into(t, &doc)
	if len(doc.Paths) < 30 {
		t.Fatalf("only %d paths", len(doc.Paths))
	}
	for path, methods := range doc.Paths {
		for method := range methods {
			at := strings.NewReplacer("{plan}", "pl_nothing", "{user}", "nobody", "{profile}", "default", "{token}", "tok_nothing",
				"{approval}", "ap_nothing", "{server}", "nothing", "{policy}", "nothing", "{version}", "1", "{grant}", "grt_nothing", "{schedule}", "nothing", "{hook}", "nothing", "{id}", "1").Replace(path)
			if strings.Contains(at, "{") {
				t.Errorf("%s has a parameter that this test does not know", path)
				continue
			}
			method := strings.ToUpper(method)
			var body any
			if method != "GET" && method != "DELETE" {
				body = "{}"
			}
			if r := s.call("", method, at, body); r.status != 401 {
				t.Errorf("%s %s without a token: HTTP %d", method, path, r.status)
			}
			if r := s.call(s.token, method, at, body, "Idempotency-Key", "k"+strings.ReplaceAll(path, "/", "-")); r.status >= 500 {
				t.Errorf("%s %s: HTTP %d %s", method, path, r.status, r.body)
			}
		}
	}
}

// A preview over a source that the server's configuration names; nothing else is
// opened.
func TestAPIPreviewsNamedSources(t *testing.T) {
	t.Parallel()
	w := begin(t)
	at := w.clock().Add(-3 * time.Hour).Format(time.RFC3339)
	rows := w.file("rows.jsonl", fmt.Sprintf(`{"shop":"north","order":"1","sold_at":%q,"total":"9.50","currency":"GBP","email":"buyer1@example.com","phone":"","customer":"C1"}`+"\n", at))
	config := w.file("sluice.yaml", "sources:\n  till: {type: command, command: [cat, "+rows+"]}\n")
	s := w.serving("--config", config)
	ask := func(source string) *reply {
		return s.call(s.token, "POST", "/api/v1/plans", map[string]any{"source": source, "mapping": mappingText, "dataset": dataset})
	}
	var p struct {
		Summary struct{ Counts counts }
	}
	if ask("till").into(t, &p); p.Summary.Counts.Planned != 1 {
		t.Errorf("counts %+v", p.Summary.Counts)
	}
	s.refused(ask(rows), 404, "not_found")
	s.refused(s.call(s.token, "POST", "/api/v1/plans", map[string]any{"source": "till", "mapping": "version: 1", "dataset": dataset}), 422, "mapping_invalid")
}
