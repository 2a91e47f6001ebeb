package stdiodial

import (
	"os"
	"strconv"
	"strings"
)

// zombie reports whether a process ended and waits to be waited for, by whoever
// adopted it.
func zombie(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, after, ok := strings.Cut(string(stat), ") ")
	return err != nil || (ok && strings.HasPrefix(after, "Z"))
}
