package graph

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"sluice/capi"
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

// call is a request that was checked, ready for its tries.
type call struct {
	*Request
	addr  *url.URL
	query url.Values
	form  url.Values
	verb  string // of the HTTP request, which may be POST for a long GET
	start int64  // where Body began, to go back to
	route string
	owner string
	own   internally
}

// prepare checks a request. Nothing is sent before it has passed.
func (a *API) prepare(r *Request) (*call, error) {
	if r.Host == "" {
		r.Host = GraphHost
	}
	switch r.Method {
	case http.MethodGet, http.MethodPost, http.MethodDelete:
	default:
		return nil, fault.New(fault.Internal, "the method of a call is %q", r.Method)
	}
	addr, err := a.addressOf(r)
	if err != nil {
		return nil, err
	}
	query, err := unpackCursor(r.Query)
	if err != nil {
		return nil, err
	}
	c := &call{Request: r, addr: addr, query: query, form: r.Form, verb: r.Method}
	c.route, c.owner = routeOf(r)
	if r.Method != http.MethodPost {
		all := merge(query, r.Form)
		c.query, c.form = all, nil
		if hides(all) || describesToken(r) || r.Host == GraphHost && len(all.Encode()) > longQuery {
			c.verb, c.query, c.form = http.MethodPost, nil, all
			c.form.Set("method", r.Method)
		}
	}
	if s, ok := r.Body.(io.Seeker); ok {
		if c.start, err = s.Seek(0, io.SeekCurrent); err != nil {
			return nil, fault.New(fault.UploadRefused, "the file to be uploaded can't be read").Wrap(err)
		}
	}
	return c, nil
}

// merge makes one set of parameters of two, without changing either.
func merge(sets ...url.Values) url.Values {
	all := url.Values{}
	for _, set := range sets {
		for name, list := range set {
			all[name] = list
		}
	}
	return all
}

func hides(query url.Values) bool {
	for name := range query {
		if hidden[name] {
			return true
		}
	}
	return false
}

// rewind makes the body ready for another try, and reports whether that can be done.
func (c *call) rewind() bool {
	if c.Body == nil {
		return true
	}
	s, ok := c.Body.(io.Seeker)
	if !ok {
		return false
	}
	_, err := s.Seek(c.start, io.SeekStart)
	return err == nil
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
	req, err := a.build(ctx, c, token)
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
		f := lost(c.Request, err, unsent)
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
func lost(r *Request, err error, unsent bool) *failure {
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
	f.err.With("class", string(f.class)).Wrap(errors.Unwrap(err))
	return f
}

// build makes the HTTP request of one try.
func (a *API) build(ctx context.Context, c *call, token credential) (*http.Request, error) {
	for _, s := range c.Path {
		if a.secrets.in(s) {
			return nil, fault.New(fault.ArgumentInvalid, "an id in the path of the call holds an access token")
		}
	}
	if err := a.checkParams(c.query, func(string) bool { return false }); err != nil {
		return nil, err
	}
	if err := a.checkParams(c.form, func(name string) bool { return hidden[name] || name == c.own.tokensIn }); err != nil {
		return nil, err
	}
	addr, query, form := *c.addr, merge(c.query), merge(c.form)
	if describesToken(c.Request) && form.Get("input_token") == "" {
		form.Set("input_token", token.text)
	}
	if a.opts.AppSecret != "" && (c.Host == GraphHost || c.Host == InstagramHost) && token.kind != appKind {
		proof := capi.AppSecretProof(a.opts.AppSecret, token.text)
		if c.verb == http.MethodPost && c.Body == nil {
			form.Set("appsecret_proof", proof)
		} else {
			query.Set("appsecret_proof", proof)
		}
	}
	addr.RawQuery = query.Encode()
	body, size, kind, err := c.payload(form)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, c.verb, addr.String(), body)
	if err != nil {
		return nil, err
	}
	if c.Body != nil {
		req.ContentLength, req.GetBody = size, nil
	}
	for name, values := range c.Header {
		for _, v := range values {
			if a.secrets.in(v) || strings.ContainsAny(v, "\r\n") {
				return nil, fault.New(fault.ArgumentInvalid, "the header %s of an upload holds a token or a line break", http.CanonicalHeaderKey(name))
			}
			req.Header.Add(name, v)
		}
	}
	scheme := "Bearer "
	if c.Host == UploadHost || c.Body != nil {
		scheme = "OAuth "
	}
	req.Header.Set("Authorization", scheme+token.text)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", a.userAgent(ctx))
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	return req, nil
}

// payload is the body of a try, its length and type.
func (c *call) payload(form url.Values) (body io.Reader, size int64, kind string, err error) {
	switch {
	case c.Body != nil:
		// The transport closes what can be closed, and another try would find it closed.
		return struct{ io.Reader }{c.Body}, c.BodySize, "application/octet-stream", nil
	case len(c.Files) > 0:
		return multipartBody(form, c.Files)
	case c.verb == http.MethodPost:
		text := form.Encode()
		return strings.NewReader(text), int64(len(text)), "application/x-www-form-urlencoded", nil
	}
	return nil, 0, "", nil
}

var quoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", "", "\n", "")

func multipartBody(form url.Values, files []File) (io.Reader, int64, string, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, list := range form {
		for _, v := range list {
			if err := w.WriteField(name, v); err != nil {
				return nil, 0, "", err
			}
		}
	}
	for _, f := range files {
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", `form-data; name="`+quoted.Replace(f.Field)+`"; filename="`+quoted.Replace(f.Name)+`"`)
		kind := f.Type
		if kind == "" {
			kind = "application/octet-stream"
		}
		h.Set("Content-Type", kind)
		part, err := w.CreatePart(h)
		if err != nil {
			return nil, 0, "", err
		}
		if _, err := part.Write(f.Body); err != nil {
			return nil, 0, "", err
		}
	}
	if err := w.Close(); err != nil {
		return nil, 0, "", err
	}
	return bytes.NewReader(b.Bytes()), int64(b.Len()), w.FormDataContentType(), nil
}

// read reads an answer: its usage headers, its JSON, and whether it is a success.
func (a *API) read(c *call, token credential, res *http.Response) (*Response, *failure) {
	usage := a.pools.see(c, res.Header, a.opts.Now())
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAPIAnswer+1))
	if err != nil {
		return nil, lost(c.Request, err, false)
	}
	if len(body) > maxAPIAnswer {
		return nil, &failure{class: graphspec.ClassTooBig, err: fault.New(fault.TooMuchData, "the answer to %s is larger than 8 MiB", shape(c.Request))}
	}
	got, err := scrub(body, c.own.mode)
	if err != nil {
		return nil, a.unreadable(c.Request, res, body)
	}
	if got.fault != nil {
		f := a.refused(c.Request, res.StatusCode, got.fault, max(usage.RegainAccess, retryAfter(res.Header)))
		a.limited(c, token, f)
		return nil, f
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, a.unreadable(c.Request, res, body)
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
