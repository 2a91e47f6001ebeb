package gateway

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

var traceContext propagation.TraceContext

// begin starts the span of a call. Its parent is what the message names, else what
// the request's headers named. Where the span is recorded it becomes the parent in
// the message; the headers upstream are derived from ctx.
func (o *observed) begin(ctx context.Context, c *exchange.Call) (context.Context, *exchange.Call, trace.Span) {
	m := c.Message
	if parent, ok := m.Text(m.TraceParent); ok {
		carrier := propagation.MapCarrier{"traceparent": parent}
		if state, ok := m.Text(mcpwire.Member(m.Raw, m.Meta, "tracestate")); ok {
			carrier["tracestate"] = state
		}
		ctx = traceContext.Extract(ctx, carrier)
	}
	name, attributes := m.Method, []attribute.KeyValue{
		attribute.String("mcp.method.name", m.Method),
		attribute.String("mcp.protocol.version", c.Version),
		attribute.String("sluice.server", o.stats.name),
		attribute.String("sluice.era", c.Era.String()),
	}
	if m.Method == mcpwire.MethodToolsCall {
		// What is no tool's name might be anything.
		if tool, ok := m.Text(m.Name); ok && len(tool) <= longestName && nameLike(tool) {
			name, attributes = name+" "+tool, append(attributes, attribute.String("gen_ai.tool.name", tool))
		}
	} else if o.stats.methods[m.Method] == nil {
		name, attributes[0] = "other", attribute.String("mcp.method.name", "other")
	}
	ctx, span := o.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attributes...))
	if span.IsRecording() && m.Kind == mcpwire.Request {
		if changed, err := withParent(ctx, c); err == nil {
			c = changed
		}
	}
	return ctx, c, span
}

func (o *observed) end(span trace.Span, outcome int, err error) {
	span.SetAttributes(attribute.String("sluice.outcome", outcomes[outcome]))
	if err != nil && outcome != outcomeCancelled {
		span.SetStatus(codes.Error, exchange.As(err).Message)
	} else if outcome == outcomeError {
		span.SetStatus(codes.Error, "the server answered with an error")
	}
	span.End()
}

// withParent splices the span of ctx into the message's `_meta`.
func withParent(ctx context.Context, c *exchange.Call) (*exchange.Call, error) {
	carrier := propagation.MapCarrier{}
	traceContext.Inject(ctx, carrier)
	m := c.Message
	var edits []mcpwire.Edit
	var added []mcpwire.Field
	for _, key := range []string{"traceparent", "tracestate"} {
		value, ok := carrier[key]
		if !ok {
			continue
		}
		if old := mcpwire.Member(m.Raw, m.Meta, key); old.Present() {
			edits = append(edits, mcpwire.Edit{Span: old, With: mcpwire.Quote(value)})
		} else {
			added = append(added, mcpwire.Field{Name: key, Value: mcpwire.Quote(value)})
		}
	}
	if len(added) > 0 {
		edits = append(edits, addMeta(m, added))
	}
	return edited(c, edits...)
}

// addMeta is the edit that adds to `_meta`, which is made where it is missing.
func addMeta(m *mcpwire.Message, fields []mcpwire.Field) mcpwire.Edit {
	if m.Meta.Present() {
		return mcpwire.AddMembers(m.Raw, m.Meta, fields...)
	}
	var meta object
	for _, f := range fields {
		meta.set(f.Name, f.Value)
	}
	if m.Params.Present() {
		return mcpwire.AddMembers(m.Raw, m.Params, mcpwire.Field{Name: "_meta", Value: meta.bytes()})
	}
	params := object{fields: []field{{"_meta", meta.bytes()}}}
	at := m.ID.End // behind the id, which every request has
	return mcpwire.Edit{Span: mcpwire.Span{Start: at, End: at}, With: append([]byte(`,"params":`), params.bytes()...)}
}

// onceFlag is true once.
type onceFlag struct{ done atomic.Bool }

func (f *onceFlag) first() bool { return f.done.CompareAndSwap(false, true) }
