package cli

import (
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/auth"
	"sluice/internal/fault"
	"sluice/internal/tenant"
)

// tokenJSON is a token that was just made: the only time its text is shown.
type tokenJSON struct {
	Text string `json:"token"`
	*tenant.Token
}

func (c *command) tokenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "token", Short: "Tokens for the API", GroupID: groupAdmin, Args: cobra.NoArgs, RunE: c.helpOrFault,
		Long: "A token acts for a member, with the role the member has at the time of the call. It is shown\n" +
			"once and stored as a keyed digest.",
		Example: "  sluice token add --user amira --scopes mcp:read,mcp:write --expires 90d\n" +
			"  sluice token revoke tok_…",
	}
	var workspace string
	list := &cobra.Command{
		Use: "list", Short: "List the tokens, without their text", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				all, err := c.admin(a, workspace).Tokens(cmd.Context())
				if err != nil {
					return err
				}
				if all == nil {
					all = []tenant.Token{}
				}
				return c.print(all, func(w io.Writer) { writeTokens(w, all, c.clock()) })
			})
		},
	}
	revoke := &cobra.Command{
		Use: "revoke ID", Aliases: []string{"remove"}, Short: "End a token at once", Args: exactly("a token id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				t, err := c.admin(a, workspace).RevokeToken(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return c.print(t, func(w io.Writer) { line(w, "Revoked %s.", t.ID) })
			})
		},
	}
	addWorkspaceFlag(list, &workspace)
	addWorkspaceFlag(revoke, &workspace)
	cmd.AddCommand(list, c.tokenAddCommand(), revoke)
	return cmd
}

func (c *command) tokenAddCommand() *cobra.Command {
	var workspace, expires string
	var issue auth.Issue
	var scopes []string
	cmd := &cobra.Command{
		Use: "add --user USER", Short: "Make a token and print it, once", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if issue.User == "" {
				return fault.New(fault.Usage, "--user is needed: a token acts for a member")
			}
			for _, s := range scopes {
				issue.Scopes = append(issue.Scopes, tenant.Scope(strings.TrimSpace(s)))
			}
			var err error
			if issue.Life, err = lifetime(expires); err != nil {
				return err
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				text, t, err := c.admin(a, workspace).IssueToken(cmd.Context(), issue)
				if err != nil {
					return err
				}
				return c.print(tokenJSON{text, t}, func(w io.Writer) {
					line(w, "%s", text)
					line(c.Stderr, "%s of %s; this is the only time it is shown", t.ID, t.User)
				})
			})
		},
	}
	addWorkspaceFlag(cmd, &workspace)
	f := cmd.Flags()
	f.StringVar(&issue.User, "user", "", "member the token acts for")
	f.StringVar(&issue.Name, "name", "", "what it is for")
	f.StringSliceVar(&scopes, "scopes", []string{string(tenant.Read)}, "mcp:read, mcp:write")
	f.BoolVar(&issue.Agent, "agent", false, "held by an agent: the policy's agent caps apply")
	f.StringVar(&expires, "expires", "90d", "lifetime such as 12h or 90d, or never")
	return cmd
}

// lifetime reads 12h, 90d or never.
func lifetime(s string) (time.Duration, error) {
	if s == "never" {
		return 0, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 3650 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return d, nil
	}
	return 0, fault.New(fault.Usage, "--expires is a lifetime such as 12h or 90d, or never")
}

func writeTokens(w io.Writer, list []tenant.Token, now time.Time) {
	if len(list) == 0 {
		line(w, "No tokens.")
		return
	}
	t := newTable(w)
	t.head = []string{"token", "member", "scopes", "agent", "state", "name"}
	for i := range list {
		k := &list[i]
		scopes := make([]string, len(k.Scopes))
		for j, s := range k.Scopes {
			scopes[j] = string(s)
		}
		state := "active"
		switch {
		case !k.RevokedAt.IsZero():
			state = "revoked"
		case !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt):
			state = "expired"
		case !k.ExpiresAt.IsZero():
			state = "until " + stamp(k.ExpiresAt)
		}
		_ = t.row(k.ID, k.User, strings.Join(scopes, ","), yes(k.Agent), state, k.Name)
	}
	_ = t.flush()
}
