package gateway

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// A call that is under way when the process is told to end gets its answer.
func TestCallsUnderWayAreAnsweredAtTheEnd(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}), make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil && strings.Contains(string(body), "tools/call") {
			close(begun)
			<-release
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[]}}`)
	}))
	defer upstream.Close()
	free := sync.OnceFunc(func() { close(release) })
	defer free()
	g := serve(t, "mcp: {servers: {slow: {url: \""+upstream.URL+"/mcp\", era: modern}}}\n")
	token := g.admit("slow")
	call := func(method, name string) (string, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url+"/mcp/slow", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"`+method+
			`","params":{"name":"x","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`))
		if err != nil {
			return "", err
		}
		for k, v := range map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
			"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method} {
			req.Header.Set(k, v)
		}
		if name != "" {
			req.Header.Set("Mcp-Name", name)
		}
		r, err := (bearer{token}).RoundTrip(req)
		if err != nil {
			return "", err
		}
		body, err := io.ReadAll(r.Body)
		return r.Status + " " + string(body), errors.Join(err, r.Body.Close())
	}
	answer := make(chan string, 1)
	go func() {
		got, err := call("tools/call", "x")
		if err != nil {
			got = err.Error()
		}
		answer <- got
	}()
	<-begun
	code := make(chan int, 1)
	go func() { code <- g.stop() }()
	for { // until it drains
		got, err := call("tools/list", "")
		if err != nil {
			t.Fatalf("new calls get no answer: %v", err)
		}
		if strings.HasPrefix(got, "503 ") && strings.Contains(got, "shutting_down") {
			break
		}
	}
	select {
	case got := <-code:
		t.Fatalf("it ended, exit %d, with a call under way", got)
	case got := <-answer:
		t.Fatalf("answered before the server did: %s", got)
	default:
	}
	free()
	if got := <-answer; !strings.HasPrefix(got, "200 ") || !strings.Contains(got, `"content":[]`) {
		t.Errorf("answered %s", got)
	}
	if got := <-code; got != 0 {
		t.Errorf("exit %d", got)
	}
}
