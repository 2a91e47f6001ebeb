package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/testkit/mcptest"
)

// said is what a webhook heard.
type said struct {
	Event    string
	Approval string `json:"approval_id"`
	State    string
	Link     string
	raw      string
	good     bool // signed with the key of the workspace
}

// A call of a real client is parked; people hear of it, decide it in every way there is,
// and it goes through once.
func TestPeopleDecideCallsOfARealClient(t *testing.T) {
	t.Parallel()
	upstream := mcptest.NewServer(t, "send_offer")
	heard := make(chan said, 100)
	key := make(chan string, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		k := <-key
		key <- k
		n := said{raw: string(raw)}
		unix, signature, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Sluice-Signature"), "t="), ",v1=")
		mac := hmac.New(sha256.New, []byte(k))
		mac.Write([]byte(unix + "." + string(raw)))
		n.good = hex.EncodeToString(mac.Sum(nil)) == signature
		if err := json.Unmarshal(raw, &n); err != nil {
			t.Error(err)
		}
		heard <- n
	}))
	t.Cleanup(hook.Close)
	g := serve(t, "mcp:\n  servers:\n    crm:\n      url: \""+upstream.URL+"\"\n      approvals: {notify: [{webhook: \""+hook.URL+"\", on: [parked, decided]}]}\n")
	code, text64 := g.run("approvals", "key")
	if code != 0 {
		t.Fatalf("exit %d", code)
	}
	key <- strings.TrimSpace(text64)
	run := mcptest.Run(g.run)
	run.SetPolicy(t, "crm", "agents", `{"version":"1","default":"deny","tools":{"send_offer":{"approve_if":[
		{"conditions":[{"path":"args.amount","op":"gte","value":1000}],"message":"Large offer.","wait_seconds":0}]}}}`)
	_, token := run.Grant(t, "crm", "nightly", "--policy", "agents")
	mcptest.AwaitToken(t, g.url+"/mcp/crm", token)

	page := func(link, do, reason string) int {
		form := url.Values{"token": {g.token}, "do": {do}, "reason": {reason}}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, link, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", g.url)
		return status(t, r)
	}
	decide := map[string]func(said) bool{ // each in another way
		"command": func(n said) bool { code, _ := g.run("approvals", "approve", n.Approval); return code == 0 },
		"page":    func(n said) bool { return page(n.Link, "approve", "") == http.StatusOK },
		"api": func(n said) bool {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url+"/api/v1/approvals/"+n.Approval+"/decision", strings.NewReader(`{"decision":"approve"}`))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+g.token)
			r.Header.Set("Content-Type", "application/json")
			return status(t, r) == http.StatusOK
		},
	}
	for _, version := range eras {
		s := g.connect("/mcp/crm", version, token, nil)
		call := func(to string) (string, bool) {
			r, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "send_offer", Arguments: map[string]any{"amount": 4200, "to": to}})
			return text(t, r, err), err == nil && r.IsError
		}
		for way, approve := range decide {
			to := "canary " + version + " " + way
			before := len(upstream.Calls())
			if got, refused := call(to); !refused || !strings.Contains(got, "[APPROVAL PENDING]") {
				t.Fatalf("%s: %q", to, got)
			}
			n := <-heard
			if n.Event != "parked" || !n.good || strings.Contains(n.raw, "canary") || strings.Contains(n.raw, "4200") || n.Link != g.url+"/approvals/"+n.Approval {
				t.Errorf("%s: heard %+v", to, n)
			}
			if !approve(n) {
				t.Errorf("%s was not approved", to)
			}
			if n := <-heard; n.Event != "decided" || n.State != "approved" || !n.good {
				t.Errorf("%s: heard %+v", to, n)
			}
			if got, refused := call(to); refused {
				t.Errorf("%s: after the yes %q", to, got)
			}
			if got, refused := call(to); !refused || !strings.Contains(got, "[APPROVAL PENDING]") {
				t.Errorf("%s: a second time %q", to, got)
			}
			again := <-heard
			if page(again.Link, "deny", "once is enough") != http.StatusOK {
				t.Errorf("%s was not denied", to)
			}
			<-heard
			if got, refused := call(to); !refused || !strings.Contains(got, "once is enough") {
				t.Errorf("%s: after the no %q", to, got)
			}
			if n := len(upstream.Calls()) - before; n != 1 {
				t.Errorf("%s: done %d times", to, n)
			}
		}
	}
	if code, log := g.run("audit", "tail"); code != 0 || strings.Contains(log, "canary") || strings.Count(log, `"op":"approval.decide"`) != 12 {
		t.Errorf("exit %d, %d decisions in the log", code, strings.Count(log, `"op":"approval.decide"`))
	}
}

// status is that of the answer to a request.
func status(t *testing.T, r *http.Request) int {
	t.Helper()
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = w.Body.Close()
	return w.StatusCode
}
