-- The log: one hash chain per writer. prev is unique, so that a record can't have
-- two successors.
CREATE TABLE audit_record (
  chain TEXT NOT NULL,
  seq   INTEGER NOT NULL,
  body  BLOB NOT NULL,
  prev  BLOB NOT NULL UNIQUE,
  hash  BLOB NOT NULL,
  PRIMARY KEY (chain, seq)
) STRICT, WITHOUT ROWID;
-- Where each chain stands; the row is locked while a record is appended.
CREATE TABLE audit_chain (
  chain    TEXT PRIMARY KEY,
  size     INTEGER NOT NULL,
  hash     BLOB,
  frontier BLOB            -- of the RFC 6962 tree; null: to be rebuilt from the records
) STRICT;
CREATE TABLE audit_checkpoint (
  no        INTEGER PRIMARY KEY,
  body      BLOB NOT NULL,
  hash      BLOB NOT NULL UNIQUE,
  key       TEXT NOT NULL,
  signature BLOB NOT NULL
) STRICT;
CREATE TABLE audit_key (
  id         TEXT PRIMARY KEY,
  public     BLOB NOT NULL,
  sealed     BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

-- What was written before becomes the first chain; its hashes stay. The chain's name
-- stands where a first record has no predecessor.
INSERT INTO audit_record (chain, seq, body, prev, hash)
  SELECT meta.store_id, a.seq, a.body, COALESCE(b.hash, CAST(meta.store_id AS BLOB)), a.hash
  FROM meta CROSS JOIN audit a LEFT JOIN audit b ON b.seq = a.seq - 1;
INSERT INTO audit_chain (chain, size, hash)
  SELECT chain, seq, hash FROM audit_record r WHERE seq = (SELECT max(seq) FROM audit_record m WHERE m.chain = r.chain);
DROP TABLE audit;

-- engine: sqlite
CREATE TRIGGER audit_record_no_update BEFORE UPDATE ON audit_record BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_record_no_delete BEFORE DELETE ON audit_record BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_chain_no_delete BEFORE DELETE ON audit_chain BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
-- engine: postgres
CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER audit_record_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_record FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER audit_checkpoint_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER audit_chain_no_delete BEFORE DELETE OR TRUNCATE ON audit_chain FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
-- engine: all
