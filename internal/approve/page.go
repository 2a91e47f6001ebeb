package approve

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/enforce"
	"sluice/internal/fault"
	"sluice/internal/tenant"
)

// PageOptions builds a Page.
type PageOptions struct {
	// Resolve returns whom an API token stands for.
	Resolve func(ctx context.Context, token, via string) (tenant.Caller, error)
	Hosts   []string // host names besides loopback's own under which it is called
	// Public is the URL under which people reach the pages, where something stands in
	// front of the server; empty: they reach it directly.
	Public string
	// Limit slows down those who try tokens; nil: nobody.
	Limit Limiter
}

// Limiter counts refused tokens by where they come from.
type Limiter interface {
	// Blocked is how long a source has to wait, 0 when it may go on.
	Blocked(source string) time.Duration
	// Refused counts one refusal.
	Refused(ctx context.Context, source string)
}

// PagePath is where the pages are.
const PagePath = "/approvals/"

// Page serves one approval each at /approvals/ID. Without a token it tells id, tool,
// state and deadline. A token is typed into a form and travels in the body of a POST to
// the same origin: never in a URL, never in a cookie, never back.
func (s *Service) Page(o PageOptions) http.Handler {
	p := &page{s: s, o: o}
	if u, err := url.Parse(o.Public); err == nil {
		p.public = u.Host
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /approvals/{id}", p.get)
	mux.HandleFunc("POST /approvals/{id}", p.post)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.ours(r.Host) {
			problem(w, http.StatusForbidden, "The host name of the call is not one this server answers to.")
			return
		}
		mux.ServeHTTP(w, r)
	})
}

type page struct {
	s      *Service
	o      PageOptions
	public string // host[:port]
}

// ours reports whether a Host header names this server: a name that was bound to its
// address by somebody else does not.
func (p *page) ours(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	return onThisMachine(host) || p.public != "" && strings.EqualFold(hostport, p.public) || slices.ContainsFunc(p.o.Hosts, func(h string) bool { return strings.EqualFold(h, host) })
}

func (p *page) get(w http.ResponseWriter, r *http.Request) {
	stub, err := p.s.Stub(r.Context(), r.PathValue("id"))
	if err != nil {
		p.fail(w, err)
		return
	}
	var b body
	b.stub(stub)
	if stub.State == enforce.Pending {
		b.decide(stub.ID)
	}
	b.write(w, http.StatusOK, title(stub.State))
}

// maxForm bounds what is posted.
const maxForm = 16 << 10

func (p *page) post(w http.ResponseWriter, r *http.Request) {
	if !p.sameOrigin(r) {
		problem(w, http.StatusForbidden, "The form was sent from another site.")
		return
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if !strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") || r.ParseForm() != nil {
		problem(w, http.StatusBadRequest, "The form can't be read.")
		return
	}
	form := r.PostForm // what stands in the URL counts for nothing
	caller, err := p.o.Resolve(r.Context(), strings.TrimSpace(form.Get("token")), "web")
	if err != nil {
		if fault.Lookup(fault.CodeOf(err)).HTTP == http.StatusUnauthorized && p.slow(w, r) {
			return
		}
		p.fail(w, err)
		return
	}
	s := p.s.As(caller)
	id := r.PathValue("id")
	switch form.Get("do") {
	case "approve", "deny":
		item, err := s.Decide(r.Context(), id, form.Get("do") == "approve", strings.TrimSpace(form.Get("reason")))
		if err != nil {
			p.fail(w, err)
			return
		}
		var b body
		b.item(item)
		if item.State == string(enforce.Approved) {
			b.text("The agent may now repeat the very same call, once, until " + clock(item.ExpiresAt) + ".")
		}
		b.write(w, http.StatusOK, title(enforce.State(item.State)))
	default:
		item, err := s.Show(r.Context(), id)
		if err != nil {
			p.fail(w, err)
			return
		}
		var b body
		b.item(item)
		if item.CanDecide {
			b.decide(item.ID)
		} else if item.State == string(enforce.Pending) {
			b.text("This token can't decide it.")
		}
		b.write(w, http.StatusOK, title(enforce.State(item.State)))
	}
}

// slow counts a refused token, and turns away a source that had too many. Whoever has a
// valid one decides all the same: behind a proxy everybody comes from one address.
func (p *page) slow(w http.ResponseWriter, r *http.Request) bool {
	if p.o.Limit == nil {
		return false
	}
	source := sourceOf(r)
	wait := p.o.Limit.Blocked(source)
	p.o.Limit.Refused(r.Context(), source)
	if wait <= 0 {
		return false
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
	problem(w, http.StatusTooManyRequests, "Too many tokens were refused. Wait a minute.")
	return true
}

// fail shows a fault; what has no code is not for the reader.
func (p *page) fail(w http.ResponseWriter, err error) {
	f, ok := fault.As(err)
	if !ok {
		p.s.o.Log.Error("an approval's page failed", "error", err)
		problem(w, http.StatusInternalServerError, "Something went wrong here.")
		return
	}
	row := fault.Lookup(f.Code)
	text := f.Message
	if f.Code == fault.NotFound {
		text = "there is no such approval" // whatever the id was
	}
	problem(w, row.HTTP, text)
}

// sameOrigin reports whether a form was sent from one of our own pages. Browsers say
// so; what says nothing is no browser, and has the API.
func (p *page) sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return false
	}
	u, err := url.Parse(r.Header.Get("Origin"))
	return err == nil && u.Host != "" && (strings.EqualFold(u.Host, r.Host) || strings.EqualFold(u.Host, p.public))
}

func sourceOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func title(state enforce.State) string {
	switch state {
	case enforce.Pending:
		return "A call waits for approval"
	case enforce.Approved:
		return "Approved"
	case enforce.DeniedBy:
		return "Denied"
	default:
		return "This approval is over"
	}
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05 UTC on 2 January 2006") }
