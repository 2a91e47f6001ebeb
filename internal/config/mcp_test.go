package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/config"
	"sluice/internal/fault"
)

func TestServersAreRead(t *testing.T) {
	t.Parallel()
	c, err := config.Load(file(t, "sluice.yaml", `
mcp:
  public_url: https://mcp.example.com
  aggregate: [crm, files]
  servers:
    crm:
      url: https://crm.example.com/mcp
      headers: {X-Api-Key: {env: CRM_KEY}}
      timeout: 30s
      era: legacy
    files:
      command: [files-server, --root, data]
      env: {TOKEN: {env: FILES_TOKEN}, MODE: {value: read}, NONE: {env: NOT_SET}}
      prefix: f.
      shared: true
`), []string{"FILES_TOKEN=s3cret", "OTHER=x"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"crm", "files"}, c.MCP.Names()); diff != "" {
		t.Error(diff)
	}
	if c.MCP.PrefixOf("crm") != "crm_" || c.MCP.PrefixOf("files") != "f." {
		t.Errorf("prefixes %s %s", c.MCP.PrefixOf("crm"), c.MCP.PrefixOf("files"))
	}
	files := c.MCP.Servers["files"]
	if diff := cmp.Diff([]string{"MODE=read", "TOKEN=s3cret"}, c.Environment(&files)); diff != "" {
		t.Error(diff)
	}
}

func TestEveryMistakeIsReportedWithItsPlace(t *testing.T) {
	t.Parallel()
	_, err := config.Load(file(t, "sluice.yaml", `
mcp:
  public_url: http://mcp.example.com
  allowed_origins: [example.com]
  allowed_hosts: ["*"]
  aggregate: [a, none, a, a_b, query]
  servers:
    a: {url: https://a.example.com/mcp, command: [x]}
    a_b: {url: "ftp://b.example.com"}
    query: {url: "https://c.example.com/mcp?api_key=hunter2", prefix: "q q"}
    user: {url: "https://me:hunter2@d.example.com/mcp"}
    Bad/Name: {command: [""], headers: {A: {env: X}}, isolation: maybe}
    literal: {url: https://e.example.com/mcp, headers: {Authorization: {value: hunter2}, B: {env: X, file: y}}, shared: true}
    times: {command: [x], timeout: soon, era: old, max_calls: -1, env: {A: {file: x}, B: {}}}
    both: {url: https://f.example.com/mcp, headers: {authorization: {env: X}}, oauth: {client_secret: {value: hunter2}}}
`), nil)
	f, ok := fault.As(err)
	if !ok || f.Code != fault.Usage {
		t.Fatal(err)
	}
	if strings.Contains(f.Message, "hunter2") {
		t.Error("a secret is repeated")
	}
	var places []string
	for line := range strings.SplitSeq(f.Message, "; ") {
		place, _, _ := strings.Cut(line, ": ")
		places = append(places, place)
	}
	want := []string{
		"mcp.servers.Bad/Name", "mcp.servers.Bad/Name", "mcp.servers.Bad/Name.command", "mcp.servers.Bad/Name.isolation",
		"mcp.servers.a", "mcp.servers.a_b.url", "mcp.servers.both.oauth", "mcp.servers.both.oauth.client_secret",
		"mcp.servers.literal", "mcp.servers.literal.headers.Authorization", "mcp.servers.literal.headers.B",
		"mcp.servers.query.url", "mcp.servers.query.prefix",
		"mcp.servers.times.env.A", "mcp.servers.times.env.B", "mcp.servers.times.timeout", "mcp.servers.times.era", "mcp.servers.times.max_calls",
		"mcp.servers.user.url",
		"mcp.aggregate[1]", "mcp.aggregate[2]", "mcp.aggregate[3]", "mcp.aggregate[3]",
		"mcp.public_url", "mcp.allowed_origins[0]", "mcp.allowed_hosts[0]",
	}
	if diff := cmp.Diff(want, places); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, f.Message)
	}
}

func TestAFileThatWasOnlyFoundLetsNobodyIn(t *testing.T) { //nolint:paralleltest // it changes the working directory
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "sluice.yaml"), []byte("mcp: {bearer: [{issuer: \"https://b.example.com\"}]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if c, err := config.Load("", nil); err != nil || c.MayServe() == nil {
		t.Errorf("found: %v", err)
	}
	if c, err := config.Load("sluice.yaml", nil); err != nil || c.MayServe() != nil {
		t.Errorf("named: %v", err)
	}
}

func TestAFileThatWasOnlyFoundStartsNothing(t *testing.T) { //nolint:paralleltest // it changes the working directory
	for name, tt := range map[string]struct {
		server string
		ok     bool
	}{
		"a command":                     {`{command: [x]}`, false},
		"a credential, elsewhere":       {`{url: https://a.example.com/mcp, headers: {A: {env: X}}}`, false},
		"OAuth, elsewhere":              {`{url: https://a.example.com/mcp, oauth: {}}`, false},
		"a secret from a command":       {`{url: "http://127.0.0.1:1/mcp", headers: {A: {command: [x]}}}`, false},
		"a notification":                {`{url: https://a.example.com/mcp, approvals: {notify: [{command: [x]}]}}`, false},
		"a webhook":                     {`{url: https://a.example.com/mcp, approvals: {notify: [{webhook: "https://b.example.com/"}]}}`, false},
		"a URL":                         {`{url: https://a.example.com/mcp}`, true},
		"a credential, on this machine": {`{url: "http://127.0.0.1:1/mcp", headers: {A: {env: X}}}`, true},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "sluice.yaml"), []byte("mcp: {servers: {s: "+tt.server+"}}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Chdir(dir)
		c, err := config.Load("", nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := c.MayServe(); (err == nil) != tt.ok {
			t.Errorf("%s, found: %v", name, err)
		}
		if c, err = config.Load("sluice.yaml", nil); err != nil || c.MayServe() != nil {
			t.Errorf("%s, named: %v", name, err)
		}
	}
}
