package app_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"sluice/internal/app"
)

func TestSpansReachTheCollectorThatTheEnvironmentNames(t *testing.T) {
	got := make(chan []byte, 4)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- append([]byte(r.URL.Path+" "), body...)
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test-of-spans")
	tracer, stop, err := app.Tracing(t.Context(), os.Getenv)
	if err != nil || tracer == nil {
		t.Fatal(err)
	}
	_, span := tracer.Start(t.Context(), "tools/call of-a-test")
	span.End()
	if err := stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	sent := <-got
	for _, want := range []string{"/v1/traces ", "tools/call of-a-test", "sluice", "test-of-spans"} {
		if !bytes.Contains(sent, []byte(want)) {
			t.Errorf("no %q in %q", want, sent)
		}
	}
}

func TestWithoutACollectorThereIsNoTracer(t *testing.T) {
	for _, env := range []map[string]string{
		{},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
	} {
		tracer, stop, err := app.Tracing(t.Context(), func(key string) string { return env[key] })
		if tracer != nil || err != nil {
			t.Errorf("%v: %v, %v", env, tracer, err)
		}
		if err := stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
