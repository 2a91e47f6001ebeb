package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"sluice/internal/enforce"
	"sluice/internal/govern"
	"sluice/internal/ledger"
	"sluice/internal/policytool"
	"sluice/policy"
)

// replayed is how far the preview of a change looks back.
const replayed = 7 * 24 * time.Hour

// replayer judges recorded calls by another policy, for govern's previews.
type replayer struct {
	store func(context.Context) (enforce.Store, error)
	open  func(sealed []byte) ([]byte, error) // of kept arguments
	now   func() time.Time                    // nil: time.Now
}

// Replayer judges recorded calls by another policy.
func (a *App) Replayer() govern.Replayer { return a.replayer() }

func (a *App) replayer() *replayer {
	open := func(sealed []byte) ([]byte, error) { return a.keys.Open(sealed, enforce.SealRecorded) }
	return &replayer{store: a.Enforce, open: open, now: a.now}
}

// Replay implements govern.Replayer.
func (p *replayer) Replay(ctx context.Context, r govern.Replay) (*govern.Replayed, error) {
	now := time.Now
	if p.now != nil {
		now = p.now
	}
	report, _, err := p.report(ctx, r, now().Add(-replayed))
	if err != nil {
		return nil, err
	}
	out := &govern.Replayed{
		Since: report.Since, Calls: report.Calls, Changed: report.Changed, Grants: report.Grants, CannotTell: report.CannotTell,
	}
	for _, row := range report.Rows {
		for _, m := range row.Moves {
			at := slices.IndexFunc(out.Changes, func(c govern.ReplayedChange) bool { return c.Tool == row.Tool && c.From == m.From && c.To == m.To })
			if at < 0 {
				at = len(out.Changes)
				out.Changes = append(out.Changes, govern.ReplayedChange{Tool: row.Tool, From: m.From, To: m.To})
			}
			out.Changes[at].Calls += m.Calls
		}
	}
	slices.SortStableFunc(out.Changes, func(a, b govern.ReplayedChange) int { return b.Calls - a.Calls })
	return out, nil
}

// report judges the calls since a moment; more reports that there are older ones than
// could be looked at.
func (p *replayer) report(ctx context.Context, r govern.Replay, since time.Time) (report *policytool.Report, more bool, err error) {
	store, err := p.store(ctx)
	if err != nil {
		return nil, false, err
	}
	keep := func(c *enforce.RecordedCall) bool {
		if len(r.Grants) > 0 && !slices.Contains(r.Grants, c.Call.Grant) {
			return false
		}
		// What another policy refused, such as the server's own, stays refused.
		return c.Call.Decision == "allow" || c.Call.Policy == "" || r.Policy == "" || c.Call.Policy == r.Policy
	}
	f := enforce.CallFilter{Workspace: r.Workspace, Server: r.Server, Since: since}
	past, more, err := pastCalls(ctx, store, f, keep, p.open)
	if err != nil {
		return nil, false, err
	}
	return policytool.Replay(slices.Values(past), r.Document), more, nil
}

// ReplayQuery chooses the calls to judge anew. Zero fields choose all.
type ReplayQuery struct {
	Server, Policy, Grant string // names or ids
	Since                 time.Time
}

// ReplayPolicy judges recorded calls of a workspace by another document; more reports
// that there are older ones than could be looked at. It changes nothing.
func (a *App) ReplayPolicy(ctx context.Context, workspace string, d *policy.Document, q ReplayQuery) (report *policytool.Report, more bool, err error) {
	r := govern.Replay{Workspace: workspace, Policy: q.Policy, Document: d}
	var grant string
	if r.Server, grant, err = a.Named(ctx, workspace, q.Server, q.Grant); err != nil {
		return nil, false, err
	}
	if grant != "" {
		r.Grants = []string{grant}
	}
	names := map[string]string{}
	err = a.store.View(ctx, func(tx ledger.Tx) error {
		grants, err := tx.Registry().Grants(ctx, workspace)
		if err != nil {
			return err
		}
		for i := range grants {
			names[grants[i].ID] = grants[i].Name
		}
		if q.Policy == "" || q.Server == "" {
			return nil
		}
		switch p, err := tx.Registry().PolicyNamed(ctx, r.Server, q.Policy); {
		case err == nil:
			r.Policy = p.ID
		case !errors.Is(err, ledger.ErrNotFound): // a file's policy is recorded by its name
			return err
		}
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	report, more, err = a.replayer().report(ctx, r, q.Since)
	if err != nil {
		return nil, false, err
	}
	for i := range report.Rows {
		report.Rows[i].GrantName = names[report.Rows[i].Grant]
	}
	return report, more, nil
}
