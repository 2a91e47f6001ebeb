package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/source"
	"sluice/internal/writeback"
)

func (c *command) holdsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "holds", Short: "How long orders wait for their cancellations", GroupID: groupLook, Args: cobra.NoArgs, RunE: c.helpOrFault,
	}
	var flags planFlags
	var every string
	simulate := &cobra.Command{
		Use:   "simulate INPUT… -m mapping.yaml",
		Short: "What holds of different length would have kept from Meta, and what they would have cost",
		Example: "  sluice holds simulate orders.csv -m mapping.yaml\n" +
			"  sluice holds simulate --outcome order_placed --window last-60-days",
		Args: flags.inputs,
		RunE: func(cmd *cobra.Command, args []string) error {
			pause, err := time.ParseDuration(every)
			if err != nil {
				return fault.New(fault.Usage, "--every is not a duration").WithFix("write 24h, or 15m")
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				req := writeback.SimulateRequest{Every: pause}
				req.Options.OfflineWindow = flags.window()
				if flags.overStore() {
					req.Stored = &writeback.Selection{Outcomes: flags.stored.outcomes, Window: flags.stored.window}
				} else {
					m, err := c.loadMapping(a, flags.mapping)
					if err != nil {
						return err
					}
					reader, err := source.Open(cmd.Context(), args, c.sourceOptions(m))
					if err != nil {
						return err
					}
					defer func() { _ = reader.Close() }()
					req.Mapping, req.Reader = m, reader
				}
				s, err := a.Writeback.In(flags.stored.profile).SimulateHolds(cmd.Context(), req)
				if err != nil {
					return err
				}
				return c.print(s, func(w io.Writer) { c.writeSimulation(w, s) })
			})
		},
	}
	f := simulate.Flags()
	f.StringVarP(&flags.mapping, "mapping", "m", "", "mapping file (default: `mapping` of sluice.yaml)")
	f.BoolVar(&flags.strict, "strict-window", false, "hold store events to seven days as well")
	f.StringVar(&every, "every", "24h", "how often is sent: an event leaves at the first send after its hold")
	flags.stored.add(simulate)
	cmd.AddCommand(simulate)
	return cmd
}

func (c *command) writeSimulation(w io.Writer, s *writeback.Simulation) {
	field(w, "orders", "%11s   %s", thousands(s.Orders), texts(s.Value))
	field(w, "cancelled", "%11s   %s", thousands(s.Cancelled), texts(s.CancelledValue))
	if s.Partly > 0 {
		field(w, "in part", "%11s   %s", thousands(s.Partly), "sent as they were")
	}
	line(w, "\nsent every %s, a hold would have\n", s.Every)
	t := newTable(w)
	t.head = []string{"hold", "kept from Meta", "", "sent, then cancelled", "", "expired", ""}
	for _, h := range s.Holds {
		_ = t.row(h.Hold, thousands(h.Kept), texts(h.KeptValue), thousands(h.Sent), texts(h.SentValue), thousands(h.Expired), texts(h.Value))
	}
	_ = t.flush()
	for _, h := range s.Holds {
		if h.Seconds == 24*60*60 {
			line(w, "\n%s", c.bold(fmt.Sprintf("24 h would have kept %s of cancelled sales from Meta and expired %s.", orNothing(texts(h.KeptValue)), thousands(h.Expired))))
		}
	}
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// texts prints decimal texts by currency.
func texts(by map[string]string) string {
	var parts []string
	for _, currency := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, currency+" "+amount(by[currency]))
	}
	return strings.Join(parts, " · ")
}
