package writeback

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"sluice/internal/extsort"
	"sluice/internal/fault"
	"sluice/internal/mapping"
	"sluice/internal/source"
)

// chunkRows is how many source rows travel together between goroutines.
const chunkRows = 512

// read turns the source into chunks of records for the workers. Rows that form
// one order may lie anywhere in the input: they are brought together by an
// external sort on the record id, as are identical rows when nothing else
// identifies them.
func (p *planner) read(ctx context.Context, emit func(work) error) error {
	c := chunker{emit: emit, only: p.only}
	byContent := p.mapping.NeedsDigest()
	if !p.mapping.Grouped() && !byContent {
		err := p.rows(ctx, func(row mapping.Row) error { return c.add([]mapping.Row{row}) }, c.fault)
		return errors.Join(err, c.flush(err))
	}
	sorter := extsort.New(p.tempDir, 0)
	defer func() { _ = sorter.Close() }()
	mapper := mapping.NewMapper(p.mapping)
	files := newInterner()
	var seq uint64
	var rec []byte
	err := p.rows(ctx, func(row mapping.Row) error {
		if byContent {
			rec = append(rec[:0], row.Digest[:]...)
		} else {
			rec = groupKey(rec[:0], mapper.Key(row.Values), seq)
		}
		rec = appendRow(binary.BigEndian.AppendUint64(rec, seq), files.of(row.File), row)
		seq++
		return sorter.Add(rec)
	}, c.fault)
	if err != nil {
		return err
	}
	if byContent {
		err = number(ctx, sorter, files, c.add)
	} else {
		err = regroup(ctx, sorter, files, c.add)
	}
	return errors.Join(err, c.flush(err))
}

// rows reads every record once.
func (p *planner) rows(ctx context.Context, row func(mapping.Row) error, bad func(item) error) error {
	var rec source.Record
	arena := valueArena{columns: len(p.mapping.Columns())}
	for {
		rec.Fault = nil
		err := p.reader.Next(ctx, &rec)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if rec.Fault != nil {
			it := item{file: rec.Position.File, line: rec.Position.Line, lines: 1}
			it.refuse("read", rec.Fault.Code, "", "", rec.Fault.Message+"; "+rec.Fault.Hint, "")
			if err := bad(it); err != nil {
				return err
			}
			continue
		}
		if err := row(mapping.Row{File: rec.Position.File, Line: rec.Position.Line, Values: arena.copy(rec.Values), Digest: rec.Digest}); err != nil {
			return err
		}
	}
}

// valueArena hands out slices for the values of rows, many at a time.
type valueArena struct {
	columns int
	free    []string
}

func (a *valueArena) copy(values []string) []string {
	if len(a.free) < len(values) {
		a.free = make([]string, max(chunkRows*a.columns, len(values)))
	}
	out := a.free[:len(values):len(values)]
	a.free = a.free[len(values):]
	copy(out, values)
	return out
}

// maxGroup bounds the rows of one order, and so the memory a wrong id can cost.
const maxGroup = 20_000

// chunker collects records until a chunk is full.
type chunker struct {
	emit func(work) error
	only map[Place]bool // of a re-drive; nil: every record
	seq  uint64
	rows int
	work work
}

func (c *chunker) add(group []mapping.Row) error {
	if c.only != nil && !slices.ContainsFunc(group, func(r mapping.Row) bool { return c.only[Place{r.File, r.Line}] }) {
		return nil
	}
	c.work.groups = append(c.work.groups, group)
	if c.rows += len(group); c.rows < chunkRows {
		return nil
	}
	return c.flush(nil)
}

func (c *chunker) flush(err error) error {
	if err != nil || len(c.work.groups) == 0 {
		return nil
	}
	w := c.work
	w.seq = c.seq
	c.seq++
	c.work, c.rows = work{groups: make([][]mapping.Row, 0, chunkRows)}, 0
	return c.emit(w)
}

// fault passes a record that could not be read, in its place.
func (c *chunker) fault(it item) error {
	if c.only != nil && !c.only[Place{it.file, it.line}] {
		return nil
	}
	if err := c.flush(nil); err != nil {
		return err
	}
	w := work{seq: c.seq, fault: &it}
	c.seq++
	return c.emit(w)
}

// groupKey is the sort key of a row: the digest of its record id. A row without a
// complete id is alone.
func groupKey(dst []byte, key string, seq uint64) []byte {
	if key == "" {
		dst = append(dst, make([]byte, 8)...)
		return binary.BigEndian.AppendUint64(dst, seq)
	}
	sum := sha256.Sum256([]byte(key))
	return append(dst, sum[:16]...)
}

func appendRow(b []byte, file int, row mapping.Row) []byte {
	b = binary.AppendUvarint(b, uint64(file))
	b = binary.AppendVarint(b, row.Line)
	b = append(b, row.Digest[:]...)
	b = binary.AppendUvarint(b, uint64(len(row.Values)))
	for _, v := range row.Values {
		b = appendText(b, v)
	}
	return b
}

func decodeRow(b []byte, files *interner) (mapping.Row, error) {
	var row mapping.Row
	file, w := binary.Uvarint(b)
	if w <= 0 {
		return row, errIndex
	}
	b = b[w:]
	line, w := binary.Varint(b)
	if w <= 0 || len(b) < w+len(row.Digest) {
		return row, errIndex
	}
	row.File, row.Line = files.names[file], line
	copy(row.Digest[:], b[w:])
	b = b[w+len(row.Digest):]
	n, w := binary.Uvarint(b)
	if w <= 0 {
		return row, errIndex
	}
	text := string(b[w:]) // one allocation holds every value of the row
	row.Values = make([]string, n)
	for i := range row.Values {
		size, w := binary.Uvarint([]byte(text[:min(len(text), binary.MaxVarintLen32)]))
		if w <= 0 || uint64(len(text)-w) < size {
			return row, errIndex
		}
		row.Values[i], text = text[w:w+int(size)], text[w+int(size):]
	}
	return row, nil
}

// number yields rows that have no id but their content: identical ones are told
// apart by how many came before, which overlapping exports agree on.
func number(ctx context.Context, sorter *extsort.Sorter, files *interner, emit func([]mapping.Row) error) error {
	var last [16]byte
	ordinal := -1
	return sorter.Each(func(rec []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		row, err := decodeRow(rec[24:], files)
		if err != nil {
			return err
		}
		if ordinal++; row.Digest != last {
			last, ordinal = row.Digest, 0
		}
		row.Ordinal = ordinal
		return emit([]mapping.Row{row})
	})
}

// regroup yields the rows of each record together, in their order of appearance.
func regroup(ctx context.Context, sorter *extsort.Sorter, files *interner, emit func([]mapping.Row) error) error {
	var key [16]byte
	var group []mapping.Row
	err := sorter.Each(func(rec []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		row, err := decodeRow(rec[24:], files)
		if err != nil {
			return err
		}
		if len(group) > 0 && [16]byte(rec[:16]) != key {
			if err := emit(group); err != nil {
				return err
			}
			group = nil
		}
		copy(key[:], rec)
		if group = append(group, row); len(group) > maxGroup {
			return fault.New(fault.MappingInvalid, "more than %d rows share one record id (%s:%d)", maxGroup, row.File, row.Line).
				WithFix("add the columns to `id:` that tell one sale from another")
		}
		return nil
	})
	if err != nil || len(group) == 0 {
		return err
	}
	return emit(group)
}

// interner numbers strings in order of appearance.
type interner struct {
	index map[string]int
	names []string
}

func newInterner() *interner { return &interner{index: map[string]int{}} }

func (n *interner) of(s string) int {
	if i, ok := n.index[s]; ok {
		return i
	}
	n.index[s] = len(n.names)
	n.names = append(n.names, s)
	return len(n.names) - 1
}
