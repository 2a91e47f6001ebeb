package approvals

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/testkit/mcptest"
)

// opensPages are a client's options whose user gets pages opened.
func opensPages(page func(*mcp.ElicitParams) string) *mcp.ClientOptions {
	return &mcp.ClientOptions{
		Capabilities: &mcp.ClientCapabilities{Elicitation: &mcp.ElicitationCapabilities{URL: &mcp.URLElicitationCapabilities{}}},
		ElicitationHandler: func(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			return &mcp.ElicitResult{Action: page(r.Params)}, nil
		},
	}
}

// The whole way with a client of 2026-07-28 that opens pages: the call is answered with
// the page, the user decides there, the client repeats the call by itself.
func TestModernClientOpensThePage(t *testing.T) {
	t.Parallel()
	d := open(t)
	token := d.grant("sales", rules(asks("offer")))
	var opened []string
	does := func(*mcp.ElicitParams) string { return "" }
	a := d.agent(modern, token, opensPages(func(p *mcp.ElicitParams) string {
		opened = append(opened, p.URL)
		if p.Mode != "url" || !strings.HasPrefix(p.URL, d.URL+"/approvals/apr_") || !strings.Contains(p.Message, "Offers need a yes.") {
			t.Errorf("it is asked %+v", p)
		}
		return does(p)
	}))

	does = func(p *mcp.ElicitParams) string {
		if a := d.form(p.URL[strings.LastIndex(p.URL, "/")+1:], d.owner, "approve", ""); a.status != http.StatusOK {
			t.Errorf("the page: %d %s", a.status, a.body)
		}
		return "accept"
	}
	a.passes("offer", `{"n":1}`)
	if got := d.sent(); len(got) != 1 || got[0] != `{"n":1}` || len(opened) != 1 {
		t.Errorf("the server got %v, pages %v", got, opened)
	}

	does = func(p *mcp.ElicitParams) string {
		d.form(p.URL[strings.LastIndex(p.URL, "/")+1:], d.owner, "deny", "not this one")
		return "accept"
	}
	if got := a.denied("offer", `{"n":2}`, "approval_denied"); !strings.Contains(got.text, "not this one") {
		t.Errorf("%s", got)
	}

	// Who opens it and does not decide, or does not open it, is not asked for ever.
	for _, action := range []string{"accept", "decline", "cancel"} {
		opened = nil
		does = func(*mcp.ElicitParams) string { return action }
		if id := a.parks("offer", `{"n":"`+action+`"}`); len(opened) != 1 || !strings.HasSuffix(opened[0], id) {
			t.Errorf("%s: pages %v", action, opened)
		}
	}
	d.reached(0, "not approved")
}

// The same with a client of 2025-11-25: the call fails with the page, and the client
// hears when it is decided. That needs a session, which the server behind the gateway
// keeps, or the gateway for one of the modern era.
func TestLegacyClientOpensThePage(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.crm.First(func(w http.ResponseWriter, _ *http.Request, m mcptest.Message) bool {
		if m.Method == "initialize" {
			w.Header().Set("Mcp-Session-Id", "s1")
		}
		return false
	})
	d.legacyOpensPages()
}

func TestLegacyClientOfAModernServerOpensThePage(t *testing.T) {
	t.Parallel()
	open(t, "      era: modern\n").legacyOpensPages()
}

func (d *desk) legacyOpensPages() {
	t := d.t
	token := d.grant("sales", rules(asks("offer")))
	told := make(chan string, 8)
	o := opensPages(func(*mcp.ElicitParams) string { return "accept" })
	o.ElicitationCompleteHandler = func(_ context.Context, r *mcp.ElicitationCompleteNotificationRequest) {
		told <- r.Params.ElicitationID
	}
	a := d.agent(legacy, token, o)
	for _, decide := range []string{"approve", "deny"} {
		call := `{"then":"` + decide + `"}`
		got := a.call("offer", call)
		var e *jsonrpc.Error
		if !errors.As(got.err, &e) || e.Code != mcp.CodeURLElicitationRequired {
			t.Fatalf("it should be asked to open a page: %s", got)
		}
		id := d.pending("offer")
		for _, part := range []string{`"mode":"url"`, `"url":"` + d.URL + "/approvals/" + id + `"`, `"elicitationId":"` + id + `"`} {
			if !strings.Contains(string(e.Data), part) {
				t.Errorf("no %s in %s", part, e.Data)
			}
		}
		d.reached(0, "asked")
		if a := d.form(id, d.owner, decide, "looked at"); a.status != http.StatusOK {
			t.Fatalf("the page: %d %s", a.status, a.body)
		}
		if got := <-told; got != id {
			t.Errorf("it is told of %s, not %s", got, id)
		}
		if decide == "approve" {
			a.passes("offer", call)
			d.reached(1, "approved")
		} else {
			a.denied("offer", call, "approval_denied")
			d.reached(0, "denied")
		}
	}
}
