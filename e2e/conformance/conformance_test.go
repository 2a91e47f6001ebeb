package conformance_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/testkit"
)

var update = flag.Bool("update", false, "rewrite docs/conformance.md")

// TestSuite runs every scenario of the conformance suite directly and through the
// relay, compares them, and compares the table of all with docs/conformance.md.
func TestSuite(t *testing.T) {
	t.Parallel()
	n := needNode(t)
	var servers, clients comparison
	// The two halves touch nothing of each other.
	t.Run("scenarios", func(t *testing.T) {
		t.Run("server", func(t *testing.T) { t.Parallel(); servers = serverScenarios(t, n) })
		t.Run("client", func(t *testing.T) { t.Parallel(); clients = clientScenarios(t, n) })
	})
	if t.Failed() {
		t.FailNow()
	}
	if len(servers.found) == 0 || len(clients.found) == 0 {
		return // -run chose a half
	}
	servers.clean(t)
	servers.judge(t, serverExceptions)
	clients.judge(t, clientExceptions)

	file := filepath.Join(testkit.Root(t), "docs", "conformance.md")
	page := document(servers, clients)
	if *update {
		if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), page); diff != "" {
		t.Errorf("docs/conformance.md is not what the suite says; if the change is meant, run `go test ./e2e/conformance -update` (-committed +now):\n%s", diff)
	}
}

// serverScenarios lets the suite test a server: the one with everything.
func serverScenarios(t *testing.T, n node) comparison {
	upstream := everything(t)
	return compare(t, []way{
		{"direct", func(t *testing.T, into findings) { n.testServer(t, into, everything(t).url) }},
		{"HTTP → HTTP", func(t *testing.T, into findings) {
			n.testServer(t, into, relay(t, "--upstream", upstream.url).url)
		}},
		{withPolicy, func(t *testing.T, into findings) {
			n.testServer(t, into, relay(t, "--upstream", upstream.url, "--policy", allowAll(t)).url)
		}},
		{toStdio, func(t *testing.T, into findings) {
			n.testServer(t, into, relay(t, "--", program(t, "everything")).url)
		}},
	})
}

func (n node) testServer(t *testing.T, into findings, url string) {
	env := environment(t)
	for _, revision := range revisions {
		n.suite(t, into, revision, env, "server", "--url", url, "--requirements", revision)
	}
	for _, name := range skills {
		n.suite(t, into, extensionRevision, env, "server", "--url", url, "--scenario", name)
	}
}

var clientSets sync.Mutex

// clientScenarios lets the suite test a client: one on the official Go SDK, which the
// relay either stands before or not. With the relay, the OAuth client is the relay's.
func clientScenarios(t *testing.T, n node) comparison {
	run := func(via string, more ...string) func(*testing.T, findings) {
		return func(t *testing.T, into findings) {
			command := strings.Join(append([]string{program(t, "client"), "--via", via, "--sluice", program(t, "sluice")}, more...), " ")
			// The suite starts all scenarios of a set at once; one set at a time is enough.
			clientSets.Lock()
			defer clientSets.Unlock()
			for _, revision := range revisions {
				n.suite(t, into, revision, environment(t), "client", "--command", command, "--requirements", revision)
			}
		}
	}
	return compare(t, []way{
		{"direct", run("direct")}, {"stdio → HTTP", run("stdio")}, {"HTTP → HTTP", run("http")}, {withPolicy, run("http", "--policy", allowAll(t))},
	})
}

// withPolicy is the way through the whole pipeline: every call is judged, by a policy
// that allows everything, and recorded.
const withPolicy = "HTTP → HTTP, allow-all policy"

func allowAll(t *testing.T) string {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("testdata", "allow-all.json"))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// toStdio is the way to a server that is a child process.
const toStdio = "HTTP → stdio"

// way is one road from the suite to what it tests.
type way struct {
	name string
	run  func(*testing.T, findings)
}

// comparison is what was found on each way; the first is the measure of the others.
type comparison struct {
	ways  []string
	found []findings
}

func compare(t *testing.T, ways []way) comparison {
	c := comparison{found: make([]findings, len(ways))}
	for i, w := range ways {
		c.ways = append(c.ways, w.name)
		c.found[i] = findings{}
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			w.run(t, c.found[i])
		})
	}
	return c
}
