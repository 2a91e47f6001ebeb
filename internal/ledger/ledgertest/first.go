package ledgertest

import (
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/ledger"
)

// The store that WriteFirst fills, as the first release wrote it.
const (
	firstStore = "st_00000000000000000001"
	firstPlan  = int64(300_000_001) // above what any engine would give out by itself
	firstRun   = "run_first"
)

// WriteFirst writes rows into every table of the first schema. exec runs one
// statement with `?` for parameters.
func WriteFirst(t *testing.T, exec func(query string, args ...any)) {
	t.Helper()
	ms := at.UnixMilli()
	key := ledger.KeyOf("meta", "1000000000000001", "Purchase", "first-0")
	exec(`INSERT INTO meta (one, store_id) VALUES (1, ?)`, firstStore)
	exec(`INSERT INTO plan (no, id, hash, dataset, realm, state, created_at, expires_at, events, file, wrapped_key, summary, files, label_names)
		VALUES (?, 'pl_first', 'hash', '1000000000000001', 'meta', 'confirmed', ?, ?, 2, 'first.frozen', ?, ?, '["a.csv"]', '["store"]')`,
		firstPlan, ms, ms+1, []byte("w"), []byte("{}"))
	exec(`INSERT INTO kind (plan, no, event_name, outcome, action_source, currency, tier, keys, labels)
		VALUES (?, 0, 'Purchase', 'payment_received', 'physical_store', 'GBP', 'strong', 3, '["north"]')`, firstPlan)
	exec(`INSERT INTO batch (plan, no, first, count, class, state, fence) VALUES (?, 0, 0, 2, '62d', 'delivered', 1)`, firstPlan)
	exec(`INSERT INTO run (id, plan, state, fence, key, tag, started_at) VALUES (?, ?, 'finished', 1, 'daily-1', 'sluice:test', ?)`, firstRun, firstPlan, ms)
	exec(`INSERT INTO idempotency (key, fingerprint, run, result, created_at) VALUES ('daily-1', 'f', ?, ?, ?)`, firstRun, []byte("{}"), ms)
	exec(`INSERT INTO attempt (run, plan, batch, from_ord, to_ord, count, fence, digest, started_at, ended_at, result, received, trace_id)
		VALUES (?, ?, 0, 0, 2, 2, 1, ?, ?, ?, 'delivered', 2, 'Atrace')`, firstRun, firstPlan, []byte("d"), ms, ms+1)
	exec(`INSERT INTO reject (plan, seq, file, line, stage, code, field, masked, hint, record, meta) VALUES (?, 1, 'a.csv', 4, 'map', 'no_identifiers', '', '', '', '', '{}')`, firstPlan)
	exec(`INSERT INTO claim (key, ref, fingerprint) VALUES (?, ?, 7)`, key[:], int64(ledger.RefOf(firstPlan, 0)))
	prev := audit.Genesis(firstStore)
	for seq := int64(1); seq <= 3; seq++ {
		body, err := audit.Encode(firstStore, seq, at, audit.Record{Op: "confirm", Actor: audit.Actor{Type: "local", ID: "owner"}})
		if err != nil {
			t.Fatal(err)
		}
		prev = audit.Next(prev, body)
		exec(`INSERT INTO audit (seq, body, hash) VALUES (?, ?, ?)`, seq, body, prev[:])
	}
}

// CheckFirst reads with today's code what WriteFirst wrote, and goes on writing.
func CheckFirst(t *testing.T, s ledger.Store) {
	t.Helper()
	if s.ID() != firstStore {
		t.Errorf("the store is named %s now", s.ID())
	}
	ctx := t.Context()
	check := func(what string, ok bool, err error) {
		t.Helper()
		if err != nil || !ok {
			t.Errorf("%s: %v", what, err)
		}
	}
	err := s.View(ctx, func(tx ledger.Tx) error {
		p, err := tx.Plans().ByID(ctx, "pl_first")
		check("the plan", err == nil && p.No == firstPlan && p.Profile == "default" && p.Events == 2, err)
		kinds, err := tx.Plans().Kinds(ctx, firstPlan)
		check("its kinds", len(kinds) == 1 && kinds[0].Labels[0] == "north", err)
		counts, err := tx.Events().Counts(ctx, firstPlan)
		check("its counts", counts[ledger.Delivered] == 2, err)
		run, err := tx.Runs().ByID(ctx, firstRun)
		check("its run", err == nil && run.Profile == "default" && !run.Paused, err)
		key, err := tx.Runs().Key(ctx, "default", "daily-1")
		check("its key", err == nil && key.Run == firstRun, err)
		attempts := 0
		err = tx.Runs().Attempts(ctx, firstRun, func(*ledger.Attempt) error { attempts++; return nil })
		check("its attempts", attempts == 1, err)
		rejects, err := tx.Rejects().Counts(ctx, firstPlan)
		check("its rejects", rejects["no_identifiers"] == 1, err)
		found, err := tx.Claims().Find(ctx, []ledger.Key{ledger.KeyOf("meta", "1000000000000001", "Purchase", "first-0")})
		check("its claim", len(found) == 1 && found[0].Fingerprint == 7, err)
		links := 0
		err = tx.Audit().Each(ctx, 1, func(audit.Link) error { links++; return nil })
		check("the audit log", links == 3, err)
		ws, err := tx.Tenants().Workspace(ctx, "default")
		check("the workspace", err == nil && ws.Writeback, err)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Do(ctx, func(tx ledger.Tx) error {
		p := ledger.Plan{Dataset: "1", Realm: "meta", CreatedAt: at, ExpiresAt: at.Add(time.Hour), File: "next.frozen", WrappedKey: []byte("w")}
		if err := tx.Plans().Create(ctx, &p); err != nil {
			return err
		}
		if p.No == firstPlan {
			t.Error("a plan's number was used again")
		}
		seq, err := tx.Audit().Append(ctx, at, audit.Record{Op: "preview", Actor: audit.Actor{Type: "local", ID: "owner"}})
		if err != nil {
			return err
		}
		// The first release's hashes hold, and what is new follows from them.
		v, err := audit.Verify(ctx, s.ID(), tx.Audit())
		check("the audit chain", seq == 4 && v.OK && v.Records == 4, err)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
