package httpdial

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"

	"sluice/internal/mcpwire/exchange"
)

// named is the upstream in a sentence.
func (u *Upstream) named() string {
	if u.o.Server == "" {
		return "the upstream"
	}
	return "server " + strconv.Quote(u.o.Server)
}

func (u *Upstream) brokeOff(cause error) error {
	return &exchange.Error{Code: exchange.BrokeOff, Message: u.named() + " broke off before its answer was complete; the call may have been done",
		Fix: "find out whether the call took effect before sending it again", Cause: cause}
}

func (u *Upstream) timedOut(cause error) error {
	return &exchange.Error{Code: exchange.TimedOut, Message: u.named() + " did not answer in time; the call may have been done",
		Fix: "find out whether the call took effect before sending it again", Cause: cause}
}

func (u *Upstream) unreachable(cause error) error {
	return &exchange.Error{Code: exchange.Unreachable, Message: u.named() + " can't be reached",
		Fix: "check that it runs and that its URL is right", Cause: cause}
}

func (u *Upstream) notMCP(what string) error {
	return &exchange.Error{Code: exchange.Unreachable, Message: u.named() + " " + what,
		Fix: "check that the URL is that of an MCP endpoint"}
}

func (u *Upstream) wrongEra(status int) error {
	return &exchange.Error{Code: exchange.WrongEra, Message: u.named() + " does not speak this version of the protocol",
		Fix: "let Sluice choose the version, or check that the URL is that of an MCP endpoint", Data: map[string]any{"status": status}}
}

func (u *Upstream) sessionLost() error {
	return &exchange.Error{Code: exchange.SessionLost, Message: u.named() + " ended the session", Fix: "initialize again"}
}

// failed says what an error of the carrier means.
func (f *flight) failed(err error) error {
	u := f.u
	if stopped := f.stopped(); stopped != nil {
		if neverSent(err) && errors.Is(stopped, &exchange.Error{Code: exchange.TimedOut}) {
			return u.unreachable(err)
		}
		return stopped
	}
	var blocked *blockedError
	var malformed *malformedError
	switch {
	case errors.As(err, &malformed):
		return &exchange.Error{Code: exchange.CannotCarry, Message: "the message can't be sent over HTTP: " + malformed.problem,
			Fix: "use visible ASCII characters only"}
	case errors.As(err, &blocked):
		return &exchange.Error{Code: exchange.Unreachable, Message: u.named() + " resolves to a private address, which is not allowed for it",
			Fix: "write the address into the URL, or allow private addresses for this server", Cause: err}
	case neverSent(err):
		return u.unreachable(err)
	}
	return u.brokeOff(err)
}

// neverSent reports whether the connection failed before a message could travel on it.
func neverSent(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect" || op.Op == "socks connect"),
		errors.As(err, &dns), errors.As(err, &cert), errors.As(err, &record), errors.As(err, &alert):
		return true
	}
	return strings.HasSuffix(err.Error(), "TLS handshake timeout") // net/http keeps its type to itself
}

// cancelled reports whether the client gave up or its time did.
func cancelled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, &exchange.Error{Code: exchange.TimedOut})
}

// refused is the error for a status that no message explains.
func (u *Upstream) refused(resp *http.Response) error {
	status := resp.StatusCode
	e := &exchange.Error{Data: map[string]any{"status": status}}
	text := u.named() + " answered with HTTP " + strconv.Itoa(status)
	switch {
	case status == http.StatusForbidden:
		return u.credentialLost(status, nil)
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != "":
		e.Code, e.Message, e.Fix = exchange.BackingOff, u.named()+" is busy (HTTP "+strconv.Itoa(status)+")", "send the call again later"
		if after, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && after >= 0 {
			e.Data["retry_after"] = after
		}
	case status == http.StatusBadGateway, status == http.StatusServiceUnavailable:
		e.Code, e.Message, e.Fix = exchange.Unreachable, text, "send the call again later"
	case status >= 500:
		e.Code, e.Message, e.Fix = exchange.BrokeOff, text+"; the call may have been done",
			"find out whether the call took effect before sending it again"
	case status == http.StatusRequestEntityTooLarge:
		e.Code, e.Message, e.Fix = exchange.CannotCarry, "the message is larger than "+u.named()+" takes", "send less at a time"
	default:
		e.Code, e.Message, e.Fix = exchange.Unreachable, text, "check that the URL is that of an MCP endpoint"
	}
	return e
}
