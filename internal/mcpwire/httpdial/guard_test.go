package httpdial

import (
	"errors"
	"testing"

	"sluice/internal/mcpwire/exchange"
)

func TestPrivate(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"127.0.0.1": true, "localhost": true, "api.localhost.": true, "10.1.2.3": true, "192.168.0.1": true, "172.16.0.1": true,
		"169.254.169.254": true, "100.64.0.1": true, "0.0.0.0": true, "::1": true, "fe80::1%eth0": true, "fd00::1": true,
		"::ffff:127.0.0.1": true, "64:ff9b::7f00:1": true, "::7f00:1": true, "2001::1": true, "224.0.0.1": true, "255.255.255.255": true,
		"8.8.8.8": false, "2606:4700::1111": false, "example.com": false, "172.32.0.1": false,
	} {
		if got := private(host); got != want {
			t.Errorf("private(%q) is %v", host, got)
		}
	}
	guard := guardFor("example.com", false)
	if guard("tcp", "10.0.0.1:443", nil) == nil || guard("tcp", "[::1]:443", nil) == nil {
		t.Error("a public name may resolve to a private address")
	}
	if err := guard("tcp", "8.8.8.8:443", nil); err != nil {
		t.Error(err)
	}
	if guardFor("127.0.0.1", false) != nil || guardFor("example.com", true) != nil {
		t.Error("what was allowed is guarded")
	}
}

// A public name that resolves to this machine, by whoever carries.
func TestNothingIsSentToAPrivateAddress(t *testing.T) {
	t.Parallel()
	up, c := scripted(t, 64)
	plain := up.carrier.(*plainCarrier)
	plain.dialer.Control = guardFor("example.com", false)
	for _, by := range []carrier{plain, plain.large} {
		up.carrier = by
		err := up.Call(t.Context(), c, &drain{})
		var e *exchange.Error
		if !errors.As(err, &e) || e.Code != exchange.Unreachable || e.Message != "the upstream resolves to a private address, which is not allowed for it" {
			t.Errorf("error is %v", err)
		}
	}
	up.carrier = plain
}
