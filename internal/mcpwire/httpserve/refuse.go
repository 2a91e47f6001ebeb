package httpserve

import (
	"errors"
	"net/http"
	"strconv"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Refusal is what Authenticate returns for a request whose sender it does not accept.
type Refusal struct {
	Status          int    // 401, 403 or 429
	WWWAuthenticate string // the challenge
	Message         string // what is missing; no part of what was shown
	RetryAfter      int    // seconds; 0: not said
}

func (r *Refusal) Error() string { return r.Message }

// problem is a request that is answered without an upstream.
type problem struct {
	status int
	code   int // of JSON-RPC
	text   string
	id     []byte // raw id of the request, where it could be read
	data   []byte // JSON
}

// Values of headers, ready to be set.
var (
	typeJSON   = []string{"application/json"}
	typeStream = []string{"text/event-stream"}
	typeText   = []string{"text/plain; charset=utf-8"}
	noStore    = []string{"no-store"}
	unbuffered = []string{"no"}
	noSniff    = []string{"nosniff"}
)

func (h *Handler) refuse(w http.ResponseWriter, p problem) {
	h.stats.refused.Add(1)
	writeJSON(w, p.status, mcpwire.BuildError(p.id, p.code, p.text, p.data))
}

// fail answers with a failure of the relay itself.
func (h *Handler) fail(w http.ResponseWriter, id []byte, e *exchange.Error) {
	h.stats.refused.Add(1)
	h.note(e)
	writeJSON(w, e.Status(), e.Response(id))
}

func (h *Handler) note(e *exchange.Error) {
	h.o.Log.Debug("call failed", "server", h.o.Server, "code", string(e.Code), "error", e.Error())
}

func (h *Handler) forbid(w http.ResponseWriter, text string) {
	h.stats.refused.Add(1)
	writeText(w, http.StatusForbidden, text)
}

func (h *Handler) notAllowed(w http.ResponseWriter, text string) {
	h.stats.refused.Add(1)
	w.Header().Set("Allow", "POST, GET, DELETE")
	writeText(w, http.StatusMethodNotAllowed, text)
}

func (h *Handler) unauthenticated(w http.ResponseWriter, err error) {
	h.stats.refused.Add(1)
	if !Refuse(w, err) {
		h.o.Log.Error("authentication failed", "server", h.o.Server, "error", err)
		writeText(w, http.StatusInternalServerError, "the sender could not be established")
	}
}

// Refuse answers with a *Refusal or an *exchange.Error, as a Handler answers with what
// its Authenticate returned; false for any other error, which is not answered.
func Refuse(w http.ResponseWriter, err error) bool {
	var refused *Refusal
	var failed *exchange.Error
	switch {
	case errors.As(err, &refused):
		if refused.WWWAuthenticate != "" {
			w.Header().Set("WWW-Authenticate", refused.WWWAuthenticate)
		}
		if refused.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(refused.RetryAfter))
		}
		writeText(w, refused.Status, refused.Message)
	case errors.As(err, &failed):
		writeJSON(w, failed.Status(), failed.Response(nil))
	default:
		return false
	}
	return true
}

func writeText(w http.ResponseWriter, status int, text string) {
	head := w.Header()
	head["Content-Type"] = typeText
	head["X-Content-Type-Options"] = noSniff
	w.WriteHeader(status)
	_, _ = w.Write(append([]byte(text), '\n')) // nobody is left to tell
}

// writeJSON answers with one message.
func writeJSON(w http.ResponseWriter, status int, body []byte) {
	headJSON(w, status, len(body))
	_, _ = w.Write(body)
}

func headJSON(w http.ResponseWriter, status, size int) {
	head := w.Header()
	head["Content-Type"] = typeJSON
	head["Content-Length"] = []string{strconv.Itoa(size)}
	w.WriteHeader(status)
}

func quoteList(list []string) []byte {
	out := []byte{'['}
	for i, s := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = mcpwire.AppendQuote(out, s)
	}
	return append(out, ']')
}
