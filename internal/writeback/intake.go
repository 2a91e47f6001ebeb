package writeback

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/capi"
	"sluice/internal/extsort"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/mapping"
	"sluice/internal/outcome"
	"sluice/internal/privacy"
	"sluice/internal/tenant"
)

// intake brings records into the outcome store: mapped, hashed, encoded and sealed
// on every core, written some thousand rows at a time. Cancellations wait until the
// whole input is in, for its order is not that of time.
type intake struct {
	*Service
	planner  *planner // reads and groups the input
	policy   *tenant.Policy
	options  capi.Options
	source   string
	vault    *vault
	now      time.Time
	rejected func(*ledger.Reject) error
	progress func(Progress)

	total   *Intake
	pending []arrived
	seen    map[outcome.ID]int // place in pending
	cancels *extsort.Sorter

	pepper []byte
	list   *privacy.List // who must not be kept
}

// arrived is one record on its way into the store.
type arrived struct {
	row       outcome.Row
	target    outcome.ID   // of the record, for cancellations that came before it
	only      outcome.ID   // the same, for those that mean this outcome alone
	repeated  outcome.ID   // of the outcome whatever its occurrence; zero: it has none
	lines     []outcome.ID // that a cancellation can name
	cancel    *outcome.Cancellation
	targets   []outcome.ID // outcomes that the cancellation may mean
	withdraws outcome.ID   // an outcome whose consent this record takes back
	consent   string
	reject    *ledger.Reject
	skip      string
	warns     []string
	faults    []capi.Fault
	count     int    // rows of the input
	status    string // once it is put, see ItemResult
}

func (in *intake) run(ctx context.Context) error {
	in.cancels = extsort.New(in.dir("tmp"), 0)
	defer func() { _ = in.cancels.Close() }()
	in.seen = map[outcome.ID]int{}
	if err := in.collect(ctx); err != nil {
		return err
	}
	if err := in.flush(ctx); err != nil {
		return err
	}
	return in.takeBack(ctx)
}

// collect maps on every core and books in input order.
func (in *intake) collect(ctx context.Context) error {
	type job struct {
		work work
		done chan []arrived
	}
	g, ctx := errgroup.WithContext(ctx)
	workers := runtime.GOMAXPROCS(0)
	jobs, order := make(chan job, workers), make(chan chan []arrived, 2*workers)
	g.Go(func() error {
		defer close(jobs)
		defer close(order)
		return in.planner.read(ctx, func(w work) error {
			j := job{w, make(chan []arrived, 1)}
			select {
			case order <- j.done:
			case <-ctx.Done():
				return ctx.Err()
			}
			select {
			case jobs <- j:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	for range workers {
		a, err := in.arriver(ctx)
		if err != nil {
			return err
		}
		mapper := mapping.NewMapper(in.planner.mapping)
		mapper.ForceLimitedDataUse(in.policy.ForceLDU)
		g.Go(func() error {
			for j := range jobs {
				list, err := a.all(ctx, mapper, in.planner.mapping, j.work)
				if err != nil {
					return err
				}
				j.done <- list
			}
			return nil
		})
	}
	g.Go(func() error {
		for done := range order {
			select {
			case list := <-done:
				for i := range list {
					if err := in.take(ctx, &list[i]); err != nil {
						return err
					}
				}
			case <-ctx.Done():
				return ctx.Err()
			}
			if in.progress != nil {
				read := in.planner.reader.Progress()
				in.progress(Progress{Phase: "reading", Done: read.Records, Bytes: read.Bytes, TotalBytes: read.Total})
			}
		}
		return nil
	})
	return g.Wait()
}

// take books one record and keeps it until a transaction is full.
func (in *intake) take(ctx context.Context, a *arrived) error {
	n := in.total
	n.Rows++
	n.Lines += int64(a.count)
	at := Place{a.row.File, a.row.Line}
	for _, code := range a.warns {
		note(n.Warnings, code, warningHints[code], at)
	}
	for _, f := range a.faults {
		note(n.Warnings, f.Code, f.Fix, at)
	}
	if a.reject != nil {
		n.Rejected++
		n.Rejects[a.reject.Code]++
		if in.rejected != nil {
			if err := in.rejected(a.reject); err != nil {
				return err
			}
		}
	}
	switch {
	case a.cancel != nil:
		n.Cancellations++
		return in.cancels.Add(encodeCancel(a.cancel, a.targets))
	case a.skip != "":
		n.Skipped++
		n.Skips[a.skip]++
		id := a.row.ID
		if id == (outcome.ID{}) {
			id = a.withdraws
		}
		if id == (outcome.ID{}) {
			return nil
		}
		// What is taken back may be waiting to be written.
		if i, waits := in.seen[id]; waits {
			if in.pending[i].skip == a.skip {
				return nil
			}
			if err := in.flush(ctx); err != nil {
				return err
			}
		}
		in.seen[id] = len(in.pending)
	case a.row.ID == (outcome.ID{}):
		return nil // a reject that no window would ever find
	default:
		if i, twice := in.seen[a.row.ID]; twice {
			if in.pending[i].row.Digest == a.row.Digest {
				if a.reject == nil {
					n.Repeated++
				}
				return nil
			}
			if err := in.flush(ctx); err != nil {
				return err
			}
		}
		in.seen[a.row.ID] = len(in.pending)
	}
	if in.pending = append(in.pending, *a); len(in.pending) < putRows {
		return nil
	}
	return in.flush(ctx)
}

// flush writes what is pending in one transaction.
func (in *intake) flush(ctx context.Context) error {
	if len(in.pending) == 0 {
		return nil
	}
	var done Intake
	err := in.store.Do(ctx, func(tx ledger.Tx) error {
		done = Intake{Outcomes: map[string]int{}}
		return in.put(ctx, tx, &done)
	})
	if err != nil {
		return err
	}
	n := in.total
	n.New, n.Repeated, n.Changed = n.New+done.New, n.Repeated+done.Repeated, n.Changed+done.Changed
	n.Cancelled, n.Withdrawn = n.Cancelled+done.Cancelled, n.Withdrawn+done.Withdrawn
	for name, c := range done.Outcomes {
		n.Outcomes[name] += c
	}
	in.pending = in.pending[:0]
	clear(in.seen)
	return nil
}

func (in *intake) put(ctx context.Context, tx ledger.Tx, done *Intake) error {
	repo, now := tx.Outcomes(), tx.Now()
	rows := make([]outcome.Row, 0, len(in.pending))
	from := make([]*arrived, 0, len(in.pending))
	for i := range in.pending {
		a := &in.pending[i]
		if a.withdraws != (outcome.ID{}) {
			was, err := repo.Withdraw(ctx, a.withdraws, a.consent, now)
			if err != nil {
				return err
			}
			if was {
				done.Withdrawn++
				a.status = ItemWithdrawn
				continue
			}
		}
		if a.row.ID == (outcome.ID{}) {
			continue
		}
		a.row.ArrivedAt, a.row.ChangedAt = now, now
		rows, from = append(rows, a.row), append(from, a)
	}
	arrivals, err := repo.Put(ctx, rows)
	if err != nil {
		return err
	}
	var lines []outcome.Line
	var targets, sales []outcome.ID
	fresh := map[outcome.ID][]outcome.ID{} // record -> outcomes
	for i, a := range arrivals {
		row := &rows[i]
		isNew := a.Old == nil
		switch {
		case from[i].reject != nil, from[i].skip != "":
			continue
		case isNew:
			from[i].status = ItemNew
			done.New++
			done.Outcomes[row.Outcome]++
		case a.Changed:
			from[i].status = ItemChanged
			done.Changed++
		default:
			from[i].status = ItemRepeated
			done.Repeated++
			continue
		}
		// A changed order can be named by what it has become, too.
		for ord, l := range from[i].lines {
			lines = append(lines, outcome.Line{Line: l, Order: row.ID, At: row.Time, Ord: ord})
		}
		if isNew || a.Old.State == outcome.Rejected || a.Old.State == outcome.Skipped {
			if from[i].repeated != (outcome.ID{}) {
				lines = append(lines, outcome.Line{Line: from[i].repeated, Order: row.ID})
			}
			for _, target := range []outcome.ID{from[i].target, from[i].only} {
				targets = append(targets, target)
				fresh[target] = append(fresh[target], row.ID)
			}
		}
		if row.Sale != (outcome.ID{}) {
			sales = append(sales, row.Sale)
		}
	}
	if err := repo.PutLines(ctx, lines); err != nil {
		return err
	}
	early, err := repo.CancelledTargets(ctx, in.profile, targets)
	if err != nil {
		return err
	}
	for target, at := range early {
		for _, id := range fresh[target] {
			if _, err := repo.Cancel(ctx, id, -1, at, now); err != nil {
				return err
			}
			done.Cancelled++
		}
	}
	slices.SortFunc(sales, func(a, b outcome.ID) int { return slices.Compare(a[:], b[:]) })
	return repo.Supersede(ctx, in.profile, slices.Compact(sales), now)
}

// takeBack applies the cancellations in the order of their times.
func (in *intake) takeBack(ctx context.Context) error {
	var chunk []cancelJob
	flush := func() error {
		if len(chunk) == 0 {
			return nil
		}
		var cancelled, unmatched int
		err := in.store.Do(ctx, func(tx ledger.Tx) error {
			cancelled, unmatched = 0, 0
			for i := range chunk {
				hit, done, err := chunk[i].apply(ctx, tx, in.profile)
				if err != nil {
					return err
				}
				cancelled += done
				if !hit {
					unmatched++
				}
			}
			return nil
		})
		in.total.Cancelled, in.total.Unmatched = in.total.Cancelled+cancelled, in.total.Unmatched+unmatched
		chunk = chunk[:0]
		return err
	}
	err := in.cancels.Each(func(b []byte) error {
		j, err := decodeCancel(b)
		if err != nil {
			return err
		}
		if chunk = append(chunk, j); len(chunk) < putRows/10 {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// takeOne applies one cancellation by itself.
func (in *intake) takeOne(ctx context.Context, j cancelJob) (hit bool, cancelled int, err error) {
	err = in.store.Do(ctx, func(tx ledger.Tx) (err error) {
		hit, cancelled, err = j.apply(ctx, tx, in.profile)
		return err
	})
	return hit, cancelled, err
}

// cancelJob is a cancellation with the outcomes that it may mean.
type cancelJob struct {
	outcome.Cancellation
	targets []outcome.ID
}

// apply takes back what the cancellation names. A repeated one changes nothing. It
// reports whether it found anything, and how many outcomes it cancelled.
func (j *cancelJob) apply(ctx context.Context, tx ledger.Tx, profile string) (hit bool, cancelled int, err error) {
	repo, now := tx.Outcomes(), tx.Now()
	j.Profile, j.ArrivedAt = profile, now
	at := j.At
	if at == 0 {
		at = now.Unix()
	}
	j.At = at
	fresh, err := repo.Remember(ctx, &j.Cancellation)
	if err != nil || !fresh {
		return true, 0, err
	}
	count := map[outcome.ID]int{}
	var orders []outcome.ID
	if j.Target != (outcome.ID{}) {
		orders = slices.Clone(j.targets)
		for more := true; more; { // every occurrence of what it means
			taken, err := repo.TakeBack(ctx, j.Lines, at)
			if err != nil {
				return false, 0, err
			}
			orders, more = append(orders, taken...), len(taken) > 0
		}
		for _, id := range orders {
			count[id] = -1
		}
	} else {
		taken, err := repo.TakeBack(ctx, j.Lines, at)
		if err != nil {
			return false, 0, err
		}
		for _, id := range taken {
			if count[id]++; count[id] == 1 {
				orders = append(orders, id)
			}
		}
		if hit = len(orders) > 0; !hit {
			// Its order may not be here yet; then it counts when it comes again.
			return false, 0, repo.Dismiss(ctx, j.ID)
		}
	}
	for _, id := range orders {
		is, err := repo.Cancel(ctx, id, count[id], at, now)
		if err != nil {
			return hit, cancelled, err
		}
		if is {
			hit, cancelled = true, cancelled+1
		}
	}
	return hit, cancelled, nil
}

// encodeCancel puts the time first: that is the order in which they count.
func encodeCancel(c *outcome.Cancellation, targets []outcome.ID) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(c.At)^1<<63)
	b = append(b, c.ID[:]...)
	b = append(b, c.Target[:]...)
	b = binary.AppendUvarint(b, uint64(len(targets)))
	for _, list := range [][]outcome.ID{targets, c.Lines} {
		for i := range list {
			b = append(b, list[i][:]...)
		}
	}
	return b
}

func decodeCancel(b []byte) (j cancelJob, err error) {
	const size = len(outcome.ID{})
	if len(b) < 8+2*size {
		return j, errIndex
	}
	j.At = int64(binary.BigEndian.Uint64(b) ^ 1<<63)
	copy(j.ID[:], b[8:])
	copy(j.Target[:], b[8+size:])
	n, w := binary.Uvarint(b[8+2*size:])
	if w <= 0 {
		return j, errIndex
	}
	rest := b[8+2*size+w:]
	if len(rest)%size != 0 || uint64(len(rest)/size) < n {
		return j, errIndex
	}
	for i := 0; len(rest) > 0; i++ {
		id := outcome.ID(rest)
		rest = rest[size:]
		if uint64(i) < n {
			j.targets = append(j.targets, id)
		} else {
			j.Lines = append(j.Lines, id)
		}
	}
	return j, nil
}

// arriver turns mapped records into rows of the store. It serves one goroutine.
type arriver struct {
	in      *intake
	digest  *digester
	encoder *capi.Encoder
	at      time.Time // what the encoder takes for now
	event   []byte
	tagger  *privacy.Tagger
}

// arriver's encoder judges an event by its own time: how old it may be is a
// question for the day it is sent.
func (in *intake) arriver(ctx context.Context) (*arriver, error) {
	a := &arriver{in: in, digest: in.digester()}
	opts := in.options
	opts.Now = func() time.Time { return a.at }
	err := in.knowPeople(ctx)
	if err != nil {
		return nil, err
	}
	a.tagger = privacy.NewTagger(in.pepper)
	if a.encoder, err = capi.NewEncoder(opts); err != nil {
		return nil, fault.New(fault.MappingInvalid, "%v", err)
	}
	return a, nil
}

func (a *arriver) all(ctx context.Context, mapper *mapping.Mapper, m *mapping.Mapping, w work) ([]arrived, error) {
	if w.fault != nil {
		return []arrived{{reject: w.fault.reject, count: 1, row: outcome.Row{File: w.fault.file, Line: w.fault.line}}}, nil
	}
	out := make([]arrived, len(w.groups))
	for i, rows := range w.groups {
		if err := a.one(ctx, mapper, m, rows, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// one maps the rows of one record.
func (a *arriver) one(ctx context.Context, mapper *mapping.Mapper, m *mapping.Mapping, rows []mapping.Row, to *arrived) error {
	r := mapper.Map(rows)
	to.count, to.warns = len(rows), slices.Clone(r.Warnings)
	to.row.File, to.row.Line, to.row.Source = rows[0].File, rows[0].Line, a.in.source
	ns := m.Namespace()
	switch {
	case r.Kind == mapping.Skipped && r.Code == mapping.SkipCancellation && m.Cancels() && r.RecordID != "":
		a.cancellation(ns, r, to, slices.Sorted(maps.Keys(m.Outcomes())))
		return nil
	case r.Kind == mapping.Skipped:
		to.skip = r.Code
		if (r.Code == mapping.SkipConsentDenied || r.Code == mapping.SkipConsentUnknown) && r.RecordID != "" {
			to.withdraws, to.consent = a.digest.of(digestOutcome, r.Outcome, ns, r.RecordID, r.Occurrence), strings.TrimPrefix(r.Code, "consent_")
		}
		a.leftOut(m, r, to)
		return nil
	case r.Kind == mapping.Rejected:
		to.refuse("map", r.Reject.Code, r.Reject.Column, r.Reject.Masked, r.Reject.Hint, r.RecordID)
		a.leftOut(m, r, to)
		return nil
	}
	said, isSaid := m.HoldSaid(r.Outcome)
	rec := incoming{
		outcome: r.Outcome, namespace: ns, record: r.RecordID, occurrence: r.Occurrence, sale: r.SaleKey, consent: r.Consent,
		labelNames: m.LabelNames(), labels: slices.Clone(r.Labels), hold: -1, eventSaid: m.EventSaid(r.Outcome),
	}
	if isSaid {
		rec.hold = int64(said / time.Second)
	}
	for _, t := range r.Touches {
		rec.touches = append(rec.touches, outcome.Touch(t))
	}
	to.lines = a.digest.lines(ns, r.Items)
	ev := r.Event
	return a.store(ctx, &rec, &ev, to)
}

// leftOut keeps a record that does not become an event, without anything of it but
// its place and time: windows count it. One that no window or repeat could find again
// is not kept.
func (a *arriver) leftOut(m *mapping.Mapping, r *mapping.Result, to *arrived) {
	if r.RecordID == "" || r.Event.EventTime == 0 {
		return
	}
	ns, o := m.Namespace(), &to.row
	o.ID = a.digest.of(digestOutcome, r.Outcome, ns, r.RecordID, r.Occurrence)
	mapped, known := m.Outcomes()[r.Outcome]
	if known { // else it may be anything that a column holds
		o.Outcome = r.Outcome
	}
	o.EventID, o.EventName = r.Event.EventID, eventOf(a.in.policy, r.Outcome, mapped, m.EventSaid(r.Outcome))
	if o.EventID == "" {
		o.EventID = mapping.EventID(ns, r.Outcome, r.RecordID, r.Occurrence)
	}
	o.LabelNames, o.Labels = m.LabelNames(), slices.Clone(r.Labels)
	a.nothing(to, r.Event.EventTime)
}

// nothing makes a row of a record without an event.
func (a *arriver) nothing(to *arrived, at int64) {
	o := &to.row
	o.Profile, o.Time, o.Day, o.Hold, o.Lines = a.in.profile, at, dayOf(at), -1, 1
	if to.reject != nil {
		to.reject.Labels = o.Labels
		a.seal(to)
		return
	}
	o.State, o.Code = outcome.Skipped, to.skip
	o.Digest = a.digest.of(digestContent, "skipped", o.Code)
}

// cancellation names what the record takes back.
func (a *arriver) cancellation(ns string, r *mapping.Result, to *arrived, outcomes []string) {
	c := &outcome.Cancellation{ID: a.digest.of(digestRecord, "cancellation", ns, r.RecordID), At: r.Event.EventTime}
	if r.TakesBack != "" {
		c.Target = a.digest.of(digestRecord, ns, r.TakesBack)
		for _, o := range outcomes {
			to.targets = append(to.targets, a.digest.of(digestOutcome, o, ns, r.TakesBack, ""))
			c.Lines = append(c.Lines, a.digest.of(digestRepeated, o, ns, r.TakesBack))
		}
	} else {
		c.Lines = a.digest.lines(ns, r.Items)
	}
	to.cancel = c
}

// incoming is what a record says beside its event.
type incoming struct {
	outcome, namespace, record, occurrence string
	sale, consent                          string
	labelNames, labels                     []string
	touches                                []outcome.Touch
	hold                                   int64
	eventSaid                              bool
}

// store hashes, encodes and seals the event of a record.
func (a *arriver) store(ctx context.Context, rec *incoming, ev *capi.Event, to *arrived) error {
	o := &to.row
	o.ID = a.digest.of(digestOutcome, rec.outcome, rec.namespace, rec.record, rec.occurrence)
	to.target, to.only = a.digest.of(digestRecord, rec.namespace, rec.record), a.digest.of(digestRecord, rec.namespace, rec.record, rec.outcome)
	if rec.occurrence != "" {
		to.repeated = a.digest.of(digestRepeated, rec.outcome, rec.namespace, rec.record)
	}
	ev.EventName = eventOf(a.in.policy, rec.outcome, ev.EventName, rec.eventSaid)
	ev.CustomData.Currency = strings.ToUpper(strings.TrimSpace(ev.CustomData.Currency))
	if ev.EventID == "" {
		ev.EventID = mapping.EventID(rec.namespace, rec.outcome, rec.record, rec.occurrence)
	}
	crm(ev, rec.outcome)
	o.Profile, o.Outcome, o.State, o.Time, o.Day = a.in.profile, rec.outcome, outcome.Open, ev.EventTime, dayOf(ev.EventTime)
	o.EventID, o.EventName, o.ActionSource = ev.EventID, ev.EventName, string(ev.ActionSource)
	o.Value, o.Currency, o.Hold = int64(ev.CustomData.Value.Value), ev.CustomData.Currency, rec.hold
	if ev.EventName == purchase {
		o.Sale = a.digest.sale(rec.sale)
	}
	o.Rank, o.Consent, o.Lines = outcome.Rank(a.in.policy.SaleRank, rec.outcome), rec.consent, max(1, len(to.lines))
	o.LabelNames, o.Labels = rec.labelNames, rec.labels
	o.Touches = len(rec.touches)
	o.MetaTouch = ev.UserData.FBC != "" || slices.ContainsFunc(rec.touches, func(t outcome.Touch) bool { return t.Meta() })
	if strings.ContainsRune(ev.EventID, 0) {
		to.refuse("map", "bad_event_id", "event_id", "", "the event id holds a NUL character; mend the column it comes from", rec.record)
		a.seal(to)
		return nil
	}
	// An event is as old as it is: only one of the future is judged by the clock.
	if a.at = time.Unix(ev.EventTime, 0); a.at.After(a.in.now) {
		a.at = a.in.now
	}
	data, report := a.encoder.Append(a.event[:0], ev)
	a.event, o.Keys = data[:0], uint64(report.Keys)
	if bad := firstRefusal(report); bad != nil {
		to.refuse("validate", bad.Code, bad.Path, "", bad.Message+"; "+bad.Fix, rec.record)
		a.seal(to)
		return nil
	}
	to.faults = append(to.faults, report.Faults...)
	tags := a.tagger.Of(nil, data)
	if a.in.list.Any(tags) {
		// What is stored of it from before must not be sent either.
		id, place := o.ID, outcome.Row{
			ID: o.ID, Outcome: o.Outcome, EventID: o.EventID, EventName: o.EventName, File: o.File, Line: o.Line, Source: o.Source,
			LabelNames: o.LabelNames, Labels: o.Labels,
		}
		at := o.Time
		*to = arrived{row: place, skip: SkipSuppressed, withdraws: id, consent: SkipSuppressed, warns: to.warns, count: to.count}
		a.nothing(to, at)
		return nil
	}
	o.Subjects = privacy.Join(tags)
	a.digestOf(to, data, rec)
	var err error
	if o.Payload, err = a.in.vault.seal(ctx, o.Day, o.ID, data); err != nil {
		return err
	}
	if len(rec.touches) == 0 {
		return nil
	}
	trail, err := json.Marshal(rec.touches)
	if err != nil {
		return err
	}
	o.Trail, err = a.in.vault.seal(ctx, o.Day, o.ID, trail)
	return err
}

// seal turns a row whose event was refused into a reject that windows find.
func (a *arriver) seal(to *arrived) {
	o := &to.row
	o.State, o.Code, o.Field, o.Hint, o.Sale = outcome.Rejected, to.reject.Code, to.reject.Field, to.reject.Hint, outcome.ID{}
	o.Digest = a.digest.of(digestContent, "rejected", o.Code, o.Field)
}

// digestOf tells two versions of one outcome apart.
func (a *arriver) digestOf(to *arrived, data []byte, rec *incoming) {
	d, o := a.digest, &to.row
	d.mac.Reset()
	d.add(digestContent)
	d.mac.Write(data)
	d.add(string(o.Sale[:]))
	d.add(strconv.FormatInt(o.Hold, 10))
	d.add(rec.consent)
	for i, name := range o.LabelNames {
		d.add(name)
		d.add(o.Labels[i])
	}
	for _, t := range rec.touches {
		for _, s := range [...]string{t.Channel, t.Source, t.CampaignID, t.AdID, t.ClickID, strconv.FormatInt(t.Time, 10)} {
			d.add(s)
		}
	}
	o.Digest = d.sum()
}

func (a *arrived) refuse(stage, code, field, masked, hint, record string) {
	a.reject = &ledger.Reject{
		File: a.row.File, Line: a.row.Line, Stage: stage, Code: code, Field: field, Masked: masked, Hint: hint,
		Record: recordDigest(record), Labels: a.row.Labels,
	}
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }
