package approve_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"sluice/internal/approve"
	"sluice/internal/enforce"
	"sluice/internal/registry"
)

// delivery is what a receiver got.
type delivery struct {
	header http.Header
	body   []byte
}

// receiver answers with the given statuses in turn, then 204.
func receiver(t *testing.T, statuses ...int) (url string, got chan delivery) {
	t.Helper()
	got = make(chan delivery, 20)
	answers := make(chan int, len(statuses))
	for _, s := range statuses {
		answers <- s
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- delivery{r.Header.Clone(), raw}
		select {
		case s := <-answers:
			if s/100 == 3 {
				w.Header().Set("Location", "/elsewhere")
			}
			w.WriteHeader(s)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/secret-path", got
}

// serve runs a desk's loop until the test ends.
func serve(t *testing.T, d *desk) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// patient lets the loop tick by the machine's clock, and tries come at once.
func patient(o *approve.Options) {
	o.Sleep = func(ctx context.Context, d time.Duration) error {
		timer := time.NewTimer(min(d, 20*time.Millisecond))
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return nil
		}
	}
}

func approvalOf(t *testing.T, d *desk, id string) *enforce.Approval {
	t.Helper()
	a, err := d.store.Approval(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAWebhookGetsASignedNoticeWithoutValues(t *testing.T) {
	t.Parallel()
	d := open(t, patient)
	url, got := receiver(t)
	d.place = notify(registry.Notify{Webhook: url})
	id := d.park(t, `{"to":"canary@example.com","amount":77}`)
	serve(t, d)
	d.Notify(approve.Parked, approvalOf(t, d, id))
	n := <-got
	key, err := d.SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	unix, signature, _ := strings.Cut(strings.TrimPrefix(n.header.Get("Sluice-Signature"), "t="), ",v1=")
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(unix + "." + string(n.body)))
	if want := hex.EncodeToString(mac.Sum(nil)); signature != want || unix != "1795255200" {
		t.Errorf("signature %s at %s, want %s", signature, unix, want)
	}
	if n.header.Get("Sluice-Delivery") != id+".parked" || n.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", n.header)
	}
	for _, secret := range []string{"canary", "77", "sealed"} {
		if strings.Contains(string(n.body), secret) {
			t.Errorf("the notice holds %q: %s", secret, n.body)
		}
	}
	var doc approve.Notice
	if err := json.Unmarshal(n.body, &doc); err != nil || doc.Approval != id || doc.Grant != "nightly" || doc.Server != "crm" || doc.Tool != "send_offer" ||
		doc.State != "pending" || doc.Link != "https://sluice.example.com/approvals/"+id || !doc.ExpiresAt.Equal(start.Add(15*time.Minute)) {
		t.Errorf("the notice is %s (%v)", n.body, err)
	}
}

func TestTargetsChooseTheirEvents(t *testing.T) {
	t.Parallel()
	d := open(t, patient)
	usual, a := receiver(t)
	ends, b := receiver(t)
	d.place = notify(registry.Notify{Webhook: usual}, registry.Notify{Webhook: ends, On: []string{approve.Decided}})
	id := d.park(t, `{}`)
	d.Notify(approve.Parked, approvalOf(t, d, id))
	if _, err := d.Decide(t.Context(), id, true, ""); err != nil {
		t.Fatal(err)
	}
	if err := d.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	first, second := <-a, <-b
	if first.header.Get("Sluice-Delivery") != id+".parked" || second.header.Get("Sluice-Delivery") != id+".decided" || len(a)+len(b) != 0 {
		t.Errorf("got %v and %v, and %d more", first.header, second.header, len(a)+len(b))
	}
	if !strings.Contains(string(second.body), `"state":"approved"`) {
		t.Errorf("the decision: %s", second.body)
	}
}

func TestAFailedDeliveryIsTriedAgain(t *testing.T) {
	t.Parallel()
	d := open(t, patient)
	url, got := receiver(t, 500, 429)
	d.place = notify(registry.Notify{Webhook: url})
	id := d.park(t, `{}`)
	serve(t, d)
	d.Notify(approve.Parked, approvalOf(t, d, id))
	for range 3 {
		if n := <-got; n.header.Get("Sluice-Delivery") != id+".parked" {
			t.Errorf("got %v", n.header)
		}
	}
}

func TestAWebhookThatSaysNoIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"a refusal": 404, "a redirect": 307} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			url, got := receiver(t, status)
			d.place = notify(registry.Notify{Webhook: url})
			d.Notify(approve.Parked, approvalOf(t, d, d.park(t, `{}`)))
			err := d.Flush(t.Context())
			if err == nil || strings.Contains(err.Error(), "secret-path") || strings.Contains(err.Error(), "127.0.0.1") {
				t.Errorf("got %v", err)
			}
			if <-got; len(got) != 0 {
				t.Errorf("%d more requests", len(got))
			}
		})
	}
}

func TestWebhooksStayOutOfPrivateNetworks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, url, variable string
		want                string
	}{
		{"plain http", "http://hooks.example.com/x", "", "https"},
		{"a user in the URL", "https://me:pw@hooks.example.com/x", "", "no user name"},
		{"no URL", "hooks", "", "absolute"},
		{"a private address", "https://10.0.0.1/x", "", "private network"},
		{"a metadata service", "https://169.254.169.254/x", "", "private network"},
		{"this machine by another name", "https://[::ffff:127.0.0.1%25x]/x", "", "private network"},
		{"all addresses of this machine", "https://0.0.0.0/x", "", "private network"},
		{"a variable that is not set", "${HOOK}", "", "HOOK"},
		{"a variable with a private address", "${HOOK}", "https://192.168.1.1/x", "private network"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := open(t, func(o *approve.Options) {
				o.Variable = func(string) (string, bool) { return tt.variable, tt.variable != "" }
			})
			d.place = notify(registry.Notify{Webhook: tt.url})
			d.Notify(approve.Parked, approvalOf(t, d, d.park(t, `{}`)))
			if err := d.Flush(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestAProgramGetsTheNoticeAndNoSecrets(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	t.Setenv("SLUICE_TEST_TOKEN", "canary")
	d := open(t)
	out := filepath.Join(t.TempDir(), "out")
	d.place = notify(registry.Notify{Command: []string{"/bin/sh", "-c", `cat >"$0"; env >>"$0"`, out}})
	id := d.park(t, `{}`)
	d.Notify(approve.Escalated, approvalOf(t, d, id))
	if err := d.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(out)
	if err != nil || !strings.HasPrefix(string(raw), `{"event":"escalated","approval_id":"`+id+`"`) || strings.Contains(string(raw), "canary") {
		t.Errorf("the program got %s (%v)", raw, err)
	}
	d.place = notify(registry.Notify{Command: []string{"no-such-program-here"}}, registry.Notify{Command: []string{"/bin/sh", "-c", "exit 3"}})
	d.Notify(approve.Parked, approvalOf(t, d, id))
	if err := d.Flush(t.Context()); err == nil || !strings.Contains(err.Error(), "not there") || !strings.Contains(err.Error(), "failed") {
		t.Errorf("got %v", err)
	}
}

func TestAFullQueueBlocksNobody(t *testing.T) {
	t.Parallel()
	d := open(t)
	a := approvalOf(t, d, d.park(t, `{}`))
	for range 5000 {
		d.Notify(approve.Parked, a)
	}
	if err := d.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestANoticeNeedsNoKnownServer(t *testing.T) {
	t.Parallel()
	d := open(t, func(o *approve.Options) {
		o.Place = func(context.Context, string, string) (approve.Place, error) {
			return approve.Place{}, errors.New("no such server")
		}
	})
	id := d.park(t, `{}`)
	d.Notify(approve.Parked, approvalOf(t, d, id))
	if err := d.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	if item, err := d.Show(t.Context(), id); err != nil || item.Server != "srv_1" {
		t.Errorf("got %+v, %v", item, err)
	}
}
