package sandbox

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	strictjson "github.com/go-json-experiment/json"

	"sluice/internal/graphspec"
)

// emulatorRoot is where the inspection surface begins. It is no part of Graph and
// asks for no token.
const emulatorRoot = "/_emulator"

// maxInspectBody bounds what the inspection surface reads: a lookup of some
// hundred thousand event ids fits.
const maxInspectBody = 16 << 20

// inspection is one operation of the inspection surface.
type inspection struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Does   string `json:"does"`
	handle func(*Server, *http.Request) (any, error)
}

func inspections() []inspection {
	return []inspection{
		{http.MethodGet, "/", "describe this sandbox", (*Server).describe},
		{http.MethodGet, "/events", "list stored events; ?dataset= &event_name= &verdict=kept|duplicate &limit= &after=", (*Server).listEvents},
		{http.MethodPost, "/events/lookup", "how often event ids were received and kept; {dataset, event_name, event_ids[]}", (*Server).lookupEvents},
		{http.MethodPost, "/events/browser", "inject a browser event; {dataset, event_name, event_id?, fbp?, external_id?}", (*Server).injectBrowser},
		{http.MethodGet, "/requests", "the last Graph calls, oldest first", (*Server).listRequests},
		{http.MethodPost, "/reset", "forget events, faults, requests, tokens and created objects, and reset the clock", (*Server).resetAll},
		{http.MethodGet, "/clock", "read the clock", (*Server).readClock},
		{http.MethodPost, "/clock", "move the clock; {advance_s?, now?, frozen?}", (*Server).moveClock},
		{http.MethodGet, "/faults", "list waiting faults", (*Server).listFaults},
		{http.MethodPost, "/faults", "plan a fault; {kind, next?, event_ids[]?, edge?, code?, subcode?, latency_ms?, missing?, lose?, percent?, estimated_minutes?}", (*Server).planFault},
		{http.MethodDelete, "/faults", "forget all faults", (*Server).dropFaults},
		{http.MethodPost, "/tokens", "add a token; {token, scopes[]?, objects[]?, expires_at?}", (*Server).addToken},
	}
}

// inspectError is a failure of the inspection surface.
type inspectError struct {
	status  int
	message string
}

func (e *inspectError) Error() string { return e.message }

func refuse(status int, format string, args ...any) error {
	return &inspectError{status, fmt.Sprintf(format, args...)}
}

// inspect answers a request to the inspection surface.
func (s *Server) inspect(hr *http.Request) *reply {
	v, err := s.inspected(hr)
	if err == nil {
		return jsonReply(http.StatusOK, v)
	}
	return inspectRefusal(err)
}

// errNotLoopback refuses a caller of either surface before anything is read.
var errNotLoopback = refuse(http.StatusForbidden, "this sandbox answers callers on its own machine only, under a loopback name; --expose lifts that")

// inspectRefusal is the reply that refuses: Graph's envelope with a text alone.
func inspectRefusal(err error) *reply {
	status := http.StatusBadRequest
	var known *inspectError
	if errors.As(err, &known) {
		status = known.status
	}
	return jsonReply(status, map[string]any{"error": map[string]any{"message": err.Error()}})
}

func (s *Server) inspected(hr *http.Request) (any, error) {
	path := "/" + strings.Trim(strings.TrimPrefix(hr.URL.Path, emulatorRoot), "/")
	exists := false
	for _, op := range s.inspections {
		if op.Path != path {
			continue
		}
		exists = true
		if op.Method == hr.Method {
			return op.handle(s, hr)
		}
	}
	if exists {
		return nil, refuse(http.StatusMethodNotAllowed, "%s does not take %s; GET %s/ lists what does", clip(path), clip(hr.Method), emulatorRoot)
	}
	return nil, refuse(http.StatusNotFound, "no such path; GET %s/ lists them", emulatorRoot)
}

// fromLoopback reports whether the caller is on this machine and, when it is a
// browser, on a page of this machine: any page may send requests to loopback, but
// only with its own Origin, or under a Host name it made point here.
func fromLoopback(hr *http.Request) bool {
	if hr.RemoteAddr == "" {
		return true // in process
	}
	if origin := hr.Header.Get("Origin"); origin != "" {
		if u, err := url.Parse(origin); err != nil || !isLoopback(u.Hostname()) {
			return false
		}
	}
	return isLoopback(hostname(hr.RemoteAddr)) && isLoopback(hostname(hr.Host))
}

// hostname cuts the port off an address.
func hostname(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return strings.Trim(address, "[]")
	}
	return host
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// readInto reads a strict JSON body: unknown, repeated and wrongly cased names
// are refused.
func readInto(hr *http.Request, v any) error {
	if hr.Body == nil {
		return refuse(http.StatusBadRequest, "a JSON body is needed")
	}
	body := http.MaxBytesReader(nil, hr.Body, maxInspectBody)
	if err := strictjson.UnmarshalRead(body, v, strictjson.RejectUnknownMembers(true)); err != nil {
		return refuse(http.StatusBadRequest, "body: %s", clip(err.Error()))
	}
	return nil
}

// describe answers GET /_emulator/.
func (s *Server) describe(*http.Request) (any, error) {
	graph := operations(s.routes)
	s.mu.Lock()
	defer s.mu.Unlock()
	var objects []map[string]any
	for _, o := range s.world.Objects() {
		objects = append(objects, map[string]any{"id": o.ID, "type": o.Kind, "name": o.Str("name")})
	}
	return map[string]any{
		"about":             "A local double of Meta's Graph API. State lives in memory. Nothing here reaches Meta.",
		"now":               s.clock.now().UTC().Format(time.RFC3339),
		"keep":              s.opts.Keep.String(),
		"require_proof":     s.opts.RequireProof,
		"strict_user_agent": s.opts.StrictUserAgent,
		"strict_page_id":    s.opts.StrictPageID,
		"versions":          versions,
		"graph":             graph,
		"inspection":        s.inspections,
		"world":             map[string]any{"objects": objects, "tokens": []string{Token, TokenExpired, ThreadsToken, ThreadsTokenExpired}, "app_id": App, "app_secret": AppSecret},
		"evidence": map[string]string{
			"D": "Meta's documentation", "S": "source code of Meta", "I": "a public issue", "K": "known for long, not read again",
			"L": "a live call", "C": "a third party's report", "R": "our own decision",
		},
		"errors":       Errors(),
		"graph_errors": graphspec.ErrorRows,
		"limits":       map[string]any{"events_per_request": maxBatchEvents, "body_bytes": maxBody, "requests_remembered": ringSize},
	}, nil
}
