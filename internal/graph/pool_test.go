package graph_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graph"
)

// usage answers with a usage header, given as "Name: value".
func usage(header, body string) func(http.ResponseWriter, seen) {
	return func(w http.ResponseWriter, _ seen) {
		name, value, _ := strings.Cut(header, ": ")
		w.Header().Set(name, value)
		_, _ = io.WriteString(w, body)
	}
}

func TestUsageHoldsCallsBack(t *testing.T) {
	t.Parallel()
	insights := get("act_1", "insights")
	urgent := get("act_1")
	urgent.Urgent = true
	tests := map[string]struct {
		header string
		first  graph.Request
		second graph.Request
		code   fault.Code // of the second call; empty: it goes out
		waited time.Duration
		after  int
	}{
		"half used":                      {`X-App-Usage: {"call_count":50}`, get("act_1"), get("act_1"), "", 0, 0},
		"three quarters, a little":       {`X-App-Usage: {"total_time":85}`, get("act_1"), get("act_1"), "", 400 * time.Millisecond, 0},
		"nearly, a read":                 {`X-App-Usage: {"total_cputime":96}`, get("act_1"), get("act_1"), fault.RateLimited, 0, 60},
		"nearly, an urgent read":         {`X-App-Usage: {"call_count":95}`, get("act_1"), urgent, "", 800 * time.Millisecond, 0},
		"nearly, a write":                {`X-App-Usage: {"call_count":95}`, get("act_1"), post("act_1"), "", 800 * time.Millisecond, 0},
		"the app's is everybody's":       {`X-App-Usage: {"call_count":96}`, get("act_1"), get("act_2"), fault.RateLimited, 0, 60},
		"full, minutes":                  {`X-Business-Use-Case-Usage: {"1":[{"type":"ads_management","call_count":100,"estimated_time_to_regain_access":3}]}`, get("act_1"), post("act_1"), fault.RateLimited, 0, 180},
		"full, seconds":                  {`X-Ad-Account-Usage: {"acc_id_util_pct":100,"reset_time_duration":100}`, get("act_1"), post("act_1"), fault.RateLimited, 0, 100},
		"full, over soon":                {`X-Ad-Account-Usage: {"acc_id_util_pct":100,"reset_time_duration":3}`, get("act_1"), post("act_1"), "", 3 * time.Second, 0},
		"full, another account":          {`X-Ad-Account-Usage: {"acc_id_util_pct":100,"reset_time_duration":100}`, get("act_1"), get("act_2"), "", 0, 0},
		"full, insights only":            {`x-fb-ads-insights-throttle: {"app_id_util_pct":1,"acc_id_util_pct":100}`, insights, get("act_1"), "", 0, 0},
		"full, insights":                 {`x-fb-ads-insights-throttle: {"app_id_util_pct":1,"acc_id_util_pct":100}`, insights, insights, fault.RateLimited, 0, 60},
		"a header that nobody can read":  {`X-App-Usage: {"call_count":`, get("act_1"), get("act_1"), "", 0, 0},
		"near, but Meta names no wait":   {`X-Business-Use-Case-Usage: {"1":[{"type":"pages","call_count":10,"estimated_time_to_regain_access":0}]}`, get("act_1"), get("act_1"), "", 0, 0},
		"far from full, a forecast only": {`X-Business-Use-Case-Usage: {"1":[{"type":"pages","call_count":60,"estimated_time_to_regain_access":19}]}`, get("act_1"), get("act_1"), "", 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := api(t, usage(tt.header, `{"id":"1"}`))
			if _, err := d.Do(t.Context(), tt.first); err != nil {
				t.Fatal(err)
			}
			_, err := d.Do(t.Context(), tt.second)
			if tt.code == "" && err != nil {
				t.Fatal(err)
			}
			if tt.code != "" {
				if f := faultOf(t, err, tt.code); f.RetryAfter != tt.after {
					t.Errorf("retry after %d, want %d", f.RetryAfter, tt.after)
				}
				if len(d.calls()) != 1 {
					t.Error("the call was sent")
				}
			}
			if got := d.clock.total(); got != tt.waited {
				t.Errorf("waited %v, want %v", got, tt.waited)
			}
		})
	}
}

func TestAFullPoolOpensAgain(t *testing.T) {
	t.Parallel()
	d := api(t, usage(`X-App-Usage: {"call_count":96}`, `{"id":"1"}`))
	for range 2 {
		if _, err := d.Do(t.Context(), get("1")); err != nil {
			t.Fatal(err)
		}
		_, err := d.Do(t.Context(), get("1"))
		refuses(t, err, fault.RateLimited)
		_ = d.clock.Sleep(t.Context(), time.Minute)
	}
}

func TestRefusalsForALimitWaitLongerEachTime(t *testing.T) {
	t.Parallel()
	d := api(t, answers(`400 {"error":{"code":80004}}`))
	var waits []int
	for range 6 {
		_, err := d.Do(t.Context(), post("act_1", "ads"))
		f := faultOf(t, err, fault.RateLimited)
		waits = append(waits, f.RetryAfter)
		_ = d.clock.Sleep(t.Context(), time.Duration(f.RetryAfter)*time.Second)
	}
	if want := []int{60, 120, 240, 480, 900, 900}; !slices.Equal(waits, want) {
		t.Errorf("waits %v, want %v", waits, want)
	}
	// Before its time nothing is sent.
	_, err := d.Do(t.Context(), post("act_1", "ads"))
	refuses(t, err, fault.RateLimited)
	sent := len(d.calls())
	_, err = d.Do(t.Context(), post("act_1", "ads"))
	refuses(t, err, fault.RateLimited)
	if len(d.calls()) != sent {
		t.Error("a call was sent before its time")
	}
}

// A quota of posts is no limit of calls: how much of it is left can still be read.
func TestQuotasHoldNothingBack(t *testing.T) {
	t.Parallel()
	threads := func(r graph.Request) graph.Request {
		r.Host, r.Token.Kind = graph.ThreadsHost, "threads"
		return r
	}
	tests := map[string]struct {
		answer      string
		write, read graph.Request
	}{
		"Instagram": {`403 {"error":{"code":9,"error_subcode":2207042}}`, post("5000000000000001", "media_publish"), get("5000000000000001", "content_publishing_limit")},
		"Threads":   {`400 {"error":{"code":613}}`, threads(post("me", "threads_publish")), threads(get("me", "threads_publishing_limit"))},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := api(t, answers(tt.answer, `200 {"data":[]}`))
			_, err := d.Do(t.Context(), tt.write)
			refuses(t, err, fault.RateLimited)
			if _, err := d.Do(t.Context(), tt.read); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestHTTP429WithoutAGraphError(t *testing.T) {
	t.Parallel()
	next := answers(`429 slow down`, `200 {"id":"1"}`)
	d := api(t, func(w http.ResponseWriter, r seen) {
		w.Header().Set("Retry-After", "7")
		next(w, r)
	})
	_, err := d.Do(t.Context(), get("1"))
	if f := faultOf(t, err, fault.RateLimited); f.RetryAfter != 7 {
		t.Errorf("retry after %d", f.RetryAfter)
	}
	_, err = d.Do(t.Context(), get("1"))
	refuses(t, err, fault.RateLimited)
	_ = d.clock.Sleep(t.Context(), 7*time.Second)
	if _, err := d.Do(t.Context(), get("1")); err != nil || len(d.calls()) != 2 {
		t.Errorf("%v, %d calls", err, len(d.calls()))
	}
}

func TestUsageIsListed(t *testing.T) {
	t.Parallel()
	d := api(t, func(w http.ResponseWriter, _ seen) {
		w.Header().Set("X-App-Usage", `{"call_count":12}`)
		w.Header().Set("X-Business-Use-Case-Usage", `{"3000000000000001":[{"type":"ads_insights","call_count":100,"estimated_time_to_regain_access":2,"ads_api_access_tier":"limited"}]}`)
		_, _ = io.WriteString(w, `{"id":"1"}`)
	})
	res, err := d.Do(t.Context(), get("act_3000000000000001"))
	if err != nil {
		t.Fatal(err)
	}
	if res.Usage.Percent != 100 || res.Usage.RegainAccess != 2*time.Minute {
		t.Errorf("usage of the answer %+v", res.Usage)
	}
	now := d.clock.Now()
	want := []graph.PoolUsage{
		{Pool: "ads_insights:3000000000000001", Percent: 100, Seen: now, Until: now.Add(2 * time.Minute), Tier: "limited"},
		{Pool: "app", Percent: 12, Seen: now},
	}
	if got := d.Usage(); !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestCircuit(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	broken := true
	d := api(t, func(w http.ResponseWriter, r seen) {
		mu.Lock()
		defer mu.Unlock()
		if broken && strings.Contains(r.URL.Path, "act_1") {
			w.WriteHeader(503)
			_, _ = io.WriteString(w, `{"error":{"code":2}}`)
			return
		}
		_, _ = io.WriteString(w, `{"id":"1"}`)
	})
	write := post("act_1", "ads")
	fail := func(want fault.Code, wantSent bool) (after int, says string) {
		t.Helper()
		before := len(d.calls())
		_, err := d.Do(t.Context(), write)
		f := faultOf(t, err, want)
		if sent := len(d.calls()) > before; sent != wantSent {
			t.Fatalf("sent: %v", sent)
		}
		return f.RetryAfter, f.Message
	}
	for range 5 {
		fail(fault.CallUnknown, true)
	}
	for _, open := range []int{30, 60, 120, 240, 300, 300} {
		after, says := fail(fault.MetaUnavailable, false)
		if after != open || !strings.Contains(says, "nothing was sent") {
			t.Fatalf("retry after %d, want %d: %s", after, open, says)
		}
		_ = d.clock.Sleep(t.Context(), time.Duration(open)*time.Second)
		fail(fault.CallUnknown, true) // the probe
	}
	if _, err := d.Do(t.Context(), get("act_2", "ads")); err != nil {
		t.Errorf("another account is held back: %v", err)
	}
	mu.Lock()
	broken = false
	mu.Unlock()
	_ = d.clock.Sleep(t.Context(), 5*time.Minute)
	for range 2 {
		if _, err := d.Do(t.Context(), write); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWritesOfOneAccountGoOneAfterAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		busy, most, total := map[string]int{}, map[string]int{}, 0
		a := inProcess(t, func(r *http.Request) (*http.Response, error) {
			key := r.Method + r.URL.Path
			mu.Lock()
			busy[key]++
			most[key] = max(most[key], busy[key])
			total = max(total, busy["POST/v26.0/act_1/ads"]+busy["POST/v26.0/act_2/ads"])
			mu.Unlock()
			time.Sleep(time.Second) // fake: the bubble's clock
			mu.Lock()
			busy[key]--
			mu.Unlock()
			return ok(`{"id":"1"}`), nil
		})
		var wg sync.WaitGroup
		for range 4 {
			for _, account := range []string{"act_1", "act_2"} {
				for _, r := range []graph.Request{post(account, "ads"), get(account, "ads")} {
					r.Serial = account
					wg.Go(func() {
						if _, err := a.Do(t.Context(), r); err != nil {
							t.Error(err)
						}
					})
				}
			}
		}
		wg.Wait()
		if most["POST/v26.0/act_1/ads"] != 1 || most["GET/v26.0/act_1/ads"] != 4 || total != 2 {
			t.Errorf("at the same time: %v, accounts %d", most, total)
		}
	})
}

func TestWaitingForATurnEndsWithTheCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		a := inProcess(t, func(*http.Request) (*http.Response, error) {
			<-release
			return ok(`{"id":"1"}`), nil
		})
		r := post("act_1", "ads")
		r.Serial = "act_1"
		done := make(chan error)
		go func() { _, err := a.Do(t.Context(), r); done <- err }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, err := a.Do(ctx, r); done <- err }()
		synctest.Wait()
		cancel()
		refuses(t, <-done, fault.Cancelled)
		close(release)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestCallsThatTheCallerEnds(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		request graph.Request
		code    fault.Code
	}{"read": {get("1"), fault.Cancelled}, "write": {post("1"), fault.CallUnknown}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := inProcess(t, func(r *http.Request) (*http.Response, error) {
					<-r.Context().Done()
					return nil, r.Context().Err()
				})
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error)
				go func() { _, err := a.Do(ctx, tt.request); done <- err }()
				synctest.Wait()
				cancel()
				refuses(t, <-done, tt.code)
			})
		})
	}
}

func TestTimeoutsOfCalls(t *testing.T) {
	t.Parallel()
	short := post("1")
	short.Timeout = time.Second
	for name, tt := range map[string]struct {
		request graph.Request
		code    fault.Code
		took    time.Duration
	}{
		"read": {get("1"), fault.MetaUnavailable, 90 * time.Second}, "write": {post("1"), fault.CallUnknown, time.Minute},
		"its own": {short, fault.CallUnknown, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := inProcess(t, func(r *http.Request) (*http.Response, error) {
					<-r.Context().Done()
					return nil, r.Context().Err()
				})
				began := time.Now()
				_, err := a.Do(t.Context(), tt.request)
				refuses(t, err, tt.code)
				if took := time.Since(began); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
			})
		})
	}
}
