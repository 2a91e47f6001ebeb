package writeback

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/capi"
	"sluice/internal/extsort"
	"sluice/internal/fault"
	"sluice/internal/frozen"
	"sluice/internal/ledger"
	"sluice/internal/mapping"
	"sluice/internal/outcome"
	"sluice/internal/privacy"
	"sluice/internal/suggest"
)

// Filters of a preview over outcomes.
const (
	FilterAll       = "all"
	FilterMetaTouch = "has_meta_touch"
)

// Selection chooses stored outcomes for a preview, in place of an input.
type Selection struct {
	Outcomes []string
	Window   string // see outcome.ParseWindow
	Zone     string // that cuts the days; empty: the profile's
}

// stored feeds a planner from the outcome store.
type stored struct {
	query  outcome.Query
	names  []string // of the chosen outcomes
	window string
	sum    hash.Hash
	read   int
}

// selection settles which outcomes a preview is over.
func (s *Service) selection(ctx context.Context, sel *Selection) (*stored, error) {
	if len(sel.Outcomes) == 0 || sel.Window == "" {
		return nil, fault.New(fault.Usage, "a preview over stored outcomes needs an outcome and a window").
			WithFix("for example --outcome payment_received --window last-7-days")
	}
	names := slices.Compact(slices.Sorted(slices.Values(sel.Outcomes)))
	query, window, err := s.query(ctx, OutcomeQuery{Outcomes: names, Window: sel.Window, Zone: sel.Zone})
	if err != nil {
		return nil, err
	}
	// Records that were left out before anybody could say what they are belong to
	// every window.
	query.Outcomes = append(slices.Clone(names), "")
	return &stored{query: query, names: names, window: window.Text, sum: sha256.New()}, nil
}

// knownOutcomes refuses an outcome that a person mistyped: one that has no event of
// Meta's by itself, none in the profile's policy, and was never stored.
func (s *Service) knownOutcomes(ctx context.Context, names []string) error {
	return s.store.View(ctx, func(tx ledger.Tx) error {
		policy, err := s.policyOf(ctx, tx)
		if err != nil {
			return err
		}
		known := append(mapping.DefaultOutcomes(), slices.Sorted(maps.Keys(policy.Events))...)
		complete := false
		for _, name := range names {
			if slices.Contains(known, name) {
				continue
			}
			if !complete {
				stats, err := tx.Outcomes().Stats(ctx, outcome.Query{Profile: s.profile})
				if err != nil {
					return err
				}
				for i := range stats {
					known = append(known, stats[i].Outcome)
				}
				complete = true
			}
			if !slices.Contains(known, name) {
				return unknownOutcome(name, known)
			}
		}
		return nil
	})
}

func unknownOutcome(name string, known []string) error {
	if suggest.LooksLikeData(name) {
		name = "of that name"
	}
	err := fault.New(fault.UnmappedOutcome, "no outcome %s is stored, and no event of Meta's is known for it", name)
	if near := suggest.Closest(name, known); near != "" {
		return err.WithFix("did you mean %s?", near)
	}
	return err
}

// origin names the selection in the plan.
func (st *stored) origin() string {
	return "outcomes:" + strings.Join(st.names, "+") + ":" + st.window
}

// labelsOf is every label name among the chosen outcomes.
func (st *stored) labelsOf(ctx context.Context, tx ledger.Tx) ([]string, error) {
	sets, err := tx.Outcomes().Labels(ctx, st.query)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, set := range sets {
		names = append(names, set...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// collectStored feeds the plan from the outcome store, oldest first.
func (p *planner) collectStored(ctx context.Context, sealer *frozen.Sealer, byKey *extsort.Sorter) error {
	w := &worker{p: p, sealer: sealer, kinds: map[string]string{}, tagger: privacy.NewTagger(p.guard.pepper), digest: p.digester()}
	v := p.vault()
	var seq int64
	err := p.store.View(ctx, func(tx ledger.Tx) error {
		if err := p.otherPurchases(ctx, tx); err != nil {
			return err
		}
		if err := v.load(ctx, tx, dayOf(p.stored.query.From), dayOf(p.stored.query.To)+1); err != nil {
			return err
		}
		r := result{sealed: p.buffers.get()}
		flush := func() error {
			err := p.take(ctx, r, &seq, byKey)
			r = result{sealed: p.buffers.get()}
			return err
		}
		err := tx.Outcomes().Each(ctx, p.stored.query, func(o *outcome.Row) error {
			it, err := w.stored(o, v, uint64(p.stored.read), &r)
			if err != nil {
				return err
			}
			p.stored.read++
			p.stored.add(o)
			if r.items = append(r.items, it); len(r.items) < chunkRows {
				return nil
			}
			return flush()
		})
		if err != nil {
			return err
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return p.flushRejects(ctx, 1)
}

// add makes the digest of a selection depend on everything that decides the plan.
func (st *stored) add(o *outcome.Row) {
	var b [24]byte
	binary.BigEndian.PutUint64(b[:], uint64(o.CancelledAt))
	copy(b[8:], o.State)
	st.sum.Write(o.ID[:])
	st.sum.Write(o.Digest[:])
	st.sum.Write(b[:])
}

// otherPurchases counts what the store knows of other purchases of the window that
// name no sale.
func (p *planner) otherPurchases(ctx context.Context, tx ledger.Tx) error {
	q := p.stored.query
	q.Outcomes, q.State = nil, outcome.Open
	stats, err := tx.Outcomes().Stats(ctx, q)
	for _, s := range stats {
		named := p.guard.policy.Events[s.Outcome].EventName
		if named == "" {
			named = mapping.DefaultEvent(s.Outcome)
		}
		if named == purchase && s.NoSale > 0 {
			p.beside.stored[s.Outcome] += s.NoSale
		}
	}
	return err
}

// stored turns a stored outcome into an item of the plan.
func (w *worker) stored(o *outcome.Row, v *vault, slot uint64, r *result) (item, error) {
	p := w.p
	it := item{file: o.File, line: o.Line, lines: 1, outcome: o.Outcome, labels: w.labels(o), keys: capi.KeySet(o.Keys)}
	it.at, it.receipt = o.Time, storedReceipt(p.realm, p.dataset, o)
	if o.State == outcome.Rejected {
		it.is = rejected
		it.reject = &ledger.Reject{File: o.File, Line: o.Line, Stage: "validate", Code: o.Code, Field: o.Field, Hint: o.Hint, Labels: it.labels}
		return it, nil
	}
	if o.State == outcome.Skipped {
		it.is, it.code = skipped, o.Code
		return it, nil
	}
	it.value, it.money = o.Value, o.Currency
	if p.onlyMeta && !o.MetaTouch {
		it.is, it.code = skipped, SkipNoMetaTouch
		return it, nil
	}
	source := capi.ActionSource(o.ActionSource)
	hold := holdOf(&p.guard.policy, o.Outcome, time.Duration(o.Hold)*time.Second, o.Hold >= 0)
	if tooLong(hold, source, p.options.OfflineWindow) {
		it.fatal = holdRefused(o.Outcome, hold, source, p.options.OfflineWindow)
		return it, nil
	}
	it.laid, it.rank, it.until = true, o.Rank, o.Time+int64(hold/time.Second)
	e := &it.entry
	e.time, e.eventID, e.value, e.line, e.sale = o.Time, o.EventID, o.Value, o.Line, o.Sale
	e.key = ledger.KeyOf(p.realm, p.dataset, o.EventName, o.EventID)
	e.fingerprint = ledger.Fingerprint(o.Time, o.Value, o.Currency)
	// Rows are unique by their id, and an event that is not planned has no bytes.
	e.leaf = leafHash(o.ID[:])
	if source == capi.PhysicalStore {
		e.class = classStore
	}
	ev := capi.Event{EventName: o.EventName, ActionSource: source, CustomData: capi.CustomData{Currency: o.Currency}}
	it.kind = w.kindOf(&ev, &mapping.Result{Outcome: o.Outcome, Labels: it.labels}, it.keys)
	now := p.now.Unix()
	switch {
	case o.State == outcome.Withdrawn && o.Consent == "unknown":
		e.verdict = asUnknownConsent
	case o.State == outcome.Withdrawn:
		e.verdict = asWithdrawn
	case o.State == outcome.Cancelled && o.CancelledAt < it.until:
		e.verdict = asCancelledInHold
	case o.State == outcome.Cancelled:
		e.verdict = asCancelled
	case o.State == outcome.Superseded:
		e.verdict = asSuperseded
	case now-o.Time > int64((capi.Window(source, p.options.OfflineWindow)-sendMargin)/time.Second):
		e.verdict = asTooOld
	case hold > 0 && it.until > now:
		e.verdict, e.offset = asHeld, it.until
	}
	if e.verdict != asPlanned {
		it.is = held
		return it, nil
	}
	err := w.unseal(o, v, slot, r, &it)
	return it, err
}

// unseal moves the event from the store's key to the plan's.
func (w *worker) unseal(o *outcome.Row, v *vault, slot uint64, r *result, it *item) error {
	data, err := v.unseal(w.event[:0], o.Day, o.ID, o.Payload)
	if errors.Is(err, errShredded) {
		it.laid, it.is, it.code = false, skipped, SkipErased
		return nil
	}
	if err != nil {
		return fault.New(fault.StoreUnavailable, "a stored outcome can't be read: %v", err)
	}
	w.event = data[:0]
	if w.recognise(data) {
		it.laid, it.is, it.code = false, skipped, SkipSuppressed
		return nil
	}
	e := &it.entry
	e.leaf = leafHash(data)
	e.offset = int64(len(r.sealed))
	r.sealed = w.sealer.Seal(r.sealed, slot, data)
	e.length = len(r.sealed) - int(e.offset)
	r.remember(w.tags, e)
	it.is = planned
	return nil
}

// labels brings the labels of a row into the order of the plan's.
func (w *worker) labels(o *outcome.Row) []string {
	if slices.Equal(o.LabelNames, w.p.labels) {
		return o.Labels
	}
	out := make([]string, len(w.p.labels))
	for i, name := range w.p.labels {
		if j := slices.Index(o.LabelNames, name); j >= 0 {
			out[i] = o.Labels[j]
		}
	}
	return out
}
