package credential

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestReach(t *testing.T) {
	t.Parallel()
	const (
		public, loopback, private, linkLocal, never = "8.8.8.8", "127.0.0.1", "10.1.2.3", "169.254.169.254", "0.0.0.0"
	)
	tests := []struct {
		upstream     string
		allowPrivate bool
		reaches      []string
	}{
		{"https://mcp.example.com/mcp", false, []string{public}},
		{"https://mcp.example.com/mcp", true, []string{public, private}},
		{"http://localhost:3000/mcp", false, []string{public, loopback}},
		{"http://127.0.0.1:3000/mcp", false, []string{public, loopback}},
		{"http://[::1]:3000/mcp", false, []string{public, loopback}},
		{"http://localhost:3000/mcp", true, []string{public, loopback, private}},
		{"https://10.0.0.5/mcp", false, []string{public, private}},
		{"https://169.254.1.1/mcp", false, []string{public, linkLocal}},
	}
	for _, tt := range tests {
		u, err := url.Parse(tt.upstream)
		if err != nil {
			t.Fatal(err)
		}
		r := reachOf(u, tt.allowPrivate)
		var got []string
		for _, a := range []string{public, loopback, private, linkLocal, never} {
			if r.allows(netip.MustParseAddr(a)) {
				got = append(got, a)
			}
		}
		if diff := cmp.Diff(tt.reaches, got); diff != "" {
			t.Errorf("%s, allow private %v (-want +got):\n%s", tt.upstream, tt.allowPrivate, diff)
		}
	}
}

func TestAddressesThatAreNotPublic(t *testing.T) {
	t.Parallel()
	for _, a := range []string{
		"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "fd00::1", "100.64.0.1", "198.18.0.1",
		"169.254.169.254", "fe80::1", "fec0::1", "0.0.0.0", "0.1.2.3", "::", "255.255.255.255", "240.0.0.1", "224.0.0.1", "ff02::1",
		"64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "2001::1", "192.0.0.8",
	} {
		if (reach{}).allows(netip.MustParseAddr(a)) {
			t.Errorf("%s counts as public", a)
		}
	}
	for _, a := range []string{"8.8.8.8", "1.1.1.1", "2606:4700::1111", "172.15.0.1", "172.32.0.1"} {
		if !(reach{}).allows(netip.MustParseAddr(a)) {
			t.Errorf("%s does not count as public", a)
		}
	}
}

func TestANetworkErrorNamesTheHostOnly(t *testing.T) {
	t.Parallel()
	lookup := &net.DNSError{Err: "read udp 10.0.0.7:5353: i/o timeout", Name: "auth.example.com", Server: "10.0.0.53:53"}
	e := &fetchError{host: "auth.example.com", cause: &url.Error{Op: "Get", URL: "https://auth.example.com/?secret", Err: &net.OpError{Op: "dial", Err: lookup}}}
	if got := e.Error(); got != "auth.example.com does not answer: its name can't be resolved" {
		t.Errorf("error is %q", got)
	}
}

func TestWhereANameLeads(t *testing.T) {
	t.Parallel()
	for at, inside := range map[string]bool{
		"https://10.1.2.3/mcp": true, "https://[fd00::1]/mcp": true, "http://localhost:1/mcp": true,
		"https://8.8.8.8/mcp": false, "https://169.254.169.254/mcp": false, "": false,
	} {
		if got := LeadsInside(t.Context(), at); got != inside {
			t.Errorf("%q leads inside: %v", at, got)
		}
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if LeadsInside(over, "https://mcp.example.com/mcp") {
		t.Error("a name that could not be resolved leads inside")
	}
}

// A name that was public when it was judged may resolve to anything when it is dialled.
func TestTheAddressIsJudgedWhenItIsDialled(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(srv.Close)
	for _, tt := range []struct {
		reach reach
		ok    bool
	}{{reach{}, false}, {reach{private: true, linkLocal: true}, false}, {reach{loopback: true}, true}} {
		f := newFetcher(tt.reach)
		resp, err := f.client.Get(srv.URL)
		if err == nil {
			_ = resp.Body.Close()
		}
		if (err == nil) != tt.ok || (err != nil && !errors.Is(err, errBlocked)) {
			t.Errorf("%+v: %v", tt.reach, err)
		}
		f.client.CloseIdleConnections()
	}
}

func TestChallenges(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		lines []string
		want  challenge
	}{
		{"nothing", nil, challenge{}},
		{"a scheme alone", []string{"Bearer"}, challenge{bearer: true}},
		{"everything", []string{`Bearer realm="x", error="insufficient_scope", scope="a b  a", resource_metadata="https://h/m"`},
			challenge{bearer: true, err: "insufficient_scope", scopes: []string{"a", "b"}, resourceMetadata: "https://h/m"}},
		{"tokens without quotes", []string{`bearer error=invalid_token,scope=a`}, challenge{bearer: true, err: "invalid_token", scopes: []string{"a"}}},
		{"another scheme before", []string{`Basic realm="a, Bearer scope=\"x\"", Bearer scope="b"`}, challenge{bearer: true, scopes: []string{"b"}}},
		{"another scheme after", []string{`Bearer scope="b", DPoP scope="c", algs="ES256"`}, challenge{bearer: true, scopes: []string{"b"}}},
		{"on two lines", []string{`Basic realm="x"`, `Bearer scope="b"`}, challenge{bearer: true, scopes: []string{"b"}}},
		{"a parameter twice", []string{`Bearer scope="a", scope="b"`}, challenge{bearer: true, scopes: []string{"a"}}},
		{"a token68", []string{`Negotiate YWJj==, Bearer scope="a"`}, challenge{bearer: true, scopes: []string{"a"}}},
		{"an open quote", []string{`Bearer scope="a`}, challenge{bearer: true}},
		{"scopes that are none", []string{`Bearer scope="a b\"c d\\e ` + "\x01" + `"`}, challenge{bearer: true, scopes: []string{"a"}}},
		{"too long", []string{`Bearer scope="` + strings.Repeat("a ", maxChallenge) + `"`}, challenge{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := parseChallenge(http.Header{"Www-Authenticate": tt.lines})
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(challenge{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%q (-want +got):\n%s", tt.lines, diff)
			}
		})
	}
}

func FuzzChallenge(f *testing.F) {
	f.Add(`Bearer realm="x", error="insufficient_scope", scope="a b", resource_metadata="https://h/m"`)
	f.Add(`Basic YWJj==, Bearer scope=`)
	f.Fuzz(func(t *testing.T, line string) {
		c := parseChallenge(http.Header{"Www-Authenticate": {line}})
		for _, s := range c.scopes {
			if s == "" || strings.ContainsAny(s, " \"\\\r\n") {
				t.Errorf("%q: scope %q", line, s)
			}
		}
	})
}

func TestWhereMetadataIsLookedFor(t *testing.T) {
	t.Parallel()
	for resource, want := range map[string]bool{
		"https://mcp.example.com/a/mcp": true, "https://mcp.example.com/a": true, "https://mcp.example.com": true, "https://mcp.example.com/": true,
		"HTTPS://MCP.example.com:443/a/mcp/": true, "https://mcp.example.com/a/mc": false, "https://mcp.example.com/a/mcp/x": false,
		"https://example.com/a/mcp": false, "https://mcp.example.com.evil.example/a/mcp": false, "http://mcp.example.com/a/mcp": false,
		"https://mcp.example.com:8443/a/mcp": false, "https://u@mcp.example.com/a/mcp": false, "https://mcp.example.com/a/mcp#f": false, "": false,
		"https://mcp.example.com/a/mcp?x": false,
	} {
		u, err := url.Parse("https://mcp.example.com/a/mcp")
		if err != nil {
			t.Fatal(err)
		}
		if got := resourceCovers(resource, u); got != want {
			t.Errorf("metadata for %q speaks for the server: %v, want %v", resource, got, want)
		}
	}
}
