package main

import (
	"fmt"
	"io"
	"time"
)

const head = "| era | clients | result | path | p50 | p95 | calls/s | CPU of the relay per call | its peak memory | p50 : direct | calls/s : direct | p50 : copying | calls/s : copying |\n" +
	"|---|---|---|---|---|---|---|---|---|---|---|---|---|\n"

// table prints the rows of one setting. The first two paths are direct and copying.
func table(out io.Writer, s setting, paths []*path) {
	size := fmt.Sprintf("%d B", s.size)
	if s.size >= 1<<10 {
		size = fmt.Sprintf("%d KiB", s.size>>10)
	}
	for i, p := range paths {
		f := p.figures()
		relay, memory, ratios := "", "", []string{"", "", "", ""}
		if p.process != nil {
			_, peak := p.process.Memory()
			relay, memory = micro(f.cpu), fmt.Sprintf("%d MB", peak>>20)
		}
		for j := range min(i, 2) {
			p50, rate := p.against(paths[j])
			ratios[2*j], ratios[2*j+1] = fmt.Sprintf("%.2f", p50), fmt.Sprintf("%.2f", rate)
		}
		fmt.Fprintf(out, "| %s | %d | %s | %s | %s | %s | %.0f | %s | %s | %s | %s | %s | %s |\n", s.era, s.clients, size,
			p.name, micro(f.p50), micro(f.p95), f.rate, relay, memory, ratios[0], ratios[1], ratios[2], ratios[3])
	}
}

func micro(d time.Duration) string { return fmt.Sprintf("%d µs", d.Microseconds()) }
