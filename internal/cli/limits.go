package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/enforce"
	"sluice/internal/fault"
)

func (c *command) limitsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "limits", Short: "See and release what calls of unknown outcome took", GroupID: groupAdmin, Args: cobra.NoArgs,
		Long: "A call whose answer was lost may have been done: what it took from its limits stays used, and it is\n" +
			"listed here as ambiguous. When somebody found out that it was not done, they release it.",
		RunE: c.helpOrFault,
	}
	most := 0
	list := &cobra.Command{
		Use: "ambiguous", Short: "List calls whose outcome is not known, newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if most < 1 || most > 1000 {
				return fault.New(fault.Usage, "--limit must be 1 to 1000")
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				s, err := a.Approve(cmd.Context())
				if err != nil {
					return err
				}
				found, err := s.Ambiguous(cmd.Context(), most)
				if err != nil {
					return err
				}
				return c.print(found, func(w io.Writer) { writeAmbiguous(w, found) })
			})
		},
	}
	list.Flags().IntVar(&most, "limit", 100, "how many, 1 to 1000")
	var reason string
	release := &cobra.Command{
		Use: "release REQUEST --reason TEXT", Short: "Give back what an ambiguous call took, once it is known not to have been done", Args: needName("request id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				s, err := a.Approve(cmd.Context())
				if err != nil {
					return err
				}
				if err := s.Release(cmd.Context(), args[0], reason); err != nil {
					return err
				}
				return c.print(map[string]string{"released": args[0]}, func(w io.Writer) {
					line(w, "Released: what call %s took counts no more.", shown(args[0]))
				})
			})
		},
	}
	release.Flags().StringVar(&reason, "reason", "", "how you know that it was not done, for the audit log (required)")
	cmd.AddCommand(list, release)
	return cmd
}

func writeAmbiguous(w io.Writer, list []enforce.Reservation) {
	if len(list) == 0 {
		line(w, "No call is ambiguous.")
		return
	}
	t := newTable(w)
	t.head = []string{"request", "at", "grant", "server", "tool", "limits"}
	for i := range list {
		r := &list[i]
		_ = t.row(r.Request, stamp(r.At), r.Grant, r.Server, r.Tool, strings.Join(r.Rules, " ")) // errors come from flush again
	}
	_ = t.flush()
}
