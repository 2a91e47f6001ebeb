package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

func table(out io.Writer, servers []*server) {
	fmt.Fprint(out, "| server | start-up (least) | CPU until then | memory then | tools | bytes of them | first tools/list (least) | again (least) |\n|---|---|---|---|---|---|---|---|\n")
	for _, s := range servers {
		if len(s.startup) == 0 {
			continue
		}
		fmt.Fprintf(out, "| %s | %s (%s) | %s | %s | %d | %d kB | %s (%s) | %s (%s) |\n", s.name,
			milliseconds(at(s.startup, 50)), milliseconds(at(s.startup, 0)), milliseconds(at(s.startCPU, 50)), mebibytes(s.idle),
			s.tools, s.bytes/1000, milliseconds(at(s.list, 50)), milliseconds(at(s.list, 0)), milliseconds(at(s.again, 50)), milliseconds(at(s.again, 0)))
	}
	fmt.Fprint(out, "\n| server |")
	for _, k := range kinds {
		fmt.Fprintf(out, " %s p50 | p95 |", k.kind)
	}
	fmt.Fprint(out, " CPU per call | memory after | at most |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, s := range servers {
		fmt.Fprintf(out, "| %s |", s.name)
		for _, k := range kinds {
			took := s.calls[k.kind]
			fmt.Fprintf(out, " %s | %s |", milliseconds(at(took, 50)), milliseconds(at(took, 95)))
		}
		fmt.Fprintf(out, " %d µs | %s | %s |\n", s.callCPU.Microseconds(), mebibytes(s.after), mebibytes(s.top))
	}
}

// at is the value that so many of a hundred are not above.
func at(list []time.Duration, percent int) time.Duration {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[min(len(sorted)-1, len(sorted)*percent/100)]
}

func milliseconds(d time.Duration) string {
	if d >= 10*time.Millisecond {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000)
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
