-- Outcomes: what happened, kept until somebody asks to send it. Ids are keyed
-- digests; the event is sealed with the key of its day.
CREATE TABLE outcome (
  id            BLOB PRIMARY KEY,
  profile       TEXT NOT NULL,
  outcome       TEXT NOT NULL,
  event_time    INTEGER NOT NULL,
  arrived_at    INTEGER NOT NULL,
  changed_at    INTEGER NOT NULL,
  changes       INTEGER NOT NULL,
  event_id      TEXT NOT NULL,
  event_name    TEXT NOT NULL,
  action_source TEXT NOT NULL,
  value         INTEGER NOT NULL,
  currency      TEXT NOT NULL,
  keys          INTEGER NOT NULL,
  hold          INTEGER NOT NULL,          -- seconds; -1: the policy decides
  sale          BLOB,
  rank          INTEGER NOT NULL,
  consent       TEXT NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('open', 'cancelled', 'superseded', 'withdrawn', 'rejected')),
  cancelled_at  INTEGER NOT NULL,
  lines         INTEGER NOT NULL,
  taken_back    INTEGER NOT NULL,
  label_names   TEXT NOT NULL,
  labels        TEXT NOT NULL,
  touches       INTEGER NOT NULL,
  meta_touch    INTEGER NOT NULL,
  source        TEXT NOT NULL,
  file          TEXT NOT NULL,
  line          INTEGER NOT NULL,
  code          TEXT NOT NULL,
  field         TEXT NOT NULL,
  hint          TEXT NOT NULL,
  digest        BLOB NOT NULL,
  day           INTEGER NOT NULL,
  subjects      BLOB,
  payload       BLOB,
  trail         BLOB
) STRICT;
CREATE INDEX outcome_time ON outcome (profile, outcome, event_time);
CREATE INDEX outcome_sale ON outcome (sale) WHERE sale IS NOT NULL;
CREATE INDEX outcome_gone ON outcome (profile, changed_at) WHERE state <> 'open';

-- One data key per profile and day of the event; deleting it shreds the payloads.
CREATE TABLE outcome_key (
  profile    TEXT NOT NULL,
  day        INTEGER NOT NULL,
  wrapped    BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (profile, day)
) STRICT;

-- Lines of orders that a cancellation may name by customer, item and quantity.
CREATE TABLE outcome_line (
  line    BLOB NOT NULL,
  at      INTEGER NOT NULL,
  outcome BLOB NOT NULL,
  ord     INTEGER NOT NULL,
  PRIMARY KEY (line, at, outcome, ord)
) STRICT, WITHOUT ROWID;

-- Cancellations that came, so that a repeat changes nothing and one that comes
-- before its order still counts.
CREATE TABLE outcome_cancellation (
  id         BLOB PRIMARY KEY,
  profile    TEXT NOT NULL,
  target     BLOB,
  at         INTEGER NOT NULL,
  arrived_at INTEGER NOT NULL
) STRICT;
CREATE INDEX outcome_cancellation_target ON outcome_cancellation (target) WHERE target IS NOT NULL;

-- The sale of a planned event. Its claim is taken beside the event's own, so that
-- two outcomes of one sale are never both sent.
CREATE TABLE event_sale (
  ref   INTEGER PRIMARY KEY,
  sale  BLOB NOT NULL,
  event INTEGER NOT NULL
) STRICT;
