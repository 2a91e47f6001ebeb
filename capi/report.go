package capi

// Effect is what a fault does to its event.
type Effect uint8

const (
	// Warn changes nothing; a person should know.
	Warn Effect = iota
	// Drop removes the one value from the event; the event may still be sent.
	Drop
	// Refuse stops the event.
	Refuse
)

// Fault is one thing that is wrong with an event. It never holds the value itself.
type Fault struct {
	Code    string // stable, e.g. "invalid_email"
	Path    string // JSON path inside the event, e.g. "user_data.em[0]"
	Message string // what is wrong, without the value
	Fix     string // what to do
	Effect  Effect
}

// Report says what an Encoder found. It is valid until the encoder's next call.
type Report struct {
	Faults []Fault
	Keys   KeySet // customer-information keys that were written
	// PreHashed counts identifiers that arrived hashed.
	PreHashed int
}

// Refused reports whether any fault refuses the event.
func (r *Report) Refused() bool {
	for i := range r.Faults {
		if r.Faults[i].Effect == Refuse {
			return true
		}
	}
	return false
}

// KeySet is a set of customer-information keys.
type KeySet uint64
