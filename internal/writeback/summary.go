package writeback

import (
	"encoding/json"
	"slices"
	"time"

	"sluice/capi"
	"sluice/internal/source"
)

// Counts adds up: Rows = Planned + Held + Rejected + Skipped + Expired. Rows are
// records: with line items, the orders they form; Lines are the rows of the files.
type Counts struct {
	Rows     int `json:"rows"`
	Planned  int `json:"planned"`
	Held     int `json:"held"`
	Rejected int `json:"rejected"`
	Skipped  int `json:"skipped"`
	Expired  int `json:"expired"`
}

// Sum is what Rows must equal.
func (c Counts) Sum() int { return c.Planned + c.Held + c.Rejected + c.Skipped + c.Expired }

func (c *Counts) add(d disposition) {
	c.Rows++
	switch d {
	case planned:
		c.Planned++
	case held:
		c.Held++
	case rejected:
		c.Rejected++
	case skipped:
		c.Skipped++
	case expired:
		c.Expired++
	}
}

// Summary is everything a person sees of a plan. It holds no identifiers.
type Summary struct {
	Counts Counts `json:"counts"`
	Lines  int64  `json:"lines"`
	Files  int    `json:"files"`

	Redrive bool `json:"redrive,omitempty"` // only the records that another plan rejected

	Value    map[string]capi.Decimal       `json:"-"` // planned, per currency
	Mapped   map[string]capi.Decimal       `json:"-"` // of every record that became an event, sent or not
	Tiers    map[string]int                `json:"tiers"`
	Outcomes map[string]Counts             `json:"outcomes"`
	Events   map[string]int                `json:"events"`
	Sources  map[string]int                `json:"action_sources"`
	Labels   map[string]map[string]*Counts `json:"labels"` // name → value → counts
	Ages     map[string]int                `json:"ages"`
	Coverage map[string]int                `json:"coverage"` // planned events with each key
	Lift     map[string]int                `json:"lift"`     // keys that would lift weak events to good

	Rejects    map[string]int   `json:"rejects"`
	Skips      map[string]int   `json:"skips"`
	Dropped    map[string]*Note `json:"dropped_identifiers"`
	Warnings   map[string]*Note `json:"warnings"`
	HeldFrom   *time.Time       `json:"held_first,omitempty"` // when the first hold ends
	HeldUntil  *time.Time       `json:"held_until,omitempty"` // when the last hold ends
	HeldSince  int64            `json:"held_oldest_event_time,omitempty"`
	Expiring   int              `json:"expiring"` // planned, less than 24 h left
	OldestTime int64            `json:"oldest_event_time,omitempty"`
	NewestTime int64            `json:"newest_event_time,omitempty"`
	Requests   int              `json:"requests"`
	// Strict7 holds store events to seven days as well; the choice of the preview
	// is the plan's for good.
	Strict7 bool  `json:"strict_window,omitempty"`
	Bytes   int64 `json:"bytes"`

	// DoubleCount says that several outcomes of a sale would be sent as purchases:
	// they name no sale, so nobody can tell which belong together.
	DoubleCount bool   `json:"double_count,omitempty"`
	Window      string `json:"window,omitempty"` // of a plan over stored outcomes, dates, end inclusive
	Filter      string `json:"filter,omitempty"` // empty: all

	Samples []json.RawMessage `json:"samples"`
	Notes   []source.Note     `json:"notes,omitempty"` // about the inputs: what was left out, and why
}

// window is how old a store event of this plan may be.
func (s *Summary) window() capi.OfflineWindow {
	if s.Strict7 {
		return capi.OfflineStrict7
	}
	return capi.Offline62Days
}

// Note counts something and remembers where it was first seen.
type Note struct {
	Count int     `json:"count"`
	First []Place `json:"first"`
	Hint  string  `json:"hint,omitempty"`
}

// Place is a position in the input.
type Place struct {
	File string `json:"file"`
	Line int64  `json:"line"`
}

const placesKept = 3

func note(notes map[string]*Note, code, hint string, at Place) {
	n := notes[code]
	if n == nil {
		n = &Note{Hint: hint}
		notes[code] = n
	}
	n.Count++
	if len(n.First) < placesKept {
		n.First = append(n.First, at)
	}
}

func newSummary() *Summary {
	return &Summary{
		Value: map[string]capi.Decimal{}, Mapped: map[string]capi.Decimal{}, Tiers: map[string]int{}, Outcomes: map[string]Counts{},
		Events: map[string]int{}, Sources: map[string]int{}, Labels: map[string]map[string]*Counts{},
		Ages: map[string]int{}, Coverage: map[string]int{}, Lift: map[string]int{}, Rejects: map[string]int{},
		Skips: map[string]int{}, Dropped: map[string]*Note{}, Warnings: map[string]*Note{},
	}
}

// summaryAlias carries the members that encoding/json can't do by itself.
type summaryAlias Summary

// money is the form of values in JSON: decimal text, so that no reader rounds it.
type money struct {
	*summaryAlias
	Value  map[string]string `json:"value"`
	Mapped map[string]string `json:"value_mapped"`
}

// MarshalJSON writes the summary with its values as decimal text.
func (s *Summary) MarshalJSON() ([]byte, error) {
	return json.Marshal(money{(*summaryAlias)(s), valueText(s.Value), valueText(s.Mapped)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Summary) UnmarshalJSON(b []byte) error {
	*s = *newSummary()
	in := money{summaryAlias: (*summaryAlias)(s)}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	for _, m := range []struct {
		from map[string]string
		to   map[string]capi.Decimal
	}{{in.Value, s.Value}, {in.Mapped, s.Mapped}} {
		for currency, text := range m.from {
			v, err := capi.ParseDecimal(text)
			if err != nil {
				return err
			}
			m.to[currency] = v
		}
	}
	return nil
}

func valueText(v map[string]capi.Decimal) map[string]string {
	out := map[string]string{}
	for currency, d := range v {
		out[currency] = d.String()
	}
	return out
}

// ages are the buckets of an event's age when it was previewed.
var ages = []struct {
	name string
	upTo time.Duration
}{
	{"under_1h", time.Hour}, {"under_24h", 24 * time.Hour}, {"under_7d", 7 * 24 * time.Hour},
	{"under_28d", 28 * 24 * time.Hour}, {"under_62d", 62 * 24 * time.Hour},
}

// AgeNames lists the age buckets, youngest first.
func AgeNames() []string {
	var out []string
	for _, a := range ages {
		out = append(out, a.name)
	}
	return append(out, "over_62d")
}

func ageOf(d time.Duration) string {
	i := slices.IndexFunc(ages, func(a struct {
		name string
		upTo time.Duration
	}) bool {
		return d < a.upTo
	})
	if i < 0 {
		return "over_62d"
	}
	return ages[i].name
}

// disposition is what became of one record.
type disposition uint8

const (
	planned disposition = iota
	held
	rejected
	skipped
	expired
)
