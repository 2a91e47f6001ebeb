package approve

import (
	"context"
	"encoding/json"
	"time"

	"sluice/internal/enforce"
	"sluice/internal/ledger"
)

// The kinds of what waits for somebody's yes.
const (
	Confirm = "confirm" // of a plan: write-back
	Call    = "call"    // of a tool: the gateway
)

// Prefix begins the ids of calls that wait; those of confirms begin otherwise.
const Prefix = "apr_"

// Item is one approval, of either kind, as people and programs see it.
type Item struct {
	Kind  string `json:"kind" doc:"confirm or call"`
	ID    string `json:"approval_id"`
	State string `json:"state" doc:"pending, approved, rejected (of a confirm), denied (of a call), expired, cancelled or consumed"`

	// Of a confirm.
	Profile  string `json:"profile,omitempty"`
	PlanID   string `json:"plan_id,omitempty"`
	PlanHash string `json:"plan_hash,omitempty"`
	Why      string `json:"why,omitempty"`
	Proposer string `json:"proposer,omitempty"`
	Run      string `json:"run_id,omitempty"`

	// Of a call.
	Workspace  string          `json:"workspace,omitempty"`
	Server     string          `json:"server,omitempty" doc:"its name"`
	ServerID   string          `json:"server_id,omitempty"`
	Grant      string          `json:"grant,omitempty"`
	GrantName  string          `json:"grant_name,omitempty"`
	MintedBy   string          `json:"minted_by,omitempty"`
	Tool       string          `json:"tool,omitempty"`
	Risk       string          `json:"risk,omitempty"`
	Rule       string          `json:"rule,omitempty"`
	Message    string          `json:"message,omitempty"`
	Policy     string          `json:"policy,omitempty"`
	Version    int             `json:"policy_version,omitempty"`
	ArgKeys    []string        `json:"arg_keys,omitempty"`
	Arguments  json.RawMessage `json:"arguments,omitempty" doc:"for those who may decide, while it is pending or approved"`
	Withheld   string          `json:"arguments_withheld,omitempty" doc:"why there are none: role, over, unreadable"`
	Compared   *Comparison     `json:"compared,omitempty"`
	Limits     []Headroom      `json:"limits,omitempty"`
	Approvers  []string        `json:"approvers,omitempty"`
	EscalateTo []string        `json:"escalate_to,omitempty"`
	Escalated  bool            `json:"escalated,omitempty"`
	EscalateAt time.Time       `json:"escalate_at,omitzero"`
	FourEyes   bool            `json:"four_eyes,omitempty"`
	Request    string          `json:"request_id,omitempty" doc:"the call that consumed it"`
	Link       string          `json:"link,omitempty"`
	CanDecide  bool            `json:"can_decide,omitempty" doc:"whether this caller may decide it"`

	// Of both.
	Decider    string    `json:"decider,omitempty"`
	Via        string    `json:"via,omitempty" doc:"of a confirm: how it was proposed; of a call: how it was decided"`
	Reason     string    `json:"reason,omitempty"`
	CreatedAt  time.Time `json:"created_at"`
	ExpiresAt  time.Time `json:"expires_at"`
	DecidedAt  time.Time `json:"decided_at,omitzero"`
	ConsumedAt time.Time `json:"consumed_at,omitzero"`
}

// Headroom is one limit that the call will meet.
type Headroom struct {
	Rule  string `json:"rule"`
	Needs string `json:"needs"`
	Used  string `json:"used"`
	Max   string `json:"max"`
	Fits  bool   `json:"fits"`
}

// OfConfirm is a write-back approval as an Item.
func OfConfirm(a *ledger.Approval) Item {
	return Item{
		Kind: Confirm, ID: a.ID, State: string(a.State), Profile: a.Profile, PlanID: a.PlanID, PlanHash: a.PlanHash, Why: a.Why,
		Proposer: a.Proposer, Run: a.Run, Decider: a.Decider, Via: a.Via, Reason: a.Reason, CreatedAt: a.CreatedAt, ExpiresAt: a.ExpiresAt,
		DecidedAt: a.DecidedAt, ConsumedAt: a.ConsumedAt,
	}
}

// item is what every member of the workspace sees of a call that waits: no values.
func (s *Service) item(ctx context.Context, a *enforce.Approval, place Place) Item {
	i := Item{
		Kind: Call, ID: a.ID, State: string(a.State), Workspace: a.Workspace, Server: place.Name, ServerID: a.Server, Grant: a.Grant,
		GrantName: a.GrantName, MintedBy: a.MintedBy, Tool: a.Tool, Rule: a.Rule, Message: a.Message, Policy: a.Policy, Version: a.Version,
		ArgKeys: a.ArgKeys, Approvers: a.Approvers, EscalateTo: a.EscalateTo, Escalated: a.Escalated, EscalateAt: a.EscalateAt, FourEyes: a.FourEyes,
		Request: a.Request, Decider: a.Decider, Via: a.Via, Reason: a.Reason, CreatedAt: a.CreatedAt, ExpiresAt: a.ExpiresAt,
		DecidedAt: a.DecidedAt, ConsumedAt: a.ConsumedAt,
	}
	// The loop that expires comes by once a second; nobody is shown a wait that is over.
	if !a.State.Terminal() && !s.o.Now().Before(a.ExpiresAt) {
		i.State = string(enforce.Expired)
	}
	if s.o.Link != nil {
		i.Link = s.o.Link(a.ID)
	}
	i.CanDecide = i.State == string(enforce.Pending) && s.may(ctx, a, place) == nil
	return i
}
