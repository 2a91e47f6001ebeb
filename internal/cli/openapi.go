package cli

import (
	"github.com/spf13/cobra"

	"sluice/internal/api"
)

func (c *command) openAPICommand() *cobra.Command {
	return &cobra.Command{
		Use: "openapi", Short: "Print the OpenAPI document of the JSON API", GroupID: groupTools, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := c.Stdout.Write(api.Document())
			return err
		},
	}
}
