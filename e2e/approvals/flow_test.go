package approvals

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// One call in each era, decided in another process, over the API, and on the page.
func TestCallIsParkedApprovedAndExecutedOnce(t *testing.T) {
	t.Parallel()
	d := open(t)
	token := d.grant("sales", rules(asks("offer")))
	ways := map[string]func(*testing.T, string){
		"by command": func(_ *testing.T, id string) { d.approve(id) },
		"over the API": func(t *testing.T, id string) {
			a := d.decide(id, d.owner, "approve")
			var i item
			if err := json.Unmarshal([]byte(a.body), &i); err != nil || a.status != http.StatusOK || i.State != "approved" || i.Via != "api" {
				t.Errorf("%d %s", a.status, a.body)
			}
		},
		"on the page": func(t *testing.T, id string) { d.throughPage(t, id) },
	}
	for _, version := range eras {
		for way, decide := range ways {
			t.Run(version+" "+way, func(t *testing.T) {
				a := d.agent(version, token, nil)
				call := `{"to":"contact-17","amount":4200,"way":"` + way + version + `"}`
				got := a.call("offer", call)
				id := got.meta.Approval
				if got.meta.Code != "approval_pending" || !strings.HasPrefix(got.text, "[APPROVAL PENDING] "+id+": Offers need a yes.") {
					t.Fatalf("it should wait: %s", got)
				}
				if got.meta.Link != d.URL+"/approvals/"+id || !strings.Contains(got.text, got.meta.Link) || got.meta.Rule != "/tools/offer/approve_if/0" || got.meta.Retry < 1 {
					t.Errorf("the answer says %s", got)
				}
				d.reached(0, "parked")
				if again := a.parks("offer", call); again != id {
					t.Errorf("the same call waits twice: %s and %s", id, again)
				}

				var list []item
				d.Run.JSON(t, &list, "approvals", "list", "--state", "pending")
				if !slices.ContainsFunc(list, func(i item) bool { return i.ID == id && i.Kind == "call" && i.Server == "crm" && i.Grant == "sales" }) {
					t.Errorf("the list has %+v", list)
				}
				if i := d.show(id); i.State != "pending" || !i.CanDecide || compact(t, i.Arguments) != call {
					t.Errorf("another process shows %+v", i)
				}

				decide(t, id)
				d.reached(0, "approved, and not repeated")
				a.passes("offer", call)
				if sent := d.sent(); len(sent) != 1 || sent[0] != call {
					t.Errorf("the server got %v", sent)
				}
				if i := d.state(id, "consumed"); i.Request == "" || i.Withheld == "" || len(i.Arguments) > 0 {
					t.Errorf("once used: %+v", i)
				}
				if third := a.parks("offer", call); third == id {
					t.Error("one yes let two calls through")
				}
				d.reached(0, "the third time")
				d.recorded(t, id)
			})
		}
	}
	if code, out := d.Run("audit", "verify"); code != 0 {
		t.Errorf("audit verify: exit %d: %s", code, out)
	}
}

// recorded checks that the audit log has what let a call through.
func (d *desk) recorded(t *testing.T, id string) {
	t.Helper()
	type entry struct {
		Approval string `json:"approval"`
		Outcome  string `json:"outcome"`
	}
	var list []entry
	d.Run.JSON(t, &list, "audit", "search", "--decision", "allow")
	if !slices.Contains(list, entry{id, "ok"}) {
		t.Errorf("no call with approval %s is recorded: %+v", id, list)
	}
	proof := filepath.Join(t.TempDir(), "proof")
	for _, args := range [][]string{{"audit", "prove", id, "--output", proof}, {"audit", "check-proof", proof}} {
		if code, out := d.Run(args...); code != 0 {
			t.Errorf("%v: exit %d: %s", args, code, out)
		}
	}
}

// throughPage decides as a person with a browser does.
func (d *desk) throughPage(t *testing.T, id string) {
	t.Helper()
	at := "/approvals/" + id
	page := d.send(http.MethodGet, at, "", "", "")
	if page.status != http.StatusOK || !strings.Contains(page.body, "offer") || strings.Contains(page.body, "contact-17") {
		t.Errorf("without a token: %d %s", page.status, page.body)
	}
	if csp := page.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(page.body, "<script") {
		t.Errorf("the page may run things: %q", csp)
	}
	form := url.Values{"token": {d.owner}, "do": {"approve"}}
	if other := d.send(http.MethodPost, at, "", formType, form.Encode(), "Origin", "https://elsewhere.example.com"); other.status != http.StatusForbidden {
		t.Errorf("from another site: %d", other.status)
	}
	if none := d.form(id, "not-a-token", "approve", ""); none.status != http.StatusUnauthorized {
		t.Errorf("with no token of anybody: %d", none.status)
	}
	d.state(id, "pending")
	if shown := d.form(id, d.owner, "", ""); shown.status != http.StatusOK || !strings.Contains(shown.body, "contact-17") {
		t.Errorf("the arguments: %d %s", shown.status, shown.body)
	}
	if done := d.form(id, d.owner, "approve", "fine"); done.status != http.StatusOK || !strings.Contains(done.body, "Approved") || strings.Contains(done.body, d.owner) {
		t.Errorf("approved: %d %s", done.status, done.body)
	}
	if i := d.state(id, "approved"); i.Via != "web" || i.Decider != "owner" || i.Reason != "fine" {
		t.Errorf("decided: %+v", i)
	}
}

// A call that is held goes through when somebody agrees while it waits, and never comes
// back to the agent as pending.
func TestHeldCallGoesStraightThrough(t *testing.T) {
	t.Parallel()
	d := open(t)
	token := d.grant("sales", rules(asks("held", `"wait_seconds":25`)))
	for _, version := range eras {
		t.Run(version, func(t *testing.T) {
			a := d.agent(version, token, nil)
			for _, yes := range []bool{true, false} {
				call := `{"to":"` + version + `","yes":` + map[bool]string{true: "true", false: "false"}[yes] + `}`
				answered := make(chan *said, 1)
				go func() { answered <- a.try(t.Context(), "held", call) }()
				id := d.pending("held")
				d.reached(0, "held")
				if yes {
					d.approve(id)
				} else {
					d.reject(id, "wrong contact")
				}
				switch got := <-answered; {
				case yes && !got.went():
					t.Errorf("approved while it waited: %s", got)
				case !yes && (got.meta.Code != "approval_denied" || got.text != "[POLICY DENIED] A person denied this call: wrong contact"):
					t.Errorf("denied while it waited: %s", got)
				}
				if yes {
					d.reached(1, "approved while it waited")
					d.state(id, "consumed")
				} else {
					d.reached(0, "denied while it waited")
					d.state(id, "denied")
					a.denied("held", call, "approval_denied") // asking again at once does not ask again
				}
			}
		})
	}
}

// pending is the one call of a tool that waits, as soon as there is one.
func (d *desk) pending(tool string) (id string) {
	d.t.Helper()
	until(d.t, "a call of "+tool+" waits", func() bool {
		var list []item
		d.Run.JSON(d.t, &list, "approvals", "list", "--state", "pending", "--tool", tool)
		if len(list) > 0 {
			id = list[0].ID
		}
		return len(list) > 0
	})
	return id
}

// A client that goes away while its call is held leaves the call waiting, for the next
// that makes it.
func TestHeldCallOfAClientThatLeftIsStillThere(t *testing.T) {
	t.Parallel()
	d := open(t)
	token := d.grant("sales", rules(asks("held", `"wait_seconds":25`)))
	leaving, leave := context.WithCancel(t.Context())
	answered := make(chan *said, 1)
	first := d.agent(modern, token, nil)
	go func() { answered <- first.try(leaving, "held", `{"n":1}`) }()
	id := d.pending("held")
	leave()
	if got := <-answered; got.err == nil {
		t.Errorf("who left heard %s", got)
	}
	d.approve(id)
	d.reached(0, "approved when nobody waits")
	d.agent(legacy, token, nil).passes("held", `{"n":1}`)
	d.reached(1, "repeated by another client of the grant")
	d.state(id, "consumed")
}

func compact(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, raw); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return out.String()
}
