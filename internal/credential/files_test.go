package credential_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"sluice/internal/credential"
	"sluice/internal/secret"
)

// checkFiles fails when a secret can be read below dir, or a file by others.
func checkFiles(t *testing.T, dir string) {
	t.Helper()
	sealed := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.Contains(text, []byte(canary)) || bytes.Contains(text, []byte("access")) {
			t.Errorf("%s holds a secret in the clear", filepath.Base(path))
		}
		if filepath.Ext(path) == ".sealed" {
			sealed++
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", filepath.Base(path), info.Mode().Perm())
		}
		return err
	})
	if err != nil || sealed == 0 {
		t.Errorf("%d sealed files, %v", sealed, err)
	}
}

func TestASealedRecordOpensForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := credential.NewFiles(filepath.Join(dir, "gateway"), func() (*secret.Keyring, error) {
		return secret.OpenKeyring(filepath.Join(dir, "master.key"), true)
	})
	alice := credential.Key{Kind: "tokens", Server: "crm", Caller: "alice"}
	bob := credential.Key{Kind: "tokens", Server: "crm", Caller: "bob"}
	if b, err := store.Load(alice); b != nil || err != nil {
		t.Fatalf("an empty store has %q, %v", b, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "master.key")); err == nil {
		t.Error("looking for a token made a key")
	}
	for _, k := range []credential.Key{alice, bob} {
		if err := store.Save(k, []byte(k.Caller+" "+canary)); err != nil {
			t.Fatal(err)
		}
	}
	checkFiles(t, dir)
	if b, err := store.Load(alice); string(b) != "alice "+canary || err != nil {
		t.Errorf("alice's record: %q, %v", b, err)
	}
	// Somebody who can write files, but has no key, gives alice bob's token.
	files, err := filepath.Glob(filepath.Join(dir, "gateway", "*.sealed"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	one, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files[1], one, 0o600); err != nil {
		t.Fatal(err)
	}
	a, errA := store.Load(alice)
	b, errB := store.Load(bob)
	if (errA == nil) == (errB == nil) || string(a) == "bob "+canary || string(b) == "alice "+canary {
		t.Errorf("after the swap alice has %q (%v), bob %q (%v)", a, errA, b, errB)
	}
}
