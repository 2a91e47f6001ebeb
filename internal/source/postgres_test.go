package source_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"sluice/internal/fault"
	"sluice/internal/source"
	"sluice/internal/testkit"
)

// shelf keeps cursors in memory.
type shelf map[string]string

func (s shelf) Cursor(_ context.Context, name string) (string, error) { return s[name], nil }
func (s shelf) SetCursor(_ context.Context, name, at string) error    { s[name] = at; return nil }

func TestQuery(t *testing.T) {
	t.Parallel()
	dsn := testkit.Postgres(t)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	exec := func(sql string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(`CREATE SEQUENCE counter; CREATE TABLE orders (id bigint PRIMARY KEY, at timestamptz, total numeric(10,2), local timestamp, paid boolean, buyer double precision, note text)`)
	// Ten rows share each cursor value, so that pages of seven end inside a tie.
	exec(`INSERT INTO orders SELECT i, '2026-11-20 10:00:00.5+00'::timestamptz + (i / 10) * interval '1 minute', 12.50 + i, '2026-11-20 11:00', i % 2 = 0, 17850 + i, NULL FROM generate_series(1, 100) i`)
	exec(`INSERT INTO orders VALUES (999, NULL)`)
	cursors := shelf{}
	read := func(ack bool, change func(*source.Query)) (rows [][]string, err error) {
		t.Helper()
		q := source.Query{Name: "shop", DSN: dsn, SQL: "SELECT * FROM orders -- all\n;", Cursor: "at", Key: "id", Page: 7, Cursors: cursors}
		if change != nil {
			change(&q)
		}
		r, err := source.OpenQuery(t.Context(), q, source.Options{Columns: []string{"total", "at", "id", "local", "paid", "buyer", "note"}, NeedDigest: true})
		if err != nil {
			return nil, err
		}
		defer func() { _ = r.Close() }()
		for {
			var rec source.Record
			err := r.Next(t.Context(), &rec)
			if errors.Is(err, io.EOF) {
				if ack {
					err = r.(source.Acker).Ack(t.Context())
				} else {
					err = nil
				}
				return rows, err
			}
			if err != nil {
				return rows, err
			}
			if rec.Digest == [16]byte{} || rec.Position.File != "shop" {
				t.Errorf("record %+v", rec)
			}
			rows = append(rows, slices.Clone(rec.Values))
		}
	}
	all, err := read(false, nil)
	if err != nil || len(all) != 100 {
		t.Fatalf("%d rows, %v", len(all), err)
	}
	if want := []string{"13.50", "2026-11-20T10:00:00.5Z", "1", "2026-11-20 11:00:00", "false", "17851", ""}; !slices.Equal(all[0], want) {
		t.Errorf("first row %q, want %q", all[0], want)
	}
	for i, row := range all {
		if row[2] != fmt.Sprint(i+1) {
			t.Fatalf("row %d has id %s: skipped or read twice", i+1, row[2])
		}
	}
	if len(cursors) != 0 {
		t.Error("a reading that nobody took over moved the cursor")
	}
	if _, err := read(true, nil); err != nil {
		t.Fatal(err)
	}
	// A transaction with an older time commits late; a row is new.
	exec(`INSERT INTO orders VALUES (101, '2026-11-20 10:08:00+00', 1), (102, '2026-11-20 10:30:00+00', 1)`)
	later, err := read(true, func(q *source.Query) { q.Overlap = "3m" })
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, row := range later {
		ids = append(ids, row[2])
	}
	if !slices.Contains(ids, "101") || ids[len(ids)-1] != "102" || len(ids) > 45 {
		t.Errorf("the second reading has ids %v: want 101 by the overlap, 102 last, and not everything", ids)
	}
	for name, c := range map[string]struct {
		change func(*source.Query)
		code   fault.Code
		says   string
	}{
		"no such table":   {func(q *source.Query) { q.SQL = "SELECT * FROM nothing" }, fault.SourceUnavailable, "42P01"},
		"no such column":  {func(q *source.Query) { q.Key = "idd" }, fault.MappingInvalid, `did you mean "id"`},
		"writes":          {func(q *source.Query) { q.SQL = "DELETE FROM orders RETURNING *" }, fault.SourceUnavailable, "SQLSTATE"},
		"writes inside":   {func(q *source.Query) { q.SQL = "SELECT * FROM orders, nextval('counter')" }, fault.SourceUnavailable, "SQLSTATE"},
		"slow":            {func(q *source.Query) { q.SQL = "SELECT * FROM orders, pg_sleep(5)"; q.Timeout = 200e6 }, fault.SourceUnavailable, "took longer"},
		"unreadable":      {func(q *source.Query) { q.DSN = "postgres://user:sesame@%%%" }, fault.Usage, "can't be read"},
		"nobody there":    {func(q *source.Query) { q.DSN = "postgres://user:sesame@127.0.0.1:1/x" }, fault.SourceUnavailable, "can't be reached"},
		"other overlap":   {func(q *source.Query) { q.Overlap = "5 rows" }, fault.Usage, "duration"},
		"without a query": {func(q *source.Query) { q.SQL = " ; " }, fault.Usage, "needs a query"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(false, c.change)
			f, ok := fault.As(err)
			if !ok || f.Code != c.code || !strings.Contains(f.Error()+f.Message, c.says) {
				t.Fatalf("%v, want %s that says %q", err, c.code, c.says)
			}
			if strings.Contains(fmt.Sprintf("%+v %s %s", f, f.Message, f.Fix), "sesame") {
				t.Errorf("the password is shown: %v", f)
			}
		})
	}
}
