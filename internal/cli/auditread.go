package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/approve"
	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/fault"
)

// withLog opens the state directory for somebody who reads the log: what the gateway
// recorded in the last second is brought into it first. Where that fails, what is in the
// log is still there to be read: it may be damaged, and be read for that.
func (c *command) withLog(ctx context.Context, fn func(*app.App) error) error {
	return c.with(ctx, func(a *app.App) error {
		if err := a.FlushCalls(ctx); err != nil && ctx.Err() == nil {
			line(c.Stderr, "%s calls of the last moments are not in the audit log yet: %s", c.notice("note:"), shown(err.Error()))
		}
		return fn(a)
	})
}

func (c *command) auditTail() *cobra.Command {
	var from int64
	var n int
	var follow bool
	cmd := &cobra.Command{
		Use: "tail", Short: "Print the records as JSON lines", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if from < 1 {
				return fault.New(fault.Usage, "--from must be 1 or more")
			}
			if n < 0 {
				return fault.New(fault.Usage, "--last must be 0 or more")
			}
			show := func(body []byte) error {
				_, err := fmt.Fprintf(c.Stdout, "%s\n", body)
				return err
			}
			return c.withLog(cmd.Context(), func(a *app.App) error {
				if follow {
					return c.follow(cmd.Context(), a, n, show)
				}
				if n == 0 {
					return a.Writeback.AuditRecords(cmd.Context(), from, show)
				}
				list, err := a.Writeback.AuditTail(cmd.Context(), n)
				for _, l := range list {
					err = errors.Join(err, show(l.Body))
				}
				return err
			})
		},
	}
	cmd.Flags().Int64Var(&from, "from", 1, "first record number of each chain, 1 or more")
	cmd.Flags().IntVarP(&n, "last", "n", 0, "only the newest N records of all chains")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with new records as they come, until Ctrl-C")
	cmd.MarkFlagsMutuallyExclusive("from", "last")
	cmd.MarkFlagsMutuallyExclusive("from", "follow")
	return cmd
}

// followEvery is how often the log is looked at.
const followEvery = time.Second

// follow prints the newest n records, and then new ones of any chain in the order they
// were written in.
func (c *command) follow(ctx context.Context, a *app.App, n int, show func([]byte) error) error {
	heads, err := a.Writeback.AuditHeads(ctx)
	if err != nil {
		return err
	}
	list, err := a.Writeback.AuditTail(ctx, n)
	for _, l := range list {
		if l.Seq <= heads[l.Chain] { // what came meanwhile comes below
			err = errors.Join(err, show(l.Body))
		}
	}
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for err == nil {
		select {
		case <-ctx.Done():
			return nil // whoever follows ends it
		case <-ticker.C:
		}
		var fresh []audit.Link
		fresh, heads, err = a.Writeback.AuditSince(ctx, heads)
		for _, l := range fresh {
			err = errors.Join(err, show(l.Body))
		}
	}
	return err
}

func (c *command) auditExport() *cobra.Command {
	var from, to, output, format string
	cmd := &cobra.Command{
		Use: "export", Short: "Write records, hashes and checkpoints as JSON lines, or calls as CSV", Args: cobra.NoArgs,
		Long: "Writes the records with their hashes, and the checkpoints: what `sluice audit verify --file` verifies.\n" +
			"With --format csv it writes the calls of agents instead, one line each, for a spreadsheet; cells that it\n" +
			"would take for a formula begin with an apostrophe.",
		Example: "  sluice audit export --from 2026-11-01 --to 2026-12-01 -o november.jsonl\n  sluice audit verify --file november.jsonl\n" +
			"  sluice audit export --format csv --from 2026-11-01 -o calls.csv",
		RunE: func(cmd *cobra.Command, _ []string) error {
			since, err := whenOf("--from", from)
			if err != nil {
				return err
			}
			until, err := whenOf("--to", to)
			if err != nil {
				return err
			}
			if format != "jsonl" && format != "csv" {
				return fault.New(fault.Usage, "--format must be jsonl or csv")
			}
			return c.withLog(cmd.Context(), func(a *app.App) error {
				return c.toFile(output, func(w io.Writer) error {
					n, what, err := int64(0), "record", error(nil)
					if format == "csv" {
						what = "call"
						n, err = c.exportCalls(cmd.Context(), a, enforce.CallFilter{Since: since, Until: until}, w)
					} else {
						n, err = a.Writeback.ExportAudit(cmd.Context(), since, until, w)
					}
					if err == nil && output != "" {
						_, _ = fmt.Fprintf(c.Stderr, "%s written\n", plural(n, what))
					}
					return err
				})
			})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "first day or time, such as 2026-11-01 (UTC)")
	cmd.Flags().StringVar(&to, "to", "", "first day or time that is left out")
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to write (default: standard output)")
	cmd.Flags().StringVar(&format, "format", "jsonl", "jsonl: the log, to verify; csv: the calls, to read")
	return cmd
}

func (c *command) exportCalls(ctx context.Context, a *app.App, f enforce.CallFilter, w io.Writer) (n int64, err error) {
	s, err := a.Approve(ctx)
	if err != nil {
		return 0, err
	}
	out, err := approve.NewCSV(w)
	if err != nil {
		return 0, err
	}
	err = s.EachCall(ctx, f, func(r *approve.CallRow) error {
		n++
		return out.Write(r)
	})
	return n, errors.Join(err, out.Flush())
}
