package everything_test

import (
	"context"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/testkit/everything"
)

func TestBothErasOverBothTransports(t *testing.T) {
	t.Parallel()
	server := everything.New()
	t.Cleanup(server.Close)
	web := httptest.NewServer(server.Handler())
	t.Cleanup(web.Close)
	for _, version := range []string{"2025-11-25", everything.Modern} {
		t.Run(version+" HTTP", func(t *testing.T) {
			greeted(t, &mcp.StreamableClientTransport{Endpoint: web.URL}, version)
		})
		t.Run(version+" stdio", func(t *testing.T) {
			inR, inW := io.Pipe()
			outR, outW := io.Pipe()
			ended := make(chan error, 1)
			go func() {
				err := server.Stdio(context.Background(), inR, outW)
				_ = outW.Close()
				ended <- err
			}()
			greeted(t, &mcp.IOTransport{Reader: outR, Writer: inW}, version)
			_ = inW.Close()
			if err := <-ended; err != nil {
				t.Errorf("Stdio: %v", err)
			}
		})
	}
}

func greeted(t *testing.T, transport mcp.Transport, version string) {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), transport, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	got, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "greet", Arguments: map[string]any{"name": "Ada"}})
	if err != nil {
		t.Fatal(err)
	}
	if text, ok := got.Content[0].(*mcp.TextContent); !ok || text.Text != "Hello, Ada!" {
		t.Errorf("greet said %v", got.Content[0])
	}
}

func TestTasksAreForThoseWhoDeclareThem(t *testing.T) {
	t.Parallel()
	server := everything.New()
	t.Cleanup(server.Close)
	call := func(extensions string) string {
		in := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow_compute","arguments":{"seconds":0},` +
			`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":` + extensions + "}}}\n"
		inR, inW := io.Pipe()
		outR, outW := io.Pipe()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = server.Stdio(context.Background(), inR, outW)
		}()
		if _, err := io.WriteString(inW, in); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 4096)
		n, err := outR.Read(answer)
		if err != nil {
			t.Fatal(err)
		}
		_ = inW.Close()
		_ = outR.Close()
		<-ended
		return string(answer[:n])
	}
	if got := call(`{"extensions":{"io.modelcontextprotocol/tasks":{}}}`); !strings.Contains(got, `"resultType":"task"`) {
		t.Errorf("with the extension: %s", got)
	}
	if got := call(`{}`); strings.Contains(got, "taskId") || !strings.Contains(got, "computed") {
		t.Errorf("without the extension: %s", got)
	}
}
