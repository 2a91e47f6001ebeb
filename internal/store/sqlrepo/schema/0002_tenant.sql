CREATE TABLE workspace (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  writeback  INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE profile (
  id         TEXT PRIMARY KEY,
  workspace  TEXT NOT NULL REFERENCES workspace(id),
  name       TEXT NOT NULL,
  currency   TEXT NOT NULL,
  timezone   TEXT NOT NULL,
  policy     TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE member (
  workspace  TEXT NOT NULL REFERENCES workspace(id),
  member     TEXT NOT NULL,
  name       TEXT NOT NULL,
  role       TEXT NOT NULL,
  policy     INTEGER NOT NULL,
  approver   INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (workspace, member)
) STRICT;
CREATE TABLE token (
  id         TEXT PRIMARY KEY,
  workspace  TEXT NOT NULL REFERENCES workspace(id),
  member     TEXT NOT NULL,
  name       TEXT NOT NULL,
  scopes     TEXT NOT NULL,
  agent      INTEGER NOT NULL,
  mac        BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER NOT NULL
) STRICT;
CREATE TABLE connection (
  id            TEXT PRIMARY KEY,
  profile       TEXT NOT NULL REFERENCES profile(id),
  dataset       TEXT NOT NULL,
  realm         TEXT NOT NULL,
  name          TEXT NOT NULL,
  state         TEXT NOT NULL,
  reason        TEXT NOT NULL,
  graph_version TEXT NOT NULL,
  consolidated  INTEGER NOT NULL,          -- -1 unknown, 0 no, 1 yes
  scopes        TEXT NOT NULL,
  test_dataset  TEXT NOT NULL,
  known_stores  TEXT NOT NULL,
  credential    BLOB,
  token_expires INTEGER NOT NULL,
  checked_at    INTEGER NOT NULL,
  created_at    INTEGER NOT NULL,
  UNIQUE (profile, realm, dataset)
) STRICT;
INSERT INTO workspace (id, name, writeback, created_at) VALUES ('default', 'default', 1, 0);
INSERT INTO profile (id, workspace, name, currency, timezone, policy, created_at) VALUES ('default', 'default', 'default', '', 'UTC', '{}', 0);

-- A plan belongs to a profile and was previewed under one policy.
ALTER TABLE plan ADD COLUMN profile TEXT NOT NULL DEFAULT 'default';
ALTER TABLE plan ADD COLUMN policy_digest TEXT NOT NULL DEFAULT '';
ALTER TABLE plan ADD COLUMN mapping_digest TEXT NOT NULL DEFAULT '';
ALTER TABLE plan ADD COLUMN origin TEXT NOT NULL DEFAULT '';          -- who made it: a schedule, an outcome window
ALTER TABLE plan ADD COLUMN rehearsed_level TEXT NOT NULL DEFAULT '';
ALTER TABLE plan ADD COLUMN shredded_at INTEGER NOT NULL DEFAULT 0;   -- its payload is gone
ALTER TABLE run ADD COLUMN profile TEXT NOT NULL DEFAULT 'default';
ALTER TABLE run ADD COLUMN events INTEGER NOT NULL DEFAULT 0;         -- for daily caps
ALTER TABLE run ADD COLUMN value TEXT NOT NULL DEFAULT '{}';          -- planned value by currency, decimal text
ALTER TABLE run ADD COLUMN canary INTEGER NOT NULL DEFAULT 0;         -- events sent before the run waits for a yes; 0: none
ALTER TABLE run ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
-- Who works on a batch, until when.
ALTER TABLE batch ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE batch ADD COLUMN lease_until INTEGER NOT NULL DEFAULT 0;
CREATE INDEX run_open ON run (state, started_at) WHERE state <> 'finished';
CREATE INDEX run_profile ON run (profile, started_at);
-- A key belongs to a profile.
CREATE TABLE idempotency_of_profile (
  profile     TEXT NOT NULL,
  key         TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  run         TEXT NOT NULL,
  result      BLOB,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (profile, key)
) STRICT;
INSERT INTO idempotency_of_profile (profile, key, fingerprint, run, result, created_at)
  SELECT 'default', key, fingerprint, run, result, created_at FROM idempotency;
DROP TABLE idempotency;
ALTER TABLE idempotency_of_profile RENAME TO idempotency;
