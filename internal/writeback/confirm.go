package writeback

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"sluice/internal/audit"
	"sluice/internal/deliver"
	"sluice/internal/fault"
	"sluice/internal/frozen"
	"sluice/internal/graph"
	"sluice/internal/ids"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

// Destination is where a confirm goes. graph.Client is one.
type Destination interface {
	deliver.Sender
	Dataset(ctx context.Context, id string) (graph.Dataset, error)
	Remote() bool
	Realm() string
}

// maxConcurrency bounds the requests under way at once.
const maxConcurrency = 16

// ConfirmRequest is one confirm.
type ConfirmRequest struct {
	PlanID string
	Hash   string // of the plan; checked when not empty
	// Key is the idempotency key. Left empty, a trusted caller goes on with the run
	// the plan has, or begins one as "plan:<id>"; anybody else is refused.
	Key               string
	AcceptRejects     bool
	AcceptDoubleCount bool
	FirstUpload       bool
	Canary            int           // send this many events, oldest first, then wait for a yes; 0: all
	Continue          bool          // the yes: send the rest after a canary
	Resume            bool          // go on with a run that ended early
	Concurrency       int           // 4 when zero
	Wait              time.Duration // how long to wait for a twin that is at work
	// Accepted is called once the run is in the ledger, before anything is sent.
	Accepted func(runID string)
	Progress func(Progress)
}

func (r *ConfirmRequest) check() error {
	switch {
	case r.PlanID == "":
		return fault.New(fault.PlanRequired, "confirm needs a plan").WithCommand("sluice", "preview", "INPUT")
	case r.Concurrency < 0 || r.Concurrency > maxConcurrency:
		return fault.New(fault.Usage, "the concurrency must be 1 to %d", maxConcurrency)
	case r.Canary < 0 || r.Canary > maxCanary:
		return fault.New(fault.Usage, "a canary has 1 to %d events", maxCanary)
	case r.Canary > 0 && r.Continue:
		return fault.New(fault.Usage, "a canary and its continuation are two confirms")
	}
	return nil
}

// Confirm sends a plan once. Repeating it with the same key returns the stored
// receipt and sends nothing; after a crash it goes on where the ledger stands.
//
// What may refuse it, in order: the caller's scope and role; the key, which answers
// a finished confirm before anything else is asked; switch, role and connection;
// caps; approval; the circuit; the plan's life and hash; the dry run it needs; and
// what has become of its events since the preview.
func (s *Service) Confirm(ctx context.Context, req ConfirmRequest) (*Receipt, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	c, err := s.confirmOf(ctx, req)
	if err != nil {
		return nil, err
	}
	receipt, err := c.answer(ctx)
	if err != nil && receipt == nil {
		c.refused(ctx, err)
	}
	return receipt, err
}

type confirm struct {
	*Service
	req         ConfirmRequest
	plan        *ledger.Plan
	owner       *tenant.Profile
	facts       tenant.Facts
	summary     *Summary
	run         *ledger.Run
	fingerprint string
	asked       bool // the caller named the key
	probe       bool // the run holds the circuit's one slot
	approval    *ledger.Approval
	to          Destination
	kinds       []ledger.Kind
	files       []string
	engine      *deliver.Engine // nil until something is sent
	payload     *frozen.Reader  // opened before anything is claimed; nil for an empty plan
}

// confirmOf reads what a confirm is judged by. A plan of another workspace does not
// exist for the caller.
func (s *Service) confirmOf(ctx context.Context, req ConfirmRequest) (*confirm, error) {
	plan, err := s.plan(ctx, req.PlanID)
	if err != nil {
		return nil, err
	}
	view, err := viewOf(plan)
	if err != nil {
		return nil, err
	}
	c := &confirm{Service: s.In(plan.Profile), req: req, plan: plan, summary: view.Summary, asked: req.Key != ""}
	err = s.store.View(ctx, func(tx ledger.Tx) error { return c.readFacts(ctx, tx) })
	if err != nil {
		return nil, err
	}
	if s.caller.Type != tenant.LocalCaller && c.owner.Workspace != s.caller.Workspace {
		return nil, fault.New(fault.PlanNotFound, "there is no plan with that id in this workspace")
	}
	return c, nil
}

// readFacts reads the rules and the preconditions as they are now.
func (c *confirm) readFacts(ctx context.Context, tx ledger.Tx) (err error) {
	t := tx.Tenants()
	if c.owner, err = c.profileIn(ctx, tx); err != nil {
		return err
	}
	if c.facts.Workspace, err = t.Workspace(ctx, c.owner.Workspace); err != nil {
		return err
	}
	c.facts.Connection, err = t.Connection(ctx, c.plan.Profile, c.plan.Realm, c.plan.Dataset)
	if errors.Is(err, ledger.ErrNotFound) {
		c.facts.Connection, err = nil, nil
	}
	return err
}

// stillPermitted judges switch, connection and policy again: waiting for a twin and
// rehearsing take time.
func (c *confirm) stillPermitted(ctx context.Context, tx ledger.Tx) error {
	if err := c.readFacts(ctx, tx); err != nil {
		return err
	}
	if err := c.permitted(); err != nil {
		return err
	}
	return c.alive()
}

// answer goes through the gates and sends.
func (c *confirm) answer(ctx context.Context) (*Receipt, error) {
	if err := c.mayAsk(); err != nil {
		return nil, err
	}
	if err := c.chooseKey(ctx); err != nil {
		return nil, err
	}
	for wait := c.patience(); ; {
		receipt, err := c.once(ctx)
		if !busy(err) {
			return receipt, err
		}
		if again, late := wait(ctx, err); !again {
			return nil, late
		}
	}
}

// once answers from the ledger, or takes the plan and works. A busy error says that
// somebody else is at it.
func (c *confirm) once(ctx context.Context) (*Receipt, error) {
	if receipt, err := c.replay(ctx); receipt != nil || err != nil {
		return receipt, err
	}
	lock, err := c.lock("plan-" + c.plan.ID)
	if err != nil {
		return nil, err
	}
	defer lock.release()
	// Somebody may have finished between the look and the lock: look again inside.
	if receipt, err := c.replay(ctx); receipt != nil || err != nil {
		return receipt, err
	}
	if receipt, err := c.enter(ctx); receipt != nil || err != nil {
		return receipt, err
	}
	if c.payload != nil {
		defer func() { _ = c.payload.Close() }()
	}
	if err := c.anchor(ctx); err != nil {
		return nil, err
	}
	if c.req.Accepted != nil {
		c.req.Accepted(c.run.ID)
	}
	receipt, err := c.work(ctx)
	c.cover(context.WithoutCancel(ctx))
	return receipt, err
}

// enter passes the gates and creates the run, or takes over one that ended early. A
// receipt says that there is nothing to take over.
func (c *confirm) enter(ctx context.Context) (*Receipt, error) {
	run, err := c.existing(ctx)
	switch {
	case err != nil:
		return nil, err
	case run != nil:
		return c.goOn(ctx, run)
	case c.req.Continue || c.req.Resume:
		return nil, fault.New(fault.Usage, "plan %s has no run to go on with", c.plan.ID).
			WithFix("confirm it: `sluice confirm %s`", c.plan.ID).WithCommand("sluice", "confirm", c.plan.ID)
	}
	if err := c.gates(ctx); err != nil {
		return nil, err
	}
	if err := c.prepare(ctx); err != nil {
		return nil, err
	}
	if err := c.only(ctx); err != nil {
		return nil, err
	}
	if err := c.judgeEvents(ctx); err != nil {
		return nil, err
	}
	if err := c.rehearseNow(ctx); err != nil {
		return nil, err
	}
	return nil, c.create(ctx)
}

// existing is the run the plan has, nil when there is none.
func (c *confirm) existing(ctx context.Context) (run *ledger.Run, err error) {
	err = c.store.View(ctx, func(tx ledger.Tx) (err error) {
		run, err = tx.Runs().OfPlan(ctx, c.plan.No)
		return err
	})
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, nil
	}
	return run, err
}

// goOn takes up a run that is there. What crashed is resumed by its key
// alone; what ended early on purpose needs an explicit word from anybody but the
// person at the machine.
func (c *confirm) goOn(ctx context.Context, run *ledger.Run) (*Receipt, error) {
	switch {
	case run.Key != c.req.Key:
		return nil, fault.New(fault.IdempotencyMismatch, "plan %s was already confirmed with another key", c.plan.ID).
			WithFix("confirm it with the key it was first confirmed with, or preview again").With("run_id", run.ID)
	case run.Paused && !c.req.Continue:
		return nil, c.waits(ctx, run)
	case run.State == ledger.RunStopped && !c.caller.Trusted() && !c.req.Resume && !c.req.Continue:
		return c.snapshot(ctx, run)
	}
	c.run = run
	if err := c.permitted(); err != nil {
		return nil, err
	}
	if err := c.mayGoOn(ctx); err != nil {
		return nil, err
	}
	if err := c.prepare(ctx); err != nil {
		return nil, err
	}
	if err := c.only(ctx); err != nil {
		return nil, err
	}
	return nil, c.resume(ctx)
}

// mayGoOn asks of the yes after a canary, and of an explicit resumption, what a
// confirm is asked: the plan that was looked at, the agent's cap, and a caller who
// could have confirmed it, or whose approval the run has used up.
func (c *confirm) mayGoOn(ctx context.Context) error {
	if !c.req.Continue && !c.req.Resume {
		return nil
	}
	if c.req.Hash != "" && c.req.Hash != c.plan.Hash {
		return fault.New(fault.PlanHashMismatch, "plan %s has another hash", c.plan.ID).With("plan_hash", c.plan.Hash)
	}
	if c.caller.Trusted() {
		return nil
	}
	if most := c.owner.Policy.AgentMaxEvents; c.caller.Agent && most > 0 && c.plan.Events > most {
		return c.capped("agent_max_events", "the plan has %d events, and an agent may confirm %d at a time", c.plan.Events, most)
	}
	why := c.parks()
	if why == "" {
		return nil
	}
	return c.store.View(ctx, func(tx ledger.Tx) error {
		used, err := tx.Approvals().List(ctx, ledger.ApprovalFilter{Plan: c.plan.No, State: ledger.ApprovalConsumed})
		if err != nil {
			return err
		}
		for i := range used {
			if used[i].Run == c.run.ID && used[i].Decider != "" {
				return nil
			}
		}
		return fault.New(fault.RoleRequired, "going on with run %s needs an admin: %s, and nobody approved this run", c.run.ID, why).
			With("role", string(tenant.Admin))
	})
}

// prepare reaches for everything the run needs before it changes anything: the
// destination, the payload, the lookups.
func (c *confirm) prepare(ctx context.Context) (err error) {
	if c.to, err = c.connect(ctx, Target{c.plan.Profile, c.plan.Realm, c.plan.Dataset}); err != nil {
		return err
	}
	if c.to.Realm() != c.plan.Realm {
		return fault.New(fault.DestinationMismatch, "plan %s was previewed for %s, and this is %s", c.plan.ID, c.plan.Realm, c.to.Realm()).
			WithFix("leave --graph-url out to send where the plan belongs, or preview again with the --graph-url you want")
	}
	if c.plan.Events == 0 {
		return nil
	}
	if c.payload, err = c.Service.payload(ctx, c.plan); err != nil {
		return err
	}
	if c.kinds, c.files, err = c.lookups(ctx, c.plan.No); err != nil {
		return err
	}
	return c.preflight(ctx)
}

// create commits the key, the run, the approval it uses, the circuit's slot and the
// audit record together; from here on the same key resumes this run. What may have
// changed since the gates were passed is judged again here, where it can't change
// any more.
func (c *confirm) create(ctx context.Context) error {
	now := c.now()
	c.run = &ledger.Run{
		ID: ids.New("run", now), Plan: c.plan.No, State: ledger.RunClaiming, Key: c.req.Key, StartedAt: now, Profile: c.plan.Profile,
		Events: c.plan.Events, Value: valueText(c.summary.Value), Canary: c.req.Canary,
	}
	c.run.Tag = "sluice:" + c.store.ID() + ":" + c.run.ID
	err := c.store.Do(ctx, func(tx ledger.Tx) error {
		if err := tx.Runs().PutKey(ctx, &ledger.Idempotency{Profile: c.plan.Profile, Key: c.req.Key, Fingerprint: c.fingerprint, Run: c.run.ID, CreatedAt: now}); err != nil {
			return err
		}
		if err := c.admit(ctx, tx); err != nil {
			return err
		}
		if err := c.stillPermitted(ctx, tx); err != nil {
			return err
		}
		if err := c.withinDay(ctx, tx); err != nil {
			return err
		}
		if err := c.consume(ctx, tx); err != nil {
			return err
		}
		if err := tx.Plans().Move(ctx, c.plan.No, ledger.PlanReady, ledger.PlanConfirmed); err != nil {
			return err
		}
		if err := tx.Runs().Create(ctx, c.run); err != nil {
			return err
		}
		return c.append(ctx, tx, c.record("confirm.accepted", "ok"))
	})
	if errors.Is(err, ledger.ErrTaken) || errors.Is(err, ledger.ErrLost) {
		c.run = nil
		return c.busy(err)
	}
	return err
}

// resume takes the circuit's slot again and notes who went on.
func (c *confirm) resume(ctx context.Context) error {
	paused := c.run.Paused
	return c.store.Do(ctx, func(tx ledger.Tx) error {
		if err := c.admit(ctx, tx); err != nil {
			return err
		}
		if !paused {
			if c.run.State != ledger.RunStopped {
				return nil // a crash, not a decision
			}
			return c.append(ctx, tx, c.record("confirm.resumed", "ok"))
		}
		c.run.Canary, c.run.Paused = 0, false
		if err := tx.Runs().Move(ctx, c.run, c.run.Fence); err != nil {
			return err
		}
		return c.append(ctx, tx, c.record("confirm.continued", "ok"))
	})
}

func (c *confirm) record(op, result string) audit.Record {
	r := audit.Record{
		Actor: c.actor(), Via: c.caller.Via, Profile: c.profile, Op: op, Dataset: c.plan.Dataset, Realm: c.plan.Realm, Plan: c.plan.ID, PlanHash: c.plan.Hash,
		Idempotency: keyPrefix(c.req.Key), EventCount: c.plan.Events, ValueBy: valueText(c.summary.Value), Result: result, AppVersion: c.version,
	}
	if c.run != nil {
		r.Run = c.run.ID
	}
	return r
}

// keyPrefix is how a key is logged.
func keyPrefix(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:6])
}

// append writes an audit record; where that is impossible, the change it describes
// must not happen either.
func (c *confirm) append(ctx context.Context, tx ledger.Tx, r audit.Record) error {
	_, err := tx.Audit().Append(ctx, c.now(), r)
	return unaudited(err)
}

func unaudited(err error) error {
	if err == nil {
		return nil
	}
	return fault.New(fault.AuditUnavailable, "the audit log can't be written; nothing was sent").Wrap(err)
}

// refused notes that a confirm was turned away. The refusal stands whether or not
// it can be noted.
func (c *confirm) refused(ctx context.Context, why error) {
	f, ok := fault.As(why)
	if !ok || errors.Is(why, context.Canceled) || f.Code == fault.IdempotencyInProgress || f.Code == fault.StoreUnavailable || f.Code == fault.AuditUnavailable {
		return
	}
	r := c.record("confirm.refused", "refused")
	r.ErrorCode = string(f.Code)
	ctx = context.WithoutCancel(ctx)
	err := c.store.Do(ctx, func(tx ledger.Tx) error { return c.append(ctx, tx, r) })
	if err != nil {
		c.log.Warn("a refusal was not written to the audit log", "code", f.Code, "error", err)
	}
}
