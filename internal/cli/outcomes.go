package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/mapping"
	"sluice/internal/outcome"
	"sluice/internal/suggest"
	"sluice/internal/writeback"
)

func (c *command) outcomesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "outcomes", Short: "Keep what happened (payments, orders, leads) until it is sent", GroupID: groupMain, Args: cobra.NoArgs, RunE: c.helpOrFault,
		Long: "Every profile has an outcome store: records come in from files, pushes and webhooks, are hashed on\n" +
			"the way and kept sealed. `sluice preview --outcome payment_received --window last-7-days` plans over them.",
		Example: "  sluice outcomes import exports/ -m mapping.yaml\n" +
			"  sluice outcomes push - < outcomes.jsonl\n" +
			"  sluice outcomes stats",
	}
	cmd.AddCommand(c.outcomesImportCommand(), c.outcomesPushCommand(), c.outcomesListCommand(), c.outcomesStatsCommand())
	return cmd
}

func addProfileFlag(cmd *cobra.Command, profile *string) {
	cmd.Flags().StringVar(profile, "profile", "", "the business this is for (default: `default`)")
}

func (c *command) outcomesImportCommand() *cobra.Command {
	var mappingPath, profile, from, rejects string
	cmd := &cobra.Command{
		Use:   "import INPUT… -m mapping.yaml",
		Short: "Read files into the outcome store; the same file again changes nothing",
		Example: "  sluice outcomes import exports/ -m mapping.yaml\n" +
			"  sluice outcomes import orders.csv -m mapping.yaml --profile north --rejects rejects.jsonl",
		Args: needInputs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				m, err := c.loadMapping(a, mappingPath)
				if err != nil {
					return err
				}
				reader, err := a.Source(cmd.Context(), a.Writeback.In(profile), args, c.sourceOptions(m))
				if err != nil {
					return err
				}
				defer func() { _ = reader.Close() }()
				list, err := newRejectFile(rejects)
				if err != nil {
					return err
				}
				meter, err := c.meter()
				if err != nil {
					return errors.Join(err, list.close())
				}
				opts := m.EncoderOptions()
				n, err := a.Writeback.In(profile).Import(cmd.Context(), writeback.ImportRequest{
					Reader: reader, Mapping: m, Source: from, Options: opts, Progress: meter.show, Rejected: list.add,
				})
				meter.clear()
				if err := errors.Join(err, list.close()); err != nil {
					return err
				}
				if err := app.Ack(cmd.Context(), reader); err != nil {
					return err
				}
				return c.print(n, func(w io.Writer) { c.writeIntake(w, n, list) })
			})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&mappingPath, "mapping", "m", "", "mapping file (default: `mapping` of sluice.yaml)")
	f.StringVar(&from, "from", "", "name of the source, for reports")
	f.StringVar(&rejects, "rejects", "", "write every rejected row to this file, as JSON lines")
	addProfileFlag(cmd, &profile)
	return cmd
}

// shownRejects is how many rejected rows the screen shows.
const shownRejects = 10

// rejectFile keeps the first rejects for the screen and writes all of them to a file
// where one is named.
type rejectFile struct {
	first []ledger.Reject
	file  *os.File
	out   *bufio.Writer
	write *rejectWriter
}

func newRejectFile(path string) (*rejectFile, error) {
	f := &rejectFile{}
	if path == "" {
		return f, nil
	}
	var err error
	if f.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
		var reason *fs.PathError
		errors.As(err, &reason)
		return nil, fault.New(fault.Usage, "the file for --rejects can't be written: %v", reason.Err)
	}
	f.out = bufio.NewWriter(f.file)
	f.write, err = newRejectWriter(f.out, "jsonl", false)
	return f, err
}

func (f *rejectFile) add(r *ledger.Reject) error {
	if len(f.first) < shownRejects {
		f.first = append(f.first, *r)
	}
	if f.write == nil {
		return nil
	}
	return f.write.write("", r)
}

func (f *rejectFile) close() error {
	if f.file == nil {
		return nil
	}
	return errors.Join(f.write.done(), f.out.Flush(), f.file.Close())
}

func (c *command) writeIntake(w io.Writer, n *writeback.Intake, list *rejectFile) {
	lines := ""
	if n.Lines > 0 {
		lines = plural(n.Lines, "line")
	}
	field(w, "rows", "%11s   %s", thousands(n.Rows), lines)
	field(w, "new", "%11s   %s", thousands(n.New), byCount(n.Outcomes))
	field(w, "repeated", "%11s   %s", thousands(n.Repeated), whenAny(n.Repeated, "known, and the same"))
	field(w, "changed", "%11s   %s", thousands(n.Changed), whenAny(n.Changed, "known, and now something else; what was sent stays as it was"))
	field(w, "rejected", "%11s   %s", thousands(n.Rejected), byCount(n.Rejects))
	field(w, "skipped", "%11s   %s", thousands(n.Skipped), byCount(n.Skips))
	if n.Cancellations > 0 {
		what := plural(int64(n.Cancelled), "outcome") + " cancelled"
		if n.Unmatched > 0 {
			what += ", " + plural(int64(n.Unmatched), "cancellation") + " without an order here"
		}
		field(w, "cancellations", "%9s   %s", thousands(n.Cancellations), what)
	}
	if n.Withdrawn > 0 {
		field(w, "withdrawn", "%11s   %s", thousands(n.Withdrawn), "consent was taken back")
	}
	c.writeNotes(w, "warnings", n.Warnings)
	for _, s := range n.Notes {
		line(w, "  %s %s: %s", c.notice(s.Code), shown(s.File), shown(s.Message))
	}
	if len(list.first) == 0 {
		return
	}
	line(w, "\n%s", c.bold("rejected"))
	t, err := newRejectWriter(w, "table", false)
	for i := range list.first {
		if err == nil {
			err = t.write("", &list.first[i])
		}
	}
	if err == nil {
		_ = t.done()
	}
	if n.Rejected > len(list.first) && list.file == nil {
		line(w, "… %s more; --rejects FILE writes all of them", thousands(n.Rejected-len(list.first)))
	}
}

func whenAny(n int, text string) string {
	if n == 0 {
		return ""
	}
	return text
}

func (c *command) outcomesPushCommand() *cobra.Command {
	var profile, namespace string
	cmd := &cobra.Command{
		Use:   "push [FILE]",
		Short: "Take outcomes as JSON lines, one answer per line",
		Long: "Reads one JSON object per line, in the form of POST /api/v1/outcomes, and prints what became of each.\n" +
			"Members: outcome, record_id, occurrence, namespace, sale_key, consent, region, touches, labels, cancels,\n" +
			"value, currency, and those of an event: event_time, action_source, user_data, custom_data …",
		Example: `  echo '{"outcome":"lead_created","record_id":"L1","event_time":1795258800,"consent":"granted",` + "\n" +
			`        "user_data":{"em":"a@example.com"},"event_source_url":"https://example.com"}' | sluice outcomes push -`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := io.NopCloser(c.Stdin)
			if len(args) == 1 && args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return fault.New(fault.SourceUnavailable, "the input can't be opened").Wrap(err)
				}
				in = f
			}
			defer func() { _ = in.Close() }()
			return c.with(cmd.Context(), func(a *app.App) error { return c.push(cmd, a.Writeback.In(profile), in, namespace) })
		},
	}
	cmd.Flags().StringVar(&namespace, "namespace", "", "namespace of records that name none (default: api)")
	addProfileFlag(cmd, &profile)
	return cmd
}

// pushItems is how many outcomes travel in one transaction.
const pushItems = 1000

func (c *command) push(cmd *cobra.Command, s *writeback.Service, in io.Reader, namespace string) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	out := bufio.NewWriter(c.Stdout)
	enc := json.NewEncoder(out)
	var items []json.RawMessage
	bad := 0
	flush := func() error {
		if len(items) == 0 {
			return nil
		}
		results, err := s.Ingest(cmd.Context(), writeback.IngestRequest{Items: items, Namespace: namespace})
		if err != nil {
			return err
		}
		for i := range results.Items {
			if results.Items[i].Error != nil {
				bad++
			}
			if err := enc.Encode(&results.Items[i]); err != nil {
				return err
			}
		}
		items = items[:0]
		return nil
	}
	for lines.Scan() {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		if items = append(items, json.RawMessage(text)); len(items) == pushItems {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fault.New(fault.SourceInvalid, "a line is longer than 1 MiB or can't be read").Wrap(err)
	}
	if err := errors.Join(flush(), out.Flush()); err != nil {
		return err
	}
	if bad > 0 {
		return fault.New(fault.Partial, "%s refused", plural(int64(bad), "outcome")).WithFix("mend what each answer names and push again; what was taken is not taken twice")
	}
	return nil
}

// outcomeFlags choose stored outcomes.
type outcomeFlags struct {
	outcomes []string
	window   string
	profile  string
}

func (o *outcomeFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&o.outcomes, "outcome", nil, "plan over stored outcomes of this type (may be repeated)")
	f.StringVar(&o.window, "window", "", "today, yesterday, last-7-days, or dates FIRST..LAST, end inclusive, in the profile's zone")
	addProfileFlag(cmd, &o.profile)
	values := mapping.DefaultOutcomes()
	_ = cmd.RegisterFlagCompletionFunc("outcome", cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("window", cobra.FixedCompletions([]string{"today", "yesterday", "last-7-days"}, cobra.ShellCompDirectiveNoFileComp))
}

func (c *command) outcomesListCommand() *cobra.Command {
	var flags outcomeFlags
	var state string
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List stored outcomes, oldest first", Args: cobra.NoArgs,
		Example: "  sluice outcomes list --outcome order_placed --window yesterday --state cancelled",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkState(state); err != nil {
				return err
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				q := writeback.OutcomeQuery{Outcomes: flags.outcomes, Window: flags.window, State: state, Limit: limit}
				out := bufio.NewWriter(c.Stdout)
				enc, t := json.NewEncoder(out), newTable(out)
				t.head = []string{"time", "outcome", "state", "value", "code", "where"}
				n := 0
				err := a.Writeback.In(flags.profile).Outcomes(cmd.Context(), q, func(o *writeback.StoredOutcome) error {
					n++
					if c.json {
						return enc.Encode(o)
					}
					return t.row(stamp(time.Unix(o.EventTime, 0).UTC()), o.Outcome, string(o.State), strings.TrimSpace(o.Currency+" "+o.Value), o.Code, place(o.File, o.Line))
				})
				if err == nil {
					err = t.flush()
				}
				if err == nil && n == 0 && !c.json {
					line(out, "No outcomes.")
				}
				return errors.Join(err, out.Flush())
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&state, "state", "", "only outcomes in this state")
	cmd.Flags().IntVar(&limit, "limit", 0, "at most so many; 0: all")
	return cmd
}

func checkState(state string) error {
	if state == "" || slices.Contains(outcome.States, outcome.State(state)) {
		return nil
	}
	var names []string
	for _, s := range outcome.States {
		names = append(names, string(s))
	}
	fix := "states: " + strings.Join(names, ", ")
	if near := suggest.Closest(state, names); near != "" {
		fix = "did you mean " + near + "?"
	}
	return fault.New(fault.Usage, "--state is not a state of stored outcomes").WithFix("%s", fix)
}

func (c *command) outcomesStatsCommand() *cobra.Command {
	var flags outcomeFlags
	cmd := &cobra.Command{
		Use: "stats", Short: "Count stored outcomes by type, state and currency", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				stats, err := a.Writeback.In(flags.profile).OutcomeStats(cmd.Context(), writeback.OutcomeQuery{Outcomes: flags.outcomes, Window: flags.window})
				if err != nil {
					return err
				}
				return c.print(stats, func(w io.Writer) { writeStats(w, stats) })
			})
		},
	}
	flags.add(cmd)
	return cmd
}

func writeStats(w io.Writer, stats []writeback.OutcomeStat) {
	if len(stats) == 0 {
		line(w, "No outcomes. `sluice outcomes import INPUT -m mapping.yaml` brings them in.")
		return
	}
	t := newTable(w)
	t.head = []string{"outcome", "state", "count", "value", "from", "to"}
	for _, s := range stats {
		_ = t.row(s.Outcome, string(s.State), thousands(s.Count), strings.TrimSpace(s.Currency+" "+amount(s.Value)),
			stamp(time.Unix(s.Oldest, 0).UTC()), stamp(time.Unix(s.Newest, 0).UTC()))
	}
	_ = t.flush()
}
