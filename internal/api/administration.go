package api

import (
	"context"
	"net/http"
	"time"

	"sluice/internal/auth"
	"sluice/internal/fault"
	"sluice/internal/tenant"
)

// nothing is an input without members.
type nothing struct{}

// me is who calls.
type me struct {
	User      string         `json:"user"`
	Workspace string         `json:"workspace"`
	Role      tenant.Role    `json:"role"`
	Policy    bool           `json:"policy"`
	Approver  bool           `json:"approver"`
	Agent     bool           `json:"agent"`
	Scopes    []tenant.Scope `json:"scopes"`
}

type listing[T any] struct {
	Items []T `json:"items"`
}

func list[T any](items []T, err error) (listing[T], error) {
	if items == nil {
		items = []T{}
	}
	return listing[T]{items}, err
}

type userPath struct {
	User string `path:"user" json:"-"`
}

type memberInput struct {
	User string `path:"user" json:"-"`
	auth.MemberChange
}

type profilePath struct {
	Profile string `path:"profile" json:"-"`
}

type profileInput struct {
	Profile string `path:"profile" json:"-"`
	auth.ProfileChange
}

type tokenPath struct {
	Token string `path:"token" json:"-"`
}

type tokenInput struct {
	auth.Issue
	ExpiresIn int64 `json:"expires_in,omitempty" doc:"seconds; 0 or absent: 90 days; -1: never"`
}

// newToken is a token with its text, shown this once.
type newToken struct {
	Text string `json:"token"`
	*tenant.Token
}

type removed struct {
	Removed string `json:"removed"`
}

// defaultTokenLife is how long a token lives that names no time.
const defaultTokenLife = 90 * 24 * time.Hour

func administration() []operation {
	const tag = "administration"
	return []operation{
		op(http.MethodGet, "/me", "me", tag, "Who the token stands for", looks,
			func(_ context.Context, c *call, _ *nothing) (me, error) {
				return me{c.caller.User, c.caller.Workspace, c.caller.Role, c.caller.Policy, c.caller.Approver, c.caller.Agent, c.caller.Scopes}, nil
			}),
		op(http.MethodGet, "/workspace", "getWorkspace", tag, "The workspace and its write-back switch", looks,
			func(ctx context.Context, c *call, _ *nothing) (*tenant.Workspace, error) {
				return c.Auth.Workspace(ctx)
			}),
		op(http.MethodPatch, "/workspace", "setWorkspace", tag, "Rename it, or switch write-back on or off", manages,
			func(ctx context.Context, c *call, in *auth.WorkspaceChange) (*tenant.Workspace, error) {
				return c.Auth.SetWorkspace(ctx, *in)
			}),
		op(http.MethodGet, "/members", "listMembers", tag, "List the members", looks,
			func(ctx context.Context, c *call, _ *nothing) (listing[tenant.Member], error) {
				return list(c.Auth.Members(ctx))
			}),
		op(http.MethodPut, "/members/{user}", "putMember", tag, "Add a member, or change one", manages,
			func(ctx context.Context, c *call, in *memberInput) (*tenant.Member, error) {
				return c.Auth.PutMember(ctx, in.User, in.MemberChange)
			}),
		op(http.MethodDelete, "/members/{user}", "removeMember", tag, "Remove a member", manages,
			func(ctx context.Context, c *call, in *userPath) (removed, error) {
				return removed{in.User}, c.Auth.RemoveMember(ctx, in.User)
			}),
		op(http.MethodGet, "/profiles", "listProfiles", tag, "List the profiles", looks,
			func(ctx context.Context, c *call, _ *nothing) (listing[tenant.Profile], error) {
				return list(c.Auth.Profiles(ctx))
			}),
		op(http.MethodGet, "/profiles/{profile}", "getProfile", tag, "A profile with its policy", looks,
			func(ctx context.Context, c *call, in *profilePath) (*tenant.Profile, error) {
				return c.Auth.Profile(ctx, in.Profile)
			}),
		op(http.MethodPut, "/profiles/{profile}", "putProfile", tag, "Add a profile, or change one; the policy is replaced as a whole", manages,
			func(ctx context.Context, c *call, in *profileInput) (*tenant.Profile, error) {
				return c.Auth.PutProfile(ctx, in.Profile, in.ProfileChange)
			}),
		op(http.MethodGet, "/tokens", "listTokens", tag, "List the tokens, without their text", looks,
			func(ctx context.Context, c *call, _ *nothing) (listing[tenant.Token], error) {
				return list(c.Auth.Tokens(ctx))
			}),
		op(http.MethodPost, "/tokens", "addToken", tag, "Make a token; its text is shown this once", manages,
			func(ctx context.Context, c *call, in *tokenInput) (newToken, error) {
				switch {
				case in.ExpiresIn == 0:
					in.Life = defaultTokenLife
				case in.ExpiresIn == -1:
				case in.ExpiresIn < 0 || in.ExpiresIn > 10*365*24*3600:
					return newToken{}, fault.New(fault.Usage, "/expires_in: seconds, up to ten years, or -1")
				default:
					in.Life = time.Duration(in.ExpiresIn) * time.Second
				}
				text, t, err := c.Auth.IssueToken(ctx, in.Issue)
				return newToken{text, t}, err
			}),
		op(http.MethodDelete, "/tokens/{token}", "revokeToken", tag, "End a token at once", need{scope: tenant.Write, role: tenant.Viewer},
			func(ctx context.Context, c *call, in *tokenPath) (*tenant.Token, error) {
				return c.Auth.RevokeToken(ctx, in.Token)
			}),
		op(http.MethodGet, "/connections", "listConnections", tag, "List the connections to Meta", looks,
			func(ctx context.Context, c *call, _ *nothing) (listing[tenant.Connection], error) {
				return list(c.Auth.Connections(ctx))
			}),
	}
}
