package cli

import (
	"io"

	"github.com/spf13/cobra"

	"sluice/internal/app"
)

func (c *command) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", GroupID: groupTools, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return c.print(map[string]string{"version": app.Version()}, func(w io.Writer) { line(w, "sluice %s", app.Version()) })
		},
	}
}
