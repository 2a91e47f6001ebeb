package writeback

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"sluice/capi"
	"sluice/internal/extsort"
	"sluice/internal/frozen"
	"sluice/internal/ledger"
	"sluice/internal/outcome"
)

// putRows is how many rows one transaction writes, so that nobody waits long.
const putRows = 5000

// dedupe walks the events in key order beside the ledger's claims: what was
// already sent, or comes twice in this input, does not reach the plan. The same id
// with another time or value is not a duplicate but a conflict, and is listed.
func (p *planner) dedupe(ctx context.Context, byKey, byTime *extsort.Sorter) error {
	kinds := make([]ledger.Kind, len(p.kinds.names))
	for i, s := range p.kinds.names {
		kinds[i] = decodeKind(i, s)
	}
	d := deduper{planner: p, kinds: kinds, byTime: byTime, total: int64(byKey.Len())}
	err := p.store.View(ctx, func(tx ledger.Tx) error {
		err := byKey.Each(func(b []byte) error {
			var e entry
			if err := e.fromKey(b); err != nil {
				return err
			}
			if d.pending = append(d.pending, e); len(d.pending) < compareRows {
				return nil
			}
			return d.compare(ctx, tx)
		})
		if err != nil {
			return err
		}
		return d.compare(ctx, tx)
	})
	if err != nil {
		return err
	}
	return p.flushRejects(ctx, 1)
}

// compareRows is how many keys are looked up in the ledger at once.
const compareRows = 4096

// deduper decides chunk by chunk which events are new.
type deduper struct {
	*planner
	kinds       []ledger.Kind
	byTime      *extsort.Sorter
	pending     []entry
	first       entry // of the run of entries with one key
	any         bool  // there is a first
	seen, total int64
	keys        []ledger.Key
	rec         []byte
}

// compare looks the pending keys up and decides about each of their events.
func (d *deduper) compare(ctx context.Context, tx ledger.Tx) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.keys = d.keys[:0]
	for i := range d.pending {
		d.keys = append(d.keys, d.pending[i].key)
	}
	known, err := tx.Claims().Find(ctx, slices.Compact(d.keys))
	if err != nil {
		return err
	}
	for i := range d.pending {
		e := &d.pending[i]
		for len(known) > 0 && bytes.Compare(known[0].Key[:], e.key[:]) < 0 {
			known = known[1:]
		}
		var holder *ledger.Claim
		if len(known) > 0 && known[0].Key == e.key {
			holder = &known[0]
		}
		if err := d.decide(ctx, e, holder); err != nil {
			return err
		}
	}
	d.seen += int64(len(d.pending))
	d.pending = d.pending[:0]
	d.progress(Progress{Phase: "comparing", Done: d.seen, Total: d.total})
	return nil
}

func (d *deduper) decide(ctx context.Context, e *entry, holder *ledger.Claim) error {
	k := d.kinds[e.kind]
	if d.any && e.key == d.first.key {
		// Inside one input only the very same event is a repeat: two shops whose
		// first sale of the day has the same price are two sales.
		what := "another time or value"
		switch {
		case e.leaf == d.first.leaf:
			d.drop(k, "duplicate_in_input")
			return nil
		case e.fingerprint == d.first.fingerprint:
			what = "the same time and value but other data"
		}
		d.conflict(*e, k, fmt.Sprintf("an earlier row (%s:%d) has this id with %s", d.files.names[d.first.file], d.first.line, what))
		return d.flushRejects(ctx, 1000)
	}
	d.first, d.any = *e, true
	v := d.verdictOf(e)
	switch {
	case holder != nil && (holder.Fingerprint == e.fingerprint || d.stored != nil):
		d.drift(e, v, holder.Fingerprint != e.fingerprint)
		d.drop(k, "duplicate")
		return nil
	case holder != nil:
		d.conflict(*e, k, "the ledger holds this id with another time or value, and what was sent can't be corrected")
		return d.flushRejects(ctx, 1000)
	}
	if v != asPlanned {
		d.leaveOut(e, k, v)
		return nil
	}
	d.count(planned, k.Outcome, k.Labels)
	d.rec = e.byTime(d.rec[:0])
	return d.byTime.Add(d.rec)
}

func (p *planner) drop(k ledger.Kind, code string) {
	p.summary.Skips[code]++
	p.count(skipped, k.Outcome, k.Labels)
}

func (p *planner) conflict(e entry, k ledger.Kind, why string) {
	p.count(rejected, k.Outcome, k.Labels)
	p.leave(left{key: conflicting(&e), time: e.time, is: rejected, value: e.value, code: "id_conflict", outcome: k.Outcome, currency: k.Currency, labels: k.Labels})
	p.reject(ledger.Reject{
		File: p.files.names[e.file], Line: e.line, Stage: "identity", Code: "id_conflict", Field: "event_id",
		Hint:   why + "; if these are two sales, add the columns to `id:` that tell them apart",
		Record: recordDigest(e.eventID), Labels: k.Labels,
	})
}

// layer writes event rows and batches in plan order.
type layer struct {
	p       *planner
	kinds   []ledger.Kind
	tree    tree
	ord     int
	events  []ledger.Event
	batches []ledger.Batch
	sales   []outcome.EventSale
	batch   ledger.Batch
	class   byte
	bytes   int
	chosen  map[int]frozen.Ref // samples by place: the first event of each sort
	sorts   map[string]bool
}

// Batch limits: Meta takes 1 000 events; the body stays under 1 MiB with room for
// the envelope.
const (
	maxBatchEvents = 1000
	maxBatchBytes  = 1<<20 - 1024
)

// lay gives every event its place, oldest first, and cuts the batches.
func (p *planner) lay(ctx context.Context, byTime *extsort.Sorter) (root [32]byte, count int, samples []frozen.Ref, err error) {
	l := &layer{p: p, chosen: map[int]frozen.Ref{}, sorts: map[string]bool{}}
	for i, s := range p.kinds.names {
		l.kinds = append(l.kinds, decodeKind(i, s))
	}
	var e entry
	err = byTime.Each(func(b []byte) error {
		if err := e.fromTime(b); err != nil {
			return err
		}
		return l.add(ctx, &e, byTime.Len())
	})
	if err == nil {
		l.cut()
		err = l.flush(ctx)
	}
	p.summary.Files, p.summary.Requests = len(p.files.names), l.batch.No
	for _, ord := range slices.Sorted(maps.Keys(l.chosen)) {
		samples = append(samples, l.chosen[ord])
	}
	return l.tree.root(), l.ord, samples, err
}

// choose keeps the first event of every sort (name, outcome, tier) as a sample, and
// the oldest ones beside them while there is room.
func (l *layer) choose(e *entry) {
	k := l.kinds[e.kind]
	sort := k.EventName + " " + k.Outcome + " " + k.Tier
	if l.sorts[sort] && l.ord >= l.p.samples || len(l.sorts) >= l.p.samples && !l.sorts[sort] {
		return
	}
	if !l.sorts[sort] && len(l.chosen) >= l.p.samples {
		// Room for a new sort: the youngest filler goes.
		delete(l.chosen, slices.Max(slices.Collect(maps.Keys(l.chosen))))
	}
	if len(l.chosen) < l.p.samples {
		l.sorts[sort] = true
		l.chosen[l.ord] = frozen.Ref{Offset: e.offset, Length: e.length}
	}
}

func (l *layer) add(ctx context.Context, e *entry, total int) error {
	size := frozen.PlainLength(e.length) + 1 // and a comma
	if l.batch.Count == maxBatchEvents || l.bytes+size > maxBatchBytes || (l.batch.Count > 0 && e.class != l.class) {
		l.cut()
	}
	if l.batch.Count == 0 {
		l.batch.First, l.class, l.bytes = l.ord, e.class, 0
	}
	l.batch.Count++
	l.bytes += size
	l.tree.add(e.leaf)
	l.tally(e, size)
	l.choose(e)
	l.events = append(l.events, ledger.Event{
		Ref: ledger.RefOf(l.p.plan.No, l.ord), Key: e.key, Fingerprint: e.fingerprint, EventID: e.eventID, Kind: e.kind,
		Time: e.time, Value: e.value, File: e.file, Line: e.line, Offset: e.offset, Length: e.length,
	})
	if e.sale != (outcome.ID{}) {
		l.sales = append(l.sales, outcome.EventSale{Ref: int64(ledger.RefOf(l.p.plan.No, l.ord)), Sale: l.p.saleClaim(e.sale), Event: eventPart(e.key)})
	}
	l.ord++
	if len(l.events) < putRows {
		return nil
	}
	l.p.progress(Progress{Phase: "planning", Done: int64(l.ord), Total: int64(total)})
	return l.flush(ctx)
}

// cut ends the current batch.
func (l *layer) cut() {
	if l.batch.Count == 0 {
		return
	}
	b := l.batch
	b.Plan, b.Class, b.State = l.p.plan.No, classNames[l.class], ledger.Planned
	l.batches = append(l.batches, b)
	l.batch = ledger.Batch{No: b.No + 1}
}

func (l *layer) flush(ctx context.Context) error {
	if len(l.events) == 0 && len(l.batches) == 0 {
		return nil
	}
	err := l.p.store.Do(ctx, func(tx ledger.Tx) error {
		if err := tx.Events().Put(ctx, l.events); err != nil {
			return err
		}
		if err := tx.Outcomes().PutSales(ctx, l.sales); err != nil {
			return err
		}
		return tx.Batches().Put(ctx, l.batches)
	})
	l.events, l.batches, l.sales = l.events[:0], l.batches[:0], l.sales[:0]
	return err
}

// tally adds a planned event to the summary.
func (l *layer) tally(e *entry, size int) {
	s, k := l.p.summary, l.kinds[e.kind]
	s.Bytes += int64(size)
	s.Events[k.EventName]++
	s.Sources[k.ActionSource]++
	s.Tiers[k.Tier]++
	keys := capi.KeySet(k.Keys)
	for _, f := range keys.Fields() {
		s.Coverage[f.String()]++
	}
	if k.Tier == "weak" {
		for _, f := range capi.Lift(keys, capi.ActionSource(k.ActionSource)) {
			s.Lift[f.String()]++
		}
	}
	if k.EventName == purchase {
		l.p.purchase(k.Outcome, e.sale)
	}
	if k.Currency != "" {
		s.Value[k.Currency] += capi.Decimal(e.value)
		l.p.outliers.add(k.Currency, e.value)
	}
	age := l.p.now.Sub(time.Unix(e.time, 0))
	s.Ages[ageOf(age)]++
	if window := capi.Window(capi.ActionSource(k.ActionSource), l.p.options.OfflineWindow); window-age < 24*time.Hour {
		s.Expiring++
	}
	if s.OldestTime == 0 || e.time < s.OldestTime {
		s.OldestTime = e.time
	}
	s.NewestTime = max(s.NewestTime, e.time)
}
