package fidelity

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"sluice/internal/mcpwire"
	"sluice/internal/testkit/mcptest"
)

// childArgument makes the test program an MCP server on its standard streams.
const childArgument = "serve-on-stdio"

// odd is a result that no encoder would write this way.
const odd = `{"resultType" : "complete","content":[ ],"n":1e400,"m":12345678901234567890.10,"a":1,"a":2,"s":"\u00e9\/é"}`

var long = `{"resultType":"complete","content":[{"type":"text","text":"` + strings.Repeat("größe ", (3<<20)/8) + `"}]}`

// child is a server of both eras that answers with what it was sent.
func child(in io.Reader, out io.Writer) {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		m, err := mcpwire.Parse(bytes.TrimSuffix(line, []byte("\n")), mcpwire.Limits{})
		if err != nil || m.Kind != mcpwire.Request {
			continue
		}
		result := discovered
		switch name, _ := m.Text(m.Name); {
		case m.Method == mcpwire.MethodInitialize:
			result = `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"raw","version":"1"}}`
		case name == "echo":
			result = `{"resultType":"complete","line":` + string(mcpwire.Quote(string(m.Raw))) + `}`
		case name == "odd":
			fmt.Fprintf(out, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":0.10}}`+"\n", m.Bytes(m.ProgressToken))
			result = odd
		case name == "long":
			result = long
		}
		fmt.Fprintf(out, `{"jsonrpc":"2.0","id":%s,"result":%s}`+"\n", m.Bytes(m.ID), result)
	}
}

// A message on its way to a child gets an id of the child's space, a progress token too
// where that child holds no conversation with one client, and loses the line ends that
// would part it. Nothing else changes, and nothing at all on its way back.
func TestChildGetsAndGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	url := relay(t, "--", self, childArgument)
	run := func(t *testing.T, meta string, headers func(name string) pairs) {
		for _, id := range ids {
			body := "{\"jsonrpc\":\"2.0\",\n\"id\": " + id + " ,\"method\":\"tools/call\"," + unknownOutside + `,"params":{` + unknownParams +
				`,"name":"echo","_meta":{` + unknownMeta + meta + `}}}`
			_, got := post(t, url, body, headers("echo"))
			reply, err := mcpwire.ParseReply([]byte(got), mcpwire.Limits{})
			if err != nil || string(reply.Bytes(reply.ID)) != id {
				t.Errorf("id %s: answered with %.300s (%v)", id, got, err)
				continue
			}
			line, _ := reply.Text(mcpwire.Member(reply.Raw, reply.Result, "line"))
			m, err := mcpwire.Parse([]byte(line), mcpwire.Limits{})
			if err != nil {
				t.Errorf("id %s: the child got %q: %v", id, line, err)
				continue
			}
			edits := []mcpwire.Edit{{Span: m.ID, With: []byte(id)}}
			if m.Modern() {
				edits = append(edits, mcpwire.Edit{Span: m.ProgressToken, With: []byte("9007199254740993")})
			}
			restored, err := mcpwire.Splice(m.Raw, edits...)
			if want := strings.ReplaceAll(body, "\n", " "); err != nil || string(restored) != want {
				t.Errorf("id %s: the child got\n%s\nwant\n%s", id, restored, want)
			}
		}
		call := func(name string) string {
			return `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"` + name + `","_meta":{"progressToken":9007199254740993` + meta + `}}}`
		}
		if _, got := post(t, url, call("long"), headers("long")); got != `{"jsonrpc":"2.0","id":7,"result":`+long+`}` {
			t.Errorf("3 MiB became %d bytes: %.100s", len(got), got)
		}
		want := "data: " + `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":9007199254740993,"progress":0.10}}` + "\n\n" +
			"data: " + `{"jsonrpc":"2.0","id":7,"result":` + odd + "}\n\n"
		if _, got := post(t, url, call("odd"), headers("odd")); got != want {
			t.Errorf("progress and result:\n%s\nwant\n%s", got, want)
		}
	}
	t.Run("modern", func(t *testing.T) {
		t.Parallel()
		run(t, ","+modernMeta, func(name string) pairs { return modernHeaders("tools/call", name) })
	})
	t.Run("legacy", func(t *testing.T) {
		t.Parallel()
		r, body := post(t, url, initialize, nil)
		if r.status != 200 {
			t.Fatalf("initialize: %d %s", r.status, body)
		}
		in := pairs{"Mcp-Session-Id", r.header.Get("Mcp-Session-Id"), "MCP-Protocol-Version", "2025-11-25"}
		post(t, url, initialized, in)
		run(t, "", func(string) pairs { return in })
	})
}

// local is a client that starts the relay as its MCP server.
type local struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Reader
}

func startLocal(t *testing.T, upstream string) *local {
	t.Helper()
	cmd := exec.Command(mcptest.Program(t), "proxy", "--upstream", upstream)
	cmd.Env = append(os.Environ(), environment(t)...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the relay ended with: %v", err)
		}
	})
	return &local{t, in, bufio.NewReader(out)}
}

func (l *local) say(line string) {
	l.t.Helper()
	if _, err := io.WriteString(l.in, line+"\n"); err != nil {
		l.t.Fatal(err)
	}
}

func (l *local) hear() string {
	l.t.Helper()
	line, err := l.out.ReadString('\n')
	if err != nil {
		l.t.Fatal(err)
	}
	return strings.TrimSuffix(line, "\n")
}

// A client on standard streams and an upstream on HTTP: what a line said is the body,
// what the body said is a line.
func TestLocalClientSendsAndGetsTheSameBytes(t *testing.T) {
	t.Parallel()
	progress := `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":9007199254740993,"progress":0.10}}`
	run := func(t *testing.T, u *upstream, l *local, meta string) {
		for _, id := range ids {
			request := `{"jsonrpc":"2.0","id": ` + id + ` ,"method":"tools/call",` + unknownOutside + `,"params":{` + unknownParams + `,"name":"x","_meta":{` + unknownMeta + meta + `}}}`
			answer := `{"result":` + odd + `,"jsonrpc":"2.0","id":` + id + `}`
			u.answers(func(w http.ResponseWriter, _ *http.Request, _ string) { answerJSON(w, 200, answer) })
			l.say(request)
			if got := l.hear(); got != answer {
				t.Errorf("id %s: the client got %s", id, got)
			}
			if _, ok := u.sent(request); !ok {
				t.Errorf("id %s: the request did not arrive as it was sent", id)
			}
		}
		final := `{"jsonrpc":"2.0","id":7,"result":` + long + `}`
		u.answers(func(w http.ResponseWriter, _ *http.Request, _ string) {
			answerStream(w, "data: "+progress+"\n\ndata: "+strings.Replace(final, `"result":`, "\"result\":\ndata: ", 1)+"\n\n")
		})
		l.say(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x","_meta":{"progressToken":9007199254740993` + meta + `}}}`)
		if got := l.hear(); got != progress {
			t.Errorf("progress: %s", got)
		}
		if got := l.hear(); got != strings.Replace(final, `"result":`, `"result": `, 1) {
			t.Errorf("3 MiB became %d bytes: %.100s", len(got), got)
		}
	}
	t.Run("modern", func(t *testing.T) {
		t.Parallel()
		u := newUpstream(t)
		u.answers(func(w http.ResponseWriter, _ *http.Request, body string) {
			m, err := mcpwire.Parse([]byte(body), mcpwire.Limits{})
			if err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			answerJSON(w, 200, `{"jsonrpc":"2.0","id":`+string(m.Bytes(m.ID))+`,"result":`+discovered+`}`)
		})
		l := startLocal(t, u.server.URL)
		l.say(`{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{` + modernMeta + `}}}`)
		if got := l.hear(); got != `{"jsonrpc":"2.0","id":1,"result":`+discovered+`}` {
			t.Fatalf("discover: %s", got)
		}
		run(t, u, l, ","+modernMeta)
	})
	t.Run("legacy", func(t *testing.T) {
		t.Parallel()
		u := newUpstream(t)
		u.answers(handshake)
		l := startLocal(t, u.server.URL)
		l.say(initialize)
		if got := l.hear(); got != greeting {
			t.Fatalf("initialize: %s", got)
		}
		l.say(initialized)
		run(t, u, l, "")
		u.answers(handshake)
	})
}
