// Package fault holds the errors a user can meet: every one has a stable code,
// an HTTP status, an exit code and a next step, and none contains identifiers,
// tokens or raw personal data.
package fault

import (
	"errors"
	"fmt"
)

// Error is a fault with its place and its remedy.
type Error struct {
	Code    Code
	Message string // what failed, on which thing, why
	Fix     string // what to do next; the catalogue's own when empty
	// Command is the next step as a program would take it: a command line, its
	// arguments apart; words in capitals are for the caller to fill in.
	Command []string
	// Details are machine-readable facts (a column name, a line number, a limit).
	Details map[string]any
	// RetryAfter in seconds, 0 when unknown.
	RetryAfter int
	Cause      error // for logs; never shown to the user
}

// New returns a fault of the catalogue.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithFix sets the next step.
func (e *Error) WithFix(format string, args ...any) *Error {
	e.Fix = fmt.Sprintf(format, args...)
	return e
}

// WithCommand sets the next step as a command line.
func (e *Error) WithCommand(args ...string) *Error {
	e.Command = args
	return e
}

// With adds a detail.
func (e *Error) With(key string, value any) *Error {
	if e.Details == nil {
		e.Details = map[string]any{}
	}
	e.Details[key] = value
	return e
}

// Wrap keeps the cause for logs.
func (e *Error) Wrap(cause error) *Error {
	e.Cause = cause
	return e
}

func (e *Error) Error() string { return e.Message }

func (e *Error) Unwrap() error { return e.Cause }

// Is reports whether target is a fault with the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// As returns the first fault in err's tree.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// CodeOf returns the code of err, Internal when it has none.
func CodeOf(err error) Code {
	if e, ok := As(err); ok {
		return e.Code
	}
	return Internal
}
