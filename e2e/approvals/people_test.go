package approvals

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/internal/testkit/mcptest"
)

// Who may decide: over the API as the members they are, by command as the owner.
func TestOnlyThoseWhoMayDecide(t *testing.T) {
	t.Parallel()
	d := open(t, "      approvals: {approvers: [bo, \"role:approver\"], four_eyes: false}\n"+
		"    strict: {url: {URL}, approvals: {four_eyes: true}}\n"+
		"    open: {url: {URL}}\n")
	tokens := map[string]string{
		"bo": d.member("bo", "viewer"), "flag": d.member("flag", "viewer", "--approver"), "admin": d.member("admin", "admin"),
		"operator": d.member("operator", "operator"), "viewer": d.member("viewer", "viewer"), "owner": d.owner,
	}
	var made struct {
		Token string `json:"token"`
	}
	d.Run.JSON(t, &made, "token", "add", "--user", "bo", "--agent", "--scopes", "mcp:read,mcp:write")
	tokens["bo's agent"] = made.Token
	d.Run.JSON(t, &made, "token", "add", "--user", "bo", "--scopes", "mcp:read")
	tokens["bo, reading"] = made.Token

	named := asks("held", `"wait_seconds":0,"approvers":["operator"]`)
	here := d.agent(modern, d.grant("sales", rules(asks("offer"), named)), nil)
	strict := d.agentOf("strict", rules(asks("offer")))
	alone := d.agentOf("open", rules(asks("offer")))

	for _, tt := range []struct {
		name, who string
		a         *agent
		tool      string
		may, sees bool
	}{
		{"named by the server", "bo", here, "offer", true, true},
		{"their agent", "bo's agent", here, "offer", false, false},
		{"their token that only reads", "bo, reading", here, "offer", false, true},
		{"the flag, as the server's list has it", "flag", here, "offer", true, true},
		{"an admin, whose role the list's covers", "admin", here, "offer", true, true},
		{"an operator", "operator", here, "offer", false, false},
		{"a viewer", "viewer", here, "offer", false, false},
		{"named by the rule", "operator", here, "held", true, true},
		{"named by the server, and not by the rule", "bo", here, "held", false, false},
		{"an admin, whom the rule does not name", "admin", here, "held", false, false},
		{"the owner, whom the rule does not name", "owner", here, "held", false, false},
		{"who made the grant, with four eyes", "owner", strict, "offer", false, true},
		{"another admin, with four eyes", "admin", strict, "offer", true, true},
		{"who made the grant, where others could", "owner", alone, "offer", false, true},
		{"the flag, where nobody is named", "flag", alone, "offer", true, true},
		{"somebody without it", "bo", alone, "offer", false, false},
	} {
		id := tt.a.parks(tt.tool, `{"for":"`+tt.name+`"}`)
		look := d.api(http.MethodGet, "/approvals/"+id, tokens[tt.who], "")
		var i item
		if err := json.Unmarshal([]byte(look.body), &i); err != nil || look.status != http.StatusOK {
			t.Errorf("%s: %d %s", tt.name, look.status, look.body)
		}
		if (len(i.Arguments) > 0) != tt.sees || i.CanDecide != tt.may {
			t.Errorf("%s is shown %+v", tt.name, i)
		}
		a := d.decide(id, tokens[tt.who], "approve")
		switch {
		case tt.may && a.status != http.StatusOK:
			t.Errorf("%s may: %d %s", tt.name, a.status, a.body)
		case !tt.may && a.status != http.StatusForbidden:
			t.Errorf("%s may not: %d %s", tt.name, a.status, a.body)
		}
		want := map[bool]string{true: "approved", false: "pending"}[tt.may]
		if got := d.state(id, want); tt.may && got.Decider != tt.who {
			t.Errorf("%s: decided by %s", tt.name, got.Decider)
		}
	}

	// Commands are the owner's, who made all of these grants.
	id := strict.parks("offer", `{"by":"command"}`)
	if code, out := d.Run("approvals", "approve", id); code == 0 || !strings.Contains(out, "role_required") || !strings.Contains(out, "four eyes") {
		t.Errorf("by command, with four eyes: exit %d: %s", code, out)
	}
	d.state(id, "pending")
	if a := d.decide(id, tokens["admin"], "deny"); a.status != http.StatusOK {
		t.Errorf("denied: %d %s", a.status, a.body)
	}
	// Nor does the member decide whom the grant acts for.
	if code, out := d.Run("grant", "set", "strict/agents", "--user", "admin"); code != 0 {
		t.Fatalf("grant set: exit %d: %s", code, out)
	}
	until(t, "the grant acts for the admin", func() bool {
		call := strict.call("offer", fmt.Sprintf(`{"at":%d}`, time.Now().UnixNano()))
		return d.decide(call.meta.Approval, tokens["admin"], "approve").status == http.StatusForbidden
	})
	d.reached(0, "nothing was repeated")
}

// agentOf is an agent of another server.
func (d *desk) agentOf(server, policy string) *agent {
	d.t.Helper()
	d.Run.SetPolicy(d.t, server, "agents", policy)
	_, token := d.Run.Grant(d.t, server, "agents", "--policy", "agents")
	at := d.URL + "/mcp/" + server
	mcptest.AwaitToken(d.t, at, token)
	return connect(d.t, at, modern, token, nil)
}

// Where one person is alone, they decide about their own grant; with a second one they
// do not any more.
func TestOnePersonIsNotLockedOut(t *testing.T) {
	t.Parallel()
	d := open(t)
	a := d.agent(modern, d.grant("sales", rules(asks("offer"))), nil)
	d.approve(a.parks("offer", `{"n":1}`))
	a.passes("offer", `{"n":1}`)
	id := a.parks("offer", `{"n":2}`)
	amira := d.member("amira", "operator", "--approver")
	if code, out := d.Run("approvals", "approve", id); code == 0 || !strings.Contains(out, "four eyes") {
		t.Errorf("with a second approver: exit %d: %s", code, out)
	}
	if s := d.decide(id, amira, "approve"); s.status != http.StatusOK {
		t.Errorf("the second approver: %d %s", s.status, s.body)
	}
	a.passes("offer", `{"n":2}`)
	d.reached(2, "both")
}

func TestDenialNeedsAReason(t *testing.T) {
	t.Parallel()
	d := open(t)
	a := d.agent(modern, d.grant("sales", rules(asks("offer"))), nil)
	id := a.parks("offer", `{}`)
	if code, out := d.Run("approvals", "reject", id); code == 0 || !strings.Contains(out, "reason") {
		t.Errorf("by command: exit %d: %s", code, out)
	}
	if s := d.api(http.MethodPost, "/approvals/"+id+"/decision", d.owner, `{"decision":"deny"}`); s.status != http.StatusBadRequest {
		t.Errorf("over the API: %d %s", s.status, s.body)
	}
	if s := d.form(id, d.owner, "deny", ""); s.status != http.StatusBadRequest {
		t.Errorf("on the page: %d", s.status)
	}
	d.state(id, "pending")
	for _, gone := range []string{"apr_00000000000000000000000000", "apr_x", "no-such"} {
		if s := d.decide(gone, d.owner, "approve"); s.status != http.StatusNotFound {
			t.Errorf("%s: %d %s", gone, s.status, s.body)
		}
	}
}
