package credential

import (
	"context"
	"net/http"

	"sluice/internal/mcpwire/exchange"
)

// Authorizes reports whether the header is the one that OAuth would write.
func (h Header) Authorizes() bool { return http.CanonicalHeaderKey(h.Name) == "Authorization" }

// Both adds static headers to OAuth: an API key of a proxy before a server that wants
// tokens, say. Refusals are answered by OAuth.
func Both(headers exchange.Credential, tokens *OAuth) exchange.Credential {
	return both{headers, tokens}
}

type both struct {
	headers exchange.Credential
	*OAuth
}

func (b both) Authorize(ctx context.Context, caller exchange.Caller, h http.Header) error {
	if err := b.headers.Authorize(ctx, caller, h); err != nil {
		return err
	}
	return b.OAuth.Authorize(ctx, caller, h)
}
