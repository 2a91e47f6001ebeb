package approvals

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/testkit"
)

// Silence escalates, and then denies.
func TestSilenceEscalatesThenDenies(t *testing.T) {
	t.Parallel()
	d := open(t, "      approvals: {approvers: [bo], escalate_after: 1s, escalate_to: [amira], four_eyes: false}\n"+
		"    slow: {url: {URL}, approvals: {approvers: [bo], escalate_after: 1h, escalate_to: [amira], four_eyes: false}}\n")
	d.member("bo", "viewer")
	amira := d.member("amira", "viewer")

	slow := d.agentOf("slow", rules(asks("offer")))
	id := slow.parks("offer", `{}`)
	if s := d.decide(id, amira, "approve"); s.status != http.StatusForbidden {
		t.Errorf("before it escalates: %d %s", s.status, s.body)
	}

	a := d.agent(modern, d.grant("sales", rules(asks("offer"), asks("brief", `"wait_seconds":0,"ttl_seconds":2`), asks("held", `"wait_seconds":25,"ttl_seconds":2`))), nil)
	id = a.parks("offer", `{}`)
	until(t, "it escalates", func() bool { return d.show(id).Escalated })
	if s := d.decide(id, amira, "approve"); s.status != http.StatusOK {
		t.Errorf("escalated: %d %s", s.status, s.body)
	}
	a.passes("offer", `{}`)
	d.reached(1, "approved by whom it escalated to")

	answered := make(chan *said, 1)
	go func() { answered <- a.try(t.Context(), "held", `{}`) }()
	id = a.parks("brief", `{}`)
	until(t, "its time is over", func() bool { return d.show(id).State == "expired" })
	if s := d.decide(id, amira, "approve"); s.status != http.StatusConflict || !strings.Contains(s.body, "approval_decided") {
		t.Errorf("after its time: %d %s", s.status, s.body)
	}
	if again := a.parks("brief", `{}`); again == id {
		t.Error("asked again under the one that is over")
	}
	if got := <-answered; got.meta.Code != "approval_expired" || !strings.HasPrefix(got.text, "[POLICY DENIED] ") {
		t.Errorf("held until its time was over: %s", got)
	}
	d.reached(0, "silence")
	var list []struct{ Decision, Code string }
	d.Run.JSON(t, &list, "audit", "search", "--code", "approval_expired")
	if len(list) != 1 || list[0].Decision != "deny" {
		t.Errorf("recorded: %+v", list)
	}
	d.verified()
}

// notice is what people are told.
type notice struct {
	Event    string `json:"event"`
	Approval string `json:"approval_id"`
	State    string `json:"state"`
	Server   string `json:"server"`
	Grant    string `json:"grant"`
	Tool     string `json:"tool"`
	Message  string `json:"message"`
	Link     string `json:"link"`
	Decider  string `json:"decider"`
}

// delivery is a notice as it arrived.
type delivery struct {
	notice
	header http.Header
	body   string
}

// Webhooks and programs are told, with a link to exactly that approval and a signature,
// and never with a value.
func TestPeopleAreTold(t *testing.T) {
	t.Parallel()
	testkit.Need(t, "sh", "tee", "env")
	got := make(chan delivery, 64)
	failures := make(chan struct{}, 1)
	failures <- struct{}{} // the first delivery fails, and is tried again
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-failures:
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		default:
		}
		body, err := io.ReadAll(r.Body)
		v := delivery{header: r.Header, body: string(body)}
		if err == nil {
			err = json.Unmarshal(body, &v.notice)
		}
		if err != nil {
			t.Errorf("%s: %v", body, err)
		}
		got <- v
	}))
	defer receiver.Close()
	dir := t.TempDir()
	said, env := filepath.Join(dir, "said"), filepath.Join(dir, "env")
	d := open(t, "      approvals:\n        escalate_after: 1s\n        notify:\n"+
		"          - {webhook: "+receiver.URL+"/secret-path, on: [parked, escalated, decided]}\n"+
		"          - {command: [sh, -c, 'env > \"$0\"; tee -a \"$1\"', "+env+", "+said+"], on: [parked]}\n")
	a := d.agent(modern, d.grant("sales", rules(asks("offer"))), nil)
	code, key := d.Run("approvals", "key")
	if code != 0 {
		t.Fatalf("key: exit %d: %s", code, key)
	}
	key = strings.TrimSpace(key)

	id := a.parks("offer", `{"to":"secret-contact"}`)
	told := func(event, state string) {
		t.Helper()
		for {
			v := <-got
			if v.Event != event { // it may have escalated before it was told to be parked
				if v.Approval != id {
					t.Errorf("told of %s", v.body)
				}
				continue
			}
			if v.Approval != id || v.State != state || v.Server != "crm" || v.Grant != "sales" || v.Tool != "offer" || v.Message != "Offers need a yes." {
				t.Errorf("told %s", v.body)
			}
			if strings.Contains(v.body, "secret") {
				t.Errorf("a value is in %s", v.body)
			}
			if want := d.URL + "/approvals/" + id; event != "decided" && v.Link != want {
				t.Errorf("the link is %q, want %q", v.Link, want)
			}
			signed(t, key, v)
			return
		}
	}
	told("parked", "pending")
	if page := d.send(http.MethodGet, "/approvals/"+id, "", "", ""); page.status != http.StatusOK || !strings.Contains(page.body, id) {
		t.Errorf("the link leads to %d %s", page.status, page.body)
	}
	told("escalated", "pending")
	d.approve(id)
	told("decided", "approved")

	var text []byte
	until(t, "the program has written what it was told", func() bool {
		text, _ = os.ReadFile(said)
		return strings.HasSuffix(string(text), "\n")
	})
	var n notice
	if err := json.Unmarshal(text, &n); err != nil || n.Event != "parked" || n.Approval != id || n.Link != d.URL+"/approvals/"+id || strings.Contains(string(text), "secret") {
		t.Errorf("the program was told %s, %v", text, err)
	}
	seen, err := os.ReadFile(env)
	if err != nil || strings.Contains(string(seen), "SLUICE_") {
		t.Errorf("the program sees %s, %v", seen, err)
	}
	if strings.Contains(d.Logs(), "secret") {
		t.Errorf("the log has a value or the webhook's path: %s", d.Logs())
	}
	a.passes("offer", `{"to":"secret-contact"}`)
	d.reached(1, "told, and approved")
}

// signed checks a signature as the manual tells receivers to.
func signed(t *testing.T, key string, v delivery) {
	t.Helper()
	at, sum, ok := strings.Cut(strings.TrimPrefix(v.header.Get("Sluice-Signature"), "t="), ",v1=")
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(at + "." + v.body))
	if !ok || !hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(sum)) {
		t.Errorf("signature %q", v.header.Get("Sluice-Signature"))
	}
	if v.header.Get("Sluice-Delivery") != v.Approval+"."+v.Event {
		t.Errorf("delivery %q", v.header.Get("Sluice-Delivery"))
	}
}
