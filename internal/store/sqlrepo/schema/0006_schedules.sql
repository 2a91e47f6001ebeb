CREATE TABLE schedule (
  id          TEXT PRIMARY KEY,
  profile     TEXT NOT NULL,
  name        TEXT NOT NULL,
  spec        TEXT NOT NULL,
  state       TEXT NOT NULL,
  signed      TEXT NOT NULL,             -- the standing authorisation; empty: none
  next_at     INTEGER NOT NULL,
  completed   TEXT NOT NULL,             -- last day of the last completed window
  created_at  INTEGER NOT NULL,
  owner       TEXT NOT NULL,
  lease_until INTEGER NOT NULL,
  UNIQUE (profile, name)
) STRICT;

-- One row per window: its key is what makes a repetition the same confirm.
CREATE TABLE schedule_run (
  schedule   TEXT NOT NULL REFERENCES schedule(id),
  period     TEXT NOT NULL,              -- first and last day
  state      TEXT NOT NULL,
  body       TEXT NOT NULL,              -- schedule.Run as JSON
  started_at INTEGER NOT NULL,
  PRIMARY KEY (schedule, period)
) STRICT;
CREATE INDEX schedule_run_time ON schedule_run (schedule, started_at);

CREATE TABLE schedule_file (
  schedule TEXT NOT NULL REFERENCES schedule(id),
  member   TEXT NOT NULL,
  day      TEXT NOT NULL,
  digest   TEXT NOT NULL,
  name     TEXT NOT NULL,
  lines    INTEGER NOT NULL,
  period   TEXT NOT NULL,
  seen_at  INTEGER NOT NULL,
  PRIMARY KEY (schedule, member, day, digest)
) STRICT;
CREATE INDEX schedule_file_digest ON schedule_file (schedule, digest);
CREATE INDEX schedule_file_time ON schedule_file (schedule, seen_at);

-- What a preview left out, in chunks: what a reconciliation adds to the events.
CREATE TABLE leftover (
  plan   INTEGER NOT NULL,
  no     INTEGER NOT NULL,
  oldest INTEGER NOT NULL,               -- event_time, Unix seconds
  newest INTEGER NOT NULL,
  count  INTEGER NOT NULL,
  body   BLOB NOT NULL,
  PRIMARY KEY (plan, no)
) STRICT;

CREATE TABLE alert (
  id          TEXT PRIMARY KEY,
  subject     TEXT NOT NULL,             -- what it is about: condition, profile, label
  profile     TEXT NOT NULL,
  code        TEXT NOT NULL,
  label       TEXT NOT NULL,
  message     TEXT NOT NULL,
  fix         TEXT NOT NULL,
  opened_at   INTEGER NOT NULL,
  resolved_at INTEGER NOT NULL,          -- 0: active
  told_open   INTEGER NOT NULL,
  told_end    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX alert_active ON alert (subject) WHERE resolved_at = 0;
CREATE INDEX alert_time ON alert (opened_at);

CREATE TABLE alert_channel (
  id         TEXT PRIMARY KEY,
  profile    TEXT NOT NULL,              -- empty: of every profile
  kind       TEXT NOT NULL,              -- webhook, command
  shown      TEXT NOT NULL,              -- what a list shows of it
  target     BLOB NOT NULL,              -- sealed
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE alert_check (
  what       TEXT PRIMARY KEY,
  checked_at INTEGER NOT NULL
) STRICT;
