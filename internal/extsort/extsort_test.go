package extsort_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"sluice/internal/extsort"
)

func collect(t interface{ Fatal(...any) }, s *extsort.Sorter) [][]byte {
	var out [][]byte
	if err := s.Each(func(rec []byte) error {
		out = append(out, bytes.Clone(rec))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSortsLikeTheStandardLibraryWhateverTheMemory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		recs := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 24), 0, 200).Draw(t, "records")
		memory := rapid.IntRange(1, 4096).Draw(t, "memory")
		s := extsort.New(dir, memory)
		defer func() { _ = s.Close() }()
		for _, r := range recs {
			if err := s.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		got := collect(t, s)
		want := slices.Clone(recs)
		slices.SortFunc(want, bytes.Compare)
		if !slices.EqualFunc(got, want, bytes.Equal) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func TestSpilledFilesHaveNoNameAndNoClearText(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := extsort.New(dir, 1<<10)
	secret := []byte("buyer@example.com")
	for range 1000 {
		if err := s.Add(secret); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 0 {
		t.Fatalf("spill files are visible: %v", entries)
	}
	if got := len(collect(t, s)); got != 1000 {
		t.Fatalf("got %d records back, want 1000", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkSortWithSpill(b *testing.B) {
	dir := b.TempDir()
	rec := make([]byte, 150)
	for b.Loop() {
		s := extsort.New(dir, 0)
		for range 400_000 {
			binary.BigEndian.PutUint64(rec, rand.Uint64())
			if err := s.Add(rec); err != nil {
				b.Fatal(err)
			}
		}
		n := 0
		if err := s.Each(func([]byte) error { n++; return nil }); err != nil {
			b.Fatal(err)
		}
		_ = s.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/400_000, "ns/record")
}
