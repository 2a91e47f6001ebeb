package credential

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"sluice/internal/fault"
	"sluice/internal/mcpwire/exchange"
)

// None is the credential of an upstream that asks for none.
func None(server string) exchange.Credential { return none{server} }

type none struct{ server string }

func (none) Authorize(context.Context, exchange.Caller, http.Header) error { return nil }

func (n none) Refused(_ context.Context, _ exchange.Caller, status int, _ http.Header) (bool, error) {
	return false, &exchange.Error{
		Code:    exchange.CredentialLost,
		Message: fmt.Sprintf("server %q asks for a credential (HTTP %d), and none is configured", n.server, status),
		Fix:     "configure headers or OAuth for this server",
	}
}

// StaticOptions describe headers that everybody's calls carry.
type StaticOptions struct {
	Server  string
	Headers []Header
	Getenv  func(string) string // os.Getenv when nil
	Now     func() time.Time    // time.Now when nil
}

// NewStatic returns a credential of static headers. It reads no secret yet.
func NewStatic(o StaticOptions) (exchange.Credential, error) {
	if len(o.Headers) == 0 {
		return None(o.Server), nil
	}
	s := &static{o: o, values: make([][]string, len(o.Headers))}
	s.o.Headers = append([]Header(nil), o.Headers...)
	for i, h := range s.o.Headers {
		err := CheckHeaderName(h.Name)
		if err == nil {
			err = h.Value.Check()
		}
		if err != nil {
			return nil, fault.New(fault.Usage, "server %q, header %s: %v", o.Server, h.Name, err)
		}
		s.o.Headers[i].Name = http.CanonicalHeaderKey(h.Name)
	}
	if s.o.Getenv == nil {
		s.o.Getenv = os.Getenv
	}
	if s.o.Now == nil {
		s.o.Now = time.Now
	}
	return s, nil
}

// rereadAfter bounds how often a refusal makes files be read and commands run.
const rereadAfter = 5 * time.Second

type static struct {
	o StaticOptions

	reading sync.Mutex // held while secrets are read, so that they are read once
	mu      sync.RWMutex
	values  [][]string // one slice per header, never written to after it is here
	readAt  time.Time  // zero until the first reading
}

func (s *static) Authorize(ctx context.Context, _ exchange.Caller, h http.Header) error {
	s.mu.RLock()
	ready := !s.readAt.IsZero()
	s.mu.RUnlock()
	if !ready {
		if _, err := s.read(ctx, true); err != nil {
			return err
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i := range s.o.Headers {
		h[s.o.Headers[i].Name] = s.values[i]
	}
	return nil
}

// read reads every secret and reports whether one of them changed.
func (s *static) read(ctx context.Context, first bool) (changed bool, err error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	s.mu.RLock()
	before, readAt := s.values, s.readAt
	s.mu.RUnlock()
	if first && !readAt.IsZero() {
		return false, nil // another call has read them
	}
	if !first && s.o.Now().Sub(readAt) < rereadAfter {
		// Read a moment ago, perhaps because of the same refusal: the call that is
		// here may have been sent with what was there before.
		return true, nil
	}
	values := make([][]string, len(s.o.Headers))
	for i, h := range s.o.Headers {
		text, err := h.Value.read(ctx, s.o.Getenv)
		if err != nil {
			return false, &exchange.Error{
				Code:    exchange.CredentialLost,
				Message: fmt.Sprintf("the header %s for server %q is missing: %v", h.Name, s.o.Server, err),
				Fix:     "put the secret where the configuration says it is",
			}
		}
		values[i] = []string{text}
		changed = changed || before[i] == nil || before[i][0] != text
	}
	s.mu.Lock()
	s.values, s.readAt = values, s.o.Now()
	s.mu.Unlock()
	return changed, nil
}

func (s *static) Refused(ctx context.Context, _ exchange.Caller, status int, _ http.Header) (bool, error) {
	if status == http.StatusUnauthorized {
		for _, h := range s.o.Headers {
			if !h.Value.changes() {
				continue
			}
			changed, err := s.read(ctx, false)
			if changed || err != nil {
				return changed, err
			}
			break
		}
	}
	return false, &exchange.Error{
		Code:    exchange.CredentialLost,
		Message: fmt.Sprintf("server %q refuses the configured headers (HTTP %d)", s.o.Server, status),
		Fix:     "check " + s.o.Headers[0].Value.place() + ": the secret may have expired or lack a permission",
	}
}
