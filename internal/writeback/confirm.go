package writeback

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"

	"sluice/internal/audit"
	"sluice/internal/deliver"
	"sluice/internal/fault"
	"sluice/internal/frozen"
	"sluice/internal/graph"
	"sluice/internal/ids"
	"sluice/internal/ledger"
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
	PlanID        string
	Hash          string // of the plan; checked when not empty
	Key           string // idempotency key; "plan:<id>" when empty
	AcceptRejects bool
	Concurrency   int // 4 when zero
	Progress      func(Progress)
}

// Confirm sends a plan once. Repeating it with the same key returns the stored
// receipt and sends nothing; after a crash it goes on where the ledger stands.
func (s *Service) Confirm(ctx context.Context, req ConfirmRequest) (*Receipt, error) {
	if req.PlanID == "" {
		return nil, fault.New(fault.PlanRequired, "confirm needs a plan")
	}
	if req.Concurrency < 0 || req.Concurrency > maxConcurrency {
		return nil, fault.New(fault.Usage, "the concurrency must be 1 to %d", maxConcurrency)
	}
	plan, err := s.plan(ctx, req.PlanID)
	if err != nil {
		return nil, err
	}
	if req.Hash != "" && req.Hash != plan.Hash {
		return nil, fault.New(fault.PlanHashMismatch, "plan %s has another hash", plan.ID)
	}
	if req.Key == "" {
		if req.Key, err = s.keyOf(ctx, plan); err != nil {
			return nil, err
		}
	}
	if err := checkKey(req.Key); err != nil {
		return nil, err
	}
	view, err := viewOf(plan)
	if err != nil {
		return nil, err
	}
	c := &confirm{Service: s, req: req, plan: plan, summary: view.Summary, fingerprint: fingerprintOf(plan)}
	if receipt, err := c.replay(ctx); receipt != nil || err != nil {
		return receipt, err
	}
	lock, err := s.lock("plan-" + plan.ID)
	if err != nil {
		return nil, err
	}
	defer lock.release()
	// Somebody may have finished while we waited for nothing: look again inside.
	if receipt, err := c.replay(ctx); receipt != nil || err != nil {
		return receipt, err
	}
	if err := c.open(ctx); err != nil {
		return nil, err
	}
	if c.payload != nil {
		defer func() { _ = c.payload.Close() }()
	}
	return c.work(ctx)
}

// keyOf is the key of a confirm that names none: that of the run the plan already
// has, so that whoever repeats the command goes on with it.
func (s *Service) keyOf(ctx context.Context, p *ledger.Plan) (string, error) {
	key := "plan:" + p.ID
	err := s.store.View(ctx, func(tx ledger.Tx) error {
		run, err := tx.Runs().OfPlan(ctx, p.No)
		if err == nil {
			key = run.Key
		}
		return err
	})
	if errors.Is(err, ledger.ErrNotFound) {
		err = nil
	}
	return key, err
}

type confirm struct {
	*Service
	req         ConfirmRequest
	plan        *ledger.Plan
	summary     *Summary
	run         *ledger.Run
	fingerprint string
	to          Destination
	kinds       []ledger.Kind
	files       []string
	payload     *frozen.Reader // opened before anything is claimed; nil for an empty plan
}

// checkKey accepts 1 to 255 visible ASCII characters.
func checkKey(key string) error {
	ok := len(key) >= 1 && len(key) <= 255
	for i := range len(key) {
		ok = ok && key[i] > ' ' && key[i] < 0x7f
	}
	if !ok {
		return fault.New(fault.IdempotencyInvalid, "the idempotency key must be 1 to 255 visible ASCII characters")
	}
	return nil
}

// fingerprintOf is what a key stands for: the same key for anything else is a
// mistake of the caller.
func fingerprintOf(p *ledger.Plan) string {
	sum := sha256.Sum256([]byte("confirm\x00" + p.Hash + "\x00" + p.Dataset))
	return hex.EncodeToString(sum[:])
}

// replay answers a confirm whose key is known: a finished one is answered from the
// ledger before any gate, for nothing will be sent.
func (c *confirm) replay(ctx context.Context) (*Receipt, error) {
	var known *ledger.Idempotency
	err := c.store.View(ctx, func(tx ledger.Tx) (err error) {
		known, err = tx.Runs().Key(ctx, c.plan.Profile, c.req.Key)
		return err
	})
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case known.Fingerprint != c.fingerprint:
		return nil, fault.New(fault.IdempotencyMismatch, "this key was used to confirm another plan").With("run_id", known.Run)
	case len(known.Result) == 0:
		return nil, nil // running or stopped: the lock decides
	}
	var r Receipt
	if err := json.Unmarshal(known.Result, &r); err != nil {
		return nil, err
	}
	r.Replayed = true
	return &r, nil
}

// open passes the gates and creates the run, or takes over one that stopped.
func (c *confirm) open(ctx context.Context) error {
	var run *ledger.Run
	err := c.store.View(ctx, func(tx ledger.Tx) (err error) {
		run, err = tx.Runs().OfPlan(ctx, c.plan.No)
		return err
	})
	switch {
	case err == nil && run.Key != c.req.Key:
		return fault.New(fault.IdempotencyMismatch, "plan %s was already confirmed with another key", c.plan.ID).
			WithFix("confirm it with the key it was first confirmed with, or preview again").With("run_id", run.ID)
	case err == nil:
		c.run = run
	case !errors.Is(err, ledger.ErrNotFound):
		return err
	default:
		if err := c.gates(); err != nil {
			return err
		}
	}
	if err := c.prepare(ctx); err != nil {
		return err
	}
	if c.run != nil {
		return nil
	}
	late, err := c.late(ctx)
	if err != nil {
		return err
	}
	if share := float64(len(late)) / float64(max(1, c.plan.Events)); share > staleShare {
		return fault.New(fault.PlanStale, "%d of %d events left their time window since the preview; nothing was sent", len(late), c.plan.Events)
	}
	return c.create(ctx)
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
	if c.payload, err = c.Service.payload(c.plan); err != nil {
		return err
	}
	if c.kinds, c.files, err = c.lookups(ctx, c.plan.No); err != nil {
		return err
	}
	return c.preflight(ctx)
}

// create commits the key, the run and the audit record together; from here on the
// same key resumes this run.
func (c *confirm) create(ctx context.Context) error {
	now := c.now()
	c.run = &ledger.Run{ID: ids.New("run", now), Plan: c.plan.No, State: ledger.RunClaiming, Key: c.req.Key, StartedAt: now, Profile: c.plan.Profile, Events: c.plan.Events, Value: valueText(c.summary.Value)}
	c.run.Tag = "sluice:" + c.store.ID() + ":" + c.run.ID
	return c.store.Do(ctx, func(tx ledger.Tx) error {
		if err := tx.Runs().PutKey(ctx, &ledger.Idempotency{Profile: c.plan.Profile, Key: c.req.Key, Fingerprint: c.fingerprint, Run: c.run.ID, CreatedAt: now}); err != nil {
			return err
		}
		if err := tx.Runs().Create(ctx, c.run); err != nil {
			return err
		}
		if err := tx.Plans().Move(ctx, c.plan.No, ledger.PlanReady, ledger.PlanConfirmed); err != nil {
			return err
		}
		_, err := tx.Audit().Append(ctx, now, c.record("confirm.accepted", "ok"))
		return err
	})
}

func (c *confirm) record(op, result string) audit.Record {
	key := sha256.Sum256([]byte(c.req.Key))
	r := audit.Record{
		Actor: c.actor(), Via: c.caller.Via, Profile: c.profile, Op: op, Dataset: c.plan.Dataset, Realm: c.plan.Realm, Plan: c.plan.ID, PlanHash: c.plan.Hash,
		Idempotency: hex.EncodeToString(key[:6]), EventCount: c.plan.Events, Result: result, AppVersion: c.version,
	}
	if c.run != nil {
		r.Run = c.run.ID
	}
	return r
}
