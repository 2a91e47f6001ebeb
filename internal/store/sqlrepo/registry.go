package sqlrepo

import (
	"context"
	"encoding/json"
	"errors"

	"sluice/internal/ledger"
	"sluice/internal/registry"
)

// Registry serves registry.Repo.
func (r *Repos) Registry() registry.Repo { return registries{r.S} }

type registries struct{ s Session }

func (r registries) Revision(ctx context.Context) (n int64, err error) {
	err = r.s.Get(ctx, []any{&n}, `SELECT revision FROM registry_revision WHERE one = 1`)
	return n, err
}

func (r registries) Lock(ctx context.Context) error {
	var n int64
	return r.s.Get(ctx, []any{&n}, `SELECT revision FROM registry_revision WHERE one = 1`+r.s.ForUpdate())
}

// changed raises the revision. Its row is the lock that writers of the registry hold
// until they commit, so that whoever sees a revision sees all of its changes, and a name
// that was found free stays free.
func (r registries) changed(ctx context.Context) error {
	return Lost(r.s.Exec(ctx, `UPDATE registry_revision SET revision = revision + 1 WHERE one = 1`))
}

// free returns ErrTaken when the query finds a row.
func (r registries) free(ctx context.Context, query string, args ...any) error {
	var id string
	switch err := r.s.Get(ctx, []any{&id}, query, args...); {
	case errors.Is(err, ledger.ErrNotFound):
		return nil
	case err != nil:
		return err
	default:
		return ledger.ErrTaken
	}
}

// text is a value as JSON, empty for one that says nothing.
func text(v any, nothing string) (string, error) {
	raw, err := json.Marshal(v)
	if string(raw) == nothing {
		return "", err
	}
	return string(raw), err
}

// decode is the inverse of text.
func decode(raw string, into any) error {
	if raw == "" {
		return nil
	}
	return json.Unmarshal([]byte(raw), into)
}

func (r registries) servers(ctx context.Context, where string, args ...any) (out []registry.Server, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var s registry.Server
		var spec, members, settings string
		var created, deleted int64
		if err := scan(&s.ID, &s.Workspace, &s.Name, &spec, &members, &settings, &s.ManagedBy, &s.CreatedBy, &created, &deleted); err != nil {
			return err
		}
		s.CreatedAt, s.DeletedAt = FromMillis(created), FromMillis(deleted)
		if spec != "" {
			s.Spec = json.RawMessage(spec)
		}
		out = append(out, s)
		last := &out[len(out)-1]
		return errors.Join(decode(members, &last.Members), decode(settings, &last.Settings))
	}, `SELECT id, workspace, name, spec, members, settings, managed_by, created_by, created_at, deleted_at FROM mcp_server `+where, args...)
	return out, err
}

func (r registries) Server(ctx context.Context, id string) (*registry.Server, error) {
	return one(r.servers(ctx, "WHERE id = ?", id))
}

func (r registries) ServerNamed(ctx context.Context, workspace, name string) (*registry.Server, error) {
	return one(r.servers(ctx, "WHERE workspace = ? AND name = ? AND deleted_at = 0", workspace, name))
}

func (r registries) Servers(ctx context.Context, workspace string) ([]registry.Server, error) {
	return r.servers(ctx, "WHERE (?1 = '' OR workspace = ?1) AND deleted_at = 0 ORDER BY workspace, name", workspace)
}

func (r registries) RemovedServer(ctx context.Context, workspace, name, managedBy string) (*registry.Server, error) {
	return one(r.servers(ctx, "WHERE workspace = ? AND name = ? AND managed_by = ? AND deleted_at <> 0 ORDER BY deleted_at DESC, id DESC LIMIT 1", workspace, name, managedBy))
}

func (r registries) PutServer(ctx context.Context, s *registry.Server) error {
	members, err := text(s.Members, "null")
	if err != nil {
		return err
	}
	settings, err := text(s.Settings, "{}")
	if err != nil {
		return err
	}
	if err := r.changed(ctx); err != nil {
		return err
	}
	if s.DeletedAt.IsZero() {
		if err := r.free(ctx, `SELECT id FROM mcp_server WHERE workspace = ? AND name = ? AND deleted_at = 0 AND id <> ?`, s.Workspace, s.Name, s.ID); err != nil {
			return err
		}
	}
	_, err = r.s.Exec(ctx, `INSERT INTO mcp_server (id, workspace, name, spec, members, settings, managed_by, created_by, created_at, deleted_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, spec = excluded.spec, members = excluded.members,
		settings = excluded.settings, managed_by = excluded.managed_by, deleted_at = excluded.deleted_at`,
		s.ID, s.Workspace, s.Name, string(s.Spec), members, settings, s.ManagedBy, s.CreatedBy, Millis(s.CreatedAt), Millis(s.DeletedAt))
	return err
}

func (r registries) policies(ctx context.Context, where string, args ...any) (out []registry.Policy, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var p registry.Policy
		var created, updated, deleted int64
		if err := scan(&p.ID, &p.Workspace, &p.Server, &p.Name, &p.Mode, &p.Version, &p.ManagedBy, &created, &updated, &deleted); err != nil {
			return err
		}
		p.CreatedAt, p.UpdatedAt, p.DeletedAt = FromMillis(created), FromMillis(updated), FromMillis(deleted)
		out = append(out, p)
		return nil
	}, `SELECT id, workspace, server, name, mode, version, managed_by, created_at, updated_at, deleted_at FROM mcp_policy `+where, args...)
	return out, err
}

func (r registries) Policy(ctx context.Context, id string) (*registry.Policy, error) {
	return one(r.policies(ctx, "WHERE id = ?", id))
}

func (r registries) PolicyNamed(ctx context.Context, server, name string) (*registry.Policy, error) {
	return one(r.policies(ctx, "WHERE server = ? AND name = ? AND deleted_at = 0", server, name))
}

func (r registries) Policies(ctx context.Context, workspace string) ([]registry.Policy, error) {
	return r.policies(ctx, "WHERE (?1 = '' OR workspace = ?1) AND deleted_at = 0 ORDER BY server, name", workspace)
}

func (r registries) PutPolicy(ctx context.Context, p *registry.Policy, before int) error {
	if err := r.changed(ctx); err != nil {
		return err
	}
	if p.DeletedAt.IsZero() {
		if err := r.free(ctx, `SELECT id FROM mcp_policy WHERE server = ? AND name = ? AND deleted_at = 0 AND id <> ?`, p.Server, p.Name, p.ID); err != nil {
			return err
		}
	}
	return Lost(r.s.Exec(ctx, `INSERT INTO mcp_policy (id, workspace, server, name, mode, version, managed_by, created_at, updated_at, deleted_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (id) DO UPDATE SET mode = excluded.mode, version = excluded.version,
		managed_by = excluded.managed_by, updated_at = excluded.updated_at, deleted_at = excluded.deleted_at WHERE mcp_policy.version = ?11`,
		p.ID, p.Workspace, p.Server, p.Name, string(p.Mode), p.Version, p.ManagedBy, Millis(p.CreatedAt), Millis(p.UpdatedAt), Millis(p.DeletedAt), before))
}

func (r registries) AddVersion(ctx context.Context, v *registry.Version) error {
	n, err := r.s.Exec(ctx, `INSERT INTO mcp_policy_version (policy, version, document, hash, author, via, reason, rollback_of, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		v.Policy, v.Version, string(v.Document), v.Hash, v.Author, v.Via, v.Reason, v.Of, Millis(v.CreatedAt))
	if err == nil && n == 0 {
		err = ledger.ErrTaken
	}
	return err
}

func (r registries) versions(ctx context.Context, document, where string, args ...any) (out []registry.Version, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var v registry.Version
		var text string
		var created int64
		if err := scan(&v.Policy, &v.Version, &text, &v.Hash, &v.Author, &v.Via, &v.Reason, &v.Of, &created); err != nil {
			return err
		}
		v.CreatedAt = FromMillis(created)
		if text != "" {
			v.Document = json.RawMessage(text)
		}
		out = append(out, v)
		return nil
	}, `SELECT policy, version, `+document+`, hash, author, via, reason, rollback_of, created_at FROM mcp_policy_version `+where, args...)
	return out, err
}

func (r registries) Version(ctx context.Context, policy string, version int) (*registry.Version, error) {
	return one(r.versions(ctx, "document", "WHERE policy = ? AND version = ?", policy, version))
}

func (r registries) Versions(ctx context.Context, policy string) ([]registry.Version, error) {
	return r.versions(ctx, "''", "WHERE policy = ? ORDER BY version DESC", policy)
}

func (r registries) grants(ctx context.Context, where string, args ...any) (out []registry.Grant, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var g registry.Grant
		var scopes string
		var created, expires, rotated, revoked int64
		if err := scan(&g.ID, &g.Workspace, &g.Server, &g.Name, &g.Policy, &g.MAC, &g.Issuer, &g.Subject, &scopes, &g.User, &g.ManagedBy, &g.CreatedBy,
			&created, &expires, &rotated, &revoked); err != nil {
			return err
		}
		g.CreatedAt, g.ExpiresAt, g.RotatedAt, g.RevokedAt = FromMillis(created), FromMillis(expires), FromMillis(rotated), FromMillis(revoked)
		if err := decode(scopes, &g.Scopes); err != nil {
			return err
		}
		out = append(out, g)
		return nil
	}, `SELECT id, workspace, server, name, policy, mac, issuer, subject, scopes, member, managed_by, created_by,
		created_at, expires_at, rotated_at, revoked_at FROM mcp_grant `+where, args...)
	return out, err
}

func (r registries) Grant(ctx context.Context, id string) (*registry.Grant, error) {
	return one(r.grants(ctx, "WHERE id = ?", id))
}

func (r registries) GrantNamed(ctx context.Context, server, name string) (*registry.Grant, error) {
	return one(r.grants(ctx, "WHERE server = ? AND name = ? AND revoked_at = 0", server, name))
}

func (r registries) GrantOf(ctx context.Context, server, issuer, subject string) (*registry.Grant, error) {
	return one(r.grants(ctx, "WHERE server = ? AND issuer = ? AND subject = ? ORDER BY CASE WHEN revoked_at = 0 THEN 0 ELSE 1 END, created_at DESC, id DESC LIMIT 1", server, issuer, subject))
}

func (r registries) Grants(ctx context.Context, workspace string) ([]registry.Grant, error) {
	return r.grants(ctx, "WHERE (?1 = '' OR workspace = ?1) ORDER BY server, name, created_at, id", workspace)
}

func (r registries) PutGrant(ctx context.Context, g *registry.Grant) error {
	scopes, err := text(g.Scopes, "null")
	if err != nil {
		return err
	}
	if err := r.changed(ctx); err != nil {
		return err
	}
	if g.RevokedAt.IsZero() {
		err := r.free(ctx, `SELECT id FROM mcp_grant WHERE server = ?1 AND revoked_at = 0 AND id <> ?2
			AND (name = ?3 OR ?5 <> '' AND issuer = ?4 AND subject = ?5) LIMIT 1`, g.Server, g.ID, g.Name, g.Issuer, g.Subject)
		if err != nil {
			return err
		}
	}
	_, err = r.s.Exec(ctx, `INSERT INTO mcp_grant (id, workspace, server, name, policy, mac, issuer, subject, scopes, member, managed_by, created_by,
		created_at, expires_at, rotated_at, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, policy = excluded.policy, mac = excluded.mac, scopes = excluded.scopes, member = excluded.member,
		managed_by = excluded.managed_by, expires_at = excluded.expires_at, rotated_at = excluded.rotated_at, revoked_at = excluded.revoked_at`,
		g.ID, g.Workspace, g.Server, g.Name, g.Policy, bytesOrNil(g.MAC), g.Issuer, g.Subject, scopes, g.User, g.ManagedBy, g.CreatedBy,
		Millis(g.CreatedAt), Millis(g.ExpiresAt), Millis(g.RotatedAt), Millis(g.RevokedAt))
	return err
}

// bytesOrNil stores no bytes as NULL.
func bytesOrNil(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}
