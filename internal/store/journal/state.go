package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"sluice/internal/enforce"
	"sluice/internal/ids"
)

// state is what a process knows of the journal: the book as of one place in one file.
// Everything that reads or changes it holds the directory's lock.
type state struct {
	dir    string
	log    *slog.Logger
	book   *enforce.Book
	header header
	file   *os.File
	base   int64 // where the records behind the snapshot begin
	end    int64 // up to where the file was applied
	seq    int64 // number of the last record
	moves  int   // rises when an approval may have left the state pending
	turned bool  // the file is complete; the next one follows
	buf    []byte
}

// readChunk is how much is read at a time.
const readChunk = 64 << 10

// load reads the newest file, and makes the first one where there is none.
func load(dir string, now time.Time, log *slog.Logger) (*state, error) {
	gens, err := generations(dir, journalStart)
	if err != nil {
		return nil, err
	}
	st := &state{dir: dir, log: log, book: enforce.NewBook()}
	if len(gens) == 0 {
		st.header = header{Version: formatVersion, Source: ids.New("gj", now)}
		if err := st.begin(now); err != nil {
			return nil, err
		}
		return st, nil
	}
	if err := st.open(gens[len(gens)-1]); err != nil {
		st.close()
		return nil, err
	}
	return st, nil
}

// open reads a file from its beginning: header, snapshot, records.
func (st *state) open(gen int64) error {
	file, err := os.OpenFile(journalPath(st.dir, gen), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	st.close()
	st.file, st.base, st.end, st.seq, st.turned = file, 0, 0, -1, false
	st.book = enforce.NewBook()
	st.moves++
	ready := false
	err = st.read(func(f *frame) error {
		switch {
		case st.seq < 0:
			st.seq = f.seq
			return st.head(f, gen)
		case ready:
			return st.follow(f)
		}
		ready, err = restore(st.book, f)
		if ready {
			st.base = -1 // known when the record is behind us
		}
		return err
	})
	if err == nil && !ready {
		err = fmt.Errorf("%w: its snapshot does not end", errDamaged)
	}
	if err != nil {
		return fmt.Errorf("journal %d: %w", gen, err)
	}
	return nil
}

func (st *state) head(f *frame, gen int64) error {
	if f.kind != kindHeader || json.Unmarshal(f.body, &st.header) != nil || st.header.Generation != gen {
		return fmt.Errorf("%w: it does not begin with its header", errDamaged)
	}
	if st.header.Version != formatVersion {
		return errors.New("it was written by another version of Sluice")
	}
	return nil
}

// follow applies a record behind the snapshot.
func (st *state) follow(f *frame) error {
	if f.seq != st.seq+1 {
		st.log.Error("records of the gateway's journal are missing", "from", st.seq+1, "to", f.seq-1)
	}
	st.seq = f.seq
	st.turned = f.kind == kindTurned
	if f.kind == kindMove {
		st.moves++
	}
	return apply(st.book, f)
}

// read hands over every frame that stands behind what was read before.
func (st *state) read(fn func(*frame) error) error {
	if st.buf == nil {
		st.buf = make([]byte, readChunk)
	}
	for {
		n, err := st.file.ReadAt(st.buf, st.end)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if n == 0 {
			return nil
		}
		used, c := 0, whole
		for used < n {
			var f frame
			var size int
			if f, size, c = cutFrame(st.buf[used:n]); c != whole {
				break
			}
			if err := fn(&f); err != nil {
				return err
			}
			used += size
			st.end += int64(size)
			if st.base < 0 {
				st.base = st.end
			}
		}
		switch {
		case c == whole || (c == short && n == len(st.buf) && used > 0):
		case c == short && n == len(st.buf) && n < frameHead+maxFrame:
			st.buf = make([]byte, 4*n)
		default:
			if err := st.mend(); err != nil {
				return err
			}
		}
		if len(st.buf) > 1<<20 {
			st.buf = make([]byte, readChunk)
		}
	}
}

// mend deals with a place that holds no frame. Nobody is writing, for the lock is ours:
// it is a write that did not end, and is cut off. Where whole records follow it is
// damage, and they count.
func (st *state) mend() error {
	if st.base <= 0 {
		return fmt.Errorf("%w in its snapshot", errDamaged)
	}
	info, err := st.file.Stat()
	if err != nil {
		return err
	}
	rest := make([]byte, info.Size()-st.end)
	if _, err := io.ReadFull(io.NewSectionReader(st.file, st.end, int64(len(rest))), rest); err != nil {
		return err
	}
	if skip, found := resync(rest, st.seq); found {
		st.log.Error("the gateway's journal is damaged; what follows is used", "generation", st.header.Generation, "offset", st.end, "bytes", skip)
		st.end += int64(skip)
		return nil
	}
	st.log.Warn("a write to the gateway's journal did not end; it is cut off", "generation", st.header.Generation, "offset", st.end, "bytes", len(rest))
	return st.file.Truncate(st.end)
}

// catchUp applies what others have written.
func (st *state) catchUp(now time.Time) error {
	for {
		if !st.turned {
			if size, err := sizeOf(st.file); err == nil && size == st.end { // as it mostly is
				return nil
			}
			if err := st.read(st.follow); err != nil {
				return err
			}
		}
		if !st.turned {
			return nil
		}
		gens, err := generations(st.dir, journalStart)
		if err != nil {
			return err
		}
		if len(gens) > 0 && gens[len(gens)-1] > st.header.Generation {
			if err := st.open(gens[len(gens)-1]); err != nil {
				return err
			}
			continue
		}
		// Whoever ended the file died before the next one was there.
		if err := st.begin(now); err != nil {
			return err
		}
	}
}

// begin makes the file that follows, with the state as its beginning.
func (st *state) begin(now time.Time) error {
	text, h, err := st.prepare(now)
	if err != nil {
		return err
	}
	if err := replaceFile(journalPath(st.dir, h.Generation), text); err != nil {
		return err
	}
	return st.enter(h, int64(len(text)))
}

func (st *state) prepare(now time.Time) ([]byte, header, error) {
	h := st.header
	h.Generation++
	h.Created = now
	text, err := snapshot(&h, st.book, st.seq)
	return text, h, err
}

func (st *state) enter(h header, size int64) error {
	file, err := os.OpenFile(journalPath(st.dir, h.Generation), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	st.close()
	st.file, st.header, st.base, st.end, st.turned = file, h, size, size, false
	return nil
}

func (st *state) close() {
	if st.file != nil {
		_ = st.file.Close()
		st.file = nil
	}
}
