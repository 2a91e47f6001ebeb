package sqlrepo

import (
	"context"
	"encoding/json"

	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

// one returns the only row of a list.
func one[T any](list []T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, ledger.ErrNotFound
	}
	return &list[0], nil
}

// number is how a truth value is stored.
func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (r tenants) workspaces(ctx context.Context, where string, args ...any) (out []tenant.Workspace, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var w tenant.Workspace
		var created int64
		if err := scan(&w.ID, &w.Name, &w.Writeback, &created); err != nil {
			return err
		}
		w.CreatedAt = FromMillis(created)
		out = append(out, w)
		return nil
	}, `SELECT id, name, writeback, created_at FROM workspace `+where, args...)
	return out, err
}

func (r tenants) Workspace(ctx context.Context, id string) (*tenant.Workspace, error) {
	return one(r.workspaces(ctx, "WHERE id = ?", id))
}

func (r tenants) Workspaces(ctx context.Context) ([]tenant.Workspace, error) {
	return r.workspaces(ctx, "ORDER BY created_at, id")
}

func (r tenants) PutWorkspace(ctx context.Context, w *tenant.Workspace) error {
	_, err := r.s.Exec(ctx, `INSERT INTO workspace (id, name, writeback, created_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, writeback = excluded.writeback`,
		w.ID, w.Name, number(w.Writeback), Millis(w.CreatedAt))
	return err
}

func (r tenants) profiles(ctx context.Context, where string, args ...any) (out []tenant.Profile, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var p tenant.Profile
		var policy string
		var created int64
		if err := scan(&p.ID, &p.Workspace, &p.Name, &p.Currency, &p.Timezone, &policy, &created); err != nil {
			return err
		}
		p.CreatedAt = FromMillis(created)
		if err := json.Unmarshal([]byte(policy), &p.Policy); err != nil {
			return err
		}
		out = append(out, p)
		return nil
	}, `SELECT id, workspace, name, currency, timezone, policy, created_at FROM profile `+where, args...)
	return out, err
}

func (r tenants) Profile(ctx context.Context, id string) (*tenant.Profile, error) {
	return one(r.profiles(ctx, "WHERE id = ?", id))
}

func (r tenants) Profiles(ctx context.Context, workspace string) ([]tenant.Profile, error) {
	return r.profiles(ctx, "WHERE (?1 = '' OR workspace = ?1) ORDER BY created_at, id", workspace)
}

func (r tenants) PutProfile(ctx context.Context, p *tenant.Profile) error {
	policy, err := json.Marshal(p.Policy)
	if err != nil {
		return err
	}
	_, err = r.s.Exec(ctx, `INSERT INTO profile (id, workspace, name, currency, timezone, policy, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, currency = excluded.currency, timezone = excluded.timezone, policy = excluded.policy`,
		p.ID, p.Workspace, p.Name, p.Currency, p.Timezone, string(policy), Millis(p.CreatedAt))
	return err
}

func (r tenants) members(ctx context.Context, where string, args ...any) (out []tenant.Member, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var m tenant.Member
		var created int64
		if err := scan(&m.Workspace, &m.User, &m.Name, &m.Role, &m.Policy, &m.Approver, &created); err != nil {
			return err
		}
		m.CreatedAt = FromMillis(created)
		out = append(out, m)
		return nil
	}, `SELECT workspace, member, name, role, policy, approver, created_at FROM member `+where, args...)
	return out, err
}

func (r tenants) Member(ctx context.Context, workspace, user string) (*tenant.Member, error) {
	return one(r.members(ctx, "WHERE workspace = ? AND member = ?", workspace, user))
}

func (r tenants) Members(ctx context.Context, workspace string) ([]tenant.Member, error) {
	return r.members(ctx, "WHERE workspace = ? ORDER BY member", workspace)
}

func (r tenants) PutMember(ctx context.Context, m *tenant.Member) error {
	_, err := r.s.Exec(ctx, `INSERT INTO member (workspace, member, name, role, policy, approver, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (workspace, member) DO UPDATE SET name = excluded.name, role = excluded.role, policy = excluded.policy, approver = excluded.approver`,
		m.Workspace, m.User, m.Name, m.Role, number(m.Policy), number(m.Approver), Millis(m.CreatedAt))
	return err
}

func (r tenants) DeleteMember(ctx context.Context, workspace, user string) error {
	return Lost(r.s.Exec(ctx, `DELETE FROM member WHERE workspace = ? AND member = ?`, workspace, user))
}

func (r tenants) tokens(ctx context.Context, where string, args ...any) (out []tenant.Token, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var t tenant.Token
		var scopes string
		var created, expires, revoked int64
		if err := scan(&t.ID, &t.Workspace, &t.User, &t.Name, &scopes, &t.Agent, &t.MAC, &created, &expires, &revoked); err != nil {
			return err
		}
		t.CreatedAt, t.ExpiresAt, t.RevokedAt = FromMillis(created), FromMillis(expires), FromMillis(revoked)
		if err := json.Unmarshal([]byte(scopes), &t.Scopes); err != nil {
			return err
		}
		out = append(out, t)
		return nil
	}, `SELECT id, workspace, member, name, scopes, agent, mac, created_at, expires_at, revoked_at FROM token `+where, args...)
	return out, err
}

func (r tenants) Token(ctx context.Context, id string) (*tenant.Token, error) {
	return one(r.tokens(ctx, "WHERE id = ?", id))
}

func (r tenants) Tokens(ctx context.Context, workspace string) ([]tenant.Token, error) {
	return r.tokens(ctx, "WHERE workspace = ? ORDER BY created_at, id", workspace)
}

func (r tenants) PutToken(ctx context.Context, t *tenant.Token) error {
	scopes, err := json.Marshal(t.Scopes)
	if err != nil {
		return err
	}
	_, err = r.s.Exec(ctx, `INSERT INTO token (id, workspace, member, name, scopes, agent, mac, created_at, expires_at, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, expires_at = excluded.expires_at, revoked_at = excluded.revoked_at`,
		t.ID, t.Workspace, t.User, t.Name, string(scopes), number(t.Agent), t.MAC, Millis(t.CreatedAt), Millis(t.ExpiresAt), Millis(t.RevokedAt))
	return err
}

func (r tenants) connections(ctx context.Context, where string, args ...any) (out []tenant.Connection, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var c tenant.Connection
		var scopes, stores string
		var consolidated, expires, checked, created int64
		if err := scan(&c.ID, &c.Profile, &c.Dataset, &c.Realm, &c.Name, &c.State, &c.Reason, &c.GraphVersion, &consolidated,
			&scopes, &c.TestDataset, &stores, &c.Credential, &expires, &checked, &created); err != nil {
			return err
		}
		if consolidated >= 0 {
			yes := consolidated == 1
			c.Consolidated = &yes
		}
		c.TokenExpires, c.CheckedAt, c.CreatedAt = FromMillis(expires), FromMillis(checked), FromMillis(created)
		if err := json.Unmarshal([]byte(scopes), &c.Scopes); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(stores), &c.KnownStores); err != nil {
			return err
		}
		out = append(out, c)
		return nil
	}, `SELECT id, profile, dataset, realm, name, state, reason, graph_version, consolidated, scopes, test_dataset, known_stores,
		credential, token_expires, checked_at, created_at FROM connection `+where, args...)
	return out, err
}

func (r tenants) Connection(ctx context.Context, profile, realm, dataset string) (*tenant.Connection, error) {
	return one(r.connections(ctx, "WHERE profile = ? AND realm = ? AND dataset = ?", profile, realm, dataset))
}

func (r tenants) Connections(ctx context.Context, profile string) ([]tenant.Connection, error) {
	return r.connections(ctx, "WHERE (?1 = '' OR profile = ?1) ORDER BY created_at, id", profile)
}

func (r tenants) PutConnection(ctx context.Context, c *tenant.Connection) error {
	scopes, err := json.Marshal(c.Scopes)
	if err != nil {
		return err
	}
	stores, err := json.Marshal(c.KnownStores)
	if err != nil {
		return err
	}
	consolidated := int64(-1)
	if c.Consolidated != nil {
		consolidated = number(*c.Consolidated)
	}
	_, err = r.s.Exec(ctx, `INSERT INTO connection (id, profile, dataset, realm, name, state, reason, graph_version, consolidated, scopes,
		test_dataset, known_stores, credential, token_expires, checked_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (profile, realm, dataset) DO UPDATE SET name = excluded.name, state = excluded.state, reason = excluded.reason,
		graph_version = excluded.graph_version, consolidated = excluded.consolidated, scopes = excluded.scopes, test_dataset = excluded.test_dataset,
		known_stores = excluded.known_stores, credential = excluded.credential, token_expires = excluded.token_expires, checked_at = excluded.checked_at`,
		c.ID, c.Profile, c.Dataset, c.Realm, c.Name, c.State, c.Reason, c.GraphVersion, consolidated, string(scopes),
		c.TestDataset, string(stores), c.Credential, Millis(c.TokenExpires), Millis(c.CheckedAt), Millis(c.CreatedAt))
	return err
}

func (r tenants) DeleteConnection(ctx context.Context, profile, realm, dataset string) error {
	return Lost(r.s.Exec(ctx, `DELETE FROM connection WHERE profile = ? AND realm = ? AND dataset = ?`, profile, realm, dataset))
}
