package cli_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/cli"
	"sluice/internal/testkit/mcptest"
)

// TestPolicyTestSaysWhatTheGatewayDoes sends the calls of every example through a real
// proxy, one after the other, and compares what it does with what `policy test` says.
func TestPolicyTestSaysWhatTheGatewayDoes(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../examples/policies/*.calls.jsonl")
	if err != nil || len(files) < 9 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			s := open(t)
			document, err := os.ReadFile(strings.TrimSuffix(file, ".calls.jsonl") + ".json")
			if err != nil {
				t.Fatal(err)
			}
			p := s.file("policy.json", unheld(t, document))
			calls := callsOf(t, file)
			var lines []string
			for _, c := range calls { // at one time, of one grant
				lines = append(lines, fmt.Sprintf(`{"tool":%q,"arguments":%s}`, c.Tool, c.Arguments))
			}
			said := strings.Split(strings.TrimSpace(s.runWith(strings.Join(lines, "\n"), "policy", "test", "-p", p).stdout), "\n")
			if len(said) != len(calls) {
				t.Fatalf("%d answers to %d calls", len(said), len(calls))
			}
			done := s.relayed(p, calls)
			for i := range calls {
				var a verdict
				if err := json.Unmarshal([]byte(said[i]), &a); err != nil {
					t.Fatal(err)
				}
				if a.Code == "hidden" { // to a client it is a tool that is not there
					a.Code, a.Rule = "default_deny", "(default deny)"
				}
				if done[i] != a {
					t.Errorf("%s\nthe gateway: %+v\npolicy test: %+v", lines[i], done[i], a)
				}
			}
		})
	}
}

// verdict is what both say of a call.
type verdict struct{ Decision, Code, Rule string }

type exampleCall struct {
	Tool      string
	Arguments json.RawMessage
}

func callsOf(t *testing.T, file string) (calls []exampleCall) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var c exampleCall
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		calls = append(calls, c)
	}
	return calls
}

// unheld is a policy whose approvals hold no call.
func unheld(t *testing.T, document []byte) string {
	t.Helper()
	var d map[string]any
	if err := json.Unmarshal(document, &d); err != nil {
		t.Fatal(err)
	}
	for _, tool := range d["tools"].(map[string]any) {
		rules, _ := tool.(map[string]any)["approve_if"].([]any)
		for _, r := range rules {
			r.(map[string]any)["wait_seconds"] = 0
		}
	}
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// relayed sends calls through a proxy, each after the answer to the one before.
func (s *shop) relayed(policy string, calls []exampleCall) []verdict {
	s.t.Helper()
	var names []string
	for _, c := range calls {
		names = append(names, c.Tool)
	}
	up := mcptest.NewServer(s.t, names...)
	in, send := io.Pipe()
	receive, out := io.Pipe()
	ended := make(chan int, 1)
	var errs bytes.Buffer
	go func() {
		code := cli.Main(s.t.Context(), cli.Process{
			Args:  []string{"--state-dir", filepath.Join(s.dir, "state"), "proxy", "-p", policy, "--upstream", up.URL},
			Stdin: in, Stdout: out, Stderr: &errs, Now: clock,
		})
		_ = out.Close()
		ended <- code
	}()
	answers := bufio.NewScanner(receive)
	var done []verdict
	for i, c := range calls {
		if _, err := io.WriteString(send, modernCall(i, c.Tool, string(c.Arguments))); err != nil {
			s.t.Fatal(err)
		}
		var reply struct {
			Result struct {
				Meta struct {
					Policy *verdict `json:"sluice/policy"`
				} `json:"_meta"`
			}
		}
		if !answers.Scan() || json.Unmarshal(answers.Bytes(), &reply) != nil {
			s.t.Fatalf("no answer to call %d: %q", i, answers.Text())
		}
		v := verdict{Decision: "allow"}
		if p := reply.Result.Meta.Policy; p != nil {
			v = *p
		}
		if v.Code == "approval_pending" {
			v.Decision = "approval"
		}
		done = append(done, v)
	}
	_ = send.Close()
	if code := <-ended; code != 0 {
		s.t.Errorf("the proxy ended with %d: %s", code, errs.String())
	}
	return done
}
