package stdiodial

import (
	"bufio"
	"bytes"
	"errors"
	"sync"
	"time"
)

// What is kept of a child's stderr: it is written for people, and without end by some.
const (
	stderrLine   = 4 << 10 // bytes of a line
	stderrPerSec = 200     // lines
)

// copyStderr logs what the child writes for people. Nothing of it is understood.
func (c *child) copyStderr() {
	defer c.stderr.Close()
	lines := bufio.NewReaderSize(c.stderr, stderrLine)
	var second time.Time
	var written, dropped int
	for {
		line, err := lines.ReadSlice('\n')
		cut := errors.Is(err, bufio.ErrBufferFull)
		line = bytes.TrimRight(line, "\r\n")
		if len(line) > 0 {
			if now := time.Now(); now.Sub(second) >= time.Second {
				if dropped > 0 {
					c.d.o.Log.Warn("lines of the server's stderr were dropped", "lines", dropped)
				}
				second, written, dropped = now, 0, 0
			}
			if written++; written > stderrPerSec {
				dropped++
			} else {
				c.d.said(line)
			}
		}
		for cut { // the rest of a line that is too long
			_, err = lines.ReadSlice('\n')
			cut = errors.Is(err, bufio.ErrBufferFull)
		}
		if err != nil {
			return
		}
	}
}

// stderrMu keeps lines of several children whole.
var stderrMu sync.Mutex

// said passes on one line: to whom Options name, else to the log.
func (d *Dialer) said(line []byte) {
	if d.o.Stderr == nil {
		d.o.Log.Info("stderr", "line", string(bytes.ToValidUTF8(line, []byte("\uFFFD"))))
		return
	}
	out := make([]byte, 0, len(d.o.Server)+len(line)+4)
	if d.o.Server != "" {
		out = append(append(append(out, '['), d.o.Server...), "] "...)
	}
	out = append(append(out, line...), '\n')
	stderrMu.Lock()
	defer stderrMu.Unlock()
	_, _ = d.o.Stderr.Write(out)
}
