-- A record's place is its chain and number; that no two records follow the same one is
-- what the head's compare-and-set sees to, and verifying shows. An index over hashes on
-- top of that writes a page at a random place for every record, which the records of an
-- agent's calls are too many for.
-- engine: sqlite
CREATE TABLE audit_appended (
  chain TEXT NOT NULL,
  seq   INTEGER NOT NULL,
  body  BLOB NOT NULL,
  prev  BLOB NOT NULL,
  hash  BLOB NOT NULL,
  PRIMARY KEY (chain, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO audit_appended (chain, seq, body, prev, hash) SELECT chain, seq, body, prev, hash FROM audit_record ORDER BY chain, seq;
DROP TABLE audit_record;
ALTER TABLE audit_appended RENAME TO audit_record;
CREATE TRIGGER audit_record_no_update BEFORE UPDATE ON audit_record BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_record_no_delete BEFORE DELETE ON audit_record BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
-- engine: postgres
ALTER TABLE audit_record DROP CONSTRAINT audit_record_prev_key;
-- engine: all
