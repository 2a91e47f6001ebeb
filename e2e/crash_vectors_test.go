package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// planned previews and rehearses n orders.
func (w *world) planned(mapping string, n int) plan {
	w.t.Helper()
	return w.plannedFile(mapping, w.orders("soho", n))
}

func (w *world) plannedFile(mapping, orders string) plan {
	w.t.Helper()
	var p plan
	w.ok(&p, "preview", w.file("orders.csv", orders), "-m", w.file("mapping.yaml", mapping), "--dataset", dataset)
	w.ok(nil, "dry-run", p.ID)
	return p
}

// tries confirms and returns exit code and document; the receipt is the document's
// own, or the counts that an error carries.
func (w *world) tries(args ...string) (int, string, map[string]int) {
	w.t.Helper()
	o := w.run(append(append([]string{"confirm"}, args...), "--json")...)
	var doc struct {
		Counts map[string]int `json:"counts"`
		Error  struct {
			Code    string `json:"code"`
			Details struct {
				Counts map[string]int `json:"counts"`
			} `json:"details"`
		} `json:"error"`
	}
	decode(w.t, o.stdout, &doc)
	if doc.Counts == nil {
		doc.Counts = doc.Error.Details.Counts
	}
	return o.code, doc.Error.Code, doc.Counts
}

// byPhone makes the events ones of 48 hours' deduplication.
var byPhone = strings.Replace(mappingText, "action_source: physical_store", "action_source: phone_call", 1)

// holding sets the profile's policy for what may have arrived.
func (w *world) holding() {
	w.t.Helper()
	w.ok(nil, "profile", "set", "default", "--policy", w.file("policy.json", `{"unknown_policy":"hold"}`))
}

// graphError answers a request as the Graph API refuses one.
func graphError(rw http.ResponseWriter, status, code, subcode int, header ...string) {
	rw.Header().Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		rw.Header().Set(header[i], header[i+1])
	}
	rw.WriteHeader(status)
	_, _ = fmt.Fprintf(rw, `{"error":{"message":"no","type":"OAuthException","code":%d,"error_subcode":%d}}`, code, subcode)
}

func TestVector10_lost_answer_same_bytes_inside_the_guard_window(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		var mu sync.Mutex
		var bodies [][]byte
		tap := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/events") {
				mu.Lock()
				bodies = append(bodies, body)
				mu.Unlock()
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			w.serve(rw, r)
		}))
		t.Cleanup(tap.Close)
		w.url = tap.URL
		p := w.planned(byPhone, 40)
		w.fault(map[string]any{"kind": "drop_after", "next": 1})
		if code, _, counts := w.tries(p.ID); code != 0 || counts["delivered"] != 40 {
			t.Fatalf("exit %d, %v", code, counts)
		}
		if len(bodies) != 2 || !bytes.Equal(bodies[0], bodies[1]) {
			t.Errorf("%d requests, the same bytes: %v", len(bodies), bytes.Equal(bodies[0], bodies[len(bodies)-1]))
		}
	})
}

func TestVector10_beyond_the_guard_window_a_person_decides(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.planned(byPhone, 40)
		w.fault(map[string]any{"kind": "drop_after", "next": 6})
		code, why, counts := w.tries(p.ID)
		if code != 5 || why != "outcome_unknown" || counts["unknown"] != 40 {
			t.Fatalf("exit %d %s, %v", code, why, counts)
		}
		w.advance(24*time.Hour + time.Minute)
		sent := w.requests()
		for range 2 {
			code, why, counts = w.tries(p.ID)
			if code != 5 || why != "outcome_unknown" || counts["unknown"] != 40 || w.requests() != sent {
				t.Errorf("exit %d %s, %v, %d requests more", code, why, counts, w.requests()-sent)
			}
		}
	})
}

func TestVector10_a_profile_that_holds_never_resends(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		w.holding()
		p := w.planned(mappingText, 40)
		w.fault(map[string]any{"kind": "drop_after", "next": 1})
		for range 2 {
			code, why, counts := w.tries(p.ID)
			if code != 5 || why != "outcome_unknown" || counts["unknown"] != 40 || w.requests() != 1 {
				t.Errorf("exit %d %s, %v after %d requests", code, why, counts, w.requests())
			}
		}
	})
}

func TestVector11_another_number_acknowledged(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		w.holding()
		p := w.planned(mappingText, 40)
		w.fault(map[string]any{"kind": "short_received", "next": 1})
		o := w.run("confirm", p.ID)
		if o.code != 5 || !strings.Contains(o.stderr, "acknowledged another number") {
			t.Errorf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
		}
		_, _, counts := w.tries(p.ID)
		if counts["unknown"] != 40 {
			t.Errorf("counts %v", counts)
		}
		if audit := w.run("audit", "tail").stdout; !strings.Contains(audit, "delivery.short_count") {
			t.Errorf("the audit log does not tell:\n%s", audit)
		}
	})
}

func TestVector12_three_of_a_thousand_are_refused(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.planned(mappingText, 1000)
		var ids []string
		for line := range strings.Lines(w.run("events", p.ID, "--json").stdout) {
			var e struct {
				EventID string `json:"event_id"`
			}
			decode(t, line, &e)
			ids = append(ids, e.EventID)
		}
		w.fault(map[string]any{"kind": "refuse_event", "event_ids": []string{ids[5], ids[500], ids[999]}, "code": 100, "subcode": 2804019})
		code, _, counts := w.tries(p.ID)
		if code != 5 || counts["delivered"] != 997 || counts["rejected"] != 3 {
			t.Fatalf("exit %d, %v", code, counts)
		}
		if most := 2 * 3 * 11; w.requests() > most {
			t.Errorf("%d requests, want at most %d", w.requests(), most)
		}
		w.agree(p.ID, 997)
	})
}

func TestVector13_windows_by_source_in_requests_of_their_own(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		m := strings.Replace(mappingText, "action_source: physical_store", "action_source: {column: channel}\nevent_source_url: https://shop.example.com/", 1)
		m = strings.Replace(m, "external_id: customer}", "external_id: customer, client_user_agent: {const: Mozilla/5.0}}", 1)
		row := func(order, channel string, age time.Duration) string {
			return fmt.Sprintf("s,%s,%s,10.00,GBP,b%s@example.com,,C%s,%s\n", order, w.now.Add(-age).Format(time.RFC3339), order, order, channel)
		}
		p := w.plannedFile(m, "shop,order,sold_at,total,currency,email,phone,customer,channel\n"+
			row("1", "website", 8*24*time.Hour)+row("2", "physical_store", 61*24*time.Hour)+row("3", "website", time.Hour))
		if p.Counts.Expired != 1 || p.Counts.Planned != 2 {
			t.Fatalf("counts %+v", p.Counts)
		}
		code, _, counts := w.tries(p.ID)
		if code != 0 || counts["delivered"] != 2 || w.requests() != 2 {
			t.Errorf("exit %d, %v in %d requests", code, counts, w.requests())
		}
	})
}

func TestVector14_ten_minutes_before_the_window_closes(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		old := fmt.Sprintf("soho,old,%s,10.00,GBP,old@example.com,,Cold\n", w.now.Add(-7*24*time.Hour+45*time.Minute).Format(time.RFC3339))
		p := w.plannedFile(byPhone, w.orders("soho", 30)+old)
		if p.Counts.Planned != 31 {
			t.Fatalf("counts %+v", p.Counts)
		}
		w.advance(35 * time.Minute)
		code, _, counts := w.tries(p.ID)
		if code != 0 || counts["expired"] != 1 || counts["delivered"] != 30 {
			t.Errorf("exit %d, %v", code, counts)
		}
		if s := w.stored(); s.Received != 30 {
			t.Errorf("sandbox %+v", s)
		}
	})
}

func TestVector20_throttled_with_retry_after(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.planned(mappingText, 40)
		var at []time.Time
		w.intercept(func(n int, serve func(), rw http.ResponseWriter) {
			at = append(at, w.clock())
			if n == 1 {
				graphError(rw, http.StatusTooManyRequests, 4, 0, "Retry-After", "7")
				return
			}
			serve()
		}, nil)
		code, _, counts := w.tries(p.ID)
		if code != 0 || counts["delivered"] != 40 || len(at) != 2 || at[1].Sub(at[0]) < 7*time.Second {
			t.Errorf("exit %d, %v, requests at %v", code, counts, at)
		}
	})
}

func TestVector21_token_dies_in_the_middle(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.planned(mappingText, 3500)
		w.intercept(func(n int, serve func(), rw http.ResponseWriter) {
			if n >= 2 {
				graphError(rw, http.StatusUnauthorized, 190, 463)
				return
			}
			serve()
		}, nil)
		code, why, counts := w.tries(p.ID, "--concurrency", "1")
		if code != 3 || why != "connector_expired" || counts["delivered"] != 1000 || counts["queued"] != 2500 {
			t.Errorf("exit %d %s, %v", code, why, counts)
		}
		if w.requests() != 2 {
			t.Errorf("%d requests: a dead token must not be hammered", w.requests())
		}
		w.intercept(nil, nil)
		if code, _, counts = w.tries(p.ID); code != 0 || counts["delivered"] != 3500 {
			t.Errorf("exit %d, %v", code, counts)
		}
		w.agree(p.ID, 3500)
	})
}

func TestVector22_html_with_status_200(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		w.holding()
		p := w.planned(mappingText, 40)
		w.intercept(func(_ int, _ func(), rw http.ResponseWriter) {
			rw.Header().Set("Content-Type", "text/html")
			_, _ = rw.Write([]byte("<html>please log in to the hotel's network</html>"))
		}, nil)
		code, why, counts := w.tries(p.ID)
		if code != 5 || why != "outcome_unknown" || counts["unknown"] != 40 || w.requests() != 1 {
			t.Errorf("exit %d %s, %v after %d requests", code, why, counts, w.requests())
		}
	})
}

func TestVector37_clock_put_back_by_an_hour(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		w.advance(2 * time.Hour) // the orders are old enough for either hour
		p := w.planned(mappingText, 3500)
		w.intercept(func(n int, serve func(), rw http.ResponseWriter) {
			switch n {
			case 2:
				graphError(rw, http.StatusTooManyRequests, 4, 0, "Retry-After", "60")
				w.advance(-time.Hour)
			case 4:
				graphError(rw, http.StatusUnauthorized, 190, 463)
			default:
				serve()
			}
		}, nil)
		before := w.clock()
		if code, why, counts := w.tries(p.ID, "--concurrency", "1"); why != "connector_expired" || counts["delivered"] != 2000 {
			t.Fatalf("exit %d %s, %v", code, why, counts)
		}
		w.intercept(nil, nil)
		if code, _, counts := w.tries(p.ID); code != 0 || counts["delivered"] != 3500 {
			t.Fatalf("exit %d, %v", code, counts)
		}
		if took := w.clock().Add(time.Hour).Sub(before); took > 5*time.Minute {
			t.Errorf("it waited %v", took)
		}
		var v struct{ OK bool }
		w.ok(&v, "audit", "verify")
		if !v.OK {
			t.Error("the audit chain broke")
		}
		w.agree(p.ID, 3500)
	})
}

// rejects reads a plan's rejects as documents.
func (w *world) rejectCodes(planID string) map[string]int {
	w.t.Helper()
	codes := map[string]int{}
	for line := range strings.Lines(w.run("rejects", planID, "--json").stdout) {
		var r struct{ Code string }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			w.t.Fatal(err)
		}
		codes[r.Code]++
	}
	return codes
}

func TestWhatNeverArrivedIsGivenUpAfterADay(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.planned(mappingText, 40)
		w.intercept(func(_ int, _ func(), rw http.ResponseWriter) { graphError(rw, http.StatusBadRequest, 2, 0) }, nil)
		if code, why, counts := w.tries(p.ID); why != "destination_unreachable" || counts["retry_wait"] != 40 {
			t.Fatalf("exit %d %s, %v", code, why, counts)
		}
		w.intercept(nil, nil)
		w.advance(24 * time.Hour)
		code, _, counts := w.tries(p.ID)
		if code != 5 || counts["rejected"] != 40 || w.rejectCodes(p.ID)["gave_up"] != 40 {
			t.Errorf("exit %d, %v, %v", code, counts, w.rejectCodes(p.ID))
		}
	})
}
