package httpserve

import (
	"sync"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// schemas remembers which arguments tools mirror into headers, from the lists of tools
// that pass by message by message: those of upstreams that don't speak HTTP, whose
// headers nobody but this face can check. An answer that is relayed whole comes from
// an upstream that checks for itself.
type schemas struct {
	mu       sync.Mutex
	byCaller map[string]map[string][]mcpwire.ParamHeader
}

// Bounds of what is remembered. Beyond them headers pass unchecked.
const (
	schemaCallers = 1024
	schemaTools   = 4096
)

// learn takes a page of a caller's list; the first page replaces what was known.
func (s *schemas) learn(caller string, first bool, response []byte) {
	m, err := mcpwire.ParseReply(response, mcpwire.Limits{Size: len(response)})
	if err != nil || m.Kind != mcpwire.Result {
		return
	}
	found := map[string][]mcpwire.ParamHeader{}
	for tool := range mcpwire.Elements(m.Raw, mcpwire.Member(m.Raw, m.Result, "tools")) {
		schema := mcpwire.Member(m.Raw, tool, "inputSchema")
		params, err := mcpwire.ParamHeaders(m.Bytes(schema))
		if name, ok := m.Text(mcpwire.Member(m.Raw, tool, "name")); ok && err == nil && len(params) > 0 {
			found[name] = params
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.byCaller[caller]
	switch {
	case first && len(found) == 0:
		delete(s.byCaller, caller)
		return
	case len(found) == 0:
		return
	case first || known == nil:
		known = map[string][]mcpwire.ParamHeader{}
	}
	for name, params := range found {
		if len(known) < schemaTools {
			known[name] = params
		}
	}
	if s.byCaller == nil || len(s.byCaller) >= schemaCallers {
		s.byCaller = map[string]map[string][]mcpwire.ParamHeader{}
	}
	s.byCaller[caller] = known
}

// of is what the tool mirrors, as far as the caller has seen it.
func (s *schemas) of(caller, tool string) ([]mcpwire.ParamHeader, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	params, ok := s.byCaller[caller][tool]
	return params, ok
}

// learning lets the answer to a call show its result on the way.
func (h *Handler) learning(c *exchange.Call, a *answer) {
	if h.o.Schema != nil || c.Message.Method != mcpwire.MethodToolsList {
		return
	}
	a.look = func(response []byte) { h.schemas.learn(c.Caller.ID, !c.Message.Cursor.Present(), response) }
}
