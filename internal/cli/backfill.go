package cli

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/writeback"
)

func (c *command) backfillCommand() *cobra.Command {
	var req writeback.BackfillRequest
	var profile string
	var yes bool
	cmd := &cobra.Command{
		Use:     "backfill SCHEDULE --window FROM..TO",
		Short:   "Send old days with a schedule's source: one day at a time, oldest first",
		GroupID: groupMain,
		Long: "Previews every day first and shows what is too old to be sent; nothing is sent until you say yes.\n" +
			"What was sent before is left out, so an interrupted backfill is simply run again.",
		Example: "  sluice backfill shops --window 2026-10-01..2026-11-20",
		Args:    needName("schedule"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if req.Window == "" {
				return fault.New(fault.Usage, "no days are named").WithFix("pass --window 2026-10-01..2026-11-20")
			}
			if req.Pause < 0 {
				return fault.New(fault.Usage, "--pause must not be negative")
			}
			req.Schedule = args[0]
			return c.with(cmd.Context(), func(a *app.App) error {
				s := a.Writeback.In(profile)
				meter, err := c.meter()
				if err != nil {
					return err
				}
				req.Progress = meter.show
				first, err := s.Backfill(cmd.Context(), req)
				meter.clear()
				if err != nil {
					return err
				}
				if !yes || first.Total.Planned == 0 {
					if c.json || first.Total.Planned == 0 || !c.interactive() {
						return c.print(first, func(w io.Writer) { c.writeBackfill(w, first) })
					}
				}
				if !c.json {
					c.writeBackfill(c.Stdout, first)
				}
				if !yes {
					ok, err := c.ask(cmd.Context(), "\nSend these days? A sent event can't be recalled. [y/N] ")
					if err != nil || !ok {
						return err
					}
				}
				req.Confirm = true
				done, err := s.Backfill(cmd.Context(), req)
				meter.clear()
				if done == nil || err != nil && c.json {
					return err
				}
				if perr := c.print(done, func(w io.Writer) { line(w, ""); c.writeBackfill(w, done) }); perr != nil {
					return perr
				}
				return err
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&req.Window, "window", "", "first and last day, at most 63 of them")
	f.DurationVar(&req.Pause, "pause", time.Second, "between two days that sent something")
	f.BoolVar(&yes, "yes", false, "send without asking")
	addProfileFlag(cmd, &profile)
	return cmd
}

func (c *command) writeBackfill(w io.Writer, b *writeback.Backfill) {
	t := newTable(w)
	t.head = []string{"day", "rows", "planned", "held", "rejected", "skipped", "expired", "over 7 days", "over 62 days", "delivered", ""}
	add := func(name string, d *writeback.BackfillDay) {
		_ = t.row(name, thousands(d.Rows), thousands(d.Planned), thousands(d.Held), thousands(d.Rejected), thousands(d.Skipped), thousands(d.Expired),
			thousands(d.Over7), thousands(d.Over62), thousands(d.Delivered), d.Code)
	}
	for i := range b.Days {
		add(b.Days[i].Day, &b.Days[i])
	}
	add("total", &b.Total)
	_ = t.flush()
	if !b.Confirmed {
		if n := b.Total.Expired; n > 0 {
			line(w, "%s", c.notice(plural(int64(n), "row")+" can't be sent any more: older than 62 days for store events, than 7 for others"))
		}
		line(w, "Nothing was sent. %s sends %s.", c.bold("--yes"), plural(int64(b.Total.Planned), "event"))
	}
}
