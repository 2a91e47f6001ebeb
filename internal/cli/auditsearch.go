package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/approve"
	"sluice/internal/enforce"
	"sluice/internal/fault"
)

func (c *command) auditSearch() *cobra.Command {
	var server, grant, since, until string
	var f enforce.CallFilter
	cmd := &cobra.Command{
		Use: "search", Short: "Search the calls of agents: what was decided, and what became of it", Args: cobra.NoArgs,
		Long: "Searches the recorded calls, newest first. A call's arguments are there by name, never by value. All\n" +
			"conditions have to hold. `sluice audit prove REQUEST` proves one of them to somebody else.",
		Example: "  sluice audit search --decision deny --since 24h\n" +
			"  sluice audit search --grant nightly --tool meta_send_offline_event --json\n" +
			"  sluice audit search --code limit_exceeded --since 2026-11-01 --until 2026-12-01",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.Decision != "" && !slices.Contains(approve.Decisions, f.Decision) {
				return fault.New(fault.Usage, "--decision must be %s", oneOf(approve.Decisions)).WithFix("calls that waited for a person are park")
			}
			if f.Limit < 1 || f.Limit > approve.MaxCalls {
				return fault.New(fault.Usage, "--limit must be 1 to %d", approve.MaxCalls)
			}
			var err error
			if f.Since, err = c.agoOf("--since", since); err != nil {
				return err
			}
			if f.Until, err = c.agoOf("--until", until); err != nil {
				return err
			}
			if !f.Until.IsZero() && !f.Since.Before(f.Until) {
				return fault.New(fault.Usage, "--until is not after --since: no call can be between them").WithFix("with times ago, --since is the larger: --since 2h --until 1h")
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				s, named, err := c.calls(cmd.Context(), a, server, grant)
				if err != nil {
					return err
				}
				f.Server, f.Grant = named.Server, named.Grant
				found, err := s.Calls(cmd.Context(), f)
				if err != nil {
					return err
				}
				return c.print(found, func(w io.Writer) { c.writeCalls(w, found, f.Limit) })
			})
		},
	}
	o := cmd.Flags()
	o.StringVar(&grant, "grant", "", "name or id of the grant")
	o.StringVar(&server, "server", "", "name or id of the server")
	o.StringVar(&f.Tool, "tool", "", "tool")
	o.StringVar(&f.Decision, "decision", "", strings.Join(approve.Decisions, ", ")+" (park: it waited for a person)")
	o.StringVar(&f.Code, "code", "", "code of the denial, such as limit_exceeded")
	o.StringVar(&f.Rule, "rule", "", "rule that decided, such as /tools/TOOL/deny_if/0")
	o.StringVar(&f.Request, "request", "", "id of one call")
	o.StringVar(&since, "since", "", "first day, time, or how long ago: 2026-11-01, 2026-11-01T09:00:00Z, 24h, 7d")
	o.StringVar(&until, "until", "", "first day or time that is left out, or how long ago")
	o.StringVar(&f.Before, "before", "", "request id: go on with the calls before it")
	o.IntVar(&f.Limit, "limit", 100, "how many, 1 to 1000")
	return cmd
}

// agoOf reads a day, a time, or how long ago; empty is no bound.
func (c *command) agoOf(flag, text string) (time.Time, error) {
	span := text
	var days int
	if n, ok := strings.CutSuffix(text, "d"); ok {
		if _, err := fmt.Sscanf(n, "%d", &days); err == nil && fmt.Sprint(days) == n {
			span = fmt.Sprintf("%dh", days*24)
		}
	}
	if d, err := time.ParseDuration(span); err == nil && d > 0 {
		now := time.Now
		if c.Now != nil {
			now = c.Now
		}
		return now().Add(-d).UTC(), nil
	}
	t, err := whenOf(flag, text)
	if err != nil {
		return t, fault.New(fault.Usage, "%s is a day such as 2026-11-01, a time such as 2026-11-01T09:00:00Z, or how long ago, such as 24h or 7d", flag)
	}
	return t, nil
}

func oneOf(list []string) string {
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}

func (c *command) writeCalls(w io.Writer, list []approve.CallRow, most int) {
	if len(list) == 0 {
		line(w, "No calls.")
		return
	}
	t := newTable(w)
	t.head = []string{"at", "request", "grant", "server", "tool", "decision", "why", "outcome"}
	for i := range list {
		r := &list[i]
		why := strings.TrimSpace(r.Code + " " + r.Rule)
		if why == "" && r.Approval != "" {
			why = r.Approval
		}
		outcome := r.Outcome
		switch {
		case r.Settlement == "ambiguous":
			outcome = strings.TrimSpace("unknown " + outcome)
		case r.Ended && r.LatencyUS > 0:
			outcome += fmt.Sprintf(" %.1f ms", float64(r.LatencyUS)/1000)
		case !r.Ended && (r.Decision == "allow" || r.Decision == "observe"):
			outcome = "open"
		}
		what := r.Tool
		if what == "" {
			what = r.Method
		}
		_ = t.row(r.At.UTC().Format("2006-01-02 15:04:05"), r.Request, cmp.Or(r.GrantName, r.Grant), cmp.Or(r.ServerName, r.Server), what, r.Decision, why, outcome) // errors come from flush again
	}
	_ = t.flush()
	if len(list) == most {
		line(w, "%s", c.dim("There may be more: --before "+list[len(list)-1].Request))
	}
}
