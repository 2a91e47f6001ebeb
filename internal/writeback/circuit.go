package writeback

import (
	"context"
	"errors"
	"time"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ledger"
)

// The circuit breaker of a profile.
const (
	circuitFailures = 3
	circuitWindow   = 30 * time.Minute // sliding
	circuitCool     = 30 * time.Minute // doubled per reopening
	circuitCoolMost = 4 * time.Hour
	probeEvents     = 50 // of the first request in half_open
)

// shares of a run's events from which it counts as failed.
const (
	failedUnknown = 0.05
	failedRefused = 0.50
)

// admit refuses while the circuit is open and gives the one slot of a half open
// circuit to this run. It holds the circuit's row: confirms that come together are
// judged one after the other.
func (c *confirm) admit(ctx context.Context, tx ledger.Tx) error {
	circuit, err := tx.Circuits().Lock(ctx, c.plan.Profile, c.plan.Realm)
	if err != nil {
		return err
	}
	if err := c.passes(ctx, tx, circuit); err != nil {
		return err
	}
	if circuit.State == ledger.CircuitClosed {
		return nil
	}
	if circuit.Probe == c.run.ID {
		c.probe = true
		return nil
	}
	from := circuit.State
	circuit.State, circuit.Probe, c.probe = ledger.CircuitHalfOpen, c.run.ID, true
	if err := tx.Circuits().Put(ctx, circuit); err != nil {
		return err
	}
	return c.circuitMoved(ctx, tx, from, circuit)
}

// passes judges without changing anything: the same answer at the gate, before
// anybody waits for a network, and inside the transaction that decides.
func (c *confirm) passes(ctx context.Context, tx ledger.Tx, circuit *ledger.Circuit) error {
	now := tx.Now()
	switch {
	case circuit.State == ledger.CircuitOpen && now.Before(circuit.Until):
	case circuit.State == ledger.CircuitHalfOpen && circuit.Probe != "" && (c.run == nil || circuit.Probe != c.run.ID):
		if alive, err := c.probing(ctx, tx, circuit); err != nil || !alive {
			return err
		}
		f := fault.New(fault.CircuitOpen, "the circuit is half open, and another confirm is trying it")
		f.RetryAfter = 60
		return f.With("state", string(circuit.State)).With("opened_at", circuit.OpenedAt).With("run_id", circuit.Probe)
	default:
		return nil
	}
	failures, err := tx.Circuits().Failures(ctx, c.plan.Profile, c.plan.Realm, circuit.OpenedAt.Add(-circuitWindow))
	if err != nil {
		return err
	}
	wait := circuit.Until.Sub(now)
	f := fault.New(fault.CircuitOpen, "%d confirms of this profile failed within %d minutes; the circuit is open until %s",
		max(len(failures), 1), int(circuitWindow/time.Minute), circuit.Until.Format(time.RFC3339)).
		With("state", string(circuit.State)).With("opened_at", circuit.OpenedAt).With("failures", listed(failures)).
		WithCommand("sluice", "circuit", "show")
	f.RetryAfter = int(wait/time.Second) + 1
	return f
}

// probing reports whether the run that holds the slot may still decide. One that
// ended without a verdict gives the slot up.
func (c *confirm) probing(ctx context.Context, tx ledger.Tx, circuit *ledger.Circuit) (bool, error) {
	run, err := tx.Runs().ByID(ctx, circuit.Probe)
	if errors.Is(err, ledger.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return run.State == ledger.RunClaiming || run.State == ledger.RunSending, nil
}

// FailureRow is a failed run as it is shown.
type FailureRow struct {
	Run     string    `json:"run_id"`
	Dataset string    `json:"dataset"`
	Code    string    `json:"code"`
	At      time.Time `json:"at"`
}

func listed(failures []ledger.Failure) []FailureRow {
	out := make([]FailureRow, len(failures))
	for i, f := range failures {
		out[i] = FailureRow(f)
	}
	return out
}

// settleCircuit counts what a run came to, in the transaction that ends it. One run
// counts once.
func (c *confirm) settleCircuit(ctx context.Context, tx ledger.Tx, r *Receipt, sent error) error {
	code := failedBy(r, sent)
	circuit, err := tx.Circuits().Lock(ctx, c.plan.Profile, c.plan.Realm)
	if err != nil {
		return err
	}
	mine := circuit.State == ledger.CircuitHalfOpen && circuit.Probe == c.run.ID
	now := tx.Now()
	switch {
	case code != "":
		err = tx.Circuits().Fail(ctx, c.plan.Profile, c.plan.Realm, ledger.Failure{Run: c.run.ID, Dataset: c.plan.Dataset, Code: code, At: now})
		if err != nil {
			return err
		}
		if mine {
			circuit.Reopened++
			return c.trip(ctx, tx, circuit)
		}
		if circuit.State != ledger.CircuitClosed {
			return nil
		}
		failures, err := tx.Circuits().Failures(ctx, c.plan.Profile, c.plan.Realm, now.Add(-circuitWindow))
		if err != nil || len(failures) < circuitFailures {
			return err
		}
		return c.trip(ctx, tx, circuit)
	case mine && sent == nil && r.Counts[ledger.Delivered] > 0:
		return c.closeCircuit(ctx, tx, circuit, "")
	case mine: // no verdict: nothing was sent, or it was throttled or interrupted
		circuit.Probe = ""
		return tx.Circuits().Put(ctx, circuit)
	}
	return nil
}

// failedBy names why a run counts as failed; empty when it does not. Throttling,
// interruptions, gates and refused rows below the limit are no failures.
func failedBy(r *Receipt, sent error) string {
	f, _ := fault.As(sent)
	if f != nil {
		switch f.Code {
		case fault.ConnectorExpired, fault.ConnectionInactive, fault.DestinationRejected, fault.DestinationUnreached, fault.OutcomeUnknown:
			return string(f.Code)
		}
	}
	total := float64(max(1, sum(r.Counts)))
	switch {
	case float64(r.Counts[ledger.Unknown])/total > failedUnknown:
		return string(fault.OutcomeUnknown)
	case float64(r.refused())/total > failedRefused:
		return string(fault.DestinationRejected)
	}
	return ""
}

// refused is how many events Meta itself turned down.
func (r *Receipt) refused() int {
	return r.Reasons["rejected(meta_invalid)"] + r.Reasons["rejected(batch_refused)"]
}

// trip opens the circuit, and parks the other runs of the profile: they finish the
// request they are at, and what is left stays queued.
func (c *confirm) trip(ctx context.Context, tx ledger.Tx, circuit *ledger.Circuit) error {
	from, now := circuit.State, tx.Now()
	cool := circuitCool
	for range circuit.Reopened {
		cool = min(2*cool, circuitCoolMost)
	}
	circuit.State, circuit.Dataset, circuit.OpenedAt, circuit.Until, circuit.Probe = ledger.CircuitOpen, c.plan.Dataset, now, now.Add(cool), ""
	if err := tx.Circuits().Put(ctx, circuit); err != nil {
		return err
	}
	open, err := tx.Runs().Open(ctx)
	if err != nil {
		return err
	}
	for i := range open {
		run := &open[i]
		if run.ID == c.run.ID || run.State != ledger.RunSending || run.Profile != c.plan.Profile {
			continue
		}
		p, err := tx.Plans().ByNo(ctx, run.Plan)
		if err != nil {
			return err
		}
		if p.Realm != c.plan.Realm {
			continue
		}
		run.State, run.Error = ledger.RunStopped, string(fault.CircuitOpen)
		if err := tx.Runs().Move(ctx, run, run.Fence); err != nil {
			return err
		}
	}
	return c.circuitMoved(ctx, tx, from, circuit)
}

func (s *Service) closeCircuit(ctx context.Context, tx ledger.Tx, circuit *ledger.Circuit, reason string) error {
	from := circuit.State
	circuit.State, circuit.Reopened, circuit.Probe = ledger.CircuitClosed, 0, ""
	circuit.OpenedAt, circuit.Until = time.Time{}, time.Time{}
	if err := tx.Circuits().Put(ctx, circuit); err != nil {
		return err
	}
	if err := tx.Circuits().Clear(ctx, circuit.Profile, circuit.Realm); err != nil {
		return err
	}
	r := s.circuitRecord(from, circuit)
	r.Reason = reason
	_, err := tx.Audit().Append(ctx, s.now(), r)
	return unaudited(err)
}

func (c *confirm) circuitMoved(ctx context.Context, tx ledger.Tx, from ledger.CircuitState, circuit *ledger.Circuit) error {
	r := c.circuitRecord(from, circuit)
	r.Plan, r.Run = c.plan.ID, c.run.ID
	c.log.Warn("the circuit moved", "profile", circuit.Profile, "from", string(from), "to", string(circuit.State))
	return c.append(ctx, tx, r)
}

func (s *Service) circuitRecord(from ledger.CircuitState, circuit *ledger.Circuit) audit.Record {
	return audit.Record{
		Actor: s.actor(), Via: s.caller.Via, Profile: circuit.Profile, Op: "circuit." + string(circuit.State), Dataset: circuit.Dataset,
		Realm: circuit.Realm, Result: "was " + string(from), AppVersion: s.version,
	}
}

// CircuitView is a circuit as it is shown.
type CircuitView struct {
	Profile    string       `json:"profile"`
	Realm      string       `json:"realm"`
	Dataset    string       `json:"dataset,omitempty"`
	State      string       `json:"state"`
	OpenedAt   time.Time    `json:"opened_at,omitzero"`
	Until      time.Time    `json:"until,omitzero"` // when an open one may be tried
	RetryAfter int          `json:"retry_after,omitempty"`
	Probe      string       `json:"probe_run_id,omitempty"`
	Failures   []FailureRow `json:"failures"` // of the last 30 minutes, or of those that opened it
}

// Circuits lists the circuits of the service's profile that ever moved.
func (s *Service) Circuits(ctx context.Context) ([]CircuitView, error) {
	views := []CircuitView{}
	err := s.store.View(ctx, func(tx ledger.Tx) error {
		if _, err := s.profileIn(ctx, tx); err != nil {
			return err
		}
		list, err := tx.Circuits().List(ctx, s.profile)
		if err != nil {
			return err
		}
		for _, c := range list {
			now := tx.Now()
			v := CircuitView{Profile: c.Profile, Realm: c.Realm, Dataset: c.Dataset, State: string(c.State), OpenedAt: c.OpenedAt, Until: c.Until, Probe: c.Probe}
			since := now.Add(-circuitWindow)
			if c.State == ledger.CircuitOpen {
				if v.RetryAfter = max(0, int(c.Until.Sub(now)/time.Second)+1); !now.Before(c.Until) {
					v.State, v.RetryAfter = string(ledger.CircuitHalfOpen), 0
				}
			}
			if c.State != ledger.CircuitClosed {
				since = c.OpenedAt.Add(-circuitWindow)
			}
			failures, err := tx.Circuits().Failures(ctx, c.Profile, c.Realm, since)
			if err != nil {
				return err
			}
			v.Failures = listed(failures)
			views = append(views, v)
		}
		return nil
	})
	return views, err
}

// ResetCircuit closes the circuits of the service's profile, in one realm or, when
// realm is empty, in all. It takes an admin and a reason, and both are on record.
func (s *Service) ResetCircuit(ctx context.Context, realm, reason string) (int, error) {
	if err := s.mayAdminister(reason); err != nil {
		return 0, err
	}
	n := 0
	err := s.store.Do(ctx, func(tx ledger.Tx) error {
		if _, err := s.profileIn(ctx, tx); err != nil {
			return err
		}
		list, err := tx.Circuits().List(ctx, s.profile)
		if err != nil {
			return err
		}
		for _, c := range list {
			if realm != "" && c.Realm != realm {
				continue
			}
			locked, err := tx.Circuits().Lock(ctx, c.Profile, c.Realm)
			if err != nil {
				return err
			}
			if locked.State == ledger.CircuitClosed {
				continue
			}
			if err := s.closeCircuit(ctx, tx, locked, reason); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// maxReason bounds what a person writes into the audit log.
const maxReason = 500

func (s *Service) requireReason(reason string) error {
	if reason == "" || len(reason) > maxReason {
		return fault.New(fault.Usage, "a reason of 1 to %d bytes is needed: it goes into the audit log", maxReason)
	}
	return nil
}
