package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"sluice/internal/ledger"
	"sluice/internal/privacy"
)

// chunkSize is how many bytes one row of a payload holds: what fits a page of the
// server beside its key. Larger values would be cut into quarters of a page and
// indexed each, which makes writing half as fast.
const chunkSize = 8000

// blockChunks is how many rows are written and read together, about a megabyte.
const blockChunks = 128

const blockSize = blockChunks * chunkSize

// Payloads serves ledger.Store: rows of a page.
func (s *Store) Payloads() ledger.Payloads { return payloads{s.pool, s.writers} }

type payloads struct {
	pool    *pgxpool.Pool
	writers chan struct{}
}

// payloadWriter feeds one COPY, which is one transaction: what does not end in
// Commit was never there. It holds a connection meanwhile.
type payloadWriter struct {
	name  string
	block []byte   // what is not sent yet
	rows  copyData // reused
	seq   int64
	pipe  *io.PipeWriter
	ended chan error // buffered, gets one value
	over  bool
}

func (p payloads) Create(ctx context.Context, name string) (ledger.PayloadWriter, error) {
	if name == "" {
		return nil, fs.ErrInvalid
	}
	select {
	case p.writers <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		<-p.writers
		return nil, unavailable(ctx, err)
	}
	read, write := io.Pipe()
	w := &payloadWriter{name: name, pipe: write, ended: make(chan error, 1), block: make([]byte, 0, blockSize)}
	go func() {
		defer func() {
			conn.Release()
			<-p.writers
		}()
		_, err := conn.Conn().PgConn().CopyFrom(ctx, read, `COPY payload (name, seq, data) FROM STDIN BINARY`)
		if isState(err, "23505") {
			err = fmt.Errorf("payload %s: %w", name, fs.ErrExist)
		} else {
			err = unavailable(ctx, err)
		}
		_ = read.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // a writer must not wait for nobody
		w.ended <- err
	}()
	if _, err := write.Write(copyHead); err != nil {
		w.Abort()
		return nil, err
	}
	return w, nil
}

func (w *payloadWriter) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		take := min(len(p), blockSize-len(w.block))
		w.block = append(w.block, p[:take]...)
		p, n = p[take:], n+take
		if len(w.block) == blockSize {
			if err := w.flush(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// flush sends the block as rows; every row but a payload's last one is full.
func (w *payloadWriter) flush() error {
	rows := w.rows[:0]
	for rest := w.block; len(rest) > 0 || w.seq == 0; w.seq++ {
		n := min(len(rest), chunkSize)
		rows = rows.row(3).text(w.name).number(w.seq).bytes(rest[:n])
		rest = rest[n:]
	}
	w.rows, w.block = rows, w.block[:0]
	_, err := w.pipe.Write(rows)
	return err
}

func (w *payloadWriter) Commit() error {
	if len(w.block) > 0 || w.seq == 0 {
		if err := w.flush(); err != nil {
			return errors.Join(err, w.stop(err))
		}
	}
	if _, err := w.pipe.Write(copyData(nil).end()); err != nil {
		return errors.Join(err, w.stop(err))
	}
	return w.stop(nil)
}

// stop ends the COPY, with its success or with a failure of ours.
func (w *payloadWriter) stop(failure error) error {
	if w.over {
		return nil
	}
	w.over = true
	_ = w.pipe.CloseWithError(failure)
	return <-w.ended
}

var errAborted = errors.New("the payload was given up")

func (w *payloadWriter) Abort() { _ = w.stop(errAborted) }

func (p payloads) Remove(ctx context.Context, name string) error {
	_, err := p.pool.Exec(ctx, `DELETE FROM payload WHERE name = $1`, name)
	return unavailable(ctx, err)
}

// Erase implements ledger.Payloads. The old versions of the rows are gone after the
// next Scrub.
func (p payloads) Erase(ctx context.Context, name string, places []privacy.Span) error {
	byChunk := map[int64][]privacy.Span{}
	for _, place := range places {
		for from := place.Offset; from < place.Offset+int64(place.Length); {
			seq := from / chunkSize
			to := min(place.Offset+int64(place.Length), (seq+1)*chunkSize)
			byChunk[seq] = append(byChunk[seq], privacy.Span{Offset: from - seq*chunkSize, Length: int(to - from)})
			from = to
		}
	}
	order := slices.Sorted(maps.Keys(byChunk)) // so that two erasers can't wait for each other
	err := pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		var there bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM payload WHERE name = $1)`, name).Scan(&there); err != nil {
			return err
		}
		if !there {
			return fmt.Errorf("payload %s: %w", name, fs.ErrNotExist)
		}
		for _, seq := range order {
			var data []byte
			err := tx.QueryRow(ctx, `SELECT data FROM payload WHERE name = $1 AND seq = $2 FOR UPDATE`, name, seq).Scan(&data)
			if errors.Is(err, pgx.ErrNoRows) {
				return io.ErrUnexpectedEOF
			}
			if err != nil {
				return err
			}
			for _, place := range byChunk[seq] {
				if place.Offset+int64(place.Length) > int64(len(data)) {
					return io.ErrUnexpectedEOF
				}
				clear(data[place.Offset : place.Offset+int64(place.Length)])
			}
			if _, err := tx.Exec(ctx, `UPDATE payload SET data = $3 WHERE name = $1 AND seq = $2`, name, seq, data); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return unavailable(ctx, err)
}

// cachedBlocks is how many blocks a reader keeps: its senders read near each other.
const cachedBlocks = 8

// payloadReader reads whole blocks and keeps the last few.
type payloadReader struct {
	ctx  context.Context
	pool *pgxpool.Pool
	name string
	size int64

	mu    sync.Mutex
	cache []cachedBlock // the last used at the end
}

type cachedBlock struct {
	no   int64
	load func() ([]byte, error) // loads once, for whoever asks
}

func (p payloads) Open(ctx context.Context, name string) (ledger.PayloadReader, error) {
	r := &payloadReader{ctx: ctx, pool: p.pool, name: name}
	var seq, length int64
	err := p.pool.QueryRow(ctx, `SELECT seq, octet_length(data)::bigint FROM payload WHERE name = $1 ORDER BY seq DESC LIMIT 1`, name).Scan(&seq, &length)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("payload %s: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return nil, unavailable(ctx, err)
	}
	r.size = seq*chunkSize + length
	return r, nil
}

func (r *payloadReader) ReadAt(p []byte, at int64) (n int, err error) {
	if at < 0 {
		return 0, fs.ErrInvalid
	}
	for n < len(p) {
		place := at + int64(n)
		if place >= r.size {
			return n, io.EOF
		}
		data, err := r.block(place / blockSize)
		if err != nil {
			return n, err
		}
		skip := place % blockSize
		if skip >= int64(len(data)) {
			return n, io.EOF // shorter than it was: rows are missing
		}
		n += copy(p[n:], data[skip:])
	}
	return n, nil
}

// block returns a block from memory, or reads it, once for all who ask.
func (r *payloadReader) block(no int64) ([]byte, error) {
	r.mu.Lock()
	at := slices.IndexFunc(r.cache, func(c cachedBlock) bool { return c.no == no })
	var found cachedBlock
	if at >= 0 {
		found = r.cache[at]
		r.cache = slices.Delete(r.cache, at, at+1)
	} else {
		found = cachedBlock{no, sync.OnceValues(func() ([]byte, error) { return r.fetch(no) })}
		if len(r.cache) >= cachedBlocks {
			r.cache = slices.Delete(r.cache, 0, 1)
		}
	}
	r.cache = append(r.cache, found)
	r.mu.Unlock()
	data, err := found.load()
	if err != nil { // the next one tries again
		r.mu.Lock()
		r.cache = slices.DeleteFunc(r.cache, func(c cachedBlock) bool { return c.no == no })
		r.mu.Unlock()
	}
	return data, err
}

func (r *payloadReader) fetch(no int64) ([]byte, error) {
	rows, err := r.pool.Query(r.ctx, `SELECT data FROM payload WHERE name = $1 AND seq >= $2 AND seq < $3 ORDER BY seq`, r.name, no*blockChunks, (no+1)*blockChunks)
	if err != nil {
		return nil, unavailable(r.ctx, err)
	}
	defer rows.Close()
	data := make([]byte, 0, min(blockSize, r.size-no*blockSize))
	for rows.Next() {
		if len(data)%chunkSize != 0 {
			return nil, io.ErrUnexpectedEOF // only the last row may be short
		}
		data = append(data, rows.RawValues()[0]...)
	}
	return data, unavailable(r.ctx, rows.Err())
}

func (r *payloadReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cache = nil
	return nil
}
