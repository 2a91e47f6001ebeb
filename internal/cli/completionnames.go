package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/govern"
	"sluice/internal/registry"
	"sluice/internal/tenant"
)

// governedArguments completes the arguments of commands that take a server, a policy or
// a grant; nil for others.
func (c *command) governedArguments(cmd *cobra.Command) cobra.CompletionFunc {
	if cmd.Parent() == nil {
		return nil
	}
	server, policy, grant := c.offerServers, c.offerPolicies, c.offerGrants
	var places []func(context.Context, *govern.Service, []string) []cobra.Completion
	files := false
	switch cmd.Parent().Name() + " " + cmd.Name() {
	case "policy list", "grant list", "grant add", "server set", "server remove":
		places = append(places, server)
	case "policy show", "policy diff", "policy versions", "policy rollback", "policy remove":
		places = append(places, server, policy)
	case "policy set":
		places, files = append(places, server, policy), true
	case "policy mode":
		places = append(places, server, policy, func(context.Context, *govern.Service, []string) []cobra.Completion {
			return []cobra.Completion{string(registry.Enforce), string(registry.Observe)}
		})
	case "grant attach":
		places = append(places, grant, c.offerPoliciesOfGrant)
	case "grant show", "grant set", "grant rotate", "grant revoke":
		places = append(places, grant)
	default:
		return nil
	}
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) >= len(places) {
			if files {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var offers []cobra.Completion
		if cfg, err := c.load(); err != nil || !app.HasState(cfg) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		workspace := tenant.Default
		if f := cmd.Flag("workspace"); f != nil {
			workspace = f.Value.String()
		}
		// It changes nothing and never says why it has nothing to offer.
		_ = c.with(cmd.Context(), func(a *app.App) error {
			caller := tenant.Local("cli")
			caller.Workspace = workspace
			offers = places[len(args)](cmd.Context(), a.Govern.As(caller), args)
			return nil
		})
		return offers, cobra.ShellCompDirectiveNoFileComp
	}
}

func (c *command) offerServers(ctx context.Context, s *govern.Service, _ []string) (offers []cobra.Completion) {
	all, _ := s.Servers(ctx)
	for i := range all {
		offers = append(offers, all[i].Name)
	}
	return offers
}

func (c *command) offerPolicies(ctx context.Context, s *govern.Service, args []string) (offers []cobra.Completion) {
	all, _ := s.Policies(ctx, args[0])
	for i := range all {
		offers = append(offers, cobra.CompletionWithDesc(all[i].Name, string(all[i].Mode)))
	}
	return offers
}

func (c *command) offerGrants(ctx context.Context, s *govern.Service, _ []string) (offers []cobra.Completion) {
	all, _ := s.Grants(ctx, "", false)
	for i := range all {
		offers = append(offers, cobra.CompletionWithDesc(all[i].ServerName+"/"+all[i].Name, all[i].PolicyName))
	}
	return offers
}

func (c *command) offerPoliciesOfGrant(ctx context.Context, s *govern.Service, args []string) []cobra.Completion {
	g, err := s.Grant(ctx, args[0])
	if err != nil {
		return nil
	}
	return slices.Clip(c.offerPolicies(ctx, s, []string{g.Server}))
}
