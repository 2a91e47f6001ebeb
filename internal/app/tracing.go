package app

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"go.opentelemetry.io/otel/attribute"

	"sluice/internal/fault"
)

// Tracing exports spans over OTLP/HTTP when the standard variables of OpenTelemetry
// name a collector, and does nothing otherwise: the tracer is nil then, and trace
// context passes as it came. Stop sends what is left.
func Tracing(ctx context.Context, env func(string) string) (tracer trace.Tracer, stop func(context.Context) error, err error) {
	// Trace context in headers is carried whether we record or not.
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
	none := func(context.Context) error { return nil }
	named := env("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
	if !named || env("OTEL_SDK_DISABLED") == "true" || env("OTEL_TRACES_EXPORTER") == "none" {
		return nil, none, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, none, fault.New(fault.Usage, "OTEL_EXPORTER_OTLP_ENDPOINT names no collector that can be used").Wrap(err)
	}
	// The environment's own attributes win over these.
	own := resource.NewSchemaless(attribute.String("service.name", "sluice"), attribute.String("service.version", Version()))
	given, err := resource.New(ctx, resource.WithFromEnv())
	if err == nil {
		own, err = resource.Merge(own, given)
	}
	if err != nil {
		return nil, none, fault.New(fault.Usage, "OTEL_RESOURCE_ATTRIBUTES can't be read").Wrap(err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(own))
	return provider.Tracer("sluice"), func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		return provider.Shutdown(ctx)
	}, nil
}
