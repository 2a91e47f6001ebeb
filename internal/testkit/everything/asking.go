package everything

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// askingTools ask the client in mid-call, as servers of the legacy era do.
var askingTools = []tool{
	{"test_sampling", "Lets the client's model speak.",
		`{"type":"object","properties":{"prompt":{"type":"string"}},"required":["prompt"]}`, askModel},
	{"test_elicitation", "Asks the user.",
		`{"type":"object","properties":{"message":{"type":"string"}},"required":["message"]}`, askUser(nameSchema)},
	{"test_elicitation_sep1034_defaults", "Asks with defaults.", noArguments, askUser(defaultsSchema)},
	{"test_elicitation_sep1330_enums", "Asks with every form of choice.", noArguments, askUser(enumsSchema)},
}

const (
	nameSchema = `{"type":"object","properties":{` +
		`"username":{"type":"string","description":"How to call you"},` +
		`"email":{"type":"string","description":"Where to write to"}},"required":["username","email"]}`
	defaultsSchema = `{"type":"object","properties":{` +
		`"name":{"type":"string","description":"User name","default":"John Doe"},` +
		`"age":{"type":"integer","description":"User age","default":30},` +
		`"score":{"type":"number","description":"User score","default":95.5},` +
		`"status":{"type":"string","description":"User status","enum":["active","inactive","pending"],"default":"active"},` +
		`"verified":{"type":"boolean","description":"Verification status","default":true}},"required":[]}`
	enumsSchema = `{"type":"object","properties":{` +
		`"untitledSingle":{"type":"string","enum":["option1","option2","option3"]},` +
		`"titledSingle":{"type":"string","oneOf":[{"const":"value1","title":"First Option"},` +
		`{"const":"value2","title":"Second Option"},{"const":"value3","title":"Third Option"}]},` +
		`"legacyEnum":{"type":"string","enum":["opt1","opt2","opt3"],"enumNames":["Option One","Option Two","Option Three"]},` +
		`"untitledMulti":{"type":"array","minItems":1,"maxItems":3,"items":{"type":"string","enum":["option1","option2","option3"]}},` +
		`"titledMulti":{"type":"array","minItems":1,"maxItems":3,"items":{"anyOf":[{"const":"value1","title":"First Choice"},` +
		`{"const":"value2","title":"Second Choice"},{"const":"value3","title":"Third Choice"}]}}},"required":[]}`
)

func askModel(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	var in struct {
		Prompt string `json:"prompt"`
	}
	if err := arguments(req, &in); err != nil {
		return nil, err
	}
	said, err := req.Session.CreateMessage(ctx, &mcp.CreateMessageParams{
		MaxTokens: 100,
		Messages:  []*mcp.SamplingMessage{{Role: "user", Content: &mcp.TextContent{Text: in.Prompt}}},
	})
	if err != nil {
		return failed("the client did not sample: " + err.Error()), nil
	}
	if t, ok := said.Content.(*mcp.TextContent); ok {
		return text("LLM response: " + t.Text), nil
	}
	return text("LLM response of another type"), nil
}

func askUser(schema string) mcp.ToolHandler {
	return func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		in := struct {
			Message string `json:"message"`
		}{"Please fill this in"}
		if len(req.Params.Arguments) > 0 {
			if err := arguments(req, &in); err != nil {
				return nil, err
			}
		}
		said, err := req.Session.Elicit(ctx, &mcp.ElicitParams{Message: in.Message, RequestedSchema: json.RawMessage(schema)})
		if err != nil {
			return failed("the client did not ask: " + err.Error()), nil
		}
		content, err := json.Marshal(said.Content)
		if err != nil {
			return nil, err
		}
		return text(fmt.Sprintf("User response: action=%s, content=%s", said.Action, content)), nil
	}
}
