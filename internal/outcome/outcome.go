// Package outcome is what a business knows to have happened (payments, orders,
// leads) and keeps until somebody asks to send it: the outcome store of a profile.
//
// Its guarantee: one row per outcome, record and occurrence, whatever the number of
// imports, pushes and webhooks it came through; no identifier of a person in the
// clear, for the event is hashed and sealed before it gets here and record ids are
// kept as keyed digests. Its limit: it does not know what was sent; the ledger's
// claims do, and a preview asks them.
package outcome

import (
	"context"
	"time"
)

// ID names one outcome of a profile: a keyed digest of outcome, namespace, record
// id and occurrence. The zero ID names nothing.
type ID [16]byte

// State is what is known of an outcome here.
type State string

// The states. What was sent is not among them.
const (
	Open       State = "open"
	Cancelled  State = "cancelled"  // taken back by a later record
	Superseded State = "superseded" // a stronger outcome of the same sale is here
	Withdrawn  State = "withdrawn"  // consent was taken back
	Rejected   State = "rejected"   // can't become an event; Code says why
	Skipped    State = "skipped"    // left out on purpose when it came; Code says why
)

// States lists them in the order of the documentation.
var States = []State{Open, Cancelled, Superseded, Withdrawn, Rejected, Skipped}

// Row is one stored outcome. It holds no identifier of a person but what is sealed.
type Row struct {
	ID      ID
	Profile string
	Outcome string // payment_received, order_placed …
	Time    int64  // event_time, Unix seconds

	ArrivedAt time.Time // first time it was seen
	ChangedAt time.Time // last time anything about it changed
	Changes   int       // how often its content came differently

	EventID      string
	EventName    string
	ActionSource string
	Value        int64 // capi.Decimal
	Currency     string
	Keys         uint64 // capi.KeySet of the customer information
	Hold         int64  // seconds the mapping holds it for; -1: the profile's policy decides
	Sale         ID     // of the sale it belongs to
	Rank         int    // of the outcome within a sale, 0 is strongest
	Consent      string // granted, measure_only, denied, unknown; assumed: the mapping vouched

	State       State
	CancelledAt int64 // Unix seconds, by the cancelling record; 0: not cancelled
	Lines       int   // of the order that a cancellation may take back
	TakenBack   int   // of these, how many were

	LabelNames []string
	Labels     []string
	Touches    int  // how many were recorded
	MetaTouch  bool // one of them is Meta's

	Source string // the named source it came from
	File   string
	Line   int64

	Code  string // of a reject or a skip
	Field string
	Hint  string

	Digest   ID     // of everything that was said about it
	Day      int64  // of Time, in days since 1970: whose key seals the payload
	Subjects []byte // keyed tags of the people in it, for erasure
	Payload  []byte // the sealed event; empty for a reject or a skip
	Trail    []byte // the sealed touches; empty when there are none
}

// Line is one line of an order that a later record may take back.
type Line struct {
	Line  ID    // keyed digest of customer, item and quantity
	Order ID    // the outcome
	At    int64 // event_time of the order
	Ord   int   // tells equal lines of one order apart
}

// Cancellation is a record that takes an order back, by its record id or by lines.
type Cancellation struct {
	ID        ID
	Profile   string
	Target    ID    // keyed digest of the record it names; zero: it goes by lines
	Lines     []ID  // keyed digests of customer, item and quantity
	At        int64 // Unix seconds; 0: not said, when it arrived
	ArrivedAt time.Time
}

// Query chooses outcomes; zero fields choose all.
type Query struct {
	Profile  string
	Outcomes []string
	From, To int64 // event_time, half open; To 0: no end
	State    State
	Limit    int
}

// Stat is one line of the overview.
type Stat struct {
	Outcome  string
	State    State
	Currency string
	Count    int
	Value    int64
	Oldest   int64
	Newest   int64
	NoSale   int // of Count, how many name no sale
}

// EventSale is the sale of a planned event.
type EventSale struct {
	Ref   int64    // of the event in the ledger
	Sale  [16]byte // key of its claim there
	Event int64    // tells in the claim which event holds the sale
}

// Arrival says what became of one row that was put.
type Arrival struct {
	Old     *Row // what was there; nil: the row is new
	Changed bool // what was there said something else
}

// Repo stores outcomes. Its calls take some thousand rows at a time.
type Repo interface {
	// Keys returns the wrapped data keys of days, by day; a day without one is absent.
	Keys(ctx context.Context, profile string, from, to int64) (map[int64][]byte, error)
	// PutKey stores the wrapped key of a day unless there is one, and returns the one
	// that counts.
	PutKey(ctx context.Context, profile string, day int64, wrapped []byte, now time.Time) ([]byte, error)

	// Put inserts rows. A row whose id is there is compared by its digest: one that
	// says the same changes nothing, one that says something else replaces the
	// content; but a skip replaces no outcome that had an event. Arrivals are in the order of rows, whose ids must differ.
	Put(ctx context.Context, rows []Row) ([]Arrival, error)
	// PutLines stores the lines that cancellations look for.
	PutLines(ctx context.Context, lines []Line) error
	// Remember stores a cancellation; false when it is there already.
	Remember(ctx context.Context, c *Cancellation) (bool, error)
	// Dismiss forgets a cancellation that found nothing.
	Dismiss(ctx context.Context, id ID) error
	// CancelledTargets returns when the named records were taken back.
	CancelledTargets(ctx context.Context, profile string, targets []ID) (map[ID]int64, error)
	// TakeBack takes back, for each line, the newest order line at or before at;
	// it returns the orders of which a line was taken, once per line.
	TakeBack(ctx context.Context, lines []ID, at int64) ([]ID, error)
	// Cancel marks lines of an order as taken back; the order is cancelled once all
	// are, or at once when lines is negative. It reports whether it is now.
	Cancel(ctx context.Context, id ID, lines int, at int64, now time.Time) (bool, error)
	// Supersede marks every open outcome of the sales that has a stronger one beside
	// it, and opens those whose stronger ones are gone. (One whose consent was taken
	// back is not gone: it speaks for the person.)
	Supersede(ctx context.Context, profile string, sales []ID, now time.Time) error
	// Withdraw marks an outcome whose consent was taken back; false when it is not there.
	Withdraw(ctx context.Context, id ID, consent string, now time.Time) (bool, error)

	// PutSales names the sales of planned events, EachSale reads them back for events
	// with low <= ref < high.
	PutSales(ctx context.Context, sales []EventSale) error
	EachSale(ctx context.Context, low, high int64, fn func(EventSale) error) error

	// Each calls fn for the chosen outcomes, oldest first. fn must not use the
	// transaction.
	Each(ctx context.Context, q Query, fn func(*Row) error) error
	// Labels lists the sets of label names among the chosen outcomes.
	Labels(ctx context.Context, q Query) ([][]string, error)
	Stats(ctx context.Context, q Query) ([]Stat, error)
	// Gone calls fn for the event ids and names of outcomes that left state open at
	// or after since.
	Gone(ctx context.Context, profile string, since time.Time, fn func(*Row) error) error
	// Shred deletes the keys of days before day, and with them every payload in
	// every backup; then the payloads, lines and cancellations themselves.
	Shred(ctx context.Context, profile string, day int64) (int64, error)
	// Delete removes outcomes with everything that belongs to them.
	Delete(ctx context.Context, ids []ID) (int64, error)
}
