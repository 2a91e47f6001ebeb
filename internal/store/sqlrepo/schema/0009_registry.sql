-- Who may call what over the gateway: servers, their policies in versions, grants.
CREATE TABLE registry_revision (
  one      INTEGER PRIMARY KEY CHECK (one = 1),
  revision INTEGER NOT NULL              -- rises with every change of the tables below
) STRICT;
INSERT INTO registry_revision (one, revision) VALUES (1, 1);

CREATE TABLE mcp_server (
  id         TEXT PRIMARY KEY,
  workspace  TEXT NOT NULL REFERENCES workspace(id),
  name       TEXT NOT NULL,
  spec       TEXT NOT NULL,              -- JSON; empty for an aggregate
  members    TEXT NOT NULL,              -- JSON
  settings   TEXT NOT NULL,              -- JSON
  managed_by TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  deleted_at INTEGER NOT NULL            -- 0: it is there
) STRICT;
CREATE UNIQUE INDEX mcp_server_name ON mcp_server (workspace, name) WHERE deleted_at = 0;

CREATE TABLE mcp_policy (
  id         TEXT PRIMARY KEY,
  workspace  TEXT NOT NULL REFERENCES workspace(id),
  server     TEXT NOT NULL REFERENCES mcp_server(id),
  name       TEXT NOT NULL,
  mode       TEXT NOT NULL CHECK (mode IN ('enforce', 'observe')),
  version    INTEGER NOT NULL,           -- in force
  managed_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX mcp_policy_name ON mcp_policy (server, name) WHERE deleted_at = 0;

-- Inserted, never changed.
CREATE TABLE mcp_policy_version (
  policy      TEXT NOT NULL REFERENCES mcp_policy(id),
  version     INTEGER NOT NULL,
  document    TEXT NOT NULL,
  hash        TEXT NOT NULL,
  author      TEXT NOT NULL,
  via         TEXT NOT NULL,
  reason      TEXT NOT NULL,
  rollback_of INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (policy, version)
) STRICT;

CREATE TABLE mcp_grant (
  id         TEXT PRIMARY KEY,
  workspace  TEXT NOT NULL REFERENCES workspace(id),
  server     TEXT NOT NULL REFERENCES mcp_server(id),
  name       TEXT NOT NULL,
  policy     TEXT NOT NULL,              -- id; empty: everything is denied
  mac        BLOB,                       -- of the token; NULL: it has none
  issuer     TEXT NOT NULL,
  subject    TEXT NOT NULL,
  scopes     TEXT NOT NULL,              -- JSON
  member     TEXT NOT NULL,              -- it acts for
  managed_by TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  rotated_at INTEGER NOT NULL,
  revoked_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX mcp_grant_name ON mcp_grant (server, name) WHERE revoked_at = 0;
CREATE UNIQUE INDEX mcp_grant_subject ON mcp_grant (server, issuer, subject) WHERE revoked_at = 0 AND subject <> '';
CREATE INDEX mcp_grant_policy ON mcp_grant (policy) WHERE revoked_at = 0;
