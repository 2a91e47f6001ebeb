package exchange_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"sluice/internal/mcpwire/exchange"
)

// Whoever sees a lost session opens another and sends the call again. A call that was
// under way when its session was lost may have been done, and must not look like one.
func TestCodeOfACauseIsNotThatOfTheError(t *testing.T) {
	t.Parallel()
	lost := &exchange.Error{Code: exchange.SessionLost}
	for _, cause := range []error{lost, fmt.Errorf("resuming: %w", lost)} {
		err := fmt.Errorf("calling: %w", &exchange.Error{Code: exchange.BrokeOff, Cause: cause})
		if !errors.Is(err, &exchange.Error{Code: exchange.BrokeOff}) || errors.Is(err, lost) {
			t.Errorf("caused by %v: what is it?", cause)
		}
	}
	if err := (&exchange.Error{Code: exchange.TimedOut, Cause: context.Canceled}); !errors.Is(err, context.Canceled) {
		t.Error("a cause of another kind is hidden")
	}
}
