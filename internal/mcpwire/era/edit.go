package era

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// sinkFunc is a sink that is a function. It is never a Relayer: an adapter has to see
// every event.
type sinkFunc func(exchange.Event) error

func (f sinkFunc) Send(e exchange.Event) error { return f(e) }

// deeper is how much deeper than a client's message one of ours may be nested.
const deeper = 16

// ours checks a message that an edit made, and finds its parts.
func ours(raw []byte) (*mcpwire.Message, error) {
	m, err := mcpwire.Parse(raw, mcpwire.Limits{Size: len(raw), Depth: mcpwire.MaxDepth + deeper})
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// reply checks a message of an upstream, which its transport has bounded.
func reply(raw []byte) (*mcpwire.Message, error) {
	m, err := mcpwire.ParseReply(raw, mcpwire.Limits{Size: len(raw), Depth: mcpwire.MaxDepth + deeper})
	if err != nil {
		return nil, &exchange.Error{Code: exchange.BrokeOff, Message: "the upstream sent something that is not a message", Cause: err}
	}
	return &m, nil
}

// final is a response of our own that ends a call.
func final(data []byte, status int) exchange.Event {
	return exchange.Event{Data: data, Final: true, Status: status}
}

// answer ends a request with a result of our own.
func answer(m *mcpwire.Message, out exchange.Sink, result string) error {
	return out.Send(final(mcpwire.BuildResult(m.Bytes(m.ID), []byte(result)), 0))
}

// refuse ends a request with an error of our own.
func refuse(m *mcpwire.Message, out exchange.Sink, code, status int, message, data string) error {
	var raw []byte
	if data != "" {
		raw = []byte(data)
	}
	return out.Send(final(mcpwire.BuildError(m.Bytes(m.ID), code, message, raw), status))
}

// ask sends one request of our own and returns its response; what else arrives before
// it is dropped.
func ask(c *exchange.Call, send func(*exchange.Call, exchange.Sink) error) (*mcpwire.Message, int, error) {
	var got *mcpwire.Message
	var status int
	err := send(c, sinkFunc(func(e exchange.Event) error {
		if !e.Final {
			return nil
		}
		m, err := reply(bytes.Clone(e.Data))
		if err != nil {
			return err
		}
		got, status = m, e.Status
		return nil
	}))
	switch {
	case err != nil:
		return nil, 0, err
	case got == nil:
		return nil, 0, &exchange.Error{Code: exchange.BrokeOff, Message: "the upstream ended without an answer"}
	}
	return got, status, nil
}

// asLegacy and asModern are the call as a client of that era sends it. Headers of the
// client do not cross: who sends to the upstream derives its own.
func asLegacy(c *exchange.Call, version string, m *mcpwire.Message) *exchange.Call {
	return &exchange.Call{Message: m, Caller: c.Caller, Server: c.Server, Era: mcpwire.Legacy, Version: version}
}

func asModern(c *exchange.Call, m *mcpwire.Message) *exchange.Call {
	return &exchange.Call{Message: m, Caller: c.Caller, Server: c.Server, Era: mcpwire.Modern, Version: mcpwire.Version20260728}
}

// closing is the brace that ends the message.
func closing(raw []byte) int { return bytes.LastIndexByte(raw, '}') }

// withParams is the edit that gives a message params, for one that has none.
func withParams(raw []byte, fields ...mcpwire.Field) mcpwire.Edit {
	at := closing(raw)
	return mcpwire.Edit{Span: mcpwire.Span{Start: at, End: at}, With: append([]byte(`,"params":`), object(fields...)...)}
}

// object builds a small object.
func object(fields ...mcpwire.Field) []byte {
	empty := []byte("{}")
	edit := mcpwire.AddMembers(empty, mcpwire.Span{Start: 0, End: 2}, fields...)
	return append(append([]byte{'{'}, edit.With...), '}')
}

// whole is the span of all of raw without blanks around it.
func whole(raw []byte) mcpwire.Span {
	start := len(raw) - len(bytes.TrimLeft(raw, " \t\r\n"))
	return mcpwire.Span{Start: start, End: start + len(bytes.TrimSpace(raw))}
}

// without is an object (raw, alone) without some members; path leads inwards to the
// object that loses them.
func without(raw []byte, remove func(string) bool, path ...string) []byte {
	span := whole(raw)
	if len(path) > 0 {
		span = mcpwire.Lookup(raw, span, path...)
	}
	if !isObject(raw, span) {
		return raw
	}
	edits := mcpwire.RemoveMembers(raw, span, remove)
	if len(edits) == 0 {
		return raw
	}
	out, err := mcpwire.Splice(raw, edits...)
	if err != nil {
		return raw
	}
	return out
}

func isObject(raw []byte, s mcpwire.Span) bool { return s.Present() && raw[s.Start] == '{' }

// one matches a single member name.
func one(name string) func(string) bool { return func(n string) bool { return n == name } }

// text is a string member of the object at span.
func text(raw []byte, span mcpwire.Span, path ...string) string {
	v := mcpwire.Lookup(raw, span, path...)
	s, _ := mcpwire.Unquote(raw[v.Start:v.End])
	return s
}

// has reports whether the object (raw, alone) has the member that path leads to.
func has(raw []byte, path ...string) bool {
	return len(raw) > 0 && mcpwire.Lookup(raw, whole(raw), path...).Present()
}

// random is an unguessable name of our own.
func random() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// setID is the edit that gives a response another id. A response that was sent without
// one (the upstream could not read it) gets it in front.
func setID(m *mcpwire.Message, id []byte) mcpwire.Edit {
	if m.ID.Present() {
		return mcpwire.Edit{Span: m.ID, With: id}
	}
	return mcpwire.SetMember(m.Raw, whole(m.Raw), "id", id)
}

// listChanged names what a list_changed notification is about: tools, prompts or
// resources.
func listChanged(method string) (kind string, ok bool) {
	switch method {
	case "notifications/tools/list_changed":
		return "tools", true
	case "notifications/prompts/list_changed":
		return "prompts", true
	case "notifications/resources/list_changed":
		return "resources", true
	}
	return "", false
}

const methodUpdated = "notifications/resources/updated"
