package era_test

import (
	"context"
	"testing"
	"testing/synctest"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/era"
	"sluice/internal/mcpwire/exchange"
)

// Servers may ask on a stream of their own instead of that of the call, and only one
// that is open already when they do.
func TestQuestionOnTheServersOwnStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{legacy: func(ctx context.Context, s *fakeSession, m *mcpwire.Message, out exchange.Sink) error {
			s.mu.Lock()
			opened := s.opened
			s.mu.Unlock()
			if opened == 0 {
				return finish(m, out, `{"content":[],"asked":"nobody listens"}`)
			}
			s.stream <- elicit
			select {
			case answer := <-s.heard:
				return finish(m, out, `{"content":[],"asked":`+string(answer.Bytes(answer.Result))+`}`)
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
		up := facing(t, f, era.Options{})
		c := client{t: t, up: up, caps: allCaps}
		first := c.call("1", "tools/call", `"name":"greet"`).last(t)
		same(t, "resultType", at(t, first, "result", "resultType"), `"input_required"`)
		second := c.call("2", "tools/call", `"name":"greet","requestState":`+at(t, first, "result", "requestState")+
			`,"inputResponses":{"request-1":{"action":"decline"}}`).last(t)
		same(t, "answer", at(t, second, "result", "asked"), `{"action":"decline"}`)

		mute := client{t: t, up: up, caps: "{}"}
		mute.call("3", "tools/call", `"name":"greet"`)
		s := f.session(t, 1)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.opened != 0 {
			t.Error("a stream was opened for a client that can't be asked anything")
		}
	})
}
