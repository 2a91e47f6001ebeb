package httpserve

import (
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
)

// guard keeps web pages away: one that a browser shows from elsewhere says so in
// Origin, and one that got there by a name that now resolves to this machine has that
// name in Host.
type guard struct {
	anyHost bool
	hosts   map[string]struct{}
	origins map[string]struct{}
	last    *atomic.Pointer[string] // the Host that was let in last
}

func newGuard(hosts, origins []string) guard {
	g := guard{hosts: map[string]struct{}{"localhost": {}}, origins: map[string]struct{}{}, last: new(atomic.Pointer[string])}
	for _, host := range hosts {
		g.anyHost = g.anyHost || host == "*"
		g.hosts[strings.ToLower(host)] = struct{}{}
	}
	for _, origin := range origins {
		g.origins[strings.ToLower(strings.TrimSuffix(origin, "/"))] = struct{}{}
	}
	return g
}

// check says why the request is forbidden, or nothing.
func (g guard) check(r *http.Request) string {
	if last := g.last.Load(); last == nil || *last != r.Host {
		if !g.anyHost && !g.host(r.Host) {
			return "the Host header names neither this machine's loopback interface nor an allowed host"
		}
		host := r.Host
		g.last.Store(&host)
	}
	switch origin := r.Header["Origin"]; {
	case len(origin) == 0:
		return ""
	case len(origin) > 1 || !g.origin(origin[0], r.Host):
		return "the Origin header names a page that is not allowed to call"
	}
	return ""
}

func (g guard) host(host string) bool {
	host = strings.ToLower(host)
	if _, ok := g.hosts[host]; ok {
		return true
	}
	name := host
	if n, _, err := net.SplitHostPort(host); err == nil {
		name = n
	}
	if _, ok := g.hosts[name]; ok {
		return true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(name, "["), "]"))
	return err == nil && addr.IsLoopback()
}

// origin lets in the endpoint's own origin (whose Host was checked) and configured ones.
func (g guard) origin(origin, host string) bool {
	origin = strings.ToLower(origin)
	if _, ok := g.origins[origin]; ok {
		return true
	}
	scheme, rest, ok := strings.Cut(origin, "://")
	return ok && (scheme == "http" || scheme == "https") && rest == strings.ToLower(host)
}

// cors lets pages of configured origins read answers. It reports whether the request
// was a preflight and is answered.
func (g guard) cors(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	h := w.Header()
	h.Add("Vary", "Origin")
	if _, ok := g.origins[strings.ToLower(origin)]; !ok {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Mcp-Session-Id, WWW-Authenticate, Retry-After")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "POST, GET, DELETE")
	h.Set("Access-Control-Max-Age", "600")
	var names []string
	for _, name := range strings.Split(r.Header.Get("Access-Control-Request-Headers"), ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); pageMaySend(name) {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		h.Set("Access-Control-Allow-Headers", strings.Join(names, ", "))
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

func pageMaySend(name string) bool {
	switch name {
	case "accept", "content-type", "authorization", "last-event-id", "traceparent", "tracestate", "baggage":
		return true
	}
	return strings.HasPrefix(name, "mcp-")
}

// jsonBody reports whether the body is declared as plain JSON in UTF-8.
func jsonBody(h http.Header) bool {
	v := h["Content-Type"]
	if len(v) != 1 {
		return false
	}
	if v[0] == "application/json" {
		return true
	}
	media, params, err := mime.ParseMediaType(v[0])
	if err != nil || media != "application/json" {
		return false
	}
	for name, value := range params {
		if name != "charset" || !strings.EqualFold(value, "utf-8") {
			return false
		}
	}
	return true
}

// accepts says which of the two forms of an answer the client takes. Without the
// header it takes anything.
func accepts(h http.Header) (json, stream bool) {
	lines := h["Accept"]
	if len(lines) == 0 {
		return true, true
	}
	if len(lines) == 1 && lines[0] == "application/json, text/event-stream" {
		return true, true
	}
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			media, params, _ := strings.Cut(part, ";")
			if strings.Contains(params, "q=0") && strings.Trim(strings.SplitN(params, "q=", 2)[1], "0. ") == "" {
				continue
			}
			switch strings.ToLower(strings.TrimSpace(media)) {
			case "*/*":
				return true, true
			case "application/json", "application/*":
				json = true
			case "text/event-stream", "text/*":
				stream = true
			}
		}
	}
	return json, stream
}
