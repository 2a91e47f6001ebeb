package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sluice/internal/fault"
	"sluice/internal/policytool"
)

// maxCase bounds one call of `policy test`, as the wire bounds a message.
const maxCase = 16 << 20

func (c *command) policyTest() *cobra.Command {
	var path, format string
	cmd := &cobra.Command{
		Use: "test -p POLICY [FILE]", Short: "Say what a policy decides of calls, one answer for each",
		Long: "Reads calls as JSON lines from FILE or standard input, in order, and answers each with one line:\n\n" +
			"  {\"tool\":\"send\",\"arguments\":{\"to\":\"anna\"}}      and, where it matters, \"grant\", \"session\", \"at\"\n" +
			"  {\"decision\":\"allow\",\"code\":\"\",\"rule\":\"\",\"message\":\"\"}\n\n" +
			"decision is allow, deny or approval. Limits are counted from zero, in memory, at the time of `at`\n" +
			"(RFC 3339 or Unix seconds; default: now): nothing is sent, and no quota of the gateway is used. A call\n" +
			"that is allowed counts as done. What the gateway would refuse to read is answered with decision deny\n" +
			"and code invalid_json or invalid_call. The exit code is 0 unless something can't be read.",
		Example: "  echo '{\"tool\":\"send\",\"arguments\":{\"to\":\"anna\"}}' | sluice policy test -p policy.json\n" +
			"  sluice policy test -p policy.json calls.jsonl --format table",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if path == "-" && (len(args) == 0 || args[0] == "-") {
				return fault.New(fault.Usage, "both the policy and the calls come from standard input").WithFix("keep one of them in a file")
			}
			table, err := c.asTable(format)
			if err != nil {
				return err
			}
			doc, err := c.openDocument(path)
			if err != nil {
				return err
			}
			in := c.Stdin
			if len(args) == 1 && args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return fault.New(fault.SourceUnavailable, "%s can't be opened", shown(args[0])).Wrap(err)
				}
				defer func() { _ = f.Close() }()
				in = f
			} else if c.interactive() {
				line(c.Stderr, `Calls are read from here, one a line, such as {"tool":"send","arguments":{"to":"anna"}}; Ctrl-D ends them.`)
			}
			return c.testCalls(cmd.Context(), policytool.NewJudge(doc.Compile()), in, table)
		},
	}
	cmd.Flags().StringVarP(&path, "policy", "p", "", "the policy")
	cmd.Flags().StringVar(&format, "format", "", "jsonl or table (default: a table on a terminal)")
	return cmd
}

// asTable reports whether answers are for people.
func (c *command) asTable(format string) (bool, error) {
	switch format {
	case "jsonl":
		return false, nil
	case "table":
		return !c.json, nil
	case "":
		f, ok := c.out.Writer.(*os.File)
		return ok && !c.json && term.IsTerminal(int(f.Fd())), nil
	default:
		return false, fault.New(fault.Usage, "--format must be jsonl or table")
	}
}

// testCalls answers line by line.
func (c *command) testCalls(ctx context.Context, j *policytool.Judge, in io.Reader, table bool) error {
	out := bufio.NewWriter(c.Stdout)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	t := newTable(out)
	t.head = []string{"line", "tool", "decision", "code", "rule", "message"}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxCase)
	for n := 1; lines.Scan(); n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		text := lines.Bytes()
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		call, a := c.testCall(j, text)
		var err error
		if table {
			err = t.row(strconv.Itoa(n), call.Tool, a.Decision, a.Code, a.Rule, a.Message)
		} else if err = enc.Encode(a); err == nil && c.interactive() {
			err = out.Flush() // whoever types wants the answer now
		}
		if err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return errors.Join(fault.New(fault.SourceInvalid, "the calls can't be read as lines of at most 16 MiB").Wrap(err), out.Flush())
	}
	return errors.Join(t.flush(), out.Flush())
}

// testCall answers one line; one that is no call is answered in its place.
func (c *command) testCall(j *policytool.Judge, text []byte) (policytool.Case, policytool.Answer) {
	call, err := policytool.ReadCase(text)
	var bad *policytool.BadLine
	if errors.As(err, &bad) {
		return call, policytool.Answer{Decision: policytool.Denied, Code: bad.Code, Message: bad.Problem}
	}
	return call, call.Answer(j, c.clock())
}
