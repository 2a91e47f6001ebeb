// Package filelock locks whole files between processes.
//
// Its guarantee: a lock ends with the process that holds it, or when the file is
// closed. Its limit: it is advisory, and not to be trusted on network file systems.
package filelock

import "errors"

// ErrBusy is what Try returns for a file that somebody else has locked.
var ErrBusy = errors.New("the file is locked")
