package writeback

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"os"

	"sluice/internal/extsort"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/outcome"
)

// A sale may be known by several outcomes: the order, its payment, the deal behind
// it. Whatever is sent for it is one Purchase. Inside an input the strongest outcome
// wins; across time it is whichever took the sale's claim first, because what was
// sent can't be taken back. The claim lies in the ledger beside those of the events
// and is decided by the same unique key.

// saleClaim is the key of a sale in the ledger.
func (p *planner) saleClaim(sale outcome.ID) ledger.Key {
	return ledger.KeyOf(p.realm, p.dataset, "\x00sale", hex.EncodeToString(sale[:]))
}

// eventPart tells in a sale's claim which event holds it.
func eventPart(key ledger.Key) int64 { return int64(binary.BigEndian.Uint64(key[:8])) }

// noteSale keeps an event beside the others of its sale: strongest first, then
// oldest.
func (p *planner) noteSale(it *item, e *entry) error {
	switch e.verdict {
	case asTooOld, asWithdrawn, asUnknownConsent, asCancelledInHold, asCancelled:
		return nil // not sent, so nothing gives way to it
	}
	if e.sale == (outcome.ID{}) {
		return nil
	}
	if p.beside.sales == nil {
		p.beside.sales = extsort.New(p.tempDir, 0)
	}
	claim := p.saleClaim(e.sale)
	rec := append([]byte(nil), claim[:]...)
	rec = append(rec, byte(min(it.rank, 255)))
	rec = binary.BigEndian.AppendUint64(rec, uint64(e.time))
	rec = binary.BigEndian.AppendUint64(rec, uint64(e.seq))
	return p.beside.sales.Add(binary.BigEndian.AppendUint64(rec, uint64(eventPart(e.key))))
}

// ofSale is one event of a sale.
type ofSale struct {
	claim ledger.Key
	seq   int64
	event int64
}

// matchSales marks the events that give way to another of their sale.
func (p *planner) matchSales(ctx context.Context) error {
	if p.beside.sales == nil {
		return nil
	}
	return p.store.View(ctx, func(tx ledger.Tx) error {
		var pending []ofSale
		flush := func() error {
			err := p.decideSales(ctx, tx, pending)
			pending = pending[:0]
			return err
		}
		err := p.beside.sales.Each(func(b []byte) error {
			if len(b) != 16+1+8+8+8 {
				return errIndex
			}
			o := ofSale{ledger.Key(b[:16]), int64(binary.BigEndian.Uint64(b[25:])), int64(binary.BigEndian.Uint64(b[33:]))}
			// A sale is decided as a whole.
			if len(pending) >= compareRows && pending[len(pending)-1].claim != o.claim {
				if err := flush(); err != nil {
					return err
				}
			}
			pending = append(pending, o)
			return nil
		})
		if err != nil {
			return err
		}
		return flush()
	})
}

func (p *planner) decideSales(ctx context.Context, tx ledger.Tx, list []ofSale) error {
	var keys []ledger.Key
	for i := range list {
		if i == 0 || list[i].claim != list[i-1].claim {
			keys = append(keys, list[i].claim)
		}
	}
	found, err := tx.Claims().Find(ctx, keys)
	if err != nil {
		return err
	}
	holders := make(map[ledger.Key]int64, len(found))
	for _, c := range found {
		holders[c.Key] = c.Fingerprint
	}
	var winner int64
	settled := false // the sale at hand has an event that is sent
	for i, o := range list {
		if i == 0 || o.claim != list[i-1].claim {
			winner, settled = holders[o.claim]
		}
		switch {
		case !settled && !p.beside.inHold.has(o.seq) && !p.beside.cancelled.has(o.seq):
			winner, settled = o.event, true
		case settled && o.event != winner:
			p.beside.superseded.add(o.seq)
		}
	}
	return nil
}

// purchase counts a planned purchase, to see whether a sale may be counted twice.
func (p *planner) purchase(name string, sale outcome.ID) {
	if sale == (outcome.ID{}) {
		p.beside.unsold[name]++
	} else {
		p.beside.sold[name]++
	}
}

// doubleCount warns of purchases of several outcomes that name no sale: an order
// and its payment would both be sent.
func (p *planner) doubleCount() {
	b := &p.beside
	names := map[string]bool{}
	n := 0
	for name, c := range b.unsold {
		names[name], n = true, n+c
	}
	if n == 0 {
		return
	}
	for _, by := range []map[string]int{b.sold, b.stored} {
		for name := range by {
			names[name] = true
		}
	}
	if len(names) < 2 {
		return
	}
	p.summary.DoubleCount = true
	p.summary.Warnings["possible_double_count"] = &Note{
		Count: n, Hint: "several outcomes become purchases and name no sale: an order and its payment would count twice; map `sale_key`, or send one outcome only",
	}
}

// claimSales takes the claim of every sale of the plan, after those of its events.
// An event whose sale another event holds leaves the plan. It may be repeated.
func (c *confirm) claimSales(ctx context.Context) error {
	if err := os.MkdirAll(c.dir("tmp"), 0o700); err != nil {
		return fault.New(fault.StoreUnavailable, "the state directory can't be written").Wrap(err)
	}
	sorter := extsort.New(c.dir("tmp"), 0)
	defer func() { _ = sorter.Close() }()
	var rec []byte
	err := c.store.View(ctx, func(tx ledger.Tx) error {
		low, high := ledger.RefOf(c.plan.No, 0), ledger.RefOf(c.plan.No+1, 0)
		return tx.Outcomes().EachSale(ctx, int64(low), int64(high), func(s outcome.EventSale) error {
			rec = append(rec[:0], s.Sale[:]...)
			rec = binary.BigEndian.AppendUint64(rec, uint64(s.Ref))
			rec = binary.BigEndian.AppendUint64(rec, uint64(s.Event))
			return sorter.Add(rec)
		})
	})
	if err != nil || sorter.Len() == 0 {
		return err
	}
	var chunk []ledger.Claim
	flush := func() error {
		if len(chunk) == 0 {
			return nil
		}
		err := c.store.Do(ctx, func(tx ledger.Tx) error {
			if err := c.beat(ctx, tx); err != nil {
				return err
			}
			return c.takeSales(ctx, tx, chunk)
		})
		chunk = chunk[:0]
		return err
	}
	err = sorter.Each(func(b []byte) error {
		chunk = append(chunk, ledger.Claim{
			Key: ledger.Key(b[:16]), Ref: ledger.EventRef(binary.BigEndian.Uint64(b[16:])), Fingerprint: int64(binary.BigEndian.Uint64(b[24:])),
		})
		if len(chunk) < putRows {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// takeSales claims some sales. An event that gives way leaves the plan and its own
// claim behind.
func (c *confirm) takeSales(ctx context.Context, tx ledger.Tx, chunk []ledger.Claim) error {
	taken, err := tx.Claims().Take(ctx, chunk)
	if err != nil {
		return err
	}
	var refs []ledger.EventRef
	var events []ledger.Event
	for _, t := range taken {
		if t.Holder.Fingerprint == t.Mine.Fingerprint {
			continue // the same event elsewhere, which its own claim has settled
		}
		e, err := tx.Events().Get(ctx, t.Mine.Ref)
		if err != nil {
			return err
		}
		if e.State == "" {
			refs, events = append(refs, e.Ref), append(events, *e)
		}
	}
	if len(refs) == 0 {
		return nil
	}
	if err := tx.Events().Set(ctx, refs, ledger.Skipped, SkipSuperseded); err != nil {
		return err
	}
	_, claims := refsOf(events)
	return tx.Claims().Release(ctx, claims)
}
