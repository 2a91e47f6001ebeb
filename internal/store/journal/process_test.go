package journal

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
)

// workerDir makes this test binary a process that calls until it is denied.
const workerDir = "SLUICE_TEST_JOURNAL_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(workerDir); dir != "" {
		if err := work(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// processLimit is what the processes race for: 3000 calls, or SLUICE_RACING_CALLS.
func processLimit() enforce.Charge {
	most := int64(3000)
	if n, err := strconv.ParseInt(os.Getenv("SLUICE_RACING_CALLS"), 10, 64); err == nil && n > 0 {
		most = n
	}
	c := charge("race", most)
	c.Window = 24 * time.Hour
	return c
}

// work prints every call that was admitted, and settles all but each tenth.
func work(dir string) error {
	ctx := context.Background()
	s, err := Open(ctx, Options{Dir: dir, Now: at(noon), Fold: (&sink{}).fold})
	if err != nil {
		return err
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	for g := range 4 {
		group.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%d-%d-%d", os.Getpid(), g, i)
				reply, err := s.Reserve(ctx, &enforce.Request{Call: decision(id), Charges: []enforce.Charge{processLimit()}})
				if err != nil || !reply.Admitted {
					if err != nil {
						fmt.Fprintln(os.Stderr, err)
					}
					return
				}
				mu.Lock()
				fmt.Println(id)
				mu.Unlock()
				if i%10 != 0 {
					if err := s.Settle(ctx, outcome(id, enforce.Commit)); err != nil {
						fmt.Fprintln(os.Stderr, err)
					}
				}
			}
		})
	}
	group.Wait()
	return s.Close()
}

// Several processes race on one directory; some are killed. Exactly as many calls are
// admitted as the limit has room for, everyone of them is known, and what the dead had
// under way is ambiguous.
func TestProcessesRace(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	const processes, killed = 4, 2
	var mu sync.Mutex
	printed := map[string]bool{}
	var group sync.WaitGroup
	var once sync.Once
	halfway := make(chan struct{})
	var running []*exec.Cmd
	for range processes {
		cmd := exec.CommandContext(t.Context(), exe)
		cmd.Env = append(os.Environ(), workerDir+"="+dir)
		var faults strings.Builder
		cmd.Stderr = &faults
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		running = append(running, cmd)
		group.Go(func() {
			lines := bufio.NewScanner(out)
			for lines.Scan() {
				mu.Lock()
				printed[lines.Text()] = true
				if int64(len(printed)) == processLimit().Max/3_000_000 {
					once.Do(func() { close(halfway) })
				}
				mu.Unlock()
			}
			_ = cmd.Wait()
			if faults.Len() > 0 {
				t.Errorf("a process said: %s", faults.String())
			}
		})
	}
	select {
	case <-halfway:
	case <-time.After(60 * time.Second):
		t.Error("the processes did not start")
	}
	for _, cmd := range running[:killed] {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
	}
	group.Wait()

	// The processes' logs are gone with them, so that ours takes everything again.
	if err := os.Truncate(filepath.Join(dir, foldFile), 0); err != nil {
		t.Fatal(err)
	}
	log := &sink{}
	s := open(t, Options{Dir: dir, Now: at(noon), Fold: log.fold})
	most := processLimit().Max / 1_000_000
	used, err := s.Usage(t.Context(), []enforce.Charge{processLimit()})
	if err != nil || used[0] != processLimit().Max {
		t.Errorf("%v used, want exactly the limit: %v", used, err)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	admitted, outcomes := map[string]bool{}, map[string]string{}
	for _, c := range log.list() {
		switch {
		case c.Call.Phase == audit.PhaseOutcome:
			if outcomes[c.Call.Request] != "" {
				t.Errorf("%s was settled twice", c.Call.Request)
			}
			outcomes[c.Call.Request] = c.Call.Settlement
		case c.Call.Decision == "allow":
			admitted[c.Call.Request] = true
		}
	}
	if int64(len(admitted)) != most || int64(len(outcomes)) != most {
		t.Errorf("%d admitted, %d settled, want %d", len(admitted), len(outcomes), most)
	}
	for id := range printed {
		if !admitted[id] {
			t.Errorf("%s was admitted and is not recorded", id)
		}
	}
	if lost := len(admitted) - len(printed); lost < 0 || lost > 4*killed {
		t.Errorf("%d calls were admitted without anybody having heard of it, in %d dead processes", lost, killed)
	}
	ambiguous := 0
	for id, settlement := range outcomes {
		if settlement == "ambiguous" {
			ambiguous++
			continue
		}
		if i, err := strconv.Atoi(id[strings.LastIndexByte(id, '-')+1:]); err != nil || i%10 == 0 {
			t.Errorf("%s ended as %s", id, settlement)
		}
	}
	if list, err := s.Ambiguous(t.Context(), 0); err != nil || len(list) != ambiguous {
		t.Errorf("%d are listed as ambiguous, %d recorded: %v", len(list), ambiguous, err)
	}
	t.Logf("%d admitted, %d heard of, %d ambiguous", len(admitted), len(printed), ambiguous)
}
