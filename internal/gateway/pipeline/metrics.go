package pipeline

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/obs"
)

// Metrics counts what the pipelines of a process decide. Its labels are configured names
// and codes of fixed lists. A nil one counts nothing.
type Metrics struct {
	mu        sync.RWMutex
	decisions map[decisionLabel]*atomic.Uint64
	settled   map[settledLabel]*atomic.Uint64
	reserves  map[string]*reserveStats
	unsettled atomic.Uint64
}

type (
	decisionLabel struct{ server, decision, code string }
	settledLabel  struct{ server, settlement string }
)

// NewMetrics returns empty metrics.
func NewMetrics() *Metrics {
	return &Metrics{decisions: map[decisionLabel]*atomic.Uint64{}, settled: map[settledLabel]*atomic.Uint64{}, reserves: map[string]*reserveStats{}}
}

// reserveBounds of the histogram, in seconds.
var reserveBounds = [...]float64{0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5}

type reserveStats struct {
	buckets [len(reserveBounds) + 1]atomic.Uint64
	nanos   atomic.Int64
}

// of is the value under a label, which is made where it is missing.
func of[K comparable, V any](mu *sync.RWMutex, all map[K]*V, key K) *V {
	mu.RLock()
	v := all[key]
	mu.RUnlock()
	if v == nil {
		mu.Lock()
		defer mu.Unlock()
		if v = all[key]; v == nil {
			v = new(V)
			all[key] = v
		}
	}
	return v
}

func (m *Metrics) decided(server, decision, code string) {
	if m != nil {
		of(&m.mu, m.decisions, decisionLabel{server, decision, code}).Add(1)
	}
}

func (m *Metrics) settlement(server, settlement string, err error) {
	if m == nil {
		return
	}
	of(&m.mu, m.settled, settledLabel{server, settlement}).Add(1)
	if err != nil {
		m.unsettled.Add(1)
	}
}

func (m *Metrics) reserved(server string, took time.Duration) {
	if m == nil {
		return
	}
	s := of(&m.mu, m.reserves, server)
	i, _ := slices.BinarySearch(reserveBounds[:], took.Seconds())
	s.buckets[i].Add(1)
	s.nanos.Add(int64(took))
}

// Families are the metrics as they are written.
func (m *Metrics) Families() []obs.Family {
	if m == nil {
		return nil
	}
	decisions := obs.Family{Name: "mcp_decisions_total", Help: "calls by what was decided and why", Kind: obs.Counter}
	settled := obs.Family{Name: "mcp_settlements_total", Help: "admitted calls by how their reservation ended", Kind: obs.Counter}
	reserves := obs.Family{Name: "mcp_reserve_seconds", Help: "time to reserve quota and record a decision", Kind: obs.Histogram}
	unsettled := obs.Family{Name: "mcp_settlement_failures_total", Help: "outcomes that could not be recorded", Kind: obs.Counter}
	m.mu.RLock()
	defer m.mu.RUnlock()
	for l, n := range m.decisions {
		decisions.Add(float64(n.Load()), "server", l.server, "decision", l.decision, "code", l.code)
	}
	for l, n := range m.settled {
		settled.Add(float64(n.Load()), "server", l.server, "settlement", l.settlement)
	}
	for server, s := range m.reserves {
		total := uint64(0)
		for i := range s.buckets {
			total += s.buckets[i].Load()
			le := "+Inf"
			if i < len(reserveBounds) {
				le = obs.Number(reserveBounds[i])
			}
			reserves.AddTo("_bucket", float64(total), "server", server, "le", le)
		}
		reserves.AddTo("_sum", time.Duration(s.nanos.Load()).Seconds(), "server", server)
		reserves.AddTo("_count", float64(total), "server", server)
	}
	unsettled.Add(float64(m.unsettled.Load()))
	return slices.DeleteFunc([]obs.Family{decisions, settled, reserves, unsettled}, func(f obs.Family) bool { return len(f.Samples) == 0 })
}
