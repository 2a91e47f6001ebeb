package stdiodial

import (
	"bytes"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// route gives a message of the child to the call or stream it belongs to. A response
// belongs by its id, progress by its token, a subscription's message by its tag. What
// names nothing belongs to the most recently started call; in a shared child only
// where all calls it could mean are of one caller.
func (c *child) route(m *mcpwire.Message) {
	s := c.session.Load()
	switch {
	case m.Kind.Response():
		c.response(m)
	case m.Method == mcpwire.MethodProgress && m.Kind == mcpwire.Notification:
		c.progress(m)
	case s != nil:
		s.incoming(c, m)
	case m.Kind == mcpwire.Request:
		// The modern era has no requests of servers.
		c.d.o.Log.Warn("a request of the server was refused: servers ask by input_required", "method", m.Method)
		c.out.force(append(mcpwire.BuildError(m.Bytes(m.ID), mcpwire.CodeMethodNotFound, "this client takes no requests", nil), '\n'))
	default:
		c.notification(m)
	}
}

// deliver hands a message, edited, to a call.
func (c *child) deliver(k *call, m *mcpwire.Message, final bool, edits ...mcpwire.Edit) bool {
	var data []byte
	if len(edits) == 0 {
		data = bytes.Clone(m.Raw)
	} else {
		var err error
		if data, err = mcpwire.Splice(m.Raw, edits...); err != nil {
			k.box.fail(c.d.errorf(exchange.BrokeOff, err, "its answer can't be read; the call may have been done"))
			return false
		}
	}
	return k.box.put(exchange.Event{Data: data, Final: final}, c.patience(), c.d.tooSlow)
}

// patience is how long the reader waits for one client. In a shared child all callers
// wait with it.
func (c *child) patience() time.Duration {
	if c.shared {
		return min(c.d.o.SlowClient, time.Second)
	}
	return c.d.o.SlowClient
}

func (c *child) response(m *mcpwire.Message) {
	id := m.Bytes(m.ID)
	k := c.calls.answered(id)
	if k == nil {
		c.d.o.Log.Debug("an answer that nobody waits for was dropped", "withID", len(id) > 0)
		return
	}
	if k.method == mcpwire.MethodDiscover && m.Kind == mcpwire.Result {
		c.isModern.Store(true)
	}
	var edits []mcpwire.Edit
	if !bytes.Equal(id, k.id) {
		edits = append(edits, mcpwire.Edit{Span: m.ID, With: k.id})
		if k.listens() {
			if tag := mcpwire.Lookup(m.Raw, m.Result, "_meta", mcpwire.MetaSubscription); string(m.Bytes(tag)) == k.wire {
				edits = append(edits, mcpwire.Edit{Span: tag, With: k.id})
			}
		}
	}
	c.deliver(k, m, true, edits...)
}

func (c *child) progress(m *mcpwire.Message) {
	token := mcpwire.Member(m.Raw, m.Params, "progressToken")
	k := c.calls.withToken(m.Bytes(token))
	if s := c.session.Load(); k == nil && s != nil && c.calls.ofTask(m.Bytes(token)) {
		s.incoming(c, m)
		return
	}
	if k == nil { // after the answer there is no progress
		c.d.o.Log.Debug("progress of an unknown call was dropped")
		return
	}
	if bytes.Equal(m.Bytes(token), k.token) {
		c.deliver(k, m, false)
	} else {
		c.deliver(k, m, false, mcpwire.Edit{Span: token, With: k.token})
	}
}

// notification routes what a modern child says between answers.
func (c *child) notification(m *mcpwire.Message) {
	if m.Subscription.Present() {
		if k := c.calls.withID(m.Bytes(m.Subscription)); k != nil {
			c.deliver(k, m, false, mcpwire.Edit{Span: m.Subscription, With: k.id})
			return
		}
		c.d.o.Log.Debug("a message of an unknown subscription was dropped", "method", m.Method)
		return
	}
	if m.Method == mcpwire.MethodCancelled {
		c.tornDown(m)
		return
	}
	k, oneCaller := c.calls.latest(func(k *call) bool {
		return !k.listens() && (k.logs || m.Method != mcpwire.MethodLog)
	})
	if k == nil || (c.shared && !oneCaller) {
		c.d.o.Log.Debug("a notification that belongs to no call was dropped", "method", m.Method)
		return
	}
	c.deliver(k, m, false)
}

// tornDown ends a subscription that the child cancelled. On its own channel that is
// the end; a client on another transport needs the answer, too.
func (c *child) tornDown(m *mcpwire.Message) {
	id := mcpwire.Member(m.Raw, m.Params, "requestId")
	k := c.calls.withID(m.Bytes(id))
	if k == nil || !k.listens() {
		return
	}
	c.deliver(k, m, false, mcpwire.Edit{Span: id, With: k.id})
	result := append([]byte(`{"resultType":"complete","_meta":{"`+mcpwire.MetaSubscription+`":`), k.id...)
	k.box.put(exchange.Event{Data: mcpwire.BuildResult(k.id, append(result, "}}"...)), Final: true},
		c.patience(), c.d.tooSlow)
}
