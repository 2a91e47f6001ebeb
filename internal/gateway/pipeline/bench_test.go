package pipeline_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/gateway/pipeline"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/secret"
)

// costless is a store that admits everything, so that a benchmark measures the pipeline.
type costless struct{ enforce.Store }

func (costless) Reserve(context.Context, *enforce.Request) (enforce.Reply, error) {
	return enforce.Reply{Admitted: true, Failed: -1}, nil
}
func (costless) Settle(context.Context, *enforce.Settlement) error { return nil }
func (costless) Record(context.Context, ...audit.Call) error       { return nil }

type oneSubject struct{ s *pipeline.Subject }

func (o oneSubject) Subject(exchange.Caller, string) *pipeline.Subject { return o.s }
func (o oneSubject) Changed() <-chan struct{}                          { return nil }

type fixed struct{ exchange.Upstream }

var fixedAnswer = []byte(`{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"done"}],"isError":false}}`)

func (fixed) Call(_ context.Context, _ *exchange.Call, out exchange.Sink) error {
	return out.Send(exchange.Event{Data: fixedAnswer, Final: true, Status: 200})
}
func (fixed) Notify(context.Context, *exchange.Call) error { return nil }

type sinkhole struct{}

func (sinkhole) Send(exchange.Event) error { return nil }

// BenchmarkCall is what identity, three conditions, a limit and the record add to a call.
func BenchmarkCall(b *testing.B) {
	t := &testing.T{}
	s := subject(t, "ann", `{"version":"1","default":"deny","tools":{"send":{
		"require":[{"conditions":[{"path":"args.currency","op":"in","value":["EUR","USD"]},{"path":"args.to","op":"regex","value":"^[0-9]+$"}]}],
		"deny_if":[{"conditions":[{"path":"args.amount","op":"gt","value":5000}]}],
		"limits":[{"counter":"sends","window":"hour","max":1000000,"scope":"grant"}]}}}`)
	keys, err := secret.OpenKeyring(filepath.Join(b.TempDir(), "key"), true)
	if err != nil {
		b.Fatal(err)
	}
	front := pipeline.New(pipeline.Options{Directory: oneSubject{s}, Store: costless{}, Keys: keys, Server: labServer, Now: time.Now,
		Metrics: pipeline.NewMetrics()}).Wrap(fixed{})
	c := modern(t, "7", "tools/call", `"name":"send","arguments":{"to":"12345","amount":12.5,"currency":"EUR","text":"hello there, this is a message of some length"}`, `{}`)
	b.ReportAllocs()
	for b.Loop() {
		if err := front.Call(b.Context(), c, sinkhole{}); err != nil {
			b.Fatal(err)
		}
	}
}
