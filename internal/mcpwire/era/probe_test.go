package era

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/mcpwire/exchange"
)

// Over HTTP a server that is silent is busy: taken for an old one, it would be spoken
// to in the wrong era until the next look.
func TestSilenceWhereEveryServerAnswersIsNoVerdict(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &prober{opt: Options{Server: "busy", AnswersAlways: true, ProbeTimeout: time.Second}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		<-ctx.Done()
		for _, err := range []error{ctx.Err(), &exchange.Error{Code: exchange.TimedOut}, &exchange.Error{Code: exchange.BrokeOff}} {
			if v, got := p.fromError(ctx, err); v != nil || !errors.Is(got, &exchange.Error{Code: exchange.TimedOut}) {
				t.Errorf("%v: verdict %v, error %v", err, v, got)
			}
		}
		if v, got := p.fromError(t.Context(), &exchange.Error{Code: exchange.BrokeOff}); v != nil || !errors.Is(got, &exchange.Error{Code: exchange.BrokeOff}) {
			t.Errorf("verdict %v, error %v", v, got)
		}
	})
}
