package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
)

func (c *command) auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "audit", Short: "The tamper-evident log of what was previewed, rehearsed and sent", GroupID: groupLook, Args: cobra.NoArgs,
		RunE: c.helpOrFault,
	}
	verify := &cobra.Command{
		Use: "verify", Short: "Recompute the whole chain", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				v, err := a.Writeback.VerifyAudit(cmd.Context())
				if err != nil {
					return err
				}
				if err := c.print(v, func(w io.Writer) {
					if v.OK {
						line(w, "%s %s, head %s", c.good("intact:"), plural(v.Records, "record"), v.Head)
						return
					}
					line(w, "%s %s", c.bad("broken:"), v.Problem)
				}); err != nil {
					return err
				}
				if !v.OK {
					return reported{fault.New(fault.AuditBroken, "the audit chain does not verify: %s", v.Problem)}
				}
				return nil
			})
		},
	}
	var from int64
	tail := &cobra.Command{
		Use: "tail", Short: "Print the records as JSON lines", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if from < 1 {
				return fault.New(fault.Usage, "--from must be 1 or more")
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				return a.Writeback.AuditRecords(cmd.Context(), from, func(body []byte) error {
					_, err := fmt.Fprintf(c.Stdout, "%s\n", body)
					return err
				})
			})
		},
	}
	tail.Flags().Int64Var(&from, "from", 1, "first record number, 1 or more")
	cmd.AddCommand(verify, tail)
	return cmd
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
