package postgres

import (
	"context"
	"fmt"

	"sluice/internal/fault"
	"sluice/internal/ledger"
)

// takeRounds bounds how often a claim whose holder vanished is tried again.
const takeRounds = 5

// Take inserts in the order of the keys, so that two takers wait for each other in
// one direction only.
func (r claims) Take(ctx context.Context, list []ledger.Claim) ([]ledger.Conflict, error) {
	var taken []ledger.Conflict
	for range takeRounds {
		keys, refs, fingerprints := make([][]byte, len(list)), make([]int64, len(list)), make([]int64, len(list))
		for i := range list {
			keys[i], refs[i], fingerprints[i] = list[i].Key[:], int64(list[i].Ref), list[i].Fingerprint
		}
		n, err := r.s.Exec(ctx, `INSERT INTO claim (key, ref, fingerprint) SELECT * FROM unnest(?, ?, ?) ON CONFLICT DO NOTHING`, keys, refs, fingerprints)
		if err != nil || n == int64(len(list)) {
			return taken, err
		}
		held, err := r.held(ctx, keys)
		if err != nil {
			return nil, err
		}
		// A holder that released its key between the two statements leaves it free.
		var again []ledger.Claim
		for _, c := range list {
			switch holder, ok := held[c.Key]; {
			case !ok:
				again = append(again, c)
			case holder.Ref != c.Ref:
				taken = append(taken, ledger.Conflict{Mine: c, Holder: holder})
			}
		}
		if len(again) == 0 {
			return taken, nil
		}
		list = again
	}
	return nil, fault.New(fault.StoreUnavailable, "another process keeps claiming and releasing the same events").
		WithFix("run the same command again")
}

func (r claims) held(ctx context.Context, keys [][]byte) (map[ledger.Key]ledger.Claim, error) {
	found := make(map[ledger.Key]ledger.Claim, len(keys))
	return found, r.each(ctx, func(c ledger.Claim) { found[c.Key] = c }, `SELECT key, ref, fingerprint FROM claim WHERE key = ANY(?)`, keys)
}

func (r claims) each(ctx context.Context, fn func(ledger.Claim), query string, args ...any) error {
	return r.s.Each(ctx, func(scan func(...any) error) error {
		var key []byte
		var ref int64
		var c ledger.Claim
		if err := scan(&key, &ref, &c.Fingerprint); err != nil {
			return err
		}
		if len(key) != len(c.Key) {
			return fmt.Errorf("a claim's key has %d bytes", len(key))
		}
		copy(c.Key[:], key)
		c.Ref = ledger.EventRef(ref)
		fn(c)
		return nil
	}, query, args...)
}

func (r claims) Release(ctx context.Context, list []ledger.Claim) error {
	keys, refs := make([][]byte, len(list)), make([]int64, len(list))
	for i := range list {
		keys[i], refs[i] = list[i].Key[:], int64(list[i].Ref)
	}
	_, err := r.s.Exec(ctx, `DELETE FROM claim USING unnest(?, ?) AS mine(key, ref) WHERE claim.key = mine.key AND claim.ref = mine.ref`, keys, refs)
	if err != nil {
		return err
	}
	// An event that goes leaves the sale it stood for.
	_, err = r.s.Exec(ctx, `DELETE FROM claim USING event_sale AS s WHERE s.ref = ANY(?) AND claim.key = s.sale AND claim.ref = s.ref`, refs)
	return err
}

func (r claims) Find(ctx context.Context, keys []ledger.Key) (found []ledger.Claim, err error) {
	list := make([][]byte, len(keys))
	for i := range keys {
		list[i] = keys[i][:]
	}
	err = r.each(ctx, func(c ledger.Claim) { found = append(found, c) }, `SELECT key, ref, fingerprint FROM claim WHERE key = ANY(?) ORDER BY key`, list)
	return found, err
}
