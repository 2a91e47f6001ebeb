package cli

import "github.com/spf13/cobra"

// policyCommand holds what is done with policies: files, on one hand, and those in
// force, on the other.
func (c *command) policyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "policy",
		Short:   "Check, try, explain and administer policies of MCP servers",
		GroupID: groupServe,
		Args:    cobra.NoArgs,
		RunE:    c.helpOrFault,
	}
	cmd.AddCommand(c.policyFileCommands()...)
	cmd.AddCommand(c.policyAdminCommands()...)
	return cmd
}
