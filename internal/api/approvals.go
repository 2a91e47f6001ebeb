package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"sluice/internal/approve"
	"sluice/internal/enforce"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
	"sluice/internal/writeback"
)

type approvalList struct {
	Kind    string `query:"kind" json:"-" doc:"call (of a tool) or confirm (of a plan); both when absent"`
	Profile string `query:"profile" json:"-" doc:"of confirms; every one when absent"`
	State   string `query:"state" json:"-" doc:"pending, approved, rejected, denied (the same), expired, cancelled or consumed"`
	Server  string `query:"server" json:"-" doc:"of calls: name or id"`
	Grant   string `query:"grant" json:"-" doc:"of calls: name or id"`
	Tool    string `query:"tool" json:"-" doc:"of calls"`
	Limit   int    `query:"limit" json:"-" doc:"of calls: 1 to 1000, default 100"`
}

type approvalPath struct {
	Approval string `path:"approval" json:"-"`
}

type approvalWatch struct {
	Version string `query:"version" json:"-" doc:"of the list that is known; answered at once when absent"`
	Seconds int    `query:"wait" json:"-" doc:"seconds to wait for a change, 0 to 55"`
}

type reasonedInput struct {
	Approval string `path:"approval" json:"-"`
	Reason   string `json:"reason,omitempty" doc:"goes into the audit log; needed, except to approve a call"`
}

type decisionInput struct {
	Approval string `path:"approval" json:"-"`
	Decision string `json:"decision" doc:"approve or deny"`
	Reason   string `json:"reason,omitempty" doc:"goes into the audit log; needed, except to approve a call"`
}

type callList struct {
	Grant    string `query:"grant" json:"-" doc:"name or id"`
	Server   string `query:"server" json:"-" doc:"name or id"`
	Tool     string `query:"tool" json:"-"`
	Decision string `query:"decision" json:"-" doc:"allow, deny, park or observe"`
	Code     string `query:"code" json:"-" doc:"such as limit_exceeded"`
	Rule     string `query:"rule" json:"-" doc:"such as /tools/TOOL/deny_if/0"`
	Request  string `query:"request" json:"-" doc:"one call"`
	Since    string `query:"since" json:"-" doc:"time (RFC 3339)"`
	Until    string `query:"until" json:"-" doc:"time (RFC 3339), left out"`
	After    string `query:"after" json:"-" doc:"next of the page before"`
	Limit    int    `query:"limit" json:"-" doc:"1 to 1000, default 100"`
}

type ambiguousList struct {
	Limit int `query:"limit" json:"-" doc:"1 to 1000, default 100"`
}

type releaseInput struct {
	Request string `json:"request_id"`
	Reason  string `json:"reason" doc:"how it is known that the call was not done; goes into the audit log"`
}

type released struct {
	Released string `json:"released"`
}

// decides is whoever reads and may write; the service asks for admin, approver, or
// those who are named.
var decides = need{
	scope: tenant.Write, role: tenant.Viewer,
	inside: "and role admin or the flag approver, or being named by the policy or the server; not of who proposed the confirm or, with four eyes, made the grant",
}

func approvals() []operation {
	const tag = "approvals"
	verb := func(path, id, summary string, yes bool) operation {
		return op(http.MethodPost, path, id, tag, summary, decides,
			func(ctx context.Context, c *call, in *reasonedInput) (*approve.Item, error) {
				return c.decide(ctx, in.Approval, yes, in.Reason)
			})
	}
	return []operation{
		op(http.MethodGet, "/approvals", "listApprovals", tag, "Calls and confirms that wait, or waited, for somebody's approval", looks, listApprovals),
		op(http.MethodGet, "/approvals/watch", "watchApprovals", tag, "The calls that wait, as soon as they are not those of a version", looks, watchApprovals),
		op(http.MethodGet, "/approvals/{approval}", "getApproval", tag, "One approval; with the arguments, for those who may decide it", looks,
			func(ctx context.Context, c *call, in *approvalPath) (*approve.Item, error) {
				if !strings.HasPrefix(in.Approval, approve.Prefix) {
					return c.confirmApproval(ctx, in.Approval)
				}
				s, err := c.approve(ctx)
				if err != nil {
					return nil, err
				}
				return s.Show(ctx, in.Approval)
			}),
		op(http.MethodPost, "/approvals/{approval}/decision", "decide", tag, "Approve or deny; what was approved then goes through, once", decides,
			func(ctx context.Context, c *call, in *decisionInput) (*approve.Item, error) {
				if in.Decision != "approve" && in.Decision != "deny" {
					return nil, fault.New(fault.Usage, "/decision: approve or deny")
				}
				return c.decide(ctx, in.Approval, in.Decision == "approve", in.Reason)
			}),
		verb("/approvals/{approval}/approve", "approve", "Approve a confirm or a call; the same one then goes through, once", true),
		verb("/approvals/{approval}/reject", "reject", "Deny a confirm or a call", false),
		op(http.MethodGet, "/calls", "listCalls", tag, "Calls of agents: what was decided and what became of it, newest first", looks, listCalls),
		op(http.MethodGet, "/limits/ambiguous", "listAmbiguous", tag, "Calls whose outcome is not known; what they took stays used", looks,
			func(ctx context.Context, c *call, in *ambiguousList) (listing[enforce.Reservation], error) {
				limit, err := pageSize(in.Limit)
				if err != nil {
					return listing[enforce.Reservation]{}, err
				}
				s, err := c.approve(ctx)
				if err != nil {
					return listing[enforce.Reservation]{}, err
				}
				return list(s.Ambiguous(ctx, limit))
			}),
		op(http.MethodPost, "/limits/release", "releaseLimits", tag, "Give back what a call took that is known not to have been done", manages,
			func(ctx context.Context, c *call, in *releaseInput) (released, error) {
				s, err := c.approve(ctx)
				if err == nil {
					err = s.Release(ctx, in.Request, in.Reason)
				}
				return released{in.Request}, err
			}),
	}
}

// approve is the gateway's side of approvals, as the caller meets it.
func (c *call) approve(ctx context.Context) (*approve.Service, error) {
	if c.api.o.Approve == nil {
		return nil, fault.New(fault.StoreUnavailable, "this server keeps no record of calls")
	}
	s, err := c.api.o.Approve(ctx)
	if err != nil {
		return nil, err
	}
	return s.As(c.caller), nil
}

// named replaces names by ids.
func (c *call) named(ctx context.Context, server, grant string) (serverID, grantID string, err error) {
	if c.api.o.Named == nil || server == "" && grant == "" {
		return server, grant, nil
	}
	return c.api.o.Named(ctx, c.caller.Workspace, server, grant)
}

func listApprovals(ctx context.Context, c *call, in *approvalList) (listing[approve.Item], error) {
	out := listing[approve.Item]{Items: []approve.Item{}}
	limit, err := pageSize(in.Limit)
	if err != nil {
		return out, err
	}
	if in.Kind != "" && in.Kind != approve.Call && in.Kind != approve.Confirm {
		return out, fault.New(fault.Usage, "the parameter kind is %s or %s", approve.Call, approve.Confirm)
	}
	if in.Kind != approve.Call && in.Server == "" && in.Grant == "" && in.Tool == "" {
		found, err := c.confirms(ctx, in.Profile, strings.Replace(in.State, "denied", "rejected", 1))
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, found...)
	}
	// Who asks for confirms of a profile, or for neither kind where no calls are
	// recorded, has all there is.
	if in.Kind == approve.Confirm || in.Profile != "" || in.Kind == "" && c.api.o.Approve == nil {
		return out, nil
	}
	s, err := c.approve(ctx)
	if err != nil {
		return out, err
	}
	f := approve.Filter{Tool: in.Tool, State: enforce.State(strings.Replace(in.State, "rejected", "denied", 1)), Limit: limit}
	if f.Server, f.Grant, err = c.named(ctx, in.Server, in.Grant); err != nil {
		return out, err
	}
	calls, err := s.List(ctx, f)
	out.Items = append(out.Items, calls...)
	slices.SortStableFunc(out.Items, func(a, b approve.Item) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return out, err
}

// confirms lists approvals of confirms: of one profile, or of every one of the caller's
// workspace.
func (c *call) confirms(ctx context.Context, profile, state string) ([]approve.Item, error) {
	var services []*writeback.Service
	if profile != "" {
		_, s, err := c.in(ctx, profile)
		if err != nil {
			return nil, err
		}
		services = append(services, s)
	} else {
		profiles, err := c.Auth.Profiles(ctx)
		if err != nil {
			return nil, err
		}
		for i := range profiles {
			services = append(services, c.Writeback.In(profiles[i].ID))
		}
	}
	var list []approve.Item
	for _, s := range services {
		found, err := s.Approvals(ctx, ledger.ApprovalState(state))
		if err != nil {
			return nil, err
		}
		for i := range found {
			list = append(list, approve.OfConfirm(&found[i]))
		}
	}
	return list, nil
}

func (c *call) confirmApproval(ctx context.Context, id string) (*approve.Item, error) {
	all, err := c.confirms(ctx, "", "")
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(a approve.Item) bool { return a.ID == id }); i >= 0 {
		return &all[i], nil
	}
	return nil, fault.New(fault.NotFound, "there is no such approval in this workspace").WithFix("list them with GET %s/approvals", Root)
}

// decide decides an approval of either kind.
func (c *call) decide(ctx context.Context, id string, yes bool, reason string) (*approve.Item, error) {
	if !strings.HasPrefix(id, approve.Prefix) {
		decided, err := c.Writeback.Decide(ctx, id, yes, reason)
		if err != nil {
			return nil, err
		}
		item := approve.OfConfirm(decided)
		return &item, nil
	}
	s, err := c.approve(ctx)
	if err != nil {
		return nil, err
	}
	return s.Decide(ctx, id, yes, reason)
}

func watchApprovals(ctx context.Context, c *call, in *approvalWatch) (approve.Waiting, error) {
	s, err := c.approve(ctx)
	if err != nil {
		return approve.Waiting{}, err
	}
	// A server that is going down does not wait for those who watch.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.api.work, cancel)()
	return s.Watch(ctx, in.Version, time.Duration(in.Seconds)*time.Second)
}

func listCalls(ctx context.Context, c *call, in *callList) (page[approve.CallRow], error) {
	out := page[approve.CallRow]{Items: []approve.CallRow{}}
	limit, err := pageSize(in.Limit)
	if err != nil {
		return out, err
	}
	if in.Decision != "" && !slices.Contains(approve.Decisions, in.Decision) {
		return out, fault.New(fault.Usage, "the parameter decision is one of %s", strings.Join(approve.Decisions, ", "))
	}
	f := enforce.CallFilter{
		Tool: in.Tool, Decision: in.Decision, Code: in.Code, Rule: in.Rule, Request: in.Request, Before: in.After, Limit: limit,
	}
	if f.Since, err = timeParameter("since", in.Since); err != nil {
		return out, err
	}
	if f.Until, err = timeParameter("until", in.Until); err != nil {
		return out, err
	}
	if f.Server, f.Grant, err = c.named(ctx, in.Server, in.Grant); err != nil {
		return out, err
	}
	s, err := c.approve(ctx)
	if err != nil {
		return out, err
	}
	rows, err := s.Calls(ctx, f)
	out.Items = append(out.Items, rows...)
	if len(rows) == limit {
		out.Next = rows[limit-1].Request
	}
	return out, err
}

func timeParameter(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fault.New(fault.Usage, "the parameter %s is a time such as 2026-11-01T09:00:00Z", name)
	}
	return t, nil
}
