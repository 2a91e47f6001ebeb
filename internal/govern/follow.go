package govern

import (
	"context"
	"time"

	"sluice/internal/ledger"
)

// Poke makes Run look at once. It does not wait.
func (d *Directory) Poke() {
	select {
	case d.poke <- struct{}{}:
	default:
	}
}

// Run follows the registry until ctx ends.
func (d *Directory) Run(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	failing, wasStale := false, false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-d.poke:
		}
		reading, cancel := context.WithTimeout(ctx, pollTime)
		err := d.Refresh(reading)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			d.o.Log.Warn("servers, policies and grants can't be read; after a while every caller is refused", "error", err, "after", Trust)
		case err == nil && failing:
			d.o.Log.Info("servers, policies and grants can be read again")
		}
		failing = err != nil
		if stale := d.stale(); stale != wasStale {
			wasStale = stale
			d.tell()
		}
		d.expire()
	}
}

// expire tells of grants that are over.
func (d *Directory) expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, now := d.now.Load(), d.o.Now()
	n := 0
	for n < len(s.expiring) && !now.Before(s.expiring[n]) {
		n++
	}
	if n > 0 {
		next := *s
		next.expiring = s.expiring[n:]
		d.now.Store(&next)
		d.tell()
	}
}

// Refresh reads the registry if it changed. When it returns without error, whatever was
// stored before it was called is in force.
func (d *Directory) Refresh(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := d.o.Now()
	var next *snapshot
	err := d.o.Store.View(ctx, func(tx ledger.Tx) error {
		revision, err := tx.Registry().Revision(ctx)
		if err != nil {
			return err
		}
		if old := d.now.Load(); old != nil && old.revision == revision {
			return nil
		}
		next, err = d.load(ctx, tx, revision)
		return err
	})
	if err != nil {
		if d.now.Load() == nil {
			d.now.Store(&snapshot{})
		}
		return err
	}
	d.read.Store(at.UnixNano())
	if next != nil {
		d.now.Store(next)
		d.tell()
	}
	return nil
}
