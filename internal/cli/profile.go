package cli

import (
	"encoding/json"
	"io"
	"os"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/auth"
	"sluice/internal/fault"
	"sluice/internal/tenant"
)

func (c *command) profileCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "profile", Short: "The businesses that events are sent for, and the policy of each", GroupID: groupAdmin, Args: cobra.NoArgs, RunE: c.helpOrFault,
		Example: "  sluice profile add north --currency GBP --timezone Europe/London\n" +
			"  sluice profile show north --json > policy.json   # `policy` of it is what set takes\n" +
			"  sluice profile set north --policy policy.json",
	}
	var workspace string
	list := &cobra.Command{
		Use: "list", Short: "List the profiles", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				all, err := c.admin(a, workspace).Profiles(cmd.Context())
				if err != nil {
					return err
				}
				if all == nil {
					all = []tenant.Profile{}
				}
				return c.print(all, func(w io.Writer) { writeProfiles(w, all) })
			})
		},
	}
	show := &cobra.Command{
		Use: "show PROFILE", Short: "Show a profile with its policy", Args: exactly("a profile"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				p, err := c.admin(a, workspace).Profile(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return c.printProfile(p)
			})
		},
	}
	addWorkspaceFlag(list, &workspace)
	addWorkspaceFlag(show, &workspace)
	cmd.AddCommand(list, show, c.profilePutCommand("add"), c.profilePutCommand("set"))
	return cmd
}

func (c *command) profilePutCommand(verb string) *cobra.Command {
	var workspace, name, currency, timezone, policy string
	short := "Add a profile"
	if verb == "set" {
		short = "Change a profile, or replace its policy"
	}
	cmd := &cobra.Command{
		Use: verb + " PROFILE", Short: short, Args: exactly("a profile"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var change auth.ProfileChange
			for flag, into := range map[string]struct {
				to   **string
				from *string
			}{"name": {&change.Name, &name}, "currency": {&change.Currency, &currency}, "timezone": {&change.Timezone, &timezone}} {
				if cmd.Flags().Changed(flag) {
					*into.to = into.from
				}
			}
			if policy != "" {
				p, err := c.readPolicy(policy)
				if err != nil {
					return err
				}
				change.Policy = &p
			}
			if verb == "set" && change == (auth.ProfileChange{}) {
				return fault.New(fault.Usage, "nothing to set: pass --policy, --currency, --timezone or --name")
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				p, err := c.putProfile(cmd, a, workspace, args[0], verb, change)
				if err != nil {
					return err
				}
				return c.printProfile(p)
			})
		},
	}
	addWorkspaceFlag(cmd, &workspace)
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "name to show")
	f.StringVar(&currency, "currency", "", "ISO 4217 code, such as GBP")
	f.StringVar(&timezone, "timezone", "", "IANA name, such as Europe/London (default UTC)")
	f.StringVar(&policy, "policy", "", "file with the whole policy as JSON; - reads stdin")
	return cmd
}

// putProfile adds what must not be there, or sets what must.
func (c *command) putProfile(cmd *cobra.Command, a *app.App, workspace, id, verb string, change auth.ProfileChange) (*tenant.Profile, error) {
	admin := c.admin(a, workspace)
	_, err := admin.Profile(cmd.Context(), id)
	switch found := err == nil; {
	case err != nil && fault.CodeOf(err) != fault.NotFound:
		return nil, err
	case found && verb == "add":
		return nil, fault.New(fault.Usage, "there is a profile %s already", id).WithFix("change it with `sluice profile set %s`", id)
	case !found && verb == "set":
		return nil, err
	}
	return admin.PutProfile(cmd.Context(), id, change)
}

func (c *command) readPolicy(path string) (tenant.Policy, error) {
	in := c.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return tenant.Policy{}, fault.New(fault.SourceUnavailable, "the policy %s can't be read", path).Wrap(err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, 1<<20))
	if err != nil {
		return tenant.Policy{}, fault.New(fault.SourceUnavailable, "the policy %s can't be read", path).Wrap(err)
	}
	return tenant.ParsePolicy(text)
}

func (c *command) printProfile(p *tenant.Profile) error {
	return c.print(p, func(w io.Writer) {
		writeProfiles(w, []tenant.Profile{*p})
		policy, err := json.MarshalIndent(p.Policy, "", "  ")
		if err == nil {
			line(w, "policy %s", policy)
		}
	})
}

func writeProfiles(w io.Writer, list []tenant.Profile) {
	t := newTable(w)
	t.head = []string{"profile", "currency", "timezone", "name"}
	for i := range list {
		p := &list[i]
		_ = t.row(p.ID, p.Currency, p.Timezone, p.Name)
	}
	_ = t.flush()
}
