package httpserve

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// pieces is a body that arrives in pieces of any size.
type pieces struct {
	rest string
	r    *rand.Rand
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.rest == "" {
		return 0, io.EOF
	}
	n := copy(b, p.rest[:1+p.r.IntN(min(len(p.rest), 60))])
	if p.rest = p.rest[n:]; p.rest == "" && p.r.IntN(2) == 0 {
		return n, io.EOF
	}
	return n, nil
}

func (p *pieces) Close() error { return nil }

// script makes up the stream of an upstream to the call 1, and says what of it a client
// has to get.
func script(r *rand.Rand) (stream string, want []string, answered bool) {
	var s strings.Builder
	end := []string{"\n", "\r\n", "\r"}[r.IntN(3)]
	event := func(data string) {
		s.WriteString([]string{"", "event: message" + end}[r.IntN(2)])
		s.WriteString("data: " + strings.ReplaceAll(data, "\n", end+"data: ") + end + end)
	}
	if r.IntN(4) == 0 {
		s.WriteString(byteOrderMark)
	}
	for range r.IntN(8) {
		switch r.IntN(7) {
		case 0:
			event(progress)
			want = append(want, progress)
		case 1:
			s.WriteString(": comment" + end + strings.Repeat(end, r.IntN(2)))
		case 2:
			s.WriteString("id: 5" + end + "data:" + end + end)
			want = append(want, "")
		case 3: // another's answer
			data := `{"jsonrpc":"2.0","id":2,"result":{}}`
			event(data)
			want = append(want, data)
		case 4:
			data := "{\"jsonrpc\":\"2.0\",\n\"method\":\"x\"}"
			event(data)
			want = append(want, data)
		case 5:
			event(`{"jsonrpc":"2.0","id":null,"error":{"code":1}}`)
			if !answered {
				want = append(want, `{"jsonrpc":"2.0","id":1,"error":{"code":1}}`)
			}
			answered = true
		case 6:
			data := []string{`{"jsonrpc":"2.0","id":1,"result":{}}`, `{"result":{"id":2},"jsonrpc":"2.0","id":1}`, `{"error":{"code":1},"id": 1 ,"jsonrpc":"2.0"}`}[r.IntN(3)]
			event(data)
			if !answered {
				want = append(want, data)
			}
			answered = true
		}
	}
	return s.String(), want, answered
}

// Whatever a stream consists of and however it is cut into reads: each message arrives
// once and in order, and the call is answered once.
func TestRelayedStreams(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 0))
		stream, want, answered := script(r)
		h := New(Options{Upstream: &fake{call: func(_ context.Context, _ *exchange.Call, out exchange.Sink) error {
			return out.(exchange.Relayer).Relay(&http.Response{StatusCode: http.StatusOK,
				Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: &pieces{stream, r}})
		}}})
		request := httptest.NewRequest(http.MethodPost, "http://localhost/", strings.NewReader(modernCall("1", "tools/list", "")))
		headers := modernHeaders("tools/list")
		for i := 0; i < len(headers); i += 2 {
			request.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request)

		var got []string
		events := mcpwire.NewEventReader(w.Body, 0)
		for e, err := events.Next(); err == nil; e, err = events.Next() {
			if e.Data != nil {
				got = append(got, string(e.Data))
			}
		}
		if !answered && len(got) > 0 && strings.Contains(got[len(got)-1], "upstream_broke_off") {
			got, answered = got[:len(got)-1], true
		}
		if !answered || !slices.Equal(got, want) {
			t.Fatalf("seed %d: %q\nbecame %q\nwant   %q", seed, stream, got, want)
		}
	}
}
