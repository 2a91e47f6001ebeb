package policy

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/testkit/mcptest"
)

// asking is a policy that asks a person about amounts from 100.
func asking(inRule, inTool string) string {
	return tools(`"a":{"approve_if":[{"conditions":[{"path":"args.amount","op":"gte","value":100}],"message":"A lot.","wait_seconds":0%s}]%s}`, inRule, inTool)
}

// park makes a call that waits for a person, and returns the approval's id.
func (s *site) park(t *testing.T, c *mcptest.Client, arguments string) string {
	t.Helper()
	a := s.wants(t, c, "a", arguments, "approval_pending")
	if a.Policy.Approval == "" || !strings.HasPrefix(a.Text, "[APPROVAL PENDING] "+a.Policy.Approval) {
		t.Fatalf("%v", a)
	}
	return a.Policy.Approval
}

// approve decides by the command line, in another process.
func (s *site) approve(t *testing.T, id string) {
	t.Helper()
	if exit, out := s.Run("approvals", "approve", id, "--reason", "agreed"); exit != 0 {
		t.Fatalf("approve: exit %d, %s", exit, out)
	}
}

// state is that of an approval.
func (s *site) state(t *testing.T, id string) string {
	t.Helper()
	var a struct{ State string }
	s.Run.JSON(t, &a, "approvals", "show", id)
	return a.State
}

func TestVector28OneByteChanged(t *testing.T) {
	t.Parallel()
	s := proxied(t, asking("", ""))
	c := s.client(t)
	id := s.park(t, c, `{"amount":100,"to":"x"}`)
	s.approve(t, id)
	for _, other := range []string{`{"amount":101,"to":"x"}`, `{"amount":100,"to":"y"}`, `{"amount":100,"to":"x","z":null}`, `{"amount":100}`} {
		if got := s.park(t, c, other); got == id {
			t.Errorf("%s is taken for the call that was approved", other)
		}
	}
	s.wants(t, c, "a", ` { "to":"\u0078", "amount":1e2 } `, allowed) // the same, in other words
}

func TestVector28UsedTwice(t *testing.T) {
	t.Parallel()
	s := proxied(t, asking("", ""))
	s.each(t, func(t *testing.T, c *mcptest.Client) {
		arguments := `{"amount":100,"era":"` + c.Version + `"}` // a denial holds for the very same call
		id := s.park(t, c, arguments)
		if again := s.park(t, c, arguments); again != id {
			t.Errorf("parked twice: %s and %s", id, again)
		}
		s.approve(t, id)
		s.wants(t, c, "a", arguments, allowed)
		if again := s.park(t, c, arguments); again == id {
			t.Error("one approval, two calls")
		} else if exit, out := s.Run("approvals", "reject", again, "--reason", "enough"); exit != 0 {
			t.Fatal(out)
		}
		if a := s.wants(t, c, "a", arguments, "approval_denied"); !strings.Contains(a.Text, "enough") {
			t.Errorf("%v", a)
		}
	})
}

func TestVector28PolicyTightened(t *testing.T) {
	t.Parallel()
	s := proxied(t, asking("", ""))
	c := s.client(t)
	s.approve(t, s.park(t, c, `{"amount":100}`))
	s.SetPolicy(t, asking("", `,"deny_if":[{"conditions":[{"path":"args.amount","op":"gt","value":50}]}]`))
	poll(t, "the new version", func() bool { return c.Call(t.Context(), t, "a", `{"amount":70}`).Policy.Code == "denied" })
	s.wants(t, c, "a", `{"amount":100}`, "denied")
}

func TestVector28GrantRevoked(t *testing.T) {
	t.Parallel()
	s := accounts(t)
	s.Run.SetPolicy(t, "crm", "p", asking("", ""))
	_, token := s.Run.Grant(t, "crm", "agent", "--policy", "p")
	c := s.as(t, token)
	pending, approved := s.park(t, c, `{"amount":100}`), s.park(t, c, `{"amount":200}`)
	s.approve(t, approved)
	if exit, out := s.Run("grant", "revoke", "crm/agent", "--reason", "lost"); exit != 0 {
		t.Fatal(out)
	}
	for _, id := range []string{pending, approved} {
		poll(t, "the end of "+id, func() bool { return s.state(t, id) == "cancelled" })
	}
	if exit, out := s.Run("approvals", "approve", pending, "--reason", "late"); exit == 0 {
		t.Errorf("approved after the end of its grant: %s", out)
	}
}

func TestVector28Expired(t *testing.T) {
	t.Parallel()
	s := proxied(t, asking(`,"ttl_seconds":1`, ""))
	c := s.client(t)
	id := s.park(t, c, `{"amount":100}`)
	poll(t, "its end", func() bool { return s.state(t, id) == "expired" })
	if exit, out := s.Run("approvals", "approve", id, "--reason", "late"); exit == 0 {
		t.Errorf("approved after its time: %s", out)
	}
	if again := s.park(t, c, `{"amount":100}`); again == id {
		t.Error("what is over is decided again")
	}
	s.up.Calls()
	held := proxied(t, strings.Replace(asking(`,"ttl_seconds":1`, ""), `"wait_seconds":0`, `"wait_seconds":20`, 1))
	held.wants(t, held.client(t), "a", `{"amount":100}`, "approval_expired") // silence is no
}

func TestVector28TwoApproversRace(t *testing.T) {
	t.Parallel()
	s := proxied(t, asking("", ""))
	c := s.client(t)
	for round := range 3 {
		arguments := fmt.Sprintf(`{"amount":%d}`, 100+round)
		id := s.park(t, c, arguments)
		var won atomic.Int64
		var all sync.WaitGroup
		for _, verb := range []string{"approve", "reject"} {
			all.Go(func() {
				if exit, out := s.Run("approvals", verb, id, "--reason", "first"); exit == 0 {
					won.Add(1)
				} else if !strings.Contains(out, "approval_decided") {
					t.Errorf("%s: exit %d, %s", verb, exit, out)
				}
			})
		}
		if all.Wait(); won.Load() != 1 {
			t.Errorf("%d won", won.Load())
		}
		code := allowed
		if s.state(t, id) == "denied" {
			code = "approval_denied"
		}
		s.wants(t, c, "a", arguments, code)
	}
}

func TestVector29ApprovedMeetsAFullLimit(t *testing.T) {
	t.Parallel()
	const window = 4 * time.Second
	done := false
	for try := 0; try < 5 && !done; try++ {
		s := proxied(t, asking("", `,"limits":[{"counter":"calls","window_seconds":4,"max":1,"scope":"grant"}]`))
		c := s.client(t)
		id := s.park(t, c, `{"amount":100}`)
		s.approve(t, id)
		poll(t, "a window with room", func() bool { return c.Call(t.Context(), t, "a", `{"amount":1}`).Allowed() })
		began := time.Now().Truncate(window)
		s.up.Calls()
		a := c.Call(t.Context(), t, "a", `{"amount":100}`)
		if done = time.Now().Truncate(window).Equal(began); !done {
			continue
		}
		if a.Policy.Code != "limit_exceeded" || s.state(t, id) != "approved" {
			t.Errorf("%v, %s", a, s.state(t, id))
		}
		poll(t, "the next window", func() bool { return c.Call(t.Context(), t, "a", `{"amount":100}`).Allowed() })
		if got := s.up.Calls(); len(got) != 1 || s.state(t, id) != "consumed" {
			t.Errorf("%d calls, %s", len(got), s.state(t, id))
		}
	}
	if !done {
		t.Fatal("windows turned over all the time")
	}
}
