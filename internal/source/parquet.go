package source

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/fault"
)

var parquetMagic = []byte("PAR1")

// parquetBatch is how many rows of every column are decoded at once.
const parquetBatch = 1024

// columnar reads a Parquet file row by row: only the columns that were asked for
// are decoded, a page of each is in memory at a time. A row is identified by its
// number in the file.
type columnar struct {
	name   string
	file   *os.File
	info   os.FileInfo
	rows   *parquet.File
	leaves []leaf // single-valued columns, in the order of the schema
	lists  []string
	max    int

	columns []column // that are read; those of Record.Values come first
	wanted  int
	digest  bool
	group   int
	left    int64 // rows of the current row group that were not decoded yet
	at, n   int   // in the batch
	row     int64
	scratch []byte

	bytes *atomic.Int64
}

// leaf is one column that holds at most one value a row.
type leaf struct {
	name   string
	index  int
	format func([]byte, parquet.Value) []byte
}

// column is a leaf that is being read.
type column struct {
	leaf
	values parquet.ColumnChunkValueReader
	buffer []parquet.Value
	texts  []string
	large  []bool // values over the limit
}

// isParquet looks at the first bytes of a regular file.
func isParquet(in input, o Options) bool {
	if !in.regular || o.Format != Auto && o.Format != Parquet {
		return false
	}
	f, err := os.Open(in.name)
	if err != nil {
		return false // said where it is opened to be read
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, len(parquetMagic))
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == string(parquetMagic)
}

// openParquet opens a file and reads its schema. sum sees its bytes, which costs one
// pass over the file, for a reader of columns never sees them in order; nil saves it.
func openParquet(in input, o Options, sum hash.Hash, count *atomic.Int64) (f *file, err error) {
	handle, err := os.Open(in.name)
	if err != nil {
		return nil, unavailable(in.name, err)
	}
	c := &columnar{name: in.name, file: handle, max: o.MaxRecord, digest: o.NeedDigest, bytes: count}
	defer func() {
		if p := recover(); p != nil {
			err = damagedParquet(in.name)
		}
		if err != nil {
			_ = handle.Close()
		}
	}()
	if c.info, err = handle.Stat(); err != nil {
		return nil, unavailable(in.name, err)
	}
	if sum != nil {
		if _, err := io.Copy(sum, handle); err != nil {
			return nil, fault.New(fault.SourceUnavailable, "%s can't be read", in.name).With("file", in.name).Wrap(err)
		}
	}
	if c.rows, err = parquet.OpenFile(handle, c.info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true)); err != nil {
		return nil, damagedParquet(in.name)
	}
	c.schema()
	t := &table{}
	for _, l := range c.leaves {
		t.header = append(t.header, l.name)
	}
	return &file{name: in.name, raw: handle, free: func() {}, format: Parquet, utf8: true, found: true, table: t, columnar: c}, nil
}

// schema lists the columns that hold one value a row; lists and maps can't be
// mapped and are kept by name, to be told apart from what is not there.
func (c *columnar) schema() {
	schema := c.rows.Schema()
	for _, path := range schema.Columns() {
		l, ok := schema.Lookup(path...)
		if !ok {
			continue
		}
		name := strings.Join(path, ".")
		if l.MaxRepetitionLevel > 0 {
			c.lists = append(c.lists, path[0])
			continue
		}
		c.leaves = append(c.leaves, leaf{name: name, index: l.ColumnIndex, format: formatOf(l.Node.Type())})
	}
}

// refuseLists names mapped columns that hold lists.
func (c *columnar) refuseLists(columns []string) error {
	for _, name := range columns {
		first, _, _ := strings.Cut(name, ".")
		if slices.Contains(c.lists, first) && !slices.ContainsFunc(c.leaves, func(l leaf) bool { return l.name == name }) {
			return fault.New(fault.MappingInvalid, "%s: column %q holds lists", c.name, name).
				WithFix("write one row per item at the source, or map another column").With("file", c.name)
		}
	}
	return nil
}

// choose sets the columns to read: those wanted, and for a digest all others.
func (c *columnar) choose(wanted []int) {
	c.columns, c.wanted = c.columns[:0], len(wanted)
	for _, i := range wanted {
		c.columns = append(c.columns, column{leaf: c.leaves[i]})
	}
	if !c.digest {
		return
	}
	for i := range c.leaves {
		if !slices.Contains(wanted, i) {
			c.columns = append(c.columns, column{leaf: c.leaves[i]})
		}
	}
}

// next fills rec with the next row, or returns io.EOF.
func (c *columnar) next(ctx context.Context, rec *Record) (err error) {
	defer func() {
		// The library panics on some damaged files.
		if p := recover(); p != nil {
			err = damagedParquet(c.name)
		}
	}()
	if c.at == c.n {
		if err := c.load(ctx); err != nil {
			return err
		}
	}
	c.row++
	rec.Position, rec.Values, rec.Fault = Position{File: c.name, Line: c.row}, rec.Values[:0], nil
	for i := range c.columns {
		if c.columns[i].large[c.at] {
			rec.Fault, rec.Digest = tooLarge(c.max), [16]byte{}
			c.at++
			return nil
		}
	}
	for i := range c.columns[:c.wanted] {
		rec.Values = append(rec.Values, c.columns[i].texts[c.at])
	}
	if c.digest {
		rec.Digest = c.sum()
	}
	c.at++
	return nil
}

// sum identifies the row by the values of all its columns, in the order of their names.
func (c *columnar) sum() (d [16]byte) {
	order := make([]int, len(c.columns))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(c.columns[a].name, c.columns[b].name) })
	c.scratch = c.scratch[:0]
	for _, i := range order {
		for _, s := range []string{c.columns[i].name, c.columns[i].texts[c.at]} {
			c.scratch = binary.AppendUvarint(c.scratch, uint64(len(s)))
			c.scratch = append(c.scratch, s...)
		}
	}
	full := sha256.Sum256(c.scratch)
	copy(d[:], full[:])
	return d
}

// load decodes the next rows of every column.
func (c *columnar) load(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return interrupted(err)
	}
	groups := c.rows.RowGroups()
	for c.left == 0 {
		c.closeColumns()
		if c.group == len(groups) {
			return c.finish()
		}
		g := groups[c.group]
		c.group++
		c.left = g.NumRows()
		chunks := g.ColumnChunks()
		for i := range c.columns {
			c.columns[i].values = parquet.NewColumnChunkValueReader(chunks[c.columns[i].index])
		}
	}
	c.at, c.n = 0, int(min(c.left, parquetBatch))
	for i := range c.columns {
		if err := c.columns[i].read(c.n, c.max); err != nil {
			return damagedParquet(c.name)
		}
	}
	c.left -= int64(c.n)
	if total := c.rows.NumRows(); total > 0 && c.bytes != nil {
		c.bytes.Add(c.info.Size() * int64(c.n) / total)
	}
	return nil
}

// read decodes n values as texts that share one allocation.
func (col *column) read(n, limit int) error {
	if cap(col.buffer) < n {
		col.buffer = make([]parquet.Value, n)
	}
	got := 0
	for got < n {
		m, err := col.values.ReadValues(col.buffer[got:n])
		got += m
		if err != nil && (got < n || !errors.Is(err, io.EOF)) {
			return fmt.Errorf("column %s: %w", col.name, err)
		}
		if m == 0 && err == nil {
			return io.ErrNoProgress
		}
	}
	var scratch []byte
	ends := make([]int, n)
	col.large = slices.Grow(col.large[:0], n)[:n]
	for i, v := range col.buffer[:n] {
		col.large[i] = false
		switch {
		case v.IsNull():
		case v.Kind() == parquet.ByteArray && len(v.ByteArray()) > limit:
			col.large[i] = true
		default:
			scratch = col.format(scratch, v)
		}
		ends[i] = len(scratch)
	}
	text := string(scratch)
	col.texts = col.texts[:0]
	from := 0
	for _, end := range ends {
		col.texts = append(col.texts, text[from:end])
		from = end
	}
	return nil
}

// finish notices a file that was written to while it was read.
func (c *columnar) finish() error {
	now, err := os.Stat(c.name)
	if err != nil || now.Size() != c.info.Size() || !now.ModTime().Equal(c.info.ModTime()) {
		return fault.New(fault.SourceInvalid, "%s was changed while it was read", c.name).
			WithFix("read it again once it is complete").With("file", c.name)
	}
	return io.EOF
}

func (c *columnar) closeColumns() {
	for i := range c.columns {
		if v := c.columns[i].values; v != nil {
			_ = v.Close()
			c.columns[i].values = nil
		}
	}
}

func damagedParquet(name string) error {
	return fault.New(fault.SourceInvalid, "%s is not a complete Parquet file that can be read", name).
		WithFix("write it again; an upload that was cut off has no footer").With("file", name)
}
