package ledgertest

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"testing"

	"sluice/internal/ledger"
)

func testPayloads(t *testing.T, s ledger.Store) {
	ctx, p := t.Context(), s.Payloads()
	data := make([]byte, 2<<20+777)
	for i := range data {
		data[i] = byte(rand.Uint32())
	}
	w, err := p.Create(ctx, "a.frozen")
	if err != nil {
		t.Fatal(err)
	}
	for rest := data; len(rest) > 0; {
		n := min(len(rest), 300_001)
		if _, err := w.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	w.Abort() // too late to matter
	r, err := p.Open(ctx, "a.frozen")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	for _, span := range []struct{ at, n int }{{0, 16}, {0, len(data)}, {1<<20 - 5, 10}, {2<<20 - 1, 2}, {len(data) - 3, 3}, {1 << 20, 1 << 20}} {
		got := make([]byte, span.n)
		if n, err := r.ReadAt(got, int64(span.at)); n != span.n || !bytes.Equal(got, data[span.at:span.at+span.n]) {
			t.Errorf("%d bytes at %d: got %d, %v", span.n, span.at, n, err)
		}
	}
	if n, err := r.ReadAt(make([]byte, 10), int64(len(data)-4)); n != 4 || !errors.Is(err, io.EOF) {
		t.Errorf("beyond the end: %d, %v", n, err)
	}

	taken := func() error {
		w, err := p.Create(ctx, "a.frozen")
		if err != nil {
			return err
		}
		defer w.Abort()
		_, _ = w.Write([]byte("other"))
		return w.Commit()
	}()
	if !errors.Is(taken, fs.ErrExist) {
		t.Errorf("a name was taken twice: %v", taken)
	}
	if w, err = p.Create(ctx, "b.frozen"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	w.Abort()
	if _, err := p.Open(ctx, "b.frozen"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was given up is there: %v", err)
	}
	for range 2 {
		if err := p.Remove(ctx, "a.frozen"); err != nil {
			t.Error(err)
		}
	}
	if _, err := p.Open(ctx, "a.frozen"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was removed is there: %v", err)
	}
}
