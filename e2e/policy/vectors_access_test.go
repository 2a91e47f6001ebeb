package policy

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/internal/testkit/mcptest"
)

func TestVector21TokensAndQuota(t *testing.T) {
	t.Parallel()
	unturned(t, aDay, func() bool {
		s := accounts(t)
		s.Run.SetPolicy(t, "crm", "p", tools(`"a":{"limits":[{"counter":"calls","window":"day","max":2,"scope":"grant"}]}`))
		_, token := s.Run.Grant(t, "crm", "agent", "--policy", "p")
		c := s.as(t, token)
		s.wants(t, c, "a", `{}`, allowed)

		var rotated struct{ Token string }
		s.Run.JSON(t, &rotated, "grant", "rotate", "crm/agent")
		c = s.as(t, rotated.Token)
		s.wants(t, c, "a", `{}`, allowed)
		s.wants(t, c, "a", `{}`, "limit_exceeded")

		other := mcptest.NewClient(t, s.URL+"/mcp/other", rotated.Token, mcptest.Modern)
		if a := other.Call(t.Context(), t, "a", `{}`); a.Status != http.StatusUnauthorized {
			t.Errorf("at another server: %v", a)
		}
		old := mcptest.NewClient(t, s.URL+"/mcp/crm", token, mcptest.Modern)
		if a := old.Call(t.Context(), t, "a", `{}`); a.Status != http.StatusUnauthorized {
			t.Errorf("with the token before: %v", a)
		}
		if exit, out := s.Run("grant", "revoke", "crm/agent", "--reason", "lost"); exit != 0 {
			t.Fatal(out)
		}
		poll(t, "the end of the grant", func() bool { return c.Call(t.Context(), t, "a", `{}`).Status == http.StatusUnauthorized })
		if got := s.up.Calls(); len(got) > 0 {
			t.Errorf("the server got %v", got)
		}
		return true
	})
}

func TestVector22PolicySavedBetweenCalls(t *testing.T) {
	t.Parallel()
	s := proxied(t, tools(`"a":{}`))
	c := s.client(t)
	s.wants(t, c, "a", `{}`, allowed)
	s.SetPolicy(t, tools(`"b":{}`))
	poll(t, "the new version", func() bool { return c.Call(t.Context(), t, "b", `{}`).Allowed() })
	s.wants(t, c, "a", `{}`, "default_deny")
	s.SetPolicy(t, `{"version":"1","default":"allow","tols":{}}`)
	poll(t, "what is said of the invalid one", func() bool { return strings.Contains(s.Logs(), "the one before stays in force") })
	s.wants(t, c, "a", `{}`, "default_deny")
	s.wants(t, c, "b", `{}`, allowed)

	g := accounts(t)
	g.Run.SetPolicy(t, "crm", "p", tools(`"a":{}`))
	_, token := g.Run.Grant(t, "crm", "agent", "--policy", "p")
	c = g.as(t, token)
	g.wants(t, c, "a", `{}`, allowed)
	if exit, out := g.Run("policy", "set", "crm", "p", file(t, `{"version":"1","default":"allow","tols":{}}`)); exit == 0 {
		t.Errorf("an invalid policy is previewed: %s", out)
	}
	g.Run.SetPolicy(t, "crm", "p", tools(`"b":{}`))
	poll(t, "the new version", func() bool {
		a := c.Call(t.Context(), t, "a", `{}`)
		return a.Policy.Code == "default_deny" && a.Policy.PolicyVersion == 2
	})
	g.up.Calls()
	g.wants(t, c, "b", `{}`, allowed)
}

func TestVector23CallsThatAreNone(t *testing.T) {
	t.Parallel()
	s := proxied(t, `{"version":"1","default":"allow"}`)
	s.each(t, func(t *testing.T, c *mcptest.Client) {
		whole := c.Request("tools/call", `"name":"a","arguments":{}`)
		s.up.All()
		for name, body := range map[string]string{
			"a batch":           `[` + whole + `]`,
			"method twice":      strings.Replace(whole, `"method":"tools/call"`, `"method":"tools/call","method":"tools/call"`, 1),
			"Method":            strings.Replace(whole, `"method":"tools/call"`, `"method":"tools/call","Method":"ping"`, 1),
			"arguments a list":  strings.Replace(whole, `"arguments":{}`, `"arguments":[]`, 1),
			"arguments a text":  strings.Replace(whole, `"arguments":{}`, `"arguments":"{}"`, 1),
			"no name":           strings.Replace(whole, `"name":"a",`, ``, 1),
			"a name of nothing": strings.Replace(whole, `"name":"a"`, `"name":""`, 1),
		} {
			h := c.Headers("tools/call", "a")
			if strings.Contains(name, "name") && c.Version == mcptest.Modern {
				h = c.Headers("tools/call", "")
			}
			if a := c.Send(t.Context(), t, body, h); a.Error == 0 || name == "a batch" && (a.Error != -32600 || a.Status != http.StatusBadRequest) {
				t.Errorf("%s: %v", name, a)
			}
		}
		// Without an id there is nobody to answer.
		c.Send(t.Context(), t, strings.Replace(whole, `"id":`, `"x":`, 1), c.Headers("tools/call", "a"))
		for _, got := range s.up.All() {
			if strings.Contains(got.Body, "tools/call") {
				t.Errorf("forwarded: %s", got.Body)
			}
		}
	})
}

// Lists that come compressed, as a stream, in pages: all of them are filtered.
func TestVector24Lists(t *testing.T) {
	t.Parallel()
	page := `{"resultType":"complete","ttlMs":0,"cacheScope":"private","_meta":{"x":1},"tools":[{"name":"a","inputSchema":{"type":"object"}},` +
		`{"name":"secret","inputSchema":{"type":"object"}},{"name":"b","inputSchema":{"type":"object"}}],"nextCursor":"page two"}`
	forms := map[string]func(w http.ResponseWriter, id, result string){
		"gzip": func(w http.ResponseWriter, id, result string) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write([]byte(`{"jsonrpc":"2.0","id":` + id + `,"result":` + result + `}`))
			_ = z.Close()
		},
		"a stream": func(w http.ResponseWriter, id, result string) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = w.Write([]byte(": hello\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":" + id + ",\ndata: \"result\":" + result + "}\n\n"))
		},
		"a page": func(w http.ResponseWriter, id, result string) {
			mcptest.Write(w, http.StatusOK, `{"jsonrpc":"2.0","id":`+id+`,"result":`+result+`}`)
		},
	}
	for name, answer := range forms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := proxied(t, `{"version":"1","default":"allow","hide":["secret"]}`)
			s.up.First(func(w http.ResponseWriter, _ *http.Request, m mcptest.Message) bool {
				if m.Method == "tools/list" {
					answer(w, string(m.ID), page)
				}
				return m.Method == "tools/list"
			})
			s.each(t, func(t *testing.T, c *mcptest.Client) {
				r := c.Send(t.Context(), t, c.Request("tools/list", ""), c.Headers("tools/list", ""))
				if strings.Contains(r.Body, "secret") {
					t.Errorf("the hidden name is there: %v", r)
				}
				if name == "gzip" { // nobody asked for it, and what can't be read is withheld
					if r.Error == 0 || !strings.Contains(r.Message, "encoding") {
						t.Errorf("%v", r)
					}
					return
				}
				for _, part := range []string{`"nextCursor":"page two"`, `"x":1`, `"name":"a"`, `"name":"b"`} {
					if !strings.Contains(r.Body, part) {
						t.Errorf("%s is gone: %v", part, r)
					}
				}
			})
		})
	}
}

func TestVector25Headers(t *testing.T) {
	t.Parallel()
	up := mcptest.NewServer(t, "a")
	g := mcptest.Start{Policy: tools(`"a":{}`), Env: []string{"CRM_KEY=configured"}, Args: []string{"--upstream", up.URL, "--header", "X-Api-Key: ${CRM_KEY}"}}.Proxy(t)
	s := &site{g, up}
	s.each(t, func(t *testing.T, c *mcptest.Client) {
		h := c.Headers("tools/call", "a")
		h.Set("Cookie", "session=canary")
		h.Set("Authorization", "Bearer canary")
		h.Set("Proxy-Authorization", "Basic canary")
		h.Set("X-Forwarded-For", "canary")
		h.Set("X-Api-Key", "canary")
		if a := c.Send(t.Context(), t, c.Request("tools/call", `"name":"a","arguments":{}`), h); !a.Allowed() {
			t.Fatalf("%v", a)
		}
		got := up.Calls()
		if len(got) != 1 || got[0].Header.Get("X-Api-Key") != "configured" {
			t.Fatalf("the server got %v", got)
		}
		for name, values := range got[0].Header {
			if strings.Contains(strings.Join(values, " "), "canary") {
				t.Errorf("%s reached the server: %v", name, values)
			}
		}
	})
}

func TestVector26NoValueIsRecorded(t *testing.T) {
	t.Parallel()
	s := proxied(t, tools(`"a":{},"b":{"require":[{"conditions":[{"path":"args.card","op":"regex","value":"^4"}]}]}`))
	const canary = "canary-5105105105105100"
	s.each(t, func(t *testing.T, c *mcptest.Client) {
		s.wants(t, c, "a", `{"zeta":"`+canary+`","card":{"number":"`+canary+`"},"alpha":["`+canary+`"]}`, allowed)
		s.wants(t, c, "b", `{"card":"`+canary+`"}`, "require_failed")
		c.Send(t.Context(), t, c.Request("tools/call", `"name":"a","arguments":{"card":"`+canary+`","card":1}`), c.Headers("tools/call", "a"))
	})
	if r := s.settled(t, "--tool", "a"); len(r) != 2 || !slices.Equal(r[0].ArgKeys, []string{"alpha", "card", "zeta"}) || r[0].ArgsHMAC == "" || r[0].ArgsHMAC != r[1].ArgsHMAC {
		t.Errorf("%+v", r)
	}
	if strings.Contains(s.Logs(), canary) {
		t.Errorf("its own log: %s", s.Logs())
	}
	within(t, s.State, canary)
	if exit, out := s.Run("audit", "verify"); exit != 0 {
		t.Errorf("verify: exit %d, %s", exit, out)
	}
}

// within looks for a text in all files of a directory.
func within(t *testing.T, dir, canary string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(name)
		if files++; bytes.Contains(raw, []byte(canary)) {
			t.Errorf("%s has it", filepath.Base(name))
		}
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%d files, %v", files, err)
	}
}
