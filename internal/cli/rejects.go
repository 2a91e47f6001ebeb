package cli

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/suggest"
)

// rejectJSON is one line of `rejects --json`.
type rejectJSON struct {
	PlanID string         `json:"plan_id"`
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
	var code, format, export string
	cmd := &cobra.Command{
		Use:     "rejects [PLAN]",
		Short:   "List rows that were not sent: where, why, and what to do",
		GroupID: groupLook,
		Long: "Lists the rejected rows of a plan, or of every plan, the newest plan first. Values are masked: first\n" +
			"character and length.",
		Example: "  sluice rejects pl_… --export rejects.csv\n" +
			"  sluice preview orders.csv -m mapping.yaml --only-rejects-of pl_…   # once they are mended\n" +
			"  sluice rejects pl_… --code missing_value",
		Args: atMostOnePlan,
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.json {
				format = "jsonl"
			}
			if export != "" {
				return c.exportRejects(cmd.Context(), args, code, export)
			}
			out := bufio.NewWriter(c.Stdout)
			w, err := newRejectWriter(out, format, len(args) == 0)
			if err != nil {
				return err
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				if err := c.rejects(cmd.Context(), a, args, code, w); err != nil {
					return err
				}
				return out.Flush()
			})
		},
	}
	cmd.Flags().StringVar(&code, "code", "", "only rejects with this code")
	cmd.Flags().StringVar(&export, "export", "", "write them to a file, by its name .csv or .jsonl")
	cmd.Flags().StringVar(&format, "format", "table", "table, csv or jsonl")
	return cmd
}

// exportRejects writes them to a file that only its owner can read.
func (c *command) exportRejects(ctx context.Context, args []string, code, path string) error {
	format := strings.TrimPrefix(filepath.Ext(path), ".")
	if format != "csv" && format != "jsonl" {
		return fault.New(fault.Usage, "--export takes a file name that ends in .csv or .jsonl")
	}
	return c.with(ctx, func(a *app.App) (err error) {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return fault.New(fault.Usage, "%s can't be written", path).Wrap(err)
		}
		out := bufio.NewWriter(f)
		w, err := newRejectWriter(out, format, len(args) == 0)
		if err == nil {
			err = c.rejects(ctx, a, args, code, w)
		}
		if err := errors.Join(err, out.Flush(), f.Close()); err != nil {
			return err
		}
		return c.print(map[string]string{"file": path}, func(w io.Writer) { line(w, "Rejects written to %s", path) })
	})
}

// rejects writes the rejects of one plan, or of all.
func (c *command) rejects(ctx context.Context, a *app.App, args []string, code string, w *rejectWriter) error {
	plans, err := plansNamed(ctx, a, args)
	if err != nil {
		return err
	}
	n := 0
	for _, plan := range plans {
		if err := a.Writeback.Rejects(ctx, plan, code, func(r *ledger.Reject) error {
			n++
			return w.write(plan, r)
		}); err != nil {
			return err
		}
	}
	if err := w.done(); err != nil || n > 0 {
		return err
	}
	note, err := noRejects(ctx, a, plans, code)
	if err != nil {
		return err
	}
	if w.table {
		line(w.out, "%s", note)
	} else if code != "" {
		line(c.Stderr, "%s", note)
	}
	return nil
}

// plansNamed returns the plan of the arguments, or every plan, the newest first.
func plansNamed(ctx context.Context, a *app.App, args []string) ([]string, error) {
	if len(args) > 0 {
		return args, nil
	}
	all, err := a.Writeback.Plans(ctx, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(all))
	for i := range all {
		ids = append(ids, all[i].ID)
	}
	return ids, nil
}

// noRejects says that there are none, and which codes there are when one was asked for.
func noRejects(ctx context.Context, a *app.App, plans []string, code string) (string, error) {
	if code == "" {
		return "No rejects.", nil
	}
	counts := map[string]int{}
	for _, plan := range plans {
		if err := a.Writeback.Rejects(ctx, plan, "", func(r *ledger.Reject) error { counts[r.Code]++; return nil }); err != nil {
			return "", err
		}
	}
	switch near := suggest.Closest(code, slices.Sorted(maps.Keys(counts))); {
	case len(counts) == 0:
		return "No rejects, with this code or any other.", nil
	case near != "":
		return fmt.Sprintf("No rejects with this code; did you mean %s? There are: %s", near, byCount(counts)), nil
	default:
		return "No rejects with this code. There are: " + byCount(counts), nil
	}
}

// rejectWriter writes rejects in one of the formats.
type rejectWriter struct {
	out   io.Writer
	table bool
	write func(plan string, r *ledger.Reject) error
	done  func() error
}

func newRejectWriter(out io.Writer, format string, all bool) (*rejectWriter, error) {
	w := &rejectWriter{out: out}
	switch format {
	case "table":
		w.table = true
		w.asTable(all)
	case "csv":
		return w, w.asCSV()
	case "jsonl":
		w.asLines()
	default:
		return nil, fault.New(fault.Usage, "--format must be table, csv or jsonl")
	}
	return w, nil
}

func (w *rejectWriter) asTable(all bool) {
	t := newTable(w.out)
	head := []string{"where", "code", "field", "masked", "what to do"}
	if all {
		head = append([]string{"plan"}, head...)
	}
	t.head = head
	w.write = func(plan string, r *ledger.Reject) error {
		hint := r.Hint
		if r.Meta.Code != 0 {
			hint = fmt.Sprintf("%s [%d/%d]", hint, r.Meta.Code, r.Meta.Subcode)
		}
		cells := []string{place(r.File, r.Line), r.Code, r.Field, r.Masked, hint}
		if all {
			cells = append([]string{plan}, cells...)
		}
		return t.row(cells...)
	}
	w.done = t.flush
}

func (w *rejectWriter) asCSV() error {
	cw := csv.NewWriter(w.out)
	w.write = func(plan string, r *ledger.Reject) error {
		return cw.Write([]string{r.File, strconv.FormatInt(r.Line, 10), r.Stage, r.Code, r.Field, r.Masked, r.Hint, r.Record,
			strconv.Itoa(r.Meta.Code), strconv.Itoa(r.Meta.Subcode), r.Meta.TraceID, strings.Join(r.Labels, "|"), plan})
	}
	w.done = func() error { cw.Flush(); return cw.Error() }
	return cw.Write([]string{"file", "line", "stage", "code", "field", "masked", "hint", "record",
		"graph_code", "graph_subcode", "fbtrace_id", "labels", "plan_id"})
}

func (w *rejectWriter) asLines() {
	enc := json.NewEncoder(w.out)
	w.write = func(plan string, r *ledger.Reject) error {
		out := rejectJSON{PlanID: plan, File: r.File, Line: r.Line, Stage: r.Stage, Code: r.Code, Field: r.Field,
			Masked: r.Masked, Hint: r.Hint, Record: r.Record, Labels: r.Labels}
		if r.Meta.Code != 0 {
			out.Graph = &rejectRefusal{r.Meta.Code, r.Meta.Subcode, r.Meta.Title, r.Meta.TraceID}
		}
		return enc.Encode(out)
	}
	w.done = func() error { return nil }
}
