package graphtool_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/graphtool"
	"sluice/internal/graphtool/tool"
	"sluice/internal/writetool"
)

var update = flag.Bool("update", false, "write the snapshots of the definitions")

func TestEveryRecordHoldsTogether(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range all() {
		if seen[r.Name] {
			t.Errorf("two tools are named %s", r.Name)
		}
		seen[r.Name] = true
		for _, p := range r.Problems() {
			t.Error(p)
		}
	}
}

// TestDefinitions compares each definition with its snapshot, so that a change of what
// agents read shows in review.
func TestDefinitions(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("testdata", "definitions")
	var names []string
	for _, r := range all() {
		def, err := r.Definition()
		if err != nil {
			t.Errorf("%s: %v", r.Name, err)
			continue
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, def, "", "  "); err != nil {
			t.Fatal(err)
		}
		pretty.WriteByte('\n')
		file := filepath.Join(dir, r.Name+".json")
		names = append(names, r.Name+".json")
		if *update {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, pretty.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%s has no snapshot: go test ./internal/graphtool -run TestDefinitions -update", r.Name)
			continue
		}
		if diff := cmp.Diff(string(want), pretty.String()); diff != "" {
			t.Errorf("%s has changed (-update writes it):\n%s", r.Name, diff)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if slices.Contains(names, e.Name()) {
			continue
		}
		if *update {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				t.Fatal(err)
			}
			continue
		}
		t.Errorf("the snapshot %s belongs to no tool", e.Name())
	}
}

// TestParity: all names and parameters that agents know from elsewhere are here.
func TestParity(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "parity.txt"))
	if err != nil {
		t.Fatal(err)
	}
	tools, params := 0, 0
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		tools++
		r := find(words[0])
		if r == nil {
			t.Errorf("there is no %s", words[0])
			continue
		}
		for _, p := range words[1:] {
			params++
			name, _ := strings.CutSuffix(p, "!")
			if !slices.ContainsFunc(r.Args, func(a tool.Arg) bool { return a.Name == name }) {
				t.Errorf("%s has no argument %s", r.Name, name)
			}
		}
		for _, a := range r.Args {
			// What needed no argument there must not need one here.
			if a.Required && !slices.Contains(words[1:], a.Name+"!") {
				t.Errorf("%s needs %s, which callers don't have to give elsewhere", r.Name, a.Name)
			}
		}
	}
	if tools != 200 {
		t.Errorf("%d names in the list", tools)
	}
	t.Logf("%d names, %d parameters", tools, params)
}

// all are the tools of Meta's platform and those of write-back.
func all() []*tool.Tool { return slices.Concat(graphtool.All(), writetool.Records()) }

func find(name string) *tool.Tool {
	list := all()
	if i := slices.IndexFunc(list, func(t *tool.Tool) bool { return t.Name == name }); i >= 0 {
		return list[i]
	}
	return nil
}

// TestFewHooks: data says what most tools do.
func TestFewHooks(t *testing.T) {
	t.Parallel()
	graph, hooks := 0, 0
	for _, r := range all() {
		if r.Gone == nil && len(r.Operations()) == 0 {
			continue // it asks nothing of Meta
		}
		graph++
		if r.Run != nil || r.Check != nil || r.Shape != nil {
			hooks++
		}
	}
	t.Logf("%d of %d tools have a hook", hooks, graph)
	if hooks*10 > graph {
		t.Errorf("%d of %d tools have a hook in Go; the record format lacks something", hooks, graph)
	}
}

// TestShortList: clients refuse long lists, so what all see is short.
func TestShortList(t *testing.T) {
	t.Parallel()
	listed := len(writetool.Records()) // in any case
	for _, r := range graphtool.All() {
		if r.Core {
			listed++
		}
	}
	if listed > 39 {
		t.Errorf("%d tools are in the short list, which has room for 39 beside the search", listed)
	}
}
