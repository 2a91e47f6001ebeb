package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/ledger/ledgertest"
	"sluice/internal/store/postgres"
	"sluice/internal/testkit"
)

func open(t testing.TB, url string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// direct is a connection of its own to the store's database.
func direct(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func TestProcessesThatStartTogetherAgree(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	var names sync.Map
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := postgres.Open(t.Context(), url, postgres.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			names.Store(s.ID(), true)
			same, err := s.BindKey(t.Context(), []byte("key"))
			if err != nil || !same {
				t.Errorf("the key is not bound: %v", err)
			}
			_ = s.Close()
		})
	}
	wg.Wait()
	n := 0
	names.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("one database has %d names", n)
	}
	if same, err := open(t, url).BindKey(t.Context(), []byte("other")); err != nil || same {
		t.Errorf("another master key was taken: %v", err)
	}
}

func TestPayloadWritersNeverTakeAllConnections(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	for name, most := range map[string]int{"&pool_max_conns=1": 2, "&pool_max_conns=5": 5, "": 16} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			join := "?"
			if strings.Contains(url, "?") {
				join = "&"
			}
			program := fmt.Sprint("writers", most)
			s := open(t, url+join+"application_name="+program+name)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			count := direct(t, url)
			var wg sync.WaitGroup
			var counting sync.Mutex
			for i := range 40 {
				wg.Go(func() {
					w, err := s.Payloads().Create(ctx, fmt.Sprint(name, i))
					if err != nil {
						t.Error(err)
						return
					}
					defer w.Abort()
					// Whoever lays a plan writes its rows while the payload is open.
					err = s.Do(ctx, func(tx ledger.Tx) error {
						_, err := tx.Plans().List(ctx, 1)
						return err
					})
					if err != nil {
						t.Error(err)
					}
					counting.Lock()
					defer counting.Unlock()
					var n int
					err = count.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()`,
						program).Scan(&n)
					if err != nil || n > most {
						t.Errorf("%d connections, want at most %d: %v", n, most, err)
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestTimeIsTheDatabases(t *testing.T) {
	t.Parallel()
	url := ledgertest.PostgresURL(t)
	s, conn := open(t, url), direct(t, url)
	err := s.Do(t.Context(), func(tx ledger.Tx) error {
		var now time.Time
		if err := conn.QueryRow(t.Context(), `SELECT clock_timestamp()`).Scan(&now); err != nil {
			return err
		}
		first := tx.Now()
		if d := first.Sub(now); d < -time.Millisecond || d > 5*time.Second {
			t.Errorf("the clock is %s away from the database's", d)
		}
		if !tx.Now().Equal(first) {
			t.Error("one transaction has two times")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEventsLieInTheMonthOfTheirPlan(t *testing.T) {
	t.Parallel()
	url := ledgertest.PostgresURL(t)
	s, conn := open(t, url), direct(t, url)
	var plans []int64
	for _, at := range []string{"2026-11-30 23:59:59Z", "2026-12-01 00:00:00Z", "2026-11-30 23:00:00Z", "2027-01-15 12:00:00Z"} {
		var no int64
		if err := conn.QueryRow(t.Context(), `SELECT next_plan($1::timestamptz)`, at).Scan(&no); err != nil {
			t.Fatal(err)
		}
		if len(plans) > 0 && no <= plans[len(plans)-1] {
			t.Errorf("plan %d came after %d", no, plans[len(plans)-1])
		}
		plans = append(plans, no)
		if err := s.Do(t.Context(), func(tx ledger.Tx) error {
			return tx.Events().Put(t.Context(), []ledger.Event{{Ref: ledger.RefOf(no, 0), EventID: at}})
		}); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := conn.Query(t.Context(), `SELECT tableoid::regclass::text FROM event ORDER BY ref`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	// A clock that goes back does not take the numbers back.
	if want := "event_202611 event_202612 event_202612 event_202701"; strings.Join(got, " ") != want {
		t.Errorf("events lie in %v, want %s", got, want)
	}
}

func TestErrorsNameNeitherServerNorSecret(t *testing.T) {
	t.Parallel()
	real := ledgertest.PostgresURL(t)
	for name, url := range map[string]string{
		"no URL":       "postgres://who:hunter2@[broken",
		"nobody there": "postgres://who:hunter2@127.0.0.1:1/secretdb?connect_timeout=2",
		"no database":  strings.Replace(real, "postgres:///", "postgres:///secretdb_", 1),
	} {
		_, err := postgres.Open(t.Context(), url, postgres.Options{})
		f, ok := fault.As(err)
		if !ok || (f.Code != fault.StoreUnavailable && f.Code != fault.Usage) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, word := range []string{"hunter2", "secretdb", "127.0.0.1", "who", "/tmp"} {
			if strings.Contains(f.Message+f.Fix, word) {
				t.Errorf("%s: %q is in %q, %q", name, word, f.Message, f.Fix)
			}
		}
	}
}

func TestALostConnectionIsTypedAndTheStoreRecovers(t *testing.T) {
	t.Parallel()
	url := ledgertest.PostgresURL(t)
	s, conn := open(t, url), direct(t, url)
	err := s.Do(t.Context(), func(tx ledger.Tx) error {
		if _, err := tx.Claims().Take(t.Context(), []ledger.Claim{{Key: ledger.Key{1}, Ref: 1}}); err != nil {
			return err
		}
		_, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		return err
	})
	if fault.CodeOf(err) != fault.StoreUnavailable {
		t.Errorf("a commit on a dead connection: %v", err)
	}
	// Connections that died in the pool are noticed when they are next used.
	for deadline := time.Now().Add(20 * time.Second); ; {
		var left []ledger.Claim
		err = s.View(t.Context(), func(tx ledger.Tx) (err error) {
			left, err = tx.Claims().Find(t.Context(), []ledger.Key{{1}})
			return err
		})
		if err == nil {
			if len(left) > 0 {
				t.Error("a transaction that never committed is there")
			}
			return
		}
		if fault.CodeOf(err) != fault.StoreUnavailable || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestACallerThatGivesUpStopsALongWait(t *testing.T) {
	t.Parallel()
	url := ledgertest.PostgresURL(t)
	s, conn := open(t, url), direct(t, url)
	lock, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := lock.Exec(t.Context(), `LOCK TABLE claim`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	err = s.Do(ctx, func(tx ledger.Tx) error {
		_, err := tx.Claims().Take(ctx, []ledger.Claim{{Key: ledger.Key{1}, Ref: 1}})
		return err
	})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 8*time.Second {
		t.Errorf("after %s: %v", time.Since(start), err)
	}
}

// TestTakersOfTheSameKeysNeverDeadlock lets transactions claim overlapping runs of
// keys at once; every key has one holder in the end, and nobody fails.
func TestTakersOfTheSameKeysNeverDeadlock(t *testing.T) {
	t.Parallel()
	s := open(t, ledgertest.PostgresURL(t))
	const keys, takers = 400, 4
	var mu sync.Mutex
	won := map[ledger.Key]int{}
	var wg sync.WaitGroup
	for taker := range takers {
		wg.Go(func() {
			for from := 0; from < keys; from += 50 {
				var list []ledger.Claim
				for i := from; i < min(keys, from+100); i++ {
					list = append(list, ledger.Claim{Key: ledger.Key{byte(i >> 8), byte(i)}, Ref: ledger.RefOf(int64(taker+1), i)})
				}
				var taken []ledger.Conflict
				err := s.Do(t.Context(), func(tx ledger.Tx) (err error) {
					taken, err = tx.Claims().Take(t.Context(), list)
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
				lost := map[ledger.Key]bool{}
				for _, c := range taken {
					lost[c.Mine.Key] = true
				}
				mu.Lock()
				for _, c := range list {
					if !lost[c.Key] {
						won[c.Key] |= 1 << taker
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for key, by := range won {
		if by&(by-1) != 0 {
			t.Errorf("key %x has several holders: %b", key[:2], by)
		}
	}
	if len(won) != keys {
		t.Errorf("%d keys of %d have a holder", len(won), keys)
	}
}

// TestWorkersShareABatchQueue leases from several connections at once: every batch
// is given out once, and a lease that ran out is given again with a higher fence.
func TestWorkersShareABatchQueue(t *testing.T) {
	t.Parallel()
	url := ledgertest.PostgresURL(t)
	now := time.Now()
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	s, err := postgres.Open(t.Context(), url, postgres.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	const n = 60
	plan := ledger.Plan{Dataset: "1", Realm: "meta", CreatedAt: now, ExpiresAt: now.Add(time.Hour), File: "f", WrappedKey: []byte("w")}
	err = s.Do(t.Context(), func(tx ledger.Tx) error {
		if err := tx.Plans().Create(t.Context(), &plan); err != nil {
			return err
		}
		var list []ledger.Batch
		for i := range n {
			list = append(list, ledger.Batch{Plan: plan.No, No: i, First: i, Count: 1, Class: "62d", State: ledger.Queued})
		}
		return tx.Batches().Put(t.Context(), list)
	})
	if err != nil {
		t.Fatal(err)
	}
	lease := func(owner string) (got []ledger.Batch) {
		err := s.Do(t.Context(), func(tx ledger.Tx) (err error) {
			got, err = tx.Batches().Lease(t.Context(), plan.No, owner, time.Minute, 7)
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return got
	}
	holders := map[int]string{}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 10 {
				owner := fmt.Sprintf("w%d-%d", w, i)
				for _, b := range lease(owner) {
					mu.Lock()
					if other := holders[b.No]; other != "" {
						t.Errorf("batch %d went to %s and %s", b.No, other, owner)
					}
					holders[b.No] = owner
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if len(holders) != n {
		t.Errorf("%d batches of %d were given out", len(holders), n)
	}
	mu.Lock()
	now = now.Add(2 * time.Minute)
	mu.Unlock()
	again := lease("later")
	if len(again) == 0 || again[0].Fence != 2 {
		t.Errorf("after their leases ran out: %+v", again)
	}
}

// TestARoleThatOwnsNothing works as docs/postgresql.md sets it up: migrations belong
// to the owner, and the role that sends can neither change nor remove an audit record.
func TestARoleThatOwnsNothing(t *testing.T) {
	t.Parallel()
	url := ledgertest.PostgresURL(t)
	owner := open(t, url)
	conn := direct(t, url)
	const role = "sluice_app"
	for _, statement := range []string{
		`CREATE ROLE ` + role + ` LOGIN`,
		`GRANT USAGE ON SCHEMA public TO ` + role,
		`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ` + role,
		`GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ` + role,
		`REVOKE UPDATE, DELETE ON audit_record, audit_checkpoint FROM ` + role,
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(statement, err)
		}
	}
	app := open(t, strings.Replace(url, "user=sluice", "user="+role, 1))
	if app.ID() != owner.ID() {
		t.Error("the role sees another store")
	}
	ctx := t.Context()
	err := app.Do(ctx, func(tx ledger.Tx) error {
		p := ledger.Plan{Dataset: "1", Realm: "meta", CreatedAt: time.Now(), ExpiresAt: time.Now(), File: "f", WrappedKey: []byte("w")}
		if err := tx.Plans().Create(ctx, &p); err != nil { // begins the first month
			return err
		}
		if err := tx.Events().Put(ctx, []ledger.Event{{Ref: ledger.RefOf(p.No, 0)}}); err != nil {
			return err
		}
		_, err := tx.Audit().Append(ctx, time.Now(), audit.Record{Op: "preview"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Scrub(ctx); err != nil {
		t.Error(err)
	}
	as := direct(t, strings.Replace(url, "user=sluice", "user="+role, 1))
	for _, statement := range []string{`UPDATE audit_record SET body = body`, `DELETE FROM audit_record`, `TRUNCATE audit_record`, `ALTER TABLE audit_record DISABLE TRIGGER ALL`} {
		if _, err := as.Exec(ctx, statement); err == nil {
			t.Errorf("the role may %s", statement)
		}
	}
	for _, statement := range []string{`UPDATE audit_record SET body = body`, `DELETE FROM audit_record`, `TRUNCATE audit_record`} {
		if _, err := conn.Exec(ctx, statement); err == nil {
			t.Errorf("the owner may %s without a word", statement)
		}
	}
}

func TestEveryModeOfTheDriverReadsTheSame(t *testing.T) {
	t.Parallel()
	url := ledgertest.PostgresURL(t)
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
		s := open(t, url+"&default_query_exec_mode="+mode)
		err := s.Do(t.Context(), func(tx ledger.Tx) error {
			p := ledger.Plan{Dataset: "1", Realm: "meta", CreatedAt: time.Now(), ExpiresAt: time.Now(), File: "f", WrappedKey: []byte("w")}
			if err := tx.Plans().Create(t.Context(), &p); err != nil {
				return err
			}
			got, err := tx.Plans().ByNo(t.Context(), p.No)
			if err == nil && (got.Realm != "meta" || string(got.WrappedKey) != "w") {
				t.Errorf("%s: %+v", mode, got)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", mode, err)
		}
	}
}
