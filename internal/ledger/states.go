package ledger

// State is where an event stands. A batch carries the state of its events; an
// event row carries one only where it differs from its batch.
type State string

// The states of an event.
const (
	Planned   State = "planned"    // in a plan, not confirmed
	Held      State = "held"       // waiting for its hold to pass
	Queued    State = "queued"     // confirmed
	InFlight  State = "in_flight"  // attempt committed; bytes may be on the wire
	RetryWait State = "retry_wait" // an attempt that was provably not processed
	Unknown   State = "unknown"    // an attempt that may have been processed
	Delivered State = "delivered"  // acknowledged
	Rejected  State = "rejected"   // permanent, with a row-level reason
	Expired   State = "expired"    // left its time window unsent
	Skipped   State = "skipped"    // left out on purpose
	Cancelled State = "cancelled"  // the plan or run ended before it was sent
)

// States lists every state in the order reports print them.
var States = []State{Planned, Held, Queued, InFlight, RetryWait, Unknown, Delivered, Rejected, Expired, Skipped, Cancelled}

// Terminal reports whether a state is final.
func (s State) Terminal() bool {
	switch s {
	case Delivered, Rejected, Expired, Skipped, Cancelled:
		return true
	default:
		return false
	}
}

// moves holds every legal move; what is not here can't happen.
var moves = map[State][]State{
	Planned:   {Held, Queued, Skipped, Expired, Cancelled},
	Held:      {Queued, Skipped, Expired, Cancelled},
	Queued:    {InFlight, Skipped, Expired, Cancelled},
	InFlight:  {Delivered, Rejected, RetryWait, Unknown},
	RetryWait: {InFlight, Queued, Rejected, Skipped, Expired, Cancelled},
	Unknown:   {InFlight, Delivered, Rejected},
}

// CanMove reports whether an event may go from one state to another.
func CanMove(from, to State) bool {
	for _, s := range moves[from] {
		if s == to {
			return true
		}
	}
	return false
}
