package mcptest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const childArgument = "mcptest-child"

// Child is an MCP server of the legacy era as a command: what stands behind `--`. Its
// Calls are the lines with calls of tools that it was sent.
type Child struct {
	Command []string
	file    string
}

// NewChild names a command that offers any tool it is asked for. The package's TestMain
// has to be Main.
func NewChild(t testing.TB) *Child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "calls")
	return &Child{Command: []string{self, childArgument, file}, file: file}
}

// Calls are all lines with calls, and lines that can't be read, so far.
func (c *Child) Calls(t testing.TB) []string {
	t.Helper()
	raw, err := os.ReadFile(c.file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(raw)) {
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	return lines
}

// All are all lines that it was sent so far.
func (c *Child) All(t testing.TB) string {
	t.Helper()
	raw, err := os.ReadFile(c.file + ".all")
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(raw)
}

func child(file string, in io.Reader, out io.Writer) {
	log, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	all, err := os.OpenFile(file+".all", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	lines := bufio.NewReaderSize(io.TeeReader(in, all), 1<<20)
	for {
		line, err := lines.ReadString('\n')
		if line = strings.TrimSpace(line); line != "" {
			var m Message
			readable := json.Unmarshal([]byte(line), &m) == nil
			if m.Method == "tools/call" || !readable {
				fmt.Fprintln(log, line)
			}
			if readable && len(m.ID) > 0 && m.Method != "" {
				fmt.Fprintf(out, `{"jsonrpc":"2.0","id":%s,"result":%s}`+"\n", m.ID, reply(m, []string{"allowed", "denied"}))
			}
		}
		if err != nil {
			return
		}
	}
}
