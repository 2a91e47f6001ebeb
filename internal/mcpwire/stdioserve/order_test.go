package stdioserve

import (
	"context"
	"slices"
	"strconv"
	"sync"
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

// A server that works on one request after the other gets them as the client sent them,
// and none waits for the answer of another.
func TestRequestsReachTheUpstreamInOrder(t *testing.T) {
	t.Parallel()
	const n = 200
	up := newFake()
	var mu sync.Mutex
	var came []string
	all := make(chan struct{})
	up.call = func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
		mu.Lock()
		came = append(came, string(c.Message.Bytes(c.Message.ID)))
		if len(came) == n {
			close(all)
		}
		mu.Unlock()
		exchange.Taken(ctx)
		<-all
		return final(out, c, "{}")
	}
	c := start(t, up)
	c.send(hello)
	var want []string
	for i := range n {
		want = append(want, strconv.Itoa(i+1))
		if i%2 == 0 {
			c.send(legacy(want[i], "tools/call"))
		} else {
			c.send(modern(want[i], "tools/call"))
		}
	}
	for range n + 1 {
		c.next()
	}
	if !slices.Equal(came, want) {
		t.Errorf("the upstream got %v", came)
	}
	c.end()
}

// A request that is held up on its way holds up no other for long.
func TestRequestThatIsHeldUpDoesNotBlock(t *testing.T) {
	t.Parallel()
	up := newFake()
	approved := make(chan struct{})
	up.call = func(_ context.Context, c *exchange.Call, out exchange.Sink) error {
		if c.Message.Method == "parked" {
			<-approved
		}
		return final(out, c, "{}")
	}
	c := start(t, up)
	c.send(modern("1", "parked"), modern("2", "other"))
	c.want(`"id":2`)
	close(approved)
	c.want(`"id":1`)
	c.end()
}
