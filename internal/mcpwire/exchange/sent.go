package exchange

import (
	"context"
	"net/http"
)

type sentKey struct{}

// WithSent tells a Credential, in the context of Refused, which headers the refused
// request carried. A token that was renewed while the request was under way is then
// not renewed once more.
func WithSent(ctx context.Context, h http.Header) context.Context {
	return context.WithValue(ctx, sentKey{}, h)
}

// Sent is what WithSent told; nil when nothing was.
func Sent(ctx context.Context) http.Header {
	h, _ := ctx.Value(sentKey{}).(http.Header)
	return h
}
