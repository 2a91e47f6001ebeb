package govern

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"sluice/internal/audit"
	"sluice/internal/config"
	"sluice/internal/enforce"
	"sluice/internal/fault"
	"sluice/internal/ids"
	"sluice/internal/ledger"
	"sluice/internal/registry"
)

// Servers lists the servers of the caller's workspace, by name.
func (s *Service) Servers(ctx context.Context) (list []registry.Server, err error) {
	err = s.view(ctx, func(tx ledger.Tx) error {
		list, err = tx.Registry().Servers(ctx, s.o.Caller.Workspace)
		return err
	})
	for i := range list {
		s.told(&list[i])
	}
	return list, err
}

// told keeps from those who may only look what is often a secret, as the path of a
// webhook's URL is, and arguments of programs.
func (s *Service) told(r *registry.Server) {
	if s.o.Caller.Administers() {
		return
	}
	const hidden = "…"
	program := func(command []string) []string {
		if len(command) > 1 {
			return []string{command[0], hidden}
		}
		return command
	}
	for i := range r.Settings.Approvals.Notify {
		n := &r.Settings.Approvals.Notify[i]
		if n.Command = program(n.Command); n.Webhook != "" {
			n.Webhook = hidden
		}
	}
	spec := members(r.Spec)
	var command []string
	if json.Unmarshal(spec["command"], &command) != nil {
		return
	}
	var errs [2]error
	spec["command"], errs[0] = json.Marshal(program(command))
	if r.Spec, errs[1] = json.Marshal(spec); errors.Join(errs[:]...) != nil {
		r.Spec = nil
	}
}

// Server returns one by name or id.
func (s *Service) Server(ctx context.Context, server string) (r *registry.Server, err error) {
	err = s.view(ctx, func(tx ledger.Tx) error {
		r, err = s.server(ctx, tx, server)
		return err
	})
	if r != nil {
		s.told(r)
	}
	return r, err
}

// server finds one of the caller's workspace by name or id.
func (s *Service) server(ctx context.Context, tx ledger.Tx, server string) (*registry.Server, error) {
	r, err := tx.Registry().ServerNamed(ctx, s.o.Caller.Workspace, server)
	if errors.Is(err, ledger.ErrNotFound) {
		if r, err = tx.Registry().Server(ctx, server); err == nil && (r.Workspace != s.o.Caller.Workspace || !r.DeletedAt.IsZero()) {
			err = ledger.ErrNotFound
		}
	}
	if err != nil {
		f := missing(err, "there is no server %s in this workspace", shownName(server))
		if known, ok := fault.As(f); ok {
			return nil, known.WithFix("`sluice server list` names them")
		}
		return nil, f
	}
	return r, nil
}

// shownName keeps what is no name out of a message: it may be anything.
func shownName(name string) string {
	if checkName("", name) != nil {
		return "of that name"
	}
	return name
}

// ServerSpec is a server as somebody describes it: the keys that `mcp.servers.NAME` of
// sluice.yaml has, in YAML or JSON, or the members of an aggregate with the keys of
// Settings.
type ServerSpec struct {
	Name    string
	Text    []byte            // keys of one server; nil for an aggregate
	Members []registry.Member // make it an aggregate
	// Settings are an aggregate's; those of a server are among its keys.
	Settings registry.Settings
}

// record checks a description and makes a record of it.
func (s *Service) record(d ServerSpec) (*registry.Server, error) {
	if err := config.CheckServerName(d.Name); err != nil {
		return nil, err
	}
	r := &registry.Server{Workspace: s.o.Caller.Workspace, Name: d.Name, Members: d.Members, Settings: d.Settings}
	if len(d.Members) > 0 {
		if err := checkAggregate(r); err != nil {
			return nil, err
		}
		return r, s.mayUse(config.MachineSettings(r.Settings))
	}
	parsed, err := config.ReadServer(d.Text)
	if err != nil {
		return nil, err
	}
	if err := s.mayUse(parsed.Machine()); err != nil {
		return nil, err
	}
	r.Settings = parsed.Settings()
	r.Spec, err = parsed.Spec()
	return r, err
}

// mayUse refuses a key that reaches into this machine to those who are not on it.
func (s *Service) mayUse(key string) error {
	if key == "" || s.local() {
		return nil
	}
	return fault.New(fault.RoleRequired, "%s uses this machine's programs, secrets or network, and is set by who is on the machine", key).
		With("key", key).WithFix("set it with `sluice server set` or `sluice apply` there, or under `mcp.servers` of sluice.yaml")
}

func checkAggregate(r *registry.Server) error {
	if err := registry.CheckSettings(r.Settings); err != nil {
		return fault.New(fault.Usage, "%v", err)
	}
	for i, m := range r.Members {
		switch {
		case config.CheckServerName(m.Server) != nil || m.Server == r.Name:
			return fault.New(fault.Usage, "members[%d].server: the name of another server", i)
		case m.Prefix == "":
			return fault.New(fault.Usage, "members[%d].prefix: what the names of its tools begin with", i)
		}
		for _, other := range r.Members[:i] {
			if other.Server == m.Server || strings.HasPrefix(other.Prefix, m.Prefix) || strings.HasPrefix(m.Prefix, other.Prefix) {
				return fault.New(fault.Usage, "members[%d]: its server or prefix overlaps with that of %s", i, other.Server)
			}
		}
	}
	return nil
}

// PutServer adds a server, or replaces the description of one. Admins may.
func (s *Service) PutServer(ctx context.Context, d ServerSpec, replace bool) (r *registry.Server, err error) {
	if err := s.administers(); err != nil {
		return nil, err
	}
	if r, err = s.record(d); err != nil {
		return nil, err
	}
	err = s.change(ctx, func(tx ledger.Tx, book func(audit.Record) error) error {
		old, err := tx.Registry().ServerNamed(ctx, r.Workspace, r.Name)
		switch {
		case errors.Is(err, ledger.ErrNotFound) && replace:
			return missing(err, "there is no server %s", r.Name)
		case errors.Is(err, ledger.ErrNotFound):
			if err := knownMembers(ctx, tx, r); err != nil {
				return err
			}
			return s.addServer(ctx, tx, r, book)
		case err != nil:
			return err
		case !replace:
			return fault.New(fault.NameTaken, "there is a server %s already", r.Name).WithFix("change it: `sluice server set %s`", r.Name)
		}
		if err := writable(old.ManagedBy, "server "+old.Name); err != nil {
			return err
		}
		if err := knownMembers(ctx, tx, r); err != nil {
			return err
		}
		return s.setServer(ctx, tx, old, r, book)
	})
	return r, err
}

// knownMembers checks that what an aggregate names is there.
func knownMembers(ctx context.Context, tx ledger.Tx, r *registry.Server) error {
	for i, m := range r.Members {
		member, err := tx.Registry().ServerNamed(ctx, r.Workspace, m.Server)
		if err != nil {
			return missing(err, "members[%d]: there is no server %s", i, m.Server)
		}
		if len(member.Members) > 0 {
			return fault.New(fault.Usage, "members[%d]: %s is an aggregate itself", i, m.Server)
		}
	}
	return nil
}

func (s *Service) addServer(ctx context.Context, tx ledger.Tx, r *registry.Server, book func(audit.Record) error) error {
	now := moment(tx)
	r.ID, r.CreatedAt, r.CreatedBy = ids.New("srv", now), now, s.o.Caller.User
	if err := tx.Registry().PutServer(ctx, r); err != nil {
		return taken(err, "there is a server %s already", r.Name)
	}
	return book(audit.Record{Op: "server.add", Object: r.ID, After: serverDigest(r)})
}

// setServer replaces what is described of old by r, in place of which it then is.
func (s *Service) setServer(ctx context.Context, tx ledger.Tx, old, r *registry.Server, book func(audit.Record) error) error {
	before := serverDigest(old)
	r.ID, r.CreatedAt, r.CreatedBy = old.ID, old.CreatedAt, old.CreatedBy
	if serverDigest(r) == before && r.ManagedBy == old.ManagedBy {
		return nil
	}
	if err := tx.Registry().PutServer(ctx, r); err != nil {
		return err
	}
	return book(audit.Record{Op: "server.set", Object: r.ID, Before: before, After: serverDigest(r)})
}

// serverDigest is that of what a server says, without who made it when.
func serverDigest(r *registry.Server) string {
	return digest([]any{r.Name, r.Spec, r.Members, r.Settings})
}

// RemoveServer removes a server that no live grant is for. Its policies go with it.
func (s *Service) RemoveServer(ctx context.Context, server string) (r *registry.Server, err error) {
	if err := s.administers(); err != nil {
		return nil, err
	}
	err = s.change(ctx, func(tx ledger.Tx, book func(audit.Record) error) error {
		if r, err = s.server(ctx, tx, server); err != nil {
			return err
		}
		if err := writable(r.ManagedBy, "server "+r.Name); err != nil {
			return err
		}
		return s.removeServer(ctx, tx, r, book)
	})
	if err == nil {
		err = s.cancel(ctx, enforce.Cancellation{Workspace: r.Workspace, Server: r.ID, Reason: "the server was removed"})
	}
	return r, err
}

func (s *Service) removeServer(ctx context.Context, tx ledger.Tx, r *registry.Server, book func(audit.Record) error) error {
	grants, err := tx.Registry().Grants(ctx, r.Workspace)
	if err != nil {
		return err
	}
	var names []string
	for i := range grants {
		if grants[i].Server == r.ID && grants[i].RevokedAt.IsZero() {
			names = append(names, grants[i].Name)
		}
	}
	if len(names) > 0 {
		return fault.New(fault.InUse, "server %s is still called by %s", r.Name, few(names)).With("grants", names).
			WithFix("revoke them first: `sluice grant revoke %s/NAME`", r.Name)
	}
	servers, err := tx.Registry().Servers(ctx, r.Workspace)
	if err != nil {
		return err
	}
	for i := range servers {
		if slices.ContainsFunc(servers[i].Members, func(m registry.Member) bool { return m.Server == r.Name }) {
			return fault.New(fault.InUse, "server %s is a member of the aggregate %s", r.Name, servers[i].Name)
		}
	}
	policies, err := tx.Registry().Policies(ctx, r.Workspace)
	if err != nil {
		return err
	}
	now := moment(tx)
	for i := range policies {
		if p := &policies[i]; p.Server == r.ID {
			if p.ManagedBy != r.ManagedBy {
				if err := writable(p.ManagedBy, "policy "+r.Name+"/"+p.Name); err != nil {
					return err
				}
			}
			p.DeletedAt = now
			if err := tx.Registry().PutPolicy(ctx, p, p.Version); err != nil {
				return err
			}
		}
	}
	before := serverDigest(r)
	r.DeletedAt = now
	if err := tx.Registry().PutServer(ctx, r); err != nil {
		return err
	}
	return book(audit.Record{Op: "server.remove", Object: r.ID, Before: before})
}

// few names some of a list.
func few(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and others"
	}
	return strings.Join(names, ", ")
}

// cancel ends what waits for a person. What it was for is gone already, so that nothing
// of it can be carried out; a failure only leaves it on the list.
func (s *Service) cancel(ctx context.Context, c enforce.Cancellation) error {
	if s.o.Approvals == nil {
		return nil
	}
	if _, err := s.o.Approvals.Cancel(ctx, c); err != nil {
		return fault.New(fault.StoreUnavailable, "it was done, but the approvals that wait for it could not be cancelled").
			WithFix("run the same command again").Wrap(err)
	}
	return nil
}
