package httpdial

import (
	"net/http"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

func TestTraceHeaders(t *testing.T) {
	before := otel.GetTextMapPropagator()
	otel.SetTextMapPropagator(propagation.TraceContext{})
	defer otel.SetTextMapPropagator(before)
	up, c := scripted(t, 1)
	client := http.Header{"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, "Tracestate": {"a=b"}}
	parent := func(o *outgoing) (values []string) {
		for _, f := range o.fields {
			if f.name == "Traceparent" || f.name == "Tracestate" {
				values = append(values, f.value)
			}
		}
		return values
	}
	c.Header = client
	if got := parent(up.modern(t.Context(), c, nil, false)); len(got) != 2 || got[0] != client.Get("Traceparent") {
		t.Errorf("without a span of ours: %v", got)
	}
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	ctx := trace.ContextWithSpanContext(t.Context(), span)
	if got := parent(up.modern(ctx, c, nil, false)); len(got) != 1 || got[0] != "00-01000000000000000000000000000000-0200000000000000-01" {
		t.Errorf("with a span of ours: %v", got)
	}
}
