package source_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"sluice/internal/fault"
	"sluice/internal/source"
)

// sale has a column of every sort that shops export.
type sale struct {
	Order   string    `parquet:"order"`
	Buyer   *float64  `parquet:"buyer,optional"` // an id that a data frame made a float
	Total   int64     `parquet:"total,decimal(2:18)"`
	Small   int32     `parquet:"small,decimal(2:9)"`
	At      time.Time `parquet:"at,timestamp(microsecond)"`
	Local   int64     `parquet:"local,timestamp(millisecond:local)"`
	Day     int32     `parquet:"day,date"`
	Count   uint32    `parquet:"count"`
	Paid    bool      `parquet:"paid"`
	Note    *string   `parquet:"note,optional"`
	Address struct {
		City string `parquet:"city"`
	} `parquet:"address"`
	Tags []string `parquet:"tags,list"`
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t
}

func writeParquet(t testing.TB, name string, rows []sale) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := parquet.NewGenericWriter[sale](f, parquet.MaxRowsPerRowGroup(1500), parquet.Compression(&parquet.Zstd))
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func sales(n int) []sale {
	out := make([]sale, n)
	for i := range out {
		id := float64(17850 + i)
		s := sale{
			Order: "A" + strings.Repeat("x", i%5), Buyer: &id, Total: int64(1234 + i), Small: -5, At: at("2026-11-20T10:00:00.25Z").Add(time.Duration(i) * time.Second),
			Local: at("2026-11-20T10:00:00Z").UnixMilli(), Day: int32(at("2026-11-20T00:00:00Z").Unix() / 86400), Count: 4_000_000_000, Paid: true, Tags: []string{"a", "b"},
		}
		s.Address.City = "Leeds"
		if i%2 == 1 {
			s.Buyer, s.Note = nil, &s.Order
		}
		out[i] = s
	}
	return out
}

func readRows(t *testing.T, inputs []string, o source.Options) (rows [][]string, last source.Record, digest [32]byte) {
	t.Helper()
	r, err := source.Open(t.Context(), inputs, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	for {
		var rec source.Record
		err := r.Next(t.Context(), &rec)
		if errors.Is(err, io.EOF) {
			return rows, last, r.Digest()
		}
		if err != nil {
			t.Fatal(err)
		}
		rows, last = append(rows, slices.Clone(rec.Values)), rec
	}
}

func TestParquetValues(t *testing.T) {
	t.Parallel()
	path := writeParquet(t, "sales.parquet", sales(4000))
	rows, last, _ := readRows(t, []string{path}, source.Options{
		Columns: []string{"buyer", "order", "total", "small", "at", "local", "day", "count", "paid", "note", "address.city"},
	})
	if len(rows) != 4000 || last.Position.Line != 4000 || last.Position.File != path {
		t.Fatalf("%d rows, the last at %+v", len(rows), last.Position)
	}
	for i, want := range map[int][]string{
		0:    {"17850", "A", "12.34", "-0.05", "2026-11-20T10:00:00.25Z", "2026-11-20T10:00:00", "2026-11-20", "4000000000", "true", "", "Leeds"},
		3999: {"", "Axxxx", "52.33", "-0.05", "2026-11-20T11:06:39.25Z", "2026-11-20T10:00:00", "2026-11-20", "4000000000", "true", "Axxxx", "Leeds"},
	} {
		if !slices.Equal(rows[i], want) {
			t.Errorf("row %d is %q, want %q", i+1, rows[i], want)
		}
	}
}

func TestParquetColumnsAndDigests(t *testing.T) {
	t.Parallel()
	rows := sales(3)
	rows[2].Tags, rows[2].At = rows[0].Tags, rows[0].At
	path := writeParquet(t, "sales.parquet", rows)
	for column, part := range map[string]string{"ordr": `did you mean "order"`, "tags": "holds lists"} {
		_, err := source.Open(t.Context(), []string{path}, source.Options{Columns: []string{column}})
		f, ok := fault.As(err)
		if !ok || f.Code != fault.MappingInvalid || !strings.Contains(f.Message, part) {
			t.Errorf("column %s: %v, want one that says %q", column, err, part)
		}
	}
	_, a, whole := readRows(t, []string{path}, source.Options{Columns: []string{"order"}, NeedDigest: true})
	_, b, _ := readRows(t, []string{path}, source.Options{Columns: []string{"total", "order"}, NeedDigest: true})
	if a.Digest != b.Digest || a.Digest == [16]byte{} {
		t.Error("a row's digest depends on the columns that are mapped")
	}
	changed := writeParquet(t, "sales.parquet", rows[:2])
	if _, _, other := readRows(t, []string{changed}, source.Options{Columns: []string{"order"}}); other == whole || whole == [32]byte{} {
		t.Error("another file has the same digest")
	}
}

func TestParquetIsInspected(t *testing.T) {
	t.Parallel()
	i, err := source.Inspect(t.Context(), []string{writeParquet(t, "sales.parquet", sales(1200))}, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if i.Format != source.Parquet || !slices.Contains(i.Header, "address.city") || slices.Contains(i.Header, "tags") || len(i.Sample) != 1000 || len(i.Sample[0]) != len(i.Header) {
		t.Errorf("format %s, header %v, %d samples", i.Format, i.Header, len(i.Sample))
	}
}

func TestDamagedParquet(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile(writeParquet(t, "sales.parquet", sales(2000)))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"cut off":        whole[:len(whole)/2],
		"without footer": []byte("PAR1"),
		"zeroed inside":  slices.Concat(whole[:200], make([]byte, len(whole)-200-4000), whole[len(whole)-4000:]),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "bad.parquet")
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := source.Open(t.Context(), []string{path}, source.Options{Columns: []string{"order", "total"}})
			if err == nil {
				defer func() { _ = r.Close() }()
				var rec source.Record
				for err == nil {
					err = r.Next(t.Context(), &rec)
				}
			}
			if f, ok := fault.As(err); !ok || f.Code != fault.SourceInvalid {
				t.Errorf("%v, want source_invalid", err)
			}
		})
	}
}
