package writeback

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/outcome"
	"sluice/internal/privacy"
)

// codeErased marks events whose payload was erased at a person's request.
const codeErased = "erased"

// ForgetRequest erases people.
type ForgetRequest struct {
	Subjects []Subject
	Request  string // reference of the request; goes into the audit log
}

// ForgetResult is what an erasure did. It holds no identifier.
type ForgetResult struct {
	Request    string           `json:"request"`
	Persons    int              `json:"persons"`
	Events     int              `json:"events"`     // payloads that were overwritten
	Cancelled  int              `json:"cancelled"`  // of these, events that had not been sent
	Unknown    int              `json:"unknown"`    // of these, events that may have arrived
	Outcomes   int              `json:"outcomes"`   // stored outcomes that were deleted
	Suppressed int              `json:"suppressed"` // identifiers that are on the list now and were not
	Delivered  []ForgottenEvent `json:"delivered"`  // what Meta has or may have
	AuditSeq   int64            `json:"audit_seq"`
}

// ForgottenEvent is an event of an erased person that left this machine.
type ForgottenEvent struct {
	EventID   string       `json:"event_id"`
	EventName string       `json:"event_name"`
	EventTime int64        `json:"event_time"`
	Dataset   string       `json:"dataset"`
	Realm     string       `json:"realm"`
	Plan      string       `json:"plan_id"`
	State     ledger.State `json:"state"`
}

// forgetWait is how long an erasure waits for requests under way, which no longer
// can be taken back: twice what a request may take.
const (
	forgetWait = 2 * time.Minute
	forgetPoll = 2 * time.Second
)

// Forget erases people from the service's profile: their payloads are overwritten,
// what waits is cancelled, stored outcomes are deleted, and their identifiers go on
// the suppression list. It may be repeated; a crash in between leaves nothing that a
// repeat does not find.
func (s *Service) Forget(ctx context.Context, req ForgetRequest) (*ForgetResult, error) {
	if err := s.mayErase(); err != nil {
		return nil, err
	}
	if err := checkRequest(req.Request, true); err != nil {
		return nil, err
	}
	if len(req.Subjects) == 0 {
		return nil, fault.New(fault.Usage, "nobody is named").WithFix("name an e-mail, a phone number or an external id")
	}
	tagger, now, err := s.tagger(ctx)
	if err != nil {
		return nil, err
	}
	r := &ForgetResult{Request: req.Request, Persons: len(req.Subjects), Delivered: []ForgottenEvent{}}
	var entries []privacy.Suppression
	for i := range req.Subjects {
		more, err := req.Subjects[i].entries(tagger, privacy.Erased, req.Request, now)
		if err != nil {
			return nil, err
		}
		entries = append(entries, more...)
	}
	slices.SortFunc(entries, func(a, b privacy.Suppression) int { return privacy.Compare(a.Tag, b.Tag) })
	tags := make([]privacy.Tag, len(entries))
	for i := range entries {
		tags[i] = entries[i].Tag
	}
	list := privacy.NewList(tags)
	// First the list, so that nothing new is planned meanwhile.
	err = s.store.Do(ctx, func(tx ledger.Tx) (err error) {
		r.Suppressed, err = tx.Privacy().Suppress(ctx, s.profile, entries)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.sweep(ctx); err != nil {
		return nil, err
	}
	busy, err := s.forgetEvents(ctx, r, list)
	if err != nil {
		return nil, err
	}
	if err := s.forgetOutcomes(ctx, r, list); err != nil {
		return nil, err
	}
	if err := s.store.Scrub(ctx); err != nil {
		return nil, err
	}
	result := "ok"
	if busy > 0 {
		result = string(fault.ErasureIncomplete)
	}
	err = s.store.Do(ctx, func(tx ledger.Tx) (err error) {
		r.AuditSeq, err = tx.Audit().Append(ctx, s.now(), audit.Record{
			Actor: s.actor(), Via: s.caller.Via, Profile: s.profile, Op: "forget", Object: req.Request, Result: result,
			EventCount: r.Events, AppVersion: s.version, CountsByState: map[string]int{
				"persons": r.Persons, "erased": r.Events, "cancelled": r.Cancelled, "unknown": r.Unknown, "outcomes": r.Outcomes,
				"suppressed": r.Suppressed, "delivered": len(r.Delivered), "under_way": busy,
			},
		})
		return err
	})
	if err == nil && busy > 0 {
		err = fault.New(fault.ErasureIncomplete, "%d events of these people are on their way and were not erased", busy)
	}
	return r, err
}

// forgetEvents erases from every plan whose payload is there, and comes back to
// those that have a request under way. It returns how many events were left.
func (s *Service) forgetEvents(ctx context.Context, r *ForgetResult, list *privacy.List) (busy int, err error) {
	var plans []ledger.Plan
	err = s.store.View(ctx, func(tx ledger.Tx) (err error) {
		plans, err = tx.Retention().Payloads(ctx)
		return err
	})
	if err != nil {
		return 0, err
	}
	plans = slices.DeleteFunc(plans, func(p ledger.Plan) bool { return p.Profile != s.profile })
	for waited := time.Duration(0); ; waited += forgetPoll {
		busy = 0
		left := plans[:0]
		for i := range plans {
			n, err := s.forgetIn(ctx, r, &plans[i], list)
			if err != nil {
				return busy, err
			}
			if busy += n; n > 0 {
				left = append(left, plans[i])
			}
		}
		if plans = left; len(plans) == 0 || waited >= forgetWait {
			return busy, nil
		}
		if err := s.sleep(ctx, forgetPoll); err != nil {
			return busy, err
		}
	}
}

// forgetIn erases from one plan: states first, then the bytes, then the index. So
// whatever a crash leaves undone is still found by the index.
func (s *Service) forgetIn(ctx context.Context, r *ForgetResult, p *ledger.Plan, list *privacy.List) (busy int, err error) {
	var places []privacy.Span
	err = s.store.View(ctx, func(tx ledger.Tx) (err error) {
		places, err = s.find(ctx, tx, p, list)
		return err
	})
	if err != nil || len(places) == 0 {
		return 0, err
	}
	gone := map[int64]bool{}
	for _, at := range places {
		gone[at.Offset] = true
	}
	var f forgotten
	for range moveTries {
		err = s.store.Do(ctx, func(tx ledger.Tx) (err error) {
			f, err = s.forgetStates(ctx, tx, p, gone)
			return err
		})
		if !errors.Is(err, ledger.ErrLost) { // a worker was faster: look again
			break
		}
	}
	if err != nil {
		return 0, err
	}
	for _, offset := range f.busy {
		delete(gone, offset)
	}
	places = slices.DeleteFunc(places, func(at privacy.Span) bool { return !gone[at.Offset] })
	if len(places) == 0 {
		return len(f.busy), nil
	}
	if err := s.store.Payloads().Erase(ctx, p.File, places); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fault.New(fault.StoreUnavailable, "the plan's payload can't be overwritten").Wrap(err)
	}
	if err := s.store.Do(ctx, func(tx ledger.Tx) error { return s.forgetIndex(ctx, tx, p, gone) }); err != nil {
		return 0, err
	}
	r.Events += len(gone)
	r.Cancelled += f.cancelled
	r.Unknown += f.unknown
	r.Delivered = append(r.Delivered, f.delivered...)
	return len(f.busy), nil
}

// moveTries is how often states are read again because a worker moved them.
const moveTries = 20

// forgotten is what forgetStates found.
type forgotten struct {
	cancelled, unknown int
	busy               []int64 // offsets of events with a request under way
	delivered          []ForgottenEvent
}

// forgetStates cancels what was not sent and lists what was.
func (s *Service) forgetStates(ctx context.Context, tx ledger.Tx, p *ledger.Plan, gone map[int64]bool) (f forgotten, err error) {
	kinds, err := tx.Plans().Kinds(ctx, p.No)
	if err != nil {
		return f, err
	}
	batches, err := tx.Batches().List(ctx, p.No)
	if err != nil {
		return f, err
	}
	var waiting, unknown []ledger.Event
	err = tx.Events().Range(ctx, p.No, 0, p.Events, func(e *ledger.Event) error {
		if !gone[e.Offset] {
			return nil
		}
		state := e.State
		if b := batchOf(batches, e.Ref.Ord()); state == "" && b != nil {
			state = b.State
			if state == ledger.InFlight && b.LeaseUntil.Before(tx.Now()) {
				state = ledger.Unknown // whoever sent it is gone
			}
			switch {
			case state == ledger.InFlight:
				f.busy = append(f.busy, e.Offset)
				return nil
			case state == ledger.Unknown:
				unknown = append(unknown, *e)
			case ledger.CanMove(state, ledger.Cancelled):
				waiting = append(waiting, *e)
			}
		}
		if state == ledger.Delivered || state == ledger.Unknown {
			f.delivered = append(f.delivered, ForgottenEvent{
				EventID: e.EventID, EventName: kinds[e.Kind].EventName, EventTime: e.Time, Dataset: p.Dataset, Realm: p.Realm, Plan: p.ID, State: state,
			})
		}
		return nil
	})
	if err != nil {
		return f, err
	}
	// A worker may have taken a batch since we looked: then its events are busy.
	var busy, moved []ledger.Event
	if waiting, busy, err = hold(ctx, tx, p.No, waiting, ledger.Cancelled); err != nil {
		return f, err
	}
	if unknown, moved, err = hold(ctx, tx, p.No, unknown, ledger.Delivered); err != nil {
		return f, err
	}
	for _, e := range append(busy, moved...) {
		f.busy = append(f.busy, e.Offset)
		f.delivered = slices.DeleteFunc(f.delivered, func(d ForgottenEvent) bool { return d.EventID == e.EventID && d.EventName == kinds[e.Kind].EventName })
	}
	f.cancelled, f.unknown = len(waiting), len(unknown)
	if len(waiting) > 0 {
		refs, claims := refsOf(waiting)
		if err := tx.Events().Set(ctx, refs, ledger.Cancelled, codeErased); err != nil {
			return f, err
		}
		if err := tx.Claims().Release(ctx, claims); err != nil {
			return f, err
		}
	}
	if len(unknown) > 0 {
		// It can't be sent again, for its bytes go; whether it arrived stays open, and
		// its key stays claimed.
		refs, _ := refsOf(unknown)
		if err := tx.Events().Set(ctx, refs, ledger.Unknown, codeErased); err != nil {
			return f, err
		}
	}
	return f, nil
}

// forgetIndex takes places out of a plan's index, and the samples out of its
// summary: one of them may be the person's.
func (s *Service) forgetIndex(ctx context.Context, tx ledger.Tx, p *ledger.Plan, gone map[int64]bool) error {
	key, err := s.keys.Unwrap(p.WrappedKey, p.File)
	if err != nil {
		return err
	}
	var changed []privacy.Part
	err = tx.Privacy().SubjectParts(ctx, p.No, func(part privacy.Part) error {
		less, err := privacy.Without(key, part, gone)
		if err == nil && len(less.Body) != len(part.Body) {
			changed = append(changed, less)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := tx.Privacy().PutSubjects(ctx, p.No, changed); err != nil {
		return err
	}
	summary, err := withoutSamples(p)
	if err != nil {
		return err
	}
	return tx.Plans().SetSummary(ctx, p.No, summary)
}

// forgetOutcomes deletes stored outcomes.
func (s *Service) forgetOutcomes(ctx context.Context, r *ForgetResult, list *privacy.List) error {
	var ids []outcome.ID
	err := s.store.View(ctx, func(tx ledger.Tx) error {
		return tx.Outcomes().Each(ctx, outcome.Query{Profile: s.profile}, func(o *outcome.Row) error {
			if list.Any(privacy.Split(o.Subjects)) {
				ids = append(ids, o.ID)
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(ids, putRows) {
		err := s.store.Do(ctx, func(tx ledger.Tx) error {
			n, err := tx.Outcomes().Delete(ctx, chunk)
			r.Outcomes += int(n)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
