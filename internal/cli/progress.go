package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"sluice/internal/fault"
	"sluice/internal/writeback"
)

// meter shows progress on stderr: one line that is rewritten on a terminal, a line
// now and then elsewhere, JSON lines on request.
type meter struct {
	mu     sync.Mutex
	w      io.Writer
	mode   string
	every  time.Duration
	now    func() time.Time
	phase  string
	began  time.Time // of the phase
	shown  time.Time
	drawn  bool
	lastAt int64
}

func (c *command) meter() (*meter, error) {
	m := &meter{w: c.Stderr, mode: c.progress, now: time.Now, every: 5 * time.Second}
	switch m.mode {
	case "auto":
		m.mode = "plain"
		if f, ok := c.Stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			m.mode, m.every = "line", 100*time.Millisecond
		}
	case "json":
		m.every = time.Second
	case "plain", "off":
	default:
		return nil, fault.New(fault.Usage, "--progress must be auto, plain, json or off")
	}
	return m, nil
}

// show takes a step's progress; it drops what comes too fast to be read.
func (m *meter) show(p writeback.Progress) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if p.Phase != m.phase {
		m.phase, m.began, m.shown, m.lastAt = p.Phase, now, now, 0
		if m.mode == "json" { // a program wants to know of every phase, however short
			m.json(p, 0, -1)
		}
		return
	}
	// Workers report out of step; what is shown never goes back.
	if m.mode == "off" || now.Sub(m.shown) < m.every || p.Done < m.lastAt {
		return
	}
	m.shown, m.lastAt = now, p.Done
	elapsed := now.Sub(m.began).Seconds()
	rate := float64(p.Done) / max(elapsed, 0.001)
	left := time.Duration(-1)
	switch {
	case p.Total > 0 && rate > 0:
		left = time.Duration(float64(p.Total-p.Done) / rate * float64(time.Second))
	case p.TotalBytes > 0 && p.Bytes > 0:
		left = time.Duration(float64(p.TotalBytes-p.Bytes) / float64(p.Bytes) * elapsed * float64(time.Second))
	}
	if m.mode == "json" {
		m.json(p, rate, left)
		return
	}
	text := fmt.Sprintf("%-9s %s", p.Phase, thousands(p.Done))
	if p.Total > 0 {
		text += fmt.Sprintf(" of %s (%d %%)", thousands(p.Total), 100*p.Done/p.Total)
	} else if p.TotalBytes > 0 {
		text += fmt.Sprintf(" records (%d %% of the input)", 100*p.Bytes/p.TotalBytes)
	}
	text += fmt.Sprintf(" · %s/s", thousands(int64(rate)))
	if left >= 0 {
		text += fmt.Sprintf(" · %s left", left.Round(time.Second))
	}
	if m.mode == "line" {
		_, _ = fmt.Fprintf(m.w, "\r\x1b[K%s", text)
		m.drawn = true
		return
	}
	_, _ = fmt.Fprintln(m.w, text)
}

func (m *meter) json(p writeback.Progress, rate float64, left time.Duration) {
	out := map[string]any{"phase": p.Phase, "done": p.Done, "rate": int64(rate)}
	if p.Total > 0 {
		out["total"] = p.Total
	}
	if left >= 0 {
		out["eta_s"] = int64(left.Seconds())
	}
	if len(p.Counts) > 0 {
		out["counts"] = p.Counts
	}
	if line, err := json.Marshal(out); err == nil {
		_, _ = fmt.Fprintf(m.w, "%s\n", line)
	}
}

// clear removes the line before something else is printed.
func (m *meter) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.drawn {
		_, _ = fmt.Fprint(m.w, "\r\x1b[K")
		m.drawn = false
	}
}
