package e2e

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"
)

// lost lets a request arrive and takes its answer away.
func lost(_ int, serve func(), _ http.ResponseWriter) {
	serve()
	panic(http.ErrAbortHandler)
}

// agentOf makes a member with a token that an agent holds.
func (w *world) agentOf(user, role string) string {
	w.t.Helper()
	w.ok(nil, "member", "add", user, "--role", role)
	var made struct{ Token string }
	w.ok(&made, "token", "add", "--user", user, "--agent", "--scopes", "mcp:read,mcp:write")
	return made.Token
}

// web makes a plan of website events.
func (w *world) web(n int) plan {
	w.t.Helper()
	var p plan
	w.ok(&p, "preview", w.file("web.csv", w.orders("web", n)), "-m", w.file("web.yaml", webMapping), "--dataset", dataset)
	return p
}

// A run with an adoption's key would be booked as delivered by whoever goes on with it.
func TestAnAdoptionsKeyIsNobodyElses(t *testing.T) {
	t.Parallel()
	w := begin(t)
	p := w.previewed("north", 5)
	w.fails("idempotency_key_invalid", 2, "confirm", p.ID, "--key", "adopt:mine")
	w.ok(nil, "confirm", p.ID, "--key", "readopt:mine")
}

func TestAnAgentDoesNotAdminister(t *testing.T) {
	t.Parallel()
	w := begin(t)
	agent := w.agentOf("ada", "owner")
	s := w.serving("--no-work")
	for call, body := range map[string]string{
		"PATCH /workspace":         `{"writeback_enabled":true}`,
		"POST /tokens":             `{"user":"ada","scopes":["mcp:read","mcp:write"]}`,
		"PUT /members/eve":         `{"role":"admin","approver":true}`,
		"PUT /profiles/default":    `{"policy":{}}`,
		"POST /circuits/reset":     `{"reason":"x"}`,
		"POST /suppressions/lift":  `{"people":[{"email":"buyer1@example.com"}]}`,
		"DELETE /members/somebody": ``,
	} {
		method, path, _ := strings.Cut(call, " ")
		var in any
		if body != "" {
			in = body
		}
		if r := s.call(agent, method, "/api/v1"+path, in); r.status != 403 || r.Error.Code != "role_required" {
			t.Errorf("%s: HTTP %d %s", call, r.status, r.body)
		}
	}
	var me struct{ Agent bool }
	if s.call(agent, "GET", "/api/v1/me", nil).into(t, &me); !me.Agent {
		t.Error("the token is no agent's")
	}
}

func TestALiveTestKeepsToTheGates(t *testing.T) {
	t.Parallel()
	live := func(p plan, events string) []string {
		return []string{"dry-run", p.ID, "--level", "live_test", "--test-event-code", "TEST1", "--acknowledge-live-test", "--events", events}
	}
	t.Run("suppressed people are left out", func(t *testing.T) {
		t.Parallel()
		eachStore(t, func(t *testing.T, w *world) {
			p := w.web(4)
			w.ok(nil, "suppress", "add", "--email", "buyer1@example.com", "--email", "buyer2@example.com")
			w.ok(nil, live(p, "4")...)
			if s := w.stored(); s.Received == 0 || s.Received == 4 {
				t.Errorf("sandbox %+v", s)
			}
		})
	})
	t.Run("a plan has 25 of them", func(t *testing.T) {
		t.Parallel()
		eachStore(t, func(t *testing.T, w *world) {
			p := w.web(40)
			w.ok(nil, live(p, "20")...)
			w.fails("live_test_unsupported", 2, live(p, "6")...)
			w.ok(nil, live(p, "5")...)
			if s := w.stored(); s.Received != 25 {
				t.Errorf("sandbox %+v", s)
			}
		})
	})
	for name, policy := range map[string]string{"four eyes": `{"four_eyes":true}`, "cap of a run": `{"max_events_per_run":3}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := begin(t)
			w.ok(nil, "profile", "set", "default", "--policy", w.file("policy.json", policy))
			if o := w.run(append(live(w.web(8), "8"), "--json")...); o.code == 0 || w.requests() != 0 {
				t.Errorf("exit %d, %d requests: %s", o.code, w.requests(), o.stdout)
			}
		})
	}
	t.Run("an open circuit", func(t *testing.T) {
		t.Parallel()
		w := begin(t)
		w.failing(3, time.Minute)
		sent := w.requests()
		if w.fails("circuit_open", 4, live(w.web(8), "2")...); w.requests() != sent {
			t.Errorf("%d requests", w.requests()-sent)
		}
	})
	t.Run("an agent under a day's cap", func(t *testing.T) {
		t.Parallel()
		w := begin(t)
		w.ok(nil, "profile", "set", "default", "--policy", w.file("policy.json", `{"max_events_per_day":30}`))
		p := w.web(8)
		w.ok(nil, "connect", dataset)
		agent := w.agentOf("ada", "admin")
		s := w.serving("--no-work")
		body := map[string]any{"level": "live_test", "test_event_code": "TEST1", "acknowledge_live_test": true, "events": 2}
		s.refused(s.call(agent, "POST", "/api/v1/plans/"+p.ID+"/dry-runs", body), 422, "live_test_unsupported")
	})
}

// A few events are no dry run of a plan.
func TestALiveTestOfAFewIsNoDryRun(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.ok(nil, "profile", "set", "default", "--policy", w.file("policy.json", `{"require_dry_run":"sandbox"}`))
	p := w.web(8)
	w.ok(nil, "dry-run", p.ID, "--level", "live_test", "--test-event-code", "TEST1", "--acknowledge-live-test", "--events", "2")
	w.fails("dry_run_required", 4, "confirm", p.ID)
}

// Only what a canary sent is in doubt when its answer is lost; the rest was never
// sent, and nothing more goes out without a yes.
func TestACanaryWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.previewed("north", 120)
		w.intercept(lost, nil)
		if code, fault, counts := w.tries(p.ID, "--canary", "10"); code != 5 || fault != "outcome_unknown" || counts["unknown"] != 10 || counts["queued"] != 110 {
			t.Fatalf("exit %d %s %v", code, fault, counts)
		}
		w.intercept(nil, nil)
		w.ok(nil, "work", "--until-idle")
		w.fails("run_paused", 4, "confirm", p.ID)
		if s := w.stored(); s.Received != 10 {
			t.Fatalf("sandbox %+v", s)
		}
		var done struct{ Events int }
		if w.ok(&done, "resolve", p.ID, "--as", "delivered", "--reason", "seen in Events Manager"); done.Events != 10 {
			t.Fatalf("%+v", done)
		}
		var r receipt
		w.ok(&r, "confirm", p.ID, "--continue")
		if s := w.stored(); s.Received != 120 || s.Duplicates != 0 || r.Counts["delivered"] != 120 {
			t.Errorf("sandbox %+v, receipt %+v", s, r)
		}
	})
}

// A live test's events are none of the canary's.
func TestACanaryAfterALiveTest(t *testing.T) {
	t.Parallel()
	w := begin(t)
	p := w.web(30)
	w.ok(nil, "dry-run", p.ID, "--level", "live_test", "--test-event-code", "TEST1", "--acknowledge-live-test", "--events", "8")
	var r receipt
	w.ok(&r, "confirm", p.ID, "--canary", "5")
	if s := w.stored(); s.Received != 13 || r.Counts["queued"] != 17 {
		t.Errorf("sandbox %+v, receipt %+v", s, r)
	}
}

func TestACancelledRunIsNotGoneOnWith(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.previewed("north", 20)
		w.intercept(lost, nil)
		if _, fault, _ := w.tries(p.ID); fault != "outcome_unknown" {
			t.Fatal(fault)
		}
		w.intercept(nil, nil)
		var ended struct{ Cancelled, Unknown int }
		if w.ok(&ended, "runs", "cancel", p.ID, "--reason", "the values are in pence"); ended.Unknown != 20 {
			t.Fatalf("%+v", ended)
		}
		sent := w.requests()
		w.advance(time.Hour)
		w.ok(nil, "work", "--until-idle")
		if w.requests() != sent {
			t.Errorf("%d requests after the run was cancelled", w.requests()-sent)
		}
		w.ok(nil, "resolve", p.ID, "--as", "delivered", "--reason", "seen in Events Manager")
	})
}

// Accepting another ledger's uploads says nothing about the access to the dataset.
func TestAcceptingAStoreConnectsNobody(t *testing.T) {
	t.Parallel()
	w := begin(t)
	p := w.previewed("north", 3)
	w.ok(nil, "dry-run", p.ID)
	w.ok(nil, "connect", "accept-store", dataset, "st_other", "--reason", "sends the northern shops")
	token := w.tokenOf("ada", "admin", "mcp:read,mcp:write")
	s := w.serving("--no-work")
	confirm := func() *reply {
		return s.call(token, "POST", "/api/v1/plans/"+p.ID+"/confirms", map[string]any{"plan_hash": p.Hash}, "Idempotency-Key", "k")
	}
	s.refused(confirm(), 424, "connection_inactive")
	w.ok(nil, "connect", "check", dataset)
	confirm().into(t, nil)
}

// The yes after a canary takes somebody who could have confirmed.
func TestGoingOnNeedsWhoMayConfirm(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		w.ok(nil, "profile", "set", "default", "--policy", w.file("policy.json", `{"agent_max_events":20}`))
		p := w.previewed("north", 40)
		w.ok(nil, "connect", dataset)
		w.ok(nil, "confirm", p.ID, "--canary", "10")
		operator, agent, admin := w.tokenOf("otto", "operator", "mcp:read,mcp:write"), w.agentOf("ada", "admin"), w.tokenOf("bea", "admin", "mcp:read,mcp:write")
		s := w.serving("--no-work")
		yes := func(token, hash string) *reply {
			return s.call(token, "POST", "/api/v1/plans/"+p.ID+"/confirms", map[string]any{"plan_hash": hash, "continue": true}, "Idempotency-Key", "plan:"+p.ID)
		}
		s.refused(yes(operator, p.Hash), 403, "role_required")
		s.refused(yes(agent, p.Hash), 403, "cap_exceeded")
		s.refused(yes(admin, strings.Repeat("0", 64)), 409, "plan_hash_mismatch")
		if n := w.stored().Received; n != 10 {
			t.Fatalf("%d events were sent", n)
		}
		yes(admin, p.Hash).into(t, nil)
		if n := w.stored().Received; n != 40 {
			t.Errorf("%d events were sent", n)
		}
	})
}

// What a person releases travels with what waits beside it.
func TestResendBesideWhatWaits(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		p := w.web(30)
		w.intercept(lost, nil)
		w.fails("outcome_unknown", 5, "dry-run", p.ID, "--level", "live_test", "--test-event-code", "TEST1", "--acknowledge-live-test", "--events", "2")
		w.intercept(nil, nil)
		if code, _, counts := w.tries(p.ID, "--canary", "5"); code != 5 || counts["delivered"] != 5 || counts["unknown"] != 2 {
			t.Fatalf("exit %d, %v", code, counts)
		}
		w.ok(nil, "resolve", p.ID, "--as", "resend", "--reason", "not in the test view")
		var r receipt
		w.ok(&r, "confirm", p.ID, "--continue")
		if r.Counts["delivered"] != 30 || w.stored().Kept != 30 {
			t.Errorf("sandbox %+v, receipt %+v", w.stored(), r)
		}
	})
}

// A run that ended early is not finished, and its caller must not read that it is.
func TestAPIAStoppedRunIsNotFinished(t *testing.T) {
	t.Parallel()
	w := begin(t)
	p := w.previewed("north", 4)
	w.ok(nil, "connect", dataset)
	w.ok(nil, "dry-run", p.ID)
	s := w.serving("--no-work")
	confirm := func() *reply {
		return s.call(s.token, "POST", "/api/v1/plans/"+p.ID+"/confirms", map[string]any{"plan_hash": p.Hash}, "Idempotency-Key", "k")
	}
	w.intercept(refuse, nil)
	s.refused(confirm(), 424, "connector_expired")
	var again struct{ Status, Error string }
	if confirm().into(t, &again); again.Status != "stopped" || again.Error != "connector_expired" {
		t.Errorf("%+v", again)
	}
}

// A test dataset gets invented events; one that real ones go to is none.
func TestATestDatasetIsNotARealOne(t *testing.T) {
	t.Parallel()
	w := begin(t)
	other := w.web(3)
	w.ok(nil, "confirm", other.ID)
	var p plan
	w.ok(&p, "preview", w.file("more.csv", w.orders("more", 3)), "-m", w.file("web.yaml", webMapping), "--dataset", "1000000000000002")
	sent := w.requests()
	if w.fails("usage", 2, "dry-run", p.ID, "--level", "test_dataset", "--test-dataset", dataset); w.requests() != sent {
		t.Errorf("%d requests", w.requests()-sent)
	}
}

// A delivery that failed is tried again when its sender brings it again.
func TestAFailedDeliveryIsTriedWhenItComesAgain(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		secret := "a secret of enough letters"
		w.ok(nil, "hooks", "add", "shop", "--secret-file", w.file("secret", secret), "-m", w.file("wrong.yaml", mappingText))
		s := w.serving()
		from := &sender{s.url + "/hooks/shop", secret, w.clock, http.DefaultClient}
		body := w.payment(1)
		if code, _, text := from.deliver("d1", body); code != 202 {
			t.Fatalf("HTTP %d %s", code, text)
		}
		until(t, 20*time.Second, "the delivery has failed", func() bool {
			return bytes.Contains(s.call(s.token, "GET", "/api/v1/hooks/shop", nil).body, []byte(`"failed":1`))
		})
		w.ok(nil, "hooks", "add", "shop", "--secret-file", w.file("secret", secret))
		if code, _, text := from.deliver("d1", body); code != 202 {
			t.Fatalf("HTTP %d %s", code, text)
		}
		if n := w.drained(s, "shop"); n != 1 {
			t.Errorf("%d outcomes", n)
		}
	})
}
