package cli

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/writeback"
)

func (c *command) reconcileCommand() *cobra.Command {
	var req writeback.ReconcileRequest
	var profile, window, form string
	var strict bool
	var target targetFlags
	cmd := &cobra.Command{
		Use:     "reconcile",
		Short:   "Set receipts beside what became of them and what the dataset reports, day by day",
		GroupID: groupLook,
		Long: "receipts = delivered + held + rejected + skipped + expired + unknown (+ waiting, planned, cancelled).\n" +
			"A record counts once, whatever the number of previews it was in: as what was sent of it, else as\n" +
			"what the newest preview says. Repeats of a record are no receipts.",
		Example: "  sluice reconcile --days 7\n" +
			"  sluice reconcile --window 2026-11-01..2026-11-30 --by store --format csv > november.csv\n" +
			"  sluice reconcile --webhook https://hooks.example.com/finance     # hand the report over, from cron",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if form != "table" && form != "csv" {
				return fault.New(fault.Usage, "--format must be table or csv").WithFix("--json prints JSON")
			}
			if window != "" {
				var span bool
				if req.From, req.To, span = strings.Cut(window, ".."); !span {
					req.To = req.From
				}
			}
			kind, to, err := target.pick()
			if err != nil {
				return err
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				if req.Dataset != "" {
					var err error
					if req.Realm, err = a.Realm(); err != nil {
						return err
					}
				}
				r, err := a.Writeback.In(profile).Reconcile(cmd.Context(), req)
				if err != nil {
					return err
				}
				if form == "csv" && !c.json {
					if err := writeReconcileCSV(c.Stdout, r); err != nil {
						return err
					}
				} else if err := c.print(r, func(w io.Writer) { c.writeReconcile(w, r) }); err != nil {
					return err
				}
				if kind != "" {
					if err := writeback.Hand(cmd.Context(), kind, to, r); err != nil {
						return err
					}
				}
				if !r.Balanced || strict && !r.Agrees {
					return reported{fault.New(fault.Partial, "the reconciliation shows differences").WithFix("see the lines marked with !")}
				}
				return nil
			})
		},
	}
	f := cmd.Flags()
	f.IntVar(&req.Days, "days", 7, "whole days up to today, in the profile's zone")
	f.StringVar(&window, "window", "", "first and last day instead: 2026-11-01..2026-11-07")
	f.StringVar(&req.Dataset, "dataset", "", "one dataset (default: every one the profile sends to)")
	f.StringVar(&req.By, "by", "", "break down by a label of the mapping")
	f.StringVar(&form, "format", "table", "table or csv")
	f.BoolVar(&req.Offline, "offline", false, "do not ask the dataset what it has received")
	f.BoolVar(&strict, "strict", false, "exit 5 also when the dataset differs without a known reason")
	addProfileFlag(cmd, &profile)
	target.add(cmd)
	return cmd
}

// reconcileHead are the columns of the table and of the CSV.
var reconcileHead = []string{"receipts", "delivered", "held", "rejected", "skipped", "expired", "unknown", "waiting", "planned", "cancelled"}

func reconcileCells(l *writeback.ReconcileLine) []int {
	return []int{l.Receipts, l.Delivered, l.Held, l.Rejected, l.Skipped, l.Expired, l.Unknown, l.Waiting, l.Planned, l.Cancelled}
}

func writeReconcileCSV(w io.Writer, r *writeback.Reconciliation) error {
	out := csv.NewWriter(w)
	_ = out.Write(append(append([]string{"day", "label"}, reconcileHead...), "reported", "difference", "why"))
	for i := range r.Days {
		l := &r.Days[i]
		cells := []string{l.Day, l.Label}
		for _, n := range reconcileCells(l) {
			cells = append(cells, strconv.Itoa(n))
		}
		reported, difference, why := "", "", ""
		if r.By == "" {
			reported, difference, why = reportedOn(r, l.Day)
		}
		_ = out.Write(append(cells, reported, difference, why))
	}
	out.Flush()
	return out.Error()
}

// reportedOn sums what the datasets report for a day.
func reportedOn(r *writeback.Reconciliation, day string) (reported, difference, why string) {
	total, diff, any := 0, 0, false
	var texts []string
	for _, d := range r.Datasets {
		if d.Day == day {
			any, total, diff = true, total+d.Reported, diff+d.Difference
			texts = append(texts, d.Why...)
		}
	}
	if !any {
		return "", "", ""
	}
	return strconv.Itoa(total), strconv.Itoa(diff), strings.Join(texts, "; ")
}

// grouped writes a number of reportedOn for people.
func grouped(text string) string {
	n, err := strconv.Atoi(text)
	if err != nil {
		return text
	}
	return thousands(n)
}

func (c *command) writeReconcile(w io.Writer, r *writeback.Reconciliation) {
	line(w, "%s  %s to %s, profile %s, days of %s", c.bold("Reconciliation"), r.From, r.To, r.Profile, r.Zone)
	t := newTable(w)
	t.head = []string{"day"}
	if r.By != "" {
		t.head = append(t.head, shown(r.By))
	}
	t.head = append(append(t.head, reconcileHead...), "reported", "diff")
	add := func(day string, l *writeback.ReconcileLine, tail ...string) {
		cells := []string{day}
		if r.By != "" {
			cells = append(cells, l.Label)
		}
		for _, n := range reconcileCells(l) {
			cells = append(cells, thousands(n))
		}
		_ = t.row(append(cells, tail...)...)
	}
	for i := range r.Days {
		l := &r.Days[i]
		reported, diff := "", ""
		if r.By == "" {
			reported, diff, _ = reportedOn(r, l.Day)
		}
		add(l.Day, l, grouped(reported), grouped(diff))
	}
	add("total", &r.Total)
	_ = t.flush()
	for _, d := range r.Datasets {
		for _, why := range d.Why {
			mark := " "
			if !d.Explained {
				mark = c.notice("!")
			}
			line(w, "%s %s  %s", mark, d.Day, why)
		}
	}
	for _, u := range r.Uploads {
		switch {
		case u.Repeats > 0:
			line(w, "  run %s: %s acknowledged, the upload lists %s: %s came in requests whose answer was lost", u.Run, thousands(u.Delivered), thousands(u.Reported), thousands(u.Repeats))
		case !u.Explained:
			line(w, "%s run %s: %s acknowledged, the upload lists %s", c.notice("!"), u.Run, thousands(u.Delivered), thousands(u.Reported))
		}
	}
	for _, b := range r.Books {
		line(w, "%s %s", c.bad("!"), shown(b))
	}
	switch {
	case !r.Balanced:
		line(w, "%s", c.bad("The books do not add up."))
	case r.Agrees:
		line(w, "%s", c.good("Every day adds up."))
	default:
		line(w, "Every day adds up; the dataset differs where marked.")
	}
}
