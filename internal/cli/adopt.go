package cli

import (
	"io"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/source"
	"sluice/internal/writeback"
)

func (c *command) adoptCommand() *cobra.Command {
	var plan planFlags
	var reason, profile string
	cmd := &cobra.Command{
		Use:     "adopt INPUT… -m mapping.yaml --dataset ID --reason TEXT",
		Short:   "Record what something else has sent, so that it is never sent again",
		GroupID: groupAdmin,
		Long: "Reads inputs as a preview does and records their events as delivered(assumed). Nothing is sent.\n" +
			"Use it when Sluice takes over from another tool, and after a backup was restored. Rows that can't\n" +
			"be sent any more, that are held or rejected get no record: they are in no danger of going twice.",
		Example: "  sluice adopt october/ -m mapping.yaml --dataset 1000000000000001 --reason 'sent by the old uploader until 31 October'",
		Args:    needInputs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return fault.New(fault.Usage, "--reason is needed; it is kept in the audit log")
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				m, err := c.loadMapping(a, plan.mapping)
				if err != nil {
					return err
				}
				dataset, err := pickDataset(plan.dataset, m.Dataset(), a.Config.Dataset)
				if err != nil {
					return err
				}
				realm, err := a.Realm()
				if err != nil {
					return err
				}
				reader, err := source.Open(cmd.Context(), args, c.sourceOptions(m))
				if err != nil {
					return err
				}
				defer func() { _ = reader.Close() }()
				meter, err := c.meter()
				if err != nil {
					return err
				}
				opts := m.EncoderOptions()
				opts.OfflineWindow = plan.window()
				// Whether Meta took it is the past: a missing user agent changes nothing now.
				opts.AllowMissingUserAgent = true
				done, err := a.Writeback.In(profile).Adopt(cmd.Context(), writeback.PreviewRequest{
					Reader: reader, Mapping: m, Dataset: dataset, Realm: realm, Options: opts, Origin: writeback.OriginAdopt, Progress: meter.show,
				}, reason)
				meter.clear()
				if err != nil {
					return err
				}
				return c.print(done, func(w io.Writer) { c.writeAdoption(w, done) })
			})
		},
	}
	cmd.Flags().StringVarP(&plan.mapping, "mapping", "m", "", "mapping file (default: `mapping` of sluice.yaml)")
	cmd.Flags().StringVar(&plan.dataset, "dataset", "", "dataset id (default: `dataset` of the mapping, then of sluice.yaml)")
	cmd.Flags().BoolVar(&plan.strict, "strict-window", false, "hold store events to seven days as well")
	cmd.Flags().StringVar(&profile, "profile", "", "profile that the events belong to")
	cmd.Flags().StringVar(&reason, "reason", "", "who sent it, and how that is known; kept in the audit log")
	return cmd
}

func (c *command) writeAdoption(w io.Writer, a *writeback.Adoption) {
	n := a.Counts["delivered"]
	line(w, "%s %s recorded as delivered(assumed); they will not be sent", c.bold("Adopted:"), plural(int64(n), "event"))
	r := a.Rows
	field(w, "rows", "%11s", thousands(r.Rows))
	for _, left := range []struct {
		name string
		n    int
	}{{"known", r.Skipped + a.Counts["skipped"]}, {"expired", r.Expired}, {"held", r.Held}, {"rejected", r.Rejected}} {
		if left.n > 0 {
			field(w, left.name, "%11s  no record needed", thousands(left.n))
		}
	}
	if r.Held > 0 {
		line(w, "  held rows can still be sent when their hold is over: adopt the input again then")
	}
	if a.AuditSeq > 0 {
		line(w, "  %s", c.dim("audit record "+thousands(a.AuditSeq)))
	}
}
