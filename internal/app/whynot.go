package app

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"sluice/internal/fault"
	"sluice/internal/mcpwire/exchange"
)

// problem is what an error of a check says to a person.
func problem(err error) (code, text, fix string) {
	if f, ok := fault.As(err); ok {
		return string(f.Code), f.Message, f.Fix
	}
	e := exchange.As(err)
	text = e.Message
	if why := whyNot(e); why != "" && !strings.Contains(text, why) {
		text += ": " + why
	}
	return string(e.Code), text, e.Fix
}

// whyNot is the cause of an error in a few words of ours: what the system or the
// network says may repeat what is not for a screen.
func whyNot(e *exchange.Error) string {
	if status, ok := e.Data["status"].(int); ok {
		return "HTTP " + strconv.Itoa(status)
	}
	err := e.Cause
	for inner := e; errors.As(err, &inner) && inner.Cause != nil; {
		err = inner.Cause
	}
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such host"
	case errors.As(err, &dns):
		return "its host name can't be looked up now"
	case errors.As(err, &cert):
		return "its certificate can't be verified"
	case errors.As(err, &record):
		return "it does not speak TLS"
	case errors.Is(err, syscall.ECONNREFUSED), strings.Contains(err.Error(), "actively refused"):
		return "connection refused"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to it"
	case errors.Is(err, exec.ErrNotFound), strings.HasSuffix(err.Error(), "on the PATH"):
		return "the program is not on the PATH"
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such program or directory"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	}
	return ""
}

// silence says that a server did not answer within the time of a check.
func silence(name string, command bool, within fmt.Stringer) *exchange.Error {
	fix := "check that its URL is right, and what it waits for"
	if command {
		fix = "run its command by hand; with --log-level info you see what it writes to stderr. What is fetched first (npx, uvx) may be there the next time"
	}
	return &exchange.Error{Code: exchange.TimedOut, Message: fmt.Sprintf("server %q did not answer within %s", name, within), Fix: fix}
}
