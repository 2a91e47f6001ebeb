package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/go-json-experiment/json/jsontext"
)

// Line is one record of an export.
type Line struct {
	Chain  string          `json:"chain"`
	Seq    int64           `json:"seq"`
	Prev   Hash            `json:"prev"`
	Hash   Hash            `json:"hash"`
	Record json.RawMessage `json:"record"`
}

// LineOf is the inverse of Line.link.
func LineOf(l Link) Line {
	line := Line{Chain: l.Chain, Seq: l.Seq, Hash: l.Hash, Record: l.Body}
	if line.Prev = Genesis(l.Chain); l.Seq > 1 || len(l.Prev) == len(line.Prev) {
		copy(line.Prev[:], l.Prev)
	}
	return line
}

// maxLine bounds a line of an export.
const maxLine = 4 << 20

// eachLine calls fn for every line that ends; what a crash cut off does not count.
func eachLine(r io.Reader, fn func(n int, line []byte) error) error {
	in := bufio.NewReaderSize(r, 1<<16)
	var long []byte
	for n := 1; ; {
		part, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if long = append(long, part...); len(long) > maxLine {
				return fmt.Errorf("line %d is longer than %d bytes", n, maxLine)
			}
			continue
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		line := part
		if len(long) > 0 {
			line, long = append(long, part...), nil
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if err := fn(n, line); err != nil {
				return err
			}
		}
		n++
	}
}

// VerifyExport recomputes an export: records by chain and number, and checkpoints.
// open is called twice, for the checkpoints come last. With keys nil the keys that
// the checkpoints carry are believed.
func VerifyExport(open func() (io.ReadCloser, error), keys []Key, exported ...Signed) (Verification, error) {
	var signed []Signed
	read := func(fn func(n int, line []byte) error) error {
		r, err := open()
		if err != nil {
			return err
		}
		return errors.Join(eachLine(r, fn), r.Close())
	}
	isCheckpoint := func(line []byte) bool { return bytes.HasPrefix(line, []byte(`{"checkpoint":`)) }
	err := read(func(n int, line []byte) error {
		if !isCheckpoint(line) {
			return nil
		}
		var s Signed
		if err := json.Unmarshal(line, &s); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		signed = append(signed, s)
		return nil
	})
	if err != nil {
		return Verification{}, err
	}
	v := NewVerifier("", keys)
	v.Partial()
	v.Checkpoints(nil, append(signed, exported...))
	err = read(func(n int, line []byte) error {
		if isCheckpoint(line) {
			return nil
		}
		var l Line
		if err := json.Unmarshal(line, &l); err != nil {
			return fmt.Errorf("line %d is not a record of an export", n)
		}
		body := jsontext.Value(l.Record)
		if err := body.Canonicalize(); err != nil {
			return fmt.Errorf("line %d: the record is not JSON", n)
		}
		v.Add(Link{Chain: l.Chain, Seq: l.Seq, Body: body, Prev: l.Prev[:], Hash: l.Hash})
		return nil
	})
	return v.Result(), err
}

// File is where checkpoints are exported to: one line each.
type File struct{ Path string }

// Read returns the checkpoints of one log, oldest first; none when there is no
// file. Lines of other logs may share it. A line that can't be read is counted.
func (f File) Read(log string) (list []Signed, damaged int, err error) {
	in, err := os.Open(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = in.Close() }()
	all, damaged, err := readAll(in)
	for _, s := range all {
		if s.Checkpoint.Log == log {
			list = append(list, s)
		}
	}
	return list, damaged, err
}

// All returns the checkpoints of a file that must be there, of every log.
func (f File) All() ([]Signed, error) {
	in, err := os.Open(f.Path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	list, _, err := readAll(in)
	return list, err
}

func readAll(in io.Reader) (list []Signed, damaged int, err error) {
	err = eachLine(in, func(_ int, line []byte) error {
		var s Signed
		if json.Unmarshal(line, &s) != nil {
			damaged++
			return nil
		}
		list = append(list, s)
		return nil
	})
	return list, damaged, err
}

// tailSize is how much of the file is read to find the newest line.
const tailSize = 256 << 10

// Last returns the newest checkpoint of one log, nil when there is none.
func (f File) Last(log string) (*Signed, error) {
	in, err := os.Open(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	info, err := in.Stat()
	if err != nil {
		return nil, err
	}
	for _, from := range []int64{max(0, info.Size()-tailSize/32), max(0, info.Size()-tailSize), 0} {
		if _, err := in.Seek(from, io.SeekStart); err != nil {
			return nil, err
		}
		var last *Signed
		err := eachLine(in, func(_ int, line []byte) error {
			var s Signed
			if json.Unmarshal(line, &s) == nil && s.Checkpoint.Log == log {
				last = &s
			}
			return nil
		})
		if last != nil || err != nil || from == 0 {
			return last, err
		}
	}
	return nil, nil
}

// Append adds checkpoints and waits until they are on the disk.
func (f File) Append(list []Signed) error {
	if len(list) == 0 {
		return nil
	}
	var text []byte
	for _, s := range list {
		line, err := json.Marshal(s)
		if err != nil {
			return err
		}
		text = append(append(text, line...), '\n')
	}
	out, err := os.OpenFile(f.Path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if err := f.write(out, text); err != nil {
		return errors.Join(err, out.Close())
	}
	return out.Close()
}

// write appends text at a line of its own: a crash may have cut the last one off.
func (f File) write(out *os.File, text []byte) error {
	end, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if end > 0 {
		last := make([]byte, 1)
		if _, err := out.ReadAt(last, end-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			text = append([]byte{'\n'}, text...)
		}
	}
	if _, err := out.Write(text); err != nil {
		return err
	}
	return out.Sync()
}
