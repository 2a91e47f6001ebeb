// Package source reads business records: CSV and its relatives and JSON lines, plain
// or compressed with gzip or zstd, Parquet files, PostgreSQL queries, and programs
// that print JSON lines.
//
// A reader yields every record of its inputs once, in order, and holds one record,
// page or batch in memory at a time: its memory does not grow with the input. It never
// guesses over a fault. What it can't read faithfully is an error that names the
// input and the line; a fault that is confined to one record is reported as that
// record's, and reading goes on.
//
// Limits: a CSV file needs a header line; a text is UTF-8, Windows-1252 or
// Latin-1; a Parquet file can't come from a pipe; what a program printed is known to
// be complete only at its end; a read that blocks (a pipe nobody writes to) can't be interrupted by
// the context.
package source

import "context"

// Position is where a record came from. Line is 1-based and counts physical
// lines; for a CSV record with quoted newlines it is the line the record starts on.
type Position struct {
	File   string
	Line   int64
	Offset int64 // bytes into the decompressed stream
}

// Record is one input record, projected on the columns that were asked for.
type Record struct {
	Position Position
	// Values holds one value per column of Options.Columns, "" when absent. The
	// strings stay valid after the next call; the slice is used again.
	Values []string
	// Digest identifies the record by content when no id column exists: SHA-256
	// of the raw record bytes without the line end, first 16 bytes. It is zero
	// unless Options.NeedDigest is set.
	Digest [16]byte
	// Fault is set when this one record can't be read (a line over the limit) and
	// the reader can go on; Values is then empty.
	Fault *RecordFault
}

// RecordFault says why a single record was not read.
type RecordFault struct {
	Code    string // row_too_large, row_malformed
	Message string
	Hint    string
}

// Codes of a RecordFault.
const (
	RowTooLarge  = "row_too_large"
	RowMalformed = "row_malformed"
)

// Reader yields records. Next fills r and returns io.EOF after the last record;
// any other error is a *fault.Error and ends the reading. Inputs without a single
// record end in a SourceEmpty fault instead of io.EOF.
type Reader interface {
	Next(ctx context.Context, r *Record) error
	// Digest is the SHA-256 over all input bytes read, as they are stored (still
	// compressed), one input after the other; valid after io.EOF.
	Digest() [32]byte
	// Progress says how much of the input has been read. It may be called while
	// another goroutine is in Next.
	Progress() Progress
	// Notes lists what a person should know about the inputs beside their
	// records: files that were left out, and, after io.EOF, columns that no JSON
	// record had.
	Notes() []Note
	Close() error
}

// Progress counts compressed input bytes, so that a ratio to Total is honest.
// Total is 0 when unknown (standard input).
type Progress struct {
	Bytes, Total int64
	Records      int64
	File         string
	Files        int // files begun, the current one included
	FilesTotal   int
}

// Note is a remark about an input. Code is stable.
type Note struct {
	Code    string `json:"code"`
	File    string `json:"file"`
	Message string `json:"message"`
}

// Codes of a Note.
const (
	NoteHidden       = "hidden_file"   // starts with a dot
	NotePartial      = "partial_file"  // an upload that is not finished
	NoteForeign      = "foreign_file"  // not a format that is read here
	NoteEmpty        = "empty_file"    // no byte in it
	NoteListedTwice  = "listed_twice"  // the same file by two of the inputs
	NoteColumnAbsent = "column_absent" // no JSON record had this column
	NoteNotUTF8      = "not_utf8"      // found by Inspect in its sample
	NoteFallback     = "single_column" // no delimiter was found
)
