package gateway_test

import (
	"context"
	"testing"

	"sluice/internal/gateway"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// quiet is an upstream and a sink that cost nothing.
type quiet struct{ fake }

func (*quiet) Call(context.Context, *exchange.Call, exchange.Sink) error { return nil }

// What a call pays for what stands around its upstream.
func BenchmarkAround(b *testing.B) {
	m, err := mcpwire.Parse([]byte(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a_add","arguments":{"a":1,"b":2},`+
		`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`), mcpwire.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	call := &exchange.Call{Message: &m, Era: mcpwire.Modern, Caller: exchange.Caller{ID: "ada"}, Server: "x"}
	guarded := gateway.Intercept(&quiet{}, exchange.Chain(gateway.ReadOnly, gateway.Bound(gateway.Bounds{})))
	whole, err := gateway.Aggregate([]gateway.Member{{Name: "a", Prefix: "a_", Upstream: &quiet{}}}, gateway.AggregateOptions{})
	if err != nil {
		b.Fatal(err)
	}
	for name, up := range map[string]exchange.Upstream{
		"bounds":    guarded,
		"metrics":   gateway.Observe(guarded, gateway.Observation{Server: "x", Metrics: gateway.NewMetrics()}),
		"aggregate": whole,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			out := &relayer{}
			for b.Loop() {
				if err := up.Call(b.Context(), call, out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
