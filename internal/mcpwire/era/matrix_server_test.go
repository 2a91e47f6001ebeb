package era_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/stdiodial"
	"sluice/internal/testkit/everything"
)

const childVariable = "ERA_TEST_CHILD"

// TestMain is the server itself where a test started this binary as one.
func TestMain(m *testing.M) {
	stdiodial.MaybeChild()
	if os.Getenv(childVariable) != "" {
		if err := matrixServer().Stdio(context.Background(), os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// matrixServer is the server with everything, and with tools that tell what reached it.
func matrixServer() *everything.Server {
	s := everything.New()
	var hung atomic.Int64
	add := func(name string, call mcp.ToolHandler) {
		s.SDK().AddTool(&mcp.Tool{Name: name, Description: "For the matrix.", InputSchema: json.RawMessage(`{"type":"object"}`)}, call)
	}
	say := func(v any) (*mcp.CallToolResult, error) {
		raw, err := json.Marshal(v)
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: string(raw)}}}, err
	}
	add("saw", func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return say(map[string]any{"meta": req.Params.Meta, "capabilities": req.ClientCapabilities(), "info": req.ClientInfo()})
	})
	add("rich", func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "a"}}, StructuredContent: json.RawMessage(`[null,{"n":12345678901234567890}]`),
			IsError: true, Meta: mcp.Meta{"example.com/k": "v"}}, nil
	})
	add("hang", func(ctx context.Context, _ *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		hung.Add(1)
		defer hung.Add(-1)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	add("hung", func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: strconv.FormatInt(hung.Load(), 10)}}}, nil
	})
	add("legacy_roots", func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		roots, err := req.Session.ListRoots(ctx, nil) //nolint:staticcheck // it works for years to come, and a relay carries it
		if err != nil {
			return nil, err
		}
		return say(roots.Roots)
	})
	link := &mcp.ElicitParams{Mode: "url", URL: "https://example.com/consent", Message: "agree first", ElicitationID: "e1"}
	add("legacy_link", func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return nil, mcp.URLElicitationRequiredError([]*mcp.ElicitParams{link})
	})
	add("modern_link", func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		if len(req.Params.InputResponses) > 0 {
			return say("agreed")
		}
		return &mcp.CallToolResult{InputRequests: mcp.InputRequestMap{"link": &mcp.ElicitParams{Mode: "url", URL: link.URL, Message: link.Message}}}, nil
	})
	return s
}

// only is a server that speaks one era over HTTP, like those that were never told of
// the other.
func only(e mcpwire.Era, s *everything.Server) http.Handler {
	h := s.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		modern := r.Header.Get(mcpwire.HeaderVersion) >= mcpwire.Version20260728 || bytes.Contains(body, []byte(mcpwire.MetaProtocolVersion))
		switch {
		case modern == (e == mcpwire.Modern):
			h.ServeHTTP(w, r)
		case e == mcpwire.Modern && r.Method == http.MethodPost:
			m, _ := mcpwire.ParseReply(body, mcpwire.Limits{})
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write(mcpwire.BuildError(m.Bytes(m.ID), mcpwire.CodeUnsupportedVersion, "only 2026-07-28 is spoken here",
				[]byte(`{"supported":["2026-07-28"],"requested":"?"}`)))
		case e == mcpwire.Modern:
			w.WriteHeader(http.StatusMethodNotAllowed)
		default:
			http.Error(w, "Bad Request: no session", http.StatusBadRequest)
		}
	})
}
