package cli

import (
	"io"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/writeback"
)

func (c *command) alertsCommand() *cobra.Command {
	var profile string
	var all bool
	cmd := &cobra.Command{
		Use:     "alerts",
		Short:   "Show what somebody should look at now",
		GroupID: groupLook,
		Long: "Looks at coverage, unknown and expiring events, circuits, schedules, tokens and checkpoints. `sluice work`\n" +
			"and `sluice serve` look every minute and tell the channels what began and what ended, once each.",
		Example: "  sluice alerts\n" +
			"  sluice alerts channel add --webhook https://hooks.example.com/alerts\n" +
			"  sluice alerts channel add --command mail-alert --command finance@example.com",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				s := a.Writeback.In(profile)
				list, err := s.CheckAlerts(cmd.Context(), true)
				if err == nil && all {
					list, err = s.RecentAlerts(cmd.Context(), 200)
				}
				if err != nil {
					return err
				}
				if list == nil {
					list = []ledger.Alert{}
				}
				return c.print(list, func(w io.Writer) { c.writeAlerts(w, list) })
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "also those that have ended")
	addProfileFlag(cmd, &profile)
	cmd.AddCommand(c.channelCommand())
	return cmd
}

func (c *command) writeAlerts(w io.Writer, list []ledger.Alert) {
	if len(list) == 0 {
		line(w, "%s", c.good("Nothing to look at."))
		return
	}
	for i := range list {
		a := &list[i]
		head := c.notice(a.Code)
		if !a.Resolved.IsZero() {
			head = c.dim(a.Code + ", ended " + stamp(a.Resolved))
		}
		line(w, "%s  since %s", head, stamp(a.Opened))
		line(w, "  %s", shown(a.Message))
		if a.Fix != "" && a.Resolved.IsZero() {
			line(w, "  fix: %s", shown(a.Fix))
		}
	}
}

func (c *command) channelCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "channel", Short: "Where alerts are sent", Args: cobra.NoArgs, RunE: c.helpOrFault}
	var target targetFlags
	var profile string
	add := &cobra.Command{
		Use: "add (--webhook URL | --command PROGRAM [--command ARG…])", Short: "Send alerts to a webhook or a program, as JSON", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			kind, to, err := target.pick()
			if err != nil {
				return err
			}
			if kind == "" {
				return fault.New(fault.Usage, "no target is named").WithFix("pass --webhook URL or --command PROGRAM")
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				ch, err := a.Writeback.In(profile).AddChannel(cmd.Context(), kind, to, profile == "")
				if err != nil {
					return err
				}
				return c.print(ch, func(w io.Writer) { line(w, "%s  %s %s  %s", c.bold("Added"), ch.Kind, shown(ch.Shown), ch.ID) })
			})
		},
	}
	target.add(add)
	add.Flags().StringVar(&profile, "profile", "", "only alerts of this profile (default: of every one)")
	list := &cobra.Command{
		Use: "list", Short: "List the channels", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				channels, err := a.Writeback.Channels(cmd.Context())
				if err != nil {
					return err
				}
				if channels == nil {
					channels = []ledger.Channel{}
				}
				return c.print(channels, func(w io.Writer) {
					if len(channels) == 0 {
						line(w, "No channels: alerts are shown by %s only.", c.bold("sluice alerts"))
					}
					for i := range channels {
						line(w, "%s  %-8s %s %s", channels[i].ID, channels[i].Kind, shown(channels[i].Shown), channels[i].Profile)
					}
				})
			})
		},
	}
	remove := &cobra.Command{
		Use: "remove ID", Short: "Stop sending to a channel", Args: needName("channel id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				if err := a.Writeback.RemoveChannel(cmd.Context(), args[0]); err != nil {
					return err
				}
				return c.print(map[string]string{"removed": args[0]}, func(w io.Writer) { line(w, "Channel %s is removed.", args[0]) })
			})
		},
	}
	cmd.AddCommand(add, list, remove)
	return cmd
}

// targetFlags name a webhook or a program.
type targetFlags struct {
	webhook string
	command []string
}

func (t *targetFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.webhook, "webhook", "", "https URL that takes JSON by POST")
	cmd.Flags().StringArrayVar(&t.command, "command", nil, "program that reads JSON on standard input; repeat for its arguments")
}

func (t *targetFlags) pick() (kind string, target []string, err error) {
	switch {
	case t.webhook != "" && len(t.command) > 0:
		return "", nil, fault.New(fault.Usage, "name a webhook or a program, not both")
	case t.webhook != "":
		return writeback.ChannelWebhook, []string{t.webhook}, nil
	case len(t.command) > 0:
		return writeback.ChannelCommand, t.command, nil
	default:
		return "", nil, nil
	}
}
