package writeback

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"time"

	"sluice/internal/extsort"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/mapping"
	"sluice/internal/outcome"
)

// receipt is one record as the books have it now.
type receipt struct {
	time      int64 // event_time, Unix seconds
	state     ledger.State
	code      string
	value     int64
	currency  string
	outcome   string
	event     string // event name; empty when it never became one
	tier      string
	source    string // action source
	labels    []string
	names     []string // of the labels
	realm     string
	dataset   string
	delivered int64 // when it was acknowledged, Unix seconds; 0: it was not
}

// receiptQuery chooses receipts by event_time, half open; an empty dataset is every one.
type receiptQuery struct {
	from, to       time.Time
	realm, dataset string
}

// strong are the states in which bytes may reach Meta or may have: at most one event
// of a key is in one of them, so what it says counts.
func strong(s ledger.State) bool {
	switch s {
	case ledger.Queued, ledger.InFlight, ledger.RetryWait, ledger.Unknown, ledger.Delivered:
		return true
	default:
		return false
	}
}

// receipts calls fn once for every record of the profile whose time lies in the
// window, whatever the number of previews it was in. What was sent or waits to be
// counts as that; else the newest preview that saw the record says what it is. A
// repeat of a record is no receipt of its own. It returns what does not add up.
func (s *Service) receipts(ctx context.Context, q receiptQuery, fn func(*receipt) error) (books []string, err error) {
	if err := os.MkdirAll(s.dir("tmp"), 0o700); err != nil {
		return nil, fault.New(fault.StoreUnavailable, "the state directory can't be written").Wrap(err)
	}
	c := &receiptBook{q: q, sorter: extsort.New(s.dir("tmp"), 0), shared: newInterner(), targets: map[Target]bool{}}
	defer func() { _ = c.sorter.Close() }()
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		var before int64
		for {
			plans, err := tx.Plans().ListOf(ctx, s.profile, before, planPage)
			if err != nil {
				return err
			}
			if len(plans) == 0 {
				break
			}
			for i := range plans {
				p := &plans[i]
				if p.State == ledger.PlanBuilding || q.dataset != "" && (p.Dataset != q.dataset || p.Realm != q.realm) {
					continue
				}
				// A plan can't hold what happened after it was made.
				if p.CreatedAt.Before(q.from.Add(-24 * time.Hour)) {
					continue
				}
				c.targets[Target{s.profile, p.Realm, p.Dataset}] = true
				if err := c.add(ctx, tx, p); err != nil {
					return err
				}
			}
			before = plans[len(plans)-1].No
		}
		return c.stored(ctx, tx, s.profile)
	})
	if err != nil {
		return nil, err
	}
	return c.books, c.each(fn)
}

const planPage = 200

// receiptBook gathers what every plan says of every record, sorted by record.
type receiptBook struct {
	q      receiptQuery
	sorter *extsort.Sorter
	shared *interner // what many records share, as JSON
	books  []string
	rec    []byte

	targets map[Target]bool // of the plans
}

// sharedPart is what many receipts have in common.
type sharedPart struct {
	State                                        ledger.State
	Code, Currency, Outcome, Event, Tier, Source string
	Realm, Dataset                               string
	Labels, Names                                []string
}

func (c *receiptBook) put(plan int64, key ledger.Key, at, value, delivered int64, shared int) error {
	b := append(c.rec[:0], key[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(plan))
	b = binary.AppendVarint(b, at)
	b = binary.AppendVarint(b, value)
	b = binary.AppendVarint(b, delivered)
	c.rec = binary.AppendUvarint(b, uint64(shared))
	return c.sorter.Add(c.rec)
}

func (c *receiptBook) share(p sharedPart) (int, error) {
	raw, err := json.Marshal(p)
	return c.shared.of(string(raw)), err
}

// add gathers one plan: its events, and what its preview left out.
func (c *receiptBook) add(ctx context.Context, tx ledger.Tx, p *ledger.Plan) error {
	names, err := tx.Plans().LabelNames(ctx, p.No)
	if err != nil {
		return err
	}
	from, to := c.q.from.Unix(), c.q.to.Unix()
	known := map[string]int{}
	err = tx.Leftovers().Each(ctx, p.No, from, to, func(chunk *ledger.Leftover) error {
		return decodeLeft(chunk, func(l *left) error {
			if l.time < from || l.time >= to {
				return nil
			}
			id := string(appendText(appendText(appendText(append([]byte(nil), byte(l.is)), l.code), l.outcome), l.currency)) + joinTexts(l.labels)
			shared, ok := known[id]
			if !ok {
				if shared, err = c.share(sharedPart{
					State: l.is.state(), Code: l.code, Currency: l.currency, Outcome: l.outcome, Realm: p.Realm, Dataset: p.Dataset, Labels: l.labels, Names: names,
				}); err != nil {
					return err
				}
				known[id] = shared
			}
			return c.put(p.No, l.key, l.time, l.value, 0, shared)
		})
	})
	if err != nil || p.Events == 0 {
		return err
	}
	summary := newSummary()
	if err := json.Unmarshal(p.Summary, summary); err != nil {
		return err
	}
	if summary.OldestTime >= to || summary.NewestTime < from && summary.NewestTime > 0 {
		return nil
	}
	return c.events(ctx, tx, p, names)
}

// NotPreviewed is the code of a stored outcome that no preview has looked at.
const NotPreviewed = "not_previewed"

// stored adds the outcome store's own word, the weakest: it counts for what no
// preview has seen. Outcomes belong to no dataset; where the profile sends to
// several they can't be attributed and are left out.
func (c *receiptBook) stored(ctx context.Context, tx ledger.Tx, profile string) error {
	to := Target{profile, c.q.realm, c.q.dataset}
	if c.q.dataset == "" {
		if len(c.targets) > 1 {
			return nil
		}
		for t := range c.targets {
			to = t
		}
	}
	known := map[string]int{}
	return tx.Outcomes().Each(ctx, outcome.Query{Profile: profile, From: c.q.from.Unix(), To: c.q.to.Unix()}, func(o *outcome.Row) error {
		part := sharedPart{
			State: ledger.Planned, Code: NotPreviewed, Currency: o.Currency, Outcome: o.Outcome, Realm: to.Realm, Dataset: to.Dataset,
			Labels: o.Labels, Names: o.LabelNames,
		}
		switch o.State {
		case outcome.Rejected:
			part.State, part.Code = ledger.Rejected, o.Code
		case outcome.Skipped:
			part.State, part.Code = ledger.Skipped, o.Code
		case outcome.Cancelled:
			part.State, part.Code = ledger.Skipped, SkipCancelled
		case outcome.Superseded:
			part.State, part.Code = ledger.Skipped, SkipSuperseded
		case outcome.Withdrawn:
			part.State, part.Code = ledger.Skipped, mapping.SkipConsentDenied
		}
		id := string(part.State) + "\x00" + part.Code + "\x00" + part.Currency + "\x00" + part.Outcome + "\x00" + joinTexts(o.LabelNames) + joinTexts(o.Labels)
		shared, ok := known[id]
		if !ok {
			var err error
			if shared, err = c.share(part); err != nil {
				return err
			}
			known[id] = shared
		}
		return c.put(0, storedReceipt(to.Realm, to.Dataset, o), o.Time, o.Value, 0, shared)
	})
}

// storedReceipt is the key that a stored outcome is counted by.
func storedReceipt(realm, dataset string, o *outcome.Row) ledger.Key {
	if o.EventID == "" {
		return ledger.KeyOf(realm, dataset, "outcome", string(o.ID[:]))
	}
	return ledger.KeyOf(realm, dataset, o.EventName, o.EventID)
}

func joinTexts(list []string) string {
	var b []byte
	for _, s := range list {
		b = appendText(b, s)
	}
	return string(b)
}

// acknowledged is a span of a plan's places and when it was delivered.
type acknowledged struct {
	from, to int
	at       int64
}

func (c *receiptBook) events(ctx context.Context, tx ledger.Tx, p *ledger.Plan, names []string) error {
	kinds, err := tx.Plans().Kinds(ctx, p.No)
	if err != nil {
		return err
	}
	batches, err := tx.Batches().List(ctx, p.No)
	if err != nil {
		return err
	}
	spans, err := deliveries(ctx, tx, p.No)
	if err != nil {
		return err
	}
	from, to := c.q.from.Unix(), c.q.to.Unix()
	type sort struct {
		kind  int
		state ledger.State
		code  string
	}
	known := map[sort]int{}
	total := 0
	for _, b := range batches {
		err := tx.Events().Range(ctx, p.No, b.First, b.First+b.Count, func(e *ledger.Event) error {
			total++
			if e.Time < from || e.Time >= to {
				return nil
			}
			id := sort{e.Kind, b.State, e.Code}
			if e.State != "" {
				id.state = e.State
			}
			shared, ok := known[id]
			if !ok {
				k := &kinds[e.Kind]
				shared, err = c.share(sharedPart{
					State: id.state, Code: id.code, Currency: k.Currency, Outcome: k.Outcome, Event: k.EventName, Tier: k.Tier, Source: k.ActionSource,
					Realm: p.Realm, Dataset: p.Dataset, Labels: k.Labels, Names: names,
				})
				if err != nil {
					return err
				}
				known[id] = shared
			}
			var delivered int64
			if id.state == ledger.Delivered {
				delivered = deliveredAt(spans, e.Ref.Ord())
			}
			return c.put(p.No, e.Key, e.Time, e.Value, delivered, shared)
		})
		if err != nil {
			return err
		}
	}
	if total != p.Events {
		c.books = append(c.books, "plan "+p.ID+" does not hold as many events as it was frozen with")
	}
	return nil
}

// deliveries lists which places of a plan were acknowledged when, by place.
func deliveries(ctx context.Context, tx ledger.Tx, plan int64) ([]acknowledged, error) {
	run, err := tx.Runs().OfPlan(ctx, plan)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var spans []acknowledged
	err = tx.Runs().Attempts(ctx, run.ID, func(a *ledger.Attempt) error {
		if a.Result == string(ledger.Delivered) {
			spans = append(spans, acknowledged{a.From, a.To, a.EndedAt.Unix()})
		}
		return nil
	})
	slices.SortFunc(spans, func(a, b acknowledged) int { return a.from - b.from })
	return spans, err
}

func deliveredAt(spans []acknowledged, ord int) int64 {
	i, found := slices.BinarySearchFunc(spans, ord, func(a acknowledged, ord int) int { return a.from - ord })
	if !found {
		i--
	}
	for ; i >= 0; i-- {
		if ord < spans[i].to {
			return spans[i].at
		}
		if spans[i].from+maxBatchEvents < ord {
			break
		}
	}
	return 0
}

// each yields the receipts: one per record, by what counts about it.
func (c *receiptBook) each(fn func(*receipt) error) error {
	parts := make([]sharedPart, len(c.shared.names))
	for i, raw := range c.shared.names {
		if err := json.Unmarshal([]byte(raw), &parts[i]); err != nil {
			return err
		}
	}
	var key ledger.Key
	var best receipt
	var any, repeat bool
	end := func() error {
		if !any || repeat {
			return nil
		}
		return fn(&best)
	}
	err := c.sorter.Each(func(b []byte) error {
		if !any || ledger.Key(b[:16]) != key {
			if err := end(); err != nil {
				return err
			}
			key, any, repeat, best = ledger.Key(b[:16]), true, true, receipt{}
		}
		b = b[24:] // plans come in ascending order: the newest comes last
		at, n := binary.Varint(b)
		value, m := binary.Varint(b[n:])
		delivered, o := binary.Varint(b[n+m:])
		shared, _ := binary.Uvarint(b[n+m+o:])
		p := &parts[shared]
		// That somebody else holds it is said by who holds it.
		if p.State == ledger.Skipped && p.Code == "duplicate" || strong(best.state) && !strong(p.State) {
			return nil
		}
		repeat = false
		best = receipt{
			time: at, state: p.State, code: p.Code, value: value, currency: p.Currency, outcome: p.Outcome, event: p.Event, tier: p.Tier, source: p.Source,
			labels: p.Labels, names: p.Names, realm: p.Realm, dataset: p.Dataset, delivered: delivered,
		}
		return nil
	})
	if err != nil {
		return err
	}
	return end()
}

// label is the value of a label, empty when the record has none of that name.
func (r *receipt) label(name string) string {
	if i := slices.Index(r.names, name); i >= 0 && i < len(r.labels) {
		return r.labels[i]
	}
	return ""
}
