package httpdial

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// answered reports whether a status says that the body is the answer.
func answered(status int) bool { return status >= 200 && status < 300 }

// explanation is the body of an answer of another status: an error response, where the
// upstream gave one.
type explanation struct {
	raw     []byte
	session bool // it speaks of a session
	failure bool // it is a JSON-RPC error
	ours    bool // with the id of the request
	code    string
	message mcpwire.Message
}

// explain reads it. What is too large or broken explains nothing.
func (r *reply) explain(resp *http.Response) (explanation, error) {
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxExplanation))
	if err != nil {
		if stopped := r.f.stopped(); stopped != nil {
			return explanation{}, stopped
		}
		return explanation{}, nil
	}
	m, err := mcpwire.ParseReply(raw, mcpwire.Limits{Size: maxExplanation})
	session := bytes.Contains(bytes.ToLower(raw), []byte("session"))
	if err != nil || m.Kind != mcpwire.Failure {
		return explanation{session: session}, nil
	}
	return explanation{
		raw:     raw,
		session: session,
		failure: true,
		ours:    m.ID.Present() && sameID(&m, r.c.Message),
		code:    string(m.Bytes(mcpwire.Member(m.Raw, m.Error, "code"))),
		message: m,
	}, nil
}

// pass hands an error response on with its status. Whatever id a server gives it, it
// answers this call: nothing else was asked. Some have one fixed id for all errors.
func (r *reply) pass(e explanation, status int) error {
	data := e.raw
	if !e.ours {
		request := r.c.Message
		data = addressed(&e.message, request.Bytes(request.ID))
	}
	return r.out.Send(exchange.Event{Data: data, Final: true, Status: status})
}

// modern reports whether the error is one that only a server of the modern era gives.
func (e explanation) modern(status int) bool {
	switch e.code {
	case "-32020", "-32021", "-32022":
		return e.failure
	case "-32601":
		return e.failure && status == http.StatusNotFound
	}
	return false
}

// unlikeThis reports whether a status is how a server of another era, or something
// that is no MCP server at all, turns a message down that it can't make sense of.
func unlikeThis(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable,
		http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusNotImplemented:
		return true
	}
	return false
}

// modernStatus settles a modern call that was answered with a status other than good.
func (r *reply) modernStatus(resp *http.Response, e explanation) error {
	status := resp.StatusCode
	switch {
	case e.modern(status), e.ours:
		return r.pass(e, status)
	case unlikeThis(status):
		return r.f.u.wrongEra(status)
	case e.failure:
		return r.pass(e, status)
	}
	return r.refused(resp)
}

// legacyStatus settles a legacy call. The end of a session was seen to before.
func (r *reply) legacyStatus(resp *http.Response, e explanation) error {
	if e.failure {
		return r.pass(e, resp.StatusCode)
	}
	if initializes := r.c.Message.Method == mcpwire.MethodInitialize; initializes && unlikeThis(resp.StatusCode) {
		return r.f.u.wrongEra(resp.StatusCode)
	}
	return r.refused(resp)
}

// refused is the error for a status that no message explains. Some are given after a
// call was done as well: 502 by a gateway whose server broke off, the others by servers
// that put the failures of their tools into HTTP.
func (r *reply) refused(resp *http.Response) error {
	switch status := resp.StatusCode; status {
	case http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusBadGateway:
		if !reads(r.c.Message.Method) {
			e := r.garbled(errors.New("HTTP " + strconv.Itoa(status)))
			e.Data = map[string]any{"status": status}
			return e
		}
	}
	return r.f.u.refused(resp)
}
