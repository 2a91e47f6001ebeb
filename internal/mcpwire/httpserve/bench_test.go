package httpserve

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"sluice/internal/mcpwire/exchange"
)

// discard takes an answer without the cost of a connection.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) FlushError() error           { return nil }

// What the face itself adds to one modern call with a small result: no connection, no
// upstream.
func BenchmarkFace(b *testing.B) {
	result := []byte(`{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[{"type":"text","text":"` + strings.Repeat("x", 64) + `"}]}}`)
	event := append(append([]byte("event: message\ndata: "), result...), "\n\n"...)
	relay := func(kind string, body []byte) func(context.Context, *exchange.Call, exchange.Sink) error {
		header := http.Header{"Content-Type": {kind}}
		return func(_ context.Context, _ *exchange.Call, out exchange.Sink) error {
			return out.(exchange.Relayer).Relay(&http.Response{StatusCode: 200, Header: header,
				ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body))})
		}
	}
	for _, bm := range []struct {
		name string
		call func(context.Context, *exchange.Call, exchange.Sink) error
	}{
		{"json", relay("application/json", result)},
		{"stream", relay("text/event-stream", event)},
		{"looked at", func(_ context.Context, _ *exchange.Call, out exchange.Sink) error {
			return out.Send(exchange.Event{Data: result, Final: true})
		}},
	} {
		b.Run(bm.name, func(b *testing.B) {
			h := New(Options{Upstream: &fake{call: bm.call}})
			body := modernCall("1", "tools/call", `"name":"add","arguments":{"a":1,"b":"two"}`)
			r, err := http.NewRequest(http.MethodPost, "http://localhost/mcp", nil)
			if err != nil {
				b.Fatal(err)
			}
			hs := modernHeaders("tools/call", "Mcp-Name", "add")
			for i := 0; i < len(hs); i += 2 {
				r.Header.Set(hs[i], hs[i+1])
			}
			r.ContentLength = int64(len(body))
			reader := strings.NewReader(body)
			w := &discard{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				reader.Reset(body)
				r.Body = io.NopCloser(reader)
				clear(w.header)
				h.ServeHTTP(w, r)
			}
		})
	}
}
