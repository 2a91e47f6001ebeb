package fidelity

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// ids that a relay could confuse or round.
var ids = []string{
	"0", "-1", "9007199254740993", "-9007199254740993", "123456789012345678901234567890",
	`""`, `"1"`, `"9007199254740993"`, `" a b "`, `"größe-☃-👍"`,
}

// what stands in a message besides the envelope, and nobody here knows.
const (
	unknownOutside = `"x-envelope":{"a":[1,2.50,1e400,-0.0,"\u00e9\/é"]}`
	unknownMeta    = `"com.example/trace":{"deep":[{"k":null}]},"progressToken":9007199254740993,"vendor":1.10`
	unknownParams  = `"unknown":[true,false,null],"arguments":{"z":1,"a":2,"n":123456789012345678901234567890.000100,"s":"\ud83d\udc4d 👍 \u2028"}`
)

func TestRequestsArriveAsTheyWereSent(t *testing.T) {
	t.Parallel()
	t.Run("modern", func(t *testing.T) {
		t.Parallel()
		u, url := modern(t)
		for _, id := range ids {
			body := "{ \"params\" :\t{" + unknownParams + `,"name":"größe","_meta":{` + unknownMeta + "," + modernMeta + "}},\r\n" +
				unknownOutside + `, "method":"tools/call","id": ` + id + ` ,"jsonrpc":"2.0"}` + "\n"
			want := `{"jsonrpc":"2.0","id":` + id + `,"result":{"resultType":"complete","content":[]}}`
			u.answers(func(w http.ResponseWriter, _ *http.Request, _ string) { answerJSON(w, 200, want) })
			r, got := post(t, url, body, modernHeaders("tools/call", "=?base64?Z3LDtsOfZQ==?="))
			if r.status != 200 || got != want {
				t.Errorf("id %s: the client got %d %s", id, r.status, got)
			}
			seen, ok := u.sent(body)
			if !ok {
				t.Errorf("id %s: the request did not arrive as it was sent", id)
				continue
			}
			for name, value := range map[string]string{"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call",
				"Mcp-Name": "=?base64?Z3LDtsOfZQ==?=", "Content-Type": "application/json"} {
				if seen.header.Get(name) != value {
					t.Errorf("id %s: %s is %q", id, name, seen.header.Get(name))
				}
			}
		}
	})
	t.Run("legacy", func(t *testing.T) {
		t.Parallel()
		u, url, in := legacy(t)
		for _, id := range ids {
			body := `{"id":` + id + `,"jsonrpc":"2.0",` + unknownOutside + `,"method":"tools/call","params":{"name":"x","_meta":{` + unknownMeta + `},` + unknownParams + "}}"
			want := `{"result":{"content":[]},"jsonrpc":"2.0","id":` + id + `}`
			u.answers(func(w http.ResponseWriter, _ *http.Request, _ string) { answerJSON(w, 200, want) })
			if r, got := post(t, url, body, in); r.status != 200 || got != want {
				t.Errorf("id %s: the client got %d %s", id, r.status, got)
			}
			if seen, ok := u.sent(body); !ok || seen.header.Get("Mcp-Session-Id") != upstreamSession || seen.header.Get("Mcp-Protocol-Version") != "2025-11-25" {
				t.Errorf("id %s: arrived as sent: %v, headers %v", id, ok, seen.header)
			}
		}
		u.answers(func(w http.ResponseWriter, _ *http.Request, _ string) { w.WriteHeader(http.StatusAccepted) })
		for _, body := range []string{
			`{"jsonrpc":"2.0","method":"notifications/x","params":{` + unknownParams + `}} `,
			`{"jsonrpc":"2.0","id":9007199254740993,"result":{"action":"accept","content":{"n":1.0}},` + unknownOutside + `}`,
			`{"jsonrpc":"2.0","id":"9007199254740993","error":{"code":-1,"message":"no","data":[1.50]}}`,
		} {
			if r, got := post(t, url, body, in); r.status != 202 || got != "" {
				t.Errorf("%s: the client got %d %s", body, r.status, got)
			}
			if _, ok := u.sent(body); !ok {
				t.Errorf("%s did not arrive as it was sent", body)
			}
		}
		u.answers(handshake)
	})
}

// answers an upstream could give to a request with id 7.
func answers() map[string]struct {
	kind   string
	body   string
	status int
} {
	large := strings.Repeat(`größe "quoted" \u2028 `, (3<<20)/25)
	large = strings.ReplaceAll(large, `"`, `\"`)
	result := `{"jsonrpc":"2.0","id":7,"result":{"resultType":"complete","content":[],"n":1e400,"m":12345678901234567890.10,"a":1,"a":2},` + unknownOutside + `}`
	big := `{"jsonrpc":"2.0","id":7,"result":{"resultType":"complete","content":[{"type":"text","text":"` + large + `"}]}}`
	progress := `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":9007199254740993,"progress":0.10,"_meta":{"v":1.0}}}`
	type answer = struct {
		kind   string
		body   string
		status int
	}
	return map[string]answer{
		"JSON":           {"application/json", " " + result + " \r\n", 200},
		"error":          {"application/json", `{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"m","data":{"n":1.50,"x":null}},"extra":1}`, 200},
		"3 MiB of JSON":  {"application/json", big, 200},
		"stream":         {"text/event-stream", "event: message\ndata: " + progress + "\n\nevent: message\ndata: " + result + "\n\n", 200},
		"CRLF stream":    {"text/event-stream", ": hello\r\n\r\ndata:" + progress + "\r\n\r\ndata: " + result + "\r\n\r\n", 200},
		"3 MiB in lines": {"text/event-stream", "data: " + progress + "\n\ndata: " + strings.Replace(big, `"result":`, "\"result\":\ndata: ", 1) + "\n\n", 200},
	}
}

func TestAnswersArriveAsTheyWereGiven(t *testing.T) {
	t.Parallel()
	give := func(t *testing.T, u *upstream, url, request string, headers pairs) {
		for name, a := range answers() {
			u.answers(func(w http.ResponseWriter, _ *http.Request, _ string) {
				w.Header().Set("Content-Type", a.kind)
				w.WriteHeader(a.status)
				_, _ = fmt.Fprint(w, a.body)
			})
			r, got := post(t, url, request, headers)
			if r.status != a.status || got != a.body || !strings.HasPrefix(r.header.Get("Content-Type"), a.kind) {
				t.Errorf("%s: %d %s, %d of %d bytes: %.300q", name, r.status, r.header.Get("Content-Type"), len(got), len(a.body), got)
			}
		}
	}
	t.Run("modern", func(t *testing.T) {
		t.Parallel()
		u, url := modern(t)
		give(t, u, url, `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x","_meta":{`+modernMeta+`}}}`, modernHeaders("tools/call", "x"))
		notFound := `{"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"no such method"}}`
		u.answers(func(w http.ResponseWriter, _ *http.Request, _ string) { answerJSON(w, 404, notFound) })
		if r, got := post(t, url, `{"jsonrpc":"2.0","id":7,"method":"x/y","params":{"_meta":{`+modernMeta+`}}}`, modernHeaders("x/y", "")); r.status != 404 || got != notFound {
			t.Errorf("unknown method: %d %s", r.status, got)
		}
	})
	t.Run("legacy", func(t *testing.T) {
		t.Parallel()
		u, url, in := legacy(t)
		give(t, u, url, `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x"}}`, in)

		// A priming event, a delay and the end of the connection: the client comes back.
		polling := "id: s1/0\ndata: \n\nretry: 1500\n\n"
		rest := "id: s1/1\ndata: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n\n"
		u.answers(func(w http.ResponseWriter, r *http.Request, _ string) {
			if r.Method == http.MethodGet {
				answerStream(w, rest)
				return
			}
			answerStream(w, polling)
		})
		u.taken()
		if _, got := post(t, url, `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x"}}`, in); got != polling {
			t.Errorf("polling: %q", got)
		}
		resumed := send(t.Context(), t, http.MethodGet, url, "", append(in, "Last-Event-ID", "s1/0"))
		until(t, bufio.NewReader(resumed.body), `data: {"jsonrpc":"2.0","id":7,"result":{}}`)
		if got := u.taken(); got[len(got)-1].header.Get("Last-Event-Id") != "s1/0" {
			t.Errorf("resumed with %v", got[len(got)-1].header)
		}
		u.answers(handshake)
	})
}

// Progress comes while the call runs: the upstream holds its result until the client
// has seen it.
func TestProgressIsNotHeldBack(t *testing.T) {
	t.Parallel()
	progress := `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t","progress":1}}`
	result := `{"jsonrpc":"2.0","id":7,"result":{"resultType":"complete","content":[]}}`
	run := func(t *testing.T, u *upstream, url, request string, headers pairs) {
		seen := make(chan struct{})
		u.answers(func(w http.ResponseWriter, _ *http.Request, _ string) {
			answerStream(w, "data: "+progress+"\n\n")
			<-seen
			answerStream(w, "data: "+result+"\n\n")
		})
		r := bufio.NewReader(send(t.Context(), t, http.MethodPost, url, request, headers).body)
		until(t, r, "data: "+progress)
		until(t, r, "")
		close(seen)
		until(t, r, "data: "+result)
	}
	t.Run("modern", func(t *testing.T) {
		t.Parallel()
		u, url := modern(t)
		run(t, u, url, `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x","_meta":{`+modernMeta+`,"progressToken":"t"}}}`, modernHeaders("tools/call", "x"))
	})
	t.Run("legacy", func(t *testing.T) {
		t.Parallel()
		u, url, in := legacy(t)
		run(t, u, url, `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x","_meta":{"progressToken":"t"}}}`, in)
		u.answers(handshake)
	})
}
