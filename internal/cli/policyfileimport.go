package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/fault"
	"sluice/internal/policytool"
	"sluice/policy"
)

// importJSON is the document of `policy import --json`.
type importJSON struct {
	*policytool.Imported
	Output string `json:"output,omitempty"`
}

func (c *command) policyImport() *cobra.Command {
	var output, scope string
	cmd := &cobra.Command{
		Use: "import FILE.yaml", Short: "Make a policy of an Intercept policy (YAML, version 1)",
		Long: "Writes the policy.json that means the same, and tells for each tool what could be done with it before\n" +
			"and what can after. Keys that the format does not have are refused with their line: there they are\n" +
			"ignored, and a misspelt rule is no rule. action: deny stays a denial and never becomes an approval.\n" +
			"Limits count all callers together, as they did; --scope grant gives each grant as much.",
		Example: "  sluice policy import intercept.yaml -o policy.json\n  sluice policy import intercept.yaml --json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fault.New(fault.Usage, "policy import takes one file").WithFix("for example `sluice policy import intercept.yaml -o policy.json`")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if scope != string(policy.PerServer) && scope != string(policy.PerGrant) {
				return fault.New(fault.Usage, "--scope must be server or grant")
			}
			text, err := c.readFile(args[0])
			if err != nil {
				return err
			}
			done, troubles := policytool.Import(text, policytool.ImportOptions{Scope: policy.Scope(scope)})
			if done == nil {
				return notImported(args[0], troubles)
			}
			pretty := policytool.Pretty(done.Document)
			if output != "" {
				if err := writeNew(output, pretty); err != nil {
					return err
				}
			}
			if c.json {
				return c.print(importJSON{done, output}, nil)
			}
			report := c.Stdout
			if output == "" {
				report = c.Stderr
				if _, err := c.Stdout.Write(pretty); err != nil {
					return err
				}
			}
			c.writeReach(report, args[0], done)
			return nil
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "write to this new file instead of stdout")
	cmd.Flags().StringVar(&scope, "scope", string(policy.PerServer), "who shares the limits: server (all callers, as in the original) or grant")
	return cmd
}

func notImported(path string, troubles []policytool.Trouble) error {
	var list strings.Builder
	for _, t := range troubles {
		fmt.Fprintf(&list, "%s:%d:%d: %s\n", fileName(path), t.Line, t.Column, shown(t.Message))
		if t.Fix != "" {
			list.WriteString("    " + shown(t.Fix) + "\n")
		}
	}
	return fault.New(fault.PolicyInvalid, "%s can't be imported: %s", fileName(path), plural(int64(len(troubles)), "fault")).
		With("faults", troubles).With("excerpt", list.String()).WithFix("mend what is listed and import again")
}

// writeReach tells the difference in reach.
func (c *command) writeReach(w io.Writer, path string, done *policytool.Imported) {
	t := newTable(w)
	t.head = []string{"tool", "before", "after", ""}
	changed := 0
	for _, r := range done.Reach {
		mark := ""
		if r.Changed {
			mark = "changed"
			changed++
		}
		_ = t.row(r.Tool, r.Before, r.After, mark)
	}
	_ = t.flush()
	for _, n := range done.Notes {
		about := ""
		if n.Tool != "" {
			about = n.Tool + ": "
		}
		line(w, "%s %s:%d: %s", c.notice("note:"), fileName(path), n.Line, shown(about+n.Message))
	}
	if changed == 0 {
		line(w, "Every tool reaches as far as before.")
	} else {
		line(w, "Changed: %s of %d.", plural(int64(changed), "tool"), len(done.Reach)-1)
	}
}
