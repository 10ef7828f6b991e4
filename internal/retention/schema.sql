-- What the shared record says about evidence. It can be made anew from the record.
CREATE TABLE place (
  one      INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  position INTEGER NOT NULL,              -- of the last entry that was taken
  head     TEXT    NOT NULL,              -- its hash, to know the record again
  since    INTEGER NOT NULL               -- time of the first entry that was taken, in ms
) STRICT;
CREATE TABLE passages (
  id       TEXT    NOT NULL PRIMARY KEY,
  version  INTEGER NOT NULL,
  busy     INTEGER NOT NULL,              -- 2: under way, 1: over, and an analysis is waited for
  worst    INTEGER NOT NULL,              -- rank of the worst finding, 0 for none
  opened   INTEGER NOT NULL,              -- ms
  merged   TEXT    NOT NULL,              -- the passage that it is part of, or ''
  position INTEGER NOT NULL               -- of the newest version
) STRICT, WITHOUT ROWID;
CREATE INDEX passages_merged ON passages (merged) WHERE merged <> '';
CREATE TABLE pieces (
  sha256   TEXT    NOT NULL,
  passage  TEXT    NOT NULL,
  bytes    INTEGER NOT NULL,
  kind     INTEGER NOT NULL,              -- rank of the kind
  PRIMARY KEY (sha256, passage)
) STRICT, WITHOUT ROWID;
CREATE TABLE alerts (
  id       TEXT    NOT NULL PRIMARY KEY,
  passage  TEXT    NOT NULL,
  sent     INTEGER NOT NULL,              -- ms
  over     INTEGER NOT NULL               -- 1: cancelled, or followed by another
) STRICT, WITHOUT ROWID;
CREATE INDEX alerts_by_passage ON alerts (passage);
CREATE TABLE verdicts (
  id       TEXT    NOT NULL PRIMARY KEY,
  passage  TEXT    NOT NULL,
  agency   TEXT    NOT NULL,
  alert    TEXT    NOT NULL,
  code     TEXT    NOT NULL,
  at       INTEGER NOT NULL,              -- ms
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX verdicts_by_passage ON verdicts (passage);
CREATE TABLE holds (
  passage  TEXT    NOT NULL,
  agency   TEXT    NOT NULL,
  held     INTEGER NOT NULL,
  PRIMARY KEY (passage, agency)
) STRICT, WITHOUT ROWID;
CREATE TABLE fetched (
  sha256   TEXT    NOT NULL,
  agency   TEXT    NOT NULL,
  PRIMARY KEY (sha256, agency)
) STRICT, WITHOUT ROWID;
CREATE TABLE removed (
  sha256   TEXT    NOT NULL PRIMARY KEY,
  stored   INTEGER NOT NULL               -- when the piece that went had been stored, in ns
) STRICT, WITHOUT ROWID;
