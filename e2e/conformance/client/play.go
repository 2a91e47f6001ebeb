package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// play connects and does what the scenario wants to see. Refusals of single calls are
// what some scenarios are about, so only a connection that fails is an error.
func play(ctx context.Context, o options) error {
	given, err := readContext()
	if err != nil {
		return fmt.Errorf("MCP_CONFORMANCE_CONTEXT: %w", err)
	}
	name := os.Getenv("MCP_CONFORMANCE_SCENARIO")
	transport, end, err := o.transport(ctx, given)
	if err != nil {
		return err
	}
	defer end()
	client := mcp.NewClient(&mcp.Implementation{Name: "conformance-client", Version: "1.0.0"}, clientOptions(name))
	session, err := client.Connect(ctx, transport, nil)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer session.Close()

	if name == "request-metadata" {
		return nil
	}
	tools, err := session.ListTools(ctx, nil)
	if err != nil {
		return fmt.Errorf("tools/list: %w", err)
	}
	p := player{ctx, session}
	switch {
	case name == "tools_call":
		p.call("add_numbers", map[string]any{"a": 5, "b": 3})
	case name == "elicitation-sep1034-client-defaults":
		p.call("test_client_elicitation_defaults", nil)
	case name == "sse-retry":
		p.call("test_reconnection", nil)
	case name == "sep-2322-client-request-state":
		for _, tool := range []string{"test_mrtr_echo_state", "test_mrtr_no_state", "test_mrtr_unrelated", "test_mrtr_no_result_type"} {
			p.call(tool, nil)
		}
	case name == "http-standard-headers":
		p.oneOfEach(tools)
	case name == "http-custom-headers":
		for _, c := range given.ToolCalls {
			p.call(c.Name, c.Arguments)
		}
	case name == "http-invalid-tool-headers":
		for _, tool := range tools.Tools {
			p.call(tool.Name, map[string]any{"region": "us-west1"})
		}
	case name == "json-schema-2020-12-preservation":
		for _, tool := range tools.Tools {
			if tool.Name == "json_schema_2020_12_tool" {
				p.call("json_schema_echo", map[string]any{"schema": tool.InputSchema})
			}
		}
	case strings.HasPrefix(name, "auth/"):
		p.call("test-tool", nil)
	}
	return nil
}

func clientOptions(scenario string) *mcp.ClientOptions {
	content := map[string]any{}
	switch scenario {
	case "sep-2322-client-request-state":
		content["confirmed"] = true
	case "elicitation-sep1034-client-defaults": // the defaults fill it in
	default:
		return nil
	}
	return &mcp.ClientOptions{
		Capabilities: &mcp.ClientCapabilities{Elicitation: &mcp.ElicitationCapabilities{Form: &mcp.FormElicitationCapabilities{}}},
		ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			return &mcp.ElicitResult{Action: "accept", Content: content}, nil
		},
	}
}

type player struct {
	ctx     context.Context
	session *mcp.ClientSession
}

func (p player) call(tool string, arguments map[string]any) {
	if arguments == nil {
		arguments = map[string]any{}
	}
	result, err := p.session.CallTool(p.ctx, &mcp.CallToolParams{Name: tool, Arguments: arguments})
	p.say(tool, result, err)
}

func (p player) say(what string, result any, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		return
	}
	b, _ := json.Marshal(result)
	fmt.Fprintf(os.Stderr, "%s: %.300s\n", what, b)
}

func (p player) oneOfEach(tools *mcp.ListToolsResult) {
	if len(tools.Tools) > 0 {
		p.call(tools.Tools[0].Name, nil)
	}
	if list, err := p.session.ListResources(p.ctx, nil); err == nil && len(list.Resources) > 0 {
		read, err := p.session.ReadResource(p.ctx, &mcp.ReadResourceParams{URI: list.Resources[0].URI})
		p.say("resources/read", read, err)
	}
	if list, err := p.session.ListPrompts(p.ctx, nil); err == nil && len(list.Prompts) > 0 {
		got, err := p.session.GetPrompt(p.ctx, &mcp.GetPromptParams{Name: list.Prompts[0].Name})
		p.say("prompts/get", got, err)
	}
}
