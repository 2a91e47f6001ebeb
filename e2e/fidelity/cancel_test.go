package fidelity

import (
	"bufio"
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const rounds = 50

// report says how long cancellation took. That it arrives is what the tests demand of
// every single one; of the time they demand it of the middle one, since a busy machine
// can hold up any process for longer than that.
func report(t *testing.T, took []time.Duration) {
	t.Helper()
	slices.Sort(took)
	middle, longest := took[len(took)/2], took[len(took)-1]
	t.Logf("cancellation reached the upstream after %v (median), %v (longest of %d)", middle, longest, len(took))
	if middle > 50*time.Millisecond {
		t.Errorf("the median is %v, want at most 50 ms", middle)
	}
}

func TestClosingAModernStreamReachesTheUpstream(t *testing.T) {
	t.Parallel()
	u, url := modern(t)
	cancelled := make(chan time.Time, 1)
	u.answers(func(w http.ResponseWriter, r *http.Request, _ string) {
		answerStream(w, ": begun\n\n")
		<-r.Context().Done()
		cancelled <- time.Now()
	})
	var took []time.Duration
	for range rounds {
		ctx, cancel := context.WithCancel(t.Context())
		r := send(ctx, t, http.MethodPost, url, `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x","_meta":{`+modernMeta+`}}}`, modernHeaders("tools/call", "x"))
		until(t, bufio.NewReader(r.body), ": begun")
		began := time.Now()
		cancel()
		took = append(took, wait(t, cancelled, "the upstream's request to end").Sub(began))
	}
	report(t, took)
}

// A legacy client says that it cancels, with the id of the call; losing its connection
// alone means nothing.
func TestCancellingALegacyCallReachesTheUpstream(t *testing.T) {
	t.Parallel()
	u, url, in := legacy(t)
	const cancel = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9007199254740993,"reason":"n\u00e9"}}`
	arrived, ended := make(chan time.Time, 1), make(chan struct{}, 1)
	release := make(chan struct{})
	u.answers(func(w http.ResponseWriter, r *http.Request, body string) {
		if body == cancel {
			arrived <- time.Now()
			w.WriteHeader(http.StatusAccepted)
			return
		}
		answerStream(w, ": begun\n\n")
		select {
		case <-release:
		case <-r.Context().Done():
			ended <- struct{}{}
		}
	})
	lost, drop := context.WithCancel(t.Context())
	r := send(lost, t, http.MethodPost, url, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}`, in)
	until(t, bufio.NewReader(r.body), ": begun")
	drop()

	r = send(t.Context(), t, http.MethodPost, url, `{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"x"}}`, in)
	until(t, bufio.NewReader(r.body), ": begun")
	var took []time.Duration
	for range rounds {
		began := time.Now()
		if r, got := post(t, url, cancel, in); r.status != 202 {
			t.Fatalf("cancelled: %d %s", r.status, got)
		}
		took = append(took, wait(t, arrived, "notifications/cancelled").Sub(began))
	}
	report(t, took)
	select {
	case <-ended:
		t.Error("a lost connection cancelled the call of a legacy client")
	default:
	}
	close(release)
	u.answers(handshake)
}

// A legacy client that loses a stream with event ids comes back for the rest. The
// upstream must know by then that nobody reads the old stream any more.
func TestLostStreamCanBeResumed(t *testing.T) {
	t.Parallel()
	u, url, in := legacy(t)
	const result = `{"jsonrpc":"2.0","id":7,"result":{}}`
	free := make(chan struct{}, 1)
	u.answers(func(w http.ResponseWriter, r *http.Request, _ string) {
		if r.Method == http.MethodGet {
			answerStream(w, "id: "+r.Header.Get("Last-Event-Id")+"+1\ndata: "+result+"\n\n")
			return
		}
		answerStream(w, "id: 1\ndata: \n\n")
		<-r.Context().Done()
		free <- struct{}{}
	})
	ctx, drop := context.WithCancel(t.Context())
	r := send(ctx, t, http.MethodPost, url, `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x"}}`, in)
	until(t, bufio.NewReader(r.body), "id: 1")
	drop()
	wait(t, free, "the upstream to be rid of the lost stream")
	rest := bufio.NewReader(send(t.Context(), t, http.MethodGet, url, "", append(in, "Last-Event-ID", "1")).body)
	until(t, rest, "id: 1+1")
	until(t, rest, "data: "+result)
	u.answers(handshake)
}

// What a call is told when the upstream ends too early is an answer with its id.
func TestEveryCallIsAnswered(t *testing.T) {
	t.Parallel()
	u, url := modern(t)
	breaks := map[string]func(http.ResponseWriter){
		"nothing":     func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"half a body": func(w http.ResponseWriter) { answerJSON(w, 200, `{"jsonrpc":"2.0",`) },
		"a stream that ends": func(w http.ResponseWriter) {
			answerStream(w, "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n")
		},
		"half an event": func(w http.ResponseWriter) { answerStream(w, "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n") },
		"no MCP":        func(w http.ResponseWriter) { http.Error(w, "<html>", http.StatusBadGateway) },
	}
	for name, fail := range breaks {
		u.answers(func(w http.ResponseWriter, _ *http.Request, _ string) {
			fail(w)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		})
		_, got := post(t, url, `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x","_meta":{`+modernMeta+`}}}`, modernHeaders("tools/call", "x"))
		if !strings.Contains(got, `"id":7,"error":{`) || !strings.Contains(got, `"code":"upstream_`) {
			t.Errorf("%s: the client got %q", name, got)
		}
	}
}
