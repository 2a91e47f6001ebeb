package policy

import (
	"testing"

	"golang.org/x/sys/unix"
)

// The disk takes no more for a while.
func TestVector27DiskFull(t *testing.T) {
	t.Parallel()
	s := proxied(t, tools(`"a":{"limits":[{"counter":"calls","window":"day","max":1000,"scope":"grant"}]}`))
	c := s.client(t)
	s.wants(t, c, "a", `{}`, allowed)
	var before unix.Rlimit
	if err := unix.Prlimit(s.PID(), unix.RLIMIT_FSIZE, nil, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(s.PID(), unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 0, Max: before.Max}, nil); err != nil {
		t.Fatal(err)
	}
	s.wants(t, c, "a", `{}`, "store_unavailable")
	s.wants(t, c, "b", `{}`, "store_unavailable") // a denial that can't be recorded says so
	if err := unix.Prlimit(s.PID(), unix.RLIMIT_FSIZE, &before, nil); err != nil {
		t.Fatal(err)
	}
	poll(t, "the way back", func() bool { return c.Call(t.Context(), t, "a", `{}`).Allowed() })
	s.wants(t, c, "b", `{}`, "default_deny")
	if exit, out := s.Run("audit", "verify"); exit != 0 {
		t.Errorf("verify: exit %d, %s", exit, out)
	}
}
