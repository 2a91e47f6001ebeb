package deliver

import (
	"context"
	"fmt"
	"slices"

	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/ledger"
)

// split finds the events that made Meta refuse a batch. Meta refuses a request as a
// whole, so what is left after taking out the named event, or each half, is sent
// on its own. It ends with the batch final (nil, nil), with a failure that is not
// about content, or with an error of the ledger.
//
// The cost is bounded: at most 2·b·(log2 n + 1) requests for b bad events, and
// never more than maxSubRequests; past that, or once more than half of the batch
// is bad, the remainder is rejected as batch_refused.
func (s *shipment) split(ctx context.Context, why *graph.Error) (*graph.Error, error) {
	type part struct {
		events []ledger.Event
		why    *graph.Error // the refusal of exactly these events
	}
	whole := slices.Clone(s.events)
	stack := []part{{whole, why}}
	bad, requests := 0, 0
	for len(stack) > 0 {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if p.why == nil {
			failure, err := s.sub(ctx, p.events)
			requests++
			switch {
			case err != nil:
				return nil, err
			case failure == nil:
				continue
			case failure.Class != graph.Content:
				return failure, nil
			}
			p.why = failure
		}
		if len(p.events) == 1 {
			if err := s.refuse(ctx, p.events, p.why); err != nil {
				return nil, err
			}
			bad++
			continue
		}
		if requests >= maxSubRequests || (2*bad > len(whole) && len(whole) > 2) {
			rest := slices.Clone(p.events) // the parts share one array
			for _, q := range stack {
				rest = append(rest, q.events...)
			}
			hint := fmt.Sprintf("Meta refused this request (%v) and too many of its events for each to be tried alone", p.why)
			if err := s.rejectAll(ctx, rest, "batch_refused", hint); err != nil {
				return nil, err
			}
			return nil, s.judge(len(whole), len(whole), p.why)
		}
		if i := p.why.Index; i >= 0 && i < len(p.events) {
			if err := s.refuse(ctx, p.events[i:i+1:i+1], p.why); err != nil {
				return nil, err
			}
			bad++
			rest := slices.Concat(p.events[:i], p.events[i+1:])
			stack = append(stack, part{events: rest})
			continue
		}
		half := len(p.events) / 2
		// The first half is on top: older events go first.
		stack = append(stack, part{events: p.events[half:]}, part{events: p.events[:half]})
	}
	s.events = s.events[:0]
	if err := s.settle(ctx, ledger.Delivered, nil); err != nil {
		return nil, err
	}
	return nil, s.judge(bad, len(whole), why)
}

// judge stops a run in which one request after the other is refused for the most
// part: something is wrong with all of it, and going on would only use up calls.
func (s *shipment) judge(bad, of int, why *graph.Error) error {
	if 2*bad <= of {
		s.refused.Store(0)
		return nil
	}
	if s.refused.Add(1) < maxRefused {
		return nil
	}
	s.refused.Store(0)
	return fault.New(fault.DestinationRejected, "Meta refuses most events of one request after the other (%v)", why).
		WithFix("see what `sluice rejects` lists; confirming again goes on with the rest")
}

// sub sends a part of the batch and books its events one by one.
func (s *shipment) sub(ctx context.Context, events []ledger.Event) (*graph.Error, error) {
	if err := s.req.fill(s.Payload, events, s.Run.Tag); err != nil {
		return nil, damaged(err)
	}
	if s.Limiter != nil {
		if err := s.Limiter.Wait(ctx); err != nil {
			return nil, err
		}
	}
	a, err := s.open(ctx, ledger.InFlight)
	if err != nil {
		return nil, err
	}
	failure, err := s.post(ctx, a)
	if err != nil || failure != nil {
		return failure, err
	}
	return nil, s.setApart(ctx, events, ledger.Delivered, "", a, nil)
}

// refuse books events that Meta refuses. One that is too old was not wrong, only
// late; and after an attempt that may have been processed, a refusal does not say
// that the event never arrived.
func (s *shipment) refuse(ctx context.Context, events []ledger.Event, why *graph.Error) error {
	switch {
	case s.doubtful:
		return s.setApart(ctx, events, ledger.Unknown, "refused_after_unknown", nil, nil)
	case why.Subcode == 2804003:
		return s.setApart(ctx, events, ledger.Expired, "too_old", nil, nil)
	}
	return s.setApart(ctx, events, ledger.Rejected, "meta_invalid", nil, s.list(events, "meta_invalid", why.Error(), why))
}

// rejectAll ends the batch with the given events rejected.
func (s *shipment) rejectAll(ctx context.Context, events []ledger.Event, code, hint string) error {
	state, listed := ledger.Rejected, s.list(events, code, hint, nil)
	if s.doubtful {
		state, listed = ledger.Unknown, nil
	}
	if err := s.setApart(ctx, events, state, code, nil, listed); err != nil {
		return err
	}
	s.events = s.events[:0]
	return s.settle(ctx, ledger.Delivered, nil)
}

// list makes reject rows with the place each event came from.
func (s *shipment) list(events []ledger.Event, code, hint string, why *graph.Error) []ledger.Reject {
	rejects := make([]ledger.Reject, len(events))
	for i := range events {
		e := &events[i]
		rejects[i] = ledger.Reject{
			Plan: s.Plan.No, File: s.Files[e.File], Line: e.Line, Stage: "send", Code: code, Hint: hint,
			Labels: s.Kinds[e.Kind].Labels,
		}
		if why != nil {
			rejects[i].Meta = ledger.MetaRefusal{Code: why.Code, Subcode: why.Subcode, Title: why.Title, TraceID: why.TraceID}
		}
	}
	return rejects
}
