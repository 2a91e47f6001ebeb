// Package graph is the client of Meta's Graph API.
//
// The token travels in the Authorization header, never in a URL; no error, log
// line or result holds it. There are two clients. Client sends events for the write-back
// engine: every failure is an *Error whose Class says what may be concluded: whether the
// request was provably not processed, whether it may have been, and who has to act. API
// makes every other call, for tools, with retries, limits and faults for people.
package graph

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sluice/capi"
	"sluice/internal/fault"
)

// DefaultBase and DefaultVersion are used unless configured otherwise.
const (
	DefaultBase    = "https://graph.facebook.com"
	DefaultVersion = "v26.0"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 4 << 20

// Client talks to one Graph API with one token. It is safe for concurrent use.
type Client struct {
	base    string
	version string
	token   string
	proof   string
	http    *http.Client
	secrets *secrets
}

// Options configures a Client.
type Options struct {
	Base      string // DefaultBase when empty
	Version   string // DefaultVersion when empty
	Token     string
	AppSecret string            // adds appsecret_proof when set
	Transport http.RoundTripper // a tuned transport when nil
	Timeout   time.Duration     // of one request; 30 s when zero
}

// New returns a client. It does not talk to anybody yet.
func New(o Options) (*Client, error) {
	if o.Base == "" {
		o.Base = DefaultBase
	}
	if o.Version == "" {
		o.Version = DefaultVersion
	}
	u, err := url.Parse(o.Base)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, fault.New(fault.Usage, "the Graph URL is not an http(s) URL without query").WithFix("use %s or the address `sluice sandbox` prints", DefaultBase)
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return nil, fault.New(fault.Usage, "plain http would send the token in the clear to %s", u.Hostname()).WithFix("use https; http is for loopback only")
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	c := &Client{
		base: strings.TrimRight(o.Base, "/"), version: o.Version, token: o.Token, secrets: &secrets{},
		http: &http.Client{Timeout: o.Timeout, Transport: o.Transport},
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if o.Transport == nil {
		c.http.Transport = newTransport()
	}
	if o.AppSecret != "" {
		c.proof = capi.AppSecretProof(o.AppSecret, o.Token)
	}
	for _, secret := range []string{o.Token, o.AppSecret, c.proof} {
		c.secrets.add(secret)
	}
	return c, nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: 20 * time.Second,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       90 * time.Second,
		WriteBufferSize:       64 << 10,
		ForceAttemptHTTP2:     true,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// Realm names where events go: "meta", or one sandbox on this machine. Events of
// one realm say nothing about another.
func (c *Client) Realm() string {
	if c.Remote() {
		return RealmMeta
	}
	return "sandbox " + c.base
}

// RealmMeta is the realm of Meta itself, however it is reached.
const RealmMeta = "meta"

// RealmBase returns the base URL of a sandbox realm, "" for Meta.
func RealmBase(realm string) string {
	base, ok := strings.CutPrefix(realm, "sandbox ")
	if !ok {
		return ""
	}
	return base
}

// Remote reports whether requests leave this machine.
func (c *Client) Remote() bool {
	u, err := url.Parse(c.base)
	return err != nil || !loopback(u.Hostname())
}

// Accepted is the answer to an accepted events request.
type Accepted struct {
	EventsReceived int      `json:"events_received"`
	Messages       []string `json:"messages"`
	TraceID        string   `json:"fbtrace_id"`
	Usage          Usage    `json:"-"`
}

// SendEvents posts a complete request body to the dataset.
func (c *Client) SendEvents(ctx context.Context, dataset string, body []byte) (Accepted, error) {
	var a Accepted
	usage, err := c.do(ctx, http.MethodPost, "/"+url.PathEscape(dataset)+"/events", nil, body, &a)
	a.Usage, a.TraceID = usage, c.trace(a.TraceID)
	for i, m := range a.Messages {
		a.Messages[i] = c.words(m)
	}
	return a, err
}

// Dataset is what a preflight asks about a dataset.
type Dataset struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Consolidated *bool  `json:"is_consolidated_container"`
	Unavailable  bool   `json:"is_unavailable"`
	CRM          bool   `json:"is_crm"`
}

// Dataset reads a dataset.
func (c *Client) Dataset(ctx context.Context, id string) (Dataset, error) {
	var d Dataset
	_, err := c.do(ctx, http.MethodGet, "/"+url.PathEscape(id),
		url.Values{"fields": {"id,name,is_consolidated_container,is_unavailable,is_crm"}}, nil, &d)
	d.Name = c.words(d.Name)
	return d, err
}

func (c *Client) do(ctx context.Context, method, path string, query url.Values, body []byte, into any) (Usage, error) {
	target := c.base + "/" + c.version + path
	if c.proof != "" {
		if query == nil {
			query = url.Values{}
		}
		query.Set("appsecret_proof", c.proof)
	}
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, nil)
	if err != nil {
		return Usage{}, &Error{Class: NotSent, Message: "the request could not be built"}
	}
	var sent *guarded
	if body != nil {
		sent = newGuarded(ctx, body)
		defer sent.end()
		req.Body, req.ContentLength = sent, int64(len(body))
	}
	// A POST is never repeated behind our back: only the ledger may decide that.
	req.GetBody = nil
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "sluice")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if errors.Is(err, errGuard) && !sent.end() {
		return Usage{}, &Error{Class: NotSent, Index: -1, Message: "the right to send ended before the request began", cause: err}
	}
	if err != nil {
		return Usage{}, c.safe(transportError(err))
	}
	defer func() { _ = res.Body.Close() }()
	usage := usageOf(res.Header)
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return usage, &Error{Class: Ambiguous, HTTP: res.StatusCode, Message: "the answer was cut off", cause: err}
	}
	err = decode(res, answer, usage, into)
	var refused *Error
	if errors.As(err, &refused) {
		return usage, c.safe(refused)
	}
	return usage, err
}

// words are Meta's, without what an answer may repeat of the request.
func (c *Client) words(text string) string { return c.secrets.strip(cleanText(text)) }

// trace is the id of an answer, which ends up in the ledger; "" where it is none.
func (c *Client) trace(id string) string { return trace(c.secrets.strip(id)) }

// safe takes out of an error what an answer may repeat of the request, and the address,
// which holds the proof.
func (c *Client) safe(e *Error) *Error {
	e.Title, e.TraceID = c.words(e.Title), c.trace(e.TraceID)
	var at *url.Error
	if errors.As(e.cause, &at) {
		e.cause = at.Err
	}
	if e.cause != nil && c.secrets.in(e.cause.Error()) {
		e.cause = nil
	}
	return e
}

// transportError separates "no byte left" from "bytes may have left": only a
// failed dial is provably the former.
func transportError(err error) *Error {
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") {
		return &Error{Class: NotSent, Message: "no connection could be made", cause: err}
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return &Error{Class: NotSent, Index: -1, Message: "the host name does not resolve", cause: err}
	}
	var certificate *tls.CertificateVerificationError
	var handshake tls.RecordHeaderError
	if errors.As(err, &certificate) || errors.As(err, &handshake) {
		return &Error{Class: NotSent, Index: -1, Message: "no trusted TLS connection could be made", cause: err}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Error{Class: Ambiguous, Message: "no answer in time", cause: err}
	}
	return &Error{Class: Ambiguous, Message: "the connection broke before the answer", cause: err}
}

func decode(res *http.Response, answer []byte, usage Usage, into any) error {
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	looksJSON := kind == "application/json" || kind == "text/javascript" || bytes.HasPrefix(bytes.TrimSpace(answer), []byte("{"))
	var envelope struct {
		Error *payload `json:"error"`
	}
	if looksJSON && json.Unmarshal(answer, &envelope) == nil && envelope.Error != nil {
		e := envelope.Error.classify(res.StatusCode, usage)
		if e.Class == Throttle {
			e.RetryAfter = max(e.RetryAfter, retryAfter(res.Header))
		}
		return e
	}
	if res.StatusCode == http.StatusOK && looksJSON && len(answer) <= maxAnswer {
		if err := json.Unmarshal(answer, into); err == nil {
			return nil
		}
	}
	e := &Error{HTTP: res.StatusCode, Class: Ambiguous, Index: -1, Message: "the answer is not Graph API JSON"}
	switch {
	case res.StatusCode == http.StatusTooManyRequests:
		e.Class, e.RetryAfter = Throttle, retryAfter(res.Header)
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden:
		e.Class = Config
	case res.StatusCode >= 400 && res.StatusCode < 500:
		e.Class = Content
	}
	return e
}

func retryAfter(h http.Header) time.Duration {
	s, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || s < 0 {
		return 0
	}
	return time.Duration(s) * time.Second
}

// describe is the text of an error without anything the server may have echoed.
func describe(code, subcode int) string {
	if subcode != 0 {
		return fmt.Sprintf("Graph error %d/%d", code, subcode)
	}
	return fmt.Sprintf("Graph error %d", code)
}
