package approvals

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"sluice/internal/testkit"
	"sluice/internal/testkit/mcptest"
)

// The same where a database keeps what waits: parked, decided in another process, used
// once by one of many, after a kill.
func TestDatabaseKeepsWhatWaits(t *testing.T) {
	t.Parallel()
	d := &desk{t: t, crm: mcptest.NewServer(t, "offer", "scarce")}
	d.config = "mcp:\n  servers:\n    crm: {url: " + d.crm.URL + "}\n"
	env := []string{"SLUICE_DATABASE_URL=" + testkit.Postgres(t)}
	d.serve(mcptest.Start{Env: env})
	scarce := strings.Replace(asks("scarce"), `"approve_if"`, `"limits":[{"counter":"offers","window_seconds":2678400,"max":1,"scope":"grant"}],"approve_if"`, 1)
	token := d.grant("sales", rules(asks("offer"), scarce))
	a := d.agent(modern, token, nil)
	call := `{"to":"contact-17","amount":4200}`
	id := a.parks("offer", call)
	if again := a.parks("offer", `{"amount":4.2e3,"to":"contact-17"}`); again != id {
		t.Errorf("the same call waits twice: %s and %s", id, again)
	}
	d.approve(id)
	if code, out := d.Run("approvals", "reject", id, "--reason", "late"); code == 0 || !strings.Contains(out, "approval_decided") {
		t.Errorf("decided twice: exit %d: %s", code, out)
	}
	d.Kill()
	d.serve(mcptest.Start{State: d.State, Env: env})
	agents := make([]*agent, 4)
	for i := range agents {
		agents[i] = d.agent(eras[i%2], d.known(token), nil)
	}
	got := make([]*said, len(agents))
	var all sync.WaitGroup
	for i, a := range agents {
		all.Go(func() { got[i] = a.try(t.Context(), "offer", call) })
	}
	all.Wait()
	went := 0
	for _, s := range got {
		if s.went() {
			went++
		} else if s.meta.Code != "approval_pending" || s.meta.Approval == id {
			t.Errorf("who came late heard %s", s)
		}
	}
	if went != 1 {
		t.Errorf("%d calls went through", went)
	}
	d.reached(1, "four at once, after one yes and a kill")
	d.state(id, "consumed")

	// A limit that is full leaves the yes as it was.
	a = agents[0]
	for n, call := range []string{`{"n":1}`, `{"n":2}`} {
		id = a.parks("scarce", call)
		d.approve(id)
		if n == 0 {
			a.passes("scarce", call)
		} else {
			a.denied("scarce", call, "limit_exceeded")
			d.state(id, "approved")
		}
	}
	d.reached(1, "one of two has room")
	d.do(http.StatusOK, d.decide(a.parks("offer", `{}`), d.owner, "deny"))
	if code, out := d.Run("grant", "revoke", "crm/sales", "--reason", "test"); code != 0 {
		t.Fatalf("revoke: exit %d: %s", code, out)
	}
	d.state(id, "cancelled")
	d.verified()
}

// do fails unless an answer has a status.
func (d *desk) do(status int, a answer) {
	d.t.Helper()
	if a.status != status {
		d.t.Errorf("%d %s, want %d", a.status, a.body, status)
	}
}
