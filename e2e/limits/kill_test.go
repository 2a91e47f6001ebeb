package limits

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"sluice/internal/testkit/mcptest"
)

// TestKilledProcessesAdmitNothingTwice kills processes with calls under way, one after the
// other, while clients go on: all that is ever admitted is what the limit has room for,
// what reached the server was recorded before, and what nobody knows the end of is
// ambiguous and stays used until a person releases it. SLUICE_LIMITS_KILLS sets how many
// are killed.
func TestKilledProcessesAdmitNothingTwice(t *testing.T) {
	t.Parallel()
	const holding, chunk = 4, 300
	rounds := fromEnv("SLUICE_LIMITS_KILLS", 3)
	most := rounds*(holding+chunk) + chunk
	for _, store := range stores {
		t.Run(store.name, func(t *testing.T) {
			t.Parallel()
			how, bury := store.begin(t)
			s := proxies(t, store.processes, how, limit(most))
			var lost int64
			begun := time.Now()
			for round := range rounds {
				victim := round % store.processes
				held := s.hold(t, victim, round, holding)
				before := s.up.count()
				var wg sync.WaitGroup
				wg.Go(func() {
					lost += s.storm(t, fmt.Sprintf("call-%d", round), 4, chunk, mcptest.Modern).lost.Load()
				})
				s.up.await(t, before, chunk/3)
				s.kill(t, victim)
				wg.Wait()
				held.Wait()
			}
			last := s.storm(t, "last", 4, 2*chunk, mcptest.Modern)
			if last.denied.Load() == 0 || last.lost.Load() != 0 {
				t.Errorf("at last %d calls were denied and %d lost", last.denied.Load(), last.lost.Load())
			}
			took := time.Since(begun)
			arrived := s.up.arrived(t)
			s.end(t)
			bury()
			var open []struct {
				Request string `json:"request_id"`
				Tool    string `json:"tool"`
			}
			s.gates[0].Run.JSON(t, &open, "limits", "ambiguous", "--limit", "1000")
			l := readLog(t, s.gates[0].Run)
			l.covers(t, arrived)
			if len(l.admitted) != most || len(arrived) > most {
				t.Errorf("%d calls were admitted and %d reached the server, want %d and no more", len(l.admitted), len(arrived), most)
			}
			var listed []string
			for _, r := range open {
				listed = append(listed, r.Tool)
			}
			unknown := l.ambiguous()
			slices.Sort(listed)
			slices.Sort(unknown)
			if !slices.Equal(listed, unknown) {
				t.Errorf("listed as ambiguous: %v\nin the log: %v", listed, unknown)
			}
			for round := range rounds {
				for k := range holding {
					if _, ok := slices.BinarySearch(unknown, heldName(round, k)); !ok {
						t.Errorf("the end of %s is not known, but it is not ambiguous", heldName(round, k))
					}
				}
			}
			if n := len(unknown); int64(n) > lost+int64(rounds*holding) {
				t.Errorf("%d calls are ambiguous, of %d that were lost", n, lost+int64(rounds*holding))
			}
			report(t, "kill", store.name, store.processes, 4*store.processes, most+chunk, rounds, most, len(l.admitted), len(arrived), len(unknown), took)
			s.released(t, open[0].Request)
		})
	}
}

func heldName(round, k int) string { return fmt.Sprintf("held-%d-%d", round, k) }

// hold has calls under way through a process, which the server does not answer.
func (s *site) hold(t *testing.T, process, round, n int) *sync.WaitGroup {
	t.Helper()
	c := mcptest.NewClient(t, s.gate(process).URL, "", mcptest.Modern)
	var wg sync.WaitGroup
	for k := range n {
		wg.Go(func() {
			if a, err := call(t.Context(), c, heldName(round, k)); err == nil {
				t.Errorf("a call that the server holds was answered: %v", a)
			}
		})
	}
	late := time.After(patience)
	for range n {
		select {
		case <-s.up.held:
		case <-late:
			t.Fatal("calls that are to be held did not come")
		}
	}
	return &wg
}

// released releases one call, which makes room for one, whoever releases it how often.
func (s *site) released(t *testing.T, request string) {
	t.Helper()
	run := s.gates[0].Run
	if code, out := run("limits", "release", request, "--reason", "the server's own log does not have it"); code != 0 {
		t.Fatalf("limits release: exit %d: %s", code, out)
	}
	if code, _ := run("limits", "release", request, "--reason", "once more"); code == 0 {
		t.Error("a call was released twice")
	}
	g := s.starts[0].Proxy(t)
	c := mcptest.NewClient(t, g.URL, "", mcptest.Modern)
	if a := c.Call(t.Context(), t, "free-1", "{}"); !a.Allowed() {
		t.Errorf("after a release: %v", a)
	}
	if a := c.Call(t.Context(), t, "free-2", "{}"); a.Policy.Code != "limit_exceeded" {
		t.Errorf("after what was released is used: %v", a)
	}
}
