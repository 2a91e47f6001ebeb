package ledger

import (
	"context"
	"errors"
	"time"

	"sluice/internal/audit"
	"sluice/internal/inbox"
	"sluice/internal/outcome"
	"sluice/internal/privacy"
	"sluice/internal/registry"
	"sluice/internal/schedule"
	"sluice/internal/tenant"
)

// ErrNotFound says that there is no such row.
var ErrNotFound = errors.New("not found")

// ErrLost says that a compare-and-set found another state: somebody else moved
// first, and this worker must stop.
var ErrLost = errors.New("the row moved meanwhile")

// ErrTaken says that a row with that key is there already.
var ErrTaken = errors.New("the key is taken")

// Tx is one transaction over the repositories. It must not be kept.
type Tx interface {
	// Now is the store's clock: the database's own where several machines share it.
	// Whatever is decided by time (leases, circuits, daily caps) asks it.
	Now() time.Time
	Plans() Plans
	Events() Events
	Batches() Batches
	Claims() Claims
	Runs() Runs
	Rejects() Rejects
	Audit() audit.Log
	Tenants() tenant.Repo
	Schedules() schedule.Repo
	Leftovers() Leftovers
	Alerts() Alerts
	Inbox() inbox.Repo
	Answers() Answers
	Circuits() Circuits
	Approvals() Approvals
	Outcomes() outcome.Repo
	Privacy() privacy.Repo
	Retention() Retention
	Cursors() Cursors
	Registry() registry.Repo
}

// Plans stores frozen previews.
type Plans interface {
	// Create inserts p in state building and sets its number.
	Create(ctx context.Context, p *Plan) error
	// Freeze makes a built plan ready.
	Freeze(ctx context.Context, p *Plan, kinds []Kind, files []string, labelNames []string) error
	ByID(ctx context.Context, id string) (*Plan, error)
	ByNo(ctx context.Context, no int64) (*Plan, error)
	List(ctx context.Context, limit int) ([]Plan, error)
	// ListOf lists a profile's plans, newest first, from before number before on
	// (0: from the newest).
	ListOf(ctx context.Context, profile string, before int64, limit int) ([]Plan, error)
	Kinds(ctx context.Context, no int64) ([]Kind, error)
	Files(ctx context.Context, no int64) ([]string, error)
	LabelNames(ctx context.Context, no int64) ([]string, error)
	// Move is a compare-and-set on the plan's state.
	Move(ctx context.Context, no int64, from, to PlanState) error
	SetRehearsed(ctx context.Context, no int64, level string, at time.Time) error
	SetExpires(ctx context.Context, no int64, at time.Time) error
	// Expired lists ready plans whose time was over at a moment, oldest first, and
	// holds their rows.
	Expired(ctx context.Context, at time.Time, limit int) ([]Plan, error)
	// Abandoned lists plans that were never finished and are older than before.
	Abandoned(ctx context.Context, before time.Time) ([]Plan, error)
	// Shred forgets the wrapped key and the subject index of a plan and puts another
	// summary in its place. ErrLost when that was done before.
	Shred(ctx context.Context, no int64, summary []byte, at time.Time) error
	SetSummary(ctx context.Context, no int64, summary []byte) error
	// Delete removes rows of a plan that was never confirmed, some thousand at a
	// time; it is called until done. ErrLost when the plan has a run.
	Delete(ctx context.Context, no int64) (done bool, err error)
}

// Events stores the events of plans.
type Events interface {
	Put(ctx context.Context, events []Event) error
	// Range calls fn for the events of a plan with from <= ord < to, in order.
	Range(ctx context.Context, plan int64, from, to int, fn func(*Event) error) error
	// Keys calls fn for the key of every event of a plan that follows a batch in
	// state planned.
	Keys(ctx context.Context, plan int64, fn func(ref EventRef, key Key, fingerprint int64) error) error
	Get(ctx context.Context, ref EventRef) (*Event, error)
	// Set gives events a state of their own, or with the empty state lets them follow
	// their batch again; ErrLost when one of them is not there.
	Set(ctx context.Context, refs []EventRef, state State, code string) error
	// Counts returns how many events of a plan are in each state.
	Counts(ctx context.Context, plan int64) (map[State]int, error)
	// Codes counts the events with a state of their own by state and code.
	Codes(ctx context.Context, plan int64) (map[State]map[string]int, error)
}

// Batches stores how events travel.
type Batches interface {
	Put(ctx context.Context, batches []Batch) error
	Get(ctx context.Context, plan int64, no int) (*Batch, error)
	List(ctx context.Context, plan int64) ([]Batch, error)
	// Move is a compare-and-set on (state, fence); ErrLost when it fails. The
	// other fields of b are written as they are.
	Move(ctx context.Context, b *Batch, from State, fence int64) error
	// Lease gives owner up to n batches of a plan that nobody holds and whose time
	// has come (queued, retry_wait, unknown with NextAt passed; in_flight whose
	// lease ran out), oldest first, for d, with a fence one higher each. What the
	// owner has had before is left out until it is released: one worker tries a
	// batch as often as it thinks right and then leaves it to others. A lease or a
	// wait that is longer than any can be was written before the clock went back:
	// the lease is cut to d, the wait is over.
	Lease(ctx context.Context, plan int64, owner string, d time.Duration, n int) ([]Batch, error)
	// Release gives back what owner holds; the empty owner is everybody.
	Release(ctx context.Context, plan int64, owner string) error
	// MoveAll moves every batch of a plan that is in one state to another.
	MoveAll(ctx context.Context, plan int64, from, to State, fence int64) (int, error)
}

// Conflict is a key that another event holds.
type Conflict struct{ Mine, Holder Claim }

// Claims is the guard against double sending. Calls take some thousand claims at a
// time, in ascending order of their keys.
type Claims interface {
	// Take claims every key that is free and returns those that others hold. A key
	// that its event holds already is its own.
	Take(ctx context.Context, claims []Claim) ([]Conflict, error)
	// Release removes the claims that these events hold.
	Release(ctx context.Context, claims []Claim) error
	// Find returns the claims among keys, ascending.
	Find(ctx context.Context, keys []Key) ([]Claim, error)
}

// Runs stores confirms, their keys and their requests.
type Runs interface {
	// Create returns ErrTaken when the plan has a run already.
	Create(ctx context.Context, r *Run) error
	OfPlan(ctx context.Context, plan int64) (*Run, error)
	// Open lists the runs that are not finished, oldest first.
	Open(ctx context.Context) ([]Run, error)
	// Move is a compare-and-set on the fence; it writes the other fields.
	Move(ctx context.Context, r *Run, fence int64) error

	ByID(ctx context.Context, id string) (*Run, error)
	// Any reports whether anything was ever confirmed or adopted for a dataset.
	Any(ctx context.Context, realm, dataset string) (bool, error)
	// ConfirmedSince sums the events and the value by currency of a profile's runs
	// that started at or after since.
	ConfirmedSince(ctx context.Context, profile string, since time.Time) (events int, value map[string]int64, err error)

	Key(ctx context.Context, profile, key string) (*Idempotency, error)
	// PutKey inserts a key; ErrTaken when it is there.
	PutKey(ctx context.Context, k *Idempotency) error
	FinishKey(ctx context.Context, profile, key string, result []byte) error

	// Begin writes an attempt and sets its id; End records its answer.
	Begin(ctx context.Context, a *Attempt) error
	End(ctx context.Context, a *Attempt) error
	// Attempts lists the attempts of a run in order.
	Attempts(ctx context.Context, run string, fn func(*Attempt) error) error
}

// RejectFilter chooses rejects; zero fields choose all.
type RejectFilter struct {
	Plan  int64
	Code  string
	Limit int
}

// Rejects stores rows that can't be sent.
type Rejects interface {
	Put(ctx context.Context, rejects []Reject) error
	Each(ctx context.Context, f RejectFilter, fn func(*Reject) error) error
	Counts(ctx context.Context, plan int64) (map[string]int, error)
}
