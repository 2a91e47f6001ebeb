package gateway

import (
	"context"
	"sync"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// answered is what the members said to one question, by member; who was not asked has
// neither an answer nor an error.
type answered []reply

// ask puts a question to several members at once and waits for each as long as the
// aggregate waits; who is known to be silent is asked beside it. Progress of single members is not passed on: what the client asked
// for is the whole.
func (a *aggregate) ask(ctx context.Context, of []int, question func(member int) (*exchange.Call, error), to reach) answered {
	got := make(answered, len(a.members))
	var wg sync.WaitGroup
	for _, i := range of {
		c, err := question(i)
		if err != nil {
			got[i] = reply{err: err}
			continue
		}
		if a.silent.is(to.party(i)) {
			a.silent.again(to.party(i), to.beside)
			got[i] = reply{err: a.silent.refusal(i)}
			continue
		}
		wg.Go(func() { got[i] = a.askOne(ctx, i, c, to) })
	}
	wg.Wait()
	return got
}

// askOne waits for one member, and remembers when it took too long.
func (a *aggregate) askOne(ctx context.Context, i int, c *exchange.Call, to reach) reply {
	limited, cancel := context.WithTimeout(ctx, a.o.Wait)
	defer cancel()
	var s capture
	err := to.call(limited, i, c, &s)
	switch {
	case err == nil:
		a.silent.answered(to.party(i))
	case limited.Err() != nil && ctx.Err() == nil:
		a.silent.missed(to.party(i), repeat(c, to, i))
		a.silent.again(to.party(i), to.beside)
		fallthrough
	default:
		err = a.late(limited.Err() != nil, i, err)
	}
	return s.reply(err)
}

// asIs puts the client's own question to everybody.
func asIs(c *exchange.Call) func(int) (*exchange.Call, error) {
	return func(int) (*exchange.Call, error) { return c, nil }
}

// results are the members that gave one, in their order.
func (g answered) results() (of []int) {
	for i := range g {
		if g[i].err == nil && g[i].message.Kind == mcpwire.Result {
			of = append(of, i)
		}
	}
	return of
}

// missing names the members that should be in an answer and are not. A member that
// has nothing of the kind (unknown method) is not missing.
func (a *aggregate) missing(got answered) (names []string) {
	for i := range got {
		r := &got[i]
		failed := r.err != nil || r.message.Kind == mcpwire.Failure && !unknownMethod(errorCode(r.message.Raw))
		if failed {
			names = append(names, a.members[i].Name)
			a.o.Log.Info("a server is not in a merged answer", "server", a.members[i].Name, "error", r.err)
		}
	}
	return names
}

// nobody answers where no member gave a result: with what the first to decline said,
// else with why the first could not be asked.
func (g answered) nobody(out exchange.Sink, c *exchange.Call) error {
	var failed error
	var declined *reply
	for i := range g {
		r := &g[i]
		switch {
		case r.err != nil && failed == nil:
			failed = r.err
		case r.err == nil && r.message.Kind == mcpwire.Failure && (declined == nil || unknownMethod(errorCode(declined.message.Raw))):
			declined = r
		}
	}
	if failed != nil && (declined == nil || unknownMethod(errorCode(declined.message.Raw))) {
		return failed
	}
	if declined == nil {
		return refuse(out, c, mcpwire.CodeMethodNotFound, "no server knows the method")
	}
	return out.Send(exchange.Event{Data: declined.message.Raw, Final: true, Status: declined.status})
}

// serverInfo is who the aggregate says it is.
func (a *aggregate) serverInfo() []byte {
	o := object{fields: []field{{"name", mcpwire.Quote(a.o.Name)}, {"version", mcpwire.Quote(a.o.Version)}}}
	return o.bytes()
}

// meta merges the `_meta` of results and adds what the aggregate has to say. It is
// empty where there is nothing.
func (a *aggregate) meta(got answered, era mcpwire.Era, missing, dropped []string) []byte {
	var meta object
	for _, i := range got.results() {
		m := &got[i].message
		meta.merge(m.Raw, mcpwire.Member(m.Raw, m.Result, "_meta"), nil)
	}
	if era == mcpwire.Modern {
		meta.set(mcpwire.MetaServerInfo, a.serverInfo())
	}
	if len(missing) > 0 {
		meta.set(MetaUnavailable, quoteAll(missing))
	}
	if len(dropped) > 0 {
		meta.set(MetaDropped, quoteAll(dropped))
	}
	if len(meta.fields) == 0 {
		return nil
	}
	return meta.bytes()
}
