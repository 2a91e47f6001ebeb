package httpserve

import (
	"context"
	"errors"
	"sync"
	"time"

	"sluice/internal/mcpwire/exchange"
)

// flight is a call or stream under way.
type flight struct {
	caller  string
	listens bool // stays open until somebody ends it
	cancel  context.CancelCauseFunc
}

// Causes of a cancelled flight that are ours.
var (
	errDrained  = errors.New("the stream ended because Sluice shuts down")
	errShutdown = errors.New("the call was cancelled because Sluice shuts down")
	errEnded    = errors.New("the session ended")
)

// enter counts a flight in, unless its caller has too many or no more are taken.
func (h *Handler) enter(f *flight) *exchange.Error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.draining:
		return shuttingDown()
	case h.busy[f.caller] >= h.o.MaxStreams:
		return tooMany()
	}
	h.busy[f.caller]++
	h.flights[f] = struct{}{}
	return nil
}

func (h *Handler) leave(f *flight) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.busy[f.caller]--; h.busy[f.caller] == 0 {
		delete(h.busy, f.caller)
	}
	delete(h.flights, f)
	if h.draining && len(h.flights) == 0 {
		close(h.idle)
	}
}

func tooMany() *exchange.Error {
	return &exchange.Error{Code: exchange.TooMany, Message: "too many calls and streams are open at a time",
		Fix: "wait for some to end, or close streams that are not read"}
}

func shuttingDown() *exchange.Error {
	return &exchange.Error{Code: exchange.ShuttingDown, Message: "Sluice is shutting down", Fix: "send the call again in a moment"}
}

// Shutdown refuses what comes new, ends streams that would stay open, lets calls
// finish until ctx ends and cancels what is left then. It closes the sessions last.
// The error is that of ctx, where calls had to be cancelled.
func (h *Handler) Shutdown(ctx context.Context) error {
	h.mu.Lock()
	first := !h.draining
	h.draining = true
	if first && len(h.flights) == 0 {
		close(h.idle)
	}
	h.cancelFlights(errDrained, func(f *flight) bool { return f.listens })
	h.mu.Unlock()

	var err error
	select {
	case <-h.idle:
	case <-ctx.Done():
		err = ctx.Err()
		h.mu.Lock()
		h.cancelFlights(errShutdown, func(*flight) bool { return true })
		h.mu.Unlock()
		select { // what was cancelled returns at once
		case <-h.idle:
		case <-time.After(closeTimeout):
		}
	}
	// All at a time: an upstream that hangs would hold up each of them.
	var closing sync.WaitGroup
	for _, s := range h.sessions.all() {
		closing.Go(func() { h.close(exchange.WithLeaving(context.WithoutCancel(ctx)), s) })
	}
	closing.Wait()
	return err
}

func (h *Handler) cancelFlights(cause error, which func(*flight) bool) {
	for f := range h.flights {
		if which(f) {
			f.cancel(cause)
		}
	}
}
