package ledger

import (
	"context"
	"errors"
	"time"

	"sluice/internal/audit"
)

// ErrNotFound says that there is no such row.
var ErrNotFound = errors.New("not found")

// ErrLost says that a compare-and-set found another state: somebody else moved
// first, and this worker must stop.
var ErrLost = errors.New("the row moved meanwhile")

// Tx is one transaction over the repositories. It must not be kept.
type Tx interface {
	Plans() Plans
	Events() Events
	Batches() Batches
	Claims() Claims
	Runs() Runs
	Rejects() Rejects
	Audit() audit.Log
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
	Kinds(ctx context.Context, no int64) ([]Kind, error)
	Files(ctx context.Context, no int64) ([]string, error)
	LabelNames(ctx context.Context, no int64) ([]string, error)
	// Move is a compare-and-set on the plan's state.
	Move(ctx context.Context, no int64, from, to PlanState) error
	SetRehearsed(ctx context.Context, no int64, at time.Time) error
	SetExpires(ctx context.Context, no int64, at time.Time) error
	// Abandoned lists plans that were never finished and are older than before.
	Abandoned(ctx context.Context, before time.Time) ([]Plan, error)
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
	// Set gives one event a state of its own.
	Set(ctx context.Context, ref EventRef, state State, code string) error
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
	// MoveAll moves every batch of a plan that is in one state to another.
	MoveAll(ctx context.Context, plan int64, from, to State, fence int64) (int, error)
}

// Matcher finds claims for keys asked in ascending order.
type Matcher interface {
	Find(key Key) (Claim, bool, error)
	Close() error
}

// Claims is the guard against double sending.
type Claims interface {
	// Take inserts a claim; when the key is taken it returns its holder and false.
	Take(ctx context.Context, c Claim) (Claim, bool, error)
	// Release removes a claim that this event holds.
	Release(ctx context.Context, key Key, ref EventRef) error
	// Match returns a matcher over the snapshot of the transaction.
	Match(ctx context.Context) (Matcher, error)
}

// Runs stores confirms, their keys and their requests.
type Runs interface {
	Create(ctx context.Context, r *Run) error
	OfPlan(ctx context.Context, plan int64) (*Run, error)
	// Open lists the runs that are not finished, oldest first.
	Open(ctx context.Context) ([]Run, error)
	// Move is a compare-and-set on the fence; it writes the other fields.
	Move(ctx context.Context, r *Run, fence int64) error

	Key(ctx context.Context, key string) (*Idempotency, error)
	PutKey(ctx context.Context, k *Idempotency) error
	FinishKey(ctx context.Context, key string, result []byte) error

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
