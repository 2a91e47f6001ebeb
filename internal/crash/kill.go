//go:build crash && unix

// Package crash names the points at which a process may die between two things that
// belong together.
package crash

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// where and nth are the point and its passage at which this process dies, from
// SLUICE_CRASH=POINT:N.
var (
	where string
	nth   int64 = 1
	seen  atomic.Int64
)

func init() {
	var n string
	where, n, _ = strings.Cut(os.Getenv("SLUICE_CRASH"), ":")
	if i, err := strconv.ParseInt(n, 10, 64); err == nil {
		nth = i
	}
}

// Point ends the process with SIGKILL at the passage that was asked for.
func Point(name string) {
	if name == where && seen.Add(1) == nth {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way
	}
}
