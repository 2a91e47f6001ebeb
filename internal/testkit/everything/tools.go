package everything

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// tool is one row of the tool list. The schemas are raw: what a client reads is what
// stands here.
type tool struct {
	name, description, schema string
	call                      mcp.ToolHandler
}

const (
	noArguments = `{"type":"object"}`
	pixel       = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU" +
		"\x00\x00\x00\nIDAT\x08\xd7c`\x00\x00\x00\x02\x00\x01\xe2!\xbc3\x00\x00\x00\x00IEND\xaeB`\x82"
	silence = "RIFF$\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00@\x1f\x00\x00@\x1f\x00\x00\x01\x00\x08\x00data\x00\x00\x00\x00"
)

func (s *Server) addTools() {
	for _, list := range [][]tool{s.plainTools(), askingTools, s.roundTools()} {
		for _, t := range list {
			s.sdk.AddTool(&mcp.Tool{Name: t.name, Description: t.description, InputSchema: json.RawMessage(t.schema)}, t.call)
		}
	}
}

func (s *Server) plainTools() []tool {
	return []tool{
		{"test_simple_text", "One text.", noArguments, fixed(text("This is a simple text response for testing."))},
		{"test_image_content", "One image.", noArguments, fixed(result(image()))},
		{"test_audio_content", "One sound.", noArguments, fixed(result(&mcp.AudioContent{Data: []byte(silence), MIMEType: "audio/wav"}))},
		{"test_embedded_resource", "One resource.", noArguments, fixed(result(embedded("test://embedded-resource")))},
		{"test_multiple_content_types", "Text, image and resource.", noArguments, fixed(result(
			&mcp.TextContent{Text: "Multiple content types test:"}, image(), embedded("test://mixed-content-resource")))},
		{"test_error_handling", "A result that is an error.", noArguments, fixed(failed("This tool intentionally returns an error for testing"))},
		{"test_tool_with_logging", "Three log messages, then text.", noArguments, withLogging},
		{"test_logging_tool", "One log message, then text.", noArguments, withLogging},
		{"test_tool_with_progress", "Three progress notifications, then text.", noArguments, withProgress},
		{"test_streaming_elicitation", "Progress and a result, no request.", noArguments, withProgress},
		{"test_reconnection", "Ends the stream in mid-call; the result comes to who reconnects.", noArguments, reconnection},
		{"test_missing_capability", "Needs a client that can sample.", noArguments, missingSampling},
		{"test_x_mcp_header", "An argument that is mirrored in a header.", `{"type":"object","properties":{` +
			`"region":{"type":"string","description":"mirrored","x-mcp-header":"Region"},"level":{"type":"integer"}}}`, echo},
		{"json_schema_2020_12_tool", "A schema that uses most of draft 2020-12.", schema2020, echo},
		{"test_trigger_tool_change", "Changes the list of tools.", noArguments, s.changeTools},
		{"test_trigger_prompt_change", "Changes the list of prompts.", noArguments, s.changePrompts},
		{"touch", "Changes the watched resource.", noArguments, s.touch},
		{"echo", "The arguments, byte for byte, as text.", noArguments, echo},
		{"size", "A text of so many bytes.", `{"type":"object","properties":{"bytes":{"type":"integer"}},"required":["bytes"]}`, size},
		{"wait", "Answers when the call is cancelled, or after so many milliseconds.",
			`{"type":"object","properties":{"ms":{"type":"integer"}},"required":["ms"]}`, wait},
		{"greet", "Says hello.", `{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}`, greet},
		{"slow_compute", "Takes so many seconds; a task where the client supports them.",
			`{"type":"object","properties":{"seconds":{"type":"number"},"label":{"type":"string"}},"required":["seconds"]}`, slowComputeNow},
		{"failing_job", "A task that ends with an error result.", noArguments, onlyAsTask},
		{"protocol_error_job", "A task that fails.", noArguments, onlyAsTask},
		{"confirm_delete", "A task that asks once.", `{"type":"object","properties":{"filename":{"type":"string"}}}`, onlyAsTask},
		{"multi_input", "A task that asks twice at once.", noArguments, onlyAsTask},
		{"test_tool_with_task", "Asks first and is a task then.", noArguments, onlyAsTask},
	}
}

const schema2020 = `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object",` +
	`"$defs":{"address":{"$anchor":"addressDef","type":"object","properties":{"street":{"type":"string"},"city":{"type":"string"}}}},` +
	`"properties":{"name":{"type":"string"},"address":{"$ref":"#/$defs/address"},` +
	`"contactMethod":{"type":"string","enum":["phone","email"]},"phone":{"type":"string"},"email":{"type":"string"}},` +
	`"allOf":[{"anyOf":[{"required":["phone"]},{"required":["email"]}]}],` +
	`"if":{"properties":{"contactMethod":{"const":"phone"}},"required":["contactMethod"]},` +
	`"then":{"required":["phone"]},"else":{"required":["email"]},"additionalProperties":false}`

func result(content ...mcp.Content) *mcp.CallToolResult { return &mcp.CallToolResult{Content: content} }

func failed(message string) *mcp.CallToolResult {
	r := text(message)
	r.IsError = true
	return r
}

func fixed(r *mcp.CallToolResult) mcp.ToolHandler {
	return func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		again := *r // the SDK writes into what it sends
		return &again, nil
	}
}

func image() mcp.Content { return &mcp.ImageContent{Data: []byte(pixel), MIMEType: "image/png"} }

func embedded(uri string) mcp.Content {
	return &mcp.EmbeddedResource{Resource: &mcp.ResourceContents{
		URI: uri, MIMEType: "text/plain", Text: "This is an embedded resource content.",
	}}
}

func withLogging(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	for _, step := range []string{"started", "processing data", "completed"} {
		message := &mcp.LoggingMessageParams{Level: "info", Logger: "everything", Data: "Tool execution " + step}
		if err := req.Session.Log(ctx, message); err != nil {
			return nil, err
		}
	}
	return text("logged three times"), nil
}

func withProgress(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	token := req.Params.GetProgressToken()
	if token == nil {
		return text("nobody asked for progress"), nil
	}
	for _, done := range []float64{0, 50, 100} {
		err := req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{
			ProgressToken: token, Progress: done, Total: 100, Message: fmt.Sprintf("%.0f of 100", done),
		})
		if err != nil {
			return nil, err
		}
		pause(ctx, 10*time.Millisecond)
	}
	return text("reported three times"), nil
}

func reconnection(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if req.Extra != nil && req.Extra.CloseSSEStream != nil {
		req.Extra.CloseSSEStream(mcp.CloseSSEStreamArgs{RetryAfter: 20 * time.Millisecond})
		pause(ctx, 100*time.Millisecond)
	}
	return text("the result of a call whose stream had ended"), nil
}

func missingSampling(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if c := req.ClientCapabilities(); c != nil && c.Sampling != nil {
		return text("this client can sample"), nil
	}
	return nil, &jsonrpc.Error{
		Code: mcp.CodeMissingRequiredClientCapabilities, Message: "this tool needs a client that can sample",
		Data: json.RawMessage(`{"requiredCapabilities":{"sampling":{}}}`),
	}
}

func (s *Server) changeTools(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	s.sdk.AddTool(&mcp.Tool{Name: "added_later", Description: "Came while somebody listened.",
		InputSchema: json.RawMessage(noArguments)}, fixed(text("here now")))
	return text("the list of tools changed"), nil
}

func (s *Server) changePrompts(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	s.sdk.AddPrompt(&mcp.Prompt{Name: "added_later", Description: "Came while somebody listened."}, says("here now"))
	return text("the list of prompts changed"), nil
}

func (s *Server) touch(ctx context.Context, _ *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	err := s.sdk.ResourceUpdated(ctx, &mcp.ResourceUpdatedNotificationParams{URI: watched})
	return text("touched"), err
}

func echo(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	return text(string(req.Params.Arguments)), nil
}

func arguments(req *mcp.CallToolRequest, into any) error {
	if err := json.Unmarshal(req.Params.Arguments, into); err != nil {
		return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "the arguments don't fit the schema"}
	}
	return nil
}

func size(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	var in struct {
		Bytes int `json:"bytes"`
	}
	if err := arguments(req, &in); err != nil {
		return nil, err
	}
	if in.Bytes < 0 || in.Bytes > 32<<20 {
		return failed("bytes: between 0 and 32 MiB"), nil
	}
	return text(strings.Repeat("x", in.Bytes)), nil
}

func wait(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	var in struct {
		Ms int `json:"ms"`
	}
	if err := arguments(req, &in); err != nil {
		return nil, err
	}
	pause(ctx, time.Duration(in.Ms)*time.Millisecond)
	return text("waited"), ctx.Err()
}

func greet(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	var in struct {
		Name string `json:"name"`
	}
	if err := arguments(req, &in); err != nil {
		return nil, err
	}
	return text("Hello, " + in.Name + "!"), nil
}

func slowComputeNow(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	var in struct {
		Seconds float64 `json:"seconds"`
		Label   string  `json:"label"`
	}
	if err := arguments(req, &in); err != nil {
		return nil, err
	}
	pause(ctx, time.Duration(in.Seconds*float64(time.Second)))
	return text("computed " + in.Label), ctx.Err()
}

// onlyAsTask answers for tools that need the extension when the client lacks it.
func onlyAsTask(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	missing := missingExtension(tasksExtension)
	data, err := json.Marshal(missing.Data)
	if err != nil {
		return nil, err
	}
	return nil, &jsonrpc.Error{Code: int64(missing.Code), Message: missing.Message, Data: data}
}
