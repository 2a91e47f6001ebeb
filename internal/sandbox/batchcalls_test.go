package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sluice/internal/sandbox"
)

func (b *bundle) batch(entries string) []any {
	b.t.Helper()
	req := request(b.t, http.MethodPost, "/v26.0/", "application/x-www-form-urlencoded", url.Values{"batch": {entries}, "include_headers": {"false"}}.Encode())
	req.Header.Set("Authorization", "Bearer "+sandbox.Token)
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var out []any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		b.t.Fatalf("status %d: %v", resp.StatusCode, err)
	}
	return out
}

func TestBatch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	out := b.batch(`[
		{"method":"GET","relative_url":"` + sandbox.Business + `?fields=name"},
		{"method":"POST","relative_url":"` + labels + `","body":"name=Made","name":"make","omit_response_on_success":false},
		{"method":"GET","relative_url":"{result=make:$.id}?fields=name"},
		{"method":"GET","relative_url":"v26.0/999"},
		{"method":"GET","relative_url":"` + labels + `?limit=1","name":"list"},
		{"method":"GET","relative_url":"?ids={result=list:$.data.*.id}&fields=name"},
		{"method":"GET","relative_url":"me","depends_on":"nobody"},
		{"method":"GET","relative_url":"me?fields=id","access_token":"` + pageToken + `"}
	]`)
	body := func(i int) string {
		m, _ := out[i].(map[string]any)
		text, _ := m["body"].(string)
		return fmt.Sprint(m["code"], " ", text)
	}
	for i, want := range []string{
		`200 {"id":"` + sandbox.Business + `","name":"Sandbox business"}`, `200 {"id":`, `"name":"Made"`, `400 {"error":`,
		"", `"name":"Made"`, "", `200 {"id":"` + sandbox.Page + `"}`,
	} {
		if want == "" && out[i] != nil || !strings.Contains(body(i), want) {
			t.Errorf("entry %d is %v, want %s", i, out[i], want)
		}
	}
	b.fault(`{"kind":"null","edge":"` + sandbox.Page + `"}`)
	if out := b.batch(`[{"method":"GET","relative_url":"` + sandbox.Page + `"},{"method":"GET","relative_url":"me"}]`); out[0] != nil || out[1] == nil {
		t.Errorf("one entry never ran: %v", out)
	}
	many := "[" + strings.Repeat(`{"method":"GET","relative_url":"me"},`, 50) + `{"method":"GET","relative_url":"me"}]`
	if a := b.post("/v26.0/", jsonText(map[string]any{"batch": json.RawMessage(many)})); a.failure().Code != 100 {
		t.Errorf("51 entries: %s", a.text)
	}
	log := b.server.Requests()
	if !log[1].Batch || log[0].Path != "/"+sandbox.Business {
		t.Errorf("remembered %+v", log[:2])
	}
}

func TestBatchUnderAnAppThatAsksForProofs(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *sandbox.Options) { o.RequireProof = true })
	own := proof(pageToken)
	entries := `[{"method":"GET","relative_url":"me"},{"method":"GET","relative_url":"me","access_token":"` + pageToken + `"},` +
		`{"method":"GET","relative_url":"me?appsecret_proof=` + own + `","access_token":"` + pageToken + `"}]`
	req := request(t, http.MethodPost, "/v26.0/?appsecret_proof="+proof(sandbox.Token), "application/json", jsonText(map[string]any{"batch": json.RawMessage(entries)}))
	req.Header.Set("Authorization", "Bearer "+sandbox.Token)
	resp, err := b.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var out []struct{ Code int }
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	if len(out) != 3 || out[0].Code != 200 || out[1].Code != 400 || out[2].Code != 200 {
		t.Errorf("got %+v", out)
	}
}
