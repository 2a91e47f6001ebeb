package cli

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/config"
	"sluice/internal/fault"
	"sluice/internal/govern"
	"sluice/internal/registry"
)

// loadServers reads the configuration, with the servers that were made elsewhere.
func (c *command) loadServers(ctx context.Context) (*config.Config, error) {
	cfg, err := c.load()
	if err != nil || !app.HasState(cfg) {
		return cfg, err
	}
	return cfg, c.with(ctx, func(a *app.App) error { return a.AddRegistered(ctx, cfg) })
}

// serverFlags describe a server that does not stand in sluice.yaml.
type serverFlags struct {
	workspace, file, url string
	members              []string
}

func (c *command) serverAdd() *cobra.Command {
	cmd := c.serverPut("add NAME", "Make a server that does not stand in sluice.yaml", false)
	cmd.Long = "With --url, or with --file for all that a server can say: the keys that `mcp.servers.NAME` of\n" +
		"sluice.yaml has. With --member, an aggregate of servers that are there."
	cmd.Example = "  sluice server add crm --url https://crm.example.com/mcp\n" +
		"  sluice server add ads --file ads.yaml\n" +
		"  sluice server add all --member crm=crm_ --member ads=ads_"
	return cmd
}

func (c *command) serverSet() *cobra.Command {
	cmd := c.serverPut("set NAME", "Replace the description of a server", true)
	cmd.Long = "Its grants and policies stay. What --file leaves out is not set any more."
	return cmd
}

func (c *command) serverPut(use, short string, replace bool) *cobra.Command {
	var f serverFlags
	cmd := &cobra.Command{
		Use: use, Short: short, Args: exactly("the name of a server"),
		RunE: func(cmd *cobra.Command, args []string) error {
			d := govern.ServerSpec{Name: args[0]}
			if err := f.describe(&d); err != nil {
				return err
			}
			return c.governed(cmd.Context(), f.workspace, func(s *govern.Service) error {
				r, err := s.PutServer(cmd.Context(), d, replace)
				if err != nil {
					return err
				}
				return c.print(r, func(w io.Writer) {
					line(w, "%s (%s) is set.", r.Name, r.ID)
					if !replace {
						line(w, "Nobody may call it yet: sluice policy set %s NAME FILE, then sluice grant add %s NAME --policy NAME", r.Name, r.Name)
					}
				})
			})
		},
	}
	addWorkspaceFlag(cmd, &f.workspace)
	cmd.Flags().StringVar(&f.file, "file", "", "YAML or JSON file with the keys of the server")
	cmd.Flags().StringVar(&f.url, "url", "", "https URL of the server")
	cmd.Flags().StringSliceVar(&f.members, "member", nil, "SERVER=PREFIX of an aggregate, several times")
	return cmd
}

func (f *serverFlags) describe(d *govern.ServerSpec) error {
	named := 0
	for _, is := range []bool{f.file != "", f.url != "", len(f.members) > 0} {
		if is {
			named++
		}
	}
	if named != 1 {
		return fault.New(fault.Usage, "one of --url, --file and --member says what the server is")
	}
	switch {
	case f.url != "":
		var err error
		d.Text, err = json.Marshal(map[string]string{"url": f.url})
		return err
	case f.file != "":
		text, err := os.ReadFile(f.file)
		if err != nil {
			return fault.New(fault.SourceUnavailable, "the file %s can't be read", f.file).Wrap(err)
		}
		if _, err := config.ReadServer(text); err != nil {
			if bad, ok := fault.As(err); ok {
				bad.Message = shown(f.file) + ": " + bad.Message
			}
			return err
		}
		d.Text = text
		return nil
	}
	for _, m := range f.members {
		server, prefix, ok := strings.Cut(m, "=")
		if !ok {
			prefix = server + "_"
		}
		d.Members = append(d.Members, registry.Member{Server: server, Prefix: prefix})
	}
	return nil
}

func (c *command) serverRemove() *cobra.Command {
	var workspace string
	cmd := &cobra.Command{
		Use: "remove NAME", Short: "Remove a server that no grant is for, and its policies", Args: exactly("the name of a server"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.governed(cmd.Context(), workspace, func(s *govern.Service) error {
				r, err := s.RemoveServer(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return c.print(r, func(w io.Writer) { line(w, "Removed %s (%s).", r.Name, r.ID) })
			})
		},
	}
	addWorkspaceFlag(cmd, &workspace)
	return cmd
}
