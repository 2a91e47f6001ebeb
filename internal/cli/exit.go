package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"sluice/internal/fault"
)

// reported wraps a fault whose document is already on stdout: only its exit code
// and, for people, its line on stderr are still owed.
type reported struct{ error }

func (r reported) Unwrap() error { return r.error }

// Signal is the cause of a context that a signal ended.
type Signal struct{ os.Signal }

func (s Signal) Error() string { return s.String() }

// signalled is 128 and the number of the signal, as shells report it.
func signalled(ctx context.Context, fallback int) int {
	var s Signal
	if errors.As(context.Cause(ctx), &s) && s.Signal == syscall.SIGTERM {
		return 128 + int(syscall.SIGTERM)
	}
	return fallback
}

// stdout marks its own broken pipe, so that a pipe that breaks elsewhere (a
// connection to Meta) is not taken for a reader that went away.
type stdout struct {
	io.Writer
	broken bool
}

func (s *stdout) Write(b []byte) (int, error) {
	n, err := s.Writer.Write(b)
	s.broken = s.broken || errors.Is(err, syscall.EPIPE)
	return n, err
}

// envelope is the error document of --json.
type envelope struct {
	Error body `json:"error"`
}

type body struct {
	Code       fault.Code     `json:"code"`
	Message    string         `json:"message"`
	Retryable  bool           `json:"retryable"`
	RetryAfter int            `json:"retry_after,omitempty"`
	Details    map[string]any `json:"details,omitempty"`
	Fix        string         `json:"fix,omitempty"`
	FixCommand []string       `json:"fix_command,omitempty"` // the next step as a command line
}

// exit prints an error and returns the code of the process.
func (c *command) exit(ctx context.Context, root *cobra.Command, err error) int {
	if err == nil {
		return fault.ExitOK
	}
	// A reader that went away (sluice rejects | head) is not an error to report.
	if c.out.broken {
		return fault.ExitOK
	}
	f := c.asFault(ctx, root, err)
	row := fault.Lookup(f.Code)
	fix := f.Fix
	if fix == "" {
		fix = row.Fix
	}
	var done reported
	switch {
	case c.json && errors.As(err, &done):
	case c.json:
		line, merr := json.Marshal(envelope{body{f.Code, f.Message, row.Retryable, f.RetryAfter, f.Details, fix, f.Command}})
		if merr == nil {
			_, _ = fmt.Fprintf(c.Stdout, "%s\n", line)
		}
	default:
		c.complain(f, fix)
	}
	if f.Code == fault.Cancelled {
		return signalled(ctx, row.Exit)
	}
	return row.Exit
}

// complain prints what failed, the excerpts if there are any, and what to do.
func (c *command) complain(f *fault.Error, fix string) {
	_, _ = fmt.Fprintf(c.Stderr, "sluice: %s [%s]\n", shown(f.Message), f.Code)
	if text, ok := f.Details["excerpt"].(string); ok && text != "" {
		for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
			_, _ = fmt.Fprintf(c.Stderr, "  %s\n", line)
		}
	}
	if fix != "" {
		_, _ = fmt.Fprintf(c.Stderr, "  fix: %s\n", fix)
	}
}

// asFault gives every error a code: what has none is a wrong call or a defect.
func (c *command) asFault(ctx context.Context, root *cobra.Command, err error) *fault.Error {
	if f := explainUsage(root, err, c.Args); f != nil {
		return f
	}
	if f, ok := fault.As(err); ok {
		return f
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return fault.New(fault.Cancelled, "interrupted").Wrap(err)
	}
	return fault.New(fault.Internal, "%v", err)
}
