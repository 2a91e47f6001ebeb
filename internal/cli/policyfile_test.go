package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/internal/testkit/everything"
	"sluice/policy"
)

const sendPolicy = `{"version":"1","default":"deny","tools":{
  "send":{"require":[{"conditions":[{"path":"args.amount","op":"exists","value":true}],"on_deny":"Name an amount."}],
          "deny_if":[{"conditions":[{"path":"args.amount","op":"gt","value":100}],"on_deny":"Too much."}],
          "limits":[{"counter":"sends","window":"minute","max":2,"scope":"grant"}]},
  "ask":{"approve_if":[{"conditions":[]}]}}}`

func TestPolicyTestAnswersEveryLineInItsPlace(t *testing.T) {
	t.Parallel()
	s := open(t)
	p := s.file("policy.json", sendPolicy)
	calls := strings.Join([]string{
		`{"tool":"send","arguments":{"amount":10}}`,
		``,
		`{"tool":"send","arguments":{"amount":10,"amount":1}}`,
		`{"tool":"send","arguments":{"amount":"10"}}`,
		`{"tool":"send","arguments":{"amount":1e2}}`,
		`{"tool":"send","arguments":{"amount":3}}`,
		`{"tool":"send","arguments":{"amount":3},"grant":"b"}`,
		`{"tool":"send","arguments":{"amount":3},"at":"2026-11-21T12:01:00Z"}`,
		`{"tool":"ask"}`,
		`{"tool":"none"}`,
	}, "\n")
	want := []string{"allow ", "deny invalid_json", "deny denied", "allow ", "deny limit_exceeded", "allow ", "allow ", "approval approval_pending", "deny default_deny"}
	for name, o := range map[string]outcome{
		"stdin": s.runWith(calls, "policy", "test", "-p", p, "--json"),
		"dash":  s.runWith(calls+"\n", "policy", "test", "-p", p, "-"),
		"file":  s.run("policy", "test", "-p", p, s.file("calls.jsonl", calls)),
	} {
		if o.code != 0 || o.stderr != "" {
			t.Errorf("%s: exit %d, %s", name, o.code, o.stderr)
		}
		var got []string
		for line := range strings.Lines(o.stdout) {
			var a struct{ Decision, Code, Rule, Message *string }
			if err := json.Unmarshal([]byte(line), &a); err != nil || a.Decision == nil || a.Code == nil || a.Rule == nil || a.Message == nil {
				t.Fatalf("%s: %v in %s", name, err, line)
			}
			got = append(got, *a.Decision+" "+*a.Code)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got  %q\nwant %q", name, got, want)
		}
	}
	o := s.runWith(calls, "policy", "test", "-p", p, "--format", "table")
	has(t, o.stdout, "line  tool", "/tools/send/deny_if/args.amount-gt", "Too much.")
}

func TestPolicyTestNeedsWhatItReads(t *testing.T) {
	t.Parallel()
	s := open(t)
	p := s.file("policy.json", sendPolicy)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"test"}, 2, "-p policy.json"},
		{[]string{"test", "-p", s.dir + "/none.json"}, 3, "none.json can't be opened"},
		{[]string{"test", "-p", p, s.dir + "/none.jsonl"}, 3, "none.jsonl can't be opened"},
		{[]string{"test", "-p", "-"}, 2, "both the policy and the calls"},
		{[]string{"test", "-p", p, "--format", "xml"}, 2, "--format"},
		{[]string{"test", "-p", s.file("bad.json", `{"version":"1","default":"deny","tools":{"a":{"denyif":[]}}}`)}, 2, "E_UNKNOWN_FIELD /tools/a/denyif"},
		{[]string{"explain", "-p", p}, 2, "--tool"},
		{[]string{"explain", "-p", p, "--tool", "send", "--arguments", `[1]`}, 2, "not an object"},
		{[]string{"explain", "-p", p, "--tool", "send", "--arguments", `{"a":1,"a":2}`}, 2, "--arguments"},
		{[]string{"explain", "-p", p, "--tool", "send", "--arguments", "-"}, 2, "holds no arguments"},
		{[]string{"validate"}, 2, "needs a policy"},
		{[]string{"import"}, 2, "one file"},
		{[]string{"scaffold"}, 2, "one place to get tools from, not 0"},
		{[]string{"scaffold", "--server", "a", "--upstream", "http://127.0.0.1/mcp"}, 2, "not 2"},
		{[]string{"scaffold", "--server", "a"}, 2, "there is no server a"},
		{[]string{"scaffold", "--upstream", "http://" + closed(t) + "/mcp"}, 3, "can't be reached"},
		{[]string{"replay"}, 2, "-p policy.json"},
		{[]string{"replay", "-p", p, "--since", "tomorrow-ish"}, 2, "--since"},
		{[]string{"replay", "-p", p, "--policy", "x"}, 2, "--server"},
	} {
		o := s.run(append([]string{"policy"}, c.args...)...)
		if o.code != c.code {
			t.Errorf("%q: exit %d, want %d", c.args, o.code, c.code)
		}
		has(t, o.stderr, c.want)
	}
}

func TestPolicyValidateListsAllFaultsOfAllFiles(t *testing.T) {
	t.Parallel()
	s := open(t)
	good := s.file("good.json", sendPolicy)
	bad := s.file("bad.json", "{\"version\":1,\n \"default\":\"deny\",\n \"tols\":{}}")
	o := s.run("policy", "validate", bad, good, filepath.Join(s.dir, "none.json"))
	if o.code != 2 {
		t.Errorf("exit %d", o.code)
	}
	has(t, o.stdout, bad+":1:2: E_VERSION /version", bad+":3:2: E_UNKNOWN_FIELD /tols", "`tools`", "valid: "+good+"; it uses extensions", "none.json can't be opened")
	has(t, o.stderr, "2 of 3 policies can't be used")

	o = s.run("policy", "validate", "--json", bad, good)
	lines := strings.Split(strings.TrimSpace(o.stdout), "\n")
	if len(lines) != 2 || o.code != 2 {
		t.Fatalf("exit %d\n%s", o.code, o.stdout)
	}
	var doc struct {
		OK     bool
		Faults []struct {
			Code, Pointer string
			Line, Column  int
		}
	}
	if err := json.Unmarshal([]byte(lines[0]), &doc); err != nil || doc.OK || len(doc.Faults) != 2 || doc.Faults[1].Pointer != "/tols" || doc.Faults[1].Line != 3 {
		t.Errorf("%v %+v", err, doc)
	}
	if o := s.runWith(sendPolicy, "policy", "validate", "-"); o.code != 0 {
		t.Errorf("standard input: exit %d\n%s", o.code, o.stdout)
	}
}

func TestPolicyValidateWritesShorthandsOut(t *testing.T) {
	t.Parallel()
	s := open(t)
	p := s.file("policy.json", `{"tools":{"a":{"rate_limit":{"max":10,"window":60}},"b":{"action":"deny","reason":"No."}},"version":"1","default":"deny"}`)
	o := s.run("policy", "validate", "--write", p)
	if o.code != 0 {
		t.Fatalf("exit %d\n%s", o.code, o.stdout)
	}
	has(t, o.stdout, "N_RATE_LIMIT", "N_ACTION", "written: the canonical form")
	text, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	has(t, string(text), `"counter": "a_rate"`, `"window": "minute"`, `"conditions": []`, `"No."`)
	lacks(t, string(text), "rate_limit", "action")
	if _, faults := policy.Parse(text); len(faults) > 0 {
		t.Errorf("what was written has faults: %v", faults)
	}
	again := s.run("policy", "validate", "--write", p)
	lacks(t, again.stdout, "written")
	if info, err := os.Stat(p); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the mode of the file changed: %v %v", info.Mode(), err)
	}
	names, _ := filepath.Glob(filepath.Join(s.dir, ".policy-*"))
	if len(names) > 0 {
		t.Errorf("left behind: %q", names)
	}
	if o := s.runWith(sendPolicy, "policy", "validate", "--write", "-"); o.code != 2 {
		t.Errorf("standard input can't be written to: exit %d", o.code)
	}
}

func TestPolicyValidateKnowsTheToolsOfAServer(t *testing.T) {
	t.Parallel()
	s := open(t)
	p := s.file("policy.json", sendPolicy)
	o := s.run("policy", "validate", "--tools", s.file("tools.json", `{"tools":[{"name":"send"}]}`), p)
	if o.code != 0 {
		t.Errorf("exit %d", o.code)
	}
	has(t, o.stdout, "W_UNKNOWN_TOOL /tools/ask")
	lacks(t, o.stdout, "W_UNKNOWN_TOOL /tools/send")
}

func TestPolicyExplainNamesTheConditionAndNoValue(t *testing.T) {
	t.Parallel()
	s := open(t)
	p := s.file("policy.json", sendPolicy)
	args := s.file("args.json", `{"amount":"four-hundred"}`)
	o := s.run("policy", "explain", "-p", p, "--tool", "send", "--arguments", "@"+args)
	has(t, o.stdout, "args.amount exists true: true", "args.amount gt 100: unknown (a string, not a number)", "denied [denied]: Too much.")
	lacks(t, o.stdout, "four-hundred")
	o = s.runWith(`{"amount":1}`, "policy", "explain", "-p", p, "--tool", "send", "--arguments", "-")
	has(t, o.stdout, "at most 2 calls", "allowed")
	o = s.run("policy", "explain", "-p", p, "--tool", "ask", "--json")
	var doc struct {
		Decision, Rule string
		Steps          []struct{ Stage, Result string }
	}
	if err := json.Unmarshal([]byte(o.stdout), &doc); err != nil || doc.Decision != "approval" || len(doc.Steps) < 3 {
		t.Errorf("%v %s", err, o.stdout)
	}
}

func TestPolicyScaffoldAsksServersOfBothEras(t *testing.T) {
	t.Parallel()
	s := open(t)
	srv := httptest.NewServer(everything.New().Handler())
	t.Cleanup(srv.Close)
	config := s.file("sluice.yaml", "mcp:\n  servers:\n    tools: {url: \""+srv.URL+"/mcp\", allow_private: true}\n")
	if o := s.run("server", "add", "added", "--url", srv.URL+"/mcp"); o.code != 0 {
		t.Fatalf("server add: %s", o.stderr)
	}
	var documents []string
	for name, args := range map[string][]string{
		"modern": {"--upstream", srv.URL + "/mcp", "--era", "modern"},
		"legacy": {"--upstream", srv.URL + "/mcp", "--era", "legacy"},
		"server": {"--server", "tools"},
		"added":  {"--server", "added"},
	} {
		o := s.run(append([]string{"--config", config, "policy", "scaffold"}, args...)...)
		if o.code != 0 {
			t.Errorf("%s: exit %d\n%s", name, o.code, o.stderr)
			continue
		}
		if doc, faults := policy.Parse([]byte(o.stdout)); doc == nil || len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
		has(t, o.stdout, `"default": "deny"`, `"echo": {}`)
		has(t, o.stderr, "tool", "Read", "why")
		documents = append(documents, o.stdout)
	}
	if len(slices.Compact(documents)) != 1 {
		t.Error("the documents differ")
	}
}

func TestPolicyScaffoldWritesANewFile(t *testing.T) {
	t.Parallel()
	s := open(t)
	tools := s.file("tools.json", `{"tools":[{"name":"send_mail"},{"name":"delete_mail"},{"name":"widget"}]}`)
	out := filepath.Join(s.dir, "policy.json")
	o := s.run("policy", "scaffold", "--definitions", tools, "-o", out)
	if o.code != 0 || o.stdout != "" {
		t.Fatalf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	has(t, o.stderr, "delete_mail", "hidden", "1 tool to look at", "sluice policy explain -p")
	if o := s.run("policy", "scaffold", "--definitions", tools, "-o", out); o.code != 2 {
		t.Errorf("a file that is there was overwritten: exit %d", o.code)
	}
	o = s.run("policy", "scaffold", "--definitions", tools, "--json")
	var doc struct {
		Document json.RawMessage
		Tools    []struct{ Tool, Kind, Why, Rule string }
	}
	if err := json.Unmarshal([]byte(o.stdout), &doc); err != nil || len(doc.Tools) != 3 || doc.Tools[0].Kind != "Destructive" || doc.Tools[0].Why == "" {
		t.Errorf("%v %s", err, o.stdout)
	}
}

func TestPolicyImportTellsTheDifferenceInReach(t *testing.T) {
	t.Parallel()
	s := open(t)
	y := s.file("intercept.yaml", "version: \"1\"\ntools:\n  a: {rules: [{name: x, rate_limit: 5/minute}]}\n  b: {rules: [{name: x, conditions: [{path: state.a.n, op: lt, value: 3}]}]}\n")
	out := filepath.Join(s.dir, "policy.json")
	o := s.run("policy", "import", y, "-o", out)
	if o.code != 0 {
		t.Fatalf("exit %d\n%s", o.code, o.stderr)
	}
	has(t, o.stdout, "limited  denied   changed", "intercept.yaml:4: b:", "Changed: 1 tool of 2.")
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if doc, faults := policy.Parse(text); doc == nil {
		t.Errorf("%v", faults)
	}
	o = s.run("policy", "import", s.file("bad.yaml", "version: \"1\"\ndefualt: deny\n"))
	if o.code != 2 || o.stdout != "" {
		t.Errorf("exit %d\n%s", o.code, o.stdout)
	}
	has(t, o.stderr, "bad.yaml:2:1", "did you mean default?")
}

// modernCall is a call of a client of the modern era, on one line.
func modernCall(id int, tool, arguments string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s,"_meta":{`+
		`"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},`+
		`"io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"}}}}`+"\n", id, tool, arguments)
}

// TestPolicyReplayJudgesWhatAProxyRecorded sends calls through a proxy and judges them
// anew, in another process's place.
func TestPolicyReplayJudgesWhatAProxyRecorded(t *testing.T) {
	t.Parallel()
	s := open(t)
	srv := httptest.NewServer(everything.New().Handler())
	t.Cleanup(srv.Close)
	p := s.file("policy.json", `{"version":"1","default":"deny","tools":{"echo":{},"add":{}}}`)
	o := s.runWith(modernCall(1, "echo", `{"message":"a"}`)+modernCall(2, "echo", `{"message":"b"}`)+modernCall(3, "nothing", `{}`),
		"proxy", "-p", p, "--record-arguments", "encrypted", "--upstream", srv.URL+"/mcp")
	if o.code != 0 || strings.Count(o.stdout, `"result"`) != 3 {
		t.Fatalf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	next := s.file("next.json", `{"version":"1","default":"allow","tools":{"echo":{"deny_if":[{"conditions":[{"path":"args.message","op":"eq","value":"b"}]}]}}}`)
	o = s.run("policy", "replay", "-p", next, "--server", "default", "--policy", "policy", "--json")
	var doc struct {
		Calls       int
		Changed     int
		AllowToDeny int `json:"allow_to_deny"`
		DenyToAllow int `json:"deny_to_allow"`
		CannotTell  int `json:"cannot_tell"`
		Summary     string
	}
	if err := json.Unmarshal([]byte(o.stdout), &doc); err != nil {
		t.Fatalf("%v\n%s%s", err, o.stdout, o.stderr)
	}
	if doc.Calls != 3 || doc.AllowToDeny != 1 || doc.DenyToAllow != 1 || doc.CannotTell != 0 || doc.Summary != "1 grant, 2 calls would change" {
		t.Errorf("%+v", doc)
	}
	lacks(t, o.stdout, `"b"`)
	o = s.run("policy", "replay", "-p", next)
	has(t, o.stdout, "3 calls, from", "allow → deny", "deny → allow", "/tools/echo/deny_if/args.message-eq")
	o = s.run("policy", "replay", "-p", next, "--server", "elsewhere")
	has(t, o.stdout, "No calls were recorded")
}
