package stdiodial

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// child is one process of the server.
type child struct {
	d        *Dialer
	home     *home
	shared   bool                    // serves several callers
	isModern atomic.Bool             // it answered server/discover
	session  atomic.Pointer[session] // of a legacy child
	cmd      *exec.Cmd
	started  time.Time
	calls    *calls
	out      *writer

	stdin, stdout, stderr *os.File // our ends
	pipes                 sync.WaitGroup
	wanted                atomic.Bool   // its end is our doing
	cleanup               func()        // of what its start left behind
	exited                chan struct{} // closed when the process is gone and all calls have failed

	// Guarded by Dialer.mu.
	use       int // calls and sessions that hold it
	released  time.Time
	idle      *time.Timer
	probed    bool // nothing was asked of it but what it speaks, and it said nothing yet
	abandoned bool // takes no more calls
}

// run starts the goroutines of a process that has just started.
func (c *child) run() {
	c.pipes.Go(func() { c.out.run(c.stdin) })
	c.pipes.Go(c.read)
	c.pipes.Go(c.copyStderr)
	c.d.tasks.Go(c.reap)
}

// read takes what the child says, line by line.
func (c *child) read() {
	defer c.stdout.Close()
	lines := mcpwire.NewLineReader(c.stdout, c.d.o.Limits.Size)
	for {
		line, err := lines.Next()
		switch {
		case errors.Is(err, mcpwire.ErrLineTooLong):
			c.unreadable(c.calls.only(), "a message is larger than the limit")
		case err != nil:
			// It closed its output: that is a server's way to say that it is done.
			c.d.mu.Lock()
			c.d.abandon(c)
			c.d.mu.Unlock()
			c.d.background(func() { c.stop(context.Background()) })
			return
		default:
			m, err := mcpwire.ParseReply(line, c.d.o.Limits)
			if err == nil {
				c.route(&m)
				continue
			}
			var syntax *mcpwire.SyntaxError
			if errors.As(err, &syntax) {
				c.unreadable(c.calls.withID(syntax.ID), syntax.Problem)
			} else {
				c.unreadable(nil, err.Error())
			}
		}
	}
}

// unreadable drops a line that is no message; the call that it answers, if that can be
// told, fails.
func (c *child) unreadable(k *call, problem string) {
	c.d.o.Log.Warn("a line of the server's output was dropped", "problem", problem, "answer", k != nil)
	if k != nil {
		k.box.fail(c.d.errorf(exchange.BrokeOff, nil, "its answer can't be read: "+problem+"; the call may have been done"))
	}
}

// reap waits for the process and for whatever it left behind.
func (c *child) reap() {
	err := wait(c.cmd)
	wanted := c.wanted.Load()
	// From here on calls get another process, and a crash counts: a call that comes while
	// the pipes are read to their end must neither find this one nor start one too soon.
	c.d.dying(c, err != nil && !wanted)
	// What it wrote last is read; then a process that left the group while it held the
	// pipes is not waited for.
	c.out.close()
	now := time.Now()
	_ = c.stdin.SetWriteDeadline(now)
	_ = c.stdout.SetReadDeadline(now.Add(time.Second))
	_ = c.stderr.SetReadDeadline(now.Add(time.Second))
	c.pipes.Wait()

	what := "it ended"
	if err != nil {
		what = "it ended: " + err.Error()
	}
	if wanted {
		what = "it was stopped"
	}
	lost := c.calls.end(c.d.errorf(exchange.BrokeOff, nil, what+" while it worked on this call, which may have been done"))
	// To end with success while nothing was asked of it is a server's right.
	c.d.gone(c, err == nil && !wanted && (lost > 0 || c.session.Load() != nil))
	if c.cleanup != nil {
		c.cleanup()
	}
	close(c.exited)
	if s := c.session.Load(); s != nil {
		s.childGone()
	}
	if !wanted {
		c.d.o.Log.Warn("the server's process ended by itself", "state", c.cmd.ProcessState.String(), "calls", lost)
	}
}

// end is stop for a child that is no longer wanted.
func (c *child) end(ctx context.Context) {
	c.wanted.Store(true)
	c.stop(ctx)
}

// adopt makes the child that of a session, unless it is known to be modern. Dialer.mu
// is held.
func (c *child) adopt(s *session) bool {
	return !c.isModern.Load() && !c.abandoned && c.session.CompareAndSwap(nil, s)
}

// stop ends the process: by the end of its input, by SIGTERM to its group, by SIGKILL.
// When ctx ends it does not wait any longer.
func (c *child) stop(ctx context.Context) {
	c.out.close()
	for _, next := range []func(){
		func() { killGroup(c.cmd.Process, false) },
		func() { killGroup(c.cmd.Process, true) },
	} {
		timer := time.NewTimer(c.d.o.StopGrace)
		select {
		case <-c.exited:
			timer.Stop()
			return
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			killGroup(c.cmd.Process, true)
			<-c.exited
			return
		}
		select { // never signal what is gone: its number may be another's
		case <-c.exited:
			return
		default:
			next()
		}
	}
	<-c.exited
}

// call sends a request and passes on what comes for it.
func (c *child) call(ctx context.Context, x *exchange.Call, out exchange.Sink, keepID bool) error {
	k, line, err := c.calls.open(x, keepID)
	if err != nil {
		return err
	}
	select {
	case <-k.cancelled:
		c.calls.close(k, true)
		return c.d.cancelledError()
	default:
	}
	if err := c.out.put(ctx, line, k); err != nil {
		c.calls.close(k, true)
		if errors.Is(err, errUnsent) {
			return err
		}
		return c.d.ended(ctx)
	}
	exchange.Taken(ctx)
	answered, err := c.collect(ctx, k, out)
	c.calls.close(k, answered)
	return err
}

// collect passes on what comes for a call until its answer. It reports whether the
// child owes nothing more.
func (c *child) collect(ctx context.Context, k *call, out exchange.Sink) (answered bool, err error) {
	deadline := time.Now().Add(c.d.o.HardCap)
	var expired <-chan time.Time
	var timer *time.Timer
	if !k.listens() {
		timer = time.NewTimer(min(c.d.o.Timeout, c.d.o.HardCap))
		defer timer.Stop()
		expired = timer.C
	}
	cancelled := k.cancelled
	for {
		ev, ok, end := k.box.take()
		switch {
		case ok:
			if err := out.Send(ev); err != nil {
				if !ev.Final {
					c.cancelUpstream(k)
				}
				return ev.Final, err
			}
			if ev.Final {
				return true, nil
			}
			if timer != nil && cancelled != nil {
				timer.Reset(min(c.d.o.Timeout, time.Until(deadline)))
			}
			continue
		case end != nil:
			if errors.Is(end, errTooSlow) {
				c.cancelUpstream(k)
			}
			return false, end
		}
		select {
		case <-k.box.ready:
		case <-cancelled:
			cancelled = nil
			grace := time.NewTimer(cancelGrace)
			defer grace.Stop()
			expired = grace.C
		case <-ctx.Done():
			c.cancelUpstream(k)
			return false, c.d.ended(ctx)
		case <-expired:
			if cancelled == nil {
				return false, c.d.cancelledError()
			}
			c.cancelUpstream(k)
			return false, c.d.errorf(exchange.TimedOut, nil, "it did not answer in time")
		}
	}
}

// cancelUpstream tells the child that nobody waits for a call any more, if the client
// did not say so itself. An initialize is never cancelled.
func (c *child) cancelUpstream(k *call) {
	select {
	case <-k.cancelled:
		return
	default:
	}
	if k.method == mcpwire.MethodInitialize {
		return
	}
	line := mcpwire.BuildNotification(mcpwire.MethodCancelled, []byte(`{"requestId":`+k.wire+`}`))
	c.out.force(append(line, '\n'))
}

func (d *Dialer) cancelledError() *exchange.Error {
	return d.errorf(exchange.BrokeOff, nil, "the client cancelled this call")
}

// ended is the error of a call whose context ended.
func (d *Dialer) ended(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return d.errorf(exchange.TimedOut, ctx.Err(), "it did not answer in time")
	}
	return ctx.Err()
}
