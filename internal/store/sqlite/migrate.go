package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"sluice/internal/store/sqlrepo"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate applies the numbered files that the database has not seen. A file that
// was applied and has changed since is an error: the schema would not be what the
// code believes.
func migrate(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if current(ctx, conn) {
		return nil // the usual case must not wait for a writer
	}
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := migrateIn(ctx, conn); err != nil {
		_, rb := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(err, rb)
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}

// names lists every migration in order: the engine's own, then the shared ones.
func names() ([]string, error) {
	own, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	shared, err := fs.Glob(sqlrepo.Schema, "schema/*.sql")
	return append(own, shared...), err
}

// read returns what this engine applies of a migration.
func read(name string) ([]byte, error) {
	if !strings.HasPrefix(name, "schema/") {
		return migrations.ReadFile(name)
	}
	text, err := sqlrepo.Schema.ReadFile(name)
	var own []byte
	sqlrepo.Section(string(text), sqlrepo.SQLite, func(part string, _ bool) { own = append(own, part...) })
	return own, err
}

// current reports whether exactly the known migrations were applied.
func current(ctx context.Context, conn *sql.Conn) bool {
	names, err := names()
	if err != nil {
		return false
	}
	for _, name := range names {
		var digest string
		text, err := read(name)
		if err != nil || conn.QueryRowContext(ctx, `SELECT digest FROM migration WHERE name = ?`, name).Scan(&digest) != nil || digest != digestOf(text) {
			return false
		}
	}
	var applied int
	return conn.QueryRowContext(ctx, `SELECT count(*) FROM migration`).Scan(&applied) == nil && applied == len(names)
}

func digestOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func migrateIn(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, digest TEXT NOT NULL) STRICT`); err != nil {
		return err
	}
	names, err := names()
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := read(name)
		if err != nil {
			return err
		}
		digest := digestOf(text)
		var applied string
		err = conn.QueryRowContext(ctx, `SELECT digest FROM migration WHERE name = ?`, name).Scan(&applied)
		switch {
		case err == nil && applied == digest:
			continue
		case err == nil:
			return fmt.Errorf("migration %s was applied in another version", name)
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		if _, err := conn.ExecContext(ctx, string(text)); err != nil {
			return fmt.Errorf("migration %s: %w", name, err)
		}
		if _, err := conn.ExecContext(ctx, `INSERT INTO migration (name, digest) VALUES (?, ?)`, name, digest); err != nil {
			return err
		}
	}
	var known int
	if err := conn.QueryRowContext(ctx, `SELECT count(*) FROM migration`).Scan(&known); err != nil {
		return err
	}
	if known > len(names) {
		return errors.New("the ledger was written by a newer version of Sluice")
	}
	return nil
}
