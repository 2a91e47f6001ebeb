package secret_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"sluice/internal/secret"
)

func TestWrappedKeysOpenAfterAReopenAndOnlyForTheirPurpose(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	ring, err := secret.OpenKeyring(path, true)
	if err != nil {
		t.Fatal(err)
	}
	key := secret.NewDataKey()
	wrapped := ring.Wrap(key, "plan 1")
	again, err := secret.OpenKeyring(path, true)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Unwrap(wrapped, "plan 1"); err != nil || !bytes.Equal(got, key) {
		t.Fatalf("unwrap after reopen: %v", err)
	}
	if _, err := again.Unwrap(wrapped, "plan 2"); err == nil {
		t.Error("a wrapped key opened for another plan")
	}
}

func TestAKeyFileOthersCanReadIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	if _, err := secret.OpenKeyring(path, true); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.OpenKeyring(path, true); err == nil {
		t.Error("a world-readable master key was accepted")
	}
}

func TestALostKeyIsNotReplacedSilently(t *testing.T) {
	t.Parallel()
	if _, err := secret.OpenKeyring(filepath.Join(t.TempDir(), "master.key"), false); err == nil {
		t.Error("a new key was made beside an existing ledger")
	}
}
