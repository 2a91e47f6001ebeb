package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"sluice/internal/config"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// ServerStatus is a configured MCP server, and what it was found to be.
type ServerStatus struct {
	Name      string `json:"name"`
	Kind      string `json:"kind"` // url or command
	Target    string `json:"target"`
	Prefix    string `json:"prefix,omitempty"` // in the aggregate; empty outside it
	Aggregate bool   `json:"aggregate"`
	// Of one that does not stand in the configuration.
	ID        string `json:"id,omitempty"`
	ManagedBy string `json:"managed_by,omitempty"`

	// Of a check.
	Checked   bool   `json:"checked"`
	Reachable bool   `json:"reachable,omitempty"`
	Era       string `json:"era,omitempty"`
	Tools     *int   `json:"tools,omitempty"`
	Took      int64  `json:"took_ms,omitempty"`
	Code      string `json:"code,omitempty"`
	Problem   string `json:"problem,omitempty"`
	Fix       string `json:"fix,omitempty"`
}

// Servers lists the configured MCP servers.
func Servers(c *config.Config) []ServerStatus {
	list := []ServerStatus{}
	for _, name := range c.MCP.Names() {
		s := c.MCP.Servers[name]
		out := ServerStatus{Name: name, Kind: "command"}
		if len(s.Command) > 0 {
			out.Target = commandLine(s.Command)
		} else if u, err := url.Parse(s.URL); err == nil {
			out.Kind, out.Target = "url", u.Scheme+"://"+u.Host+u.Path
		}
		for _, member := range c.MCP.Aggregate {
			if member == name {
				out.Aggregate, out.Prefix = true, c.MCP.PrefixOf(name)
			}
		}
		list = append(list, out)
	}
	return list
}

// checkTime bounds the check of one server; a command may have to be fetched first.
const checkTime = 15 * time.Second

// CheckServers asks servers what they are: all, or those that are named. It uses
// credentials as `serve` does and asks nobody to sign in.
func CheckServers(ctx context.Context, c *config.Config, names []string, log *slog.Logger) ([]ServerStatus, error) {
	if err := c.MayServe(); err != nil {
		return nil, err
	}
	list := []ServerStatus{}
	for _, s := range Servers(c) {
		if len(names) == 0 {
			list = append(list, s)
		}
		for _, name := range names {
			if name == s.Name {
				list = append(list, s)
			}
		}
	}
	for _, name := range names {
		if _, closer, err := ServerSpec(c, name, nil, nil, log); err != nil {
			return nil, err
		} else if closer != nil {
			_ = closer.Close()
		}
	}
	var wg sync.WaitGroup
	for i := range list {
		wg.Go(func() { checkServer(ctx, c, &list[i], log) })
	}
	wg.Wait()
	return list, nil
}

func checkServer(ctx context.Context, c *config.Config, s *ServerStatus, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	begun := time.Now()
	s.Checked = true
	fail := func(err error) {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) { // whatever it looks like from inside
			until, _ := ctx.Deadline()
			err = silence(s.Name, s.Kind == "command", until.Sub(begun).Round(100*time.Millisecond))
		}
		s.Code, s.Problem, s.Fix = problem(err)
	}
	spec, closer, err := ServerSpec(c, s.Name, nil, nil, log)
	if closer != nil {
		defer func() { _ = closer.Close() }()
	}
	if err != nil {
		fail(err)
		return
	}
	up, err := Upstream(spec)
	if err != nil {
		fail(err)
		return
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeGrace)
		defer cancel()
		_ = up.Close(end)
	}()
	q := &questions{up: up, server: s.Name}
	if _, err = q.ask(ctx, mcpwire.MethodDiscover, nil); err != nil {
		fail(err)
		return
	}
	s.Reachable = true
	if e, ok := up.(interface{ Era() mcpwire.Era }); ok {
		s.Era = e.Era().String()
	}
	n, err := q.count(ctx, mcpwire.MethodToolsList, "tools")
	if err != nil {
		fail(err)
	} else {
		s.Tools = &n
	}
	s.Took = time.Since(begun).Milliseconds()
}

// questions asks one upstream on Sluice's own behalf.
type questions struct {
	up     exchange.Upstream
	server string
}

// ask sends one modern request; params are further members of params.
func (q *questions) ask(ctx context.Context, method string, cursor []byte) (*mcpwire.Message, error) {
	params := []byte(`{"_meta":{"` + mcpwire.MetaProtocolVersion + `":"` + mcpwire.Version20260728 + `","` + mcpwire.MetaCapabilities + `":{},"` +
		mcpwire.MetaClientInfo + `":{"name":"sluice","version":` + string(mcpwire.Quote(Version())) + `}}`)
	if cursor != nil {
		params = append(append(params, `,"cursor":`...), cursor...)
	}
	m, err := mcpwire.Parse(mcpwire.BuildRequest("1", method, append(params, '}')), mcpwire.Limits{})
	if err != nil {
		return nil, err
	}
	var out last
	err = q.up.Call(ctx, &exchange.Call{Message: &m, Caller: localCaller, Server: q.server, Era: mcpwire.Modern, Version: mcpwire.Version20260728}, &out)
	if err != nil {
		return nil, err
	}
	reply, err := mcpwire.ParseReply(out.data, mcpwire.Limits{})
	if err != nil {
		return nil, err
	}
	if reply.Kind != mcpwire.Result {
		text, _ := reply.Text(mcpwire.Member(reply.Raw, reply.Error, "message"))
		return &reply, &exchange.Error{Code: "upstream_error", Message: "the server answers " + method + " with an error: " + text}
	}
	return &reply, nil
}

// mostPages bounds a list that never ends.
const mostPages = 1000

// count is the length of a list over all its pages; a server without such lists has 0.
func (q *questions) count(ctx context.Context, method, key string) (n int, err error) {
	var cursor []byte
	for range mostPages {
		reply, err := q.ask(ctx, method, cursor)
		if reply != nil && string(reply.Bytes(mcpwire.Member(reply.Raw, reply.Error, "code"))) == "-32601" {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		for range mcpwire.Elements(reply.Raw, mcpwire.Member(reply.Raw, reply.Result, key)) {
			n++
		}
		next := mcpwire.Member(reply.Raw, reply.Result, "nextCursor")
		if !next.Present() || string(reply.Bytes(next)) == "null" {
			return n, nil
		}
		cursor = bytes.Clone(reply.Bytes(next))
	}
	return n, nil
}

// last keeps the final message of a call.
type last struct{ data []byte }

func (l *last) Send(e exchange.Event) error {
	if e.Final {
		l.data = bytes.Clone(e.Data)
	}
	return nil
}
