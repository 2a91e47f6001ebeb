package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"sluice/internal/fault"
	"sluice/internal/govern"
	"sluice/internal/registry"
	"sluice/internal/tenant"
)

type serverPath struct {
	Server string `path:"server" json:"-" doc:"name or id"`
}

// serverInput describes a server: how it is reached, or its members.
type serverInput struct {
	Server   string            `path:"server" json:"-"`
	Spec     json.RawMessage   `json:"spec,omitempty" doc:"the keys of mcp.servers.NAME in sluice.yaml, those of settings included: docs/gateway.md"`
	Members  []registry.Member `json:"members,omitempty" doc:"of an aggregate, instead of spec"`
	Settings registry.Settings `json:"settings,omitzero" doc:"of an aggregate"`
}

func (in *serverInput) described() govern.ServerSpec {
	return govern.ServerSpec{Name: in.Server, Text: in.Spec, Members: in.Members, Settings: in.Settings}
}

type policyList struct {
	Server string `query:"server" json:"-" doc:"name or id; all when absent"`
}

type policyPath struct {
	Server string `path:"server" json:"-" doc:"name or id"`
	Policy string `path:"policy" json:"-" doc:"name"`
}

type versionPath struct {
	Server  string `path:"server" json:"-" doc:"name or id"`
	Policy  string `path:"policy" json:"-" doc:"name"`
	Version int    `path:"version" json:"-" doc:"0: the one in force"`
}

type diffQuery struct {
	Server string `path:"server" json:"-" doc:"name or id"`
	Policy string `path:"policy" json:"-" doc:"name"`
	From   int    `query:"from" json:"-" doc:"version; the one before to when absent"`
	To     int    `query:"to" json:"-" doc:"version; the one in force when absent"`
}

// policyInput is a change of a policy.
type policyInput struct {
	Server   string          `path:"server" json:"-" doc:"name or id"`
	Policy   string          `path:"policy" json:"-" doc:"name"`
	Document json.RawMessage `json:"document,omitempty" doc:"policy.json; the one in force stays when absent"`
	Rollback int             `json:"rollback,omitempty" doc:"version whose document a new version repeats"`
	Mode     registry.Mode   `json:"mode,omitempty" doc:"enforce or observe; it stays when absent"`
}

func (in *policyInput) change() govern.PolicyChange {
	return govern.PolicyChange{Server: in.Server, Name: in.Policy, Document: in.Document, Rollback: in.Rollback, Mode: in.Mode}
}

type policySetInput struct {
	policyInput
	Confirm string `json:"confirm" doc:"hash that the preview of this very change showed"`
	Reason  string `json:"reason,omitempty" doc:"goes into the audit log"`
}

type grantList struct {
	Server  string `query:"server" json:"-" doc:"name or id; all when absent"`
	Revoked bool   `query:"revoked" json:"-" doc:"with those that were revoked"`
}

type grantPath struct {
	Grant string `path:"grant" json:"-" doc:"id"`
}

type grantInput struct {
	govern.NewGrant
	ExpiresIn int64 `json:"expires_in,omitempty" doc:"seconds; 0 or absent: 90 days; -1: never"`
}

type grantSetInput struct {
	Grant string `path:"grant" json:"-" doc:"id"`
	govern.GrantChange
	ExpiresIn int64 `json:"expires_in,omitempty" doc:"seconds from now on; 0 or absent: as it is; -1: never"`
}

// newGrant is a grant with its token, shown this once.
type newGrant struct {
	Token string `json:"token,omitempty" doc:"shown this once; absent where the grant is bound to a person"`
	*govern.GrantView
}

type manifestInput struct {
	Name  string            `json:"name" doc:"name under which the files own their objects"`
	Files map[string]string `json:"files" doc:"text by path, as in a directory: docs/apply.md"`
	Prune bool              `json:"prune,omitempty" doc:"remove what the files owned once and don't have any more"`
}

func (in *manifestInput) manifest() (*govern.Manifest, error) {
	files := make(map[string][]byte, len(in.Files))
	for path, text := range in.Files {
		files[path] = []byte(text)
	}
	return govern.ReadManifest(in.Name, files)
}

type applyInput struct {
	manifestInput
	Confirm string `json:"confirm" doc:"hash that the preview of these very files showed"`
}

// governs is whoever reads and may write; the service asks for admin or the flag policy.
var governs = need{scope: tenant.Write, role: tenant.Viewer, inside: "and role admin or the flag policy, of a person"}

// maxManifest bounds the files of one call.
const maxManifest = 8 << 20

func registered() []operation {
	const tag = "gateway"
	ops := []operation{
		op(http.MethodGet, "/servers", "listServers", tag, "MCP servers of the workspace", looks,
			func(ctx context.Context, c *call, _ *nothing) (listing[registry.Server], error) {
				return list(c.govern().Servers(ctx))
			}),
		op(http.MethodGet, "/servers/{server}", "getServer", tag, "An MCP server", looks,
			func(ctx context.Context, c *call, in *serverPath) (*registry.Server, error) {
				return c.govern().Server(ctx, in.Server)
			}),
		op(http.MethodPost, "/servers/{server}", "addServer", tag, "Make an MCP server; one that uses this machine's programs, secrets or network is made on the machine", manages,
			func(ctx context.Context, c *call, in *serverInput) (*registry.Server, error) {
				return c.govern().PutServer(ctx, in.described(), false)
			}),
		op(http.MethodPut, "/servers/{server}", "setServer", tag, "Replace the description of an MCP server; its grants and policies stay", manages,
			func(ctx context.Context, c *call, in *serverInput) (*registry.Server, error) {
				return c.govern().PutServer(ctx, in.described(), true)
			}),
		op(http.MethodDelete, "/servers/{server}", "removeServer", tag, "Remove an MCP server that no grant is for", manages,
			func(ctx context.Context, c *call, in *serverPath) (*registry.Server, error) {
				return c.govern().RemoveServer(ctx, in.Server)
			}),

		op(http.MethodGet, "/policies", "listPolicies", tag, "Policies in force, without their documents", looks,
			func(ctx context.Context, c *call, in *policyList) (listing[govern.PolicyView], error) {
				return list(c.govern().Policies(ctx, in.Server))
			}),
		op(http.MethodGet, "/servers/{server}/policies/{policy}", "getPolicy", tag, "A policy with its document", looks,
			func(ctx context.Context, c *call, in *policyPath) (*govern.PolicyView, error) {
				return c.govern().Policy(ctx, in.Server, in.Policy)
			}),
		op(http.MethodPost, "/servers/{server}/policies/{policy}/preview", "previewPolicy", tag, "What a change of a policy would do, and the hash to confirm it with", looks,
			func(ctx context.Context, c *call, in *policyInput) (*govern.PolicyPreview, error) {
				return c.govern().PreviewPolicy(ctx, in.change())
			}),
		op(http.MethodPut, "/servers/{server}/policies/{policy}", "setPolicy", tag, "Make the change that a preview showed; it is in force for the next call", governs,
			func(ctx context.Context, c *call, in *policySetInput) (*govern.PolicyView, error) {
				return c.govern().SetPolicy(ctx, in.change(), in.Confirm, in.Reason)
			}),
		op(http.MethodDelete, "/servers/{server}/policies/{policy}", "removePolicy", tag, "Remove a policy that no grant has", governs,
			func(ctx context.Context, c *call, in *policyPath) (*registry.Policy, error) {
				return c.govern().RemovePolicy(ctx, in.Server, in.Policy)
			}),
		op(http.MethodGet, "/servers/{server}/policies/{policy}/versions", "listPolicyVersions", tag, "Versions of a policy, newest first, without documents", looks,
			func(ctx context.Context, c *call, in *policyPath) (listing[registry.Version], error) {
				return list(c.govern().Versions(ctx, in.Server, in.Policy))
			}),
		op(http.MethodGet, "/servers/{server}/policies/{policy}/versions/{version}", "getPolicyVersion", tag, "One version of a policy", looks,
			func(ctx context.Context, c *call, in *versionPath) (*registry.Version, error) {
				return c.govern().Version(ctx, in.Server, in.Policy, in.Version)
			}),
		op(http.MethodGet, "/servers/{server}/policies/{policy}/diff", "diffPolicy", tag, "What differs between two versions, rule by rule", looks,
			func(ctx context.Context, c *call, in *diffQuery) (*govern.Compared, error) {
				return c.govern().Compare(ctx, in.Server, in.Policy, in.From, in.To)
			}),
	}
	return append(append(ops, grants()...), applying()...)
}

func grants() []operation {
	const tag = "gateway"
	return []operation{
		op(http.MethodGet, "/grants", "listGrants", tag, "Grants, without their tokens", looks,
			func(ctx context.Context, c *call, in *grantList) (listing[govern.GrantView], error) {
				return list(c.govern().Grants(ctx, in.Server, in.Revoked))
			}),
		op(http.MethodPost, "/grants", "addGrant", tag, "Make a grant; its token is shown this once", governs,
			func(ctx context.Context, c *call, in *grantInput) (newGrant, error) {
				life, err := lifeOf(in.ExpiresIn, defaultTokenLife)
				if err != nil {
					return newGrant{}, err
				}
				in.Life = life
				token, g, err := c.govern().AddGrant(ctx, in.NewGrant)
				return newGrant{token, g}, err
			}),
		op(http.MethodGet, "/grants/{grant}", "getGrant", tag, "A grant", looks,
			func(ctx context.Context, c *call, in *grantPath) (*govern.GrantView, error) {
				return c.govern().Grant(ctx, in.Grant)
			}),
		op(http.MethodPatch, "/grants/{grant}", "setGrant", tag, "Change a grant's policy, scopes, member or lifetime; its token and quota stay", governs,
			func(ctx context.Context, c *call, in *grantSetInput) (*govern.GrantView, error) {
				if in.ExpiresIn != 0 {
					life, err := lifeOf(in.ExpiresIn, 0)
					if err != nil {
						return nil, err
					}
					in.Life = &life
				}
				return c.govern().SetGrant(ctx, in.Grant, in.GrantChange)
			}),
		op(http.MethodPost, "/grants/{grant}/rotate", "rotateGrant", tag, "Give a grant another token, shown this once; the old one is dead within a second", governs,
			func(ctx context.Context, c *call, in *grantPath) (newGrant, error) {
				token, g, err := c.govern().RotateGrant(ctx, in.Grant)
				return newGrant{token, g}, err
			}),
		op(http.MethodDelete, "/grants/{grant}", "revokeGrant", tag, "End a grant for good, within a second everywhere", governs,
			func(ctx context.Context, c *call, in *grantPath) (*govern.GrantView, error) {
				return c.govern().RevokeGrant(ctx, in.Grant, "")
			}),
	}
}

func applying() []operation {
	const tag = "gateway"
	ops := []operation{
		op(http.MethodPost, "/apply/preview", "previewApply", tag, "What files of servers, policies and grants would create, change and remove", governs,
			func(ctx context.Context, c *call, in *manifestInput) (*govern.Application, error) {
				m, err := in.manifest()
				if err != nil {
					return nil, err
				}
				return c.govern().PreviewApply(ctx, m, in.Prune)
			}),
		op(http.MethodPost, "/apply", "apply", tag, "Do what a preview of the files showed, all of it or nothing", governs,
			func(ctx context.Context, c *call, in *applyInput) (*govern.Application, error) {
				m, err := in.manifest()
				if err != nil {
					return nil, err
				}
				return c.govern().Apply(ctx, m, in.Prune, in.Confirm)
			}),
	}
	for i := range ops {
		ops[i].max = maxManifest
	}
	return ops
}

// lifeOf reads a lifetime in seconds.
func lifeOf(seconds int64, absent time.Duration) (time.Duration, error) {
	switch {
	case seconds == 0:
		return absent, nil
	case seconds == -1:
		return 0, nil
	case seconds < 0 || seconds > 10*365*24*3600:
		return 0, fault.New(fault.Usage, "/expires_in: seconds, up to ten years, or -1")
	}
	return time.Duration(seconds) * time.Second, nil
}

func (c *call) govern() *govern.Service { return c.api.o.Govern.As(c.caller) }
