package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/privacy"
	"sluice/internal/writeback"
)

func (c *command) suppressCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "suppress", Short: "People who must not be sent: withdrawn consent, objections, erasures", GroupID: groupAdmin,
		Args: cobra.NoArgs, RunE: c.helpOrFault,
		Long: "The list holds keyed digests, never an address, and belongs to one profile. Who is on it is left out of\n" +
			"every plan, and out of every run when it is confirmed or resumed.",
		Example: "  sluice suppress add --email buyer@example.com --reason withdrawn --request DSR-17\n" +
			"  sluice suppress import unsubscribed.csv --reason objected\n" +
			"  sluice suppress list --count",
	}
	var profile string
	cmd.PersistentFlags().StringVar(&profile, "profile", "", "profile whose list it is (default: default)")
	cmd.AddCommand(c.suppressAddCommand(&profile), c.suppressImportCommand(&profile), c.suppressRemoveCommand(&profile), c.suppressListCommand(&profile))
	return cmd
}

func (c *command) suppressAddCommand(profile *string) *cobra.Command {
	var who subjectFlags
	var reason, request string
	cmd := &cobra.Command{
		Use: "add", Short: "Put a person on the list", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !who.given() {
				return fault.New(fault.Usage, "nobody is named").WithFix("pass --email, --phone or --external-id, or use `sluice suppress import -`")
			}
			return c.suppress(cmd.Context(), *profile, writeback.SuppressRequest{Next: who.once(), Reason: reason, Request: request}, true)
		},
	}
	who.add(cmd)
	addReasonFlags(cmd, &reason, &request, privacy.Objected)
	return cmd
}

func addReasonFlags(cmd *cobra.Command, reason, request *string, standard string) {
	cmd.Flags().StringVar(reason, "reason", standard, "withdrawn, objected, erased or imported")
	cmd.Flags().StringVar(request, "request", "", "reference of the request, for the audit log")
}

func (c *command) suppressImportCommand(profile *string) *cobra.Command {
	var reason, request string
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Put a list of people on it: JSON lines, or CSV with a header", Args: exactly("a file"),
		Long: "JSON lines {\"email\": …, \"phone\": …, \"external_id\": …, \"country\": …}, or CSV whose header has some of these\n" +
			"names. Values may be plain or SHA-256. `-` is standard input.",
		RunE: func(cmd *cobra.Command, args []string) error {
			next, closeList, err := c.openSubjects(args[0])
			if err != nil {
				return err
			}
			defer closeList()
			return c.suppress(cmd.Context(), *profile, writeback.SuppressRequest{Next: next, Reason: reason, Request: request}, false)
		},
	}
	addReasonFlags(cmd, &reason, &request, privacy.Imported)
	return cmd
}

// suppress adds to the list. A single entry that can't be read is a failure, one
// line of many is counted, and the rest is on the list.
func (c *command) suppress(ctx context.Context, profile string, req writeback.SuppressRequest, single bool) error {
	return c.with(ctx, func(a *app.App) error {
		r, err := a.Writeback.In(profile).Suppress(ctx, req)
		if err != nil {
			return err
		}
		if single && r.Reason != nil {
			return r.Reason
		}
		err = c.print(r, func(w io.Writer) {
			line(w, "%s identifiers of %s people are new on the suppression list.", thousands(r.Added), thousands(r.Entries-r.Invalid))
			writeInvalid(w, r)
		})
		if err == nil && r.Invalid > 0 {
			return reported{fault.New(fault.Partial, "%s of %s entries could not be read", thousands(r.Invalid), thousands(r.Entries)).
				WithFix("mend them and import the list again: who is on it already counts once")}
		}
		return err
	})
}

func writeInvalid(w io.Writer, r *writeback.SuppressResult) {
	if r.Invalid > 0 {
		line(w, "%s entries could not be read, the first are number %v: %v", thousands(r.Invalid), r.First, r.Reason)
	}
}

func (c *command) suppressRemoveCommand(profile *string) *cobra.Command {
	var who subjectFlags
	var request string
	cmd := &cobra.Command{
		Use: "remove", Short: "Take a person off the list", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !who.given() {
				return fault.New(fault.Usage, "nobody is named").WithFix("pass --email, --phone or --external-id")
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				r, err := a.Writeback.In(*profile).Lift(cmd.Context(), writeback.SuppressRequest{Next: who.once(), Request: request})
				if err != nil {
					return err
				}
				if r.Reason != nil {
					return r.Reason
				}
				return c.print(r, func(w io.Writer) {
					line(w, "%s identifiers were taken off the suppression list.", thousands(r.Removed))
				})
			})
		},
	}
	who.add(cmd)
	cmd.Flags().StringVar(&request, "request", "", "reference of the request, for the audit log")
	return cmd
}

func (c *command) suppressListCommand(profile *string) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "Count the list by identifier and reason; the people on it can't be listed", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				counts, err := a.Writeback.In(*profile).Suppressions(cmd.Context())
				if err != nil {
					return err
				}
				return c.print(counts, func(w io.Writer) {
					if len(counts) == 0 {
						line(w, "Nobody is on the suppression list.")
						return
					}
					t := newTable(w)
					t.head = []string{"IDENTIFIER", "REASON", "ENTRIES"}
					for _, n := range counts {
						_ = t.row(n.Field, n.Reason, thousands(n.Count))
					}
					_ = t.flush()
				})
			})
		},
	}
	// The list holds digests only: counting is all there is, and the flag says so.
	cmd.Flags().Bool("count", true, "count the entries")
	return cmd
}
