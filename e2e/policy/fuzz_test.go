package policy

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/gateway/pipeline"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpserve"
	"sluice/internal/registry"
	"sluice/internal/secret"
	"sluice/internal/testkit/mcptest"
	"sluice/policy"
)

// FuzzForwarded posts a body with headers to the face that clients meet, with the
// pipeline behind it. What comes out is read by servers of three kinds: each has to read
// the call that the policy saw, and it has to be one that the policy allows.
func FuzzForwarded(f *testing.F) {
	for _, s := range append(spellings(), spelling{body: pays(`{"amount":5}`)}) {
		if len(s.body) > 4<<10 {
			continue
		}
		f.Add(s.in(mcptest.Modern), "tools/call", "denied", true)
		f.Add(s.in(mcptest.Modern), "tools/call", "pay", true)
		f.Add(s.in(mcptest.Legacy), "ping", "", false)
	}
	rooms := map[string]*room{"only listed": newRoom(f, onlyListed), "all others": newRoom(f, allOthers)}
	for _, fine := range []string{fine1, pays(`{"amount":100.0}`)} {
		name := "allowed"
		if fine != fine1 {
			name = "pay"
		}
		body := spelling{body: fine}.in(mcptest.Modern)
		f.Add(body, "tools/call", name, true)
		for _, r := range rooms {
			h := http.Header{"Content-Type": {"application/json"}, "Mcp-Protocol-Version": {mcptest.Modern}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {name}}
			if saw, out := r.post(h, body); saw == nil || len(out) != 1 {
				f.Fatalf("%s is not forwarded", body)
			}
		}
	}
	f.Fuzz(func(t *testing.T, body, method, name string, modern bool) {
		h := http.Header{"Content-Type": {"application/json"}, "Mcp-Protocol-Version": {mcptest.Legacy}}
		if modern {
			h["Mcp-Protocol-Version"], h["Mcp-Method"], h["Mcp-Name"] = []string{mcptest.Modern}, []string{method}, []string{name}
		}
		for which, r := range rooms {
			saw, out := r.post(h, body)
			for _, raw := range out {
				for kind, read := range readers {
					if wrong := read(raw).wrong(saw, which == "only listed"); wrong != "" {
						t.Errorf("%s, a server that %s: %s\n%q", which, kind, wrong, raw)
					}
				}
			}
		}
	})
}

// heard is a message as a server reads it.
type heard struct {
	method, tool string
	arguments    string
	amounts      []float64 // all that could be it
	unreadable   bool
}

// wrong says in what a forwarded message differs from the call that was judged, or from
// what is allowed.
func (h heard) wrong(saw *policy.Call, listed bool) string {
	switch {
	case h.unreadable:
		return "it can't be read"
	case h.method != mcpwire.MethodToolsCall:
		return ""
	case saw == nil:
		return "nobody judged it"
	case h.tool != saw.Tool && len(h.tool) < longName && !strings.ContainsRune(saw.Tool, '\ufffd'): // records have no control characters
		return "the policy saw " + saw.Tool + ", and it calls " + h.tool
	case !sameArguments(h.arguments, string(saw.Arguments)):
		return "the policy saw other arguments: " + string(saw.Arguments)
	case h.tool == "denied", listed && h.tool != "allowed" && h.tool != "pay":
		return "it calls " + h.tool
	case h.tool != "pay":
		return ""
	case len(h.amounts) == 0:
		return "no amount"
	}
	for _, amount := range h.amounts {
		if !(amount <= 100) {
			return "an amount above"
		}
	}
	return ""
}

// longName is the length from which a record has less than the whole name.
const longName = 100

// Absent arguments are kept as none.
func sameArguments(a, b string) bool { return a == b || a == "" && b == "{}" }

// readers are the three kinds: last wins in any capitals, first wins in any capitals, last
// wins as it is written.
var readers = map[string]func(raw string) heard{
	"takes any capitals": func(raw string) heard {
		var m struct {
			Method string `json:"method"`
			Params struct {
				Name      string          `json:"name"`
				Arguments json.RawMessage `json:"arguments"`
			} `json:"params"`
		}
		if json.Unmarshal([]byte(raw), &m) != nil {
			// Params of other methods may be anything.
			var other struct{ Method string }
			return heard{method: other.Method, unreadable: json.Unmarshal([]byte(raw), &other) != nil || other.Method == mcpwire.MethodToolsCall}
		}
		h := heard{method: m.Method, tool: m.Params.Name, arguments: string(m.Params.Arguments)}
		var a struct {
			Amount *json.Number `json:"amount"`
		}
		if err := json.Unmarshal(m.Params.Arguments, &a); err == nil && a.Amount != nil {
			amount, err := a.Amount.Float64()
			h.unreadable = err != nil
			h.amounts = []float64{amount}
		}
		return h
	},
	"takes the first": func(raw string) heard { return walked(raw, true) },
	"takes the last":  func(raw string) heard { return walked(raw, false) },
}

// walked reads with another parser, token by token.
func walked(raw string, first bool) (h heard) {
	message, ok := members(raw)
	pick := func(list []member, name string) (value string) {
		for _, m := range list {
			if m.name == name || first && strings.EqualFold(m.name, name) {
				if value = m.value; first {
					return value
				}
			}
		}
		return value
	}
	h.unreadable = !ok
	h.method = unquoted(pick(message, "method"))
	if h.method != mcpwire.MethodToolsCall {
		return h
	}
	params, ok := members(pick(message, "params"))
	h.unreadable = h.unreadable || !ok
	h.tool, h.arguments = unquoted(pick(params, "name")), pick(params, "arguments")
	arguments, _ := members(h.arguments)
	if text := pick(arguments, "amount"); text != "" {
		var n float64
		h.unreadable = h.unreadable || json.Unmarshal([]byte(text), &n) != nil
		h.amounts = []float64{n}
	}
	return h
}

type member struct{ name, value string }

func members(raw string) (list []member, ok bool) {
	d := jsontext.NewDecoder(strings.NewReader(raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if open, err := d.ReadToken(); err != nil || open.Kind() != '{' {
		return nil, false
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return list, false
		}
		key := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return list, false
		}
		list = append(list, member{key, string(value)})
	}
	return list, true
}

func unquoted(text string) (s string) {
	_ = json.Unmarshal([]byte(text), &s)
	return s
}

// room is a face, a pipeline and a server in one process.
type room struct {
	face http.Handler

	mu  sync.Mutex
	saw *policy.Call
	out []string
}

func newRoom(t testing.TB, document string) *room {
	t.Helper()
	d, faults := policy.Parse([]byte(document))
	if d == nil {
		t.Fatal(faults)
	}
	keys, err := secret.OpenKeyring(filepath.Join(t.TempDir(), "key"), true)
	if err != nil {
		t.Fatal(err)
	}
	r := &room{}
	subject := &pipeline.Subject{Workspace: "default", Server: "default", Grant: "local", GrantName: "local",
		Settings: registry.Settings{RecordArguments: "encrypted"}, // so that the store is given what the policy saw
		Policies: []pipeline.Bound{{ID: "p", Name: "p", Mode: registry.Enforce, Policy: d.Compile()}}}
	pipe := pipeline.New(pipeline.Options{Directory: everybody{subject}, Store: admits{r: r, keys: keys}, Keys: keys, Server: "default", Log: slog.New(slog.DiscardHandler)})
	r.face = httpserve.New(httpserve.Options{Upstream: pipe.Wrap(upstream{r}), Server: "default"})
	return r
}

// post is what the policy saw and what came out for one request.
func (r *room) post(h http.Header, body string) (*policy.Call, []string) {
	r.mu.Lock()
	r.saw, r.out = nil, nil
	r.mu.Unlock()
	q := httptest.NewRequest(http.MethodPost, "http://localhost/mcp", strings.NewReader(body))
	q.Header = h.Clone()
	w := httptest.NewRecorder()
	r.face.ServeHTTP(w, q)
	_, _ = io.Copy(io.Discard, w.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.saw, r.out
}

type everybody struct{ subject *pipeline.Subject }

func (e everybody) Subject(exchange.Caller, string) *pipeline.Subject { return e.subject }
func (everybody) Changed() <-chan struct{}                            { return nil }

// admits is a store that has room for everything, and keeps what was admitted.
type admits struct {
	enforce.Store
	r    *room
	keys *secret.Keyring
}

func (a admits) Reserve(_ context.Context, q *enforce.Request) (enforce.Reply, error) {
	arguments, err := a.keys.Open(q.Arguments, enforce.SealRecorded)
	if err != nil {
		return enforce.Reply{}, err
	}
	a.r.mu.Lock()
	defer a.r.mu.Unlock()
	a.r.saw = &policy.Call{Tool: q.Call.Tool, Arguments: arguments}
	return enforce.Reply{Admitted: true, Failed: -1}, nil
}
func (admits) Settle(context.Context, *enforce.Settlement) error { return nil }
func (admits) Record(context.Context, ...audit.Call) error       { return nil }

// upstream keeps what it is sent, and answers everything.
type upstream struct{ r *room }

func (u upstream) Call(_ context.Context, c *exchange.Call, out exchange.Sink) error {
	u.r.mu.Lock()
	u.r.out = append(u.r.out, string(c.Message.Raw))
	u.r.mu.Unlock()
	return out.Send(exchange.Event{Final: true, Data: mcpwire.BuildResult(c.Message.Bytes(c.Message.ID), []byte(`{"content":[],"tools":[]}`))})
}

func (u upstream) Notify(_ context.Context, c *exchange.Call) error {
	u.r.mu.Lock()
	defer u.r.mu.Unlock()
	u.r.out = append(u.r.out, string(c.Message.Raw))
	return nil
}

func (u upstream) Initialize(ctx context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
	return session{u}, u.Call(ctx, c, out)
}
func (u upstream) Resume(context.Context, *exchange.Call) (exchange.Session, error) {
	return session{u}, nil
}
func (upstream) Close(context.Context) error { return nil }

type session struct{ upstream }

func (session) Listen(context.Context, *exchange.Call, string, exchange.Sink) error {
	return exchange.ErrNoStream
}
func (session) Stateful() bool { return false }
