package httpdial_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpdial"
)

func TestModernRequest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, raw string
		header    http.Header
		want      map[string]string // empty: must not be there
	}{
		{"a tool call mirrors its name", call, http.Header{},
			map[string]string{"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "add",
				"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "Mcp-Session-Id": "", "Accept-Encoding": ""}},
		{"a name outside ASCII is wrapped", `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///größe",` + meta + `}}`, http.Header{},
			map[string]string{"Mcp-Name": "=?base64?ZmlsZTovLy9ncsO2w59l?="}},
		{"a task is named by its id", `{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"t-1",` + meta + `}}`, http.Header{},
			map[string]string{"Mcp-Name": "t-1"}},
		{"a list names nothing", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + meta + `}}`, http.Header{},
			map[string]string{"Mcp-Name": "", "Mcp-Method": "tools/list"}},
		{"mirrored arguments and the trace pass, nothing else does", call,
			http.Header{"Mcp-Param-Region": {"eu"}, "Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
				"Authorization": {"Bearer client"}, "Cookie": {"a=b"}, "X-Forwarded-For": {"192.0.2.1"}},
			map[string]string{"Mcp-Param-Region": "eu", "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
				"Authorization": "", "Cookie": "", "X-Forwarded-For": ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *recorded) { answer(w, 200, done) })
			c := modern(t, tt.raw)
			c.Header = tt.header
			if err := to(t, s).Call(t.Context(), c, &relay{}); err != nil {
				t.Fatal(err)
			}
			got := s.got()[0]
			if got.body != tt.raw {
				t.Errorf("body is %s; want %s", got.body, tt.raw)
			}
			for name, want := range tt.want {
				if v := got.Header.Get(name); v != want {
					t.Errorf("%s is %q; want %q", name, v, want)
				}
			}
		})
	}
}

func TestRelayedWhole(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *recorded) {
		events(w, ": hello", "id: 7\ndata:", "data: "+done)
	})
	var out relay
	if err := to(t, s).Call(t.Context(), modern(t, call), &out); err != nil {
		t.Fatal(err)
	}
	if want := ": hello\n\nid: 7\ndata:\n\ndata: " + done + "\n\n"; out.body != want || len(out.events) != 0 {
		t.Errorf("relayed %q and %d events; want the bytes of the stream", out.body, len(out.events))
	}
}

func TestModernAnswers(t *testing.T) {
	t.Parallel()
	progress := `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}`
	failure := func(id, code string) string {
		return `{"jsonrpc":"2.0","id":` + id + `,"error":{"code":` + code + `,"message":"no","data":{"x":1}}}`
	}
	for _, tt := range []struct {
		name   string
		serve  func(w http.ResponseWriter)
		events string
		status int
		code   exchange.Code
	}{
		{"a JSON result", func(w http.ResponseWriter) { answer(w, 200, done) }, "final " + done, 200, ""},
		{"a stream", func(w http.ResponseWriter) { events(w, "data: "+progress, ":", "event: ping\ndata: x", "data: "+done) },
			progress + "\nfinal " + done, 200, ""},
		{"a modern error keeps its status", func(w http.ResponseWriter) { answer(w, 400, failure("1", "-32021")) }, "final " + failure("1", "-32021"), 400, ""},
		{"an unknown method", func(w http.ResponseWriter) { answer(w, 404, failure("1", "-32601")) }, "final " + failure("1", "-32601"), 404, ""},
		{"an error that names the call", func(w http.ResponseWriter) { answer(w, 400, failure("1", "-32602")) }, "final " + failure("1", "-32602"), 400, ""},
		{"an error without an id gets it", func(w http.ResponseWriter) { answer(w, 400, failure("null", "-32020")) }, "final " + failure("1", "-32020"), 400, ""},
		{"an error of a failing server", func(w http.ResponseWriter) { answer(w, 500, failure("1", "-32603")) }, "final " + failure("1", "-32603"), 500, ""},
		{"a failing server that knows the id of nothing", func(w http.ResponseWriter) { answer(w, 500, failure(`"server-error"`, "-32603")) },
			"final " + failure("1", "-32603"), 500, ""},
		{"a legacy server", func(w http.ResponseWriter) { answer(w, 400, failure("null", "-32000")) }, "", 0, exchange.WrongEra},
		{"a legacy server that knows the id of nothing", func(w http.ResponseWriter) { answer(w, 400, failure(`"server-error"`, "-32600")) }, "", 0, exchange.WrongEra},
		{"a 400 without a body", func(w http.ResponseWriter) { w.WriteHeader(400) }, "", 0, exchange.WrongEra},
		{"a page that is not found", func(w http.ResponseWriter) { http.Error(w, "not found", 404) }, "", 0, exchange.WrongEra},
		{"a 405", func(w http.ResponseWriter) { w.WriteHeader(405) }, "", 0, exchange.WrongEra},
		{"too many requests", func(w http.ResponseWriter) { w.Header().Set("Retry-After", "3"); w.WriteHeader(429) }, "", 0, exchange.BackingOff},
		{"a gateway without its server", func(w http.ResponseWriter) { w.WriteHeader(502) }, "", 0, exchange.BrokeOff},
		{"a failing server says nothing", func(w http.ResponseWriter) { w.WriteHeader(500) }, "", 0, exchange.BrokeOff},
		{"no answer to a request", func(w http.ResponseWriter) { w.WriteHeader(202) }, "", 0, exchange.BrokeOff},
		{"a web page", func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>")
		}, "", 0, exchange.BrokeOff},
		{"an encoding nobody asked for", func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "gzip"); answer(w, 200, done) }, "", 0, exchange.BrokeOff},
		{"an encoding that is none", func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "Identity"); answer(w, 200, done) }, "final " + done, 200, ""},
		{"JSON that is cut short", func(w http.ResponseWriter) { answer(w, 200, done[:20]) }, "", 0, exchange.BrokeOff},
		{"a body that is cut short", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "500")
			answer(w, 200, done)
		}, "", 0, exchange.BrokeOff},
		{"the answer to something else", func(w http.ResponseWriter) { answer(w, 200, strings.Replace(done, `"id":1`, `"id":"1"`, 1)) }, "", 0, exchange.BrokeOff},
		{"a batch", func(w http.ResponseWriter) { answer(w, 200, "["+done+"]") }, "", 0, exchange.BrokeOff},
		{"a stream without an end", func(w http.ResponseWriter) { events(w, "data: "+progress) }, progress, 0, exchange.BrokeOff},
		{"a stream cut in an event", func(w http.ResponseWriter) {
			events(w)
			_, _ = io.WriteString(w, "data: "+done[:30])
		}, "", 0, exchange.BrokeOff},
		{"an event id resumes nothing here", func(w http.ResponseWriter) { events(w, "id: 1\ndata: "+progress) }, progress, 0, exchange.BrokeOff},
		{"a redirect elsewhere", func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://other.example.com/mcp")
			w.WriteHeader(307)
		}, "", 0, exchange.Unreachable},
		{"a redirect that loses the body", func(w http.ResponseWriter) { w.Header().Set("Location", "/x"); w.WriteHeader(302) }, "", 0, exchange.Unreachable},
		{"a redirect in a circle", func(w http.ResponseWriter) { w.Header().Set("Location", "/mcp"); w.WriteHeader(307) }, "", 0, exchange.Unreachable},
		{"a credential is asked for", func(w http.ResponseWriter) { w.Header().Set("WWW-Authenticate", "Bearer"); w.WriteHeader(401) }, "", 0, exchange.CredentialLost},
		{"a 403 in JSON that is no message", func(w http.ResponseWriter) { answer(w, 403, `{"message":"Forbidden"}`) }, "", 0, exchange.CredentialLost},
		{"a 403 about the message", func(w http.ResponseWriter) { answer(w, 403, failure("1", "-32600")) }, "final " + failure("1", "-32600"), 403, ""},
	} {
		byEach(t, tt.name, func(t *testing.T, o func(url string) httpdial.Options) {
			s := serve(t, func(w http.ResponseWriter, _ *recorded) { tt.serve(w) })
			var out sink
			err := dial(t, o(s.URL+"/mcp")).Call(t.Context(), modern(t, call), &out)
			if tt.code != "" {
				e := errorOf(t, err, tt.code)
				if strings.Contains(string(e.Response([]byte("1"))), "127.0.0.1") {
					t.Errorf("the error names an address: %s", e.Response([]byte("1")))
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if out.text() != tt.events {
				t.Errorf("events are\n%s\nwant\n%s", out.text(), tt.events)
			}
			// A client gets a stream where the server chose one, and as soon as it did.
			if want := strings.HasPrefix(tt.name, "a stream"); (out.opened > 0) != want && tt.name != "an event id resumes nothing here" {
				t.Errorf("opened %d times", out.opened)
			}
			if tt.status != 0 && out.events[len(out.events)-1].Status != tt.status {
				t.Errorf("status is %d; want %d", out.events[len(out.events)-1].Status, tt.status)
			}
			for _, r := range s.got() {
				if r.body != call {
					t.Errorf("the upstream got %s", r.body)
				}
			}
			if n := len(s.got()); n > 1 && tt.name != "a redirect in a circle" {
				t.Errorf("the call was sent %d times", n)
			}
		})
	}
}

func TestRedirectWithinTheOrigin(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		if r.URL.Path == "/mcp" {
			http.Redirect(w, r.Request, "/mcp/", http.StatusPermanentRedirect)
			return
		}
		answer(w, 200, done)
	})
	u := to(t, s)
	for range 2 {
		if err := u.Call(t.Context(), modern(t, call), &sink{}); err != nil {
			t.Fatal(err)
		}
	}
	var paths []string
	for _, r := range s.got() {
		paths = append(paths, r.URL.Path)
	}
	if got := strings.Join(paths, " "); got != "/mcp /mcp/ /mcp /mcp/" { // a redirect of one caller moves nobody else
		t.Errorf("asked at %s", got)
	}
}

func TestCancellationClosesTheConnection(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		out  func() exchange.Sink
		head bool // the stream has begun
	}{
		{"before an answer", func() exchange.Sink { return &sink{} }, false},
		{"before an answer, relayed", func() exchange.Sink { return &relay{} }, false},
		{"in a stream", func() exchange.Sink { return &sink{} }, true},
		{"in a relayed stream", func() exchange.Sink { return &relay{} }, true},
	} {
		byEach(t, tt.name, func(t *testing.T, o func(url string) httpdial.Options) {
			out := tt.out()
			began, ended := make(chan struct{}), make(chan struct{})
			s := serve(t, func(w http.ResponseWriter, r *recorded) {
				if tt.head {
					events(w, ": begun")
				}
				close(began)
				<-r.Context().Done()
				close(ended)
			})
			u := dial(t, o(s.URL))
			ctx, cancel := context.WithCancel(t.Context())
			result := background(ctx, func(ctx context.Context) error { return u.Call(ctx, modern(t, call), out) })
			wait(t, began, "the call")
			start := time.Now()
			cancel()
			wait(t, ended, "the upstream to see the cancellation")
			t.Logf("seen after %v", time.Since(start))
			if err := <-result; err == nil {
				t.Error("a cancelled call returned no error")
			}
		})
	}
}

func TestSilenceTimesOut(t *testing.T) {
	t.Parallel()
	for _, head := range []bool{false, true} {
		s := serve(t, func(w http.ResponseWriter, r *recorded) {
			if head {
				events(w, ": begun")
			}
			<-r.Context().Done()
		})
		u := dial(t, httpdial.Options{URL: s.URL, CallTimeout: 50 * time.Millisecond})
		wantCode(t, u.Call(t.Context(), modern(t, call), &sink{}), exchange.TimedOut)
		wantCode(t, u.Call(t.Context(), modern(t, call), &relay{}), exchange.TimedOut)
	}
}

func TestProgressExtendsUpToTheCap(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		events(w)
		for r.Context().Err() == nil {
			events(w, `data: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}`)
			select {
			case <-r.Context().Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	u := dial(t, httpdial.Options{URL: s.URL, CallTimeout: 200 * time.Millisecond, HardTimeout: 600 * time.Millisecond})
	start := time.Now()
	wantCode(t, u.Call(t.Context(), modern(t, call), &sink{}), exchange.TimedOut)
	if took := time.Since(start); took < 500*time.Millisecond {
		t.Errorf("it ended after %v, though the upstream went on", took)
	}
}

func TestSubscriptionOutlivesTheTimeout(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		events(w, `data: {"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{}}`)
		select {
		case <-r.Context().Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
		events(w, "data: "+done)
	})
	u := dial(t, httpdial.Options{URL: s.URL, CallTimeout: 50 * time.Millisecond})
	c := modern(t, `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{`+meta+`}}`)
	if err := u.Call(t.Context(), c, &sink{}); err != nil {
		t.Error(err)
	}
}

func TestLargeEvent(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 3<<20)
	result := `{"jsonrpc":"2.0","id":1,"result":{"text":"` + big + `"}}`
	s := serve(t, func(w http.ResponseWriter, _ *recorded) { events(w, "data: "+result) })
	var out sink
	if err := to(t, s).Call(t.Context(), modern(t, call), &out); err != nil {
		t.Fatal(err)
	}
	if out.text() != "final "+result {
		t.Error("3 MiB did not arrive as they were sent")
	}
	u := dial(t, httpdial.Options{URL: s.URL, MaxMessage: 1 << 20})
	wantCode(t, u.Call(t.Context(), modern(t, call), &sink{}), exchange.BrokeOff)
}

func TestNoHeaderFromAMethod(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *recorded) { answer(w, 200, done) })
	c := modern(t, `{"jsonrpc":"2.0","id":1,"method":"a\r\nX-Evil: 1","params":{`+meta+`}}`)
	wantCode(t, to(t, s).Call(t.Context(), c, &sink{}), exchange.CannotCarry)
	if len(s.got()) != 0 {
		t.Error("it was sent")
	}
}

func TestNotify(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(202)
	s := serve(t, func(w http.ResponseWriter, _ *recorded) { w.WriteHeader(int(status.Load())) })
	u := to(t, s)
	n := modern(t, `{"jsonrpc":"2.0","method":"notifications/x","params":{}}`)
	if err := u.Notify(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	if h := s.got()[0].Header; h.Get("Mcp-Method") != "notifications/x" || h.Get("Mcp-Protocol-Version") != "2026-07-28" {
		t.Errorf("headers are %v", h)
	}
	status.Store(503)
	wantCode(t, u.Notify(t.Context(), n), exchange.Unreachable)
}
