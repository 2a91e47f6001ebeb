package cli

import (
	"cmp"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
)

func (c *command) serverCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "server", Short: "The MCP servers that clients reach", GroupID: groupServe, Args: cobra.NoArgs, RunE: c.helpOrFault,
		Long: "Servers stand under `mcp.servers` of sluice.yaml; `sluice serve` serves each at /mcp/NAME and those\n" +
			"of `mcp.aggregate` together at /mcp. Others are made with add, or with `sluice apply`.",
		Example: "  sluice server list\n  sluice server check crm\n  sluice server login crm\n" +
			"  sluice server add ads --url https://ads.example.com/mcp",
	}
	list := &cobra.Command{
		Use: "list", Short: "List the servers, those of sluice.yaml first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			all := app.Servers(cfg)
			if app.HasState(cfg) { // listing makes no state directory
				err := c.with(cmd.Context(), func(a *app.App) error {
					others, err := a.OtherServers(cmd.Context())
					all = append(all, others...)
					return err
				})
				if err != nil {
					return err
				}
			}
			return c.print(all, func(w io.Writer) { writeServers(w, all) })
		},
	}
	check := &cobra.Command{
		Use: "check [NAME…]", Short: "Ask servers for their era and tools", Args: cobra.ArbitraryArgs,
		Long: "Asks each server as `sluice serve` would, with the configured credentials, and starts commands for\n" +
			"the time of the check. Exit code 3 when one of them can't be used.",
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := c.loadServers(cmd.Context())
			if err != nil {
				return err
			}
			log, err := c.logger()
			if err != nil {
				return err
			}
			all, err := app.CheckServers(cmd.Context(), cfg, args, log)
			if err != nil {
				return err
			}
			if err := c.print(all, func(w io.Writer) { writeChecks(w, all) }); err != nil {
				return err
			}
			bad := 0
			for i := range all {
				if all[i].Problem != "" {
					bad++
				}
			}
			if bad > 0 {
				return reported{fault.New(fault.UpstreamFailed, "%d of %d servers can't be used", bad, len(all)).WithFix("see what is listed above")}
			}
			return nil
		},
	}
	cmd.AddCommand(list, check, c.serverAdd(), c.serverSet(), c.serverRemove(), c.serverLogin(), c.serverLogout())
	return cmd
}

func writeServers(w io.Writer, all []app.ServerStatus) {
	if len(all) == 0 {
		line(w, "No servers. Name them under `mcp.servers` of sluice.yaml: see docs/gateway.md.")
		return
	}
	t := newTable(w)
	t.head = []string{"server", "path", "kind", "target", "prefix in /mcp", "made in"}
	for i := range all {
		s := &all[i]
		made := cmp.Or(s.ManagedBy, "server add")
		if s.ID == "" {
			made = "sluice.yaml"
		}
		_ = t.row(s.Name, s.Path(), s.Kind, s.Target, s.Prefix, made)
	}
	_ = t.flush()
}

func writeChecks(w io.Writer, all []app.ServerStatus) {
	if len(all) == 0 {
		writeServers(w, all)
		return
	}
	t := newTable(w)
	t.head = []string{"server", "reachable", "era", "tools", "problem"}
	for i := range all {
		s := &all[i]
		tools := ""
		if s.Tools != nil {
			tools = strconv.Itoa(*s.Tools)
		}
		_ = t.row(s.Name, yes(s.Reachable), s.Era, tools, s.Problem)
	}
	_ = t.flush()
	for i := range all {
		if all[i].Fix != "" {
			line(w, "%s: %s", all[i].Name, all[i].Fix)
		}
	}
}
