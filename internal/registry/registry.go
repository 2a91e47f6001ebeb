// Package registry is who may call what, as it is stored: servers, the policies of each
// in immutable versions, and grants.
//
// Its guarantees: a grant belongs to one server and its quota to the grant, whatever
// token it has; a version of a policy never changes; what files manage says so. Its
// limit: it stores; who may change what is decided above it.
package registry

import (
	"context"
	"encoding/json"
	"time"
)

// Server is one MCP server, or several that look like one.
type Server struct {
	ID        string `json:"id"` // srv_…
	Workspace string `json:"workspace"`
	Name      string `json:"name"` // unique in the workspace; the path is /mcp/NAME in the gateway's workspace, /mcp/ID in any
	// Spec is how it is reached: the members that `mcp.servers.NAME` of sluice.yaml has,
	// in JSON. Secrets in it are references. Empty for an aggregate.
	Spec json.RawMessage `json:"spec,omitempty"`
	// Members make it an aggregate.
	Members  []Member `json:"members,omitempty"`
	Settings Settings `json:"settings"`
	// ManagedBy names the files that own it: "config" for sluice.yaml, "apply:NAME" for a
	// directory. Empty: it is edited here.
	ManagedBy string    `json:"managed_by,omitempty"`
	CreatedBy string    `json:"created_by,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	DeletedAt time.Time `json:"deleted_at,omitzero"`
}

// Member is one server of an aggregate.
type Member struct {
	Server string `json:"server"` // name
	Prefix string `json:"prefix"`
}

// Settings are what the gateway does around a server's policies.
type Settings struct {
	// Policy is the name of a policy of this server that every call has to pass besides
	// the grant's own, whichever way it comes. Empty: none.
	Policy string `json:"policy,omitempty" yaml:"policy"`
	// Methods are allowed beyond those that every grant has, under default deny: exact
	// names, or a prefix and "/*".
	Methods []string `json:"methods,omitempty" yaml:"methods"`
	// List is what tools/list shows: "visible" (all but hidden; default) or "callable".
	List string `json:"list,omitempty" yaml:"list"`
	// RecordArguments is "off" (default) or "encrypted".
	RecordArguments string    `json:"record_arguments,omitempty" yaml:"record_arguments"`
	Approvals       Approvals `json:"approvals,omitzero" yaml:"approvals"`
}

// Approvals says who decides calls that wait, and who is told.
type Approvals struct {
	Approvers []string `json:"approvers,omitempty" yaml:"approvers"` // members, or "role:NAME"; empty: flag approver, admins and owners
	// FourEyes keeps the member who made the grant from deciding. Nil: where another
	// member could decide.
	FourEyes      *bool    `json:"four_eyes,omitempty" yaml:"four_eyes"`
	EscalateAfter string   `json:"escalate_after,omitempty" yaml:"escalate_after"` // duration; default half of the time to decide
	EscalateTo    []string `json:"escalate_to,omitempty" yaml:"escalate_to"`       // members who may decide from then on too
	Notify        []Notify `json:"notify,omitempty" yaml:"notify"`
}

// Notify is one way of telling people: exactly one member is set.
type Notify struct {
	Webhook string   `json:"webhook,omitempty" yaml:"webhook"` // https URL, or ${VARIABLE}
	Command []string `json:"command,omitempty" yaml:"command"`
	// On chooses: parked, escalated, decided. Empty: parked and escalated.
	On []string `json:"on,omitempty" yaml:"on"`
}

// Mode says whether a policy decides or only watches.
type Mode string

// The modes.
const (
	Enforce Mode = "enforce"
	Observe Mode = "observe"
)

// Policy is a named document on one server, with the version in force.
type Policy struct {
	ID        string    `json:"id"` // pol_…
	Workspace string    `json:"workspace"`
	Server    string    `json:"server"` // id
	Name      string    `json:"name"`   // unique on the server
	Mode      Mode      `json:"mode"`
	Version   int       `json:"version"` // in force
	ManagedBy string    `json:"managed_by,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	DeletedAt time.Time `json:"deleted_at,omitzero"`
}

// Version is one document of a policy. It never changes.
type Version struct {
	Policy    string          `json:"policy"` // id
	Version   int             `json:"version"`
	Document  json.RawMessage `json:"document"` // canonical
	Hash      string          `json:"hash"`     // SHA-256 of it, hex
	Author    string          `json:"author"`
	Via       string          `json:"via"`
	Reason    string          `json:"reason,omitempty"`
	Of        int             `json:"rollback_of,omitempty"` // the version whose document it repeats
	CreatedAt time.Time       `json:"created_at"`
}

// Grant lets one agent, person or job call one server. Its token is stored as a keyed
// MAC; its quota is the grant's, whatever token it has.
type Grant struct {
	ID        string `json:"id"` // grt_…
	Workspace string `json:"workspace"`
	Server    string `json:"server"`           // id
	Name      string `json:"name"`             // unique among the live grants of the server
	Policy    string `json:"policy,omitempty"` // id; empty: everything is denied
	MAC       []byte `json:"-"`                // nil: it has no token and is used over OAuth only
	// Subject and Issuer bind it to one person of an authorization server; empty: none.
	Issuer  string `json:"issuer,omitempty"`
	Subject string `json:"subject,omitempty"`
	// Scopes are mcp:read (lists and reads) and mcp:write (calls tools); empty: both.
	Scopes    []string  `json:"scopes,omitempty"`
	User      string    `json:"user,omitempty"` // member it acts for
	ManagedBy string    `json:"managed_by,omitempty"`
	CreatedBy string    `json:"created_by"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	RotatedAt time.Time `json:"rotated_at,omitzero"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}

// Live reports whether the grant may be used at a moment.
func (g *Grant) Live(at time.Time) bool {
	return g.RevokedAt.IsZero() && (g.ExpiresAt.IsZero() || at.Before(g.ExpiresAt))
}

// Repo stores it. Get methods return ledger.ErrNotFound; Put inserts or replaces by id;
// a name that is taken is ledger.ErrTaken. Every Put raises the revision in the same
// transaction.
type Repo interface {
	// Revision rises with every change of a server, policy or grant of any workspace.
	Revision(ctx context.Context) (int64, error)
	// Lock holds off others who change the registry until the transaction ends. Called
	// before what a change depends on is read, nothing of it can move in between.
	Lock(ctx context.Context) error

	Server(ctx context.Context, id string) (*Server, error)
	ServerNamed(ctx context.Context, workspace, name string) (*Server, error)
	Servers(ctx context.Context, workspace string) ([]Server, error) // all workspaces when empty; deleted ones left out
	// RemovedServer is the deleted one of a name and owner that went last.
	RemovedServer(ctx context.Context, workspace, name, managedBy string) (*Server, error)
	PutServer(ctx context.Context, s *Server) error

	Policy(ctx context.Context, id string) (*Policy, error)
	PolicyNamed(ctx context.Context, server, name string) (*Policy, error)
	Policies(ctx context.Context, workspace string) ([]Policy, error) // as Servers
	// PutPolicy inserts or replaces; replacing is a compare-and-set on the version in
	// force before, ErrLost when another one is.
	PutPolicy(ctx context.Context, p *Policy, before int) error
	// AddVersion returns ErrTaken when the number is.
	AddVersion(ctx context.Context, v *Version) error
	Version(ctx context.Context, policy string, version int) (*Version, error)
	Versions(ctx context.Context, policy string) ([]Version, error) // newest first, without documents

	Grant(ctx context.Context, id string) (*Grant, error)
	// GrantNamed is the one of that name that was not revoked.
	GrantNamed(ctx context.Context, server, name string) (*Grant, error)
	// GrantOf is the grant of one person of an authorization server: the one that was not
	// revoked, else the one that was made last.
	GrantOf(ctx context.Context, server, issuer, subject string) (*Grant, error)
	Grants(ctx context.Context, workspace string) ([]Grant, error) // all workspaces when empty; revoked ones too
	PutGrant(ctx context.Context, g *Grant) error
}
