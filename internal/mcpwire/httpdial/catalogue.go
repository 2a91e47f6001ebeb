package httpdial

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Limits of what is remembered of tools.
const (
	knownFor   = 10 * time.Minute // a list is asked for again after it
	askedAgain = 30 * time.Second // after the upstream did not tell
	maxCallers = 1024
	maxTools   = 4096 // of one caller, that have mirrored arguments
	maxPages   = 64
)

// catalogue knows which arguments of which tools travel in headers too. It learns it
// from lists that pass by; lists may differ by caller, and so does it.
type catalogue struct {
	now func() time.Time

	mu      sync.Mutex
	callers map[string]*shelf
}

// shelf is what one caller sees. Only a list that was seen to its last page counts.
type shelf struct {
	tools map[string][]mcpwire.ParamHeader
	until time.Time // known is valid
	known bool

	// The list that is passing by: what it had so far, and the cursor of its next page.
	partial map[string][]mcpwire.ParamHeader
	next    string

	fetching chan struct{} // closed when the list being fetched is there
}

func (c *catalogue) shelf(caller string) *shelf {
	if c.callers == nil || len(c.callers) >= maxCallers && c.callers[caller] == nil {
		c.callers = map[string]*shelf{}
	}
	s := c.callers[caller]
	if s == nil {
		s = &shelf{}
		c.callers[caller] = s
	}
	return s
}

// lookup is what a tool mirrors; known is false where the list was not seen. told is
// false where the upstream may be asked for it.
func (c *catalogue) lookup(caller, tool string) (params []mcpwire.ParamHeader, known, told bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.callers[caller]
	if s == nil || !c.now().Before(s.until) {
		return nil, false, false
	}
	return s.tools[tool], s.known, true
}

func (c *catalogue) forget(caller string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.callers[caller]; s != nil {
		s.until = time.Time{}
	}
}

// learn reads one page of a list. cursor is the raw one that was asked with; nil for
// the first page.
func (c *catalogue) learn(caller string, cursor, reply []byte) (next string, more bool) {
	m, err := mcpwire.ParseReply(reply, mcpwire.Limits{})
	if err != nil || m.Kind != mcpwire.Result {
		return "", false
	}
	page := map[string][]mcpwire.ParamHeader{}
	if tools := mcpwire.Member(m.Raw, m.Result, "tools"); bytes.Contains(m.Bytes(tools), []byte("x-mcp-header")) {
		for tool := range mcpwire.Elements(m.Raw, tools) {
			name, ok := m.Text(mcpwire.Member(m.Raw, tool, "name"))
			params, err := mcpwire.ParamHeaders(m.Bytes(mcpwire.Member(m.Raw, tool, "inputSchema")))
			if ok && err == nil && len(params) > 0 {
				page[name] = params
			}
		}
	}
	next, more = m.Text(mcpwire.Member(m.Raw, m.Result, "nextCursor"))

	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.shelf(caller)
	if cursor == nil {
		s.partial = page
	} else if asked, _ := mcpwire.Unquote(cursor); s.partial != nil && asked == s.next {
		for name, params := range page {
			s.partial[name] = params
		}
	} else {
		return next, more // a page out of order
	}
	s.next = next
	if len(s.partial) > maxTools {
		s.partial = nil
	} else if !more {
		s.tools, s.known, s.until, s.partial = s.partial, true, c.now().Add(knownFor), nil
	}
	return next, more
}

// learner reads along while a list is passed on.
type learner struct {
	body  *body
	learn func(answer []byte)
	buf   []byte
	limit int
}

func (l *learner) Read(p []byte) (int, error) {
	n, err := l.body.Read(p)
	if l.learn != nil {
		if l.buf = append(l.buf, p[:n]...); len(l.buf) > l.limit {
			l.buf, l.learn = nil, nil
		} else if err != nil {
			l.learn(l.buf)
			l.buf, l.learn = nil, nil
		}
	}
	return n, err
}

func (l *learner) Close() error { return l.body.Close() }

// along is the answer to a tools/list, learned from while it is read.
func (u *Upstream) along(c *exchange.Call, resp *http.Response) {
	inner, ok := resp.Body.(*body)
	if !ok {
		return
	}
	caller, asked := c.Caller.ID, bytes.Clone(cursor(c.Message))
	stream := mediaType(resp.Header) == typeStream
	resp.Body = &learner{body: inner, limit: u.o.MaxMessage, learn: func(answer []byte) {
		if !stream {
			u.tools.learn(caller, asked, answer)
			return
		}
		for events := mcpwire.NewEventReader(bytes.NewReader(answer), u.o.MaxMessage); ; {
			e, err := events.Next()
			if err != nil {
				return
			}
			if bytes.Contains(e.Data, []byte(`"tools"`)) {
				u.tools.learn(caller, asked, e.Data)
			}
		}
	}}
}

// mirrored is what the tool of a call mirrors into headers. It asks the upstream where
// a client that has no headers of its own calls a tool nobody listed yet.
func (u *Upstream) mirrored(ctx context.Context, c *exchange.Call) (params []mcpwire.ParamHeader, known bool) {
	if c.Message.Method != mcpwire.MethodToolsCall || !derives(c) {
		return nil, false
	}
	tool, ok := c.Message.Text(c.Message.Name)
	if !ok {
		return nil, false
	}
	params, known, told := u.tools.lookup(c.Caller.ID, tool)
	if told || c.Header != nil && !anyParam(c.Header) {
		return params, known
	}
	u.fetch(ctx, c)
	params, known, _ = u.tools.lookup(c.Caller.ID, tool)
	return params, known
}

func anyParam(h http.Header) bool {
	for name := range h {
		if isParam(name) {
			return true
		}
	}
	return false
}

// fetch reads the list of tools as the caller of c sees it; one at a time does, the
// others wait.
func (u *Upstream) fetch(ctx context.Context, c *exchange.Call) {
	u.tools.mu.Lock()
	s := u.tools.shelf(c.Caller.ID)
	if wait := s.fetching; wait != nil {
		u.tools.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
		}
		return
	}
	done := make(chan struct{})
	s.fetching = done
	u.tools.mu.Unlock()

	cursor, more := []byte(nil), true
	for page := 0; more && page < maxPages; page++ {
		var next string
		answer, err := u.list(ctx, c, cursor)
		if err != nil {
			u.o.Log.Debug("can't list the tools of an upstream", "server", u.o.Server, "error", err)
			break
		}
		if next, more = u.tools.learn(c.Caller.ID, cursor, answer); more {
			cursor = mcpwire.Quote(next)
		}
	}

	u.tools.mu.Lock()
	defer u.tools.mu.Unlock()
	s.fetching = nil
	if now := u.tools.now(); !now.Before(s.until) && ctx.Err() == nil {
		s.tools, s.known, s.until = nil, false, now.Add(askedAgain)
	}
	close(done)
}

// list asks for one page with the metadata of c.
func (u *Upstream) list(ctx context.Context, c *exchange.Call, cursor []byte) ([]byte, error) {
	meta := func(at mcpwire.Span, otherwise string) []byte {
		if at.Present() {
			return c.Message.Bytes(at)
		}
		return []byte(otherwise)
	}
	params := []byte(`{"_meta":{"` + mcpwire.MetaProtocolVersion + `":`)
	params = append(params, meta(c.Message.Version, `"`+mcpwire.Version20260728+`"`)...)
	params = append(append(params, `,"`+mcpwire.MetaCapabilities+`":`...), meta(c.Message.Capabilities, `{}`)...)
	if c.Message.ClientInfo.Present() {
		params = append(append(params, `,"`+mcpwire.MetaClientInfo+`":`...), c.Message.Bytes(c.Message.ClientInfo)...)
	}
	params = append(params, '}')
	if cursor != nil {
		params = append(append(params, `,"cursor":`...), cursor...)
	}
	m, err := mcpwire.Parse(mcpwire.BuildRequest(`"sluice-tools"`, mcpwire.MethodToolsList, append(params, '}')), mcpwire.Limits{})
	if err != nil {
		return nil, err
	}
	own := *c
	own.Message, own.Header = &m, http.Header{}
	f, err := u.begin(ctx, u.o.ShortTimeout)
	if err != nil {
		return nil, err
	}
	defer f.end()
	var final keeper
	if err := u.call(f, &own, &final); err != nil {
		return nil, err
	}
	return final.data, nil
}

// keeper keeps the final message.
type keeper struct {
	data   []byte
	status int
}

// Send keeps e where it is final.
func (k *keeper) Send(e exchange.Event) error {
	if e.Final {
		k.data, k.status = bytes.Clone(e.Data), e.Status
	}
	return nil
}
