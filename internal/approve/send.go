package approve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// webhook expands and checks a webhook's URL. Its errors quote nothing of it: the path
// of such URLs is often the secret.
func (s *Service) webhook(text string) (*url.URL, error) {
	name, isVariable := strings.CutPrefix(text, "${")
	if isVariable {
		name = strings.TrimSuffix(name, "}")
		value, known := "", false
		if s.o.Variable != nil {
			value, known = s.o.Variable(name)
		}
		if !known || value == "" {
			return nil, fmt.Errorf("the variable %s of a webhook is not set", name)
		}
		text = value
	}
	return CheckWebhook(text)
}

// CheckWebhook reads a webhook's URL: https, or http on this machine.
func CheckWebhook(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, errors.New("a webhook is an absolute URL")
	case u.User != nil:
		return nil, errors.New("a webhook's URL holds no user name: put a secret into its path")
	case u.Scheme == "https" || u.Scheme == "http" && onThisMachine(u.Hostname()):
		return u, nil
	}
	return nil, errors.New("a webhook is an https URL, or http on this machine")
}

func onThisMachine(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

var errInside = errors.New("the webhook's address lies inside a private network; mcp.private_webhooks allows it")

// inside are networks that a webhook does not lead into unasked.
var inside = []netip.Prefix{
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("fec0::/10"),
}

// never are addresses that no service has, or that lead to another one.
var never = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("2002::/16"),
}

// reachable judges the address that a name led to, at the moment it is connected to.
func reachable(a netip.Addr, loopback, private bool) bool {
	a = a.Unmap().WithZone("")
	within := func(list []netip.Prefix) bool {
		for _, p := range list {
			if p.Contains(a) {
				return true
			}
		}
		return false
	}
	switch {
	case !a.IsValid():
		return false
	case a.IsLoopback():
		return loopback
	case within(never):
		return false
	case a.IsPrivate() || within(inside):
		return private
	}
	return a.IsGlobalUnicast()
}

// post delivers a body to a webhook. Redirects are not followed, no proxy is asked.
func post(ctx context.Context, to *url.URL, private bool, body []byte, header map[string]string) error {
	loopback := onThisMachine(to.Hostname())
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !reachable(at.Addr(), loopback, private) {
			return errInside
		}
		return nil
	}}
	transport := &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, MaxResponseHeaderBytes: 64 << 10}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return &finalError{errors.New("the webhook can't be asked")}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "sluice")
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := client.Do(req)
	if err != nil { // its text names the URL
		if errors.Is(err, errInside) {
			return &finalError{errInside}
		}
		return errors.New("the webhook can't be reached")
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.CopyN(io.Discard, res.Body, 1<<16)
	if res.StatusCode/100 == 2 {
		return nil
	}
	failure := fmt.Errorf("the webhook answered %d", res.StatusCode)
	switch res.StatusCode {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return failure
	}
	if res.StatusCode/100 == 5 {
		return failure
	}
	return &finalError{failure}
}

// run hands a body to a program, in an environment that holds nothing of Sluice's.
func run(ctx context.Context, command []string, body []byte) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin = bytes.NewReader(append(body, '\n'))
	cmd.Env = clean(os.Environ())
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return &finalError{errors.New("the program of a notification is not there")}
		}
		return errors.New("the program of a notification failed")
	}
	return nil
}

// clean keeps what a program needs to start: tokens and passwords are in other
// variables.
func clean(env []string) []string {
	var out []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		switch strings.ToUpper(name) {
		case "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "SYSTEMROOT", "COMSPEC", "TEMP", "PATHEXT":
			out = append(out, kv)
		}
	}
	return out
}
