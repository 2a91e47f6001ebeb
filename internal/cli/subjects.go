package cli

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/fault"
	"sluice/internal/writeback"
)

// subjectFlags name one person on the command line.
type subjectFlags struct{ writeback.Subject }

func (s *subjectFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.Email, "email", "", "e-mail address, or its SHA-256")
	f.StringVar(&s.Phone, "phone", "", "phone number with country code, or its SHA-256")
	f.StringVar(&s.ExternalID, "external-id", "", "the shop's own id of the person")
	f.StringVar(&s.Country, "country", "", "country of a national phone number, such as GB")
}

func (s *subjectFlags) given() bool { return s.Email != "" || s.Phone != "" || s.ExternalID != "" }

// once yields the person of the flags.
func (s *subjectFlags) once() func() (writeback.Subject, error) {
	done := false
	return func() (writeback.Subject, error) {
		if done {
			return writeback.Subject{}, io.EOF
		}
		done = true
		return s.Subject, nil
	}
}

// subjectColumns are the columns of a list, with the names other systems use.
var subjectColumns = map[string]func(*writeback.Subject) *string{
	"email": func(s *writeback.Subject) *string { return &s.Email }, "em": func(s *writeback.Subject) *string { return &s.Email },
	"phone": func(s *writeback.Subject) *string { return &s.Phone }, "ph": func(s *writeback.Subject) *string { return &s.Phone },
	"external_id": func(s *writeback.Subject) *string { return &s.ExternalID },
	"country":     func(s *writeback.Subject) *string { return &s.Country },
}

// maxSubjectLine bounds a line of a list.
const maxSubjectLine = 64 << 10

// readSubjects reads people: JSON lines, or CSV whose header names email, phone,
// external_id or country. A line that can't be read is a fault of its own.
func readSubjects(r io.Reader) (func() (writeback.Subject, error), error) {
	in := bufio.NewReaderSize(r, maxSubjectLine)
	if mark, _ := in.Peek(3); string(mark) == "\xef\xbb\xbf" {
		_, _ = in.Discard(3)
	}
	for {
		b, err := in.Peek(1)
		if err != nil {
			return nil, fault.New(fault.SourceEmpty, "the list of people is empty")
		}
		if !strings.ContainsRune(" \t\r\n", rune(b[0])) {
			break
		}
		_, _ = in.Discard(1)
	}
	if b, _ := in.Peek(1); b[0] == '{' {
		return subjectLines(in), nil
	}
	return subjectRows(in)
}

func subjectLines(in *bufio.Reader) func() (writeback.Subject, error) {
	return func() (s writeback.Subject, err error) {
		for {
			line, err := in.ReadSlice('\n')
			switch {
			case errors.Is(err, bufio.ErrBufferFull):
				return s, fault.New(fault.SourceInvalid, "a line of the list is longer than %d bytes", maxSubjectLine)
			case err != nil && !errors.Is(err, io.EOF):
				return s, err
			case len(bytes.TrimSpace(line)) == 0 && err != nil:
				return s, io.EOF
			case len(bytes.TrimSpace(line)) == 0:
				continue
			}
			d := json.NewDecoder(bytes.NewReader(line))
			d.DisallowUnknownFields()
			if d.Decode(&s) != nil {
				// The decoder's text may repeat a value.
				return s, fault.New(fault.SourceInvalid, "a line is not {\"email\": …, \"phone\": …, \"external_id\": …, \"country\": …}")
			}
			return s, nil
		}
	}
}

func subjectRows(in io.Reader) (func() (writeback.Subject, error), error) {
	r := csv.NewReader(in)
	r.FieldsPerRecord = -1
	header, err := r.Read()
	if err != nil {
		return nil, fault.New(fault.SourceInvalid, "the header of the list can't be read")
	}
	into := make([]func(*writeback.Subject) *string, len(header))
	for i, name := range header {
		into[i] = subjectColumns[strings.ToLower(strings.TrimSpace(name))]
	}
	if !slices.ContainsFunc(into, func(f func(*writeback.Subject) *string) bool { return f != nil }) {
		return nil, fault.New(fault.SourceInvalid, "the list has none of the columns email, phone, external_id").
			WithFix("add a header line, or write JSON lines")
	}
	return func() (s writeback.Subject, err error) {
		row, err := r.Read()
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			return s, fault.New(fault.SourceInvalid, "a row of the list can't be read")
		}
		for i, v := range row {
			if i < len(into) && into[i] != nil {
				*into[i](&s) = strings.TrimSpace(v)
			}
		}
		return s, err
	}, nil
}

// openSubjects opens a list; - is standard input.
func (c *command) openSubjects(path string) (func() (writeback.Subject, error), func(), error) {
	if path == "-" {
		next, err := readSubjects(c.Stdin)
		return next, func() {}, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fault.New(fault.SourceUnavailable, "the list %s can't be read", path).Wrap(err)
	}
	next, err := readSubjects(f)
	if err != nil {
		_ = f.Close()
	}
	return next, func() { _ = f.Close() }, err
}
