package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/capi"
	"sluice/internal/fault"
	"sluice/internal/mapping"
	"sluice/internal/source"
)

func (c *command) mappingCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "mapping", Short: "Propose, check and explain a mapping", GroupID: groupTools, Args: cobra.NoArgs,
		RunE: c.helpOrFault,
	}
	cmd.AddCommand(c.mappingInit(), c.mappingCheck(), c.mappingExplain())
	return cmd
}

func (c *command) mappingInit() *cobra.Command {
	var out, namespace string
	cmd := &cobra.Command{
		Use:     "init INPUT…",
		Short:   "Propose a mapping from the header and the first rows, and measure its id",
		Example: "  sluice mapping init orders.csv > mapping.yaml\n  sluice mapping init exports/ -o mapping.yaml",
		Args:    needInputs,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := c.propose(cmd.Context(), args, namespace)
			if err != nil {
				return err
			}
			if out != "" {
				if err := writeNew(out, p.YAML); err != nil {
					return err
				}
			}
			if c.json {
				return c.print(proposalJSON{string(p.YAML), p.ID, p.Uniqueness, p.Guesses, p.Warnings}, nil)
			}
			c.writeProposal(p)
			if out == "" {
				_, err = c.Stdout.Write(p.YAML)
			}
			return err
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "write to this new file instead of stdout")
	cmd.Flags().StringVar(&namespace, "namespace", "", "first part of every event id, for example shop-uk/orders")
	return cmd
}

// proposalJSON is the document of `mapping init --json`.
type proposalJSON struct {
	YAML       string                    `json:"yaml"`
	ID         []string                  `json:"id"`
	Uniqueness mapping.UniquenessReport  `json:"uniqueness"`
	Guesses    []mapping.Guess           `json:"guesses"`
	Warnings   []mapping.ProposalWarning `json:"warnings"`
}

// propose looks at the beginning of the inputs and then at every row, for the id.
func (c *command) propose(ctx context.Context, inputs []string, namespace string) (*mapping.Proposal, error) {
	opts := source.Options{Stdin: c.Stdin}
	for _, in := range inputs {
		if in == "-" {
			return nil, fault.New(fault.Usage, "a proposal reads its input twice, and standard input can be read once").WithFix("save it to a file first")
		}
	}
	seen, err := source.Inspect(ctx, inputs, opts)
	if err != nil {
		return nil, err
	}
	settings := mapping.SourceSettings{}
	if seen.Encoding != source.UTF8 {
		settings.Encoding = string(seen.Encoding)
		opts.Encoding = seen.Encoding
	}
	return mapping.Propose(seen.Header, seen.Sample, mapping.ProposeOptions{
		Namespace: namespace, Source: settings, Inputs: inputs,
		Scan: func(columns []string, each func([]string)) error {
			o := opts
			o.Columns = columns
			r, err := source.Open(ctx, inputs, o)
			if err != nil {
				return err
			}
			defer func() { _ = r.Close() }()
			return eachRecord(ctx, r, func(rec *source.Record) error {
				if rec.Fault == nil {
					each(rec.Values)
				}
				return nil
			})
		},
	})
}

// eachRecord reads to the end.
func eachRecord(ctx context.Context, r source.Reader, fn func(*source.Record) error) error {
	var rec source.Record
	for {
		rec.Fault = nil
		err := r.Next(ctx, &rec)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = fn(&rec)
		}
		if err != nil {
			return err
		}
	}
}

// writeProposal says on stderr what was found, so that stdout can be the file.
func (c *command) writeProposal(p *mapping.Proposal) {
	u := p.Uniqueness
	for _, g := range p.Guesses {
		line(c.Stderr, "%-24s %-20s %s", shown(g.Column), g.Target, shown(g.Why))
	}
	if len(p.ID) > 0 {
		how := fmt.Sprintf("%s rows, %s ids, %s on more than one row", thousands(u.Rows), thousands(u.Keys), thousands(u.Repeated))
		if u.Sampled {
			how += " (a sample of the ids)"
		}
		line(c.Stderr, "id: %s: %s", shown(strings.Join(p.ID, " + ")), how)
	}
	for _, w := range p.Warnings {
		line(c.Stderr, "look at this first: %s [%s]", w.Message, w.Code)
	}
}

// writeNew never overwrites: a mapping is somebody's work.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fault.New(fault.Usage, "%s can't be created", path).WithFix("choose a name that does not exist yet").Wrap(err)
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

func (c *command) mappingExplain() *cobra.Command {
	var row int64
	var path string
	cmd := &cobra.Command{
		Use:     "explain INPUT… -m MAPPING --row N",
		Short:   "Show step by step what becomes of one row; customer values are masked",
		Example: "  sluice mapping explain orders.csv -m mapping.yaml --row 7",
		Args:    needInputs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if path == "" || row < 1 {
				return fault.New(fault.Usage, "explain needs a mapping and a row").WithFix("add -m mapping.yaml --row 1; rows count from 1, without the header")
			}
			m, err := readMapping(path)
			if err != nil {
				return err
			}
			rows, err := c.rowsOf(cmd.Context(), m, args, row)
			if err != nil {
				return err
			}
			doc, err := c.explain(m, rows)
			if err != nil {
				return err
			}
			return c.print(doc, func(w io.Writer) { c.writeExplanation(w, doc) })
		},
	}
	cmd.Flags().Int64Var(&row, "row", 0, "row number, from 1, the header not counted")
	cmd.Flags().StringVarP(&path, "mapping", "m", "", "mapping file")
	return cmd
}

// rowsOf returns a row, with every row of the same order when the mapping groups
// line items.
func (c *command) rowsOf(ctx context.Context, m *mapping.Mapping, inputs []string, n int64) ([]mapping.Row, error) {
	mapper := mapping.NewMapper(m)
	var rows []mapping.Row
	var key string
	read := func(keep func(i int64, row mapping.Row)) error {
		r, err := source.Open(ctx, inputs, c.sourceOptions(m))
		if err != nil {
			return err
		}
		defer func() { _ = r.Close() }()
		var i int64
		return eachRecord(ctx, r, func(rec *source.Record) error {
			if i++; rec.Fault == nil {
				keep(i, mapping.Row{File: rec.Position.File, Line: rec.Position.Line, Values: append([]string(nil), rec.Values...), Digest: rec.Digest})
			} else if i == n {
				return fault.New(fault.SourceInvalid, "row %d can't be read: %s", n, rec.Fault.Message).WithFix("%s", rec.Fault.Hint)
			}
			return nil
		})
	}
	err := read(func(i int64, row mapping.Row) {
		if i == n {
			rows, key = []mapping.Row{row}, mapper.Key(row.Values)
		}
	})
	if err != nil {
		return nil, err
	}
	if rows == nil {
		return nil, fault.New(fault.Usage, "the input has fewer than %d rows", n)
	}
	if !m.Grouped() || key == "" {
		return rows, nil
	}
	rows = rows[:0]
	return rows, read(func(_ int64, row mapping.Row) {
		if mapper.Key(row.Values) == key && len(rows) < 1000 {
			rows = append(rows, row)
		}
	})
}

// explanation is the document of `mapping explain --json`.
type explanation struct {
	File    string         `json:"file"`
	Line    int64          `json:"line"`
	Rows    int            `json:"rows"`
	Result  string         `json:"result"` // planned, skipped, rejected
	Code    string         `json:"code,omitempty"`
	Hint    string         `json:"hint,omitempty"`
	Outcome string         `json:"outcome,omitempty"`
	EventID string         `json:"event_id,omitempty"`
	Tier    string         `json:"tier,omitempty"`
	Steps   []mapping.Step `json:"steps"`
	Faults  []capi.Fault   `json:"faults,omitempty"`
}

func (c *command) explain(m *mapping.Mapping, rows []mapping.Row) (*explanation, error) {
	r, steps := mapping.NewMapper(m).Explain(rows)
	doc := &explanation{File: rows[0].File, Line: rows[0].Line, Rows: len(rows), Outcome: r.Outcome, Steps: steps}
	switch r.Kind {
	case mapping.Skipped:
		doc.Result, doc.Code = "skipped", r.Code
		return doc, nil
	case mapping.Rejected:
		doc.Result, doc.Code, doc.Hint = "rejected", r.Reject.Code, r.Reject.Hint
		return doc, nil
	}
	opts := m.EncoderOptions()
	opts.Now = c.Now
	enc, err := capi.NewEncoder(opts)
	if err != nil {
		return nil, fault.New(fault.MappingInvalid, "%v", err)
	}
	if r.Event.EventID == "" {
		r.Event.EventID = mapping.EventID(m.Namespace(), r.Outcome, r.RecordID, r.Occurrence)
	}
	_, report := enc.Append(nil, &r.Event)
	doc.Result, doc.EventID, doc.Faults = "planned", r.Event.EventID, append([]capi.Fault(nil), report.Faults...)
	doc.Tier = capi.ChannelTier(report.Keys, r.Event.ActionSource).String()
	for _, f := range doc.Faults {
		if f.Effect == capi.Refuse {
			doc.Result, doc.Code, doc.Hint, doc.Tier = "rejected", f.Code, f.Fix, ""
			if f.Code == "too_old" { // as a preview has it
				doc.Result, doc.Hint = "expired", ""
				break
			}
		}
	}
	if hold := m.Hold(r.Outcome); doc.Result == "planned" && hold > 0 {
		if until := time.Unix(r.Event.EventTime, 0).Add(hold); until.After(c.clock()) {
			doc.Result, doc.Code, doc.Hint = "held", "until", stamp(until)
		}
	}
	return doc, nil
}

func (c *command) writeExplanation(w io.Writer, doc *explanation) {
	line(w, "%s, %s", shown(place(doc.File, doc.Line)), plural(int64(doc.Rows), "row"))
	for _, s := range doc.Steps {
		from := strings.Join(s.Columns, " + ")
		if from == "" {
			from = "(constant)"
		}
		text := fmt.Sprintf("  %-24s %-22s %s", s.Target, from, s.Raw)
		for _, t := range s.Transforms {
			text += fmt.Sprintf("  → %s: %s", t.Name, t.Value)
		}
		if s.Value != s.Raw && len(s.Transforms) == 0 {
			text += "  → " + s.Value
		}
		if len(s.Warnings) > 0 {
			text += "  " + c.notice(strings.Join(s.Warnings, ", "))
		}
		line(w, "%s", shown(text))
	}
	c.writeFaults(w, doc.Faults)
	verdict := c.good(doc.Result)
	if doc.Result != "planned" {
		verdict = c.notice(doc.Result + " (" + doc.Code + ")")
	}
	line(w, "%s  %s %s %s %s", verdict, doc.Outcome, doc.EventID, doc.Tier, doc.Hint)
}
