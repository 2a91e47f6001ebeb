package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"sluice/internal/fault"
)

// Envelope is the document of every error.
type Envelope struct {
	Error Problem `json:"error"`
}

// Problem is what failed and what to do about it.
type Problem struct {
	Code       fault.Code     `json:"code"`
	Message    string         `json:"message"`
	Retryable  bool           `json:"retryable"`
	RetryAfter int            `json:"retry_after,omitempty"` // seconds
	RequestID  string         `json:"request_id"`
	Details    map[string]any `json:"details,omitempty"`
	Fix        string         `json:"fix,omitempty"`
	Command    []string       `json:"command,omitempty"` // the fix as a command line
}

func asError[T error](err error, target *T) bool { return errors.As(err, target) }

// fail writes an error and returns its status. What has no code is a defect: its
// text goes to the log and not to the caller.
func (s *Server) fail(w http.ResponseWriter, id string, err error) int {
	f, ok := fault.As(err)
	switch {
	case ok:
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		f = fault.New(fault.Cancelled, "the call was interrupted")
	default:
		f = fault.New(fault.Internal, "a defect in Sluice").With("request_id", id)
	}
	row := fault.Lookup(f.Code)
	if row.HTTP >= http.StatusInternalServerError {
		s.o.Log.Error("api", "code", f.Code, "error", err, "request_id", id)
	}
	p := Problem{Code: f.Code, Message: f.Message, Retryable: row.Retryable, RetryAfter: f.RetryAfter, RequestID: id, Details: f.Details, Fix: f.Fix, Command: f.Command}
	if p.Fix == "" {
		p.Fix = row.Fix
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	body, merr := json.Marshal(Envelope{p})
	if merr != nil {
		body, row.HTTP = []byte(`{"error":{"code":"internal","message":"a defect in Sluice","retryable":false}}`), http.StatusInternalServerError
	}
	s.write(w, row.HTTP, body)
	return row.HTTP
}

func (s *Server) write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
