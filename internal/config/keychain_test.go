package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestKeychain reads an entry through a program of the name that the system has.
func TestKeychain(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the program has a fixed path here")
	}
	dir := t.TempDir()
	script := "#!/bin/sh\n[ \"$1 $2 $3 $4 $5\" = 'lookup service sluice username meta' ] && echo token-of-the-keychain || exit 1\n"
	if err := os.WriteFile(filepath.Join(dir, "secret-tool"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/bin:/usr/bin")
	got, err := (&Keychain{Service: "sluice", User: "meta"}).read(t.Context())
	if err != nil || got != "token-of-the-keychain" {
		t.Errorf("%q, %v", got, err)
	}
	_, err = (&Keychain{Service: "sluice", User: "nobody"}).read(t.Context())
	if err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("an entry that is not there: %v", err)
	}
}

func TestKeychainOfEverySystem(t *testing.T) {
	k := &Keychain{Service: "sluice", User: "meta"}
	if got := k.lookup("darwin"); got[0] != "/usr/bin/security" || got[len(got)-1] != "-w" {
		t.Errorf("%q", got)
	}
	if got := k.lookup("windows"); got != nil {
		t.Errorf("%q", got)
	}
}
