package cli

import (
	"io"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/policytool"
)

// replayJSON is the document of `policy replay --json`.
type replayJSON struct {
	*policytool.Report
	Summary   string `json:"summary"`
	Truncated bool   `json:"truncated,omitempty"` // there are older calls than could be looked at
}

func (c *command) policyReplay() *cobra.Command {
	var path, since, workspace string
	var q app.ReplayQuery
	cmd := &cobra.Command{
		Use: "replay -p NEW.json", Short: "Count the recorded calls that another policy would decide otherwise",
		Long: "Judges the calls of the past by the policy in a file, oldest first, with limits counted anew at the\n" +
			"times the calls were made. Nothing is changed, and no quota is used. Values of arguments are kept only\n" +
			"where the server has record_arguments: encrypted; a call that can't be judged without them is counted\n" +
			"as one that can't be told, never guessed.",
		Example: "  sluice policy replay -p new.json --server crm\n  sluice policy replay -p new.json --server crm --policy agents --since 30d --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			doc, err := c.openDocument(path)
			if err != nil {
				return err
			}
			if q.Since, err = c.agoOf("--since", since); err != nil {
				return err
			}
			if q.Policy != "" && q.Server == "" {
				return fault.New(fault.Usage, "--policy needs the server that it is on").WithFix("name it: --server NAME")
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				report, more, err := a.ReplayPolicy(cmd.Context(), workspace, doc, q)
				if err != nil {
					return err
				}
				out := replayJSON{report, report.Summary(), more}
				return c.print(out, func(w io.Writer) { c.writeReplay(w, &out) })
			})
		},
	}
	fl := cmd.Flags()
	fl.StringVarP(&path, "policy-file", "p", "", "the policy to judge by")
	fl.StringVar(&q.Server, "server", "", "name or id of the server; \"default\" for sluice proxy")
	fl.StringVar(&q.Policy, "policy", "", "name or id of the policy that would be replaced: what others denied stays denied")
	fl.StringVar(&q.Grant, "grant", "", "name or id of one grant")
	fl.StringVar(&since, "since", "7d", "first day, time, or how long ago: 2026-11-01, 2026-11-01T09:00:00Z, 24h, 7d")
	addWorkspaceFlag(cmd, &workspace)
	return cmd
}

func (c *command) writeReplay(w io.Writer, r *replayJSON) {
	if r.Calls == 0 {
		line(w, "No calls were recorded in that time.")
		return
	}
	line(w, "%s, from %s to %s: %s.", plural(int64(r.Calls), "call"), stamp(r.Since), stamp(r.Until), r.Summary)
	if r.Truncated {
		line(w, "%s older calls were not looked at: name a server, a grant or a later --since.", c.notice("note:"))
	}
	if r.CannotTell > 0 {
		line(w, "What can't be told depends on arguments that were not kept: record_arguments: encrypted keeps those of calls that are let through.")
	}
	t := newTable(w)
	t.head = []string{"grant", "tool", "calls", "change", "rule"}
	for i := range r.Rows {
		row := &r.Rows[i]
		grant := row.GrantName
		if grant == "" {
			grant = row.Grant
		}
		for _, m := range row.Moves {
			_ = t.row(grant, row.Tool, thousands(m.Calls), m.From+" → "+m.To, m.Rule)
		}
		if row.CannotTell > 0 {
			_ = t.row(grant, row.Tool, thousands(row.CannotTell), "can't be told", "")
		}
	}
	_ = t.flush()
}
