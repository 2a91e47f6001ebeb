package stdiodial

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/mcpwire/exchange"
)

func landlocked(t *testing.T) {
	t.Helper()
	if landlockVersion() < oldestLandlock {
		t.Skip("SKIP: this kernel has no Landlock that could be tested")
	}
}

// secrets is a directory tree with something to protect.
func secrets(t *testing.T) (root, protected, secret, open string) {
	t.Helper()
	root = t.TempDir()
	protected = filepath.Join(root, "above", "state")
	secret = filepath.Join(protected, "sub", "key")
	open = filepath.Join(root, "above", "open", "file")
	for _, f := range []string{secret, open} {
		if err := os.MkdirAll(filepath.Dir(f), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f, []byte("content"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root, protected, secret, open
}

func arguments(t *testing.T, path, other string) string {
	t.Helper()
	b, err := json.Marshal(map[string]string{"path": path, "text": other})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Both ways of protection are tested as far as this user can use them: mounts need a
// capability, Landlock alone needs none.
func TestChildCannotReachWhatIsProtected(t *testing.T) {
	t.Parallel()
	landlocked(t)
	for _, hide := range []bool{true, false} {
		t.Run(fmt.Sprintf("mounts %v", hide), func(t *testing.T) {
			t.Parallel()
			if hide && !mayMount() {
				t.Skip("SKIP: this user can't make mounts")
			}
			root, protected, secret, open := secrets(t)
			link := filepath.Join(root, "above", "link")
			if err := os.Symlink(filepath.Join(root, "above"), link); err != nil {
				t.Fatal(err)
			}
			b := setup(t, "modern", func(o *Options) {
				o.Protect, o.Isolation, o.noMounts = []string{protected}, IsolateRequired, !hide
			})
			refused := func(name, path, other string) {
				t.Helper()
				if got := b.ask(t, "a", name, arguments(t, path, other)); !strings.HasPrefix(got, "error: ") {
					t.Errorf("%s %s: %s", name, path, got)
				}
			}
			granted := func(name, path, other string) {
				t.Helper()
				if got := b.ask(t, "a", name, arguments(t, path, other)); strings.HasPrefix(got, "error: ") {
					t.Errorf("%s %s: %s", name, path, got)
				}
			}
			granted("read", open, "")
			granted("write", open, "")
			granted("write", filepath.Join(filepath.Dir(open), "new"), "")
			granted("temp", "", "")
			granted("rename", open, open+"2")
			refused("read", secret, "")
			refused("read", filepath.Join(link, "state", "sub", "key"), "")
			refused("read", fmt.Sprintf("/proc/%d/root%s", os.Getpid(), secret), "")
			refused("read", fmt.Sprintf("/proc/%d/environ", os.Getpid()), "")
			refused("read", fmt.Sprintf("/proc/%d/mem", os.Getpid()), "")
			refused("write", secret, "")
			refused("write", filepath.Join(protected, "new"), "")
			refused("link", secret, filepath.Join(filepath.Dir(open), "stolen"))
			refused("rename", protected, filepath.Join(filepath.Dir(open), "stolen"))
			if data, err := os.ReadFile(secret); err != nil || string(data) != "content" {
				t.Errorf("the secret is now %q, %v", data, err)
			}
		})
	}
}

func TestProtectedPathThatAppearsLater(t *testing.T) {
	t.Parallel()
	landlocked(t)
	root := t.TempDir()
	protected := filepath.Join(root, "later", "state")
	b := setup(t, "modern", func(o *Options) { o.Protect, o.Isolation = []string{protected}, IsolateRequired })
	b.ask(t, "a", "pid", "")
	if err := os.MkdirAll(protected, 0o700); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(protected, "key")
	if err := os.WriteFile(secret, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := b.ask(t, "a", "read", arguments(t, secret, "")); !strings.HasPrefix(got, "error: ") {
		t.Errorf("it read %q", got)
	}
}

func TestProtectedFile(t *testing.T) {
	t.Parallel()
	landlocked(t)
	_, _, secret, open := secrets(t)
	b := setup(t, "modern", func(o *Options) { o.Protect, o.Isolation = []string{secret}, IsolateRequired })
	if got := b.ask(t, "a", "read", arguments(t, secret, "")); got != "" && !strings.HasPrefix(got, "error: ") {
		t.Errorf("it read %q", got)
	}
	if got := b.ask(t, "a", "read", arguments(t, open, "")); got != "content" {
		t.Errorf("beside it: %q", got)
	}
}

func TestCommandThatCannotRun(t *testing.T) {
	t.Parallel()
	landlocked(t)
	file := filepath.Join(t.TempDir(), "prog")
	if err := os.WriteFile(file, []byte("neither a script nor a program"), 0o700); err != nil {
		t.Fatal(err)
	}
	b := setup(t, "modern", func(o *Options) { o.Command = []string{file} })
	err := b.Call(within(t), sent(t, "a", tool("1", "pid", "", "")), newSink())
	wantCode(t, err, exchange.Unreachable)
	if !strings.Contains(err.Error(), "prog: exec format error") {
		t.Errorf("the error is %v", err)
	}
}
