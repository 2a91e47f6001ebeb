package conformance_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// road is one way from a client to the upstream with everything: a URL, or a command.
type road struct {
	name   string
	target []string
}

// roads leads to the upstream without the relay, and through it on every pair of
// transports.
func roads(t *testing.T) []road {
	t.Helper()
	upstream, sluice := everything(t).url, program(t, "sluice")
	return []road{
		{"direct", []string{upstream}},
		{"HTTP → HTTP", []string{relay(t, "--upstream", upstream).url}},
		{"HTTP → stdio", []string{relay(t, "--", program(t, "everything")).url}},
		{"stdio → HTTP", []string{sluice, "proxy", "--upstream", upstream}},
		{"stdio → stdio", []string{sluice, "proxy", "--", program(t, "everything")}},
	}
}

// TestTypeScriptClients lets the TypeScript SDK, in both its major versions, use every
// feature through the relay; what it sees has to be what it sees without.
func TestTypeScriptClients(t *testing.T) {
	t.Parallel()
	n := needNode(t)
	for _, client := range [][]string{{"v1", "legacy"}, {"v2", "legacy"}, {"v2", "modern"}} {
		t.Run(strings.Join(client, " "), func(t *testing.T) {
			t.Parallel()
			var direct string
			for _, r := range roads(t) {
				args := append([]string{"client.mjs"}, client...)
				out, err := n.output(t, n.environment(t), append(args, r.target...)...)
				if err != nil {
					t.Fatalf("%s: %v", r.name, err)
				}
				if r.name == "direct" {
					direct = out
					if strings.Count(out, "\n") < 15 {
						t.Fatalf("the client did only this:\n%s", out)
					}
				} else if diff := cmp.Diff(lines(direct), lines(out)); diff != "" {
					t.Errorf("%s is not what it is direct (-direct +relayed):\n%s", r.name, diff)
				}
			}
		})
	}
}

// lines cuts what a client printed into steps.
func lines(out string) []string { return strings.Split(strings.TrimSpace(out), "\n") }

// TestInspector uses the command line of the MCP Inspector, both eras, over HTTP and
// over stdio.
func TestInspector(t *testing.T) {
	t.Parallel()
	n := needNode(t)
	all := roads(t)
	for _, era := range []string{"legacy", "modern"} {
		for _, method := range [][]string{
			{"tools/list"},
			{"tools/call", "--tool-name", "greet", "--tool-arg", "name=Ada"},
			{"resources/read", "--uri", "test://static-text"},
			{"prompts/get", "--prompt-name", "test_prompt_with_arguments", "--prompt-args", "arg1=a", "arg2=b"},
		} {
			t.Run(era+" "+method[0], func(t *testing.T) {
				t.Parallel()
				var direct string
				for _, r := range all[:4] {
					args := []string{n.script("@modelcontextprotocol/inspector/clients/launcher/build/index.js"), "--cli",
						"--format", "json", "-q", "--protocol-era", era, "--method"}
					args = append(args, method...)
					if len(r.target) == 1 {
						args = append(args, "--transport", "http", "--server-url", r.target[0])
					} else {
						args = append(append(args, "--"), r.target...)
					}
					out, err := n.output(t, n.environment(t), args...)
					if err != nil {
						t.Fatalf("%s: %v", r.name, err)
					}
					if r.name == "direct" {
						direct = out
						if !strings.Contains(out, `"result"`) {
							t.Fatalf("the Inspector said %.300s", out)
						}
					} else if diff := cmp.Diff(direct, out); diff != "" {
						t.Errorf("%s is not what it is direct (-direct +relayed):\n%s", r.name, diff)
					}
				}
			})
		}
	}
}

// environment is what scripts of this directory get.
func (n node) environment(t *testing.T, more ...string) []string {
	t.Helper()
	modules := strings.TrimSuffix(n.modules, "node_modules")
	return append(environment(t, "SLUICE_NODE_MODULES="+modules), more...)
}

// foreign is a server that nobody of the relay wrote.
type foreign struct {
	name, era   string
	stdio, http []string // arguments of node
	requests    []string // "METHOD PARAMS"
}

func (n node) foreign() []foreign {
	everything := n.script("@modelcontextprotocol/server-everything/dist/index.js")
	wind := []string{
		`tools/list {}`, `resources/list {}`, `prompts/list {}`, `tools/call {"name":"wind","arguments":{"place":"Ærø","id":1e3}}`,
		`tools/call {"name":"storm"}`, `tools/call {"name":"wind","arguments":{"place":7}}`, `tools/call {"name":"none"}`,
		`resources/read {"uri":"chart://north-sea"}`, `resources/read {"uri":"chart://none"}`,
		`prompts/get {"name":"forecast","arguments":{"place":"Oslo"}}`,
	}
	return []foreign{
		{"server-everything", "legacy", []string{everything, "stdio"}, []string{"--import", "./loopback.mjs", everything, "streamableHttp"}, []string{
			`tools/list {}`, `resources/list {}`, `resources/templates/list {}`, `prompts/list {}`, `ping {}`,
			`tools/call {"name":"echo","arguments":{"message":"\u00e6 \"quoted\""}}`,
			`tools/call {"name":"get-sum","arguments":{"a":0.1,"b":0.2}}`,
			`tools/call {"name":"get-tiny-image","arguments":{}}`,
			`tools/call {"name":"get-annotated-message","arguments":{"messageType":"error","includeImage":true}}`,
			`tools/call {"name":"get-structured-content","arguments":{"location":"New York"}}`,
			`tools/call {"name":"get-resource-links","arguments":{"count":3}}`,
			`tools/call {"name":"no-such-tool","arguments":{}}`,
			`prompts/get {"name":"simple-prompt"}`, `prompts/get {"name":"args-prompt","arguments":{"city":"Ghent"}}`,
		}},
		{"TypeScript SDK v1", "legacy", []string{"server.mjs", "v1", "stdio"}, []string{"server.mjs", "v1", "http"}, wind},
		{"TypeScript SDK v2", "legacy", []string{"server.mjs", "v2", "stdio"}, []string{"server.mjs", "v2", "http"}, wind},
		{"TypeScript SDK v2", "modern", []string{"server.mjs", "v2", "stdio"}, []string{"server.mjs", "v2", "http"}, append(wind, `server/discover {}`)},
	}
}

// TestForeignServers asks servers on the TypeScript SDK the same directly and through
// the relay on all four pairs of transports: the responses are the same bytes.
func TestForeignServers(t *testing.T) {
	t.Parallel()
	n := needNode(t)
	sluice := program(t, "sluice")
	for _, f := range n.foreign() {
		t.Run(f.name+" "+f.era, func(t *testing.T) {
			t.Parallel()
			modules := "SLUICE_NODE_MODULES=" + strings.TrimSuffix(n.modules, "node_modules")
			url := serve(t, n.environment(t, "PORT=0"), n.bin, f.http...).url
			child := append([]string{n.bin}, f.stdio...)
			proxied := append([]string{"--env", modules, "--"}, child...)
			want := f.talk(t, startWire(t, n.environment(t), child[0], child[1:]...))
			for name, w := range map[string]wire{
				"direct HTTP":   &httpWire{url: url},
				"HTTP → HTTP":   &httpWire{url: relay(t, "--upstream", url).url},
				"HTTP → stdio":  &httpWire{url: relay(t, proxied...).url},
				"stdio → HTTP":  startWire(t, environment(t), sluice, "proxy", "--upstream", url),
				"stdio → stdio": startWire(t, environment(t), sluice, append([]string{"proxy"}, proxied...)...),
			} {
				if diff := cmp.Diff(want, f.talk(t, w)); diff != "" {
					t.Errorf("%s is not what stdio is direct (-direct +this):\n%s", name, diff)
				}
			}
		})
	}
}

// talk asks everything there is to ask, with ids of both kinds.
func (f foreign) talk(t *testing.T, w wire) []string {
	t.Helper()
	const info = `"clientInfo":{"name":"bytes","version":"1"}`
	var all []string
	meta := ""
	if f.era == "legacy" {
		all = append(all, w.ask(t, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},`+info+`}}`))
		if h, ok := w.(*httpWire); ok {
			h.version = "2025-11-25"
		}
		w.tell(t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	} else {
		meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
		if h, ok := w.(*httpWire); ok {
			h.version = "2026-07-28"
		}
	}
	for i, r := range f.requests {
		method, params, _ := strings.Cut(r, " ")
		if meta != "" {
			sep := ","
			if params == "{}" {
				sep = ""
			}
			params = "{" + meta + sep + params[1:]
		}
		id := fmt.Sprint(i + 1)
		if i%2 == 1 {
			id = `"id-` + id + `"`
		}
		answer := w.ask(t, `{"jsonrpc":"2.0","id":`+id+`,"method":"`+method+`","params":`+params+`}`)
		var m struct {
			ID json.RawMessage `json:"id"`
		}
		if err := json.Unmarshal([]byte(answer), &m); err != nil || string(m.ID) != id {
			t.Errorf("%s: the answer to %s is %.200s", method, id, answer)
		}
		all = append(all, method+": "+answer)
	}
	return all
}
