package source

import (
	"io"

	"sluice/internal/fault"
)

// Format is how records are written.
type Format string

// The formats. Auto looks at the content: a first line that starts with "{" is
// JSON lines, everything else is delimited text.
const (
	Auto    Format = "auto"
	CSV     Format = "csv"
	TSV     Format = "tsv"
	JSONL   Format = "jsonl"
	Parquet Format = "parquet" // a file; it can't come from a pipe
)

// Encoding is how text is written as bytes.
type Encoding string

// The encodings. The single-byte ones are read only when asked for: every byte
// sequence is valid Latin-1, so that it can't be detected.
const (
	UTF8        Encoding = "utf-8"
	Windows1252 Encoding = "windows-1252"
	Latin1      Encoding = "latin-1"
)

// DefaultMaxRecord bounds one record, in bytes.
const DefaultMaxRecord = 1 << 20

// Options say how to read. The zero value detects what can be detected and
// yields records without values.
type Options struct {
	// Columns are the columns to read, in the order of Record.Values. For JSON
	// lines a column is a path of member names joined by dots.
	Columns []string
	Format  Format // "" is Auto
	// Delimiter and Quote are single ASCII characters; 0 detects them, per file.
	Delimiter, Quote byte
	Encoding         Encoding // "" is UTF8
	// Stdin is what the input "-" reads.
	Stdin io.Reader
	// MaxRecord bounds one record in bytes; 0 is DefaultMaxRecord.
	MaxRecord int
	// NeedDigest asks for Record.Digest, which costs about a tenth of the speed.
	NeedDigest bool

	stdinName string // how the standard input is called; "-" when empty
}

// checked returns the options with defaults filled in.
func (o Options) checked() (Options, error) {
	if o.MaxRecord == 0 {
		o.MaxRecord = DefaultMaxRecord
	}
	if o.MaxRecord < 0 {
		return o, fault.New(fault.Usage, "the record limit %d is negative", o.MaxRecord)
	}
	switch o.Format {
	case "":
		o.Format = Auto
	case Auto, CSV, TSV, JSONL, Parquet:
	default:
		return o, fault.New(fault.Usage, "format %q is not known", o.Format).
			WithFix("use auto, csv, tsv, jsonl or parquet")
	}
	switch o.Encoding {
	case "":
		o.Encoding = UTF8
	case UTF8, Windows1252, Latin1:
	default:
		return o, fault.New(fault.Usage, "encoding %q is not known", o.Encoding).
			WithFix("use utf-8, windows-1252 or latin-1")
	}
	for _, c := range []struct {
		name string
		char byte
	}{{"delimiter", o.Delimiter}, {"quote", o.Quote}} {
		if c.char >= 0x80 || c.char == '\n' || c.char == '\r' {
			return o, fault.New(fault.Usage, "the %s is not one ASCII character of a line", c.name)
		}
	}
	if o.Delimiter != 0 && o.Delimiter == o.Quote {
		return o, fault.New(fault.Usage, "delimiter and quote are the same character")
	}
	seen := make(map[string]bool, len(o.Columns))
	for _, c := range o.Columns {
		if c == "" || seen[c] {
			return o, fault.New(fault.Usage, "column %q is empty or asked for twice", c)
		}
		seen[c] = true
	}
	return o, nil
}
