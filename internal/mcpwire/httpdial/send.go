package httpdial

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"sluice/internal/mcpwire/exchange"
)

// maxRedirects is how often one request may be sent elsewhere within its origin.
const maxRedirects = 3

// maxRenewals is how often one request may be sent with a better credential: a token
// that was renewed may lack a scope.
const maxRenewals = 2

// maxExplanation is what is read of a body that only explains a status.
const maxExplanation = 1 << 20

// send sends a request and returns the answer to it, whatever its status, except for
// what is settled between Sluice and the upstream: credentials and redirects. Its
// errors are those a client may see, or that of the context. o is used up.
func (f *flight) send(caller exchange.Caller, o *outgoing) (*http.Response, error) {
	defer o.release()
	u := f.u
	plain := len(o.fields)
	target := u.url
	for renewals, redirects := 0, 0; ; {
		if err := f.authorize(caller, o, plain); err != nil {
			return nil, err
		}
		resp, err := f.connect(target, o)
		if err != nil {
			return nil, err
		}
		resp.Body = &body{resp.Body, f}
		switch status := resp.StatusCode; {
		case status == http.StatusUnauthorized, status == http.StatusForbidden && !explains(resp):
			discard(resp)
			again, err := f.refused(caller, resp)
			if err != nil || !again || renewals == maxRenewals {
				return nil, u.credentialLost(status, err)
			}
			renewals++
		case status >= 300 && status < 400:
			discard(resp)
			if redirects++; redirects > maxRedirects {
				return nil, u.notMCP("redirects in a circle")
			}
			if target, err = u.redirect(target, resp); err != nil {
				return nil, err
			}
		default:
			if encoding := resp.Header.Get("Content-Encoding"); strings.EqualFold(encoding, "identity") {
				resp.Header.Del("Content-Encoding") // which is none
			} else if encoding != "" {
				_ = resp.Body.Close()
				if !o.repeat {
					return nil, u.brokeOff(errors.New("it answered in an encoding that it was not asked for"))
				}
				return nil, u.notMCP("answered in an encoding that it was not asked for")
			}
			return resp, nil
		}
	}
}

// explains reports whether a 403 is about the message, not about who sends it.
func explains(resp *http.Response) bool {
	return resp.Header.Get("Www-Authenticate") == "" && mediaType(resp.Header) == typeJSON
}

// authorize adds Sluice's own credential, and nothing it could take from the client.
func (f *flight) authorize(caller exchange.Caller, o *outgoing, plain int) error {
	o.fields = o.fields[:plain]
	if f.u.o.Credential != nil {
		own := http.Header{}
		if err := f.u.o.Credential.Authorize(f.ctx, caller, own); err != nil {
			if stopped := f.stopped(); stopped != nil {
				return stopped
			}
			return f.u.credentialLost(http.StatusUnauthorized, err)
		}
		f.sent = own
		for name, values := range own {
			for _, v := range values {
				o.replace(http.CanonicalHeaderKey(name), v, plain)
			}
		}
	}
	if err := o.check(); err != nil {
		return f.failed(err)
	}
	return nil
}

// replace adds a header that may have a value already, which the configured one
// overrules; headers that the protocol owns stay.
func (o *outgoing) replace(name, value string, plain int) {
	switch name {
	case "Content-Type", "Accept", "Content-Length", "Host", "Connection", "Transfer-Encoding":
		return
	}
	for i, f := range o.fields[:plain] {
		if f.name == name {
			o.fields[i].value = value
			return
		}
	}
	o.add(name, value)
}

// connect sends the request once; again where the connection broke before an answer
// and the method only reads.
func (f *flight) connect(target *url.URL, o *outgoing) (*http.Response, error) {
	u := f.u
	for attempt := 0; ; attempt++ {
		if wait, ok := u.breaker.admit(); !ok {
			return nil, u.backingOff(wait)
		}
		if u.breaker.trouble.Load() {
			o.connected = u.breaker.reached
		}
		resp, err := u.carrier.send(f.ctx, target, o)
		if err == nil {
			u.breaker.reached()
			f.hear()
			return resp, nil
		}
		switch {
		case f.ctx.Err() != nil && !errors.Is(f.stopped(), &exchange.Error{Code: exchange.TimedOut}):
			u.breaker.unknown()
		case neverSent(err):
			if u.breaker.failed() {
				u.o.Log.Warn("upstream can't be reached; backing off", "server", u.o.Server, "error", err)
			}
		default:
			u.breaker.reached()
			if o.repeat && attempt == 0 && f.ctx.Err() == nil && !isMalformed(err) {
				continue
			}
		}
		return nil, f.failed(err)
	}
}

func isMalformed(err error) bool {
	var malformed *malformedError
	return errors.As(err, &malformed)
}

// refused lets the credential see why it was refused.
func (f *flight) refused(caller exchange.Caller, resp *http.Response) (again bool, err error) {
	if f.u.o.Credential == nil || f.parting {
		return false, nil
	}
	again, err = f.u.o.Credential.Refused(exchange.WithSent(f.ctx, f.sent), caller, resp.StatusCode, resp.Header)
	if stopped := f.stopped(); err != nil && stopped != nil {
		return false, stopped
	}
	return again, err
}

// credentialLost is what a refusal comes to: the credential's own words where it has
// some. The upstream's challenge is not the client's to see.
func (u *Upstream) credentialLost(status int, err error) error {
	var own *exchange.Error
	if errors.As(err, &own) || err != nil && cancelled(err) {
		return err
	}
	e := &exchange.Error{Code: exchange.CredentialLost, Message: u.named() + " refuses the credential that Sluice has for it",
		Fix: "renew the credential that is configured for this server", Cause: err}
	switch {
	case status == http.StatusForbidden:
		e.Message, e.Fix = u.named()+" forbids the call (HTTP 403)", "check what the credential that is configured for this server may do"
	case u.o.Credential == nil:
		e.Message, e.Fix = u.named()+" asks for a credential and none is configured", "configure a credential for this server"
	}
	return e
}

// redirect is where an answer points to: within the origin, and with the method and
// body kept. It counts for this request alone, since others are other callers'.
func (u *Upstream) redirect(from *url.URL, resp *http.Response) (*url.URL, error) {
	status := resp.StatusCode
	to, err := from.Parse(resp.Header.Get("Location"))
	switch {
	case status != http.StatusTemporaryRedirect && status != http.StatusPermanentRedirect, err != nil:
		return nil, u.notMCP("redirects in a way that loses the message")
	case to.Scheme != from.Scheme || to.Host != from.Host || to.User != nil:
		return nil, u.notMCP("redirects to another origin, which is not followed")
	}
	to.Fragment = ""
	if status == http.StatusPermanentRedirect {
		u.moved.Do(func() {
			u.o.Log.Warn("an upstream has moved: each call makes a detour until its URL is changed in the configuration", "server", u.o.Server)
		})
	}
	return to, nil
}

// discard reads what little an answer says, so that its connection can be used again.
func discard(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 16<<10)
	_ = resp.Body.Close()
}
