package cli

import (
	"io"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/ledger"
)

func (c *command) approvalsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "approvals",
		Short:   "List and decide confirms that wait for a second person",
		GroupID: groupAdmin,
		Args:    cobra.NoArgs,
	}
	var profile, state string
	list := &cobra.Command{
		Use:   "list",
		Short: "List approvals, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch ledger.ApprovalState(state) {
			case "", ledger.ApprovalPending, ledger.ApprovalApproved, ledger.ApprovalRejected, ledger.ApprovalExpired, ledger.ApprovalConsumed:
			default:
				return fault.New(fault.Usage, "--state must be pending, approved, rejected, expired or consumed")
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				found, err := a.Writeback.In(profile).Approvals(cmd.Context(), ledger.ApprovalState(state))
				if err != nil {
					return err
				}
				return c.print(found, func(w io.Writer) { writeApprovals(w, found) })
			})
		},
	}
	list.Flags().StringVar(&profile, "profile", "", "profile (default: default)")
	list.Flags().StringVar(&state, "state", "", "pending, approved, rejected, expired or consumed")
	cmd.AddCommand(list, c.decideCommand("approve", true), c.decideCommand("reject", false))
	return cmd
}

func (c *command) decideCommand(verb string, approve bool) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   verb + " APPROVAL --reason TEXT",
		Short: map[bool]string{true: "Let the proposed confirm go through, once", false: "Refuse the proposed confirm for good"}[approve],
		Long: "An owner, an admin or a member with the flag approver decides, never about what they proposed\n" +
			"themselves. The reason goes into the audit log.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				decided, err := a.Writeback.Decide(cmd.Context(), args[0], approve, reason)
				if err != nil {
					return err
				}
				return c.print(decided, func(w io.Writer) {
					line(w, "Approval %s: %s. Plan %s", decided.ID, decided.State, decided.PlanID)
				})
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log (required)")
	return cmd
}

func writeApprovals(w io.Writer, list []ledger.Approval) {
	if len(list) == 0 {
		line(w, "No approvals.")
		return
	}
	t := newTable(w)
	t.head = []string{"approval", "state", "plan", "proposed by", "until", "why"}
	for i := range list {
		a := &list[i]
		why := a.Why
		if a.Reason != "" {
			why = a.Decider + ": " + a.Reason
		}
		_ = t.row(a.ID, string(a.State), a.PlanID, a.Proposer, stamp(a.ExpiresAt), why) // errors come from flush again
	}
	_ = t.flush()
}
