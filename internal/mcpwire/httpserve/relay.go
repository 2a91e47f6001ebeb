package httpserve

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// small is the JSON body that is held until it is whole, so that one cut short becomes
// an error the client understands. A larger one is passed on as it comes.
const small = 1 << 20

// Sizes of the buffers that answers travel through: the first, and what is kept.
const (
	bufferSize  = 32 << 10
	bufferKept  = 256 << 10
	lastingSize = 4 << 10
)

var buffers = sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}

func putBuffer(p *[]byte, b []byte) {
	if cap(b) <= bufferKept {
		*p = b[:cap(b)]
	}
	buffers.Put(p)
}

// grow doubles a full buffer.
func grow(b []byte, limit int) []byte {
	grown := make([]byte, min(2*len(b), limit))
	copy(grown, b)
	return grown
}

// Relay passes an upstream's HTTP answer on whole.
func (a *answer) Relay(resp *http.Response) error {
	defer func() { _ = resp.Body.Close() }()
	if e := resp.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return &exchange.Error{Code: exchange.BrokeOff, Message: "the upstream encoded its answer in a way nobody asked for",
			Fix: "switch off compression there"}
	}
	switch mediaType(resp.Header) {
	case "text/event-stream":
		return a.relayStream(resp)
	case "application/json":
		return a.relayJSON(resp)
	}
	return &exchange.Error{Code: exchange.BrokeOff, Message: "the upstream answered with something that is not MCP",
		Fix: "check that the URL is that of an MCP endpoint"}
}

func mediaType(h http.Header) string {
	v := h["Content-Type"]
	if len(v) == 0 {
		return ""
	}
	if v[0] == "application/json" || v[0] == "text/event-stream" {
		return v[0]
	}
	media, _, _ := strings.Cut(v[0], ";")
	return strings.ToLower(strings.TrimSpace(media))
}

func (a *answer) relayJSON(resp *http.Response) error {
	p := buffers.Get().(*[]byte)
	b := *p
	defer func() { putBuffer(p, b) }()
	n := 0
	for {
		if n == len(b) {
			if n >= small && a.beginLarge(resp) {
				return a.relayLarge(resp, b, n)
			}
			if n >= a.h.o.MaxEvent {
				return &exchange.Error{Code: exchange.BrokeOff, Message: "the upstream's answer is larger than the limit of an event"}
			}
			b = grow(b, max(small, a.h.o.MaxEvent))
		}
		m, err := resp.Body.Read(b[n:])
		n += m
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return broken(err)
		}
	}
	body := b[:n]
	switch judge(body, a.id) {
	case addressless:
		body = addressed(body, a.id)
	case other:
		return noResult()
	case answers:
		if !bytes.HasSuffix(bytes.TrimRight(body, blanks), []byte("}")) {
			return noResult()
		}
	}
	return a.deliver(resp, body)
}

func noResult() *exchange.Error {
	return &exchange.Error{Code: exchange.BrokeOff, Message: "the upstream's answer holds no result of this call; the call may have been done",
		Fix: "find out whether the call took effect before sending it again"}
}

// deliver sends a JSON body that arrived whole.
func (a *answer) deliver(resp *http.Response, body []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.final || a.form == whole || a.gone.Err() != nil {
		return errGone
	}
	a.final = true
	if a.form == stream { // it was begun to keep the client waiting
		a.buf = mcpwire.AppendEvent(a.buf[:0], mcpwire.SSEEvent{Data: body})
		return a.write(a.buf)
	}
	a.form = whole
	a.passHeaders(resp.Header)
	return a.writeWhole(passable(resp.StatusCode), body)
}

// beginLarge decides for a body that is passed on as it comes, unless the answer is a
// stream by now.
func (a *answer) beginLarge(resp *http.Response) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.final || a.form != undecided {
		return false
	}
	a.form, a.final = whole, true // from here on nobody else writes
	a.passHeaders(resp.Header)
	head := a.w.Header()
	head["Content-Type"] = typeJSON
	if resp.ContentLength >= 0 {
		head["Content-Length"] = []string{strconv.FormatInt(resp.ContentLength, 10)}
	}
	a.w.WriteHeader(passable(resp.StatusCode))
	return true
}

// relayLarge passes on a body of which the first n bytes were read.
func (a *answer) relayLarge(resp *http.Response, b []byte, n int) error {
	for {
		if err := a.put(b[:n]); err != nil {
			return err
		}
		var err error
		n, err = resp.Body.Read(b)
		if errors.Is(err, io.EOF) {
			if n > 0 {
				return a.put(b[:n])
			}
			return nil
		}
		if err != nil {
			a.torn = true
			return broken(err)
		}
	}
}

// byteOrderMark may open a stream. It is no part of its first event, and the client's
// stream may have begun with something else.
const byteOrderMark = "\ufeff"

// settleTime is how long a stream may go on after its call was answered. An upstream that
// forgets to end it must not hold what a caller may have under way.
const settleTime = time.Second

// relayStream passes on an event stream, one or several whole events at a time.
func (a *answer) relayStream(resp *http.Response) error {
	if err := a.beginRelay(resp.Header); err != nil {
		return err
	}
	// A legacy client that lost its connection comes back by event id, and an upstream
	// that still feeds this stream would turn it away.
	if a.era == mcpwire.Legacy {
		stop := context.AfterFunc(a.gone, func() {
			if a.mayResume() {
				_ = resp.Body.Close()
			}
		})
		defer stop()
	}
	var b []byte
	if a.lasting {
		b = make([]byte, lastingSize)
	} else {
		p := buffers.Get().(*[]byte)
		b = *p
		defer func() { putBuffer(p, b) }()
	}
	var split splitter
	n, first, settling := 0, true, false
	for {
		if n == len(b) {
			if n >= a.h.o.MaxEvent {
				return &exchange.Error{Code: exchange.BrokeOff, Message: "the upstream sent an event larger than the limit; the call may have been done",
					Fix: "ask for less at a time"}
			}
			b = grow(b, a.h.o.MaxEvent)
		}
		m, err := resp.Body.Read(b[n:])
		n += m
		done, from := 0, 0 // of what is whole, b[from:done] is yet to be passed on
		hasID, final := false, false
		for m > 0 {
			k := split.next(b[done:n])
			if k == 0 {
				break
			}
			block := b[done : done+k]
			if first {
				first = false
				if rest, ok := bytes.CutPrefix(block, []byte(byteOrderMark)); ok {
					from, block = len(byteOrderMark), rest
				}
			}
			i, v := glance(block, a.id)
			if a.id != nil && (v == addressless || v == answers && (final || a.final)) {
				if e := a.forward(b[from:max(from, done)], hasID, final, false); e != nil {
					return e
				}
				if e := a.readdress(block, v, i); e != nil {
					return e
				}
				from, hasID, final = done+k, false, false
			} else {
				hasID, final = hasID || i, final || v == answers
			}
			done += k
		}
		if done > 0 {
			if e := a.forward(b[from:done], hasID, final, err != nil); e != nil {
				return e
			}
			if a.final && a.id != nil && !settling && err == nil {
				settling = true
				defer time.AfterFunc(settleTime, func() { _ = resp.Body.Close() }).Stop()
			}
			n = copy(b, b[done:n])
			if a.lasting && n == 0 && len(b) > lastingSize {
				b = make([]byte, lastingSize)
			}
		}
		if err != nil {
			return a.ended(err)
		}
	}
}

func (a *answer) beginRelay(h http.Header) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.final || a.form == whole || a.gone.Err() != nil {
		return errGone
	}
	if a.form == undecided {
		a.passHeaders(h)
		a.begin()
		a.timer.Reset(headDelay)
	}
	return nil
}

// readdress passes on an error that lacks the id of the call. A second answer goes no
// further: the client has the first, and may have given its id to another call.
func (a *answer) readdress(block []byte, v verdict, hasID bool) error {
	if v != addressless || a.final {
		return nil
	}
	var out []byte
	for r := mcpwire.NewEventReader(bytes.NewReader(block), len(block)); ; {
		e, err := r.Next()
		switch {
		case err != nil:
			return a.forward(out, hasID, true, false)
		case len(e.Data) > 0:
			e.Data = addressed(e.Data, a.id)
			out = mcpwire.AppendEvent(out, e)
		default: // a comment before it
			out = append(out, e.Raw...)
		}
	}
}

// forward writes whole events. Those that end the stream go out with its end.
func (a *answer) forward(b []byte, hasID, answers, last bool) error {
	if len(b) == 0 {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return errGone
	}
	if a.gone.Err() != nil {
		return a.unheard(hasID)
	}
	a.resumable = a.resumable || hasID
	a.final = a.final || answers
	if last && a.final {
		return a.put(b)
	}
	return a.write(b)
}

func (a *answer) mayResume() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.resumable
}

// ended says how a stream came out that has no more events.
func (a *answer) ended(err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.final, a.id == nil && errors.Is(err, io.EOF):
		return nil
	case a.gone.Err() != nil:
		return errGone
	case a.resumable && a.era == mcpwire.Legacy:
		return nil
	}
	return broken(err)
}

// broken is what an answer that ended too early comes to: what the upstream's side
// says of it, where it says anything.
func broken(err error) error {
	var known *exchange.Error
	if errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return brokeOff(err)
}

func brokeOff(cause error) *exchange.Error {
	return &exchange.Error{Code: exchange.BrokeOff, Message: "the upstream's answer ended before the result; the call may have been done",
		Fix: "find out whether the call took effect before sending it again", Cause: cause}
}

// passHeaders hands down the few headers of an upstream that mean the client.
func (a *answer) passHeaders(h http.Header) {
	if v := h["Retry-After"]; len(v) > 0 {
		a.w.Header()["Retry-After"] = v[:1]
	}
}

// passable is the status for the client. What upstream and Sluice settle between them
// says nothing about the client's own standing.
func passable(status int) int {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return http.StatusBadGateway
	}
	if status > http.StatusOK && status < 300 { // those say that there is nothing to read
		return http.StatusOK
	}
	return status
}
