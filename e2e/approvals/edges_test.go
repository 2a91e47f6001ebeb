package approvals

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"sluice/internal/testkit/mcptest"
)

// An approval is good for the very call: the same arguments, however they are written.
func TestApprovalIsForTheVeryCall(t *testing.T) {
	t.Parallel()
	d := open(t)
	token := d.grant("sales", rules(asks("offer"), asks("held", `"wait_seconds":0`)))
	for _, version := range eras {
		t.Run(version, func(t *testing.T) {
			a := d.agent(version, token, nil)
			call := `{"to":"contact-17","amount":1,"id":9007199254740993,"list":[1,2],"v":"` + version + `"}`
			id := a.parks("offer", call)
			d.approve(id)
			for name, other := range map[string]string{
				"one byte of a value":         strings.Replace(call, "contact-17", "contact-18", 1),
				"one byte of a name":          strings.Replace(call, `"to"`, `"too"`, 1),
				"a number that is near":       strings.Replace(call, "9007199254740993", "9007199254740992", 1),
				"a text in place of a number": strings.Replace(call, `"amount":1`, `"amount":"1"`, 1),
				"another order of a list":     strings.Replace(call, "[1,2]", "[2,1]", 1),
				"one member more":             strings.Replace(call, "{", `{"bcc":null,`, 1),
				"one member less":             strings.Replace(call, `"amount":1,`, "", 1),
			} {
				if got := a.call("offer", other); got.meta.Code != "approval_pending" || got.meta.Approval == id {
					t.Errorf("%s: %s", name, got)
				}
			}
			if got := a.call("held", call); got.meta.Code != "approval_pending" || got.meta.Approval == id {
				t.Errorf("another tool: %s", got)
			}
			d.reached(0, "other calls than the approved one")
			// The same values: another order of members, blanks, escapes, 1.0.
			same := `{ "v":"` + version + `", "list" :[1.0,2e0],"id":9007199254740993,"amount":1.0,"to":"contact-\u0031\u0037"}`
			a.passes("offer", same)
			if got := d.sent(); len(got) != 1 || !strings.Contains(got[0], `"amount":1.0`) {
				t.Errorf("the server got %v", got)
			}
			d.state(id, "consumed")
		})
	}
}

// Whoever calls with another grant has another call.
func TestApprovalIsForTheVeryGrant(t *testing.T) {
	t.Parallel()
	d := open(t)
	policy := rules(asks("offer"))
	one := d.agent(modern, d.grant("one", policy), nil)
	_, token := d.Run.Grant(t, "crm", "two", "--policy", "one")
	other := d.agent(modern, d.known(token), nil)
	d.approve(one.parks("offer", `{}`))
	other.parks("offer", `{}`)
	d.reached(0, "the other grant")
	one.passes("offer", `{}`)
	d.reached(1, "the grant that was meant")
}

func TestPolicyOfNowDecides(t *testing.T) {
	t.Parallel()
	d := open(t)
	a := d.agent(modern, d.grant("sales", rules(asks("offer"))), nil)
	waiting, agreed := a.parks("offer", `{"n":1}`), a.parks("offer", `{"n":2}`)
	d.approve(agreed)

	d.Run.SetPolicy(t, "crm", "sales", rules(`"offer":{"deny_if":[{"conditions":[],"on_deny":"No offers any more."}]}`))
	until(t, "the new policy denies", func() bool { return a.call("offer", `{"n":0}`).meta.Code == "denied" })
	d.approve(waiting) // a person agrees to what the policy of now forbids
	for _, call := range []string{`{"n":1}`, `{"n":2}`} {
		if got := a.denied("offer", call, "denied"); !strings.Contains(got.text, "No offers any more.") {
			t.Errorf("%s", got)
		}
	}
	d.reached(0, "tightened")

	// A policy that asks again does not take a yes that was given under another one.
	d.Run.SetPolicy(t, "crm", "sales", rules(asks("offer", `"wait_seconds":0,"ttl_seconds":600`)))
	until(t, "the newest policy asks", func() bool { return a.call("offer", `{"n":0}`).meta.Code == "approval_pending" })
	for call, before := range map[string]string{`{"n":1}`: waiting, `{"n":2}`: agreed} {
		if now := a.parks("offer", call); now == before {
			t.Errorf("%s: a yes under another policy counts", call)
		}
	}
	d.reached(0, "asked anew")
}

func TestRevokedGrantCancels(t *testing.T) {
	t.Parallel()
	d := open(t)
	a := d.agent(legacy, d.grant("sales", rules(asks("offer"), asks("held", `"wait_seconds":25`))), nil)
	waiting, agreed := a.parks("offer", `{"n":1}`), a.parks("offer", `{"n":2}`)
	d.approve(agreed)
	answered := make(chan *said, 1)
	go func() { answered <- a.try(t.Context(), "held", `{}`) }()
	held := d.pending("held")
	if code, out := d.Run("grant", "revoke", "crm/sales", "--reason", "laptop lost"); code != 0 {
		t.Fatalf("revoke: exit %d: %s", code, out)
	}
	if got := <-answered; got.went() {
		t.Errorf("the call that was held: %s", got)
	}
	for _, id := range []string{waiting, agreed, held} {
		d.state(id, "cancelled")
	}
	if code, out := d.Run("approvals", "approve", waiting); code == 0 || !strings.Contains(out, "approval_decided") {
		t.Errorf("approving what is cancelled: exit %d: %s", code, out)
	}
	// What came before every process knew is cancelled a little later.
	until(t, "the revoked grant is refused", func() bool { return a.call("offer", `{"n":2}`).err != nil })
	until(t, "nothing waits any more", func() bool {
		var list []item
		d.Run.JSON(t, &list, "approvals", "list", "--state", "pending")
		return len(list) == 0
	})
	d.reached(0, "revoked")
}

func TestRemovedServerCancels(t *testing.T) {
	t.Parallel()
	d := open(t)
	if code, out := d.Run("server", "add", "shop", "--url", d.crm.URL); code != 0 {
		t.Fatalf("server add: exit %d: %s", code, out)
	}
	a := d.agentOf("shop", rules(asks("offer")))
	waiting, agreed := a.parks("offer", `{"n":1}`), a.parks("offer", `{"n":2}`)
	d.approve(agreed)
	if code, out := d.Run("grant", "revoke", "shop/agents", "--reason", "moved"); code != 0 {
		t.Fatalf("revoke: exit %d: %s", code, out)
	}
	if code, out := d.Run("server", "remove", "shop"); code != 0 {
		t.Fatalf("server remove: exit %d: %s", code, out)
	}
	for _, id := range []string{waiting, agreed} {
		d.state(id, "cancelled")
	}
	until(t, "the server is gone", func() bool { return a.call("offer", `{"n":2}`).err != nil })
	d.reached(0, "removed")
}

func TestRotationKeepsWhatWaits(t *testing.T) {
	t.Parallel()
	d := open(t)
	a := d.agent(modern, d.grant("sales", rules(asks("offer"))), nil)
	id := a.parks("offer", `{}`)
	var made struct {
		Token string `json:"token"`
	}
	d.Run.JSON(t, &made, "grant", "rotate", "crm/sales")
	d.approve(id)
	d.agent(modern, d.known(made.Token), nil).passes("offer", `{}`)
	d.reached(1, "with the new token")
}

func TestOneOfTwoDecisionsCounts(t *testing.T) {
	t.Parallel()
	d := open(t, "      approvals: {four_eyes: false}\n")
	amira := d.member("amira", "admin")
	a := d.agent(modern, d.grant("sales", rules(asks("offer"))), nil)
	for round := range 5 {
		call := fmt.Sprintf(`{"round":%d}`, round)
		id := a.parks("offer", call)
		says := []answer{{}, {}, {}, {}}
		var all sync.WaitGroup
		for i := range says {
			all.Go(func() {
				says[i] = d.decide(id, []string{d.owner, amira}[i%2], []string{"approve", "deny"}[i/2])
			})
		}
		all.Wait()
		won, state := 0, ""
		for _, s := range says {
			switch {
			case s.status == http.StatusOK:
				won++
				state = map[bool]string{true: "approved", false: "denied"}[strings.Contains(s.body, `"approved"`)]
			case s.status != http.StatusConflict || !strings.Contains(s.body, "approval_decided"):
				t.Errorf("who came late heard %d %s", s.status, s.body)
			}
		}
		if won != 1 {
			t.Errorf("%d decisions count", won)
		}
		d.state(id, state)
		if state == "approved" {
			a.passes("offer", call)
			d.reached(1, "approved")
		} else {
			a.denied("offer", call, "approval_denied")
			d.reached(0, "denied")
		}
	}
}

func TestOneOfManyIdenticalCallsUsesTheApproval(t *testing.T) {
	t.Parallel()
	d := open(t)
	token := d.grant("sales", rules(asks("offer"), asks("held", `"wait_seconds":25`)))
	agents := make([]*agent, 8)
	for i := range agents {
		agents[i] = d.agent(eras[i%2], token, nil)
	}
	id := agents[0].parks("offer", `{}`)
	d.approve(id)
	race := func(tool string) []*said {
		got := make([]*said, len(agents))
		var all sync.WaitGroup
		for i, a := range agents {
			all.Go(func() { got[i] = a.try(t.Context(), tool, `{}`) })
		}
		all.Wait()
		return got
	}
	went, anew := 0, ""
	for _, got := range race("offer") {
		switch {
		case got.went():
			went++
		case got.meta.Code != "approval_pending" || got.meta.Approval == id || anew != "" && anew != got.meta.Approval:
			t.Errorf("who came late heard %s", got)
		default:
			anew = got.meta.Approval
		}
	}
	if went != 1 {
		t.Errorf("%d calls went through", went)
	}
	d.reached(1, "eight at once, after one yes")

	// The same while they are held: one yes wakes all of them, and lets one through; the
	// next yes the next.
	a := make(chan *said, 3)
	for i := range 3 {
		go func() { a <- agents[i].try(t.Context(), "held", `{}`) }()
	}
	for n := range 3 {
		d.approve(d.pending("held"))
		if got := <-a; !got.went() {
			t.Fatalf("held: %s", got)
		}
		d.reached(1, fmt.Sprintf("yes number %d", n+1))
	}
}

func TestApprovedCallMeetsFullLimit(t *testing.T) {
	t.Parallel()
	d := open(t)
	const scarce = `"scarce":{"approve_if":[{"conditions":[{"path":"args.amount","op":"gte","value":1000}],"wait_seconds":0}],
		"limits":[{"counter":"offers","window_seconds":4,"algorithm":"sliding","max":1,"scope":"grant"}]}`
	a := d.agent(modern, d.grant("sales", rules(scarce)), nil)
	id := a.parks("scarce", `{"amount":5000}`)
	d.approve(id)
	until(t, "a call takes what the limit has", func() bool { return a.call("scarce", `{"amount":1}`).went() })
	d.reached(1, "small")
	if got := a.call("scarce", `{"amount":5000}`); got.meta.Code == "limit_exceeded" {
		if got.meta.Retry < 1 || got.meta.Retry > 5 {
			t.Errorf("it may come again: %s", got)
		}
		d.reached(0, "full")
		d.state(id, "approved")
		until(t, "there is room again, and the yes still counts", func() bool { return a.call("scarce", `{"amount":5000}`).went() })
	} else if !got.went() { // this machine was so slow that there is room again
		t.Errorf("approved: %s", got)
	}
	d.reached(1, "room again")
	d.state(id, "consumed")
	if again := a.parks("scarce", `{"amount":5000}`); again == id {
		t.Error("used twice")
	}
}

func TestOnlySoManyWait(t *testing.T) {
	t.Parallel()
	d := open(t)
	a := d.agent(modern, d.grant("sales", rules(asks("offer"))), nil)
	first := ""
	for i := range 20 {
		if id := a.parks("offer", fmt.Sprintf(`{"n":%d}`, i)); i == 0 {
			first = id
		}
	}
	a.denied("offer", `{"n":20}`, "limit_exceeded")
	if again := a.parks("offer", `{"n":0}`); again != first {
		t.Errorf("%s waits, and its repetition is %s", first, again)
	}
	d.reject(first, "no")
	a.parks("offer", `{"n":20}`)
	d.reached(0, "all wait")
}

// What the call came to does not give the yes back: nobody knows what a server did that
// failed.
func TestFailedCallUsedItsApproval(t *testing.T) {
	t.Parallel()
	d := open(t)
	a := d.agent(modern, d.grant("sales", rules(asks("offer"))), nil)
	d.crm.Answer(func(w http.ResponseWriter, _ *http.Request, _ mcptest.Message) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	id := a.parks("offer", `{}`)
	d.approve(id)
	if got := a.call("offer", `{}`); got.went() {
		t.Errorf("the server failed: %s", got)
	}
	d.reached(1, "failed")
	if again := a.parks("offer", `{}`); again == id {
		t.Error("one yes let two calls through")
	}
	var list []struct {
		Tool string `json:"tool"`
	}
	d.Run.JSON(t, &list, "limits", "ambiguous")
	if len(list) != 1 || list[0].Tool != "offer" {
		t.Errorf("ambiguous: %+v", list)
	}
}
