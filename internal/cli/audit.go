package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/audit"
	"sluice/internal/fault"
)

func (c *command) auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "audit", Short: "The tamper-evident log: verify, search, export, prove", GroupID: groupLook, Args: cobra.NoArgs,
		RunE: c.helpOrFault,
	}
	cmd.AddCommand(c.auditVerify(), c.auditSearch(), c.auditTail(), c.auditExport(), c.auditProve(), c.auditCheckProof(), c.auditCheckpoints(), c.auditKey())
	return cmd
}

func (c *command) auditVerify() *cobra.Command {
	var file, key string
	var checkpoints []string
	cmd := &cobra.Command{
		Use: "verify", Short: "Recompute every chain and compare it with the signed checkpoints", Args: cobra.NoArgs,
		Long: "Recomputes every chain of the log, checks the signatures of all checkpoints, stored and\n" +
			"exported, and compares each with the records it covers. Exit code 1 when anything does not fit.\n" +
			"With --file an export is verified instead, and no state directory is needed.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file != "" {
				v, err := verifyFile(file, key, checkpoints)
				return c.verified(v, err)
			}
			if key != "" {
				return fault.New(fault.Usage, "--key belongs to --file; a state directory knows its keys")
			}
			return c.withLog(cmd.Context(), func(a *app.App) error {
				v, err := a.Writeback.VerifyAudit(cmd.Context(), checkpoints...)
				return c.verified(v, err)
			})
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "verify this export instead of the state directory")
	cmd.Flags().StringVar(&key, "key", "", "with --file: id of the key that checkpoints must be signed with")
	cmd.Flags().StringArrayVar(&checkpoints, "checkpoints", nil, "exported checkpoints to compare with (default: audit.checkpoint_file); repeatable")
	return cmd
}

// verifyFile verifies an export without a state directory.
func verifyFile(path, key string, checkpoints []string) (v audit.Verification, err error) {
	var exported []audit.Signed
	for _, p := range checkpoints {
		list, err := (audit.File{Path: p}).All()
		if err != nil {
			return v, fault.New(fault.SourceUnavailable, "%s can't be read", p).Wrap(err)
		}
		exported = append(exported, list...)
	}
	v, err = audit.VerifyExport(func() (io.ReadCloser, error) { return os.Open(path) }, nil, exported...)
	var missing *os.PathError
	switch {
	case errors.As(err, &missing):
		return v, fault.New(fault.SourceUnavailable, "the export %s can't be read", path).Wrap(err)
	case err != nil:
		return v, fault.New(fault.SourceInvalid, "%s: %v", path, err)
	}
	for _, k := range v.Keys {
		if key != "" && k != key {
			v.OK, v.Problem = false, "a checkpoint is signed with key "+k
			v.Problems = append(v.Problems, audit.Problem{Kind: "checkpoint", Text: v.Problem})
		}
	}
	return v, nil
}

// verified prints a verification and turns a broken log into its fault.
func (c *command) verified(v audit.Verification, err error) error {
	if err != nil {
		return err
	}
	if err := c.print(v, func(w io.Writer) { c.writeVerification(w, &v) }); err != nil {
		return err
	}
	if !v.OK {
		return reported{fault.New(fault.AuditBroken, "the audit log does not verify: %s", v.Problem)}
	}
	return nil
}

func (c *command) writeVerification(w io.Writer, v *audit.Verification) {
	for _, p := range v.Problems {
		line(w, "%s %s", c.bad("broken:"), shown(p.Text))
	}
	for _, p := range v.Warnings {
		line(w, "%s %s", c.notice("note:"), shown(p.Text))
	}
	if v.OK {
		line(w, "%s %s in %s, head %s", c.good("intact:"), plural(v.Records, "record"), plural(int64(len(v.Chains)), "chain"), v.Head)
	}
	line(w, "  %s stored, %s exported · %s after the last one", plural(int64(v.Checkpoints), "checkpoint"), thousands(v.Exported), plural(v.Unsigned, "record"))
	for _, k := range v.Keys {
		line(w, "  signed with %s", k)
	}
}

// whenOf reads a day or a time; empty is no bound.
func whenOf(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fault.New(fault.Usage, "%s is a day such as 2026-11-01 or a time such as 2026-11-01T09:00:00Z", flag)
}

// toFile lets fn write to a new file, or to standard output when there is no path.
func (c *command) toFile(path string, fn func(io.Writer) error) error {
	if path == "" {
		return fn(c.Stdout)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fault.New(fault.Usage, "%s can't be written", path).Wrap(err)
	}
	return errors.Join(fn(f), f.Close())
}

func (c *command) auditCheckpoints() *cobra.Command {
	cmd := &cobra.Command{Use: "checkpoints", Short: "List, make or reset the signed checkpoints", Args: cobra.NoArgs, RunE: c.helpOrFault}
	list := &cobra.Command{
		Use: "list", Short: "Print the stored checkpoints as JSON lines, as they are exported", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				list, err := a.Writeback.AuditCheckpoints(cmd.Context())
				if err != nil {
					return err
				}
				for i := range list {
					text, err := list[i].MarshalJSON()
					if err != nil {
						return err
					}
					if _, err := fmt.Fprintf(c.Stdout, "%s\n", text); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	now := &cobra.Command{
		Use: "now", Short: "Sign a checkpoint now and export it", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withLog(cmd.Context(), func(a *app.App) error {
				if err := a.Writeback.Checkpoint(cmd.Context(), true); err != nil {
					return err
				}
				return c.showLast(cmd.Context(), a)
			})
		},
	}
	var reason string
	reset := &cobra.Command{
		Use: "reset --reason TEXT", Short: "Accept that this store is behind its last exported checkpoint", Args: cobra.NoArgs,
		Long: "After a backup was restored, confirms are refused (ledger_forked): what was sent since the backup\n" +
			"is missing in the ledger and would be sent again. When that was recorded with `sluice adopt`, or\n" +
			"the newer ledger is gone for good, this makes the restored log the valid one.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				if _, err := a.Writeback.ResetCheckpoints(cmd.Context(), reason); err != nil {
					return err
				}
				return c.showLast(cmd.Context(), a)
			})
		},
	}
	reset.Flags().StringVar(&reason, "reason", "", "why; kept in the audit log")
	cmd.AddCommand(list, now, reset)
	return cmd
}

// showLast prints where the newest checkpoint stands.
func (c *command) showLast(ctx context.Context, a *app.App) error {
	list, err := a.Writeback.AuditCheckpoints(ctx)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return fault.New(fault.NotFound, "the audit log is empty: there is nothing to sign yet")
	}
	last := list[len(list)-1].Checkpoint
	return c.print(last, func(w io.Writer) {
		line(w, "checkpoint %d of %s", last.No, last.TS)
		for _, h := range last.Heads {
			line(w, "  %s  %s, root %s", h.Chain, plural(h.Size, "record"), h.Root.Hex())
		}
	})
}

func (c *command) auditKey() *cobra.Command {
	return &cobra.Command{
		Use: "key", Short: "Print the public keys that sign checkpoints", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				keys, err := a.Writeback.AuditKeys(cmd.Context())
				if err != nil {
					return err
				}
				type row struct {
					ID     string `json:"id"`
					Kind   string `json:"kind"`
					Public []byte `json:"public_key"`
				}
				rows := []row{}
				for _, k := range keys {
					rows = append(rows, row{k.ID, "Ed25519", k.Public})
				}
				return c.print(rows, func(w io.Writer) {
					for _, k := range keys {
						line(w, "%s  Ed25519  %x", k.ID, []byte(k.Public))
					}
					if len(keys) == 0 {
						line(w, "No checkpoint was signed yet.")
					}
				})
			})
		},
	}
}

// helpOrFault answers a command that only groups others: people get its help, a
// script, which can do nothing with that, an error document.
func (c *command) helpOrFault(cmd *cobra.Command, _ []string) error {
	if !c.json {
		return cmd.Help()
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return fault.New(fault.Usage, "%s needs a subcommand", cmd.Name()).WithFix("one of: %s", strings.Join(names, ", "))
}
