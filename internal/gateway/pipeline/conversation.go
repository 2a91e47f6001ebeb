package pipeline

import (
	"context"
	"slices"
	"sync"

	"sluice/internal/enforce"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// methodElicited tells a client that what a page was opened for is done.
const methodElicited = "notifications/elicitation/complete"

// conversation is what the result side keeps of a legacy session.
type conversation struct {
	opensPages bool // the client opens URLs for its user

	ctx context.Context // ends with the session
	end func()

	mu      sync.Mutex
	streams []*stream       // open ones of the client, oldest first
	waiting map[string]bool // approvals whose end it is to be told
	untold  []string        // ended ones that there was no stream for
}

// newConversation remembers what an initialize says.
func newConversation(c *exchange.Call) *conversation {
	v := &conversation{opensPages: opensPages(c.Message.Raw, mcpwire.Member(c.Message.Raw, c.Message.Params, "capabilities")), end: func() {}}
	if v.opensPages {
		v.ctx, v.end = context.WithCancel(context.Background())
	}
	return v
}

type conversationKey struct{}

// in is the context of a call of the session.
func (v *conversation) in(ctx context.Context) context.Context {
	if !v.opensPages { // nobody will ask for it
		return ctx
	}
	return v.on(ctx)
}

// on is the context of a stream of the session.
func (v *conversation) on(ctx context.Context) context.Context {
	return context.WithValue(ctx, conversationKey{}, v)
}

// conversationOf is the session of a call; nil where none matters.
func conversationOf(ctx context.Context) *conversation {
	v, _ := ctx.Value(conversationKey{}).(*conversation)
	return v
}

// hear lets the client be told of things on a stream, until the function it returns is
// called.
func (v *conversation) hear(st *stream) (stop func()) {
	if v == nil {
		return func() {}
	}
	v.mu.Lock()
	v.streams = append(v.streams, st)
	untold := v.untold
	v.untold = nil
	v.mu.Unlock()
	for _, approval := range untold {
		st.notify(elicited(approval))
	}
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.streams = slices.DeleteFunc(slices.Clone(v.streams), func(other *stream) bool { return other == st })
	}
}

// newest reports whether a stream is the last one that the client opened. What is said to
// a session is said on one stream, and an older one may be about to end.
func (v *conversation) newest(st *stream) bool {
	if v == nil {
		return true
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.streams) == 0 || v.streams[len(v.streams)-1] == st
}

// await tells the client when an approval is decided, as long as the session lasts. The
// store bounds how many wait at a time.
func (v *conversation) await(store enforce.Store, approval string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.waiting[approval] || v.ctx.Err() != nil {
		return
	}
	if v.waiting == nil {
		v.waiting = map[string]bool{}
	}
	v.waiting[approval] = true
	go func() {
		_, err := store.Await(v.ctx, approval)
		if st := v.ended(approval, err == nil); st != nil {
			st.notify(elicited(approval))
		}
	}()
}

// ended is the stream on which it is to be told that an approval was decided. Where none
// is open the next one tells it.
func (v *conversation) ended(approval string, decided bool) *stream {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.waiting, approval)
	switch n := len(v.streams); {
	case !decided:
	case n > 0:
		return v.streams[n-1]
	case len(v.untold) < enforce.MaxParked:
		v.untold = append(v.untold, approval)
	}
	return nil
}

// elicited says that what a page was opened for is done.
func elicited(approval string) []byte {
	return mcpwire.BuildNotification(methodElicited, object(mcpwire.Field{Name: "elicitationId", Value: mcpwire.Quote(approval)}))
}
