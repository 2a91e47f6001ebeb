package limits

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/testkit/mcptest"
)

// cluster are nodes of `sluice serve` on one database, behind one address.
type cluster struct {
	site
	configuration string
	url           string // of the balancer
	serves        []atomic.Int64
}

// nodes starts a cluster.
func nodes(t *testing.T, n int, how starter, configuration string) *cluster {
	t.Helper()
	c := &cluster{site: site{change: make(chan struct{})}, configuration: configuration, serves: make([]atomic.Int64, n)}
	for i := range n {
		var first *mcptest.Gate
		if i > 0 {
			first = c.gates[0]
		}
		start := how(i, first)
		g := start.Serve(t, configuration)
		start.State = g.State
		c.starts, c.gates = append(c.starts, start), append(c.gates, g)
	}
	c.balance(t)
	return c
}

// balance puts the nodes behind one address, which takes them in turn for every request
// and passes over those that do not listen.
func (c *cluster) balance(t *testing.T) {
	var turn atomic.Int64
	to := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var failed error
		begin := int(turn.Add(1))
		for k := range c.starts {
			i := (begin + k) % len(c.starts)
			at, err := url.Parse(c.gate(i).URL)
			if err != nil {
				return nil, err
			}
			conn, err := (&net.Dialer{}).DialContext(ctx, network, at.Host)
			if err == nil {
				c.serves[i].Add(1)
				return conn, nil
			}
			failed = errors.Join(failed, err)
		}
		return nil, failed
	}}
	front := httptest.NewServer(&httputil.ReverseProxy{
		Transport: to, FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: r.In.Host})
			r.Out.Host = r.In.Host
		},
	})
	t.Cleanup(func() {
		front.CloseClientConnections()
		front.Close()
	})
	c.url = front.URL
}

// admit makes a grant of a server with a policy, and waits until every node knows it.
func (c *cluster) admit(t *testing.T, server, policy string) (token string) {
	t.Helper()
	run := c.gates[0].Run
	run.SetPolicy(t, server, "all", policy)
	_, token = run.Grant(t, server, "agent", "--policy", "all")
	for i := range c.starts {
		mcptest.AwaitToken(t, c.gate(i).URL+path(server), token)
	}
	return token
}

// path is where a server is called.
func path(server string) string {
	if server == "aggregate" {
		return "/mcp"
	}
	return "/mcp/" + server
}

// restart ends a node in order and starts it again; kill is how a crash ends one.
func (c *cluster) restart(t *testing.T, i int, kill bool) {
	t.Helper()
	g := c.gate(i)
	if kill {
		g.Kill()
	} else if err := g.Stop(); err != nil {
		t.Errorf("node %d ended with %v\n%s", i, err, g.Logs())
	}
	next := c.starts[i].Serve(t, c.configuration)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gates[i] = next
}

// keeper is a server of the legacy era that keeps sessions, and strictly: what is not in
// an open session whose client is ready is refused.
type keeper struct {
	*mcptest.Server
	mu    sync.Mutex
	ready map[string]bool // by session
	ended int
}

func newKeeper(t *testing.T) *keeper {
	k := &keeper{Server: mcptest.NewServer(t, "note"), ready: map[string]bool{}}
	k.First(func(w http.ResponseWriter, r *http.Request, m mcptest.Message) bool {
		k.mu.Lock()
		defer k.mu.Unlock()
		id := r.Header.Get("Mcp-Session-Id")
		ready, known := k.ready[id]
		switch {
		case m.Method == "initialize":
			id = "kept-" + strconv.Itoa(len(k.ready)+1)
			k.ready[id] = false
			w.Header().Set("Mcp-Session-Id", id)
			return false
		case id == "":
			mcptest.Write(w, http.StatusBadRequest, `{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: Mcp-Session-Id header is required"}}`)
		case !known:
			http.Error(w, "no such session", http.StatusNotFound)
		case r.Method == http.MethodDelete:
			delete(k.ready, id)
			k.ended++
			w.WriteHeader(http.StatusNoContent)
		case m.Method == "notifications/initialized":
			k.ready[id] = true
			return false
		case m.Method == "tools/call" && !ready:
			mcptest.Write(w, http.StatusOK, `{"jsonrpc":"2.0","id":`+string(m.ID)+`,"error":{"code":-32600,"message":"not initialized"}}`)
		default:
			return false
		}
		return true
	})
	return k
}

// newModern is a server that knows no handshake.
func newModern(t *testing.T) *mcptest.Server {
	s := mcptest.NewServer(t, "note")
	s.First(func(w http.ResponseWriter, r *http.Request, m mcptest.Message) bool {
		if r.Method != http.MethodPost || r.Header.Get("Mcp-Protocol-Version") == mcptest.Modern {
			return false
		}
		mcptest.Write(w, http.StatusBadRequest, `{"jsonrpc":"2.0","id":`+string(m.ID)+`,"error":{"code":-32022,"message":"unsupported","data":{"supported":["2026-07-28"]}}}`)
		return true
	})
	return s
}

// official is a legacy client on the official SDK, with its stream of notifications.
func official(t *testing.T, url, token string) *mcp.ClientSession {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "1"}, nil)
	s, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: url, HTTPClient: &http.Client{Transport: bearer{token}}},
		&mcp.ClientSessionOptions{ProtocolVersion: mcptest.Legacy})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // the nodes may be gone
	return s
}

// bearer sends a token with every request.
type bearer struct{ token string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultTransport.RoundTrip(r)
}

// TestNoSessionIsLostBehindRoundRobin has every request of a client come to the next of
// three nodes, before servers of every kind, while nodes are restarted and killed.
func TestNoSessionIsLostBehindRoundRobin(t *testing.T) {
	t.Parallel()
	how, _ := stores[1].begin(t)
	kept, modern, child := newKeeper(t), newModern(t), mcptest.NewChild(t)
	c := nodes(t, 3, how, "mcp:\n  servers:\n    kept: {url: \""+kept.URL+"\"}\n    modern: {url: \""+modern.URL+"\"}\n"+
		"    local: {command: [\""+strings.Join(child.Command, `", "`)+"\"]}\n  aggregate: [modern, local]\n")
	type member struct {
		name, tool string
		*mcptest.Client
	}
	var clients []member
	for _, at := range []struct{ server, tool string }{{"kept", "note"}, {"modern", "note"}, {"local", "allowed"}, {"aggregate", "local_allowed"}} {
		token := c.admit(t, at.server, `{"version":"1","default":"allow","tools":{"thrice":{"limits":[{"counter":"thrice","window":"day","algorithm":"sliding","max":3,"scope":"session"}]}}}`)
		for _, version := range []string{mcptest.Legacy, mcptest.Modern} {
			clients = append(clients, member{at.server + " " + version, at.tool, mcptest.NewClient(t, c.url+path(at.server), token, version)})
		}
	}
	sdk := official(t, c.url+"/mcp/kept", clients[0].Token)
	made := 0
	everybody := func(when string) {
		t.Helper()
		for range 2 * len(c.starts) {
			made++
			for _, m := range clients {
				if a := m.Call(t.Context(), t, m.tool, fmt.Sprintf(`{"n":%d}`, made)); !a.Allowed() {
					t.Errorf("%s, %s: %v", when, m.name, a)
				}
			}
			if r, err := sdk.CallTool(t.Context(), &mcp.CallToolParams{Name: "note"}); err != nil || r.IsError {
				t.Errorf("%s, the official SDK: %v %+v", when, err, r)
			}
		}
	}
	for i := range c.serves {
		c.serves[i].Store(0)
	}
	everybody("at first")
	for i := range c.serves {
		if c.serves[i].Load() == 0 {
			t.Errorf("node %d was asked nothing", i)
		}
	}
	for i := range c.starts {
		c.restart(t, i, false)
	}
	everybody("after every node was restarted")
	for i := range c.starts {
		c.restart(t, i, true)
	}
	everybody("after every node was killed")
	if n := len(child.Calls(t)); n != 4*made {
		t.Errorf("%d calls reached the command, want %d", n, 4*made)
	}
	// The legacy client has one session of its server, whichever node it comes through.
	mine := 0
	for _, r := range kept.All() {
		if strings.Contains(r.Body, `"tools/call"`) && r.Header.Get("Mcp-Session-Id") == "kept-1" {
			mine++
		}
	}
	if mine != made {
		t.Errorf("the server got %d of %d calls of the legacy client in its session", mine, made)
	}

	// What is counted by session is counted once for all nodes.
	for k, want := range []string{"", "", "", "limit_exceeded"} {
		if a := clients[0].Call(t.Context(), t, "thrice", "{}"); a.Policy.Code != want {
			t.Errorf("call %d of a session that may make three: %v", k, a)
		}
	}

	// A client that ends its session ends it at the server too.
	legacy := clients[0]
	kept.mu.Lock()
	before := kept.ended
	kept.mu.Unlock()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, legacy.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+legacy.Token)
	r.Header.Set("Mcp-Session-Id", legacy.Session())
	resp, err := legacy.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if resp.StatusCode != http.StatusNoContent || kept.ended != before+1 {
		t.Errorf("DELETE: %d, and %d sessions ended at the server", resp.StatusCode, kept.ended-before)
	}
}
