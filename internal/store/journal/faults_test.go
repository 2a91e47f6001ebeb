package journal

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/filelock"
)

// A disk that is full denies, takes nothing, loses no settlement, and everything goes on
// when there is room again.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	for name, partly := range map[string]int{"nothing is written": 0, "a part is written": 30} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s, other := open(t, Options{Dir: dir, Now: at(noon)}), open(t, Options{Dir: dir, Now: at(noon)})
			c := charge("c", 3)
			admit(t, s, "rolled back", c)
			admit(t, s, "lost", c)
			var full atomic.Bool
			full.Store(true)
			write := s.write
			s.write = func(f *os.File, b []byte, at int64) (int, error) {
				if !full.Load() {
					return write(f, b, at)
				}
				n, _ := write(f, b[:min(partly, len(b))], at)
				return n, syscall.ENOSPC
			}
			if err := s.Settle(t.Context(), outcome("lost", enforce.Ambiguous)); err != nil {
				t.Errorf("what rides along: %v", err)
			}
			if err := s.Settle(t.Context(), outcome("rolled back", enforce.Rollback)); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("a rollback that can't be written: %v", err)
			}
			for range 3 {
				if reply, err := s.Reserve(t.Context(), &enforce.Request{Call: decision("denied"), Charges: []enforce.Charge{c}}); err == nil || reply.Admitted {
					t.Errorf("admitted: %+v %v", reply, err)
				}
			}
			if _, err := s.Park(t.Context(), parking(1)); err == nil {
				t.Error("parked")
			}
			if err := s.Health(t.Context()); err == nil {
				t.Error("it says that it is well")
			}
			if used, err := other.Usage(t.Context(), []enforce.Charge{c}); err != nil || used[0] != 2_000_000 {
				t.Errorf("another process: %v used, %v", used, err)
			}
			full.Store(false)
			eventually(t, "it is well again", func() bool { return s.Health(t.Context()) == nil })
			if used, err := other.Usage(t.Context(), []enforce.Charge{c}); err != nil || used[0] != 1_000_000 {
				t.Errorf("after the rollback: %v used, %v", used, err)
			}
			if !admit(t, s, "next", c) || !admit(t, other, "and next", c) || admit(t, s, "too many", c) {
				t.Error("the limit was lost")
			}
			if list, err := other.Ambiguous(t.Context(), 0); err != nil || len(list) != 1 || list[0].Request != "lost" {
				t.Errorf("ambiguous: %v %v", list, err)
			}
			if list, err := other.Approvals(t.Context(), enforce.ApprovalFilter{}); err != nil || len(list) != 0 {
				t.Errorf("parked: %v %v", list, err)
			}
		})
	}
}

// What was refused because its record could not be kept takes nothing, even where the
// record stands in the file.
func TestRefusedThoughWritten(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(f *os.File, n int) int{
		"it can't be cut off": func(f *os.File, n int) int { _ = f.Close(); return n },
		"it is not told of":   func(*os.File, int) int { return 0 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := open(t, Options{Dir: dir, Now: at(noon)})
			c := charge("c", 1)
			write := s.write
			s.write = func(f *os.File, b []byte, at int64) (int, error) {
				n, _ := write(f, b, at)
				return fail(f, n), syscall.EIO
			}
			reply, err := s.Reserve(t.Context(), &enforce.Request{Call: decision("refused"), Charges: []enforce.Charge{c}})
			if !errors.Is(err, syscall.EIO) || reply.Admitted {
				t.Fatalf("%+v %v", reply, err)
			}
			s.write = write
			eventually(t, "it is well again", func() bool { return s.Health(t.Context()) == nil })
			if !admit(t, open(t, Options{Dir: dir, Now: at(noon)}), "next", c) {
				t.Error("a call that was refused took the quota")
			}
		})
	}
}

// What nobody could read is not written: one record would shut every process out.
func TestRecordsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, Options{Dir: dir, Now: at(noon)})
	long := parking(1)
	long.Approval.Tool = strings.Repeat("\x01", 4<<20)
	if _, err := s.Park(t.Context(), long); err == nil {
		t.Error("an approval was stored that is longer than a frame")
	}
	admit(t, s, "open")
	none := outcome("open", enforce.Commit)
	none.Outcome = 0
	if err := s.Settle(t.Context(), none); err == nil {
		t.Error("a call was settled with no outcome")
	}
	charges := make([]enforce.Charge, 1500)
	for i := range charges {
		charges[i] = charge("c", 1<<20)
		charges[i].Rule = strings.Repeat("r", maxText)
	}
	if _, err := s.Reserve(t.Context(), &enforce.Request{Call: decision("long"), Charges: charges}); err == nil {
		t.Error("a call was admitted whose record is longer than a frame")
	}
	eventually(t, "it is well again", func() bool { return s.Health(t.Context()) == nil })
	admit(t, s, "next")
	if err := s.do(t.Context(), func(g *group) error { g.over = true; return nil }); err != nil {
		t.Fatal(err)
	}
	admit(t, open(t, Options{Dir: dir, Now: at(noon)}), "in another process")
}

// Who waits or lists does not read arguments, which may be long, over and over.
func TestArgumentsAreReadWhenAsked(t *testing.T) {
	t.Parallel()
	s := open(t, Options{Dir: t.TempDir()})
	var reads atomic.Int32
	s.read = func(path string) ([]byte, error) {
		reads.Add(1)
		return os.ReadFile(path)
	}
	a, err := s.Park(t.Context(), parking(1))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := s.Await(ctx, a.ID); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if list, err := s.Approvals(t.Context(), enforce.ApprovalFilter{}); err != nil || len(list) != 1 {
		t.Fatalf("listed: %+v %v", list, err)
	}
	if n := reads.Load(); n != 0 {
		t.Errorf("read %d times", n)
	}
	if _, err := s.Decide(t.Context(), enforce.Decision{ID: a.ID, Approve: true, By: "mem_1"}); err != nil {
		t.Fatal(err)
	}
	if a, err := s.Await(t.Context(), a.ID); err != nil || string(a.Arguments) != "sealed" {
		t.Errorf("the approval came without its arguments: %+v %v", a, err)
	}
}

func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("it never came: %s", what)
		}
	}
}

// Calls are denied while the audit log takes nothing, and only then.
func TestBehind(t *testing.T) {
	t.Parallel()
	log := &sink{fail: iotest.ErrTimeout}
	s := open(t, Options{Dir: t.TempDir(), Fold: log.fold})
	admit(t, s, "first")
	flush := func() error { return s.Flush(t.Context()) }
	if err := flush(); !errors.Is(err, iotest.ErrTimeout) {
		t.Fatal(err)
	}
	admit(t, s, "second")
	late := func() {
		s.fold.mu.Lock()
		s.fold.progress = time.Now().Add(-behindAge - time.Second)
		s.fold.mu.Unlock()
	}
	late()
	_ = flush()
	if reply, err := s.Reserve(t.Context(), &enforce.Request{Call: decision("third")}); err == nil || reply.Admitted {
		t.Errorf("admitted: %+v, %v", reply, err)
	}
	if err := s.Record(t.Context(), decision("third")); err == nil {
		t.Error("recorded")
	}
	if err := s.Health(t.Context()); err == nil {
		t.Error("it says that it is well")
	}
	if err := s.Settle(t.Context(), outcome("first", enforce.Rollback)); err != nil {
		t.Errorf("what was admitted can't be settled: %v", err)
	}
	log.mu.Lock()
	log.fail = nil
	log.mu.Unlock()
	if err := flush(); err != nil {
		t.Fatal(err)
	}
	admit(t, s, "third")
	late() // nothing waits for long: this one came just now
	if err := flush(); err != nil || s.Health(t.Context()) != nil {
		t.Errorf("%v, %v", err, s.Health(t.Context()))
	}
}

// A store whose directory was removed counts alone; it must not go on.
func TestDirectoryRemoved(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "gateway")
	s := open(t, Options{Dir: dir, Fold: (&sink{}).fold})
	admit(t, s, "first")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	open(t, Options{Dir: dir})
	if err := s.Flush(t.Context()); err == nil {
		t.Error("it hands on from another directory")
	}
	if reply, err := s.Reserve(t.Context(), &enforce.Request{Call: decision("second")}); err == nil || reply.Admitted {
		t.Errorf("admitted: %+v, %v", reply, err)
	}
}

// So does one whose journal was replaced, by a backup that was put back under it.
func TestJournalReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, Options{Dir: dir, Fold: (&sink{}).fold})
	admit(t, s, "first")
	raw, err := os.ReadFile(journalPath(dir, 1))
	if err == nil {
		err = replaceFile(journalPath(dir, 1), raw)
	}
	if err != nil {
		t.Fatal(err)
	}
	other := open(t, Options{Dir: dir, Fold: (&sink{}).fold})
	admit(t, other, "of another")
	for range 2 {
		if err := s.Flush(t.Context()); err == nil {
			t.Error("it hands on what another file holds")
		}
		if reply, err := s.Reserve(t.Context(), &enforce.Request{Call: decision("second")}); err == nil || reply.Admitted {
			t.Errorf("admitted: %+v, %v", reply, err)
		}
	}
	admit(t, other, "another goes on")
}

// A process that was stopped while it held the lock delays the others a bounded time.
func TestLockHeld(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	holder, s := open(t, Options{Dir: dir}), open(t, Options{Dir: dir})
	s.patience = 20 * time.Millisecond
	if err := holder.acquire(); err != nil {
		t.Fatal(err)
	}
	if reply, err := s.Reserve(t.Context(), &enforce.Request{Call: decision("first")}); err == nil || reply.Admitted {
		t.Errorf("admitted: %+v, %v", reply, err)
	}
	if err := filelock.Unlock(holder.lock); err != nil {
		t.Fatal(err)
	}
	admit(t, s, "second")
}

// The clock decides windows; where it goes back a little, time stands still, and where it
// goes back far, nothing that was taken is forgotten.
func TestClockSteps(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := noon
	set := func(at time.Time) {
		mu.Lock()
		defer mu.Unlock()
		now = at
	}
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	dir := t.TempDir()
	s, other := open(t, Options{Dir: dir, Now: clock}), open(t, Options{Dir: dir, Now: clock})
	c := charge("c", 3)
	admit(t, s, "noon", c)
	set(noon.Add(-time.Minute)) // the hour before
	admit(t, other, "a minute back", c)
	used := func(want int64) {
		t.Helper()
		for _, s := range []*Store{s, other} {
			if used, err := s.Usage(t.Context(), []enforce.Charge{c}); err != nil || used[0] != want*1_000_000 {
				t.Fatalf("%v used, want %d: %v", used, want, err)
			}
		}
	}
	used(2)
	set(noon.Add(240 * time.Hour))
	used(0)
	admit(t, s, "ten days ahead", c)
	admit(t, s, "and again", c)
	set(noon.Add(10 * time.Minute))
	if !admit(t, other, "back", c) {
		t.Error("denied, though one is free")
	}
	used(3)
	if admit(t, s, "beyond", c) {
		t.Error("what was taken ahead of time was forgotten")
	}
	s.die()
	s = open(t, Options{Dir: dir, Now: clock})
	used(3)
	set(noon.Add(time.Hour)) // and it does not count for ever
	used(0)
	calls, err := s.Calls(t.Context(), enforce.CallFilter{Request: "a minute back"})
	if err != nil || len(calls) != 1 || !calls[0].At.Equal(noon) {
		t.Errorf("recorded at another time: %+v %v", calls, err)
	}
}

// Sealed arguments are gone from the disk when nothing waits for them any more.
func TestArgumentsLeaveTheDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, Options{Dir: dir, Now: at(noon)})
	var ids []string
	for i := range byte(2) {
		a, err := s.Park(t.Context(), parking(i))
		if err != nil || string(a.Arguments) != "sealed" {
			t.Fatalf("%+v, %v", a, err)
		}
		ids = append(ids, a.ID)
	}
	slices.Sort(ids) // made in the same millisecond
	held := func(want string) {
		t.Helper()
		if got := filesWith(t, dir, "sealed"); got != want {
			t.Errorf("sealed arguments are in %q, want %q", got, want)
		}
	}
	held("approvals/" + ids[0] + " approvals/" + ids[1] + " ")
	if _, err := s.Decide(t.Context(), enforce.Decision{ID: ids[0], By: "mem_1", Reason: "no"}); err != nil {
		t.Fatal(err)
	}
	held("approvals/" + ids[1] + " ")
	// What a process that died has left is found by the next one.
	orphan := filepath.Join(dir, approvalDir, "apr_orphan")
	if err := os.WriteFile(orphan, []byte("sealed"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * time.Minute)
	if err := errors.Join(os.Chtimes(orphan, old, old), s.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	held("approvals/" + ids[1] + " ")
	// Those of calls go with their file.
	if _, err := s.Reserve(t.Context(), &enforce.Request{Call: decision("kept"), Arguments: []byte("sealed")}); err != nil {
		t.Fatal(err)
	}
	turn(t, s)
	old = time.Now().Add(-15 * 24 * time.Hour)
	s.fold.tidied = time.Time{}
	if err := errors.Join(os.Chtimes(keptPath(dir, 1), old, old), s.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	held("approvals/" + ids[1] + " ")
	if calls, err := s.Calls(t.Context(), enforce.CallFilter{Request: "kept", Arguments: true}); err != nil || len(calls) != 1 || calls[0].Arguments != nil {
		t.Errorf("%+v, %v", calls, err)
	}
	// And calls go after theirs, once they were handed on.
	old = time.Now().Add(-91 * 24 * time.Hour)
	s.fold.tidied = time.Time{}
	if err := errors.Join(os.Chtimes(journalPath(dir, 1), old, old), s.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	if calls, err := s.Calls(t.Context(), enforce.CallFilter{}); err != nil || len(calls) != 0 {
		t.Errorf("%+v, %v", calls, err)
	}
}

func filesWith(t testing.TB, dir, text string) (names string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil && bytes.Contains(b, []byte(text)) {
			rel, _ := filepath.Rel(dir, path)
			names += filepath.ToSlash(rel) + " "
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// What can't be had from outside: a caller's slices are not kept, for it may use them
// again.
func TestNothingOfTheCallerIsKept(t *testing.T) {
	t.Parallel()
	dir, log := t.TempDir(), &sink{}
	s := open(t, Options{Dir: dir, Now: at(noon), Fold: log.fold})
	r := &enforce.Request{Call: decision("call"), Charges: []enforce.Charge{charge("c", 5)}}
	if _, err := s.Reserve(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	end := outcome("call", enforce.Ambiguous)
	if err := s.Settle(t.Context(), end); err != nil {
		t.Fatal(err)
	}
	r.Charges[0] = enforce.Charge{}
	r.Call.ArgKeys[0], end.Call.ArgKeys[0] = "other", "other"
	end.Call.Outcome = "other"
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range log.list() {
		if c.Call.ArgKeys[0] != "a" || c.Call.Outcome == "other" {
			t.Errorf("recorded %+v", c)
		}
	}
	if err := s.Release(t.Context(), "call", "mem_1", "looked"); err != nil {
		t.Fatal(err)
	}
	if used, err := s.Usage(t.Context(), []enforce.Charge{charge("c", 5)}); err != nil || used[0] != 0 {
		t.Errorf("%v used, %v", used, err)
	}
}

func FuzzBodies(f *testing.F) {
	c := decision("call")
	f.Add(byte(kindAdmit), appendAdmit(nil, &c, []enforce.Charge{charge("c", 1)}, "apr", 7))
	marked := outcome("call", enforce.Commit)
	marked.Marks = []enforce.Counter{{1}}
	f.Add(byte(kindSettle), appendSettle(nil, marked))
	f.Add(byte(kindHeld), []byte{1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, k byte, body []byte) {
		b := enforce.NewBook()
		fr := frame{seq: 1, at: noon.UnixNano(), kind: kind(k), body: body}
		_ = apply(b, &fr)
		_, _ = restore(b, &fr)
		if call, err := callOf(body); err == nil {
			again, err := callOf(appendCall(nil, &call))
			if err != nil || again.Request != call.Request || len(again.ArgKeys) != len(call.ArgKeys) {
				t.Errorf("%+v became %+v, %v", call, again, err)
			}
		}
		_, _, _ = cutFrame(body)
		_, _ = resync(body, 0)
	})
}

func TestCallsKeepEveryMember(t *testing.T) {
	t.Parallel()
	want := audit.Call{
		Request: "a", Phase: "b", Workspace: "c", Grant: "d", Server: "e", Session: "f", Client: "g", Method: "h", Tool: "i", ToolHash: "j",
		Policy: "k", PolicyVersion: 1, PolicyHash: "l", Decision: "m", Code: "n", Rule: "o", ArgKeys: []string{"p", "q"}, ArgsHMAC: "r",
		Approval: "s", Settlement: "t", UpstreamStatus: 2, Outcome: "u", LatencyUS: 3, By: "v", Reason: "w",
	}
	got, err := callOf(appendCall(nil, &want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	v := reflect.ValueOf(want)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; v.Field(i).IsZero() && name != "Sealed" { // kept beside the log
			t.Errorf("this test leaves out %s", name)
		}
	}
}
