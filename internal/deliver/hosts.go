package deliver

import (
	"sync"
	"time"
)

// Hosts is the silent breaker of one process: after some connection failures in a
// row nobody tries that destination again for a while. It counts nothing for the
// circuit of a profile.
type Hosts struct {
	mu    sync.Mutex
	hosts map[string]*host
}

type host struct {
	failures int
	since    time.Time // of the pause
	paused   bool
}

const (
	hostFailures = 5
	hostPause    = 30 * time.Second
)

// NewHosts returns a breaker that has seen nothing.
func NewHosts() *Hosts { return &Hosts{hosts: map[string]*host{}} }

// wait says how long a destination still rests. A clock that was put back does not
// make it longer.
func (h *Hosts) wait(name string, now time.Time) time.Duration {
	if h == nil {
		return 0
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.hosts[name]
	if s == nil || !s.paused {
		return 0
	}
	left := hostPause - now.Sub(s.since)
	if left <= 0 {
		s.paused = false
	}
	return min(left, hostPause)
}

// note counts one request to a destination.
func (h *Hosts) note(name string, connected bool, now time.Time) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.hosts[name]
	if s == nil {
		s = &host{}
		h.hosts[name] = s
	}
	if connected {
		*s = host{}
		return
	}
	if s.failures++; s.failures >= hostFailures {
		*s = host{since: now, paused: true}
	}
}
