package exchange

import (
	"encoding/json"
	"errors"
	"net/http"
)

// Code names what went wrong between client and upstream. It stands in error.data.code.
type Code string

// The relay's own failures. None of them comes from an upstream, whose errors pass
// as they are.
const (
	Unreachable    Code = "upstream_unreachable"    // it does not answer, or not in MCP
	TimedOut       Code = "upstream_timeout"        // it did not answer in time
	BrokeOff       Code = "upstream_broke_off"      // its answer ended too early; the call may have been done
	BackingOff     Code = "upstream_backing_off"    // it failed just now and is not asked again yet
	SessionLost    Code = "upstream_session_lost"   // the session ended; initialize again
	CredentialLost Code = "upstream_auth_failed"    //nolint:gosec // a code: the upstream refuses Sluice's credential
	ConsentNeeded  Code = "upstream_consent_needed" // this person has to agree first; data.url
	WrongEra       Code = "upstream_wrong_era"      // it does not speak the era asked for
	CannotCarry    Code = "cannot_carry"            // the other era has no way to say this
	TooMany        Code = "too_many_streams"        // this caller has too many calls or streams open
	ShuttingDown   Code = "shutting_down"
	ReadOnlyScope  Code = "read_only_scope" // a tool call with a token of scope mcp:read
	UnknownServer  Code = "unknown_server"
	GrantEnded     Code = "grant_ended"         // revoked or expired while a session of it was open
	Unavailable    Code = "gateway_unavailable" // who may call what can't be read now
)

// rows give each code its JSON-RPC number (outside the range JSON-RPC reserves), the
// HTTP status it has while no stream was begun, and whether trying again can help.
var rows = map[Code]struct {
	rpc    int
	status int
	retry  bool
}{
	Unreachable:    {-31001, http.StatusBadGateway, true},
	TimedOut:       {-31002, http.StatusGatewayTimeout, false},
	BrokeOff:       {-31003, http.StatusBadGateway, false},
	BackingOff:     {-31004, http.StatusServiceUnavailable, true},
	SessionLost:    {-31005, http.StatusNotFound, true},
	CredentialLost: {-31006, http.StatusBadGateway, false},
	ConsentNeeded:  {-31007, http.StatusOK, false},
	WrongEra:       {-31008, http.StatusBadGateway, false},
	CannotCarry:    {-31009, http.StatusOK, false},
	TooMany:        {-31010, http.StatusTooManyRequests, true},
	ShuttingDown:   {-31011, http.StatusServiceUnavailable, true},
	ReadOnlyScope:  {-31012, http.StatusForbidden, false},
	UnknownServer:  {-31013, http.StatusNotFound, false},
	GrantEnded:     {-31014, http.StatusUnauthorized, false},
	Unavailable:    {-31015, http.StatusServiceUnavailable, true},
}

// Error is a failure of the relay itself.
type Error struct {
	Code    Code
	Message string         // what failed, on which server; no addresses with secrets, no values
	Fix     string         // what to do next
	Data    map[string]any // further members of error.data
	Cause   error          // for logs
	// Sent says of a code that is mostly given before anything was sent that this time
	// the upstream has the call, which may have been done.
	Sent bool
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Message + ": " + e.Cause.Error()
	}
	return e.Message
}

// Unwrap is the cause, unless it holds an *Error of its own: what failed is what this
// one says. A call that broke off because its session was lost is not a lost session,
// which would be reason to send it again.
func (e *Error) Unwrap() error {
	var inner *Error
	if errors.As(e.Cause, &inner) {
		return nil
	}
	return e.Cause
}

// Is reports whether target is an *Error of the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// RPCCode is the number in error.code.
func (e *Error) RPCCode() int { return rows[e.Code].rpc }

// Status is the HTTP status while no stream was begun.
func (e *Error) Status() int { return rows[e.Code].status }

// Retryable reports whether the same call may help later.
func (e *Error) Retryable() bool { return rows[e.Code].retry }

// ErrNoStream is what Session.Listen returns where there is no such stream (HTTP 405).
var ErrNoStream = errors.New("the upstream offers no stream of its own")

// As makes an *Error of any error; what it does not know is Unreachable.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: Unreachable, Message: "the upstream failed", Cause: err}
}

// Response is the JSON-RPC error response to the request with this raw id ("null"
// when empty).
func (e *Error) Response(id []byte) []byte {
	data := map[string]any{}
	for k, v := range e.Data {
		data[k] = v
	}
	data["code"] = string(e.Code)
	data["retryable"] = e.Retryable()
	if e.Fix != "" {
		data["fix"] = e.Fix
	}
	if len(id) == 0 {
		id = []byte("null")
	}
	body, err := json.Marshal(struct {
		JSONRPC string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   any             `json:"error"`
	}{"2.0", id, map[string]any{"code": e.RPCCode(), "message": e.Message, "data": data}})
	if err != nil { // data that can't be encoded is a mistake of ours, not a reason to say nothing
		return []byte(`{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"internal error"}}`)
	}
	return body
}
