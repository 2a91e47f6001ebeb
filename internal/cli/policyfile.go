package cli

import "github.com/spf13/cobra"

// policyFileCommands work on documents: validate, test, explain, scaffold, import,
// replay.
func (c *command) policyFileCommands() []*cobra.Command { return nil }
