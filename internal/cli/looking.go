package cli

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/writeback"
)

// rejectJSON is one line of `rejects --json`.
type rejectJSON struct {
	File   string         `json:"file"`
	Line   int64          `json:"line"`
	Stage  string         `json:"stage"`
	Code   string         `json:"code"`
	Field  string         `json:"field,omitempty"`
	Masked string         `json:"masked,omitempty"`
	Hint   string         `json:"hint,omitempty"`
	Record string         `json:"record,omitempty"`
	Labels []string       `json:"labels,omitempty"`
	Graph  *rejectRefusal `json:"graph,omitempty"`
}

type rejectRefusal struct {
	Code    int    `json:"code"`
	Subcode int    `json:"subcode,omitempty"`
	Title   string `json:"title,omitempty"`
	TraceID string `json:"fbtrace_id,omitempty"`
}

func (c *command) rejectsCommand() *cobra.Command {
	var code, format string
	cmd := &cobra.Command{
		Use:     "rejects [PLAN]",
		Short:   "List rows that were not sent: where, why, and what to do",
		GroupID: groupLook,
		Example: "  sluice rejects pl_… --format csv > rejects.csv",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.json {
				format = "jsonl"
			}
			write, done, err := rejectWriter(c.Stdout, format)
			if err != nil {
				return err
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				plan := ""
				if len(args) == 1 {
					plan = args[0]
				}
				if err := a.Writeback.Rejects(cmd.Context(), plan, code, write); err != nil {
					return err
				}
				return done()
			})
		},
	}
	cmd.Flags().StringVar(&code, "code", "", "only rejects with this code")
	cmd.Flags().StringVar(&format, "format", "table", "table, csv or jsonl")
	return cmd
}

func rejectWriter(w io.Writer, format string) (write func(*ledger.Reject) error, done func() error, err error) {
	switch format {
	case "table":
		n := 0
		write = func(r *ledger.Reject) error {
			n++
			graph := ""
			if r.Meta.Code != 0 {
				graph = fmt.Sprintf("  [%d/%d]", r.Meta.Code, r.Meta.Subcode)
			}
			_, err := fmt.Fprintf(w, "%s:%d  %s  %s %s %s%s\n", r.File, r.Line, r.Code, r.Field, r.Masked, r.Hint, graph)
			return err
		}
		return write, func() error {
			if n == 0 {
				line(w, "No rejects.")
			}
			return nil
		}, nil
	case "csv":
		cw := csv.NewWriter(w)
		if err := cw.Write([]string{"file", "line", "stage", "code", "field", "masked", "hint", "record", "graph_code", "graph_subcode", "fbtrace_id", "labels"}); err != nil {
			return nil, nil, err
		}
		write = func(r *ledger.Reject) error {
			return cw.Write([]string{r.File, strconv.FormatInt(r.Line, 10), r.Stage, r.Code, r.Field, r.Masked, r.Hint, r.Record,
				strconv.Itoa(r.Meta.Code), strconv.Itoa(r.Meta.Subcode), r.Meta.TraceID, strings.Join(r.Labels, "|")})
		}
		return write, func() error { cw.Flush(); return cw.Error() }, nil
	case "jsonl":
		enc := json.NewEncoder(w)
		write = func(r *ledger.Reject) error {
			out := rejectJSON{File: r.File, Line: r.Line, Stage: r.Stage, Code: r.Code, Field: r.Field, Masked: r.Masked, Hint: r.Hint, Record: r.Record, Labels: r.Labels}
			if r.Meta.Code != 0 {
				out.Graph = &rejectRefusal{r.Meta.Code, r.Meta.Subcode, r.Meta.Title, r.Meta.TraceID}
			}
			return enc.Encode(out)
		}
		return write, func() error { return nil }, nil
	default:
		return nil, nil, fault.New(fault.Usage, "--format must be table, csv or jsonl")
	}
}

func (c *command) runsCommand() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:     "runs",
		Short:   "List plans and runs, newest first",
		GroupID: groupLook,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				runs, err := a.Writeback.Runs(cmd.Context(), limit)
				if err != nil {
					return err
				}
				return c.print(runs, func(w io.Writer) {
					if len(runs) == 0 {
						line(w, "No plans yet. Begin with %s", c.bold("sluice preview INPUT -m mapping.yaml --dataset ID"))
						return
					}
					line(w, "%-24s %-10s %-17s %10s %10s %10s  %s", "plan", "state", "made", "planned", "delivered", "open", "run")
					for _, r := range runs {
						line(w, "%-24s %-10s %-17s %10s %10s %10s  %s", r.PlanID, r.State, r.CreatedAt.Format("2006-01-02 15:04Z"),
							thousands(r.Planned), thousands(r.Counts[ledger.Delivered]), thousands(r.Open()), r.RunID)
					}
				})
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 20, "how many")
	return cmd
}

func (c *command) eventsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "events PLAN",
		Short:   "List the events of a plan with their states, as JSON lines or a table",
		GroupID: groupLook,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				enc := json.NewEncoder(c.Stdout)
				return a.Writeback.Events(cmd.Context(), args[0], func(e *writeback.EventRow) error {
					if c.json {
						return enc.Encode(e)
					}
					_, err := fmt.Fprintf(c.Stdout, "%-10s %s  %-12s %s  %s %s  %s:%d\n", e.State, e.EventID, e.EventName,
						time.Unix(e.EventTime, 0).UTC().Format(time.RFC3339), amount(e.Value), e.Currency, e.File, e.Line)
					return err
				})
			})
		},
	}
	return cmd
}

func (c *command) auditCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "The tamper-evident log of what was previewed, rehearsed and sent", GroupID: groupLook, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	verify := &cobra.Command{
		Use: "verify", Short: "Recompute the whole chain", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				v, err := a.Writeback.VerifyAudit(cmd.Context())
				if err != nil {
					return err
				}
				if err := c.print(v, func(w io.Writer) {
					if v.OK {
						line(w, "%s %s, head %s", c.good("intact:"), plural(v.Records, "record"), v.Head)
						return
					}
					line(w, "%s %s", c.bad("broken:"), v.Problem)
				}); err != nil {
					return err
				}
				if !v.OK {
					return reported{fault.New(fault.AuditBroken, "the audit chain does not verify: %s", v.Problem)}
				}
				return nil
			})
		},
	}
	var from int64
	tail := &cobra.Command{
		Use: "tail", Short: "Print the records as JSON lines", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				return a.Writeback.AuditRecords(cmd.Context(), from, func(body []byte) error {
					_, err := fmt.Fprintf(c.Stdout, "%s\n", body)
					return err
				})
			})
		},
	}
	tail.Flags().Int64Var(&from, "from", 1, "first record number")
	cmd.AddCommand(verify, tail)
	return cmd
}

func (c *command) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", GroupID: groupTools, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return c.print(map[string]string{"version": app.Version()}, func(w io.Writer) { line(w, "sluice %s", app.Version()) })
		},
	}
}
