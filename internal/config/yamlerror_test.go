package config_test

import (
	"strings"
	"testing"

	"sluice/internal/config"
	"sluice/internal/fault"
)

func TestMistakesInTheFileNameWhatWasMeant(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, message, fix string }{
		{"a client's key", "mcpServers:\n  crm: {url: x}\n", `sluice.yaml:1: there is no key "mcpServers" at the top`, "MCP servers stand under `mcp.servers`; the keys at the top are state_dir, "},
		{"a slip at the top", "state_dir: x\ndatset: y\n", `:2: there is no key "datset" at the top`, "did you mean dataset? the keys at the top are"},
		{"a slip in mcp", "mcp:\n  severs: {}\n", `:2: there is no key "severs" under mcp`, "did you mean servers? the keys under mcp are servers, aggregate,"},
		{"a slip in a server", "mcp:\n  servers:\n    crm:\n      ulr: x\n", `:4: there is no key "ulr" under mcp.servers.crm`, "did you mean url? the keys under mcp.servers.crm are url, command, builtin, sets, env,"},
		{"args", "mcp: {servers: {a: {command: [npx], args: [x]}}}\n", `"args" under mcp.servers.a`, "`command` is one list"},
		{"deep", "mcp: {servers: {a: {url: x, oauth: {client: x}}}}\n", `"client" under mcp.servers.a.oauth`, "client_id"},
		{"another level", "mcp: {servers: {a: {url: x}}}\npublic_url: x\n", `"public_url" at the top`, "it belongs to mcp.public_url"},
		{"a source", "sources: {s: {typ: command}}\n", `"typ" under sources.s`, "did you mean type?"},
		{"text for a list", "mcp: {servers: {a: {command: npx hunter2}}}\n", "has the wrong form", "a list such as [one, two] belongs there"},
		{"a list for text", "dataset: [hunter2]\n", "has the wrong form", "text belongs there"},
		{"a list for a map", "mcp: [hunter2]\n", "has the wrong form", "key: value"},
		{"no YAML", "mcp: [hunter2\n", "sluice.yaml: [1:", "mend the YAML"},
		{"a value for a key", "EAAB1234567890123456789012345678901234567890123: x\n", "no key of that name at the top", "state_dir"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(file(t, "sluice.yaml", tt.text), nil)
			f, ok := fault.As(err)
			if !ok || f.Code != fault.Usage {
				t.Fatal(err)
			}
			if !strings.Contains(f.Message, tt.message) || !strings.Contains(f.Fix, tt.fix) {
				t.Errorf("%s\nfix: %s", f.Message, f.Fix)
			}
			if strings.Contains(f.Message+f.Fix, "hunter2") {
				t.Error("a value is repeated")
			}
		})
	}
}
