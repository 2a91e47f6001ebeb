package cli

import (
	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
)

func (c *command) serveCommand() *cobra.Command {
	var addr string
	var public bool
	var o app.ServeOptions
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Serve MCP servers, the JSON API and webhooks, and do the work that is due",
		GroupID: groupServe,
		Long: "The first line on stdout is `listening on http://HOST:PORT`. The first start writes a token of the\n" +
			"owner to `owner-token` in the state directory. The servers under `mcp:` of sluice.yaml are at\n" +
			"/mcp/NAME, those of `mcp.aggregate` together at /mcp. On SIGTERM nothing new begins, requests under\n" +
			"way are answered and booked, and the process ends.",
		Example: "  sluice serve\n" +
			"  curl -s -H \"Authorization: Bearer $(cat ~/.local/state/sluice/owner-token)\" 127.0.0.1:8787/api/v1/plans",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.InboxRows < 0 || o.InboxBytes < 0 {
				return fault.New(fault.Usage, "--inbox-rows and --inbox-bytes must be 0 or more")
			}
			if public && len(o.Hosts) == 0 {
				return fault.New(fault.Usage, "--expose needs --host: the name under which the server is called").
					WithFix("for example --host sluice.example.com")
			}
			log, err := c.logger()
			if err != nil {
				return err
			}
			o.Log = log
			return c.with(cmd.Context(), func(a *app.App) error {
				l, err := listen(addr, public)
				if err != nil {
					return err
				}
				o.Ready = func() error {
					path, err := a.OwnerToken(cmd.Context())
					if err != nil {
						return err
					}
					line(c.Stdout, "listening on http://%s", l.Addr())
					line(c.Stderr, "the owner's token is in %s", path)
					return nil
				}
				return a.Serve(cmd.Context(), l, o)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&addr, "addr", "127.0.0.1:8787", "address; port 0 picks a free one")
	f.StringSliceVar(&o.Hosts, "host", nil, "host name under which it is called, besides loopback's; may be repeated")
	f.BoolVar(&public, "expose", false, "allow an address that is not loopback; put TLS in front of it")
	f.BoolVar(&o.NoWork, "no-work", false, "API, MCP and webhooks only; sluice work elsewhere does the rest")
	f.Int64Var(&o.InboxRows, "inbox-rows", 0, "webhook deliveries that may wait before others are turned away (default 10000)")
	f.Int64Var(&o.InboxBytes, "inbox-bytes", 0, "bytes of deliveries that may wait (default 64 MiB)")
	return cmd
}
