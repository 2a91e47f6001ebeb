package app

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"sluice/internal/fault"
	"sluice/internal/mcpwire/exchange"
)

func TestProblemsHaveCausesWithoutSecrets(t *testing.T) {
	t.Parallel()
	down := func(cause error) error {
		return fmt.Errorf("asking: %w", &exchange.Error{Code: exchange.Unreachable, Message: "m", Fix: "f", Cause: cause})
	}
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"refused", down(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}), "m: connection refused"},
		{"no such host", down(&net.OpError{Op: "dial", Err: &net.DNSError{Name: "hunter2", IsNotFound: true}}), "m: no such host"},
		{"resolver", down(&net.DNSError{Name: "hunter2", IsTimeout: true}), "m: its host name can't be looked up now"},
		{"a cause of a cause", down(&exchange.Error{Code: exchange.BrokeOff, Message: "hunter2", Cause: syscall.ECONNREFUSED}), "m: connection refused"},
		{"a status", &exchange.Error{Message: "m", Data: map[string]any{"status": 404}}, "m: HTTP 404"},
		{"a status that is said", &exchange.Error{Message: "m (HTTP 404)", Data: map[string]any{"status": 404}}, "m (HTTP 404)"},
		{"no directory", down(&os.PathError{Op: "chdir", Path: "hunter2", Err: os.ErrNotExist}), "m: there is no such program or directory"},
		{"something else", down(errors.New("hunter2")), "m"},
		{"no cause", down(nil), "m"},
		{"of the configuration", fault.New(fault.Usage, "m").Wrap(errors.New("hunter2")), "m"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, text, _ := problem(tt.err); text != tt.want {
				t.Errorf("%q, want %q", text, tt.want)
			}
		})
	}
}
