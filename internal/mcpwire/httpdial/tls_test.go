package httpdial_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpdial"
)

func TestHTTP2(t *testing.T) {
	t.Parallel()
	began, ended := make(chan struct{}), make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("it came as %s", r.Proto)
		}
		if r.Header.Get("Mcp-Method") == "tools/list" {
			answer(w, 200, done)
			return
		}
		events(w, ": begun")
		close(began)
		<-r.Context().Done()
		close(ended)
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	u := dial(t, httpdial.Options{URL: s.URL, Transport: s.Client().Transport})
	var out relay
	if err := u.Call(t.Context(), modern(t, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{`+meta+`}}`), &out); err != nil || out.body != done {
		t.Fatalf("got %q, %v", out.body, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	result := background(ctx, func(ctx context.Context) error { return u.Call(ctx, modern(t, call), &relay{}) })
	wait(t, began, "the call")
	cancel()
	wait(t, ended, "the upstream to see the cancellation")
	if err := <-result; err == nil {
		t.Error("a cancelled call returned no error")
	}
}

func TestUntrustedCertificate(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request) { t.Error("it was asked") }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	u := dial(t, httpdial.Options{URL: s.URL})
	wantCode(t, u.Call(t.Context(), modern(t, call), &sink{}), exchange.Unreachable)
}
