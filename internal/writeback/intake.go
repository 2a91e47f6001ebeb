package writeback

import (
	"context"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/capi"
	"sluice/internal/extsort"
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
