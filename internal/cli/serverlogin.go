package cli

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
)

// serverLogin is `sluice server login`.
func (c *command) serverLogin() *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "login NAME",
		Short: "Sign in to an MCP server that wants OAuth, for everybody who uses it",
		Long: "Opens the server's sign-in in the browser, receives the answer on 127.0.0.1 and stores the token,\n" +
			"sealed, in the state directory. A running `sluice serve` uses it at its next call. Servers with\n" +
			"`per_user: true` ask each user themselves.",
		Example: "  sluice server login crm\n  BROWSER=firefox sluice server login crm",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if wait <= 0 {
				return fault.New(fault.Usage, "--wait must be more than 0")
			}
			cfg, err := c.loadServers(cmd.Context())
			if err != nil {
				return err
			}
			log, err := c.logger()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), wait)
			defer cancel()
			r, err := app.LogIn(ctx, cfg, args[0], openBrowser(c.Stderr, cfg.Env), log)
			if ctx.Err() != nil && cmd.Context().Err() == nil {
				return fault.New(fault.UpstreamAuth, "nobody signed in to server %q within %s", args[0], wait).
					WithFix("run it again and finish in the browser; the address is printed on stderr")
			}
			if err != nil {
				return err
			}
			return c.print(r, func(w io.Writer) {
				line(w, "%s  %s, by %s", c.good("signed in"), r.Server, shown(r.Issuer))
			})
		},
	}
	cmd.Flags().DurationVar(&wait, "wait", 5*time.Minute, "how long to wait for somebody to sign in")
	return cmd
}

// serverLogout is `sluice server logout`.
func (c *command) serverLogout() *cobra.Command {
	return &cobra.Command{
		Use: "logout NAME", Short: "Forget the token of a server that everybody uses", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := c.loadServers(cmd.Context())
			if err != nil {
				return err
			}
			log, err := c.logger()
			if err != nil {
				return err
			}
			if err := app.LogOut(cfg, args[0], log); err != nil {
				return err
			}
			return c.print(map[string]string{"removed": args[0]}, func(w io.Writer) {
				line(w, "Forgotten. Calls to %s need `sluice server login %s` again.", args[0], args[0])
			})
		},
	}
}
