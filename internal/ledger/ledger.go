// Package ledger is the contract of the write-back ledger: what was planned, what
// may have reached Meta, and what became of it.
//
// Its guarantee: at most one event per (dataset, event name, event id) is ever in
// a state in which bytes may have reached Meta, whatever plans, keys and processes
// are at work; and every event of a plan is in exactly one state. Engines
// (store/sqlite) implement Store and pass ledgertest.
package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Key is the uniqueness key of an event: the first 16 bytes of
// SHA-256(realm 0x00 dataset 0x00 event name 0x00 event id).
type Key [16]byte

// KeyOf computes the uniqueness key. The realm keeps a sandbox apart from Meta:
// what was tried on the one was not sent to the other.
func KeyOf(realm, dataset, eventName, eventID string) Key {
	var stack [256]byte
	b := append(stack[:0], realm...)
	b = append(b, 0)
	b = append(b, dataset...)
	b = append(b, 0)
	b = append(b, eventName...)
	b = append(b, 0)
	b = append(b, eventID...)
	sum := sha256.Sum256(b)
	return Key(sum[:16])
}

// Fingerprint tells two versions of one event apart: the same id with another
// time, value or currency is a conflict, not a duplicate.
func Fingerprint(eventTime, value int64, currency string) int64 {
	var stack [64]byte
	b := binary.BigEndian.AppendUint64(stack[:0], uint64(eventTime))
	b = binary.BigEndian.AppendUint64(b, uint64(value))
	b = append(b, currency...)
	sum := sha256.Sum256(b)
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// EventRef names an event row: the plan's number in the high 32 bits, the event's
// place in the plan in the low 32. It grows with time.
type EventRef int64

// RefOf builds an EventRef.
func RefOf(plan int64, ord int) EventRef { return EventRef(plan<<32 | int64(uint32(ord))) }

// Plan returns the plan's number.
func (r EventRef) Plan() int64 { return int64(r) >> 32 }

// Ord returns the place in the plan.
func (r EventRef) Ord() int { return int(uint32(r)) }

// PlanState is where a plan stands.
type PlanState string

// The states of a plan.
const (
	PlanBuilding  PlanState = "building" // being written; a crash leaves it to the next clean-up
	PlanReady     PlanState = "ready"
	PlanConfirmed PlanState = "confirmed"
	PlanCancelled PlanState = "cancelled" // expired or withdrawn before anything was sent
)

// Plan is a frozen preview.
type Plan struct {
	No          int64 // row number, grows with time
	ID          string
	Hash        string // hex
	Dataset     string
	Realm       string // where it may be sent, see graph.Realm
	State       PlanState
	CreatedAt   time.Time
	ExpiresAt   time.Time
	Events      int
	File        string // base name of the frozen payload
	WrappedKey  []byte
	Summary     []byte    // JSON, see writeback.Summary
	RehearsedAt time.Time // last dry run that passed; zero: never
	Rehearsed   string    // its level

	Profile       string    // "default" when empty
	PolicyDigest  string    // hex, of the profile's policy it was previewed under
	MappingDigest string    // hex; empty for a plan over stored outcomes
	Origin        string    // who asked: a schedule's window, an outcome query; empty: a person
	ShreddedAt    time.Time // its payload was removed; zero: it is there
}

// Kind is what many events of a plan share, stored once.
type Kind struct {
	No           int
	EventName    string
	Outcome      string
	ActionSource string
	Currency     string
	Tier         string
	Keys         uint64 // capi.KeySet of the customer information sent
	Labels       []string
}

// Event is one row of the ledger. It holds no identifier of a person.
type Event struct {
	Ref         EventRef
	Key         Key
	Fingerprint int64
	EventID     string
	Kind        int
	Time        int64 // event_time, Unix seconds
	Value       int64 // capi.Decimal
	File        int   // index into the plan's files
	Line        int64
	Offset      int64 // of the sealed payload
	Length      int
	State       State // empty: its batch's
	Code        string
}

// Batch is a run of events that travel in one request.
type Batch struct {
	Plan         int64
	No           int
	First, Count int // places in the plan
	Class        string
	State        State
	Fence        int64
	Attempts     int
	FirstAttempt time.Time // zero: none yet
	NextAt       time.Time
	Owner        string    // who works on it; empty: nobody
	LeaseUntil   time.Time // after this the owner has lost it
}

// Never is the NextAt of a batch that waits for a person. MaxWait bounds every
// other wait.
var Never = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// MaxWait is the longest a batch waits for its next try.
const MaxWait = time.Hour

// Claim is the holder of a uniqueness key.
type Claim struct {
	Key         Key
	Ref         EventRef
	Fingerprint int64
}

// RunState is where a confirm stands.
type RunState string

// The states of a run.
const (
	RunClaiming RunState = "claiming"
	RunSending  RunState = "sending"
	RunStopped  RunState = "stopped" // ended early, or waits; the same key resumes it
	RunFinished RunState = "finished"
)

// Run is one confirm.
type Run struct {
	ID         string
	Plan       int64
	State      RunState
	Fence      int64
	Key        string // idempotency key
	Tag        string // upload_tag
	StartedAt  time.Time
	FinishedAt time.Time
	Error      string // fault code of a stopped run
	Profile    string
	Events     int               // of the plan, for daily caps
	Value      map[string]string // planned value by currency, decimal text
	Canary     int               // events to send before waiting for a yes; 0: none
	Paused     bool              // waits for that yes
}

// Idempotency is the record of one key of a profile.
type Idempotency struct {
	Profile     string
	Key         string
	Fingerprint string // hex
	Run         string
	Result      []byte // JSON; empty while running
	CreatedAt   time.Time
}

// Attempt is one request, written before its first byte leaves.
type Attempt struct {
	ID        int64
	Run       string
	Plan      int64
	Batch     int
	From, To  int // places in the plan, half open
	Count     int // events in it
	Fence     int64
	Digest    []byte // SHA-256 of the body
	StartedAt time.Time
	EndedAt   time.Time // zero: no answer was recorded
	Result    string    // delivered, refused, retry, unknown; empty: open
	HTTP      int
	Code      int
	Subcode   int
	Received  int
	TraceID   string
}

// Reject is a row that can't be sent, with its place in the source.
type Reject struct {
	Plan   int64
	Seq    int64
	File   string
	Line   int64
	Stage  string // read, map, normalise, validate, identity, send
	Code   string
	Field  string
	Masked string
	Hint   string
	Record string // digest prefix of the record id
	Meta   MetaRefusal
	Labels []string
}

// MetaRefusal is what the API said about a rejected event.
type MetaRefusal struct {
	Code, Subcode int
	Title         string
	TraceID       string
}

// Store is the ledger of one state directory.
type Store interface {
	// Do runs fn in one serialisable read-write transaction; it commits when fn
	// returns nil.
	Do(ctx context.Context, fn func(Tx) error) error
	// View runs fn over one consistent snapshot.
	View(ctx context.Context, fn func(Tx) error) error
	// Payloads keeps the frozen bytes of plans; it takes part in no transaction.
	Payloads() Payloads
	// ID names the store for ever; it is part of the upload tag.
	ID() string
	// Shared reports whether processes of several machines may work on one run at
	// the same time. Where it is false a lock of the state directory tells whether
	// the process that works on a run lives; where it is true only leases do.
	Shared() bool
	// Scrub makes what was deleted unreadable in the files the store itself keeps,
	// as far as it can without stopping others: journals, free pages.
	Scrub(ctx context.Context) error
	Close() error
}
