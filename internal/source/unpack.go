package source

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"sluice/internal/fault"
)

// maxWindow bounds the memory that a zstd stream may ask for. It is what zstd's
// own command accepts without --long.
const maxWindow = 128 << 20

// tally counts and hashes the stored bytes of an input as they are read.
type tally struct {
	in    io.Reader
	hash  hash.Hash
	bytes *atomic.Int64
	// failed is the error of the input itself, as opposed to its decoder's.
	failed error
}

func (t *tally) Read(p []byte) (int, error) {
	n, err := t.in.Read(p)
	t.hash.Write(p[:n])
	t.bytes.Add(int64(n))
	if err != nil && !errors.Is(err, io.EOF) {
		t.failed = err
	}
	return n, err
}

// foreign lists what people export by mistake, by its first bytes.
var foreign = []struct{ magic, what, fix string }{
	{"PAR1", "a Parquet file", "leave `source.format` out, and read it as a file: a Parquet file can't come from a pipe"},
	{"PK\x03\x04", "a ZIP archive or an Excel workbook (.xlsx)", "unpack it, or save the sheet as CSV UTF-8"},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls)", "save the sheet as CSV UTF-8"},
	{"%PDF-", "a PDF document", "export the data as CSV"},
	{"SQLite format 3\x00", "an SQLite database", "export the table as CSV"},
	{"\xff\xfe", "UTF-16 text", "save it as CSV UTF-8"},
	{"\xfe\xff", "UTF-16 text", "save it as CSV UTF-8"},
	{"BZh", "a bzip2 file", "unpack it, or use gzip or zstd"},
	{"\xfd7zXZ\x00", "an xz file", "unpack it, or use gzip or zstd"},
	{"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it"},
}

// refuseForeign reports content that is no text this package reads. head is the
// start of the decompressed stream.
func refuseForeign(name string, head []byte) error {
	for _, f := range foreign {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return fault.New(fault.SourceInvalid, "%s is %s, not delimited text or JSON lines", name, f.what).
				WithFix("%s", f.fix).With("file", name)
		}
	}
	start := strings.ToLower(string(bytes.TrimLeft(head[:min(len(head), 64)], " \t\r\n")))
	if strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html") {
		return fault.New(fault.SourceInvalid, "%s is an HTML page, not delimited text or JSON lines", name).
			WithFix("the download was probably answered with a sign-in or error page; export it again").With("file", name)
	}
	if i := bytes.IndexByte(head[:min(len(head), 512)], 0); i >= 0 {
		return fault.New(fault.SourceInvalid, "%s is not text: byte %d is NUL", name, i).
			WithFix("save it as CSV UTF-8").With("file", name)
	}
	return nil
}

// unpack returns the decompressed stream of t, and what frees its decoder.
func unpack(name string, t *tally) (io.Reader, func(), error) {
	br := bufio.NewReaderSize(t, 64<<10)
	head, err := br.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, readFault(name, t, err)
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, nil, readFault(name, t, err)
		}
		return z, func() { _ = z.Close() }, nil
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, readFault(name, t, err)
		}
		return z, z.Close, nil
	}
	return br, func() {}, nil
}

// readFault types an error that came out of reading an input's bytes.
func readFault(name string, t *tally, err error) *fault.Error {
	if t.failed != nil {
		return fault.New(fault.SourceUnavailable, "input %s can't be read to its end", name).With("file", name).Wrap(t.failed)
	}
	why, fix := "is damaged: it can't be unpacked", "copy or export it again"
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		why, fix = "is truncated: its compressed stream ends in the middle", "copy or export it again; what was read so far is not the whole input"
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zstd.ErrCRCMismatch):
		why = "is damaged: its checksum does not match its content"
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		why, fix = fmt.Sprintf("needs more than %d MiB of memory to unpack", maxWindow>>20), "compress it without --long, or unpack it first"
	}
	return fault.New(fault.SourceInvalid, "%s %s", name, why).WithFix("%s", fix).With("file", name).Wrap(err)
}
