package cli

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/writeback"
)

func (c *command) circuitCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "circuit",
		Short:   "Show or reset the breaker that stops confirms after repeated failures",
		GroupID: groupAdmin,
		Long: "Three failed confirms of a profile within 30 minutes open its circuit: further ones are refused\n" +
			"for 30 minutes, longer each time it happens again, up to 4 hours. Then one confirm may try, with a\n" +
			"first request of at most 50 events; when it succeeds the circuit closes.",
		Args: cobra.NoArgs,
	}
	var profile string
	cmd.PersistentFlags().StringVar(&profile, "profile", "", "profile (default: default)")
	cmd.AddCommand(&cobra.Command{
		Use:   "show",
		Short: "Show the state, since when, until when, and the failures behind it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				list, err := a.Writeback.In(profile).Circuits(cmd.Context())
				if err != nil {
					return err
				}
				return c.print(list, func(w io.Writer) { c.writeCircuits(w, list) })
			})
		},
	})
	var reason string
	reset := &cobra.Command{
		Use:   "reset --reason TEXT",
		Short: "Close the circuit by hand; the reason goes into the audit log",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				n, err := a.Writeback.In(profile).ResetCircuit(cmd.Context(), "", reason)
				if err != nil {
					return err
				}
				return c.print(map[string]int{"closed": n}, func(w io.Writer) {
					if n == 0 {
						line(w, "No circuit was open.")
						return
					}
					line(w, "%s closed.", plural(int64(n), "circuit"))
				})
			})
		},
	}
	reset.Flags().StringVar(&reason, "reason", "", "why, for the audit log (required)")
	cmd.AddCommand(reset)
	return cmd
}

func (c *command) writeCircuits(w io.Writer, list []writeback.CircuitView) {
	if len(list) == 0 {
		line(w, "Circuit closed; no confirm of this profile has failed.")
		return
	}
	for i := range list {
		v := &list[i]
		state := c.good(v.State)
		if v.State != "closed" {
			state = c.bad(v.State)
		}
		line(w, "%s  profile %s at %s", state, shown(v.Profile), shown(v.Realm))
		if !v.OpenedAt.IsZero() {
			field(w, "opened", "%s", stamp(v.OpenedAt))
			field(w, "until", "%s (in %s)", stamp(v.Until), (time.Duration(v.RetryAfter) * time.Second).String())
		}
		if v.Probe != "" {
			field(w, "trying", "run %s", v.Probe)
		}
		for _, f := range v.Failures {
			field(w, "failed", "%s  run %s  %s", stamp(f.At), f.Run, f.Code)
		}
	}
}
