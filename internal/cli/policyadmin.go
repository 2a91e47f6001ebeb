package cli

import "github.com/spf13/cobra"

// policyAdminCommands work on the policies in force: list, show, set, diff, versions,
// rollback, mode.
func (c *command) policyAdminCommands() []*cobra.Command { return nil }
