package sandbox

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/sandbox/world"
)

// Server is one sandbox. It is safe for concurrent use.
type Server struct {
	opts  Options
	log   *slog.Logger
	clock clock
	calls atomic.Uint64 // numbers trace ids

	routes      []route
	inspections []inspection

	// mu guards everything below. Bodies are decoded and checked outside it; only
	// storing and reading hold it. The clock has a lock of its own and is never
	// asked to take this one.
	mu     sync.Mutex
	world  state
	store  store
	usage  usagePools
	faults faultPlan
	ring   requestRing
}

// New makes a sandbox with the documented world.
func New(opts Options) *Server {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.Datasets = slices.Clone(opts.Datasets)
	log := opts.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Server{opts: opts, log: log, clock: clock{base: opts.Now}, routes: routes(), inspections: inspections()}
	s.reset()
	return s
}

// reset returns to the state right after New, except for the clock and the
// numbering of trace ids. The caller holds mu or is alone.
func (s *Server) reset() {
	s.world = s.newState()
	s.store = newStore(s.opts.Keep)
	s.store.dedup.off = s.opts.NoDedup
	s.usage = usagePools{}
	s.faults = faultPlan{}
	s.ring = requestRing{}
}

// Counts returns the totals of a dataset, or of all datasets for "".
func (s *Server) Counts(dataset string) Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store.totals(dataset)
}

// Handler serves the Graph surface at / and the inspection surface at /_emulator/.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) { s.answer(hr).write(w) })
}

// RoundTripper answers requests in process, without sockets: give it to an
// http.Client. Host and scheme of the requests do not matter.
func (s *Server) RoundTripper() http.RoundTripper { return roundTripper{s} }

type roundTripper struct{ s *Server }

func (t roundTripper) RoundTrip(hr *http.Request) (*http.Response, error) {
	if hr.Body != nil {
		defer func() { _ = hr.Body.Close() }()
	}
	if err := hr.Context().Err(); err != nil {
		return nil, err
	}
	in := hr.Clone(hr.Context())
	in.RemoteAddr = ""
	if in.Host == "" {
		in.Host = hr.URL.Host
	}
	rep := t.s.answer(in)
	if err := hr.Context().Err(); err != nil {
		return nil, err // the caller gave up while a fault made it wait
	}
	return rep.response(hr)
}

// shutdownGrace is how long requests in progress may go on after the context ends.
const shutdownGrace = 5 * time.Second

// How long a caller may take to send a request, and to say nothing between two.
const (
	readTimeout = 60 * time.Second
	idleTimeout = 2 * time.Minute
)

// Serve answers on the listener until the context ends, then lets requests in
// progress finish and returns nil.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	hs := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       readTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
		defer cancel()
		if hs.Shutdown(grace) != nil {
			_ = hs.Close()
		}
	})
	err := hs.Serve(l)
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// answer handles one request of either surface.
func (s *Server) answer(hr *http.Request) *reply {
	if !s.opts.Exposed && !fromLoopback(hr) {
		return inspectRefusal(errNotLoopback)
	}
	if hr.URL.Path == emulatorRoot || strings.HasPrefix(hr.URL.Path, emulatorRoot+"/") {
		return s.inspect(hr)
	}
	r := &request{http: hr, trace: traceID(s.opts.Seed, s.calls.Add(1))}
	return s.finished(r, s.graph(r))
}

// finished writes the headers that every answer has and remembers the call.
func (s *Server) finished(r *request, rep *reply) *reply {
	h := rep.header
	h.Set("Date", r.now.UTC().Format(http.TimeFormat))
	h.Set("X-Fb-Trace-Id", r.trace)
	h.Set("X-Fb-Request-Id", r.trace[1:])
	if r.served != "" {
		h.Set("Facebook-Api-Version", r.served)
	}
	h.Set(evidenceHeader, r.evidence(rep))
	s.usage.write(s, r, rep)
	s.record(r, rep)
	return rep
}

// graph takes a Graph call through the steps, in Meta's order of checks.
func (s *Server) graph(r *request) *reply {
	r.now = s.clock.now()
	if err := r.parsePath(r.now); err != nil {
		return err.reply(r.trace)
	}
	r.parseQuery()
	body, size, bodyErr := readBody(r.http)
	defer func() {
		if r.batch != nil {
			r.batch.release()
			r.batch = nil
		}
		buffers.Put(body)
	}()
	r.size, r.bodyErr = size, bodyErr

	s.locate(r)
	if rep := s.faultBefore(r, nil); rep != nil {
		return rep
	}
	r.now = s.clock.now() // waiting counts

	if r.http.Method == http.MethodPost && r.edge == edgeEvents {
		r.batch = newBatch(r.id, judgement{
			now: r.now.Unix(), offline: s.takesOffline(r.id),
			strictUserAgent: s.opts.StrictUserAgent, strictPageID: s.opts.StrictPageID,
		})
	}
	if r.bodyErr == nil {
		r.bodyErr = r.decodeBody(body.Bytes())
		if r.bodyErr == nil {
			r.dataFromForm()
		}
	}
	var value any
	var err *apiError
	if r.isBatch() {
		value, err = s.serveBatch(r)
	} else {
		value, err = s.dispatch(r)
	}
	if err != nil {
		return err.reply(r.trace)
	}
	if r.forced != nil {
		return r.forced
	}
	if r.edge != edgeEvents {
		s.planAfter(r, nil)
	}
	rep := jsonReply(http.StatusOK, value)
	s.faultAfter(r, rep)
	return rep
}

// takesOffline reports whether a dataset takes physical_store events. Unknown
// datasets are refused later, so they may.
func (s *Server) takesOffline(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.world.Get(id)
	return o == nil || consolidated(o)
}

// World gives the objects for tests to look at. It is not for use beside requests.
func (s *Server) World() *world.World { return s.world.World }
