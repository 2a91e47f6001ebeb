package policy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sluice/internal/mcpwire"
	"sluice/internal/testkit/mcptest"
)

// A table that no server would fall for proves nothing.
func TestSpellingsDoHarm(t *testing.T) {
	t.Parallel()
	if n := len(spellings()); n < 100 {
		t.Errorf("%d spellings", n)
	}
	for _, s := range spellings() {
		if harm(s.in(mcptest.Modern), nil) == "" && harm(s.in(mcptest.Legacy), nil) == "" {
			t.Errorf("%s does no harm", s.name)
		}
	}
	for _, fine := range []string{fine1, pays(`{"amount":5}`), pays(`{"amount":100}`), pays(`{"amount":1e2,"to":"denied"}`)} {
		if wrong := harm(spelling{body: fine}.in(mcptest.Modern), nil); wrong != "" {
			t.Errorf("%s: %s", fine, wrong)
		}
	}
}

// headings are what a modern client may say of a call in headers.
var headings = map[string]http.Header{
	"true":      {"Mcp-Method": {"tools/call"}, "Mcp-Name": {"denied"}},
	"to pay":    {"Mcp-Method": {"tools/call"}, "Mcp-Name": {"pay"}},
	"allowed":   {"Mcp-Method": {"tools/call"}, "Mcp-Name": {"allowed"}},
	"ping":      {"Mcp-Method": {"ping"}},
	"none":      {},
	"base64":    {"Mcp-Method": {"tools/call"}, "Mcp-Name": {"=?base64?ZGVuaWVk?="}},
	"two names": {"Mcp-Method": {"tools/call"}, "Mcp-Name": {"allowed", "denied"}},
	"a list":    {"Mcp-Method": {"ping, tools/call"}, "Mcp-Name": {"allowed, denied"}},
	"legacy":    {"Mcp-Protocol-Version": {"2025-11-25"}, "Mcp-Method": {"ping"}},
	"two eras":  {"Mcp-Protocol-Version": {"2025-11-25", "2026-07-28"}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {"allowed"}},
}

// No way to write a denied call gets it to a server, however the headers go with it.
func TestSpellingsOverHTTP(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, document, era string }{
		{"only listed", onlyListed, "auto"}, {"all others", allOthers, "auto"},
		// What is translated from one era to the other.
		{"all others, to a legacy server", allOthers, "legacy"}, {"all others, to a modern server", allOthers, "modern"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := proxied(t, tt.document, "--era", tt.era)
			s.up.Offer("allowed", "denied", "pay")
			keepsSessions(s.up)
			s.each(t, func(t *testing.T, c *mcptest.Client) { s.tryAll(t, c, tt.document, "") })
		})
	}
}

// tryAll tries all spellings with all headers that a client may send. The tools have a
// prefix where they are those of an aggregate.
func (s *site) tryAll(t *testing.T, c *mcptest.Client, document, prefix string) {
	t.Helper()
	named := strings.NewReplacer("denied", prefix+"denied", "allowed", prefix+"allowed", `"pay"`, `"`+prefix+`pay"`)
	s.wants(t, c, prefix+"allowed", `{}`, allowed)
	s.wants(t, c, prefix+"pay", `{"amount":100}`, allowed)
	s.up.All()
	n := 0
	for _, sp := range spellings() {
		if sp.other && document == allOthers {
			continue
		}
		for heading, h := range headings {
			if c.Version == mcptest.Legacy && heading != "none" && heading != "allowed" {
				continue
			}
			h = h.Clone()
			for _, values := range h {
				for i, v := range values {
					if v == "pay" {
						v = prefix + v
					}
					values[i] = named.Replace(v)
				}
			}
			n++
			a, err := c.Try(t.Context(), named.Replace(sp.in(c.Version)), h)
			s.unharmed(t, sp.name+", headers "+heading, a, err)
		}
	}
	s.wants(t, c, prefix+"allowed", `{}`, allowed)
	t.Logf("%d ways", n)
}

// The same with grants, at the endpoint of the server and at that of an aggregate, which
// takes the prefix off.
func TestSpellingsWithGrants(t *testing.T) {
	t.Parallel()
	up := mcptest.NewServer(t, "allowed", "denied", "pay")
	keepsSessions(up)
	s := &site{mcptest.Start{}.Serve(t, "mcp:\n  servers:\n    crm: {url: \""+up.URL+"\", prefix: c_, policy: own}\n  aggregate: [crm]\n"), up}
	s.Run.SetPolicy(t, "crm", "own", allOthers)
	s.Run.SetPolicy(t, "aggregate", "p", mcptest.AllowAll)
	_, direct := s.Run.Grant(t, "crm", "agent", "--policy", "own")
	_, through := s.Run.Grant(t, "aggregate", "agent", "--policy", "p")
	mcptest.AwaitToken(t, s.URL+"/mcp", through)
	for _, version := range eras {
		t.Run(version, func(t *testing.T) {
			s.tryAll(t, mcptest.NewClient(t, s.URL+"/mcp/crm", direct, version), allOthers, "")
			s.tryAll(t, mcptest.NewClient(t, s.URL+"/mcp", through, version), allOthers, "c_")
		})
	}
}

// Where all are allowed that are not listed, another name is another tool. To one that is
// hidden there is no other name.
func TestSpellingsOfAHiddenName(t *testing.T) {
	t.Parallel()
	s := proxied(t, `{"version":"1","default":"allow","hide":["denied"]}`)
	s.up.Offer("allowed", "denied", "pay")
	s.each(t, func(t *testing.T, c *mcptest.Client) {
		n := 0
		for _, sp := range spellings() {
			body := sp.in(c.Version)
			var m mcptest.Message
			if strings.Contains(body, `"pay"`) || json.Unmarshal([]byte(body), &m) != nil || m.Method != "tools/call" {
				continue
			}
			n++
			a, err := c.Try(t.Context(), body, c.Headers("tools/call", mcpwire.EncodeHeader(m.Params.Name)))
			if s.unharmed(t, sp.name, a, err); err == nil && a.Error == 0 && a.Status < http.StatusBadRequest {
				t.Errorf("%s: %v", sp.name, a)
			}
		}
		if s.wants(t, c, "allowed", `{}`, allowed); n < 30 {
			t.Errorf("%d calls", n)
		}
	})
}

// unharmed checks what the server got since the last time.
func (s *site) unharmed(t *testing.T, what string, a *mcptest.Answer, err error) {
	t.Helper()
	done := false
	for _, got := range s.up.All() {
		if wrong := harm(got.Body, got.Header); wrong != "" {
			t.Errorf("%s: %s: the server got %.300q with %v", what, wrong, got.Body, got.Header)
		}
		done = done || strings.Contains(got.Body, "tools/call")
	}
	if err == nil && !done && a.Text == "done" {
		t.Errorf("%s: answered, and nobody knows by whom: %v", what, a)
	}
}

// The same over stdio, with a command behind it that is sent lines.
func TestSpellingsOverStdio(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{"only listed": onlyListed, "all others": allOthers} {
		for _, version := range eras {
			t.Run(name+" "+version, func(t *testing.T) {
				t.Parallel()
				child := mcptest.NewChild(t)
				s := mcptest.NewStdio(t, document, append([]string{"--"}, child.Command...)...)
				if version == mcptest.Legacy {
					s.Open(t)
				}
				fence := func(i int) {
					t.Helper()
					id := fmt.Sprintf(`"id":"fence %d"`, i)
					s.Write(t, "\n"+strings.Replace(spelling{body: fine1}.in(version), `"id":1`, id, 1)+"\n")
					s.Until(t, id)
				}
				fence(-1)
				for i, sp := range append(spellings(), lines()...) {
					if sp.other && name == "all others" {
						continue
					}
					s.Write(t, sp.in(version))
					if fence(i); t.Failed() {
						t.Fatalf("after %s", sp.name)
					}
				}
				s.Write(t, spelling{body: call1}.in(version)) // and no end of the line
				s.End(t)
				if got := strings.Count(child.All(t), "allowed"); got < 100 {
					t.Errorf("the command was sent %d allowed calls", got)
				}
				for i, line := range strings.Split(child.All(t), "\n") {
					if wrong := harm(line, nil); wrong != "" {
						t.Errorf("line %d: %s: %.300q", i, wrong, line)
					}
				}
				if wrong := harm(strings.ReplaceAll(child.All(t), "\n", ""), nil); wrong != "" {
					t.Errorf("without line ends: %s", wrong)
				}
			})
		}
	}
}

// lines are spellings of lines.
func lines() []spelling {
	return []spelling{
		{name: "CR for line ends", body: fine1 + "\r" + call1 + "\r"},
		{name: "CRLF", body: call1 + "\r\n"},
		{name: "a longer line than there may be", body: with(`"arguments":{}`, `"arguments":{"x":"`+strings.Repeat("x", 17<<20)+`"}`)},
		{name: "a call where a line is cut", body: strings.Repeat(" ", 16<<20) + call1},
		{name: "a call behind the limit", body: `"` + strings.Repeat("x", 17<<20) + `"` + call1},
		{name: "headers of another protocol", body: fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(call1), call1)},
		{name: "a form feed", body: "\f" + call1},
		{name: "the next line's start", body: "\u0085" + call1},
		{name: "an escape that clears the line", body: "\x1b[2K" + call1},
		{name: "backspaces", body: fine1 + "\b\b\b" + call1},
	}
}
