package writeback

import (
	"context"
	"time"

	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/privacy"
	"sluice/internal/tenant"
)

// SkipSuppressed is the code of events of people on the suppression list.
const SkipSuppressed = "suppressed"

// guard holds a plan's events against the suppression list while it is made, and
// collects the subject index that finds them again.
type guard struct {
	pepper []byte
	list   *privacy.List
	index  *privacy.Index
	policy tenant.Policy
}

// guardPlan prepares the guard of a plan under its data key.
func (p *planner) guardPlan(ctx context.Context, key []byte) error {
	p.guard = &guard{}
	err := p.store.Do(ctx, func(tx ledger.Tx) (err error) {
		if p.guard.policy, err = p.policyOf(ctx, tx); err != nil {
			return err
		}
		if p.guard.pepper, err = privacy.Pepper(ctx, tx.Privacy(), p.keys, p.profile, tx.Now()); err != nil {
			return err
		}
		p.guard.list, err = privacy.Load(ctx, tx.Privacy(), p.profile, time.Time{})
		return err
	})
	if err == nil {
		p.guard.index, err = privacy.NewIndex(key)
	}
	return err
}

// subject is an event's place among the sealed ones of a chunk, with its number of
// tags.
type subject struct {
	offset int64
	length int
	tags   int
}

// recognise computes the tags of an encoded event and reports whether it may not be
// sent.
func (w *worker) recognise(event []byte) (suppressed bool) {
	w.tags = w.tagger.Of(w.tags[:0], event)
	return w.p.guard.list.Any(w.tags)
}

// remember keeps the tags of the event just sealed.
func (r *result) remember(tags []privacy.Tag, e *entry) {
	r.tags = append(r.tags, tags...)
	r.subjects = append(r.subjects, subject{e.offset, e.length, len(tags)})
}

// indexed adds a chunk to the subject index; base is where its payload went.
func (p *planner) indexed(ctx context.Context, r *result, base int64) error {
	tags := r.tags
	for _, s := range r.subjects {
		p.guard.index.Add(tags[:s.tags], privacy.Span{Offset: base + s.offset, Length: s.length})
		tags = tags[s.tags:]
	}
	return p.storeIndex(ctx, false)
}

// storeIndex writes what is finished of the subject index.
func (p *planner) storeIndex(ctx context.Context, last bool) error {
	p.parts = append(p.parts, p.guard.index.Take(last)...)
	if len(p.parts) == 0 || !last && len(p.parts) < indexParts {
		return nil
	}
	err := p.store.Do(ctx, func(tx ledger.Tx) error { return tx.Privacy().PutSubjects(ctx, p.plan.No, p.parts) })
	p.parts = p.parts[:0]
	return err
}

// stillAllowed refuses a plan that holds somebody who came onto the list while it was
// made: an erasure that ended meanwhile did not see its payload.
func (p *planner) stillAllowed(ctx context.Context, tx ledger.Tx) error {
	list, err := privacy.Load(ctx, tx.Privacy(), p.profile, p.plan.CreatedAt.Add(-clockSlack))
	if err != nil {
		return err
	}
	list = list.Without(p.guard.list)
	places, err := p.find(ctx, tx, p.plan, list)
	if err == nil && len(places) > 0 {
		err = fault.New(fault.PlanStale, "somebody in the input came onto the suppression list during the preview; nothing was planned").
			WithCommand("sluice", "preview", "INPUT")
	}
	return err
}

// knowPeople reads who must not be stored, once per intake.
func (in *intake) knowPeople(ctx context.Context) error {
	if in.list != nil {
		return nil
	}
	return in.store.Do(ctx, func(tx ledger.Tx) (err error) {
		if in.pepper, err = privacy.Pepper(ctx, tx.Privacy(), in.keys, in.profile, tx.Now()); err != nil {
			return err
		}
		in.list, err = privacy.Load(ctx, tx.Privacy(), in.profile, time.Time{})
		return err
	})
}

// indexParts is how many parts one transaction writes: some four megabytes.
const indexParts = 16
