package gateway

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/obs"
)

// Metrics counts the calls of all upstreams of a process. Labels are the configured
// name of a server, a known method and an outcome of a fixed list: nothing a client
// chooses.
type Metrics struct {
	mu      sync.Mutex
	servers []*serverStats
}

// NewMetrics returns empty metrics.
func NewMetrics() *Metrics { return &Metrics{} }

// Methods that have a count of their own; the rest is "other".
var counted = []string{
	mcpwire.MethodInitialize, mcpwire.MethodPing, mcpwire.MethodDiscover, mcpwire.MethodListen, mcpwire.MethodSetLevel,
	mcpwire.MethodToolsList, mcpwire.MethodToolsCall, mcpwire.MethodPromptsList, mcpwire.MethodPromptsGet,
	mcpwire.MethodResourcesList, mcpwire.MethodTemplatesList, mcpwire.MethodResourcesRead, mcpwire.MethodSubscribe,
	mcpwire.MethodUnsubscribe, mcpwire.MethodComplete, mcpwire.MethodTaskGet, mcpwire.MethodTaskUpdate, mcpwire.MethodTaskCancel,
	"other",
}

// Outcomes: a result, an error of the upstream, a client that gave up, a failure of
// the relay by its code.
var outcomes = []string{
	"ok", "error", "cancelled", string(exchange.Unreachable), string(exchange.TimedOut), string(exchange.BrokeOff), string(exchange.BackingOff),
	string(exchange.SessionLost), string(exchange.CredentialLost), string(exchange.ConsentNeeded), string(exchange.WrongEra),
	string(exchange.CannotCarry), string(exchange.TooMany), string(exchange.ShuttingDown), string(exchange.ReadOnlyScope),
	string(exchange.GrantEnded), string(exchange.Unavailable), "failed",
}

const (
	outcomeOK = iota
	outcomeError
	outcomeCancelled
)

// bounds of the histogram, in seconds.
var bounds = [...]float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}

type serverStats struct {
	name     string
	methods  map[string]*methodStats // never changed
	inFlight atomic.Int64
	sessions atomic.Int64
	down     atomic.Bool
	asked    atomic.Bool
	children func() int
}

type methodStats struct {
	outcomes [18]atomic.Uint64
	buckets  [len(bounds) + 1]atomic.Uint64
	nanos    atomic.Int64
}

// server adds a server.
func (m *Metrics) server(name string, children func() int) *serverStats {
	s := &serverStats{name: name, methods: make(map[string]*methodStats, len(counted)), children: children}
	for _, method := range counted {
		s.methods[method] = &methodStats{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.servers = append(m.servers, s)
	return s
}

// count books one call that ended.
func (s *serverStats) count(method string, outcome int, took time.Duration) {
	of := s.methods[method]
	if of == nil {
		of = s.methods["other"]
	}
	of.outcomes[outcome].Add(1)
	if method == mcpwire.MethodListen {
		return // it lasts as long as its client likes
	}
	i, _ := slices.BinarySearch(bounds[:], took.Seconds())
	of.buckets[i].Add(1)
	of.nanos.Add(int64(took))
}

// Families are the metrics as they are written.
func (m *Metrics) Families() []obs.Family {
	calls := obs.Family{Name: "mcp_calls_total", Help: "requests to MCP servers by outcome", Kind: obs.Counter}
	took := obs.Family{Name: "mcp_call_seconds", Help: "time from a request to its final answer", Kind: obs.Histogram}
	flights := obs.Family{Name: "mcp_calls_in_flight", Help: "requests and subscriptions under way", Kind: obs.Gauge}
	sessions := obs.Family{Name: "mcp_sessions", Help: "open sessions of clients", Kind: obs.Gauge}
	up := obs.Family{Name: "mcp_upstream_up", Help: "1 when the server answered last time, 0 when it could not be reached", Kind: obs.Gauge}
	children := obs.Family{Name: "mcp_children", Help: "processes of servers that are commands", Kind: obs.Gauge}
	m.mu.Lock()
	servers := slices.Clone(m.servers)
	m.mu.Unlock()
	for _, s := range servers {
		for _, method := range counted {
			s.methods[method].add(&calls, &took, s.name, method)
		}
		flights.Add(float64(s.inFlight.Load()), "server", s.name)
		sessions.Add(float64(s.sessions.Load()), "server", s.name)
		if s.asked.Load() {
			up.Add(map[bool]float64{true: 0, false: 1}[s.down.Load()], "server", s.name)
		}
		if s.children != nil {
			children.Add(float64(s.children()), "server", s.name)
		}
	}
	return slices.DeleteFunc([]obs.Family{calls, took, flights, sessions, up, children}, func(f obs.Family) bool { return len(f.Samples) == 0 })
}

func (of *methodStats) add(calls, took *obs.Family, server, method string) {
	for i, outcome := range outcomes {
		if n := of.outcomes[i].Load(); n > 0 {
			calls.Add(float64(n), "server", server, "method", method, "outcome", outcome)
		}
	}
	total := uint64(0)
	var cumulative [len(bounds) + 1]uint64
	for i := range of.buckets {
		total += of.buckets[i].Load()
		cumulative[i] = total
	}
	if total == 0 {
		return
	}
	for i, n := range cumulative {
		le := "+Inf"
		if i < len(bounds) {
			le = obs.Number(bounds[i])
		}
		took.AddTo("_bucket", float64(n), "server", server, "method", method, "le", le)
	}
	took.AddTo("_sum", time.Duration(of.nanos.Load()).Seconds(), "server", server, "method", method)
	took.AddTo("_count", float64(total), "server", server, "method", method)
}
