package everything

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const watched = "test://watched-resource"

func (s *Server) addResources() {
	for _, r := range []struct {
		resource mcp.Resource
		contents mcp.ResourceContents
	}{
		{mcp.Resource{URI: "test://static-text", Name: "static-text", MIMEType: "text/plain"},
			mcp.ResourceContents{Text: "This is the content of the static text resource."}},
		{mcp.Resource{URI: "test://static-binary", Name: "static-binary", MIMEType: "image/png"},
			mcp.ResourceContents{Blob: []byte(pixel)}},
		{mcp.Resource{URI: watched, Name: "watched-resource", MIMEType: "text/plain"},
			mcp.ResourceContents{Text: "Watch me."}},
	} {
		s.sdk.AddResource(&r.resource, contents(r.resource.MIMEType, r.contents))
	}
	for _, f := range skillFiles {
		s.sdk.AddResource(&mcp.Resource{URI: f.uri, Name: f.name, Description: f.description, MIMEType: "text/markdown"},
			contents("text/markdown", mcp.ResourceContents{Text: f.text}))
	}
	s.sdk.AddResourceTemplate(&mcp.ResourceTemplate{
		URITemplate: "test://template/{id}/data", Name: "template", MIMEType: "application/json",
	}, fromTemplate)
}

func contents(mime string, c mcp.ResourceContents) mcp.ResourceHandler {
	return func(_ context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		c := c
		c.URI, c.MIMEType = req.Params.URI, mime
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{&c}}, nil
	}
}

func fromTemplate(ctx context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	id := strings.TrimSuffix(strings.TrimPrefix(req.Params.URI, "test://template/"), "/data")
	data, err := json.Marshal(map[string]any{"id": id, "templateTest": true, "data": "Data for ID: " + id})
	if err != nil {
		return nil, err
	}
	return contents("application/json", mcp.ResourceContents{Text: string(data)})(ctx, req)
}

func (s *Server) addPrompts() {
	argument := func(name string) *mcp.PromptArgument {
		return &mcp.PromptArgument{Name: name, Description: "For the test", Required: true}
	}
	s.sdk.AddPrompt(&mcp.Prompt{Name: "test_simple_prompt", Description: "One message."},
		says("This is a simple prompt for testing."))
	s.sdk.AddPrompt(&mcp.Prompt{Name: "test_prompt_with_arguments", Description: "Its arguments come back.",
		Arguments: []*mcp.PromptArgument{argument("arg1"), argument("arg2")}}, promptArguments)
	s.sdk.AddPrompt(&mcp.Prompt{Name: "test_prompt_with_embedded_resource", Description: "A resource in a message.",
		Arguments: []*mcp.PromptArgument{argument("resourceUri")}}, promptResource)
	s.sdk.AddPrompt(&mcp.Prompt{Name: "test_prompt_with_image", Description: "An image in a message."},
		func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			return messages(image(), &mcp.TextContent{Text: "Please analyze the image above."}), nil
		})
	s.sdk.AddPrompt(&mcp.Prompt{Name: "test_input_required_result_prompt", Description: "Asks before it speaks."}, promptAsks)
}

func messages(content ...mcp.Content) *mcp.GetPromptResult {
	r := &mcp.GetPromptResult{}
	for _, c := range content {
		r.Messages = append(r.Messages, &mcp.PromptMessage{Role: "user", Content: c})
	}
	return r
}

func says(words string) mcp.PromptHandler {
	return func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return messages(&mcp.TextContent{Text: words}), nil
	}
}

func promptArguments(_ context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	a := req.Params.Arguments
	return messages(&mcp.TextContent{Text: "Prompt with arguments: arg1='" + a["arg1"] + "', arg2='" + a["arg2"] + "'"}), nil
}

func promptResource(_ context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	return messages(embedded(req.Params.Arguments["resourceUri"]),
		&mcp.TextContent{Text: "Please process the embedded resource above."}), nil
}

func promptAsks(_ context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	if said, ok := filledIn(req.Params.InputResponses, "user_context", "context"); ok {
		return messages(&mcp.TextContent{Text: "Use this context: " + said}), nil
	}
	return &mcp.GetPromptResult{InputRequests: mcp.InputRequestMap{
		"user_context": form("What context should the prompt use?", "context", "string"),
	}}, nil
}

// complete offers what begins like the value so far.
func complete(_ context.Context, req *mcp.CompleteRequest) (*mcp.CompleteResult, error) {
	values := []string{}
	for _, v := range []string{"paris", "park", "party"} {
		if strings.HasPrefix(v, req.Params.Argument.Value) {
			values = append(values, v)
		}
	}
	return &mcp.CompleteResult{Completion: mcp.CompletionResultDetails{Values: values, Total: len(values)}}, nil
}
