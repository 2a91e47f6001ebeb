package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/internal/sandbox"
)

// connection is the part of `connect --json` that tests look at.
type connection struct {
	State  string
	Reason string
	// The pinned Graph API version.
	Version string   `json:"graph_version"`
	Scopes  []string `json:"scopes"`
	Checks  []struct{ Check, State, Text string }
}

func (c connection) check(name string) string {
	for _, k := range c.Checks {
		if k.Check == name {
			return k.State
		}
	}
	return ""
}

func TestConnectChecksStoresAndSends(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		file := w.file("token", sandbox.Token+"\n")
		var c connection
		w.ok(&c, "connect", dataset, "--token-file", file, "--test-dataset", sandbox.DatasetUnmerged)
		if c.State != "active" || c.Version == "" || len(c.Scopes) == 0 {
			t.Fatalf("%+v", c)
		}
		for _, name := range []string{"token", "scopes", "dataset", "store_events", "uploads", "clock", "version", "test_dataset"} {
			if got := c.check(name); got != "ok" {
				t.Errorf("%s: %q", name, got)
			}
		}
		// The stored credential sends, with a dead token in the environment.
		w.env = append(w.env, "META_ACCESS_TOKEN="+sandbox.TokenExpired)
		if r := w.confirmSome("north", 5); r.Counts["delivered"] != 5 {
			t.Errorf("%+v", r)
		}
		if o := w.run("connect", "list"); !strings.Contains(o.stdout, "sealed") || strings.Contains(o.stdout, sandbox.Token) {
			t.Error(o.stdout)
		}
		w.ok(nil, "connect", "check", dataset)
		// Nothing of the state directory holds the token in the clear.
		if w.dsn() == "" {
			_ = filepath.WalkDir(filepath.Join(w.dir, "state"), func(path string, d os.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				if text, err := os.ReadFile(path); err == nil && strings.Contains(string(text), sandbox.Token) {
					t.Errorf("%s holds the token", filepath.Base(path))
				}
				return nil
			})
		}
		w.ok(nil, "connect", "remove", dataset)
		w.fails("not_found", 2, "connect", "check", dataset)
		w.fails("connector_expired", 3, "connect", dataset)
		var list []connection
		w.ok(&list, "connect", "list")
		if len(list) != 0 {
			t.Errorf("a refused token left %+v", list)
		}
	})
}

func TestAnInactiveConnectionStopsConfirm(t *testing.T) {
	t.Parallel()
	w := begin(t)
	file := w.file("token", sandbox.Token)
	w.ok(nil, "connect", dataset, "--token-file", file)
	var p plan
	w.ok(&p, "preview", w.file("a.csv", w.orders("north", 3)), "-m", w.file("mapping.yaml", mappingText), "--dataset", dataset)
	w.ok(nil, "dry-run", p.ID)
	w.file("token", sandbox.TokenExpired)
	o := w.run("connect", dataset, "--token-file", file, "--json")
	var c connection
	decode(t, o.stdout, &c)
	if o.code != 3 || c.State != "inactive" || c.Reason == "" || c.check("token") != "failed" {
		t.Fatalf("exit %d, %+v", o.code, c)
	}
	w.fails("connection_inactive", 3, "confirm", p.ID)
	if w.requests() != 0 {
		t.Error("an inactive connection sent something")
	}
	w.file("token", sandbox.Token)
	w.ok(nil, "connect", dataset, "--token-file", file)
	w.ok(nil, "confirm", p.ID)
}

func TestConnectNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := begin(t)
	var c connection
	w.ok(&c, "connect", sandbox.DatasetUnmerged)
	if c.check("store_events") != "warning" {
		t.Errorf("a dataset without store events: %+v", c)
	}
	decode(t, w.run("connect", "1999999999999999", "--json").stdout, &c)
	if c.State != "inactive" || c.check("dataset") != "failed" {
		t.Errorf("an unknown dataset: %+v", c)
	}
	w.fails("usage", 2, "connect", "not-a-number")
	w.fails("usage", 2, "connect", dataset, "--test-dataset", dataset)
	w.fails("auth_required", 3, "connect", dataset, "--token-env", "NOT_SET")
	w.fails("not_found", 2, "connect", dataset, "--profile", "nobody")

	// A machine whose clock is wrong would send outside the windows.
	late := begin(t)
	late.url = w.url
	late.advance(20 * time.Minute)
	decode(t, late.run("connect", dataset, "--json").stdout, &c)
	if c.State != "inactive" || c.check("clock") != "failed" {
		t.Errorf("a clock 20 minutes off: %+v", c)
	}
}
