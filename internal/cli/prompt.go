package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxAnswer bounds one answer, in bytes.
const maxAnswer = 64 << 10

// readLine reads one answer, without its line end and the blanks around it. It
// returns at once when ctx ends: a person who presses Ctrl-C at a question is not
// kept waiting for Enter. At the end of stdin it returns io.EOF.
//
// After a cancelled call a goroutine still waits on stdin, so no other may follow.
func (c *command) readLine(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if c.lines == nil {
		c.lines = bufio.NewReaderSize(c.Stdin, maxAnswer)
	}
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		text, err := c.lines.ReadSlice('\n')
		got <- answer{strings.TrimSpace(string(text)), err}
	}()
	select {
	case <-ctx.Done():
		_, _ = fmt.Fprintln(c.Stderr) // the question's line is not finished
		return "", ctx.Err()
	case a := <-got:
		if errors.Is(a.err, io.EOF) && a.text != "" {
			return a.text, nil // the last line of a file need not end
		}
		return a.text, a.err
	}
}
