package sqlrepo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sluice/internal/audit"
	"sluice/internal/ledger"
)

// gatewayChain is what the chain of a writer's calls is named after its own.
const gatewayChain = "/gateway"

// callRows is how many records one statement inserts.
const callRows = 32

const insertRecord = `INSERT INTO audit_record (chain, seq, body, prev, hash) VALUES `

var insertRecords = insertRecord + strings.Repeat(`(?, ?, ?, ?, ?), `, callRows-1) + `(?, ?, ?, ?, ?)`

// AppendCalls reads the chain's head once, inserts many records with one statement and
// writes the head once: one transaction of some hundred calls costs little more than one
// of one call.
func (l auditLog) AppendCalls(ctx context.Context, source string, from, to int64, calls []audit.TimedCall) error {
	chain := auditLog{l.s, l.chain + gatewayChain}
	if _, err := l.s.Exec(ctx, `INSERT INTO audit_chain (chain, size) VALUES (?, 0) ON CONFLICT (chain) DO NOTHING`, chain.chain); err != nil {
		return err
	}
	h, err := chain.head(ctx) // locks: the position is read after it
	if err != nil {
		return err
	}
	done, err := l.callsDone(ctx, source)
	if err != nil {
		return err
	}
	if done.seq < from-1 {
		return audit.ErrLeftOut
	}
	behind := false // the source was put back behind what is appended
	first, latest := h.size, done.at
	args := make([]any, 0, 5*callRows)
	// Parameters must not change before the statement ran.
	var hashes [callRows + 1]audit.Hash
	var bodies [callRows][]byte
	n := 0
	flush := func() error {
		if n == 0 {
			return nil
		}
		query := insertRecords
		if n < callRows {
			query = insertRecord + strings.TrimSuffix(strings.Repeat(`(?, ?, ?, ?, ?), `, n), ", ")
		}
		_, err := l.s.Exec(ctx, query, args...)
		args, n = args[:0], 0
		return err
	}
	for i := range calls {
		c := &calls[i]
		if c.Seq > to || (i > 0 && c.Seq <= calls[i-1].Seq) {
			return fmt.Errorf("call record %d of %s is out of order", c.Seq, source)
		}
		at := c.At.UnixNano()
		if behind = behind || (c.Seq <= done.seq && at > done.at); c.Seq <= done.seq && !behind {
			continue
		}
		latest = max(latest, at)
		h.size++
		if bodies[n] == nil {
			bodies[n] = make([]byte, 0, 1<<10)
		}
		bodies[n] = audit.AppendCall(bodies[n][:0], chain.chain, h.size, c.At, &c.Call)
		body := bodies[n]
		hashes[n], hashes[n+1] = h.hash, audit.Next(h.hash, body)
		h.tree.Add(audit.Leaf(body))
		h.hash = hashes[n+1]
		args = append(args, chain.chain, h.size, body, hashes[n][:], hashes[n+1][:])
		if n++; n == callRows {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if h.size > first {
		if err := Lost(l.s.Exec(ctx, `UPDATE audit_chain SET size = ?, hash = ?, frontier = ? WHERE chain = ? AND size = ?`,
			h.size, h.hash[:], h.tree.Frontier(), chain.chain, first)); err != nil {
			return err
		}
	}
	if to <= done.seq && !behind {
		return nil
	}
	_, err = l.s.Exec(ctx, `INSERT INTO source_cursor (profile, source, position, moved_at) VALUES ('', ?, ?, 0)
		ON CONFLICT (profile, source) DO UPDATE SET position = excluded.position`, callSource(source), taken{to, latest}.String())
	return err
}

// callSource keeps stores of calls apart from what else is read up to a position.
func callSource(source string) string { return "calls/" + source }

// taken is how far a source was appended: the number of the last call, and the latest
// moment of all of them, in Unix nanoseconds.
type taken struct{ seq, at int64 }

func (t taken) String() string { return fmt.Sprintf("%d@%d", t.seq, t.at) }

func (l auditLog) callsDone(ctx context.Context, source string) (t taken, err error) {
	var position string
	err = l.s.Get(ctx, []any{&position}, `SELECT position FROM source_cursor WHERE profile = '' AND source = ?`, callSource(source))
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return taken{}, nil
	case err != nil:
		return taken{}, err
	}
	if _, err := fmt.Sscanf(position, "%d@%d", &t.seq, &t.at); err != nil {
		return taken{}, fmt.Errorf("the position of %s is damaged", source)
	}
	return t, nil
}
