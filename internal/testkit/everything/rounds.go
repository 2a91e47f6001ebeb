package everything

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// roundTools ask by interrupting the call: the client answers with the same call again
// (multi round-trip requests, 2026-07-28).
func (s *Server) roundTools() []tool {
	const prefix = "test_input_required_result_"
	return []tool{
		{prefix + "elicitation", "Asks for a name.", noArguments, askName},
		{prefix + "sampling", "Asks for a completion.", noArguments, askCapital},
		{prefix + "list_roots", "Asks for the roots.", noArguments, askRoots},
		{prefix + "request_state", "Asks for a confirmation and keeps state.", noArguments, s.askConfirmation},
		{prefix + "tampered_state", "Refuses a state it did not make.", noArguments, s.askConfirmation},
		{prefix + "multiple_inputs", "Asks three questions at once.", noArguments, s.askAll},
		{prefix + "multi_round", "Asks twice, one after the other.", noArguments, s.askTwice},
		{prefix + "capabilities", "Asks only what the client can answer.", noArguments, askCapable},
	}
}

func ask(requests mcp.InputRequestMap) *mcp.CallToolResult {
	return &mcp.CallToolResult{InputRequests: requests}
}

func form(message, property, kind string) *mcp.ElicitParams {
	return &mcp.ElicitParams{Message: message, RequestedSchema: json.RawMessage(
		`{"type":"object","properties":{"` + property + `":{"type":"` + kind + `"}},"required":["` + property + `"]}`)}
}

func prompt(words string) *mcp.CreateMessageParams {
	return &mcp.CreateMessageParams{
		MaxTokens: 100, Messages: []*mcp.SamplingMessage{{Role: "user", Content: &mcp.TextContent{Text: words}}},
	}
}

// filledIn is a text member of an accepted form; ok needs the form, not the member.
func filledIn(responses mcp.InputResponseMap, key, member string) (value string, ok bool) {
	r, _ := responses[key].(*mcp.ElicitResult)
	if r == nil || r.Action != "accept" {
		return "", false
	}
	value, _ = r.Content[member].(string)
	return value, true
}

func completion(responses mcp.InputResponseMap, key string) (string, bool) {
	r, _ := responses[key].(*mcp.CreateMessageWithToolsResult)
	if r == nil {
		return "", false
	}
	for _, c := range r.Content {
		if t, ok := c.(*mcp.TextContent); ok {
			return t.Text, true
		}
	}
	return "", true
}

func askName(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if name, ok := filledIn(req.Params.InputResponses, "user_name", "name"); ok && name != "" {
		return text("Hello, " + name + "!"), nil
	}
	return ask(mcp.InputRequestMap{"user_name": form("What is your name?", "name", "string")}), nil
}

func askCapital(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if said, ok := completion(req.Params.InputResponses, "capital_question"); ok {
		return text("The model says: " + said), nil
	}
	return ask(mcp.InputRequestMap{"capital_question": prompt("What is the capital of France?")}), nil
}

func askRoots(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	r, _ := req.Params.InputResponses["client_roots"].(*mcp.ListRootsResult)
	if r == nil {
		return ask(mcp.InputRequestMap{"client_roots": &mcp.ListRootsParams{}}), nil
	}
	uris := make([]string, 0, len(r.Roots))
	for _, root := range r.Roots {
		uris = append(uris, root.URI)
	}
	return text("roots: ", strings.Join(uris, " ")), nil
}

func (s *Server) askConfirmation(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if state := req.Params.RequestState; state != "" {
		if _, err := s.open(state); err != nil {
			return nil, err
		}
		if _, ok := filledIn(req.Params.InputResponses, "confirm", ""); ok {
			return text("state-ok"), nil
		}
	}
	asked := ask(mcp.InputRequestMap{"confirm": form("Go on?", "ok", "boolean")})
	asked.RequestState = s.close("confirm")
	return asked, nil
}

func (s *Server) askAll(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	name, named := filledIn(req.Params.InputResponses, "user_name", "name")
	greeting, greeted := completion(req.Params.InputResponses, "greeting")
	roots, _ := req.Params.InputResponses["client_roots"].(*mcp.ListRootsResult)
	if named && greeted && roots != nil {
		return text(greeting, " ", name, ", roots: ", strconv.Itoa(len(roots.Roots))), nil
	}
	asked := ask(mcp.InputRequestMap{
		"user_name":    form("What is your name?", "name", "string"),
		"greeting":     prompt("Greet somebody"),
		"client_roots": &mcp.ListRootsParams{},
	})
	asked.RequestState = s.close("all")
	return asked, nil
}

func (s *Server) askTwice(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if req.Params.RequestState == "" {
		asked := ask(mcp.InputRequestMap{"step1": form("What is your name?", "name", "string")})
		asked.RequestState = s.close("1")
		return asked, nil
	}
	state, err := s.open(req.Params.RequestState)
	if err != nil {
		return nil, err
	}
	if state == "1" {
		name, _ := filledIn(req.Params.InputResponses, "step1", "name")
		asked := ask(mcp.InputRequestMap{"step2": form("What is your favourite colour?", "color", "string")})
		asked.RequestState = s.close("2" + name)
		return asked, nil
	}
	color, _ := filledIn(req.Params.InputResponses, "step2", "color")
	return text(state[1:], " likes ", color), nil
}

func askCapable(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	if len(req.Params.InputResponses) > 0 {
		return text("answered"), nil
	}
	requests, can := mcp.InputRequestMap{}, req.ClientCapabilities()
	if can != nil && can.Elicitation != nil {
		requests["user_name"] = form("What is your name?", "name", "string")
	}
	if can != nil && can.Sampling != nil {
		requests["greeting"] = prompt("Greet somebody")
	}
	if can != nil && can.RootsV2 != nil {
		requests["client_roots"] = &mcp.ListRootsParams{}
	}
	if len(requests) == 0 {
		return text("this client can't answer anything"), nil
	}
	return ask(requests), nil
}

// close makes a requestState that open accepts and nobody else can make.
func (s *Server) close(state string) string {
	return base64.RawURLEncoding.EncodeToString(s.mac(state)) + "." + base64.RawURLEncoding.EncodeToString([]byte(state))
}

func (s *Server) open(closed string) (string, error) {
	mac, state, _ := strings.Cut(closed, ".")
	sum, sumErr := base64.RawURLEncoding.DecodeString(mac)
	plain, err := base64.RawURLEncoding.DecodeString(state)
	if sumErr != nil || err != nil || len(plain) == 0 || !hmac.Equal(sum, s.mac(string(plain))) {
		return "", &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "requestState is not one of this server's"}
	}
	return string(plain), nil
}

func (s *Server) mac(state string) []byte {
	h := hmac.New(sha256.New, s.seal[:])
	h.Write([]byte(state))
	return h.Sum(nil)
}
