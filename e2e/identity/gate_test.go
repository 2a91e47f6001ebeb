// Package identity tests who may call: grants and tokens of an authorization server,
// through the built program.
package identity

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/testkit/mcptest"
)

func TestMain(m *testing.M) { mcptest.Main(m) }

const (
	modern = "2026-07-28"
	legacy = "2025-11-25"
)

var eras = []string{modern, legacy}

// gate is a running `sluice serve` before two servers that are one, crm and erp.
type gate struct {
	*mcptest.Gate
	t   *testing.T
	crm *mcptest.Server
}

// open starts one; more of the section mcp may follow.
func open(t *testing.T, more ...string) *gate {
	t.Helper()
	g := &gate{t: t, crm: mcptest.NewServer(t, "read", "send")}
	g.crm.First(func(w http.ResponseWriter, r *http.Request, m mcptest.Message) bool {
		switch m.Method {
		case "initialize":
			w.Header().Set("Mcp-Session-Id", "s1")
		case "subscriptions/listen":
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, `data: {"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":`+string(m.ID)+`},"notifications":{}}}`+"\n\n")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			return true
		}
		return false
	})
	g.Gate = mcptest.Start{}.Serve(t, "mcp:\n  servers:\n    crm: {url: "+g.crm.URL+"}\n    erp: {url: "+g.crm.URL+"}\n"+strings.Join(more, ""))
	return g
}

func (g *gate) mcp(server string) string { return g.URL + "/mcp/" + server }

// grant makes one with a policy of its own, and returns its token when the gateway knows
// it.
func (g *gate) grant(name, policy string, more ...string) (token string) {
	g.t.Helper()
	g.Run.SetPolicy(g.t, "crm", name, policy)
	_, token = g.Run.Grant(g.t, "crm", name, append([]string{"--policy", name}, more...)...)
	mcptest.AwaitToken(g.t, g.mcp("crm"), token)
	return token
}

// do runs a command, which has to succeed.
func (g *gate) do(args ...string) string {
	g.t.Helper()
	code, out := g.Run(args...)
	if code != 0 {
		g.t.Fatalf("sluice %v: exit %d: %s", args, code, out)
	}
	return out
}

// status is what one call with a token is answered, and with which challenge.
func (g *gate) status(server, token string) (*mcptest.Answer, string) {
	g.t.Helper()
	c := mcptest.Client{URL: g.mcp(server), Token: token, Version: modern}
	a := c.Call(g.t.Context(), g.t, "send", "{}")
	return a, a.Header.Get("WWW-Authenticate")
}

// refused fails unless a token is.
func (g *gate) refused(server, token, when string) {
	g.t.Helper()
	if a, challenge := g.status(server, token); !isRefusal(a.Status) || !strings.Contains(challenge, `error="invalid_token"`) || strings.Contains(a.Body, token) {
		g.t.Errorf("%s: %s, %q", when, a, challenge)
	}
}

// isRefusal reports whether a token was found to be none: the 21st of a minute is answered
// 429, after the same look.
func isRefusal(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusTooManyRequests
}

// bearer sends a token with every request.
type bearer struct{ token string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultTransport.RoundTrip(r)
}

// connect is a client on the official SDK.
func connect(t *testing.T, endpoint, version, token string, o *mcp.ClientOptions) *mcp.ClientSession {
	t.Helper()
	s, err := mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "1"}, o).Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: endpoint, HTTPClient: &http.Client{Transport: bearer{token}}, MaxRetries: -1,
	}, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// call calls a tool and returns the code of a denial, or "ok".
func call(ctx context.Context, s *mcp.ClientSession, tool string) (string, error) {
	r, err := s.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: json.RawMessage("{}")})
	if err != nil {
		return "", err
	}
	raw, err := json.Marshal(r.Meta["sluice/policy"])
	if err != nil {
		return "", err
	}
	var said struct{ Code string }
	if err := json.Unmarshal(raw, &said); err != nil {
		return "", err
	}
	if said.Code == "" && !r.IsError {
		return "ok", nil
	}
	return said.Code, nil
}

// within fails unless it is so before the time is over that a change may take, and as
// long again for a busy machine.
func within(t *testing.T, what string, so func() bool) {
	t.Helper()
	soon(t, 2*time.Second, what, so)
}

func soon(t *testing.T, limit time.Duration, what string, so func() bool) {
	t.Helper()
	begun := time.Now()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		if time.Since(begun) > limit {
			t.Fatalf("not within %v: %s", limit, what)
		}
		<-tick.C
	}
}

// absent fails when a text stands anywhere below the state directory or in the log.
func (g *gate) absent(secret string) {
	g.t.Helper()
	if strings.Contains(g.Logs(), secret) {
		g.t.Error("the log holds a token")
	}
	err := filepath.WalkDir(g.State, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) { // a journal that was folded meanwhile
			return nil
		}
		if bytes.Contains(text, []byte(secret)) {
			g.t.Errorf("%s holds a token", filepath.Base(path))
		}
		return err
	})
	if err != nil {
		g.t.Error(err)
	}
}
