-- What a gateway remembers between calls. On SQLite it lies in a file of its own, so
-- that a bulk writer of the ledger does not make decisions wait.
-- engine: postgres
-- Times are Unix nanoseconds, which windows are counted in. Rows that change with every
-- call have room on their page to change in place; no index names what changes.

-- One row per counter, locked while somebody decides: what was taken from it in each
-- part of its window, and when a call left a mark on it.
CREATE TABLE gate_counter (
  counter BYTEA PRIMARY KEY,
  parts   BYTEA NOT NULL DEFAULT '',
  mark    BIGINT NOT NULL DEFAULT 0,
  keep    BIGINT NOT NULL DEFAULT 0      -- it means nothing from then on
) WITH (fillfactor = 50);

-- What admitted calls hold: until they are settled, and on if that is ambiguous.
CREATE TABLE gate_held (
  request   TEXT COLLATE "C" PRIMARY KEY,
  node      TEXT COLLATE "C" NOT NULL,
  at        BIGINT NOT NULL,
  workspace TEXT COLLATE "C" NOT NULL,
  grant_id  TEXT COLLATE "C" NOT NULL,
  server    TEXT COLLATE "C" NOT NULL,
  tool      TEXT COLLATE "C" NOT NULL,
  taken     BYTEA NOT NULL,
  ended     BIGINT NOT NULL              -- 0: open; else since when it is ambiguous
);
CREATE INDEX gate_held_ambiguous ON gate_held (at, request) WHERE ended <> 0;

-- Every call, for search and replay; what was said of it is in the audit log.
CREATE TABLE gate_call (
  request       TEXT COLLATE "C" PRIMARY KEY,
  at            BIGINT NOT NULL,
  workspace     TEXT COLLATE "C" NOT NULL,
  grant_id      TEXT COLLATE "C" NOT NULL,
  server        TEXT COLLATE "C" NOT NULL,
  tool          TEXT COLLATE "C" NOT NULL,
  decision      TEXT COLLATE "C" NOT NULL,
  code          TEXT COLLATE "C" NOT NULL,
  rule          TEXT COLLATE "C" NOT NULL,
  chain         TEXT COLLATE "C" NOT NULL,
  seq           BIGINT NOT NULL,
  outcome_chain TEXT COLLATE "C" NOT NULL DEFAULT '',
  outcome_seq   BIGINT NOT NULL DEFAULT 0,
  arguments     BYTEA                    -- sealed
) WITH (fillfactor = 80);
CREATE INDEX gate_call_time ON gate_call (at, request);
CREATE INDEX gate_call_grant ON gate_call (grant_id, at);
CREATE INDEX gate_call_tool ON gate_call (server, tool, at);
CREATE INDEX gate_call_code ON gate_call (code, at) WHERE code <> '';
CREATE INDEX gate_call_arguments ON gate_call (at) WHERE arguments IS NOT NULL;

-- Calls that wait for a person.
CREATE TABLE gate_approval (
  id          TEXT COLLATE "C" PRIMARY KEY,
  state       TEXT COLLATE "C" NOT NULL,
  workspace   TEXT COLLATE "C" NOT NULL,
  grant_id    TEXT COLLATE "C" NOT NULL,
  server      TEXT COLLATE "C" NOT NULL,
  tool        TEXT COLLATE "C" NOT NULL,
  fingerprint BYTEA NOT NULL,
  arguments   BYTEA,                     -- sealed; wiped in a terminal state
  body        TEXT NOT NULL,             -- what never changes, as JSON
  created_at  BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL,
  escalate_at BIGINT NOT NULL,           -- 0: never
  escalated   BOOLEAN NOT NULL DEFAULT FALSE,
  decider     TEXT NOT NULL DEFAULT '',
  via         TEXT NOT NULL DEFAULT '',
  reason      TEXT NOT NULL DEFAULT '',
  decided_at  BIGINT NOT NULL DEFAULT 0,
  consumed_at BIGINT NOT NULL DEFAULT 0,
  request     TEXT NOT NULL DEFAULT ''
);
CREATE INDEX gate_approval_open ON gate_approval (grant_id, fingerprint) WHERE state IN ('pending', 'approved');
CREATE INDEX gate_approval_time ON gate_approval (created_at, id);

-- The processes that decide. What one of them held that is not seen any more has ended
-- ambiguous. Always the database's own clock.
CREATE TABLE gate_node (
  node TEXT COLLATE "C" PRIMARY KEY,
  seen TIMESTAMPTZ NOT NULL
);
-- engine: all
