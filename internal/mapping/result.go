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
	// Digest identifies the row where the mapping names no id column; see
	// Mapping.NeedsDigest.
	Digest [16]byte
	// Ordinal counts the rows with the same Digest before this one. It keeps
	// identical sales apart and, unlike a line number, stays the same in a later
	// export that overlaps.
	Ordinal int
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
	Kind   Kind
	Code   string // reason when Skipped
	Reject Reject
	// Event is complete when Mapped. When Skipped as a cancellation it holds what
	// could be read of it.
	Event      capi.Event
	Outcome    string   // payment_received, order_placed …
	RecordID   string   // the business's own id of the record; empty when it could not be formed
	Occurrence string   // tells repeats of one record apart; usually empty
	Labels     []string // values in the order of Mapping.LabelNames
	Warnings   []string // float_ids, scientific_phone, date_only_time …
	// WarningColumns holds the column of each warning, "" where it has none.
	WarningColumns []string
	Lines          int // source rows that went in

	SaleKey   string  // what the outcomes of one sale share; empty: not said
	TakesBack string  // record id of the order that a cancellation names
	Items     []Item  // lines that a cancellation can name, or names
	Touches   []Touch // with advertising
	Consent   string  // granted, measure_only, denied, unknown; assumed: the mapping vouches
}

// Reject is why a record can't become an event.
type Reject struct {
	Code   string // missing_event_time, unparseable_time, missing_value …
	Column string
	Masked string // first character and length, never the value
	Hint   string
}
