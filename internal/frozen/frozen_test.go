package frozen_test

import (
	"bytes"
	"errors"
	"testing"

	"sluice/internal/frozen"
	"sluice/internal/secret"
)

// stream is a sink and a source in memory.
type stream struct{ bytes.Buffer }

func (s *stream) Commit() error { return nil }
func (s *stream) Abort()        { s.Reset() }
func (s *stream) Close() error  { return nil }

func (s *stream) ReadAt(p []byte, at int64) (int, error) {
	return bytes.NewReader(s.Bytes()).ReadAt(p, at)
}

func write(t *testing.T, to *stream, key []byte, payloads [][]byte) []frozen.Ref {
	t.Helper()
	sealer, err := frozen.NewSealer(key)
	if err != nil {
		t.Fatal(err)
	}
	w, err := frozen.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	refs := make([]frozen.Ref, len(payloads))
	for i, p := range payloads {
		sealed := sealer.Seal(nil, uint64(i), p)
		at, err := w.Append(sealed)
		if err != nil {
			t.Fatal(err)
		}
		refs[i] = frozen.Ref{Offset: at, Length: len(sealed)}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return refs
}

func TestEventsComeBackWhateverTheSpan(t *testing.T) {
	t.Parallel()
	kept, key := &stream{}, secret.NewDataKey()
	var payloads [][]byte
	for i := range 200 {
		payloads = append(payloads, bytes.Repeat([]byte{byte(i)}, i*7))
	}
	refs := write(t, kept, key, payloads)
	r, err := frozen.Open(kept, key)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	for name, span := range map[string][]frozen.Ref{"one span": refs, "far apart": {refs[0], refs[199]}, "none": nil} {
		l, err := r.Load(span, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, ref := range refs {
			got, err := l.Append(nil, ref)
			if err != nil || !bytes.Equal(got, payloads[i]) {
				t.Fatalf("%s: event %d: %v", name, i, err)
			}
		}
	}
}

func TestAChangedByteOrAnotherKeyIsNoticed(t *testing.T) {
	t.Parallel()
	kept, key := &stream{}, secret.NewDataKey()
	refs := write(t, kept, key, [][]byte{[]byte(`{"event_name":"Purchase"}`)})
	raw := bytes.Clone(kept.Bytes())
	if bytes.Contains(raw, []byte("Purchase")) {
		t.Fatal("the payload is readable on disk")
	}
	read := func(key []byte) error {
		r, err := frozen.Open(kept, key)
		if err != nil {
			return err
		}
		defer func() { _ = r.Close() }()
		l, err := r.Load(refs, nil)
		if err != nil {
			return err
		}
		_, err = l.Append(nil, refs[0])
		return err
	}
	if err := read(key); err != nil {
		t.Fatal(err)
	}
	if err := read(secret.NewDataKey()); !errors.Is(err, frozen.ErrDamaged) {
		t.Errorf("another key: %v", err)
	}
	for i := range raw {
		changed := bytes.Clone(raw)
		changed[i] ^= 1
		kept = &stream{*bytes.NewBuffer(changed)}
		if err := read(key); !errors.Is(err, frozen.ErrDamaged) {
			t.Fatalf("byte %d changed unnoticed: %v", i, err)
		}
	}
}
