-- The breaker of a profile: what failed, and until when nothing is tried.
CREATE TABLE circuit (
  profile   TEXT NOT NULL,
  realm     TEXT NOT NULL,
  state     TEXT NOT NULL,
  dataset   TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  until     INTEGER NOT NULL,
  reopened  INTEGER NOT NULL,
  probe     TEXT NOT NULL,
  PRIMARY KEY (profile, realm)
) STRICT;
CREATE TABLE circuit_failure (
  profile TEXT NOT NULL,
  realm   TEXT NOT NULL,
  run     TEXT NOT NULL,
  dataset TEXT NOT NULL,
  code    TEXT NOT NULL,
  at      INTEGER NOT NULL,
  PRIMARY KEY (profile, realm, run)
) STRICT;

-- A confirm that waits for somebody else.
CREATE TABLE approval (
  id          TEXT PRIMARY KEY,
  profile     TEXT NOT NULL,
  plan        INTEGER NOT NULL REFERENCES plan(no),
  plan_id     TEXT NOT NULL,
  plan_hash   TEXT NOT NULL,
  why         TEXT NOT NULL,
  proposer    TEXT NOT NULL,
  via         TEXT NOT NULL,
  state       TEXT NOT NULL,
  decider     TEXT NOT NULL,
  reason      TEXT NOT NULL,
  run         TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  decided_at  INTEGER NOT NULL,
  consumed_at INTEGER NOT NULL
) STRICT;
-- One open request per plan: a second proposal joins it.
CREATE UNIQUE INDEX approval_open ON approval (plan) WHERE state IN ('pending', 'approved');
CREATE INDEX approval_listed ON approval (profile, state, created_at);
