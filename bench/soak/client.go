package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"sluice/internal/mcpwire"
)

// client speaks to the relay as a client of one era would. Its calls are raw HTTP: it
// has to tell an answer from the lack of one, which an SDK would make an error of.
type client struct {
	http    *http.Client
	url     string
	modern  bool
	session string // legacy: as the relay minted it
	next    int
}

// answer is what a call ended with.
type answer struct {
	result bool
	code   string // of an error: the relay's code, or the number
	events int    // that came before it
}

// errUnanswered is a call that ended without any response of JSON-RPC.
var errUnanswered = errors.New("no answer")

const modernMeta = `"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}`

// post sends one message and returns the response as it begins.
func (c *client) post(ctx context.Context, method, name string, body []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if c.modern {
		r.Header.Set(mcpwire.HeaderVersion, mcpwire.Version20260728)
		r.Header.Set(mcpwire.HeaderMethod, method)
		if name != "" {
			r.Header.Set(mcpwire.HeaderName, name)
		}
	} else if c.session != "" {
		r.Header.Set(mcpwire.HeaderVersion, mcpwire.Version20251125)
		r.Header.Set(mcpwire.HeaderSession, c.session)
	}
	return c.http.Do(r)
}

// open begins a legacy session; a modern client needs none.
func (c *client) open(ctx context.Context) error {
	if c.modern {
		return nil
	}
	c.session = ""
	resp, err := c.post(ctx, mcpwire.MethodInitialize, "", mcpwire.BuildRequest("0", mcpwire.MethodInitialize,
		[]byte(`{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"soak","version":"1"}}`)))
	if err != nil {
		return err
	}
	a, err := read(resp, "0")
	if err != nil {
		return err
	}
	if c.session = resp.Header.Get(mcpwire.HeaderSession); !a.result || c.session == "" {
		return fmt.Errorf("initialize: error %s, session %q", a.code, c.session)
	}
	resp, err = c.post(ctx, mcpwire.MethodInitialized, "", mcpwire.BuildNotification(mcpwire.MethodInitialized, nil))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// call has the upstream work, and reads how it went.
func (c *client) call(ctx context.Context, steps, stepMS int) (answer, error) {
	c.next++
	id := fmt.Sprint(c.next)
	meta := fmt.Sprintf(`"progressToken":%s`, id)
	if c.modern {
		meta += "," + modernMeta
	}
	params := fmt.Appendf(nil, `{"name":"work","arguments":{"steps":%d,"step_ms":%d},"_meta":{%s}}`, steps, stepMS, meta)
	resp, err := c.post(ctx, mcpwire.MethodToolsCall, "work", mcpwire.BuildRequest(id, mcpwire.MethodToolsCall, params))
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", errUnanswered, err)
	}
	return read(resp, id)
}

// idle opens a stream on which nothing happens, and returns when it ended: graceful
// says that it ended as the protocol has it. opened is called once it stands.
func (c *client) idle(ctx context.Context, opened func()) (graceful bool, err error) {
	var resp *http.Response
	if c.modern {
		params := []byte(`{"notifications":{"toolsListChanged":true},"_meta":{` + modernMeta + `}}`)
		resp, err = c.post(ctx, mcpwire.MethodListen, "", mcpwire.BuildRequest(`"listen"`, mcpwire.MethodListen, params))
	} else {
		var r *http.Request
		if r, err = http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil); err != nil {
			return false, err
		}
		r.Header.Set("Accept", "text/event-stream")
		r.Header.Set(mcpwire.HeaderVersion, mcpwire.Version20251125)
		r.Header.Set(mcpwire.HeaderSession, c.session)
		resp, err = c.http.Do(r)
	}
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return false, fmt.Errorf("a stream was answered with %s", resp.Status)
	}
	opened()
	events := mcpwire.NewEventReader(resp.Body, 1<<20)
	for {
		e, err := events.Next()
		switch {
		case errors.Is(err, io.EOF):
			return graceful || !c.modern, nil
		case err != nil:
			return graceful, err
		}
		if m, err := mcpwire.ParseReply(e.Data, mcpwire.Limits{}); err == nil && m.Kind == mcpwire.Result {
			graceful = true
		}
	}
}

// read reads a response to the message that answers this id.
func read(resp *http.Response, id string) (answer, error) {
	defer resp.Body.Close()
	var a answer
	final := func(raw []byte) bool {
		m, err := mcpwire.ParseReply(raw, mcpwire.Limits{})
		if err != nil || !m.Kind.Response() || string(m.Bytes(m.ID)) != id {
			return false
		}
		if a.result = m.Kind == mcpwire.Result; !a.result {
			if a.code, _ = mcpwire.Unquote(at(raw, m.Error, "data", "code")); a.code == "" {
				a.code = string(at(raw, m.Error, "code"))
			}
		}
		return true
	}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		body, err := io.ReadAll(resp.Body)
		if !final(body) {
			return a, fmt.Errorf("%w: %s, %d bytes of %s, %w", errUnanswered, resp.Status, len(body), resp.Header.Get("Content-Type"), err)
		}
		return a, nil
	}
	events := mcpwire.NewEventReader(resp.Body, 1<<20)
	for {
		e, err := events.Next()
		if err != nil {
			return a, fmt.Errorf("%w: the stream ended after %d events: %w", errUnanswered, a.events, err)
		}
		if final(e.Data) {
			return a, nil
		}
		if !e.Comment && len(e.Data) > 0 {
			a.events++
		}
	}
}

func at(raw []byte, object mcpwire.Span, path ...string) []byte {
	s := mcpwire.Lookup(raw, object, path...)
	return raw[s.Start:s.End]
}
