-- What recognises people: a sealed pepper per profile, under which identifiers are
-- tagged. See package privacy.
CREATE TABLE pepper (
  profile    TEXT PRIMARY KEY,
  sealed     BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

-- Who must not be sent, by tag.
CREATE TABLE suppression (
  profile    TEXT NOT NULL,
  tag        BLOB NOT NULL,
  field      TEXT NOT NULL,
  reason     TEXT NOT NULL,
  request    TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (profile, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX suppression_added ON suppression (profile, created_at);

-- The subject index of a plan: tag -> place in the payload, in sealed parts.
CREATE TABLE subject (
  plan INTEGER NOT NULL,
  part INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (plan, part)
) STRICT;

-- How far a named source was read.
CREATE TABLE source_cursor (
  profile  TEXT NOT NULL,
  source   TEXT NOT NULL,
  position TEXT NOT NULL,
  moved_at INTEGER NOT NULL,
  PRIMARY KEY (profile, source)
) STRICT;
