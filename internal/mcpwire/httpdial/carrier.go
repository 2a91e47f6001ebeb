package httpdial

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"
)

// carrier sends a request and returns the head of the answer.
type carrier interface {
	send(ctx context.Context, u *url.URL, o *outgoing) (*http.Response, error)
	close()
}

// newCarrier chooses who carries requests to u.
func newCarrier(o Options, u *url.URL) (carrier, error) {
	if o.Transport != nil {
		return &netCarrier{transport: o.Transport}, nil
	}
	proxy, err := o.Proxy(&http.Request{URL: u})
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: o.DialTimeout, KeepAlive: 30 * time.Second}
	if proxy == nil { // a proxy is where the operator says, and resolves for itself
		dialer.Control = guardFor(u.Hostname(), o.AllowPrivate)
	}
	transport := &http.Transport{
		Proxy:                  func(*http.Request) (*url.URL, error) { return proxy, nil },
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    o.DialTimeout,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		MaxIdleConns:           1024,
		MaxIdleConnsPerHost:    1024,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: o.MaxHeader,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		// A connection that many calls share and that nobody answers on any more is given
		// up soon, and not after the time limit of each of them.
		HTTP2:           &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
		WriteBufferSize: 16 << 10,
		ReadBufferSize:  16 << 10,
	}
	if u.Scheme == "http" && proxy == nil && looks && simple(u.Host) {
		return newPlainCarrier(o, u, dialer, &netCarrier{transport: transport}), nil
	}
	return &netCarrier{transport: transport}, nil
}

// simple reports whether a host can stand in a request as it is: not so international
// names, and addresses with a zone.
func simple(host string) bool {
	for i := range len(host) {
		if c := host[i]; c <= ' ' || c >= 0x7f || c == '%' {
			return false
		}
	}
	return true
}

// netCarrier is net/http's.
type netCarrier struct{ transport http.RoundTripper }

func (c *netCarrier) send(ctx context.Context, u *url.URL, o *outgoing) (*http.Response, error) {
	if connected := o.connected; connected != nil {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected() }})
	}
	header := make(http.Header, len(o.fields))
	values := make([]string, len(o.fields))
	for i, f := range o.fields {
		values[i] = f.value
		header[f.name] = values[i : i+1 : i+1]
	}
	req := (&http.Request{Method: o.method, URL: u, Host: u.Host, Header: header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}).WithContext(ctx)
	if body := o.body; body != nil {
		req.ContentLength = int64(len(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	return c.transport.RoundTrip(req)
}

func (c *netCarrier) close() {
	if t, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}
