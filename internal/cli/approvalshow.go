package cli

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/approve"
	"sluice/internal/fault"
)

func (c *command) approvalsShow() *cobra.Command {
	return &cobra.Command{
		Use: "show APPROVAL", Short: "Show what waits: the arguments, what is new about them, and how to decide", Args: needName("approval id"),
		Long: "Shows a call with its arguments, how they differ from those of the last approved call of that tool by\n" +
			"that grant (values are compared where record_arguments keeps them), and what its limits have left.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				item, err := c.approval(cmd.Context(), a, args[0])
				if err != nil {
					return err
				}
				return c.print(item, func(w io.Writer) { c.writeApproval(w, item) })
			})
		},
	}
}

// approval finds one approval of either kind.
func (c *command) approval(ctx context.Context, a *app.App, id string) (*approve.Item, error) {
	if strings.HasPrefix(id, approve.Prefix) {
		s, err := a.Approve(ctx)
		if err != nil {
			return nil, err
		}
		return s.Show(ctx, id)
	}
	profiles, err := a.Auth.Profiles(ctx)
	if err != nil {
		return nil, err
	}
	for i := range profiles {
		list, err := a.Writeback.In(profiles[i].ID).Approvals(ctx, "")
		if err != nil {
			return nil, err
		}
		for k := range list {
			if list[k].ID == id {
				item := approve.OfConfirm(&list[k])
				return &item, nil
			}
		}
	}
	return nil, fault.New(fault.NotFound, "there is no approval %s in this workspace", shown(id)).WithFix("see `sluice approvals list`")
}

// shownArguments is how much of them is printed; --json has all.
const shownArguments = 256 << 10

func (c *command) writeApproval(w io.Writer, a *approve.Item) {
	say := func(name, text string) {
		if text != "" {
			field(w, name, "%s", shown(text))
		}
	}
	line(w, "%s  %s", c.bold(a.ID), a.State)
	if a.Kind == approve.Confirm {
		say("plan", a.PlanID)
		say("proposed by", a.Proposer)
		say("why", a.Why)
	} else {
		say("tool", a.Tool)
		say("server", a.Server)
		say("grant", grantOf(a))
		say("made by", a.MintedBy)
		say("risk", a.Risk)
		say("why", a.Message)
		say("rule", a.Rule)
	}
	say("until", stamp(a.ExpiresAt))
	if a.Kind == approve.Call {
		decides := strings.Join(a.Approvers, ", ")
		if decides == "" {
			decides = "owners, admins, members with the flag approver"
		}
		if a.FourEyes && a.MintedBy != "" && a.State == "pending" { // who decided the others is said below
			decides += "; not who made the grant"
		}
		say("decided by", decides)
		if len(a.EscalateTo) > 0 {
			when := " from " + stamp(a.EscalateAt)
			if a.Escalated {
				when = " too, it has escalated"
			}
			say("escalates to", strings.Join(a.EscalateTo, ", ")+when)
		}
	}
	if a.Decider != "" {
		say("decision", strings.TrimSuffix(a.Decider+", "+stamp(a.DecidedAt)+": "+a.Reason, ": "))
	}
	for _, l := range a.Limits {
		room := "has room"
		if !l.Fits {
			room = c.notice("has no room now")
		}
		field(w, "limit", "%s %s: %s of %s used, the call takes %s", shown(l.Rule), room, l.Used, l.Max, l.Needs)
	}
	c.writeArguments(w, a)
	if a.State == "pending" {
		line(w, "")
		line(w, "  %s", c.bold("sluice approvals approve "+a.ID+" --reason TEXT"))
		line(w, "  %s", c.bold("sluice approvals reject "+a.ID+" --reason TEXT"))
		if a.Link != "" {
			line(w, "  %s", shown(a.Link))
		}
	}
}

func (c *command) writeArguments(w io.Writer, a *approve.Item) {
	switch a.Withheld {
	case "over":
		field(w, "arguments", "%s  (values are gone: it is over)", shown(strings.Join(a.ArgKeys, ", ")))
	case "role":
		field(w, "arguments", "%s  (values are for those who may decide)", shown(strings.Join(a.ArgKeys, ", ")))
	case "unreadable":
		field(w, "arguments", "%s  (values can't be read: sealed with another master key?)", shown(strings.Join(a.ArgKeys, ", ")))
	}
	if len(a.Arguments) > 0 {
		text, left := approve.Pretty(a.Arguments, shownArguments)
		line(w, "")
		for l := range strings.SplitSeq(text, "\n") {
			line(w, "    %s", l)
		}
		if left > 0 {
			line(w, "    … %s more bytes: see --json", thousands(left))
		}
	}
	if a.Compared == nil {
		return
	}
	line(w, "")
	line(w, "  compared with %s of %s:", a.Compared.With, stamp(a.Compared.At))
	if len(a.Compared.Changes) == 0 {
		line(w, "    no difference%s", map[bool]string{false: " in the names of arguments; values are not kept"}[a.Compared.Values])
	}
	for _, ch := range a.Compared.Changes {
		sign := map[string]string{"added": "+", "removed": "-", "changed": "~"}[ch.Kind]
		var parts []string
		if len(ch.Was) > 0 {
			parts = append(parts, "was "+string(ch.Was))
		}
		if len(ch.Is) > 0 {
			parts = append(parts, "is "+string(ch.Is))
		}
		line(w, "    %s %s  %s", sign, shown(ch.Path), shown(strings.Join(parts, ", ")))
	}
	if a.Compared.More > 0 {
		line(w, "    … %s more", thousands(a.Compared.More))
	}
}

func (c *command) approvalsWatch() *cobra.Command {
	var last time.Duration
	cmd := &cobra.Command{
		Use: "watch", Short: "Print calls as they begin to wait, and what became of them", Args: cobra.NoArgs,
		Long: "Prints every call that waits, then each as it begins to, and each as it ends: decided, expired or\n" +
			"cancelled. With --json one line each. It ends with Ctrl-C, or after --for.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if last < 0 {
				return fault.New(fault.Usage, "--for must be more than 0")
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				s, err := a.Approve(cmd.Context())
				if err != nil {
					return err
				}
				ctx := cmd.Context()
				if last > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, last)
					defer cancel()
				}
				err = c.watchApprovals(ctx, s)
				if ctx.Err() != nil { // whoever watches ends it
					return nil
				}
				return err
			})
		},
	}
	cmd.Flags().DurationVar(&last, "for", 0, "end after this long, such as 10m (default: never)")
	return cmd
}

// watchFor is how long one look waits for news.
const watchFor = 20 * time.Second

func (c *command) watchApprovals(ctx context.Context, s *approve.Service) error {
	version := ""
	var waiting []string
	show := func(a *approve.Item) error {
		return c.print(a, func(w io.Writer) {
			news := "waits until " + stamp(a.ExpiresAt)
			if a.State != "pending" {
				news = strings.TrimSuffix(a.State+" by "+a.Decider, " by ")
			}
			line(w, "%s  %s  %s %s by %s: %s", a.ID, news, shown(a.Server), shown(a.Tool), shown(grantOf(a)), shown(a.Message))
		})
	}
	for {
		now, err := s.Watch(ctx, version, watchFor)
		if err != nil {
			return err
		}
		var ids []string
		for i := len(now.Items) - 1; i >= 0; i-- { // oldest first
			a := &now.Items[i]
			ids = append(ids, a.ID)
			if !slices.Contains(waiting, a.ID) {
				if err := show(a); err != nil {
					return err
				}
			}
		}
		for _, id := range waiting {
			if slices.Contains(ids, id) {
				continue
			}
			a, err := s.Show(ctx, id)
			if err != nil {
				return err
			}
			a.Arguments, a.Compared, a.Limits = nil, nil, nil
			if err := show(a); err != nil {
				return err
			}
		}
		version, waiting = now.Version, ids
	}
}
