package frozen_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"sluice/internal/frozen"
	"sluice/internal/secret"
)

func write(t *testing.T, path string, key []byte, payloads [][]byte) []frozen.Ref {
	t.Helper()
	sealer, err := frozen.NewSealer(key)
	if err != nil {
		t.Fatal(err)
	}
	w, err := frozen.Create(path)
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
	path, key := filepath.Join(t.TempDir(), "plan.frozen"), secret.NewDataKey()
	var payloads [][]byte
	for i := range 200 {
		payloads = append(payloads, bytes.Repeat([]byte{byte(i)}, i*7))
	}
	refs := write(t, path, key, payloads)
	r, err := frozen.Open(path, key)
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
	path, key := filepath.Join(t.TempDir(), "plan.frozen"), secret.NewDataKey()
	refs := write(t, path, key, [][]byte{[]byte(`{"event_name":"Purchase"}`)})
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte("Purchase")) {
		t.Fatal("the payload is readable on disk")
	}
	read := func(key []byte) error {
		r, err := frozen.Open(path, key)
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
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := read(key); !errors.Is(err, frozen.ErrDamaged) {
			t.Fatalf("byte %d changed unnoticed: %v", i, err)
		}
	}
}
