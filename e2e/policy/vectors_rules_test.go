package policy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/testkit/mcptest"
)

func TestVector01GrantWithoutPolicy(t *testing.T) {
	t.Parallel()
	s := accounts(t)
	_, token := s.Run.Grant(t, "crm", "new")
	c := s.as(t, token)
	s.wants(t, c, "a", `{}`, "no_policy", "(no policy)")
	s.wants(t, c, "none", `{"x":1}`, "no_policy", "(no policy)")
}

func TestVector02DefaultDeny(t *testing.T) {
	t.Parallel()
	s := proxied(t, tools(`"a":{}`))
	s.each(t, func(t *testing.T, c *mcptest.Client) {
		s.wants(t, c, "a", `{}`, allowed)
		a := s.wants(t, c, "b", `{}`, "default_deny", "(default deny)")
		if !strings.HasPrefix(a.Text, "[POLICY DENIED] ") || (a.ResultType == "complete") != (c.Version == mcptest.Modern) {
			t.Errorf("%v", a)
		}
	})
}

// On the wire a hidden tool is one that is not there; the log says what it is.
func TestVector03Hidden(t *testing.T) {
	t.Parallel()
	s := proxied(t, `{"version":"1","default":"deny","hide":["b"],"tools":{"a":{},"b":{}}}`)
	s.each(t, func(t *testing.T, c *mcptest.Client) {
		s.wants(t, c, "b", `{}`, "default_deny", "(default deny)")
		if names := listed(t, c); strings.Join(names, " ") != "a c" {
			t.Errorf("listed: %v", names)
		}
	})
	records := s.recorded(t, "--tool", "b")
	for _, r := range records {
		if r.Code != "hidden" || r.Rule != "(hidden)" {
			t.Errorf("%+v", r)
		}
	}
	if len(records) != len(eras) {
		t.Errorf("%d records", len(records))
	}
	all := proxied(t, `{"version":"1","default":"allow","hide":["*"],"tools":{"a":{}}}`)
	all.each(t, func(t *testing.T, c *mcptest.Client) {
		if names := listed(t, c); len(names) > 0 {
			t.Errorf("listed: %v", names)
		}
		for _, tool := range []string{"a", "b", "none"} { // as a server answers that has no tool
			if a := c.Call(t.Context(), t, tool, `{}`); a.Error != -32602 || len(all.up.Calls()) > 0 {
				t.Errorf("%s: %v", tool, a)
			}
		}
	})
}

// listed are the names in the first page of tools/list.
func listed(t *testing.T, c *mcptest.Client) (names []string) {
	t.Helper()
	a := c.Send(t.Context(), t, c.Request("tools/list", ""), c.Headers("tools/list", ""))
	var m struct {
		Result struct{ Tools []struct{ Name string } }
	}
	if err := json.Unmarshal([]byte(a.Body), &m); err != nil || a.Error != 0 {
		t.Fatalf("tools/list: %v", a)
	}
	for _, tool := range m.Result.Tools {
		names = append(names, tool.Name)
	}
	return names
}

func TestVector04HiddenAndUnlisted(t *testing.T) {
	t.Parallel()
	s := proxied(t, `{"version":"1","default":"deny","hide":["b"],"tools":{"a":{}}}`)
	s.wants(t, s.client(t), "b", `{}`, "default_deny")
	if r := s.recorded(t); len(r) != 1 || r[0].Code != "hidden" || r[0].Rule != "(hidden)" {
		t.Errorf("%+v", r)
	}
}

func TestVector05NamesAreExact(t *testing.T) {
	t.Parallel()
	s := proxied(t, tools(`"tool_a":{}`))
	s.up.Offer("tool_a", "Tool_A")
	s.each(t, func(t *testing.T, c *mcptest.Client) {
		s.wants(t, c, "tool_a", `{}`, allowed)
		s.wants(t, c, "Tool_A", `{}`, "default_deny", "(default deny)")
	})
}

func TestVector06EmptyConditionsDeny(t *testing.T) {
	t.Parallel()
	s := proxied(t, tools(`"a":{"deny_if":[{"conditions":[],"on_deny":"Not on Fridays."}]}`))
	s.each(t, func(t *testing.T, c *mcptest.Client) {
		for _, arguments := range []string{`{}`, `{"x":null}`} {
			if a := s.wants(t, c, "a", arguments, "denied", "/tools/a/deny_if/0"); a.Text != "[POLICY DENIED] Not on Fridays." {
				t.Errorf("it says %q", a.Text)
			}
		}
	})
}

// decisions are arguments of the tool a and what is decided of them.
type decisions []struct{ arguments, code string }

func (s *site) decide(t *testing.T, d decisions) {
	t.Helper()
	s.each(t, func(t *testing.T, c *mcptest.Client) {
		for _, tt := range d {
			s.wants(t, c, "a", tt.arguments, tt.code)
		}
	})
}

func TestVector07GreaterThan(t *testing.T) {
	t.Parallel()
	s := proxied(t, tools(`"a":{"deny_if":[{"conditions":[{"path":"args.amount","op":"gt","value":100}]}]}`))
	s.decide(t, decisions{
		{`{"amount":100}`, allowed}, {`{"amount":100.01}`, "denied"}, {`{"amount":1e2}`, allowed},
		{`{"amount":"500"}`, "denied"}, {`{"amount":null}`, "denied"}, {`{}`, "denied"},
	})
}

func TestVector08EqualTrue(t *testing.T) {
	t.Parallel()
	deny := proxied(t, tools(`"a":{"deny_if":[{"conditions":[{"path":"args.force","op":"eq","value":true}]}]}`))
	deny.decide(t, decisions{{`{"force":true}`, "denied"}, {`{"force":"true"}`, "denied"}, {`{}`, allowed}, {`{"force":false}`, allowed}})
	require := proxied(t, tools(`"a":{"require":[{"conditions":[{"path":"args.force","op":"eq","value":true}]}]}`))
	require.decide(t, decisions{{`{"force":"true"}`, "require_failed"}, {`{}`, "require_failed"}, {`{"force":true}`, allowed}})
}

func TestVector09NotInAbsent(t *testing.T) {
	t.Parallel()
	for section, code := range map[string]string{"require": "require_failed", "deny_if": "denied"} {
		s := proxied(t, tools(`"a":{%q:[{"conditions":[{"path":"args.to","op":"not_in","value":["x"]}]}]}`, section))
		s.decide(t, decisions{{`{}`, code}, {`{"to":null}`, code}})
	}
}

func TestVector10PathsThatLeadNowhere(t *testing.T) {
	t.Parallel()
	s := proxied(t, tools(`"a":{"require":[{"conditions":[{"path":"args.x.y","op":"exists","value":true}]}]}`))
	s.decide(t, decisions{{`{"x":"y"}`, "require_failed"}, {`{"x.y":1}`, "require_failed"}, {`{"x":{"y":1}}`, allowed}})
}

func TestVector11RegexIsNotAnchored(t *testing.T) {
	t.Parallel()
	document := tools(`"a":{"deny_if":[{"conditions":[{"path":"args.branch","op":"regex","value":"main"}]}]}`)
	s := proxied(t, document)
	s.decide(t, decisions{{`{"branch":"domain"}`, "denied"}, {`{"branch":"develop"}`, allowed}})
	_, out := s.Run("policy", "validate", file(t, document))
	if !strings.Contains(out, "W_REGEX_UNANCHORED") {
		t.Errorf("who writes it is not warned: %s", out)
	}
}

// file writes a document to a file.
func file(t *testing.T, document string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "document.json")
	if err := os.WriteFile(name, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestVector12RequireComesFirst(t *testing.T) {
	t.Parallel()
	s := proxied(t, tools(`"a":{"deny_if":[{"conditions":[{"path":"args.n","op":"gt","value":1}]}],"require":[{"conditions":[{"path":"args.to","op":"exists","value":true}]}]}`))
	c := s.client(t)
	s.wants(t, c, "a", `{"n":2}`, "require_failed", "/tools/a/require/args.to-exists")
	s.wants(t, c, "a", `{"n":2,"to":"x"}`, "denied", "/tools/a/deny_if/args.n-gt")
	s.wants(t, c, "a", `{"n":1,"to":"x"}`, allowed)
}

func TestVector30UnknownKeys(t *testing.T) {
	t.Parallel()
	s := accounts(t)
	_, env := mcptest.Environment(t)
	alone := mcptest.RunWith(t, env)
	for _, tt := range []struct{ name, document, code, pointer string }{
		{"an unknown key", `{"version":"1","default":"deny","tools":{"a":{"deny_iff":[]}}}`, "E_UNKNOWN_FIELD", "/tools/a/deny_iff"},
		{"a key twice", `{"version":"1","default":"deny","tools":{"a":{},"a":{}}}`, "E_DUP_KEY", "/tools/a"},
		{"a version that is a number", `{"version":1,"default":"deny"}`, "E_VERSION", "/version"},
	} {
		name := file(t, tt.document)
		for what, args := range map[string][]string{
			"validate": {"policy", "validate", name},
			"set":      {"policy", "set", "crm", "p", name},
			"proxy":    {"proxy", "-p", name, "--listen", "127.0.0.1:0", "--upstream", s.up.URL},
		} {
			run := s.Run
			if what == "proxy" {
				run = alone
			}
			if exit, out := run(args...); exit == 0 || !strings.Contains(out, tt.code) || !strings.Contains(out, tt.pointer) {
				t.Errorf("%s, %s: exit %d, %s", tt.name, what, exit, out)
			}
		}
	}
	var list []struct{ Name string }
	if s.Run.JSON(t, &list, "policy", "list", "crm"); len(list) > 0 {
		t.Errorf("saved: %v", list)
	}
}
