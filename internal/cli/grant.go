package cli

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/govern"
	"sluice/internal/tenant"
)

// grantJSON is a grant whose token was just made: the only time its text is shown.
type grantJSON struct {
	Text string `json:"token,omitempty"`
	*govern.GrantView
}

func (c *command) grantCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "grant", Short: "Who may call a server, and by which policy", GroupID: groupServe, Args: cobra.NoArgs, RunE: c.helpOrFault,
		Long: "A grant lets one agent, person or job call one server. Its token is shown once and stored as a\n" +
			"keyed digest; its quota is the grant's, whatever token it has. One without policy denies every call.",
		Example: "  sluice grant add crm alice-laptop --policy agents --expires 90d\n" +
			"  sluice grant rotate crm/alice-laptop        # another token; the old one is dead within a second\n" +
			"  sluice grant attach crm/alice-laptop strict\n" +
			"  sluice grant revoke crm/alice-laptop --reason 'laptop lost'",
	}
	cmd.AddCommand(c.grantAddCommand(), c.grantListCommand(), c.grantShowCommand(), c.grantSetCommand(), c.grantAttachCommand(), c.grantRotateCommand(), c.grantRevokeCommand())
	return cmd
}

// governed opens the state directory, makes the servers of the configuration known, and
// runs fn as the owner of a workspace.
func (c *command) governed(ctx context.Context, workspace string, fn func(s *govern.Service) error) error {
	return c.with(ctx, func(a *app.App) error {
		if err := a.SyncServers(ctx, false); err != nil {
			return err
		}
		caller := tenant.Local("cli")
		caller.Workspace = workspace
		return fn(a.Govern.As(caller))
	})
}

// arguments demands so many and names them.
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return fault.New(fault.Usage, "%s takes %s", cmd.CommandPath(), what).WithFix("see `%s --help`", cmd.CommandPath())
		}
		return nil
	}
}

func (c *command) grantAddCommand() *cobra.Command {
	var workspace, expires string
	var n govern.NewGrant
	cmd := &cobra.Command{
		Use: "add SERVER NAME", Short: "Make a grant and print its token, once", Args: arguments(2, 2, "a server and a name for the grant"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if n.Life, err = lifetime(expires); err != nil {
				return err
			}
			n.Server, n.Name = args[0], args[1]
			return c.governed(cmd.Context(), workspace, func(s *govern.Service) error {
				token, g, err := s.AddGrant(cmd.Context(), n)
				if err != nil {
					return err
				}
				return c.printToken(token, g)
			})
		},
	}
	addWorkspaceFlag(cmd, &workspace)
	f := cmd.Flags()
	f.StringVar(&n.Policy, "policy", "", "policy of the server that decides; without one, everything is denied")
	f.StringVar(&n.User, "user", "", "member it acts for")
	f.StringSliceVar(&n.Scopes, "scopes", []string{string(tenant.Read), string(tenant.Write)}, "mcp:read (lists and reads), mcp:write (calls tools)")
	f.StringVar(&expires, "expires", "90d", "lifetime such as 12h or 90d, or never")
	f.StringVar(&n.Issuer, "issuer", "", "authorization server whose tokens it is used with, instead of a token of its own")
	f.StringVar(&n.Subject, "subject", "", "the person there, with --issuer")
	return cmd
}

// printToken prints a new token where a script finds it alone, and what to know of it.
func (c *command) printToken(token string, g *govern.GrantView) error {
	return c.print(grantJSON{token, g}, func(w io.Writer) {
		if token == "" {
			line(w, "Made %s (%s), for tokens of %s.", g.ServerName+"/"+g.Name, g.ID, shown(g.Issuer))
			return
		}
		line(w, "%s", token)
		line(c.Stderr, "%s (%s); this is the only time the token is shown", g.ServerName+"/"+g.Name, g.ID)
		if g.PolicyName == "" {
			line(c.Stderr, "It has no policy and every call is denied: sluice grant attach %s/%s POLICY", g.ServerName, g.Name)
		}
	})
}

func (c *command) grantListCommand() *cobra.Command {
	var workspace string
	var revoked, orphans bool
	cmd := &cobra.Command{
		Use: "list [SERVER]", Short: "List grants, without their tokens", Args: arguments(0, 1, "a server, or nothing for all"),
		RunE: func(cmd *cobra.Command, args []string) error {
			server := ""
			if len(args) > 0 {
				server = args[0]
			}
			return c.governed(cmd.Context(), workspace, func(s *govern.Service) error {
				all, err := s.Grants(cmd.Context(), server, revoked)
				if err != nil {
					return err
				}
				list := all[:0]
				for i := range all {
					if !orphans || all[i].Orphan {
						list = append(list, all[i])
					}
				}
				return c.print(list, func(w io.Writer) {
					if orphans && len(list) == 0 {
						line(w, "No grants whose member is gone.")
						return
					}
					writeGrants(w, list)
				})
			})
		},
	}
	addWorkspaceFlag(cmd, &workspace)
	cmd.Flags().BoolVar(&revoked, "revoked", false, "with those that were revoked")
	cmd.Flags().BoolVar(&orphans, "orphans", false, "only those whose maker, or whose member, is gone")
	return cmd
}

func writeGrants(w io.Writer, list []govern.GrantView) {
	if len(list) == 0 {
		line(w, "No grants. Make one: sluice grant add SERVER NAME --policy POLICY")
		return
	}
	t := newTable(w)
	t.head = []string{"grant", "policy", "state", "scopes", "for", "made by", "id"}
	for i := range list {
		g := &list[i]
		_ = t.row(g.ServerName+"/"+g.Name, dash(g.PolicyName), grantState(g), grantScopes(g), dash(g.User), dash(g.CreatedBy), g.ID)
	}
	_ = t.flush()
}

func grantScopes(g *govern.GrantView) string {
	if len(g.Scopes) == 0 {
		return "mcp:read,mcp:write"
	}
	return strings.Join(g.Scopes, ",")
}

func grantState(g *govern.GrantView) string {
	state := g.State
	switch {
	case g.State == govern.GrantLive && !g.ExpiresAt.IsZero():
		state = "until " + stamp(g.ExpiresAt)
	case g.State == govern.GrantRevoked:
		state = "revoked " + stamp(g.RevokedAt)
	}
	if g.Orphan {
		state += ", orphan"
	}
	return state
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (c *command) grantShowCommand() *cobra.Command {
	var workspace string
	cmd := &cobra.Command{
		Use: "show GRANT", Short: "Show a grant", Args: exactly("a grant, as SERVER/NAME or by id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.governed(cmd.Context(), workspace, func(s *govern.Service) error {
				g, err := s.Grant(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return c.print(g, func(w io.Writer) { writeGrant(w, g) })
			})
		},
	}
	addWorkspaceFlag(cmd, &workspace)
	return cmd
}

func writeGrant(w io.Writer, g *govern.GrantView) {
	line(w, "%s  %s", g.ServerName+"/"+g.Name, g.ID)
	policy := g.PolicyName
	if policy == "" {
		policy = "none: every call is denied"
	}
	field(w, "policy", "%s", policy)
	field(w, "state", "%s", grantState(g))
	field(w, "scopes", "%s", grantScopes(g))
	if g.User != "" {
		field(w, "for", "%s", g.User)
	}
	if g.Subject != "" {
		field(w, "bound to", "a person of %s", shown(g.Issuer))
	}
	field(w, "made", "%s by %s", stamp(g.CreatedAt), dash(g.CreatedBy))
	if !g.RotatedAt.IsZero() {
		field(w, "rotated", "%s", stamp(g.RotatedAt))
	}
	if g.ManagedBy != "" {
		field(w, "owned by", "%s", g.ManagedBy)
	}
}

func (c *command) grantSetCommand() *cobra.Command {
	var workspace, expires, user string
	var scopes []string
	cmd := &cobra.Command{
		Use: "set GRANT", Short: "Change a grant's lifetime, scopes or member", Args: exactly("a grant, as SERVER/NAME or by id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var change govern.GrantChange
			f := cmd.Flags()
			if f.Changed("expires") {
				life, err := lifetime(expires)
				if err != nil {
					return err
				}
				change.Life = &life
			}
			if f.Changed("scopes") {
				change.Scopes = &scopes
			}
			if f.Changed("user") {
				change.User = &user
			}
			if change == (govern.GrantChange{}) {
				return fault.New(fault.Usage, "nothing to set: pass --expires, --scopes or --user")
			}
			return c.setGrant(cmd.Context(), workspace, args[0], change)
		},
	}
	addWorkspaceFlag(cmd, &workspace)
	f := cmd.Flags()
	f.StringVar(&expires, "expires", "", "lifetime from now on, such as 12h or 90d, or never")
	f.StringSliceVar(&scopes, "scopes", nil, "mcp:read, mcp:write")
	f.StringVar(&user, "user", "", "member it acts for; empty: none")
	return cmd
}

func (c *command) grantAttachCommand() *cobra.Command {
	var workspace string
	var none bool
	cmd := &cobra.Command{
		Use: "attach GRANT POLICY", Short: "Have another policy decide a grant's calls", Args: arguments(1, 2, "a grant and a policy"),
		RunE: func(cmd *cobra.Command, args []string) error {
			policy := ""
			switch {
			case len(args) == 2 && !none:
				policy = args[1]
			case len(args) == 2 || !none:
				return fault.New(fault.Usage, "name a policy, or --none to deny everything")
			}
			return c.setGrant(cmd.Context(), workspace, args[0], govern.GrantChange{Policy: &policy})
		},
	}
	addWorkspaceFlag(cmd, &workspace)
	cmd.Flags().BoolVar(&none, "none", false, "detach the policy: every call is denied")
	return cmd
}

func (c *command) setGrant(ctx context.Context, workspace, grant string, change govern.GrantChange) error {
	return c.governed(ctx, workspace, func(s *govern.Service) error {
		g, err := s.SetGrant(ctx, grant, change)
		if err != nil {
			return err
		}
		return c.print(g, func(w io.Writer) { writeGrant(w, g) })
	})
}

func (c *command) grantRotateCommand() *cobra.Command {
	var workspace string
	cmd := &cobra.Command{
		Use: "rotate GRANT", Short: "Give a grant another token; the old one is dead within a second", Args: exactly("a grant, as SERVER/NAME or by id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.governed(cmd.Context(), workspace, func(s *govern.Service) error {
				token, g, err := s.RotateGrant(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return c.printToken(token, g)
			})
		},
	}
	addWorkspaceFlag(cmd, &workspace)
	return cmd
}

func (c *command) grantRevokeCommand() *cobra.Command {
	var workspace, reason string
	cmd := &cobra.Command{
		Use: "revoke GRANT", Aliases: []string{"remove"}, Short: "End a grant for good, within a second everywhere", Args: exactly("a grant, as SERVER/NAME or by id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.governed(cmd.Context(), workspace, func(s *govern.Service) error {
				g, err := s.RevokeGrant(cmd.Context(), args[0], reason)
				if err != nil {
					return err
				}
				return c.print(g, func(w io.Writer) {
					line(w, "Revoked %s/%s (%s) at %s.", g.ServerName, g.Name, g.ID, stamp(g.RevokedAt))
				})
			})
		},
	}
	addWorkspaceFlag(cmd, &workspace)
	cmd.Flags().StringVar(&reason, "reason", "", "goes into the audit log")
	return cmd
}
