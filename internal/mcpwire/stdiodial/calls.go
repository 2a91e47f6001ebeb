package stdiodial

import (
	"bytes"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// call is a request on its way through a child.
type call struct {
	id     []byte // the client's token
	wire   string // the child's
	token  []byte // the client's progress token; nil without
	wireTk string // the child's
	caller string
	method string
	logs   bool // the request asked for log messages (modern)
	task   bool // it asked for a task, whose progress goes on after the answer (legacy)
	order  int64

	box       *inbox
	sent      atomic.Bool
	cancelled chan struct{} // closed when the client itself cancelled
	once      sync.Once
}

// listens reports whether the call is a stream that has no end of its own.
func (k *call) listens() bool { return k.method == mcpwire.MethodListen }

// cancel notes that the client cancelled, so that nobody does it twice.
func (k *call) cancel() { k.once.Do(func() { close(k.cancelled) }) }

// calls is what a child is working on: the map from its ids and tokens to the clients'.
type calls struct {
	mu      sync.Mutex
	byID    map[string]*call
	byToken map[string]*call
	late    map[string]given  // ids given up, whose answer may still come
	tasks   map[string]bool   // tokens of tasks that calls began (legacy)
	early   map[string]bool   // ids a client cancelled before their request came here
	asked   map[string]*inbox // requests of the child, and where they went (legacy)
	next    int64
	gone    error // why no more calls are taken
}

// given is a call that was given up while the child worked on it.
type given struct {
	caller string
	at     time.Time
}

// doubt is how long a call that was given up may still say something.
const doubt = time.Minute

// lateIDs bounds what is remembered of answers that may never come.
const lateIDs = 1024

func newCalls() *calls {
	return &calls{byID: map[string]*call{}, byToken: map[string]*call{}, late: map[string]given{}, early: map[string]bool{},
		tasks: map[string]bool{}, asked: map[string]*inbox{}}
}

// open registers a request and returns it as a line for the child. With keep the
// client's id stays, unless the child knows it already: a session has one client, and
// its cancellations then pass as they are. Without, the child's ids are ours: its
// clients do not know of each other. So are its progress tokens then: what it says late
// of one call would else reach the next that uses the same.
func (t *calls) open(c *exchange.Call, keep bool) (*call, []byte, error) {
	m := c.Message
	k := &call{id: bytes.Clone(m.Bytes(m.ID)), caller: c.Caller.ID, method: m.Method, logs: m.LogLevel.Present(),
		box: newInbox(), cancelled: make(chan struct{})}
	var edits [2]mcpwire.Edit
	n := 0

	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gone != nil {
		return nil, nil, t.gone
	}
	t.next++
	k.order = t.next
	k.wire = string(k.id)
	switch {
	case !keep:
		k.wire = strconv.FormatInt(t.next, 10)
	case t.byID[k.wire] != nil || t.isLate(k.wire):
		k.wire = `"sluice-` + strconv.FormatInt(t.next, 10) + `"`
	}
	if k.wire != string(k.id) {
		edits[n] = mcpwire.Edit{Span: m.ID, With: []byte(k.wire)}
		n++
	}
	if m.ProgressToken.Present() {
		k.token = bytes.Clone(m.Bytes(m.ProgressToken))
		k.wireTk = string(k.token)
		k.task = keep && mcpwire.Member(m.Raw, m.Params, "task").Present()
		switch {
		case !keep && tokenish(k.token):
			k.wireTk = k.wire
		case t.byToken[k.wireTk] != nil:
			k.wireTk = `"sluice-` + strconv.FormatInt(t.next, 10) + `"`
		}
		if k.wireTk != string(k.token) {
			edits[n] = mcpwire.Edit{Span: m.ProgressToken, With: []byte(k.wireTk)}
			n++
		}
		t.byToken[k.wireTk] = k
	}
	t.byID[k.wire] = k
	if keep && t.early[k.wire] {
		delete(t.early, k.wire)
		k.cancel()
	}
	raw := m.Raw
	if n > 0 {
		var err error
		if raw, err = mcpwire.Splice(raw, edits[:n]...); err != nil {
			t.forget(k)
			return nil, nil, err
		}
	}
	return k, mcpwire.AppendLine(make([]byte, 0, len(raw)+1), raw), nil
}

// close ends a call. An id that was not answered stays known for a while.
func (t *calls) close(k *call, answered bool) {
	t.mu.Lock()
	t.forget(k)
	if !answered && k.sent.Load() {
		if len(t.late) >= lateIDs {
			clear(t.late)
		}
		t.late[k.wire] = given{k.caller, time.Now()}
	}
	if answered && k.task {
		if len(t.tasks) >= lateIDs {
			clear(t.tasks)
		}
		t.tasks[k.wireTk] = true
	}
	t.mu.Unlock()
	k.box.close()
}

func (t *calls) forget(k *call) {
	if t.byID[k.wire] == k {
		delete(t.byID, k.wire)
	}
	if k.token != nil && t.byToken[k.wireTk] == k {
		delete(t.byToken, k.wireTk)
	}
}

// answered finds the call that a response belongs to.
func (t *calls) answered(id []byte) *call {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.byID[string(id)]
	if k == nil {
		delete(t.late, string(id))
	}
	return k
}

func (t *calls) withID(id []byte) *call {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[string(id)]
}

func (t *calls) isLate(id string) bool {
	_, ok := t.late[id]
	return ok
}

// tokenish reports whether a progress token is what the protocol wants it to be; what
// is not has to reach the server as it is, for it to refuse.
func tokenish(token []byte) bool {
	return token[0] == '"' || token[0] == '-' || (token[0] >= '0' && token[0] <= '9')
}

// ofTask reports whether a token is that of a task whose call was answered.
func (t *calls) ofTask(token []byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tasks[string(token)]
}

func (t *calls) withToken(token []byte) *call {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byToken[string(token)]
}

// cancelledByClient finds the call a client's cancellation names by the client's id. A
// cancellation that overtook its request is remembered for it.
func (t *calls) cancelledByClient(id []byte) *call {
	t.mu.Lock()
	defer t.mu.Unlock()
	var found *call
	for _, k := range t.byID {
		if bytes.Equal(k.id, id) && (found == nil || k.order > found.order) {
			found = k
		}
	}
	if found == nil && !t.isLate(string(id)) {
		if len(t.early) >= lateIDs {
			clear(t.early)
		}
		t.early[string(id)] = true
	}
	return found
}

// latest is the most recently started call that fits, and whether all that fit are of
// one caller, and so are those that were given up just now.
func (t *calls) latest(fits func(*call) bool) (found *call, oneCaller bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	oneCaller = true
	for _, k := range t.byID {
		if !fits(k) {
			continue
		}
		if found != nil && k.caller != found.caller {
			oneCaller = false
		}
		if found == nil || k.order > found.order {
			found = k
		}
	}
	if found != nil {
		for _, g := range t.late {
			if g.caller != found.caller && time.Since(g.at) < doubt {
				oneCaller = false
			}
		}
	}
	return found, oneCaller
}

// end fails every call; those of which nothing was sent differently. It returns how
// many there were.
func (t *calls) end(broke error) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gone = errUnsent
	for _, k := range t.byID {
		if k.sent.Load() {
			k.box.fail(broke)
		} else {
			k.box.fail(errUnsent)
		}
	}
	return len(t.byID)
}

// only is the call that waits for an answer when there is just one.
func (t *calls) only() *call {
	t.mu.Lock()
	defer t.mu.Unlock()
	var one *call
	for _, k := range t.byID {
		switch {
		case k.listens():
		case one != nil:
			return nil
		default:
			one = k
		}
	}
	return one
}

// asks notes where a request of the child went.
func (t *calls) asks(id []byte, to *inbox) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.asked) >= lateIDs {
		clear(t.asked)
	}
	t.asked[string(id)] = to
}

// wasAsked is where a request of the child went; it is over then.
func (t *calls) wasAsked(id []byte) *inbox {
	t.mu.Lock()
	defer t.mu.Unlock()
	box := t.asked[string(id)]
	delete(t.asked, string(id))
	return box
}
