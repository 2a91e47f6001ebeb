package cli

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/approve"
	"sluice/internal/enforce"
	"sluice/internal/fault"
	"sluice/internal/ledger"
)

func (c *command) approvalsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "approvals",
		Short:   "List and decide what waits for a person: tool calls and confirms",
		GroupID: groupAdmin,
		Long: "Two things wait for somebody's yes: calls of agents that a policy's approve_if holds (apr_…), and\n" +
			"confirms of plans that need a second person (ap_…). See docs/approvals.md.",
		Args: cobra.NoArgs,
		RunE: c.helpOrFault,
	}
	cmd.AddCommand(c.approvalsList(), c.approvalsShow(), c.decideCommand("approve", true), c.decideCommand("reject", false), c.approvalsWatch(), c.approvalsKey())
	return cmd
}

// approvalStates are the states of both kinds; "rejected" of a confirm is "denied" of a
// call, and either word finds both.
var approvalStates = []string{"pending", "approved", "rejected", "denied", "expired", "cancelled", "consumed"}

func (c *command) approvalsList() *cobra.Command {
	var profile, state, kind, server, grant, tool string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List approvals, newest first",
		Example: "  sluice approvals list --state pending\n  sluice approvals list --kind call --grant nightly",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if state != "" && !slices.Contains(approvalStates, state) {
				return fault.New(fault.Usage, "--state must be %s or %s", strings.Join(approvalStates[:6], ", "), approvalStates[6])
			}
			if kind != "" && kind != approve.Call && kind != approve.Confirm {
				return fault.New(fault.Usage, "--kind must be %s or %s", approve.Call, approve.Confirm)
			}
			calls := kind != approve.Confirm && profile == ""
			confirms := kind != approve.Call && server == "" && grant == "" && tool == ""
			if !calls && !confirms {
				return fault.New(fault.Usage, "--profile is of confirms; --server, --grant and --tool are of calls")
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				list := []approve.Item{}
				if confirms {
					found, err := a.Writeback.In(profile).Approvals(cmd.Context(), ledger.ApprovalState(strings.Replace(state, "denied", "rejected", 1)))
					if err != nil {
						return err
					}
					for i := range found {
						list = append(list, approve.OfConfirm(&found[i]))
					}
				}
				if calls {
					s, f, err := c.calls(cmd.Context(), a, server, grant)
					if err != nil {
						return err
					}
					found, err := s.List(cmd.Context(), approve.Filter{
						Server: f.Server, Grant: f.Grant, Tool: tool, State: enforce.State(strings.Replace(state, "rejected", "denied", 1)),
					})
					if err != nil {
						return err
					}
					list = append(list, found...)
				}
				slices.SortStableFunc(list, func(a, b approve.Item) int { return b.CreatedAt.Compare(a.CreatedAt) })
				return c.print(list, func(w io.Writer) { writeApprovals(w, list) })
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&kind, "kind", "", "call or confirm (default: both)")
	f.StringVar(&state, "state", "", strings.Join(approvalStates, ", "))
	f.StringVar(&profile, "profile", "", "of confirms: the profile (default: default)")
	f.StringVar(&server, "server", "", "of calls: the server's name")
	f.StringVar(&grant, "grant", "", "of calls: the grant's name or id")
	f.StringVar(&tool, "tool", "", "of calls: the tool")
	return cmd
}

// calls is the gateway's side of an app, and a filter for a server and a grant by name.
func (c *command) calls(ctx context.Context, a *app.App, server, grant string) (*approve.Service, enforce.CallFilter, error) {
	var f enforce.CallFilter
	var err error
	if f.Server, f.Grant, err = a.Named(ctx, "default", server, grant); err != nil {
		return nil, f, err
	}
	s, err := a.Approve(ctx)
	return s, f, err
}

func (c *command) decideCommand(verb string, yes bool) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   verb + " APPROVAL --reason TEXT",
		Short: map[bool]string{true: "Let what waits go through, once", false: "Refuse it for good"}[yes],
		Long: "A confirm is decided by an owner, an admin or a member with the flag approver, never about what they\n" +
			"proposed themselves. A call is decided by those, or by whom the policy or the server names; with four\n" +
			"eyes never by who made the grant. The reason goes into the audit log; approving a call needs none.",
		Args: needName("approval id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				item, err := c.decide(cmd.Context(), a, args[0], yes, reason)
				if err != nil {
					return err
				}
				return c.print(item, func(w io.Writer) {
					if item.Kind == approve.Confirm {
						line(w, "Approval %s: %s. Plan %s", item.ID, item.State, item.PlanID)
						return
					}
					line(w, "Approval %s: %s. Tool %s", item.ID, item.State, shown(item.Tool))
					if yes {
						line(w, "  the agent may repeat the very same call, once, until %s", stamp(item.ExpiresAt))
					}
				})
			})
		},
	}
	if !yes {
		cmd.Aliases = []string{"deny"} // what it is called over the API, and on the page
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log (needed, except to approve a call)")
	return cmd
}

// toldWithin bounds how long a command waits for its notifications.
const toldWithin = 10 * time.Second

// decide decides an approval of either kind.
func (c *command) decide(ctx context.Context, a *app.App, id string, yes bool, reason string) (*approve.Item, error) {
	if !strings.HasPrefix(id, approve.Prefix) {
		decided, err := a.Writeback.Decide(ctx, id, yes, reason)
		if err != nil {
			return nil, err
		}
		item := approve.OfConfirm(decided)
		return &item, nil
	}
	s, err := a.Approve(ctx)
	if err != nil {
		return nil, err
	}
	item, err := s.Decide(ctx, id, yes, reason)
	if err != nil {
		return nil, err
	}
	telling, cancel := context.WithTimeout(ctx, toldWithin)
	defer cancel()
	if err := s.Flush(telling); err != nil {
		line(c.Stderr, "It is decided, but not everybody was told: %s", shown(strings.ReplaceAll(err.Error(), "\n", "; ")))
	}
	return item, nil
}

func (c *command) approvalsKey() *cobra.Command {
	return &cobra.Command{
		Use: "key", Short: "Print the key that notifications are signed with", Args: cobra.NoArgs,
		Long: "Prints the key of the header Sluice-Signature, `t=UNIX,v1=HEX`: HMAC-SHA-256 over `UNIX.BODY`. It is a\n" +
			"secret, derived from the master key; a receiver keeps it as it keeps a password.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				s, err := a.Approve(cmd.Context())
				if err != nil {
					return err
				}
				key, err := s.SigningKey()
				if err != nil {
					return err
				}
				return c.print(map[string]string{"key": key}, func(w io.Writer) { line(w, "%s", key) })
			})
		},
	}
}

func writeApprovals(w io.Writer, list []approve.Item) {
	if len(list) == 0 {
		line(w, "No approvals.")
		return
	}
	t := newTable(w)
	t.head = []string{"approval", "kind", "state", "what", "by", "until", "why"}
	for i := range list {
		a := &list[i]
		what, by, why := a.Server+" "+a.Tool, grantOf(a), a.Message
		if a.Kind == approve.Confirm {
			what, by, why = a.PlanID, a.Proposer, a.Why
		}
		if a.Decider != "" {
			why = strings.TrimSuffix(a.Decider+": "+a.Reason, ": ")
		}
		_ = t.row(a.ID, a.Kind, a.State, what, by, stamp(a.ExpiresAt), why) // errors come from flush again
	}
	_ = t.flush()
}

// grantOf is how people call the grant of a call that waits.
func grantOf(a *approve.Item) string {
	if a.GrantName != "" {
		return a.GrantName
	}
	return a.Grant
}
