package writeback

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"time"

	"sluice/capi"
	"sluice/internal/crash"
	"sluice/internal/extsort"
	"sluice/internal/fault"
	"sluice/internal/frozen"
	"sluice/internal/ledger"
)

// claim takes the uniqueness key of every event of the plan, in key order and in
// short transactions: the guard is one narrow tree, and neighbours in it are
// written together. It may be repeated: a key this run already holds is its own.
func (c *confirm) claim(ctx context.Context) error {
	if err := os.MkdirAll(c.dir("tmp"), 0o700); err != nil {
		return fault.New(fault.StoreUnavailable, "the state directory can't be written").Wrap(err)
	}
	sorter := extsort.New(c.dir("tmp"), 0)
	defer func() { _ = sorter.Close() }()
	var rec []byte
	err := c.store.View(ctx, func(tx ledger.Tx) error {
		return tx.Events().Keys(ctx, c.plan.No, func(ref ledger.EventRef, key ledger.Key, fingerprint int64) error {
			rec = append(rec[:0], key[:]...)
			rec = binary.BigEndian.AppendUint64(rec, uint64(ref))
			rec = binary.BigEndian.AppendUint64(rec, uint64(fingerprint))
			return sorter.Add(rec)
		})
	})
	if err != nil {
		return err
	}
	var chunk []ledger.Claim
	done := 0
	flush := func() error {
		if len(chunk) == 0 {
			return nil
		}
		err := c.store.Do(ctx, func(tx ledger.Tx) error {
			if err := c.beat(ctx, tx); err != nil {
				return err
			}
			return c.take(ctx, tx, chunk)
		})
		if err != nil {
			return err
		}
		crash.Point("claiming")
		done += len(chunk)
		chunk = chunk[:0]
		if c.req.Progress != nil {
			c.req.Progress(Progress{Phase: "claiming", Done: int64(done), Total: int64(sorter.Len())})
		}
		return nil
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
	if err == nil {
		err = flush()
	}
	if err == nil {
		err = c.claimSales(ctx)
	}
	if err != nil {
		return err
	}
	return c.queue(ctx)
}

// beat proves inside a transaction that the claiming is still ours, and shows others
// that it goes on. A run that another worker took over and has begun to send must
// not get one claim more: nobody would ever give that back.
func (c *confirm) beat(ctx context.Context, tx ledger.Tx) error {
	if !c.store.Shared() {
		return nil
	}
	fence := c.run.Fence
	c.run.Fence++
	return tx.Runs().Move(ctx, c.run, fence)
}

// take claims one chunk; what somebody else holds leaves the plan.
func (c *confirm) take(ctx context.Context, tx ledger.Tx, chunk []ledger.Claim) error {
	taken, err := tx.Claims().Take(ctx, chunk)
	if err != nil {
		return err
	}
	var same, other []ledger.EventRef
	for _, t := range taken {
		if t.Holder.Fingerprint == t.Mine.Fingerprint {
			same = append(same, t.Mine.Ref)
		} else {
			other = append(other, t.Mine.Ref)
		}
	}
	return errors.Join(
		tx.Events().Set(ctx, same, ledger.Skipped, "duplicate"),
		tx.Events().Set(ctx, other, ledger.Skipped, "id_conflict"),
	)
}

// queue ends the claiming: events whose window closed since the preview leave the
// plan, and the rest may be sent.
func (c *confirm) queue(ctx context.Context) error {
	late, err := c.late(ctx)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(late, putRows) {
		err := c.store.Do(ctx, func(tx ledger.Tx) error {
			if err := c.beat(ctx, tx); err != nil {
				return err
			}
			refs, claims := refsOf(chunk)
			if err := tx.Events().Set(ctx, refs, ledger.Expired, "too_old"); err != nil {
				return err
			}
			return tx.Claims().Release(ctx, claims)
		})
		if err != nil {
			return err
		}
	}
	if err := c.leaveOut(ctx); err != nil {
		return err
	}
	return c.store.Do(ctx, func(tx ledger.Tx) error {
		// The circuit may have opened meanwhile: what opened it parked only those that
		// were sending. The row's lock keeps the two in order.
		circuit, err := tx.Circuits().Lock(ctx, c.plan.Profile, c.plan.Realm)
		if err != nil {
			return err
		}
		fence := c.run.Fence
		c.run.Fence, c.run.State, c.run.Error = fence+1, ledger.RunSending, ""
		if circuit.State == ledger.CircuitOpen && tx.Now().Before(circuit.Until) {
			c.run.State, c.run.Error = ledger.RunStopped, string(fault.CircuitOpen)
		}
		if err := tx.Runs().Move(ctx, c.run, fence); err != nil {
			c.run.State = ledger.RunClaiming
			return err
		}
		_, err = tx.Batches().MoveAll(ctx, c.plan.No, ledger.Planned, ledger.Queued, c.run.Fence)
		return err
	})
}

// refsOf names events and their claims, the latter in key order.
func refsOf(events []ledger.Event) ([]ledger.EventRef, []ledger.Claim) {
	refs, claims := make([]ledger.EventRef, len(events)), make([]ledger.Claim, len(events))
	for i, e := range events {
		refs[i], claims[i] = e.Ref, ledger.Claim{Key: e.Key, Ref: e.Ref}
	}
	slices.SortFunc(claims, func(a, b ledger.Claim) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	return refs, claims
}

// late lists events that can't arrive inside their window any more. Plans are laid
// oldest first within a class, so each class is read only until the first event
// that is young enough.
func (c *confirm) late(ctx context.Context) ([]ledger.Event, error) {
	var out []ledger.Event
	err := c.store.View(ctx, func(tx ledger.Tx) error {
		batches, err := tx.Batches().List(ctx, c.plan.No)
		if err != nil {
			return err
		}
		clean := map[string]bool{}
		for _, b := range batches {
			if clean[b.Class] {
				continue
			}
			before := len(out)
			err := tx.Events().Range(ctx, c.plan.No, b.First, b.First+b.Count, func(e *ledger.Event) error {
				window := capi.Window(capi.ActionSource(c.kinds[e.Kind].ActionSource), c.summary.window())
				if e.State == "" && c.now().Sub(time.Unix(e.Time, 0)) > window-sendMargin {
					out = append(out, *e)
				}
				return nil
			})
			if err != nil {
				return err
			}
			clean[b.Class] = len(out) == before
		}
		return nil
	})
	return out, err
}

// payload opens the plan's frozen events.
func (s *Service) payload(ctx context.Context, p *ledger.Plan) (*frozen.Reader, error) {
	if !p.ShreddedAt.IsZero() {
		return nil, fault.New(fault.PlanShredded, "the payload of plan %s was removed on %s", p.ID, p.ShreddedAt.Format(time.DateOnly))
	}
	key, err := s.keys.Unwrap(p.WrappedKey, p.File)
	if err != nil {
		return nil, fault.New(fault.StoreUnavailable, "the plan's payload can't be read: %v", err)
	}
	r, err := s.openPayload(ctx, p, key)
	if err != nil {
		return nil, fault.New(fault.StoreUnavailable, "the plan's payload can't be read").
			WithFix("restore the payload (the state directory's `plans` folder, or the database) from a backup, or preview again").Wrap(err)
	}
	return r, nil
}

func (s *Service) openPayload(ctx context.Context, p *ledger.Plan, key []byte) (*frozen.Reader, error) {
	from, err := s.store.Payloads().Open(ctx, p.File)
	if err != nil {
		return nil, err
	}
	return frozen.Open(from, key)
}

func (s *Service) lookups(ctx context.Context, plan int64) (kinds []ledger.Kind, files []string, err error) {
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		if kinds, err = tx.Plans().Kinds(ctx, plan); err != nil {
			return err
		}
		files, err = tx.Plans().Files(ctx, plan)
		return err
	})
	return kinds, files, err
}
