package cli

import (
	"bufio"
	"context"
)

// readLine reads one line of stdin. A signal ends the wait: the read itself can't be
// interrupted, so it is left to the end of the process.
func (c *command) readLine(ctx context.Context) (string, error) {
	if c.lines == nil {
		c.lines = bufio.NewReader(c.Stdin)
	}
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		text, err := c.lines.ReadString('\n')
		got <- answer{text, err}
	}()
	select {
	case a := <-got:
		return a.text, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
