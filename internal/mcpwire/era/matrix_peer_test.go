package era_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/mcpwire"
)

// patience bounds what a peer waits for; nothing takes that long unless it is broken.
const patience = 20 * time.Second

// peer is a client over HTTP that speaks one era and answers what it is asked.
type peer struct {
	t       *testing.T
	url     string
	era     mcpwire.Era
	caps    string
	meta    string            // more members of a modern request's _meta
	level   string            // of log messages, where the era puts it into requests
	answers map[string]string // results, by method
	header  http.Header
	session string

	mu    sync.Mutex
	last  int
	asked []string // methods that the server asked for, in order
}

const peerCaps = `{"elicitation":{"form":{},"url":{}},"sampling":{},"roots":{"listChanged":true}}`

func newPeer(t *testing.T, url string, e mcpwire.Era) *peer {
	t.Helper()
	p := &peer{t: t, url: url, era: e, caps: peerCaps, header: http.Header{}, answers: map[string]string{
		"elicitation/create":     `{"action":"accept","content":{"name":"Ada","username":"ada","email":"a@example.com","color":"blue"}}`,
		"sampling/createMessage": `{"role":"assistant","model":"m","content":{"type":"text","text":"Paris"}}`,
		"roots/list":             `{"roots":[{"uri":"file:///home"}]}`,
	}}
	if e == mcpwire.Legacy {
		p.open()
	}
	return p
}

// open does the handshake and returns its result.
func (p *peer) open() *mcpwire.Message {
	p.t.Helper()
	hello := `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":` + p.caps +
		`,"clientInfo":{"name":"peer","version":"1"}}}`
	resp := p.post(p.t.Context(), hello, "", "") //nolint:bodyclose // each closes it
	p.session = resp.Header.Get(mcpwire.HeaderSession)
	var got *mcpwire.Message
	p.each(resp, func(m *mcpwire.Message) bool { got = m; return !m.Kind.Response() })
	if got == nil || got.Kind != mcpwire.Result {
		p.t.Fatalf("initialize: status %d, %q", resp.StatusCode, p.session)
	}
	p.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	session := p.session
	p.t.Cleanup(func() { p.end(session) })
	return got
}

// end closes a session.
func (p *peer) end(session string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, p.url, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set(mcpwire.HeaderSession, session)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	_ = resp.Body.Close()
}

func (p *peer) post(ctx context.Context, body, method, name string) *http.Response {
	p.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header = p.header.Clone()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	switch {
	case p.era == mcpwire.Modern:
		req.Header.Set(mcpwire.HeaderVersion, mcpwire.Version20260728)
		req.Header.Set(mcpwire.HeaderMethod, method)
		if name != "" {
			req.Header.Set(mcpwire.HeaderName, mcpwire.EncodeHeader(name))
		}
	case p.session != "":
		req.Header.Set(mcpwire.HeaderSession, p.session)
		req.Header.Set(mcpwire.HeaderVersion, mcpwire.Version20251125)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp
}

// send posts what has no answer.
func (p *peer) send(body string) {
	p.t.Helper()
	resp := p.post(p.t.Context(), body, "", "")
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		p.t.Fatalf("status %d for %s", resp.StatusCode, body)
	}
}

// each reads the messages of an answer until f has enough or it ends.
func (p *peer) each(resp *http.Response, f func(*mcpwire.Message) (more bool)) {
	p.t.Helper()
	defer func() { _ = resp.Body.Close() }()
	take := func(raw []byte) bool {
		m, err := mcpwire.ParseReply([]byte(string(raw)), mcpwire.Limits{})
		if err != nil {
			p.t.Errorf("not a message: %q", raw)
			return false
		}
		return f(&m)
	}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		raw, _ := io.ReadAll(resp.Body)
		take(raw)
		return
	}
	for events := mcpwire.NewEventReader(resp.Body, 0); ; {
		e, err := events.Next()
		if err != nil || len(e.Data) > 0 && !take(e.Data) {
			return
		}
	}
}

func (p *peer) newID() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	return strconv.Itoa(p.last)
}

// body is a request of this era.
func (p *peer) body(id, method, params string) string {
	members := []string{}
	if meta := strings.TrimPrefix(p.meta, ","); p.era == mcpwire.Modern {
		level := ""
		if p.level != "" {
			level = fmt.Sprintf(`,%q:%q`, mcpwire.MetaLogLevel, p.level)
		}
		members = append(members, fmt.Sprintf(`"_meta":{%q:"2026-07-28",%q:%s,%q:{"name":"peer","version":"1"}%s%s}`, mcpwire.MetaProtocolVersion,
			mcpwire.MetaCapabilities, p.caps, mcpwire.MetaClientInfo, level, p.meta))
	} else if meta != "" {
		members = append(members, `"_meta":{`+meta+`}`)
	}
	if params != "" {
		members = append(members, params)
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":%q,"params":{%s}}`, id, method, strings.Join(members, ","))
}

// named is what a request names, for the header that mirrors it.
func named(params string) string {
	raw := []byte("{" + params + "}")
	for _, member := range []string{"name", "uri", "taskId"} {
		v := mcpwire.Member(raw, mcpwire.Span{End: len(raw)}, member)
		if s, ok := mcpwire.Unquote(raw[v.Start:v.End]); ok {
			return s
		}
	}
	return ""
}

// call makes a request, answering whatever the server asks, and returns the response
// and the notifications that came with it.
func (p *peer) call(method, params string) (*mcpwire.Message, []string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	return p.callAs(ctx, p.newID(), method, params)
}

func (p *peer) callAs(ctx context.Context, id, method, params string) (*mcpwire.Message, []string) {
	p.t.Helper()
	var notes []string
	retry := ""
	for range 6 {
		var got *mcpwire.Message
		resp := p.post(ctx, p.body(id, method, join(params, retry)), method, named(params)) //nolint:bodyclose // each closes it
		p.each(resp, func(m *mcpwire.Message) bool {
			switch {
			case m.Kind.Response():
				got = m
				return false
			case m.Kind == mcpwire.Request:
				p.mu.Lock()
				p.asked = append(p.asked, m.Method)
				p.mu.Unlock()
				p.send(string(mcpwire.BuildResult(m.Bytes(m.ID), []byte(p.answers[m.Method]))))
			default:
				notes = append(notes, string(m.Raw))
			}
			return true
		})
		if got == nil {
			p.t.Fatalf("%s: no answer (%v)", method, ctx.Err())
		}
		if at(p.t, got, "result", "resultType") != `"input_required"` {
			return got, notes
		}
		if p.era == mcpwire.Legacy {
			p.t.Fatalf("%s: a legacy client got %s", method, got.Raw)
		}
		retry = p.retry(got)
		id = p.newID()
	}
	p.t.Fatalf("%s: too many rounds", method)
	return nil, nil
}

// retry is what the next round carries.
func (p *peer) retry(m *mcpwire.Message) string {
	var responses []string
	for key, value := range mcpwire.Members(m.Raw, mcpwire.Lookup(m.Raw, m.Result, "inputRequests")) {
		method, _ := mcpwire.Unquote(m.Bytes(mcpwire.Member(m.Raw, value, "method")))
		p.mu.Lock()
		p.asked = append(p.asked, method)
		p.mu.Unlock()
		responses = append(responses, string(m.Bytes(key))+":"+p.answers[method])
	}
	out := `"inputResponses":{` + strings.Join(responses, ",") + `}`
	if state := at(p.t, m, "result", "requestState"); state != "" {
		out = join(out, `"requestState":`+state)
	}
	return out
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "," + b
}

// tool calls a tool and returns the text of its result.
func (p *peer) tool(name, arguments string) string {
	p.t.Helper()
	got, _ := p.call("tools/call", fmt.Sprintf(`"name":%q,"arguments":{%s}`, name, arguments))
	return content(p.t, got)
}

// content is the text of a tool's result, or the whole message where it has none.
func content(t *testing.T, m *mcpwire.Message) string {
	t.Helper()
	for e := range mcpwire.Elements(m.Raw, mcpwire.Lookup(m.Raw, m.Result, "content")) {
		v := mcpwire.Member(m.Raw, e, "text")
		if s, ok := mcpwire.Unquote(m.Bytes(v)); ok {
			return s
		}
	}
	return string(m.Raw)
}

// listen opens the stream for changes, and returns what comes on it.
func (p *peer) listen(uri string) (<-chan *mcpwire.Message, func()) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	var resp *http.Response
	if p.era == mcpwire.Modern {
		resp = p.post(ctx, p.body(p.newID(), "subscriptions/listen", fmt.Sprintf(
			`"notifications":{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true,"resourceSubscriptions":[%q]}`, uri)), "subscriptions/listen", "")
	} else {
		if got, _ := p.call("resources/subscribe", fmt.Sprintf(`"uri":%q`, uri)); got.Kind != mcpwire.Result {
			p.t.Fatalf("subscribe: %s", got.Raw)
		}
		resp = p.get(ctx, "")
	}
	out := make(chan *mcpwire.Message, 100)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(out)
		p.each(resp, func(m *mcpwire.Message) bool { out <- m; return true })
	})
	return out, func() { cancel(); reading.Wait() }
}

// get opens the session's stream.
func (p *peer) get(ctx context.Context, last string) *http.Response {
	p.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set(mcpwire.HeaderSession, p.session)
	req.Header.Set(mcpwire.HeaderVersion, mcpwire.Version20251125)
	if last != "" {
		req.Header.Set(mcpwire.HeaderLastEvent, last)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp
}

// expect waits for a notification on a stream, doing again what causes it until then:
// a legacy stream does not say when it is in place.
func expect(t *testing.T, stream <-chan *mcpwire.Message, method string, cause func()) *mcpwire.Message {
	t.Helper()
	deadline := time.After(patience)
	cause()
	again := time.NewTicker(300 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case m, ok := <-stream:
			if !ok {
				t.Fatalf("the stream ended before %s", method)
			}
			if m.Method == method {
				return m
			}
		case <-again.C:
			cause()
		case <-deadline:
			t.Fatalf("%s did not come", method)
		}
	}
}
