package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/writeback"
)

func (c *command) sendCommand() *cobra.Command {
	var plan planFlags
	var flags confirmFlags
	var yes bool
	cmd := &cobra.Command{
		Use:     "send INPUT… -m mapping.yaml --dataset ID",
		Short:   "Preview, dry run, a question, confirm: the whole way in one command",
		GroupID: groupMain,
		Example: "  sluice send orders.csv -m mapping.yaml --dataset 1000000000000001\n" +
			"  sluice send exports/ -m mapping.yaml --yes     # for cron; safe to repeat",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error { return c.send(cmd.Context(), a, args, &plan, &flags, yes) })
		},
	}
	plan.add(cmd)
	flags.add(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask before sending")
	return cmd
}

// send walks through the three steps. Everything but the receipt goes to stderr
// under --json, so that stdout stays one document.
func (c *command) send(ctx context.Context, a *app.App, inputs []string, plan *planFlags, flags *confirmFlags, yes bool) error {
	out := c.Stdout
	if c.json {
		out = c.Stderr
	}
	// Where it goes, and with what, is settled before anybody waits for a preview.
	to, err := a.Graph(ctx)
	if err != nil {
		return err
	}
	if !yes && !c.interactive() {
		return fault.New(fault.ConfirmationNeeded, "sending needs a yes, and this is not a terminal")
	}
	view, err := c.preview(ctx, a, plan, inputs)
	if err != nil {
		return err
	}
	c.writePlan(out, view)
	if view.Events == 0 {
		if c.json {
			return c.print(previewDocument(view), nil)
		}
		c.writeNext(out, view)
		return nil
	}
	rehearsal, err := c.rehearse(ctx, a, view.ID, writeback.Offline)
	if err != nil {
		return err
	}
	line(out, "")
	c.writeRehearsal(out, rehearsal)
	if !rehearsal.OK {
		return fault.New(fault.DryRunFailed, "the dry run found faults; nothing was sent")
	}
	if !yes {
		where := "Meta"
		if !to.Remote() {
			where = "the sandbox at " + a.Config.GraphURL
		}
		ok, err := c.ask(fmt.Sprintf("\nSend %s (%s) to dataset %s at %s? A sent event can't be recalled. [y/N] ",
			plural(int64(view.Events), "event"), values(view.Summary.Value), view.Dataset, where))
		if err != nil {
			return err
		}
		if !ok {
			line(out, "Nothing was sent. The plan stays valid until %s: %s", stamp(view.ExpiresAt), c.bold("sluice confirm "+view.ID))
			return nil
		}
	}
	line(out, "")
	return c.confirm(ctx, a, view.ID, flags)
}

// interactive reports whether a person is at the other end of stdin.
func (c *command) interactive() bool {
	f, ok := c.Stdin.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (c *command) ask(question string) (bool, error) {
	_, _ = fmt.Fprint(c.Stderr, question)
	answer, err := bufio.NewReader(c.Stdin).ReadString('\n')
	if err != nil {
		return false, fault.New(fault.ConfirmationNeeded, "no answer was given; nothing was sent").Wrap(err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true, nil
	default:
		return false, nil
	}
}
