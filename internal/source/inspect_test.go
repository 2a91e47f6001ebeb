package source_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/source"
)

func TestInspect(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file string
		content    []byte
		want       source.Inspection
	}{
		{"semicolons", "in.csv", []byte("name;price\n\"a;b\";1,50\nragged\n"),
			source.Inspection{Format: source.CSV, Delimiter: ';', Quote: '"', Encoding: source.UTF8, Header: []string{"name", "price"}, Sample: [][]string{{"a;b", "1,50"}}}},
		{"tsv in gzip", "in.tsv.gz", gzipped(t, "a\tb\n1\t2\n"),
			source.Inspection{Format: source.TSV, Delimiter: '\t', Quote: '"', Encoding: source.UTF8, Header: []string{"a", "b"}, Sample: [][]string{{"1", "2"}}}},
		{"windows-1252 in a value", "in.csv", []byte("a,b\nZo\xeb,\x80\n"),
			source.Inspection{Format: source.CSV, Delimiter: ',', Quote: '"', Encoding: source.Windows1252, Header: []string{"a", "b"}, Sample: [][]string{{"Zoë", "€"}},
				Notes: []source.Note{{Code: source.NoteNotUTF8}}}},
		{"windows-1252 in the header", "in.csv", []byte("gr\xf6\xdfe,b\n1,2\n"),
			source.Inspection{Format: source.CSV, Delimiter: ',', Quote: '"', Encoding: source.Windows1252, Header: []string{"größe", "b"}, Sample: [][]string{{"1", "2"}},
				Notes: []source.Note{{Code: source.NoteNotUTF8}}}},
		{"one column", "in.csv", []byte("a\n1\n"),
			source.Inspection{Format: source.CSV, Delimiter: ',', Quote: '"', Encoding: source.UTF8, Header: []string{"a"}, Sample: [][]string{{"1"}}, Notes: []source.Note{{Code: source.NoteFallback}}}},
		{"JSON lines", "in.txt", []byte("{\"id\":1,\"c\":{\"email\":\"x\"}}\nbroken\n{\"id\":2,\"total\":5,\"tags\":[1]}\n"),
			source.Inspection{Format: source.JSONL, Encoding: source.UTF8, Header: []string{"id", "c.email", "total"}, Sample: [][]string{{"1", "x", ""}, {"2", "", "5"}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, tt.file, tt.content)
			got, err := source.Inspect(t.Context(), []string{path}, source.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Files) != 1 || got.Files[0] != path || got.Bytes != int64(len(tt.content)) {
				t.Errorf("files %v, bytes %d", got.Files, got.Bytes)
			}
			got.Files, got.Bytes = nil, 0
			for i := range got.Notes {
				got.Notes[i] = source.Note{Code: got.Notes[i].Code}
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("inspection (-want +got):\n%s", diff)
			}
		})
	}
}

func TestInspectReadsOnlyTheBeginning(t *testing.T) {
	t.Parallel()
	got, err := source.Inspect(t.Context(), []string{"-"}, source.Options{Stdin: strings.NewReader("a,b\n" + strings.Repeat("1,2\n", 100_000))})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got.Sample); n == 0 || n > 1000 {
		t.Errorf("%d sample rows", n)
	}
}
