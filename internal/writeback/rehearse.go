package writeback

import (
	"context"
	"errors"

	"sluice/capi"
	"sluice/internal/audit"
	"sluice/internal/deliver"
	"sluice/internal/fault"
	"sluice/internal/frozen"
	"sluice/internal/graph"
	"sluice/internal/ledger"
)

// Level is how far a dry run goes.
type Level string

// The levels. Nothing leaves the machine at either.
const (
	Offline Level = "offline" // the built-in rules and an in-process sandbox
	Sandbox Level = "sandbox" // a running sandbox
)

// RehearseRequest is one dry run.
type RehearseRequest struct {
	PlanID string
	Level  Level
	// Destination receives the exact request bytes: an in-process sandbox, or a
	// client of one that runs. It must not be remote.
	Destination Destination
	Progress    func(Progress)
}

// Rehearsal is what a dry run found.
type Rehearsal struct {
	PlanID         string         `json:"plan_id"`
	PlanHash       string         `json:"plan_hash"`
	Level          Level          `json:"level"`
	Requests       int            `json:"requests"`
	Events         int            `json:"events"`
	EventsReceived int            `json:"events_received"`
	Bytes          int64          `json:"bytes"`
	TraceIDs       []string       `json:"fbtrace_ids"`
	Findings       []Finding      `json:"findings"`
	Rules          map[string]int `json:"rules"` // findings per code
	OK             bool           `json:"ok"`
}

// Finding is one thing a real send would run into.
type Finding struct {
	Code    string `json:"code"`
	Request int    `json:"request"`
	File    string `json:"file,omitempty"`
	Line    int64  `json:"line,omitempty"`
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}

const findingsKept = 100

// Rehearse builds the exact requests of a plan and has them judged. The ledger
// does not change, but for the note that the plan was rehearsed.
func (s *Service) Rehearse(ctx context.Context, req RehearseRequest) (*Rehearsal, error) {
	plan, err := s.plan(ctx, req.PlanID)
	if err != nil {
		return nil, err
	}
	if req.Destination.Remote() {
		return nil, fault.New(fault.Usage, "a dry run at level %s does not leave this machine", req.Level).
			WithFix("point --graph-url at `sluice sandbox`")
	}
	r := &Rehearsal{PlanID: plan.ID, PlanHash: plan.Hash, Level: req.Level, TraceIDs: []string{}, Findings: []Finding{}, Rules: map[string]int{}}
	view, err := viewOf(plan)
	if err != nil {
		return nil, err
	}
	d := &rehearsal{Service: s, req: req, plan: plan, out: r, window: view.Summary.window()}
	if err := d.run(ctx); err != nil {
		return nil, err
	}
	r.OK = len(r.Rules) == 0 && r.EventsReceived == r.Events
	return r, s.store.Do(ctx, func(tx ledger.Tx) error {
		now := s.now()
		result := "ok"
		if r.OK {
			if err := tx.Plans().SetRehearsed(ctx, plan.No, string(req.Level), now); err != nil {
				return err
			}
		} else {
			result = "findings"
		}
		_, err := tx.Audit().Append(ctx, now, audit.Record{
			Actor: s.actor(), Via: s.caller.Via, Profile: s.profile, Op: "dry_run." + string(req.Level), Dataset: plan.Dataset, Plan: plan.ID, PlanHash: plan.Hash,
			EventCount: r.Events, Result: result, AppVersion: s.version,
		})
		return err
	})
}

type rehearsal struct {
	*Service
	req    RehearseRequest
	plan   *ledger.Plan
	out    *Rehearsal
	files  []string
	window capi.OfflineWindow
}

func (d *rehearsal) run(ctx context.Context) error {
	payload, err := d.payload(d.plan)
	if err != nil {
		return err
	}
	defer func() { _ = payload.Close() }()
	if _, d.files, err = d.lookups(ctx, d.plan.No); err != nil {
		return err
	}
	var batches []ledger.Batch
	err = d.store.View(ctx, func(tx ledger.Tx) (err error) {
		batches, err = tx.Batches().List(ctx, d.plan.No)
		return err
	})
	if err != nil {
		return err
	}
	var events []ledger.Event
	for i, b := range batches {
		events = events[:0]
		err := d.store.View(ctx, func(tx ledger.Tx) error {
			return tx.Events().Range(ctx, d.plan.No, b.First, b.First+b.Count, func(e *ledger.Event) error {
				events = append(events, *e)
				return nil
			})
		})
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.request(ctx, i, payload, events); err != nil {
			return err
		}
		if d.req.Progress != nil {
			d.req.Progress(Progress{Phase: "checking", Done: int64(d.out.Events), Total: int64(d.plan.Events)})
		}
	}
	return nil
}

// request judges one request: every event by the rules, the whole by the sandbox.
func (d *rehearsal) request(ctx context.Context, no int, payload *frozen.Reader, events []ledger.Event) error {
	body, parts, err := deliver.Body(payload, events, "")
	if err != nil {
		return fault.New(fault.StoreUnavailable, "the plan's payload can't be read").Wrap(err)
	}
	d.out.Requests++
	d.out.Events += len(events)
	d.out.Bytes += int64(len(body))
	opts := capi.CheckOptions{Now: d.now, Margin: sendMargin, OfflineWindow: d.window, AllowMissingUserAgent: true}
	for i, part := range parts {
		for _, f := range capi.CheckWire(part, opts) {
			if f.Effect == capi.Refuse {
				d.found(Finding{Code: f.Code, Request: no, File: d.files[events[i].File], Line: events[i].Line, Path: f.Path, Message: f.Message, Fix: f.Fix})
			}
		}
	}
	accepted, err := d.req.Destination.SendEvents(ctx, d.plan.Dataset, body)
	if err != nil {
		return d.refused(err, no, events)
	}
	d.out.EventsReceived += accepted.EventsReceived
	d.out.TraceIDs = append(d.out.TraceIDs, accepted.TraceID)
	return nil
}

// refused books a refusal of the double; an unreachable one is an error.
func (d *rehearsal) refused(err error, no int, events []ledger.Event) error {
	finding := Finding{Code: "sandbox_refused", Request: no, Message: err.Error()}
	var e *graph.Error
	if errors.As(err, &e) {
		if e.Class == graph.NotSent {
			return deliver.Stopped(err)
		}
		if e.Index >= 0 && e.Index < len(events) {
			finding.File, finding.Line = d.files[events[e.Index].File], events[e.Index].Line
		}
	}
	d.found(finding)
	return nil
}

func (d *rehearsal) found(f Finding) {
	d.out.Rules[f.Code]++
	if len(d.out.Findings) < findingsKept {
		d.out.Findings = append(d.out.Findings, f)
	}
}
