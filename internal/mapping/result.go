package mapping

import (
	"sluice/capi"
)

// Row is one source record as the mapper sees it: values in the order of
// Mapping.Columns, and where it came from.
type Row struct {
	File   string
	Line   int64
	Values []string
	Digest [16]byte
}

// Kind is what became of a record.
type Kind uint8

const (
	// Mapped: Event is complete (not yet validated by capi).
	Mapped Kind = iota
	// Skipped: left out on purpose, Code says why (cancellation, filtered …).
	Skipped
	// Rejected: can't become an event, Reject says why.
	Rejected
)

// Result is one order after mapping. It is valid until the mapper's next call.
type Result struct {
	Kind     Kind
	Code     string // reason when Skipped
	Reject   Reject
	Event    capi.Event
	Outcome  string   // payment_received, order_placed …
	RecordID string   // the business's own id of the record; empty when it could not be formed
	Labels   []string // values in the order of Mapping.LabelNames
	Warnings []string // float_ids, scientific_phone, date_only_time …
	Lines    int      // source rows that went in
}

// Reject is why a record can't become an event.
type Reject struct {
	Code   string // missing_event_time, unparseable_time, missing_value …
	Column string
	Masked string // first character and length, never the value
	Hint   string
}
