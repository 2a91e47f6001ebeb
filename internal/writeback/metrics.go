package writeback

import (
	"context"
	"time"

	"sluice/internal/ledger"
	"sluice/internal/obs"
	"sluice/internal/tenant"
)

// Metrics measures the store: what waits, what was sent, how fresh and how well.
// Labels are profiles, datasets, outcomes, states and codes; no label is a value of
// a record.
func (s *Service) Metrics(ctx context.Context) ([]obs.Family, error) {
	m := newMeasures()
	var profiles []tenant.Profile
	err := s.store.View(ctx, func(tx ledger.Tx) (err error) {
		if profiles, err = tx.Tenants().Profiles(ctx, ""); err != nil {
			return err
		}
		if err := m.requests(ctx, tx); err != nil {
			return err
		}
		if err := m.waiting(ctx, tx); err != nil {
			return err
		}
		return m.others(ctx, tx)
	})
	if err != nil {
		return nil, err
	}
	for i := range profiles {
		if err := s.In(profiles[i].ID).measure(ctx, m); err != nil {
			return nil, err
		}
	}
	return m.families(), nil
}

// measures are the families being filled.
type measures struct {
	rows, states, send, size, retries, unknown, expiring, circuit, queue, fresh, coverage, tiers, audit, token obs.Family
}

func newMeasures() *measures {
	gauge := func(name, help string) obs.Family { return obs.Family{Name: name, Help: help, Kind: obs.Gauge} }
	return &measures{
		rows:     gauge("wb_rows_total", "rows of the last seven days by what became of them, with its reason"),
		states:   gauge("wb_events_state", "receipts of the last seven days by state"),
		send:     obs.Family{Name: "wb_send_seconds", Help: "time that requests took", Kind: obs.Summary},
		size:     obs.Family{Name: "wb_batch_size", Help: "events per request", Kind: obs.Summary},
		retries:  obs.Family{Name: "wb_retries_total", Help: "requests that have to be tried again, by class", Kind: obs.Counter},
		unknown:  gauge("wb_unknown_age_seconds", "age of the oldest event that may or may not have arrived"),
		expiring: gauge("wb_expiring_24h", "confirmed events that leave their window within 24 hours"),
		circuit:  gauge("wb_circuit_state", "0 closed, 1 half open, 2 open"),
		queue:    gauge("wb_queue_depth", "confirmed events that are not final"),
		fresh:    gauge("wb_freshness_seconds", "from event time to acknowledgement, of the last seven days"),
		coverage: gauge("wb_coverage_ratio", "delivered and left out on purpose, of all rows of the last seven days"),
		tiers:    gauge("wb_tier_share", "share of the events of the last seven days by match tier"),
		audit:    gauge("wb_audit_lag", "seconds that audit records are not covered by a checkpoint"),
		token:    gauge("wb_token_days_left", "days until the token of a connection ends"),
	}
}

func (m *measures) families() []obs.Family {
	return []obs.Family{
		m.rows, m.states, m.send, m.size, m.retries, m.unknown, m.expiring, m.circuit, m.queue, m.fresh, m.coverage, m.tiers, m.audit, m.token,
	}
}

func (m *measures) requests(ctx context.Context, tx ledger.Tx) error {
	list, err := tx.Alerts().Requests(ctx)
	type target struct{ profile, dataset string }
	sum := map[target]ledger.RequestStat{}
	for _, r := range list {
		t := target{r.Profile, r.Dataset}
		n := sum[t]
		n.Requests, n.Events, n.Took = n.Requests+r.Requests, n.Events+r.Events, n.Took+r.Took
		sum[t] = n
		if r.Result == "retry" || r.Result == string(ledger.Unknown) {
			m.retries.Add(float64(r.Requests), "profile", r.Profile, "dataset", r.Dataset, "class", r.Result)
		}
	}
	for t, n := range sum {
		labels := []string{"profile", t.profile, "dataset", t.dataset}
		m.send.AddTo("_sum", n.Took.Seconds(), labels...)
		m.send.AddTo("_count", float64(n.Requests), labels...)
		m.size.AddTo("_sum", float64(n.Events), labels...)
		m.size.AddTo("_count", float64(n.Requests), labels...)
	}
	return err
}

// waiting measures the open runs.
func (m *measures) waiting(ctx context.Context, tx ledger.Tx) error {
	runs, err := tx.Runs().Open(ctx)
	if err != nil {
		return err
	}
	type target struct{ profile, dataset string }
	type depth struct {
		queue, expiring int
		unknown         time.Duration
	}
	all := map[target]*depth{}
	for _, run := range runs {
		p, err := tx.Plans().ByNo(ctx, run.Plan)
		if err != nil {
			return err
		}
		t := target{p.Profile, p.Dataset}
		d := all[t]
		if d == nil {
			d = &depth{}
			all[t] = d
		}
		batches, err := tx.Batches().List(ctx, p.No)
		if err != nil {
			return err
		}
		for i := range batches {
			b := &batches[i]
			if b.State.Terminal() || b.State == ledger.Planned {
				continue
			}
			if b.State == ledger.Unknown && !b.FirstAttempt.IsZero() {
				d.unknown = max(d.unknown, tx.Now().Sub(b.FirstAttempt))
			}
			err := tx.Events().Range(ctx, p.No, b.First, b.First+b.Count, func(e *ledger.Event) error {
				if e.State != "" && e.State.Terminal() {
					return nil
				}
				d.queue++
				if leaves(e.Time, b.Class).Sub(tx.Now()) < expiringSoon {
					d.expiring++
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	for t, d := range all {
		labels := []string{"profile", t.profile, "dataset", t.dataset}
		m.queue.Add(float64(d.queue), labels...)
		m.expiring.Add(float64(d.expiring), labels...)
		m.unknown.Add(d.unknown.Seconds(), labels...)
	}
	return nil
}

func (m *measures) others(ctx context.Context, tx ledger.Tx) error {
	circuits, err := tx.Circuits().List(ctx, "")
	if err != nil {
		return err
	}
	for _, c := range circuits {
		m.circuit.Add(map[ledger.CircuitState]float64{ledger.CircuitHalfOpen: 1, ledger.CircuitOpen: 2}[c.State], "profile", c.Profile, "realm", c.Realm)
	}
	connections, err := tx.Tenants().Connections(ctx, "")
	if err != nil {
		return err
	}
	for _, c := range connections {
		if !c.TokenExpires.IsZero() {
			m.token.Add(c.TokenExpires.Sub(tx.Now()).Hours()/24, "profile", c.Profile, "dataset", c.Dataset)
		}
	}
	lag, err := checkpointLag(ctx, tx)
	m.audit.Add(lag.Seconds())
	return err
}

// measure adds what the receipts of the profile's last seven days say.
func (s *Service) measure(ctx context.Context, m *measures) error {
	type kind struct{ dataset, outcome string }
	type reason struct {
		kind
		state ledger.State
		code  string
	}
	lines, reasons := map[kind]*CoverageLine{}, map[reason]int{}
	now := s.now()
	_, err := s.receipts(ctx, receiptQuery{from: now.AddDate(0, 0, -7), to: now.Add(time.Hour)}, func(r *receipt) error {
		k := kind{r.dataset, r.outcome}
		line := lines[k]
		if line == nil {
			line = newCoverageLine("")
			lines[k] = line
		}
		line.add(r)
		reasons[reason{k, r.state, r.code}]++
		return nil
	})
	if err != nil {
		return err
	}
	for k, line := range lines {
		labels := func(more ...string) []string {
			return append([]string{"profile", s.profile, "dataset", k.dataset, "outcome", k.outcome}, more...)
		}
		line.finish()
		for state, n := range line.states {
			m.states.Add(float64(n), labels("state", string(state))...)
		}
		m.coverage.Add(line.Ratio, labels()...)
		if line.Delivered > 0 {
			m.fresh.Add(float64(line.FreshnessMedian), labels("quantile", "0.5")...)
			m.fresh.Add(float64(line.FreshnessP95), labels("quantile", "0.95")...)
		}
		events := 0
		for _, n := range line.Tiers {
			events += n
		}
		for tier, n := range line.Tiers {
			m.tiers.Add(float64(n)/float64(events), labels("tier", tier)...)
		}
	}
	for r, n := range reasons {
		m.rows.Add(float64(n), "profile", s.profile, "dataset", r.dataset, "outcome", r.outcome, "stage", string(r.state), "code", r.code)
	}
	return nil
}
