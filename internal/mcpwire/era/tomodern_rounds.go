package era

import (
	"bytes"
	"context"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// rounds sends a call, asks the client what the upstream wants to know, and sends the
// call again with the answers, until there is a result.
func (s *session) rounds(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	m := c.Message
	up, err := s.modern(m, s.newID())
	if err != nil {
		return err
	}
	for round := 1; ; round++ {
		var asked *mcpwire.Message
		err := s.t.up.Call(ctx, asModern(c, up), sinkFunc(func(e exchange.Event) error {
			var err error
			asked, err = s.pass(c, e, out)
			return err
		}))
		if err != nil || asked == nil {
			return err
		}
		if round > s.t.opt.Rounds {
			return &exchange.Error{Code: exchange.CannotCarry, Message: named(s.name) + " keeps asking; the call was given up",
				Fix: "make the call again"}
		}
		more, err := s.answers(ctx, asked, out, round)
		if err != nil {
			return err
		}
		if up, err = s.modern(m, s.newID(), more...); err != nil {
			return err
		}
	}
}

// pass hands an event of the upstream to the client in its own terms. An answer that
// asks for input is returned instead.
func (s *session) pass(c *exchange.Call, e exchange.Event, out exchange.Sink) (*mcpwire.Message, error) {
	if len(e.Data) == 0 {
		return nil, nil
	}
	if !e.Final {
		return nil, out.Send(exchange.Event{Data: e.Data})
	}
	m, err := reply(e.Data)
	if err != nil {
		return nil, err
	}
	id := c.Message.Bytes(c.Message.ID)
	if m.Kind == mcpwire.Failure {
		raw, err := legacyError(m, id, c.Message.Method)
		if err != nil {
			return nil, err
		}
		return nil, out.Send(final(raw, 0))
	}
	switch kind := text(m.Raw, m.Result, "resultType"); kind {
	case "", "complete":
		raw, err := legacyResult(m, id)
		if err != nil {
			return nil, err
		}
		return nil, out.Send(final(raw, 0))
	case "input_required":
		return reply(bytes.Clone(e.Data))
	default:
		return nil, &exchange.Error{Code: exchange.CannotCarry, Message: named(s.name) + " answered with a kind of result that " +
			s.version + " has no form for", Fix: "use a client that speaks " + mcpwire.Version20260728,
			Data: map[string]any{"resultType": kind}}
	}
}

// asking is a question to the client.
type asking struct {
	key    string
	method string
	answer chan *mcpwire.Message
}

// answers asks the client what an input_required result wants, all at once, and
// returns the members that the retry carries. The upstream's state is echoed as it
// was written.
func (s *session) answers(ctx context.Context, m *mcpwire.Message, out exchange.Sink, round int) ([]mcpwire.Field, error) {
	var more []mcpwire.Field
	if st := mcpwire.Member(m.Raw, m.Result, "requestState"); st.Present() {
		more = append(more, mcpwire.Field{Name: "requestState", Value: m.Bytes(st)})
	}
	requests := mcpwire.Member(m.Raw, m.Result, "inputRequests")
	if !requests.Present() {
		// The upstream only wants to be asked again; not at once each time.
		select {
		case <-time.After(min(100*time.Millisecond<<(round-1), 5*time.Second)):
			return more, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	var all []asking
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for id, ch := range s.waiting {
			for _, a := range all {
				if a.answer == ch {
					delete(s.waiting, id)
				}
			}
		}
	}()
	for key, value := range mcpwire.Members(m.Raw, requests) {
		name, _ := mcpwire.Unquote(m.Raw[key.Start:key.End])
		a, raw, err := s.question(m, name, value)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
		if err := out.Send(exchange.Event{Data: raw}); err != nil {
			return nil, err
		}
	}
	responses := make([]mcpwire.Field, 0, len(all))
	for _, a := range all {
		select {
		case got := <-a.answer:
			value, err := s.response(a, got)
			if err != nil {
				return nil, err
			}
			responses = append(responses, mcpwire.Field{Name: a.key, Value: value})
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return append(more, mcpwire.Field{Name: "inputResponses", Value: object(responses...)}), nil
}

// question makes a request to the client of one of the upstream's input requests.
func (s *session) question(m *mcpwire.Message, key string, value mcpwire.Span) (asking, []byte, error) {
	method := text(m.Raw, value, "method")
	params := mcpwire.Member(m.Raw, value, "params")
	if missing := undeclared(s.capabilities, method, m.Raw, params); missing != "" {
		return asking{}, nil, &exchange.Error{Code: exchange.CannotCarry,
			Message: named(s.name) + " asks for something that the client did not declare", Data: map[string]any{"requires": missing}}
	}
	body := m.Bytes(params)
	if method == mcpwire.MethodElicit && text(m.Raw, params, "mode") == "url" && !mcpwire.Member(m.Raw, params, "elicitationId").Present() {
		var err error // the legacy form has to name the elicitation
		if body, err = mcpwire.Splice(body, mcpwire.AddMembers(body, whole(body),
			mcpwire.Field{Name: "elicitationId", Value: s.newID()})); err != nil {
			return asking{}, nil, err
		}
	}
	if len(body) == 0 {
		body = nil
	}
	id := s.newID()
	a := asking{key: key, method: method, answer: make(chan *mcpwire.Message, 1)}
	s.mu.Lock()
	s.waiting[string(id)] = a.answer
	s.mu.Unlock()
	return a, mcpwire.BuildRequest(string(id), method, body), nil
}

// response is the client's answer as inputResponses holds it. An error has no place
// there: a form that could not be shown was not filled in, anything else ends the call.
func (s *session) response(a asking, got *mcpwire.Message) ([]byte, error) {
	switch {
	case got.Kind == mcpwire.Result:
		return got.Bytes(got.Result), nil
	case a.method == mcpwire.MethodElicit:
		return []byte(`{"action":"cancel"}`), nil
	}
	return nil, &exchange.Error{Code: exchange.CannotCarry, Message: "the client answered " + a.method + " with an error, which " +
		named(s.name) + " can't be told", Data: map[string]any{"method": a.method, "client_code": errorCode(got)}}
}
