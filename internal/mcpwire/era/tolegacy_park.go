package era

import (
	"bytes"
	"context"
	"crypto/rand"
	"strconv"
	"sync"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// question is a request that a legacy server made in the middle of a call.
type question struct {
	key    string // under which the client gets it
	id     []byte // the server's, raw
	method string
	params []byte
}

// parking holds the calls whose clients owe an answer.
type parking struct {
	mu    sync.Mutex
	calls map[[12]byte]*flight
}

// enter reports whether one more call may wait.
func (p *parking) enter(f *flight) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls[f.ticket] == f {
		return true
	}
	mine := 0
	for _, other := range p.calls {
		if other.s.caller.ID == f.s.caller.ID {
			mine++
		}
	}
	if len(p.calls) >= f.l.opt.Parked || mine >= f.l.opt.CallerParked {
		return false
	}
	p.calls[f.ticket] = f
	return true
}

func (p *parking) leave(f *flight) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls[f.ticket] == f {
		delete(p.calls, f.ticket)
	}
}

func (p *parking) find(ticket [12]byte) *flight {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[ticket]
}

// close stops the clocks of all that wait. Their calls end with the adapter's context.
func (p *parking) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.calls {
		f.mu.Lock()
		if f.expiry != nil {
			f.expiry.Stop()
		}
		f.mu.Unlock()
	}
	clear(p.calls)
}

// asked takes a request of the server: a question for the client where it declared
// that it can answer such, an error to the server otherwise.
func (f *flight) asked(m *mcpwire.Message) error {
	if m.Method == mcpwire.MethodPing || !f.mayAsk {
		return f.s.reject(m)
	}
	if missing := undeclared(f.s.client, m.Method, m.Raw, m.Params); missing != "" {
		return f.s.notify(f.l.ctx, mcpwire.BuildError(bytes.Clone(m.Bytes(m.ID)), mcpwire.CodeMethodNotFound,
			"the client did not declare "+missing, nil))
	}
	f.mu.Lock()
	if len(f.questions) >= questionLimit {
		f.mu.Unlock()
		return f.s.notify(f.l.ctx, mcpwire.BuildError(bytes.Clone(m.Bytes(m.ID)), mcpwire.CodeInvalidRequest,
			"too many questions of this call wait for an answer", nil))
	}
	f.asks++
	f.questions = append(f.questions, &question{key: "request-" + strconv.Itoa(f.asks), id: bytes.Clone(m.Bytes(m.ID)),
		method: m.Method, params: bytes.Clone(m.Bytes(m.Params))})
	f.mu.Unlock()
	f.signal()
	return nil
}

// withdrawn drops a question that the server cancelled.
func (f *flight) withdrawn(id []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, q := range f.questions {
		if bytes.Equal(q.id, id) {
			f.questions = append(f.questions[:i:i], f.questions[i+1:]...)
			f.signal()
			return
		}
	}
}

// park ends the client's request with the server's questions; the call waits. It is
// false when the questions are gone by now.
func (f *flight) park(c *exchange.Call, out exchange.Sink) (bool, error) {
	f.mu.Lock()
	if len(f.questions) == 0 {
		f.mu.Unlock()
		return false, nil
	}
	if f.round == 0 {
		_, _ = rand.Read(f.ticket[:]) // never fails
	}
	f.round++
	requests := make([]mcpwire.Field, 0, len(f.questions))
	for _, q := range f.questions {
		requests = append(requests, mcpwire.Field{Name: q.key, Value: q.input()})
	}
	f.attached = false
	f.expiry = time.AfterFunc(f.l.opt.ParkTimeout, f.expire)
	st := state{f.ticket, f.round}
	f.mu.Unlock()
	if !f.l.parking.enter(f) {
		f.abandon()
		return true, &exchange.Error{Code: exchange.TooMany, Message: "too many calls to " + named(c.Server) + " wait for answers of their client",
			Fix: "answer or give up some of them", Sent: true}
	}
	if err := out.Send(final(inputRequired(c, object(requests...), f.l.seal.seal(st, f.binding), f.s.serverInfo), 0)); err != nil {
		f.abandon()
		return true, err
	}
	return true, nil
}

// input is the question as inputRequests holds it.
func (q *question) input() []byte {
	fields := []mcpwire.Field{{Name: "method", Value: mcpwire.Quote(q.method)}}
	if len(q.params) > 0 {
		fields = append(fields, mcpwire.Field{Name: "params", Value: q.params})
	}
	return object(fields...)
}

// inputRequired is the interim result that asks a modern client.
func inputRequired(c *exchange.Call, requests []byte, requestState string, serverInfo []byte) []byte {
	fields := []mcpwire.Field{{Name: "resultType", Value: []byte(`"input_required"`)},
		{Name: "inputRequests", Value: requests}, {Name: "requestState", Value: mcpwire.Quote(requestState)}}
	if len(serverInfo) > 0 {
		fields = append(fields, mcpwire.Field{Name: "_meta", Value: object(mcpwire.Field{Name: mcpwire.MetaServerInfo, Value: serverInfo})})
	}
	return mcpwire.BuildResult(c.Message.Bytes(c.Message.ID), object(fields...))
}

// expire gives up a call whose client did not come back.
func (f *flight) expire() {
	f.mu.Lock()
	waiting := !f.attached
	f.attached = true // a retry that comes now is too late
	f.mu.Unlock()
	if waiting {
		f.abandon()
	}
}

// attach makes the retry the one whom the call answers; false for a state that was
// used before.
func (f *flight) attach(round uint32) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.attached || f.round != round {
		return false
	}
	f.attached = true
	f.expiry.Stop()
	return true
}

// retry serves a request that brings answers. It is not handled when it has to be
// called anew, since what was asked was to follow links; again then says that the
// client did.
func (l *toLegacy) retry(ctx context.Context, c *exchange.Call, out exchange.Sink) (handled, again bool, err error) {
	m := c.Message
	sealed, _ := stateOf(m)
	st, ok := l.seal.open(sealed, binding(c))
	if !ok {
		return true, false, refuse(m, out, mcpwire.CodeInvalidParams, 400,
			"requestState is not one that was given to this caller for this call", `{"code":"request_state_invalid"}`)
	}
	if st.round == 0 {
		return false, accepted(m), nil
	}
	f := l.parking.find(st.call)
	if f == nil {
		return true, false, refuse(m, out, mcpwire.CodeInvalidParams, 400,
			"the call no longer waits for these answers; make it again without requestState", `{"code":"request_state_expired"}`)
	}
	if !f.attach(st.round) {
		return true, false, refuse(m, out, mcpwire.CodeInvalidParams, 400,
			"these answers were given before; use the latest requestState", `{"code":"request_state_used"}`)
	}
	if err := f.answer(ctx, m); err != nil {
		f.abandon()
		return true, false, err
	}
	return true, false, f.serve(ctx, c, out)
}

// answer hands the client's answers to the server. Questions without a usable one
// stay, and are asked again.
func (f *flight) answer(ctx context.Context, m *mcpwire.Message) error {
	f.mu.Lock()
	var left []*question
	var answers [][]byte
	for _, q := range f.questions {
		a := mcpwire.Member(m.Raw, m.InputResponses, q.key)
		if !usable(q.method, m.Raw, a) {
			left = append(left, q)
			continue
		}
		answers = append(answers, mcpwire.BuildResult(q.id, m.Bytes(a)))
	}
	f.questions = left
	done := f.done
	f.mu.Unlock()
	if done {
		return nil // the server did not wait; what it said instead is in the queue
	}
	for _, a := range answers {
		if err := f.s.notify(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// usable reports whether an answer has the form that its question asks for.
func usable(method string, raw []byte, a mcpwire.Span) bool {
	if !isObject(raw, a) {
		return false
	}
	switch method {
	case mcpwire.MethodElicit:
		switch text(raw, a, "action") {
		case "accept", "decline", "cancel":
			return true
		}
		return false
	case mcpwire.MethodSample:
		return mcpwire.Member(raw, a, "content").Present()
	case mcpwire.MethodRoots:
		roots := mcpwire.Member(raw, a, "roots")
		return roots.Present() && raw[roots.Start] == '['
	}
	return true
}

// accepted reports whether the client followed all links it was given.
func accepted(m *mcpwire.Message) bool {
	any := false
	for _, value := range mcpwire.Members(m.Raw, m.InputResponses) {
		if any = true; text(m.Raw, value, "action") != "accept" {
			return false
		}
	}
	return any
}

// links turns the error that names URLs to visit into a question, where the client
// said it can show them. It is false for an error that has to pass as one.
func (f *flight) links(c *exchange.Call, m *mcpwire.Message, out exchange.Sink) (bool, error) {
	if !f.mayAsk || f.declined {
		return false, nil
	}
	if !has(f.s.client, "elicitation", "url") {
		return true, refuse(c.Message, out, mcpwire.CodeMissingCapability, 400, text(m.Raw, m.Error, "message"),
			`{"requiredCapabilities":{"elicitation":{"url":{}}}}`)
	}
	var requests []mcpwire.Field
	for e := range mcpwire.Elements(m.Raw, mcpwire.Lookup(m.Raw, m.Error, "data", "elicitations")) {
		q := question{method: mcpwire.MethodElicit, params: m.Bytes(e)}
		requests = append(requests, mcpwire.Field{Name: "request-" + strconv.Itoa(len(requests)+1), Value: q.input()})
	}
	if len(requests) == 0 {
		return false, nil
	}
	return true, out.Send(final(inputRequired(c, object(requests...), f.l.seal.seal(state{}, f.binding), f.s.serverInfo), 0))
}
