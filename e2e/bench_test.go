package e2e

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/internal/cli"
	"sluice/internal/testkit"
)

// BenchmarkCSVToDelivered measures the whole way, from a CSV file to every event
// delivered, against a sandbox in another process, with the ledger in a file and in
// PostgreSQL. SLUICE_BENCH_EVENTS sets the sizes (100000, or a list with commas);
// with SLUICE_BENCH_BEFORE the ledger already holds that many.
func BenchmarkCSVToDelivered(b *testing.B) {
	sizes := strings.Split(cmp.Or(os.Getenv("SLUICE_BENCH_EVENTS"), "100000"), ",")
	for _, store := range []string{"sqlite", "postgres"} {
		for _, size := range sizes {
			n, err := strconv.Atoi(size)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(store+"/"+size, func(b *testing.B) {
				b.ReportAllocs()
				csvToDelivered(b, store, n)
			})
		}
	}
}

func csvToDelivered(b *testing.B, store string, events int) {
	before := fromEnv("SLUICE_BENCH_BEFORE", 0)
	bin, err := binary()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		var env []string
		if store == "postgres" {
			env = []string{"SLUICE_DATABASE_URL=" + testkit.Postgres(b)}
		}
		url, stop := serveSandbox(b, bin)
		run := func(args ...string) string {
			var out, errs bytes.Buffer
			code := cli.Main(b.Context(), cli.Process{
				Args:  append(args, "--state-dir", filepath.Join(dir, "state"), "--graph-url", url, "--progress", "off", "--json"),
				Env:   env,
				Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
			})
			if code != 0 {
				b.Fatalf("%v: exit %d %s%s", args, code, out.String(), errs.String())
			}
			return out.String()
		}
		send := func(first, n int) (preview, confirm time.Duration) {
			in := filepath.Join(dir, fmt.Sprintf("orders-%d.csv", first))
			writeOrders(b, in, first, n)
			runtime.GC()
			b.StartTimer()
			start := time.Now()
			out := run("preview", in, "-m", "../bench/orders/mapping.yaml", "--dataset", dataset)
			preview = time.Since(start)
			_, id, _ := strings.Cut(out, `"plan_id":"`)
			id, _, _ = strings.Cut(id, `"`)
			receipt := run("confirm", id)
			confirm = time.Since(start) - preview
			b.StopTimer()
			if !strings.Contains(receipt, fmt.Sprintf(`"counts":{"delivered":%d}`, n)) {
				b.Fatalf("not everything was delivered: %.200s", receipt)
			}
			return preview, confirm
		}
		run("runs") // the schema is made once, whoever measures
		if before > 0 {
			send(1, before)
		}
		preview, confirm := send(1+before, events)
		stop()
		b.ReportMetric(float64(events)/(preview+confirm).Seconds(), "events/s")
		b.ReportMetric(float64(events)/preview.Seconds(), "preview-events/s")
		b.ReportMetric(float64(events)/confirm.Seconds(), "confirm-events/s")
		b.StartTimer()
	}
}

func fromEnv(name string, fallback int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return fallback
}

func writeOrders(b testing.TB, path string, first, n int) {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("go", "run", "../bench/orders", "-first", strconv.Itoa(first), "-n", strconv.Itoa(n))
	cmd.Stdout = f
	if err := cmd.Run(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}

// serveSandbox starts the binary's sandbox and reads its address.
func serveSandbox(b *testing.B, bin string) (url string, stop func()) {
	b.Helper()
	cmd := exec.Command(bin, "sandbox", "--keep", "keys")
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	stop = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		b.Fatal(err)
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "listening on ")), stop
}
