//go:build unix

package tool

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"sluice/internal/fault"
)

// TestOpenRefuses: what is no file inside the folder is refused at once; a pipe that
// nobody writes to would else hold the call for ever.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	secret := filepath.Join(outside, "secret.png")
	if err := os.WriteFile(secret, []byte("\x89PNG\r\n\x1a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, make := range map[string]func(string) error{
		"pipe.png":   func(at string) error { return syscall.Mkfifo(at, 0o600) },
		"link.png":   func(at string) error { return os.Symlink(secret, at) },
		"folder.png": func(at string) error { return os.Mkdir(at, 0o700) },
		"empty.png":  func(at string) error { return os.WriteFile(at, nil, 0o600) },
	} {
		if err := make(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"pipe.png", "link.png", "folder.png", "empty.png", "../" + filepath.Base(outside) + "/secret.png", secret, "none.png", ""} {
		e := &Env{Args: Args{"file": name}, Settings: Settings{UploadDir: dir}}
		f, err := e.Open("file", "image/png")
		if err == nil {
			_ = f.Close()
		}
		if fault.CodeOf(err) != fault.UploadRefused {
			t.Errorf("%q: %v", name, err)
		}
	}
}
