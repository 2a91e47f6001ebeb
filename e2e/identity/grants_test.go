package identity

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/testkit/mcptest"
)

// No test comes near the end of a window of 31 days.
const three = `{"version":"1","default":"deny","tools":{"read":{},"send":{"limits":[{"counter":"sends","window_seconds":2678400,"max":3,"scope":"grant"}]}}}`

// secretOf is the random part of a token: 32 bytes in base64url.
func secretOf(token string) string { return token[len(token)-43:] }

func TestTokenIsShownOnceAndOpensItsServerOnly(t *testing.T) {
	t.Parallel()
	g := open(t)
	g.Run.SetPolicy(t, "crm", "all", mcptest.AllowAll)
	out := g.do("grant", "add", "crm", "sales", "--policy", "all")
	token := strings.TrimSpace(out)
	if !strings.HasPrefix(token, "slg_") || len(token) < 60 || strings.ContainsAny(token, " \n") {
		t.Fatalf("stdout is not the token alone: %q", out)
	}
	secret := secretOf(token)
	mcptest.AwaitToken(t, g.mcp("crm"), token)
	if a, _ := g.status("crm", token); !a.Allowed() {
		t.Errorf("its own server: %s", a)
	}
	for _, show := range [][]string{{"grant", "list", "--json"}, {"grant", "show", "crm/sales", "--json"}, {"audit", "export"}} {
		if out := g.do(show...); strings.Contains(out, secret) {
			t.Errorf("%v shows the token again", show)
		}
	}
	g.absent(secret)
	g.crm.Calls()
	g.refused("erp", token, "another server")
	g.refused("none", token, "no server")
	g.refused("crm", token[:len(token)-1]+map[bool]string{true: "B", false: "A"}[token[len(token)-1] == 'A'], "one character")
	g.refused("crm", token+"A", "one more")
	g.refused("crm", "slg_", "its beginning")
	if calls := g.crm.Calls(); len(calls) > 0 {
		t.Errorf("forwarded: %v", calls)
	}
}

func TestGrantWithoutPolicyDeniesEverything(t *testing.T) {
	t.Parallel()
	g := open(t)
	_, token := g.Run.Grant(t, "crm", "new")
	mcptest.AwaitToken(t, g.mcp("crm"), token)
	for _, version := range eras {
		s := connect(t, g.mcp("crm"), version, token, nil)
		for _, tool := range []string{"read", "send", "made-up"} {
			if code, err := call(t.Context(), s, tool); err != nil || code != "no_policy" {
				t.Errorf("%s %s: %s, %v", version, tool, code, err)
			}
		}
	}
	if calls := g.crm.Calls(); len(calls) > 0 {
		t.Errorf("forwarded: %v", calls)
	}
	g.Run.SetPolicy(t, "crm", "all", mcptest.AllowAll)
	g.do("grant", "attach", "crm/new", "all")
	s := connect(t, g.mcp("crm"), modern, token, nil)
	within(t, "the policy is attached", func() bool { code, err := call(t.Context(), s, "send"); return err == nil && code == "ok" })
	g.do("grant", "attach", "crm/new", "--none")
	within(t, "the policy is detached", func() bool { code, err := call(t.Context(), s, "send"); return err == nil && code == "no_policy" })
}

// stream is an open stream of a client: its lines, until it ends.
func (g *gate) stream(method, token, session, body string) (ended <-chan struct{}) {
	g.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(g.t.Context()))
	g.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, method, g.mcp("crm"), strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", "application/json, text/event-stream")
	if session != "" {
		r.Header.Set("Mcp-Session-Id", session)
		r.Header.Set("Mcp-Protocol-Version", legacy)
	} else {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Mcp-Method", "subscriptions/listen")
		r.Header.Set("Mcp-Protocol-Version", modern)
	}
	resp, err := http.DefaultClient.Do(r) //nolint:bodyclose // it is, when the stream has ended
	if err != nil || resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		g.t.Fatalf("a stream: %v, %v", resp, err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer func() { _ = resp.Body.Close() }()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		}
	}()
	return over
}

// Within a second a revoked grant is refused everywhere: sessions that are open, streams
// that are open, calls under way of the session's client.
func TestRevokedGrantEndsWithinASecond(t *testing.T) {
	t.Parallel()
	g := open(t)
	token := g.grant("sales", mcptest.AllowAll)
	other := g.grant("other", mcptest.AllowAll)
	raw := mcptest.NewClient(t, g.mcp("crm"), token, legacy)
	if raw.Session() == "" {
		t.Fatal("no session")
	}
	client := mcptest.Client{URL: g.mcp("crm"), Token: token, Version: modern}
	get := g.stream(http.MethodGet, token, raw.Session(), "")
	listen := g.stream(http.MethodPost, token, "", client.Request("subscriptions/listen", `"notifications":{"toolsListChanged":true}`))
	sessions := map[string]*mcp.ClientSession{}
	for _, version := range eras {
		sessions[version] = connect(t, g.mcp("crm"), version, token, nil)
		if code, err := call(t.Context(), sessions[version], "send"); err != nil || code != "ok" {
			t.Fatalf("%s: %s, %v", version, code, err)
		}
	}
	g.do("grant", "revoke", "crm/sales", "--reason", "laptop lost")
	begun := time.Now()
	within(t, "it is refused", func() bool { a, _ := g.status("crm", token); return a.Status == http.StatusUnauthorized })
	refused := time.Since(begun)
	for name, ended := range map[string]<-chan struct{}{"the session's stream": get, "the subscription": listen} {
		within(t, name+" ended", func() bool {
			select {
			case <-ended:
				return true
			default:
				return false
			}
		})
	}
	t.Logf("refused after %v, streams ended after %v", refused, time.Since(begun))
	g.crm.Calls()
	for version, s := range sessions {
		if code, err := call(t.Context(), s, "send"); err == nil {
			t.Errorf("%s, mid-session: %s", version, code)
		}
	}
	if calls := g.crm.Calls(); len(calls) > 0 {
		t.Errorf("forwarded: %v", calls)
	}
	if a, _ := g.status("crm", other); !a.Allowed() {
		t.Errorf("another grant: %s", a)
	}
	if code, out := g.Run("grant", "rotate", "crm/sales"); code == 0 {
		t.Errorf("a revoked grant got a token: %s", out)
	}
}

// Quota is the grant's, whatever token it has (vector 21).
func TestRotationKeepsTheQuota(t *testing.T) {
	t.Parallel()
	g := open(t)
	old := g.grant("sales", three)
	s := connect(t, g.mcp("crm"), legacy, old, nil)
	for range 2 {
		if code, err := call(t.Context(), s, "send"); err != nil || code != "ok" {
			t.Fatalf("%s, %v", code, err)
		}
	}
	var made struct {
		Token string `json:"token"`
	}
	g.Run.JSON(t, &made, "grant", "rotate", "crm/sales")
	mcptest.AwaitToken(t, g.mcp("crm"), made.Token)
	g.refused("crm", old, "the old token")
	if code, err := call(t.Context(), s, "send"); err == nil {
		t.Errorf("the old token, mid-session: %s", code)
	}
	g.absent(secretOf(made.Token))
	s = connect(t, g.mcp("crm"), modern, made.Token, nil)
	for _, want := range []string{"ok", "limit_exceeded"} {
		if code, err := call(t.Context(), s, "send"); err != nil || code != want {
			t.Errorf("with the new token: %s, %v, want %s", code, err, want)
		}
	}
}

func TestGrantExpires(t *testing.T) {
	t.Parallel()
	g := open(t)
	token := g.grant("brief", mcptest.AllowAll)
	raw := mcptest.NewClient(t, g.mcp("crm"), token, legacy)
	get := g.stream(http.MethodGet, token, raw.Session(), "")
	s := connect(t, g.mcp("crm"), modern, token, nil)
	if code, err := call(t.Context(), s, "send"); err != nil || code != "ok" {
		t.Fatalf("%s, %v", code, err)
	}
	g.do("grant", "set", "crm/brief", "--expires", "1s")
	soon(t, 10*time.Second, "it is over", func() bool { _, err := call(t.Context(), s, "send"); return err != nil })
	within(t, "its stream ended", func() bool {
		select {
		case <-get:
			return true
		default:
			return false
		}
	})
	g.refused("crm", token, "its time is over")
	g.do("grant", "set", "crm/brief", "--expires", "1h")
	within(t, "it has time again", func() bool { a, _ := g.status("crm", token); return a.Allowed() })
}

// Files in git: applied, in force, read-only elsewhere, and unchanged by a second run.
func TestFilesMakeGrants(t *testing.T) {
	t.Parallel()
	g := open(t)
	dir := filepath.Join(t.TempDir(), "gateway")
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("crm.yaml", "kind: server\nname: files\nurl: "+g.crm.URL+"\nallow_private: true\n---\n"+
		"kind: policy\nserver: files\nname: agents\ndocument: agents.json\n---\n"+
		"kind: grant\nserver: files\nname: ci\npolicy: agents\nexpires: never\n")
	write("agents.json", three)
	tokens := filepath.Join(t.TempDir(), "tokens.json")
	type preview struct {
		Confirm string `json:"confirm"`
	}
	apply := func(more ...string) {
		t.Helper()
		var p preview
		g.Run.JSON(t, &p, "apply", "-f", dir)
		if p.Confirm == "" {
			t.Fatal("no hash")
		}
		g.do(append([]string{"apply", "-f", dir, "--confirm", p.Confirm}, more...)...)
	}
	apply("--tokens", tokens)
	raw, err := os.ReadFile(tokens)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(tokens); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the tokens' file: %v, %v", info, err)
	}
	at := strings.Index(string(raw), "slg_")
	if at < 0 {
		t.Fatalf("no token in %s", raw)
	}
	token := string(raw[at:])
	token = token[:strings.IndexAny(token, "\"\n ")]
	mcptest.AwaitToken(t, g.mcp("files"), token)
	s := connect(t, g.mcp("files"), modern, token, nil)
	if code, err := call(t.Context(), s, "send"); err != nil || code != "ok" {
		t.Errorf("applied: %s, %v", code, err)
	}
	if code, out := g.Run("grant", "attach", "files/ci", "--none"); code == 0 || !strings.Contains(out, "managed_by_files") {
		t.Errorf("edited elsewhere: exit %d: %s", code, out)
	}
	if out := g.do("apply", "-f", dir); !strings.Contains(out, "Nothing would change: 3 objects") {
		t.Errorf("a second run: %s", out)
	}
	write("agents.json", `{"version":"1","default":"deny","tools":{"read":{}}}`)
	apply()
	within(t, "the files' policy is in force", func() bool { code, err := call(t.Context(), s, "send"); return err == nil && code == "default_deny" })
	write("crm.yaml", "kind: server\nname: files\nurl: "+g.crm.URL+"\nallow_private: true\n")
	if err := os.Remove(filepath.Join(dir, "agents.json")); err != nil {
		t.Fatal(err)
	}
	var p preview
	g.Run.JSON(t, &p, "apply", "-f", dir, "--prune")
	g.do("apply", "-f", dir, "--prune", "--confirm", p.Confirm)
	within(t, "the pruned grant is refused", func() bool { a, _ := g.status("files", token); return a.Status == http.StatusUnauthorized })
}
