-- One row per store: its name for ever.
CREATE TABLE meta (
  one       BIGINT PRIMARY KEY CHECK (one = 1),
  store_id  TEXT NOT NULL,
  key_check BYTEA                       -- of the master key that all machines share
);

-- Plan numbers say in which month the plan was made: month since 2020 << 21, and a
-- counter. They only grow, and the month of an event row is known from its ref.
CREATE TABLE plan_counter (
  one  BIGINT PRIMARY KEY CHECK (one = 1),
  last BIGINT NOT NULL
);
INSERT INTO plan_counter (one, last) VALUES (1, 0);

-- ref = plan << 32 | place in the plan. One partition per month of plans.
CREATE TABLE event (
  ref         BIGINT PRIMARY KEY,
  key         BYTEA NOT NULL,
  fingerprint BIGINT NOT NULL,
  event_id    TEXT COLLATE "C" NOT NULL,
  kind        BIGINT NOT NULL,
  time        BIGINT NOT NULL,           -- event_time, Unix seconds
  value       BIGINT NOT NULL,           -- ten-thousandths
  file        BIGINT NOT NULL,
  line        BIGINT NOT NULL,
  off         BIGINT NOT NULL,
  len         BIGINT NOT NULL,
  state       TEXT COLLATE "C",          -- null: the batch's
  code        TEXT COLLATE "C",
  CONSTRAINT event_state CHECK (state IN ('planned', 'held', 'queued', 'in_flight', 'retry_wait', 'unknown',
    'delivered', 'rejected', 'expired', 'skipped', 'cancelled'))
) PARTITION BY RANGE (ref);
CREATE INDEX event_own ON event (ref, state) WHERE state IS NOT NULL;

-- Attaching a table that exists lets others read and write the parent meanwhile. It
-- runs as the owner, so that a role that only writes rows can begin a month.
CREATE FUNCTION event_partition(month BIGINT) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  name TEXT := 'event_' || to_char(make_date(2020 + (month / 12)::int, (month % 12)::int + 1, 1), 'YYYYMM');
BEGIN
  IF to_regclass(quote_ident(name)) IS NULL THEN
    EXECUTE format('CREATE TABLE %I (LIKE event INCLUDING ALL)', name);
    EXECUTE format('ALTER TABLE event ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', name, month << 53, (month + 1) << 53);
  END IF;
END $$;

-- The counter's row lock keeps two makers of one partition apart.
CREATE FUNCTION next_plan(at TIMESTAMPTZ DEFAULT clock_timestamp()) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
  utc TIMESTAMP := at AT TIME ZONE 'UTC';
  month BIGINT := (extract(year FROM utc)::bigint - 2020) * 12 + extract(month FROM utc)::bigint - 1;
  n BIGINT;
BEGIN
  UPDATE plan_counter SET last = greatest(last + 1, month << 21) RETURNING last INTO n;
  PERFORM event_partition(n >> 21);
  RETURN n;
END $$;

CREATE TABLE plan (
  no           BIGINT PRIMARY KEY DEFAULT next_plan(),
  id           TEXT COLLATE "C" UNIQUE,   -- null while it is being built
  hash         TEXT COLLATE "C" NOT NULL DEFAULT '',
  dataset      TEXT COLLATE "C" NOT NULL,
  realm        TEXT COLLATE "C" NOT NULL, -- meta, or one sandbox
  state        TEXT COLLATE "C" NOT NULL,
  created_at   BIGINT NOT NULL,           -- Unix milliseconds, as all times here
  expires_at   BIGINT NOT NULL,
  events       BIGINT NOT NULL DEFAULT 0,
  file         TEXT COLLATE "C" NOT NULL,
  wrapped_key  BYTEA NOT NULL,
  summary      BYTEA,
  files        TEXT COLLATE "C" NOT NULL DEFAULT '[]',
  label_names  TEXT COLLATE "C" NOT NULL DEFAULT '[]',
  rehearsed_at BIGINT NOT NULL DEFAULT 0
);

-- What many events share, once.
CREATE TABLE kind (
  plan          BIGINT NOT NULL REFERENCES plan(no),
  no            BIGINT NOT NULL,
  event_name    TEXT COLLATE "C" NOT NULL,
  outcome       TEXT COLLATE "C" NOT NULL,
  action_source TEXT COLLATE "C" NOT NULL,
  currency      TEXT COLLATE "C" NOT NULL,
  tier          TEXT COLLATE "C" NOT NULL,
  keys          BIGINT NOT NULL,          -- set of customer-information keys
  labels        TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (plan, no)
);

CREATE TABLE batch (
  plan          BIGINT NOT NULL REFERENCES plan(no),
  no            BIGINT NOT NULL,
  first         BIGINT NOT NULL,
  count         BIGINT NOT NULL,
  class         TEXT COLLATE "C" NOT NULL,
  state         TEXT COLLATE "C" NOT NULL,
  fence         BIGINT NOT NULL DEFAULT 0,
  attempts      BIGINT NOT NULL DEFAULT 0,
  first_attempt BIGINT NOT NULL DEFAULT 0,
  next_at       BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (plan, no),
  CONSTRAINT batch_state CHECK (state IN ('planned', 'held', 'queued', 'in_flight', 'retry_wait', 'unknown',
    'delivered', 'rejected', 'expired', 'skipped', 'cancelled'))
) WITH (fillfactor = 70);
-- The queue: what was delivered leaves it.
CREATE INDEX batch_queue ON batch (plan, no) WHERE state IN ('queued', 'retry_wait', 'unknown', 'in_flight');

-- The guard: one holder per (realm, dataset, event name, event id). Random by
-- nature, so it is narrow and apart from the rows that grow with time.
CREATE TABLE claim (
  key         BYTEA PRIMARY KEY,
  ref         BIGINT NOT NULL,
  fingerprint BIGINT NOT NULL
);

CREATE TABLE run (
  id          TEXT COLLATE "C" PRIMARY KEY,
  plan        BIGINT NOT NULL UNIQUE REFERENCES plan(no),
  state       TEXT COLLATE "C" NOT NULL,
  fence       BIGINT NOT NULL,
  key         TEXT COLLATE "C" NOT NULL,
  tag         TEXT COLLATE "C" NOT NULL,
  started_at  BIGINT NOT NULL,
  finished_at BIGINT NOT NULL DEFAULT 0,
  error       TEXT COLLATE "C" NOT NULL DEFAULT ''
);

CREATE TABLE idempotency (
  key         TEXT COLLATE "C" PRIMARY KEY,
  fingerprint TEXT COLLATE "C" NOT NULL,
  run         TEXT COLLATE "C" NOT NULL,
  result      BYTEA,
  created_at  BIGINT NOT NULL
);

CREATE TABLE attempt (
  id         BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  run        TEXT COLLATE "C" NOT NULL REFERENCES run(id),
  plan       BIGINT NOT NULL,
  batch      BIGINT NOT NULL,
  from_ord   BIGINT NOT NULL,
  to_ord     BIGINT NOT NULL,
  count      BIGINT NOT NULL,
  fence      BIGINT NOT NULL,
  digest     BYTEA NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at   BIGINT NOT NULL DEFAULT 0,
  result     TEXT COLLATE "C" NOT NULL DEFAULT '',
  http       BIGINT NOT NULL DEFAULT 0,
  code       BIGINT NOT NULL DEFAULT 0,
  subcode    BIGINT NOT NULL DEFAULT 0,
  received   BIGINT NOT NULL DEFAULT 0,
  trace_id   TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX attempt_run ON attempt (run, id);

CREATE TABLE reject (
  plan    BIGINT NOT NULL,
  seq     BIGINT NOT NULL,
  file    TEXT COLLATE "C" NOT NULL,
  line    BIGINT NOT NULL,
  stage   TEXT COLLATE "C" NOT NULL,
  code    TEXT COLLATE "C" NOT NULL,
  field   TEXT COLLATE "C" NOT NULL,
  masked  TEXT COLLATE "C" NOT NULL,
  hint    TEXT COLLATE "C" NOT NULL,
  record  TEXT COLLATE "C" NOT NULL,
  meta    TEXT COLLATE "C" NOT NULL DEFAULT '',
  labels  TEXT COLLATE "C" NOT NULL DEFAULT '[]',
  PRIMARY KEY (plan, seq)
);

-- Frozen payloads, encrypted: compressing them is lost work. A row fills a page and is
-- never moved out of it.
CREATE TABLE payload (
  name TEXT COLLATE "C" NOT NULL,
  seq  BIGINT NOT NULL,
  data BYTEA NOT NULL,
  PRIMARY KEY (name, seq)
);
ALTER TABLE payload ALTER COLUMN data SET STORAGE PLAIN;

CREATE TABLE audit (
  seq  BIGINT PRIMARY KEY,
  body BYTEA NOT NULL,
  hash BYTEA NOT NULL UNIQUE
);
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit EXECUTE FUNCTION append_only();
