package store_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// first makes a database with nothing but an engine's first migration and returns
// what runs statements in it, with `?` for parameters.
func first(t *testing.T, driver, source, file string) func(query string, args ...any) {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	exec := func(query string, args ...any) {
		t.Helper()
		if driver == "pgx" {
			for i := range args {
				query = strings.Replace(query, "?", "$"+strconv.Itoa(i+1), 1)
			}
		}
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatalf("%.80s: %v", query, err)
		}
	}
	exec(string(text))
	exec(`CREATE TABLE migration (name TEXT PRIMARY KEY, digest TEXT NOT NULL)`)
	sum := sha256.Sum256(text)
	exec(`INSERT INTO migration (name, digest) VALUES (?, ?)`, path.Join("migrations", filepath.Base(file)), hex.EncodeToString(sum[:]))
	return exec
}
