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

// SyncServers makes the registry hold the servers of sluice.yaml as the file has them.
// A server of that name that was made elsewhere becomes the file's, with its grants;
// one that other files own is an error. With remove, servers that stood in the file
// once and don't any more are taken out; they keep their grants and policies, which are
// in force again when the name comes back.
//
// It is the program's own act and asks for no role. It writes nothing where nothing
// differs.
func (s *Service) SyncServers(ctx context.Context, all []Configured, remove bool) error {
	differs := false
	err := s.o.Store.View(ctx, func(tx ledger.Tx) error {
		now, err := tx.Registry().Servers(ctx, s.o.Caller.Workspace)
		for i := range all {
			differs = differs || !slices.ContainsFunc(now, all[i].is)
		}
		for i := range now {
			differs = differs || remove && dropped(all, &now[i])
		}
		return err
	})
	if err != nil || !differs {
		return err
	}
	return s.change(ctx, func(tx ledger.Tx, book func(audit.Record) error) error {
		for i := range all {
			if err := s.syncServer(ctx, tx, &all[i], book); err != nil {
				return err
			}
		}
		if !remove {
			return nil
		}
		now, err := tx.Registry().Servers(ctx, s.o.Caller.Workspace)
		if err != nil {
			return err
		}
		for i := range now {
			if r := &now[i]; dropped(all, r) {
				r.DeletedAt = tx.Now()
				if err := errors.Join(tx.Registry().PutServer(ctx, r), book(audit.Record{Op: "server.remove", Object: r.ID, Before: serverDigest(r)})); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

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

func (s *Service) syncServer(ctx context.Context, tx ledger.Tx, c *Configured, book func(audit.Record) error) error {
	r := c.record()
	r.Workspace = s.o.Caller.Workspace
	old, err := tx.Registry().ServerNamed(ctx, r.Workspace, r.Name)
	if errors.Is(err, ledger.ErrNotFound) {
		old, err = tx.Registry().RemovedServer(ctx, r.Workspace, r.Name, byConfig)
		if errors.Is(err, ledger.ErrNotFound) {
			return s.addServer(ctx, tx, r, book)
		}
		if err == nil { // it comes back
			r.ID, r.CreatedAt, r.CreatedBy = old.ID, old.CreatedAt, old.CreatedBy
			return errors.Join(tx.Registry().PutServer(ctx, r), book(audit.Record{Op: "server.add", Object: r.ID, After: serverDigest(r)}))
		}
	}
	if err != nil {
		return err
	}
	if old.ManagedBy != byConfig && old.ManagedBy != "" {
		return fault.New(fault.ManagedByFiles, "server %s stands in sluice.yaml and is owned by the files of %q too", r.Name, old.ManagedBy[len(applyOwner):]).
			WithFix("take it out of one of them, or give it another name")
	}
	return s.setServer(ctx, tx, old, r, book)
}
