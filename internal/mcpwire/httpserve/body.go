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
	deadlines, slow := w.(interface{ SetReadDeadline(time.Time) error })
	if slow {
		slow = deadlines.SetReadDeadline(time.Now().Add(h.o.ReadTimeout)) == nil
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
	if slow {
		// What follows on the connection is watched for its end, however late that is.
		_ = deadlines.SetReadDeadline(time.Time{})
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
	return body, nil
}

func (h *Handler) tooLarge(w http.ResponseWriter) *problem {
	w.Header().Set("Connection", "close") // rather than read the rest
	return &problem{status: http.StatusRequestEntityTooLarge, code: mcpwire.CodeInvalidRequest, text: "the message is larger than the limit"}
}
