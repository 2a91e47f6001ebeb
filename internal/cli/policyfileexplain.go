package cli

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/policytool"
	"sluice/policy"
)

// explainedPolicy is the document of `policy explain --json`.
type explainedPolicy struct {
	Tool string `json:"tool"`
	policytool.Answer
	Steps []policy.Step `json:"steps"`
}

func (c *command) policyExplain() *cobra.Command {
	var path, tool, arguments string
	cmd := &cobra.Command{
		Use: "explain -p POLICY --tool TOOL", Short: "Show step by step how a policy decides one call",
		Long: "Shows every rule that is looked at, in order, with the result of each condition: true, false, or\n" +
			"unknown where the argument is absent or of another type. Unknown denies wherever it stands. The\n" +
			"values of the call are not repeated. Limits are those of a grant that has called nothing yet.",
		Example: "  sluice policy explain -p policy.json --tool send --arguments '{\"to\":\"anna\"}'\n" +
			"  sluice policy explain -p policy.json --tool send --arguments @call.json",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if tool == "" {
				return fault.New(fault.Usage, "no tool is named").WithFix("for example --tool send")
			}
			text := []byte(arguments)
			if from, ok := strings.CutPrefix(arguments, "@"); ok || arguments == "-" {
				if !ok {
					from = "-"
				}
				if from == "-" && path == "-" {
					return fault.New(fault.Usage, "both the policy and the arguments come from standard input").WithFix("keep one of them in a file")
				}
				var err error
				if text, err = c.readFile(from); err != nil {
					return err
				}
				if len(bytes.TrimSpace(text)) == 0 {
					return fault.New(fault.Usage, "%s holds no arguments", fileName(from)).WithFix("write {} for a call without any")
				}
			}
			doc, err := c.openDocument(path)
			if err != nil {
				return err
			}
			checked, err := policytool.CheckArguments(tool, text)
			var bad *policytool.BadLine
			if errors.As(err, &bad) {
				return fault.New(fault.Usage, "--arguments can't be read: %s", bad.Problem).WithFix(`write one JSON object, such as '{"to":"anna"}', or @FILE`)
			}
			p := doc.Compile()
			call := policy.Call{Tool: tool, Arguments: checked}
			out := explainedPolicy{Tool: tool, Steps: p.Explain(call)}
			out.Answer = policytool.NewJudge(p).Decide(policytool.Who{Workspace: "default", Server: "default", Grant: app.LocalGrant}, c.clock(), call)
			return c.print(out, func(w io.Writer) { c.writeExplained(w, &out) })
		},
	}
	cmd.Flags().StringVarP(&path, "policy", "p", "", "the policy")
	cmd.Flags().StringVar(&tool, "tool", "", "name of the tool")
	cmd.Flags().StringVar(&arguments, "arguments", "", "arguments as JSON, @FILE, or - for standard input (default: none)")
	return cmd
}

func (c *command) writeExplained(w io.Writer, e *explainedPolicy) {
	for i := range e.Steps {
		s := &e.Steps[i]
		head := s.Stage
		if s.Rule != "" {
			head = s.Rule
		}
		mark := " "
		if s.Decides {
			mark = ">"
		}
		line(w, "%s %s: %s", mark, shown(head), shown(s.Text))
		for _, j := range s.Conditions {
			text := shown(j.Path) + " " + j.Op + " " + shown(cutText(j.Value, 60)) + ": " + j.Result.String()
			if j.Why != "" {
				text += " (" + j.Why + ")"
			}
			line(w, "      %s", text)
		}
	}
	verdict := map[string]string{
		policytool.Allowed: c.good("allowed"), policytool.Denied: c.bad("denied"), policytool.NeedsApproval: c.notice("needs approval"),
	}[e.Decision]
	if e.Code != "" {
		verdict += " [" + e.Code + "]"
	}
	if e.Message != "" {
		verdict += ": " + shown(e.Message)
	}
	line(w, "%s", verdict)
}

// cutText keeps the beginning of a long text.
func cutText(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
