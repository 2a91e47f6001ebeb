package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/sandbox"
)

// transports runs a test in process and over a real socket.
func transports(t *testing.T, run func(t *testing.T, b *bundle)) {
	t.Helper()
	t.Run("in process", func(t *testing.T) {
		t.Parallel()
		run(t, setup(t))
	})
	t.Run("socket", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.client = serve(t, b.server)
		run(t, b)
	})
}

// serve starts the server on loopback and returns a client that reaches it
// whatever host a request names. The test ends when it has stopped.
func serve(t *testing.T, s *sandbox.Server) *http.Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", l.Addr().String())
	}}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return &http.Client{Transport: tr}
}

func (b *bundle) fault(spec string) { b.inspect(http.MethodPost, "/faults", spec) }

func TestDropAfterStoresAndCloses(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, b *bundle) {
		b.fault(`{"kind":"drop_after"}`)
		if _, err := b.try(b.authorized(eventsPath, batchOf(sale("a")))); err == nil {
			t.Fatal("the connection must break")
		}
		if got := b.totals(); got != [3]int{1, 1, 0} {
			t.Errorf("after the drop: %v", got)
		}
		if a := b.send(sale("a")); a.status != http.StatusOK {
			t.Fatal(a.text)
		}
		if got := b.totals(); got != [3]int{2, 1, 1} {
			t.Errorf("after the repeat: %v", got)
		}
	})
}

func TestDropBeforeStoresNothing(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, b *bundle) {
		b.fault(`{"kind":"drop_before","next":2}`)
		for range 2 {
			if _, err := b.try(b.authorized(eventsPath, batchOf(sale("a")))); err == nil {
				t.Fatal("the connection must break")
			}
		}
		if a := b.send(sale("a")); a.status != http.StatusOK {
			t.Fatal(a.text)
		}
		if got := b.totals(); got != [3]int{1, 1, 0} {
			t.Errorf("totals %v", got)
		}
	})
}

func TestTruncateStoresAndCutsTheReply(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, b *bundle) {
		b.fault(`{"kind":"truncate"}`)
		_, err := b.try(b.authorized(eventsPath, batchOf(sale("a"))))
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("reading the reply: %v", err)
		}
		if got := b.totals(); got != [3]int{1, 1, 0} {
			t.Errorf("totals %v", got)
		}
	})
}

func TestHTML502(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, b *bundle) {
		b.fault(`{"kind":"html_502"}`)
		a := b.send(sale("a"))
		if a.status != http.StatusBadGateway || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || !strings.Contains(a.text, "<html") {
			t.Errorf("got %d %s", a.status, a.text)
		}
		if got := b.totals(); got != [3]int{} {
			t.Errorf("stored %v", got)
		}
	})
}

func TestErrorFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		spec      string
		want      failure
		transient any
		message   string
	}{
		{`{"kind":"error"}`, failure{503, 2, 0}, true, "Service temporarily unavailable"},
		{`{"kind":"error","code":1}`, failure{500, 1, 0}, true, "An unknown error occurred"},
		{`{"kind":"error","code":190,"subcode":460}`, failure{401, 190, 460}, false, "changed the password"},
		{`{"kind":"error","code":190,"subcode":463}`, failure{401, 190, 463}, nil, "Session has expired on …"},
		{`{"kind":"error","code":100,"subcode":2804003}`, failure{400, 100, 2804003}, false, "Invalid parameter"},
		{`{"kind":"error","code":100,"subcode":2804014}`, failure{400, 100, 2804014}, false, "Invalid parameter"},
		{`{"kind":"error","code":100}`, failure{400, 100, 0}, false, "Invalid parameter"},
		{`{"kind":"error","code":368}`, failure{400, 368, 0}, false, "(#368)"},
		{`{"kind":"error","code":278}`, failure{403, 278, 0}, false, "[emulator]"},
		{`{"kind":"error","code":-3}`, failure{400, -3, 0}, false, "[emulator]"},
		{`{"kind":"throttle"}`, failure{400, 4, 0}, true, "(#4)"},
		{`{"kind":"throttle","code":17,"subcode":2446079}`, failure{400, 17, 2446079}, true, "(#17)"},
		{`{"kind":"throttle","code":613}`, failure{400, 613, 0}, true, "(#613)"},
		{`{"kind":"throttle","code":80004}`, failure{400, 80004, 0}, true, "(#80004)"},
	} {
		t.Run(tc.spec, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.fault(tc.spec)
			a := b.send(sale("a"))
			if a.failure() != tc.want {
				t.Fatalf("got %+v: %s", a.failure(), a.text)
			}
			e := a.body["error"].(map[string]any)
			if e["is_transient"] != tc.transient || !strings.Contains(a.errorText("message"), tc.message) {
				t.Errorf("got %s", a.text)
			}
			if a := b.send(sale("a")); a.status != http.StatusOK {
				t.Errorf("the fault must be used up: %s", a.text)
			}
			if got := b.totals(); got != [3]int{1, 1, 0} {
				t.Errorf("totals %v", got)
			}
		})
	}
}

func TestThrottleHeaders(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ spec, header, want string }{
		{`{"kind":"throttle"}`, "X-App-Usage", `{"call_count":100,"total_time":100,"total_cputime":100}`},
		{`{"kind":"throttle","code":613,"estimated_minutes":2}`, "X-Ad-Account-Usage",
			`{"acc_id_util_pct":100,"reset_time_duration":120,"ads_api_access_tier":"standard_access"}`},
		{`{"kind":"throttle","code":80004,"estimated_minutes":7}`, "X-Business-Use-Case-Usage",
			`{"2000000000000001":[{"type":"ads_management","call_count":100,"total_cputime":100,"total_time":100,"estimated_time_to_regain_access":7,"ads_api_access_tier":"standard_access"}]}`},
		{`{"kind":"usage_headers","percent":80}`, "X-App-Usage", `{"call_count":80,"total_time":80,"total_cputime":80}`},
	} {
		t.Run(tc.spec, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.fault(tc.spec)
			if got := b.send(sale("a")).header.Get(tc.header); got != tc.want {
				t.Errorf("%s: %s", tc.header, got)
			}
		})
	}
}

func TestRefuseEvent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fault(`{"kind":"refuse_event","event_ids":["bad","worse"],"code":100,"subcode":2804050}`)
	for range 3 {
		if got := b.send(sale("a"), sale("bad")).failure(); got != (failure{400, 100, 2804050}) {
			t.Fatalf("got %+v", got)
		}
	}
	if a := b.send(sale("a"), sale("b")); a.status != http.StatusOK {
		t.Errorf("request without the event: %s", a.text)
	}
	if got := b.totals(); got != [3]int{2, 2, 0} {
		t.Errorf("the whole request must be refused, stored %v", got)
	}
	b.inspect(http.MethodDelete, "/faults", "")
	if a := b.send(sale("bad")); a.status != http.StatusOK {
		t.Errorf("after the faults were deleted: %s", a.text)
	}
}

func TestFaultsByEventID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fault(`{"kind":"error","code":1,"event_ids":["x"],"next":1}`)
	b.fault(`{"kind":"drop_after","event_ids":["y"],"next":1}`)
	if a := b.send(sale("other")); a.status != http.StatusOK {
		t.Errorf("request without either: %s", a.text)
	}
	if got := b.send(sale("x")).failure(); got != (failure{500, 1, 0}) {
		t.Errorf("x: %+v", got)
	}
	if _, err := b.try(b.authorized(eventsPath, batchOf(sale("y")))); err == nil {
		t.Error("y: the connection must break")
	}
	if a := b.send(sale("x"), sale("y")); a.status != http.StatusOK {
		t.Errorf("both faults are used up: %s", a.text)
	}
}

func TestShortReceived(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		spec             string
		reported, stored int
	}{
		{`{"kind":"short_received"}`, 2, 3},
		{`{"kind":"short_received","missing":2,"lose":true}`, 1, 1},
		{`{"kind":"short_received","missing":9,"lose":true}`, 0, 0},
	} {
		t.Run(tc.spec, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.fault(tc.spec)
			a := b.send(sale("a"), sale("b"), sale("c"))
			if a.status != http.StatusOK || number(a.body["events_received"]) != tc.reported {
				t.Errorf("got %s", a.text)
			}
			if got := b.totals()[0]; got != tc.stored {
				t.Errorf("stored %d", got)
			}
		})
	}
}

// A fault after the store waits for a request that is stored.
func TestAfterFaultIsNotSpentOnARefusedRequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fault(`{"kind":"drop_after"}`)
	if got := b.send(sale("a", with("em", "plain"))).failure(); got != (failure{400, 100, 2804016}) {
		t.Errorf("got %+v", got)
	}
	if _, err := b.try(b.authorized(eventsPath, batchOf(sale("a")))); err == nil {
		t.Error("the connection must break now")
	}
}

func TestFaultsOfOtherEdges(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fault(`{"kind":"error","code":1,"edge":"*"}`)
	if got := b.get("/me").failure(); got != (failure{500, 1, 0}) {
		t.Errorf("got %+v", got)
	}
	b.fault(`{"kind":"error","code":1}`)
	if a := b.get("/me"); a.status != http.StatusOK {
		t.Errorf("a fault of the events edge met %s", a.text)
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, func(o *sandbox.Options) { o.Now = time.Now })
		recent := set("event_time", time.Now().Unix())
		b.fault(`{"kind":"latency","latency_ms":1500,"next":1}`)
		start := time.Now()
		if a := b.send(sale("a", recent)); a.status != http.StatusOK {
			t.Fatal(a.text)
		}
		if got := time.Since(start); got != 1500*time.Millisecond {
			t.Errorf("took %v", got)
		}

		// the store comes before the wait, so a caller that gives up has its event stored
		b.fault(`{"kind":"drop_after","latency_ms":60000}`)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		_, err := b.try(b.authorized(eventsPath, batchOf(sale("b", recent))).WithContext(ctx))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("gave up with %v after %v", err, time.Since(start))
		}
		if got := b.totals(); got != [3]int{2, 2, 0} {
			t.Errorf("totals %v", got)
		}
	})
}

func TestFaultPlanIsShownAndChecked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fault(`{"kind":"throttle","next":2}`)
	b.send(sale("a"))
	faults := b.inspect(http.MethodGet, "/faults", "")["faults"].([]any)
	f := faults[0].(map[string]any)
	if len(faults) != 1 || f["kind"] != "throttle" || number(f["next"]) != 1 || number(f["hits"]) != 1 || number(f["code"]) != 4 {
		t.Errorf("plan %v", faults)
	}
	for name, spec := range map[string]string{
		"unknown kind":         `{"kind":"explode"}`,
		"no kind":              `{}`,
		"unknown member":       `{"kind":"error","colour":1}`,
		"wrong case":           `{"Kind":"error"}`,
		"repeated member":      `{"kind":"error","kind":"latency"}`,
		"no ids":               `{"kind":"refuse_event"}`,
		"no latency":           `{"kind":"latency"}`,
		"latency too long":     `{"kind":"latency","latency_ms":700000}`,
		"next is zero":         `{"kind":"error","next":0}`,
		"negative":             `{"kind":"short_received","missing":-1}`,
		"ids of another edge":  `{"kind":"error","event_ids":["a"],"edge":"stats"}`,
		"code without meaning": `{"kind":"drop_after","code":4}`,
		"id set by caller":     `{"kind":"error","id":4}`,
		"no JSON":              `kind=error`,
	} {
		a := b.do(request(t, http.MethodPost, "/_emulator/faults", "application/json", spec))
		if a.status != http.StatusBadRequest || a.errorText("message") == "" {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
	}
}

// Two kinds at once: the wait comes first, then what ends the request.
func TestFaultsApplyInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		b.fault(`{"kind":"latency","latency_ms":100}`)
		b.fault(`{"kind":"error","code":2,"latency_ms":50}`)
		start := time.Now()
		if got := b.send(sale("a")).failure(); got != (failure{503, 2, 0}) {
			t.Errorf("got %+v", got)
		}
		if got := time.Since(start); got != 150*time.Millisecond {
			t.Errorf("took %v", got)
		}
		if got := fmt.Sprint(b.inspect(http.MethodGet, "/faults", "")["faults"]); got != "[]" {
			t.Errorf("left over: %s", got)
		}
	})
}
