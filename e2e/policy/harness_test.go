// Package policy tests what the policy gateway promises, through the built program:
// every vector that a policy has to meet, every defect that gateways are known for, and
// the ways to write a denied call so that it looks like another one.
package policy

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"sluice/internal/testkit/mcptest"
)

func TestMain(m *testing.M) { mcptest.Main(m) }

var eras = []string{mcptest.Modern, mcptest.Legacy}

// site is a proxy in front of a server.
type site struct {
	*mcptest.Gate
	up *mcptest.Server
}

// proxied puts a policy in front of a server with the tools a, b and c.
func proxied(t *testing.T, policy string, args ...string) *site {
	t.Helper()
	up := mcptest.NewServer(t, "a", "b", "c")
	return &site{mcptest.Proxy(t, policy, append([]string{"--upstream", up.URL}, args...)...), up}
}

// client is a modern client.
func (s *site) client(t *testing.T) *mcptest.Client {
	t.Helper()
	return mcptest.NewClient(t, s.URL, "", mcptest.Modern)
}

// each runs a test with a client of each era.
func (s *site) each(t *testing.T, f func(t *testing.T, c *mcptest.Client)) {
	t.Helper()
	for _, version := range eras {
		t.Run(version, func(t *testing.T) { f(t, mcptest.NewClient(t, s.URL, "", version)) })
	}
}

// allowed is what a call is wanted to be that is let through.
const allowed = ""

// wants makes a call and checks what became of it: the code and, unless it is left out,
// the rule of its denial. A call reaches the server if it is allowed, and only then.
func (s *site) wants(t *testing.T, c *mcptest.Client, tool, arguments, code string, rule ...string) *mcptest.Answer {
	t.Helper()
	s.up.Calls()
	a := c.Call(t.Context(), t, tool, arguments)
	got := s.up.Calls()
	switch {
	case code == allowed && (!a.Allowed() || len(got) != 1):
		t.Errorf("%s %s: %v, and the server got %d calls; it should be allowed", tool, arguments, a, len(got))
	case code != allowed && (a.Policy.Code != code || !a.IsError || len(rule) > 0 && a.Policy.Rule != rule[0]):
		t.Errorf("%s %s: %v, want %s %v", tool, arguments, a, code, rule)
	case code != allowed && len(got) > 0:
		t.Errorf("%s %s was denied, and reached the server: %v", tool, arguments, got)
	}
	return a
}

// call is a recorded call, as `sluice audit search --json` prints it.
type call struct {
	Request    string   `json:"request_id"`
	Tool       string   `json:"tool"`
	Decision   string   `json:"decision"`
	Code       string   `json:"code"`
	Rule       string   `json:"rule"`
	ArgKeys    []string `json:"arg_keys"`
	ArgsHMAC   string   `json:"args_hmac"`
	Approval   string   `json:"approval"`
	Ended      bool     `json:"ended"`
	Settlement string   `json:"settlement"`
}

// recorded are the calls in the audit log, oldest first.
func (s *site) recorded(t *testing.T, args ...string) (list []call) {
	t.Helper()
	s.Run.JSON(t, &list, append([]string{"audit", "search"}, args...)...)
	slices.Reverse(list)
	return list
}

// settled are the recorded calls once the outcome of all that went out is known to others:
// it may be written with the decision after it.
func (s *site) settled(t *testing.T, args ...string) (list []call) {
	t.Helper()
	poll(t, "outcomes in the log", func() bool {
		list = s.recorded(t, args...)
		return !slices.ContainsFunc(list, func(c call) bool { return c.Decision == "allow" && !c.Ended })
	})
	return list
}

// poll tries until it is true. What it waits for comes from another process, which tells
// nobody.
func poll(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for !done() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("in vain waited for: " + what)
		}
	}
}

// tools is a document that denies by default and has these rules.
func tools(format string, args ...any) string {
	return `{"version":"1","default":"deny","tools":{` + fmt.Sprintf(format, args...) + `}}`
}

// accounts is `sluice serve` with one server, crm.
func accounts(t *testing.T) *site {
	t.Helper()
	up := mcptest.NewServer(t, "a", "b", "c")
	g := mcptest.Start{}.Serve(t, "mcp:\n  servers:\n    crm: {url: \""+up.URL+"\"}\n    other: {url: \""+up.URL+"\"}\n")
	return &site{g, up}
}

// as is a modern client of the server crm with a grant that the gateway knows.
func (s *site) as(t *testing.T, token string) *mcptest.Client {
	t.Helper()
	mcptest.AwaitToken(t, s.URL+"/mcp/crm", token)
	return mcptest.NewClient(t, s.URL+"/mcp/crm", token, mcptest.Modern)
}
