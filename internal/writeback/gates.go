package writeback

import (
	"context"
	"time"

	"sluice/capi"
	"sluice/internal/deliver"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

// rejectShare is the share of rejected rows from which a confirm needs a yes.
const rejectShare = 0.20

// staleShare is the share of a plan that may have become unsendable since its
// preview, duplicates not counted.
const staleShare = 0.10

// mayAsk is the first gate: a caller who may not even propose is told nothing more,
// not even whether a key is known.
func (c *confirm) mayAsk() error {
	if err := tenant.Permit(c.caller, tenant.Need{Scope: tenant.Write}, tenant.Facts{}); err != nil {
		return err
	}
	if c.caller.Role.Covers(tenant.Operator) {
		return nil
	}
	// The switch comes before the role, so it is the one that is named.
	return tenant.Permit(c.caller, tenant.Need{Scope: tenant.Write, Switch: true, Role: tenant.Operator}, c.facts)
}

// permitted checks the four preconditions in their order. An operator passes, and
// parks later.
func (c *confirm) permitted() error {
	return tenant.Permit(c.caller, tenant.Need{Scope: tenant.Write, Switch: true, Role: tenant.Operator, Connection: true}, c.facts)
}

// gates refuses a plan that should not be confirmed as it is, by this caller, now.
func (c *confirm) gates(ctx context.Context) error {
	if err := c.permitted(); err != nil {
		return err
	}
	if err := c.withinRun(); err != nil {
		return err
	}
	if err := c.store.View(ctx, func(tx ledger.Tx) error { return c.withinDay(ctx, tx) }); err != nil {
		return err
	}
	if err := c.approved(ctx); err != nil {
		return err
	}
	err := c.store.View(ctx, func(tx ledger.Tx) error {
		circuit, err := tx.Circuits().Get(ctx, c.plan.Profile, c.plan.Realm)
		if err != nil {
			return err
		}
		return c.passes(ctx, tx, circuit)
	})
	if err != nil {
		return err
	}
	if err := c.alive(); err != nil {
		return err
	}
	if err := c.accepted(); err != nil {
		return err
	}
	return c.rehearsed()
}

// alive refuses a plan that is over, is not the one the caller has seen, or was
// made under rules that no longer hold.
func (c *confirm) alive() error {
	again := []string{"sluice", "preview", "INPUT"}
	if now := c.now(); c.plan.State == ledger.PlanCancelled || now.After(c.plan.ExpiresAt) {
		return fault.New(fault.PlanExpired, "plan %s expired at %s", c.plan.ID, c.plan.ExpiresAt.Format(time.RFC3339)).WithCommand(again...)
	}
	if c.req.Hash != "" && c.req.Hash != c.plan.Hash {
		return fault.New(fault.PlanHashMismatch, "plan %s has another hash", c.plan.ID).With("plan_hash", c.plan.Hash)
	}
	if c.plan.PolicyDigest != "" && c.plan.PolicyDigest != policyDigest(c.owner) {
		return fault.New(fault.PlanStale, "the policy of this profile was changed since plan %s was previewed; nothing was sent", c.plan.ID).WithCommand(again...)
	}
	return nil
}

// accepted asks for the yes that a plan with much wrong in it needs. A plan over the
// rejects of another says nothing about the share of a whole input.
func (c *confirm) accepted() error {
	n := c.summary.Counts
	if share := float64(n.Rejected) / float64(max(1, n.Rows)); share > rejectShare && !c.req.AcceptRejects && !c.summary.Redrive {
		return fault.New(fault.RejectThreshold, "%d of %d rows were rejected (%.0f %%; more than %.0f %% needs a yes)", n.Rejected, n.Rows, 100*share, 100*rejectShare).
			WithFix("look at `sluice rejects %s`, or confirm with --accept-rejects", c.plan.ID).WithCommand("sluice", "rejects", c.plan.ID)
	}
	if c.summary.DoubleCount && !c.req.AcceptDoubleCount {
		return fault.New(fault.DoubleCount, "plan %s holds purchases of several outcomes that name no sale: one sale may be counted twice", c.plan.ID)
	}
	return nil
}

// withinRun holds the plan against what one run may carry.
func (c *confirm) withinRun() error {
	p := c.owner.Policy
	if most := p.MaxEventsPerRun; most > 0 && c.plan.Events > most {
		return c.capped("max_events_per_run", "the plan has %d events, and one run may carry %d", c.plan.Events, most)
	}
	if most := p.AgentMaxEvents; c.caller.Agent && most > 0 && c.plan.Events > most {
		return c.capped("agent_max_events", "the plan has %d events, and an agent may confirm %d at a time", c.plan.Events, most)
	}
	for currency, text := range p.MaxValuePerRun {
		most, err := capi.ParseDecimal(text)
		if err != nil {
			return err
		}
		if v := c.summary.Value[currency]; v > most {
			return c.capped("max_value_per_run", "the plan is worth %s %s, and one run may carry %s", v, currency, most).With("currency", currency)
		}
	}
	return nil
}

// withinDay adds what the profile confirmed since midnight in its own zone. Under
// the circuit's lock nobody can add to it meanwhile.
func (c *confirm) withinDay(ctx context.Context, tx ledger.Tx) error {
	p := c.owner.Policy
	if p.MaxEventsPerDay == 0 && len(p.MaxValuePerDay) == 0 {
		return nil
	}
	zone, err := time.LoadLocation(c.owner.Timezone)
	if err != nil {
		return err
	}
	y, m, d := tx.Now().In(zone).Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, zone)
	events, value, err := tx.Runs().ConfirmedSince(ctx, c.plan.Profile, midnight)
	if err != nil {
		return err
	}
	tomorrow := int(time.Date(y, m, d+1, 0, 0, 0, 0, zone).Sub(tx.Now())/time.Second) + 1
	if most := p.MaxEventsPerDay; most > 0 && events+c.plan.Events > most {
		f := c.capped("max_events_per_day", "%d events were confirmed today, this plan has %d more, and a day may carry %d", events, c.plan.Events, most)
		f.RetryAfter = tomorrow
		return f
	}
	for currency, text := range p.MaxValuePerDay {
		most, err := capi.ParseDecimal(text)
		if err != nil {
			return err
		}
		before, more := capi.Decimal(value[currency]), c.summary.Value[currency]
		if before+more > most {
			f := c.capped("max_value_per_day", "%s %s were confirmed today, this plan has %s more, and a day may carry %s", before, currency, more, most).With("currency", currency)
			f.RetryAfter = tomorrow
			return f
		}
	}
	return nil
}

func (c *confirm) capped(name, format string, args ...any) *fault.Error {
	return fault.New(fault.CapExceeded, format, args...).With("cap", name)
}

// judgeEvents looks at every event again, before anything is written. What left its
// window, or may not be sent any more, will be removed; duplicates are found when
// the keys are claimed and do not count here.
func (c *confirm) judgeEvents(ctx context.Context) error {
	late, err := c.late(ctx)
	if err != nil {
		return err
	}
	gone, err := c.withdrawn(ctx)
	if err != nil {
		return err
	}
	removed := map[string]int{"too_old": len(late)}
	n := len(late)
	for code, events := range gone {
		removed[code] = len(events)
		n += len(events)
	}
	if share := float64(n) / float64(max(1, c.plan.Events)); share > staleShare {
		return fault.New(fault.PlanStale, "%d of %d events left their time window or may not be sent any more; nothing was sent", n, c.plan.Events).
			With("removed", removed).WithCommand("sluice", "preview", "INPUT")
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
