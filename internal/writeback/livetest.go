package writeback

import (
	"context"
	"errors"
	"slices"

	"sluice/capi"
	"sluice/internal/deliver"
	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/ledger"
)

// maxLive is the most events one live test sends.
const maxLive = 25

// mayTest refuses what a live test can't show, and one whose price was not said to
// be known: Meta counts test events like any other.
func (d *rehearsal) mayTest(ctx context.Context) error {
	n := d.dry.Events
	if n == 0 {
		n = d.plan.Events
	}
	tested, err := d.tested(ctx)
	if err != nil {
		return err
	}
	refuse := func(format string, args ...any) *fault.Error {
		return fault.New(fault.LiveTestUnsupported, format, args...)
	}
	switch {
	case d.summary.Sources[string(capi.PhysicalStore)] > 0:
		return refuse("Meta's test view shows web and app events only, and this plan has store events")
	case !d.dry.Acknowledged:
		return refuse("a live test sends real events to the real dataset, and Meta counts them").
			WithFix("say that this is meant: --acknowledge-live-test")
	case d.dry.TestCode == "":
		return refuse("a live test needs the test code that Events Manager shows").WithFix("pass it with --test-event-code")
	case n < 1 || n > maxLive:
		return refuse("a live test sends 1 to %d events, and this would be %d", maxLive, n).WithFix("choose how many of the oldest: --events %d", min(maxLive, d.plan.Events))
	case tested+n > maxLive:
		return refuse("a plan has live tests of %d events at most, and %d of plan %s were sent", maxLive, tested, d.plan.ID)
	case d.plan.State != ledger.PlanReady:
		return refuse("plan %s was confirmed or cancelled already", d.plan.ID)
	}
	return d.mayCount(ctx, n)
}

// mayCount holds a live test against what a confirm is held against, as far as a few
// events go: they are real ones, and Meta counts them.
func (d *rehearsal) mayCount(ctx context.Context, n int) error {
	p := d.owner.Policy
	limited := p.ApproveAgents || p.MaxEventsPerDay > 0 || len(p.MaxValuePerDay) > 0 || len(p.MaxValuePerRun) > 0
	switch {
	case p.FourEyes:
		return fault.New(fault.LiveTestUnsupported, "the policy wants a second person before anything is sent, and a live test can't be approved").
			WithFix("rehearse at level test_dataset, or propose a confirm with a canary")
	case d.caller.Agent && limited:
		return fault.New(fault.LiveTestUnsupported, "the policy limits what an agent sends in ways that a live test would pass by").
			WithFix("a person runs the live test, or rehearse at level test_dataset")
	case d.caller.Agent && p.AgentMaxEvents > 0 && n > p.AgentMaxEvents:
		return d.capped("agent_max_events", "the test has %d events, and an agent may send %d at a time", n, p.AgentMaxEvents)
	case p.MaxEventsPerRun > 0 && n > p.MaxEventsPerRun:
		return d.capped("max_events_per_run", "the test has %d events, and one run may carry %d", n, p.MaxEventsPerRun)
	}
	if err := d.alive(); err != nil {
		return err
	}
	return d.store.View(ctx, func(tx ledger.Tx) error {
		circuit, err := tx.Circuits().Get(ctx, d.plan.Profile, d.plan.Realm)
		if err != nil {
			return err
		}
		return d.passes(ctx, tx, circuit)
	})
}

// live sends the oldest events with the test code. They are claimed and stand as
// unknown before the first byte leaves, so that whatever happens to this process,
// the later confirm does not send them twice.
func (d *rehearsal) live(ctx context.Context) error {
	lock, err := d.lock("plan-" + d.plan.ID)
	if err != nil {
		return err
	}
	defer lock.release()
	if err := d.forked(ctx); err != nil {
		return err
	}
	payload, err := d.Service.payload(ctx, d.plan)
	if err != nil {
		return err
	}
	defer func() { _ = payload.Close() }()
	if d.kinds, d.files, err = d.lookups(ctx, d.plan.No); err != nil {
		return err
	}
	events, err := d.oldest(ctx)
	if err != nil {
		return err
	}
	if events, err = d.begin(ctx, events); err != nil || len(events) == 0 {
		return err
	}
	body, _, err := deliver.Body(payload, events, "")
	if err != nil {
		return errors.Join(fault.New(fault.StoreUnavailable, "the plan's payload can't be read").Wrap(err), d.unbegin(ctx, events))
	}
	if body, err = withTestCode(body, d.dry.TestCode); err != nil {
		return err
	}
	d.out.Requests, d.out.Events, d.out.Bytes = 1, len(events), int64(len(body))
	accepted, err := d.to.SendEvents(ctx, d.dataset, body)
	ctx = context.WithoutCancel(ctx)
	if err == nil && accepted.EventsReceived == len(events) {
		d.out.EventsReceived, d.out.TraceIDs = accepted.EventsReceived, []string{accepted.TraceID}
		return d.store.Do(ctx, func(tx ledger.Tx) error {
			refs, _ := refsOf(events)
			return tx.Events().Set(ctx, refs, ledger.Delivered, codeTest)
		})
	}
	var e *graph.Error
	if err == nil || !errors.As(err, &e) || e.Class == graph.Ambiguous {
		f := fault.New(fault.OutcomeUnknown, "the live test's %d events may have arrived, and stand as unknown", len(events))
		return f.WithFix("look in Events Manager's test view, then `sluice resolve %s --as delivered|resend --reason TEXT`", d.plan.ID).Wrap(err)
	}
	if err := d.unbegin(ctx, events); err != nil {
		return err
	}
	return d.refuse(err, 0, events)
}

// codeTest marks an event that Meta got with a test code, and codeLive one of which
// the answer is not known.
const (
	codeTest = "test"
	codeLive = "live_test"
)

// oldest are the first events that a confirm would send.
func (d *rehearsal) oldest(ctx context.Context) (events []ledger.Event, err error) {
	var batches []ledger.Batch
	err = d.store.View(ctx, func(tx ledger.Tx) (err error) {
		batches, err = tx.Batches().List(ctx, d.plan.No)
		return err
	})
	if err != nil {
		return nil, err
	}
	most := d.dry.Events
	if most == 0 {
		most = maxLive
	}
	gone, err := d.withdrawn(ctx)
	if err != nil {
		return nil, err
	}
	left := map[ledger.EventRef]bool{}
	for _, list := range gone {
		for i := range list {
			left[list[i].Ref] = true
		}
	}
	for _, b := range batches {
		if len(events) >= most {
			break
		}
		more, err := d.events(ctx, b)
		if err != nil {
			return nil, err
		}
		more = slices.DeleteFunc(more, func(e ledger.Event) bool { return left[e.Ref] })
		events = append(events, more[:min(len(more), most-len(events))]...)
	}
	return events, nil
}

// begin claims the events and marks them; what somebody else holds is left out.
func (d *rehearsal) begin(ctx context.Context, events []ledger.Event) ([]ledger.Event, error) {
	err := d.store.Do(ctx, func(tx ledger.Tx) error {
		if err := d.unconfirmed(ctx, tx); err != nil {
			return err
		}
		_, claims := refsOf(events)
		for i := range claims {
			claims[i].Fingerprint = events[slices.IndexFunc(events, func(e ledger.Event) bool { return e.Ref == claims[i].Ref })].Fingerprint
		}
		taken, err := tx.Claims().Take(ctx, claims)
		if err != nil {
			return err
		}
		events = slices.DeleteFunc(events, func(e ledger.Event) bool {
			return slices.ContainsFunc(taken, func(t ledger.Conflict) bool { return t.Mine.Ref == e.Ref })
		})
		refs, _ := refsOf(events)
		return tx.Events().Set(ctx, refs, ledger.Unknown, codeLive)
	})
	return events, err
}

// unconfirmed makes sure that nobody has confirmed the plan, and that nobody does
// before the transaction ends.
func (c *confirm) unconfirmed(ctx context.Context, tx ledger.Tx) error {
	err := tx.Plans().Move(ctx, c.plan.No, ledger.PlanReady, ledger.PlanReady)
	if errors.Is(err, ledger.ErrLost) {
		return fault.New(fault.LiveTestUnsupported, "plan %s was confirmed or cancelled meanwhile", c.plan.ID)
	}
	return err
}

// unbegin takes back what provably did not arrive. When the plan was confirmed while
// the test was under way, the confirm has left these events out: they stay as they
// are, for a person to release.
func (d *rehearsal) unbegin(ctx context.Context, events []ledger.Event) error {
	return d.store.Do(ctx, func(tx ledger.Tx) error {
		if err := d.unconfirmed(ctx, tx); err != nil {
			return err
		}
		refs, claims := refsOf(events)
		if err := tx.Events().Set(ctx, refs, "", ""); err != nil {
			return err
		}
		return tx.Claims().Release(ctx, claims)
	})
}
