package stdiodial

import (
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// BenchmarkCall measures one call to a child that answers at once: mostly two trips
// through a pipe, and the child's own work.
func BenchmarkCall(b *testing.B) {
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	for _, size := range []string{"64B", "64KiB"} {
		b.Run(size, func(b *testing.B) {
			up, err := New(Options{Command: []string{exe}, Env: []string{serverMode + "=modern"}})
			if err != nil {
				b.Fatal(err)
			}
			defer up.Close(context.Background()) //nolint:errcheck // it returns none
			fill := 64
			if size == "64KiB" {
				fill <<= 10
			}
			raw := tool("1", "echo", `{"text":"`+strings.Repeat("x", fill)+`"}`, "")
			m, err := mcpwire.Parse([]byte(raw), mcpwire.Limits{})
			if err != nil {
				b.Fatal(err)
			}
			b.Run("pipe alone", func(b *testing.B) { pipeAlone(b, exe, raw) })
			b.Run("relayed", func(b *testing.B) { relayed(b, up, &m) })
		})
	}
}

func relayed(b *testing.B, up exchange.Upstream, m *mcpwire.Message) {
	c := &exchange.Call{Message: m, Caller: exchange.Caller{ID: "a"}}
	b.ReportAllocs()
	for b.Loop() {
		if err := up.Call(context.Background(), c, discard{}); err != nil {
			b.Fatal(err)
		}
	}
}

// pipeAlone is the same conversation without anything in between.
func pipeAlone(b *testing.B, exe, raw string) {
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), serverMode+"=modern")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer cmd.Wait() //nolint:errcheck // it ends with its input
	defer in.Close() //nolint:errcheck // the end of input
	lines := mcpwire.NewLineReader(out, 0)
	for b.Loop() {
		if _, err := io.WriteString(in, raw+"\n"); err != nil {
			b.Fatal(err)
		}
		if _, err := lines.Next(); err != nil {
			b.Fatal(err)
		}
	}
}
