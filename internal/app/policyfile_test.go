package app

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/internal/mcpwire/exchange"
	"sluice/internal/registry"
	"sluice/policy"
)

// followed is a policy file that a test looks at itself.
func followed(t *testing.T, document string) (f *PolicyFile, path string, logged *bytes.Buffer) {
	t.Helper()
	path, logged = filepath.Join(t.TempDir(), "policy.json"), &bytes.Buffer{}
	writePolicy(t, path, document, time.Now())
	f, err := OpenPolicyFile(path, "default", registry.Enforce, registry.Settings{}, slog.New(slog.NewTextHandler(logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return f, path, logged
}

func writePolicy(t *testing.T, path, document string, mod time.Time) {
	t.Helper()
	if err := os.WriteFile(path, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, mod, mod); err != nil {
		t.Fatal(err)
	}
}

func allows(f *PolicyFile, tool string) bool {
	return f.Subject(exchange.Caller{}, "").Policies[0].Policy.Decide(policy.Call{Tool: tool}).Verdict == policy.Allow
}

// A file that is written twice within one step of the file system's clock, with as many
// bytes, looks the same the second time.
func TestAPolicyIsReadAnewThoughItLooksTheSame(t *testing.T) {
	t.Parallel()
	const before, after = `{"version":"1","default":"deny","tools":{"a":{}}}`, `{"version":"1","default":"deny","tools":{"b":{}}}`
	f, path, _ := followed(t, before)
	news := f.Changed()
	writePolicy(t, path, after, f.seen.mod)
	f.look()
	if allows(f, "a") || !allows(f, "b") {
		t.Error("the policy of before is in force")
	}
	select {
	case <-news:
	default:
		t.Error("nobody was told")
	}
}

// A policy that is gone stays in force, and that is said once.
func TestAPolicyFileThatIsGone(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(path string) error{
		"removed": os.Remove,
		"empty":   func(path string) error { return os.Truncate(path, 0) },
		"no file": func(path string) error { _ = os.Remove(path); return os.Mkdir(path, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const document = `{"version":"1","default":"deny","tools":{"a":{}}}`
			f, path, logged := followed(t, document)
			if err := lose(path); err != nil {
				t.Fatal(err)
			}
			f.look()
			if logged.Len() > 0 {
				t.Errorf("it is said at once, in the middle of a replacement perhaps: %s", logged)
			}
			for range 2 * patience {
				f.look()
			}
			if n := strings.Count(logged.String(), "stays in force"); n != 1 || !allows(f, "a") {
				t.Errorf("it was said %d times: %s", n, logged)
			}
			_ = os.RemoveAll(path)
			writePolicy(t, path, strings.Replace(document, `"a"`, `"b"`, 1), time.Now())
			if f.look(); !allows(f, "b") {
				t.Error("it came back and is not read")
			}
		})
	}
}
