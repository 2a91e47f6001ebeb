package repotest

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/testkit"
)

const modulePath = "sluice"

var update = flag.Bool("update", false, "rewrite committed lists and generated docs")

// listed is the part of `go list -json` that the tests read.
type listed struct {
	ImportPath   string
	Dir          string
	Doc          string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
	Imports      []string
	Module       *struct {
		Path, Version, Dir, GoMod string
		Main                      bool
	}
}

// ours returns every package of the module. It is asked for once: `go list`
// takes a second on a busy machine.
var ours = sync.OnceValues(func() ([]listed, error) { return goList("./...") })

// linked returns every package of the released binary, which is built without cgo.
var linked = sync.OnceValues(func() ([]listed, error) { return goList("-deps", "./cmd/sluice") })

func goList(args ...string) ([]listed, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,Doc,GoFiles,TestGoFiles,XTestGoFiles,Imports,Module"}, args...)...)
	cmd.Dir = root
	// One platform, so that the committed list is the same wherever it is compared.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list %s: %w", strings.Join(args, " "), err)
		}
		all = append(all, p)
	}
}

// moduleRoot is testkit.Root for code that runs once for several tests.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

// must unwraps the result of ours or linked.
func must(t *testing.T, get func() ([]listed, error)) []listed {
	t.Helper()
	list, err := get()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// name is the path of a package inside the module, "." for its root.
func name(importPath string) (rel string, isOurs bool) {
	if importPath == modulePath {
		return ".", true
	}
	return strings.CutPrefix(importPath, modulePath+"/")
}

// compareFile compares got with a committed file (path from the root of the
// repository), or writes it with -update.
func compareFile(t *testing.T, path, got string) {
	t.Helper()
	file := filepath.Join(testkit.Root(t), filepath.FromSlash(path))
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run `make update` and commit the file", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s is not what the code says; if the change is meant, run `make update` and commit (-committed +now):\n%s", path, diff)
	}
}
