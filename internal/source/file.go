package source

import (
	"bytes"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"sluice/internal/fault"
)

var byteOrderMark = []byte("\xef\xbb\xbf")

// file is one opened input, ready to yield its first record.
type file struct {
	name   string
	raw    io.Closer
	free   func()
	tally  *tally
	lines  *lines
	format Format
	// head is the beginning of the decompressed text, for looking at; whole tells
	// that it is all of it. They hold only until the first line is read.
	head  []byte
	whole bool
	utf8  bool     // head is valid UTF-8
	table *table   // of a delimited file
	jsonl *objects // of JSON lines
	found bool     // a delimiter was found or given
	// columnar reads a Parquet file; lines, tally and head are nil then.
	columnar *columnar
}

// open opens an input and reads its header. sum and count see its stored bytes.
func open(in input, o Options, sum hash.Hash, count *atomic.Int64) (f *file, err error) {
	if isParquet(in, o) {
		return openParquet(in, o, sum, count)
	}
	if o.Format == Parquet {
		return nil, fault.New(fault.SourceInvalid, "%s is not a Parquet file", in.name).
			WithFix("leave `source.format` out, or name a .parquet file; it can't come from a pipe").With("file", in.name)
	}
	f = &file{name: in.name, raw: io.NopCloser(nil), free: func() {}}
	opened := f // a failing return sets f to nil
	defer func() {
		if err != nil {
			opened.close()
		}
	}()
	stored := o.Stdin
	if in.name == stdinName && o.stdinName != "" {
		f.name = o.stdinName
	}
	if in.name != stdinName {
		handle, err := os.Open(in.name)
		if err != nil {
			return nil, unavailable(in.name, err)
		}
		f.raw, stored = handle, handle
	} else if stored == nil {
		return nil, fault.New(fault.SourceUnavailable, "there is no standard input to read")
	}
	f.tally = &tally{in: stored, hash: sum, bytes: count}
	text, free, err := unpack(f.name, f.tally)
	if err != nil {
		return nil, err
	}
	f.free = free
	f.lines = newLines(text, o.MaxRecord)
	if err := f.look(o); err != nil {
		return nil, err
	}
	return f, f.begin(o)
}

// look takes the head of the file and decides its format.
func (f *file) look(o Options) error {
	head := f.lines.peek()
	if f.lines.ended != nil && !errors.Is(f.lines.ended, io.EOF) {
		return readFault(f.name, f.tally, f.lines.ended)
	}
	if bytes.HasPrefix(head, byteOrderMark) {
		f.lines.skip(len(byteOrderMark))
		head = head[len(byteOrderMark):]
	}
	f.head, f.whole = head, f.lines.ended != nil && len(head) < firstBuffer
	f.utf8 = validHead(head, f.whole)
	if err := refuseForeign(f.name, head); err != nil {
		return err
	}
	if len(bytes.TrimSpace(head)) == 0 && f.whole {
		return fault.New(fault.SourceEmpty, "%s is empty", f.name).With("file", f.name)
	}
	if isJSONArray(head) {
		return jsonArray(f.name)
	}
	f.format = o.Format
	if o.Format == Auto {
		f.format = detect(f.name, head)
	}
	return nil
}

// detect tells a format by content, and by name where the content leaves it open.
func detect(name string, head []byte) Format {
	if looksLikeJSON(head) {
		return JSONL
	}
	base := strings.ToLower(name)
	switch filepath.Ext(strings.TrimSuffix(strings.TrimSuffix(base, ".gz"), ".zst")) {
	case ".tsv":
		return TSV
	case ".jsonl", ".ndjson":
		return JSONL
	}
	return CSV
}

// begin prepares the reader of records.
func (f *file) begin(o Options) error {
	if f.format == JSONL {
		f.jsonl = newObjects(o)
		return nil
	}
	d, found := sniff(f.head, f.whole, o)
	f.found = found
	f.table = &table{dialect: d, decode: decodeTable(o.Encoding)}
	return f.readHeader(o)
}

func (f *file) readHeader(o Options) error {
	rec, at, quoted, err := f.nextLine()
	for err == nil && len(rec) == 0 {
		rec, at, quoted, err = f.nextLine()
	}
	if err != nil {
		return f.headerFault(err)
	}
	if bytes.IndexByte(rec, '\r') >= 0 && !quoted {
		return fault.New(fault.SourceInvalid, "%s ends its lines with carriage returns alone", f.name).
			WithFix("save it with line feeds, for example with `tr '\\r' '\\n'`").With("file", f.name)
	}
	if o.Encoding == UTF8 && !utf8.Valid(rec) {
		return notUTF8(f.name, at.Line)
	}
	t := f.table
	fields, ok := split(nil, rec, t.dialect.Delimiter, t.dialect.Quote, quoted)
	if !ok {
		return fault.New(fault.SourceInvalid, "%s:%d: the header has text after a closing quote", f.name, at.Line).With("file", f.name)
	}
	for _, fd := range fields {
		text := appendField(nil, rec, fd, t.dialect.Quote)
		if t.decode != nil {
			if text, ok = appendText(nil, text, t.decode); !ok {
				return fault.New(fault.SourceInvalid, "%s:%d: the header has a byte that %s does not define", f.name, at.Line, o.Encoding).
					WithFix("check `encoding`").With("file", f.name)
			}
		}
		t.header = append(t.header, strings.TrimSpace(string(text)))
	}
	return nil
}

// headerFault types what stopped the first line from being read.
func (f *file) headerFault(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return fault.New(fault.SourceEmpty, "%s is empty", f.name).With("file", f.name)
	case errors.Is(err, errTooLarge):
		return fault.New(fault.SourceInvalid, "%s:1: the header is longer than %d bytes", f.name, f.lines.limit).
			WithFix("check that the file is a delimited text with line ends").With("file", f.name)
	}
	return f.streamFault(err)
}

// nextLine is the next record's bytes with the file's quoting.
func (f *file) nextLine() ([]byte, Position, bool, error) {
	if f.table == nil {
		return f.lines.next(0, noQuote)
	}
	return f.lines.next(f.table.dialect.Delimiter, f.table.dialect.Quote)
}

// streamFault types an error of lines.next that ends the reading.
func (f *file) streamFault(err error) error {
	if errors.Is(err, errOpenQuote) {
		return fault.New(fault.SourceInvalid, "%s:%d: a quote opens here and does not close", f.name, f.lines.quoteLine).
			WithFix("double or remove that quote, or set `quote` to the character that encloses fields").
			With("file", f.name).With("line", f.lines.quoteLine)
	}
	return readFault(f.name, f.tally, err)
}

func notUTF8(name string, line int64) *fault.Error {
	return fault.New(fault.SourceInvalid, "%s:%d: the text is not UTF-8", name, line).
		WithFix("set `encoding: windows-1252` under `source:` in the mapping (or latin-1), or save the file as UTF-8").
		With("file", name).With("line", line)
}

// close frees the decoder and the handle. It may be called more than once.
func (f *file) close() {
	f.free()
	f.free = func() {}
	_ = f.raw.Close()
	f.raw = io.NopCloser(nil)
}

// tooLarge is the fault of a record over the limit.
func tooLarge(limit int) *RecordFault {
	return &RecordFault{
		Code:    RowTooLarge,
		Message: fmt.Sprintf("the record is longer than %d bytes", limit),
		Hint:    "look for a missing line end or quote near this line",
	}
}
