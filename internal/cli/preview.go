package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"sluice/capi"
	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/mapping"
	"sluice/internal/source"
	"sluice/internal/writeback"
)

// planFlags are the flags of every command that makes a plan.
type planFlags struct {
	mapping string
	dataset string
	samples int
	noUA    bool
	strict  bool
	filter  string
	stored  outcomeFlags
	redrive string
}

func (p *planFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&p.mapping, "mapping", "m", "", "mapping file (default: `mapping` of sluice.yaml)")
	f.StringVar(&p.dataset, "dataset", "", "dataset id (default: `dataset` of the mapping, then of sluice.yaml)")
	f.IntVar(&p.samples, "samples", 3, "masked sample events to show, at most 20")
	f.BoolVar(&p.noUA, "allow-missing-ua", false, "send website events without client_user_agent")
	f.BoolVar(&p.strict, "strict-window", false, "hold store events to seven days as well")
	f.StringVar(&p.filter, "filter", writeback.FilterAll, "all, or has_meta_touch: only what an advertisement of Meta touched")
	f.StringVar(&p.redrive, "only-rejects-of", "", "plan whose rejected rows, mended since, are all that is planned")
	p.stored.add(cmd)
	_ = cmd.RegisterFlagCompletionFunc("filter", cobra.FixedCompletions([]string{writeback.FilterAll, writeback.FilterMetaTouch}, cobra.ShellCompDirectiveNoFileComp))
}

// overStore reports whether the plan is over stored outcomes; then there is no input.
func (p *planFlags) overStore() bool { return len(p.stored.outcomes) > 0 || p.stored.window != "" }

// inputs checks that there is an input or a selection, not both.
func (p *planFlags) inputs(cmd *cobra.Command, args []string) error {
	if !p.overStore() {
		return needInputs(cmd, args)
	}
	switch {
	case len(args) > 0:
		return fault.New(fault.Usage, "inputs and --outcome exclude each other").WithFix("name files, or --outcome with --window")
	case len(p.stored.outcomes) == 0:
		return fault.New(fault.Usage, "--window needs --outcome").WithFix("add --outcome payment_received")
	case p.stored.window == "":
		return fault.New(fault.Usage, "--outcome needs --window").WithFix("add --window last-7-days")
	case p.redrive != "":
		return fault.New(fault.Usage, "--only-rejects-of is for inputs: a stored outcome was accepted when it came in")
	case p.mapping != "":
		return fault.New(fault.Usage, "-m has no meaning for stored outcomes: they were mapped when they came in")
	}
	return nil
}

func (p *planFlags) window() capi.OfflineWindow {
	if p.strict {
		return capi.OfflineStrict7
	}
	return capi.Offline62Days
}

func (c *command) previewCommand() *cobra.Command {
	var flags planFlags
	cmd := &cobra.Command{
		Use:     "preview INPUT… -m mapping.yaml --dataset ID",
		Short:   "Show what would be sent and what would be refused; nothing leaves this machine",
		GroupID: groupMain,
		Example: "  sluice preview orders.csv -m mapping.yaml --dataset 1000000000000001\n" +
			"  sluice preview exports/ -m mapping.yaml        # a directory: every shop's file\n" +
			"  zcat orders.jsonl.gz | sluice preview - -m mapping.yaml\n" +
			"  sluice preview --outcome payment_received --window last-7-days --profile north",
		Args: flags.inputs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				view, err := c.preview(cmd.Context(), a, &flags, args)
				if err != nil {
					return err
				}
				return c.print(previewDocument(view), func(w io.Writer) {
					c.writePlan(w, view)
					c.writeNext(w, view)
				})
			})
		},
	}
	flags.add(cmd)
	return cmd
}

// preview plans the inputs.
func (c *command) preview(ctx context.Context, a *app.App, flags *planFlags, inputs []string) (*writeback.PlanView, error) {
	if flags.overStore() {
		return c.previewStored(ctx, a, flags)
	}
	m, err := c.loadMapping(a, flags.mapping)
	if err != nil {
		return nil, err
	}
	dataset, err := pickDataset(flags.dataset, m.Dataset(), a.Config.Dataset)
	if err != nil {
		return nil, err
	}
	if flags.samples < 0 || flags.samples > 20 {
		return nil, fault.New(fault.Usage, "--samples must be 0 to 20")
	}
	realm, err := a.Realm()
	if err != nil {
		return nil, err
	}
	reader, err := a.Source(ctx, a.Writeback.In(flags.stored.profile), inputs, c.sourceOptions(m))
	if err != nil {
		return nil, err
	}
	defer func() { _ = reader.Close() }()
	meter, err := c.meter()
	if err != nil {
		return nil, err
	}
	defer meter.clear()
	var only map[writeback.Place]bool
	if flags.redrive != "" {
		if only, err = a.Writeback.RejectedPlaces(ctx, flags.redrive); err != nil {
			return nil, err
		}
	}
	opts := m.EncoderOptions()
	opts.OfflineWindow = flags.window()
	opts.AllowMissingUserAgent = flags.noUA
	return a.Writeback.In(flags.stored.profile).Preview(ctx, writeback.PreviewRequest{
		Filter: flags.filter, Reader: reader, Mapping: m, Dataset: dataset, Realm: realm, Options: opts, Samples: flags.samples, Progress: meter.show, Only: only,
	})
}

// previewStored plans over stored outcomes.
func (c *command) previewStored(ctx context.Context, a *app.App, flags *planFlags) (*writeback.PlanView, error) {
	dataset, err := pickDataset(flags.dataset, a.Config.Dataset)
	if err != nil {
		return nil, err
	}
	if flags.samples < 0 || flags.samples > 20 {
		return nil, fault.New(fault.Usage, "--samples must be 0 to 20")
	}
	realm, err := a.Realm()
	if err != nil {
		return nil, err
	}
	meter, err := c.meter()
	if err != nil {
		return nil, err
	}
	defer meter.clear()
	return a.Writeback.In(flags.stored.profile).Preview(ctx, writeback.PreviewRequest{
		Stored: &writeback.Selection{Outcomes: flags.stored.outcomes, Window: flags.stored.window}, Filter: flags.filter,
		Dataset: dataset, Realm: realm, Options: capi.Options{OfflineWindow: flags.window()}, Samples: flags.samples, Progress: meter.show,
	})
}

// loadMapping reads the mapping a flag or the configuration names.
func (c *command) loadMapping(a *app.App, path string) (*mapping.Mapping, error) {
	if path == "" {
		path = a.Config.Mapping
	}
	if path == "" {
		return nil, fault.New(fault.Usage, "no mapping is named").
			WithFix("pass -m mapping.yaml; `sluice mapping init FILE` proposes one")
	}
	return readMapping(path)
}

// sourceOptions are how a mapping's input is read.
func (c *command) sourceOptions(m *mapping.Mapping) source.Options {
	s := m.Source()
	return source.Options{
		Columns: m.Columns(), Format: source.Format(s.Format), Delimiter: s.Delimiter, Quote: s.Quote,
		Encoding: source.Encoding(s.Encoding), Stdin: c.Stdin, NeedDigest: m.NeedsDigest(),
	}
}

// readMapping parses a mapping; a faulty one shows the lines that are wrong.
func readMapping(path string) (*mapping.Mapping, error) {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, fault.New(fault.SourceUnavailable, "the mapping %s can't be read", path).Wrap(err)
	}
	defer func() { _ = root.Close() }()
	text, err := root.ReadFile(filepath.Base(path))
	if err != nil {
		return nil, fault.New(fault.SourceUnavailable, "the mapping %s can't be read", path).Wrap(errors.Unwrap(err))
	}
	return parseMapping(path, text, root.FS())
}

// pickDataset takes the first id that is given.
func pickDataset(ids ...string) (string, error) {
	for _, id := range ids {
		if id == "" {
			continue
		}
		for _, r := range id {
			if r < '0' || r > '9' {
				return "", fault.New(fault.Usage, "a dataset id has digits only")
			}
		}
		return id, nil
	}
	return "", fault.New(fault.Usage, "no dataset is named").
		WithFix("pass --dataset ID, or set `dataset:` in the mapping or sluice.yaml")
}

// previewJSON is the contract of `preview --json`.
type previewJSON struct {
	PlanID   string             `json:"plan_id"`
	PlanHash string             `json:"plan_hash"`
	Dataset  string             `json:"dataset"`
	Realm    string             `json:"realm"`
	Expires  string             `json:"expires_at"`
	Counts   writeback.Counts   `json:"counts"`
	Value    map[string]string  `json:"value"`
	Tiers    map[string]int     `json:"tiers"`
	Rejects  map[string]int     `json:"rejects"`
	Summary  *writeback.Summary `json:"summary"`
}

func previewDocument(v *writeback.PlanView) previewJSON {
	d := previewJSON{
		PlanID: v.ID, PlanHash: v.Hash, Dataset: v.Dataset, Realm: v.Realm, Expires: v.ExpiresAt.Format("2006-01-02T15:04:05Z07:00"),
		Counts: v.Summary.Counts, Value: map[string]string{}, Tiers: v.Summary.Tiers, Rejects: v.Summary.Rejects, Summary: v.Summary,
	}
	for currency, value := range v.Summary.Value {
		d.Value[currency] = value.String()
	}
	return d
}

func (c *command) writeNext(w io.Writer, v *writeback.PlanView) {
	if v.Events == 0 {
		line(w, "\nNothing is left to send.")
		return
	}
	line(w, "\nnext: %s   then   %s", c.bold("sluice dry-run "+v.ID), c.bold("sluice confirm "+v.ID))
	if v.Summary.Counts.Rejected > 0 {
		line(w, "      %s shows the rejected rows", fmt.Sprintf("sluice rejects %s", v.ID))
	}
}
