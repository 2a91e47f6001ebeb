package pipeline_test

import (
	"context"
	"strings"
	"testing"

	"sluice/internal/mcpwire/exchange"
)

// A server that may not ask a client is answered in its place, on whatever stream it asks,
// and what else it says there goes on.
func TestQuestionsThatMayNotBeAsked(t *testing.T) {
	t.Parallel()
	asks := []string{
		`{"jsonrpc":"2.0","id":"q1","method":"sampling/createMessage","params":{}}`,
		`{"jsonrpc":"2.0","id":"q2","method":"elicitation\/create","params":{}}`,
		`{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"createMessage"}}`,
	}
	ask := func(out exchange.Sink) error {
		for _, m := range asks {
			if err := out.Send(exchange.Event{Data: []byte(m)}); err != nil {
				return err
			}
		}
		return nil
	}
	for _, allowed := range []bool{false, true} {
		l := newLab(t, `{"version":"1","default":"deny","tools":{"ok":{}}}`)
		if allowed {
			s := *l.dir.all["ann"]
			s.Settings.Methods = []string{"sampling/*", "elicitation/*"}
			l.dir.put("ann", &s)
		}
		l.up.told = make(chan string, 8)
		l.up.answer = func(_ context.Context, c *exchange.Call, out exchange.Sink) (bool, error) {
			if c.Message.Method != "tools/call" {
				return false, nil
			}
			if err := ask(out); err != nil {
				return true, err
			}
			return true, failure(out, c, -32042, "visit")
		}
		l.up.listen = func(_ context.Context, _ string, out exchange.Sink) error { return ask(out) }
		s := l.open(`{"sampling":{},"elicitation":{"url":{}}}`)
		onCall, onStream := newTape(), newTape()
		if err := s.Call(t.Context(), legacy(t, "1", "tools/call", `"name":"ok","arguments":{}`), onCall); err != nil {
			t.Fatal(err)
		}
		if err := s.Listen(t.Context(), legacy(t, "2", "ping", ""), "", onStream); err != nil {
			t.Fatal(err)
		}
		for name, got := range map[string]*tape{"call": onCall, "stream": onStream} {
			text := strings.Join(got.events, "\n")
			if strings.Contains(text, "sampling") != allowed || strings.Contains(text, "elicitation") != allowed || !strings.Contains(text, asks[2]) {
				t.Errorf("allowed %v, on the %s: %s", allowed, name, text)
			}
		}
		if strings.Contains(onCall.last(t), "-32042") != allowed {
			t.Errorf("allowed %v: %s", allowed, onCall.last(t))
		}
		for range 4 { // two questions on each
			if allowed {
				break
			}
			if told := <-l.up.told; !strings.Contains(told, `"error":`) || !strings.Contains(told, `"id":"q`) {
				t.Errorf("the server was told %s", told)
			}
		}
	}
}
