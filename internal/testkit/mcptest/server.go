package mcptest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
)

// Received is one request as a server got it.
type Received struct {
	Method string // of HTTP; empty for a child
	Header http.Header
	Body   string
}

// Server is an MCP server of both eras over HTTP that keeps what it is sent. It offers
// the tools it is told to, and answers calls with the text "done" unless told otherwise.
type Server struct {
	URL string

	server *httptest.Server
	mu     sync.Mutex
	calls  []Received
	all    []Received
	tools  []string
	answer func(w http.ResponseWriter, r *http.Request, m Message) bool
	first  func(w http.ResponseWriter, r *http.Request, m Message) bool
}

// Message is a JSON-RPC message, decoded as far as tests look at it.
type Message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
		Meta      json.RawMessage `json:"_meta"`
	} `json:"params"`
}

// NewServer starts a server with these tools.
func NewServer(t testing.TB, tools ...string) *Server {
	t.Helper()
	s := &Server{tools: tools}
	s.server = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.server.URL + "/mcp"
	t.Cleanup(func() {
		s.server.CloseClientConnections()
		s.server.Close()
	})
	return s
}

// Answer has calls of tools answered by f from now on, where it returns true.
func (s *Server) Answer(f func(w http.ResponseWriter, r *http.Request, m Message) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

// Stop closes the server: connections to it are refused from now on.
func (s *Server) Stop() {
	s.server.CloseClientConnections()
	s.server.Close()
}

// First has everything answered by f from now on, where it returns true.
func (s *Server) First(f func(w http.ResponseWriter, r *http.Request, m Message) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first = f
}

// Offer changes the tools that are offered.
func (s *Server) Offer(tools ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tools = tools
}

// Calls are the calls of tools that arrived since the last time.
func (s *Server) Calls() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.calls
	s.calls = nil
	return got
}

// All is everything that arrived since the last time.
func (s *Server) All() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.all
	s.all = nil
	return got
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var m Message
	readable := json.Unmarshal(body, &m) == nil
	got := Received{r.Method, r.Header.Clone(), string(body)}
	s.mu.Lock()
	s.all = append(s.all, got)
	// What can't be read is kept as a call: it should never have come.
	if m.Method == "tools/call" || r.Method == http.MethodPost && (!readable || m.Method == "" && len(m.ID) == 0) {
		s.calls = append(s.calls, got)
	}
	first, answer, tools := s.first, s.answer, slices.Clone(s.tools)
	s.mu.Unlock()
	if first != nil && first(w, r, m) {
		return
	}
	if answer != nil && m.Method == "tools/call" && answer(w, r, m) {
		return
	}
	switch {
	case r.Method != http.MethodPost:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case len(m.ID) == 0:
		w.WriteHeader(http.StatusAccepted)
	default:
		Reply(w, m.ID, reply(m, tools))
	}
}

// Reply answers with a result over HTTP.
func Reply(w http.ResponseWriter, id json.RawMessage, result string) {
	Write(w, http.StatusOK, `{"jsonrpc":"2.0","id":`+string(id)+`,"result":`+result+`}`)
}

// Write answers with a JSON body over HTTP.
func Write(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// Done is the result that calls of tools have.
const Done = `{"resultType":"complete","content":[{"type":"text","text":"done"}]}`

// reply is the result of a request.
func reply(m Message, tools []string) string {
	switch m.Method {
	case "initialize":
		return `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"raw","version":"1"}}`
	case "server/discover":
		return `{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"private",` +
			`"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"raw","version":"1"}}}`
	case "tools/list":
		list := []byte(`{"resultType":"complete","ttlMs":0,"cacheScope":"public","tools":[`)
		for i, name := range tools {
			if i > 0 {
				list = append(list, ',')
			}
			quoted, err := json.Marshal(name)
			if err != nil {
				panic(err) // a string always encodes
			}
			list = append(list, `{"name":`+string(quoted)+`,"inputSchema":{"type":"object"}}`...)
		}
		return string(append(list, `]}`...))
	case "tools/call":
		return Done
	default:
		return `{}`
	}
}
