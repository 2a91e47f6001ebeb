package cli

import (
	"bufio"
	"encoding/json"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/writeback"
)

func (c *command) eventsCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "events PLAN",
		Short:   "List the events of a plan with their states, as JSON lines or a table",
		GroupID: groupLook,
		Args:    needPlan,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				out := bufio.NewWriter(c.Stdout)
				enc := json.NewEncoder(out)
				t := newTable(out)
				t.head = []string{"state", "event_id", "event", "time", "value", "where"}
				err := a.Writeback.Events(cmd.Context(), args[0], func(e *writeback.EventRow) error {
					if c.json {
						return enc.Encode(e)
					}
					return t.row(string(e.State), e.EventID, e.EventName, time.Unix(e.EventTime, 0).UTC().Format(time.RFC3339),
						strings.TrimSpace(amount(e.Value)+" "+e.Currency), place(e.File, e.Line))
				})
				if err != nil {
					return err
				}
				if !c.json {
					if err := t.flush(); err != nil {
						return err
					}
				}
				return out.Flush()
			})
		},
	}
}
