package pipeline

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// What is hidden must not be told from what does not exist (ruling 2). So a hidden name
// gets what a name gets that nobody ever heard of:
//
//   - where some policy denies by default, or can't be read, its denial: meets
//   - else the answer of a server that has no such tool. The gateway itself gives it, to
//     every name that is not in the list as the subject sees it: unlisted
//
// Both ways a hidden name and an unknown one pass the same steps.

// meets is the policy that denies a name which nobody ever heard of; nil: none does.
func meets(s *Subject) *Bound {
	for i := range s.Policies {
		if b := &s.Policies[i]; b.decides() && (b.Policy == nil || !b.Policy.DefaultAllow()) {
			return b
		}
	}
	return nil
}

// hides reports whether a policy in force hides the name; hidesAny whether any is hidden.
func hides(s *Subject, name string) bool {
	for i := range s.Policies {
		if b := &s.Policies[i]; b.decides() && b.Policy != nil && b.Policy.HidesAny() && b.Policy.Hides(name) {
			return true
		}
	}
	return false
}

// hider is the policy that denies a hidden name: the first that hides it, unless one
// can't be read and denies every name. It is nil for a name that is not hidden.
func hider(s *Subject, name string) *Bound {
	if !hides(s, name) {
		return nil
	}
	if b := meets(s); b != nil && b.Policy == nil {
		return b
	}
	for i := range s.Policies {
		if b := &s.Policies[i]; b.decides() && b.Policy != nil && b.Policy.Hides(name) {
			return b
		}
	}
	return nil
}

func hidesAny(s *Subject) bool {
	for i := range s.Policies {
		if b := &s.Policies[i]; b.decides() && b.Policy != nil && b.Policy.HidesAny() {
			return true
		}
	}
	return false
}

// unknownTool is what is said of a name that is not in the list. It does not repeat the
// name, so that the answer is the same to all of them.
const unknownTool = "unknown tool: this server lists no tool of that name"

// unlisted answers calls of names that the subject can't see, where something is hidden
// and no policy denies by default. It sends that answer to out, which records the denial
// first, and reports true; or it sends nothing and reports false.
func (p *Pipeline) unlisted(ctx context.Context, s *Subject, c *exchange.Call, out *recordFirst, next exchange.Next) (handled bool, err error) {
	if meets(s) != nil {
		return false, nil
	}
	name, ok := c.Message.Text(c.Message.Name)
	if !ok {
		return false, nil
	}
	seen, err := p.sees(ctx, s, c, name, next)
	switch {
	case err != nil:
		out.unread = true
		p.o.Log.Warn("a call is denied: the list of tools can't be had, and what is hidden not be told from what is not", "server", p.o.Server, "error", err.Error())
		return true, out.Send(exchange.Event{Final: true, Data: mcpwire.BuildError(c.Message.Bytes(c.Message.ID), mcpwire.CodeInternal,
			"the server's list of tools can't be read now, so that no tool of it can be called", nil)})
	case seen:
		return false, nil
	}
	return true, out.Send(exchange.Event{Final: true, Data: mcpwire.BuildError(c.Message.Bytes(c.Message.ID), mcpwire.CodeInvalidParams, unknownTool, nil)})
}

// sees reports whether a name is in the list as the subject sees it. A name that is not
// makes it ask the upstream again now and then: there may be tools that are new.
func (p *Pipeline) sees(ctx context.Context, s *Subject, c *exchange.Call, name string, next exchange.Next) (bool, error) {
	hidden := hides(s, name)
	for v := viewOf(s, c); ; {
		if p.results.tools.knows(v, name) && !hidden {
			return true, nil
		}
		done, err := p.lookAgain(ctx, v, c, next)
		if done || err != nil {
			return false, err
		}
	}
}

const (
	// lookEvery is how often unknown names may make the gateway ask for the list of tools.
	lookEvery = 10 * time.Second
	// lookFor is how long the upstream may take to tell it.
	lookFor = 10 * time.Second
	// mostPages bounds how many pages of a list are asked for.
	mostPages = 64
)

// lookAgain sees to it that the list of a view is known and was looked at lately. It
// reports done where there is nothing new to be seen.
func (p *Pipeline) lookAgain(ctx context.Context, v view, c *exchange.Call, next exchange.Next) (done bool, err error) {
	k := &p.results.tools
	k.mu.Lock()
	f := k.shelf(v)
	wait := f.asking
	if wait == nil {
		now := p.o.Now()
		if f.list != nil && now.Sub(f.at) < lookEvery || !f.asked.IsZero() && now.Sub(f.asked) < lookEvery {
			known := f.list != nil
			k.mu.Unlock()
			if !known {
				err = errNoList
			}
			return true, err
		}
		f.asking, f.asked = make(chan struct{}), now
	}
	asking := f.asking
	k.mu.Unlock()
	if wait != nil {
		select {
		case <-wait:
			return false, nil
		case <-ctx.Done():
			return true, ctx.Err()
		}
	}
	err = p.look(ctx, v, c, next)
	k.mu.Lock()
	defer k.mu.Unlock()
	f.asking = nil
	switch {
	case ctx.Err() != nil: // this client gave up, which says nothing to others
		f.asked = time.Time{}
	case f.list != nil: // what was known before has to do
		err = nil
	}
	close(asking)
	return false, err
}

// look asks the upstream for its tools, as the caller of c sees them.
func (p *Pipeline) look(ctx context.Context, v view, c *exchange.Call, next exchange.Next) error {
	// The call that all this is for is not on its way yet: nothing may overtake it.
	ctx, cancel := context.WithTimeout(exchange.WithTaken(ctx, func() {}), lookFor)
	defer cancel()
	cursor := ""
	for range mostPages {
		m, err := p.page(ctx, c, cursor, next)
		if err != nil {
			return err
		}
		at, err := partsOf(m)
		if err != nil {
			return err
		}
		if cursor, err = p.results.tools.learn(v, cursor, m, &at, p.o.Now()); err != nil || cursor == "" {
			return err
		}
	}
	return errNoList
}

// asks numbers the requests that are ours.
var asks atomic.Uint64

// page asks for one page with the metadata of c.
func (p *Pipeline) page(ctx context.Context, c *exchange.Call, cursor string, next exchange.Next) (*mcpwire.Message, error) {
	params := []byte("{")
	if c.Era == mcpwire.Modern {
		params = append(append(params, `"_meta":`...), metadata(c.Message)...)
	}
	if cursor != "" {
		if len(params) > 1 {
			params = append(params, ',')
		}
		params = mcpwire.AppendQuote(append(params, `"cursor":`...), cursor)
	}
	id := mcpwire.Quote("sluice-list-" + strconv.FormatUint(asks.Add(1), 10))
	m, err := mcpwire.Parse(mcpwire.BuildRequest(string(id), mcpwire.MethodToolsList, append(params, '}')), mcpwire.Limits{})
	if err != nil {
		return nil, err
	}
	own := c.With(&m)
	if own.Header != nil {
		own.Header = own.Header.Clone()
		clear(own.Header)
	}
	var got keeper
	if err := next(ctx, own, &got); err != nil {
		return nil, err
	}
	answer, err := mcpwire.ParseReply(got.data, mcpwire.Limits{Size: len(got.data) + 1, Depth: anyDepth})
	if err == nil && answer.Kind != mcpwire.Result {
		err = errors.New("the upstream refuses to list its tools")
	}
	return &answer, err
}

// metadata is the `_meta` of a modern request of ours on behalf of a client's.
func metadata(m *mcpwire.Message) []byte {
	out := []byte(`{"` + mcpwire.MetaProtocolVersion + `":"` + mcpwire.Version20260728 + `","` + mcpwire.MetaCapabilities + `":`)
	if m.Capabilities.Present() {
		out = append(out, m.Bytes(m.Capabilities)...)
	} else {
		out = append(out, "{}"...)
	}
	if m.ClientInfo.Present() {
		out = append(append(out, `,"`+mcpwire.MetaClientInfo+`":`...), m.Bytes(m.ClientInfo)...)
	}
	return append(out, '}')
}

// keeper keeps the final message of a call of ours.
type keeper struct{ data []byte }

func (k *keeper) Send(e exchange.Event) error {
	if e.Final {
		k.data = bytes.Clone(e.Data)
	}
	return nil
}
