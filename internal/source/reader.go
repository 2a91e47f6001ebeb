package source

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"sync/atomic"
	"unicode/utf8"

	"sluice/internal/fault"
)

// ctxEvery is how many records are read between two looks at the context.
const ctxEvery = 256

// reader reads its inputs one after the other.
type reader struct {
	options Options
	inputs  []input
	notes   []Note
	total   int64

	sum     hash.Hash
	bytes   atomic.Int64
	records atomic.Int64
	begun   atomic.Int64 // inputs opened

	now   *file
	first string // input whose header all others must fit
	seen  []bool // JSON columns met in any file
	ended error
}

// Open resolves the inputs, checks the header of every file among them, and
// returns a reader placed before the first record.
//
// Inputs are files, directories, patterns and "-" for Options.Stdin. An empty
// file that is named is a SourceEmpty fault; one that is found in a directory is
// left out with a note.
func Open(ctx context.Context, inputs []string, options Options) (Reader, error) {
	o, err := options.checked()
	if err != nil {
		return nil, err
	}
	o.Columns = slices.Clone(o.Columns)
	list, notes, err := resolve(inputs)
	if err != nil {
		return nil, err
	}
	r := &reader{options: o, inputs: list, notes: notes, sum: sha256.New(), seen: make([]bool, len(o.Columns))}
	for _, in := range list {
		if in.size == 0 {
			r.total = 0
			break
		}
		r.total += in.size
	}
	if err := r.advance(); err != nil {
		return nil, err
	}
	// Files are opened again when their turn comes; checking them now keeps a
	// drifted header from being found after an hour of reading.
	for _, in := range list[1:] {
		if !in.regular {
			continue
		}
		if err := ctx.Err(); err != nil {
			r.Close()
			return nil, interrupted(err)
		}
		if err := r.check(in); err != nil {
			r.Close()
			return nil, err
		}
	}
	return r, nil
}

// check opens a file and compares its header, leaving no trace in digest and progress.
func (r *reader) check(in input) error {
	sum := sha256.New()
	if isParquet(in, r.options) {
		sum = nil // its header is at the end
	}
	f, err := open(in, r.options, sum, new(atomic.Int64))
	if err != nil {
		return err
	}
	defer f.close()
	return r.bind(f)
}

func (r *reader) bind(f *file) error {
	if f.table == nil {
		return nil
	}
	if f.columnar != nil {
		if err := f.columnar.refuseLists(r.options.Columns); err != nil {
			return err
		}
	}
	if err := f.table.bind(f.name, r.first, r.options.Columns); err != nil || f.columnar == nil {
		return err
	}
	f.columnar.choose(f.table.wanted)
	return nil
}

// advance opens the next input, or returns io.EOF.
func (r *reader) advance() error {
	i := int(r.begun.Load())
	if i == len(r.inputs) {
		return io.EOF
	}
	f, err := open(r.inputs[i], r.options, r.sum, &r.bytes)
	if err != nil {
		return err
	}
	if err := r.bind(f); err != nil {
		f.close()
		return err
	}
	if f.table != nil && r.first == "" {
		r.first = f.name
	}
	f.head = nil
	r.now = f
	r.begun.Store(int64(i) + 1)
	return nil
}

// Next implements Reader.
func (r *reader) Next(ctx context.Context, rec *Record) error {
	if r.ended != nil {
		return r.ended
	}
	n := r.records.Load()
	if n%ctxEvery == 0 {
		if err := ctx.Err(); err != nil {
			return r.end(interrupted(err))
		}
	}
	for {
		err := r.readNext(ctx, rec)
		if err == nil {
			r.records.Store(n + 1)
			return nil
		}
		if !errors.Is(err, io.EOF) {
			return r.end(err)
		}
		if err := r.leave(); err != nil {
			return r.end(err)
		}
		if err := r.advance(); err != nil {
			return r.end(err)
		}
	}
}

// end makes every further Next return err.
func (r *reader) end(err error) error {
	if errors.Is(err, io.EOF) {
		r.noteAbsent()
		err = io.EOF
		if r.records.Load() == 0 {
			err = fault.New(fault.SourceEmpty, "the input has a header but no record")
		}
	}
	r.ended = err
	return err
}

// leave closes the current input and keeps what it learnt. JSON lines without a
// single mapped path are not what the mapping was made for: the counterpart of a
// missing column, which only the end of the file can tell.
func (r *reader) leave() error {
	defer r.now.close()
	if r.now.jsonl != nil {
		if j := r.now.jsonl; j.records > 0 && len(j.seen) > 0 && !slices.Contains(j.seen, true) {
			return fault.New(fault.MappingInvalid, "%s: no record has any of the mapped paths %s", r.now.name, quoteList(r.options.Columns)).
				WithFix("correct the paths in the mapping, or read files of different layouts with a mapping each").With("file", r.now.name)
		}
		for i, s := range r.now.jsonl.seen {
			r.seen[i] = r.seen[i] || s
		}
	} else {
		for i := range r.seen {
			r.seen[i] = true
		}
	}
	return nil
}

func (r *reader) noteAbsent() {
	if r.records.Load() == 0 {
		return
	}
	for i, s := range r.seen {
		if !s {
			r.notes = append(r.notes, Note{Code: NoteColumnAbsent,
				Message: fmt.Sprintf("no record has a value at %q; check the path in the mapping", r.options.Columns[i])})
		}
	}
}

func (r *reader) readNext(ctx context.Context, rec *Record) error {
	if r.now.columnar != nil {
		return r.now.columnar.next(ctx, rec)
	}
	return r.read(rec)
}

// read fills rec from the current input, or returns io.EOF at its end.
func (r *reader) read(rec *Record) error {
	f := r.now
	for {
		line, at, quoted, err := f.nextLine()
		at.File = f.name
		rec.Position, rec.Values, rec.Fault = at, rec.Values[:0], nil
		switch {
		case errors.Is(err, errTooLarge):
			rec.Fault, rec.Digest = tooLarge(r.options.MaxRecord), [16]byte{}
			return nil
		case errors.Is(err, io.EOF):
			return io.EOF
		case err != nil:
			return f.streamFault(err)
		case len(line) == 0:
			continue
		}
		if r.options.NeedDigest {
			full := sha256.Sum256(line)
			copy(rec.Digest[:], full[:])
		}
		return r.project(rec, line, quoted)
	}
}

func (r *reader) project(rec *Record, line []byte, quoted bool) error {
	f := r.now
	values := rec.Values
	if f.jsonl != nil {
		text, ok := f.jsonl.utf8Line(line)
		if !ok && r.options.Encoding == UTF8 {
			return notUTF8(f.name, rec.Position.Line)
		}
		if !ok {
			rec.Fault = malformed("it has a byte that its encoding does not define", "check `encoding`")
			return nil
		}
		values, rec.Fault = f.jsonl.project(values, text)
	} else {
		if f.table.decode == nil && !utf8.Valid(line) {
			return notUTF8(f.name, rec.Position.Line)
		}
		values, rec.Fault = f.table.project(values, line, quoted)
	}
	rec.Values = values
	if rec.Fault != nil {
		rec.Values = values[:0]
	}
	return nil
}

func interrupted(err error) *fault.Error {
	return fault.New(fault.Cancelled, "reading was interrupted").Wrap(err)
}

// Digest implements Reader.
func (r *reader) Digest() (d [32]byte) {
	r.sum.Sum(d[:0])
	return d
}

// Progress implements Reader.
func (r *reader) Progress() Progress {
	begun := int(r.begun.Load())
	p := Progress{Bytes: r.bytes.Load(), Total: r.total, Records: r.records.Load(), Files: begun, FilesTotal: len(r.inputs)}
	if begun > 0 {
		p.File = r.inputs[begun-1].name
	}
	return p
}

// Notes implements Reader.
func (r *reader) Notes() []Note { return slices.Clone(r.notes) }

// Close implements Reader.
func (r *reader) Close() error {
	if r.now != nil {
		r.now.close()
	}
	if r.ended == nil {
		r.ended = fault.New(fault.Internal, "the reader is closed")
	}
	return nil
}
