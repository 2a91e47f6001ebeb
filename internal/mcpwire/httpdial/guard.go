package httpdial

import (
	"net"
	"net/netip"
	"strings"
	"syscall"
)

// blockedError is an address that the upstream's name may not resolve to.
type blockedError struct{ address string }

func (e *blockedError) Error() string { return "address " + e.address + " is not public" }

// guardFor is the check of addresses before they are connected to, after the name was
// resolved: a name that an attacker controls must not lead into the private network.
// Nil where the URL itself says that it means a private address.
func guardFor(host string, allowPrivate bool) func(network, address string, _ syscall.RawConn) error {
	if allowPrivate || private(host) {
		return nil
	}
	return func(_, address string, _ syscall.RawConn) error {
		host, _, err := net.SplitHostPort(address)
		if err != nil || private(host) {
			return &blockedError{address}
		}
		return nil
	}
}

// Ranges that are not public, beyond those that netip knows.
var special = func() []netip.Prefix {
	var list []netip.Prefix
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32", "2002::/16", "fec0::/10",
	} {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}()

// private reports whether host is written as an address that is not public, or as
// localhost.
func private(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	ip = ip.WithZone("").Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return true
	}
	for _, p := range special {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}
