package cli

import (
	"io"

	"github.com/spf13/cobra"

	"sluice/internal/app"
)

func (c *command) retentionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "retention", Short: "What is kept how long, and removing what is over", GroupID: groupAdmin, Args: cobra.NoArgs, RunE: c.helpOrFault,
		Long: "`sluice work` and `sluice serve` remove what is over every hour; `sluice retention run` does it now.",
	}
	var profile string
	show := &cobra.Command{
		Use: "show", Short: "Show how long a profile's data is kept", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				v, err := a.Writeback.In(profile).Retention(cmd.Context())
				if err != nil {
					return err
				}
				return c.print(v, func(w io.Writer) {
					line(w, "payloads     %s", v.PayloadsText)
					line(w, "             %s plans have one, %s are due", thousands(v.Payloads), thousands(v.Due))
					line(w, "rejects      %d days", v.RejectDays)
					line(w, "ledger       %d days; no identifiers", v.LedgerDays)
					line(w, "keys         %d days", v.KeyDays)
					line(w, "outcomes     %d days after the sale, then without payload", v.OutcomeDays)
					line(w, "suppression  kept; keyed digests")
					line(w, "audit        kept; no identifiers")
				})
			})
		},
	}
	show.Flags().StringVar(&profile, "profile", "", "profile (default: default)")
	run := &cobra.Command{
		Use: "run", Short: "Remove what is over, in every profile", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				r, _, err := a.Writeback.Retain(cmd.Context())
				if err != nil {
					return err
				}
				return c.print(r, func(w io.Writer) {
					line(w, "Shredded the payloads of %s plans and %s stored outcomes.", thousands(r.Payloads), thousands(r.Outcomes))
					line(w, "Deleted %s rejects, %s old plans with %s events, %s idempotency keys.",
						thousands(r.Rejects), thousands(r.Plans), thousands(r.Events), thousands(r.Keys))
				})
			})
		},
	}
	cmd.AddCommand(show, run)
	return cmd
}
