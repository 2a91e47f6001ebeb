package stdioserve

import (
	"context"
	"testing"
	"time"

	"sluice/internal/mcpwire/exchange"
)

// The ids of a server's requests are its own: an error about the client's answer to one
// must not end the client's call that happens to have the same.
func TestBrokenAnswerOfTheClientEndsNoCall(t *testing.T) {
	t.Parallel()
	up := newFake()
	up.call = func(_ context.Context, c *exchange.Call, out exchange.Sink) error {
		if err := out.Send(exchange.Event{Data: []byte(`{"jsonrpc":"2.0","id":1,"method":"elicitation/create"}`)}); err != nil {
			return err
		}
		return final(out, c, `{"was":`+<-up.came+`}`)
	}
	c := start(t, up)
	c.send(hello)
	c.want(`"id":0,"result"`)
	for _, tt := range []struct{ answer, want string }{
		{`{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}}`, `"id":1,"result":{"was":{"jsonrpc":"2.0","id":1,"error":{"code":-32600`},
		{`{"jsonrpc":"2.0","id":1,"result":{"a":1},"result":{"a":2}}`, `"id":null,"error":{"code":-32600`},
	} {
		c.send(legacy("1", "tools/list"))
		c.want(`"elicitation/create"`)
		c.send(tt.answer)
		c.want(tt.want)
	}
	c.send(`{"jsonrpc":"2.0","id":1,"result":{}}`)
	c.want(`"id":1,"result":{"was":{"jsonrpc":"2.0","id":1,"result":{}}}`)
	c.end()
}

// A client that is told to go and has stopped reading must not keep the relay, and with
// it a child process, from ending.
func TestClientThatDoesNotReadKeepsNobody(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		end  func(c *client)
	}{
		{"the context ends", func(c *client) { c.stop() }},
		{"the input ends", func(c *client) { _ = c.in.Close() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			up := newFake()
			answered := make(chan struct{})
			up.call = func(_ context.Context, c *exchange.Call, out exchange.Sink) error {
				close(answered)
				return final(out, c, "{}")
			}
			c := start(t, up, func(o *Options) { o.DrainTimeout = time.Millisecond })
			c.send(hello)
			c.want(`"id":0,"result"`)
			c.send(legacy("1", "tools/list"))
			<-answered
			tt.end(c)
			if err := <-c.ended; err == nil {
				t.Error("it ended as if the answer had been read")
			}
			up.mu.Lock()
			defer up.mu.Unlock()
			if up.closed != 1 {
				t.Errorf("the session was closed %d times", up.closed)
			}
		})
	}
}
