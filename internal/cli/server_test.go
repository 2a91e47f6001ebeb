package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/internal/cli"
)

// closed is an address of this machine that nobody listens on.
func closed(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestACheckSaysWhy(t *testing.T) {
	t.Parallel()
	s := open(t)
	nothing := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(nothing.Close)
	config := s.file("sluice.yaml", `mcp:
  servers:
    away: {url: "http://`+closed(t)+`/mcp"}
    other: {url: "`+nothing.URL+`/mcp"}
    program: {command: [no-such-program-anywhere, --token, hunter2]}
`)
	o := s.run("--config", config, "server", "check")
	if o.code != 3 {
		t.Errorf("exit %d", o.code)
	}
	has(t, o.stdout, `server "away" can't be reached: connection refused`, "HTTP 404", "the program is not on the PATH")
	lacks(t, o.stdout+o.stderr, "hunter2", "the upstream failed")
}

func TestACheckOfASilentServerSaysSo(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sleep"); err != nil {
		t.Skip("this system has no command that only waits")
	}
	s := open(t)
	config := s.file("sluice.yaml", "mcp:\n  servers:\n    one: {command: [sleep, '100']}\n    two: {command: [sleep, '100']}\n")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var out, errs bytes.Buffer
	code := cli.Main(ctx, cli.Process{
		Args: []string{"--state-dir", filepath.Join(s.dir, "state"), "--config", config, "server", "check"}, Env: []string{"PATH=" + os.Getenv("PATH")},
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Now: clock,
	})
	if code != 3 {
		t.Errorf("exit %d: %s", code, errs.String())
	}
	// What is left of the second when they are asked depends on the machine.
	has(t, out.String(), `server "one" did not answer within `, `server "two" did not answer within `, "run its command by hand")
	lacks(t, out.String(), "the upstream failed")
}

func TestWithoutServersThatIsSaid(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, command := range []string{"list", "check"} {
		o := s.run("--config", s.file("sluice.yaml", "dataset: x\n"), "server", command)
		has(t, o.stdout, "No servers", "mcp.servers")
		o = s.run("--config", s.file("sluice.yaml", "dataset: x\n"), "--json", "server", command)
		if strings.TrimSpace(o.stdout) != "[]" || o.code != 0 {
			t.Errorf("%s: exit %d, %s", command, o.code, o.stdout)
		}
	}
}

func TestTheListShowsCommandLinesWithoutSecrets(t *testing.T) {
	t.Parallel()
	s := open(t)
	config := s.file("sluice.yaml", `mcp:
  servers:
    files: {command: [npx, -y, "@modelcontextprotocol/server-filesystem", /data]}
    key: {command: [crm, --api-key, hunter2, --token=hunter2, --db, "postgres://me:hunter2@db/x", stdio], env: {A: {value: hunter2}}}
    long: {command: [sh, -c, "`+strings.Repeat("x", 500)+`"]}
`)
	o := s.run("--config", config, "--json", "server", "list")
	var list []struct {
		Name   string `json:"name"`
		Target string `json:"target"`
	}
	if err := json.Unmarshal([]byte(o.stdout), &list); err != nil {
		t.Fatal(err)
	}
	want := []string{"npx -y @modelcontextprotocol/server-filesystem /data", "crm --api-key … --token=… --db postgres://… stdio", "sh -c " + strings.Repeat("x", 47) + "…"}
	for i := range list {
		if list[i].Target != want[i] {
			t.Errorf("%s: %s, want %s", list[i].Name, list[i].Target, want[i])
		}
	}
}

func TestServersAreCompleted(t *testing.T) {
	t.Parallel()
	s := open(t)
	config := s.file("sluice.yaml", "mcp: {servers: {crm: {url: 'https://crm.example.com/mcp'}, ads: {url: 'https://ads.example.com/mcp'}}}\n")
	complete := func(args ...string) string {
		return cli.Completed(t.Context(), append([]string{"--config", config, "server"}, args...)...)
	}
	for _, command := range []string{"check", "login", "logout"} {
		has(t, complete(command, ""), "crm", "ads")
	}
	has(t, complete("check", "crm", ""), "ads")
	lacks(t, complete("check", "crm", ""), "crm")
	lacks(t, complete("login", "crm", ""), "ads")
	lacks(t, complete("list", ""), "ads")
}

func TestProxyFlagsAreCheckedFirst(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, tt := range []struct {
		args      []string
		want, fix string
	}{
		{[]string{"proxy", "--dir", filepath.Join(s.dir, "none"), "--", "true"}, "--dir ", "leave --dir out"},
		{[]string{"proxy", "--dir", s.file("file", ""), "--", "true"}, "--dir ", "leave --dir out"},
		{[]string{"proxy", "--listen", "8808", "--", "true"}, "--listen must be HOST:PORT", "--listen 127.0.0.1:8808"},
		{[]string{"proxy", "--listen", "192.0.2.1:8808", "--", "true"}, "not a loopback address", "sluice serve"},
		{[]string{"serve", "--addr", "8808"}, "--addr must be HOST:PORT", "--addr 127.0.0.1:8808"},
	} {
		o := s.run(tt.args...)
		if o.code != 2 {
			t.Errorf("%v: exit %d", tt.args, o.code)
		}
		has(t, o.stderr, tt.want, tt.fix)
	}
}

func TestOtherPathsNameTheEndpoint(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Main(ctx, cli.Process{
			Args:  []string{"--state-dir", filepath.Join(s.dir, "state"), "proxy", "--listen", "127.0.0.1:0", "--upstream", "http://" + closed(t) + "/mcp"},
			Stdin: strings.NewReader(""), Stdout: in, Stderr: io.Discard, Now: clock,
		})
	}()
	first := make([]byte, 256)
	n, err := out.Read(first)
	if err != nil {
		t.Fatal(err)
	}
	url := strings.TrimPrefix(strings.TrimSpace(string(first[:n])), "listening on ")
	for _, path := range []string{"/", "/sse", "/mcp/", "/mcp/crm"} {
		r, err := http.Get(strings.TrimSuffix(url, "/mcp") + path)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if r.StatusCode != http.StatusNotFound || !strings.Contains(string(text), "the MCP endpoint is /mcp") {
			t.Errorf("%s: %d %s", path, r.StatusCode, text)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	cancel()
	<-ended
}

func TestServeRefusesBeforeItListens(t *testing.T) {
	s := open(t)
	t.Chdir(s.dir)
	for name, text := range map[string]string{
		"a command that nobody asked for": "mcp: {servers: {a: {command: [sleep, '1']}}}\n",
		"a header that can't be":          "mcp: {servers: {a: {url: 'http://127.0.0.1/mcp', headers: {'Bad Name': {env: X}}}}}\n",
	} {
		s.file("sluice.yaml", text)
		o := s.run("serve", "--addr", "127.0.0.1:0")
		if o.code != 2 || o.stdout != "" {
			t.Errorf("%s: exit %d, %s%s", name, o.code, o.stdout, o.stderr)
		}
		if _, err := os.Stat(filepath.Join(s.dir, "state", "owner-token")); err == nil {
			t.Errorf("%s: a token was made", name)
		}
	}
}

// untilFirst cancels at the first line.
type untilFirst struct{ cancel context.CancelFunc }

func (u untilFirst) Write(p []byte) (int, error) { u.cancel(); return len(p), nil }

func TestServeNamesMissingSecrets(t *testing.T) {
	t.Parallel()
	s := open(t)
	config := s.file("sluice.yaml", `mcp:
  servers:
    crm: {url: "http://127.0.0.1:1/mcp", headers: {X-Key: {env: CRM_KEY}, X-Fine: {env: SET}}}
    ads: {command: [ads-server], env: {TOKEN: {env: ADS_TOKEN}, MODE: {value: x}}}
    file: {url: "http://127.0.0.1:1/mcp", headers: {X-Key: {file: `+filepath.Join(s.dir, "none")+`}}}
`)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var errs bytes.Buffer
	cli.Main(ctx, cli.Process{
		Args: []string{"--state-dir", filepath.Join(s.dir, "state"), "--config", config, "serve", "--addr", "127.0.0.1:0", "--no-work"},
		Env:  []string{"SET=hunter2"}, Stdin: strings.NewReader(""), Stdout: untilFirst{cancel}, Stderr: &errs, Now: clock,
	})
	has(t, errs.String(), "variable CRM_KEY", "variable ADS_TOKEN", "server=crm", "server=ads", "server=file")
	if n := strings.Count(errs.String(), "configured secret"); n != 3 {
		t.Errorf("%d warnings:\n%s", n, errs.String())
	}
	lacks(t, errs.String(), "hunter2", "X-Fine")
}
