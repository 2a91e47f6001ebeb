package conformance_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// wire sends messages as they are and returns the bytes of the response to each.
type wire interface {
	// ask sends one request and returns its response, byte for byte.
	ask(t *testing.T, request string) string
	// tell sends a notification.
	tell(t *testing.T, notification string)
}

// answers reports whether message is a response, and not a notification or a request
// of the server that came before it.
func answers(message []byte) bool {
	var m struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}
	return json.Unmarshal(message, &m) == nil && m.Method == "" && len(m.ID) > 0
}

// httpWire is Streamable HTTP of either era.
type httpWire struct {
	url, session, version string
}

func (w *httpWire) post(t *testing.T, body string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if w.session != "" {
		req.Header.Set("Mcp-Session-Id", w.session)
	}
	if w.version != "" {
		req.Header.Set("Mcp-Protocol-Version", w.version)
	}
	if w.version >= "2026-07-28" {
		var m struct {
			Method string `json:"method"`
			Params struct {
				Name string `json:"name"`
				URI  string `json:"uri"`
			} `json:"params"`
		}
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Mcp-Method", m.Method)
		if name := m.Params.Name + m.Params.URI; name != "" {
			req.Header.Set("Mcp-Name", name)
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if id := resp.Header.Get("Mcp-Session-Id"); id != "" {
		w.session = id
	}
	return resp
}

func (w *httpWire) tell(t *testing.T, notification string) {
	t.Helper()
	resp := w.post(t, notification)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		t.Fatalf("%s: HTTP %d", notification, resp.StatusCode)
	}
}

func (w *httpWire) ask(t *testing.T, request string) string {
	t.Helper()
	resp := w.post(t, request)
	defer resp.Body.Close()
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	lines := bufio.NewReader(resp.Body)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			t.Fatalf("%s: the stream ended without a response: %v", request, err)
		}
		data, ok := bytes.CutPrefix(bytes.TrimRight(line, "\r\n"), []byte("data:"))
		if data = bytes.TrimPrefix(data, []byte(" ")); ok && answers(data) {
			return string(data)
		}
	}
}

// stdioWire is a child process.
type stdioWire struct {
	in  io.Writer
	out *bufio.Reader
}

func startWire(t *testing.T, env []string, name string, args ...string) *stdioWire {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = env
	log := &output{}
	cmd.Stderr = log
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		if !kill.Stop() {
			t.Errorf("%s did not end when its input did\n%s", name, log)
		}
	})
	return &stdioWire{in, bufio.NewReader(out)}
}

func (w *stdioWire) tell(t *testing.T, notification string) {
	t.Helper()
	if _, err := io.WriteString(w.in, notification+"\n"); err != nil {
		t.Fatal(err)
	}
}

func (w *stdioWire) ask(t *testing.T, request string) string {
	t.Helper()
	w.tell(t, request)
	for {
		line, err := w.out.ReadBytes('\n')
		if err != nil {
			t.Fatalf("%s: the server ended without a response: %v", request, err)
		}
		if line = bytes.TrimRight(line, "\r\n"); answers(line) {
			return string(line)
		}
	}
}
