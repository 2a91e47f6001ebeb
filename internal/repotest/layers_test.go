package repotest

import (
	"fmt"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// layer is a set of packages that know the layers below them and neither each
// other nor anything above.
type layer struct {
	name     string
	packages []string
}

// layers is the direction of the product, from the entry points down. A new
// package gets its place here first: the lowest layer that it can live in.
var layers = []layer{
	{"entry points", []string{"cmd/sluice", "examples/agent-session", "examples/online-retail", "examples/online-retail/prepare", "internal/graphspec/drift"}},
	{"commands", []string{"internal/cli"}},
	{"guided tour", []string{"internal/demo"}},
	{"wiring", []string{"internal/app"}},
	{"technology", []string{"internal/store/sqlite", "internal/store/postgres", "internal/store/journal"}},
	{"shared statements", []string{"internal/store/sqlrepo"}},
	{"faces", []string{"internal/api", "internal/writetool"}},
	{"features", []string{"internal/writeback", "internal/sandbox", "internal/auth", "internal/webhook", "internal/gateway",
		"internal/gateway/pipeline", "internal/govern", "internal/approve", "internal/policytool", "internal/bearer", "internal/graphtool", "internal/mcpserver", "internal/doctor"}},
	{"delivery", []string{"internal/deliver", "internal/graphtool/tool", "internal/sandbox/world", "internal/chart"}},
	{"domain", []string{"internal/ledger", "internal/enforce", "internal/source", "internal/graph", "internal/frozen", "internal/config",
		"internal/mcpwire/httpserve", "internal/mcpwire/stdioserve", "internal/mcpwire/httpdial", "internal/mcpwire/stdiodial", "internal/mcpwire/era", "internal/credential"}},
	{"records", []string{"internal/audit", "internal/schedule", "internal/tenant", "internal/outcome", "internal/inbox", "internal/privacy", "internal/registry"}},
	{"pure parts", []string{"internal/mapping", "internal/extsort", "internal/secret", "internal/mcpwire/exchange"}},
	{"foundations", []string{"capi", "policy", "internal/crash", "internal/fault", "internal/ids", "internal/obs", "internal/suggest", "internal/work", "internal/strictjson", "internal/mcpwire", "internal/mcpwire/socket", "internal/filelock", "internal/graphspec"}},
}

// sideways lists the imports inside one layer that are meant, each with its reason.
var sideways = map[string]string{}

// only limits what a package may import of ours, more tightly than its layer does.
var only = map[string][]string{
	"capi":            nil, // usable by any Go program on its own
	"policy":          nil, // so is this
	"internal/source": {"internal/fault", "internal/suggest"},
}

// importedBy limits who may import a package: technology is chosen in one place.
var importedBy = map[string][]string{
	"internal/store/sqlite":   {"internal/app"},
	"internal/store/postgres": {"internal/app"},
	"internal/store/journal":  {"internal/app"},
}

// pure packages compute: what they need of the machine is handed to them.
var pure = []string{"capi", "policy", "internal/mapping", "internal/mcpwire", "internal/graphspec", "internal/sandbox/world"}

// machine holds the standard packages that reach the machine.
var machine = []string{"os", "os/exec", "net", "net/http", "database/sql", "syscall", "plugin"}

// testOnly packages are imported by tests and by each other, never by the product.
var testOnly = []string{"internal/testkit", "internal/testkit/*", "internal/repotest", "internal/ledger/ledgertest", "internal/enforce/enforcetest", "internal/store", "e2e", "e2e/*", "e2e/*/*", "bench/*"}

// judge applies the rules to one import graph: package -> what it imports, both
// as paths inside the module.
func judge(graph map[string][]string, sideways map[string]string) []string {
	rank := map[string]int{}
	layerName := map[int]string{}
	for i, l := range layers {
		layerName[i] = l.name
		for _, p := range l.packages {
			rank[p] = i
		}
	}
	var faults []string
	say := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	unused := map[string]bool{}
	for edge := range sideways {
		unused[edge] = true
	}

	for from, imports := range graph {
		if isTestOnly(from) {
			continue
		}
		fromRank, known := rank[from]
		if !known {
			say("%s has no layer: add it to the lowest layer of internal/repotest/layers_test.go that it can live in", from)
			continue
		}
		for _, to := range imports {
			edge := from + " -> " + to
			toRank, known := rank[to]
			switch {
			case isTestOnly(to):
				say("%s: the product imports a package made for tests", edge)
				continue
			case !known:
				continue // said once, as a package of its own
			case toRank < fromRank:
				say("%s: points up, from %s to %s; declare an interface in %s and let internal/app hand the other in",
					edge, layerName[fromRank], layerName[toRank], from)
			case toRank == fromRank && sideways[edge] == "":
				say("%s: both are %s; packages of one layer meet through an interface that the consumer declares, wired in internal/app",
					edge, layerName[fromRank])
			}
			delete(unused, edge)
			if allowed, limited := only[from]; limited && !slices.Contains(allowed, to) {
				say("%s: %s may import of ours only %v", edge, from, allowed)
			}
			if allowed, limited := importedBy[to]; limited && !slices.Contains(allowed, from) {
				say("%s: only %v may import %s", edge, allowed, to)
			}
		}
	}
	for edge := range unused {
		say("%s: is allowed as an exception but not there any more; remove it from sideways", edge)
	}
	sort.Strings(faults)
	return faults
}

func isTestOnly(p string) bool {
	return slices.ContainsFunc(testOnly, func(pattern string) bool {
		ok, err := path.Match(pattern, p)
		return err == nil && ok
	})
}

func TestImportsPointInwards(t *testing.T) {
	t.Parallel()
	graph := map[string][]string{}
	for _, p := range must(t, ours) {
		from, _ := name(p.ImportPath)
		graph[from] = nil
		for _, imp := range p.Imports {
			if to, isOurs := name(imp); isOurs {
				graph[from] = append(graph[from], to)
			}
		}
	}
	if len(graph) < 10 {
		t.Fatalf("only %d packages seen", len(graph))
	}
	for _, fault := range judge(graph, sideways) {
		t.Error(fault)
	}
}

func TestPurePackagesDoNotReachTheMachine(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, p := range must(t, ours) {
		rel, _ := name(p.ImportPath)
		if !slices.Contains(pure, rel) {
			continue
		}
		seen++
		for _, imp := range p.Imports {
			if slices.Contains(machine, imp) {
				t.Errorf("%s imports %s: take a reader, a writer or a value instead", rel, imp)
			}
		}
	}
	if seen != len(pure) {
		t.Errorf("%d of %d pure packages exist: %v", seen, len(pure), pure)
	}
}

// The judge is tested on graphs of its own: on a healthy tree it says nothing,
// which would also be true of a judge that is blind.
func TestJudge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		from, to  string
		exception string
		wantsPart string
		noFaults  bool
	}{
		{name: "downwards", from: "internal/app", to: "capi", noFaults: true},
		{name: "upwards", from: "internal/graph", to: "internal/deliver", wantsPart: "points up, from domain to delivery"},
		{name: "sideways", from: "internal/writeback", to: "internal/sandbox", wantsPart: "both are features"},
		{name: "capi imports nothing", from: "capi", to: "internal/fault", wantsPart: "capi may import of ours only []"},
		{name: "source imports fault only", from: "internal/source", to: "internal/extsort", wantsPart: "only [internal/fault internal/suggest]"},
		{name: "technology", from: "internal/cli", to: "internal/store/sqlite", wantsPart: "only [internal/app] may import"},
		{name: "test helper in the product", from: "internal/graph", to: "internal/testkit", wantsPart: "made for tests"},
		{name: "package without a layer", from: "internal/nowhere", to: "capi", wantsPart: "internal/nowhere has no layer"},
		{name: "tests may import anything", from: "internal/ledger/ledgertest", to: "internal/app", noFaults: true},
		{name: "exception that is gone", from: "internal/app", to: "capi", exception: "internal/graph -> internal/audit", wantsPart: "remove it from sideways"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var meant map[string]string
			if tt.exception != "" {
				meant = map[string]string{tt.exception: "for this test"}
			}
			got := judge(map[string][]string{tt.from: {tt.to}}, meant)
			if tt.noFaults {
				if diff := cmp.Diff([]string(nil), got); diff != "" {
					t.Errorf("%s -> %s (-want +got):\n%s", tt.from, tt.to, diff)
				}
				return
			}
			if !strings.Contains(strings.Join(got, "\n"), tt.wantsPart) {
				t.Errorf("%s -> %s: faults %q, want one with %q", tt.from, tt.to, got, tt.wantsPart)
			}
		})
	}
}

func TestEveryPackageHasADoc(t *testing.T) {
	t.Parallel()
	for _, p := range must(t, ours) {
		rel, _ := name(p.ImportPath)
		doc := p.Doc
		if len(p.GoFiles) == 0 {
			doc = docOfTests(t, p)
		}
		switch {
		case doc == "":
			t.Errorf("%s: no package comment; say what it guarantees and where its limits are", rel)
		case !strings.HasPrefix(doc, "Package ") && !strings.HasPrefix(doc, "Command "):
			t.Errorf("%s: package comment starts with %.40q, want \"Package …\" or \"Command …\"", rel, doc)
		}
	}
}

// docOfTests is the package comment of a package that has tests only, which
// `go list` does not report.
func docOfTests(t *testing.T, p listed) string {
	t.Helper()
	for _, file := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if parsed.Doc != nil {
			return parsed.Doc.Text()
		}
	}
	return ""
}
