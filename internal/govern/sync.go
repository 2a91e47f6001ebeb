package govern

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/registry"
)

// Configured is one server of sluice.yaml, or its aggregate.
type Configured struct {
	Name     string
	Spec     json.RawMessage   // config.MCPServer.Spec
	Members  []registry.Member // of the aggregate
	Settings registry.Settings
}

// SyncServers brings the servers of sluice.yaml into the registry.
//
// With whole, as a server does when it starts, the registry then holds them as the file
// has them: a server of that name that was made elsewhere becomes the file's, with its
// grants; one that other files own is an error; those that stood in the file once and
// don't any more are taken out, and keep their grants and policies, which are in force
// again when the name comes back. Without whole, as a command does that may see any file,
// only names that the registry never had are added: a file that happens to lie around
// changes nothing for a grant that is in use.
//
// It is the program's own act and asks for no role. It writes nothing where nothing
// differs.
func (s *Service) SyncServers(ctx context.Context, all []Configured, whole bool) error {
	differs := false
	err := s.o.Store.View(ctx, func(tx ledger.Tx) error {
		now, err := tx.Registry().Servers(ctx, s.o.Caller.Workspace)
		for i := range all {
			is := all[i].named
			if whole {
				is = all[i].is
			}
			differs = differs || !slices.ContainsFunc(now, is)
		}
		for i := range now {
			differs = differs || whole && dropped(all, &now[i])
		}
		return err
	})
	if err != nil || !differs {
		return err
	}
	return s.change(ctx, func(tx ledger.Tx, book func(audit.Record) error) error {
		for i := range all {
			if err := s.syncServer(ctx, tx, &all[i], whole, book); err != nil {
				return err
			}
		}
		if !whole {
			return nil
		}
		return s.dropServers(ctx, tx, all, book)
	})
}

func (s *Service) dropServers(ctx context.Context, tx ledger.Tx, all []Configured, book func(audit.Record) error) error {
	now, err := tx.Registry().Servers(ctx, s.o.Caller.Workspace)
	if err != nil {
		return err
	}
	for i := range now {
		if r := &now[i]; dropped(all, r) {
			before := serverDigest(r)
			r.DeletedAt = moment(tx)
			if err := errors.Join(tx.Registry().PutServer(ctx, r), book(audit.Record{Op: "server.remove", Object: r.ID, Before: before})); err != nil {
				return err
			}
		}
	}
	return nil
}

// named reports whether a record has the file's name for it.
func (c *Configured) named(r registry.Server) bool { return r.Name == c.Name }

// is reports whether a record says what the file says.
func (c *Configured) is(r registry.Server) bool {
	return r.ManagedBy == byConfig && serverDigest(&r) == serverDigest(c.record())
}

func (c *Configured) record() *registry.Server {
	return &registry.Server{Name: c.Name, Spec: c.Spec, Members: c.Members, Settings: c.Settings, ManagedBy: byConfig}
}

// dropped reports whether a record stood in the file and does not any more.
func dropped(all []Configured, r *registry.Server) bool {
	return r.ManagedBy == byConfig && !slices.ContainsFunc(all, func(c Configured) bool { return c.Name == r.Name })
}

func (s *Service) syncServer(ctx context.Context, tx ledger.Tx, c *Configured, whole bool, book func(audit.Record) error) error {
	r := c.record()
	r.Workspace = s.o.Caller.Workspace
	old, err := tx.Registry().ServerNamed(ctx, r.Workspace, r.Name)
	if errors.Is(err, ledger.ErrNotFound) {
		old, err = tx.Registry().RemovedServer(ctx, r.Workspace, r.Name, byConfig)
		if errors.Is(err, ledger.ErrNotFound) {
			return s.addServer(ctx, tx, r, book)
		}
		if err == nil && !whole {
			return nil
		}
		if err == nil { // it comes back
			r.ID, r.CreatedAt, r.CreatedBy = old.ID, old.CreatedAt, old.CreatedBy
			return errors.Join(tx.Registry().PutServer(ctx, r), book(audit.Record{Op: "server.add", Object: r.ID, After: serverDigest(r)}))
		}
	}
	if err != nil || !whole {
		return err
	}
	if old.ManagedBy != byConfig && old.ManagedBy != "" {
		return fault.New(fault.ManagedByFiles, "server %s stands in sluice.yaml and is owned by the files of %q too", r.Name, old.ManagedBy[len(applyOwner):]).
			WithFix("take it out of one of them, or give it another name")
	}
	return s.setServer(ctx, tx, old, r, book)
}
