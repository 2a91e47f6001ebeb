package mapping

import (
	"maps"
	"slices"
	"time"

	"sluice/capi"
)

// Mapping is a checked document. It does not change and may be shared.
type Mapping struct {
	namespace string
	dataset   string
	source    SourceSettings
	columns   []string
	digest    [32]byte

	id         []*expression // none: rows are identified by their content
	occurrence *expression
	eventID    *expression

	outcome outcomeRule
	events  map[string]string // outcome -> event name
	hold    map[string]time.Duration

	time         timeRule
	value        valueRule
	currency     *expression
	orderID      *expression
	noOrderID    bool
	actionSource *expression
	texts        []textRule
	optOut       *expression
	user         []userRule
	lines        *lineRule
	contentIDs   []*expression
	numbers      []numberRule
	properties   []propertyRule
	labels       []labelRule
	consent      consentRule
	saleKey      *expression
	cancels      *cancelRule // nil: what a cancellation takes back is not said
	touches      []touchRule
	further      []furtherRule
	extInfo      []*expression
	holdSaid     map[string]time.Duration
	eventsSaid   map[string]bool

	encoder capi.Options
}

// SourceSettings say how the input is written; empty fields are detected.
type SourceSettings struct {
	Format    string // csv, tsv, jsonl, parquet
	Delimiter byte
	Quote     byte
	Encoding  string // utf-8, windows-1252, latin-1
}

// Namespace is the first part of every event id.
func (m *Mapping) Namespace() string { return m.namespace }

// Dataset is the dataset that the document names, "" when it names none.
func (m *Mapping) Dataset() string { return m.dataset }

// Source returns the document's source settings.
func (m *Mapping) Source() SourceSettings { return m.source }

// Columns returns the columns that rows must hold, in the order of Row.Values.
func (m *Mapping) Columns() []string { return slices.Clone(m.columns) }

// LabelNames returns the names of the labels in alphabetical order.
func (m *Mapping) LabelNames() []string {
	names := make([]string, len(m.labels))
	for i, l := range m.labels {
		names[i] = l.name
	}
	return names
}

// Grouped reports whether rows with the same id are one order.
func (m *Mapping) Grouped() bool { return m.lines != nil }

// NeedsDigest reports whether rows are identified by their content, so that
// Row.Digest and Row.Ordinal must be filled.
func (m *Mapping) NeedsDigest() bool { return len(m.id) == 0 }

// Digest identifies what the document says, lookup files included. Comments,
// order of keys and notation do not count.
func (m *Mapping) Digest() [32]byte { return m.digest }

// Hold returns for how long conversions of an outcome wait for a cancellation.
func (m *Mapping) Hold(outcome string) time.Duration { return m.hold[outcome] }

// Outcomes returns the outcomes that the document can send, with the event name of
// each.
func (m *Mapping) Outcomes() map[string]string {
	if m.outcome.dynamic() {
		return maps.Clone(m.events)
	}
	out := map[string]string{}
	for _, o := range m.outcome.named() {
		out[o] = m.events[o]
	}
	return out
}

// EncoderOptions returns what the document says about identifiers, for
// capi.NewEncoder. Clock, window and margin are the caller's.
func (m *Mapping) EncoderOptions() capi.Options {
	o := m.encoder
	o.Hashed = maps.Clone(o.Hashed)
	return o
}
