package identity

import (
	"io"
	"net/http"
	"sort"
	"strings"
	"testing"
)

// Who has no token of a server does not learn whether there is one, whatever is sent.
func TestStrangersDoNotLearnWhichServersThereAre(t *testing.T) {
	t.Parallel()
	g := open(t, "  allowed_origins: [https://app.example.com]\n")
	g.grant("nightly", `{"version":"1","default":"deny"}`)
	// answer is everything that tells one answer from another, without the path that was asked for.
	answer := func(method, path string, more http.Header) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, g.URL+path, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"ping"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		for name, v := range more {
			r.Header[name] = v
		}
		r.Host = r.Header.Get("Host")
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, _ := io.ReadAll(resp.Body)
		resp.Header.Del("Date")
		lines := []string{resp.Status, string(body)}
		for name, v := range resp.Header {
			lines = append(lines, name+": "+strings.Join(v, ", "))
		}
		sort.Strings(lines)
		return strings.ReplaceAll(strings.Join(lines, "\n"), path, "PATH")
	}
	many := http.Header{}
	for i := range 120 {
		many["X-"+strings.Repeat("n", i+1)] = []string{"1"}
	}
	preflight := http.Header{"Origin": {"https://app.example.com"}, "Access-Control-Request-Method": {"POST"}}
	for name, more := range map[string]http.Header{
		"nothing":           {},
		"a token":           {"Authorization": {"Bearer slg_x"}},
		"another host":      {"Host": {"attacker.example.com"}},
		"another origin":    {"Origin": {"https://attacker.example.com"}},
		"an allowed origin": {"Origin": {"https://app.example.com"}},
		"a preflight":       preflight,
		"many headers":      many,
	} {
		for _, method := range []string{"POST", "GET", "DELETE", "PUT", "OPTIONS"} {
			if name == "a token" && method != "POST" { // too many of those are another answer
				continue
			}
			for _, tail := range []string{"", "/"} {
				if there, none := answer(method, "/mcp/crm"+tail, more), answer(method, "/mcp/nil"+tail, more); there != none {
					t.Errorf("%s with %s: a server that is there answers\n%s\none that is not\n%s", method, name, there, none)
				}
			}
		}
	}
}
