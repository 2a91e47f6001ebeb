package writeback

import (
	"context"
	"maps"
	"runtime"

	"golang.org/x/sync/errgroup"

	"sluice/capi"
	"sluice/internal/extsort"
	"sluice/internal/fault"
	"sluice/internal/frozen"
	"sluice/internal/ledger"
	"sluice/internal/mapping"
	"sluice/internal/privacy"
)

// Window classes: a request never mixes them, for one event outside its window
// fails the whole request. The seven-day class goes first, it expires sooner.
const (
	classWeek byte = iota
	classStore
)

var classNames = [...]string{classWeek: "7d", classStore: "62d"}

// collect reads, maps and encodes on every core and takes the results in input
// order, so that the outcome does not depend on timing.
func (p *planner) collect(ctx context.Context, sealer *frozen.Sealer, byKey *extsort.Sorter) error {
	g, ctx := errgroup.WithContext(ctx)
	workers := runtime.GOMAXPROCS(0)
	jobs := make(chan work, workers)
	order := make(chan chan result, 2*workers)
	g.Go(func() error {
		defer close(jobs)
		defer close(order)
		return p.read(ctx, func(w work) error {
			w.done = make(chan result, 1)
			select {
			case order <- w.done:
			case <-ctx.Done():
				return ctx.Err()
			}
			select {
			case jobs <- w:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	for range workers {
		encoder, err := capi.NewEncoder(p.options)
		if err != nil {
			return fault.New(fault.MappingInvalid, "%v", err)
		}
		w := &worker{p: p, mapper: mapping.NewMapper(p.mapping), encoder: encoder, sealer: sealer, kinds: map[string]string{}, tagger: privacy.NewTagger(p.guard.pepper), digest: p.digester()}
		w.mapper.ForceLimitedDataUse(p.guard.policy.ForceLDU)
		g.Go(func() error {
			for j := range jobs {
				j.done <- w.run(j)
			}
			return nil
		})
	}
	g.Go(func() error {
		var seq int64
		for done := range order {
			select {
			case r := <-done:
				if err := p.take(ctx, r, &seq, byKey); err != nil {
					return err
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return p.flushRejects(ctx, 1)
	})
	return g.Wait()
}

// take books one chunk of results.
func (p *planner) take(ctx context.Context, r result, seq *int64, byKey *extsort.Sorter) error {
	base, err := p.payload.Append(r.sealed)
	if err != nil {
		return fault.New(fault.StoreUnavailable, "the plan's payload can't be written").Wrap(err)
	}
	p.buffers.put(r.sealed)
	if err := p.indexed(ctx, &r, base); err != nil {
		return err
	}
	var rec []byte
	for i := range r.items {
		it := &r.items[i]
		file := p.files.of(it.file)
		p.observe(it)
		if it.fatal != nil {
			return it.fatal
		}
		if err := p.noteCancels(it, *seq); err != nil {
			return err
		}
		if it.laid {
			e := &it.entry
			e.seq, e.file, e.kind = *seq, file, p.kinds.of(it.kind)
			if e.kind >= maxKinds {
				return fault.New(fault.MappingInvalid, "the labels take more than %d different values", maxKinds).
					WithFix("label by shop or region, not by something that is different for every order")
			}
			if it.is == planned {
				e.offset += base
			}
			if err := p.noteSale(it, e); err != nil {
				return err
			}
			*seq++
			rec = e.byKey(rec[:0])
			if err := byKey.Add(rec); err != nil {
				return err
			}
			continue // counted once duplicates are known
		}
		switch it.is {
		case rejected:
			p.reject(*it.reject)
		case skipped:
			p.summary.Skips[it.code]++
		}
		p.count(it.is, it.outcome, it.labels)
		p.leaveItem(it)
	}
	if err := p.flushRejects(ctx, 1000); err != nil {
		return err
	}
	if p.stored != nil {
		p.progress(Progress{Phase: "reading", Done: int64(p.stored.read)})
		return nil
	}
	read := p.reader.Progress()
	p.progress(Progress{Phase: "reading", Done: read.Records, Bytes: read.Bytes, TotalBytes: read.Total})
	return nil
}

// observe gathers what is true of a record whatever becomes of it.
func (p *planner) observe(it *item) {
	at := Place{it.file, it.line}
	p.summary.Lines += int64(it.lines)
	for _, code := range it.warns {
		note(p.summary.Warnings, code, warningHints[code], at)
	}
	for _, f := range it.faults {
		if f.Effect == capi.Drop {
			note(p.summary.Dropped, f.Code, f.Fix, at)
		} else {
			note(p.summary.Warnings, f.Code, f.Fix, at)
		}
	}
	p.hashed += it.hashed
	p.keyed += (it.keys & hashable).Len()
	if it.money != "" {
		p.summary.Mapped[it.money] += capi.Decimal(it.value)
	}
}

// hashable are the keys whose values travel hashed.
var hashable = func() (keys capi.KeySet) {
	for _, f := range capi.Fields() {
		if f.Hashed() {
			keys = keys.With(f)
		}
	}
	return keys
}()

// count books one record under its outcome and labels.
func (p *planner) count(d disposition, outcome string, labels []string) {
	p.summary.Counts.add(d)
	if outcome != "" {
		c := p.summary.Outcomes[outcome]
		c.add(d)
		p.summary.Outcomes[outcome] = c
	}
	for i, value := range labels {
		byValue := p.summary.Labels[p.labels[i]]
		if byValue == nil {
			byValue = map[string]*Counts{}
			p.summary.Labels[p.labels[i]] = byValue
		}
		c := byValue[value]
		if c == nil && len(byValue) >= maxLabelValues {
			value = otherLabels
			c = byValue[value]
		}
		if c == nil {
			c = &Counts{}
			byValue[value] = c
		}
		c.add(d)
	}
}

// maxKinds bounds the combinations of event, source, currency, tier and labels.
const maxKinds = 1 << 16

// maxLabelValues bounds what a label costs; further values are counted together.
const (
	maxLabelValues = 1000
	otherLabels    = "(other)"
)

func (p *planner) reject(r ledger.Reject) {
	r.Plan = p.plan.No
	p.rejects = append(p.rejects, r)
	p.summary.Rejects[r.Code]++
}

// flushRejects writes the collected rejects once there are at least n.
func (p *planner) flushRejects(ctx context.Context, n int) error {
	if err := p.flushLeft(ctx, min(leftRows, n*n)); err != nil {
		return err
	}
	if len(p.rejects) < n {
		return nil
	}
	err := p.store.Do(ctx, func(tx ledger.Tx) error { return tx.Rejects().Put(ctx, p.rejects) })
	p.rejects = p.rejects[:0]
	return err
}

var warningHints = map[string]string{
	"float_ids":        "the export wrote ids as 17850.0; add the transform strip_dot_zero",
	"scientific_phone": "a spreadsheet turned phone numbers into 4.477E+11; export the column as text",
	"date_only_time":   "most times are midnight: date-only times merge sales that have no order id",
}

// warn turns counts into the warnings that need the whole input.
func (p *planner) warn() {
	s := p.summary
	if n := s.Warnings["date_only_time"]; n != nil && 2*n.Count <= s.Counts.Rows {
		delete(s.Warnings, "date_only_time")
	}
	if len(s.Value) > 1 {
		s.Warnings["mixed_currency"] = &Note{Count: len(s.Value), Hint: "the plan holds several currencies; check that the currency column is right"}
	}
	if p.hashed > 0 && p.hashed < p.keyed {
		s.Warnings["prehashed_mixed"] = &Note{Count: p.hashed, Hint: "some identifiers arrive hashed and some do not; declare `hashed: yes` or `no` where you know"}
	}
	for _, r := range p.open {
		s.Warnings["open_run"] = &Note{
			Count: r.Open(),
			Hint:  "events of plan " + r.PlanID + " wait to be sent and count as duplicates here: `sluice confirm " + r.PlanID + "` goes on with it",
		}
	}
	p.outliers.warn(s)
	if p.remarks != nil {
		maps.Copy(s.Warnings, p.remarks())
	}
	if p.reader != nil {
		s.Notes = p.reader.Notes()
	}
	p.doubleCount()
	if n := s.Skips["duplicate_in_input"]; n > 0 {
		s.Warnings["duplicate_pk"] = &Note{Count: n, Hint: "the input repeats records; each is planned once"}
	}

}

// buffers hands the memory of sealed chunks from the writer back to the workers:
// half a megabyte each, too much to leave to the collector of garbage.
type buffers chan []byte

func (b buffers) get() []byte {
	select {
	case buf := <-b:
		return buf[:0]
	default:
		return make([]byte, 0, chunkRows*1280)
	}
}

func (b buffers) put(buf []byte) {
	select {
	case b <- buf:
	default:
	}
}
