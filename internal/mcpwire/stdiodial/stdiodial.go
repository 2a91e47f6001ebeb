// Package stdiodial makes an upstream of a command: an MCP server that runs as a
// child process and speaks JSON-RPC on its standard streams, one message per line.
//
// Its guarantees: a child sees a clean environment, none of the relay's own; it lives
// in a process group of its own, which is ended with it; it serves one caller (or all
// of them, with Shared) and, in the legacy era, one session. Every call is answered or
// fails: a child that dies takes its calls in flight with it as BrokeOff, and is
// started again when it is needed, not faster than the back-off allows. Where the
// kernel can do it, a child can't read the protected paths nor look into the relay's
// memory and environment.
//
// Its limits: a child runs as the user that Sluice runs as, so what isolation does not
// name stays within its reach; a message that names no call is attributed by the rules
// in route.go, which is the best that one channel for everything allows; a process
// that leaves its group is not followed.
package stdiodial

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Isolation says what happens where children can't be kept from the protected paths.
type Isolation string

// The isolations.
const (
	IsolateBest     Isolation = "best"     // isolate if possible, else warn once: the default
	IsolateRequired Isolation = "required" // refuse to start a child that can't be isolated
	IsolateOff      Isolation = "off"      // do not isolate
)

// Options of an upstream. Zero values are the defaults in brackets.
type Options struct {
	Server  string   // the configured name, for messages and logs
	Command []string // program and arguments; no shell in between
	Env     []string // KEY=value, beside the few variables that pass (env.go)
	Dir     string   // working directory [that of Sluice]
	// Shared lets one modern child serve all callers. Legacy children never do: their
	// handshake belongs to one client.
	Shared    bool
	Protect   []string // files and directories that a child can't read
	Isolation Isolation

	Limits     mcpwire.Limits
	Timeout    time.Duration // of a call without news [5 min]
	HardCap    time.Duration // of a call, whatever its progress [1 h]
	IdleStop   time.Duration // of a child that nobody uses [10 min]; negative: never
	StopGrace  time.Duration // between end of input, SIGTERM and SIGKILL [2 s each]
	SlowClient time.Duration // a call whose client takes nothing for so long fails [30 s]
	BackOff    time.Duration // after a first crash, doubling to 30 s [250 ms]
	PerCaller  int           // children of one caller; the least used idle one gives way [32]
	Total      int           // children [128]

	Log     *slog.Logger // [discarded]
	Stderr  io.Writer    // gets what children write to stderr, line by line [the log]
	Environ []string     // Sluice's own environment [os.Environ()]

	noMounts bool // tests do without the means of root
}

// Defaults and bounds that are not options.
const (
	maxBackOff  = 30 * time.Second
	stableAfter = time.Minute            // a child that lived so long starts a new count of crashes
	waitOut     = 500 * time.Millisecond // a back-off this short is waited for, not reported
	cancelGrace = 2 * time.Second        // for an answer after the client's own cancellation
)

func (o Options) orDefault() (Options, error) {
	if len(o.Command) == 0 || o.Command[0] == "" {
		return o, errors.New("a server that runs as a child process needs a command")
	}
	switch o.Isolation {
	case "":
		o.Isolation = IsolateBest
	case IsolateBest, IsolateRequired, IsolateOff:
	default:
		return o, errors.New(`isolation is one of "best", "required" and "off"`)
	}
	for _, d := range []struct {
		value *time.Duration
		or    time.Duration
	}{{&o.Timeout, 5 * time.Minute}, {&o.HardCap, time.Hour}, {&o.IdleStop, 10 * time.Minute},
		{&o.StopGrace, 2 * time.Second}, {&o.SlowClient, 30 * time.Second}, {&o.BackOff, 250 * time.Millisecond}} {
		if *d.value == 0 {
			*d.value = d.or
		}
	}
	if o.PerCaller == 0 {
		o.PerCaller = 32
	}
	if o.Total == 0 {
		o.Total = 128
	}
	if o.Limits.Size == 0 {
		o.Limits.Size = mcpwire.MaxSize
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Log = o.Log.With("server", o.Server)
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	return o, nil
}

// Dialer is the upstream that New returns.
type Dialer struct {
	o     Options
	spawn *spawner
	warn  sync.Once // about missing isolation

	tooSlow *exchange.Error

	mu     sync.Mutex
	homes  map[string]*home
	total  int
	closed bool
	all    map[*child]struct{}
	tasks  sync.WaitGroup // what winds children down
}

// New is an upstream that starts its child when the first call comes.
func New(o Options) (exchange.Upstream, error) {
	o, err := o.orDefault()
	if err != nil {
		return nil, err
	}
	d := &Dialer{o: o, homes: map[string]*home{}, all: map[*child]struct{}{}}
	d.tooSlow = d.errorf(exchange.BrokeOff, errTooSlow, "the client takes what it sends too slowly")
	return d, nil
}

// Call sends one request of a modern client.
func (d *Dialer) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	for again := true; ; again = false {
		kid, err := d.modern(ctx, c.Caller, c.Message.Method == mcpwire.MethodDiscover)
		if err != nil {
			return err
		}
		err = kid.call(ctx, c, out, false)
		d.release(kid)
		if !errors.Is(err, errUnsent) {
			return err
		}
		if !again {
			return d.errorf(exchange.Unreachable, err, "it ends before it reads a call")
		}
	}
}

// Notify sends a notification of a modern client.
func (d *Dialer) Notify(ctx context.Context, c *exchange.Call) error {
	kid, err := d.modern(ctx, c.Caller, false)
	if err != nil {
		return err
	}
	defer d.release(kid)
	return kid.out.put(ctx, mcpwire.AppendLine(nil, c.Message.Raw), nil)
}

// Resume is for upstreams without sessions; a child process always has one.
func (d *Dialer) Resume(context.Context, *exchange.Call) (exchange.Session, error) {
	return nil, d.errorf(exchange.SessionLost, nil, "it has no session for this client; initialize again")
}

// Close ends all children, first gently, and waits for them.
func (d *Dialer) Close(ctx context.Context) error {
	d.mu.Lock()
	d.closed = true
	for kid := range d.all {
		d.tasks.Go(func() { kid.end(ctx) })
	}
	spawn := d.spawn
	d.spawn = nil
	d.mu.Unlock()
	d.tasks.Wait()
	if spawn != nil {
		spawn.close()
	}
	return nil
}

// Children is the number of processes that run now, for metrics.
func (d *Dialer) Children() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.total
}

func (d *Dialer) errorf(code exchange.Code, cause error, what string) *exchange.Error {
	name := d.o.Server
	if name == "" {
		name = "the server"
	} else {
		name = "server " + strconv.Quote(name)
	}
	e := &exchange.Error{Code: code, Message: name + ": " + what, Cause: cause}
	switch code {
	case exchange.Unreachable, exchange.BackingOff, exchange.BrokeOff:
		e.Fix = "run the command by hand, or see what it writes to stderr (in serve's log with --log-level info)"
	case exchange.SessionLost:
		e.Fix = "initialize again"
	}
	return e
}
