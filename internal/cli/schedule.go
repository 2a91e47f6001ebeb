package cli

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/schedule"
	"sluice/internal/writeback"
)

func (c *command) scheduleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "schedule", Short: "Send regularly, inside what an admin has signed for", GroupID: groupMain, Args: cobra.NoArgs, RunE: c.helpOrFault,
		Long: "A schedule previews the days that came in since its last completed window. Inside a standing\n" +
			"authorisation it confirms itself; outside it waits for a person. `sluice work` runs what is due.",
		Example: "  sluice schedule add shops --cron '30 6 * * *' --files 'shops/{shop}/orders-{date}.csv' --expect soho,leeds -m mapping.yaml\n" +
			"  sluice schedule authorize shops --max-events 5000 --max-value GBP=250000 --days 90\n" +
			"  sluice work --until-idle     # from cron, every few minutes",
	}
	cmd.AddCommand(c.scheduleAddCommand(), c.scheduleListCommand(), c.scheduleShowCommand(), c.scheduleAuthorizeCommand(),
		c.scheduleSetCommand("pause", "Stop a schedule until it is resumed", schedule.Paused),
		c.scheduleSetCommand("resume", "Let a paused schedule run again, from its next tick on", schedule.Active),
		c.scheduleRemoveCommand(), c.scheduleRunCommand())
	return cmd
}

func needName(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fault.New(fault.Usage, "`%s` takes one %s", cmd.CommandPath(), what).WithFix("see `%s --help`", cmd.CommandPath())
		}
		return nil
	}
}

func (c *command) scheduleAddCommand() *cobra.Command {
	var s schedule.Spec
	var profile string
	cmd := &cobra.Command{
		Use:   "add NAME --cron EXPR (--files PATTERN | --outcome NAME) -m mapping.yaml --dataset ID",
		Short: "Store a schedule; it sends nothing by itself until somebody authorises it",
		Args:  needName("name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				if err := c.completeSpec(a, &s); err != nil {
					return err
				}
				sc, err := a.Writeback.In(profile).AddSchedule(cmd.Context(), args[0], s)
				if err != nil {
					return err
				}
				return c.print(sc, func(w io.Writer) {
					line(w, "%s  schedule %s, next at %s", c.bold("Added"), sc.Name, stamp(sc.NextAt))
					line(w, "next: %s", c.bold("sluice schedule authorize "+sc.Name+" --max-events N --max-value GBP=AMOUNT"))
				})
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&s.Cron, "cron", "", "when: minute hour day month weekday, or @daily")
	f.StringVar(&s.Zone, "zone", "", "time zone of the cron expression and the days (default: the profile's)")
	f.IntVar(&s.Jitter, "jitter", 0, "start up to so many per cent of the interval later, 0 to 10")
	f.StringVar(&s.Overlap, "overlap", schedule.Skip, "while an earlier window is being sent: skip or queue")
	f.StringArrayVar(&s.Files, "files", nil, "file pattern with {date} (or {yyyymmdd}) and a member such as {shop}; may be repeated")
	f.StringSliceVar(&s.Outcomes, "outcome", nil, "send stored outcomes of this type instead; may be repeated")
	f.StringVar(&s.Filter, "filter", "", "of stored outcomes: all or has_meta_touch")
	f.StringVarP(&s.Mapping, "mapping", "m", "", "mapping file (default: `mapping` of sluice.yaml)")
	f.StringVar(&s.Dataset, "dataset", "", "dataset id (default: `dataset` of the mapping, then of sluice.yaml)")
	f.IntVar(&s.WindowDays, "window-days", 1, "days of the first window")
	f.IntVar(&s.OverlapDays, "overlap-days", 0, "days before it that each window reads again")
	f.IntVar(&s.LagDays, "lag-days", 1, "up to how many days ago a window reads; 0 is today")
	f.StringSliceVar(&s.Expect, "expect", nil, "members that must have a file for every day: soho,leeds")
	f.Float64Var(&s.MinShare, "min-share", 0, "a file with less than this share of its usual rows is named (default 0.5)")
	f.BoolVar(&s.ParkOnGap, "park-on-gap", false, "a missing, repeated or short file makes the window wait for a person")
	f.BoolVar(&s.AcceptRejects, "accept-rejects", false, "send although more than 20 % of the rows were rejected")
	addProfileFlag(cmd, &profile)
	return cmd
}

// completeSpec fills in what the mapping and the configuration say.
func (c *command) completeSpec(a *app.App, s *schedule.Spec) error {
	named := ""
	if len(s.Files) > 0 {
		if s.Mapping == "" {
			s.Mapping = a.Config.Mapping
		}
		m, err := c.loadMapping(a, s.Mapping)
		if err != nil {
			return err
		}
		named = m.Dataset()
		// A schedule is run from any directory.
		if s.Mapping, err = filepath.Abs(s.Mapping); err != nil {
			return err
		}
		for i := range s.Files {
			if s.Files[i], err = filepath.Abs(s.Files[i]); err != nil {
				return err
			}
		}
	} else if s.Mapping != "" {
		return fault.New(fault.Usage, "stored outcomes were mapped when they were imported").WithFix("leave --mapping out")
	}
	var err error
	if s.Dataset, err = pickDataset(s.Dataset, named, a.Config.Dataset); err != nil {
		return err
	}
	s.Realm, err = a.Realm()
	return err
}

func (c *command) scheduleListCommand() *cobra.Command {
	var profile string
	cmd := &cobra.Command{
		Use: "list", Short: "List schedules with when they run next", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				list, err := a.Writeback.In(profile).Schedules(cmd.Context(), 1)
				if err != nil {
					return err
				}
				return c.print(list, func(w io.Writer) {
					if len(list) == 0 {
						line(w, "No schedules yet. Begin with %s", c.bold("sluice schedule add --help"))
						return
					}
					t := newTable(w)
					t.head = []string{"name", "state", "next", "completed to", "last window", "authorised until"}
					for i := range list {
						_ = t.row(c.scheduleRow(&list[i])...)
					}
					_ = t.flush()
				})
			})
		},
	}
	addProfileFlag(cmd, &profile)
	return cmd
}

func (c *command) scheduleRow(v *writeback.ScheduleView) []string {
	next, last, until := "-", "-", "nobody signed"
	if v.State == schedule.Active {
		next = stamp(v.NextAt)
	}
	if len(v.Runs) > 0 {
		last = v.Runs[0].Window + " " + string(v.Runs[0].State)
	}
	if v.Signed != nil {
		until = v.Signed.Expires.UTC().Format(time.DateOnly)
	}
	done := v.Completed
	if done == "" {
		done = "-"
	}
	return []string{v.Name, string(v.State), next, done, last, until}
}

func (c *command) scheduleShowCommand() *cobra.Command {
	var profile string
	var limit int
	cmd := &cobra.Command{
		Use: "show NAME", Short: "Show a schedule, what was signed for it, and its windows", Args: needName("name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 {
				return fault.New(fault.Usage, "--limit must be 1 or more")
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				v, err := a.Writeback.In(profile).Schedule(cmd.Context(), args[0], limit)
				if err != nil {
					return err
				}
				return c.print(v, func(w io.Writer) { c.writeSchedule(w, v) })
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 10, "how many windows, newest first")
	addProfileFlag(cmd, &profile)
	return cmd
}

func (c *command) writeSchedule(w io.Writer, v *writeback.ScheduleView) {
	s := &v.Spec
	line(w, "%s  %s, %s", c.bold("Schedule "+v.Name), v.State, v.ID)
	field(w, "when", "%s in %s, next %s", shown(s.Cron), s.Zone, stamp(v.NextAt))
	if len(s.Files) > 0 {
		field(w, "files", "%s", shown(strings.Join(s.Files, ", ")))
		field(w, "mapping", "%s", shown(s.Mapping))
	} else {
		field(w, "outcomes", "%s", shown(strings.Join(s.Outcomes, ", ")))
	}
	field(w, "dataset", "%s at %s", s.Dataset, s.Realm)
	field(w, "windows", "%d days at first, %d days read again, up to %d days ago", s.WindowDays, s.OverlapDays, s.LagDays)
	if len(s.Expect) > 0 {
		field(w, "expected", "%s", shown(strings.Join(s.Expect, ", ")))
	}
	if a := v.Signed; a == nil {
		field(w, "signed", "%s", c.notice("nobody; every window waits for a person"))
	} else {
		var most []string
		for _, currency := range slices.Sorted(maps.Keys(a.MaxValue)) {
			most = append(most, currency+" "+amount(a.MaxValue[currency]))
		}
		field(w, "signed", "by %s until %s: %s events and %s per run, %s", a.By, a.Expires.UTC().Format(time.DateOnly),
			thousands(a.MaxEvents), strings.Join(most, ", "), strings.Join(a.Outcomes, ", "))
	}
	for i := range v.Runs {
		line(w, "")
		c.writeWindow(w, &v.Runs[i])
	}
}

func (c *command) writeWindow(w io.Writer, r *schedule.Run) {
	state := string(r.State)
	switch r.State {
	case schedule.Completed:
		state = c.good(state)
	case schedule.Parked, schedule.Failed:
		state = c.notice(state)
	}
	line(w, "%s  %s", c.bold(r.Window), state)
	if r.Plan != "" {
		field(w, "plan", "%s: %s rows, %s planned, %s delivered", r.Plan, thousands(r.Rows), thousands(r.Planned), thousands(r.Delivered))
	}
	for _, f := range r.Findings {
		field(w, f.Code, "%s", c.notice(shown(f.Text)))
	}
	for _, why := range r.Reasons {
		field(w, "waits", "%s", shown(why))
	}
	switch {
	case r.State == schedule.Parked && r.Approval != "":
		field(w, "next", "%s", c.bold("sluice approvals approve "+r.Approval+" --reason TEXT")+", then "+c.bold("sluice work --until-idle"))
	case r.State == schedule.Failed:
		field(w, "failed", "%s, tried again from %s", r.Code, stamp(r.RetryAt))
	}
}

func (c *command) scheduleAuthorizeCommand() *cobra.Command {
	var t writeback.Terms
	var profile string
	var most []string
	cmd := &cobra.Command{
		Use:   "authorize NAME --max-events N --max-value GBP=AMOUNT",
		Short: "Sign for a schedule: inside these terms its windows confirm themselves",
		Long: "Signs for the schedule's source, dataset and profile policy and for the mapping as they are now. A change of\n" +
			"any of them voids it: the next window waits for a person. Only an owner or admin may sign.",
		Args: needName("name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t.MaxValue = map[string]string{}
			for _, m := range most {
				currency, text, ok := strings.Cut(m, "=")
				if !ok {
					return fault.New(fault.Usage, "--max-value is a currency and an amount").WithFix("write --max-value GBP=50000")
				}
				t.MaxValue[strings.ToUpper(currency)] = text
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				sc, err := a.Writeback.In(profile).AuthorizeSchedule(cmd.Context(), args[0], t)
				if err != nil {
					return err
				}
				return c.print(sc, func(w io.Writer) {
					line(w, "%s  schedule %s until %s; any edit of its mapping voids it", c.bold("Authorised"), sc.Name, sc.Signed.Expires.UTC().Format(time.DateOnly))
				})
			})
		},
	}
	f := cmd.Flags()
	f.IntVar(&t.Days, "days", 90, "how long it lasts, 1 to 90")
	f.IntVar(&t.MaxEvents, "max-events", 0, "most events of one run")
	f.StringArrayVar(&most, "max-value", nil, "most value of one run, as GBP=50000; once per currency, others may not be sent")
	f.Float64Var(&t.MinGoodShare, "min-good-share", 0, "least share of events of tier good or great, 0 to 1")
	f.StringSliceVar(&t.Outcomes, "outcome", nil, "outcomes that may be sent (default: all the schedule can make)")
	addProfileFlag(cmd, &profile)
	return cmd
}

func (c *command) scheduleSetCommand(use, short string, state schedule.State) *cobra.Command {
	var profile string
	cmd := &cobra.Command{
		Use: use + " NAME", Short: short, Args: needName("name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				sc, err := a.Writeback.In(profile).SetSchedule(cmd.Context(), args[0], state)
				if err != nil {
					return err
				}
				return c.print(sc, func(w io.Writer) { line(w, "Schedule %s is %s.", sc.Name, sc.State) })
			})
		},
	}
	addProfileFlag(cmd, &profile)
	return cmd
}

func (c *command) scheduleRemoveCommand() *cobra.Command {
	var profile string
	cmd := &cobra.Command{
		Use: "remove NAME", Short: "Delete a schedule; what it sent stays in the ledger", Args: needName("name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				if err := a.Writeback.In(profile).RemoveSchedule(cmd.Context(), args[0]); err != nil {
					return err
				}
				return c.print(map[string]string{"removed": args[0]}, func(w io.Writer) { line(w, "Schedule %s is removed.", args[0]) })
			})
		},
	}
	addProfileFlag(cmd, &profile)
	return cmd
}

func (c *command) scheduleRunCommand() *cobra.Command {
	var profile string
	cmd := &cobra.Command{
		Use: "run NAME", Short: "Work on a schedule's window now: the one that waits, else the next one", Args: needName("name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				meter, err := c.meter()
				if err != nil {
					return err
				}
				run, err := a.Writeback.In(profile).RunSchedule(cmd.Context(), args[0], meter.show)
				meter.clear()
				if run == nil || err != nil && c.json {
					return err
				}
				if perr := c.print(run, func(w io.Writer) { c.writeWindow(w, run) }); perr != nil || err != nil {
					return firstError(perr, err)
				}
				return windowOutcome(run)
			})
		},
	}
	addProfileFlag(cmd, &profile)
	return cmd
}

func firstError(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

// windowOutcome is the fault that a parked window ends with, its document being out.
func windowOutcome(r *schedule.Run) error {
	if r.State != schedule.Parked {
		return nil
	}
	return reported{fault.New(fault.ApprovalRequired, "window %s waits for a person", r.Window).
		WithFix("%s", fmt.Sprintf("`sluice schedule show` says why; `sluice approvals approve %s --reason TEXT`", r.Approval))}
}
