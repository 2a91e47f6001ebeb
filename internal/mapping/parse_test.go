package mapping_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/fault"
	"sluice/internal/mapping"
)

var update = flag.Bool("update", false, "rewrite golden files")

// golden compares got with a file, or rewrites the file.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), run with -update if it is right:\n%s", path, diff)
	}
}

// TestParseFaults prints every fault of documents that are wrong, as a person
// would see them.
func TestParseFaults(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/faults/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no documents", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = mapping.Parse("mapping.yaml", src, nil)
			if fault.CodeOf(err) != fault.MappingInvalid {
				t.Fatalf("Parse: %v, want a mapping_invalid fault", err)
			}
			var b strings.Builder
			for _, f := range mapping.FaultsOf(err) {
				fmt.Fprintf(&b, "%s\n%s", f, mapping.Excerpt(src, f))
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".txt", b.String())
		})
	}
}

// minimal is the least that a document must say.
const minimal = `
version: 1
namespace: shop/orders
id: order
outcome: payment_received
time: {column: at, zone: Europe/London}
value: total
currency: GBP
action_source: physical_store
user: {em: email}
consent: granted
`

func parse(t testing.TB, src string, files ...string) *mapping.Mapping {
	t.Helper()
	m, err := mapping.Parse("mapping.yaml", []byte(src), tree(files...))
	if err != nil {
		for _, f := range mapping.FaultsOf(err) {
			t.Log(f)
		}
		t.Fatal(err)
	}
	return m
}

// tree makes a file system of name, content, name, content …
func tree(files ...string) fstest.MapFS {
	fs := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fs[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return fs
}

// TestCheckMayBeAWordOfTheData: a cheque is a way to pay.
func TestCheckMayBeAWordOfTheData(t *testing.T) {
	t.Parallel()
	parse(t, swap("outcome: {default: order_placed, when: [{column: paid_by, in: [CHECK, CASH], outcome: payment_received}]}",
		"custom: {way: {column: paid_by, lookup: ways}, other: {const: CHECK}}", "lookups: {ways: {chk: CHECK}}"))
}

func TestMissingKeysAreAllReported(t *testing.T) {
	t.Parallel()
	_, err := mapping.Parse("mapping.yaml", []byte("version: 1\n"), nil)
	var missing []string
	for _, f := range mapping.FaultsOf(err) {
		missing = append(missing, f.Pointer)
	}
	want := []string{"/namespace", "/outcome", "/time", "/action_source", "/user", "/consent"}
	if diff := cmp.Diff(want, missing); diff != "" {
		t.Errorf("pointers (-want +got):\n%s", diff)
	}
}

func TestLookupFileFaults(t *testing.T) {
	t.Parallel()
	doc := func(table string) string {
		return minimal + "labels: {region: {column: shop, lookup: regions}}\nlookups: {regions: " + table + "}\n"
	}
	var big strings.Builder
	big.WriteString("a,b\n")
	for i := range 100_002 {
		fmt.Fprintf(&big, "%d,x\n", i)
	}
	tests := []struct {
		name, table, content, want string
	}{
		{"not there", "{file: other.csv}", "a,b\n", "can't be opened"},
		{"outside the directory", "{file: ../t.csv}", "a,b\n", "must be relative"},
		{"absolute", "{file: /etc/passwd}", "a,b\n", "must be relative"},
		{"one column", "{file: t.csv}", "a\n", "no two columns"},
		{"no such column", "{file: t.csv, key: c}", "a,b\n", `no column "c"`},
		{"malformed", "{file: t.csv}", "a,b\nx,y,z\n", "record 2 is malformed"},
		{"contradiction", "{file: t.csv}", "a,b\nx,y\nx,z\n", "given before"},
		{"too many entries", "{file: t.csv}", big.String(), "more than 100000"},
		{"too large", "{file: t.csv}", "a,b\n" + strings.Repeat(" ", 5<<20), "larger than 4 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := mapping.Parse("mapping.yaml", []byte(doc(tt.table)), tree("t.csv", tt.content))
			faults := mapping.FaultsOf(err)
			if len(faults) == 0 || !strings.Contains(faults[0].Message, tt.want) {
				t.Errorf("faults %v, want one about %q", faults, tt.want)
			}
		})
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	lookup := "labels: {region: {column: shop, lookup: regions}}\nlookups: {regions: {file: t.csv}}\n"
	base := parse(t, minimal+lookup, "t.csv", "a,b\nx,y\n").Digest()
	lines := strings.Split(strings.TrimSpace(minimal), "\n")
	for i, j := 0, len(lines)-1; i < j; i, j = i+1, j-1 {
		lines[i], lines[j] = lines[j], lines[i]
	}
	same := map[string]*mapping.Mapping{
		"comments and blank lines": parse(t, "# hello\n"+minimal+"\n\n# bye\n"+lookup, "t.csv", "a,b\nx,y\n"),
		"order of keys":            parse(t, lookup+strings.Join(lines, "\n"), "t.csv", "a,b\nx,y\n"),
		"quotes and block style":   parse(t, strings.Replace(minimal, "user: {em: email}", "user:\n  em: \"email\"", 1)+lookup, "t.csv", "a,b\nx,y\n"),
	}
	for name, m := range same {
		if m.Digest() != base {
			t.Errorf("%s: the digest changed", name)
		}
	}
	other := map[string]*mapping.Mapping{
		"another column":      parse(t, strings.Replace(minimal, "value: total", "value: gross", 1)+lookup, "t.csv", "a,b\nx,y\n"),
		"another lookup file": parse(t, minimal+lookup, "t.csv", "a,b\nx,z\n"),
	}
	for name, m := range other {
		if m.Digest() == base {
			t.Errorf("%s: the digest did not change", name)
		}
	}
}

func TestAccessors(t *testing.T) {
	t.Parallel()
	m := parse(t, minimal+`
dataset: "1000000000000001"
source: {format: csv, delimiter: tab, quote: "'", encoding: latin-1}
labels: {store: shop, area: {const: north}}
default_country: United Kingdom
hashed: no
hold: {payment_received: 90m}
`)
	if got, want := m.Source(), (mapping.SourceSettings{Format: "csv", Delimiter: '\t', Quote: '\'', Encoding: "latin-1"}); got != want {
		t.Errorf("Source = %+v, want %+v", got, want)
	}
	if diff := cmp.Diff([]string{"area", "store"}, m.LabelNames()); diff != "" {
		t.Errorf("LabelNames (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"order", "at", "total", "email", "shop"}, m.Columns()); diff != "" {
		t.Errorf("Columns (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"payment_received": "Purchase"}, m.Outcomes()); diff != "" {
		t.Errorf("Outcomes (-want +got):\n%s", diff)
	}
	if o := m.EncoderOptions(); o.DefaultCountry != "GB" || len(o.Hashed) == 0 {
		t.Errorf("EncoderOptions = %+v", o)
	}
	if m.Hold("payment_received").Minutes() != 90 || m.Hold("order_placed").Hours() != 24 || m.Hold("search") != 0 {
		t.Error("holds are not those of the document and the defaults")
	}
	if m.Namespace() != "shop/orders" || m.Dataset() != "1000000000000001" || m.Grouped() || m.NeedsDigest() {
		t.Error("the plain settings are not those of the document")
	}
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	got := mapping.Excerpt([]byte("a: 1\n\tbé: x\n"), mapping.Fault{Line: 2, Column: 5})
	want := "    2 | \tbé: x\n      | \t   ^\n"
	if got != want {
		t.Errorf("Excerpt = %q, want %q", got, want)
	}
	if got := mapping.Excerpt([]byte("a: 1\n"), mapping.Fault{Line: 9, Column: 1}); got != "" {
		t.Errorf("Excerpt of a line that is not there = %q", got)
	}
}

// FuzzParse looks for documents that break the parser, or get accepted and then
// break a mapper.
func FuzzParse(f *testing.F) {
	f.Add(minimal)
	f.Add(strings.Replace(minimal, "value: total", "value: {sum: lines}\nlines: {id: sku, quantity: q, item_price: p}", 1))
	seeds, _ := filepath.Glob("testdata/faults/*.yaml")
	for _, s := range seeds {
		if src, err := os.ReadFile(s); err == nil {
			f.Add(string(src))
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 4<<10 {
			t.Skip("the size is bounded elsewhere")
		}
		m, err := mapping.Parse("fuzz.yaml", []byte(src), nil)
		if err != nil {
			if fault.CodeOf(err) != fault.MappingInvalid || len(mapping.FaultsOf(err)) == 0 {
				t.Fatalf("error without faults: %v", err)
			}
			for _, x := range mapping.FaultsOf(err) {
				_ = mapping.Excerpt([]byte(src), x)
			}
			return
		}
		values := make([]string, len(m.Columns()))
		for i := range values {
			values[i] = "1"
		}
		p := mapping.NewMapper(m)
		p.Map([]mapping.Row{{Values: values}, {Values: make([]string, len(values)), Line: 1}}[:1])
		p.Map([]mapping.Row{{Values: make([]string, len(values))}})
	})
}
