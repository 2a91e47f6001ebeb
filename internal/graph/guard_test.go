package graph

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestAGuardEndsARequest(t *testing.T) {
	t.Parallel()
	body := []byte(strings.Repeat("x", 1<<20))
	for name, tt := range map[string]struct {
		pieces int64 // that may leave
		class  Class
	}{
		"before the first piece": {0, NotSent},
		"in the middle":          {3, Ambiguous},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var whole atomic.Bool
			srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				got, err := io.ReadAll(r.Body)
				whole.Store(err == nil && len(got) == len(body))
			}))
			defer srv.Close()
			c, err := New(Options{Base: srv.URL, Token: "t"})
			if err != nil {
				t.Fatal(err)
			}
			var asked atomic.Int64
			ctx := WithGuard(t.Context(), func() bool { return asked.Add(1) <= tt.pieces })
			_, err = c.SendEvents(ctx, "1", body)
			var e *Error
			if !errors.As(err, &e) || e.Class != tt.class {
				t.Errorf("got %v, want %s", err, tt.class)
			}
			srv.Close()
			if whole.Load() {
				t.Error("the whole body arrived")
			}
			if asked.Load() != tt.pieces+1 {
				t.Errorf("the guard was asked %d times", asked.Load())
			}
		})
	}
	if (newGuarded(context.Background(), nil)).ok != nil {
		t.Error("a request without a guard has one")
	}
}

// early answers before it has read the request, and reads on when the test says so.
type early struct{ body io.ReadCloser }

func (e *early) RoundTrip(r *http.Request) (*http.Response, error) {
	e.body = r.Body
	first := make([]byte, 4)
	if _, err := io.ReadFull(r.Body, first); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: http.NoBody, Request: r}, nil
}

// The bytes of a request are those of the next once its call returned: a transport
// that is still sending them must not get any more.
func TestAnEarlyAnswerEndsTheRequest(t *testing.T) {
	t.Parallel()
	transport := &early{}
	c, err := New(Options{Base: "http://127.0.0.1", Token: "t", Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.SendEvents(t.Context(), "1", []byte(strings.Repeat("x", 1<<10)))
	if rest, err := io.ReadAll(transport.body); !errors.Is(err, errOver) || len(rest) > 0 {
		t.Errorf("%d bytes were read after the call, and then %v", len(rest), err)
	}
}
