package pipeline_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/enforce"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/era"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpdial"
	"sluice/internal/mcpwire/httpserve"
	"sluice/internal/mcpwire/stdioserve"
	"sluice/internal/testkit/everything"
	"sluice/internal/testkit/leak"
)

func TestMain(m *testing.M) { leak.Main(m, "gateway/pipeline.") }

const patience = 20 * time.Second

// reach is the way to an upstream over HTTP, as the product builds it.
func reach(t *testing.T, h http.Handler) exchange.Upstream {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	up, err := httpdial.New(httpdial.Options{Server: labServer, URL: server.URL, AllowPrivate: true})
	if err != nil {
		t.Fatal(err)
	}
	adapted := era.New(up, era.Options{Server: labServer, AnswersAlways: true})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = adapted.Close(ctx)
		server.CloseClientConnections()
	})
	return adapted
}

// serve puts a lab's pipeline around an upstream and serves it over HTTP.
func (l *lab) serve(up exchange.Upstream) string {
	h := httpserve.New(httpserve.Options{Upstream: l.pipe.Wrap(up), Server: labServer,
		Authenticate: func(*http.Request) (exchange.Caller, error) { return exchange.Caller{ID: "ann"}, nil }})
	server := httptest.NewServer(h)
	l.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = h.Shutdown(ctx)
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// stdio serves it over a pair of pipes, and is the client's way to it.
func (l *lab) stdio(up exchange.Upstream) mcp.Transport {
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = stdioserve.Serve(ctx, in, out, stdioserve.Options{Upstream: l.pipe.Wrap(up), Server: labServer, Caller: exchange.Caller{ID: "ann"}, DrainTimeout: time.Second})
		_ = out.Close()
	}()
	l.t.Cleanup(func() {
		cancel()
		_ = toServer.Close()
		_ = fromServer.Close()
		<-done
	})
	return &mcp.IOTransport{Reader: fromServer, Writer: toServer}
}

// hidesText hides one tool of the server with everything.
const hidesText = `{"version":"1","default":"allow","hide":["test_simple_text"],"tools":{}}`

// TestClientOfTheSDKSeesWhatPoliciesChange has the official client go through both faces
// and both eras: what is hidden is not listed and can't be told from what does not
// exist, and a policy that changes is told.
func TestClientOfTheSDKSeesWhatPoliciesChange(t *testing.T) {
	t.Parallel()
	for _, face := range []string{"http", "stdio"} {
		for _, version := range []string{mcpwire.Version20260728, mcpwire.Version20251125} {
			t.Run(face+" "+version, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				l := newLab(t, allowAll)
				server := everything.New()
				t.Cleanup(server.Close)
				up := reach(t, server.Handler())
				changed := make(chan struct{}, 100)
				client := mcp.NewClient(&mcp.Implementation{Name: "sdk", Version: "1"}, &mcp.ClientOptions{
					ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { changed <- struct{}{} },
				})
				var transport mcp.Transport
				if face == "http" {
					transport = &mcp.StreamableClientTransport{Endpoint: l.serve(up)}
				} else {
					transport = l.stdio(up)
				}
				s, err := client.Connect(ctx, transport, &mcp.ClientSessionOptions{ProtocolVersion: version})
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = s.Close() }()
				if got := s.InitializeResult().ProtocolVersion; got != version {
					t.Fatalf("the session speaks %s", got)
				}
				if caps := s.InitializeResult().Capabilities; caps.Tools == nil || !caps.Tools.ListChanged {
					t.Errorf("capabilities %+v", caps.Tools)
				}
				listed := func(name string) bool {
					tools, err := s.ListTools(ctx, nil)
					if err != nil || len(tools.Tools) < 10 {
						t.Fatalf("%d tools, %v", len(tools.Tools), err)
					}
					return slices.ContainsFunc(tools.Tools, func(tool *mcp.Tool) bool { return tool.Name == name })
				}
				call := func(name string) error {
					_, err := s.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: map[string]any{}})
					return err
				}
				if !listed("test_simple_text") || call("test_simple_text") != nil {
					t.Fatal("the tool is not there to begin with")
				}
				// A stream may still be on its way: what changes until then, it tells when it
				// is there, or a later change does.
				l.dir.put("ann", subject(t, "ann", hidesText))
				for told := false; !told; {
					select {
					case <-changed:
						told = true
					case <-time.After(200 * time.Millisecond):
						l.dir.put("ann", subject(t, "ann", allowAll))
						l.dir.put("ann", subject(t, "ann", hidesText))
					case <-ctx.Done():
						t.Fatal("the client was not told")
					}
				}
				if listed("test_simple_text") {
					t.Error("the hidden tool is listed")
				}
				hidden, unknown := call("test_simple_text"), call("no_such_tool")
				if hidden == nil || unknown == nil || hidden.Error() != unknown.Error() {
					t.Errorf("a hidden tool: %v; an unknown one: %v", hidden, unknown)
				}
				if err := call("test_image_content"); err != nil {
					t.Errorf("a visible tool: %v", err)
				}
			})
		}
	}
}

// TestClientOfTheSDKIsSentToThePage: the official client opens the page, waits for the
// decision where its era lets it, and the call is made once.
func TestClientOfTheSDKIsSentToThePage(t *testing.T) {
	t.Parallel()
	const asks = `{"version":"1","default":"allow","tools":{"test_simple_text":{"approve_if":[{"conditions":[],"wait_seconds":0}]}}}`
	for _, version := range []string{mcpwire.Version20260728, mcpwire.Version20251125} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			l := paged(t, page)
			l.dir.put("ann", subject(t, "ann", asks))
			server := everything.New()
			t.Cleanup(server.Close)
			url := l.serve(reach(t, server.Handler()))
			opened, decided := make(chan string, 10), make(chan string, 10)
			open := func(ctx context.Context, url string) error {
				opened <- url
				_, err := l.store.Decide(ctx, enforce.Decision{ID: "apr_1", Approve: true, By: "usr_1"})
				return err
			}
			client := mcp.NewClient(&mcp.Implementation{Name: "sdk", Version: "1"}, &mcp.ClientOptions{
				Capabilities: &mcp.ClientCapabilities{Elicitation: &mcp.ElicitationCapabilities{URL: &mcp.URLElicitationCapabilities{}}},
				ElicitationHandler: func(ctx context.Context, req *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
					return &mcp.ElicitResult{Action: "accept"}, open(ctx, req.Params.URL)
				},
				ElicitationCompleteHandler: func(_ context.Context, req *mcp.ElicitationCompleteNotificationRequest) {
					decided <- req.Params.ElicitationID
				},
			})
			s, err := client.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: url}, &mcp.ClientSessionOptions{ProtocolVersion: version})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			call := func() (*mcp.CallToolResult, error) {
				return s.CallTool(ctx, &mcp.CallToolParams{Name: "test_simple_text", Arguments: map[string]any{}})
			}
			got, err := call()
			var asked *jsonrpc.Error
			if version == mcpwire.Version20251125 && errors.As(err, &asked) && asked.Code == mcp.CodeURLElicitationRequired {
				var data struct{ Elicitations []mcp.ElicitParams }
				if err := json.Unmarshal(asked.Data, &data); err != nil || len(data.Elicitations) != 1 {
					t.Fatalf("it asks %s", asked.Data)
				}
				if err := open(ctx, data.Elicitations[0].URL); err != nil {
					t.Fatal(err)
				}
				select {
				case id := <-decided:
					if id != data.Elicitations[0].ElicitationID {
						t.Errorf("told that %s is decided", id)
					}
				case <-ctx.Done():
					t.Fatal("the client was not told that it is decided")
				}
				got, err = call()
			}
			if err != nil || got.IsError {
				t.Fatalf("%v, %v", got, err)
			}
			if url := <-opened; url != page("apr_1") || len(opened) > 0 {
				t.Errorf("opened %s and %d more", url, len(opened))
			}
			if got := l.store.decided(); !slices.Equal(got, []string{"park approval_pending test_simple_text", "allow  test_simple_text"}) {
				t.Errorf("recorded %q", got)
			}
		})
	}
}

// TestListsThatTravelOtherwise is vector 24: whatever an upstream writes its list as,
// nothing hidden comes through.
func TestListsThatTravelOtherwise(t *testing.T) {
	t.Parallel()
	result := func(id []byte) []byte { return mcpwire.BuildResult(id, []byte(`{"resultType":"complete",`+abc[1:])) }
	for _, tc := range []struct {
		name  string
		write func(w http.ResponseWriter, answer []byte)
		want  bool // the list arrives
	}{
		{"JSON", func(w http.ResponseWriter, answer []byte) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(answer)
		}, true},
		{"JSON of another charset and case", func(w http.ResponseWriter, answer []byte) {
			w.Header().Set("Content-Type", "Application/JSON; charset=utf-8")
			_, _ = w.Write(answer)
		}, true},
		{"an event stream", func(w http.ResponseWriter, answer []byte) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = w.Write(mcpwire.AppendEvent([]byte(": hello\n\n"), mcpwire.SSEEvent{Data: answer}))
		}, true},
		{"an event of several lines", func(w http.ResponseWriter, answer []byte) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = w.Write([]byte("event: message\r\ndata: " + strings.ReplaceAll(string(answer), ", ", ",\r\ndata: ") + "\r\n\r\n"))
		}, true},
		{"gzip that nobody asked for", func(w http.ResponseWriter, answer []byte) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(answer)
			_ = z.Close()
		}, false},
		{"gzip that is not said", func(w http.ResponseWriter, answer []byte) {
			w.Header().Set("Content-Type", "application/json")
			z := gzip.NewWriter(w)
			_, _ = z.Write(answer)
			_ = z.Close()
		}, false},
		{"text", func(w http.ResponseWriter, answer []byte) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write(answer)
		}, false},
		{"cut short", func(w http.ResponseWriter, answer []byte) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(answer[:len(answer)-20])
		}, false},
		{"an answer to somebody else before it", func(w http.ResponseWriter, answer []byte) {
			w.Header().Set("Content-Type", "text/event-stream")
			other := mcpwire.AppendEvent(nil, mcpwire.SSEEvent{Data: result([]byte(`"other"`))})
			_, _ = w.Write(mcpwire.AppendEvent(other, mcpwire.SSEEvent{Data: answer}))
		}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, hideB)
			url := l.serve(reach(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				m, err := mcpwire.ParseReply(body, mcpwire.Limits{})
				switch {
				case err != nil:
					w.WriteHeader(http.StatusMethodNotAllowed)
				case m.Method == mcpwire.MethodDiscover:
					w.Header().Set("Content-Type", "application/json")
					_, _ = w.Write(mcpwire.BuildResult(m.Bytes(m.ID), []byte(`{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"private"}`)))
				default:
					tc.write(w, result(m.Bytes(m.ID)))
				}
			})))
			answer := post(t, url, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{`+modernMeta+`{}}}}`, "Mcp-Method", "tools/list")
			if strings.Contains(answer, `"name":"b"`) || strings.Contains(answer, "gzip") {
				t.Errorf("the hidden tool came through: %s", answer)
			}
			if arrived := strings.Contains(answer, `"name":"a"`) && strings.Contains(answer, `"nextCursor":"more"`); arrived != tc.want {
				t.Errorf("answered %s", answer)
			}
		})
	}
}

// post sends one modern message and returns the answer.
func post(t *testing.T, url, body string, headers ...string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("Mcp-Protocol-Version", mcpwire.Version20260728)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	return string(answer)
}

// TestHeadersDoNotGiveAHiddenToolAway: a face checks mirrored headers by the schemas that
// it has seen in lists, and has not seen those of hidden tools.
func TestHeadersDoNotGiveAHiddenToolAway(t *testing.T) {
	t.Parallel()
	l := newLab(t, `{"version":"1","default":"allow","hide":["test_x_mcp_header"],"tools":{}}`)
	server := everything.New()
	t.Cleanup(server.Close)
	url := l.serve(reach(t, server.Handler()))
	post(t, url, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{`+modernMeta+`{}}}}`, "Mcp-Method", "tools/list")
	call := func(name string) string {
		return post(t, url, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`+name+`","arguments":{"region":"north"},`+modernMeta+`{}}}}`,
			"Mcp-Method", "tools/call", "Mcp-Name", name, "Mcp-Param-Region", "south")
	}
	if hidden, unknown := call("test_x_mcp_header"), call("test_y_mcp_header"); hidden != unknown || !strings.Contains(hidden, "-32602") {
		t.Errorf("hidden: %s\nunknown: %s", hidden, unknown)
	}
}

// TestServerWithoutAStreamHasTheGateways: a client of a server that answers 405 to GET is
// told over HTTP all the same, and its stream ends with the grant.
func TestServerWithoutAStreamHasTheGateways(t *testing.T) {
	t.Parallel()
	l := newLab(t, allowAll)
	l.up.list = listing(`{"tools":[{"name":"a"},{"name":"b"}]}`)
	url := l.serve(l.up)
	ask := func(method, body, session string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		if session != "" {
			req.Header.Set("Mcp-Session-Id", session)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	hello := ask(http.MethodPost, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}`, "")
	defer func() { _ = hello.Body.Close() }()
	stream := ask(http.MethodGet, "", hello.Header.Get("Mcp-Session-Id"))
	defer func() { _ = stream.Body.Close() }()
	if stream.StatusCode != http.StatusOK {
		t.Fatalf("the stream: %s", stream.Status)
	}
	l.dir.put("ann", subject(t, "ann", hideB))
	events := mcpwire.NewEventReader(stream.Body, 1<<20)
	for {
		e, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		if len(e.Data) == 0 {
			continue
		}
		if string(e.Data) != `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}` {
			t.Errorf("said %s", e.Data)
		}
		break
	}
	l.dir.put("ann", nil)
	for {
		if _, err := events.Next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
