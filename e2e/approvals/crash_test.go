package approvals

import (
	"net/http"
	"testing"

	"sluice/internal/testkit/mcptest"
)

// What waits is where it was after any end of the program.
func TestRestartsForgetNothing(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, d *desk){
		"stopped": func(t *testing.T, d *desk) {
			if err := d.Stop(); err != nil {
				t.Errorf("stop: %v\n%s", err, d.Logs())
			}
		},
		"killed": func(_ *testing.T, d *desk) { d.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			token := d.grant("sales", rules(asks("offer")))
			id := d.agent(modern, token, nil).parks("offer", `{}`)
			end(t, d)
			d.state(id, "pending") // seen by a command while no gateway runs
			d.approve(id)
			d.restart()
			a := d.agent(modern, d.known(token), nil)
			other := a.parks("offer", `{"n":2}`)
			d.approve(other)
			d.state(id, "approved")
			end(t, d)
			d.restart()
			a = d.agent(legacy, d.known(token), nil)
			a.passes("offer", `{}`)
			d.reached(1, "after two restarts")
			end(t, d)
			d.restart()
			a = d.agent(modern, d.known(token), nil)
			if third := a.parks("offer", `{}`); third == id {
				t.Error("one yes let two calls through")
			}
			d.reached(0, "used before the last restart")
			a.passes("offer", `{"n":2}`)
			d.reached(1, "the other one")
			d.verified()
		})
	}
}

// A gateway that dies while the approved call is under way: nobody knows whether it was
// done, and it is not done again without another yes.
func TestKilledWithTheApprovedCallUnderWay(t *testing.T) {
	t.Parallel()
	d := open(t)
	token := d.grant("sales", rules(asks("offer")))
	arrived := make(chan struct{}, 1)
	d.crm.Answer(func(_ http.ResponseWriter, r *http.Request, _ mcptest.Message) bool {
		arrived <- struct{}{}
		<-r.Context().Done() // until who asks is dead
		return true
	})
	a := d.agent(modern, token, nil)
	id := a.parks("offer", `{}`)
	d.approve(id)
	answered := make(chan *said, 1)
	go func() { answered <- a.try(t.Context(), "offer", `{}`) }()
	<-arrived
	d.Kill()
	if got := <-answered; got.went() {
		t.Errorf("the gateway was killed, and the agent heard %s", got)
	}
	d.crm.Answer(nil)
	d.reached(1, "killed")
	d.state(id, "consumed")
	d.restart()
	if again := d.agent(modern, d.known(token), nil).parks("offer", `{}`); again == id {
		t.Error("one yes let two calls through")
	}
	d.reached(0, "after the kill")
	until(t, "the call is listed as of unknown outcome", func() bool {
		var list []struct {
			Tool string `json:"tool"`
		}
		d.Run.JSON(t, &list, "limits", "ambiguous")
		return len(list) == 1 && list[0].Tool == "offer"
	})
	d.verified()
}

// A gateway that dies while a call is held.
func TestKilledWhileACallIsHeld(t *testing.T) {
	t.Parallel()
	d := open(t)
	token := d.grant("sales", rules(asks("held", `"wait_seconds":25`)))
	a := d.agent(legacy, token, nil)
	answered := make(chan *said, 1)
	go func() { answered <- a.try(t.Context(), "held", `{}`) }()
	id := d.pending("held")
	d.Kill()
	if got := <-answered; got.err == nil {
		t.Errorf("the gateway was killed, and the agent heard %s", got)
	}
	d.approve(id)
	d.restart()
	d.agent(legacy, d.known(token), nil).passes("held", `{}`)
	d.reached(1, "repeated after the kill")
	d.verified()
}

// Two relays share what waits with each other and with the commands, without a server.
func TestRelaysShareApprovals(t *testing.T) {
	t.Parallel()
	crm := mcptest.NewServer(t, "offer")
	d := &desk{t: t, crm: crm}
	d.Gate = mcptest.Proxy(t, rules(asks("offer")), "--upstream", crm.URL)
	second := mcptest.Start{State: d.State, Policy: rules(asks("offer")), Args: []string{"--upstream", crm.URL}}.Proxy(t)
	a, b := connect(t, d.URL, modern, "", nil), connect(t, second.URL, legacy, "", nil)
	got := a.call("offer", `{"n":1}`)
	id := got.meta.Approval
	if got.meta.Code != "approval_pending" || got.meta.Link != "sluice approvals approve "+id {
		t.Fatalf("%s", got)
	}
	if also := b.parks("offer", `{ "n":1.0}`); also != id {
		t.Errorf("the other relay asks for itself: %s", also)
	}
	d.approve(id)
	b.passes("offer", `{"n":1}`)
	if again := a.parks("offer", `{"n":1}`); again == id {
		t.Error("each relay used the same yes")
	}
	d.reached(1, "two relays, one yes")
	d.verified()
}

// verified checks the audit log.
func (d *desk) verified() {
	d.t.Helper()
	if code, out := d.Run("audit", "verify"); code != 0 {
		d.t.Errorf("audit verify: exit %d: %s", code, out)
	}
}
