package cli

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/writeback"
)

func (c *command) forgetCommand() *cobra.Command {
	var who subjectFlags
	var profile, request string
	cmd := &cobra.Command{
		Use: "forget [FILE] --request REF", Short: "Erase a person: payloads, waiting events, stored outcomes; list what Meta has", GroupID: groupAdmin,
		Long: "Overwrites the payloads of the person's events, cancels what was not sent, deletes stored outcomes, puts the\n" +
			"identifiers on the suppression list, and lists the events that were delivered, for the request to Meta. The\n" +
			"audit log keeps the reference of the request and counts. FILE holds people as `suppress import` takes them;\n" +
			"`-` is standard input, which keeps identifiers out of the shell's history.",
		Example: "  sluice forget --email buyer@example.com --request DSR-17\n" +
			"  sluice forget - --request DSR-18 < person.jsonl",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fault.New(fault.Usage, "forget takes one file")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			req := writeback.ForgetRequest{Request: request}
			switch {
			case who.given() == (len(args) == 1):
				return fault.New(fault.Usage, "name people either by flags or in a file").
					WithFix("pass --email, --phone or --external-id, or a file; - is standard input")
			case who.given():
				req.Subjects = []writeback.Subject{who.Subject}
			default:
				var err error
				if req.Subjects, err = c.subjects(args[0]); err != nil {
					return err
				}
			}
			return c.forget(cmd.Context(), profile, req)
		},
	}
	who.add(cmd)
	cmd.Flags().StringVar(&profile, "profile", "", "profile to erase from (default: default)")
	cmd.Flags().StringVar(&request, "request", "", "reference of the erasure request, never the person's name")
	return cmd
}

// maxForget bounds one erasure: every plan is searched once for all of them.
const maxForget = 5000

func (c *command) subjects(path string) ([]writeback.Subject, error) {
	next, closeList, err := c.openSubjects(path)
	if err != nil {
		return nil, err
	}
	defer closeList()
	var out []writeback.Subject
	for {
		s, err := next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if out = append(out, s); len(out) > maxForget {
			return nil, fault.New(fault.Usage, "one call erases at most %d people", maxForget)
		}
	}
}

func (c *command) forget(ctx context.Context, profile string, req writeback.ForgetRequest) error {
	return c.with(ctx, func(a *app.App) error {
		r, err := a.Writeback.In(profile).Forget(ctx, req)
		if r == nil || err != nil && fault.CodeOf(err) != fault.ErasureIncomplete {
			return err
		}
		return errors.Join(err, c.print(r, func(w io.Writer) {
			line(w, "Erased %s payloads of %s people: %s events cancelled before they were sent, %s may have arrived.",
				thousands(r.Events), thousands(r.Persons), thousands(r.Cancelled), thousands(r.Unknown))
			line(w, "Stored outcomes deleted: %s. New on the suppression list: %s identifiers.", thousands(r.Outcomes), thousands(r.Suppressed))
			if len(r.Delivered) == 0 {
				line(w, "Nothing of what is still on record was delivered.")
				return
			}
			line(w, "Meta has these events, and takes none back; name them in the request to Meta:")
			t := newTable(w)
			t.head = []string{"EVENT ID", "NAME", "DATASET", "STATE"}
			for _, e := range r.Delivered {
				_ = t.row(e.EventID, e.EventName, e.Dataset, string(e.State))
			}
			_ = t.flush()
		}))
	})
}
