package cli

import (
	"io"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/auth"
	"sluice/internal/fault"
	"sluice/internal/tenant"
)

func (c *command) workspaceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "workspace", Short: "Workspaces and their write-back switch", GroupID: groupAdmin, Args: cobra.NoArgs, RunE: c.helpOrFault,
		Example: "  sluice workspace list\n" +
			"  sluice workspace set --write-back off     # nothing is sent over API, MCP or dashboard any more",
	}
	list := &cobra.Command{
		Use: "list", Short: "List the workspaces", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				all, err := a.Auth.Workspaces(cmd.Context())
				if err != nil {
					return err
				}
				return c.print(all, func(w io.Writer) { c.writeWorkspaces(w, all) })
			})
		},
	}
	var name string
	add := &cobra.Command{
		Use: "add ID", Short: "Make a workspace, with write-back off", Args: exactly("a workspace id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				made, err := a.Auth.AddWorkspace(cmd.Context(), args[0], name)
				if err != nil {
					return err
				}
				return c.print(made, func(w io.Writer) { c.writeWorkspaces(w, []tenant.Workspace{*made}) })
			})
		},
	}
	add.Flags().StringVar(&name, "name", "", "name to show (default: the id)")
	cmd.AddCommand(list, add, c.workspaceSetCommand())
	return cmd
}

func (c *command) workspaceSetCommand() *cobra.Command {
	var workspace, name, writeback string
	cmd := &cobra.Command{
		Use: "set", Short: "Rename a workspace, or switch its write-back on or off", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var change auth.WorkspaceChange
			if cmd.Flags().Changed("name") {
				change.Name = &name
			}
			if writeback != "" {
				on := writeback == "on"
				if !on && writeback != "off" {
					return fault.New(fault.Usage, "--write-back is on or off")
				}
				change.Writeback = &on
			}
			if change == (auth.WorkspaceChange{}) {
				return fault.New(fault.Usage, "nothing to set: pass --write-back or --name")
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				set, err := c.admin(a, workspace).SetWorkspace(cmd.Context(), change)
				if err != nil {
					return err
				}
				return c.print(set, func(w io.Writer) { c.writeWorkspaces(w, []tenant.Workspace{*set}) })
			})
		},
	}
	addWorkspaceFlag(cmd, &workspace)
	cmd.Flags().StringVar(&writeback, "write-back", "", "on or off: whether anything may be sent over API, MCP and dashboard")
	cmd.Flags().StringVar(&name, "name", "", "name to show")
	return cmd
}

func (c *command) writeWorkspaces(w io.Writer, list []tenant.Workspace) {
	t := newTable(w)
	t.head = []string{"workspace", "write-back", "name"}
	for i := range list {
		_ = t.row(list[i].ID, onOff(list[i].Writeback), list[i].Name)
	}
	_ = t.flush()
}

// admin is the administration of a workspace, as its owner.
func (c *command) admin(a *app.App, workspace string) *auth.Service {
	caller := tenant.Local("cli")
	caller.Workspace = workspace
	return a.Auth.As(caller)
}

func addWorkspaceFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "workspace", tenant.Default, "workspace id")
}

// exactly demands one argument and names it.
func exactly(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fault.New(fault.Usage, "%s takes %s", cmd.CommandPath(), what).WithFix("see `%s --help`", cmd.CommandPath())
		}
		return nil
	}
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

// yes marks a flag that is set.
func yes(b bool) string {
	if b {
		return "yes"
	}
	return "-"
}
