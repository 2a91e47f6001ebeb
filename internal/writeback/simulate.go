package writeback

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"sluice/capi"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/mapping"
	"sluice/internal/outcome"
	"sluice/internal/source"
)

// simulatedHolds are the holds that are compared.
var simulatedHolds = []time.Duration{0, time.Hour, 12 * time.Hour, 24 * time.Hour, 72 * time.Hour, 7 * 24 * time.Hour}

// SimulateRequest asks what holds of different length would have done, over an input
// or over stored outcomes.
type SimulateRequest struct {
	Reader  source.Reader
	Mapping *mapping.Mapping
	Stored  *Selection
	Options capi.Options
	// Every is how often is sent; an event leaves at the first send after its hold.
	Every time.Duration
}

// HoldEffect is what one hold would have done. Values are decimal text by currency.
type HoldEffect struct {
	Hold      string            `json:"hold"`
	Seconds   int64             `json:"seconds"`
	Kept      int               `json:"kept"` // cancelled orders that Meta would not have got
	KeptValue map[string]string `json:"kept_value"`
	Sent      int               `json:"sent_and_cancelled"` // cancelled after they had gone
	SentValue map[string]string `json:"sent_and_cancelled_value"`
	Expired   int               `json:"expired"` // would have left their window before they were sent
	Value     map[string]string `json:"expired_value"`
}

// Simulation compares holds.
type Simulation struct {
	Orders         int               `json:"orders"`
	Value          map[string]string `json:"value"`
	Cancelled      int               `json:"cancelled"`
	CancelledValue map[string]string `json:"cancelled_value"`
	Partly         int               `json:"partly_cancelled"`
	Every          string            `json:"every"`
	Holds          []HoldEffect      `json:"holds"`
}

// simulated is one order.
type simulated struct {
	at, cancelled int64 // cancelled 0: it was not
	value         int64
	currency      string
	window        time.Duration
}

// SimulateHolds changes nothing and sends nothing.
func (s *Service) SimulateHolds(ctx context.Context, req SimulateRequest) (*Simulation, error) {
	if req.Every < 0 {
		return nil, fault.New(fault.Usage, "the time between sends can't be negative")
	}
	var orders []simulated
	partly := 0
	var err error
	if req.Stored != nil {
		orders, partly, err = s.simulateStored(ctx, &req)
	} else {
		orders, partly, err = s.simulateInput(ctx, &req)
	}
	if err != nil {
		return nil, typed(err)
	}
	if len(orders) == 0 {
		return nil, fault.New(fault.SourceEmpty, "there is no order to simulate with")
	}
	out := &Simulation{Orders: len(orders), Partly: partly, Every: shortDuration(req.Every)}
	all, cancelled := map[string]capi.Decimal{}, map[string]capi.Decimal{}
	for _, o := range orders {
		all[o.currency] += capi.Decimal(o.value)
		if o.cancelled != 0 {
			out.Cancelled++
			cancelled[o.currency] += capi.Decimal(o.value)
		}
	}
	out.Value, out.CancelledValue = valueText(all), valueText(cancelled)
	for _, h := range simulatedHolds {
		out.Holds = append(out.Holds, effect(orders, h, req.Every))
	}
	return out, nil
}

// effect is what one hold would have done to the orders.
func effect(orders []simulated, hold, every time.Duration) HoldEffect {
	kept, sent, gone := map[string]capi.Decimal{}, map[string]capi.Decimal{}, map[string]capi.Decimal{}
	e := HoldEffect{Hold: shortDuration(hold), Seconds: int64(hold / time.Second)}
	for _, o := range orders {
		inHold := o.cancelled != 0 && o.cancelled < o.at+e.Seconds
		switch {
		case inHold:
			e.Kept++
			kept[o.currency] += capi.Decimal(o.value)
		case hold+every > o.window-sendMargin:
			e.Expired++
			gone[o.currency] += capi.Decimal(o.value)
		case o.cancelled != 0:
			e.Sent++
			sent[o.currency] += capi.Decimal(o.value)
		}
	}
	e.KeptValue, e.SentValue, e.Value = valueText(kept), valueText(sent), valueText(gone)
	return e
}

// shortDuration writes 24h for 24h0m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if d == 0 {
		return "0h"
	}
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

func (s *Service) simulateStored(ctx context.Context, req *SimulateRequest) (orders []simulated, partly int, err error) {
	st, err := s.selection(ctx, req.Stored)
	if err != nil {
		return nil, 0, err
	}
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		return tx.Outcomes().Each(ctx, st.query, func(o *outcome.Row) error {
			if o.State == outcome.Rejected || o.State == outcome.Skipped {
				return nil
			}
			one := simulated{at: o.Time, value: o.Value, currency: o.Currency, window: capi.Window(capi.ActionSource(o.ActionSource), req.Options.OfflineWindow)}
			switch {
			case o.State == outcome.Cancelled:
				one.cancelled = o.CancelledAt
			case o.TakenBack > 0:
				partly++
			}
			orders = append(orders, one)
			return nil
		})
	})
	return orders, partly, err
}

func (s *Service) simulateInput(ctx context.Context, req *SimulateRequest) (orders []simulated, partly int, err error) {
	if !req.Mapping.Cancels() {
		return nil, 0, fault.New(fault.MappingInvalid, "the mapping does not say what a cancellation takes back, so no hold would have kept anything").
			WithFix("add `cancels:` to the mapping, see docs/outcomes.md")
	}
	if err := os.MkdirAll(s.dir("tmp"), 0o700); err != nil {
		return nil, 0, fault.New(fault.StoreUnavailable, "the state directory can't be written").Wrap(err)
	}
	p := &planner{Service: s, mapping: req.Mapping, reader: req.Reader, tempDir: s.dir("tmp"), now: s.now()}
	defer p.beside.close()
	w := &worker{p: p, digest: s.digester()}
	mapper := mapping.NewMapper(req.Mapping)
	err = p.read(ctx, func(work work) error {
		for _, rows := range work.groups {
			m := mapper.Map(rows)
			it := item{}
			switch m.Kind {
			case mapping.Skipped:
				w.cancellation(m, &it)
			case mapping.Mapped:
				it.laid, it.entry.time = true, m.Event.EventTime
				it.named = w.named(m, &it)
				orders = append(orders, simulated{
					at: m.Event.EventTime, value: int64(m.Event.CustomData.Value.Value), currency: strings.ToUpper(m.Event.CustomData.Currency),
					window: capi.Window(m.Event.ActionSource, req.Options.OfflineWindow),
				})
			}
			if err := p.noteCancels(&it, int64(len(orders)-1)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	taken, err := p.takenBack()
	for seq, t := range taken {
		if t.taken < t.lines {
			partly++
		} else {
			orders[seq].cancelled = t.at
		}
	}
	return orders, partly, errors.Join(err)
}
