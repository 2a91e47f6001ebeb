package sqlrepo

import (
	"context"
	"errors"
	"time"

	"sluice/internal/ledger"
)

func (r circuits) many(ctx context.Context, where string, args ...any) (out []ledger.Circuit, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var c ledger.Circuit
		var opened, until int64
		if err := scan(&c.Profile, &c.Realm, &c.State, &c.Dataset, &opened, &until, &c.Reopened, &c.Probe); err != nil {
			return err
		}
		c.OpenedAt, c.Until = FromMillis(opened), FromMillis(until)
		out = append(out, c)
		return nil
	}, `SELECT profile, realm, state, dataset, opened_at, until, reopened, probe FROM circuit `+where, args...)
	return out, err
}

func (r circuits) Lock(ctx context.Context, profile, realm string) (*ledger.Circuit, error) {
	// A row that is not there can't be locked.
	if _, err := r.s.Exec(ctx, `INSERT INTO circuit (profile, realm, state, dataset, opened_at, until, reopened, probe)
		VALUES (?, ?, ?, '', 0, 0, 0, '') ON CONFLICT DO NOTHING`, profile, realm, string(ledger.CircuitClosed)); err != nil {
		return nil, err
	}
	return one(r.many(ctx, "WHERE profile = ? AND realm = ?"+r.s.ForUpdate(), profile, realm))
}

func (r circuits) Get(ctx context.Context, profile, realm string) (*ledger.Circuit, error) {
	c, err := one(r.many(ctx, "WHERE profile = ? AND realm = ?", profile, realm))
	if errors.Is(err, ledger.ErrNotFound) {
		return &ledger.Circuit{Profile: profile, Realm: realm, State: ledger.CircuitClosed}, nil
	}
	return c, err
}

func (r circuits) List(ctx context.Context, profile string) ([]ledger.Circuit, error) {
	return r.many(ctx, "WHERE (?1 = '' OR profile = ?1) ORDER BY profile, realm", profile)
}

func (r circuits) Put(ctx context.Context, c *ledger.Circuit) error {
	return Lost(r.s.Exec(ctx, `UPDATE circuit SET state = ?, dataset = ?, opened_at = ?, until = ?, reopened = ?, probe = ?
		WHERE profile = ? AND realm = ?`,
		string(c.State), c.Dataset, Millis(c.OpenedAt), Millis(c.Until), c.Reopened, c.Probe, c.Profile, c.Realm))
}

func (r circuits) Fail(ctx context.Context, profile, realm string, f ledger.Failure) error {
	_, err := r.s.Exec(ctx, `INSERT INTO circuit_failure (profile, realm, run, dataset, code, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		profile, realm, f.Run, f.Dataset, f.Code, Millis(f.At))
	return err
}

func (r circuits) Failures(ctx context.Context, profile, realm string, since time.Time) (out []ledger.Failure, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var f ledger.Failure
		var at int64
		if err := scan(&f.Run, &f.Dataset, &f.Code, &at); err != nil {
			return err
		}
		f.At = FromMillis(at)
		out = append(out, f)
		return nil
	}, `SELECT run, dataset, code, at FROM circuit_failure WHERE profile = ? AND realm = ? AND at >= ? ORDER BY at, run`,
		profile, realm, Millis(since))
	return out, err
}

func (r circuits) Clear(ctx context.Context, profile, realm string) error {
	_, err := r.s.Exec(ctx, `DELETE FROM circuit_failure WHERE profile = ? AND realm = ?`, profile, realm)
	return err
}
