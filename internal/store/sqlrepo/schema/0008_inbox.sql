-- Who may deliver by webhook, and what was delivered.
CREATE TABLE hook (
  name       TEXT PRIMARY KEY,
  profile    TEXT NOT NULL REFERENCES profile(id),
  outcome    TEXT NOT NULL,
  scheme     TEXT NOT NULL,
  mapping    TEXT NOT NULL,
  secret     BLOB NOT NULL,
  disabled   INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  last_at    INTEGER NOT NULL
) STRICT;
CREATE TABLE delivery (
  id          TEXT PRIMARY KEY,
  hook        TEXT NOT NULL,
  sender      TEXT NOT NULL,
  digest      BLOB NOT NULL,
  body        BLOB,
  size        INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  state       TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'failed')),
  attempts    INTEGER NOT NULL,
  next_at     INTEGER NOT NULL,
  code        TEXT NOT NULL,
  UNIQUE (hook, sender)
) STRICT;
CREATE INDEX delivery_waiting ON delivery (next_at, id, size) WHERE state = 'waiting';
CREATE INDEX delivery_final ON delivery (received_at) WHERE state <> 'waiting';

-- Answers to calls that came with an Idempotency-Key, sealed.
CREATE TABLE answer (
  workspace   TEXT NOT NULL,
  key         TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  status      INTEGER NOT NULL,          -- 0: the first call is under way
  body        BLOB,
  request     TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (workspace, key)
) STRICT;
CREATE INDEX answer_age ON answer (created_at);
