// Package tenant is who works with Sluice and for whom: workspaces, their members
// and tokens, the profiles (clients, brands) they send for, and each profile's
// connections to Meta.
//
// Its guarantee: what a caller may do is decided here, in one order (scope,
// workspace switch, role, connection), and the first thing that is missing is the
// one that is named. Its limit: whoever can read the state directory acts as its
// owner; the gates are for those who come over API, MCP and dashboard.
package tenant

import (
	"context"
	"slices"
	"time"
)

// Default names the workspace and the profile of a state directory that never
// made another.
const Default = "default"

// Role is what a member may do; each covers the ones below it.
type Role string

// The roles, strongest first.
const (
	Owner    Role = "owner"
	Admin    Role = "admin"    // confirms, resolves, erases, administers
	Operator Role = "operator" // sources, mappings, schedules, dry runs; proposes a confirm
	Viewer   Role = "viewer"   // reads, masked
)

// Roles lists them, strongest first.
var Roles = []Role{Owner, Admin, Operator, Viewer}

// Covers reports whether r may do what least may do. A role that does not exist
// covers nothing.
func (r Role) Covers(least Role) bool {
	have, need := slices.Index(Roles, r), slices.Index(Roles, least)
	return have >= 0 && need >= 0 && have <= need
}

// Scope is what a token may be used for at all.
type Scope string

// The scopes.
const (
	Read  Scope = "mcp:read"
	Write Scope = "mcp:write"
)

// Workspace is one organisation.
type Workspace struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Writeback bool      `json:"writeback_enabled"` // the switch
	CreatedAt time.Time `json:"created_at"`
}

// Member is a person of a workspace.
type Member struct {
	Workspace string    `json:"workspace"`
	User      string    `json:"user"`
	Name      string    `json:"name"`
	Role      Role      `json:"role"`
	Policy    bool      `json:"policy"`   // may edit policies and grants
	Approver  bool      `json:"approver"` // may decide approvals, never the own
	CreatedAt time.Time `json:"created_at"`
}

// Token is an API token. Only its keyed MAC is stored.
type Token struct {
	ID        string    `json:"id"`
	Workspace string    `json:"workspace"`
	User      string    `json:"user"`
	Name      string    `json:"name"`
	Scopes    []Scope   `json:"scopes"`
	Agent     bool      `json:"agent"` // held by an agent that acts for the user
	MAC       []byte    `json:"-"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}

// Profile is one business that events are sent for.
type Profile struct {
	ID        string    `json:"id"`
	Workspace string    `json:"workspace"`
	Name      string    `json:"name"`
	Currency  string    `json:"currency,omitempty"` // ISO 4217
	Timezone  string    `json:"timezone"`           // IANA
	Policy    Policy    `json:"policy"`
	CreatedAt time.Time `json:"created_at"`
}

// Connection is a profile's access to one dataset.
type Connection struct {
	ID           string    `json:"id"`
	Profile      string    `json:"profile"`
	Dataset      string    `json:"dataset"`
	Realm        string    `json:"realm"` // meta, or one sandbox
	Name         string    `json:"name,omitempty"`
	State        string    `json:"state"` // ConnActive or ConnInactive
	Reason       string    `json:"reason,omitempty"`
	GraphVersion string    `json:"graph_version"` // pinned when it was made
	Consolidated *bool     `json:"is_consolidated_container,omitempty"`
	Scopes       []string  `json:"scopes,omitempty"` // of the Meta token
	TestDataset  string    `json:"test_dataset,omitempty"`
	KnownStores  []string  `json:"known_stores,omitempty"` // other stores whose uploads an admin has accepted
	Credential   []byte    `json:"-"`                      // sealed; empty: the environment's token
	TokenExpires time.Time `json:"token_expires,omitzero"`
	CheckedAt    time.Time `json:"checked_at,omitzero"`
	CreatedAt    time.Time `json:"created_at"`
}

// The states of a connection.
const (
	ConnActive   = "active"
	ConnInactive = "inactive"
)

// LocalCaller is the type of a caller on the machine that holds the state directory.
const LocalCaller = "local"

// ScheduleCaller is the type of a schedule that works inside what an admin signed.
const ScheduleCaller = "schedule"

// Caller is who asks, resolved from a token, a schedule or the local machine.
type Caller struct {
	Type      string // local, token, user, schedule
	ID        string // of the token or schedule; "owner" when local
	Workspace string
	User      string
	Role      Role
	Policy    bool
	Approver  bool
	Agent     bool
	Scopes    []Scope
	Via       string // cli, api, mcp, web, schedule
}

// Has reports whether the caller's token has a scope.
func (c Caller) Has(s Scope) bool { return slices.Contains(c.Scopes, s) }

// Local is whoever holds the state directory: owner of workspace default.
func Local(via string) Caller {
	return Caller{
		Type: LocalCaller, ID: "owner", Workspace: Default, User: "owner", Role: Owner, Policy: true,
		Scopes: []Scope{Read, Write}, Via: via,
	}
}

// Repo stores it all. Get methods return ledger.ErrNotFound; Put inserts or
// replaces by id.
type Repo interface {
	Workspace(ctx context.Context, id string) (*Workspace, error)
	Workspaces(ctx context.Context) ([]Workspace, error)
	PutWorkspace(ctx context.Context, w *Workspace) error

	Profile(ctx context.Context, id string) (*Profile, error)
	Profiles(ctx context.Context, workspace string) ([]Profile, error) // all when empty
	PutProfile(ctx context.Context, p *Profile) error

	Member(ctx context.Context, workspace, user string) (*Member, error)
	Members(ctx context.Context, workspace string) ([]Member, error)
	PutMember(ctx context.Context, m *Member) error
	DeleteMember(ctx context.Context, workspace, user string) error

	Token(ctx context.Context, id string) (*Token, error)
	Tokens(ctx context.Context, workspace string) ([]Token, error)
	PutToken(ctx context.Context, t *Token) error

	Connection(ctx context.Context, profile, realm, dataset string) (*Connection, error)
	Connections(ctx context.Context, profile string) ([]Connection, error) // all when empty
	PutConnection(ctx context.Context, c *Connection) error
	DeleteConnection(ctx context.Context, profile, realm, dataset string) error
}
