// Package approvals tests calls that wait for a person, through the built program: the
// agent is a client on the official SDK, the person uses another process, the API or the
// page.
package approvals

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/testkit/mcptest"
)

func TestMain(m *testing.M) { mcptest.Main(m) }

// desk is a running `sluice serve` before one server, crm, and those who decide.
type desk struct {
	*mcptest.Gate
	t      *testing.T
	crm    *mcptest.Server
	config string
	owner  string // API token
}

// open starts one. More settings of the server follow its URL, and more servers, at {URL}
// as well.
func open(t *testing.T, settings ...string) *desk {
	t.Helper()
	d := &desk{t: t, crm: mcptest.NewServer(t, "offer", "held", "brief", "scarce", "free")}
	d.config = "mcp:\n  servers:\n    crm:\n      url: " + d.crm.URL + "\n" + strings.ReplaceAll(strings.Join(settings, ""), "{URL}", d.crm.URL)
	d.serve(mcptest.Start{})
	return d
}

func (d *desk) serve(s mcptest.Start) {
	d.t.Helper()
	d.Gate = s.Serve(d.t, d.config)
	token, err := os.ReadFile(filepath.Join(d.State, "owner-token"))
	if err != nil {
		d.t.Fatal(err)
	}
	d.owner = strings.TrimSpace(string(token))
}

// restart starts the program anew on the same state.
func (d *desk) restart() {
	d.t.Helper()
	d.serve(mcptest.Start{State: d.State})
}

// rules is a policy with these tools, each a rule in JSON by its name.
func rules(tools ...string) string {
	return `{"version":"1","default":"deny","tools":{` + strings.Join(tools, ",") + `}}`
}

// asks is a rule that has a person asked about every call of a tool, and does not hold
// it; or with these members.
func asks(tool string, members ...string) string {
	if len(members) == 0 {
		members = []string{`"wait_seconds":0`}
	}
	return `"` + tool + `":{"approve_if":[{"conditions":[],"message":"Offers need a yes.",` + strings.Join(members, ",") + `}]}`
}

// grant makes one with a policy of its own, and returns its token when the gateway knows
// it.
func (d *desk) grant(name, policy string, more ...string) (token string) {
	d.t.Helper()
	d.Run.SetPolicy(d.t, "crm", name, policy)
	_, token = d.Run.Grant(d.t, "crm", name, append([]string{"--policy", name}, more...)...)
	return d.known(token)
}

// known returns a token when the gateway knows it.
func (d *desk) known(token string) string {
	d.t.Helper()
	mcptest.AwaitToken(d.t, d.mcp(), token)
	return token
}

func (d *desk) mcp() string { return d.URL + "/mcp/crm" }

// sent are the arguments of the calls that reached the server since the last time.
func (d *desk) sent() (arguments []string) {
	d.t.Helper()
	for _, c := range d.crm.Calls() {
		var m mcptest.Message
		if err := json.Unmarshal([]byte(c.Body), &m); err != nil {
			d.t.Errorf("the server got %s", c.Body)
		}
		arguments = append(arguments, string(m.Params.Arguments))
	}
	return arguments
}

// reached fails unless just so many calls reached the server since the last time.
func (d *desk) reached(n int, when string) {
	d.t.Helper()
	if got := d.sent(); len(got) != n {
		d.t.Errorf("%s: %d calls reached the server, want %d: %v", when, len(got), n, got)
	}
}

const (
	modern = "2026-07-28"
	legacy = "2025-11-25"
)

var eras = []string{modern, legacy}

// agent is a client on the official SDK.
type agent struct {
	t *testing.T
	s *mcp.ClientSession
}

// bearer sends a token with every request.
type bearer struct{ token string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultTransport.RoundTrip(r)
}

// agent connects one that speaks a revision.
func (d *desk) agent(version, token string, o *mcp.ClientOptions) *agent {
	d.t.Helper()
	return connect(d.t, d.mcp(), version, token, o)
}

func connect(t *testing.T, endpoint, version, token string, o *mcp.ClientOptions) *agent {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "1"}, o)
	s, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: endpoint, HTTPClient: &http.Client{Transport: bearer{token}}, MaxRetries: -1,
	}, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() }) // the gateway may be gone
	return &agent{t, s}
}

// said is what an agent heard of a call.
type said struct {
	text string
	meta struct {
		Code     string `json:"code"`
		Rule     string `json:"rule"`
		Approval string `json:"approval"`
		Link     string `json:"link"`
		Expires  string `json:"expires_at"`
		Retry    int    `json:"retry_after_s"`
	}
	failed bool
	err    error
}

func (s *said) String() string { return fmt.Sprintf("%q %+v %v", s.text, s.meta, s.err) }

// went reports whether the call went through.
func (s *said) went() bool { return s.err == nil && !s.failed && s.meta.Code == "" }

// try calls a tool with arguments as they stand.
func (a *agent) try(ctx context.Context, tool, arguments string) *said {
	r, err := a.s.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: json.RawMessage(arguments)})
	s := &said{err: err}
	if err != nil {
		return s
	}
	s.failed = r.IsError
	for _, c := range r.Content {
		if text, ok := c.(*mcp.TextContent); ok {
			s.text += text.Text
		}
	}
	raw, err := json.Marshal(r.Meta["sluice/policy"])
	if err == nil && string(raw) != "null" {
		err = json.Unmarshal(raw, &s.meta)
	}
	s.err = err
	return s
}

func (a *agent) call(tool, arguments string) *said {
	a.t.Helper()
	return a.try(a.t.Context(), tool, arguments)
}

// parks calls a tool, which has to wait, and returns the approval.
func (a *agent) parks(tool, arguments string) (approval string) {
	a.t.Helper()
	got := a.call(tool, arguments)
	if got.meta.Code != "approval_pending" || !strings.HasPrefix(got.meta.Approval, "apr_") || !got.failed {
		a.t.Fatalf("%s %s should wait: %s", tool, arguments, got)
	}
	return got.meta.Approval
}

// passes calls a tool, which has to go through.
func (a *agent) passes(tool, arguments string) {
	a.t.Helper()
	if got := a.call(tool, arguments); !got.went() {
		a.t.Errorf("%s %s should go through: %s", tool, arguments, got)
	}
}

// denied calls a tool, which has to be denied with a code.
func (a *agent) denied(tool, arguments, code string) *said {
	a.t.Helper()
	got := a.call(tool, arguments)
	if got.meta.Code != code || !strings.HasPrefix(got.text, "[POLICY DENIED] ") {
		a.t.Errorf("%s %s should be denied with %s: %s", tool, arguments, code, got)
	}
	return got
}

// item is an approval as the commands and the API show it.
type item struct {
	ID        string          `json:"approval_id"`
	Kind      string          `json:"kind"`
	State     string          `json:"state"`
	Server    string          `json:"server"`
	Grant     string          `json:"grant_name"`
	Tool      string          `json:"tool"`
	Arguments json.RawMessage `json:"arguments"`
	Withheld  string          `json:"arguments_withheld"`
	Escalated bool            `json:"escalated"`
	FourEyes  bool            `json:"four_eyes"`
	Decider   string          `json:"decider"`
	Via       string          `json:"via"`
	Reason    string          `json:"reason"`
	Request   string          `json:"request_id"`
	Link      string          `json:"link"`
	CanDecide bool            `json:"can_decide"`
	ExpiresAt time.Time       `json:"expires_at"`
}

// show is an approval as another process sees it.
func (d *desk) show(id string) (i item) {
	d.t.Helper()
	d.Run.JSON(d.t, &i, "approvals", "show", id)
	return i
}

// approve decides in another process.
func (d *desk) approve(id string) {
	d.t.Helper()
	if code, out := d.Run("approvals", "approve", id, "--reason", "agreed"); code != 0 {
		d.t.Fatalf("approve: exit %d: %s", code, out)
	}
}

func (d *desk) reject(id, reason string) {
	d.t.Helper()
	if code, out := d.Run("approvals", "reject", id, "--reason", reason); code != 0 {
		d.t.Fatalf("reject: exit %d: %s", code, out)
	}
}

// state fails unless an approval is in a state.
func (d *desk) state(id, want string) item {
	d.t.Helper()
	i := d.show(id)
	if i.State != want {
		d.t.Errorf("%s is %s, want %s", id, i.State, want)
	}
	return i
}

// until asks again until it is so.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("never: " + what)
		}
	}
}

// answer is what the API or a page said.
type answer struct {
	status int
	header http.Header
	body   string
}

func (d *desk) send(method, path, token, kind, body string, header ...string) answer {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.URL+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

// api calls the API.
func (d *desk) api(method, path, token, body string) answer {
	d.t.Helper()
	return d.send(method, "/api/v1"+path, token, "application/json", body)
}

// decide decides over the API; say is approve or deny.
func (d *desk) decide(id, token, say string) answer {
	d.t.Helper()
	return d.api(http.MethodPost, "/approvals/"+id+"/decision", token, `{"decision":"`+say+`","reason":"looked at"}`)
}

const formType = "application/x-www-form-urlencoded"

// form sends a page's form, as a browser does.
func (d *desk) form(id, token, do, reason string) answer {
	d.t.Helper()
	form := url.Values{"token": {token}, "do": {do}, "reason": {reason}}
	return d.send(http.MethodPost, "/approvals/"+id, "", formType, form.Encode(), "Origin", d.URL, "Sec-Fetch-Site", "same-origin")
}

// member makes one, and returns an API token of theirs.
func (d *desk) member(user, role string, more ...string) (token string) {
	d.t.Helper()
	if code, out := d.Run(append([]string{"member", "add", user, "--role", role}, more...)...); code != 0 {
		d.t.Fatalf("member add: exit %d: %s", code, out)
	}
	var made struct {
		Token string `json:"token"`
	}
	d.Run.JSON(d.t, &made, "token", "add", "--user", user, "--scopes", "mcp:read,mcp:write")
	if made.Token == "" {
		d.t.Fatal("no token")
	}
	return made.Token
}
