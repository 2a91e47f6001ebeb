package sqlite

import (
	"bytes"
	"context"
	"database/sql"

	"sluice/internal/ledger"
)

func (r claims) Take(ctx context.Context, list []ledger.Claim) ([]ledger.Conflict, error) {
	st, err := r.s.prepare(ctx, `INSERT INTO claim (key, ref, fingerprint) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`)
	if err != nil {
		return nil, err
	}
	var taken []ledger.Conflict
	for _, c := range list {
		n, err := run(ctx, st, c.Key[:], int64(c.Ref), c.Fingerprint)
		if err != nil {
			return nil, err
		}
		if n == 1 {
			continue
		}
		holder := ledger.Claim{Key: c.Key}
		if err := r.s.Get(ctx, []any{(*int64)(&holder.Ref), &holder.Fingerprint}, `SELECT ref, fingerprint FROM claim WHERE key = ?`, c.Key[:]); err != nil {
			return nil, err
		}
		if holder.Ref != c.Ref {
			taken = append(taken, ledger.Conflict{Mine: c, Holder: holder})
		}
	}
	return taken, nil
}

func (r claims) Release(ctx context.Context, list []ledger.Claim) error {
	for _, c := range list {
		if _, err := r.s.Exec(ctx, `DELETE FROM claim WHERE key = ? AND ref = ?`, c.Key[:], int64(c.Ref)); err != nil {
			return err
		}
		// An event that goes leaves the sale it stood for.
		if _, err := r.s.Exec(ctx, `DELETE FROM claim WHERE key = (SELECT sale FROM event_sale WHERE ref = ?1) AND ref = ?1`, int64(c.Ref)); err != nil {
			return err
		}
	}
	return nil
}

func (r claims) Find(ctx context.Context, keys []ledger.Key) (found []ledger.Claim, err error) {
	m := &matcher{ctx: ctx, s: r.s}
	defer func() { _ = m.close() }()
	for _, key := range keys {
		c, known, err := m.find(key)
		if err != nil {
			return nil, err
		}
		if known {
			found = append(found, c)
		}
	}
	return found, nil
}

// matcher walks the claims beside ascending keys: it steps while the next claim is
// near and seeks when it is far, so that both a large plan on a small ledger and a
// small plan on a large ledger cost what the smaller side costs.
type matcher struct {
	ctx  context.Context
	s    *session
	rows *sql.Rows
	raw  sql.RawBytes
	at   ledger.Claim
	live bool // at is a claim that has not been passed
}

// stepLimit is how many claims are stepped over before a seek: a seek costs about
// as much as a few dozen steps.
const stepLimit = 48

func (m *matcher) find(key ledger.Key) (ledger.Claim, bool, error) {
	if m.rows == nil {
		if err := m.seek(key); err != nil {
			return ledger.Claim{}, false, err
		}
	}
	for steps := 0; m.live && bytes.Compare(m.at.Key[:], key[:]) < 0; steps++ {
		var err error
		if steps == stepLimit {
			err = m.seek(key)
		} else {
			err = m.step()
		}
		if err != nil {
			return ledger.Claim{}, false, err
		}
	}
	return m.at, m.live && m.at.Key == key, nil
}

func (m *matcher) seek(key ledger.Key) error {
	if m.rows != nil {
		if err := m.rows.Close(); err != nil {
			return err
		}
	}
	rows, err := m.s.query(m.ctx, `SELECT key, ref, fingerprint FROM claim WHERE key >= ? ORDER BY key`, key[:]) //nolint:rowserrcheck // step checks Err
	if err != nil {
		return err
	}
	m.rows = rows
	return m.step()
}

func (m *matcher) step() error {
	if m.live = m.rows.Next(); !m.live {
		return m.rows.Err()
	}
	var ref int64
	if err := m.rows.Scan(&m.raw, &ref, &m.at.Fingerprint); err != nil {
		return err
	}
	copy(m.at.Key[:], m.raw)
	m.at.Ref = ledger.EventRef(ref)
	return nil
}

func (m *matcher) close() error {
	if m.rows == nil {
		return nil
	}
	return m.rows.Close()
}
