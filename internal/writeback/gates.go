package writeback

import (
	"context"
	"time"

	"sluice/capi"
	"sluice/internal/deliver"
	"sluice/internal/fault"
)

// rejectShare is the share of rejected rows from which a confirm needs a yes.
const rejectShare = 0.20

// staleShare is the share of a plan that may have become unsendable since its
// preview, duplicates not counted.
const staleShare = 0.10

// gates refuses a plan that should not be confirmed as it is.
func (c *confirm) gates() error {
	now := c.now()
	if now.After(c.plan.ExpiresAt) {
		return fault.New(fault.PlanExpired, "plan %s expired at %s", c.plan.ID, c.plan.ExpiresAt.Format(time.RFC3339))
	}
	n := c.summary.Counts
	if share := float64(n.Rejected) / float64(max(1, n.Rows)); share > rejectShare && !c.req.AcceptRejects {
		return fault.New(fault.RejectThreshold, "%d of %d rows were rejected (%.0f %%; more than %.0f %% needs a yes)", n.Rejected, n.Rows, 100*share, 100*rejectShare).
			WithFix("look at `sluice rejects %s`, or confirm with --accept-rejects", c.plan.ID)
	}
	return nil
}

// preflight asks for the dataset once, so that a wrong id or a dead token costs one
// read and not a queue of refused requests.
func (c *confirm) preflight(ctx context.Context) error {
	d, err := c.to.Dataset(ctx, c.plan.Dataset)
	if err != nil {
		return deliver.Stopped(err)
	}
	if d.Unavailable {
		return fault.New(fault.ConnectionInactive, "dataset %s is not available", c.plan.Dataset)
	}
	if c.summary.Sources[string(capi.PhysicalStore)] > 0 && d.Consolidated != nil && !*d.Consolidated {
		return fault.New(fault.ConnectionInactive, "dataset %s does not take store events: it is not a consolidated dataset", c.plan.Dataset).
			WithFix("merge the offline event set into a dataset in Events Manager, or send to one whose is_consolidated_container is true")
	}
	return nil
}
