package httpserve

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"sluice/internal/mcpwire"
)

// trusted is how much memory a Content-Length alone may claim.
const trusted = 64 << 10

// read takes the whole body, or says what is wrong with it. The bytes are the
// message's own: whoever sees the call may keep them.
func (h *Handler) read(w http.ResponseWriter, r *http.Request) ([]byte, *problem) {
	if !jsonBody(r.Header) {
		return nil, &problem{status: http.StatusUnsupportedMediaType, code: mcpwire.CodeInvalidRequest,
			text: "Content-Type must be application/json in UTF-8"}
	}
	if len(r.Header["Content-Encoding"]) > 0 {
		return nil, &problem{status: http.StatusUnsupportedMediaType, code: mcpwire.CodeInvalidRequest,
			text: "content encodings are not supported: send the message as it is"}
	}
	limit := h.o.Limits.Size
	if r.ContentLength > int64(limit) {
		return nil, h.tooLarge(w)
	}
	var body []byte
	var err error
	if n := r.ContentLength; n >= 0 && n <= trusted {
		body = make([]byte, n)
		_, err = io.ReadFull(r.Body, body)
	} else {
		var buf bytes.Buffer
		_, err = buf.ReadFrom(io.LimitReader(r.Body, int64(limit)+1))
		body = buf.Bytes()
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		return nil, &problem{status: http.StatusRequestTimeout, code: mcpwire.CodeInvalidRequest, text: "the message took too long to arrive"}
	case err != nil:
		w.Header().Set("Connection", "close")
		return nil, &problem{status: http.StatusBadRequest, code: mcpwire.CodeParse, text: "the message did not arrive whole"}
	case len(body) > limit:
		return nil, h.tooLarge(w)
	}
	takeTime(w)
	return body, nil
}

// hurry gives the body of a request until ReadTimeout. That holds for a body that nobody
// wants as well: the server reads what is left of it before it sends the answer.
func (h *Handler) hurry(w http.ResponseWriter) {
	if d, ok := w.(interface{ SetReadDeadline(time.Time) error }); ok {
		_ = d.SetReadDeadline(time.Now().Add(h.o.ReadTimeout)) // else it is not that kind of connection
	}
}

// takeTime ends the hurry: what follows on the connection is watched for its end,
// however late that is.
func takeTime(w http.ResponseWriter) {
	if d, ok := w.(interface{ SetReadDeadline(time.Time) error }); ok {
		_ = d.SetReadDeadline(time.Time{})
	}
}

// skip reads past the body of a request that needs none. It reports whether the request
// can be served.
func (h *Handler) skip(w http.ResponseWriter, r *http.Request) bool {
	if r.ContentLength == 0 {
		return true
	}
	if n, err := io.CopyN(io.Discard, r.Body, trusted); n < trusted && errors.Is(err, io.EOF) {
		takeTime(w)
		return true
	}
	w.Header().Set("Connection", "close")
	h.refuse(w, problem{status: http.StatusBadRequest, code: mcpwire.CodeInvalidRequest, text: "a " + r.Method + " has no body here"})
	return false
}

func (h *Handler) tooLarge(w http.ResponseWriter) *problem {
	w.Header().Set("Connection", "close") // rather than read the rest
	return &problem{status: http.StatusRequestEntityTooLarge, code: mcpwire.CodeInvalidRequest, text: "the message is larger than the limit"}
}
