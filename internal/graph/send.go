package graph

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graphspec"
)

// maxAPIAnswer bounds what is read of an answer to a tool's call.
const maxAPIAnswer = 8 << 20

// How long a call may take without Request.Timeout.
const (
	readTime   = 30 * time.Second
	writeTime  = 60 * time.Second
	uploadTime = 5 * time.Minute
)

// errTrailing is of an answer with something behind its JSON.
var errTrailing = errors.New("more than one JSON value")

// part is the body of one try. A transport may go on reading after it handed over an
// answer or an error; what it read then would be missing in the next try.
type part struct {
	mu   sync.Mutex
	from io.Reader
	over bool
}

func (p *part) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return 0, errOver
	}
	return p.from.Read(b)
}

func (p *part) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
}

// try makes the call once.
func (a *API) try(ctx context.Context, c *call, token credential) (*Response, *failure) {
	limit := c.Timeout
	if limit <= 0 {
		limit = readTime
		if c.Body != nil || len(c.Files) > 0 {
			limit = uploadTime
		} else if !reads(c.Request) {
			limit = writeTime
		}
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	raw := &part{from: c.Body}
	defer raw.end()
	req, err := a.build(ctx, c, token, raw)
	if err != nil {
		f, ok := fault.As(err)
		if !ok {
			f = fault.New(fault.Internal, "the request could not be built").Wrap(err)
		}
		return nil, &failure{err: f, class: graphspec.ClassInput, unsent: true}
	}
	var connected atomic.Bool
	if a.traced {
		req = req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}))
	}
	began := a.opts.Now()
	res, err := a.http.Do(req)
	if err != nil {
		unsent := transportError(err).Class == NotSent || a.traced && !connected.Load()
		f := a.lost(c.Request, err, unsent)
		a.done(ctx, c, token, f)
		a.note(ctx, c, 0, began, f)
		return nil, f
	}
	defer func() { _ = res.Body.Close() }()
	out, f := a.read(c, token, res)
	a.done(ctx, c, token, f)
	a.note(ctx, c, res.StatusCode, began, f)
	return out, f
}

// note logs a try: what kind of call, not of what.
func (a *API) note(ctx context.Context, c *call, status int, began time.Time, f *failure) {
	args := []any{"call", shape(c.Request), "http", status, "ms", a.opts.Now().Sub(began).Milliseconds()}
	if f != nil {
		args = append(args, "class", string(f.class), "code", f.code)
	}
	a.opts.Log.DebugContext(ctx, "graph", args...)
}

// lost is the failure of a try without an answer.
func (a *API) lost(r *Request, err error, unsent bool) *failure {
	f := &failure{class: graphspec.ClassTransient, unsent: unsent}
	timeout := errors.Is(err, context.DeadlineExceeded)
	switch {
	case unsent:
		f.err = fault.New(fault.MetaUnavailable, "no connection for %s could be made; nothing was sent", shape(r)).WithFix("check the network, the proxy settings and the configured address")
	case reads(r) || r.Repeat:
		f.err = fault.New(fault.MetaUnavailable, "no answer came to %s", shape(r))
		f.unanswered = !reads(r)
	default:
		f.unanswered = true
		why := "the connection broke before the answer"
		if timeout {
			why = "no answer came in time"
		}
		f.err = unknownOutcome(r, why)
	}
	f.err.With("class", string(f.class))
	// What a transport says may quote what came, and what came may repeat what was sent.
	if cause := errors.Unwrap(err); cause != nil && !a.secrets.in(cause.Error()) && !secretParam.MatchString(cause.Error()) {
		f.err.Wrap(cause)
	}
	return f
}

// read reads an answer: its usage headers, its JSON, and whether it is a success.
func (a *API) read(c *call, token credential, res *http.Response) (*Response, *failure) {
	usage := a.pools.see(c, res.Header, a.opts.Now())
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAPIAnswer+1))
	if err != nil {
		return nil, a.lost(c.Request, err, false)
	}
	if len(body) > maxAPIAnswer {
		return nil, &failure{class: graphspec.ClassTooBig, err: fault.New(fault.TooMuchData, "the answer to %s is larger than 8 MiB", shape(c.Request)).With("class", string(graphspec.ClassTooBig))}
	}
	got, err := scrub(body, c.own.mode)
	if err != nil {
		return nil, a.told(c, token, res, a.unreadable(c.Request, res, body))
	}
	if got.fault != nil {
		return nil, a.told(c, token, res, a.refused(c.Request, res.StatusCode, got.fault, usage.RegainAccess))
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, a.told(c, token, res, a.unreadable(c.Request, res, body))
	}
	if got.undone && !reads(c.Request) {
		return nil, &failure{class: graphspec.ClassInput, err: fault.New(fault.MetaRefused, "Meta answered %s with success false and no reason", shape(c.Request)).
			WithFix("read the object to see its state").With("class", string(graphspec.ClassInput))}
	}
	if c.own.mode == clean {
		got.body = a.secrets.stripBytes(got.body)
	}
	served := res.Header.Get("Facebook-Api-Version")
	return &Response{
		Status: res.StatusCode, Body: got.body, Usage: usage,
		Version: served, Warning: a.versionWarning(c, served, res.Header.Get("X-Ad-Api-Version-Warning")),
	}, nil
}

// told completes a failure with how long to wait.
func (a *API) told(c *call, token credential, res *http.Response, f *failure) *failure {
	switch f.class {
	case graphspec.ClassAppRate, graphspec.ClassUserRate, graphspec.ClassAssetRate:
		f.wait = max(f.wait, retryAfter(res.Header))
		if f.wait > 0 {
			f.err.RetryAfter = wholeSeconds(f.wait)
			f.err.With("retry_after", f.err.RetryAfter)
		}
		a.limited(c, token, res.StatusCode, f)
	}
	return f
}

// versionWarning is what there is to say about the version that answered.
func (a *API) versionWarning(c *call, served, said string) string {
	asked := a.opts.Version
	if c.Host == ThreadsHost {
		asked = a.opts.ThreadsVersion
	}
	said = a.words(said, c.Request)
	if served == "" || served == asked || !graphspec.ValidVersion(served) {
		return said
	}
	warning := "Graph API " + asked + " was asked for, and " + served + " answered"
	if said != "" {
		warning += ": " + said
	}
	return warning
}
