package cli

import (
	"io"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/auth"
	"sluice/internal/fault"
	"sluice/internal/tenant"
)

func (c *command) memberCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "member", Short: "Who belongs to a workspace, and in which role", GroupID: groupAdmin, Args: cobra.NoArgs, RunE: c.helpOrFault,
		Long: "Roles, each covering the next: owner, admin (confirms, resolves, erases), operator (mappings,\n" +
			"schedules, dry runs; proposes confirms), viewer (reads, masked). Flags: policy (edits policies),\n" +
			"approver (decides approvals, never the own).",
		Example: "  sluice member add amira --role operator\n" +
			"  sluice member set amira --role admin --approver",
	}
	var workspace string
	list := &cobra.Command{
		Use: "list", Short: "List the members", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				all, err := c.admin(a, workspace).Members(cmd.Context())
				if err != nil {
					return err
				}
				if all == nil {
					all = []tenant.Member{}
				}
				return c.print(all, func(w io.Writer) { writeMembers(w, all) })
			})
		},
	}
	addWorkspaceFlag(list, &workspace)
	remove := &cobra.Command{
		Use: "remove USER", Short: "Remove a member; their tokens open nothing from then on", Args: exactly("a member"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				if err := c.admin(a, workspace).RemoveMember(cmd.Context(), args[0]); err != nil {
					return err
				}
				return c.print(map[string]string{"removed": args[0]}, func(w io.Writer) { line(w, "Removed %s.", args[0]) })
			})
		},
	}
	addWorkspaceFlag(remove, &workspace)
	cmd.AddCommand(list, c.memberPutCommand("add"), c.memberPutCommand("set"), remove)
	return cmd
}

// memberPutCommand adds or changes; a new member needs a role.
func (c *command) memberPutCommand(verb string) *cobra.Command {
	var workspace, role, name string
	var policy, approver bool
	short := "Add a member"
	if verb == "set" {
		short = "Change a member's role, flags or name"
	}
	cmd := &cobra.Command{
		Use: verb + " USER", Short: short, Args: exactly("a member"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var change auth.MemberChange
			f := cmd.Flags()
			if f.Changed("role") {
				r := tenant.Role(role)
				change.Role = &r
			}
			if f.Changed("name") {
				change.Name = &name
			}
			if f.Changed("policy") {
				change.Policy = &policy
			}
			if f.Changed("approver") {
				change.Approver = &approver
			}
			switch {
			case verb == "add" && change.Role == nil:
				return fault.New(fault.Usage, "a new member needs --role")
			case change == (auth.MemberChange{}):
				return fault.New(fault.Usage, "nothing to set: pass --role, --policy, --approver or --name")
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				m, err := c.admin(a, workspace).PutMember(cmd.Context(), args[0], change)
				if err != nil {
					return err
				}
				return c.print(m, func(w io.Writer) { writeMembers(w, []tenant.Member{*m}) })
			})
		},
	}
	addWorkspaceFlag(cmd, &workspace)
	f := cmd.Flags()
	f.StringVar(&role, "role", "", "owner, admin, operator or viewer")
	f.StringVar(&name, "name", "", "name to show")
	f.BoolVar(&policy, "policy", false, "may edit policies (--policy=false takes it away)")
	f.BoolVar(&approver, "approver", false, "may decide approvals (--approver=false takes it away)")
	return cmd
}

func writeMembers(w io.Writer, list []tenant.Member) {
	if len(list) == 0 {
		line(w, "No members. Whoever holds the state directory acts as its owner; `sluice member add` makes others.")
		return
	}
	t := newTable(w)
	t.head = []string{"member", "role", "policy", "approver", "name"}
	for i := range list {
		m := &list[i]
		_ = t.row(m.User, string(m.Role), yes(m.Policy), yes(m.Approver), m.Name)
	}
	_ = t.flush()
}
