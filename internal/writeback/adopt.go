package writeback

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ids"
	"sluice/internal/ledger"
)

// OriginAdopt marks a plan whose events were sent by somebody else.
const OriginAdopt = "adopt"

// assumed is the code of a delivery that no answer proves.
const assumed = "assumed"

// adoptKey begins the idempotency key of an adoption.
const adoptKey = "adopt:"

// firstUploadAge is how old an event may be that an empty ledger sends unasked.
const firstUploadAge = 24 * time.Hour

// firstUpload refuses the first confirm to a dataset when it holds older events:
// whoever sent before Sluice has probably sent them. A sandbox on this machine has
// no past.
func (c *confirm) firstUpload(ctx context.Context) error {
	if !c.to.Remote() || c.req.FirstUpload || c.plan.Events == 0 {
		return nil
	}
	if age := c.now().Sub(time.Unix(c.summary.OldestTime, 0)); age <= firstUploadAge {
		return nil
	}
	known := false
	err := c.store.View(ctx, func(tx ledger.Tx) (err error) {
		known, err = tx.Runs().Any(ctx, c.plan.Realm, c.plan.Dataset)
		return err
	})
	if err != nil || known {
		return err
	}
	return fault.New(fault.FirstUploadRequired, "this ledger has never sent to dataset %s, and the plan holds events from %s on",
		c.plan.Dataset, time.Unix(c.summary.OldestTime, 0).UTC().Format(time.DateOnly)).
		WithFix("record what was sent before with `sluice adopt FILE -m MAPPING --dataset %s --reason TEXT`; if nothing was, confirm with --first-upload", c.plan.Dataset)
}

// Adoption is what an adoption recorded.
type Adoption struct {
	RunID    string         `json:"run_id"`
	PlanID   string         `json:"plan_id"`
	Dataset  string         `json:"dataset"`
	Realm    string         `json:"realm"`
	Counts   map[string]int `json:"counts"`  // of the events that could still be sent, by state
	Rows     Counts         `json:"rows"`    // of the input
	Resumed  int            `json:"resumed"` // interrupted adoptions that were finished first
	AuditSeq int64          `json:"audit_seq"`
}

// Adopt records the events of an input as delivered(assumed): they were sent by
// something else, and will not be sent again. Nothing leaves this machine. What is
// too old to be sent, held or rejected needs no record and gets none.
func (s *Service) Adopt(ctx context.Context, req PreviewRequest, reason string) (*Adoption, error) {
	if err := s.admin(reason); err != nil {
		return nil, err
	}
	resumed, err := s.finishAdoptions(ctx)
	if err != nil {
		return nil, err
	}
	view, err := s.Preview(ctx, req)
	if err != nil {
		return nil, err
	}
	a := &Adoption{PlanID: view.ID, Dataset: view.Dataset, Realm: view.Realm, Rows: view.Summary.Counts, Resumed: resumed, Counts: map[string]int{}}
	if view.Events == 0 {
		return a, nil
	}
	plan, err := s.plan(ctx, view.ID)
	if err != nil {
		return nil, err
	}
	run, err := s.beginAdoption(ctx, plan, reason)
	if err != nil {
		return nil, err
	}
	a.RunID = run.ID
	counts, seq, err := s.finishAdoption(ctx, plan, run, req.Progress)
	for state, n := range counts {
		a.Counts[string(state)] = n
	}
	a.AuditSeq = seq
	return a, err
}

// beginAdoption makes every event of the plan delivered before any key is claimed:
// what is interrupted from here on can't be sent by whoever goes on with it.
func (s *Service) beginAdoption(ctx context.Context, p *ledger.Plan, reason string) (*ledger.Run, error) {
	now := s.now()
	run := &ledger.Run{ID: ids.New("run", now), Plan: p.No, State: ledger.RunClaiming, Key: adoptKey + p.ID, StartedAt: now, Profile: p.Profile}
	return run, s.store.Do(ctx, func(tx ledger.Tx) error {
		err := tx.Runs().PutKey(ctx, &ledger.Idempotency{Profile: p.Profile, Key: run.Key, Fingerprint: OriginAdopt + " " + p.Hash, Run: run.ID, CreatedAt: now})
		if err != nil {
			return err
		}
		if err := tx.Runs().Create(ctx, run); err != nil {
			return err
		}
		if err := tx.Plans().Move(ctx, p.No, ledger.PlanReady, ledger.PlanConfirmed); err != nil {
			return err
		}
		if _, err := tx.Batches().MoveAll(ctx, p.No, ledger.Planned, ledger.Delivered, run.Fence); err != nil {
			return err
		}
		_, err = tx.Audit().Append(ctx, now, s.adoptRecord(p, run, "adopt.accepted", reason))
		return err
	})
}

func (s *Service) adoptRecord(p *ledger.Plan, run *ledger.Run, op, reason string) audit.Record {
	return audit.Record{
		Actor: s.actor(), Via: s.caller.Via, Profile: p.Profile, Op: op, Dataset: p.Dataset, Realm: p.Realm, Plan: p.ID, PlanHash: p.Hash,
		Run: run.ID, EventCount: p.Events, Reason: reason, Result: "ok", AppVersion: s.version,
	}
}

// adopted reports a run that sends nothing.
func adopted(r *ledger.Run) bool { return strings.HasPrefix(r.Key, adoptKey) }

// finishAdoption claims the keys. It may be repeated; the fence lets one of several
// processes end it.
func (s *Service) finishAdoption(ctx context.Context, p *ledger.Plan, run *ledger.Run, progress func(Progress)) (counts map[ledger.State]int, seq int64, err error) {
	old := run.Fence
	run.Fence++
	if err := s.store.Do(ctx, func(tx ledger.Tx) error { return tx.Runs().Move(ctx, run, old) }); err != nil {
		return nil, 0, err
	}
	for from := 0; from < p.Events; from += putRows {
		err := s.store.Do(ctx, func(tx ledger.Tx) error { return adoptRange(ctx, tx, p.No, from, from+putRows) })
		if err != nil {
			return nil, 0, err
		}
		if progress != nil {
			progress(Progress{Phase: "claiming", Done: int64(min(from+putRows, p.Events)), Total: int64(p.Events)})
		}
	}
	err = s.store.Do(ctx, func(tx ledger.Tx) error {
		if counts, err = tx.Events().Counts(ctx, p.No); err != nil {
			return err
		}
		rec := s.adoptRecord(p, run, "adopt.finished", "")
		rec.CountsByState = map[string]int{}
		for state, n := range counts {
			rec.CountsByState[string(state)] = n
		}
		if seq, err = tx.Audit().Append(ctx, s.now(), rec); err != nil {
			return err
		}
		run.State, run.FinishedAt = ledger.RunFinished, s.now()
		if err := tx.Runs().FinishKey(ctx, p.Profile, run.Key, []byte(`{"run_id":"`+run.ID+`","plan_id":"`+p.ID+`"}`)); err != nil {
			return err
		}
		return tx.Runs().Move(ctx, run, run.Fence)
	})
	return counts, seq, err
}

func adoptRange(ctx context.Context, tx ledger.Tx, plan int64, from, to int) error {
	var claims []ledger.Claim
	mine := map[ledger.EventRef]bool{}
	err := tx.Events().Range(ctx, plan, from, to, func(e *ledger.Event) error {
		claims = append(claims, ledger.Claim{Key: e.Key, Ref: e.Ref, Fingerprint: e.Fingerprint})
		mine[e.Ref] = true
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(claims, func(a, b ledger.Claim) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	taken, err := tx.Claims().Take(ctx, claims)
	if err != nil {
		return err
	}
	var others []ledger.EventRef
	for _, t := range taken {
		others = append(others, t.Mine.Ref)
		delete(mine, t.Mine.Ref)
	}
	refs := make([]ledger.EventRef, 0, len(mine))
	for ref := range mine {
		refs = append(refs, ref)
	}
	slices.Sort(refs)
	return errors.Join(
		tx.Events().Set(ctx, refs, ledger.Delivered, assumed),
		tx.Events().Set(ctx, others, ledger.Skipped, "duplicate"),
	)
}

// resumeAdoption goes on with an adoption that was interrupted. Somebody else who
// is at it may be the one to end it.
func (s *Service) resumeAdoption(ctx context.Context, run *ledger.Run) error {
	var p *ledger.Plan
	err := s.store.View(ctx, func(tx ledger.Tx) (err error) {
		p, err = tx.Plans().ByNo(ctx, run.Plan)
		return err
	})
	if err != nil {
		return err
	}
	if _, _, err = s.finishAdoption(ctx, p, run, nil); errors.Is(err, ledger.ErrLost) {
		return nil
	}
	return err
}

// finishAdoptions goes on with every adoption that was interrupted.
func (s *Service) finishAdoptions(ctx context.Context) (n int, err error) {
	var open []ledger.Run
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		open, err = tx.Runs().Open(ctx)
		return err
	})
	for i := range open {
		if err == nil && adopted(&open[i]) {
			err = s.resumeAdoption(ctx, &open[i])
			n++
		}
	}
	return n, err
}
