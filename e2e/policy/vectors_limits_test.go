package policy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/testkit/mcptest"
)

// unturned runs f anew until no window of this length turned over meanwhile. f reports
// false to be run anew.
func unturned(t *testing.T, window time.Duration, f func() bool) {
	t.Helper()
	for range 5 {
		before := time.Now().Truncate(window)
		if f() && time.Now().Truncate(window).Equal(before) {
			return
		}
	}
	t.Fatal("windows turned over all the time")
}

func TestVector13ParallelCalls(t *testing.T) {
	t.Parallel()
	unturned(t, time.Minute, func() bool {
		s := proxied(t, tools(`"a":{"limits":[{"counter":"calls","window":"minute","max":3,"scope":"grant"}]}`))
		c := s.client(t)
		began := time.Now().Truncate(time.Minute)
		var let atomic.Int64
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				a, err := c.Try(t.Context(), c.Request("tools/call", `"name":"a","arguments":{}`), c.Headers("tools/call", "a"))
				switch {
				case err != nil:
					t.Error(err)
				case a.Allowed():
					let.Add(1)
				case a.Policy.Code != "limit_exceeded" || a.Policy.RetryAfter < 1 || a.Policy.RetryAfter > 60:
					t.Errorf("%v", a)
				}
			})
		}
		all.Wait()
		if !time.Now().Truncate(time.Minute).Equal(began) {
			return false
		}
		if got := len(s.up.Calls()); got != 3 || let.Load() != 3 {
			t.Errorf("%d reached the server, %d were let through, want 3", got, let.Load())
		}
		return true
	})
}

// Days are windows that a test does not live to see the end of, but at midnight.
const aDay = 24 * time.Hour

func TestVector14TheFirstLimitIsUnchanged(t *testing.T) {
	t.Parallel()
	unturned(t, aDay, func() bool {
		s := proxied(t, tools(`"a":{"limits":[{"counter":"first","window":"day","max":3,"scope":"grant"},
			{"counter":"second","window":"day","max":1,"scope":"grant","key":"args.k"}]}`))
		c := s.client(t)
		s.wants(t, c, "a", `{"k":1}`, allowed)
		for range 4 {
			s.wants(t, c, "a", `{"k":1}`, "limit_exceeded", "/tools/a/limits/second-per-day")
		}
		s.wants(t, c, "a", `{"k":2}`, allowed)
		s.wants(t, c, "a", `{"k":3}`, allowed)
		s.wants(t, c, "a", `{"k":4}`, "limit_exceeded", "/tools/a/limits/first-per-day")
		return true
	})
}

func TestVector15AllToolsAndTool(t *testing.T) {
	t.Parallel()
	unturned(t, aDay, func() bool {
		s := proxied(t, `{"version":"1","default":"deny","all_tools":{"limits":[{"counter":"all","window":"day","max":3,"scope":"grant"}]},
			"tools":{"a":{"limits":[{"counter":"own","window":"day","max":2,"scope":"grant"}]},"b":{}}}`)
		c := s.client(t)
		s.wants(t, c, "a", `{}`, allowed)
		s.wants(t, c, "a", `{}`, allowed)
		s.wants(t, c, "a", `{}`, "limit_exceeded", "/tools/a/limits/own-per-day")
		s.wants(t, c, "b", `{}`, allowed)
		s.wants(t, c, "b", `{}`, "limit_exceeded", "/all_tools/limits/all-per-day")
		return true
	})
}

// The gateway's clock is the machine's; `policy test` is told what time it is.
func TestVector16DaysAreUTC(t *testing.T) {
	t.Parallel()
	_, env := mcptest.Environment(t)
	cmd := exec.CommandContext(t.Context(), mcptest.Program(t), "policy", "test", "--json", "-p",
		file(t, tools(`"a":{"limits":[{"counter":"calls","window":"day","max":1,"scope":"grant"}]}`)))
	cmd.Env = append(cmd.Environ(), env...)
	cmd.Stdin = strings.NewReader(`{"tool":"a","at":"2026-11-20T23:59:59Z"}
{"tool":"a","at":"2026-11-20T23:59:59.9Z"}
{"tool":"a","at":"2026-11-21T00:00:00Z"}
{"tool":"a","at":"2026-11-21T12:00:00Z"}
`)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var codes []string
	for line := range strings.Lines(string(out)) {
		var a struct{ Decision, Code string }
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		codes = append(codes, a.Decision+" "+a.Code)
	}
	if got := strings.Join(codes, ", "); got != "allow , deny limit_exceeded, allow , deny limit_exceeded" {
		t.Error(got)
	}
}

func TestVector17RollbackInTheNextWindow(t *testing.T) {
	t.Parallel()
	const window = 4 * time.Second
	done := false
	for try := 0; try < 5 && !done; try++ {
		s := proxied(t, tools(`"a":{"limits":[{"counter":"calls","window_seconds":4,"max":1,"scope":"grant"}]}`))
		arrived, fail := make(chan struct{}), make(chan struct{})
		s.up.Answer(func(w http.ResponseWriter, r *http.Request, m mcptest.Message) bool {
			if !strings.Contains(string(m.Params.Arguments), "held") {
				return false
			}
			close(arrived)
			<-fail
			mcptest.Write(w, http.StatusOK, `{"jsonrpc":"2.0","id":`+string(m.ID)+`,"error":{"code":-32602,"message":"no"}}`)
			return true
		})
		c := s.client(t)
		ended := make(chan *mcptest.Answer, 1)
		go func() {
			a, err := c.Try(t.Context(), c.Request("tools/call", `"name":"a","arguments":{"held":true}`), c.Headers("tools/call", "a"))
			if err != nil {
				t.Error(err)
			}
			ended <- a
		}()
		<-arrived
		reserved := time.Now().Truncate(window)
		var later time.Time // the window of the call that was let through next
		poll(t, "the next window", func() bool {
			later = time.Now().Truncate(window)
			return c.Call(t.Context(), t, "a", `{}`).Allowed()
		})
		if s.wants(t, c, "a", `{}`, "limit_exceeded"); later.Equal(reserved) {
			t.Error("two calls in one window")
		}
		close(fail)
		if a := <-ended; a.Error != -32602 {
			t.Errorf("%v", a)
		}
		a := c.Call(t.Context(), t, "a", `{}`)
		if done = time.Now().Truncate(window).Equal(later); done && a.Policy.Code != "limit_exceeded" {
			t.Errorf("what was given back was taken from the next window: %v", a)
		}
	}
	if !done {
		t.Fatal("windows turned over all the time")
	}
}

const sumOfAmounts = `"a":{"limits":[{"counter":"spent","window":"day","max":100,"scope":"grant","increment_from":"args.amount"}]}`

func TestVector18Sums(t *testing.T) {
	t.Parallel()
	unturned(t, aDay, func() bool {
		s := proxied(t, tools(sumOfAmounts))
		c := s.client(t)
		for _, amount := range []string{"60", "39.999999", "0.000001"} {
			s.wants(t, c, "a", `{"amount":`+amount+`}`, allowed)
		}
		s.wants(t, c, "a", `{"amount":0.000001}`, "limit_exceeded")
		return true
	})
}

func TestVector19AmountsThatAreNone(t *testing.T) {
	t.Parallel()
	unturned(t, aDay, func() bool {
		s := proxied(t, tools(sumOfAmounts))
		c := s.client(t)
		for _, arguments := range []string{
			`{"amount":-5}`, `{"amount":1e400}`, `{"amount":0.0000001}`, `{}`, `{"amount":"5"}`, `{"amount":null}`, `{"amount":[5]}`,
			`{"amount":-0.000001}`, `{"amount":1e13}`, `{"amount":1,"Amount":-1}`,
		} {
			s.up.Calls()
			if a := c.Call(t.Context(), t, "a", arguments); a.Policy.Decision != "deny" || len(s.up.Calls()) > 0 {
				t.Errorf("%s: %v", arguments, a)
			}
		}
		s.wants(t, c, "a", `{"amount":100}`, allowed) // nothing was taken, and nothing given
		s.wants(t, c, "a", `{"amount":0.000001}`, "limit_exceeded")
		return true
	})
}

func TestVector20WhatGivesQuotaBack(t *testing.T) {
	t.Parallel()
	once := tools(`"a":{"limits":[{"counter":"once","window":"day","max":1,"scope":"grant","key":"args.k"}]}`)
	unturned(t, aDay, func() bool {
		s := proxied(t, once, "--timeout", "2s")
		hold := make(chan struct{})
		t.Cleanup(sync.OnceFunc(func() { close(hold) }))
		s.up.Answer(func(w http.ResponseWriter, r *http.Request, m mcptest.Message) bool {
			reply := func(status int, rest string) {
				mcptest.Write(w, status, `{"jsonrpc":"2.0","id":`+string(m.ID)+`,`+rest+`}`)
			}
			switch arguments := string(m.Params.Arguments); {
			case strings.Contains(arguments, "again"):
				return false
			case strings.Contains(arguments, "timeout"):
				select {
				case <-hold:
				case <-r.Context().Done():
				}
			case strings.Contains(arguments, "500"):
				mcptest.Write(w, http.StatusInternalServerError, "down")
			case strings.Contains(arguments, "32602"):
				reply(http.StatusOK, `"error":{"code":-32602,"message":"no"}`)
			case strings.Contains(arguments, "isError"):
				reply(http.StatusOK, `"result":{"resultType":"complete","content":[],"isError":true}`)
			}
			return true
		})
		c := s.client(t)
		for k, settled := range map[string]string{"timeout": "ambiguous", "status 500": "ambiguous", "-32602": "rollback", "isError": "commit"} {
			if a := c.Call(t.Context(), t, "a", fmt.Sprintf(`{"k":%q}`, k)); a.Allowed() || a.Policy.Code != "" {
				t.Errorf("%s: %v", k, a)
			}
			if r := s.settled(t, "--limit", "1"); len(r) != 1 || r[0].Settlement != settled {
				t.Errorf("%s: %+v, want %s", k, r, settled)
			}
			code := "limit_exceeded"
			if settled == "rollback" {
				code = allowed
			}
			s.wants(t, c, "a", fmt.Sprintf(`{"k":%q,"again":true}`, k), code)
		}
		return true
	})
	unturned(t, aDay, func() bool { // refused connections
		up := mcptest.NewServer(t)
		up.Stop()
		s := &site{mcptest.Proxy(t, once, "--era", "modern", "--upstream", up.URL), up}
		c := s.client(t)
		for range 3 {
			if a := c.Call(t.Context(), t, "a", `{"k":1}`); a.Policy.Code != "" || a.Error == 0 {
				t.Errorf("%v", a)
			}
		}
		for _, r := range s.settled(t) {
			if r.Settlement != "rollback" {
				t.Errorf("%+v", r)
			}
		}
		return true
	})
}
