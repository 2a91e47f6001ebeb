package sqlrepo

import (
	"context"
	"errors"
	"time"

	"sluice/internal/audit"
	"sluice/internal/ledger"
)

func (l auditLog) Append(ctx context.Context, now time.Time, r audit.Record) (int64, error) {
	var seq int64
	var hash []byte
	prev := audit.Genesis(l.chain)
	err := l.s.Get(ctx, []any{&seq, &hash}, `SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1`)
	switch {
	case err == nil:
		prev = audit.Hash(hash)
	case !errors.Is(err, ledger.ErrNotFound):
		return 0, err
	}
	seq++
	body, err := audit.Encode(l.chain, seq, now, r)
	if err != nil {
		return 0, err
	}
	next := audit.Next(prev, body)
	_, err = l.s.Exec(ctx, `INSERT INTO audit (seq, body, hash) VALUES (?, ?, ?)`, seq, body, next[:])
	return seq, err
}

func (l auditLog) Each(ctx context.Context, from int64, fn func(audit.Link) error) error {
	return l.s.Each(ctx, func(scan func(...any) error) error {
		var link audit.Link
		var hash []byte
		if err := scan(&link.Seq, &link.Body, &hash); err != nil {
			return err
		}
		copy(link.Hash[:], hash)
		return fn(link)
	}, `SELECT seq, body, hash FROM audit WHERE seq >= ? ORDER BY seq`, from)
}
