package cli

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/doctor"
	"sluice/internal/fault"
)

func (c *command) doctorCommand() *cobra.Command {
	var verify bool
	var dataset string
	cmd := &cobra.Command{
		Use:     "doctor",
		Short:   "Look at tokens, scopes, versions and access: what is wrong, and how to mend it",
		GroupID: groupTools,
		Long: "Asks Meta what the configured tokens may do, which Pages, ad accounts and dataset they reach, whether the\n" +
			"Graph version is alive and the clock right. It only reads, and shows no token. It ends with 3 when something\n" +
			"has to be mended.\n\n" +
			"--verify-assumptions asks an account about what Sluice's records of the Graph API could not be checked\n" +
			"against in any document (docs/assumptions.md): reads only, one object or one entry each.",
		Example: "  sluice doctor\n  sluice doctor --dataset 1000000000000001 --json\n  sluice doctor --verify-assumptions",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			if dataset != "" {
				cfg.Dataset = dataset
			}
			p, err := app.Patient(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			if verify {
				return c.verifyAssumptions(cmd.Context(), p)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), time.Minute)
			defer cancel()
			return c.showChecks(p.Examine(ctx))
		},
	}
	cmd.Flags().BoolVar(&verify, "verify-assumptions", false, "try what no document says, with reads only")
	cmd.Flags().StringVar(&dataset, "dataset", "", "dataset to look at (default: the configured one)")
	return cmd
}

var marks = map[doctor.Status]string{doctor.OK: "ok", doctor.Warning: "warning", doctor.Failure: "FAILURE", doctor.Skipped: "skipped"}

func (c *command) showChecks(list []doctor.Check) error {
	failures := 0
	for _, k := range list {
		if k.Status == doctor.Failure {
			failures++
		}
	}
	err := c.print(map[string]any{"ok": failures == 0, "checks": list}, func(w io.Writer) {
		for _, k := range list {
			line(w, "%-8s %-26s %s", marks[k.Status], k.Name, shown(k.Says))
			if k.Fix != "" && k.Status != doctor.OK {
				line(w, "%-8s %-26s → %s", "", "", shown(k.Fix))
			}
		}
	})
	if err != nil {
		return err
	}
	if failures > 0 {
		return reported{fault.New(fault.ConnectionInactive, "%d of %d checks failed", failures, len(list)).WithFix("mend what is marked FAILURE, from the top")}
	}
	return nil
}

func (c *command) verifyAssumptions(ctx context.Context, p *doctor.Patient) error {
	counts := map[doctor.Verdict]int{}
	var all []doctor.Assumption
	err := p.VerifyAssumptions(ctx, func(a doctor.Assumption) {
		counts[a.Verdict]++
		if c.json {
			all = append(all, a)
			return
		}
		line(c.Stdout, "%-9s  %s  %-50s %s", a.Verdict, a.Evidence, a.What, a.Says)
	})
	if err != nil {
		return err
	}
	return c.print(map[string]any{"assumptions": all, "counts": counts}, func(w io.Writer) {
		line(w, "\n%d hold, %d differ, %d may not be asked with this token, %d could not be settled",
			counts[doctor.Holds], counts[doctor.Differs], counts[doctor.Forbidden], counts[doctor.Unclear])
	})
}
