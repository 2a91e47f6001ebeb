package source

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// records cuts text into fields; ok is false when any record is not well formed.
func records(t testing.TB, in io.Reader, limit int) (all [][]string, offsets []int64, ok bool) {
	t.Helper()
	l := newLines(in, limit)
	for {
		rec, at, quoted, err := l.next(',', '"')
		if errors.Is(err, io.EOF) {
			return all, offsets, true
		}
		if err != nil {
			return all, offsets, false
		}
		if len(rec) == 0 {
			continue
		}
		fields, well := split(nil, rec, ',', '"', quoted)
		if !well {
			return all, offsets, false
		}
		row := make([]string, len(fields))
		for i, f := range fields {
			row[i] = string(appendField(nil, rec, f, '"'))
		}
		all, offsets = append(all, row), append(offsets, at.Offset)
	}
}

// FuzzCSV holds the splitter against encoding/csv: what both accept they must
// read alike. The library drops carriage returns inside quotes, ours keeps them.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "\"x,y\",\"say \"\"hi\"\"\"\r\n", "\"a\r\nb\",c", ",,\n\n\"\"", "a\"b,c", "\"a\"b,c", "\"open", "\r\n\r", "a\rb\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, offsets, ok := records(t, strings.NewReader(s), 1<<20)
		slow, _, slowOK := records(t, iotest.OneByteReader(strings.NewReader(s)), 1<<20)
		if ok != slowOK || !slices.EqualFunc(got, slow, slices.Equal) {
			t.Fatalf("%q is read as %q in one piece and as %q byte by byte", s, got, slow)
		}
		for i, o := range offsets {
			if o < 0 || o >= int64(len(s)) || i > 0 && o <= offsets[i-1] || o > 0 && s[o-1] != '\n' {
				t.Fatalf("%q: record %d is said to start at byte %d", s, i, o)
			}
		}
		r := csv.NewReader(strings.NewReader(s))
		r.FieldsPerRecord = -1
		want, err := r.ReadAll()
		if err != nil {
			return
		}
		if !ok {
			t.Fatalf("%q is accepted by encoding/csv only: %q", s, want)
		}
		// How many carriage returns it drops depends on where the line ended, so the
		// comparison is over the text without any.
		plain := func(rows [][]string) [][]string {
			for _, row := range rows {
				for i := range row {
					row[i] = strings.ReplaceAll(row[i], "\r", "")
				}
			}
			return rows
		}
		if !slices.EqualFunc(plain(got), plain(want), slices.Equal) {
			t.Fatalf("%q is read as %q, by encoding/csv as %q", s, got, want)
		}
	})
}

// FuzzSniff looks for inputs that break detection, the header or the projection.
func FuzzSniff(f *testing.F) {
	for _, s := range []string{"a;b\n1;2\n", "'a','b'\n'x','y'\n", "{\"a\":{\"b\":1}}\n", "a\tb\n", "\xff\xfe", "a|b\n\"x|y\"|z\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		in, err := Inspect(t.Context(), []string{"-"}, Options{Stdin: strings.NewReader(s)})
		if err != nil {
			return
		}
		for _, row := range in.Sample {
			if len(row) != len(in.Header) {
				t.Fatalf("%q: a row of %d values under a header of %d", s, len(row), len(in.Header))
			}
		}
	})
}

// TestRoundTrip writes tables with encoding/csv and reads them back with small
// buffers and every dialect.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		columns := rapid.IntRange(2, 4).Draw(rt, "columns")
		cell := rapid.StringMatching(`[a-z",;\n|' ]{0,12}`)
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, columns, columns), 1, 8).Draw(rt, "rows")
		delim := rapid.SampledFrom([]byte{',', ';', '\t', '|'}).Draw(rt, "delimiter")
		var b strings.Builder
		w := csv.NewWriter(&b)
		w.Comma, w.UseCRLF = rune(delim), false
		if err := w.WriteAll(rows); err != nil {
			rt.Fatal(err)
		}
		l := newLines(iotest.HalfReader(strings.NewReader(b.String())), 1<<10)
		for _, want := range rows {
			rec, _, quoted, err := l.next(delim, '"')
			if err != nil {
				rt.Fatal(err)
			}
			fields, ok := split(nil, rec, delim, '"', quoted)
			if !ok || len(fields) != columns {
				rt.Fatalf("%q is not well formed", rec)
			}
			for i, f := range fields {
				if got := string(appendField(nil, rec, f, '"')); got != want[i] {
					rt.Fatalf("field %q became %q", want[i], got)
				}
			}
		}
	})
}
