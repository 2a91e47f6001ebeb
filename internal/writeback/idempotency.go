package writeback

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"sluice/internal/fault"
	"sluice/internal/ledger"
)

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

// chooseKey settles the key of the request. Whoever repeats a command at the machine
// means the run the plan has; a program says what it repeats.
func (c *confirm) chooseKey(ctx context.Context) error {
	if !c.asked && !c.caller.Trusted() {
		return fault.New(fault.IdempotencyRequired, "a confirm needs an idempotency key")
	}
	if strings.HasPrefix(c.req.Key, adoptKey) { // it would make the run one that sends nothing
		return fault.New(fault.IdempotencyInvalid, "an idempotency key must not begin with %s", adoptKey)
	}
	if !c.asked {
		c.req.Key = "plan:" + c.plan.ID
		run, err := c.existing(ctx)
		if err != nil {
			return err
		}
		if run != nil {
			c.req.Key = run.Key
		}
	}
	c.fingerprint = c.fingerprinted()
	return checkKey(c.req.Key)
}

// fingerprinted is what the request's key stands for: the plan, where it goes, and
// the options that decide what is sent. The same key for anything else is a mistake
// of the caller.
func (c *confirm) fingerprinted() string {
	hash := c.plan.Hash
	if c.req.Hash != "" {
		hash = c.req.Hash
	}
	options := struct {
		Rejects bool `json:"accept_rejects,omitempty"`
		Double  bool `json:"accept_double_count,omitempty"`
		First   bool `json:"first_upload,omitempty"`
		Canary  int  `json:"canary,omitempty"`
	}{c.req.AcceptRejects, c.req.AcceptDoubleCount, c.req.FirstUpload, c.req.Canary}
	raw, _ := json.Marshal(options) // numbers and truth values always encode
	return fingerprint(hash, c.plan.Dataset, strings.TrimPrefix(string(raw), "{}"))
}

func fingerprint(hash, dataset, options string) string {
	text := "confirm\x00" + hash + "\x00" + dataset
	if options != "" {
		text += "\x00" + options
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// same reports whether a key's row stands for this request. A continuation is the
// second half of a canary; a command without a key means whatever run there is.
func (c *confirm) same(known *ledger.Idempotency) bool {
	if known.Fingerprint == c.fingerprint {
		return true
	}
	if c.asked && !c.req.Continue && !c.req.Resume {
		return false
	}
	return c.run != nil && known.Run == c.run.ID
}

// replay answers a confirm whose key is known: a finished one is answered from the
// ledger before any gate, for nothing will be sent.
func (c *confirm) replay(ctx context.Context) (*Receipt, error) {
	var known *ledger.Idempotency
	err := c.store.View(ctx, func(tx ledger.Tx) (err error) {
		if known, err = tx.Runs().Key(ctx, c.plan.Profile, c.req.Key); err != nil {
			return err
		}
		c.run, err = tx.Runs().OfPlan(ctx, c.plan.No)
		if errors.Is(err, ledger.ErrNotFound) {
			c.run, err = nil, nil
		}
		return err
	})
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case !c.same(known):
		return nil, fault.New(fault.IdempotencyMismatch, "this key was used for another confirm").With("run_id", known.Run)
	case len(known.Result) == 0:
		return nil, nil // running or stopped: the lock decides
	}
	var r Receipt
	if err := json.Unmarshal(known.Result, &r); err != nil {
		return nil, err
	}
	r.Replayed = true
	return &r, c.replayed(ctx)
}

// replayed notes that a receipt was handed out again.
func (c *confirm) replayed(ctx context.Context) error {
	return c.store.Do(ctx, func(tx ledger.Tx) error { return c.append(ctx, tx, c.record("confirm.replayed", "ok")) })
}

// snapshot is the receipt of a run that ended early, as the ledger stands.
func (c *confirm) snapshot(ctx context.Context, run *ledger.Run) (*Receipt, error) {
	c.run = run
	var r *Receipt
	err := c.store.View(ctx, func(tx ledger.Tx) (err error) {
		r, err = c.count(ctx, tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.Replayed, r.Error = true, run.Error
	return r, c.replayed(ctx)
}

// busy says that somebody else has the plan or the key.
func (c *confirm) busy(cause error) error {
	f := fault.New(fault.IdempotencyInProgress, "another process is sending this plan").Wrap(cause)
	f.RetryAfter = 5
	return f
}

func busy(err error) bool { return fault.CodeOf(err) == fault.IdempotencyInProgress }

// pollEvery is how often a waiting confirm looks whether its twin is done.
const pollEvery = 250 * time.Millisecond

// patience waits between looks until the request's time is over. What it then
// returns names the run that is at work.
func (c *confirm) patience() func(context.Context, error) (bool, error) {
	left, raced := c.req.Wait, false
	return func(ctx context.Context, err error) (bool, error) {
		if !raced && (errors.Is(err, ledger.ErrTaken) || errors.Is(err, ledger.ErrLost)) {
			raced = true // the other one's row is there now: look at once
			return true, nil
		}
		if left > 0 {
			left -= pollEvery
			if c.req.Progress != nil {
				c.req.Progress(Progress{Phase: "waiting", Total: int64(c.plan.Events)})
			}
			if err := c.sleep(ctx, pollEvery); err != nil {
				return false, err
			}
			return true, nil
		}
		f, ok := fault.As(err)
		if run, e := c.existing(ctx); ok && e == nil && run != nil {
			_ = f.With("run_id", run.ID).WithCommand("sluice", "runs")
		}
		return false, err
	}
}
