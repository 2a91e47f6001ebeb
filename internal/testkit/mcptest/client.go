package mcptest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Modern and Legacy are the eras of a Client, by their newest versions.
const (
	Modern = "2026-07-28"
	Legacy = "2025-11-25"
)

// Client sends to an MCP endpoint over HTTP what it is told to.
type Client struct {
	URL     string
	Token   string // bearer; empty: none
	Version string // Modern or Legacy
	HTTP    *http.Client
	// Capabilities are those of the client, in JSON; empty: none.
	Capabilities string

	session string
	ids     atomic.Int64
}

// NewClient is a client of one era. A legacy one has shaken hands already.
func NewClient(t testing.TB, url, token, version string) *Client {
	t.Helper()
	c := &Client{URL: url, Token: token, Version: version}
	c.Open(t)
	return c
}

// Open shakes hands, where the era does that.
func (c *Client) Open(t testing.TB) {
	t.Helper()
	if c.HTTP == nil {
		c.HTTP = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}
		t.Cleanup(c.HTTP.CloseIdleConnections)
	}
	if c.Version != Legacy {
		return
	}
	r := c.Send(t.Context(), t, `{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":`+
		c.capabilities()+`,"clientInfo":{"name":"raw","version":"1"}}}`, nil)
	if r.Status != http.StatusOK {
		t.Fatalf("initialize: %d %s", r.Status, r.Body)
	}
	c.session = r.Header.Get("Mcp-Session-Id")
	c.Send(t.Context(), t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`, nil)
}

func (c *Client) capabilities() string {
	if c.Capabilities == "" {
		return "{}"
	}
	return c.Capabilities
}

// At is the client, in the same session, at another URL.
func (c *Client) At(url string) *Client {
	return &Client{URL: url, Token: c.Token, Version: c.Version, HTTP: c.HTTP, Capabilities: c.Capabilities, session: c.session}
}

// Session is the id of a legacy session.
func (c *Client) Session() string { return c.session }

// Answer is what came back for one request.
type Answer struct {
	Status int
	Header http.Header
	Body   string // the final message
	Stream string // all of the body

	Text    string // of a tool's result
	IsError bool   // of a tool's result
	Error   int    // of a JSON-RPC error; 0: none
	// Policy is `_meta["sluice/policy"]`.
	Policy struct {
		Decision      string `json:"decision"`
		Code          string `json:"code"`
		Rule          string `json:"rule"`
		PolicyVersion int    `json:"policy_version"`
		RequestID     string `json:"request_id"`
		RetryAfter    int    `json:"retry_after_s"`
		Approval      string `json:"approval"`
		Link          string `json:"link"`
	}
	ResultType string
	Message    string // of a JSON-RPC error
}

// Allowed reports whether a tool's result came from the server.
func (a *Answer) Allowed() bool {
	return a.Status == http.StatusOK && a.Error == 0 && a.Policy.Code == "" && !a.IsError
}

func (a *Answer) String() string {
	return fmt.Sprintf("%d %s", a.Status, a.Body)
}

// Call calls a tool with arguments in JSON.
func (c *Client) Call(ctx context.Context, t testing.TB, tool, arguments string) *Answer {
	t.Helper()
	name, err := json.Marshal(tool)
	if err != nil {
		t.Fatal(err)
	}
	return c.Send(ctx, t, c.Request("tools/call", `"name":`+string(name)+`,"arguments":`+arguments), c.Headers("tools/call", tool))
}

// Request is a request with these members of params.
func (c *Client) Request(method, members string) string {
	if c.Version == Modern {
		meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":` + c.capabilities() + `,` +
			`"io.modelcontextprotocol/clientInfo":{"name":"raw","version":"1"}}`
		if members != "" {
			meta += ","
		}
		members = meta + members
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":{%s}}`, c.ids.Add(1), method, members)
}

// Headers are those that the era has besides the session's and the token's.
func (c *Client) Headers(method, name string) http.Header {
	h := http.Header{}
	if c.Version == Modern {
		h.Set("Mcp-Method", method)
		if name != "" {
			h.Set("Mcp-Name", name)
		}
	}
	return h
}

// Send posts a body as it is, with further headers, and reads the answer to its end.
// What can't be sent fails the test.
func (c *Client) Send(ctx context.Context, t testing.TB, body string, h http.Header) *Answer {
	t.Helper()
	a, err := c.Try(ctx, body, h)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Try is Send for those who expect that the connection may fail.
func (c *Client) Try(ctx context.Context, body string, h http.Header) (*Answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	r.Header.Set("Mcp-Protocol-Version", c.Version)
	if c.session != "" {
		r.Header.Set("Mcp-Session-Id", c.session)
	}
	for name, values := range h {
		r.Header[name] = values
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	a := &Answer{Status: resp.StatusCode, Header: resp.Header, Body: string(raw), Stream: string(raw)}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		a.Body = lastEvent(raw)
	}
	a.read()
	return a, nil
}

// lastEvent is the data of the last event that has any.
func lastEvent(stream []byte) (last string) {
	for block := range bytes.SplitSeq(stream, []byte("\n\n")) {
		for line := range bytes.Lines(block) {
			if data, ok := bytes.CutPrefix(line, []byte("data:")); ok && len(bytes.TrimSpace(data)) > 0 {
				last = string(bytes.TrimSpace(data))
			}
		}
	}
	return last
}

func (a *Answer) read() {
	var m struct {
		Result struct {
			ResultType string                     `json:"resultType"`
			IsError    bool                       `json:"isError"`
			Content    []struct{ Text string }    `json:"content"`
			Meta       map[string]json.RawMessage `json:"_meta"`
		} `json:"result"`
		Error struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal([]byte(a.Body), &m) != nil {
		return
	}
	a.IsError, a.Error, a.Message, a.ResultType = m.Result.IsError, m.Error.Code, m.Error.Message, m.Result.ResultType
	for _, c := range m.Result.Content {
		a.Text += c.Text
	}
	if raw, ok := m.Result.Meta["sluice/policy"]; ok {
		_ = json.Unmarshal(raw, &a.Policy)
	}
}
