package httpdial

import (
	"context"
	"net/http"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/trace"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// outgoing is one HTTP request to the upstream, before it takes the form of whoever
// carries it.
type outgoing struct {
	method string
	fields []field // names in their canonical form
	body   []byte
	// repeat says that the upstream may be asked twice.
	repeat bool
	// connected is told when there is a connection; nil: nobody asks.
	connected func()
}

type field struct{ name, value string }

func (o *outgoing) add(name, value string) { o.fields = append(o.fields, field{name, value}) }

// malformedError is a value that can't stand in a header.
type malformedError struct{ problem string }

func (e *malformedError) Error() string { return e.problem }

// check keeps what a client wrote from becoming a header of its own.
func (o *outgoing) check() error {
	for _, f := range o.fields {
		for i := range len(f.name) {
			if c := f.name[i]; c <= ' ' || c == ':' || c >= 0x7f {
				return &malformedError{"a header would have a name that is none"}
			}
		}
		for i := range len(f.value) {
			if c := f.value[i]; c < ' ' && c != '\t' || c == 0x7f {
				return &malformedError{"the header " + f.name + " would hold a control character"}
			}
		}
	}
	return nil
}

var outgoings = sync.Pool{New: func() any { return &outgoing{fields: make([]field, 0, 16)} }}

func (o *outgoing) release() {
	clear(o.fields)
	o.fields, o.body, o.repeat, o.connected = o.fields[:0], nil, false, nil
	outgoings.Put(o)
}

const (
	typeJSON   = "application/json"
	typeStream = "text/event-stream"
	typeBoth   = typeJSON + ", " + typeStream
)

// post is the request that carries a message.
func (u *Upstream) post(ctx context.Context, body []byte, header http.Header) *outgoing {
	o := outgoings.Get().(*outgoing)
	o.method, o.body = http.MethodPost, body
	o.add("User-Agent", u.o.UserAgent)
	o.add("Content-Type", typeJSON)
	o.add("Accept", typeBoth)
	o.trace(ctx, header)
	return o
}

// Headers of the trace that a call belongs to.
var traceHeaders = []string{"Traceparent", "Tracestate", "Baggage"}

// trace names the span that the call belongs to: ours where there is one, else the
// client's.
func (o *outgoing) trace(ctx context.Context, header http.Header) {
	before := len(o.fields)
	if trace.SpanContextFromContext(ctx).IsValid() || baggage.FromContext(ctx).Len() > 0 {
		otel.GetTextMapPropagator().Inject(ctx, traceCarrier{o})
	}
	if len(o.fields) > before {
		return
	}
	for _, name := range traceHeaders {
		if v := header[name]; len(v) > 0 {
			o.add(name, v[0])
		}
	}
}

// traceCarrier takes what the propagator has to say.
type traceCarrier struct{ o *outgoing }

func (c traceCarrier) Get(string) string     { return "" }
func (c traceCarrier) Keys() []string        { return nil }
func (c traceCarrier) Set(key, value string) { c.o.add(http.CanonicalHeaderKey(key), value) }

// modern is the request for a message of the era that mirrors parts of it into
// headers. They are taken from the body as it is now.
func (u *Upstream) modern(ctx context.Context, c *exchange.Call, params []mcpwire.ParamHeader, known bool) *outgoing {
	m := c.Message
	o := u.post(ctx, m.Raw, c.Header)
	version := c.Version
	if m.Version.Present() {
		if quoted := m.Bytes(m.Version); len(quoted) != len(version)+2 || string(quoted[1:len(quoted)-1]) != version {
			version, _ = m.Text(m.Version)
		}
	}
	if version != "" {
		o.add(mcpwire.HeaderVersion, version)
	}
	if m.Method == "" {
		return o
	}
	o.add(mcpwire.HeaderMethod, m.Method)
	o.repeat = reads(m.Method)
	if name, ok := m.Mirrored(); ok {
		o.add(mcpwire.HeaderName, mcpwire.EncodeHeader(name))
	}
	o.params(c, params, known)
	return o
}

// params adds Mcp-Param-*. What a client sent with a message that is still its own goes
// on as it came: the upstream compares. Where the message was edited or the client
// has no headers, they are derived from the arguments, and only what no schema
// explains goes on.
func (o *outgoing) params(c *exchange.Call, params []mcpwire.ParamHeader, known bool) {
	derive := known && derives(c)
	if derive {
		for _, p := range params {
			if value, ok := p.Field(c.Message.Raw, c.Message.Arguments); ok {
				o.add(http.CanonicalHeaderKey(mcpwire.HeaderParamPrefix+p.Name), value)
			}
		}
	}
	for name, values := range c.Header {
		if isParam(name) && len(values) > 0 && !(derive && explained(params, name)) {
			o.add(name, values[0])
		}
	}
}

// derives reports whether Mcp-Param-* have to be made anew for this call.
func derives(c *exchange.Call) bool { return c.Header == nil || c.Edited }

func isParam(name string) bool {
	const prefix = mcpwire.HeaderParamPrefix
	return len(name) > len(prefix) && name[:len(prefix)] == prefix
}

func explained(params []mcpwire.ParamHeader, name string) bool {
	for _, p := range params {
		if http.CanonicalHeaderKey(mcpwire.HeaderParamPrefix+p.Name) == name {
			return true
		}
	}
	return false
}

// reads reports whether a method changes nothing, so that it may be sent again when
// its connection broke before any answer.
func reads(method string) bool {
	switch method {
	case mcpwire.MethodDiscover, mcpwire.MethodPing, mcpwire.MethodToolsList, mcpwire.MethodPromptsList, mcpwire.MethodPromptsGet,
		mcpwire.MethodResourcesList, mcpwire.MethodTemplatesList, mcpwire.MethodResourcesRead, mcpwire.MethodComplete,
		mcpwire.MethodTaskGet, mcpwire.MethodListen, mcpwire.MethodInitialize:
		return true
	}
	return false
}
