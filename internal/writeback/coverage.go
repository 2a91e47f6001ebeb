package writeback

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"sluice/capi"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/schedule"
)

// CoverageRequest asks how much of what happened reached Meta, how fast and how well.
type CoverageRequest struct {
	Days    int // whole days up to today, in the profile's zone
	Dataset string
	Realm   string
	By      string // a label; empty: none
}

// Coverage is the answer.
type Coverage struct {
	Profile string         `json:"profile"`
	Zone    string         `json:"zone"`
	From    string         `json:"from"`
	To      string         `json:"to"`
	By      string         `json:"by,omitempty"`
	Lines   []CoverageLine `json:"lines,omitempty"` // per label value
	Total   CoverageLine   `json:"total"`
}

// CoverageLine is one label value, or all.
type CoverageLine struct {
	Label     string `json:"label,omitempty"`
	Rows      int    `json:"rows"`
	Delivered int    `json:"delivered"`
	Skipped   int    `json:"skipped"`
	// Ratio is (delivered + skipped) / rows: what was sent or left out on purpose.
	Ratio float64 `json:"coverage"`
	// Freshness is from event time to acknowledgement, in seconds.
	FreshnessMedian int64          `json:"freshness_median_seconds"`
	FreshnessP95    int64          `json:"freshness_p95_seconds"`
	Tiers           map[string]int `json:"tiers"` // of the events that became one
	Good            float64        `json:"good_share"`
	states          map[ledger.State]int
	fresh           delays
}

// delays is a histogram of durations in steps of five per cent.
type delays map[int]int

func (d delays) add(seconds int64) { d[int(math.Log(float64(max(1, seconds)))/math.Log(1.05))]++ }

// quantile returns the duration below which a share of them lies.
func (d delays) quantile(share float64) int64 {
	total := 0
	for _, n := range d {
		total += n
	}
	left := int(math.Ceil(share * float64(total)))
	for _, step := range slices.Sorted(maps.Keys(d)) {
		if left -= d[step]; left <= 0 {
			return int64(math.Pow(1.05, float64(step)+0.5))
		}
	}
	return 0
}

func newCoverageLine(label string) *CoverageLine {
	return &CoverageLine{Label: label, Tiers: map[string]int{}, fresh: delays{}, states: map[ledger.State]int{}}
}

func (l *CoverageLine) add(r *receipt) {
	l.Rows++
	l.states[r.state]++
	switch r.state {
	case ledger.Delivered:
		l.Delivered++
		if r.delivered > 0 {
			l.fresh.add(r.delivered - r.time)
		}
	case ledger.Skipped:
		l.Skipped++
	}
	if r.tier != "" {
		l.Tiers[r.tier]++
	}
}

func (l *CoverageLine) finish() {
	if l.Rows > 0 {
		l.Ratio = float64(l.Delivered+l.Skipped) / float64(l.Rows)
	}
	events := 0
	for _, n := range l.Tiers {
		events += n
	}
	if events > 0 {
		l.Good = float64(l.Tiers["good"]+l.Tiers["great"]) / float64(events)
	}
	l.FreshnessMedian, l.FreshnessP95 = l.fresh.quantile(0.5), l.fresh.quantile(0.95)
}

// Coverage measures the window.
func (s *Service) Coverage(ctx context.Context, req CoverageRequest) (*Coverage, error) {
	profile, err := s.profileOf(ctx)
	if err != nil {
		return nil, err
	}
	loc, err := schedule.Zone(profile.Timezone)
	if err != nil {
		return nil, err
	}
	w, err := s.reconcileWindow(ReconcileRequest{Days: req.Days}, loc)
	if err != nil {
		return nil, err
	}
	from, to := w.Bounds(loc)
	out := &Coverage{Profile: s.profile, Zone: profile.Timezone, From: w.From, To: w.To, By: req.By}
	total, byLabel := newCoverageLine(""), map[string]*CoverageLine{}
	_, err = s.receipts(ctx, receiptQuery{from: from, to: to, realm: req.Realm, dataset: req.Dataset}, func(r *receipt) error {
		total.add(r)
		if req.By == "" {
			return nil
		}
		label := r.label(req.By)
		line := byLabel[label]
		if line == nil {
			if len(byLabel) >= maxLabelValues {
				return fault.New(fault.Usage, "the label %s has too many values", req.By).WithFix("choose shop or region")
			}
			line = newCoverageLine(label)
			byLabel[label] = line
		}
		line.add(r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	total.finish()
	out.Total = *total
	for _, line := range byLabel {
		line.finish()
		out.Lines = append(out.Lines, *line)
	}
	slices.SortFunc(out.Lines, func(a, b CoverageLine) int {
		return cmp.Or(cmp.Compare(a.Ratio, b.Ratio), strings.Compare(a.Label, b.Label))
	})
	return out, nil
}

// trend compares the last week with the one before, for every label of a profile.
type trend struct {
	Name, Label string
	Now, Before *CoverageLine
}

// trends measures the seven days before today and the seven before those: today's
// orders had no time to be sent yet.
func (s *Service) trends(ctx context.Context, loc *time.Location) ([]trend, error) {
	today := s.now().In(loc)
	day := func(back int) time.Time {
		return time.Date(today.Year(), today.Month(), today.Day()-back, 0, 0, 0, 0, loc)
	}
	split := day(7).Unix()
	all := map[[2]string]*trend{}
	book := func(name, label string, r *receipt) {
		t := all[[2]string{name, label}]
		if t == nil {
			if len(all) >= maxTrends {
				return
			}
			t = &trend{Name: name, Label: label, Now: newCoverageLine(label), Before: newCoverageLine(label)}
			all[[2]string{name, label}] = t
		}
		if r.time >= split {
			t.Now.add(r)
		} else {
			t.Before.add(r)
		}
	}
	_, err := s.receipts(ctx, receiptQuery{from: day(14), to: day(0)}, func(r *receipt) error {
		book("", "", r)
		for i, name := range r.names {
			if i < len(r.labels) {
				book(name, r.labels[i], r)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []trend
	for _, t := range all {
		t.Now.finish()
		t.Before.finish()
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b trend) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Label, b.Label))
	})
	return out, nil
}

// maxTrends bounds the labels that are watched.
const maxTrends = 5000

// leaves is when an event leaves its window.
func leaves(at int64, class string) time.Time {
	source := capi.SystemGenerated
	if class == classNames[classStore] {
		source = capi.PhysicalStore
	}
	return time.Unix(at, 0).Add(capi.Window(source, capi.Offline62Days))
}
