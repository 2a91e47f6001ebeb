package source

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"sync/atomic"

	"sluice/internal/fault"
	"sluice/internal/suggest"
)

// sampleRows bound what Inspect returns, sampleBytes what it reads for it.
const (
	sampleRows  = 1000
	sampleBytes = firstBuffer
)

// Inspection is what a look at the beginning of the inputs tells.
type Inspection struct {
	Format    Format
	Delimiter byte // 0 for JSON lines
	Quote     byte // 0 for JSON lines
	// Encoding is what was asked for, or Windows1252 when the sample is not UTF-8.
	Encoding Encoding
	// Header holds the column names; for JSON lines the paths that the sample has.
	Header []string
	Files  []string
	Bytes  int64 // stored size of all files, 0 when unknown
	// Sample holds the first records of the first input, in the order of Header.
	Sample [][]string
	Notes  []Note
}

// Inspect looks at the beginning of the first input: its form, its columns and
// up to a thousand records. Records that can't be read are left out. A file whose
// first line holds values instead of names is a SourceInvalid fault.
func Inspect(ctx context.Context, inputs []string, options Options) (*Inspection, error) {
	o, err := options.checked()
	if err != nil {
		return nil, err
	}
	list, notes, err := resolve(inputs)
	if err != nil {
		return nil, err
	}
	i := &Inspection{Notes: notes, Encoding: o.Encoding}
	for _, in := range list {
		i.Files = append(i.Files, in.name)
		i.Bytes += in.size
	}
	first, err := open(list[0], o, sha256.New(), new(atomic.Int64))
	if e, ok := fault.As(err); ok && e.Code == fault.SourceInvalid && o.Encoding == UTF8 && list[0].regular {
		// The header itself may be what is not UTF-8.
		retry := o
		retry.Encoding = Windows1252
		if f, again := open(list[0], retry, sha256.New(), new(atomic.Int64)); again == nil {
			first, err, o = f, nil, retry
		}
	}
	if err != nil {
		return nil, err
	}
	defer first.close()
	if o.Encoding == UTF8 && !first.utf8 {
		o.Encoding = Windows1252
		if first.table != nil {
			first.table.decode = decodeTable(o.Encoding)
		} else {
			first.jsonl = newObjects(o)
		}
	}
	if i.Encoding != o.Encoding {
		i.Encoding = o.Encoding
		i.Notes = append(i.Notes, Note{Code: NoteNotUTF8, File: first.name, Message: "the text is not UTF-8; windows-1252 is assumed"})
	}
	i.Format = first.format
	if first.columnar != nil {
		return i, i.sampleColumns(ctx, first)
	}
	if first.table == nil {
		return i, i.sampleObjects(ctx, first)
	}
	if suggest.LooksLikeRow(first.table.header) {
		return nil, headerless(first.name, len(first.table.header))
	}
	i.Delimiter, i.Quote, i.Header = first.table.dialect.Delimiter, first.table.dialect.Quote, first.table.header
	if !first.found {
		i.Notes = append(i.Notes, Note{Code: NoteFallback, File: first.name, Message: "no delimiter was found; the file is read as one column"})
	}
	if err := i.sampleTable(ctx, first); err != nil {
		return nil, err
	}
	if repeatsInSample(i.Header, i.Sample) {
		return nil, headerless(first.name, len(i.Header))
	}
	return i, nil
}

func (i *Inspection) sampleColumns(ctx context.Context, f *file) error {
	i.Header = f.table.header
	all := make([]int, len(i.Header))
	for c := range all {
		all[c] = c
	}
	f.columnar.choose(all)
	var rec Record
	for range sampleRows {
		err := f.columnar.next(ctx, &rec)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if rec.Fault == nil {
			i.Sample = append(i.Sample, slices.Clone(rec.Values))
		}
	}
	return nil
}

func (i *Inspection) sampleTable(ctx context.Context, f *file) error {
	f.table.wanted = make([]int, len(i.Header))
	for c := range f.table.wanted {
		f.table.wanted[c] = c
	}
	return f.sample(ctx, func(line []byte, quoted bool) {
		if row, bad := f.table.project(nil, line, quoted); bad == nil {
			i.Sample = append(i.Sample, row)
		}
	})
}

func (i *Inspection) sampleObjects(ctx context.Context, f *file) error {
	f.jsonl.all = true
	err := f.sample(ctx, func(line []byte, _ bool) {
		text, ok := f.jsonl.utf8Line(line)
		if !ok {
			return
		}
		if row, bad := f.jsonl.project(nil, text); bad == nil {
			i.Sample = append(i.Sample, row)
		}
	})
	i.Header = f.jsonl.order
	// Early records do not know the paths that later ones brought.
	for r, row := range i.Sample {
		i.Sample[r] = append(row, make([]string, len(i.Header)-len(row))...)
	}
	return err
}

// sample hands out the records of the beginning of a file.
func (f *file) sample(ctx context.Context, each func(line []byte, quoted bool)) error {
	for range sampleRows {
		if err := ctx.Err(); err != nil {
			return interrupted(err)
		}
		line, at, quoted, err := f.nextLine()
		switch {
		case errors.Is(err, io.EOF) || at.Offset > sampleBytes:
			return nil
		case errors.Is(err, errTooLarge):
			continue
		case err != nil:
			return f.streamFault(err)
		}
		if len(line) > 0 {
			each(line, quoted)
		}
	}
	return nil
}
