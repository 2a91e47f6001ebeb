package app

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Shed gives back the pages of the program that were needed to start it and have not
// been since: what is read again comes back from the file. A relay that runs for weeks
// beside others counts less than half the memory afterwards.
func Shed() {
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer func() { _ = maps.Close() }()
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	var from, to uintptr // of the mapping that is read
	give := func() {
		if from < to {
			_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, from, to-from, unix.MADV_DONTNEED)
		}
		from, to = 0, 0
	}
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		f := strings.Fields(lines.Text())
		switch {
		case len(f) >= 5 && !strings.HasSuffix(f[0], ":"): // a mapping begins
			give()
			if len(f) == 6 && f[5] == program && len(f[1]) == 4 && f[1][0] == 'r' && f[1][1] == '-' && f[1][3] == 'p' {
				from, to = addresses(f[0])
			}
		// What was changed in memory, by a loader or a debugger, is nowhere else.
		case len(f) == 3 && (f[0] == "Anonymous:" || f[0] == "Swap:") && f[1] != "0":
			from, to = 0, 0
		}
	}
	give()
}

func addresses(span string) (from, to uintptr) {
	a, b, _ := strings.Cut(span, "-")
	x, err := strconv.ParseUint(a, 16, strconv.IntSize)
	y, err2 := strconv.ParseUint(b, 16, strconv.IntSize)
	if err != nil || err2 != nil {
		return 0, 0
	}
	return uintptr(x), uintptr(y)
}
