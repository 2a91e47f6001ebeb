package cli

import (
	"github.com/spf13/cobra"

	"sluice/policy"
)

func (c *command) policySchema() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of policies, for editors",
		Long: "An editor that is given the schema completes members and marks what is misspelt while you type.\n" +
			"What needs more than a schema, such as a counter that comes twice, only `sluice policy validate` sees.",
		Example: "  sluice policy schema > policy.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := c.Stdout.Write(policy.Schema())
			return err
		},
	}
}
