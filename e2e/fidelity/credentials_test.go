package fidelity

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// What identifies a client, and what a proxy before it would have added.
var clientSecrets = pairs{
	"Authorization", "Bearer canary-token", "Cookie", "session=canary-cookie", "Proxy-Authorization", "Basic canary-proxy",
	"Proxy-Connection", "canary", "X-Forwarded-For", "canary-address", "X-Forwarded-Host", "canary-host", "X-Forwarded-Proto", "canary",
	"Forwarded", "for=canary", "X-Api-Key", "canary-key", "X-Real-Ip", "canary", "Origin-Agent", "canary", "Referer", "http://canary.example.com",
	"User-Agent", "canary-agent", "Via", "canary", "Te", "trailers", "X-Sluice-Caller", "canary", "Mcp-Session-Id", "canary-client-session",
}

// What an upstream says to Sluice alone.
var upstreamSecrets = pairs{
	"Set-Cookie", "canary=1", "Mcp-Session-Id", "canary-session", "WWW-Authenticate", `Bearer realm="canary"`,
	"Authentication-Info", "canary", "Proxy-Authenticate", "canary", "X-Internal-Token", "canary", "Server", "canary", "Location", "http://canary.example.com",
}

func canaries(h http.Header) (found []string) {
	for name, values := range h {
		if strings.Contains(fmt.Sprint(values), "canary") {
			found = append(found, name)
		}
	}
	return found
}

func TestNoCredentialCrosses(t *testing.T) {
	t.Parallel()
	saying := func(status int, body string) func(http.ResponseWriter, *http.Request, string) {
		return func(w http.ResponseWriter, _ *http.Request, _ string) {
			for i := 0; i < len(upstreamSecrets); i += 2 {
				w.Header().Set(upstreamSecrets[i], upstreamSecrets[i+1])
			}
			answerJSON(w, status, body)
		}
	}
	const result = `{"jsonrpc":"2.0","id":7,"result":{"resultType":"complete","content":[]}}`
	check := func(t *testing.T, u *upstream, url, request string, headers pairs) {
		t.Helper()
		for _, status := range []int{200, 401, 403} {
			u.taken()
			u.answers(saying(status, result))
			r, body := post(t, url, request, append(clientSecrets[:len(clientSecrets):len(clientSecrets)], headers...))
			if found := canaries(r.header); found != nil {
				t.Errorf("status %d: the client got the upstream's %v", status, found)
			}
			if status == 200 && body != result || status != 200 && (r.status == status || strings.Contains(body, "canary") || !strings.Contains(body, "upstream_auth_failed")) {
				t.Errorf("status %d: the client got %d %s", status, r.status, body)
			}
			got := u.taken()
			if len(got) == 0 {
				t.Errorf("status %d: nothing arrived", status)
			}
			for _, g := range got {
				for _, name := range canaries(g.header) {
					if name != "Mcp-Session-Id" || g.header.Get(name) != upstreamSession { // which is its own
						t.Errorf("status %d: the upstream got the client's %s", status, name)
					}
				}
			}
		}
	}
	t.Run("modern", func(t *testing.T) {
		t.Parallel()
		u, url := modern(t)
		check(t, u, url, `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x","_meta":{`+modernMeta+`}}}`, modernHeaders("tools/call", "x"))
	})
	t.Run("legacy", func(t *testing.T) {
		t.Parallel()
		u, url, in := legacy(t)
		check(t, u, url, `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x"}}`, in)
		u.answers(handshake)
	})
}

// The session that the upstream knows is nobody's at the relay, and an unknown one
// reaches no upstream.
func TestUpstreamsSessionIsNotTheClients(t *testing.T) {
	t.Parallel()
	u, url, _ := legacy(t)
	for _, id := range []string{upstreamSession, "unknown"} {
		r, body := post(t, url, `{"jsonrpc":"2.0","id":7,"method":"tools/list"}`, pairs{"Mcp-Session-Id", id, "MCP-Protocol-Version", "2025-11-25"})
		if r.status != 404 || strings.Contains(body, id) {
			t.Errorf("session %s: %d %s", id, r.status, body)
		}
	}
	if got := u.taken(); len(got) != 0 {
		t.Errorf("the upstream got %v", got)
	}
}
