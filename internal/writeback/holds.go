package writeback

import (
	"encoding/binary"
	"time"

	"sluice/capi"
	"sluice/internal/extsort"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/mapping"
	"sluice/internal/outcome"
)

// verdict is what is known of an event before the ledger is asked. What the ledger
// says comes first: an event that was sent is a duplicate, whatever is known of it.
type verdict byte

const (
	asPlanned verdict = iota
	asHeld
	asCancelledInHold // taken back while it was held
	asCancelled       // taken back later, but before it was sent
	asSuperseded      // another outcome of the sale is sent
	asWithdrawn       // consent was taken back
	asUnknownConsent
	asTooOld
)

// Codes of events that are left out for what happened after them, or beside them.
const (
	SkipCancelledInHold = "cancelled_in_hold"
	SkipCancelled       = "cancelled"
	SkipSuperseded      = "superseded"
	SkipNoMetaTouch     = "no_meta_touch"
	SkipErased          = "erased"
)

var verdictCodes = map[verdict]string{
	asCancelledInHold: SkipCancelledInHold, asCancelled: SkipCancelled, asSuperseded: SkipSuperseded,
	asWithdrawn: mapping.SkipConsentDenied, asUnknownConsent: mapping.SkipConsentUnknown,
}

// holdRefused says that a hold can't be.
func holdRefused(name string, hold time.Duration, source capi.ActionSource, window capi.OfflineWindow) error {
	most := capi.Window(source, window) - leastLeft
	return fault.New(fault.MappingInvalid, "a hold of %s for %s leaves less than a day of the %d days in which Meta takes %s events", hold, name, int(capi.Window(source, window)/(24*time.Hour)), source).
		WithFix("hold for at most %d h, in the mapping and in the profile's policy", int(most/time.Hour))
}

// metaTouched reports whether one of the touches of a record is Meta's.
func metaTouched(m *mapping.Result) bool {
	if m.Event.UserData.FBC != "" {
		return true
	}
	for _, t := range m.Touches {
		if touch := outcome.Touch(t); touch.Meta() {
			return true
		}
	}
	return false
}

// cancellation keeps what a record takes back.
func (w *worker) cancellation(m *mapping.Result, it *item) {
	if m.Code != mapping.SkipCancellation || !w.p.mapping.Cancels() {
		return
	}
	it.cancel = &outcome.Cancellation{At: m.Event.EventTime}
	if m.TakesBack != "" {
		it.cancel.Lines = []outcome.ID{w.digest.of(digestRecord, w.p.mapping.Namespace(), m.TakesBack)}
		it.cancel.Target = it.cancel.Lines[0]
		return
	}
	it.cancel.Lines = w.digest.lines(w.p.mapping.Namespace(), m.Items)
}

// named is what a cancellation can call an order by: its record, or its lines.
func (w *worker) named(m *mapping.Result, it *item) []outcome.ID {
	if w.p.mapping.CancelsByRecord() {
		it.target = w.digest.of(digestRecord, w.p.mapping.Namespace(), m.RecordID)
		return []outcome.ID{it.target}
	}
	return w.digest.lines(w.p.mapping.Namespace(), m.Items)
}

// marks is a set of places in the input, a bit each.
type marks []uint64

func (m *marks) add(seq int64) {
	for int64(len(*m))*64 <= seq {
		*m = append(*m, make([]uint64, max(16, len(*m)))...)
	}
	(*m)[seq/64] |= 1 << (seq % 64)
}

func (m marks) has(seq int64) bool { return seq/64 < int64(len(m)) && m[seq/64]&(1<<(seq%64)) != 0 }

// beside is what the records of one input say about each other.
type beside struct {
	cancels *extsort.Sorter // nil: nothing says what a cancellation takes back
	sales   *extsort.Sorter // nil: no event names its sale

	inHold, cancelled, superseded marks
	partly                        int
	unsold                        map[string]int // planned purchases that name no sale, by outcome
	sold                          map[string]int // and those that do
	stored                        map[string]int // purchases without a sale elsewhere in the store
}

func (b *beside) close() {
	for _, s := range []*extsort.Sorter{b.cancels, b.sales} {
		if s != nil {
			_ = s.Close()
		}
	}
}

// noteCancels keeps the lines of an order, or those that a cancellation takes back,
// side by side: line, time, orders before cancellations.
func (p *planner) noteCancels(it *item, seq int64) error {
	lines, at, kind := it.named, it.entry.time, byte(0)
	switch {
	case it.cancel != nil:
		lines, at, kind = it.cancel.Lines, it.cancel.At, 1
		if at == 0 {
			at = p.now.Unix()
		}
	case !it.laid:
		return nil
	}
	if len(lines) == 0 {
		return nil
	}
	if p.beside.cancels == nil {
		p.beside.cancels = extsort.New(p.tempDir, 0)
	}
	if it.target != (outcome.ID{}) || it.cancel != nil && it.cancel.Target != (outcome.ID{}) {
		// A cancellation that names its order means it, whatever the clocks say.
		if kind == 0 {
			at = 0
		}
	}
	var rec []byte
	for i := range lines {
		rec = append(rec[:0], lines[i][:]...)
		rec = binary.BigEndian.AppendUint64(rec, uint64(at))
		rec = append(rec, kind)
		rec = binary.BigEndian.AppendUint64(rec, uint64(seq))
		rec = binary.BigEndian.AppendUint64(rec, uint64(it.until))
		rec = binary.BigEndian.AppendUint32(rec, uint32(len(lines)))
		if err := p.beside.cancels.Add(rec); err != nil {
			return err
		}
	}
	return nil
}

// openLine is a line of an order that nothing has taken back yet.
type openLine struct {
	seq, until int64
	lines      uint32
}

// takenOrder is an order of which lines were taken back.
type takenOrder struct {
	until, at int64
	lines     uint32
	taken     uint32
}

// matchCancels marks the orders that were taken back. An order whose lines are all
// taken back is cancelled.
func (p *planner) matchCancels() error {
	orders, err := p.takenBack()
	for seq, t := range orders {
		switch {
		case t.taken < t.lines:
			p.beside.partly++
		case t.at < t.until:
			p.beside.inHold.add(seq)
		default:
			p.beside.cancelled.add(seq)
		}
	}
	if n := p.beside.partly; n > 0 {
		p.summary.Warnings["partly_cancelled"] = &Note{Count: n, Hint: "these orders lost some of their lines and are sent as they were: Meta takes no correction"}
	}
	return err
}

// takenBack gives each line of a cancellation the newest order line before it with
// the same customer, item and quantity, and returns the orders of which lines went.
func (p *planner) takenBack() (map[int64]*takenOrder, error) {
	if p.beside.cancels == nil {
		return nil, nil
	}
	var line outcome.ID
	var open []openLine
	orders := map[int64]*takenOrder{}
	err := p.beside.cancels.Each(func(b []byte) error {
		if len(b) != 16+8+1+8+8+4 {
			return errIndex
		}
		if outcome.ID(b[:16]) != line {
			line, open = outcome.ID(b[:16]), open[:0]
		}
		at := int64(binary.BigEndian.Uint64(b[16:]))
		o := openLine{int64(binary.BigEndian.Uint64(b[25:])), int64(binary.BigEndian.Uint64(b[33:])), binary.BigEndian.Uint32(b[41:])}
		if b[24] == 0 {
			open = append(open, o)
			return nil
		}
		if len(open) == 0 {
			return nil
		}
		from := len(open) - 1
		if p.mapping.CancelsByRecord() {
			from = 0 // a record may stand for several outcomes and occurrences
		}
		for _, o := range open[from:] {
			t := orders[o.seq]
			if t == nil {
				t = &takenOrder{until: o.until, lines: o.lines}
				orders[o.seq] = t
			}
			t.taken, t.at = t.taken+1, max(t.at, at)
		}
		open = open[:from]
		return nil
	})
	return orders, err
}

// verdictOf says what is known of an event, by itself and beside others.
func (p *planner) verdictOf(e *entry) verdict {
	switch {
	case e.verdict == asTooOld, e.verdict == asWithdrawn, e.verdict == asUnknownConsent:
		return e.verdict
	case p.beside.inHold.has(e.seq):
		return asCancelledInHold
	case p.beside.cancelled.has(e.seq):
		return asCancelled
	case e.verdict == asCancelledInHold, e.verdict == asCancelled:
		return e.verdict
	case p.beside.superseded.has(e.seq):
		return asSuperseded
	}
	return e.verdict
}

// leaveOut counts an event that is not planned.
func (d *deduper) leaveOut(e *entry, k ledger.Kind, v verdict) {
	d.leaveEntry(e, k, v)
	switch v {
	case asHeld:
		until := time.Unix(e.offset, 0).UTC() // a held event has no payload, and its place holds this
		s := d.summary
		if s.HeldUntil == nil || s.HeldUntil.Before(until) {
			s.HeldUntil = &until
		}
		if s.HeldFrom == nil || s.HeldFrom.After(until) {
			s.HeldFrom = &until
		}
		if s.HeldSince == 0 || e.time < s.HeldSince {
			s.HeldSince = e.time
		}
		d.count(held, k.Outcome, k.Labels)
	case asTooOld:
		d.count(expired, k.Outcome, k.Labels)
	default:
		d.drop(k, verdictCodes[v])
	}
}

// drift notes that what was sent is no longer what happened. Meta takes nothing
// back, so it is for a person to know.
func (d *deduper) drift(e *entry, v verdict, changed bool) {
	at := Place{d.files.names[e.file], e.line}
	switch {
	case v == asCancelledInHold, v == asCancelled:
		note(d.summary.Warnings, "cancelled_after_delivery", "these sales were cancelled after they had been sent; Meta takes nothing back, so its reports stay too high by their value", at)
	case v == asWithdrawn:
		note(d.summary.Warnings, "withdrawn_after_delivery", "consent was taken back after these events had been sent", at)
	case changed:
		note(d.summary.Warnings, "drift", "these records changed after they had been sent; what was sent can't be corrected", at)
	}
}

// leftCodes are the codes of events whose outcomes left the store's open state
// between preview and confirm. (One that only gave way to another of its sale still
// goes: which of the two is sent is for the sale's claim to say.)
var leftCodes = map[outcome.State]string{
	outcome.Cancelled: SkipCancelled, outcome.Withdrawn: mapping.SkipConsentDenied,
}
