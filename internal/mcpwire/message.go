package mcpwire

import (
	"errors"
	"fmt"
)

// Span is a part of a message, Raw[Start:End]. The zero Span is an absent member.
type Span struct{ Start, End int }

// Present reports whether the member is there.
func (s Span) Present() bool { return s.End > s.Start }

// Kind says which of the four messages of JSON-RPC a message is.
type Kind uint8

// The kinds of message.
const (
	Request Kind = iota + 1
	Notification
	Result
	Failure // a response with an error
)

// Response reports whether the message answers a request.
func (k Kind) Response() bool { return k == Result || k == Failure }

// Limits bound what Parse takes. A zero field is the default.
type Limits struct {
	Size  int // bytes; default 16 MiB
	Depth int // nested arrays and objects; default 128
}

// Defaults of Limits.
const (
	MaxSize  = 16 << 20
	MaxDepth = 128
)

func (l Limits) orDefault() Limits {
	if l.Size == 0 {
		l.Size = MaxSize
	}
	if l.Depth == 0 {
		l.Depth = MaxDepth
	}
	return l
}

// Message is a checked message: the bytes, and where its parts stand in them. The
// spans hold values with their quotes and brackets, as they were written.
type Message struct {
	Raw  []byte
	Kind Kind

	// Method is empty for responses.
	Method string
	// ID is the raw token, quotes included: 7 and "7" are two ids.
	ID     Span
	Params Span // an object (or array, for what Sluice does not know)
	Result Span
	Error  Span

	// Parts of params, where they are objects.
	Meta   Span // params._meta
	Name   Span // params.name, params.taskId for tasks/*: what a call names
	TaskID Span // params.taskId
	URI    Span // params.uri
	// Arguments is params.arguments. Its members have one spelling each, yet two of them
	// may differ in capitals only: what is decided on one has to look for the other.
	Arguments Span
	// InputResponses and RequestState make a call the retry of an earlier one.
	InputResponses Span
	RequestState   Span
	Cursor         Span

	// Parts of _meta.
	Version       Span
	Capabilities  Span
	ClientInfo    Span
	LogLevel      Span
	ProgressToken Span
	Subscription  Span
	TraceParent   Span
}

// Bytes is the text of a span.
func (m *Message) Bytes(s Span) []byte { return m.Raw[s.Start:s.End] }

// Text decodes a span that holds a JSON string; false for anything else.
func (m *Message) Text(s Span) (string, bool) { return Unquote(m.Bytes(s)) }

// Modern reports whether the message carries the modern era's version.
func (m *Message) Modern() bool { return m.Version.Present() }

// A SyntaxError says why bytes are not a message to be trusted. It names places, not
// values.
type SyntaxError struct {
	Code    int // of JSON-RPC: CodeParse or CodeInvalidRequest
	Problem string
	Offset  int
	// ID is the raw id of the message where it could be read; an answer carries it.
	ID []byte
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s (byte %d)", e.Problem, e.Offset) }

// ErrBatch is a JSON-RPC batch, which is refused in every era.
var ErrBatch = errors.New("a batch of messages; send them one by one")
