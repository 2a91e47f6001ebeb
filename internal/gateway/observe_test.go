package gateway_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"sluice/internal/gateway"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/obs"
)

func TestWithoutAnObserverTheUpstreamIsItself(t *testing.T) {
	t.Parallel()
	up := &fake{}
	if gateway.Observe(up, gateway.Observation{Server: "x"}) != exchange.Upstream(up) {
		t.Error("observing nothing costs something")
	}
}

// relaying is an upstream that hands an HTTP answer over whole where it can.
func relaying(body string) func(context.Context, *exchange.Call, exchange.Sink) (string, error) {
	return func(_ context.Context, _ *exchange.Call, out exchange.Sink) (string, error) {
		r := &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body))}
		return "", out.(exchange.Relayer).Relay(r)
	}
}

// reading takes an answer whole and reads it.
type reading struct {
	inbox
	body string
}

func (s *reading) Relay(r *http.Response) error {
	body, err := io.ReadAll(r.Body)
	s.body = string(body)
	return errors.Join(err, r.Body.Close())
}

func TestCallsAreCountedByOutcome(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer func(context.Context, *exchange.Call, exchange.Sink) (string, error)
		want   string
	}{
		{"a result", says(`{"error":1}`), `outcome="ok"`},
		{"an error", fails("-32602"), `outcome="error"`},
		{"a relayed result", relaying(`{"jsonrpc":"2.0","id":1,"result":{"error":1}}`), `outcome="ok"`},
		{"a relayed error", relaying("event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{}}\n\n"), `outcome="error"`},
		{"a relayed stream", relaying("data: {\"method\":\"notifications/x\",\"params\":{\"error\":1}}\n\n"), `outcome="ok"`},
		{"a dead server", down, `outcome="upstream_unreachable"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := gateway.NewMetrics()
			up := gateway.Observe(&fake{answer: tt.answer}, gateway.Observation{Server: "crm", Metrics: m})
			_ = up.Call(t.Context(), modern(t, "tools/call", `"name":"secret-name"`), &reading{}) // the outcome says it
			text := string(obs.Text(m.Families()))
			for _, want := range []string{
				`mcp_calls_total{server="crm",method="tools/call",` + tt.want + `} 1`,
				`mcp_call_seconds_count{server="crm",method="tools/call"} 1`,
				`mcp_calls_in_flight{server="crm"} 0`,
			} {
				if !strings.Contains(text, want+"\n") {
					t.Errorf("no %s in\n%s", want, text)
				}
			}
			if strings.Contains(text, "secret") {
				t.Error("a name of a client is a label")
			}
			if up := strings.Contains(text, `mcp_upstream_up{server="crm"} 1`); up == (tt.name == "a dead server") {
				t.Errorf("up: %v", up)
			}
		})
	}
}

func TestSessionsAreCounted(t *testing.T) {
	t.Parallel()
	m := gateway.NewMetrics()
	up := gateway.Observe(&fake{}, gateway.Observation{Server: "crm", Metrics: m})
	s, err := up.Initialize(t.Context(), legacy(t, initialize), &inbox{})
	if err != nil {
		t.Fatal(err)
	}
	if text := string(obs.Text(m.Families())); !strings.Contains(text, `mcp_sessions{server="crm"} 1`) {
		t.Error(text)
	}
	for range 2 {
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if text := string(obs.Text(m.Families())); !strings.Contains(text, `mcp_sessions{server="crm"} 0`) {
		t.Error(text)
	}
}

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestASpanBecomesTheParent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		call    *exchange.Call
		heard   string // with the span's id as $SPAN
		foreign bool   // the trace began at the client
	}{
		{"with a parent in the message", message(t, 2, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"card":"4111"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","traceparent":"`+parent+`","vendor":1}}}`), "", true},
		{"without", legacy(t, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`), `{"jsonrpc":"2.0","id":1,"params":{"_meta":{"traceparent":"$SPAN"}},"method":"tools/list"}`, false},
		{"with params alone", legacy(t, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`), `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"traceparent":"$SPAN"}}}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			spans := tracetest.NewInMemoryExporter()
			provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
			f := &fake{answer: says(`{}`)}
			up := gateway.Observe(f, gateway.Observation{Server: "crm", Tracer: provider.Tracer("t")})
			if err := up.Call(t.Context(), tt.call, &inbox{}); err != nil {
				t.Fatal(err)
			}
			got := spans.GetSpans()
			if len(got) != 1 {
				t.Fatalf("%d spans", len(got))
			}
			here := "00-" + got[0].SpanContext.TraceID().String() + "-" + got[0].SpanContext.SpanID().String() + "-01"
			want := strings.ReplaceAll(tt.heard, "$SPAN", here)
			if tt.foreign {
				want = strings.Replace(string(tt.call.Message.Raw), parent, here, 1)
				if got[0].SpanContext.TraceID().String() != parent[3:35] {
					t.Error("the span is of another trace")
				}
			}
			if f.log()[0] != want {
				t.Errorf("the upstream heard\n%s, want\n%s", f.log()[0], want)
			}
			for _, a := range got[0].Attributes {
				if strings.Contains(a.Value.String(), "4111") {
					t.Errorf("an argument is in the span: %v", a)
				}
			}
		})
	}
}

func TestWithoutTracingTraceContextPasses(t *testing.T) {
	t.Parallel()
	f := &fake{answer: says(`{}`)}
	up := gateway.Observe(f, gateway.Observation{Server: "crm", Metrics: gateway.NewMetrics()})
	c := modern(t, "tools/list", `"x":"`+parent+`"`)
	if err := up.Call(t.Context(), c, &inbox{}); err != nil || f.log()[0] != string(c.Message.Raw) {
		t.Errorf("%v, %q", err, f.log())
	}
}
