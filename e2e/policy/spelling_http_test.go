package policy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/testkit/mcptest"
)

// What HTTP has to say of a body.
func TestSpellingsInHeaders(t *testing.T) {
	t.Parallel()
	type variant struct {
		name, method, path, body string
		header                   http.Header
	}
	variants := []variant{
		{name: "gzip, declared", header: http.Header{"Content-Encoding": {"gzip"}}, body: gzipped(call1)},
		{name: "gzip, declared, not used", header: http.Header{"Content-Encoding": {"gzip"}}},
		{name: "deflate, declared", header: http.Header{"Content-Encoding": {"deflate"}}, body: deflated(call1)},
		{name: "gzip, declared as identity", header: http.Header{"Content-Encoding": {"identity"}}, body: gzipped(call1)},
		{name: "an encoding nobody knows", header: http.Header{"Content-Encoding": {"aes128gcm, br"}}},
		{name: "gzip as transfer encoding", header: http.Header{"Te": {"gzip"}}, body: gzipped(call1)},
	}
	for _, kind := range []string{
		"application/json; charset=utf-16", "application/json; charset=utf-7", "application/json; charset=utf-8; charset=utf-16", "text/plain",
		"application/json;charset=ISO-8859-1", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", "application/jsonc",
		"application/json5", "application/x-ndjson", "application/json-seq", "application/jsonrequest", "application/json, text/plain", "", "application/xml",
	} {
		variants = append(variants, variant{name: "of type " + kind, header: http.Header{"Content-Type": {kind}}})
	}
	variants = append(variants,
		variant{name: "two types", header: http.Header{"Content-Type": {"application/json", "text/plain"}}},
		variant{name: "a part of a form", header: http.Header{"Content-Type": {"multipart/form-data; boundary=x"}},
			body: "--x\r\nContent-Type: application/json\r\n\r\n" + call1 + "\r\n--x--\r\n"},
		variant{name: "a field of a form", header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, body: "message=" + url.QueryEscape(call1)},
		variant{name: "the method in a header", header: http.Header{"X-Http-Method-Override": {"POST"}}, method: http.MethodGet},
		variant{name: "the URL in a header", header: http.Header{"X-Original-Url": {"/mcp"}, "X-Rewrite-Url": {"/mcp"}, "X-Forwarded-Host": {"evil.example.com"}}},
		variant{name: "hops that are none", header: http.Header{"Connection": {"Mcp-Name, Mcp-Method, Mcp-Protocol-Version"}}},
		variant{name: "a part of a body", header: http.Header{"Content-Range": {"bytes 0-10/20"}}},
		variant{name: "a last event", header: http.Header{"Last-Event-Id": {"1"}}},
		variant{name: "somebody's session", header: http.Header{"Mcp-Session-Id": {"00000000000000000000000000000000"}}},
		variant{name: "two sessions", header: http.Header{"Mcp-Session-Id": {"x", "y"}}},
		variant{name: "an argument in a header", header: http.Header{"Mcp-Param-Amount": {"5"}}, body: pays(`{"amount":101}`)},
		variant{name: "a name in base64 with another alphabet", header: http.Header{"Mcp-Name": {"=?base64?ZGVuaWVk"}}},
		variant{name: "a name in base64, not padded", header: http.Header{"Mcp-Name": {"=?BASE64?ZGVuaWVk?="}}},
		variant{name: "a name in base64 twice", header: http.Header{"Mcp-Name": {"=?base64?PT9iYXNlNjQ/WkdWdWFXVms/PQ==?="}}},
		variant{name: "a name with blanks", header: http.Header{"Mcp-Name": {"  denied  "}}},
		variant{name: "a version that is none", header: http.Header{"Mcp-Protocol-Version": {"9999-12-31"}}},
		variant{name: "no version", header: http.Header{"Mcp-Protocol-Version": {""}}},
	)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodHead, "post", "PROPFIND", "CONNECT"} {
		variants = append(variants, variant{name: "by " + method, method: method})
	}
	for _, path := range []string{
		"/mcp?method=ping", "/mcp/", "//mcp", "/mcp/../mcp", "/MCP", "/mcp;x=1", "/mcp%2f", "/%6dcp", "/mcp/default", "/", "/message", "/sse", "/mcp?body=%7B%7D", "/mcp#x", "/healthz/../mcp",
	} {
		variants = append(variants, variant{name: "at " + path, path: path})
	}
	s := proxied(t, allOthers)
	s.up.Offer("allowed", "denied", "pay")
	keepsSessions(s.up)
	s.each(t, func(t *testing.T, c *mcptest.Client) {
		s.up.All()
		for _, v := range variants {
			body := v.body
			if body == "" {
				body = call1
			}
			body = spelling{body: body}.in(c.Version)
			path, method := v.path, v.method
			if path == "" {
				path = "/mcp"
			}
			if method == "" {
				method = http.MethodPost
			}
			r, err := http.NewRequestWithContext(t.Context(), method, strings.TrimSuffix(c.URL, "/mcp")+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = c.Headers("tools/call", "denied")
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Mcp-Protocol-Version", c.Version)
			if c.Session() != "" && method != http.MethodDelete {
				r.Header.Set("Mcp-Session-Id", c.Session())
			}
			for name, values := range v.header {
				r.Header[name] = values
			}
			text := ""
			if resp, err := http.DefaultTransport.RoundTrip(r); err == nil {
				if method != http.MethodGet { // a stream, if it is one, does not end
					raw, _ := io.ReadAll(resp.Body)
					text = string(raw)
				}
				_ = resp.Body.Close()
			}
			if strings.Contains(text, `"done"`) {
				t.Errorf("%s: %s", v.name, text)
			}
			for _, got := range s.up.All() {
				if wrong := harm(got.Body, got.Header); wrong != "" {
					t.Errorf("%s: %s: the server got %.300q with %v", v.name, wrong, got.Body, got.Header)
				}
			}
		}
		s.wants(t, c, "allowed", `{}`, allowed)
	})
}

// Requests that two readers of HTTP read as two different ones, on raw connections.
func TestSpellingsOnTheWire(t *testing.T) {
	t.Parallel()
	s := proxied(t, allOthers)
	s.up.Offer("allowed", "denied", "pay")
	keepsSessions(s.up)
	at, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range eras {
		c := mcptest.NewClient(t, s.URL, "", version)
		body := spelling{body: call1}.in(version)
		fine := spelling{body: fine1}.in(version)
		head := func(name, more string) string {
			h := "POST /mcp HTTP/1.1\r\nHost: " + at.Host + "\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nMcp-Protocol-Version: " + version + "\r\n"
			if version == mcptest.Modern {
				h += "Mcp-Method: tools/call\r\nMcp-Name: " + name + "\r\n"
			} else {
				h += "Mcp-Session-Id: " + c.Session() + "\r\n"
			}
			return h + more
		}
		size := func(s string) string { return fmt.Sprintf("Content-Length: %d\r\n", len(s)) }
		chunk := func(s string) string { return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(s), s) }
		const last, chunked = "Connection: close\r\n", "Transfer-Encoding: chunked\r\n"
		whole := head("denied", size(body)+last) + "\r\n" + body
		var all sync.WaitGroup
		for name, raw := range map[string]string{
			"as it is":                          whole,
			"a length and chunks":               head("allowed", size(fine)+chunked) + "\r\n0\r\n\r\n" + whole,
			"chunks and a length":               head("allowed", chunked+"Content-Length: 4\r\n") + "\r\n" + chunk(fine) + whole,
			"two lengths":                       head("allowed", size(fine)+size(fine+body)) + "\r\n" + fine + body,
			"a list of lengths":                 head("allowed", fmt.Sprintf("Content-Length: %d, %d\r\n", len(fine), len(fine+whole))) + "\r\n" + fine + whole,
			"a length with a sign":              head("denied", fmt.Sprintf("Content-Length: +%d\r\n", len(body))+last) + "\r\n" + body,
			"a length in hexadecimal":           head("denied", fmt.Sprintf("Content-Length: 0x%x\r\n", len(body))+last) + "\r\n" + body,
			"a length that is too small":        head("allowed", size(fine)) + "\r\n" + fine + body + whole,
			"no length":                         head("denied", last) + "\r\n" + body,
			"chunks that are none":              head("allowed", "Transfer-Encoding: xchunked\r\n"+size(fine)) + "\r\n" + fine + whole,
			"chunks twice":                      head("denied", "Transfer-Encoding: chunked, chunked\r\n"+last) + "\r\n" + chunk(body),
			"chunks and identity":               head("denied", "Transfer-Encoding: chunked, identity\r\n"+last) + "\r\n" + chunk(body),
			"a tab before chunked":              head("denied", "Transfer-Encoding:\tchunked\r\n"+last) + "\r\n" + chunk(body),
			"a vertical tab before chunked":     head("denied", "Transfer-Encoding: \vchunked\r\n"+size(body)+last) + "\r\n" + body,
			"a blank before the colon":          head("denied", "Transfer-Encoding : chunked\r\n"+size(body)+last) + "\r\n" + body,
			"an extension of a chunk":           head("denied", chunked+last) + "\r\n" + strings.Replace(chunk(body), "\r\n", ";a=\"\n\"\r\n", 1),
			"chunks one by one":                 head("denied", chunked+last) + "\r\n" + bytewise(body),
			"a chunk too large for a number":    head("denied", chunked+last) + "\r\nfffffffffffffffff\r\n" + body + "\r\n0\r\n\r\n",
			"a chunk with a sign":               head("denied", chunked+last) + "\r\n" + strings.Replace(chunk(body), "\r\n", "\n", 1),
			"a trailer":                         head("denied", chunked+"Trailer: Mcp-Name\r\n"+last) + "\r\n" + strings.TrimSuffix(chunk(body), "\r\n") + "Mcp-Name: allowed\r\n\r\n",
			"pipelined":                         head("allowed", size(fine)) + "\r\n" + fine + whole,
			"pipelined without reading":         strings.Repeat(head("allowed", size(fine))+"\r\n"+fine, 20) + whole,
			"100-continue, sent at once":        head("denied", size(body)+"Expect: 100-continue\r\n"+last) + "\r\n" + body,
			"another expectation":               head("denied", size(body)+"Expect: 200-ok\r\n"+last) + "\r\n" + body,
			"an absolute target":                strings.Replace(whole, "POST /mcp ", "POST http://"+at.Host+"/mcp ", 1),
			"an absolute target elsewhere":      strings.Replace(whole, "POST /mcp ", "POST http://evil.example.com/mcp ", 1),
			"the target *":                      strings.Replace(whole, "POST /mcp ", "POST * ", 1),
			"HTTP/1.0":                          strings.Replace(whole, "HTTP/1.1", "HTTP/1.0", 1),
			"HTTP/0.9":                          strings.Replace(whole, " HTTP/1.1", "", 1),
			"HTTP/2 without asking":             "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + whole,
			"an upgrade":                        head("denied", size(body)+"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n") + "\r\n" + body,
			"line feeds alone":                  strings.ReplaceAll(whole, "\r\n", "\n"),
			"carriage returns alone":            strings.ReplaceAll(whole, "\r\n", "\r"),
			"a folded header":                   head("allowed", "Mcp-Name:\r\n denied\r\n"+size(body)+last) + "\r\n" + body,
			"a header with a NUL":               head("allowed\x00denied", size(body)+last) + "\r\n" + body,
			"a header with a carriage return":   head("allowed\rMcp-Name: denied", size(body)+last) + "\r\n" + body,
			"a name twice":                      head("allowed", "Mcp-Name: denied\r\n"+size(body)+last) + "\r\n" + body,
			"a name with underscores":           head("allowed", "Mcp_Name: denied\r\n"+size(body)+last) + "\r\n" + body,
			"no host":                           strings.Replace(whole, "Host: "+at.Host+"\r\n", "", 1),
			"two hosts":                         strings.Replace(whole, "Host: ", "Host: evil.example.com\r\nHost: ", 1),
			"blank lines first":                 "\r\n\r\n" + whole,
			"a GET with a body, then a request": "GET /healthz HTTP/1.1\r\nHost: " + at.Host + "\r\n" + size(whole) + "\r\n" + whole,
		} {
			all.Go(func() {
				if answer := converse(t, at.Host, raw); strings.Contains(answer, `"done"`) && !strings.Contains(raw, "allowed") {
					t.Errorf("%s, %s: answered %s", version, name, answer)
				}
			})
		}
		all.Wait()
		for _, got := range s.up.All() {
			if wrong := harm(got.Body, got.Header); wrong != "" {
				t.Errorf("%s: %s: the server got %.300q with %v", version, wrong, got.Body, got.Header)
			}
		}
		s.wants(t, c, "allowed", `{}`, allowed)
	}
}

func bytewise(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "1\r\n%c\r\n", s[i])
	}
	return b.String() + "0\r\n\r\n"
}

// converse writes bytes on a connection and reads until the other side ends it, or has
// nothing to say for long.
func converse(t *testing.T, host, raw string) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", host)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(3 * time.Second)); err != nil {
		t.Error(err)
	}
	_, _ = io.WriteString(conn, raw) // it may be refused before it is read
	answer, _ := io.ReadAll(conn)
	return string(answer)
}

// keepsSessions makes a server one that does.
func keepsSessions(up *mcptest.Server) {
	up.First(func(w http.ResponseWriter, _ *http.Request, m mcptest.Message) bool {
		if m.Method == "initialize" {
			w.Header().Set("Mcp-Session-Id", "of-the-server")
		}
		return false
	})
}

// A session belongs to the grant that opened it.
func TestSpellingSessionOfAnother(t *testing.T) {
	t.Parallel()
	s := accounts(t)
	keepsSessions(s.up)
	s.Run.SetPolicy(t, "crm", "all", mcptest.AllowAll)
	s.Run.SetPolicy(t, "crm", "none", tools(`"b":{}`))
	_, rich := s.Run.Grant(t, "crm", "rich", "--policy", "all")
	_, poor := s.Run.Grant(t, "crm", "poor", "--policy", "none")
	mcptest.AwaitToken(t, s.URL+"/mcp/crm", poor)
	owner := mcptest.NewClient(t, s.URL+"/mcp/crm", rich, mcptest.Legacy)
	if owner.Session() == "" {
		t.Fatal("no session")
	}
	s.wants(t, owner, "a", `{}`, allowed)
	for name, token := range map[string]string{"another grant": poor, "nobody": "", "a made-up token": rich + "x"} {
		thief := owner.At(owner.URL)
		thief.Token = token
		if a := thief.Call(t.Context(), t, "a", `{}`); a.Status != http.StatusNotFound && a.Status != http.StatusUnauthorized || len(s.up.Calls()) > 0 {
			t.Errorf("%s: %v", name, a)
		}
	}
	s.wants(t, owner, "a", `{}`, allowed)
}
