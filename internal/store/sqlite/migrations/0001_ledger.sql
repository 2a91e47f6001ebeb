-- One row per store: its name for ever and the head of its audit chain.
CREATE TABLE meta (
  one      INTEGER PRIMARY KEY CHECK (one = 1),
  store_id TEXT NOT NULL
) STRICT;

CREATE TABLE plan (
  no           INTEGER PRIMARY KEY AUTOINCREMENT, -- a number is never used again
  id           TEXT UNIQUE,               -- null while it is being built
  hash         TEXT NOT NULL DEFAULT '',
  dataset      TEXT NOT NULL,
  realm        TEXT NOT NULL,             -- meta, or one sandbox
  state        TEXT NOT NULL,
  created_at   INTEGER NOT NULL,          -- Unix milliseconds, as all times here
  expires_at   INTEGER NOT NULL,
  events       INTEGER NOT NULL DEFAULT 0,
  file         TEXT NOT NULL,
  wrapped_key  BLOB NOT NULL,
  summary      BLOB,
  files        TEXT NOT NULL DEFAULT '[]',
  label_names  TEXT NOT NULL DEFAULT '[]',
  rehearsed_at INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What many events share, once.
CREATE TABLE kind (
  plan          INTEGER NOT NULL REFERENCES plan(no),
  no            INTEGER NOT NULL,
  event_name    TEXT NOT NULL,
  outcome       TEXT NOT NULL,
  action_source TEXT NOT NULL,
  currency      TEXT NOT NULL,
  tier          TEXT NOT NULL,
  keys          INTEGER NOT NULL,         -- set of customer-information keys
  labels        TEXT NOT NULL,
  PRIMARY KEY (plan, no)
) STRICT, WITHOUT ROWID;

-- ref = plan << 32 | place in the plan, so rows arrive in key order.
CREATE TABLE event (
  ref         INTEGER PRIMARY KEY,
  key         BLOB NOT NULL,
  fingerprint INTEGER NOT NULL,
  event_id    TEXT NOT NULL,
  kind        INTEGER NOT NULL,
  time        INTEGER NOT NULL,           -- event_time, Unix seconds
  value       INTEGER NOT NULL,           -- ten-thousandths
  file        INTEGER NOT NULL,
  line        INTEGER NOT NULL,
  off         INTEGER NOT NULL,
  len         INTEGER NOT NULL,
  state       TEXT,                       -- null: the batch's
  code        TEXT
) STRICT;
CREATE INDEX event_own ON event (ref, state) WHERE state IS NOT NULL;

CREATE TABLE batch (
  plan          INTEGER NOT NULL REFERENCES plan(no),
  no            INTEGER NOT NULL,
  first         INTEGER NOT NULL,
  count         INTEGER NOT NULL,
  class         TEXT NOT NULL,
  state         TEXT NOT NULL,
  fence         INTEGER NOT NULL DEFAULT 0,
  attempts      INTEGER NOT NULL DEFAULT 0,
  first_attempt INTEGER NOT NULL DEFAULT 0,
  next_at       INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (plan, no)
) STRICT, WITHOUT ROWID;

-- The guard: one holder per (dataset, event name, event id). Random by nature,
-- so it is narrow and apart from the rows that grow with time.
CREATE TABLE claim (
  key         BLOB PRIMARY KEY,
  ref         INTEGER NOT NULL,
  fingerprint INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
  id          TEXT PRIMARY KEY,
  plan        INTEGER NOT NULL UNIQUE REFERENCES plan(no),
  state       TEXT NOT NULL,
  fence       INTEGER NOT NULL,
  key         TEXT NOT NULL,
  tag         TEXT NOT NULL,
  started_at  INTEGER NOT NULL,
  finished_at INTEGER NOT NULL DEFAULT 0,
  error       TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE idempotency (
  key         TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  run         TEXT NOT NULL,
  result      BLOB,
  created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE attempt (
  id         INTEGER PRIMARY KEY,
  run        TEXT NOT NULL REFERENCES run(id),
  plan       INTEGER NOT NULL,
  batch      INTEGER NOT NULL,
  from_ord   INTEGER NOT NULL,
  to_ord     INTEGER NOT NULL,
  count      INTEGER NOT NULL,
  fence      INTEGER NOT NULL,
  digest     BLOB NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at   INTEGER NOT NULL DEFAULT 0,
  result     TEXT NOT NULL DEFAULT '',
  http       INTEGER NOT NULL DEFAULT 0,
  code       INTEGER NOT NULL DEFAULT 0,
  subcode    INTEGER NOT NULL DEFAULT 0,
  received   INTEGER NOT NULL DEFAULT 0,
  trace_id   TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX attempt_run ON attempt (run, id);

CREATE TABLE reject (
  plan    INTEGER NOT NULL,
  seq     INTEGER NOT NULL,
  file    TEXT NOT NULL,
  line    INTEGER NOT NULL,
  stage   TEXT NOT NULL,
  code    TEXT NOT NULL,
  field   TEXT NOT NULL,
  masked  TEXT NOT NULL,
  hint    TEXT NOT NULL,
  record  TEXT NOT NULL,
  meta    TEXT NOT NULL DEFAULT '',
  labels  TEXT NOT NULL DEFAULT '[]',
  PRIMARY KEY (plan, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  seq  INTEGER PRIMARY KEY,
  body BLOB NOT NULL,
  hash BLOB NOT NULL UNIQUE
) STRICT;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
