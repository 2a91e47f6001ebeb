package everything

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

const (
	tasksExtension  = "io.modelcontextprotocol/tasks"
	skillsExtension = "io.modelcontextprotocol/skills"
)

// extensions answers the requests that the SDK knows nothing of.
type extensions struct {
	tasks *tasks
}

func newExtensions() *extensions { return &extensions{tasks: newTasks()} }

// owns reports whether the request is for an extension. A call of a tool that can run
// as a task is one when the client declared the extension; otherwise the tool answers
// at once like any other.
func (x *extensions) owns(m *message) bool {
	switch m.Method {
	case "tasks/get", "tasks/update", "tasks/cancel", "skills/list", "skills/get", "resources/directory/read":
		return true
	case "tools/call":
		_, ok := jobs[m.Params.Name]
		return ok && m.declares(tasksExtension)
	}
	return false
}

// rpcError is a JSON-RPC error; status is the HTTP status it goes with.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
	status  int
}

func (e *rpcError) Error() string { return e.Message }

func invalid(message string) *rpcError {
	return &rpcError{Code: -32602, Message: message, status: http.StatusOK}
}

func missingExtension(extension string) *rpcError {
	return &rpcError{
		Code: -32021, Message: "the client did not declare the extension " + extension, status: http.StatusBadRequest,
		Data: map[string]any{"requiredCapabilities": map[string]any{"extensions": map[string]any{extension: struct{}{}}}},
	}
}

type object = map[string]any

// answer is the response to a request of an extension.
func (x *extensions) answer(m *message) ([]byte, int) {
	result, fail := x.dispatch(m)
	response := object{"jsonrpc": "2.0", "id": m.ID}
	status := http.StatusOK
	if fail != nil {
		response["error"], status = fail, fail.status
	} else {
		if _, ok := result["resultType"]; !ok {
			result["resultType"] = "complete"
		}
		result["_meta"] = object{"io.modelcontextprotocol/serverInfo": object{"name": "everything", "version": "1.0.0"}}
		response["result"] = result
	}
	body, err := json.Marshal(response)
	if err != nil {
		panic(err) // made of maps, strings and numbers
	}
	return body, status
}

func (x *extensions) dispatch(m *message) (object, *rpcError) {
	switch m.Method {
	case "skills/list":
		return listSkills(), nil
	case "skills/get":
		return getSkill(m.Params.URI)
	case "resources/directory/read":
		return readDirectory(m.Params.URI)
	}
	if !m.declares(tasksExtension) {
		return nil, missingExtension(tasksExtension)
	}
	switch m.Method {
	case "tools/call":
		return x.tasks.call(m)
	case "tasks/get":
		return x.tasks.get(m.Params.TaskID)
	case "tasks/update":
		return x.tasks.update(m.Params.TaskID, m.Params.InputResponses)
	default:
		return x.tasks.cancel(m.Params.TaskID)
	}
}

func (x *extensions) serveHTTP(w http.ResponseWriter, r *http.Request, m *message) {
	w.Header().Set("Content-Type", "application/json")
	if what := mismatch(r.Header, m); what != "" {
		body, _ := json.Marshal(object{"jsonrpc": "2.0", "id": m.ID, "error": rpcError{Code: -32020, Message: what}})
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write(body)
		return
	}
	body, status := x.answer(m)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// mismatch says which mirrored header disagrees with the body. Names of tools and tasks
// here are ASCII, so no header comes in the encoded form.
func mismatch(h http.Header, m *message) string {
	if h.Get("Mcp-Protocol-Version") != m.Params.Meta.Version {
		return "MCP-Protocol-Version disagrees with the body"
	}
	if h.Get("Mcp-Method") != m.Method {
		return "Mcp-Method disagrees with the body"
	}
	name := ""
	switch {
	case m.Method == "tools/call":
		name = m.Params.Name
	case strings.HasPrefix(m.Method, "tasks/"):
		name = m.Params.TaskID
	}
	if name != "" && h.Get("Mcp-Name") != name {
		return "Mcp-Name disagrees with the body"
	}
	return ""
}

// local reports whether the request names a loopback host, the same protection against
// rebound names that the SDK's handlers have.
func local(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && addr.IsLoopback()
}
