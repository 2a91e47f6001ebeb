package repotest

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/testkit"
)

// The design's limit, with everything that is still to come. The committed limit
// lies closer: a tenth above what the binary weighed when it was last set.
const (
	designLimit = 60_000_000
	limitFile   = "internal/repotest/testdata/binary-limit.txt"
)

// methodsByName lists the functions that may look methods up by name.
//
// The linker drops methods that nothing calls, unless a reachable function looks
// methods up by a name that it can't know while linking: then it keeps every
// exported method of every type that is used as an interface. In a program with
// our kind of libraries text/template alone cost 18 MB that way. An indirect case
// to know: protobuf's debug printer asks for a method called "Methods", which
// since Go 1.26 keeps reflect.Type.Methods, which looks up all of them (2.7 MB
// when it was measured). So a new entry here is a decision about size.
//
// parquet-go links protobuf, which looks methods up by name, and that keeps everybody
// else's: 8.8 MB together, see docs/dependencies.md.
var methodsByName = []string{
	"reflect.(*rtype).Methods.func1",
	"reflect.Value.Methods.func1",
	"reflect.(*Value).Methods.Value.Methods.func1",
	"github.com/go-json-experiment/json.addressableValue.Methods.Value.Methods.func1",
	"github.com/go-json-experiment/json.(*addressableValue).Methods.Value.Methods.func1",
	"reflect.(*Value).Method",
	"reflect.(*Value).MethodByName",
	"github.com/go-json-experiment/json.(*addressableValue).Method",
	"github.com/go-json-experiment/json.addressableValue.Method",
	"github.com/go-json-experiment/json.(*addressableValue).MethodByName",
	"github.com/go-json-experiment/json.addressableValue.MethodByName",
	"text/template.(*state).evalField",
}

func TestBinary(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the released binary")
	}
	file := filepath.Join(t.TempDir(), "sluice")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w -dumpdep", "-o", file, "./cmd/sluice")
	build.Dir = testkit.Root(t)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	edges, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, edges[:min(len(edges), 4000)])
	}

	t.Run("size", func(t *testing.T) {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d bytes", info.Size())
		if *update {
			compareFile(t, limitFile, fmt.Sprintf("%d\n", roundUp(info.Size()+info.Size()/10, 100_000)))
			return
		}
		text, err := os.ReadFile(filepath.Join(testkit.Root(t), filepath.FromSlash(limitFile)))
		if err != nil {
			t.Fatalf("%v; run `make update` and commit the file", err)
		}
		limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", limitFile, err)
		}
		if info.Size() > limit || limit > designLimit {
			t.Errorf("the binary has %d bytes, the committed limit is %d, the design's is %d; find out what came in, or raise the limit with `make update` and say why",
				info.Size(), limit, designLimit)
		}
	})

	t.Run("methods are not looked up by name", func(t *testing.T) {
		found := readDependencies(edges)
		if len(found.parent) < 1000 {
			t.Fatalf("the linker reported only %d reachable symbols: its -dumpdep output is not what this test reads", len(found.parent))
		}
		for _, allowed := range methodsByName {
			if !slices.Contains(found.byName, allowed) {
				t.Errorf("%s is allowed to look methods up by name but does not; remove it from methodsByName", allowed)
			}
		}
		unwanted := slices.DeleteFunc(found.byName, func(s string) bool { return slices.Contains(methodsByName, s) })
		if len(unwanted) > 0 {
			// The first one brought the others: once it is linked, theirs are kept too.
			t.Errorf("%d functions look methods up by name, so the linker keeps every exported method. The first is linked because of:\n  %s",
				len(unwanted), strings.Join(found.chain(unwanted[0]), "\n  <- "))
		}
	})
}

// dependencies is what the linker says about reachable symbols.
type dependencies struct {
	parent map[string]string // what made the linker keep a symbol
	byName []string          // symbols that look methods up by name, in the order they were reached
}

// chain leads from a symbol to the entry point of the program.
func (d dependencies) chain(symbol string) (links []string) {
	for ; symbol != "" && symbol != "_" && len(links) < 40; symbol = d.parent[symbol] {
		links = append(links, symbol)
	}
	return links
}

// readDependencies reads the linker's -dumpdep lines, "from <flags> -> to
// <flags>". They name reachable symbols only, each in the order it was reached.
func readDependencies(dump []byte) dependencies {
	d := dependencies{parent: map[string]string{}}
	lines := bufio.NewScanner(bytes.NewReader(dump))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		from, to, ok := strings.Cut(lines.Text(), " -> ")
		if !ok {
			continue
		}
		from, _, _ = strings.Cut(from, " <")
		to, flags, _ := strings.Cut(to, " <")
		if _, seen := d.parent[to]; seen {
			continue
		}
		d.parent[to] = from
		if strings.Contains(flags, "ReflectMethod>") {
			d.byName = append(d.byName, to)
		}
	}
	return d
}

func TestReadDependencies(t *testing.T) {
	t.Parallel()
	got := readDependencies([]byte("# sluice/cmd/sluice\n" +
		"_ -> main.main\n" +
		"main.main -> example.Walk <ReflectMethod>\n" +
		"example.Walk <ReflectMethod> -> type:example.T <UsedInIface>\n" +
		"type:example.T <UsedInIface> -> example.Both <UsedInIface><ReflectMethod>\n" +
		"example.Both <UsedInIface><ReflectMethod> -> example.Walk <ReflectMethod>\n"))
	if diff := cmp.Diff([]string{"example.Walk", "example.Both"}, got.byName); diff != "" {
		t.Errorf("byName (-want +got):\n%s", diff)
	}
	want := []string{"example.Both", "type:example.T", "example.Walk", "main.main"}
	if diff := cmp.Diff(want, got.chain("example.Both")); diff != "" {
		t.Errorf("chain (-want +got):\n%s", diff)
	}
}

func roundUp(n, step int64) int64 { return (n + step - 1) / step * step }
