package sandbox_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/internal/sandbox"
)

// epoch is where every test's clock stands.
var epoch = time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)

// bundle is a sandbox with a standing clock and a client that reaches it in process.
type bundle struct {
	t      *testing.T
	server *sandbox.Server
	client *http.Client
}

func setup(t *testing.T, opts ...func(*sandbox.Options)) *bundle {
	t.Helper()
	o := sandbox.Options{Seed: 1, Now: func() time.Time { return epoch }}
	for _, f := range opts {
		f(&o)
	}
	s := sandbox.New(o)
	return &bundle{t: t, server: s, client: &http.Client{Transport: s.RoundTripper()}}
}

// answer is a reply, decoded.
type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

func (b *bundle) do(req *http.Request) answer {
	b.t.Helper()
	a, err := b.try(req)
	if err != nil {
		b.t.Fatalf("%s %s: %v", req.Method, req.URL.Path, err)
	}
	return a
}

func (b *bundle) try(req *http.Request) (answer, error) {
	b.t.Helper()
	resp, err := b.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: resp.StatusCode, header: resp.Header, text: string(text)}
	if strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(text, &a.body); err != nil {
			b.t.Fatalf("reply is not JSON: %v\n%s", err, text)
		}
	}
	return a, nil
}

func request(t *testing.T, method, path, contentType, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://localhost"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return req
}

// get reads a Graph path with the documented token.
func (b *bundle) get(path string) answer {
	b.t.Helper()
	req := request(b.t, http.MethodGet, path, "", "")
	req.Header.Set("Authorization", "Bearer "+sandbox.Token)
	return b.do(req)
}

// post sends JSON to a Graph path with the documented token.
func (b *bundle) post(path, body string) answer {
	b.t.Helper()
	return b.do(b.authorized(path, body))
}

func (b *bundle) authorized(path, body string) *http.Request {
	req := request(b.t, http.MethodPost, path, "application/json", body)
	req.Header.Set("Authorization", "Bearer "+sandbox.Token)
	return req
}

// send posts events to the consolidated dataset.
func (b *bundle) send(events ...event) answer {
	b.t.Helper()
	return b.post("/v26.0/"+sandbox.Dataset+"/events", batchOf(events...))
}

// inspect calls the inspection surface and wants success.
func (b *bundle) inspect(method, path, body string) map[string]any {
	b.t.Helper()
	a := b.do(request(b.t, method, "/_emulator"+path, "application/json", body))
	if a.status != http.StatusOK {
		b.t.Fatalf("%s %s: status %d: %s", method, path, a.status, a.text)
	}
	return a.body
}

// totals are the received, kept and duplicate counts of the consolidated dataset.
func (b *bundle) totals() [3]int {
	b.t.Helper()
	m := b.inspect(http.MethodGet, "/events?dataset="+sandbox.Dataset, "")
	return [3]int{number(m["received"]), number(m["kept"]), number(m["duplicates"])}
}

func number(v any) int {
	f, _ := v.(float64)
	return int(f)
}

// failure is the code and subcode of an error reply, and its title.
type failure struct {
	Status, Code, Subcode int
}

func (a answer) failure() failure {
	e, _ := a.body["error"].(map[string]any)
	return failure{a.status, number(e["code"]), number(e["error_subcode"])}
}

func (a answer) errorText(member string) string {
	e, _ := a.body["error"].(map[string]any)
	s, _ := e[member].(string)
	return s
}

// event is one element of data under construction.
type event map[string]any

// hashed is the SHA-256 of a made-up value.
func hashed(v string) string {
	sum := sha256.Sum256([]byte(v))
	return hex.EncodeToString(sum[:])
}

// sale is a valid physical_store purchase made an hour before epoch.
func sale(id string, changes ...func(event)) event {
	e := event{
		"event_name": "Purchase", "event_time": epoch.Unix() - 3600, "event_id": id, "action_source": "physical_store",
		"user_data":   map[string]any{"em": []string{hashed(id + "@example.com")}},
		"custom_data": map[string]any{"value": 12.5, "currency": "GBP", "order_id": id},
	}
	for _, change := range changes {
		change(e)
	}
	return e
}

// visit is a valid website event.
func visit(id string, changes ...func(event)) event {
	e := sale(id, set("action_source", "website"), set("event_source_url", "https://www.example.com/thanks?order=1"))
	with("client_user_agent", "Mozilla/5.0 (Windows NT 10.0) Firefox/130.0")(e)
	for _, change := range changes {
		change(e)
	}
	return e
}

// set changes a key of the event; nil removes it.
func set(key string, v any) func(event) { return func(e event) { put(e, key, v) } }

// with changes a key of user_data.
func with(key string, v any) func(event) {
	return func(e event) { e["user_data"] = changed(e["user_data"], key, v) }
}

// only replaces user_data.
func only(user map[string]any) func(event) { return set("user_data", user) }

// custom changes a key of custom_data.
func custom(key string, v any) func(event) {
	return func(e event) { e["custom_data"] = changed(e["custom_data"], key, v) }
}

func changed(m any, key string, v any) map[string]any {
	out := maps.Clone(m.(map[string]any))
	put(out, key, v)
	return out
}

func put(m map[string]any, key string, v any) {
	if v == nil {
		delete(m, key)
		return
	}
	m[key] = v
}

func batchOf(events ...event) string {
	return jsonText(map[string]any{"data": events})
}

func jsonText(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(out)
}
