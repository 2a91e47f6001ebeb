package httpdial

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// reply is the answer to one request on its way to out.
type reply struct {
	f   *flight
	c   *exchange.Call
	out exchange.Sink
	// session is that of a legacy call, whose stream can be resumed by event id.
	session *session
	// listens marks a stream that answers no call of its own.
	listens bool

	last    string // id of the last event
	hasLast bool
	retry   time.Duration // the upstream's wish; negative: it has none
}

// mediaType is the type of an answer without its parameters.
func mediaType(h http.Header) string {
	v := h["Content-Type"]
	if len(v) == 0 {
		return ""
	}
	if v[0] == typeJSON || v[0] == typeStream {
		return v[0]
	}
	media, _, _ := strings.Cut(v[0], ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// deliver passes on an answer of a good status: whole where nobody looks, else message
// by message.
func (r *reply) deliver(resp *http.Response) error {
	kind := mediaType(resp.Header)
	if kind != typeJSON && kind != typeStream {
		_ = resp.Body.Close()
		if !reads(r.c.Message.Method) {
			return r.garbled(errors.New("its answer is no message"))
		}
		if kind == "" && (resp.StatusCode == http.StatusAccepted || resp.StatusCode == http.StatusNoContent || resp.ContentLength == 0) {
			return r.f.u.notMCP("accepted the call without answering it")
		}
		return r.f.u.notMCP("answered with something that is not MCP")
	}
	if relayer, ok := r.out.(exchange.Relayer); ok {
		return relayer.Relay(resp)
	}
	defer func() { _ = resp.Body.Close() }()
	if kind == typeStream {
		return r.stream(resp)
	}
	raw, err := r.f.u.whole(resp)
	if err != nil {
		return err
	}
	final, err := r.message(exchange.Event{Data: raw, Status: resp.StatusCode})
	if err == nil && !final {
		return r.garbled(errors.New("it answers another call"))
	}
	return err
}

// whole reads a body that is one message.
func (u *Upstream) whole(resp *http.Response) ([]byte, error) {
	limit := u.o.MaxMessage
	if resp.ContentLength > int64(limit) {
		return nil, u.tooLarge()
	}
	var b bytes.Buffer
	if resp.ContentLength > 0 {
		b.Grow(int(resp.ContentLength) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(io.LimitReader(resp.Body, int64(limit)+1)); err != nil {
		return nil, err
	}
	if b.Len() > limit {
		return nil, u.tooLarge()
	}
	return b.Bytes(), nil
}

func (u *Upstream) tooLarge() error {
	return &exchange.Error{Code: exchange.BrokeOff, Message: u.named() + " sent a message larger than " + strconv.Itoa(u.o.MaxMessage) + " bytes",
		Fix: "ask for less at a time"}
}

// garbled is for what is no message, or not the one that was asked for.
func (r *reply) garbled(cause error) *exchange.Error {
	return &exchange.Error{Code: exchange.BrokeOff, Message: r.f.u.named() + " answered with something that is not MCP; the call may have been done",
		Fix: "find out whether the call took effect before sending it again", Cause: cause}
}

// stream passes on events until the final message.
func (r *reply) stream(resp *http.Response) error {
	r.retry = -1
	// The client gets a stream where the server chose one, as soon as it did.
	if err := r.out.Send(exchange.Event{}); err != nil {
		_ = resp.Body.Close()
		return err
	}
	for {
		final, err := r.events(resp)
		if final && err == nil {
			settle(resp)
			return nil
		}
		_ = resp.Body.Close()
		resumable := r.session != nil && r.hasLast && errors.Is(err, &exchange.Error{Code: exchange.BrokeOff})
		if final || !resumable {
			return err
		}
		if resp, err = r.resume(); err != nil {
			return err
		}
	}
}

// events passes on what one connection carries, until the final message or until
// there is no use in going on (final). The error is BrokeOff where the connection ended
// before either.
func (r *reply) events(resp *http.Response) (final bool, err error) {
	u := r.f.u
	reader := mcpwire.NewEventReader(resp.Body, u.o.MaxMessage)
	for {
		e, err := reader.Next()
		switch {
		case errors.Is(err, mcpwire.ErrEventTooLarge):
			return true, u.tooLarge()
		case err == io.EOF, errors.Is(err, io.ErrUnexpectedEOF):
			return false, u.brokeOff(err)
		case err != nil:
			return false, err
		}
		if final, err = r.event(e, resp.StatusCode); final || err != nil {
			return true, err
		}
	}
}

// event passes on one event of a stream.
func (r *reply) event(e mcpwire.SSEEvent, status int) (final bool, err error) {
	if e.HasID {
		r.last, r.hasLast = e.ID, e.ID != ""
	}
	if ms, err := strconv.Atoi(e.Retry); err == nil {
		r.retry = time.Duration(min(ms, int(time.Hour/time.Millisecond))) * time.Millisecond
	}
	out := exchange.Event{ID: e.ID, HasID: e.HasID, Retry: e.Retry, Status: status}
	switch {
	case e.Event != "" && len(e.Data) > 0: // not a message of MCP
		return false, nil
	case len(e.Data) > 0:
		out.Data = e.Data
		return r.message(out)
	case e.HasID || e.Retry != "":
		out.Status = 0
		return false, r.out.Send(out)
	}
	return false, nil
}

// message passes on one message, and reports whether it answers the call.
func (r *reply) message(e exchange.Event) (final bool, err error) {
	m, err := mcpwire.ParseReply(e.Data, mcpwire.Limits{Size: r.f.u.o.MaxMessage})
	if err != nil {
		return false, r.garbled(err)
	}
	if m.Kind.Response() && !r.listens {
		request := r.c.Message
		switch {
		case m.Kind == mcpwire.Failure && !m.ID.Present():
			// It could not tell whom it answers; on this stream it can only be this call.
			e.Data = addressed(&m, request.Bytes(request.ID))
		case !sameID(&m, request):
			return false, nil
		}
		e.Final = true
		if request.Method == mcpwire.MethodToolsList && r.session == nil {
			r.f.u.tools.learn(r.c.Caller.ID, cursor(request), e.Data)
		}
	} else {
		e.Status = 0
	}
	// On a stream that answers no call of ours, a response is the end of one that is
	// being resumed.
	return m.Kind.Response(), r.out.Send(e)
}

// cursor is the raw cursor of a request; nil without one.
func cursor(m *mcpwire.Message) []byte {
	if !m.Cursor.Present() {
		return nil
	}
	return m.Bytes(m.Cursor)
}

// addressed is an error response with the id of the request that it answers.
func addressed(m *mcpwire.Message, id []byte) []byte {
	start := bytes.IndexByte(m.Raw, '{')
	end := bytes.LastIndexByte(m.Raw, '}') + 1
	out, err := mcpwire.Splice(m.Raw, mcpwire.SetMember(m.Raw, mcpwire.Span{Start: start, End: end}, "id", id))
	if err != nil {
		return m.Raw
	}
	return out
}

// sameID compares the raw tokens; strings may be written in two ways.
func sameID(a, b *mcpwire.Message) bool {
	if bytes.Equal(a.Bytes(a.ID), b.Bytes(b.ID)) {
		return true
	}
	x, ok := a.Text(a.ID)
	y, ok2 := b.Text(b.ID)
	return ok && ok2 && x == y
}

// settleTime is how long a stream may stay open after its final message before its
// connection is given up.
const settleTime = 100 * time.Millisecond

// settle waits for the end of a stream whose last message was passed on, so that its
// connection can be used again.
func settle(resp *http.Response) {
	late := time.AfterFunc(settleTime, func() { _ = resp.Body.Close() })
	defer late.Stop()
	discard(resp)
}
