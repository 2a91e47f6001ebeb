package cli

import (
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/inbox"
	"sluice/internal/tenant"
	"sluice/internal/webhook"
)

// hookJSON is a webhook that was just made: the only time its secret is shown.
type hookJSON struct {
	Secret string `json:"secret"`
	Path   string `json:"path"`
	*inbox.Hook
}

func (c *command) hooksCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "hooks", Short: "Webhooks that push outcomes in", GroupID: groupAdmin, Args: cobra.NoArgs, RunE: c.helpOrFault,
		Long: "`sluice serve` takes deliveries at /hooks/NAME: signed, at most 1 MiB, acknowledged with 202 once\n" +
			"they are durable, and turned away with 429 and Retry-After while too many wait.",
		Example: "  sluice hooks add shop --mapping shop.yaml --profile north\n" +
			"  sluice hooks add pay --scheme stripe --secret-file secret.txt --mapping pay.yaml",
	}
	var workspace string
	list := &cobra.Command{
		Use: "list", Short: "List the webhooks", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				all, err := c.hooks(a, workspace).Hooks(cmd.Context())
				if err != nil {
					return err
				}
				return c.print(all, func(w io.Writer) { writeHooks(w, all) })
			})
		},
	}
	show := &cobra.Command{
		Use: "show NAME", Short: "Show what a webhook delivered in the last day", Args: exactly("a webhook"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				s, err := c.hooks(a, workspace).Status(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return c.print(s, func(w io.Writer) {
					writeHooks(w, []inbox.Hook{*s.Hook})
					line(w, "waiting %s · done %s · failed %s", thousands(s.Counts[inbox.Waiting]), thousands(s.Counts[inbox.Done]), thousands(s.Counts[inbox.Failed]))
					for _, f := range s.Failures {
						line(w, "  %s  %s  %s", stamp(f.ReceivedAt), c.bad(f.Code), shown(f.Delivery))
					}
				})
			})
		},
	}
	remove := &cobra.Command{
		Use: "remove NAME", Short: "Remove a webhook; while deliveries wait it is only closed", Args: exactly("a webhook"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				if err := c.hooks(a, workspace).Remove(cmd.Context(), args[0]); err != nil {
					return err
				}
				return c.print(map[string]string{"removed": args[0]}, func(w io.Writer) { line(w, "Removed %s.", args[0]) })
			})
		},
	}
	for _, sub := range []*cobra.Command{list, show, remove} {
		addWorkspaceFlag(sub, &workspace)
	}
	cmd.AddCommand(list, show, c.hooksAddCommand(), remove)
	return cmd
}

func (c *command) hooksAddCommand() *cobra.Command {
	var workspace, mapping, secretFile string
	var add webhook.Registration
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Make a webhook, or replace it, and print its secret, once", Args: exactly("a webhook"),
		RunE: func(cmd *cobra.Command, args []string) error {
			add.Name = args[0]
			if mapping != "" {
				text, err := os.ReadFile(mapping)
				if err != nil {
					return fault.New(fault.SourceUnavailable, "the mapping %s can't be read", mapping).Wrap(err)
				}
				add.Mapping = string(text)
			}
			if secretFile != "" {
				text, err := os.ReadFile(secretFile)
				if err != nil {
					return fault.New(fault.SourceUnavailable, "the secret's file %s can't be read", secretFile).Wrap(err)
				}
				add.Secret = strings.TrimSpace(string(text))
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				h, secret, err := c.hooks(a, workspace).Add(cmd.Context(), add)
				if err != nil {
					return err
				}
				return c.print(hookJSON{secret, "/hooks/" + h.Name, h}, func(w io.Writer) {
					line(w, "address  /hooks/%s", h.Name)
					if secretFile == "" {
						line(w, "secret   %s   (shown this once)", secret)
					}
				})
			})
		},
	}
	addWorkspaceFlag(cmd, &workspace)
	schemes := make([]string, len(webhook.Schemes))
	for i, s := range webhook.Schemes {
		schemes[i] = s.Name
	}
	f := cmd.Flags()
	f.StringVar(&add.Profile, "profile", tenant.Default, "profile the outcomes belong to")
	f.StringVar(&add.Outcome, "outcome", "", "what every body is, when the mapping does not say")
	f.StringVarP(&mapping, "mapping", "m", "", "mapping from a body's members; without one a body is an outcome as POST /api/v1/outcomes takes it")
	f.StringVar(&add.Scheme, "scheme", schemes[0], "how the sender signs: "+strings.Join(schemes, ", "))
	f.StringVar(&secretFile, "secret-file", "", "file with the secret the sender gave (default: one is made)")
	return cmd
}

// hooks is the webhooks of a workspace, as its owner.
func (c *command) hooks(a *app.App, workspace string) *webhook.Service {
	caller := tenant.Local("cli")
	caller.Workspace = workspace
	return a.Hooks.As(caller)
}

func writeHooks(w io.Writer, list []inbox.Hook) {
	if len(list) == 0 {
		line(w, "No webhooks.")
		return
	}
	t := newTable(w)
	t.head = []string{"webhook", "profile", "scheme", "outcome", "mapping", "state", "last delivery"}
	for i := range list {
		h := &list[i]
		state, last := "open", ""
		if h.Disabled {
			state = "closed"
		}
		if !h.LastAt.IsZero() {
			last = stamp(h.LastAt)
		}
		_ = t.row(h.Name, h.Profile, h.Scheme, h.Outcome, yes(h.Mapped), state, last)
	}
	_ = t.flush()
}
