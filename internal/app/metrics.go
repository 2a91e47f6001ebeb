package app

import (
	"context"
	"sync"
	"time"

	"sluice/internal/obs"
)

// metricsAge is how old metrics may be: reading a week of receipts at every scrape
// would be the busiest thing a quiet process does.
const metricsAge = time.Minute

// metrics keeps the last measurement.
type metrics struct {
	mu   sync.Mutex
	at   time.Time
	text []byte
}

// Metrics returns the metrics in Prometheus's text format, at most a minute old.
func (a *App) Metrics(ctx context.Context) ([]byte, error) {
	a.metrics.mu.Lock()
	defer a.metrics.mu.Unlock()
	now := a.now()
	if age := now.Sub(a.metrics.at); a.metrics.text != nil && age >= 0 && age < metricsAge {
		return a.metrics.text, nil
	}
	families, err := a.Writeback.Metrics(ctx)
	if err != nil {
		return nil, err
	}
	a.metrics.at, a.metrics.text = now, obs.Text(families)
	return a.metrics.text, nil
}
