package postgres

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5"

	"sluice/internal/fault"
	"sluice/internal/store/sqlrepo"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrationLock is the advisory lock that one migrating process holds at a time.
const migrationLock = 0x736c75696365 // "sluice"

// migration is one numbered file as this engine applies it.
type migration struct {
	name   string
	digest string // of what was written, not of its translation
	text   string
}

// list returns every migration in order: the engine's own, then the shared ones.
func list() ([]migration, error) {
	own, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	shared, err := fs.Glob(sqlrepo.Schema, "schema/*.sql")
	if err != nil {
		return nil, err
	}
	var out []migration
	for _, name := range own {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		out = append(out, migration{name, digestOf(string(text)), string(text)})
	}
	for _, name := range shared {
		text, err := sqlrepo.Schema.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var written, translated strings.Builder
		sqlrepo.Section(string(text), sqlrepo.Postgres, func(part string, alone bool) {
			written.WriteString(part)
			if !alone {
				part = dialect(part)
			}
			translated.WriteString(part)
		})
		out = append(out, migration{name, digestOf(written.String()), translated.String()})
	}
	return out, nil
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// migrate applies the files that the database has not seen, all in one transaction.
func migrate(ctx context.Context, conn *pgx.Conn) error {
	all, err := list()
	if err != nil {
		return err
	}
	applied, err := appliedTo(ctx, conn)
	if err == nil && len(applied) == len(all) {
		return pending(all, applied, nil) // the usual case takes no lock
	}
	if err != nil && !isState(err, "42P01") { // no such table: a new database
		return unavailable(ctx, err)
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return unavailable(ctx, err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(migrationLock)); err != nil {
		return unavailable(ctx, err)
	}
	if _, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS migration (name TEXT COLLATE "C" PRIMARY KEY, digest TEXT NOT NULL)`); err != nil {
		return unavailable(ctx, err)
	}
	if applied, err = appliedTo(ctx, conn); err != nil {
		return unavailable(ctx, err)
	}
	err = pending(all, applied, func(m migration) error {
		// Many statements in one message: the simple protocol.
		if _, err := conn.PgConn().Exec(ctx, m.text).ReadAll(); err != nil {
			return fmt.Errorf("migration %s: %w", m.name, unavailable(ctx, err))
		}
		_, err := tx.Exec(ctx, `INSERT INTO migration (name, digest) VALUES ($1, $2)`, m.name, m.digest)
		return unavailable(ctx, err)
	})
	if err != nil {
		return err
	}
	return unavailable(ctx, tx.Commit(ctx))
}

func appliedTo(ctx context.Context, conn *pgx.Conn) (map[string]string, error) {
	rows, err := conn.Query(ctx, `SELECT name, digest FROM migration`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	applied := map[string]string{}
	for rows.Next() {
		var name, digest string
		if err := rows.Scan(&name, &digest); err != nil {
			return nil, err
		}
		applied[name] = digest
	}
	return applied, rows.Err()
}

// pending calls apply for what is missing and refuses a schema that is not ours.
func pending(all []migration, applied map[string]string, apply func(migration) error) error {
	known := 0
	for _, m := range all {
		digest, ok := applied[m.name]
		switch {
		case ok && digest == m.digest:
			known++
		case ok:
			return fault.New(fault.StoreUnavailable, "migration %s was applied in another version", m.name).
				WithFix("use the version of Sluice that the other machines use")
		case apply == nil:
			return fault.New(fault.StoreUnavailable, "the database was written by another version of Sluice").
				WithFix("use the version of Sluice that the other machines use")
		default:
			if err := apply(m); err != nil {
				return err
			}
		}
	}
	if known < len(applied) {
		return fault.New(fault.StoreUnavailable, "the database was written by a newer version of Sluice").
			WithFix("use the version of Sluice that the other machines use")
	}
	return nil
}
