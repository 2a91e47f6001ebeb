package era

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// toModern serves legacy clients with an upstream that keeps no sessions: the session
// is ours.
type toModern struct {
	up  exchange.Stateless
	opt Options
	ctx context.Context // ends with the adapter

	mu      sync.Mutex
	closing bool
	work    sync.WaitGroup
}

func newToModern(ctx context.Context, up exchange.Stateless, opt Options) *toModern {
	return &toModern{up: up, opt: opt, ctx: ctx}
}

// close waits for what runs; the context has ended.
func (t *toModern) close() {
	t.mu.Lock()
	t.closing = true
	t.mu.Unlock()
	t.work.Wait()
}

// enter counts one more thing that close waits for.
func (t *toModern) enter() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closing {
		return closed(t.opt.Server)
	}
	t.work.Add(1)
	return nil
}

// Initialize answers the handshake from what the upstream says of itself.
func (t *toModern) Initialize(ctx context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
	m := c.Message
	capabilities := withoutTasks(bytes.Clone(m.Bytes(mcpwire.Member(m.Raw, m.Params, "capabilities"))))
	if !isObject(capabilities, whole(capabilities)) {
		capabilities = []byte("{}")
	}
	s := t.session(c, capabilities, bytes.Clone(m.Bytes(mcpwire.Member(m.Raw, m.Params, "clientInfo"))))
	discover, err := ours(mcpwire.BuildRequest(string(s.newID()), mcpwire.MethodDiscover,
		object(mcpwire.Field{Name: "_meta", Value: object(s.meta()...)})))
	if err != nil {
		return nil, err
	}
	got, _, err := ask(asModern(c, discover), func(c *exchange.Call, out exchange.Sink) error { return t.up.Call(ctx, c, out) })
	if err != nil {
		return nil, err
	}
	if got.Kind == mcpwire.Failure {
		raw, err := legacyError(got, m.Bytes(m.ID), m.Method)
		if err != nil {
			return nil, err
		}
		return nil, out.Send(final(raw, 0))
	}
	if !isObject(got.Raw, got.Result) {
		return nil, &exchange.Error{Code: exchange.BrokeOff, Message: named(c.Server) + " did not say what it offers"}
	}
	s.version = agreed(text(m.Raw, m.Params, "protocolVersion"))
	s.server = bytes.Clone(got.Bytes(mcpwire.Member(got.Raw, got.Result, "capabilities")))
	result, err := t.welcome(got, s)
	if err != nil {
		return nil, err
	}
	if err := out.Send(final(mcpwire.BuildResult(m.Bytes(m.ID), result), 0)); err != nil {
		return nil, err
	}
	return s, nil
}

// agreed is the version of a session: the client's, where it is one of the legacy era
// that Sluice knows.
func agreed(asked string) string {
	if slices.Contains(mcpwire.LegacyVersions, asked) {
		return asked
	}
	return mcpwire.LegacyVersions[0]
}

// welcome is the initialize result made of a discover result.
func (t *toModern) welcome(got *mcpwire.Message, s *session) ([]byte, error) {
	result := got.Bytes(got.Result)
	info := mcpwire.Lookup(got.Raw, got.Result, "_meta", mcpwire.MetaServerInfo)
	serverInfo := bytes.Clone(got.Bytes(info))
	if len(serverInfo) == 0 {
		serverInfo = object(mcpwire.Field{Name: "name", Value: mcpwire.Quote(named(t.opt.Server))},
			mcpwire.Field{Name: "version", Value: []byte(`"unknown"`)})
	}
	result = without(result, func(name string) bool {
		switch name {
		case "resultType", "supportedVersions", "ttlMs", "cacheScope":
			return true
		}
		return false
	})
	result = without(result, one(mcpwire.MetaServerInfo), "_meta")
	result = without(result, one(extensionTasks), "capabilities", "extensions")
	fields := []mcpwire.Field{{Name: "protocolVersion", Value: mcpwire.Quote(s.version)}, {Name: "serverInfo", Value: serverInfo}}
	if !has(result, "capabilities") {
		fields = append(fields, mcpwire.Field{Name: "capabilities", Value: []byte("{}")})
	}
	return mcpwire.Splice(result, mcpwire.AddMembers(result, whole(result), fields...))
}

// Resume is a session for a client that shows none. Such a one declared nothing.
func (t *toModern) Resume(_ context.Context, c *exchange.Call) (exchange.Session, error) {
	s := t.session(c, []byte("{}"), nil)
	s.cancel() // nobody is bound to close it, and nothing in it outlives a request
	s.ctx, s.cancel = t.ctx, func() {}
	s.version = agreed(c.Version)
	return s, nil
}

// session is a new session of ours.
func (t *toModern) session(c *exchange.Call, capabilities, info []byte) *session {
	if !isObject(info, whole(info)) {
		info = t.opt.Client
	}
	ctx, cancel := context.WithCancel(t.ctx)
	return &session{t: t, ctx: ctx, cancel: cancel, caller: c.Caller, name: c.Server, capabilities: capabilities, info: info,
		prefix: "sluice-" + random() + "-", calls: map[string]*running{}, waiting: map[string]chan *mcpwire.Message{},
		uris: map[string]struct{}{}, changed: make(chan struct{}, 1)}
}
