package graph

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graphspec"
)

// API is the client of the whole Graph API, for tools. Events for datasets have a
// client of their own, Client, whose errors say what the ledger may conclude.
//
// A failure is a *fault.Error. Neither answers nor errors hold a token. It is safe for
// concurrent use.
type API struct {
	opts  APIOptions
	bases map[Host]*url.URL
	http  *http.Client
	// traced says that the transport tells when a connection was made.
	traced bool

	secrets  secrets
	pages    pageTokens
	pools    pools
	circuits circuits
	serial   turns
}

// APIOptions configures an API.
type APIOptions struct {
	// Bases are the addresses of the hosts; one that is missing is Meta's own. They
	// have to be Meta's, on https, or on this machine.
	Bases map[Host]string
	// Version is used on all hosts but that of Threads.
	Version        string // graphspec.Newest when empty
	ThreadsVersion string // graphspec.ThreadsVersion when empty
	Tokens         Tokens
	AppID          string
	AppSecret      string            // adds appsecret_proof when set
	Transport      http.RoundTripper // a tuned transport when nil
	Now            func() time.Time
	// Sleep waits between tries; it ends early with the context.
	Sleep func(context.Context, time.Duration) error
	// Random is between 0 and 1, for the jitter of waits.
	Random    func() float64
	UserAgent string // "Sluice" when empty: name and version of the program
	Log       *slog.Logger
}

// NewAPI returns a client. It does not talk to anybody yet.
func NewAPI(o APIOptions) (*API, error) {
	if o.Version == "" {
		o.Version = graphspec.Newest
	}
	if o.ThreadsVersion == "" {
		o.ThreadsVersion = graphspec.ThreadsVersion
	}
	for _, v := range []string{o.Version, o.ThreadsVersion} {
		if !graphspec.ValidVersion(v) {
			return nil, fault.New(fault.Usage, "the Graph version is not written like %s", graphspec.Newest).WithFix("set graph_version to %s", graphspec.Newest)
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.UserAgent == "" {
		o.UserAgent = "Sluice"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	bases, err := hostBases(o.Bases)
	if err != nil {
		return nil, err
	}
	a := &API{opts: o, bases: bases, http: &http.Client{Transport: o.Transport}}
	if o.Transport == nil {
		a.http.Transport = apiTransport()
	}
	_, a.traced = a.http.Transport.(*http.Transport)
	// A redirect would carry the token to a place that nobody chose.
	a.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	a.secrets.add(o.AppSecret)
	return a, nil
}

// apiTransport is the transport of the events client with smaller buffers: calls are
// small, and there may be many connections.
func apiTransport() *http.Transport {
	t := newTransport()
	t.WriteBufferSize, t.ReadBufferSize = 8<<10, 8<<10
	t.ResponseHeaderTimeout = 0 // each call has a deadline of its own
	return t
}

// metaBases are Meta's own addresses.
var metaBases = map[Host]string{
	GraphHost: DefaultBase, ThreadsHost: "https://graph.threads.net",
	InstagramHost: "https://graph.instagram.com", UploadHost: "https://rupload.facebook.com",
}

// metaDomains are what an address away from this machine has to belong to.
var metaDomains = []string{"facebook.com", "instagram.com", "threads.net", "threads.com"}

func hostBases(configured map[Host]string) (map[Host]*url.URL, error) {
	bases := map[Host]*url.URL{}
	for host, base := range metaBases {
		if given := configured[host]; given != "" {
			base = given
		}
		u, err := url.Parse(strings.TrimRight(base, "/"))
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, fault.New(fault.Usage, "the address of the %s host is not an http(s) URL without query", host).WithFix("use %s or the address `sluice sandbox` prints", metaBases[host])
		}
		if !loopback(u.Hostname()) && (u.Scheme != "https" || !metas(u.Hostname())) {
			return nil, fault.New(fault.Usage, "the address of the %s host is neither Meta's on https nor on this machine; it would get the token", host).WithFix("use %s or the address `sluice sandbox` prints", metaBases[host])
		}
		bases[host] = u
	}
	return bases, nil
}

func metas(host string) bool {
	host = strings.ToLower(host)
	for _, d := range metaDomains {
		if host == d || strings.HasSuffix(host, "."+d) {
			return true
		}
	}
	return false
}

// Remote reports whether requests leave this machine.
func (a *API) Remote() bool { return !loopback(a.bases[GraphHost].Hostname()) }

// Version is the Graph API version that is asked for.
func (a *API) Version() string { return a.opts.Version }

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type callerKey struct{}

// WithCaller says for whom calls are made: the name of an agent or model, which Meta
// asks to be told in User-Agent.
func WithCaller(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, callerKey{}, name)
}

// userAgent is <program>/<version> (<caller>) <HTTP client>, the form that Meta asks
// agents for.
func (a *API) userAgent(ctx context.Context) string {
	name, _ := ctx.Value(callerKey{}).(string)
	name = strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune(`()\"`, r) {
			return '-'
		}
		return r
	}, name)
	if name == "" {
		return a.opts.UserAgent + " Go"
	}
	return a.opts.UserAgent + " (" + name[:min(len(name), 64)] + ") Go"
}
