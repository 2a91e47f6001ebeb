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
	Code    string `json:"code"`    // stable, e.g. "invalid_email"
	Path    string `json:"path"`    // JSON path inside the event, e.g. "user_data.em[0]"
	Message string `json:"message"` // what is wrong, without the value
	Fix     string `json:"fix"`     // what to do
	Effect  Effect `json:"effect"`  // warn, drop or refuse
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

// String returns warn, drop or refuse.
func (e Effect) String() string {
	switch e {
	case Drop:
		return "drop"
	case Refuse:
		return "refuse"
	default:
		return "warn"
	}
}

// MarshalText returns what String returns.
func (e Effect) MarshalText() ([]byte, error) { return []byte(e.String()), nil }
