// Package exchange is the contract between those who face a client and those who
// face an upstream server: what a call is, how its answer travels back, and what a
// conversation of either era offers. Adapters, interception and aggregation stand in
// between and are made of the same types.
//
// Its rules: a call ends with exactly one final message or with an error, never with
// both and never with neither; messages of one call arrive in the order they were
// sent; ending the context of a call cancels it upstream. Its limit: it moves nothing
// itself.
package exchange

import (
	"context"
	"net/http"
	"time"

	"sluice/internal/mcpwire"
)

// Caller is who sends, as the face that let them in established it. Sessions,
// children, streams and personal credentials belong to one caller.
type Caller struct {
	// ID is stable and unique; "local" for the one caller of `sluice proxy`.
	ID string
	// Name is for people and logs.
	Name string
	// ReadOnly callers may not call tools (scope mcp:read without mcp:write).
	ReadOnly bool
	// Expires is when what the caller identified itself with is over; zero: that is not
	// known. Streams that it opened end then.
	Expires time.Time
	// StepUp is the WWW-Authenticate that tells one who is refused for that how to get a
	// token that may; empty where there is no way.
	StepUp string
}

// Call is one message of a client on its way to an upstream: a request, a
// notification, or (legacy) the answer to a request of the server.
type Call struct {
	Message *mcpwire.Message
	Caller  Caller
	Server  string // the configured name of the upstream or aggregate
	// Era and Version are those the client speaks.
	Era     mcpwire.Era
	Version string
	// Session is the client's session id as Sluice minted it; empty without one.
	Session string
	// Header holds what may travel on: Mcp-Param-* that no schema explained, and
	// nothing that authenticates. Nil where the client speaks stdio.
	Header http.Header
	// Edited says that Message is no longer what the client sent, so that headers which
	// repeat parts of it have to be derived anew.
	Edited bool
}

// With is the call with another message in it, as an edit leaves it.
func (c *Call) With(m *mcpwire.Message) *Call {
	changed := *c
	changed.Message = m
	changed.Edited = true
	return &changed
}

// Event is one message on its way back to a client. One without data, id and retry
// says that the stream is open and nothing more: a client that waits for the head of
// its stream gets it.
type Event struct {
	// Data is one JSON-RPC message. It is empty for an event that carries none (the
	// priming event of a resumable stream). It is valid until Send returns.
	Data []byte
	// Final marks the response that ends the call.
	Final bool
	// Status is the HTTP status of a final message as the upstream sent it; 0 where
	// there was none and the face has to choose.
	Status int
	// ID is the upstream's event id, HasID that there was one (it may be empty).
	ID    string
	HasID bool
	// Retry is the upstream's retry delay in milliseconds, as it was written.
	Retry string
}

// Sink takes what comes back for one call or one stream. Send may block for as long
// as the client is slow; after an error nobody listens any more. It is called by one
// goroutine at a time.
type Sink interface {
	Send(Event) error
}

// Relayer is a sink that can take an upstream's HTTP answer whole, when nobody in
// between has to look at it. Relay reads the body to its end and closes it. It
// reports an error when the client is gone, or, as *Error, when the answer broke off
// or is none to the client's request; the call returns that error, and the face tells
// the client. Whoever sends a call on under another id needs a sink of their own.
type Relayer interface {
	Sink
	Relay(*http.Response) error
}

// Stateless is an upstream as a modern client needs it.
type Stateless interface {
	// Call sends one request and hands what belongs to it to out, the final response
	// last. An error means that no final response was or will be sent. It returns an
	// *Error with Code WrongEra when the upstream turns out not to speak this era.
	Call(ctx context.Context, c *Call, out Sink) error
	// Notify sends a notification of a modern client (stdio knows one: cancelled,
	// which faces turn into an ended context; others pass).
	Notify(ctx context.Context, c *Call) error
}

// Sessions is an upstream as a legacy client needs it.
type Sessions interface {
	// Initialize forwards the client's initialize request, hands its response to out
	// and returns the session it opened. The session is nil when the response is an
	// error. WrongEra as above.
	Initialize(ctx context.Context, c *Call, out Sink) (Session, error)
	// Resume is a session for a client that shows none, for upstreams that keep none:
	// their initialize response named no session id.
	Resume(ctx context.Context, c *Call) (Session, error)
}

// Session is one legacy conversation with an upstream.
type Session interface {
	// Call is as in Stateless; requests of the server may come through out as well,
	// and are answered by Notify.
	Call(ctx context.Context, c *Call, out Sink) error
	// Notify sends a notification or a response of the client.
	Notify(ctx context.Context, c *Call) error
	// Listen is the stream for what belongs to no call: the GET stream. It returns nil
	// when the upstream ended it, ErrNoStream when the upstream offers none. With
	// lastEventID it resumes the stream that the event came from.
	Listen(ctx context.Context, c *Call, lastEventID string, out Sink) error
	// Stateful reports whether the upstream keeps this session, so that a client has
	// to be given an id for it. One that is not need not be closed.
	Stateful() bool
	// Close ends the session, upstream as well. A later use is an *Error with Code
	// SessionLost.
	Close(ctx context.Context) error
}

// Upstream is one server, or several that look like one, for clients of both eras.
type Upstream interface {
	Stateless
	Sessions
	// Close drains and ends everything the upstream keeps: sessions, connections,
	// child processes.
	Close(ctx context.Context) error
}

// Next forwards a call as it now stands and returns when it ended.
type Next func(ctx context.Context, c *Call, out Sink) error

// Interceptor stands around calls. It is where identity, policy, approval, limits and
// audit plug in: it may
//
//   - let the call pass: return next(ctx, c, out), which keeps the fast path;
//   - change it: pass on c.With(edited message);
//   - answer it: out.Send a final event and not call next at all, or return an *Error;
//   - park it: wait, then do one of the others (the face keeps the client's stream
//     alive meanwhile, and ctx ends when the client gives up);
//   - see the result: pass on a sink of its own that looks at events, or edits them.
//
// Every request and notification of a client passes, retries of an interrupted call
// included: each is a call of its own. An Interceptor is called concurrently.
type Interceptor func(ctx context.Context, c *Call, out Sink, next Next) error

// Chain makes one interceptor of several, the first outermost.
func Chain(list ...Interceptor) Interceptor {
	switch len(list) {
	case 0:
		return func(ctx context.Context, c *Call, out Sink, next Next) error { return next(ctx, c, out) }
	case 1:
		return list[0]
	}
	rest := Chain(list[1:]...)
	return func(ctx context.Context, c *Call, out Sink, next Next) error {
		return list[0](ctx, c, out, func(ctx context.Context, c *Call, out Sink) error {
			return rest(ctx, c, out, next)
		})
	}
}

// Credential is how Sluice identifies itself to one upstream. It never sees, and is
// never given, what the client identified itself with.
type Credential interface {
	// Authorize adds headers to a request to the upstream on behalf of caller.
	Authorize(ctx context.Context, caller Caller, h http.Header) error
	// Refused is told of a 401 or 403 and the headers of that response; those of the
	// request are in ctx (WithSent). It reports whether the request is worth one
	// more try (a token was renewed); otherwise err, an *Error, says what is missing.
	Refused(ctx context.Context, caller Caller, status int, h http.Header) (again bool, err error)
}
