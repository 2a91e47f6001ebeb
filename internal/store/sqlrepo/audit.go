package sqlrepo

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"sluice/internal/audit"
)

// head is where the writer's chain stands.
type head struct {
	size int64
	hash audit.Hash
	tree *audit.Tree
}

// Append holds the chain's row until the transaction ends, so that two writers of
// one chain follow each other.
func (l auditLog) Append(ctx context.Context, now time.Time, r audit.Record) (int64, error) {
	if _, err := l.s.Exec(ctx, `INSERT INTO audit_chain (chain, size) VALUES (?, 0) ON CONFLICT (chain) DO NOTHING`, l.chain); err != nil {
		return 0, err
	}
	h, err := l.head(ctx)
	if err != nil {
		return 0, err
	}
	seq := h.size + 1
	body, err := audit.Encode(l.chain, seq, now, r)
	if err != nil {
		return 0, err
	}
	hash := audit.Next(h.hash, body)
	h.tree.Add(audit.Leaf(body))
	if _, err := l.s.Exec(ctx, `INSERT INTO audit_record (chain, seq, body, prev, hash) VALUES (?, ?, ?, ?, ?)`, l.chain, seq, body, h.hash[:], hash[:]); err != nil {
		return 0, err
	}
	return seq, Lost(l.s.Exec(ctx, `UPDATE audit_chain SET size = ?, hash = ?, frontier = ? WHERE chain = ? AND size = ?`,
		seq, hash[:], h.tree.Frontier(), l.chain, h.size))
}

// head locks and reads the writer's chain.
func (l auditLog) head(ctx context.Context) (head, error) {
	var size int64
	var hash, frontier []byte
	err := l.s.Get(ctx, []any{&size, &hash, &frontier}, `SELECT size, hash, frontier FROM audit_chain WHERE chain = ?`+l.s.ForUpdate(), l.chain)
	if err != nil {
		return head{}, err
	}
	return l.headOf(ctx, l.chain, size, hash, frontier)
}

func (l auditLog) headOf(ctx context.Context, chain string, size int64, hash, frontier []byte) (h head, err error) {
	h.size, h.hash = size, audit.Genesis(chain)
	if size > 0 {
		if len(hash) != len(h.hash) {
			return h, errors.New("the head of an audit chain is damaged")
		}
		copy(h.hash[:], hash)
	}
	if frontier != nil || size == 0 {
		h.tree, err = audit.TreeOf(size, frontier)
		return h, err
	}
	// A chain from before trees were kept.
	h.tree = &audit.Tree{}
	err = l.Range(ctx, chain, 1, size, func(k audit.Link) error {
		h.tree.Add(audit.Leaf(k.Body))
		return nil
	})
	if err == nil && h.tree.Size() != size {
		err = fmt.Errorf("the audit chain holds %d records where its head says %d", h.tree.Size(), size)
	}
	return h, err
}

func (l auditLog) Heads(ctx context.Context) ([]audit.Head, error) {
	type row struct {
		chain          string
		size           int64
		hash, frontier []byte
	}
	var rows []row
	err := l.s.Each(ctx, func(scan func(...any) error) error {
		var r row
		err := scan(&r.chain, &r.size, &r.hash, &r.frontier)
		rows = append(rows, r)
		return err
	}, `SELECT chain, size, hash, frontier FROM audit_chain WHERE size > 0 ORDER BY chain`)
	if err != nil {
		return nil, err
	}
	var heads []audit.Head
	for _, r := range rows {
		h, err := l.headOf(ctx, r.chain, r.size, r.hash, r.frontier)
		if err != nil {
			return nil, err
		}
		heads = append(heads, audit.Head{Chain: r.chain, Size: r.size, Hash: h.hash, Root: h.tree.Root()})
	}
	return heads, nil
}

func (l auditLog) links(ctx context.Context, fn func(audit.Link) error, where string, args ...any) error {
	return l.s.Each(ctx, func(scan func(...any) error) error {
		var k audit.Link
		var hash []byte
		if err := scan(&k.Chain, &k.Seq, &k.Body, &k.Prev, &hash); err != nil {
			return err
		}
		copy(k.Hash[:], hash)
		return fn(k)
	}, `SELECT chain, seq, body, prev, hash FROM audit_record WHERE `+where+` ORDER BY chain, seq`, args...)
}

func (l auditLog) Each(ctx context.Context, from int64, fn func(audit.Link) error) error {
	return l.links(ctx, fn, `seq >= ?`, from)
}

func (l auditLog) Range(ctx context.Context, chain string, from, to int64, fn func(audit.Link) error) error {
	return l.links(ctx, fn, `chain = ? AND seq >= ? AND seq <= ?`, chain, from, to)
}

func (l auditLog) PutCheckpoint(ctx context.Context, s *audit.Signed) (bool, error) {
	hash := s.Hash()
	n, err := l.s.Exec(ctx, `INSERT INTO audit_checkpoint (no, body, hash, key, signature) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		s.Checkpoint.No, s.Body, hash[:], s.Key, s.Signature)
	return n == 1, err
}

func (l auditLog) checkpoints(ctx context.Context, fn func(audit.Signed) error, where string, args ...any) error {
	return l.s.Each(ctx, func(scan func(...any) error) error {
		var s audit.Signed
		if err := scan(&s.Body, &s.Key, &s.Signature, (*[]byte)(&s.Public)); err != nil {
			return err
		}
		// What does not parse is for verify to name.
		_ = s.Parse()
		return fn(s)
	}, `SELECT c.body, c.key, c.signature, k.public FROM audit_checkpoint c LEFT JOIN audit_key k ON k.id = c.key WHERE `+where, args...)
}

func (l auditLog) Checkpoints(ctx context.Context, from int64, fn func(audit.Signed) error) error {
	return l.checkpoints(ctx, fn, `c.no >= ? ORDER BY c.no`, from)
}

func (l auditLog) LastCheckpoint(ctx context.Context) (last *audit.Signed, err error) {
	err = l.checkpoints(ctx, func(s audit.Signed) error {
		last = &s
		return nil
	}, `c.no <= ? ORDER BY c.no DESC LIMIT 1`, int64(math.MaxInt64))
	return last, err
}

func (l auditLog) PutKey(ctx context.Context, k *audit.Key) error {
	_, err := l.s.Exec(ctx, `INSERT INTO audit_key (id, public, sealed, created_at) VALUES (?, ?, ?, ?)`, k.ID, []byte(k.Public), k.Sealed, Millis(k.CreatedAt))
	return err
}

func (l auditLog) Keys(ctx context.Context) (keys []audit.Key, err error) {
	err = l.s.Each(ctx, func(scan func(...any) error) error {
		var k audit.Key
		var created int64
		err := scan(&k.ID, (*[]byte)(&k.Public), &k.Sealed, &created)
		k.CreatedAt = FromMillis(created)
		keys = append(keys, k)
		return err
	}, `SELECT id, public, sealed, created_at FROM audit_key ORDER BY created_at, id`)
	return keys, err
}
