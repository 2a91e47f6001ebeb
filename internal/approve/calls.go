package approve

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"sluice/internal/enforce"
	"sluice/internal/fault"
	"sluice/internal/tenant"
)

// CallRow is one recorded call: what was decided, and what became of it. It holds the
// arguments' keys and no value.
type CallRow struct {
	At            time.Time `json:"at"`
	Request       string    `json:"request_id"`
	Workspace     string    `json:"workspace"`
	Server        string    `json:"server"`
	ServerName    string    `json:"server_name,omitempty"`
	Grant         string    `json:"grant"`
	GrantName     string    `json:"grant_name,omitempty"`
	Session       string    `json:"session,omitempty"`
	Client        string    `json:"client,omitempty"`
	Method        string    `json:"method"`
	Tool          string    `json:"tool,omitempty"`
	Decision      string    `json:"decision" doc:"allow, deny, park or observe"`
	Code          string    `json:"code,omitempty"`
	Rule          string    `json:"rule,omitempty"`
	Policy        string    `json:"policy,omitempty"`
	PolicyVersion int       `json:"policy_version,omitempty"`
	PolicyHash    string    `json:"policy_hash,omitempty"`
	ArgKeys       []string  `json:"arg_keys"`
	ArgsHMAC      string    `json:"args_hmac,omitempty"`
	ToolHash      string    `json:"tool_hash,omitempty"`
	Approval      string    `json:"approval,omitempty"`
	Ended         bool      `json:"ended" doc:"whether its outcome is known"`
	Settlement    string    `json:"settlement,omitempty" doc:"commit, rollback or ambiguous"`
	Outcome       string    `json:"outcome,omitempty"`
	Status        int       `json:"upstream_status,omitempty"`
	LatencyUS     int64     `json:"latency_us,omitempty"`
}

func rowOf(c *enforce.RecordedCall) CallRow {
	k := &c.Call
	r := CallRow{
		At: c.At, Request: k.Request, Workspace: k.Workspace, Server: k.Server, Grant: k.Grant, Session: k.Session, Client: k.Client,
		Method: k.Method, Tool: k.Tool, Decision: k.Decision, Code: k.Code, Rule: k.Rule, Policy: k.Policy, PolicyVersion: k.PolicyVersion,
		PolicyHash: k.PolicyHash, ArgKeys: k.ArgKeys, ArgsHMAC: k.ArgsHMAC, ToolHash: k.ToolHash, Approval: k.Approval, Ended: c.Ended,
		Settlement: k.Settlement, Outcome: k.Outcome, Status: k.UpstreamStatus, LatencyUS: k.LatencyUS,
	}
	if r.ArgKeys == nil {
		r.ArgKeys = []string{}
	}
	return r
}

// MaxCalls is how many calls one search returns.
const MaxCalls = 1000

// Calls searches the recorded calls of the caller's workspace, newest first.
func (s *Service) Calls(ctx context.Context, f enforce.CallFilter) ([]CallRow, error) {
	if err := s.reads(); err != nil {
		return nil, err
	}
	if f.Limit < 0 || f.Limit > MaxCalls {
		return nil, fault.New(fault.Usage, "a search returns 1 to %d calls", MaxCalls)
	}
	if w := s.workspace(); w != "" {
		f.Workspace = w
	}
	f.Arguments = false
	found, err := s.o.Store.Calls(ctx, f)
	if err != nil {
		return nil, failed(err, "")
	}
	list := make([]CallRow, len(found))
	names := names{s: s, servers: map[string]string{}, grants: map[string]string{}}
	for i := range found {
		list[i] = rowOf(&found[i])
		names.add(ctx, &list[i])
	}
	return list, nil
}

// names looks every server and grant of a list up once.
type names struct {
	s               *Service
	servers, grants map[string]string
}

func (n *names) add(ctx context.Context, r *CallRow) {
	server, known := n.servers[r.Workspace+" "+r.Server]
	if !known && r.Server != "" {
		server = n.s.place(ctx, r.Workspace, r.Server).Name
		n.servers[r.Workspace+" "+r.Server] = server
	}
	grant, known := n.grants[r.Grant]
	if !known && r.Grant != "" && n.s.o.GrantName != nil {
		name, err := n.s.o.GrantName(ctx, r.Grant)
		if err == nil {
			grant = name
		}
		n.grants[r.Grant] = grant
	}
	r.ServerName, r.GrantName = server, grant
}

// EachCall calls fn for every call the filter chooses, newest first, page by page; a
// limit in the filter ends it.
func (s *Service) EachCall(ctx context.Context, f enforce.CallFilter, fn func(*CallRow) error) error {
	most := f.Limit
	for n := 0; most == 0 || n < most; {
		f.Limit = MaxCalls
		if most > 0 {
			f.Limit = min(MaxCalls, most-n)
		}
		page, err := s.Calls(ctx, f)
		if err != nil {
			return err
		}
		for i := range page {
			if err := fn(&page[i]); err != nil {
				return err
			}
		}
		if len(page) < f.Limit {
			return nil
		}
		n += len(page)
		f.Before = page[len(page)-1].Request
	}
	return nil
}

// Decisions are what a search may ask for.
var Decisions = []string{"allow", "deny", "park", "observe"}

// CSV writes calls as comma-separated values for spreadsheets.
type CSV struct{ w *csv.Writer }

var columns = []string{
	"at", "request_id", "workspace", "server", "server_name", "grant", "grant_name", "client", "method", "tool", "decision", "code", "rule", "policy", "policy_version",
	"arg_keys", "approval", "settlement", "outcome", "upstream_status", "latency_us", "args_hmac",
}

// NewCSV writes the head.
func NewCSV(w io.Writer) (*CSV, error) {
	c := &CSV{csv.NewWriter(w)}
	return c, c.w.Write(columns)
}

// Write writes one call.
func (c *CSV) Write(r *CallRow) error {
	number := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	cells := []string{
		r.At.UTC().Format(time.RFC3339Nano), r.Request, r.Workspace, r.Server, r.ServerName, r.Grant, r.GrantName, r.Client, r.Method, r.Tool, r.Decision, r.Code, r.Rule,
		r.Policy, number(int64(r.PolicyVersion)), strings.Join(r.ArgKeys, " "), r.Approval, r.Settlement, r.Outcome, number(int64(r.Status)),
		number(r.LatencyUS), r.ArgsHMAC,
	}
	for i := range cells {
		cells[i] = inert(cells[i])
	}
	return c.w.Write(cells)
}

// Flush writes what is held back.
func (c *CSV) Flush() error {
	c.w.Flush()
	return c.w.Error()
}

// inert keeps a spreadsheet from taking a cell for a formula: names of tools, clients
// and arguments are chosen by others.
//
// A spreadsheet that divides cells at semicolons or tabs, as many countries' do, begins
// a new one after each.
func inert(cell string) string {
	var b strings.Builder
	begins := true
	for _, r := range cell {
		if begins && strings.ContainsRune("=+-@\t\r\n＝＋－＠", r) {
			b.WriteByte('\'')
		}
		begins = r == ';' || r == '\t' || r == '\r' || r == '\n' || begins && r == ' '
		b.WriteRune(r)
	}
	return b.String()
}

// administers checks for an admin who is a person.
func (s *Service) administers(what string) error {
	if err := tenant.Permit(s.caller, tenant.Need{Scope: tenant.Write}, tenant.Facts{}); err != nil {
		return err
	}
	if s.caller.Agent {
		return tenant.AgentRefused()
	}
	if !s.caller.Administers() {
		return fault.New(fault.RoleRequired, "%s needs role %s", what, tenant.Admin).With("role", string(tenant.Admin))
	}
	return nil
}
