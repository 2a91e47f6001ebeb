package httpserve

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Whatever is sent is answered, with one JSON-RPC message or with nothing where that is
// what the status says; and what gets through as modern says the same in its headers
// and in its body.
func FuzzPost(f *testing.F) {
	f.Add(modernCall("1", "tools/call", `"name":"x"`), "2026-07-28", "tools/call", "x", "")
	f.Add(modernCall(`"a"`, "resources/read", `"uri":"gr\u00fc\u00df"`), "2026-07-28", "resources/read", "=?base64?Z3LDvMOf?=", "")
	f.Add(legacyCall("1", "tools/list"), "2025-11-25", "", "", "s")
	f.Add(initBody, "", "", "", "")
	f.Add(`{"jsonrpc":"2.0","method":"notifications/x"}`, "", "", "", "")
	f.Fuzz(func(t *testing.T, body, version, method, name, session string) {
		header := http.Header{"Content-Type": {"application/json"}}
		for key, value := range map[string]string{mcpwire.HeaderVersion: version, mcpwire.HeaderMethod: method, mcpwire.HeaderName: name, mcpwire.HeaderSession: session} {
			if value != "" {
				header[key] = []string{strings.TrimSpace(value)}
			}
		}
		consistent := func(_ context.Context, c *exchange.Call, out exchange.Sink) error {
			if c.Era == mcpwire.Modern {
				var seen struct {
					Method string `json:"method"`
					Params map[string]json.RawMessage
				}
				if err := json.Unmarshal(c.Message.Raw, &seen); err != nil {
					t.Errorf("what got through is not JSON: %v", err)
				}
				if member, ok := mcpwire.Mirror(seen.Method); ok && seen.Params[member] != nil {
					var value string
					decoded, fine := mcpwire.DecodeHeader(header.Get("Mcp-Name"))
					if json.Unmarshal(seen.Params[member], &value) != nil || !fine || decoded != value {
						t.Errorf("Mcp-Name %q, %s %q", header.Get("Mcp-Name"), member, value)
					}
				}
				if seen.Method != header.Get("Mcp-Method") || header.Get("Mcp-Protocol-Version") != "2026-07-28" {
					t.Errorf("method %q with headers %v", seen.Method, header)
				}
			}
			return out.Send(exchange.Event{Data: resultFor(c, "x"), Final: true})
		}
		accepted := func(context.Context, *exchange.Call) error { return nil }
		s := &fakeSession{fake: fake{call: consistent, notify: accepted}, stateless: true}
		up := opening(s)
		up.call, up.notify = consistent, accepted
		up.resume = func(context.Context, *exchange.Call) (exchange.Session, error) { return s, nil }
		r := httptest.NewRequest(http.MethodPost, "http://localhost/", strings.NewReader(body))
		r.Header = header
		w := httptest.NewRecorder()
		New(Options{Upstream: up}).ServeHTTP(w, r)
		switch got := bytes.TrimSpace(w.Body.Bytes()); {
		case w.Code == http.StatusAccepted && len(got) == 0:
		case w.Code == http.StatusAccepted || !json.Valid(got) || !bytes.Contains(got, []byte(`"id":`)):
			t.Errorf("%d %q", w.Code, got)
		}
	})
}
