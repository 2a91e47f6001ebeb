package pipeline

import (
	"bytes"
	"context"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/policy"
)

// unasked keeps a server from asking a client what it may not ask. It was told that the
// client can't be asked; one that asks all the same is answered here, and its question
// goes no further. It is no Relayer: every message is looked at.
type unasked struct {
	exchange.Sink
	ctx  context.Context
	s    func() *Subject
	c    *exchange.Call
	back exchange.Next // to the server of a session; nil where there is none
}

func (u *unasked) Send(e exchange.Event) error {
	if !mayAsk(e.Data) {
		return u.Sink.Send(e)
	}
	m, err := mcpwire.ParseReply(e.Data, mcpwire.Limits{Size: len(e.Data) + 1, Depth: anyDepth})
	if err != nil {
		return &exchange.Error{Code: exchange.BrokeOff, Message: "the upstream sent what is no message", Cause: err}
	}
	switch {
	case m.Kind == mcpwire.Request && u.s().forbids(m.Method):
		u.refuse(m.Bytes(m.ID))
		return nil
	case m.Kind == mcpwire.Result && u.s().questions(&m),
		m.Kind == mcpwire.Failure && codeOf(&m) == mcpwire.CodeURLElicitation && u.s().forbids(mcpwire.MethodElicit):
		e.Data = forbidden(m.Bytes(m.ID), mcpwire.CodeInternal)
	}
	return u.Sink.Send(e)
}

// mayAsk reports whether a message may ask something: nearly all show at once that they
// do not.
func mayAsk(data []byte) bool {
	return bytes.Contains(data, []byte("createMessage")) || bytes.Contains(data, []byte("elicitation/create")) ||
		bytes.Contains(data, []byte("inputRequests")) || bytes.Contains(data, []byte("-32042")) || bytes.Contains(data, []byte(`\u`)) || bytes.Contains(data, []byte(`\/`))
}

// forbids reports whether a server may not ask for this.
func (s *Subject) forbids(method string) bool {
	for _, asked := range askable {
		if method == asked {
			return !s.allowsAll() && !s.named(method)
		}
	}
	return false
}

// questions reports whether a result asks for what the server may not ask for.
func (s *Subject) questions(m *mcpwire.Message) bool {
	for key, asked := range mcpwire.Members(m.Raw, m.Result) {
		if name, _ := m.Text(key); name != "inputRequests" {
			continue
		}
		for _, question := range mcpwire.Members(m.Raw, asked) {
			for key, value := range mcpwire.Members(m.Raw, question) {
				name, _ := m.Text(key)
				if method, _ := m.Text(value); name == "method" && s.forbids(method) {
					return true
				}
			}
		}
	}
	return false
}

// forbidden answers in place of who was not asked.
func forbidden(id []byte, code int) []byte {
	return mcpwire.BuildError(id, code, "the gateway does not let this server ask its clients",
		[]byte(`{"code":"`+string(policy.MethodNotAllowed)+`","fix":"whoever runs the gateway can allow it: methods of the server, --method of sluice proxy"}`))
}

// refuse tells the server that nobody was asked. It may be waiting for its own words to be
// read, so that nobody here waits for it.
func (u *unasked) refuse(id []byte) {
	if u.back == nil {
		return
	}
	raw := forbidden(id, mcpwire.CodeMethodNotFound)
	m, err := mcpwire.Parse(raw, mcpwire.Limits{Size: len(raw) + 1})
	if err != nil {
		return // of an id that no client may write; nobody waits for such a one
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), settleTime)
		defer cancel()
		_ = u.back(ctx, u.c.With(&m), nowhere{}) // a server that is gone waits for nothing
	}()
}
