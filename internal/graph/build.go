package graph

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"sluice/capi"
	"sluice/internal/fault"
)

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

// build makes the HTTP request of one try.
func (a *API) build(ctx context.Context, c *call, token credential, raw *part) (*http.Request, error) {
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
	body, size, kind, err := c.payload(form, raw)
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
func (c *call) payload(form url.Values, raw *part) (body io.Reader, size int64, kind string, err error) {
	switch {
	case c.Body != nil:
		return raw, c.BodySize, "application/octet-stream", nil
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
