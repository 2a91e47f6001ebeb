package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/tenant"
)

type auditList struct {
	Limit int `query:"limit" json:"-" doc:"1 to 1000, default 100"`
}

type auditPath struct {
	ID string `path:"id" json:"-" doc:"a run, a plan, or a record number"`
}

// audits is who may see the log itself; a viewer may have it verified.
var audits = need{scope: tenant.Read, role: tenant.Admin}

func auditing() []operation {
	const tag = "audit"
	return []operation{
		op(http.MethodGet, "/audit/verification", "verifyAudit", tag, "Recompute the audit log and compare it with its checkpoints", looks,
			func(ctx context.Context, c *call, _ *nothing) (audit.Verification, error) {
				return c.Writeback.VerifyAudit(ctx)
			}),
		op(http.MethodGet, "/audit/records", "tailAudit", tag, "The newest records of the audit log, oldest first", audits, tailAudit),
		op(http.MethodGet, "/audit/proofs/{id}", "proveAudit", tag, "Proof that records about a run, plan or number are in the log", audits,
			func(ctx context.Context, c *call, in *auditPath) (*audit.Proof, error) {
				if err := c.ownsLog(); err != nil {
					return nil, err
				}
				return c.Writeback.Prove(ctx, in.ID)
			}),
	}
}

// ownsLog refuses callers of other workspaces than the one the store was made with:
// the log is one per store.
func (c *call) ownsLog() error {
	if c.caller.Workspace != tenant.Default {
		return fault.New(fault.RoleRequired, "the records of the audit log are for admins of workspace %s, which it belongs to", tenant.Default)
	}
	return nil
}

func tailAudit(ctx context.Context, c *call, in *auditList) (listing[json.RawMessage], error) {
	out := listing[json.RawMessage]{Items: []json.RawMessage{}}
	if err := c.ownsLog(); err != nil {
		return out, err
	}
	limit, err := pageSize(in.Limit)
	if err != nil {
		return out, err
	}
	links, err := c.Writeback.AuditTail(ctx, limit)
	for i := range links {
		out.Items = append(out.Items, bytes.Clone(links[i].Body))
	}
	return out, err
}
