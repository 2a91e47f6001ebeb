package cli

import (
	"bytes"
	"context"
	"io"

	"sluice/capi"
	"sluice/internal/fault"
)

// Shown is shown, for tests.
func Shown(s string) string { return shown(s) }

// Explained returns the fault that a wrong call is explained with, nil for none.
func Explained(ctx context.Context, args ...string) *fault.Error {
	var out bytes.Buffer
	c := &command{Process: Process{Args: args, Stdin: &out, Stdout: &out, Stderr: &out}, out: &stdout{Writer: &out}}
	root := c.root()
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&out)
	return explainUsage(root, root.ExecuteContext(ctx), args)
}

// Completed returns what a shell is told when the last of args is to be completed.
func Completed(ctx context.Context, args ...string) string {
	var out bytes.Buffer
	c := &command{Process: Process{Args: args, Stdin: &out, Stdout: &out, Stderr: io.Discard}, out: &stdout{Writer: &out}}
	root := c.root()
	c.completions(root)
	root.SetArgs(append([]string{"__complete"}, args...))
	root.SetOut(&out)
	root.SetErr(io.Discard)
	_ = root.ExecuteContext(ctx) // a shell looks at the text only
	return out.String()
}

// Asked holds the interview of `payload` and returns the event it leads to.
func Asked(ctx context.Context, p Process) (*capi.Event, error) {
	c := &command{Process: p}
	flags := payloadFlags{event: "Purchase", at: "now", user: map[string]*[]string{}}
	for _, f := range capi.Fields() {
		flags.user[f.String()] = new([]string)
	}
	if err := c.askPayload(ctx, &flags); err != nil {
		return nil, err
	}
	return c.payloadEvent(&flags)
}
