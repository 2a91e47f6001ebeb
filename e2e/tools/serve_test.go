package tools

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/internal/testkit/mcptest"
	"sluice/policy"
)

// gateway is `sluice serve` with the built-in server, alone and in an aggregate.
func gateway(t *testing.T, box string) *mcptest.Gate {
	t.Helper()
	return mcptest.Start{Env: []string{"SLUICE_GRAPH_URL=" + box}}.Serve(t,
		"mcp:\n  servers:\n    meta: {builtin: meta, sets: [ads, pages], prefix: m.}\n  aggregate: [meta]\n")
}

// TestServeBuiltIn: the server for Meta's platform is one of the gateway's: a grant calls
// it as far as its policy allows, alone and as part of the aggregate, and the log of calls
// knows what became of them.
func TestServeBuiltIn(t *testing.T) {
	t.Parallel()
	g := gateway(t, meta(t))
	const rules = `{"version":"1","default":"deny","hide":["meta_delete_campaign"],"tools":{"meta_get_campaign":{},"meta_update_campaign":{"limits":[{"counter":"n","window_seconds":2678400,"max":1,"scope":"grant"}]}}}`
	g.Run.SetPolicy(t, "meta", "careful", rules)
	_, token := g.Run.Grant(t, "meta", "agent", "--policy", "careful")
	url := g.URL + "/mcp/meta"
	mcptest.AwaitToken(t, url, token)
	for _, version := range eras {
		c := mcptest.NewClient(t, url, token, version)
		if a := c.Call(t.Context(), t, "meta_get_campaign", `{"campaign_id":"3100000000000001"}`); !a.Allowed() || !strings.Contains(a.Text, "3100000000000001") {
			t.Errorf("%s: allowed: %s", version, a)
		}
		if a := c.Call(t.Context(), t, "meta_delete_campaign", `{"campaign_id":"3100000000000001"}`); a.Policy.Decision != "deny" {
			t.Errorf("%s: denied: %s", version, a)
		}
		a := c.Call(t.Context(), t, "meta_update_campaign", `{"campaign_id":"3100000000000001","name":"renamed"}`)
		if limited := version == eras[1]; limited != (a.Policy.Code == "rate_limited" || a.Policy.Decision == "limit") && limited == a.Allowed() {
			t.Errorf("%s: limited: %s", version, a)
		}
		list := listed(t, c)
		if !slices.Contains(list, "meta_get_campaign") || slices.Contains(list, "meta_delete_campaign") || slices.Contains(list, "threads_get_profile") {
			t.Errorf("%s: listed are %d: %v", version, len(list), list)
		}
	}
	g.Run.SetPolicy(t, "aggregate", "all", mcptest.AllowAll)
	_, whole := g.Run.Grant(t, "aggregate", "agent", "--policy", "all")
	mcptest.AwaitToken(t, g.URL+"/mcp", whole)
	c := mcptest.NewClient(t, g.URL+"/mcp", whole, mcptest.Modern)
	if a := c.Call(t.Context(), t, "m.meta_get_campaign", `{"campaign_id":"3100000000000001"}`); !a.Allowed() || !strings.Contains(a.Text, "renamed") {
		t.Errorf("through the aggregate: %s", a)
	}
	if code, out := g.Run("server", "check", "meta"); code != 0 || !strings.Contains(out, "meta") {
		t.Errorf("server check: exit %d: %s", code, out)
	}
	code, out := g.Run("policy", "scaffold", "--server", "meta")
	doc, faults := policy.Parse([]byte(out))
	if code != 0 || doc == nil || len(faults) > 0 || !strings.Contains(out, `"meta_get_campaign": {}`) || !strings.Contains(out, "meta_delete_campaign") {
		t.Errorf("policy scaffold: exit %d, %v: %.600s", code, faults, out)
	}
	if strings.Contains(g.Logs(), "sandbox-token") {
		t.Error("the log holds a token")
	}
}

// listed are the names in a client's tools/list.
func listed(t *testing.T, c *mcptest.Client) (names []string) {
	t.Helper()
	a := c.Send(t.Context(), t, c.Request("tools/list", ""), c.Headers("tools/list", ""))
	var m struct {
		Result struct{ Tools []struct{ Name string } }
	}
	if err := json.Unmarshal([]byte(a.Body), &m); err != nil {
		t.Fatalf("%v: %s", err, a)
	}
	for _, tool := range m.Result.Tools {
		names = append(names, tool.Name)
	}
	return names
}

// TestServeOtherWorkspace: the built-in server works with this installation's credentials,
// so that nobody else's workspace gets it.
func TestServeOtherWorkspace(t *testing.T) {
	t.Parallel()
	g := gateway(t, meta(t))
	if code, out := g.Run("workspace", "add", "other"); code != 0 {
		t.Fatal(out)
	}
	file := filepath.Join(t.TempDir(), "server.json")
	if err := os.WriteFile(file, []byte(`{"builtin":"meta"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	run := mcptest.Run(func(args ...string) (int, string) { return g.Run(append(args, "--workspace", "other")...) })
	var made struct{ ID string }
	run.JSON(t, &made, "server", "add", "meta", "--file", file)
	run.SetPolicy(t, "meta", "all", mcptest.AllowAll)
	_, token := run.Grant(t, "meta", "stranger", "--policy", "all")
	c := &mcptest.Client{URL: g.URL + "/mcp/" + made.ID, Token: token, Version: mcptest.Modern}
	c.Open(t)
	within(t, "the gateway says why it does not serve it", func() bool { return strings.Contains(g.Logs(), "belong to another workspace") })
	if a := c.Call(t.Context(), t, "meta_get_campaign", `{"campaign_id":"3100000000000001"}`); a.Allowed() || strings.Contains(a.Text, "3100000000000001") {
		t.Errorf("another workspace's grant reads with these credentials: %s", a)
	}
}

// TestServeWriteBack: through a grant, write-back asks for the grant's scope, then the
// workspace's switch, then the role of the member it acts for, then the connection.
func TestServeWriteBack(t *testing.T) {
	t.Parallel()
	g := gateway(t, meta(t))
	must := func(args ...string) {
		t.Helper()
		if code, out := g.Run(args...); code != 0 {
			t.Fatalf("sluice %v: exit %d: %s", args, code, out)
		}
	}
	g.Run.SetPolicy(t, "meta", "all", mcptest.AllowAll)
	clients := map[string]*mcptest.Client{}
	for _, who := range []struct{ name, role, scopes string }{
		{"ann", "admin", ""}, {"olga", "operator", ""}, {"vic", "viewer", ""}, {"rea", "operator", "mcp:read"},
	} {
		must("member", "add", who.name, "--role", who.role)
		more := []string{"--policy", "all", "--user", who.name}
		if who.scopes != "" {
			more = append(more, "--scopes", who.scopes)
		}
		_, token := g.Run.Grant(t, "meta", who.name, more...)
		mcptest.AwaitToken(t, g.URL+"/mcp/meta", token)
		clients[who.name] = mcptest.NewClient(t, g.URL+"/mcp/meta", token, mcptest.Modern)
	}
	says := func(who, tool, args string) string {
		t.Helper()
		a := clients[who].Call(t.Context(), t, tool, args)
		if code, failed := strings.CutPrefix(a.Text, "["); failed {
			code, _, _ = strings.Cut(code, "]")
			return code
		}
		if !a.Allowed() {
			return "refused before it ran: " + a.String()
		}
		return ""
	}
	const preview = `{"mode":"preview","dataset_id":"1000000000000001"}`
	expect := func(step string, want map[string]string) {
		t.Helper()
		for who, code := range want {
			if got := says(who, "send_meta_conversions", preview); got != code {
				t.Errorf("%s: %s: %q, want %q", step, who, got, code)
			}
		}
	}
	must("workspace", "set", "--write-back", "off")
	expect("switched off", map[string]string{"ann": "writeback_disabled", "olga": "writeback_disabled", "vic": "writeback_disabled"})
	must("workspace", "set", "--write-back", "on")
	expect("without connection", map[string]string{"ann": "connection_inactive", "olga": "connection_inactive", "vic": "role_required"})
	must("connect", "1000000000000001")
	// Nothing was imported: that is what the engine itself says then.
	for _, who := range []string{"ann", "olga"} {
		if got := says(who, "send_meta_conversions", preview); slices.Contains([]string{"connection_inactive", "role_required", "writeback_disabled"}, got) {
			t.Errorf("everything is there, and %s is told %s", who, got)
		}
	}
	// A grant that may only read does not get as far as the tools.
	if got := says("rea", "send_meta_conversions", `{"mode":"confirm","plan_id":"pl_none","plan_hash":"x","idempotency_key":"k"}`); !strings.Contains(got, "refused") && got != "insufficient_scope" {
		t.Errorf("a grant that may only read is told %q", got)
	}
	if got := says("vic", "send_meta_conversions", preview); got != "role_required" {
		t.Errorf("a viewer is told %q", got)
	}
	// Profiles and plans of another workspace are not there, whatever a call only looks at.
	must("workspace", "add", "other")
	must("profile", "add", "north", "--workspace", "other")
	plan := planned(t, g, "north")
	for _, call := range [][2]string{
		{"wb_run_status", `{"profile_id":"north"}`}, {"wb_run_status", `{"plan_id":"` + plan + `"}`}, {"wb_rejects", `{"plan_id":"` + plan + `"}`},
		{"wb_dry_run", `{"plan_id":"` + plan + `"}`}, {"wb_circuit", `{"profile_id":"north"}`},
		{"wb_preview", `{"profile_id":"north","dataset_id":"1000000000000001","outcomes":["payment_received"],"window_start":"2026-11-20"}`},
		{"send_meta_conversions", `{"mode":"confirm","plan_id":"` + plan + `","plan_hash":"0","idempotency_key":"k"}`},
	} {
		if got := says("ann", call[0], call[1]); got != "not_found" && got != "plan_not_found" {
			t.Errorf("%s %s of another workspace: %q", call[0], call[1], got)
		}
	}
}

// planned is a plan of a profile, made on the command line.
func planned(t *testing.T, g *mcptest.Gate, profile string) string {
	t.Helper()
	dir := t.TempDir()
	rows, mapping := filepath.Join(dir, "rows.jsonl"), filepath.Join(dir, "mapping.yaml")
	for file, text := range map[string]string{
		rows: `{"record":"A-1","event":"sale","at":"` + strconv.FormatInt(time.Now().Unix()-3600, 10) + `","em":"customer.one@example.com"}` + "\n",
		mapping: `{"version":1,"namespace":"test","source":{"format":"jsonl"},"id":"record","outcome":"event","events":{"event":"Lead"},` +
			`"time":{"column":"at","format":"epoch"},"action_source":"physical_store","consent":"granted","order_id":"none","user":{"em":"em"}}`,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var made struct {
		Plan string `json:"plan_id"`
	}
	g.Run.JSON(t, &made, "preview", rows, "-m", mapping, "--dataset", "1000000000000001", "--profile", profile)
	if made.Plan == "" {
		t.Fatal("no plan was made")
	}
	return made.Plan
}
