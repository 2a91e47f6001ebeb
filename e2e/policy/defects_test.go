package policy

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/internal/testkit"
	"sluice/internal/testkit/mcptest"
)

// denyB lets everything pass but the tool b.
const denyB = `{"version":"1","default":"allow","tools":{"b":{"deny_if":[{"conditions":[]}]}}}`

// spoken is what a command behind the proxy was sent when its client wrote these lines
// in a session.
func spoken(t *testing.T, policy string, lines ...string) string {
	t.Helper()
	child := mcptest.NewChild(t)
	s := mcptest.NewStdio(t, policy, append([]string{"--"}, child.Command...)...)
	s.Open(t)
	for i, line := range lines {
		s.Write(t, line+"\n"+fmt.Sprintf(`{"jsonrpc":"2.0","id":"after %d","method":"ping"}`+"\n", i))
		s.Until(t, fmt.Sprintf(`"id":"after %d"`, i))
	}
	s.End(t)
	return child.All(t)
}

func TestDefect01Batch(t *testing.T) {
	t.Parallel()
	batch := `[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b","arguments":{}}}]`
	if got := spoken(t, denyB, batch, " "+batch, `[`+batch+`]`); strings.Contains(got, "tools/call") {
		t.Errorf("a command was sent %s", got)
	}
	s := proxied(t, denyB)
	s.each(t, func(t *testing.T, c *mcptest.Client) {
		if a := c.Send(t.Context(), t, batch, c.Headers("tools/call", "b")); a.Error != -32600 || a.Status != http.StatusBadRequest {
			t.Errorf("%v", a)
		}
		for _, path := range []string{"/message", "/sse", "/mcp/", "/"} { // endpoints of older transports
			if a := c.At(strings.TrimSuffix(c.URL, "/mcp")+path).Send(t.Context(), t, batch, nil); a.Status < 400 {
				t.Errorf("%s: %v", path, a)
			}
		}
		for _, got := range s.up.All() {
			if strings.Contains(got.Body, `"b"`) {
				t.Errorf("forwarded: %s", got.Body)
			}
		}
	})
}

func TestDefect02OtherCapitals(t *testing.T) {
	t.Parallel()
	bodies := []string{
		`{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":{"name":"b","arguments":{}}}`,
		`{"jsonrpc":"2.0","id":2,"Method":"ping","method":"tools/call","params":{"name":"b","arguments":{}}}`,
		`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"b","Name":"a","arguments":{}}}`,
		`{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"a","Name":"b","arguments":{}}}`,
		`{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"a"},"Params":{"name":"b"}}`,
	}
	if got := spoken(t, denyB, bodies...); strings.Contains(got, `"b"`) {
		t.Errorf("a command was sent %s", got)
	}
	s := proxied(t, denyB)
	s.each(t, func(t *testing.T, c *mcptest.Client) {
		for _, body := range bodies {
			c.Send(t.Context(), t, body, c.Headers("tools/call", "a"))
		}
		for _, got := range s.up.All() {
			if strings.Contains(got.Body, `"b"`) {
				t.Errorf("forwarded: %s", got.Body)
			}
		}
	})
}

func TestDefect03ArgumentsThatAreNoObject(t *testing.T) {
	t.Parallel()
	var bodies []string
	for i, arguments := range []string{`[]`, `"x"`, `1`, `true`, `null`} {
		bodies = append(bodies, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"b","arguments":%s}}`, i, arguments))
	}
	if got := spoken(t, denyB, bodies...); strings.Contains(got, "tools/call") {
		t.Errorf("a command was sent %s", got)
	}
	s := proxied(t, denyB)
	s.each(t, func(t *testing.T, c *mcptest.Client) {
		for _, arguments := range []string{`[]`, `"x"`, `1`, `true`, `null`} {
			for _, tool := range []string{"a", "b"} {
				if a := c.Call(t.Context(), t, tool, arguments); a.Error != -32602 {
					t.Errorf("%s %s: %v", tool, arguments, a)
				}
			}
		}
		if got := s.up.Calls(); len(got) > 0 {
			t.Errorf("forwarded: %v", got)
		}
	})
}

func TestDefect04MisspeltKeys(t *testing.T) {
	t.Parallel()
	_, env := mcptest.Environment(t)
	run := mcptest.RunWith(t, env)
	for _, document := range []string{
		`{"version":"1","default":"allow","defualt":"deny"}`, `{"version":"1","defualt":"deny"}`,
		`{"version":"1","default":"allow","tools":{"b":{"denyif":[{"conditions":[]}]}}}`, `{"version":"1","default":"allow","Hide":["b"]}`,
	} {
		if exit, out := run("policy", "validate", file(t, document)); exit == 0 || !strings.Contains(out, "E_UNKNOWN_FIELD") {
			t.Errorf("%s: exit %d, %s", document, exit, out)
		}
		if exit, out := run("proxy", "-p", file(t, document), "--listen", "127.0.0.1:0", "--upstream", "http://127.0.0.1:9/mcp"); exit == 0 || strings.Contains(out, "listening") {
			t.Errorf("%s: it is served: %s", document, out)
		}
	}
}

func TestDefect05AmountsAndRefusedConnections(t *testing.T) {
	t.Parallel()
	unturned(t, aDay, func() bool {
		s := proxied(t, tools(sumOfAmounts))
		c := s.client(t)
		s.wants(t, c, "a", `{"amount":99.01}`, allowed)
		if a := c.Call(t.Context(), t, "a", `{"amount":-1000}`); a.Policy.Decision != "deny" {
			t.Errorf("quota is bought back: %v", a)
		}
		s.wants(t, c, "a", `{"amount":0.999999}`, "limit_exceeded") // less than one is not nothing
		s.wants(t, c, "a", `{"amount":0.99}`, allowed)
		s.wants(t, c, "a", `{"amount":0.01}`, "limit_exceeded")
		return true
	})
	// That refused connections take nothing is in TestVector20WhatGivesQuotaBack.
}

func TestDefect06ListsThatAreNotFiltered(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(w http.ResponseWriter, id string){
		"cut off": func(w http.ResponseWriter, id string) {
			mcptest.Write(w, http.StatusOK, `{"jsonrpc":"2.0","id":`+id+`,"result":{"tools":[{"name":"secret"}`)
		},
		"no array": func(w http.ResponseWriter, id string) {
			mcptest.Write(w, http.StatusOK, `{"jsonrpc":"2.0","id":`+id+`,"result":{"tools":{"0":{"name":"secret"}}}}`)
		},
		"tools twice": func(w http.ResponseWriter, id string) {
			mcptest.Write(w, http.StatusOK, `{"jsonrpc":"2.0","id":`+id+`,"result":{"tools":[],"tools":[{"name":"secret"}]}}`)
		},
		"Tools": func(w http.ResponseWriter, id string) {
			mcptest.Write(w, http.StatusOK, `{"jsonrpc":"2.0","id":`+id+`,"result":{"tools":[],"Tools":[{"name":"secret"}]}}`)
		},
		"a name twice": func(w http.ResponseWriter, id string) {
			mcptest.Write(w, http.StatusOK, `{"jsonrpc":"2.0","id":`+id+`,"result":{"tools":[{"name":"a","name":"secret"}]}}`)
		},
		"gzip, not declared": func(w http.ResponseWriter, _ string) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte("\x1f\x8b\x08\x00secret"))
		},
		"a stream that breaks off": func(w http.ResponseWriter, id string) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = w.Write([]byte(`data: {"jsonrpc":"2.0","id":` + id + `,"result":{"tools":[{"name":"secret"}]}}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := proxied(t, `{"version":"1","default":"allow","hide":["secret"]}`)
			s.up.First(func(w http.ResponseWriter, _ *http.Request, m mcptest.Message) bool {
				if m.Method == "tools/list" {
					answer(w, string(m.ID))
				}
				return m.Method == "tools/list"
			})
			s.each(t, func(t *testing.T, c *mcptest.Client) {
				if a := c.Send(t.Context(), t, c.Request("tools/list", ""), c.Headers("tools/list", "")); strings.Contains(a.Body, "secret") {
					t.Errorf("%v", a)
				}
			})
		})
	}
}

func TestDefect07HeadersThatAreConfigured(t *testing.T) {
	t.Parallel()
	up := mcptest.NewServer(t, "a")
	args := []string{"--upstream", up.URL, "--header", "X-Api-Key: configured"}
	s := &site{mcptest.Proxy(t, tools(`"a":{}`), args...), up}
	seen := func() {
		t.Helper()
		for _, got := range up.All() {
			if got.Header.Get("X-Api-Key") != "configured" || got.Header.Get("Authorization") != "" || got.Header.Get("Cookie") != "" {
				t.Errorf("%s %s: %v", got.Method, got.Body, got.Header)
			}
		}
	}
	s.each(t, func(t *testing.T, c *mcptest.Client) {
		h := c.Headers("tools/call", "a")
		h.Set("Authorization", "Bearer of-the-client")
		h.Set("Cookie", "a=b")
		c.Send(t.Context(), t, c.Request("tools/call", `"name":"a","arguments":{}`), h)
		seen()
	})
	stdio := mcptest.NewStdio(t, tools(`"a":{}`), args...)
	stdio.Open(t)
	stdio.Write(t, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{}}}`+"\n")
	stdio.Until(t, "done")
	stdio.End(t)
	seen()
	_, env := mcptest.Environment(t)
	if exit, out := mcptest.RunWith(t, env)("proxy", "--upstream", up.URL, "--header", "Authorization: Bearer literal"); exit == 0 || strings.Contains(out, "literal\n") {
		t.Errorf("a secret on the command line is taken: exit %d, %s", exit, out)
	}
}

func TestDefect08WebPages(t *testing.T) {
	t.Parallel()
	s := proxied(t, `{"version":"1","default":"allow"}`)
	g := accounts(t)
	s.each(t, func(t *testing.T, c *mcptest.Client) {
		s.up.All()
		for _, h := range []http.Header{
			{"Origin": {"https://evil.example.com"}}, {"Origin": {"null"}}, {"Origin": {"http://127.0.0.1.example.com"}},
			{"Host": {"rebound.example.com"}}, {"Host": {"rebound.example.com:80"}},
		} {
			for name, values := range c.Headers("tools/call", "a") {
				h[name] = values
			}
			if a := foreign(t, c, h); a.Status != http.StatusForbidden {
				t.Errorf("%v: %v", h, a)
			}
		}
		if got := s.up.All(); len(got) > 0 {
			t.Errorf("forwarded: %v", got)
		}
		other := &mcptest.Client{URL: g.URL + "/mcp/crm", Version: c.Version} // nobody
		if a := other.Call(t.Context(), t, "a", `{}`); a.Status != http.StatusUnauthorized || len(g.up.Calls()) > 0 {
			t.Errorf("without a token: %v", a)
		}
	})
}

// foreign calls a with headers of a page that is somewhere else.
func foreign(t *testing.T, c *mcptest.Client, h http.Header) *mcptest.Answer {
	t.Helper()
	other := c.At(c.URL)
	if host := h.Get("Host"); host != "" {
		at, err := url.Parse(c.URL)
		if err != nil {
			t.Fatal(err)
		}
		h.Del("Host")
		other.URL = "http://" + host + at.Path
		transport := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return &url.URL{Scheme: "http", Host: at.Host}, nil }}
		defer transport.CloseIdleConnections()
		other.HTTP = &http.Client{Transport: transport} // the request line has the name, as that of a proxy's client
	}
	return other.Send(t.Context(), t, other.Request("tools/call", `"name":"a","arguments":{}`), h)
}

func TestDefect09NamesWithDots(t *testing.T) {
	t.Parallel()
	unturned(t, aDay, func() bool {
		s := proxied(t, tools(`"crm.send.message":{"rate_limit":{"max":1,"window":86400}},"crm/send":{"limits":[{"counter":"a.b","window":"day","max":1,"scope":"grant","key":"args[\"x.y\"]"}]}`))
		s.up.Offer("crm.send.message", "crm/send")
		c := s.client(t)
		s.wants(t, c, "crm.send.message", `{}`, allowed)
		s.wants(t, c, "crm.send.message", `{}`, "limit_exceeded", "/tools/crm.send.message/limits/crm.send.message_rate-per-day")
		s.wants(t, c, "crm/send", `{"x.y":1}`, allowed)
		s.wants(t, c, "crm/send", `{"x.y":1}`, "limit_exceeded", "/tools/crm~1send/limits/a.b-per-day")
		s.wants(t, c, "crm/send", `{"x.y":2}`, allowed)
		return true
	})
}

func TestDefect10StreamsAndTheEnd(t *testing.T) {
	t.Parallel()
	s := proxied(t, tools(`"a":{},"b":{}`))
	long := strings.Repeat("x", 3<<20)
	s.up.Answer(func(w http.ResponseWriter, _ *http.Request, m mcptest.Message) bool {
		if m.Params.Name == "b" { // an answer that is none
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"resultType\":\"complete\",\"content\":[{\"type\":\"text\",\"text\":%q}]}}\n\n", m.ID, long)
		return true
	})
	s.each(t, func(t *testing.T, c *mcptest.Client) {
		if a := c.Call(t.Context(), t, "a", `{}`); a.Text != long {
			t.Errorf("of a long line %d bytes came", len(a.Text))
		}
		if a := c.Call(t.Context(), t, "b", `{}`); a.Error == 0 {
			t.Errorf("a failure is answered %v", a)
		}
	})
	arrived := make(chan struct{})
	held := mcptest.NewServer(t, "a")
	held.Answer(func(w http.ResponseWriter, _ *http.Request, m mcptest.Message) bool {
		<-arrived
		mcptest.Reply(w, m.ID, mcptest.Done)
		return true
	})
	stdio := mcptest.NewStdio(t, tools(`"a":{}`), "--upstream", held.URL)
	stdio.Open(t)
	stdio.Write(t, `{"jsonrpc":"2.0","id":"last","method":"tools/call","params":{"name":"a","arguments":{}}}`+"\n")
	rest := make(chan []string)
	go func() { rest <- stdio.End(t) }()
	close(arrived)
	if lines := strings.Join(<-rest, "\n"); !strings.Contains(lines, `"id":"last"`) || !strings.Contains(lines, "done") {
		t.Errorf("the last answer is lost: %s", lines)
	}
}

func TestDefect11PasswordsInFiles(t *testing.T) {
	t.Parallel()
	const canary = "canary-of-the-database"
	dsn := testkit.Postgres(t)
	at, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := at.Query()
	q.Set("password", canary)
	at.RawQuery = q.Encode()
	up := mcptest.NewServer(t, "a")
	s := &site{mcptest.Start{Policy: tools(`"a":{}`), Env: []string{"SLUICE_DATABASE_URL=" + at.String()}, Args: []string{"--upstream", up.URL}}.Proxy(t), up}
	s.wants(t, s.client(t), "a", `{}`, allowed)
	s.recorded(t)
	within(t, s.State, canary)
	if strings.Contains(s.Logs(), canary) {
		t.Errorf("its log: %s", s.Logs())
	}
	err = filepath.WalkDir(s.State, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if info, err := d.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be read by others: %v %v", filepath.Base(name), info.Mode(), err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDefect12OtherMethods(t *testing.T) {
	t.Parallel()
	s := proxied(t, tools(`"a":{}`))
	named := proxied(t, tools(`"a":{}`), "--method", "resources/*")
	methods := map[string]string{
		"resources/read": `"uri":"file:///etc/passwd"`, "resources/list": ``, "resources/templates/list": ``, "resources/subscribe": `"uri":"x:y"`,
		"prompts/list": ``, "prompts/get": `"name":"a"`, "completion/complete": `"ref":{"type":"ref/prompt","name":"a"},"argument":{"name":"x","value":"y"}`,
		"sampling/createMessage": `"messages":[]`, "elicitation/create": `"message":"x"`, "roots/list": ``, "tasks/get": `"taskId":"x"`, "tasks/list": ``,
		"example.com/run": `"name":"b"`, "tools/execute": `"name":"b"`,
	}
	s.each(t, func(t *testing.T, c *mcptest.Client) {
		s.up.All()
		for method, members := range methods {
			name := ""
			switch method {
			case "resources/read":
				name = "file:///etc/passwd"
			case "prompts/get":
				name = "a"
			case "tasks/get":
				name = "x"
			}
			a := c.Send(t.Context(), t, c.Request(method, members), c.Headers(method, name))
			if a.Error == 0 {
				t.Errorf("%s: %v", method, a)
			}
		}
		for _, got := range s.up.All() {
			t.Errorf("forwarded: %s", got.Body)
		}
		c.URL = named.URL
		c.Open(t)
		if a := c.Send(t.Context(), t, c.Request("resources/list", ""), c.Headers("resources/list", "")); a.Error != 0 || a.Status != http.StatusOK {
			t.Errorf("what the settings name: %v", a)
		}
	})
}

// A server that was not told that its client can be asked, and asks all the same.
func TestDefect12ServersThatAsk(t *testing.T) {
	t.Parallel()
	const canary = "canary-of-the-server"
	asks := func(s *site) (answers chan string) {
		answers = make(chan string, 8)
		s.up.First(func(w http.ResponseWriter, r *http.Request, m mcptest.Message) bool {
			switch {
			case m.Method == "" && len(m.ID) > 0: // an answer
				answers <- string(m.ID)
				w.WriteHeader(http.StatusAccepted)
			case m.Method != "tools/call":
				return false
			case r.Header.Get("Mcp-Protocol-Version") == mcptest.Modern:
				mcptest.Reply(w, m.ID, `{"resultType":"input_required","inputRequests":{"1":{"method":"sampling\/createMessage","params":{"messages":[{"role":"user","content":{"type":"text","text":"`+canary+`"}}],"maxTokens":9}}},"requestState":"x"}`)
			default:
				w.Header().Set("Content-Type", "text/event-stream")
				for i, method := range []string{"sampling/createMessage", `elicitation\u002fcreate`} {
					_, _ = fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"id\":\"question %d\",\"method\":\"%s\",\"params\":{\"message\":\"%s\"}}\n\n", i, method, canary)
				}
				_, _ = fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":%s}\n\n", m.ID, mcptest.Done)
			}
			return true
		})
		return answers
	}
	for _, version := range eras {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := proxied(t, tools(`"a":{}`))
			answers := asks(s)
			c := &mcptest.Client{URL: s.URL, Version: version, Capabilities: `{"sampling":{},"elicitation":{}}`}
			c.Open(t)
			a := c.Call(t.Context(), t, "a", `{}`)
			if strings.Contains(a.Stream, canary) || version == mcptest.Modern && a.Error == 0 || version == mcptest.Legacy && a.Text != "done" {
				t.Errorf("the client got %s", a.Stream)
			}
			if version == mcptest.Legacy { // and the server need not wait
				if got := []string{<-answers, <-answers}; !slices.Contains(got, `"question 0"`) || !slices.Contains(got, `"question 1"`) {
					t.Errorf("the server was answered %v", got)
				}
			}
			named := proxied(t, tools(`"a":{}`), "--method", "sampling/*", "--method", "elicitation/create")
			asks(named)
			c = &mcptest.Client{URL: named.URL, Version: version, Capabilities: `{"sampling":{},"elicitation":{}}`}
			c.Open(t)
			if a := c.Call(t.Context(), t, "a", `{}`); !strings.Contains(a.Stream, canary) {
				t.Errorf("what the settings name: the client got %s", a.Stream)
			}
		})
	}
}
