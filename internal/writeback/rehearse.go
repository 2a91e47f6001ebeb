package writeback

import (
	"context"
	"errors"
	"slices"
	"time"

	"sluice/capi"
	"sluice/internal/audit"
	"sluice/internal/deliver"
	"sluice/internal/fault"
	"sluice/internal/frozen"
	"sluice/internal/graph"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

// Level is how far a dry run goes.
type Level string

// The levels, the weakest first. Nothing leaves the machine at the first two.
const (
	Offline     Level = "offline"      // the built-in rules and an in-process sandbox
	Sandbox     Level = "sandbox"      // a running sandbox
	TestDataset Level = "test_dataset" // a dataset of its own at Meta, with synthetic identities
	LiveTest    Level = "live_test"    // real rows to the real dataset with a test code; they count
)

// Levels lists them, the weakest first.
var Levels = []Level{Offline, Sandbox, TestDataset, LiveTest}

// covers reports whether a plan that passed have has passed need as well.
func (l Level) covers(need Level) bool {
	have, want := slices.Index(Levels, l), slices.Index(Levels, need)
	return have >= 0 && want >= 0 && have >= want
}

// rehearsedFor is how long a dry run counts.
const rehearsedFor = 24 * time.Hour

// RehearseRequest is one dry run.
type RehearseRequest struct {
	PlanID string
	Level  Level // Offline when empty
	// Destination receives the request bytes at levels offline and sandbox; it must
	// not be remote. Nil is the service's own way.
	Destination Destination
	// TestDataset is where level test_dataset sends; the connection's when empty.
	// Probe lets a dry run that passes close a circuit whose cool-down is over.
	TestDataset string
	Probe       bool
	// TestCode, Acknowledged and Events are for level live_test: the code shown in
	// Events Manager, the caller's word that the events count, and how many of the
	// oldest events to send (all when 0, and never more than 25).
	TestCode     string
	Acknowledged bool
	Events       int
	Progress     func(Progress)
}

// Rehearsal is what a dry run found.
type Rehearsal struct {
	PlanID         string         `json:"plan_id"`
	PlanHash       string         `json:"plan_hash"`
	Level          Level          `json:"level"`
	Dataset        string         `json:"dataset"` // that received the requests
	Requests       int            `json:"requests"`
	Events         int            `json:"events"`
	Expired        int            `json:"expired,omitempty"` // left out: they left their window since the preview
	EventsReceived int            `json:"events_received"`
	Bytes          int64          `json:"bytes"`
	TraceIDs       []string       `json:"fbtrace_ids"`
	Messages       []string       `json:"messages,omitempty"` // of the API
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
// does not change, but for the note that the plan was rehearsed; and, at level
// live_test, for the events that Meta now has.
func (s *Service) Rehearse(ctx context.Context, req RehearseRequest) (*Rehearsal, error) {
	if req.Level == "" {
		req.Level = Offline
	}
	c, err := s.confirmOf(ctx, ConfirmRequest{PlanID: req.PlanID})
	if err != nil {
		return nil, err
	}
	d := &rehearsal{confirm: c, dry: req, dataset: c.plan.Dataset, window: c.summary.window()}
	d.out = &Rehearsal{PlanID: c.plan.ID, PlanHash: c.plan.Hash, Level: req.Level, TraceIDs: []string{}, Findings: []Finding{}, Rules: map[string]int{}}
	if err := d.choose(ctx); err != nil {
		return nil, err
	}
	d.out.Dataset = d.dataset
	if req.Level == LiveTest {
		err = d.live(ctx)
	} else {
		err = d.run(ctx)
	}
	if err != nil {
		return nil, err
	}
	d.out.OK = len(d.out.Rules) == 0 && d.out.EventsReceived == d.out.Events
	return d.out, d.note(ctx)
}

type rehearsal struct {
	*confirm
	dry     RehearseRequest
	dataset string
	out     *Rehearsal
	window  capi.OfflineWindow
	disguise
}

// choose settles where the requests go.
func (d *rehearsal) choose(ctx context.Context) (err error) {
	switch d.dry.Level {
	case Offline, Sandbox:
		if d.to = d.dry.Destination; d.to == nil && d.dry.Level == Offline {
			d.to, err = d.double(d.dataset)
		} else if d.to == nil {
			d.to, err = d.connect(ctx, Target{d.plan.Profile, d.plan.Realm, d.dataset})
		}
		if err == nil && d.to.Remote() {
			err = fault.New(fault.Usage, "a dry run at level %s does not leave this machine", d.dry.Level).
				WithFix("point --graph-url at `sluice sandbox`")
		}
		return err
	case TestDataset:
		if err := d.testDataset(); err != nil {
			return err
		}
	case LiveTest:
		if err := d.mayTest(ctx); err != nil {
			return err
		}
	default:
		return fault.New(fault.Usage, "the level must be offline, sandbox, test_dataset or live_test")
	}
	if d.dry.Level == TestDataset {
		if err := d.notUsed(ctx); err != nil {
			return err
		}
	}
	if err := tenant.Permit(d.caller, tenant.Need{Scope: tenant.Write, Switch: true, Role: tenant.Operator, Connection: true}, d.facts); err != nil {
		return err
	}
	d.to, err = d.connect(ctx, Target{d.plan.Profile, d.plan.Realm, d.plan.Dataset})
	if err == nil && d.to.Realm() != d.plan.Realm {
		err = fault.New(fault.DestinationMismatch, "plan %s was previewed for %s, and this is %s", d.plan.ID, d.plan.Realm, d.to.Realm())
	}
	return err
}

// testDataset is a dataset that nobody measures by.
func (d *rehearsal) testDataset() error {
	d.dataset = d.dry.TestDataset
	if d.dataset == "" && d.facts.Connection != nil {
		d.dataset = d.facts.Connection.TestDataset
	}
	switch d.dataset {
	case "":
		return fault.New(fault.Usage, "level test_dataset needs a dataset to test with").
			WithFix("name one with --test-dataset, or store it: `sluice connect %s --test-dataset ID`", d.plan.Dataset)
	case d.plan.Dataset:
		return fault.New(fault.Usage, "the test dataset must not be the plan's own")
	}
	d.disguise = newDisguise()
	return nil
}

// notUsed refuses a test dataset that this ledger sends real events to.
func (d *rehearsal) notUsed(ctx context.Context) error {
	return d.store.View(ctx, func(tx ledger.Tx) error {
		used, err := tx.Runs().Any(ctx, d.plan.Realm, d.dataset)
		if err == nil && used {
			err = fault.New(fault.Usage, "dataset %s gets real events from this ledger; invented ones would be counted with them", d.dataset).
				WithFix("make a dataset in Events Manager that nobody measures by")
		}
		return err
	})
}

func (d *rehearsal) run(ctx context.Context) error {
	payload, err := d.Service.payload(ctx, d.plan)
	if err != nil {
		return err
	}
	defer func() { _ = payload.Close() }()
	if d.kinds, d.files, err = d.lookups(ctx, d.plan.No); err != nil {
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
	for i, b := range batches {
		events, err := d.events(ctx, b)
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(events) == 0 {
			continue
		}
		if err := d.request(ctx, i, payload, events); err != nil {
			return err
		}
		if d.dry.Progress != nil {
			d.dry.Progress(Progress{Phase: "checking", Done: int64(d.out.Events), Total: int64(d.plan.Events)})
		}
	}
	return nil
}

// events are those of a batch that a confirm would send now.
func (d *rehearsal) events(ctx context.Context, b ledger.Batch) (events []ledger.Event, err error) {
	now := d.now()
	err = d.store.View(ctx, func(tx ledger.Tx) error {
		return tx.Events().Range(ctx, d.plan.No, b.First, b.First+b.Count, func(e *ledger.Event) error {
			window := capi.Window(capi.ActionSource(d.kinds[e.Kind].ActionSource), d.window)
			switch {
			case e.State != "":
			case now.Sub(time.Unix(e.Time, 0)) > window-sendMargin:
				d.out.Expired++
			default:
				events = append(events, *e)
			}
			return nil
		})
	})
	return events, err
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
	if d.dry.Level == TestDataset {
		if body, err = d.body(parts, d.dry.TestCode); err != nil {
			return err
		}
	}
	accepted, err := d.to.SendEvents(ctx, d.dataset, body)
	if err != nil {
		return d.refuse(err, no, events)
	}
	d.out.EventsReceived += accepted.EventsReceived
	d.out.TraceIDs = append(d.out.TraceIDs, accepted.TraceID)
	return nil
}

// refuse books a refusal of the double; an unreachable one is an error, and so is
// one that refuses the token.
func (d *rehearsal) refuse(err error, no int, events []ledger.Event) error {
	code := "sandbox_refused"
	if d.dry.Level == TestDataset || d.dry.Level == LiveTest {
		code = "meta_refused"
	}
	finding := Finding{Code: code, Request: no, Message: err.Error()}
	var e *graph.Error
	if errors.As(err, &e) {
		if e.Class == graph.NotSent || (code == "meta_refused" && e.Class != graph.Content) {
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

// note writes down what was found. A fresh dry run of a higher level is not
// forgotten for a later one of a lower.
func (d *rehearsal) note(ctx context.Context) error {
	return d.store.Do(ctx, func(tx ledger.Tx) error {
		now, result := d.now(), "ok"
		kept := Level(d.plan.Rehearsed).covers(d.dry.Level) && Level(d.plan.Rehearsed) != d.dry.Level && now.Sub(d.plan.RehearsedAt) <= rehearsedFor
		switch {
		case !d.out.OK:
			result = "findings"
		case d.dry.Level == LiveTest && d.out.Events < d.plan.Events:
			// A few events say nothing about the others.
		case !kept:
			if err := tx.Plans().SetRehearsed(ctx, d.plan.No, string(d.dry.Level), now); err != nil {
				return err
			}
			d.plan.Rehearsed, d.plan.RehearsedAt = string(d.dry.Level), now
		}
		if d.out.OK && d.dry.Probe && d.dry.Level == TestDataset {
			if err := d.probed(ctx, tx); err != nil {
				return err
			}
		}
		_, err := tx.Audit().Append(ctx, now, audit.Record{
			Actor: d.actor(), Via: d.caller.Via, Profile: d.profile, Op: "dry_run." + string(d.dry.Level), Dataset: d.dataset, Realm: d.plan.Realm,
			Plan: d.plan.ID, PlanHash: d.plan.Hash, EventCount: d.out.Events, SubmissionIDs: first(d.traced(), 20), Result: result, AppVersion: d.version,
		})
		return unaudited(err)
	})
}

// traced are the submissions that left the machine.
func (d *rehearsal) traced() []string {
	if d.dry.Level == TestDataset || d.dry.Level == LiveTest {
		return d.out.TraceIDs
	}
	return nil
}

func first(list []string, n int) []string { return list[:min(n, len(list))] }

// probed closes a circuit whose cool-down is over: what it waited for has been
// tried, at a dataset where a failure costs nothing.
func (d *rehearsal) probed(ctx context.Context, tx ledger.Tx) error {
	circuit, err := tx.Circuits().Lock(ctx, d.plan.Profile, d.plan.Realm)
	if err != nil || circuit.State == ledger.CircuitClosed || tx.Now().Before(circuit.Until) || circuit.Probe != "" {
		return err
	}
	return d.closeCircuit(ctx, tx, circuit, "probed by a dry run at level test_dataset")
}

// rehearsed asks for the dry run that the policy wants. Where it says nothing, level
// offline is wanted, and a trusted caller's confirm makes up for it on the way: it
// is the same check, and nothing leaves the machine.
func (c *confirm) rehearsed() error {
	need, missing := c.missingDryRun()
	if !missing || c.makesUp() {
		return nil
	}
	f := fault.New(fault.DryRunRequired, "plan %s has passed no dry run of level %s in the last 24 h", c.plan.ID, need).
		WithFix("run `sluice dry-run %s --level %s`, then confirm again", c.plan.ID, need).
		WithCommand("sluice", "dry-run", c.plan.ID, "--level", string(need)).With("level", string(need))
	if c.plan.Rehearsed != "" {
		_ = f.With("passed", c.plan.Rehearsed).With("age_s", int(c.now().Sub(c.plan.RehearsedAt)/time.Second))
	}
	return f
}

// missingDryRun names the level that the plan has yet to pass.
func (c *confirm) missingDryRun() (need Level, missing bool) {
	need = Level(c.owner.Policy.RequireDryRun)
	if need == "none" || c.plan.Events == 0 {
		return need, false
	}
	if need == "" {
		need = Offline
	}
	passed := Level(c.plan.Rehearsed).covers(need) && c.now().Sub(c.plan.RehearsedAt) <= rehearsedFor
	return need, !passed
}

// makesUp reports whether this confirm rehearses the plan itself.
func (c *confirm) makesUp() bool {
	return c.owner.Policy.RequireDryRun == "" && c.caller.Trusted() && c.double != nil
}

// rehearseNow is the dry run that nobody made before.
func (c *confirm) rehearseNow(ctx context.Context) error {
	if _, missing := c.missingDryRun(); !missing {
		return nil
	}
	r, err := c.Rehearse(ctx, RehearseRequest{PlanID: c.plan.ID, Level: Offline, Progress: c.req.Progress})
	if err != nil || r.OK {
		return err
	}
	return fault.New(fault.DryRunFailed, "a dry run of plan %s finds %d kinds of fault; nothing was sent", c.plan.ID, len(r.Rules)).
		WithFix("see them with `sluice dry-run %s`", c.plan.ID).WithCommand("sluice", "dry-run", c.plan.ID).With("rules", r.Rules)
}
