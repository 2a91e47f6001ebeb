package era_test

import (
	"context"
	"testing"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/era"
	"sluice/internal/mcpwire/exchange"
)

type discard struct{}

func (discard) Send(exchange.Event) error { return nil }

// BenchmarkCall is what an adapter adds to a call, beside an upstream that costs nothing.
func BenchmarkCall(b *testing.B) {
	result := []byte(`{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"0123456789012345678901234567890123456789"}]}}`)
	legacy := &fake{legacy: func(_ context.Context, _ *fakeSession, m *mcpwire.Message, out exchange.Sink) error {
		return out.Send(exchange.Event{Data: result, Final: true})
	}}
	modern := newModern(nil)
	discover := modern.modern
	modern.modern = func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
		if c.Message.Method == mcpwire.MethodDiscover {
			return discover(ctx, c, out)
		}
		return out.Send(exchange.Event{Data: result, Final: true})
	}
	call := func(b *testing.B, f exchange.Upstream) {
		up := era.New(f, era.Options{})
		defer func() { _ = up.Close(context.Background()) }()
		t := &testing.T{}
		c := (&client{t: t, up: up, caps: `{}`}).modern("1", "tools/call", `"name":"x","arguments":{"a":1}`)
		b.ReportAllocs()
		for b.Loop() {
			if err := up.Call(context.Background(), c, discard{}); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("modern client, modern server", func(b *testing.B) { call(b, &modern.fake) })
	b.Run("modern client, legacy server", func(b *testing.B) { call(b, legacy) })
	b.Run("legacy client, modern server", func(b *testing.B) {
		up := era.New(&modern.fake, era.Options{})
		defer func() { _ = up.Close(context.Background()) }()
		t := &testing.T{}
		s, err := up.Initialize(context.Background(), (&client{t: t}).legacy(
			`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"0"}}}`), discard{})
		if err != nil {
			b.Fatal(err)
		}
		c := (&client{t: t}).legacy(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"x","arguments":{"a":1}}}`)
		b.ReportAllocs()
		for b.Loop() {
			if err := s.Call(context.Background(), c, discard{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
