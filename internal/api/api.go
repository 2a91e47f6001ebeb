// Package api is the JSON API under /api/v1: the operations of the command line,
// with the same answers and the same typed errors.
//
// Every operation is one row of a table, from which the routes, the gates in front
// of them and the OpenAPI document are made, so that they can't say different
// things. Its guarantees: no call without a valid token; the preconditions are
// checked in one order (scope, workspace switch, role, connection) and the first
// that fails is named; nobody sees a plan of another workspace; bodies are bounded
// and strict, an unknown member is refused by name. Its limit: it speaks plain HTTP
// and is meant for loopback or for a proxy that adds TLS.
package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/internal/approve"
	"sluice/internal/auth"
	"sluice/internal/fault"
	"sluice/internal/govern"
	"sluice/internal/ledger"
	"sluice/internal/secret"
	"sluice/internal/source"
	"sluice/internal/webhook"
	"sluice/internal/writeback"
)

// Root is where the operations live.
const Root = "/api/v1"

// Options builds a Server.
type Options struct {
	Writeback *writeback.Service
	Auth      *auth.Service
	Govern    *govern.Service
	Store     ledger.Store
	Keys      *secret.Keyring
	// Realm names where previews are for.
	Realm func() (string, error)
	// Source opens a named source of the configuration, and nothing else.
	Source func(ctx context.Context, s *writeback.Service, name string, o source.Options) (source.Reader, error)
	Hooks  *webhook.Service
	// Approve is the gateway's approvals and calls; nil: none are kept here.
	Approve func(context.Context) (*approve.Service, error)
	// Named replaces names of a server and a grant by their ids.
	Named   func(ctx context.Context, workspace, server, grant string) (serverID, grantID string, err error)
	Ready   func(context.Context) error           // whether the store answers
	Metrics func(context.Context) ([]byte, error) // Prometheus text; nil: none
	Hosts   []string                              // host names besides loopback's own under which it is called
	Log     *slog.Logger
}

// Server answers the API.
type Server struct {
	o       Options
	ops     []operation
	mux     *http.ServeMux
	hooks   http.Handler
	openapi func() []byte
	work    context.Context // of confirms; they outlive their callers
	stop    context.CancelFunc
	running sync.WaitGroup
}

// New returns a server.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{o: o, mux: http.NewServeMux()}
	s.work, s.stop = context.WithCancel(context.Background())
	s.ops = operations()
	for i := range s.ops {
		op := &s.ops[i]
		s.mux.HandleFunc(op.method+" "+Root+op.path, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, op) })
	}
	s.openapi = sync.OnceValue(Document)
	s.mux.HandleFunc("GET "+Root+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(s.openapi())
	})
	s.mux.HandleFunc("/", s.notFound)
	s.watch(s.mux)
	s.hooks = s.hooksHandler()
	return s
}

// Stop ends the confirms under way: no new request to Meta starts, those under way
// are answered and booked. Callers hear how far it came.
func (s *Server) Stop() { s.stop() }

// Wait returns once everything that Stop ended is booked. No call may come after it.
func (s *Server) Wait() { s.running.Wait() }

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := newRequestID()
	r = r.WithContext(context.WithValue(r.Context(), requestKey{}, id))
	Harden(w.Header())
	w.Header().Set("X-Request-Id", id)
	if strings.HasPrefix(r.URL.Path, "/hooks/") {
		s.hooks.ServeHTTP(w, r)
		return
	}
	if err := s.checkOrigin(r); err != nil {
		s.fail(w, id, err)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// Harden sets the headers that keep a browser from doing anything with an answer.
func Harden(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

type requestKey struct{}

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

func newRequestID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the process instead
	return "req_" + hex.EncodeToString(b[:])
}

// checkOrigin refuses what a page of another site could send: a host name that is
// not ours (DNS rebinding), or a foreign origin.
func (s *Server) checkOrigin(r *http.Request) error {
	if !s.ours(r.Host) {
		return fault.New(fault.OriginRefused, "the host name of the call is not one this server answers to")
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		return fault.New(fault.OriginRefused, "the call comes from another site's page")
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
			return fault.New(fault.OriginRefused, "the call comes from another site's page")
		}
	}
	return nil
}

// ours reports whether a Host header names this server.
func (s *Server) ours(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return true
	}
	return strings.EqualFold(host, "localhost") || slices.ContainsFunc(s.o.Hosts, func(h string) bool { return strings.EqualFold(h, host) })
}

// answer takes one call through the gates to its operation.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, op *operation) {
	began := time.Now()
	id := requestID(r.Context())
	out, status, err := s.perform(w, r, op, id)
	if err != nil {
		status = s.fail(w, id, err)
	} else {
		s.write(w, status, out)
	}
	s.o.Log.Info("api", "op", op.id, "status", status, "request_id", id, "took", time.Since(began))
}

func (s *Server) perform(w http.ResponseWriter, r *http.Request, op *operation, id string) ([]byte, int, error) {
	caller, err := s.o.Auth.Resolve(r.Context(), bearer(r), "api")
	if err != nil {
		w.Header().Set("WWW-Authenticate", `Bearer realm="sluice"`)
		return nil, 0, err
	}
	c := &call{
		api: s, caller: caller, id: id,
		Auth: s.o.Auth.As(caller), Writeback: s.o.Writeback.As(caller),
	}
	if err := c.permit(r.Context(), op); err != nil {
		return nil, 0, err
	}
	body, err := readBody(w, r, op)
	if err != nil {
		return nil, 0, err
	}
	run := func() ([]byte, int, error) { return op.run(r, c, body) }
	if key := r.Header.Get("Idempotency-Key"); key != "" && op.method == http.MethodPost && !op.ownKey {
		return s.once(w, r, c, op, key, body, run)
	}
	return run()
}

// bearer is the token of a call; it has no other place than this header.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// readBody reads a bounded JSON body.
func readBody(w http.ResponseWriter, r *http.Request, op *operation) ([]byte, error) {
	if !op.hasBody() {
		return nil, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, op.limit()))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if asError(err, &tooLarge) {
			return nil, fault.New(fault.TooLarge, "the body is larger than %d bytes", op.limit()).With("limit", op.limit())
		}
		return nil, fault.New(fault.Usage, "the body could not be read").WithFix("send it again").Wrap(err)
	}
	if len(body) > 0 && !isJSON(r.Header.Get("Content-Type")) {
		return nil, fault.New(fault.Usage, "the body must be application/json")
	}
	return body, nil
}

func isJSON(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/json")
}
