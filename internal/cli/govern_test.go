package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/cli"
)

// decode reads the document that a command printed.
func decode[T any](t *testing.T, o outcome) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(o.stdout), &v); err != nil || o.code != 0 {
		t.Fatalf("exit %d, %v\n%s%s", o.code, err, o.stdout, o.stderr)
	}
	return v
}

// fine runs a command that has to succeed.
func (s *shop) fine(args ...string) outcome {
	s.t.Helper()
	o := s.run(args...)
	if o.code != 0 {
		s.t.Fatalf("%v: exit %d\n%s%s", args, o.code, o.stdout, o.stderr)
	}
	return o
}

type confirmable struct {
	Confirm string `json:"confirm"`
}

// setPolicy previews a document and makes it.
func (s *shop) setPolicy(server, name, document string, more ...string) outcome {
	s.t.Helper()
	args := append([]string{"policy", "set", server, name, s.file("policy.json", document)}, more...)
	v := decode[confirmable](s.t, s.run(append(args, "--json")...))
	return s.fine(append(args, "--confirm", v.Confirm)...)
}

func TestGovernedFromTheCommandLine(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.fine("server", "add", "crm", "--url", "https://crm.example.com/mcp")
	doc := `{"version":"1","default":"deny","tools":{"send":{"limits":[{"counter":"sends","window":"hour","max":10,"scope":"grant"}]}}}`
	o := s.fine("policy", "set", "crm", "agents", s.file("policy.json", doc))
	has(t, o.stdout, "crm/agents", "new", "+ /tools", "--confirm ")
	has(t, s.fine("policy", "list").stdout, "No policies")
	has(t, s.setPolicy("crm", "agents", doc, "--reason", "first").stdout, "at version 1, mode enforce")

	o = s.fine("grant", "add", "crm", "ci", "--policy", "agents")
	token := strings.TrimSpace(o.stdout)
	if !strings.HasPrefix(token, "slg_") || strings.ContainsAny(token, " \n") {
		t.Errorf("stdout is not the token alone: %q", o.stdout)
	}
	has(t, o.stderr, "crm/ci", "only time")
	has(t, s.fine("grant", "list").stdout, "crm/ci", "agents", "until 2027-02-19", "owner")
	lacks(t, s.fine("grant", "list", "--json").stdout, "slg_", "mac")
	has(t, s.fine("grant", "add", "crm", "bare").stderr, "every call is denied", "grant attach crm/bare")

	o = s.fine("policy", "set", "crm", "agents", s.file("policy.json", strings.Replace(doc, "10", "20", 1)))
	has(t, o.stdout, "version 1 → 2", "~ /tools/send/limits/sends-per-hour", `"max":10`, `"max":20`, "1 grant: ci")
	if o := s.run("policy", "set", "crm", "agents", s.file("policy.json", doc), "--confirm", "0000", "--mode", "observe"); o.code != 4 || !strings.Contains(o.stderr, "change_stale") {
		t.Errorf("a hash that nobody was shown: exit %d\n%s", o.code, o.stderr)
	}
	s.setPolicy("crm", "agents", strings.Replace(doc, "10", "20", 1))
	has(t, s.fine("policy", "diff", "crm", "agents").stdout, "version 1 → 2", "sends-per-hour")
	v := decode[confirmable](t, s.run("policy", "rollback", "crm", "agents", "1", "--json"))
	s.fine("policy", "rollback", "crm", "agents", "1", "--confirm", v.Confirm, "--reason", "too many")
	has(t, s.fine("policy", "versions", "crm", "agents").stdout, "back to version 1: too many", "first")
	has(t, s.fine("policy", "show", "crm", "agents").stdout, `"max": 10`)
	v = decode[confirmable](t, s.run("policy", "mode", "crm", "agents", "observe", "--json"))
	has(t, s.fine("policy", "mode", "crm", "agents", "observe", "--confirm", v.Confirm).stdout, "version 3, mode observe")
	has(t, s.fine("policy", "list", "crm").stdout, "crm/agents", "observe", "ci")

	if o := s.run("policy", "remove", "crm", "agents"); o.code != 4 || !strings.Contains(o.stderr, "in_use") {
		t.Errorf("removing what is used: exit %d\n%s", o.code, o.stderr)
	}
	second := strings.TrimSpace(s.fine("grant", "rotate", "crm/ci").stdout)
	if second == token || !strings.HasPrefix(second, token[:30]) {
		t.Errorf("rotating gave %q after %q", second[:30], token[:30])
	}
	has(t, s.fine("grant", "set", "crm/ci", "--expires", "never", "--scopes", "mcp:read").stdout, "live", "mcp:read")
	has(t, s.fine("grant", "attach", "crm/ci", "--none").stdout, "every call is denied")
	has(t, s.fine("grant", "revoke", "crm/ci", "--reason", "done").stdout, "Revoked crm/ci")
	lacks(t, s.fine("grant", "list").stdout, "crm/ci")
	has(t, s.fine("grant", "list", "--revoked").stdout, "crm/ci", "revoked 2026-11-21")
	s.fine("policy", "remove", "crm", "agents")
	if o := s.run("server", "remove", "crm"); o.code != 4 || !strings.Contains(o.stderr, "crm/NAME") {
		t.Errorf("a server with a grant: exit %d\n%s", o.code, o.stderr)
	}
	s.fine("grant", "revoke", "crm/bare")
	s.fine("server", "remove", "crm")
	has(t, s.fine("server", "list").stdout, "No servers")
	log := s.fine("audit", "tail", "--json").stdout
	has(t, log, "server.add", "policy.set", "grant.add", "grant.rotate", "grant.revoke", "policy.remove", "server.remove", "too many")
	lacks(t, log, "slg_")
	s.fine("audit", "verify")
}

func TestServersOfTheConfigurationAreGoverned(t *testing.T) {
	t.Parallel()
	s := open(t)
	config := s.file("sluice.yaml", "mcp:\n  servers:\n    crm: {url: 'https://crm.example.com/mcp'}\n    ads: {command: [ads-mcp]}\n  aggregate: [crm, ads]\n")
	s.fine("--config", config, "grant", "add", "crm", "ci")
	s.fine("--config", config, "grant", "add", "aggregate", "all")
	if o := s.run("--config", config, "server", "set", "crm", "--url", "https://other.example.com/mcp"); o.code != 4 || !strings.Contains(o.stderr, "sluice.yaml") {
		t.Errorf("a server of sluice.yaml: exit %d\n%s", o.code, o.stderr)
	}
	s.fine("server", "add", "more", "--url", "https://more.example.com/mcp")
	o := s.fine("--config", config, "server", "list")
	has(t, o.stdout, "crm", "ads", "more", "server add", "sluice.yaml")
	s.fine("server", "add", "near", "--url", "http://"+closed(t)+"/mcp")
	if o := s.run("--config", config, "server", "check", "near"); o.code != 3 || !strings.Contains(o.stdout, "connection refused") {
		t.Errorf("checking a server that was made here: exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	if n := strings.Count(o.stdout, "\n"); n != 4 {
		t.Errorf("%d lines:\n%s", n, o.stdout)
	}
}

func TestApplyFromTheCommandLine(t *testing.T) {
	t.Parallel()
	s := open(t)
	dir := filepath.Join(s.dir, "gateway")
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("crm.yaml", "kind: server\nname: crm\nurl: https://crm.example.com/mcp\n---\nkind: policy\nserver: crm\nname: agents\ndocument: policies/agents.json\n")
	write("policies/agents.json", `{"version":"1","default":"deny"}`)
	write("grants.yaml", "kind: grant\nserver: crm\nname: ci\npolicy: agents\nexpires: never\n")
	write(".git/config.yaml", "not ours\n")
	o := s.fine("apply", "-f", dir)
	has(t, o.stdout, "+ server crm", "+ policy crm/agents  version 1, mode enforce", "+ grant crm/ci", "3 changes, 0 as they are", "--confirm ")
	v := decode[confirmable](t, s.run("apply", "-f", dir, "--json"))
	tokens := filepath.Join(s.dir, "tokens.json")
	o = s.fine("apply", "-f", dir, "--confirm", v.Confirm, "--tokens", tokens)
	has(t, o.stdout, "Applied 3 changes of \"gateway\"")
	lacks(t, o.stdout+o.stderr, "slg_")
	info, err := os.Stat(tokens)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file of tokens: %v, %v", info, err)
	}
	text, err := os.ReadFile(tokens)
	if err != nil {
		t.Fatal(err)
	}
	has(t, string(text), `"grant":"crm/ci"`, "slg_")
	has(t, s.fine("apply", "-f", dir).stdout, "Nothing would change: 3 objects as in the files.")
	if o := s.run("apply", "-f", dir, "--confirm", v.Confirm); o.code != 0 {
		t.Errorf("applying what is applied: exit %d\n%s", o.code, o.stderr)
	}
	if o := s.run("policy", "mode", "crm", "agents", "observe", "--confirm", "x"); o.code != 4 || !strings.Contains(o.stderr, "managed_by_files") {
		t.Errorf("what files own: exit %d\n%s", o.code, o.stderr)
	}
	write("policies/agents.json", `{"version":"1","default":"allow"}`)
	o = s.fine("apply", "-f", dir)
	has(t, o.stdout, "~ policy crm/agents  version 2", "~ /default", `"deny"`, `→ "allow"`, "1 change, 2 as they are")
	if o := s.run("apply", "-f", dir, "--confirm", v.Confirm); o.code != 4 || !strings.Contains(o.stderr, "change_stale") {
		t.Errorf("the hash of an earlier preview: exit %d\n%s", o.code, o.stderr)
	}
	if o := s.run("apply", "-f", dir, "--confirm", v.Confirm, "--tokens", tokens); o.code != 2 || !strings.Contains(o.stderr, "does not exist yet") {
		t.Errorf("a file of tokens that is there: exit %d\n%s", o.code, o.stderr)
	}
	write("grants.yaml", "kind: grant\nserver: crm\nname: ci\npolicy: agent\nexpires: never\n")
	if o := s.run("apply", "-f", dir); o.code != 2 || !strings.Contains(o.stderr, "grants.yaml: server crm has no policy agent") {
		t.Errorf("a policy that is not there: exit %d\n%s", o.code, o.stderr)
	}
	if err := os.Remove(filepath.Join(dir, "grants.yaml")); err != nil {
		t.Fatal(err)
	}
	has(t, s.fine("apply", "-f", dir).stdout, "grant crm/ci is not in the files any more; --prune removes it")
	has(t, s.fine("apply", "-f", dir, "--prune").stdout, "- grant crm/ci")
	one := filepath.Join(dir, "crm.yaml")
	has(t, s.fine("apply", "-f", one).stdout, "~ policy crm/agents  version 2") // its document lies beside it
	if o := s.run("apply", "-f", one, "--prune"); o.code != 2 || !strings.Contains(o.stderr, "other files of its directory") {
		t.Errorf("pruning by one file: exit %d\n%s", o.code, o.stderr)
	}
	write("notes.txt", "nothing")
	if o := s.run("apply", "-f", filepath.Join(dir, "notes.txt")); o.code == 0 {
		t.Errorf("a file that is none of ours: %s", o.stdout)
	}
}

func TestWrongCallsOfGovernance(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, tt := range []struct {
		args string
		want string
	}{
		{"grant add crm", "a server and a name for the grant"},
		{"grant add crm ci --expires soon", "--expires"},
		{"grant add crm ci", "there is no server crm"},
		{"grant add crm ci --scopes mcp:all", "there is no server crm"},
		{"grant show grt_none", "SERVER/NAME"},
		{"grant attach grt_none", "--none"},
		{"grant set grt_none", "nothing to set"},
		{"policy show crm", "a server and a policy of it"},
		{"policy set crm agents none.json", "can't be read"},
		{"policy rollback crm agents first", "number from 1 on"},
		{"policy mode crm agents off", "enforce or observe"},
		{"server add crm", "one of --url, --file and --member"},
		{"server add Crm --url https://crm.example.com/", "the name of a server"},
		{"server add crm --url ftp://crm.example.com/", "an http or https URL"},
		{"apply", "-f is needed"},
		{"apply -f none", "can't be read"},
	} {
		o := s.run(strings.Fields(tt.args)...)
		if o.code == 0 || !strings.Contains(o.stderr, tt.want) {
			t.Errorf("sluice %s: exit %d, want %q in\n%s", tt.args, o.code, tt.want, o.stderr)
		}
		if j := s.run(append(strings.Fields(tt.args), "--json")...); !json.Valid([]byte(j.stdout)) {
			t.Errorf("sluice %s --json printed %s", tt.args, j.stdout)
		}
	}
}

func TestServersPoliciesAndGrantsAreCompleted(t *testing.T) {
	t.Parallel()
	s := open(t)
	complete := func(args ...string) string {
		return cli.Completed(t.Context(), append([]string{"--state-dir", filepath.Join(s.dir, "state")}, args...)...)
	}
	lacks(t, complete("grant", "add", ""), "crm")
	if _, err := os.Stat(filepath.Join(s.dir, "state")); err == nil {
		t.Error("completing made a state directory")
	}
	s.fine("server", "add", "crm", "--url", "https://crm.example.com/mcp")
	s.setPolicy("crm", "agents", `{"version":"1","default":"deny"}`)
	s.fine("grant", "add", "crm", "ci", "--policy", "agents")
	has(t, complete("grant", "add", ""), "crm")
	has(t, complete("policy", "set", ""), "crm")
	has(t, complete("policy", "diff", "crm", ""), "agents")
	has(t, complete("policy", "mode", "crm", "agents", ""), "enforce", "observe")
	has(t, complete("grant", "revoke", ""), "crm/ci")
	has(t, complete("grant", "attach", "crm/ci", ""), "agents")
}

func TestAnOrderThatChangedIsSaid(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.fine("server", "add", "crm", "--url", "https://crm.example.com/mcp")
	s.setPolicy("crm", "agents", `{"version":"1","default":"deny","hide":["a","b"]}`)
	o := s.fine("policy", "set", "crm", "agents", s.file("policy.json", `{"version":"1","default":"deny","hide":["b","a"]}`))
	has(t, o.stdout, "version 1 → 2", "only the order")
}
