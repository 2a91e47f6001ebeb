package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"sluice/internal/fault"
)

// reported wraps a fault whose document is already on stdout: only its exit code
// and, for people, its line on stderr are still owed.
type reported struct{ error }

func (r reported) Unwrap() error { return r.error }

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
}

// exit prints an error and returns the code of the process.
func (c *command) exit(ctx context.Context, err error) int {
	if err == nil {
		return fault.ExitOK
	}
	// A reader that went away (sluice rejects | head) is not an error to report.
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) {
		return fault.ExitOK
	}
	f := asFault(ctx, err)
	row := fault.Lookup(f.Code)
	fix := f.Fix
	if fix == "" {
		fix = row.Fix
	}
	var done reported
	switch {
	case c.json && errors.As(err, &done):
	case c.json:
		line, merr := json.Marshal(envelope{body{f.Code, f.Message, row.Retryable, f.RetryAfter, f.Details, fix}})
		if merr == nil {
			_, _ = fmt.Fprintf(c.Stdout, "%s\n", line)
		}
	default:
		c.complain(f, fix)
	}
	return row.Exit
}

// complain prints what failed, the excerpts if there are any, and what to do.
func (c *command) complain(f *fault.Error, fix string) {
	_, _ = fmt.Fprintf(c.Stderr, "sluice: %s [%s]\n", f.Message, f.Code)
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
func asFault(ctx context.Context, err error) *fault.Error {
	if f, ok := fault.As(err); ok {
		return f
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return fault.New(fault.Cancelled, "interrupted").Wrap(err)
	}
	if text := err.Error(); strings.HasPrefix(text, "unknown command") || strings.Contains(text, "arg(s)") || strings.Contains(text, "required flag") {
		return fault.New(fault.Usage, "%s", strings.ReplaceAll(text, "\n", " ")).WithFix("see `sluice --help`")
	}
	return fault.New(fault.Internal, "%v", err)
}
