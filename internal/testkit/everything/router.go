package everything

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

// Handler serves both eras on one endpoint: the SDK has a handler for each, and what
// the request says decides which one gets it.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			s.legacy.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 32<<20))
		if err != nil {
			http.Error(w, "the body can't be read", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		var m message
		_ = json.Unmarshal(body, &m) // the SDK says what is wrong with it
		if !modern(r.Header, &m) {
			s.legacy.ServeHTTP(w, r)
			return
		}
		if s.extensions.owns(&m) && local(r) {
			s.extensions.serveHTTP(w, r, &m)
			return
		}
		s.stateless.ServeHTTP(w, r)
	})
}

// modern tells the eras apart the way the specification does: anything that speaks of a
// modern revision is modern, so that malformed modern traffic fails as such.
func modern(h http.Header, m *message) bool {
	if m.Params.Meta.Version != "" {
		return true
	}
	if h.Get("Mcp-Session-Id") != "" || m.Method == "initialize" {
		return false
	}
	return h.Get("Mcp-Protocol-Version") >= Modern
}

// message is what routing and the extensions have to know of a request.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name           string                     `json:"name"`
		URI            string                     `json:"uri"`
		TaskID         string                     `json:"taskId"`
		Arguments      json.RawMessage            `json:"arguments"`
		InputResponses map[string]json.RawMessage `json:"inputResponses"`
		Meta           struct {
			Version      string `json:"io.modelcontextprotocol/protocolVersion"`
			Capabilities struct {
				Extensions map[string]json.RawMessage `json:"extensions"`
			} `json:"io.modelcontextprotocol/clientCapabilities"`
		} `json:"_meta"`
	} `json:"params"`
}

// declares reports whether the client of this request supports the extension.
func (m *message) declares(extension string) bool {
	_, ok := m.Params.Meta.Capabilities.Extensions[extension]
	return ok
}
