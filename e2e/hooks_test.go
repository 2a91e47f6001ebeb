package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// sender delivers webhooks to one address.
type sender struct {
	url, secret string
	clock       func() time.Time
	client      *http.Client
}

// deliver signs and sends one body; 0 when no answer came.
func (s *sender) deliver(id, body string) (int, http.Header, []byte) {
	at := strconv.FormatInt(s.clock().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(s.secret))
	mac.Write([]byte(at + "." + body))
	req, err := http.NewRequest(http.MethodPost, s.url, strings.NewReader(body))
	if err != nil {
		return 0, nil, nil
	}
	req.Header.Set("Sluice-Delivery", id)
	req.Header.Set("Sluice-Signature", "t="+at+",v1="+hex.EncodeToString(mac.Sum(nil)))
	res, err := s.client.Do(req)
	if err != nil {
		return 0, nil, nil
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, nil, nil
	}
	return res.StatusCode, res.Header, text
}

// hook makes a webhook whose bodies are outcomes.
func (w *world) hook(name string, args ...string) string {
	w.t.Helper()
	var made struct{ Secret string }
	w.ok(&made, append([]string{"hooks", "add", name}, args...)...)
	return made.Secret
}

// payment is the body of one delivery.
func (w *world) payment(n int) string {
	raw, err := json.Marshal(map[string]any{
		"outcome": "payment_received", "record_id": fmt.Sprintf("o-%d", n), "event_time": w.clock().Add(-time.Hour).Unix(),
		"value": "12.50", "currency": "GBP", "action_source": "physical_store", "consent": "granted",
		"user_data": map[string]any{"em": fmt.Sprintf("buyer%d@example.com", n)},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return string(raw)
}

// drained waits until nothing waits in the inbox and returns how many outcomes are
// stored.
func (w *world) drained(s *server, hook string) int {
	w.t.Helper()
	until(w.t, 20*time.Second, "the inbox is taken in", func() bool {
		var st struct {
			Counts   map[string]int
			Failures []any
		}
		s.call(s.token, "GET", "/api/v1/hooks/"+hook, nil).into(w.t, &st)
		if st.Counts["failed"] > 0 {
			w.t.Fatalf("deliveries failed: %v", st.Failures)
		}
		return st.Counts["waiting"] == 0
	})
	var stats struct{ Items []struct{ Count int } }
	s.call(s.token, "GET", "/api/v1/outcomes/stats", nil).into(w.t, &stats)
	n := 0
	for _, row := range stats.Items {
		n += row.Count
	}
	return n
}

func TestWebhookIsTakenOnceAndOnlySigned(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		secret := w.hook("shop")
		s := w.serving()
		from := &sender{s.url + "/hooks/shop", secret, w.clock, http.DefaultClient}
		if code, _, text := from.deliver("d1", w.payment(1)); code != 202 {
			t.Fatalf("HTTP %d %s", code, text)
		}
		if code, _, _ := from.deliver("d1", w.payment(1)); code != 202 {
			t.Errorf("the same delivery again: HTTP %d", code)
		}
		if code, _, text := from.deliver("d1", w.payment(2)); code != 409 || !bytes.Contains(text, []byte("delivery_changed")) {
			t.Errorf("a changed delivery: HTTP %d %s", code, text)
		}
		for name, bad := range map[string]*sender{
			"another secret": {from.url, "0123456789abcdef0123", w.clock, http.DefaultClient},
			"an old time":    {from.url, secret, func() time.Time { return w.clock().Add(-6 * time.Minute) }, http.DefaultClient},
			"a time ahead":   {from.url, secret, func() time.Time { return w.clock().Add(6 * time.Minute) }, http.DefaultClient},
		} {
			if code, _, text := bad.deliver("d2", w.payment(2)); code != 401 || !bytes.Contains(text, []byte("signature_invalid")) {
				t.Errorf("%s: HTTP %d %s", name, code, text)
			}
		}
		if code, _, text := from.deliver("d3", strings.Repeat(" ", 1<<20+1)); code != 413 {
			t.Errorf("a body beyond 1 MiB: HTTP %d %s", code, text)
		}
		if n := w.drained(s, "shop"); n != 1 {
			t.Errorf("%d outcomes, want 1", n)
		}
	})
}

func TestWebhookThroughAMapping(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		secret := w.hook("till", "--mapping", w.file("till.yaml", mappingText))
		s := w.serving()
		from := &sender{s.url + "/hooks/till", secret, w.clock, http.DefaultClient}
		at := w.clock().Add(-time.Hour).Format(time.RFC3339)
		order := func(n int, currency string) string {
			return fmt.Sprintf(`{"shop":"north","order":"%d","sold_at":%q,"total":"9.50","currency":%q,"email":"buyer%d@example.com","phone":"","customer":"C%d"}`, n, at, currency, n, n)
		}
		for id, body := range map[string]string{"a": order(1, "GBP"), "b": "[" + order(2, "GBP") + "," + order(3, "GBP") + "]"} {
			if code, _, text := from.deliver(id, body); code != 202 {
				t.Fatalf("HTTP %d %s", code, text)
			}
		}
		if n := w.drained(s, "till"); n != 3 {
			t.Errorf("%d outcomes, want 3", n)
		}
		// What can't become an outcome is acknowledged, and named afterwards.
		if code, _, _ := from.deliver("c", `{"shop":"north"}`); code != 202 {
			t.Errorf("HTTP %d", code)
		}
		if code, _, _ := from.deliver("d", `not JSON`); code != 202 {
			t.Errorf("HTTP %d", code)
		}
		var st struct {
			Counts   map[string]int
			Failures []struct{ Delivery, Code string }
		}
		until(t, 10*time.Second, "both are named", func() bool {
			s.call(s.token, "GET", "/api/v1/hooks/till", nil).into(t, &st)
			return st.Counts["failed"] >= 2
		})
		if len(st.Failures) != 2 || st.Failures[0].Code == "" || st.Counts["done"] != 2 {
			t.Errorf("counts %v, failures %+v", st.Counts, st.Failures)
		}
	})
}

func TestVector36_webhook_burst(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		const capacity, burst = 40, 400
		secret := w.hook("shop")
		closed := w.serving("--inbox-rows", strconv.Itoa(capacity), "--no-work")
		bodies := make([]string, burst)
		for i := range bodies {
			bodies[i] = w.payment(i)
		}
		from := &sender{closed.url + "/hooks/shop", secret, w.clock, &http.Client{Timeout: 30 * time.Second}}
		taken := from.burst(t, bodies, nil)
		// On PostgreSQL deliveries that are written at the same moment don't see each
		// other: the mark is exceeded by as many as there are connections, at most.
		if n := len(taken); n == 0 || n > capacity+connections {
			t.Errorf("%d deliveries were taken, the inbox holds %d", n, capacity)
		}
		closed.stop()

		open := w.serving("--inbox-rows", strconv.Itoa(capacity))
		if n := w.drained(open, "shop"); n != len(taken) {
			t.Errorf("%d outcomes, %d deliveries were acknowledged", n, len(taken))
		}
		// The sender comes back with all of them, as often as it takes.
		from.url = open.url + "/hooks/shop"
		for round := 0; len(taken) < burst && round < 200; round++ {
			taken = from.burst(t, bodies, taken)
			w.drained(open, "shop")
		}
		if n := w.drained(open, "shop"); n != burst {
			t.Errorf("%d outcomes in the end, want %d", n, burst)
		}
	})
}

// connections is how many deliveries are under way at once.
const connections = 16

// burst delivers everything that was not taken, from many connections at once, and
// returns what has been taken by then. A refusal must say when to come back.
func (s *sender) burst(t *testing.T, bodies []string, taken map[int]bool) map[int]bool {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	all := map[int]bool{}
	for i := range taken {
		all[i] = true
	}
	todo := make(chan int)
	for range connections {
		wg.Go(func() {
			for i := range todo {
				code, header, text := s.deliver("d-"+strconv.Itoa(i), bodies[i])
				switch {
				case code == 202:
					mu.Lock()
					all[i] = true
					mu.Unlock()
				case code == 429 || code == 503:
					if header.Get("Retry-After") == "" {
						t.Errorf("HTTP %d without Retry-After: %s", code, text)
					}
				case code != 0:
					t.Errorf("HTTP %d %s", code, text)
				}
			}
		})
	}
	for i := range bodies {
		if !taken[i] {
			todo <- i
		}
	}
	close(todo)
	wg.Wait()
	return all
}

// The same with a process that is killed in the middle of the burst.
func TestVector36_webhook_burst_killed(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		w.now = time.Now().UTC() // the process has a clock of its own
		secret := w.hook("shop")
		program, err := binary()
		if err != nil {
			t.Fatal(err)
		}
		start := func() (*exec.Cmd, string) {
			cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program,
				"--state-dir", filepath.Join(w.dir, "state"), "--graph-url", w.url, "serve", "--addr", "127.0.0.1:0", "--no-work", "--log-level", "error")
			cmd.Env = w.environ()
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			first, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			return cmd, strings.TrimSpace(strings.TrimPrefix(first, "listening on "))
		}
		cmd, at := start()
		bodies := make([]string, 300)
		for i := range bodies {
			bodies[i] = w.payment(i)
		}
		from := &sender{at + "/hooks/shop", secret, time.Now, &http.Client{Timeout: 10 * time.Second}}
		killed := make(chan struct{})
		go func() {
			defer close(killed)
			// In the middle: after the first answers and before the last.
			until(t, 10*time.Second, "twenty deliveries wait", func() bool {
				var st struct{ Counts map[string]int }
				o := w.run("hooks", "show", "shop", "--json")
				return o.code == 0 && json.Unmarshal([]byte(o.stdout), &st) == nil && st.Counts["waiting"] >= 20
			})
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}()
		taken := from.burst(t, bodies, nil)
		<-killed
		if len(taken) == 0 || len(taken) == len(bodies) {
			t.Logf("%d of %d deliveries were taken before the kill", len(taken), len(bodies))
		}
		w.advance(time.Minute)
		s := w.serving()
		n := w.drained(s, "shop")
		// What was committed and not answered may be there besides; what was
		// answered must be.
		if n < len(taken) {
			t.Errorf("%d outcomes, %d deliveries were acknowledged", n, len(taken))
		}
		from.url, from.clock = s.url+"/hooks/shop", w.clock
		from.burst(t, bodies, taken)
		if n := w.drained(s, "shop"); n != len(bodies) {
			t.Errorf("%d outcomes in the end, want %d", n, len(bodies))
		}
	})
}
