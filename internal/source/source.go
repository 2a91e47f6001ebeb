// Package source reads business records from files and streams.
//
// A reader yields every record of its inputs once, in order, and holds one
// record in memory at a time. It never guesses over a fault: what it can't read
// faithfully is an error that names the input and the line.
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
	// strings stay valid after the next call.
	Values []string
	// Digest identifies the record by content when no id column exists: SHA-256
	// of the raw record bytes, first 16 bytes.
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

// Reader yields records. Next fills r and returns io.EOF after the last record;
// any other error is a *fault.Error and ends the reading.
type Reader interface {
	Next(ctx context.Context, r *Record) error
	// Digest is the SHA-256 over all input bytes read; valid after io.EOF.
	Digest() [32]byte
	// Progress says how much of the input has been read.
	Progress() Progress
	Close() error
}

// Progress counts compressed input bytes, so that a ratio to Total is honest.
// Total is 0 when unknown (standard input).
type Progress struct {
	Bytes, Total int64
	Records      int64
	File         string
	Files        int
	FilesTotal   int
}
