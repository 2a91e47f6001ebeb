package era_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/mcpwire"
)

// TestSDKClientsCrossErasWithoutNoticing has clients of the official SDK call servers
// of the era that they don't speak.
func TestSDKClientsCrossErasWithoutNoticing(t *testing.T) {
	t.Parallel()
	for _, x := range []crossing{{client: mcpwire.Modern, server: mcpwire.Legacy}, {client: mcpwire.Legacy, server: mcpwire.Modern}} {
		t.Run(x.String(), func(t *testing.T) {
			t.Parallel()
			relay(t, &x)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			var changed, updated atomic.Bool
			c := mcp.NewClient(&mcp.Implementation{Name: "sdk", Version: "1"}, &mcp.ClientOptions{
				ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
					return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"name": "Ada", "username": "ada", "email": "a@example.com"}}, nil
				},
				ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { changed.Store(true) },
				ResourceUpdatedHandler: func(_ context.Context, r *mcp.ResourceUpdatedNotificationRequest) {
					updated.Store(r.Params.URI == "test://watched-resource")
				},
			})
			version := mcpwire.Version20260728
			if x.client == mcpwire.Legacy {
				version = mcpwire.Version20251125
			}
			s, err := c.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: x.url}, &mcp.ClientSessionOptions{ProtocolVersion: version})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			if got := s.InitializeResult().ProtocolVersion; got != version {
				t.Fatalf("the session speaks %s", got)
			}
			tools, err := s.ListTools(ctx, nil)
			if err != nil || len(tools.Tools) < 20 {
				t.Fatalf("tools: %v, %v", tools, err)
			}
			asks := "test_elicitation"
			if x.server == mcpwire.Modern {
				asks = "test_input_required_result_elicitation"
			}
			got, err := s.CallTool(ctx, &mcp.CallToolParams{Name: asks, Arguments: map[string]any{"message": "Who?"}})
			if err != nil || got.IsError {
				t.Fatalf("%s: %v, %v", asks, got, err)
			}
			if said := got.Content[0].(*mcp.TextContent).Text; !strings.Contains(strings.ToLower(said), "ada") {
				t.Errorf("it said %q", said)
			}
			if _, err := s.CallTool(ctx, &mcp.CallToolParams{Name: "no-such-tool"}); err == nil {
				t.Error("a tool that is not there was called")
			}
			if _, err := s.ReadResource(ctx, &mcp.ReadResourceParams{URI: "test://static-text"}); err != nil {
				t.Errorf("resource: %v", err)
			}
			if err := s.Subscribe(ctx, &mcp.SubscribeParams{URI: "test://watched-resource"}); err != nil {
				t.Errorf("subscribe: %v", err)
			}
			do := func(tool string) {
				if _, err := s.CallTool(ctx, &mcp.CallToolParams{Name: tool}); err != nil {
					t.Errorf("%s: %v", tool, err)
				}
			}
			soon(t, "the list of tools changes", func() bool { do("test_trigger_tool_change"); return changed.Load() })
			soon(t, "the resource is updated", func() bool { do("touch"); return updated.Load() })
			if err := s.Ping(ctx, nil); err != nil && x.client == mcpwire.Legacy {
				t.Errorf("ping: %v", err)
			}
		})
	}
}
