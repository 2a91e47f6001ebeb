package writeback

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"sluice/capi"
	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

// How long things are kept. A payload is needed while its bytes might have to be
// sent again and while Meta would still recognise a repeat; what people look up
// later is kept without identifiers.
const (
	keepOnline     = 48 * time.Hour      // Meta's deduplication window of website and app events
	keepOffline    = 7 * 24 * time.Hour  // and of store events
	keepPayload    = 14 * 24 * time.Hour // after the last attempt, whatever is left open
	keepRejects    = 30
	keepLedger     = 400
	leastLedger    = 90 // days: an event stays sendable for 62 of them, a key for 90
	keepKeys       = 90 * 24 * time.Hour
	keepOutcome    = 62*24*time.Hour + keepOffline // the longest window, and a repeat of its last day
	retentionEvery = time.Hour
)

// RetentionResult is what one run of the retention removed.
type RetentionResult struct {
	Payloads int   `json:"payloads"` // plans that were shredded
	Rejects  int   `json:"rejects"`
	Plans    int   `json:"plans"` // with everything the ledger knew of them
	Events   int   `json:"events"`
	Keys     int   `json:"idempotency_keys"`
	Outcomes int64 `json:"outcomes"` // stored outcomes whose payload was shredded
}

func (r *RetentionResult) any() bool { return *r != RetentionResult{} }

// Retain removes what has been kept long enough, in every profile. It may be
// interrupted at any point and run again. It returns when it is due next.
func (s *Service) Retain(ctx context.Context) (*RetentionResult, time.Time, error) {
	r := &RetentionResult{}
	next := s.now().Add(retentionEvery)
	if err := s.sweep(ctx); err != nil { // previews that died left payloads too
		return r, next, err
	}
	if err := s.shredPlans(ctx, r); err != nil {
		return r, next, err
	}
	var profiles []tenant.Profile
	err := s.store.View(ctx, func(tx ledger.Tx) (err error) {
		profiles, err = tx.Tenants().Profiles(ctx, "")
		return err
	})
	if err != nil {
		return r, next, err
	}
	for i := range profiles {
		if err := s.retainProfile(ctx, r, &profiles[i]); err != nil {
			return r, next, err
		}
	}
	err = s.store.Do(ctx, func(tx ledger.Tx) (err error) {
		if r.Keys, err = tx.Retention().DeleteKeys(ctx, tx.Now().Add(-keepKeys)); err != nil || !r.any() {
			return err
		}
		_, err = tx.Audit().Append(ctx, s.now(), audit.Record{
			Actor: s.actor(), Via: s.caller.Via, Op: "retention", Result: "ok", AppVersion: s.version, CountsByState: map[string]int{
				"payloads": r.Payloads, "rejects": r.Rejects, "plans": r.Plans, "events": r.Events, "keys": r.Keys, "outcomes": int(r.Outcomes),
			},
		})
		return err
	})
	if err == nil && r.any() {
		err = s.store.Scrub(ctx)
	}
	return r, next, err
}

// shredPlans forgets the payloads whose time is over: the bytes, then the wrapped
// key with the subject index, which makes the bytes unreadable in every backup too.
// A crash in between leaves a plan that the next run still finds.
func (s *Service) shredPlans(ctx context.Context, r *RetentionResult) error {
	var plans []ledger.Plan
	err := s.store.View(ctx, func(tx ledger.Tx) error {
		list, err := tx.Retention().Payloads(ctx)
		if err != nil {
			return err
		}
		for i := range list {
			until, err := s.keepUntil(ctx, tx, &list[i])
			if err != nil {
				return err
			}
			if until.Before(tx.Now()) {
				plans = append(plans, list[i])
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range plans {
		p := &plans[i]
		summary, err := withoutSamples(p)
		if err != nil {
			return err
		}
		if err := s.abandon(ctx, p); fault.CodeOf(err) == fault.IdempotencyInProgress {
			continue // somebody is at it; the next run sees
		} else if err != nil {
			return err
		}
		if err := s.store.Payloads().Remove(ctx, p.File); err != nil {
			return fault.New(fault.StoreUnavailable, "a plan's payload can't be removed").Wrap(err)
		}
		err = s.store.Do(ctx, func(tx ledger.Tx) error { return tx.Plans().Shred(ctx, p.No, summary, tx.Now()) })
		if errors.Is(err, ledger.ErrLost) {
			continue // another process did it
		}
		if err != nil {
			return err
		}
		r.Payloads++
	}
	return nil
}

// abandon ends the run of a plan whose payload goes. What provably was not sent is
// cancelled and its claims are given back: a store event may be sent for 62 days, and
// only another plan still can.
func (s *Service) abandon(ctx context.Context, p *ledger.Plan) error {
	var run *ledger.Run
	err := s.store.View(ctx, func(tx ledger.Tx) (err error) {
		run, err = tx.Runs().OfPlan(ctx, p.No)
		return err
	})
	if errors.Is(err, ledger.ErrNotFound) || err == nil && run.State == ledger.RunFinished {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.halt(ctx, run.ID); err != nil {
		return err
	}
	h, err := s.In(p.Profile).take(ctx, p.ID)
	if err != nil {
		return err
	}
	defer h.lock.release()
	h.reason = "retention: the payload was kept as long as it may be"
	_, err = h.cancel(ctx)
	return err
}

// keepUntil is when a plan's payload may go.
func (s *Service) keepUntil(ctx context.Context, tx ledger.Tx, p *ledger.Plan) (time.Time, error) {
	run, err := tx.Runs().OfPlan(ctx, p.No)
	if errors.Is(err, ledger.ErrNotFound) {
		if p.State == ledger.PlanCancelled {
			return p.CreatedAt, nil
		}
		return p.ExpiresAt, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	last, err := tx.Retention().LastAttempt(ctx, p.No)
	if err != nil {
		return time.Time{}, err
	}
	if last.IsZero() {
		last = run.StartedAt
	}
	if run.State != ledger.RunFinished {
		return last.Add(keepPayload), nil
	}
	kinds, err := tx.Plans().Kinds(ctx, p.No)
	if err != nil {
		return time.Time{}, err
	}
	keep := keepOnline
	for _, k := range kinds {
		if k.ActionSource == string(capi.PhysicalStore) {
			keep = keepOffline
		}
	}
	return last.Add(keep), nil
}

// withoutSamples is a plan's summary without what it shows of single events.
func withoutSamples(p *ledger.Plan) ([]byte, error) {
	summary := newSummary()
	if err := json.Unmarshal(p.Summary, summary); err != nil {
		return nil, err
	}
	summary.Samples = []json.RawMessage{}
	return json.Marshal(summary)
}

func days(said, standard int) time.Duration {
	if said <= 0 {
		said = standard
	}
	return time.Duration(said) * 24 * time.Hour
}

// ledgerDays is how many days a profile's ledger rows are kept.
func ledgerDays(p *tenant.Policy) time.Duration {
	return max(days(p.LedgerDays, keepLedger), days(leastLedger, leastLedger))
}

// retainProfile applies what a profile may set itself.
func (s *Service) retainProfile(ctx context.Context, r *RetentionResult, p *tenant.Profile) error {
	var rejects, old []int64
	err := s.store.View(ctx, func(tx ledger.Tx) (err error) {
		if rejects, err = tx.Retention().WithRejects(ctx, p.ID, tx.Now().Add(-days(p.Policy.RejectDays, keepRejects))); err != nil {
			return err
		}
		old, err = tx.Retention().Older(ctx, p.ID, tx.Now().Add(-ledgerDays(&p.Policy)))
		return err
	})
	if err != nil {
		return err
	}
	for _, plan := range rejects {
		err := s.until(ctx, func(tx ledger.Tx) (bool, error) {
			done, n, err := tx.Retention().DeleteRejects(ctx, plan)
			r.Rejects += n
			return done, err
		})
		if err != nil {
			return err
		}
	}
	for _, plan := range old {
		err := s.until(ctx, func(tx ledger.Tx) (bool, error) {
			done, n, err := tx.Retention().Purge(ctx, plan)
			r.Events += n
			return done, err
		})
		if err != nil {
			return err
		}
		r.Plans++
	}
	return s.store.Do(ctx, func(tx ledger.Tx) error {
		n, err := tx.Outcomes().Shred(ctx, p.ID, dayOf(tx.Now().Add(-keepOutcome).Unix()))
		r.Outcomes += n
		return err
	})
}

// until repeats a transaction that does part of the work.
func (s *Service) until(ctx context.Context, fn func(ledger.Tx) (bool, error)) error {
	for done := false; !done; {
		err := s.store.Do(ctx, func(tx ledger.Tx) (err error) {
			done, err = fn(tx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// RetentionView is what is kept how long, and what is there now.
type RetentionView struct {
	Profile      string `json:"profile"`
	Payloads     int    `json:"payloads"`      // plans whose payload is there
	Due          int    `json:"due"`           // of these, how many the next run removes
	PayloadsText string `json:"payloads_kept"` // the rule, in words
	RejectDays   int    `json:"reject_days"`
	LedgerDays   int    `json:"ledger_days"`
	KeyDays      int    `json:"idempotency_days"`
	OutcomeDays  int    `json:"outcome_days"`
}

// Retention shows the rules of the service's profile.
func (s *Service) Retention(ctx context.Context) (*RetentionView, error) {
	v := &RetentionView{
		Profile: s.profile, PayloadsText: "until delivered and 48 h (website, app) or 7 days (store); at most 14 days after the last attempt",
		KeyDays: int(keepKeys / (24 * time.Hour)), OutcomeDays: int(keepOutcome / (24 * time.Hour)),
	}
	err := s.store.View(ctx, func(tx ledger.Tx) error {
		policy, err := s.policyOf(ctx, tx)
		if err != nil {
			return err
		}
		v.RejectDays = int(days(policy.RejectDays, keepRejects) / (24 * time.Hour))
		v.LedgerDays = int(ledgerDays(&policy) / (24 * time.Hour))
		plans, err := tx.Retention().Payloads(ctx)
		if err != nil {
			return err
		}
		for i := range plans {
			if plans[i].Profile != s.profile {
				continue
			}
			v.Payloads++
			until, err := s.keepUntil(ctx, tx, &plans[i])
			if err != nil {
				return err
			}
			if until.Before(tx.Now()) {
				v.Due++
			}
		}
		return nil
	})
	return v, err
}
