package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"sluice/internal/fault"
	"sluice/internal/ledger"
)

// unavailable turns what the driver reports into the store's typed error. Messages
// name neither the server nor a value: both may be secrets.
func unavailable(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || isState(err, "57014")) {
		return ctx.Err()
	}
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return fault.New(fault.StoreUnavailable, "the database can't be reached, or the connection to it was lost").
			WithFix("check database_url and the PostgreSQL server, then run the same command again").Wrap(err)
	}
	f := fault.New(fault.StoreUnavailable, "the database refused a statement (SQLSTATE %s)", refused.Code).
		WithFix("look into the PostgreSQL server's log").Wrap(err)
	switch class := refused.Code[:min(2, len(refused.Code))]; {
	case refused.Code == "53100":
		f.Message, f.Fix = "the database's disk is full", "make room on the PostgreSQL server"
	case refused.Code == "53300":
		f.Message, f.Fix = "the database has no connection left", "raise max_connections, or give Sluice fewer: pool_max_conns in database_url"
	case refused.Code == "25P03":
		f.Message, f.Fix = "the database ended a transaction that stood still for too long", "run the same command again"
	case refused.Code == "40001", refused.Code == "40P01", refused.Code == "55P03":
		f.Message, f.Fix = "another process was writing the same rows of the ledger", "run the same command again"
	case refused.Code == "23505":
		f.Message = "a row of the ledger is there already: " + refused.ConstraintName
		f.Fix = "run the same command again"
		f.Cause = errors.Join(ledger.ErrTaken, err)
	case class == "23":
		f.Message = "the database refused a row that breaks a rule of the ledger: " + refused.ConstraintName
	case class == "28", refused.Code == "3D000":
		f.Message, f.Fix = "the database does not let Sluice in", "check user, password and database name of database_url"
	case class == "42":
		// Statements hold no values, so neither does what is said about them.
		f.Message = "the database refused a statement: " + refused.Message + " (SQLSTATE " + refused.Code + ")"
		if refused.Code == "42501" {
			f.Fix = "grant the role what docs/postgresql.md lists"
		}
	case class == "57", class == "08":
		f.Message, f.Fix = "the database is shutting down or starting", "run the same command again when it is up"
	}
	return f
}

func isState(err error, code string) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == code
}
