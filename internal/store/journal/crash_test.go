package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

func charge(name string, most int64) enforce.Charge {
	return enforce.Charge{
		Counter: enforce.CounterOf(enforce.Identity{Org: "w", Counter: name, Window: time.Hour}),
		Window:  time.Hour, Amount: 1_000_000, Max: most * 1_000_000, Rule: "/limits/" + name,
	}
}

func decision(id string) audit.Call {
	return audit.Call{Request: id, Phase: audit.PhaseDecision, Workspace: "w", Grant: "g", Server: "s", Tool: "t", Decision: "allow", ArgKeys: []string{"a"}}
}

func admit(t testing.TB, s *Store, id string, charges ...enforce.Charge) bool {
	t.Helper()
	reply, err := s.Reserve(t.Context(), &enforce.Request{Call: decision(id), Charges: charges})
	if err != nil {
		t.Fatal(err)
	}
	return reply.Admitted
}

func outcome(id string, o enforce.Outcome) *enforce.Settlement {
	c := decision(id)
	c.Phase, c.Outcome = audit.PhaseOutcome, "ok"
	c.Settlement = map[enforce.Outcome]string{enforce.Commit: "commit", enforce.Rollback: "rollback", enforce.Ambiguous: "ambiguous"}[o]
	return &enforce.Settlement{Call: c, Outcome: o}
}

// dump writes all that a book holds, in one order.
func dump(b *enforce.Book) string {
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for c, t := range b.Tallies() {
		parts := slices.Clone(t.Parts)
		slices.SortFunc(parts, func(a, b enforce.Part) int { return int(a.Start - b.Start) })
		say("counter %x %d %v", c, t.Window, parts)
	}
	for c, m := range b.Marks() {
		say("mark %x %s %s", c, m.At, m.Until)
	}
	for id, h := range b.OpenCalls() {
		say("open %s %+v", id, *h)
	}
	for id, h := range b.AmbiguousCalls() {
		say("ambiguous %s %+v", id, *h)
	}
	for id, a := range b.AllApprovals() {
		say("approval %s %+v", id, *a)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// state is the book of a store as of now, its files read anew when fresh.
func (s *Store) dump(t testing.TB) (text string, end int64) {
	t.Helper()
	for range 2 { // what was settled is written by the first turn
		err := s.do(t.Context(), func(g *group) error {
			text, end = dump(g.st.book), g.st.end
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return text, end
}

func parking(fingerprint byte) *enforce.Parking {
	c := decision(fmt.Sprintf("park-%d", fingerprint))
	c.Decision = "park"
	return &enforce.Parking{
		Approval: enforce.Approval{Workspace: "w", Grant: "g", Server: "s", Tool: "t", Fingerprint: [32]byte{fingerprint}, ArgKeys: []string{"a"}, Arguments: []byte("sealed"), Rule: "r"},
		TTL:      time.Hour, Escalate: time.Minute, Call: c,
	}
}

// history does one of everything; step is called after each.
func history(t testing.TB, s *Store, step func()) {
	t.Helper()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		step()
	}
	hourly, sliding := charge("hourly", 100), charge("sliding", 100)
	sliding.Sliding = true
	for i := range 4 {
		admit(t, s, fmt.Sprint("call-", i), hourly, sliding)
		step()
	}
	ok(s.Settle(t.Context(), outcome("call-0", enforce.Commit)))
	ok(s.Settle(t.Context(), outcome("call-1", enforce.Rollback)))
	ok(s.Settle(t.Context(), outcome("call-2", enforce.Ambiguous)))
	marked := outcome("call-3", enforce.Commit)
	marked.Marks, marked.Keep = []enforce.Counter{{7}}, []time.Duration{time.Hour}
	ok(s.Settle(t.Context(), marked))
	denied := decision("denied")
	denied.Decision = "deny"
	ok(s.Record(t.Context(), denied, denied))
	ok(s.Release(t.Context(), "call-2", "mem_1", "looked"))
	var parked []*enforce.Approval
	for i := range byte(4) {
		a, err := s.Park(t.Context(), parking(i))
		parked = append(parked, a)
		ok(err)
	}
	for i, approve := range []bool{true, false} {
		_, err := s.Decide(t.Context(), enforce.Decision{ID: parked[i].ID, Approve: approve, By: "mem_1", Reason: "because"})
		ok(err)
	}
	_, err := s.Reserve(t.Context(), &enforce.Request{Call: decision("used"), Approval: parked[0].ID, Fingerprint: [32]byte{}, Charges: []enforce.Charge{hourly}})
	ok(err)
	_, err = s.Cancel(t.Context(), enforce.Cancellation{Grant: "g"})
	ok(err)
	admit(t, s, "open", hourly)
	step()
}

// copyTo copies the files of a directory that no process lives in any more.
func copyTo(t testing.TB, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// A file that ends anywhere is a history that ends between two records, and goes on.
func TestCutAtEveryByte(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, Options{Dir: dir, Now: at(noon)})
	states := map[int64]string{}
	history(t, s, func() {
		text, end := s.dump(t)
		states[end] = text
	})
	text, end := s.dump(t)
	states[end] = text
	base := s.st.base
	s.die()
	path := journalPath(dir, 1)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	// What the writer held after every step is what a reader of its records holds.
	replayed := &state{dir: dir, log: s.o.Log}
	want := map[int64]string{}
	for cut := base; cut <= int64(len(raw)); cut++ {
		_, size, c := cutFrame(raw[cut:])
		if err := os.WriteFile(path, raw[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if err := replayed.open(1); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		want[cut] = dump(replayed.book)
		if text, known := states[cut]; known && text != want[cut] {
			t.Errorf("at %d the writer held\n%s\nand a reader holds\n%s", cut, text, want[cut])
		}
		if c != whole {
			break
		}
		cut += int64(size) - 1
	}
	replayed.close()
	if len(want) < 20 {
		t.Fatalf("only %d records", len(want))
	}

	last := want[base]
	for cut := base; cut <= int64(len(raw)); cut++ {
		if text, isBoundary := want[cut]; isBoundary {
			last = text
		}
		if err := os.WriteFile(path, raw[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		again := open(t, Options{Dir: dir, Now: at(noon)})
		if got, _ := again.dump(t); got != last {
			t.Fatalf("cut at %d it holds\n%s\nwant\n%s", cut, got, last)
		}
		if cut%11 != 0 {
			again.die()
			continue
		}
		if !admit(t, again, "next", charge("next", 1)) || admit(t, again, "beyond", charge("next", 1)) {
			t.Fatalf("cut at %d it does not go on", cut)
		}
		got, _ := again.dump(t)
		again.die()
		third := open(t, Options{Dir: dir, Now: at(noon)})
		if reread, _ := third.dump(t); reread != got {
			t.Fatalf("cut at %d and gone on it holds\n%s\nwant\n%s", cut, reread, got)
		}
		third.die()
	}
}

// A damaged place takes with it what stood there, and nothing else: quota that was used
// later stays used.
func TestDamageInTheMiddle(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := &sink{}
	s := open(t, Options{Dir: dir, Now: at(noon), Fold: log.fold})
	var ends []int64
	for i := range 5 {
		admit(t, s, fmt.Sprint("call-", i), charge("c", 10))
		_, end := s.dump(t)
		ends = append(ends, end)
	}
	s.die()
	raw, err := os.ReadFile(journalPath(dir, 1))
	if err != nil {
		t.Fatal(err)
	}
	for offset := ends[1]; offset < ends[2]; offset++ {
		damaged := slices.Clone(raw)
		damaged[offset] ^= 0x5a
		if err := os.WriteFile(journalPath(dir, 1), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		again := open(t, Options{Dir: dir, Now: at(noon)})
		used, err := again.Usage(t.Context(), []enforce.Charge{charge("c", 10)})
		if err != nil || used[0] != 4_000_000 {
			t.Fatalf("damaged at %d: %v used, %v", offset, used, err)
		}
		calls, err := again.Calls(t.Context(), enforce.CallFilter{})
		if err != nil || len(calls) != 4 {
			t.Fatalf("damaged at %d: %d calls are found, %v", offset, len(calls), err)
		}
		again.die()
	}
	again := open(t, Options{Dir: dir, Now: at(noon), Fold: log.fold})
	if err := again.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var decisions int
	for _, c := range log.list() {
		if c.Call.Phase == audit.PhaseDecision {
			decisions++
		}
	}
	if decisions != 4 {
		t.Errorf("%d decisions reached the log, want the 4 that can be read", decisions)
	}
}

// Ending a file is harmless wherever it stops.
func TestTurnOverStopsAnywhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := &sink{}
	s := open(t, Options{Dir: dir, Now: at(noon), Fold: log.fold})
	history(t, s, func() {})
	want, _ := s.dump(t)
	before := copyTo(t, dir)
	turn(t, s)
	if got, _ := s.dump(t); got != want || s.st.header.Generation != 2 {
		t.Fatalf("in file %d it holds\n%s\nwant\n%s", s.st.header.Generation, got, want)
	}
	s.die()
	for name, prepare := range map[string]func(t *testing.T) string{
		"before anything": func(t *testing.T) string { return copyTo(t, before) },
		"with the next file half written": func(t *testing.T) string {
			to := copyTo(t, before)
			if err := os.WriteFile(journalPath(to, 2)+tmpEnd, []byte("half"), 0o600); err != nil {
				t.Fatal(err)
			}
			return to
		},
		"before the next file has its name": func(t *testing.T) string {
			to := copyTo(t, dir)
			if err := os.Rename(journalPath(to, 2), journalPath(to, 2)+tmpEnd); err != nil {
				t.Fatal(err)
			}
			return to
		},
		"in the record that ends the file": func(t *testing.T) string {
			to := copyTo(t, dir)
			info, err := os.Stat(journalPath(to, 1))
			if err == nil {
				err = errors.Join(os.Truncate(journalPath(to, 1), info.Size()-3), os.Remove(journalPath(to, 2)))
			}
			if err != nil {
				t.Fatal(err)
			}
			return to
		},
		"after everything": func(t *testing.T) string { return copyTo(t, dir) },
	} {
		t.Run(name, func(t *testing.T) {
			to := prepare(t)
			log := &sink{}
			a, b := open(t, Options{Dir: to, Now: at(noon), Fold: log.fold}), open(t, Options{Dir: to, Now: at(noon), Fold: log.fold})
			for _, s := range []*Store{a, b} {
				if got, _ := s.dump(t); got != want {
					t.Fatalf("it holds\n%s\nwant\n%s", got, want)
				}
			}
			admit(t, a, "a", charge("c", 2))
			turn(t, a)
			admit(t, b, "b", charge("c", 2))
			turn(t, b)
			turn(t, b)
			if admit(t, a, "c", charge("c", 2)) {
				t.Error("the limit was lost")
			}
			if err := b.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			once(t, log, "a", "b", "c", "call-0", "denied")
			if calls, err := b.Calls(t.Context(), enforce.CallFilter{}); err != nil || len(calls) != 15 || calls[0].Call.Request != "c" {
				t.Errorf("%d calls are found, %v", len(calls), err)
			}
		})
	}
}

// turn begins the next file.
func turn(t testing.TB, s *Store) {
	t.Helper()
	if err := s.do(t.Context(), func(g *group) error { g.over = true; return nil }); err != nil {
		t.Fatal(err)
	}
}

// once checks that decisions reached the log, each as often as it was recorded.
func once(t testing.TB, l *sink, ids ...string) {
	t.Helper()
	n := map[string]int{}
	last := int64(0)
	for _, c := range l.list() {
		if c.Seq <= last {
			t.Errorf("record %d follows %d", c.Seq, last)
		}
		last = c.Seq
		if c.Call.Phase == audit.PhaseDecision {
			n[c.Call.Request]++
		}
	}
	for _, id := range ids {
		if want := map[bool]int{true: 2, false: 1}[id == "denied"]; n[id] != want {
			t.Errorf("%s was recorded %d times, want %d", id, n[id], want)
		}
	}
}

// The log takes everything once, wherever handing on stops.
func TestHandingOnStopsAnywhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := &sink{}
	broken := errors.New("it broke after it was stored")
	var once1 sync.Once
	s := open(t, Options{Dir: dir, Now: at(noon), Fold: func(ctx context.Context, source string, from, to int64, calls []audit.TimedCall) error {
		err := log.fold(ctx, source, from, to, calls)
		once1.Do(func() { err = broken })
		return err
	}})
	history(t, s, func() {})
	if err := s.Flush(t.Context()); !errors.Is(err, broken) {
		t.Fatalf("handing on: %v", err)
	}
	want := len(log.list())
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The position is lost, and half written.
	for _, text := range []string{"", "half"} {
		turn(t, s)
		if err := os.WriteFile(filepath.Join(dir, foldFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(log.list()); got != want || want < 15 {
		t.Errorf("the log holds %d records, want %d", got, want)
	}
	admit(t, s, "last")
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	once(t, log, "call-0", "denied", "last")
}
