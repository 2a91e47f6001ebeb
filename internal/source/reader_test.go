package source_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"sluice/internal/fault"
	"sluice/internal/source"
)

// write puts a file into a new directory and returns its path.
func write(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func gzipped(t testing.TB, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstded(t testing.TB, content string) []byte {
	t.Helper()
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	return e.EncodeAll([]byte(content), nil)
}

// got is what a reader yielded: "LINE a|b" or "LINE !code" per record.
func readAll(t testing.TB, inputs []string, o source.Options) (got []string, r source.Reader, err error) {
	t.Helper()
	r, err = source.Open(t.Context(), inputs, o)
	if err != nil {
		return nil, nil, err
	}
	t.Cleanup(func() { _ = r.Close() })
	var rec source.Record
	for {
		err := r.Next(t.Context(), &rec)
		if errors.Is(err, io.EOF) {
			return got, r, nil
		}
		if err != nil {
			return got, r, err
		}
		if rec.Fault != nil {
			if len(rec.Values) > 0 || rec.Fault.Message == "" || rec.Fault.Hint == "" {
				t.Errorf("incomplete fault %+v with values %q", rec.Fault, rec.Values)
			}
			got = append(got, fmt.Sprintf("%d !%s", rec.Position.Line, rec.Fault.Code))
			continue
		}
		got = append(got, fmt.Sprintf("%d %s", rec.Position.Line, strings.Join(rec.Values, "|")))
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	ab := source.Options{Columns: []string{"a", "b"}}
	with := func(change func(*source.Options)) source.Options {
		o := ab
		change(&o)
		return o
	}
	tests := []struct {
		name, in string
		options  source.Options
		want     []string
	}{
		{"plain", "a,b\n1,2\n3,4\n", ab, []string{"2 1|2", "3 3|4"}},
		{"no line end at the end", "a,b\n1,2", ab, []string{"2 1|2"}},
		{"CRLF", "a,b\r\n1,2\r\n", ab, []string{"2 1|2"}},
		{"byte order mark", "\ufeffa,b\n1,2\n", ab, []string{"2 1|2"}},
		{"columns in another order", "b,x,a\n2,9,1\n", ab, []string{"2 1|2"}},
		{"header is trimmed, values are not", " a , b \n 1 ,2\n", ab, []string{"2  1 |2"}},
		{"blank lines", "\n\na,b\n\n1,2\n\n", ab, []string{"5 1|2"}},
		{"semicolon", "a;b\n1,5;2\n", ab, []string{"2 1,5|2"}},
		{"tab", "a\tb\n1,5\t2;3\n", ab, []string{"2 1,5|2;3"}},
		{"pipe", "a|b\n1|2\n", ab, []string{"2 1|2"}},
		{"one column", "a\n1\n2\n", source.Options{Columns: []string{"a"}}, []string{"2 1", "3 2"}},
		{"the delimiter of the options wins", "a,b;c\n1,2;3\n", source.Options{Columns: []string{"a,b"}, Delimiter: ';'}, []string{"2 1,2"}},
		{"quotes", "a,b\n\"x,y\",\"say \"\"hi\"\"\"\n", ab, []string{`2 x,y|say "hi"`}},
		{"quoted line ends", "a,b\n\"x\r\ny\n\",1\n2,3\n", ab, []string{"2 x\r\ny\n|1", "5 2|3"}},
		{"quotes behind the first line of a record", "a,b\n1,\"x\n\"\"y\"\"\n\"\n2,3\n", ab, []string{"2 1|x\n\"y\"\n", "5 2|3"}},
		{"empty quoted field", "a,b\n\"\",\"\"\n", ab, []string{"2 |"}},
		{"a quote inside a field is a character", "a,b\n5\" pipe,2\n", ab, []string{`2 5" pipe|2`}},
		{"single quotes", "'a','b'\n'it''s','x,y'\n", ab, []string{"2 it's|x,y"}},
		{"apostrophes are not quotes", "a,b\nO'Brien,'tis\n", ab, []string{"2 O'Brien|'tis"}},
		{"text after a closing quote", "a,b\n\"x\"y,1\n2,3\n", ab, []string{"2 !row_malformed", "3 2|3"}},
		{"too few fields", "a,b\n1\n2,3\n", ab, []string{"2 !row_malformed", "3 2|3"}},
		{"too many fields", "a,b\n1,2,3\n2,3\n", ab, []string{"2 !row_malformed", "3 2|3"}},
		{"empty fields too many", "a,b\n1,2,,\n", ab, []string{"2 1|2"}},
		{"NUL bytes of a torn write", "a,b\n" + strings.Repeat("x", 600) + ",2\n\x00\x00\x00\n3,4\n", ab, []string{"2 " + strings.Repeat("x", 600) + "|2", "3 !row_malformed", "4 3|4"}},
		{"UTF-8", "a,b\nZoë,東京\n", ab, []string{"2 Zoë|東京"}},
		{"windows-1252", "a,b\n\x80 5,\"Zo\xeb\"\n\x81,2\n", with(func(o *source.Options) { o.Encoding = source.Windows1252 }), []string{"2 € 5|Zoë", "3 !row_malformed"}},
		{"latin-1", "a,b\n\xe9,\xa4\n", with(func(o *source.Options) { o.Encoding = source.Latin1 }), []string{"2 é|¤"}},
		{"windows-1252 in the header", "gr\xf6\xdfe,b\n1,2\n", source.Options{Columns: []string{"größe"}, Encoding: source.Windows1252}, []string{"2 1"}},
		{"a long record between short ones", "a,b\n1,2\n" + strings.Repeat("x", 200) + ",2\n3,4\n", with(func(o *source.Options) { o.MaxRecord = 100 }), []string{"2 1|2", "3 !row_too_large", "4 3|4"}},
		{"a long record at the end", "a,b\n1,2\n" + strings.Repeat("x", 200), with(func(o *source.Options) { o.MaxRecord = 100 }), []string{"2 1|2", "3 !row_too_large"}},
		{"a long quoted record whose quotes close", "a,b\n\"" + strings.Repeat("x\n", 40) + "\",\"" + strings.Repeat("y\n", 40) + "\"\n3,4\n", with(func(o *source.Options) { o.MaxRecord = 100 }), []string{"2 !row_too_large", "83 3|4"}},
		{"a quoted field after a long plain one", "a,b\n" + strings.Repeat("x", 200) + ",\"y\nz\"\n3,4\n", with(func(o *source.Options) { o.MaxRecord = 100 }), []string{"2 !row_too_large", "4 3|4"}},
		{"a record at the limit", "a,b\n" + strings.Repeat("x", 98) + ",2\n", with(func(o *source.Options) { o.MaxRecord = 100 }), []string{"2 " + strings.Repeat("x", 98) + "|2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, _, err := readAll(t, []string{write(t, "in.csv", []byte(tt.in))}, tt.options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJSONLines(t *testing.T) {
	t.Parallel()
	o := source.Options{Columns: []string{"id", "customer.email", "total.amount", "a.b.c"}}
	tests := []struct {
		name, in string
		want     []string
	}{
		{"nested", `{"id":1,"customer":{"email":"a@example.com","x":[1,{"id":2}]},"total":{"amount":12.50}}`, []string{"1 1|a@example.com|12.50|"}},
		{"numbers keep their text", `{"id":12345678901234567890,"total":{"amount":1.10}}`, []string{"1 12345678901234567890||1.10|"}},
		{"null and missing are empty", `{"id":null}`, []string{"1 |||"}},
		{"booleans", `{"id":true,"a":{"b":{"c":false}}}`, []string{"1 true|||false"}},
		{"escapes", `{"id":"\u00e9\n\"","a":{"b":{"c":""}}}`, []string{"1 é\n\"|||"}},
		{"a name with dots", `{"id":1,"a.b.c":"x"}`, []string{"1 1|||x"}},
		{"the same path twice", `{"id":1,"a.b.c":"x","a":{"b":{"c":"y"}}}`, []string{"1 !row_malformed"}},
		{"duplicate names", `{"id":1,"id":2}`, []string{"1 !row_malformed"}},
		{"duplicate names in what is not read", `{"id":1,"zz":{"a":1,"a":2}}`, []string{"1 !row_malformed"}},
		{"object where a value is mapped", `{"id":{"x":1}}`, []string{"1 !row_malformed"}},
		{"list where a value is mapped", `{"id":[1]}`, []string{"1 !row_malformed"}},
		{"empty name", `{"":{"id":7},"id":1}`, []string{"1 1|||"}},
		{"blank and broken lines", "\n{\"id\":1}\n{\"id\":\n\n{\"id\":2}\n", []string{"2 1|||", "3 !row_malformed", "5 2|||"}},
		{"text behind", `{"id":1} {"id":2}`, []string{"1 !row_malformed"}},
		{"not an object", "{\"id\":1}\n[1]\n7\n", []string{"1 1|||", "2 !row_malformed", "3 !row_malformed"}},
		{"long line", `{"id":1}` + "\n" + `{"id":"` + strings.Repeat("x", 300) + `"}` + "\n" + `{"id":2}`, []string{"1 1|||", "2 !row_too_large", "3 2|||"}},
		{"byte order mark", "\ufeff{\"id\":1}\n", []string{"1 1|||"}},
		{"deep", `{"id":1,"zz":` + strings.Repeat(`[`, 80) + strings.Repeat(`]`, 80) + `}`, []string{"1 1|||"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := o
			o.MaxRecord = 256
			got, _, err := readAll(t, []string{write(t, "in.jsonl", []byte(tt.in))}, o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	whole := gzipped(t, "a,b\n"+strings.Repeat("1,2\n", 50_000))
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-6] ^= 1 // the checksum
	truncatedZstd := zstded(t, "a,b\n"+strings.Repeat("1,2\n", 50_000))
	truncatedZstd = truncatedZstd[:len(truncatedZstd)-8]
	tests := []struct {
		name, file string
		content    []byte
		options    source.Options
		code       fault.Code
		want       string // in message or fix
	}{
		{"missing column", "in.csv", []byte("order,Total_Price\n1,2\n"), source.Options{Columns: []string{"total price"}}, fault.MappingInvalid, `did you mean "Total_Price"?`},
		{"column twice", "in.csv", []byte("a,a\n1,2\n"), source.Options{}, fault.SourceInvalid, "more than once"},
		{"empty file", "in.csv", nil, source.Options{}, fault.SourceEmpty, "is empty"},
		{"blank file", "in.csv", []byte("\n \n"), source.Options{}, fault.SourceEmpty, "is empty"},
		{"empty gzip", "in.csv.gz", gzipped(t, ""), source.Options{}, fault.SourceEmpty, "is empty"},
		{"header only", "in.csv", []byte("a,b\n"), source.Options{}, fault.SourceEmpty, "no record"},
		{"truncated gzip", "in.csv.gz", whole[:len(whole)-20], source.Options{}, fault.SourceInvalid, "is truncated"},
		{"gzip cut in its header", "in.csv.gz", whole[:5], source.Options{}, fault.SourceInvalid, "is truncated"},
		{"damaged gzip", "in.csv.gz", damaged, source.Options{}, fault.SourceInvalid, "checksum"},
		{"rubbish behind gzip", "in.csv.gz", append(bytes.Clone(whole), "rubbish rubbish"...), source.Options{}, fault.SourceInvalid, "is damaged"},
		{"truncated zstd", "in.csv.zst", truncatedZstd, source.Options{}, fault.SourceInvalid, "is truncated"},
		{"Parquet", "in.csv", []byte("PAR1\x15\x04"), source.Options{}, fault.SourceInvalid, "Parquet"},
		{"Parquet in gzip", "in.csv.gz", gzipped(t, "PAR1\x15\x04"), source.Options{}, fault.SourceInvalid, "Parquet"},
		{"Excel", "in.csv", []byte("PK\x03\x04\x14\x00"), source.Options{}, fault.SourceInvalid, "Excel"},
		{"UTF-16", "in.csv", []byte("\xff\xfea\x00,\x00b\x00\n\x00"), source.Options{}, fault.SourceInvalid, "UTF-16"},
		{"UTF-16 without a mark", "in.csv", []byte("a\x00,\x00b\x00\n\x00"), source.Options{}, fault.SourceInvalid, "NUL"},
		{"sign-in page", "in.csv", []byte("<!DOCTYPE html><html>"), source.Options{}, fault.SourceInvalid, "HTML"},
		{"JSON array", "in.jsonl", []byte(`[{"a":1}]`), source.Options{}, fault.SourceInvalid, "jq"},
		{"carriage returns alone", "in.csv", []byte("a,b\r1,2\r3,4\r"), source.Options{Delimiter: ','}, fault.SourceInvalid, "carriage returns"},
		{"not UTF-8", "in.csv", []byte("a,b\n1,2\nZo\xeb,2\n"), source.Options{}, fault.SourceInvalid, ":3: the text is not UTF-8"},
		{"not UTF-8 says the remedy", "in.csv", []byte("a,b\nZo\xeb,2\n"), source.Options{}, fault.SourceInvalid, "encoding: windows-1252"},
		{"JSON that is not UTF-8", "in.jsonl", []byte("{\"a\":\"\xeb\"}\n"), source.Options{}, fault.SourceInvalid, ":1: the text is not UTF-8"},
		{"open quote at the end", "in.csv", []byte("a,b\n1,2\n\"x,2\n3,4\n"), source.Options{}, fault.SourceInvalid, ":3: a quote opens here"},
		{"open quote over the limit", "in.csv", []byte("a,b\n1,2\n3,\"x\n" + strings.Repeat("y,z\n", 100)), source.Options{MaxRecord: 64}, fault.SourceInvalid, ":3: a quote opens here"},
		{"open quote on the second line of a record", "in.csv", []byte("a,b\n\"1\n2\",\"x\n3,4\n"), source.Options{}, fault.SourceInvalid, ":3: a quote opens here"},
		{"endless header", "in.csv", []byte(strings.Repeat("a,", 1000) + "\n1\n"), source.Options{MaxRecord: 100}, fault.SourceInvalid, "header is longer"},
		{"unknown format", "in.csv", []byte("a\n1\n"), source.Options{Format: "xml"}, fault.Usage, "xml"},
		{"unknown encoding", "in.csv", []byte("a\n1\n"), source.Options{Encoding: "ebcdic"}, fault.Usage, "ebcdic"},
		{"delimiter is the quote", "in.csv", []byte("a\n1\n"), source.Options{Delimiter: '"', Quote: '"'}, fault.Usage, "same character"},
		{"column asked for twice", "in.csv", []byte("a\n1\n"), source.Options{Columns: []string{"a", "a"}}, fault.Usage, "twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := tt.options
			if o.Columns == nil && !strings.HasSuffix(tt.file, "jsonl") {
				o.Columns = []string{"a"}
			}
			_, _, err := readAll(t, []string{write(t, tt.file, tt.content)}, o)
			e, ok := fault.As(err)
			if !ok || e.Code != tt.code {
				t.Fatalf("error %v (%s), want %s", err, fault.CodeOf(err), tt.code)
			}
			if said := e.Message + " " + e.Fix; !strings.Contains(said, tt.want) {
				t.Errorf("said %q, want something about %q", said, tt.want)
			}
			if strings.Contains(e.Message+e.Fix, "Zo") {
				t.Error("the message holds a value")
			}
		})
	}
}

func TestCompressed(t *testing.T) {
	t.Parallel()
	const text = "a,b\n1,2\n3,4\n"
	for name, content := range map[string][]byte{
		"in.csv.gz": gzipped(t, text), "in.csv.zst": zstded(t, text), "in.csv": gzipped(t, text), // by content, not by name
		"two members.csv.gz": append(gzipped(t, "a,b\n1,2\n"), gzipped(t, "3,4\n")...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, r, err := readAll(t, []string{write(t, name, content)}, source.Options{Columns: []string{"b", "a"}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"2 2|1", "3 4|3"}, got); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
			if r.Digest() != sha256.Sum256(content) {
				t.Error("the digest is not that of the stored bytes")
			}
			if p := r.Progress(); p.Bytes != int64(len(content)) || p.Total != p.Bytes || p.Records != 2 {
				t.Errorf("progress %+v of %d bytes", p, len(content))
			}
		})
	}
}

func TestInputs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := map[string]string{
		"2.csv": "a,b\n3,4\n", "1.csv": "b,a\n2,1\n", ".hidden.csv": "a,b\n9,9\n", "3.csv.part": "a,b\n9,9\n", "4.csv.tmp": "x",
		"empty.csv": "", "README.md": "hello", "5.ndjson": `{"a":5,"b":6}`,
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "sub.csv"), 0o700); err != nil {
		t.Fatal(err)
	}
	in := func(names ...string) []string {
		for i, n := range names {
			names[i] = filepath.Join(dir, n)
		}
		return names
	}
	o := source.Options{Columns: []string{"a", "b"}}
	directory := []string{"2 1|2", "2 3|4", "1 5|6"}
	t.Run("directory", func(t *testing.T) {
		t.Parallel()
		got, r, err := readAll(t, []string{dir}, o)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(directory, got); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
		notes := map[string]string{}
		for _, n := range r.Notes() {
			notes[filepath.Base(n.File)] = n.Code
		}
		want := map[string]string{".hidden.csv": source.NoteHidden, "3.csv.part": source.NotePartial, "4.csv.tmp": source.NotePartial,
			"empty.csv": source.NoteEmpty, "README.md": source.NoteForeign, "sub.csv": source.NoteForeign}
		if diff := cmp.Diff(want, notes); diff != "" {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
		if p := r.Progress(); p.FilesTotal != 3 || p.Files != 3 || p.Records != 3 || p.Bytes != p.Total {
			t.Errorf("progress %+v", p)
		}
	})
	t.Run("pattern", func(t *testing.T) {
		t.Parallel()
		got, _, err := readAll(t, in("[12].csv"), o)
		if diff := cmp.Diff(directory[:2], got); err != nil || diff != "" {
			t.Errorf("records (-want +got): %v\n%s", err, diff)
		}
	})
	t.Run("several, one named twice", func(t *testing.T) {
		t.Parallel()
		got, r, err := readAll(t, in("2.csv", "*.csv"), o)
		if diff := cmp.Diff([]string{"2 3|4", "2 1|2"}, got); err != nil || diff != "" {
			t.Errorf("records (-want +got): %v\n%s", err, diff)
		}
		twice := 0
		for _, n := range r.Notes() {
			if n.Code == source.NoteListedTwice {
				twice++
			}
		}
		if twice != 1 {
			t.Errorf("notes %+v", r.Notes())
		}
	})
	t.Run("a partial file that is named is read", func(t *testing.T) {
		t.Parallel()
		got, _, err := readAll(t, in("3.csv.part"), o)
		if diff := cmp.Diff([]string{"2 9|9"}, got); err != nil || diff != "" {
			t.Errorf("records (-want +got): %v\n%s", err, diff)
		}
	})
	t.Run("standard input", func(t *testing.T) {
		t.Parallel()
		o := o
		o.Stdin = strings.NewReader("a,b\n7,8\n")
		got, r, err := readAll(t, append(in("1.csv"), "-"), o)
		if diff := cmp.Diff([]string{"2 1|2", "2 7|8"}, got); err != nil || diff != "" {
			t.Errorf("records (-want +got): %v\n%s", err, diff)
		}
		if p := r.Progress(); p.Total != 0 {
			t.Errorf("total %d, though the length of standard input is unknown", p.Total)
		}
	})
	for _, tt := range []struct {
		name   string
		inputs []string
		code   fault.Code
	}{
		{"nothing", nil, fault.Usage},
		{"missing file", in("7.csv"), fault.SourceUnavailable},
		{"pattern without a match", in("7*.csv"), fault.SourceUnavailable},
		{"malformed pattern", in("[.csv"), fault.Usage},
		{"empty file by name", in("empty.csv"), fault.SourceEmpty},
		{"directory without data", []string{filepath.Join(dir, "sub.csv")}, fault.SourceEmpty},
		{"standard input twice", []string{"-", "-"}, fault.Usage},
		{"no standard input", []string{"-"}, fault.SourceUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, _, err := readAll(t, tt.inputs, o); fault.CodeOf(err) != tt.code {
				t.Errorf("error %v (%s), want %s", err, fault.CodeOf(err), tt.code)
			}
		})
	}
}

// TestDriftIsFoundBeforeReading: the header of the last file is looked at before
// the first record is handed out.
func TestDriftIsFoundBeforeReading(t *testing.T) {
	t.Parallel()
	first, last := write(t, "1.csv", []byte("a,total\n1,2\n")), write(t, "2.csv", []byte("a,Total2\n1,2\n"))
	_, err := source.Open(t.Context(), []string{first, last}, source.Options{Columns: []string{"a", "total"}})
	e, ok := fault.As(err)
	if !ok || e.Code != fault.SourceInvalid {
		t.Fatalf("error %v, want source_invalid", err)
	}
	for _, part := range []string{last, `"total"`, first, `did you mean "Total2"?`} {
		if !strings.Contains(e.Message, part) {
			t.Errorf("message %q does not name %q", e.Message, part)
		}
	}
}

func TestColumnThatNoJSONRecordHas(t *testing.T) {
	t.Parallel()
	_, r, err := readAll(t, []string{write(t, "in.jsonl", []byte("{\"a\":1}\n{\"a\":2,\"b\":null}\n"))}, source.Options{Columns: []string{"a", "b", "customer.mail"}})
	if err != nil {
		t.Fatal(err)
	}
	if n := r.Notes(); len(n) != 1 || n[0].Code != source.NoteColumnAbsent || !strings.Contains(n[0].Message, "customer.mail") {
		t.Errorf("notes %+v", n)
	}
}

func TestRecordDigest(t *testing.T) {
	t.Parallel()
	path := write(t, "in.csv", []byte("a,b\n1,2\r\n1,2\n1,3\n"))
	for _, need := range []bool{true, false} {
		r, err := source.Open(t.Context(), []string{path}, source.Options{Columns: []string{"a"}, NeedDigest: need})
		if err != nil {
			t.Fatal(err)
		}
		var d [3][16]byte
		for i := range d {
			var rec source.Record
			if err := r.Next(t.Context(), &rec); err != nil {
				t.Fatal(err)
			}
			d[i] = rec.Digest
		}
		want := sha256.Sum256([]byte("1,2"))
		if need && (d[0] != [16]byte(want[:16]) || d[0] != d[1] || d[0] == d[2]) {
			t.Errorf("digests %x", d)
		}
		if !need && d != [3][16]byte{} {
			t.Errorf("digests %x, though none were asked for", d)
		}
		r.Close()
	}
}

func TestValuesOutliveTheNextCall(t *testing.T) {
	t.Parallel()
	r, err := source.Open(t.Context(), []string{write(t, "in.csv", []byte("a\nfirst\nother\n"))}, source.Options{Columns: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	var rec source.Record
	if err := r.Next(t.Context(), &rec); err != nil {
		t.Fatal(err)
	}
	kept := rec.Values[0]
	if err := r.Next(t.Context(), &rec); err != nil {
		t.Fatal(err)
	}
	if kept != "first" || rec.Values[0] != "other" {
		t.Errorf("kept %q, now %q", kept, rec.Values[0])
	}
}

func TestReadingStopsWithTheContext(t *testing.T) {
	t.Parallel()
	path := write(t, "in.csv", []byte("a\n"+strings.Repeat("1\n", 10_000)))
	ctx, cancel := context.WithCancel(t.Context())
	r, err := source.Open(ctx, []string{path}, source.Options{Columns: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cancel()
	var rec source.Record
	for range 1000 {
		if err = r.Next(ctx, &rec); err != nil {
			break
		}
	}
	if fault.CodeOf(err) != fault.Cancelled || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want an interruption", err)
	}
	if again := r.Next(t.Context(), &rec); fault.CodeOf(again) != fault.Cancelled {
		t.Errorf("after the end Next says %v", again)
	}
}

// TestBoundedMemory reads a line of 64 MiB without holding it.
func TestBoundedMemory(t *testing.T) {
	in := io.MultiReader(strings.NewReader("a,b\n1,2\n"), io.LimitReader(letters{}, 64<<20), strings.NewReader(",2\n3,4\n"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, _, err := readAll(t, []string{"-"}, source.Options{Columns: []string{"a"}, Stdin: in})
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"2 1", "3 !row_too_large", "4 3"}, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
		t.Errorf("%d bytes were allocated for a line of 64 MiB", n)
	}
}

// letters is an endless line.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestOneAllocationPerRecord(t *testing.T) {
	path := write(t, "in.csv", []byte("a,b,c\n"+strings.Repeat("one,two,\"three\"\n", 2000)))
	r, err := source.Open(t.Context(), []string{path}, source.Options{Columns: []string{"c", "a"}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var rec source.Record
	ctx := t.Context()
	if err := r.Next(ctx, &rec); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(1000, func() {
		if err := r.Next(ctx, &rec); err != nil {
			t.Fatal(err)
		}
	}); n > 1 {
		t.Errorf("%v allocations per record, want one", n)
	}
}

func TestReadFailure(t *testing.T) {
	t.Parallel()
	broken := errors.New("pipe broke")
	in := io.MultiReader(strings.NewReader("a\n"+strings.Repeat("1\n", 100_000)), failing{broken})
	_, _, err := readAll(t, []string{"-"}, source.Options{Columns: []string{"a"}, Stdin: in})
	if fault.CodeOf(err) != fault.SourceUnavailable || !errors.Is(err, broken) {
		t.Errorf("error %v, want the cause as source_unavailable", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
