package exchange

import "context"

type takenKey struct{}

// WithTaken has taken called when a call made with this context is on its way to its
// upstream. A face whose client sends one message after the other lets the next one
// follow then, so that a server that works in order gets them in order.
func WithTaken(ctx context.Context, taken func()) context.Context {
	return context.WithValue(ctx, takenKey{}, taken)
}

// Taken is told by whoever sends calls to an upstream: no call that is made from now on
// overtakes this one, or nothing keeps it from doing so. It may be told more than once.
func Taken(ctx context.Context) {
	if taken, ok := ctx.Value(takenKey{}).(func()); ok {
		taken()
	}
}
