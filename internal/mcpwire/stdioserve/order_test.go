package stdioserve

import (
	"context"
	"testing"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// slowToBegin is an upstream that takes its time over notifications/initialized.
type slowToBegin struct {
	*fake
	begin chan struct{}
}

func (u slowToBegin) Initialize(ctx context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
	_, err := u.fake.Initialize(ctx, c, out)
	return slowSession{fakeSession{u.fake}, u}, err
}

type slowSession struct {
	fakeSession
	u slowToBegin
}

func (s slowSession) Notify(ctx context.Context, c *exchange.Call) error {
	if c.Message.Method == mcpwire.MethodInitialized {
		<-s.u.begin
	}
	return s.fakeSession.Notify(ctx, c)
}

// A server may offer more once it heard notifications/initialized, so a request that
// follows must not overtake it.
func TestRequestsDoNotOvertakeInitialized(t *testing.T) {
	t.Parallel()
	up := slowToBegin{newFake(), make(chan struct{})}
	up.call = func(_ context.Context, c *exchange.Call, out exchange.Sink) error {
		up.came <- c.Message.Method
		return final(out, c, "{}")
	}
	c := start(t, up)
	c.send(hello)
	c.want(`"id":0`)
	c.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`, legacy("1", "tools/list"))
	close(up.begin)
	c.want(`"id":1`)
	if first, second := <-up.came, <-up.came; second != "tools/list" {
		t.Errorf("the upstream got %s first and %s then", first, second)
	}
	c.end()
}
