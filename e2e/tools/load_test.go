package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/mcpserver"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/stdioserve"

	"sluice/internal/graphtool/tool"
)

// TestManyClients: 32 clients on one server, each with calls under way at the same time:
// reads, writes, lists and searches. Every call gets the answer to its own question, and
// what one client found is not in the list of another.
func TestManyClients(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigged{})
	var handlers []tool.Handler
	for _, name := range []string{"meta_get_campaign", "meta_create_campaign", "meta_list_pages", "meta_get_posts", "meta_create_post", "threads_get_profile"} {
		handlers = append(handlers, r.tool(name))
	}
	server, err := mcpserver.New(mcpserver.Options{
		Name: "test", Version: "1", Tools: handlers, Search: true, Listed: func(context.Context) []string { return []string{"meta_get_campaign"} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close(context.Background()) })
	var wg sync.WaitGroup
	for n := range 32 {
		s := inProcess(t, server, fmt.Sprintf("client-%d", n), eras[n%2])
		wg.Go(func() { manyCalls(t, s, n) })
	}
	wg.Wait()
}

func manyCalls(t *testing.T, s *mcp.ClientSession, n int) {
	var wg sync.WaitGroup
	try := func(name string, args map[string]any, want func(said) bool) {
		wg.Go(func() {
			res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: args})
			if err != nil {
				t.Errorf("client %d: %s: %v", n, name, err)
				return
			}
			if a := read(res); !want(a) {
				t.Errorf("client %d: %s: %q %s", n, name, a.code, a.text)
			}
		})
	}
	id := fmt.Sprintf("310000000000000%d", n%2+1)
	for i := range 4 {
		called := fmt.Sprintf("of client %d, %d", n, i)
		try("meta_get_campaign", map[string]any{"campaign_id": id}, func(a said) bool { return a.code == "" && a.data["id"] == id })
		try("meta_create_campaign", map[string]any{"ad_account_id": "act_3000000000000001", "name": called, "objective": "OUTCOME_TRAFFIC"},
			func(a said) bool { return a.code == "" })
		try("meta_get_campaign", map[string]any{"campaign_id": "x/y"}, func(a said) bool { return a.code == "argument_invalid" })
		try("meta_create_post", map[string]any{"page_id": "4000000000000001", "message": called}, func(a said) bool { return a.code == "" })
	}
	wg.Wait()
	if n%2 == 0 {
		try(mcpserver.SearchTool, map[string]any{"query": "campaign"}, func(a said) bool { return a.code == "" })
		wg.Wait()
	}
	list, err := s.ListTools(t.Context(), nil)
	if err != nil {
		t.Errorf("client %d: %v", n, err)
		return
	}
	if found := len(list.Tools) > 2; found != (n%2 == 0) {
		t.Errorf("client %d sees %d tools", n, len(list.Tools))
	}
}

// inProcess is a client of a server in this process.
func inProcess(t *testing.T, up exchange.Upstream, caller, version string) *mcp.ClientSession {
	t.Helper()
	fromClient, toServer := io.Pipe()
	fromServer, toClient := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = stdioserve.Serve(ctx, fromClient, toClient, stdioserve.Options{Upstream: up, Server: "test", Caller: exchange.Caller{ID: caller}})
		_ = toClient.Close()
	}()
	t.Cleanup(func() {
		cancel()
		_ = fromClient.Close()
		<-ended
	})
	return connect(t, &mcp.IOTransport{Reader: fromServer, Writer: toServer}, version, nil)
}

// TestPageTokenIsLookedUpOnce: callers that need the token of one Page at the same time
// share one look-up, and later ones need none.
func TestPageTokenIsLookedUpOnce(t *testing.T) {
	t.Parallel()
	gate, waiting := make(chan struct{}), make(chan struct{})
	var lookups atomic.Int64
	r := newRig(t, rigged{transport: func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(req *http.Request) (*http.Response, error) {
			if req.URL.Query().Get("fields") == "access_token" {
				if lookups.Add(1) == 1 {
					close(waiting)
				}
				<-gate
			}
			return next.RoundTrip(req)
		})
	}})
	handler := r.tool("meta_create_post")
	var wg sync.WaitGroup
	post := func(n int) {
		args := fmt.Sprintf(`{"page_id":"4000000000000001","message":"number %d"}`, n)
		if res := handler.Call(t.Context(), json.RawMessage(args), nil); res.Fault != nil {
			t.Errorf("%d: %s", n, res.Text)
		}
	}
	for n := range 32 {
		wg.Go(func() { post(n) })
	}
	<-waiting
	close(gate)
	wg.Wait()
	post(32)
	if n := lookups.Load(); n != 1 {
		t.Errorf("the Page's token was looked up %d times", n)
	}
	posts := 0
	for _, req := range r.box.Requests() {
		if req.Method == http.MethodPost && strings.HasSuffix(req.Path, "/feed") && req.Token == "PAGE" {
			posts++
		}
	}
	if posts != 33 {
		t.Errorf("%d posts were made with the Page's token", posts)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
