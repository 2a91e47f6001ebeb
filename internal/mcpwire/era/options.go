package era

import (
	"time"

	"sluice/internal/mcpwire"
)

// Options are what an adapter may be told. The zero value is usable.
type Options struct {
	// Server is the configured name of the upstream, for messages.
	Server string
	// Force is the one era the upstream speaks, where the configuration says so.
	Force mcpwire.Era
	// Client is how Sluice names itself where it asks on its own behalf, or where a
	// client gave no name: an Implementation object. Default {"name":"sluice",…}.
	Client []byte

	// ProbeTimeout bounds the question which era an upstream speaks; silence means
	// legacy. Default 5 s.
	ProbeTimeout time.Duration
	// AnswersAlways says that the upstream's transport gives every request an answer
	// (HTTP), so that silence is a busy server and not an old one.
	AnswersAlways bool
	// Recheck is how long a verdict from silence holds. Default 10 min.
	Recheck time.Duration

	// SessionIdle ends sessions for modern clients that nobody used. Default 5 min.
	SessionIdle time.Duration
	// Sessions and CallerSessions bound how many are kept. Default 1024 and 32.
	Sessions, CallerSessions int

	// ParkTimeout bounds how long a call waits for its client's answers. Default 10 min.
	ParkTimeout time.Duration
	// Parked and CallerParked bound how many calls wait. Default 1024 and 64.
	Parked, CallerParked int
	// Settle is how long further questions of a server are waited for, so that one
	// round carries all. Default 10 ms.
	Settle time.Duration

	// Rounds bounds how often one call may ask a legacy client. Default 16.
	Rounds int
}

func (o Options) orDefault() Options {
	if len(o.Client) == 0 {
		o.Client = []byte(`{"name":"sluice","version":"1"}`)
	}
	duration := func(d *time.Duration, standard time.Duration) {
		if *d <= 0 {
			*d = standard
		}
	}
	number := func(n *int, standard int) {
		if *n <= 0 {
			*n = standard
		}
	}
	duration(&o.ProbeTimeout, 5*time.Second)
	duration(&o.Recheck, 10*time.Minute)
	duration(&o.SessionIdle, 5*time.Minute)
	duration(&o.ParkTimeout, 10*time.Minute)
	duration(&o.Settle, 10*time.Millisecond)
	number(&o.Sessions, 1024)
	number(&o.CallerSessions, 32)
	number(&o.Parked, 1024)
	number(&o.CallerParked, 64)
	number(&o.Rounds, 16)
	return o
}
