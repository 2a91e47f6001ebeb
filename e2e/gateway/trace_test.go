package gateway

import (
	"bytes"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A client's trace goes through Sluice's span to the server, in the header and in the
// message alike, and the span reaches the collector.
func TestATraceGoesOn(t *testing.T) {
	type request struct {
		header http.Header
		body   string
	}
	heard := make(chan request, 8)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if strings.Contains(string(body), "tools/call") {
			heard <- request{r.Header, string(body)}
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","supportedVersions":["2026-07-28"],"content":[],"_meta":{"traceparent":"kept"}}}`)
	}))
	defer upstream.Close()
	spans := make(chan []byte, 8)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		spans <- body
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL) // the exporter reads it itself
	g := serve(t, "mcp: {servers: {one: {url: \""+upstream.URL+"/mcp\", era: modern}}}\n", "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL)

	const trace = "0af7651916cd43dd8448eb211c80319c"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url+"/mcp/one", strings.NewReader(
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"card":"4111"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "add",
		"Traceparent": "00-" + trace + "-b7ad6b7169203331-01", "Tracestate": "vendor=1"} {
		req.Header.Set(k, v)
	}
	r, err := (bearer{g.admit("one")}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err != nil || r.StatusCode != 200 || !strings.Contains(string(answer), `"traceparent":"kept"`) {
		t.Fatalf("HTTP %d %s, %v", r.StatusCode, answer, err)
	}
	got := <-heard
	parent := got.header.Get("Traceparent")
	if !strings.HasPrefix(parent, "00-"+trace+"-") || strings.Contains(parent, "b7ad6b7169203331") || got.header.Get("Tracestate") != "vendor=1" {
		t.Errorf("headers: %s, %s", parent, got.header.Get("Tracestate"))
	}
	if !strings.Contains(got.body, `"traceparent":"`+parent+`"`) || !strings.Contains(got.body, `"tracestate":"vendor=1"`) {
		t.Errorf("the message says %s, the header %s", got.body, parent)
	}
	if got.header.Get("Authorization") != "" {
		t.Error("the client's token went to the server")
	}
	if code := g.stop(); code != 0 {
		t.Fatalf("exit %d", code)
	}
	sent := <-spans
	id, err := hex.DecodeString(strings.Split(parent, "-")[2])
	if err != nil || !bytes.Contains(sent, id) || !bytes.Contains(sent, []byte("tools/call add")) {
		t.Errorf("the collector got %q, %v", sent, err)
	}
	if bytes.Contains(sent, []byte("4111")) {
		t.Error("an argument is in the span")
	}
}
