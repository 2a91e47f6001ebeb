package httpserve

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// answer is the sink of one request: it turns events into the one JSON body or the
// event stream that the client gets.
type answer struct {
	h    *Handler
	w    http.ResponseWriter
	gone context.Context // ends when the client is gone
	id   []byte          // raw id of the request; nil for a GET stream
	era  mcpwire.Era
	look func([]byte) // sees the final message, unless it is relayed; nil: nobody does
	// stepUp is the caller's.
	stepUp string
	// lasting streams are silent most of the time, and hold no more memory than that takes.
	lasting bool

	mu        sync.Mutex
	form      form
	closed    bool      // the handler returned: nothing may be written any more
	final     bool      // the call is answered
	resumable bool      // an event id was sent: a legacy client may come back for the rest
	unflushed bool      // the head of a stream is written but not sent
	torn      bool      // a body under way can't be completed
	wrote     time.Time // when the client last heard anything
	timer     *time.Timer
	buf       []byte
}

// form is what the answer turned out to be.
type form uint8

const (
	undecided form = iota
	stream         // events
	whole          // one JSON body, perhaps under way
)

// Delays of what is sent though nothing was said yet.
const (
	// headDelay is how long the head of a stream may wait for the first event, which
	// saves a packet when that is on its way already.
	headDelay = 2 * time.Millisecond
	// openDelay is how long a GET stream waits for the upstream to refuse it.
	openDelay = 300 * time.Millisecond
)

var errGone = errors.New("the client is gone")

// newAnswer is an answer that begins to keep the client's stream alive after first.
func (h *Handler) newAnswer(gone context.Context, w http.ResponseWriter, era mcpwire.Era, id []byte, first time.Duration) *answer {
	a := &answer{h: h, w: w, gone: gone, era: era, id: id, wrote: time.Now()}
	a.mu.Lock() // tick may come before the timer is known
	defer a.mu.Unlock()
	a.timer = time.AfterFunc(first, a.tick)
	return a
}

// Send passes one event on.
func (a *answer) Send(e exchange.Event) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.final || a.form == whole {
		return errGone
	}
	if a.gone.Err() != nil {
		return a.unheard(e.HasID)
	}
	if e.Final && a.look != nil {
		a.look(e.Data)
	}
	if e.Final && a.form == undecided && !e.HasID && e.Retry == "" {
		a.final, a.form = true, whole
		return a.writeWhole(a.status(e), e.Data)
	}
	a.begin()
	a.resumable = a.resumable || e.HasID
	a.final = e.Final
	if len(e.Data) == 0 && !e.HasID && e.Retry == "" {
		return a.flush() // says that the stream is open, and nothing else
	}
	block := mcpwire.SSEEvent{ID: e.ID, HasID: e.HasID, Retry: e.Retry, Data: e.Data}
	if block.Data == nil {
		block.Data = []byte{}
	}
	a.buf = mcpwire.AppendEvent(a.buf[:0], block)
	err := a.write(a.buf)
	if a.lasting && cap(a.buf) > lastingSize {
		a.buf = nil
	}
	return err
}

// unheard says what to make of an event for a client that is gone. A modern one has
// cancelled its call so. A legacy one may come back for events with ids; its call goes
// on without them as well.
func (a *answer) unheard(hasID bool) error {
	a.resumable = a.resumable || hasID
	if a.era == mcpwire.Legacy && a.id != nil && !a.resumable {
		return nil
	}
	return errGone
}

// status of a final message that is the whole answer.
func (a *answer) status(e exchange.Event) int {
	if a.era != mcpwire.Modern {
		if e.Status == 0 || e.Status == http.StatusNotFound { // there it would end the session
			return http.StatusOK
		}
		return passable(e.Status)
	}
	if e.Status != 0 {
		return passable(e.Status)
	}
	switch errorCode(e.Data) {
	case mcpwire.CodeMethodNotFound:
		return http.StatusNotFound
	case mcpwire.CodeHeaderMismatch, mcpwire.CodeMissingCapability, mcpwire.CodeUnsupportedVersion:
		return http.StatusBadRequest
	}
	return http.StatusOK
}

// errorCode of a small error response; 0 for anything else.
func errorCode(message []byte) int {
	if len(message) > 4<<10 || judge(message, nil) != answers {
		return 0
	}
	m, err := mcpwire.ParseReply(message, mcpwire.Limits{})
	if err != nil || m.Kind != mcpwire.Failure {
		return 0
	}
	code := mcpwire.Member(m.Raw, m.Error, "code")
	switch string(m.Bytes(code)) {
	case "-32601":
		return mcpwire.CodeMethodNotFound
	case "-32020":
		return mcpwire.CodeHeaderMismatch
	case "-32021":
		return mcpwire.CodeMissingCapability
	case "-32022":
		return mcpwire.CodeUnsupportedVersion
	}
	return 0
}

// begin makes the answer a stream. Its head goes out with the first event or by tick.
func (a *answer) begin() {
	if a.form != undecided {
		return
	}
	a.form = stream
	a.h.extend(a.w)
	head := a.w.Header()
	head["Content-Type"] = typeStream
	head["Cache-Control"] = noStore
	head["X-Accel-Buffering"] = unbuffered
	a.w.WriteHeader(http.StatusOK)
	a.unflushed = true
}

// write passes bytes of a stream on at once.
func (a *answer) write(b []byte) error {
	if err := a.put(b); err != nil {
		return err
	}
	return a.flush()
}

// piece is what a client gets WriteTimeout for.
const piece = 256 << 10

// put writes in pieces. A client that stops reading would hold the call for ever; one
// that is slow must not lose what is large.
func (a *answer) put(b []byte) error {
	for {
		n := min(len(b), piece)
		a.h.extend(a.w)
		if _, err := a.w.Write(b[:n]); err != nil {
			return errGone
		}
		if b = b[n:]; len(b) == 0 {
			return nil
		}
	}
}

func (a *answer) flush() error {
	a.unflushed = false
	a.wrote = time.Now()
	if f, ok := a.w.(interface{ FlushError() error }); ok {
		if f.FlushError() != nil {
			return errGone
		}
		return nil
	}
	return http.NewResponseController(a.w).Flush()
}

func (a *answer) writeWhole(status int, body []byte) error {
	headJSON(a.w, status, len(body))
	if err := a.put(body); err != nil {
		return err
	}
	return a.flush()
}

// extend gives the client time to take the next piece.
func (h *Handler) extend(w http.ResponseWriter) {
	if d, ok := w.(interface{ SetWriteDeadline(time.Time) error }); ok {
		_ = d.SetWriteDeadline(time.Now().Add(h.o.WriteTimeout)) // else it is not that kind of connection
	}
}

// tick keeps a silent stream alive; where nothing was decided yet, it makes it one.
func (a *answer) tick() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.form == whole || a.gone.Err() != nil {
		return
	}
	keepAlive := a.h.o.KeepAlive
	switch idle := time.Since(a.wrote); {
	case a.unflushed, a.id == nil && a.form == undecided:
		a.begin()
		_ = a.flush() // a client that is gone shows at the next write
	case idle >= keepAlive:
		a.begin()
		_ = a.write([]byte(":\n\n"))
	default:
		a.timer.Reset(keepAlive - idle)
		return
	}
	a.timer.Reset(keepAlive)
}

// finish ends the answer, with the error that the upstream's call returned. It reports
// whether the connection has to be cut to show that a body is not whole.
func (a *answer) finish(cause, err error) (cut bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	a.timer.Stop()
	switch {
	case a.final, a.gone.Err() != nil:
		return a.torn
	case err == nil && a.resumable && a.era == mcpwire.Legacy:
		return false // the client comes back for the rest
	}
	failure := failureOf(cause, err)
	a.h.note(failure)
	body := failure.Response(a.id)
	if a.form == undecided {
		if failure.Code == exchange.ReadOnlyScope && a.stepUp != "" {
			a.w.Header().Set("Www-Authenticate", a.stepUp)
		}
		_ = a.writeWhole(failure.Status(), body)
		return false
	}
	a.buf = mcpwire.AppendEvent(a.buf[:0], mcpwire.SSEEvent{Data: body})
	_ = a.write(a.buf)
	return false
}

// abandon stops the answer without a word.
func (a *answer) abandon() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	a.timer.Stop()
}

// stop ends a stream. It reports whether nothing of it was begun.
func (a *answer) stop() (unbegun bool) {
	a.abandon()
	return a.form == undecided
}

// conclude answers a subscription that ends because Sluice does, so that its client
// knows that it ended in order.
func (a *answer) conclude() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.final || a.form == whole || a.gone.Err() != nil {
		return
	}
	result := append([]byte(`{"resultType":"complete","_meta":{"`+mcpwire.MetaSubscription+`":`), a.id...)
	a.begin()
	a.buf = mcpwire.AppendEvent(a.buf[:0], mcpwire.SSEEvent{Data: mcpwire.BuildResult(a.id, append(result, "}}"...))})
	_ = a.write(a.buf)
	a.final = true
}

func failureOf(cause, err error) *exchange.Error {
	var known *exchange.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(cause, errDrained):
		return shuttingDown()
	case errors.Is(cause, errShutdown): // not a call to be sent again: the upstream has it
		return &exchange.Error{Code: exchange.BrokeOff, Message: "Sluice shut down before the upstream answered; the call may have been done",
			Fix: "find out whether the call took effect before sending it again", Cause: cause}
	case errors.Is(cause, errEnded):
		return sessionLost()
	case err == nil:
		return brokeOff(nil)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(cause, context.DeadlineExceeded):
		return &exchange.Error{Code: exchange.TimedOut, Message: "the upstream did not answer in time; the call may have been done",
			Fix: "find out whether the call took effect before sending it again", Cause: err}
	}
	return exchange.As(err)
}

func sessionLost() *exchange.Error {
	return &exchange.Error{Code: exchange.SessionLost, Message: "there is no such session", Fix: "initialize again"}
}
