package stdiodial

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Rights that a child is refused on protected paths. Names in a protected directory
// can be listed: to refuse that would refuse it for every directory above, too.
const (
	fileRights = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	dirRights  = fileRights | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
		unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_SYM | unix.LANDLOCK_ACCESS_FS_REFER
	// noRights is what a domain handles that is to refuse nothing: it has to handle something.
	noRights = unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK
)

// oldestLandlock is the first version that lets a program move files between
// directories, and that knows truncation.
const oldestLandlock = 3

// landlockVersion is what the kernel offers; 0 is nothing.
func landlockVersion() int {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(v)
}

// ruleset is a Landlock domain in the making. It is entered by the calling thread
// alone, which therefore has to be the one that becomes the command.
type ruleset struct {
	fd      int
	handled uint64
}

func newRuleset(handled uint64) (*ruleset, error) {
	attr := unix.LandlockRulesetAttr{Handled_access_fs: handled}
	// Only the first member is handed over: it is all that is used, and all that the
	// oldest kernels know.
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr.Handled_access_fs), 0)
	if errno != 0 {
		return nil, fmt.Errorf("landlock_create_ruleset: %w", errno)
	}
	return &ruleset{fd: int(fd), handled: handled}, nil
}

// grant allows what is handled below a path. One that is gone needs nothing.
func (r *ruleset) grant(path string, rights uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		if errors.Is(err, unix.ENOENT) {
			return nil
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	attr := unix.LandlockPathBeneathAttr{Allowed_access: rights & r.handled, Parent_fd: int32(fd)}
	if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(r.fd), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&attr)), 0, 0, 0); errno != 0 {
		return fmt.Errorf("landlock_add_rule %s: %w", path, errno)
	}
	return nil
}

// enter restricts the calling thread, for good.
func (r *ruleset) enter() error {
	defer unix.Close(r.fd) //nolint:errcheck // nothing was written
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(r.fd), 0, 0); errno != 0 {
		return fmt.Errorf("landlock_restrict_self: %w", errno)
	}
	return nil
}

// restrict enters a Landlock domain. Whatever it holds, it keeps the process from
// tracing others, from their memory and environment, and from changing mounts.
// Landlock can only grant: all beside the way down to the protected paths is.
func restrict(protect []string, hidden bool) error {
	if hidden || len(protect) == 0 {
		r, err := newRuleset(noRights)
		if err != nil {
			return err
		}
		if err := r.grant("/", noRights); err != nil {
			return err
		}
		return r.enter()
	}
	r, err := newRuleset(dirRights)
	if err != nil {
		return err
	}
	if err := r.grantBeside("/", protect); err != nil {
		return err
	}
	return r.enter()
}

// grantBeside grants the entries of a directory above protected paths, except those
// that lead to one.
func (r *ruleset) grantBeside(dir string, protect []string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case e.Type()&os.ModeSymlink != 0: // it may lead anywhere; where it leads is granted, or not, by itself
		case slices.Contains(protect, path):
		case above(path, protect):
			err = r.grantBeside(path, protect)
		case e.IsDir():
			err = r.grant(path, dirRights)
		default:
			err = r.grant(path, fileRights)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
