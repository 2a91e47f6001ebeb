// Package leak finds goroutines that outlive what started them.
//
// Its guarantee: what it reports was still there at the end of its patience. Its
// limit: it knows goroutines by the text of their stacks.
package leak

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// patience is how long goroutines that were told to end may take.
const patience = 5 * time.Second

// Left waits until no goroutine's stack contains one of the marks, and returns the
// stacks of those that stay. Stacks of the test itself don't count.
func Left(marks ...string) string {
	for until := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		buf := make([]byte, 4<<20)
		var left []string
		for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if marked(stack, marks) && !strings.Contains(stack, "testing.tRunner") && !strings.Contains(stack, ".TestMain(") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 || time.Now().After(until) {
			return strings.Join(left, "\n\n")
		}
	}
}

func marked(stack string, marks []string) bool {
	for _, m := range marks {
		if strings.Contains(stack, m) {
			return true
		}
	}
	return false
}

// Main runs the tests of a package and ends the process; goroutines left by then are
// a failure. Call it from TestMain.
func Main(m *testing.M, marks ...string) {
	code := m.Run()
	if left := Left(marks...); code == 0 && left != "" {
		_, _ = fmt.Fprintln(os.Stderr, "goroutines are left behind:\n"+left)
		code = 1
	}
	os.Exit(code)
}
