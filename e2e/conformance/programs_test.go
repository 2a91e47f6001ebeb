package conformance_test

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/testkit"
)

// built is where the programs under test are, in a directory of this process.
var built string

func TestMain(m *testing.M) {
	flag.Parse()
	// The suite and its like mostly wait: more of them than there are processors run
	// at once.
	if f := flag.Lookup("test.parallel"); f.Value.String() == fmt.Sprint(runtime.GOMAXPROCS(0)) {
		_ = f.Value.Set("6")
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sluice-conformance-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	built = dir
	code := m.Run()
	races, _ := filepath.Glob(filepath.Join(dir, "race.*"))
	for _, file := range races {
		b, _ := os.ReadFile(file)
		fmt.Fprintf(os.Stderr, "%s\n", b)
		code = 1
	}
	return code
}

var build = sync.OnceValue(func() error {
	if err := touchSources(); err != nil {
		return err
	}
	args := []string{"build", "-o", built + string(filepath.Separator)}
	if raced {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "sluice/cmd/sluice", "sluice/e2e/everything", "sluice/e2e/conformance/client")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
})

// touchSources looks at every Go file of the module. `go test` remembers what a test
// looked at and runs it again when that changed; the programs that it builds are not
// linked into it, so without this a result would outlive the code that it is about.
func touchSources() error {
	for _, dir := range []string{"cmd", "internal", "e2e", "capi", "policy"} {
		err := filepath.WalkDir(filepath.Join("..", "..", dir), func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// program is the path of one of the programs that this package builds.
func program(t *testing.T, name string) string {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(built, name)
}

// node is the Node that runs the packages of this directory, and where they are.
type node struct {
	bin, modules string
}

var installed = sync.OnceValues(func() (string, error) { return testkit.NodeModules(".") })

// needNode skips, or fails in CI, where the packages can't be had or Node is too old.
func needNode(t *testing.T) node {
	t.Helper()
	testkit.Need(t, "node", "npm")
	dir, err := installed()
	if err != nil {
		testkit.Unavailable(t, "the npm packages can't be installed: "+err.Error())
	}
	n := node{bin: "node", modules: filepath.Join(dir, "node_modules")}
	arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	if own := filepath.Join(n.modules, "node-"+runtime.GOOS+"-"+arch, "bin", "node"); exists(own) {
		n.bin = own
		return n
	}
	version, err := exec.Command("node", "--version").Output()
	var major, minor int
	if _, scanErr := fmt.Sscanf(string(version), "v%d.%d", &major, &minor); err != nil || scanErr != nil || major < 22 || major == 22 && minor < 19 {
		testkit.Unavailable(t, "Node 22.19 or newer is needed, this machine's says "+strings.TrimSpace(string(version)))
	}
	return n
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// script is a file of one of the packages.
func (n node) script(name string) string { return filepath.Join(n.modules, filepath.FromSlash(name)) }

// environment is what programs get: enough to run, a home of their own, and no proxy
// between them and loopback.
func environment(t *testing.T, more ...string) []string {
	t.Helper()
	home := t.TempDir()
	env := []string{"GORACE=log_path=" + filepath.Join(built, "race"), "HOME=" + home, "XDG_STATE_HOME=" + home, "TMPDIR=" + os.TempDir(), "PATH=" + os.Getenv("PATH"), "NO_COLOR=1"}
	return append(env, more...)
}

// served is a process that listens.
type served struct {
	url string
	log *output
}

// serve starts a program that prints "listening on URL", and ends it with the test.
func serve(t *testing.T, env []string, name string, args ...string) *served {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = env
	log := &output{}
	cmd.Stderr = log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	drained := make(chan struct{})
	lines := bufio.NewReader(stdout)
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		<-drained
		err := cmd.Wait()
		if !kill.Stop() {
			t.Errorf("%s did not end within 20 s of an interrupt: %v\n%s", filepath.Base(name), err, log)
		}
	})
	said := ""
	for {
		line, err := lines.ReadString('\n')
		said += line
		if url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on "); ok {
			go func() {
				defer close(drained)
				_, _ = io.Copy(io.Discard, lines) // some servers never stop talking
			}()
			return &served{url, log}
		}
		if err != nil {
			close(drained)
			t.Fatalf("%s %v said %q (%v), not \"listening on URL\"\n%s", filepath.Base(name), args, said, err, log)
		}
	}
}

// output collects what a process writes while others read it.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// everything serves the upstream with every feature over HTTP.
func everything(t *testing.T) *served {
	t.Helper()
	return serve(t, environment(t), program(t, "everything"), "--listen", "127.0.0.1:0")
}

// relay serves `sluice proxy` in front of what args name.
func relay(t *testing.T, args ...string) *served {
	t.Helper()
	return serve(t, environment(t), program(t, "sluice"), append([]string{"proxy", "--listen", "127.0.0.1:0"}, args...)...)
}

// output runs a program to its end.
func (n node) output(t *testing.T, env []string, args ...string) (stdout string, err error) {
	t.Helper()
	// Generous: it only ends a run that hangs.
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, n.bin, args...)
	cmd.Env = env
	cmd.WaitDelay = 5 * time.Second
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("node %s: %w\n%s", strings.Join(args, " "), err, errors.String())
	}
	return string(out), err
}
