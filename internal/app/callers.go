package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"

	"sluice/internal/auth"
	"sluice/internal/bearer"
	"sluice/internal/config"
	"sluice/internal/govern"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpserve"
	"sluice/internal/tenant"
)

// callers turns what a request identifies itself with into a grant of the server that
// it calls: the grant's own token, or an access token of an authorization server that
// is mapped to one.
type callers struct {
	directory *govern.Directory
	bearer    *bearer.Verifier // nil: no authorization server
	issuers   map[string]config.MCPBearer
	refusals  *auth.Refusals
	base      string // of public URLs: scheme://host[:port]
}

// of authenticates requests to one server, at a path.
func (k *callers) of(server, path string) func(*http.Request) (exchange.Caller, error) {
	return func(r *http.Request) (exchange.Caller, error) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		token = strings.TrimSpace(token)
		if !strings.EqualFold(scheme, "Bearer") || token == "" {
			return exchange.Caller{}, &httpserve.Refusal{
				Status: http.StatusUnauthorized, WWWAuthenticate: k.bearer.Challenge(k.base, path, ""), Message: "the call carries no token of a grant",
			}
		}
		e, claims, err := k.find(r.Context(), token, server, path)
		if err != nil {
			return exchange.Caller{}, k.refuse(r, path, err)
		}
		var scopes []string
		if claims != nil {
			scopes = claims.Scopes
		}
		read, write := reach(e.Grant.Scopes, scopes, claims != nil)
		if !read && !write {
			return exchange.Caller{}, &httpserve.Refusal{
				Status: http.StatusForbidden, WWWAuthenticate: k.bearer.Challenge(k.base, path, "insufficient_scope"), Message: "the token has neither scope mcp:read nor mcp:write",
			}
		}
		c := exchange.Caller{ID: e.Grant.ID, Name: e.Grant.Name, ReadOnly: !write}
		if claims != nil {
			c.Expires = claims.Expires
		}
		if _, granted := reach(e.Grant.Scopes, nil, false); !write && granted { // another token of the same person may
			c.StepUp = k.bearer.Challenge(k.base, path, "insufficient_scope")
		}
		return c, nil
	}
}

// find is the grant that a token leads to, and what a token of an authorization server
// says.
func (k *callers) find(ctx context.Context, token, server, path string) (*govern.Entry, *bearer.Claims, error) {
	if k.bearer == nil || strings.Count(token, ".") != 2 { // a grant's has no dots, a JWT two
		e, err := k.directory.Resolve(token, server)
		return e, nil, err
	}
	claims, err := k.bearer.Verify(ctx, token, k.base+path)
	if err != nil {
		return nil, nil, err
	}
	for _, m := range k.issuers[claims.Issuer].Map {
		if claims.Has(m.Claim, m.Value) {
			e, err := k.directory.Named(m.Grant, server)
			return e, claims, err
		}
	}
	e, err := k.directory.Person(claims.Issuer, claims.Subject, server)
	return e, claims, err
}

// reach is what a caller may do: what the grant and the token both allow. A grant
// without scopes has both; a token of an authorization server has what it says, and
// none where it says nothing. Who may write may read.
func reach(grant, token []string, signed bool) (read, write bool) {
	allows := func(list []string, all bool, scope tenant.Scope) bool {
		return all || slices.Contains(list, string(scope))
	}
	write = allows(grant, len(grant) == 0, tenant.Write) && allows(token, !signed, tenant.Write)
	read = write || allows(grant, len(grant) == 0 || slices.Contains(grant, string(tenant.Write)), tenant.Read) &&
		allows(token, !signed || slices.Contains(token, string(tenant.Write)), tenant.Read)
	return read, write
}

// refuse answers a token that leads nowhere. All of them get the same words, whatever
// is wrong: a token of another server must not learn that it is one.
func (k *callers) refuse(r *http.Request, path string, err error) error {
	if errors.Is(err, bearer.ErrUnavailable) || errors.Is(err, govern.ErrUnavailable) {
		return &exchange.Error{Code: exchange.Unavailable, Message: "who may call can't be looked up now", Fix: "try again later", Cause: err}
	}
	source, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		source = r.RemoteAddr
	}
	wait := k.refusals.Blocked(source)
	k.refusals.Refused(r.Context(), source)
	if wait > 0 {
		return &httpserve.Refusal{
			Status: http.StatusTooManyRequests, WWWAuthenticate: k.bearer.Challenge(k.base, path, "invalid_token"),
			Message: "too many tokens were refused; try again later", RetryAfter: int(wait.Seconds()) + 1,
		}
	}
	text := "the token is not valid here, or not any more"
	if _, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.HasPrefix(strings.TrimSpace(token), "slt_") {
		text += "; slt_… are tokens of the API, a server is called with one of a grant: `sluice grant add`"
	}
	return &httpserve.Refusal{Status: http.StatusUnauthorized, WWWAuthenticate: k.bearer.Challenge(k.base, path, "invalid_token"), Message: text}
}
