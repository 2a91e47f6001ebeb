package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"

	"sluice/internal/auth"
	"sluice/internal/fault"
	"sluice/internal/tenant"
	"sluice/internal/writeback"
)

// need is what a caller must have for an operation.
type need struct {
	scope  tenant.Scope
	role   tenant.Role
	inside string // what the operation itself asks for beyond that, for the document
	gated  bool   // the workspace's write-back switch must be on
}

// The needs of most operations.
var (
	looks    = need{scope: tenant.Read, role: tenant.Viewer}
	operates = need{scope: tenant.Write, role: tenant.Operator}
	sends    = need{scope: tenant.Write, role: tenant.Operator, gated: true}
	manages  = need{scope: tenant.Write, role: tenant.Admin}
)

// operation is one row of the API.
type operation struct {
	method  string
	path    string // below Root
	id      string // operationId
	tag     string
	summary string
	need    need
	in, out reflect.Type
	max     int64 // bytes of a body; 1 MiB when 0
	ownKey  bool  // the operation sees to its Idempotency-Key itself
	run     func(r *http.Request, c *call, body []byte) ([]byte, int, error)
}

// defaultBody bounds a body.
const defaultBody = 1 << 20

func (o *operation) limit() int64 {
	if o.max > 0 {
		return o.max
	}
	return defaultBody
}

func (o *operation) hasBody() bool {
	return o.method != http.MethodGet && o.method != http.MethodDelete
}

// call is one call of one caller.
type call struct {
	api       *Server
	caller    tenant.Caller
	id        string
	Auth      *auth.Service
	Writeback *writeback.Service
}

// statused is an answer that brings its own status.
type statused interface{ status() (any, int) }

// op makes a row from a function over typed input and output.
func op[In, Out any](method, path, id, tag, summary string, n need, fn func(ctx context.Context, c *call, in *In) (Out, error)) operation {
	o := operation{method: method, path: path, id: id, tag: tag, summary: summary, need: n, in: reflect.TypeFor[In](), out: reflect.TypeFor[Out]()}
	o.run = func(r *http.Request, c *call, body []byte) ([]byte, int, error) {
		in := new(In)
		if err := bind(r, body, in); err != nil {
			return nil, 0, err
		}
		out, err := fn(r.Context(), c, in)
		if err != nil {
			return nil, 0, err
		}
		var answer any = out
		status := http.StatusOK
		if s, ok := answer.(statused); ok {
			answer, status = s.status()
		}
		raw, err := json.Marshal(answer)
		return raw, status, err
	}
	return o
}

// permit checks the preconditions in their order. Whether a confirm may go on is
// decided by the confirm itself, which answers a finished key before any gate.
func (c *call) permit(ctx context.Context, o *operation) error {
	if !c.caller.Has(o.need.scope) {
		return fault.New(fault.InsufficientScope, "the token lacks scope %s", o.need.scope).With("scope", o.need.scope)
	}
	if o.need.gated {
		w, err := c.Auth.Workspace(ctx)
		if err != nil {
			return err
		}
		if !w.Writeback {
			return fault.New(fault.WritebackDisabled, "write-back is switched off in this workspace")
		}
	}
	if !c.caller.Role.Covers(o.need.role) {
		return fault.New(fault.RoleRequired, "this needs role %s", o.need.role).With("role", o.need.role)
	}
	if c.caller.Agent && o.need.role.Covers(tenant.Admin) {
		return tenant.AgentRefused()
	}
	return nil
}

// plan returns a plan of the caller's workspace and the service of its profile.
func (c *call) plan(ctx context.Context, id string) (*writeback.PlanView, *writeback.Service, error) {
	view, err := c.Writeback.Plan(ctx, id)
	if err != nil && fault.CodeOf(err) != fault.PlanNotFound {
		return nil, nil, err
	}
	if err == nil {
		if _, err = c.Auth.Profile(ctx, view.Profile); err == nil {
			return view, c.Writeback.In(view.Profile), nil
		}
	}
	return nil, nil, fault.New(fault.PlanNotFound, "there is no plan with that id in this workspace").
		WithFix("list plans with GET %s/plans, or preview again", Root)
}

// in returns the service of a profile; the only one when none is named.
func (c *call) in(ctx context.Context, profile string) (*tenant.Profile, *writeback.Service, error) {
	p, err := c.Auth.Profile(ctx, profile)
	if err != nil {
		return nil, nil, err
	}
	return p, c.Writeback.In(p.ID), nil
}
