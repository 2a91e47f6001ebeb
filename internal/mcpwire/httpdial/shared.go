package httpdial

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// sharedName is the upstream among those that a shared session stands on. One that moved
// to another URL is another: it must not be shown the old one's session ids.
func (u *Upstream) sharedName() string {
	at := sha256.Sum256([]byte(u.url.String()))
	return u.o.Server + " " + hex.EncodeToString(at[:8])
}

// initialized is what a client says when it is ready. It may have said so through
// another process.
var initialized = mcpwire.BuildNotification(mcpwire.MethodInitialized, nil)

// share lets other processes go on with a session that was just opened.
func (s *session) share(with *exchange.Shared) {
	if with == nil {
		return
	}
	s.shared = true
	s.setup.initialized = initialized
	with.Set(s.u.sharedName(), s.id)
}

// join goes on with a session that another process opened with the same message. The
// upstream is not asked: one that forgot the session says so when it is used, and it is
// opened anew then. What the answer to the handshake says beside the version is not
// known here.
func (u *Upstream) join(c *exchange.Call, id string, out exchange.Sink) (exchange.Session, error) {
	s := &session{u: u, caller: c.Caller, id: id, kept: true, shared: true, version: c.Version}
	s.setup = setup{initialize: bytes.Clone(c.Message.Raw), initialized: initialized}
	u.mu.Lock()
	u.sessions[s] = struct{}{}
	u.mu.Unlock()
	result := append([]byte(`{"protocolVersion":`), mcpwire.Quote(c.Version)...)
	result = append(result, `,"capabilities":{},"serverInfo":{"name":"","version":""}}`...)
	return s, out.Send(exchange.Event{Data: mcpwire.BuildResult(c.Message.Bytes(c.Message.ID), result), Final: true})
}
