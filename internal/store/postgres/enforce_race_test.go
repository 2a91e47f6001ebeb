package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/ledger/ledgertest"
	"sluice/internal/store/postgres"
	"sluice/internal/testkit/leak"
)

// A copy of the test program is a node of its own where this names a database.
const racerEnv = "SLUICE_TEST_RACER"

func TestMain(m *testing.M) {
	if url := os.Getenv(racerEnv); url != "" {
		calls, err := strconv.Atoi(os.Args[1])
		if err == nil {
			err = racer(url, os.Args[2], calls)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	leak.Main(m, "store/postgres.")
}

// racer makes calls from sixteen sides at once, and says each that was admitted.
func racer(url, name string, calls int) error {
	e, err := postgres.OpenEnforcement(context.Background(), url, postgres.EnforceOptions{Patience: patient})
	if err != nil {
		return err
	}
	_, err = race(e, name, calls, func() { _, _ = os.Stdout.WriteString("admitted\n") })
	if err != nil {
		return err
	}
	return e.Close()
}

// racingLimit is what everybody races for.
func racingLimit(most int64) enforce.Charge {
	return enforce.Charge{Counter: enforce.Counter{9}, Window: 24 * time.Hour * 365, Amount: 1_000_000, Max: most * 1_000_000, Rule: "/all_tools/limits/calls-per-year"}
}

const racingMost = 2000

func race(e *postgres.Enforcement, name string, calls int, say func()) (int64, error) {
	var next, admitted atomic.Int64
	var failure atomic.Pointer[error]
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for {
				n := next.Add(1)
				if n > int64(calls) || failure.Load() != nil {
					return
				}
				c := aCall(fmt.Sprintf("%s_%07d", name, n))
				reply, err := e.Reserve(context.Background(), &enforce.Request{Call: c, Charges: []enforce.Charge{racingLimit(racingMost)}})
				if err == nil && reply.Admitted {
					admitted.Add(1)
					say()
					c.Phase, c.Settlement, c.Outcome = audit.PhaseOutcome, "commit", "ok"
					err = e.Settle(context.Background(), &enforce.Settlement{Call: c, Outcome: enforce.Commit})
				}
				if err != nil {
					failure.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	wg.Wait()
	if err := failure.Load(); err != nil {
		return admitted.Load(), *err
	}
	return admitted.Load(), nil
}

func anotherNode(t testing.TB, url, name string, calls int) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, strconv.Itoa(calls), name)
	cmd.Env = append(os.Environ(), racerEnv+"="+url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// TestRacingProcessesAdmitExactlyTheMaximum is 10 000 calls over two processes;
// SLUICE_RACING_CALLS sets another number.
func TestRacingProcessesAdmitExactlyTheMaximum(t *testing.T) {
	t.Parallel()
	calls := 10_000
	if text := os.Getenv("SLUICE_RACING_CALLS"); text != "" {
		var err error
		if calls, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	url := ledgertest.PostgresURL(t)
	cmd, said := anotherNode(t, url, "theirs", calls/2)
	e := openEnforcement(t, url, postgres.EnforceOptions{Patience: patient})
	var theirs int64
	var wg sync.WaitGroup
	wg.Go(func() {
		for said.Scan() {
			theirs++
		}
	})
	ours, err := race(e, "ours", calls-calls/2, func() {})
	if err != nil {
		t.Error(err)
	}
	wg.Wait()
	if err := cmd.Wait(); err != nil {
		t.Errorf("the other process: %v", err)
	}
	if ours+theirs != racingMost || ours == 0 || theirs == 0 {
		t.Errorf("%d and %d calls were admitted, want %d together", ours, theirs, racingMost)
	}
	if used, err := e.Usage(t.Context(), []enforce.Charge{racingLimit(0)}); err != nil || used[0] != racingMost*1_000_000 {
		t.Errorf("%v are used: %v", used, err)
	}
	if list, err := e.Ambiguous(t.Context(), 10); err != nil || len(list) != 0 {
		t.Errorf("%d calls are ambiguous: %v", len(list), err)
	}
	log := open(t, url)
	chainsHold(t, log)
	if n := len(bodies(t, log)); n != calls+racingMost {
		t.Errorf("%d records, want %d decisions and %d outcomes", n, calls, racingMost)
	}
}

func TestAKilledNodeOverAdmitsNothing(t *testing.T) {
	t.Parallel()
	url := ledgertest.PostgresURL(t)
	cmd, said := anotherNode(t, url, "theirs", 1_000_000)
	e := openEnforcement(t, url, postgres.EnforceOptions{Patience: patient})
	told := int64(0)
	for told < 300 && said.Scan() {
		told++
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for said.Scan() {
		told++
	}
	_ = cmd.Wait() // killed
	if told == racingMost {
		t.Fatal("it was not killed in the middle")
	}
	ours, err := race(e, "ours", racingMost+100, func() {})
	if err != nil {
		t.Fatal(err)
	}
	if ours+told > racingMost || ours == 0 {
		t.Errorf("%d and %d calls were admitted, want at most %d together", ours, told, racingMost)
	}
	if used, err := e.Usage(t.Context(), []enforce.Charge{racingLimit(0)}); err != nil || used[0] != racingMost*1_000_000 {
		t.Errorf("%v are used: %v", used, err)
	}
	conn := direct(t, url)
	var left int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM gate_held WHERE request LIKE 'theirs%' AND ended = 0`).Scan(&left); err != nil {
		t.Fatal(err)
	}
	if left == 0 {
		t.Fatal("nothing was open when it was killed")
	}
	if list, err := e.Ambiguous(t.Context(), 1000); err != nil || len(list) != 0 {
		t.Errorf("%d calls are ambiguous before anybody can know: %v", len(list), err)
	}
	if _, err := conn.Exec(t.Context(), `UPDATE gate_node SET seen = seen - interval '31 seconds'`); err != nil {
		t.Fatal(err)
	}
	if list, err := e.Ambiguous(t.Context(), 1000); err != nil || len(list) != left {
		t.Errorf("%d calls are ambiguous, want %d: %v", len(list), left, err)
	}
	log := open(t, url)
	chainsHold(t, log)
}
