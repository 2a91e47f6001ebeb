package httpdial_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpdial"
)

// Calls that are given up at any moment, while others use the connections: nobody gets
// the answer to another call, or half of one.
func TestGivenUpCallsSpoilNoConnection(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		id, _, _ := strings.Cut(strings.TrimPrefix(string(b), `{"jsonrpc":"2.0","id":`), ",")
		result := `{"jsonrpc":"2.0","id":` + id + `,"result":{"pad":"` + strings.Repeat(id[:1], 3000) + `"}}`
		if len(id)%2 == 0 {
			events(w, "data: "+result)
		} else {
			answer(w, 200, result)
		}
	}))
	t.Cleanup(s.Close)
	u := dial(t, httpdial.Options{URL: s.URL})
	var good, ended atomic.Int64
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 150 {
				id := fmt.Sprint((g+1)*1000 + i*37%900)
				ctx, cancel := context.WithCancel(t.Context())
				if i%3 > 0 {
					stop := time.AfterFunc(time.Duration(rand.IntN(800))*time.Microsecond, cancel)
					defer stop.Stop()
				}
				c := modern(t, strings.Replace(call, `"id":1`, `"id":`+id, 1))
				var whole relay
				var each sink
				var out exchange.Sink = &each
				if i%2 == 0 {
					out = &whole
				}
				err := u.Call(ctx, c, out)
				text := whole.body + each.text()
				switch {
				case err != nil && ctx.Err() == nil:
					t.Errorf("call %s: %v", id, err)
				case err != nil:
					ended.Add(1)
				case !strings.Contains(text, `"id":`+id+`,`) || strings.Count(text, id[:1]) < 3000:
					t.Errorf("call %s was answered with %.80s", id, text)
				default:
					good.Add(1)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	t.Logf("%d answered, %d given up", good.Load(), ended.Load())
	if good.Load() < 300 {
		t.Errorf("%d calls were answered; want at least those that nobody gave up", good.Load())
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	proxy := serve(t, func(w http.ResponseWriter, _ *recorded) { answer(w, 200, done) })
	at, _ := url.Parse(proxy.URL)
	u := dial(t, httpdial.Options{URL: "http://mcp.example.com/mcp", Proxy: func(*http.Request) (*url.URL, error) { return at, nil }})
	if err := u.Call(t.Context(), modern(t, call), &relay{}); err != nil {
		t.Fatal(err)
	}
	if got := proxy.got()[0]; got.URL.String() != "http://mcp.example.com/mcp" {
		t.Errorf("the proxy was asked for %s", got.URL)
	}
}
