package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/writeback"
)

func (c *command) coverageCommand() *cobra.Command {
	var req writeback.CoverageRequest
	var profile string
	cmd := &cobra.Command{
		Use:     "coverage",
		Short:   "Show how much of what happened was sent, how fast and how well it matches",
		GroupID: groupLook,
		Long:    "coverage = (delivered + skipped) / rows; what is held or waits lowers it until it is sent.",
		Example: "  sluice coverage --days 7 --by store",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				if req.Dataset != "" {
					var err error
					if req.Realm, err = a.Realm(); err != nil {
						return err
					}
				}
				v, err := a.Writeback.In(profile).Coverage(cmd.Context(), req)
				if err != nil {
					return err
				}
				return c.print(v, func(w io.Writer) { c.writeCoverage(w, v) })
			})
		},
	}
	f := cmd.Flags()
	f.IntVar(&req.Days, "days", 7, "whole days up to today, in the profile's zone")
	f.StringVar(&req.Dataset, "dataset", "", "one dataset (default: every one the profile sends to)")
	f.StringVar(&req.By, "by", "", "break down by a label of the mapping, the worst first")
	addProfileFlag(cmd, &profile)
	return cmd
}

func (c *command) writeCoverage(w io.Writer, v *writeback.Coverage) {
	line(w, "%s  %s to %s, profile %s, days of %s", c.bold("Coverage"), v.From, v.To, v.Profile, v.Zone)
	t := newTable(w)
	name := v.By
	if name == "" {
		name = " "
	}
	t.head = []string{name, "rows", "delivered", "skipped", "coverage", "fresh p50", "fresh p95", "good or great"}
	add := func(name string, l *writeback.CoverageLine) {
		_ = t.row(name, thousands(l.Rows), thousands(l.Delivered), thousands(l.Skipped), share(l.Ratio, l.Rows),
			age(l.FreshnessMedian), age(l.FreshnessP95), share(l.Good, l.Delivered))
	}
	for i := range v.Lines {
		add(v.Lines[i].Label, &v.Lines[i])
	}
	add("total", &v.Total)
	_ = t.flush()
}

func share(v float64, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*v)
}

func age(seconds int64) string {
	switch d := time.Duration(seconds) * time.Second; {
	case seconds == 0:
		return "-"
	case d < time.Hour:
		return fmt.Sprintf("%d min", max(1, seconds/60))
	case d < 48*time.Hour:
		return fmt.Sprintf("%.1f h", d.Hours())
	default:
		return fmt.Sprintf("%.1f d", d.Hours()/24)
	}
}
