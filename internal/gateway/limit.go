package gateway

import (
	"context"
	"sync"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Bounds on calls under way at one upstream; 0 is the default, below 0 there is none.
// Streams that stay open do not count: the face bounds those of each caller.
type Bounds struct {
	Calls     int // of everybody, 1024
	PerCaller int // 256
}

// Bound refuses calls beyond the bounds. A call is refused at once rather than kept
// waiting: its client knows best whether it is still worth sending.
func Bound(b Bounds) exchange.Interceptor {
	if b.Calls == 0 {
		b.Calls = 1024
	}
	if b.PerCaller == 0 {
		b.PerCaller = 256
	}
	var mu sync.Mutex
	all, by := 0, map[string]int{}
	enter := func(caller string) bool {
		mu.Lock()
		defer mu.Unlock()
		if b.Calls > 0 && all >= b.Calls || b.PerCaller > 0 && by[caller] >= b.PerCaller {
			return false
		}
		all++
		by[caller]++
		return true
	}
	leave := func(caller string) {
		mu.Lock()
		defer mu.Unlock()
		all--
		if by[caller]--; by[caller] == 0 {
			delete(by, caller)
		}
	}
	return func(ctx context.Context, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
		if c.Message.Kind != mcpwire.Request || c.Message.Method == mcpwire.MethodListen {
			return next(ctx, c, out)
		}
		if !enter(c.Caller.ID) {
			return &exchange.Error{Code: exchange.TooMany, Message: "too many calls to " + named(c.Server) + " are under way", Fix: "send it again when others have ended"}
		}
		defer leave(c.Caller.ID)
		return next(ctx, c, out)
	}
}

// ReadOnly refuses tool calls, and what answers or steers one, to callers whose token
// only reads.
func ReadOnly(ctx context.Context, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
	if c.Caller.ReadOnly {
		switch c.Message.Method {
		case mcpwire.MethodToolsCall, mcpwire.MethodTaskUpdate, mcpwire.MethodTaskCancel:
			return &exchange.Error{Code: exchange.ReadOnlyScope, Message: "this token may read, not call tools", Fix: "use a token with scope mcp:write",
				Data: map[string]any{"scope": "mcp:write"}}
		}
	}
	return next(ctx, c, out)
}
