package repotest

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sluice/internal/testkit"
)

// skippedDirs hold what is not ours or not committed.
var skippedDirs = map[string]bool{".git": true, "node_modules": true, "bin": true, "dist": true}

// files calls visit for every file of the repository, with its path from the root.
func files(t *testing.T, visit func(path string, content []byte)) {
	t.Helper()
	root := testkit.Root(t)
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && skippedDirs[d.Name()] {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(p)
		if os.IsNotExist(err) {
			return nil // another test's temporary file
		}
		if err != nil {
			return err
		}
		visit(filepath.ToSlash(rel), content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// machinePath finds absolute paths that exist on one machine only. The pattern
// is put together so that this file does not match itself.
var machinePath = regexp.MustCompile(`(?:^|[\s"'` + "`" + `(=:])/(?:work|root|home|Users)` + `/[A-Za-z0-9._-]+`)

// registryHost finds settings that choose where packages come from.
var registryHost = regexp.MustCompile(`(?i)(?:GOPROXY|GONOSUMDB|GOSUMDB|registry)\s*[=:]\s*["']?(https?://[^\s"'|,]+)`)

// publicRegistries are the hosts that such a setting, or a lock file, may name.
var publicRegistries = map[string]bool{"proxy.golang.org": true, "sum.golang.org": true, "registry.npmjs.org": true}

func TestFilesNameNoMachine(t *testing.T) {
	t.Parallel()
	seen := 0
	files(t, func(path string, content []byte) {
		seen++
		if bytes.IndexByte(content, 0) >= 0 {
			return // binary: fixtures such as compressed samples
		}
		for _, fault := range machineFaults(content) {
			t.Errorf("%s: %s", path, fault)
		}
		if filepath.Base(path) == "package-lock.json" {
			for _, fault := range lockFaults(t, content) {
				t.Errorf("%s: %s", path, fault)
			}
		}
	})
	if seen < 20 {
		t.Fatalf("only %d files seen", seen)
	}
}

func machineFaults(content []byte) (faults []string) {
	if m := machinePath.Find(content); m != nil {
		faults = append(faults, "names a path of one machine: "+strings.TrimSpace(string(m)))
	}
	for _, m := range registryHost.FindAllSubmatch(content, -1) {
		if u, err := url.Parse(string(m[1])); err != nil || !publicRegistries[u.Host] {
			faults = append(faults, "names a package registry that is not a public one: "+string(m[1]))
		}
	}
	return faults
}

// lockFaults checks npm's lock file: with a `resolved` of another host, npm ci
// would fetch from there on every machine.
func lockFaults(t *testing.T, content []byte) (faults []string) {
	t.Helper()
	var lock struct {
		Packages map[string]struct {
			Resolved  string `json:"resolved"`
			Integrity string `json:"integrity"`
		} `json:"packages"`
	}
	if err := json.Unmarshal(content, &lock); err != nil {
		return []string{err.Error()}
	}
	for pkg, p := range lock.Packages {
		if pkg == "" {
			continue // the project itself
		}
		if p.Integrity == "" {
			faults = append(faults, pkg+" has no integrity hash")
		}
		if p.Resolved == "" {
			continue
		}
		if u, err := url.Parse(p.Resolved); err != nil || u.Scheme != "https" || u.Host != "registry.npmjs.org" {
			faults = append(faults, pkg+" resolves to another place than the npm registry")
		}
	}
	return faults
}

func TestMachineFaults(t *testing.T) {
	t.Parallel()
	slash := "/"
	tests := []struct {
		name, text string
		faults     int
	}{
		{"home directory", `open("` + slash + `home/somebody/orders.csv")`, 1},
		{"workspace", "cd " + slash + "work/main", 1},
		{"URL path", "GET https://example.com/work/main", 0},
		{"relative path", "see testdata/work/main.txt", 0},
		{"private proxy", "GOPROXY" + "=https://goproxy.example.com,direct", 1},
		{"public proxy", "GOPROXY" + "=https://proxy.golang.org,direct", 0},
		{"private npm registry", "registry" + " = https://npm.example.com/", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := machineFaults([]byte(tt.text)); len(got) != tt.faults {
				t.Errorf("machineFaults(%q) = %q, want %d", tt.text, got, tt.faults)
			}
		})
	}
}

func TestLockFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, entry string
		faults      int
	}{
		{"address left out", `{"integrity":"sha512-x"}`, 0},
		{"public registry", `{"integrity":"sha512-x","resolved":"https://registry.npmjs.org/a/-/a-1.0.0.tgz"}`, 0},
		{"mirror", `{"integrity":"sha512-x","resolved":"https://npm.example.com/a/-/a-1.0.0.tgz"}`, 1},
		{"no hash", `{"resolved":"https://registry.npmjs.org/a/-/a-1.0.0.tgz"}`, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := lockFaults(t, []byte(`{"packages":{"":{},"node_modules/a":`+tt.entry+`}}`))
			if len(got) != tt.faults {
				t.Errorf("%s: faults %q, want %d", tt.entry, got, tt.faults)
			}
		})
	}
}

// A sleep in a test is either too short on a busy machine or too long on every
// other. Inside synctest.Test it moves the bubble's own clock and is fine.
func TestTestsDoNotSleep(t *testing.T) {
	t.Parallel()
	seen := 0
	files(t, func(path string, content []byte) {
		if !strings.HasSuffix(path, "_test.go") {
			return
		}
		seen++
		for _, at := range sleeps(t, path, content) {
			t.Errorf("%s: time.Sleep in a test; inject a clock, or use testing/synctest", at)
		}
	})
	if seen < 5 {
		t.Fatalf("only %d test files seen", seen)
	}
}

// sleeps returns the positions of calls to time.Sleep outside synctest bubbles.
func sleeps(t *testing.T, path string, content []byte) (found []string) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, content, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if isSelector(call.Fun, "synctest", "Test") {
			return false
		}
		if isSelector(call.Fun, "time", "Sleep") {
			found = append(found, fset.Position(call.Pos()).String())
		}
		return true
	})
	return found
}

func isSelector(e ast.Expr, pkg, name string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && id.Name == pkg
}

func TestSleeps(t *testing.T) {
	t.Parallel()
	const head = "package p\nfunc TestX(t *testing.T) {\n"
	tests := []struct {
		name, body string
		found      int
	}{
		{"plain", "time.Sleep(1)", 1},
		{"in a goroutine", "go func() { time.Sleep(1) }()", 1},
		{"in a bubble", "synctest.Test(t, func(t *testing.T) { time.Sleep(1) })", 0},
		{"in a comment", "// time.Sleep(1)", 0},
		{"in a string", `_ = "time.Sleep(1)"`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := sleeps(t, "x_test.go", []byte(head+tt.body+"\n}\n")); len(got) != tt.found {
				t.Errorf("sleeps(%q) = %v, want %d", tt.body, got, tt.found)
			}
		})
	}
}
