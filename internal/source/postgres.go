package source

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"sluice/internal/fault"
)

// Cursors remember how far named sources were read.
type Cursors interface {
	Cursor(ctx context.Context, source string) (position string, err error) // "" when it was never read
	SetCursor(ctx context.Context, source, position string) error
}

// Acker is a Reader that goes on where an earlier reading ended. Ack is called once
// everything it yielded is owned by somebody else, and moves the cursor.
type Acker interface {
	Ack(ctx context.Context) error
}

// Query reads a PostgreSQL query page by page along (Cursor, Key), in one read-only
// snapshot. Offsets are never used, so that a row is neither skipped nor read twice
// when rows come and go.
type Query struct {
	Name string
	DSN  string // never printed
	SQL  string // one SELECT
	// Cursor is the column that grows when a row changes, Key the column that tells
	// rows with one cursor value apart. Rows without a cursor value are not read.
	Cursor, Key string
	// Overlap is read again before the stored cursor, for transactions that committed
	// late: a duration for times (15m when empty), a distance for numbers (1000).
	Overlap string
	Timeout time.Duration // of a statement; 0 is a minute
	Page    int           // rows; 0 is 5000
	Cursors Cursors       // nil: always from the beginning
}

const (
	standardOverlap  = 15 * time.Minute
	standardDistance = 1000
	standardPage     = 5000
)

// place is a cursor position as it is stored.
type place struct {
	Cursor string `json:"cursor"`
	Key    string `json:"key"`
}

// query is the Reader of a Query.
type query struct {
	q       Query
	conn    *pgx.Conn
	tx      pgx.Tx
	columns []string
	wanted  []int // places in the row; the first two are cursor and key
	texts   []func(string) string
	limit   int
	digest  bool

	begun  bool   // at is set
	at     place  // of the last row of the page
	from   string // where the reading starts, as SQL takes it
	page   [][]string
	next   int
	last   bool
	row    int64
	sum    hash.Hash
	bytes  atomic.Int64
	rows   atomic.Int64
	ended  error
	failed bool
}

// OpenQuery connects, and checks the query and its columns.
func OpenQuery(ctx context.Context, q Query, o Options) (Reader, error) {
	o, err := o.checked()
	if err != nil {
		return nil, err
	}
	if q.Page <= 0 {
		q.Page = standardPage
	}
	if q.Timeout <= 0 {
		q.Timeout = time.Minute
	}
	if q.SQL = strings.TrimRight(strings.TrimSpace(q.SQL), ";"); q.SQL == "" || q.Cursor == "" || q.Key == "" {
		return nil, fault.New(fault.Usage, "source %s needs a query, a cursor column and a key column", q.Name)
	}
	config, err := pgx.ParseConfig(q.DSN)
	if err != nil {
		// The parser's text repeats parts of the address.
		return nil, fault.New(fault.Usage, "source %s: its database address can't be read", q.Name).
			WithFix("write it as postgres://user@host:5432/database")
	}
	config.ConnectTimeout = 20 * time.Second
	for key, value := range map[string]string{
		"application_name": "sluice", "timezone": "UTC", "datestyle": "ISO", "default_transaction_read_only": "on",
		"statement_timeout": strconv.FormatInt(q.Timeout.Milliseconds(), 10),
	} {
		config.RuntimeParams[key] = value
	}
	r := &query{q: q, limit: o.MaxRecord, digest: o.NeedDigest, sum: sha256.New()}
	if r.conn, err = pgx.ConnectConfig(ctx, config); err != nil {
		return nil, r.fault(err)
	}
	if err := r.begin(ctx, o.Columns); err != nil {
		_ = r.Close()
		return nil, err
	}
	return r, nil
}

// begin opens the snapshot and finds out where to start.
func (r *query) begin(ctx context.Context, columns []string) (err error) {
	if r.tx, err = r.conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}); err != nil {
		return r.fault(err)
	}
	described, err := r.conn.Prepare(ctx, "", "SELECT * FROM ("+r.q.SQL+"\n) AS q")
	if err != nil {
		return r.fault(err)
	}
	t := &table{}
	for _, f := range described.Fields {
		t.header = append(t.header, f.Name)
	}
	if err := t.bind("source "+r.q.Name, "", append([]string{r.q.Cursor, r.q.Key}, without(columns, r.q.Cursor, r.q.Key)...)); err != nil {
		return err
	}
	r.wanted = make([]int, 0, len(columns))
	for _, c := range columns {
		r.wanted = append(r.wanted, slices.Index(t.header, c))
	}
	r.columns = t.header
	for _, f := range described.Fields {
		r.texts = append(r.texts, textOf(f.DataTypeOID))
	}
	return r.resume(ctx, described.Fields[slices.Index(t.header, r.q.Cursor)].DataTypeOID)
}

func without(columns []string, gone ...string) (out []string) {
	for _, c := range columns {
		if !slices.Contains(gone, c) {
			out = append(out, c)
		}
	}
	return out
}

// resume reads the stored cursor and goes back by the overlap.
func (r *query) resume(ctx context.Context, kind uint32) error {
	if r.q.Cursors == nil {
		return nil
	}
	stored, err := r.q.Cursors.Cursor(ctx, r.q.Name)
	if err != nil || stored == "" {
		return err
	}
	var p place
	if err := json.Unmarshal([]byte(stored), &p); err != nil {
		return fault.New(fault.Internal, "the cursor of source %s can't be read", r.q.Name).Wrap(err)
	}
	switch kind {
	case pgtype.TimestamptzOID, pgtype.TimestampOID, pgtype.DateOID:
		back := standardOverlap
		if r.q.Overlap != "" {
			if back, err = time.ParseDuration(r.q.Overlap); err != nil || back < 0 {
				return fault.New(fault.Usage, "source %s: the overlap must be a duration such as 15m", r.q.Name)
			}
		}
		for _, layout := range []string{"2006-01-02 15:04:05.999999999Z07", time.DateTime + ".999999999", time.DateOnly} {
			if t, err := time.Parse(layout, p.Cursor); err == nil {
				r.from = t.Add(-back).Format("2006-01-02 15:04:05.999999999Z07:00")
				if kind != pgtype.TimestamptzOID {
					r.from = t.Add(-back).Format("2006-01-02 15:04:05.999999999")
				}
				return nil
			}
		}
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
		back := int64(standardDistance)
		if r.q.Overlap != "" {
			if back, err = strconv.ParseInt(r.q.Overlap, 10, 64); err != nil || back < 0 {
				return fault.New(fault.Usage, "source %s: the overlap must be a number, as the cursor column is one", r.q.Name)
			}
		}
		if n, err := strconv.ParseInt(p.Cursor, 10, 64); err == nil {
			r.from = strconv.FormatInt(n-back, 10)
			return nil
		}
	default:
		r.from = p.Cursor // no distance is known: the same values again, to be sure of ties
		return nil
	}
	return fault.New(fault.SourceInvalid, "source %s: the stored cursor does not fit the type of column %q", r.q.Name, r.q.Cursor).
		WithFix("give the source another name to read it from the beginning")
}

// textOf writes values as a mapping reads them: the engine's text, but with times in
// RFC 3339 and truth values in words.
func textOf(kind uint32) func(string) string {
	switch kind {
	case pgtype.TimestamptzOID:
		return func(s string) string {
			if t, err := time.Parse("2006-01-02 15:04:05.999999999Z07", s); err == nil {
				return t.UTC().Format(time.RFC3339Nano)
			}
			return s
		}
	case pgtype.BoolOID:
		return func(s string) string {
			switch s {
			case "t":
				return "true"
			case "f":
				return "false"
			}
			return s
		}
	default:
		return func(s string) string { return s }
	}
}

// Next implements Reader.
func (r *query) Next(ctx context.Context, rec *Record) error {
	for r.ended == nil && r.next == len(r.page) {
		if r.last {
			r.ended = io.EOF
			if r.row == 0 {
				r.ended = fault.New(fault.SourceEmpty, "source %s has no new record", r.q.Name).With("source", r.q.Name)
			}
			break
		}
		if err := r.load(ctx); err != nil {
			r.ended, r.failed = err, true
		}
	}
	if r.ended != nil {
		return r.ended
	}
	values := r.page[r.next]
	r.next++
	r.row++
	r.rows.Store(r.row)
	rec.Position, rec.Values, rec.Fault = Position{File: r.q.Name, Line: r.row}, rec.Values[:0], nil
	var b []byte
	for i, v := range values {
		b = binary.AppendUvarint(b, uint64(len(r.columns[i])))
		b = append(b, r.columns[i]...)
		b = binary.AppendUvarint(b, uint64(len(v)))
		b = append(b, v...)
	}
	r.sum.Write(b)
	r.bytes.Add(int64(len(b)))
	if r.digest {
		full := sha256.Sum256(b)
		copy(rec.Digest[:], full[:])
	}
	if len(b) > r.limit {
		rec.Fault, rec.Digest = tooLarge(r.limit), [16]byte{}
		return nil
	}
	for _, i := range r.wanted {
		rec.Values = append(rec.Values, values[i])
	}
	return nil
}

// load reads the next page.
func (r *query) load(ctx context.Context) error {
	cursor, key := pgx.Identifier{r.q.Cursor}.Sanitize(), pgx.Identifier{r.q.Key}.Sanitize()
	where, args := "q."+cursor+" IS NOT NULL", []any{pgx.QueryResultFormats{pgx.TextFormatCode}}
	switch {
	case r.begun:
		where = fmt.Sprintf("(q.%s, q.%s) > ($1, $2)", cursor, key)
		args = append(args, r.at.Cursor, r.at.Key)
	case r.from != "":
		where = fmt.Sprintf("q.%s >= $1", cursor)
		args = append(args, r.from)
	}
	rows, err := r.tx.Query(ctx, fmt.Sprintf("SELECT * FROM (%s\n) AS q WHERE %s ORDER BY q.%s, q.%s LIMIT %d", r.q.SQL, where, cursor, key, r.q.Page), args...)
	if err != nil {
		return r.fault(err)
	}
	defer rows.Close()
	atCursor, atKey := slices.Index(r.columns, r.q.Cursor), slices.Index(r.columns, r.q.Key)
	r.page, r.next = r.page[:0], 0
	for rows.Next() {
		raw := rows.RawValues()
		if raw[atKey] == nil {
			return fault.New(fault.SourceInvalid, "source %s: the key column %q is empty in a row", r.q.Name, r.q.Key).
				WithFix("name a column that is unique and never empty").With("source", r.q.Name)
		}
		r.at, r.begun = place{string(raw[atCursor]), string(raw[atKey])}, true
		values := make([]string, len(raw))
		for i, v := range raw {
			if v != nil {
				values[i] = r.texts[i](string(v))
			}
		}
		r.page = append(r.page, values)
	}
	if err := rows.Err(); err != nil {
		return r.fault(err)
	}
	r.last = len(r.page) < r.q.Page
	return nil
}

// fault types an error of the database without the address or a value in it.
func (r *query) fault(err error) error {
	var e *pgconn.PgError
	switch {
	case errors.Is(err, context.Canceled):
		return interrupted(err)
	case errors.As(err, &e) && e.Code == "57014":
		return fault.New(fault.SourceUnavailable, "source %s: a statement took longer than %v", r.q.Name, r.q.Timeout).
			WithFix("add an index on (%s, %s), or raise `statement_timeout`", r.q.Cursor, r.q.Key).With("source", r.q.Name)
	case errors.As(err, &e):
		return fault.New(fault.SourceUnavailable, "source %s: the database refuses the query (SQLSTATE %s)", r.q.Name, e.Code).
			WithFix("try the query with psql as the same user; it must be one SELECT with distinct column names").
			With("source", r.q.Name).With("sqlstate", e.Code)
	default:
		return fault.New(fault.SourceUnavailable, "source %s: the database can't be reached", r.q.Name).
			WithFix("check its address, and that the server is up").With("source", r.q.Name)
	}
}

// Ack implements Acker.
func (r *query) Ack(ctx context.Context) error {
	if r.q.Cursors == nil || !r.begun || r.failed {
		return nil
	}
	position, err := json.Marshal(r.at)
	if err != nil {
		return err
	}
	return r.q.Cursors.SetCursor(ctx, r.q.Name, string(position))
}

// Digest implements Reader.
func (r *query) Digest() (d [32]byte) {
	r.sum.Sum(d[:0])
	return d
}

// Progress implements Reader.
func (r *query) Progress() Progress {
	return Progress{Bytes: r.bytes.Load(), Records: r.rows.Load(), File: r.q.Name, Files: 1, FilesTotal: 1}
}

// Notes implements Reader.
func (r *query) Notes() []Note { return nil }

// Close implements Reader.
func (r *query) Close() error {
	if r.ended == nil {
		r.ended = fault.New(fault.Internal, "the reader is closed")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return r.conn.Close(ctx)
}
