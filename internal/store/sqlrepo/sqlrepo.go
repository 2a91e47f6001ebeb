// Package sqlrepo holds the repositories whose statements are the same on every
// SQL engine; an engine brings a Session and its own events, claims and payloads.
//
// The statements are written once, in the subset that SQLite and PostgreSQL share,
// with `?` or `?N` for parameters. Times are Unix milliseconds, JSON is text.
package sqlrepo

import (
	"context"
	"database/sql"
	"time"

	"sluice/internal/audit"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

// Session runs statements inside one transaction.
type Session interface {
	// Exec returns how many rows changed.
	Exec(ctx context.Context, query string, args ...any) (int64, error)
	// ExecAll runs one statement for every row of arguments, in one round trip where
	// the engine can, and returns how many rows changed in all.
	ExecAll(ctx context.Context, query string, rows [][]any) (int64, error)
	// Get scans one row; ledger.ErrNotFound when there is none.
	Get(ctx context.Context, dest []any, query string, args ...any) error
	// Each calls fn for every row. fn may run other statements; where the engine has
	// one conversation per connection, the rest of the rows is then held in memory.
	Each(ctx context.Context, fn func(scan func(...any) error) error, query string, args ...any) error
	// ForUpdate is the clause that locks the rows a SELECT returns until the
	// transaction ends; empty where the whole store has one writer.
	ForUpdate() string
	// SkipLocked is ForUpdate that passes over rows others hold.
	SkipLocked() string
}

// Repos serves the shared repositories over one session. Engines embed it in their
// transactions.
type Repos struct {
	S     Session
	Clock func() time.Time // the store's, see ledger.Tx
	Chain string           // of the audit log this writer appends to
}

// Now serves ledger.Tx.
func (r *Repos) Now() time.Time { return r.Clock() }

// Plans serves ledger.Plans.
func (r *Repos) Plans() ledger.Plans { return plans{r.S} }

// Batches serves ledger.Batches.
func (r *Repos) Batches() ledger.Batches { return batches{r.S, r.Clock} }

// Runs serves ledger.Runs.
func (r *Repos) Runs() ledger.Runs { return runs{r.S} }

// Rejects serves ledger.Rejects.
func (r *Repos) Rejects() ledger.Rejects { return rejects{r.S} }

// Audit serves audit.Log.
func (r *Repos) Audit() audit.Log { return auditLog{r.S, r.Chain} }

// Tenants serves tenant.Repo.
func (r *Repos) Tenants() tenant.Repo { return tenants{r.S} }

// Circuits serves ledger.Circuits.
func (r *Repos) Circuits() ledger.Circuits { return circuits{r.S} }

// Approvals serves ledger.Approvals.
func (r *Repos) Approvals() ledger.Approvals { return approvals{r.S} }

type (
	tenants   struct{ s Session }
	circuits  struct{ s Session }
	approvals struct{ s Session }
	plans     struct{ s Session }
	batches   struct {
		s   Session
		now func() time.Time
	}
	runs     struct{ s Session }
	rejects  struct{ s Session }
	auditLog struct {
		s     Session
		chain string
	}
)

// Lost turns "no row changed" into ledger.ErrLost.
func Lost(n int64, err error) error {
	if err == nil && n == 0 {
		return ledger.ErrLost
	}
	return err
}

// Nullable stores an empty text as NULL.
func Nullable(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// Millis is a time as it is stored; the zero time is 0.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// FromMillis is the inverse of Millis.
func FromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
