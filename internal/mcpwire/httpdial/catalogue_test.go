package httpdial_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpdial"
)

const (
	tool = `{"name":"add","inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},"b":{"type":"integer"}}}}`

	regional = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add",` + meta + `,"arguments":{"region":"Köln","b":1}}}`
	koeln    = "=?base64?S8O2bG4=?="
)

func listed(id, next string) string {
	if next != "" {
		return `{"jsonrpc":"2.0","id":` + id + `,"result":{"tools":[{"name":"other","inputSchema":{}}],"nextCursor":"` + next + `"}}`
	}
	return `{"jsonrpc":"2.0","id":` + id + `,"result":{"tools":[` + tool + `]}}`
}

// catalogued is a modern upstream with two pages of tools, which wants its header.
func catalogued(t *testing.T) *server {
	return serve(t, func(w http.ResponseWriter, r *recorded) {
		id := "1"
		if strings.Contains(r.body, "sluice-tools") {
			id = `"sluice-tools"`
		}
		switch {
		case strings.Contains(r.body, "tools/call") && r.Header.Get("Mcp-Param-Region") == "":
			answer(w, 400, `{"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header"}}`)
		case strings.Contains(r.body, "tools/call"):
			answer(w, 200, done)
		case strings.Contains(r.body, `"cursor":"p2"`):
			events(w, "data: "+listed(id, ""))
		default:
			answer(w, 200, listed(id, "p2"))
		}
	})
}

func count(s *server, method string) (n int) {
	for _, r := range s.got() {
		if strings.Contains(r.body, method) {
			n++
		}
	}
	return n
}

func TestMirroredArgumentsOfAClientWithoutHeaders(t *testing.T) {
	t.Parallel()
	s := catalogued(t)
	u := to(t, s)
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			c := modern(t, regional)
			c.Header = nil
			if err := u.Call(t.Context(), c, &sink{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := count(s, "tools/list"); n != 2 {
		t.Errorf("%d pages were asked for; want the two of one list", n)
	}
	for _, r := range s.got() {
		if v := r.Header.Get("Mcp-Param-Region"); strings.Contains(r.body, "tools/call") && v != koeln {
			t.Errorf("Mcp-Param-Region is %q; want %q", v, koeln)
		}
	}
}

func TestSchemasAreLearnedFromListsThatPass(t *testing.T) {
	t.Parallel()
	for _, whole := range []bool{false, true} {
		s := catalogued(t)
		u := to(t, s)
		for _, cursor := range []string{"", `"cursor":"p2",`} {
			var out exchange.Sink = &sink{}
			if whole {
				out = &relay{}
			}
			if err := u.Call(t.Context(), modern(t, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{`+cursor+meta+`}}`), out); err != nil {
				t.Fatal(err)
			}
		}
		params, known := u.(*httpdial.Upstream).ParamHeaders(t.Context(), exchange.Caller{ID: "ann"}, "add")
		if !known || len(params) != 1 || params[0].Name != "Region" {
			t.Errorf("learned %v, %v", params, known)
		}
		if _, known := u.(*httpdial.Upstream).ParamHeaders(t.Context(), exchange.Caller{ID: "bob"}, "add"); known {
			t.Error("what one caller saw is known of another")
		}
		c := modern(t, regional)
		c.Header = nil
		if err := u.Call(t.Context(), c, &sink{}); err != nil {
			t.Fatal(err)
		}
		if n := count(s, "tools/list"); n != 2 {
			t.Errorf("%d pages were asked for; want those of the client only", n)
		}
	}
}

func TestMirroredArgumentsOfAClientWithHeaders(t *testing.T) {
	t.Parallel()
	s := catalogued(t)
	u := to(t, s)
	// Left out by the client: that is between it and the upstream.
	var out sink
	if err := u.Call(t.Context(), modern(t, regional), &out); err != nil || !strings.Contains(out.text(), "-32020") {
		t.Errorf("got %s, %v; want the upstream's refusal", out.text(), err)
	}
	if n := len(s.got()); n != 1 {
		t.Errorf("%d requests; want one", n)
	}
	// Edited on the way: the header follows the body.
	c := modern(t, call)
	c.Header = http.Header{"Mcp-Param-Region": {"eu"}, "Mcp-Param-Other": {"1"}}
	if err := u.Call(t.Context(), c.With(parse(t, regional)), &sink{}); err != nil {
		t.Fatal(err)
	}
	all := s.got()
	if h := all[len(all)-1].Header; strings.Join(h.Values("Mcp-Param-Region"), " ") != koeln || h.Get("Mcp-Param-Other") != "1" {
		t.Errorf("sent with %v", h)
	}
}

func TestChangedSchemaIsReadAgain(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	wants := false
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case strings.Contains(r.body, "tools/list") && wants:
			answer(w, 200, listed(`"sluice-tools"`, ""))
		case strings.Contains(r.body, "tools/list"):
			answer(w, 200, `{"jsonrpc":"2.0","id":"sluice-tools","result":{"tools":[]}}`)
		case wants && r.Header.Get("Mcp-Param-Region") == "":
			answer(w, 400, `{"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"header"}}`)
		default:
			answer(w, 200, done)
		}
	})
	u := to(t, s)
	for i := range 2 {
		c := modern(t, regional)
		c.Header = nil
		var out sink
		if err := u.Call(t.Context(), c, &out); err != nil || out.text() != "final "+done {
			t.Fatalf("call %d: %s, %v", i, out.text(), err)
		}
		mu.Lock()
		wants = true
		mu.Unlock()
	}
}
